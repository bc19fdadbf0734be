"""The matchers of this release, by entity, and the rows that the party matcher looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb

from warehouse import ddl
from warehouse.grouping import Matcher, temp
from warehouse.identity import golden_id_sql
from warehouse.matching.locations import group_locations
from warehouse.matching.orders import group_orders
from warehouse.matching.payments import group_payments
from warehouse.matching.products import group_products
from warehouse.matching.rulings import Rulings
from warehouse.matching.shipments import group_shipments
from warehouse.matching.stock import group_stock_levels

VERSION = "3"
"""Of the rules: another makes every group anew."""

_PARTY_ROWS = "unify_party_rows"


def _parties(con: duckdb.DuckDBPyConnection, rulings: Rulings, changed: str | None) -> None:
    """Match parties: a view of all for a whole run, a table of the changed ones else."""
    there = f"SELECT 1 FROM {ddl.source_table('party').full} LIMIT 1"
    if con.execute(there).fetchone() is None:
        return  # rows never leave source: there was none before either

    from warehouse.matching.parties import group_parties  # loads its libraries only when needed

    con.execute(f"DROP VIEW IF EXISTS {_PARTY_ROWS}_all")
    con.execute(f"CREATE TEMP VIEW {_PARTY_ROWS}_all AS {_party_rows(changed)}")
    rows = f"{_PARTY_ROWS}_all"
    if changed is not None:
        rows = _PARTY_ROWS
        con.execute(f"CREATE OR REPLACE TEMP TABLE {rows} AS SELECT * FROM {_PARTY_ROWS}_all")
    group_parties(con, rows, rulings, changed=changed)
    con.execute(f"DROP VIEW {_PARTY_ROWS}_all")
    con.execute(f"DROP TABLE IF EXISTS {_PARTY_ROWS}")


def _party_rows(changed: str | None) -> str:
    """Return the SELECT of party records with their identifiers and their main address."""
    chosen = (
        ""
        if changed is None
        else f" SEMI JOIN {changed} c ON c.connection = t.connection AND c.stream = t.stream "
        "AND c.source_key = t.{key}"
    )

    def of(entity: str, key: str) -> str:
        table = ddl.source_table(entity).full
        return f"(SELECT t.* FROM {table} t{chosen.format(key=key)})"

    place = "connection, stream, parent_key"
    return (
        f"SELECT {golden_id_sql('party', 'p')} AS id, p.connection, p.stream, p.source_key, "
        "NOT coalesce(p.is_deleted, false) AS is_alive, p.first_seen_at, p.kind, p.name, "
        "p.legal_name, p.contact_name, p.uscc, p.tax_number, p.id_number, p.email, p.phone, "
        "p.contact_phone, NULL::DATE AS birth_date, coalesce(p.country, a.country) AS country, "
        "coalesce(p.region, a.region) AS region, coalesce(p.city, a.city) AS city, "
        "a.district, a.postal_code, "
        "coalesce(p.address, a.full_address, nullif(concat_ws(' ', a.line1, a.line2), '')) "
        "AS address, "
        "p.source_created_at AS created_at, i.identifiers "
        f"FROM {of('party', 'source_key')} p "
        f"LEFT JOIN (SELECT {place}, list({{'scheme': scheme, 'value': value}} ORDER BY scheme, "
        "value) AS identifiers "
        f"FROM {of('party_identifier', 'parent_key')} t WHERE NOT coalesce(is_masked, false) "
        f"GROUP BY ALL) i ON i.connection = p.connection AND i.stream = p.stream "
        "AND i.parent_key = p.source_key "
        f"LEFT JOIN (SELECT * FROM {of('address', 'parent_key')} t QUALIFY row_number() OVER "
        f"(PARTITION BY {place} ORDER BY line, source_key) = 1) a ON a.connection = p.connection "
        "AND a.stream = p.stream AND a.parent_key = p.source_key"
    )


def take_aliases(con: duckdb.DuckDBPyConnection, aliases: Mapping[str, Mapping[str, str]]) -> None:
    """Let the product matcher know by which SKU the others know an item of a connection."""
    con.execute("DELETE FROM identity.product_aliases")
    for connection, names in aliases.items():
        for sku, alias in names.items():
            con.execute(
                "INSERT INTO identity.product_aliases VALUES (?, ?, ?)", [connection, sku, alias]
            )


def _documents(group: Callable[..., None]) -> Matcher:
    def match(con: duckdb.DuckDBPyConnection, rulings: Rulings, changed: str | None) -> None:
        group(con, changed=changed)

    return match


def _payments(con: duckdb.DuckDBPyConnection, rulings: Rulings, changed: str | None) -> None:
    """Match payments: also those whose order came or went, for its number is one of theirs."""
    orders = None if changed is None else temp("changed", "order")
    group_payments(con, changed=changed, orders=orders)


MATCHERS: Mapping[str, Matcher] = {
    "party": _parties,
    "product": _documents(group_products),
    "location": _documents(group_locations),
    "stock_level": _documents(group_stock_levels),
    "order": _documents(group_orders),
    "shipment": _documents(group_shipments),
    "payment": _payments,
}
