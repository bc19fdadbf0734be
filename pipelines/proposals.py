"""Proposes the settings of a `files` connection from what lies in its folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors import registry
from connectors.base import Context, ReadRequest
from connectors.errors import ConnectorError

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods")
ROWS = 500
"""Rows looked at to find the column that tells rows apart."""
KEYS = re.compile(
    r"(?i)(编码|编号|代码|货号|条码|单号|流水号|账号|序号|(?:^|[_\s])(?:sku|code|id|no|number|key)$)"
)
PARTS = re.compile(r"(?i)(仓库|库位|门店|店铺|warehouse|location|store)")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A stream's settings, and what was seen in the first of its files."""

    stream: str
    settings: dict[str, Any]
    columns: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default_factory=tuple)


def propose_streams(folder: Path, connection: str) -> list[Proposal]:
    """Return one stream a kind of file in `folder`: names that differ by date or number are one."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix.lower() in KINDS and path.name[0] not in "~.":
            groups.setdefault(pattern_of(path), []).append(path)
    found: list[Proposal] = []
    taken: set[str] = set()
    for pattern, paths in groups.items():
        name = stream_name(paths[0].stem, connection, taken)
        taken.add(name)
        found.append(_look(folder, name, pattern))
    return found


def pattern_of(path: Path) -> str:
    """Return the pattern of a file and its later issues: `库存表 2026-11.xlsx` → `库存表*.xlsx`."""
    stem = re.sub(r"[\s_.()（）-]*\d[\d\s_.()（）年月日至-]*$", "", path.stem)
    stem = re.sub(r"([\[\]*?])", "?", stem)  # signs that a pattern gives a meaning
    return f"{stem}*{path.suffix}" if stem else f"*{path.suffix}"


def stream_name(stem: str, connection: str, taken: set[str]) -> str:
    """Return a stream's name: the Latin words of the file's name, else the connection's name."""
    words = re.findall(r"[a-z][a-z0-9]*", stem.lower())
    name = "_".join(words)[:40] or connection
    number = 2
    while name in taken:
        name = f"{name.rstrip('0123456789_')}_{number}"
        number += 1
    return name


def choose_key(columns: dict[str, list[str | None]]) -> list[str]:
    """Return the columns that tell rows apart: one named like a key, with a place where needed."""
    rows = max((len(v) for v in columns.values()), default=0)
    if not rows:
        return ["position"]
    full = {n: v for n, v in columns.items() if all(v)}
    named = sorted(full, key=lambda n: not KEYS.search(n))
    likely = [n for n in named if KEYS.search(n)]
    for name in likely:
        if len(set(full[name])) == rows:
            return [name]
    for name in likely:
        for part in full:
            pairs = set(zip(full[name], full[part], strict=True))
            if part != name and PARTS.search(part) and len(pairs) == rows:
                return [part, name]
    first = next(iter(columns))
    if first in full and len(set(full[first])) == rows:
        return [first]
    return ["position"]


def _look(folder: Path, name: str, pattern: str) -> Proposal:
    settings: dict[str, Any] = {"pattern": pattern, "key": ["position"]}
    try:
        columns = _columns(folder, name, settings)
    except ConnectorError as error:
        return Proposal(name, settings, (), (str(error),))
    settings["key"] = choose_key(columns)
    return Proposal(name, settings, tuple(columns))


def _columns(folder: Path, name: str, settings: dict[str, Any]) -> dict[str, list[str | None]]:
    kind = registry.load("files")
    config = kind.Settings.model_validate(
        {"folder": str(folder), "settle": 0, "streams": {name: settings}}
    )
    with closing(kind(config, Context(connection=name))) as connector:
        for page in connector.read(ReadRequest(name, mode="full", limit=ROWS)):
            if hasattr(page.records, "schema"):
                return _texts(page.records)
    return {}


def _texts(table: pa.Table) -> dict[str, list[str | None]]:
    names: Sequence[str] = [n for n in table.column_names if not n.startswith("_")]
    return {n: table.column(n).to_pylist() for n in names}
