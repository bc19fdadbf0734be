"""Authorisations that a later transaction voided: they do not say so themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


def told(records: Sequence[bytes]) -> list[bytes]:
    """Return the transactions of an order, with `voidedBy` at each authorisation that was voided.

    A void is a transaction of its own that names its parent; the parent's status stays SUCCESS.
    The new member is the void's id; all else is as the shop wrote it, and so is every transaction
    of an order without a void.
    """
    if not any(b'"VOID"' in one for one in records):
        return list(records)
    read = [_Transaction.of(one) for one in records]
    voids = {one.parent: one.id for one in reversed(read) if one.is_void}
    return [
        raw.rstrip()[:-1] + b',"voidedBy":' + msgspec.json.encode(voids[one.id]) + b"}"
        if one.is_authorization and one.id in voids
        else raw
        for raw, one in zip(records, read, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Transaction:
    id: str
    kind: str
    status: str
    parent: str

    @classmethod
    def of(cls, record: bytes) -> _Transaction:
        """Read one; what is no transaction is none that voids or is voided."""
        made = msgspec.json.decode(record)
        made = made if isinstance(made, dict) else {}
        parent = made.get("parentTransaction")
        named = parent.get("id") if isinstance(parent, dict) else None
        return cls(
            *(str(one) for one in (made.get("id"), made.get("kind"), made.get("status"), named))
        )

    @property
    def is_void(self) -> bool:
        return (self.kind, self.status) == ("VOID", "SUCCESS")

    @property
    def is_authorization(self) -> bool:
        return self.kind in ("AUTHORIZATION", "EMV_AUTHORIZATION")
