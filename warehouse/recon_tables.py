"""Tables of `recon`: what each system is to the company, the rules, and what they found."""

from __future__ import annotations

from warehouse.ddl import CONNECTION, STREAM, Field, Table

_TEXT = "VARCHAR"


def _fields(*rows: tuple[str, str, str, str]) -> tuple[Field, ...]:
    return tuple(Field(name, kind, en, zh) for name, kind, en, zh in rows)


ROLES = Table(
    "recon",
    "roles",
    "What each stream is to the company; rules know systems by their roles",
    "各数据流在公司中的角色",
    (
        CONNECTION,
        STREAM,
        *_fields(
            ("role", _TEXT, "shop, erp, crm, oms, wms, carrier, gateway, bank, office", "角色"),
        ),
    ),
)

STORED: tuple[Table, ...] = (ROLES,)
"""All of them are kept in the store and published."""
