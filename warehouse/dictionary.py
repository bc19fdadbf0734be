"""The data dictionary, docs/model.md: generated from the model, so that it cannot be wrong.

`python -m warehouse.dictionary FILE` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from warehouse import ddl, marts, ops_tables, public, recon_tables
from warehouse.ddl import Table
from warehouse.model import ENTITIES
from warehouse.model.base import Column, Entity

_HEAD = """\
# The model · 数据模型

*Written by `python -m warehouse.dictionary docs/model.md` from `warehouse/model/`; a test keeps
it up to date. Do not edit.*

Every entity has a table in `source` (one row a source record, as its system said it) and one in
`unified` (one row a real thing). Where a column says *refers to*, `unified` has the golden id of
that thing in a column of its own, null until it is known. A *word* is one of a closed list or
`unknown`; the source's own word stands in `<column>_raw`. Money is in major units of the row's
`currency`, instants are UTC, ids are text. Beside each table of things that stand on their own,
`unified.<table>_from` tells in `<field>_from` the connection whose value stands.

每个实体在 `source`（每条源记录一行）和 `unified`（每个真实事物一行）中各有一张表。
*refers to* 表示引用，`unified` 中另有统一编号列，未知时为空。*word* 为封闭词表，源词保留在
`<列名>_raw` 中。金额以该行 `currency` 的主单位计，时间为 UTC，编号为文本。
每张独立事物的表旁有 `unified.<表名>_from`，`<字段>_from` 为该值来自的连接。
"""


def document() -> str:
    """Return the whole page as Markdown."""
    parts = [_HEAD, "## Schemas\n", *_schemas(), "\n## Entities\n", *_contents()]
    for cls in ENTITIES.values():
        parts += _entity(cls)
    parts += ["\n## Links\n"]
    for table in ops_tables.LINKS:
        parts += _plain(table, "unified")
    parts += ["\n## Marts\n", "| view | what a row is |", "|---|---|"]
    parts += [f"| `mart.{m.name}` | {m.grain.removeprefix('grain: ')} |" for m in marts.in_order()]
    for macro in marts.macros():
        grain = macro.grain.removeprefix("grain: ")
        parts.append(f"| `mart.{macro.name}({macro.takes})` | {grain} |")
    parts += [""]
    for table in public.mart_tables():
        parts += _plain(table, "mart")
    parts += ["\n## Reconciliation\n"]
    for table in recon_tables.STORED:
        parts += _plain(table, "recon")
    parts += ["\n## Lineage columns of `source`\n", *_columns(_lineage())]
    parts += ["\n## Operations\n"]
    for table in ops_tables.PUBLIC_OPS:
        parts += _plain(table, "ops")
    return "\n".join(parts) + "\n"


def _schemas() -> Iterator[str]:
    yield "| schema | what it holds | 说明 |"
    yield "|---|---|---|"
    for name, (en, zh) in ddl.SCHEMAS.items():
        yield f"| `{name}` | {en} | {zh} |"
    yield ""
    yield (
        f"History is published of {', '.join(ENTITIES[e].table for e in public.HISTORY_OF)} "
        "and what they own."
    )


def _contents() -> Iterator[str]:
    yield "| entity | 中文 | table | what it is |"
    yield "|---|---|---|---|"
    for cls in ENTITIES.values():
        owner = f", owned by {cls.parent}" if cls.parent else ""
        name = cls.entity if not cls.parent else f"↳ {cls.entity}"
        yield f"| {name} | {cls.zh} | `{cls.table}` | {cls.about}{owner} |"


def _entity(cls: type[Entity]) -> Iterator[str]:
    yield f"\n### {cls.en} · {cls.zh}\n"
    yield f"`{cls.table}` · {cls.about}"
    if cls.children:
        owned = ", ".join(f"`{n}` ({e})" for n, e in cls.children.items())
        yield f"\nOwns {owned}."
    yield "\n| column | type | English | 中文 | what it means |"
    yield "|---|---|---|---|---|"
    for name, col in cls.columns().items():
        yield f"| `{name}` | {_type(col)} | {col.en} | {col.zh} | {'; '.join(_about(col))} |"


def _type(col: Column) -> str:
    return "word" if col.kind == "word" else col.sql_type


def _about(col: Column) -> Iterator[str]:
    if col.about:
        yield col.about
    if col.words:
        yield " ".join(f"`{w}`" for w in col.words)
    if col.ref:
        yield f"refers to {col.ref} (`{col.resolved}`)"
    if col.natural:
        yield "may be referred to (`by:`)"
    if col.rule_en:
        yield f"rule: {col.rule_en} · {col.rule_zh}"
    if col.privacy:
        yield f"personal ({col.privacy})" + (" unless an organisation's" if col.person_only else "")


def _lineage() -> Table:
    table = ddl.source_table("order")
    fields = tuple(f for f in table.fields if f.model is None and not f.name.endswith("_raw"))
    return Table("source", "", "", "", fields)


def _plain(table: Table, schema: str) -> Iterator[str]:
    yield f"### `{schema}.{table.name}` · {table.zh}\n"
    yield table.en
    yield ""
    yield from _columns(table)
    yield ""


def _columns(table: Table) -> Iterator[str]:
    yield "| column | type | what it means | 中文 |"
    yield "|---|---|---|---|"
    for field in table.fields:
        about = f"{field.en}: {field.about}" if field.about else field.en
        yield f"| `{field.name}` | {field.sql_type} | {about} | {field.zh} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), "utf-8")
