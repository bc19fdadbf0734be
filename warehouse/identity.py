"""Golden ids: UUIDv5 of the founding source row, the same in SQL and in Python."""

from __future__ import annotations

import uuid

from warehouse.ddl import literal

# Of this project for ever: every id ever published hangs on it.
NAMESPACE = uuid.UUID("5e0b2f0c-7a43-5c0e-9d1f-2b6c4a8e1d37")


def golden_id(entity: str, connection: str, stream: str, source_key: str) -> uuid.UUID:
    """Return the id of the thing that the source row founded."""
    return uuid.uuid5(NAMESPACE, f"{entity}/{connection}/{stream}/{source_key}")


def child_id(entity: str, parent: uuid.UUID, source_key: str) -> uuid.UUID:
    """Return the id of an owned row: its key is unique inside its parent only."""
    return uuid.uuid5(NAMESPACE, f"{entity}/{parent}/{source_key}")


def uuid5_sql(name: str) -> str:
    """Return the SQL expression of the UUIDv5 of the text expression `name` in our namespace.

    RFC 9562 section 5.5: the first 16 bytes of SHA-1 over namespace and name, with the version in
    the 13th hex digit and the variant in the 17th.
    """
    # The list gives the digest a name, so that it is computed once a row.
    return (
        f"list_transform([sha1(from_hex('{NAMESPACE.hex}') || encode({name}))], lambda h: "
        "if(h IS NULL, NULL, concat(substr(h, 1, 12), '5', substr(h, 14, 3), "
        "substr('ba98ba98ba98ba98', instr('fedcba9876543210', substr(h, 17, 1)), 1), "
        "substr(h, 18, 15))::uuid))[1]"
    )


def golden_id_sql(entity: str, alias: str, key: str = "") -> str:
    """Return the SQL of `golden_id` for the row of a source table under `alias`.

    `key` is the SQL of the source key where it is not the row's own.
    """
    return uuid5_sql(
        f"{literal(entity)} || '/' || {alias}.connection || '/' || {alias}.stream || '/' || "
        f"{key or f'{alias}.source_key'}"
    )


def child_id_sql(entity: str, parent: str, source_key: str) -> str:
    """Return the SQL of `child_id` for the expressions of the parent's id and the child's key."""
    return uuid5_sql(f"{literal(entity)} || '/' || ({parent})::varchar || '/' || {source_key}")
