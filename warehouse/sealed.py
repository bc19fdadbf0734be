"""Small JSON files that tell whether they are as they were written: `check` is their last member.

A batch's data is proved by the sha256 in its sidecar; the sidecar, which says where extraction goes
on and what counts as deleted, and the decisions are proved by this.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

_LAST = re.compile(rb',(\s*)"check":\s*"([0-9a-f]{16})"\s*\}\s*$')


def seal(content: bytes) -> bytes:
    """Return the JSON object `content`, which has members, with `check` as its last one."""
    body = content.rstrip()[:-1].rstrip()
    return body + f',"check":"{_digest(body)}"}}'.encode()


def is_whole(content: bytes, members: Mapping[str, Any]) -> bool:
    """Say whether `content`, read as `members`, is as it was sealed; what has no check is."""
    found = _LAST.search(content)
    if found is None:
        return "check" not in members
    return found[2].decode() == _digest(content[: found.start()])


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]
