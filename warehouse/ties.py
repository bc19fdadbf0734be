"""Which things hang together: orders and the money, parcels, invoices, returns and refunds of them.

A record may name its order by key or by a number, several orders may share a document, one payment
may be for several orders. What a mart or a rule says of an order is a function of all that hangs
together with it, so a change of one thing may change what is said of any of these, and of nothing
else. `identity.ties` keeps, for each thing, what it can be met by (a node: an order, a number, a
document, as hashes); `identity.touched` the things that each unification touched in this way.
"""

from __future__ import annotations

import duckdb

from warehouse import ddl
from warehouse.ddl import literal, quote
from warehouse.grouping import temp
from warehouse.identity import golden_id_sql

ENTITIES = ("order", "payment", "shipment", "invoice", "return", "refund")
FORM = "tied"
SINCE = "touched_since"
"""Facts of the store: the form of its ties; after which unification `identity.touched` is known."""
MOST = 50_000
"""Touched things from which on everything counts as touched: to make all anew is quicker."""
SMALL = 10_000
"""Orders up to which nothing is kept of ties: to look at everything is as quick."""
_CHILDREN = {"payment_allocation": "payment", "shipment_line": "shipment",
             "invoice_line": "invoice"}  # fmt: skip
_SEVERAL = r"[,;，；、|+/｜＋／\s]"
_FEW = r"[,;，；、\s]"
"""Signs between numbers in one field: all that some rule knows, and those that no number holds."""


def id_of(entity: str, column: str) -> str:
    """Return the SQL of a thing's hash."""
    return f"hash({literal(entity)}, {column})"


def things(said: str) -> str:
    """Return the SQL of the thing that a row belongs to: `order of_order, invoice of_invoice`."""
    parts = [
        f"if({quote(column)} IS NULL, NULL, {id_of(entity, quote(column))})"
        for entity, column in (part.split() for part in said.split(","))
    ]
    return f"coalesce({', '.join(parts)})" if len(parts) > 1 else parts[0]


def form(con: duckdb.DuckDBPyConnection) -> str:
    """Return what the hashes are a function of: ties of another form are made anew."""
    return f"1 {con.execute('SELECT version()').fetchall()[0][0]}"


