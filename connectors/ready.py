"""Ready connections: a vendor's own database, spelled out for the connector `sql`.

A folder of this room may hold a `ready.yaml`: a whole `defs.yaml` with its queries, which
`isthmus connect FOLDER NAME` writes into a user's folder, where it is the user's. Its mappings are
`mappings/FOLDER/*.yaml`.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
FILE = "ready.yaml"


def names() -> list[str]:
    """Return the names of all ready connections."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{FILE}"))


def text(name: str) -> str:
    """Return the file of one; raises KeyError for a name that there is not."""
    if name not in names():
        raise KeyError(name)
    return (FOLDER / name / FILE).read_text(encoding="utf-8")


def title(name: str) -> str:
    """Return what people call it."""
    found = re.search(r"^  title: (.+)$", text(name), re.MULTILINE)
    return found[1] if found else name
