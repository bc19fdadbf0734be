"""Reads keys and stamps alone of landed records: what is counted against the source.

The plan that comes of it makes no rows. Its `records` gives n, record_key and `stamped_at`
(TIMESTAMPTZ, null where the stamp cannot be read) of all records, rows of a group each by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mappings.columns import FILE_STEP, Reader
from mappings.compile import _Compiler
from mappings.errors import first_of
from mappings.form import Target
from mappings.load import LoadedMapping
from mappings.paths import parse_path, sql_text
from mappings.targets import record_select
from warehouse.model import ENTITIES
from warehouse.model.plan import StreamPlan

_NUMBER = r"'[0-9]{9,16}(\.[0-9]{1,9})?'"


def counting_plan(
    mapping: LoadedMapping,
    *,
    connection: str,
    stream: str,
    zone: str,
    settings: Mapping[str, str],
    by: Sequence[str] = (),
    pattern: str = "iso",
) -> StreamPlan:
    """Return what reads keys and the stamp `by` (of several paths the first that is there).

    `pattern` is how the source writes stamps: iso, epoch, epoch_ms or a strftime pattern; `zone` is
    that of stamps without one. Raises MappingError for a key that cannot be compiled.
    """
    made = _Compiler(mapping, zone, settings, ENTITIES)
    key = made.rows_of.key_parts(made.form.key, ("key",), made.scope(("key",)))
    if made.errors:
        raise first_of(made.errors)
    stamps = [made.columns.text(_members(path)) for path in by]
    text = f"coalesce({', '.join(stamps)})" if len(stamps) > 1 else "".join(stamps) or "null"
    records = record_select(key, text)
    read = instant("version", pattern)
    return StreamPlan(
        connection=connection,
        stream=stream,
        version="",
        source=mapping.file,
        zone=zone,
        paths=made.columns.described(),
        paths_sql=Reader(made.columns, made.rows),
        targets=(),
        records=f"select n, record_key, {read} as stamped_at from ({records})",
        step=FILE_STEP,
    )


def instant(text: str, pattern: str) -> str:
    """Return the SQL of the instant that a stamp's text says; null where it says none.

    Numbers are seconds since 1970, from twelve digits on milliseconds.
    """
    unit = "1000" if pattern == "epoch_ms" else (
        f"case when length(split_part({text}, '.', 1)) >= 12 then 1000 else 1000000 end"
    )  # fmt: skip
    number = (
        f"case when regexp_full_match({text}, {_NUMBER}) then"
        f" make_timestamptz(try_cast(try_cast({text} as decimal(28, 9)) * {unit} as bigint)) end"
    )
    written = [
        f"try_cast({text} as timestamptz)",
        f"try_cast(replace({text}, '/', '-') as timestamptz)",
    ]
    if "%" in pattern:
        own = f"try_cast(try_strptime({text}, {sql_text(pattern)}) as timestamptz)"
        return f"try(coalesce({own}, {number}, {', '.join(written)}))"
    return f"try(coalesce({number}, {', '.join(written)}))"


def summed_member(mapping: LoadedMapping) -> tuple[str, str] | None:
    """Return (column, member of the record) of the record's own money, where it is taken as it is.

    The first such field of the mapping: a total that is computed cannot be asked for.
    """
    form = mapping.form
    columns = ENTITIES[form.entity].columns()
    for name, value in _in_order(form):
        path = parse_path(value)
        if columns[name].kind == "money" and path is not None and len(path.members) == 1:
            return name, str(path.members[0])
    return None


def _in_order(form: Target) -> list[tuple[str, str]]:
    found = [(name, value.value) for name, value in form.fields.items()]
    return sorted(found, key=lambda one: one[0] not in ("total", "amount"))


def _members(text: str) -> tuple[str | int, ...]:
    path = parse_path(text)
    return (text,) if path is None else path.members