def is_small(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the store is too small to gain by ties."""
    ((many,),) = con.execute("SELECT count(*) FROM unified.orders").fetchall()
    return bool(many < SMALL)


def leave(con: duckdb.DuckDBPyConnection) -> None:
    """Keep no ties."""
    for table in ("ties", "touched"):
        con.execute(f"DELETE FROM identity.{table}")


def write_all(con: duckdb.DuckDBPyConnection, run: int) -> None:
    """Make the ties anew from all golden rows; everything is touched."""
    con.execute("DELETE FROM identity.ties")
    own = golden_id_sql("order", "s")
    dead = f"SELECT s.*, {id_of('order', own)} AS thing FROM source.orders s WHERE s.is_deleted"
    for select in _edges("unified.", dead):
        con.execute(f"INSERT INTO identity.ties SELECT DISTINCT thing, node, leads, {run} "
                    f"FROM ({select}) WHERE node IS NOT NULL")  # fmt: skip
    con.execute(f"INSERT INTO identity.touched VALUES ({run}, NULL)")


def write_changed(con: duckdb.DuckDBPyConnection, run: int) -> None:
    """Bring the ties of what changed up to date, and write down what it touched.

    Reads what unification `run` wrote into `ops.changes`, and its temp tables of loaded rows. What
    hung together before counts as much as what does now.
    """
    _changed(con, run)
    if not con.execute("SELECT 1 FROM ties_changed LIMIT 1").fetchall():
        return _drop(con)
    _pick(con)
    dead = (
        f"SELECT s.*, {id_of('order', 'c.id')} AS thing FROM source.orders s "
        f"JOIN {temp('changed', 'order')} c ON c.connection = s.connection "
        "AND c.stream = s.stream AND c.source_key = s.source_key WHERE NOT c.is_alive"
    )
    for select in _edges("ties_of_", dead):
        con.execute(f"INSERT INTO identity.ties SELECT DISTINCT thing, node, leads, {run} "
                    f"FROM ({select}) WHERE node IS NOT NULL")  # fmt: skip
    all_of_it = not _close(con)
    con.execute(
        f"DELETE FROM identity.ties WHERE run < {run} AND thing IN (SELECT thing FROM ties_changed)"
    )
    touched = "(NULL)" if all_of_it else "SELECT thing FROM ties_touched"
    con.execute(
        f"INSERT INTO identity.touched SELECT {run}, thing "
        f"FROM ({'VALUES ' if all_of_it else ''}{touched}) t(thing)"
    )
    _drop(con)


def forget(con: duckdb.DuckDBPyConnection, upto: int) -> None:
    """Forget what was touched up to the unification `upto`."""
    con.execute("DELETE FROM identity.touched WHERE run <= ?", [upto])


def _changed(con: duckdb.DuckDBPyConnection, run: int) -> None:
    """Make `ties_changed`: things whose golden row, or a record of theirs, is another now."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE ties_changed (thing UBIGINT, entity VARCHAR, id UUID)"
    )
    names = ", ".join(literal(e) for e in ENTITIES)
    loaded = " UNION ALL ".join(f"SELECT id FROM {temp('changed', e)}" for e in ENTITIES)
    parts = [
        f"SELECT entity, id FROM ops.changes WHERE run = {run} AND entity IN ({names})",
        # What a document says counts, also where it says nothing new of the order itself.
        f"SELECT entity, golden_id FROM unify_placed WHERE own_id IN ({loaded}) "
        f"AND entity IN ({names})",
    ]  # fmt: skip
    parts.append(f"SELECT 'order', id FROM {temp('changed', 'order')} WHERE NOT is_alive")
    for child, owner in _CHILDREN.items():
        table = ddl.unified_table(child)
        mine = f"SELECT id FROM ops.changes WHERE run = {run} AND entity = {literal(child)}"
        if con.execute(f"{mine} LIMIT 1").fetchall():
            parts.append(f"SELECT {literal(owner)}, {owner}_id FROM {table.full} "
                         f"WHERE {child}_id IN ({mine})")  # fmt: skip
    con.execute(
        f"INSERT INTO ties_changed SELECT DISTINCT {id_of_any()}, entity, id "
        f"FROM ({' UNION ALL '.join(parts)}) WHERE id IS NOT NULL"
    )


def id_of_any() -> str:
    """Return the SQL of a thing's hash where the entity is a column."""
    return "hash(entity, id)"


def _pick(con: duckdb.DuckDBPyConnection) -> None:
    """Make the rows of the changed things temp tables, so that each table is read once."""
    for entity, columns in _READ.items():
        owner = _CHILDREN.get(entity, entity)
        table = ddl.unified_table(entity)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE ties_of_{table.name} AS SELECT {columns} "
            f"FROM {table.full} WHERE {owner}_id IN "
            f"(SELECT id FROM ties_changed WHERE entity = {literal(owner)})"
        )
    for table_name, entity, column in (
        ("order_documents", "order", "order_id"), ("payment_evidence", "payment", "payment_id"),
    ):  # fmt: skip
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE ties_of_{table_name} AS SELECT * "
            f"FROM unified.{table_name} WHERE {column} IN "
            f"(SELECT id FROM ties_changed WHERE entity = {literal(entity)})"
        )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE ties_of_xref AS SELECT entity, connection, stream, "
        "source_key, golden_id, own_id FROM unified.xref "
        "WHERE golden_id IN (SELECT id FROM ties_changed) "
        "AND entity IN ('order', 'shipment', 'invoice')"
    )


_READ = {
    "order": "order_id, number, merchant_order_no",
    "payment": "payment_id, connection, stream, order_id, invoice_id, merchant_order_no",
    "payment_allocation": "payment_id, order_id, invoice_id",
    "shipment": "shipment_id, order_id, order_number",
    "shipment_line": "shipment_id, order_id",
    "invoice": "invoice_id, order_id, order_number",
    "invoice_line": "invoice_id, order_id",
    "return": "return_id, order_id, order_number",
    "refund": "refund_id, order_id, merchant_order_no",
}


