"""Compiles a mapping, runs its SQL on real DuckDB, gives back rows as dictionaries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from mappings.compile import compile_mapping
from mappings.load import parse_mapping
from warehouse.intake import types_of
from warehouse.model.plan import StreamPlan

ZONE = "Asia/Shanghai"


@dataclass
class Result:
    """What came out: rows of each target by entity, rows of children by name."""

    rows: list[dict[str, Any]]
    also: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    children: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    paths: list[dict[str, Any]] = field(default_factory=list)

    @property
    def errors(self) -> list[list[str]]:
        return [row["errors"] for row in self.rows]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def plan_of(text: str, *, zone: str = ZONE, settings: dict[str, str] | None = None) -> StreamPlan:
    return compile_mapping(
        parse_mapping(text, "test.yaml"),
        connection="shop", stream="orders", zone=zone, settings=settings or {},
    )  # fmt: skip


def fields(entity: str = "order", **named: str) -> str:
    """Return a mapping of one entity with the given fields, key `id`."""
    lines = "\n".join(f"  {name}: {value}" for name, value in named.items())
    return f"entity: {entity}\nkey: id\nfields:\n{lines}\n"


def land(folder: Path, records: list[Any], name: str = "000000000001") -> Path:
    """Write records as a landed batch; a str or bytes is a line as it is."""
    lines = [
        r if isinstance(r, bytes) else (r if isinstance(r, str) else json.dumps(r)).encode()
        for r in records
    ]
    path = folder / f"{name}.ndjson.zst"
    path.write_bytes(zstandard.ZstdCompressor(level=1).compress(b"\n".join(lines) + b"\n"))
    return path


def land_parquet(folder: Path, columns: dict[str, list[Any]], name: str = "000000000001") -> Path:
    """Write columns as a landed Parquet batch."""
    path = folder / f"{name}.parquet"
    arrays = [v if isinstance(v, pa.Array) else pa.array(v, pa.string()) for v in columns.values()]
    pq.write_table(pa.Table.from_arrays(arrays, names=list(columns)), path)
    return path


@cache
def _database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def connect(zone: str = ZONE) -> duckdb.DuckDBPyConnection:
    con = _database().cursor()
    con.execute("set disabled_optimizers = 'common_subexpressions'")
    con.execute(f"set timezone = '{zone}'")
    return con


def run_plan(plan: StreamPlan, files: list[Path], *, whole: bool = False) -> Result:
    """Run a plan as the loader does."""
    encoding = "parquet" if files[0].suffix == ".parquet" else "ndjson.zst"
    with connect(plan.zone) as con:
        sql = plan.paths_sql(encoding, [str(f) for f in files], whole)
        con.execute(f"create or replace temp table record_paths as {sql}")
        plan = plan.over(types_of(con, plan))
        out = Result(_rows(con, plan.targets[0].select))
        out.paths = _rows(con, "select * from record_paths")
        for target in plan.targets[1:]:
            out.also[target.entity] = _rows(con, target.select)
        for target in plan.targets:
            for child in target.children:
                out.children[child.name] = _rows(con, child.select)
        return out


def run(text: str, records: list[Any], folder: Path, **more: Any) -> Result:
    """Compile `text`, land `records`, run."""
    whole = more.pop("whole", False)
    return run_plan(plan_of(text, **more), [land(folder, records)], whole=whole)


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    con.execute(f"create or replace temp table made as {sql}")
    names = [row[0] for row in con.execute("describe made").fetchall()]
    found = con.execute(f"select * from made order by n{', line' * ('line' in names)}")
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
