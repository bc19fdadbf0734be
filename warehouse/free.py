"""How much of a DuckDB file holds nothing, without a lock and without a change to the file."""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.anew import free_share


def share_of(path: Path) -> float | None:
    """Return which share of the file's blocks holds nothing, 0 to 1.

    None where nobody can know: there is no such file, a process writes it, it is damaged. Blocks
    that only the next checkpoint would free count as taken.
    """
    if not path.exists():
        return None
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            return free_share(con)
    except duckdb.Error:
        return None