def _edges(prefix: str, dead: str) -> list[str]:
    """Return SELECTs of (thing, node, leads); `prefix` stands before the names of golden tables.

    `leads`: of an order (or of an invoice that may stand there twice). A number that no order has
    leads from no thing to another. `dead` selects the deleted rows of `source.orders`, each with
    the hash `thing` of the order that it would be.
    """
    order = id_of("order", "order_id")
    document = "hash(connection, source_key)"
    found = [
        f"SELECT {order} AS thing, {order} AS node, true AS leads FROM {prefix}orders",
        f"SELECT {order} AS thing, unnest([{_number('number')}, {_number('merchant_order_no')}]) "
        f"AS node, true AS leads FROM {prefix}orders",
        f"SELECT {order} AS thing, {document} AS node, true AS leads FROM {prefix}order_documents "
        "WHERE role <> 'placed'",
        _documents(
            id_of("order", "x.golden_id"),
            f"{prefix}xref x JOIN source.orders s "
            "ON x.connection = s.connection AND x.stream = s.stream "
            "AND x.source_key = s.source_key WHERE x.entity = 'order'",
        ),
        # A number that was deleted is known all the same.
        _documents("s.thing", f"({dead}) s"),
        f"SELECT {id_of('invoice', 'x.golden_id')} AS thing, "
        "hash(s.connection, coalesce(s.e_invoice_no, s.number)) AS node, true AS leads "
        f"FROM {prefix}xref x JOIN source.invoices s ON x.connection = s.connection "
        "AND x.stream = s.stream AND x.source_key = s.source_key WHERE x.entity = 'invoice'",
        f"SELECT {id_of('shipment', 'x.golden_id')} AS thing, hash(s.connection, s.order_key) "
        f"AS node, false AS leads FROM {prefix}xref x JOIN source.shipments s "
        "ON x.connection = s.connection AND x.stream = s.stream AND x.source_key = s.source_key "
        "WHERE x.entity = 'shipment' AND s.order_key IS NOT NULL",
    ]
    invoice = id_of("invoice", "invoice_id")
    found.append(f"SELECT {invoice} AS thing, {invoice} AS node, true AS leads "
                 f"FROM {prefix}invoices")  # fmt: skip
    payment = id_of("payment", "payment_id")
    found += [
        f"SELECT {payment} AS thing, {invoice} AS node, false AS leads FROM {prefix}{table} "
        "WHERE invoice_id IS NOT NULL" for table in ("payments", "payment_allocations")
    ]  # fmt: skip
    said = f"{payment} AS thing, unnest({_parts('merchant_order_no')}) AS node, false AS leads"
    found += [
        f"SELECT {said} FROM {prefix}payments WHERE merchant_order_no IS NOT NULL",
        f"SELECT {said} FROM (SELECT e.payment_id, s.merchant_order_no "
        f"FROM {prefix}payment_evidence e JOIN {prefix}payments p ON e.payment_id = p.payment_id "
        "AND (e.connection <> p.connection OR e.stream <> p.stream) JOIN source.payments s "
        "ON e.connection = s.connection AND e.stream = s.stream AND e.source_key = s.source_key "
        "WHERE s.merchant_order_no IS NOT NULL)",
    ]
    for entity, number in (
        ("shipment", "order_number"), ("invoice", "order_number"), ("return", "order_number"),
        ("refund", "merchant_order_no"),
    ):  # fmt: skip
        found.append(
            f"SELECT {id_of(entity, f'{entity}_id')} AS thing, {_number(number)} AS node, "
            f"false AS leads FROM {prefix}{entity}s WHERE order_id IS NULL"
        )
    for entity, tables in (
        ("payment", ("payments", "payment_allocations")),
        ("shipment", ("shipments", "shipment_lines")),
        ("invoice", ("invoices", "invoice_lines")), ("return", ("returns",)),
        ("refund", ("refunds",)),
    ):  # fmt: skip
        for table in tables:
            found.append(
                f"SELECT {id_of(entity, f'{entity}_id')} AS thing, {order} AS node, "
                f"false AS leads FROM {prefix}{table} WHERE order_id IS NOT NULL"
            )
    return found


