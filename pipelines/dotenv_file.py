"""The `.env` file beside the definitions, as a service that runs for weeks must read it.

A process hands its environment on to its children: what the file said when a code location started
would hold in all its runs, and a password that was renewed in the file would never be used. So the
names that came from the file, with a digest of their values, stand in a variable of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import MutableMapping, Sequence
from pathlib import Path

MARK = "ISTHMUS_FROM_ENV_FILE"


def load_env(files: Sequence[Path], env: MutableMapping[str, str]) -> None:
    """Read files into `env`, the first that names a variable holds; what others set stays.

    What an earlier reading set, here or in a parent process, follows the files: it is changed with
    them, and goes with them.
    """
    ours = {n for n, digest in _marked(env).items() if n in env and _digest(env[n]) == digest}
    said: dict[str, str] = {}
    for file in files:
        for name, value in _values(file).items():
            said.setdefault(name, value)
    for name in ours - said.keys():
        del env[name]
    marks = {}
    for name, value in said.items():
        if name not in env or name in ours:
            env[name] = value
            marks[name] = _digest(value)
    if marks:
        env[MARK] = json.dumps(marks)
    else:
        env.pop(MARK, None)


def _values(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    from dotenv import dotenv_values

    found = dotenv_values(file, interpolate=False)
    return {name: value for name, value in found.items() if value is not None}


def _marked(env: MutableMapping[str, str]) -> dict[str, str]:
    try:
        return dict(json.loads(env.get(MARK, "{}")))
    except (ValueError, TypeError):
        return {}


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:16]
