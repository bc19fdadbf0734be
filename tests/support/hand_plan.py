"""A mapping of orders compiled by hand: what the loader's tests run when they want no compiler."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from warehouse.landing import Landing
from warehouse.model.plan import ChildPlan, PathColumn, Reference, StreamPlan, TargetPlan
from warehouse.store import Store

PATHS = {
    "c0": ("id",), "c1": ("name",), "c2": ("total",), "c3": ("updated_at",), "c4": ("deleted",),
    "c5": ("customer", "id"), "c6": ("lines",), "c7": ("paid",),
}  # fmt: skip


def paths_sql(encoding: str, files: Sequence[str], whole: bool) -> str:
    """One SELECT a file: only a plain `row_number() over ()` follows the lines of a file."""
    return " union all ".join(
        f"select {number}::bigint as file_no, position, {number} * 1000000 + position as n,"
        f" {', '.join(PATHS)} from (select row_number() over () as position, {columns}"
        f" from {read})"
        for number, file in enumerate(files)
        for columns, read in [_reading(encoding, file, whole)]
    )


def _reading(encoding: str, file: str, whole: bool) -> tuple[str, str]:
    if encoding == "parquet":
        names = [m[0] if len(m) == 1 else "null" for m in PATHS.values()]
        columns = [f"{n}::varchar as {c}" for c, n in zip(PATHS, names, strict=True)]
        return ", ".join(columns), f"read_parquet('{file}')"
    if whole:
        columns = [f"json ->> '/{'/'.join(m)}' as {c}" for c, m in PATHS.items()]
        return ", ".join(columns), f"read_ndjson_objects('{file}')"
    columns = [
        f"\"{m[0]}\" ->> '{'/' + '/'.join(m[1:]) if m[1:] else '$'}' as {c}"
        for c, m in PATHS.items()
    ]
    fields = ", ".join(f"'{m[0]}': 'JSON'" for m in PATHS.values())
    return ", ".join(columns), (
        f"read_json('{file}', columns = {{{fields}}}, records = true, format = 'newline_delimited')"
    )


ORDER = """
select n, c0 as source_key, c0 as record_key, c3 as version, c4 = 'true' as deleted, c1 as number,
    try_cast(c2 as decimal(18,4)) as total, c5 as customer_key, null::json as ext,
    list_filter([case when c0 is null then 'key: is missing' end,
        case when c2 is not null and try_cast(c2 as decimal(18,4)) is null
        then 'total: is not a number' end], lambda x: x is not null) as errors,
    case when c1 = 'odd' then ['number: unknown word: odd'] else [] end as warnings
from record_paths
"""
LINES = """
select n, line, l ->> '/id' as source_key, l ->> '/sku' as sku,
    try_cast(l ->> '/quantity' as decimal(18,6)) as quantity, null::json as ext,
    case when l ->> '/quantity' is not null
        and try_cast(l ->> '/quantity' as decimal(18,6)) is null
        then ['quantity: is not a number'] else [] end as errors, []::varchar[] as warnings
from (select n, unnest(json_transform(c6, '["JSON"]')) as l,
    unnest(range(1, json_array_length(c6)::bigint + 1)) as line from record_paths
    where c6 is not null)
"""
PAYMENT = """
select n, c0 as source_key, c0 as record_key, c3 as version, false as deleted,
    c0 as order_key, try_cast(c7 as decimal(18,4)) as amount, null::json as ext,
    case when c7 is not null and try_cast(c7 as decimal(18,4)) is null
        then ['amount: is not a number'] else [] end as errors, []::varchar[] as warnings
from record_paths where c7 is not null
"""


def order_plan(
    *, has_version: bool = True, payments: bool = False, order_sql: str = ORDER
) -> StreamPlan:
    order = TargetPlan(
        "order", ("number", "total", "customer_key"), order_sql, has_version, None,
        (Reference("customer_key", "party"),),
        (ChildPlan("lines", "order_line", ("sku", "quantity"), LINES),),
    )  # fmt: skip
    payment = TargetPlan("payment", ("order_key", "amount"), PAYMENT, has_version, None)
    return StreamPlan(
        connection="shop",
        stream="orders",
        version="m1",
        source="shop/orders.yaml",
        zone="Asia/Shanghai",
        paths=tuple(PathColumn(c, ".".join(m), m, "shop/orders.yaml:3") for c, m in PATHS.items()),
        paths_sql=paths_sql,
        targets=(order, payment) if payments else (order,),
    )


def unversioned(plan: StreamPlan) -> StreamPlan:
    targets = tuple(replace(t, has_version=False) for t in plan.targets)
    return replace(plan, targets=targets)


def order(key: object, version: str | None = "2026-01-01T00:00:00Z", **more: object) -> dict:
    record = {
        "id": key, "name": f"#{key}", "total": "10.50", "updated_at": version,
        "customer": {"id": "c1"},
        "lines": [{"id": "1", "sku": "A", "quantity": 1}, {"id": "2", "sku": "B", "quantity": 2}],
    }  # fmt: skip
    return record | more


START = datetime(2026, 3, 1, tzinfo=UTC)


def land(
    landing: Landing,
    *records: dict | bytes,
    mode: str = "changed",
    complete: bool = False,
    read: str = "r",
    stream: str = "orders",
    **more: object,
) -> None:
    """Land one page as one batch."""
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in records]
    keys = [None if isinstance(r, bytes) or r["id"] is None else str(r["id"]) for r in records]
    with landing.writer(
        "shop", stream, mode=mode, read=read, connector="rest@1", started=START, **more
    ) as writer:
        writer.add(lines, keys, {"n": len(lines)}, complete=complete)


def empty(store: Store) -> None:
    """Delete the rows of all tables that have any, but for what the file says of itself."""
    for schema, table in store.con.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where not temporary and estimated_size > 0 and table_name <> 'meta'"
    ).fetchall():
        store.con.execute(f'delete from "{schema}"."{table}"')
    store.con.execute("delete from ops.meta where name = 'last_decision'")