def _documents(thing: str, rows: str) -> str:
    """Return the SELECT of the numbers that documents (alias s) have, claim or are known by."""
    own = ", ".join(_number(f"s.{name}") for name in ("number", "merchant_order_no", "source_key"))
    bought = "if(trim(s.po_number) <> '', hash(s.connection, 'po', s.po_number), NULL)"
    claimed = _parts("s.platform_order_no")
    return (
        f"SELECT {thing} AS thing, unnest(list_concat([{own}, {bought}], "
        f"coalesce({claimed}, []))) AS node, true AS leads FROM {rows}"
    )


def _number(column: str) -> str:
    """Return the node of a number as documents write it; null where there is none."""
    return f"if(trim({column}) <> '', hash(lower(trim({column}))), NULL)"


def _parts(column: str) -> str:
    """Return the list of the nodes of a field that may name several numbers."""
    said = f"lower(trim({column}))"
    return (
        f"list_transform(if(regexp_matches({said}, '{_SEVERAL}'), "
        f"list_append(list_concat(regexp_split_to_array({said}, '{_SEVERAL}+'), "
        f"regexp_split_to_array({said}, '{_FEW}+')), {said}), [{said}]), "
        "lambda part: if(part <> '', hash(part), NULL))"
    )


def add(con: duckdb.DuckDBPyConnection, known: str, seeds: str) -> bool:
    """Add to the temp table `known` (thing) all that hangs together with the rows of `seeds`.

    False where that is much.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE ties_changed AS SELECT DISTINCT thing FROM {seeds}")
    done = _close(con)
    con.execute(f"INSERT INTO {known} SELECT thing FROM ties_touched EXCEPT SELECT * FROM {known}")
    _drop(con)
    return done


def _close(con: duckdb.DuckDBPyConnection) -> bool:
    """Make `ties_touched`: all that hangs together with what changed; False where that is much."""
    con.execute("CREATE OR REPLACE TEMP TABLE ties_touched AS SELECT thing FROM ties_changed")
    con.execute("CREATE OR REPLACE TEMP TABLE ties_new AS SELECT thing FROM ties_changed")
    con.execute("CREATE OR REPLACE TEMP TABLE ties_nodes (node UBIGINT)")
    while con.execute("SELECT 1 FROM ties_new LIMIT 1").fetchall():
        ((many,),) = con.execute("SELECT count(*) FROM ties_touched").fetchall()
        if many > MOST:
            return False
        con.execute(
            "CREATE OR REPLACE TEMP TABLE ties_met AS SELECT DISTINCT node FROM identity.ties "
            "WHERE thing IN (SELECT thing FROM ties_new) "
            "AND node NOT IN (SELECT node FROM ties_nodes)"
        )
        con.execute("INSERT INTO ties_nodes SELECT node FROM ties_met")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE ties_new AS WITH met AS (SELECT thing, "
            "bool_or(leads) OVER (PARTITION BY node) AS is_led FROM identity.ties "
            "WHERE node IN (SELECT node FROM ties_met)) SELECT DISTINCT thing FROM met "
            "WHERE is_led AND thing NOT IN (SELECT thing FROM ties_touched)"
        )
        con.execute("INSERT INTO ties_touched SELECT thing FROM ties_new")
    return True


def _drop(con: duckdb.DuckDBPyConnection) -> None:
    names = ["changed", "touched", "new", "nodes", "met", "of_xref", "of_order_documents",
             "of_payment_evidence"]  # fmt: skip
    names += [f"of_{ddl.unified_table(entity).name}" for entity in _READ]
    for name in names:
        con.execute(f"DROP TABLE IF EXISTS temp.ties_{name}")
