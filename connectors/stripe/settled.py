"""What a payout settles: the entries of the ledger, asked for payout by payout.

An entry does not say which payout it went with; the list of entries answers it for an automatic
payout whose reconciliation is completed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from connectors.stripe.lists import Lists, decoded
from connectors.stripe.streams import LEDGER, Listed


class _Payout(msgspec.Struct):
    id: str
    automatic: bool | None = None
    reconciliation_status: str | None = None


def with_entries(lists: Lists, listed: Listed, records: Sequence[bytes]) -> list[bytes]:
    """Return payouts with the member `entries` where they have any; raises `lists.Denied`."""
    return [_told(lists, listed, record) for record in records]


def _told(lists: Lists, listed: Listed, record: bytes) -> bytes:
    payout: _Payout = decoded(record, _Payout, listed.path)
    if not payout.automatic or payout.reconciliation_status != "completed":
        return record
    parts = lists.walk(LEDGER, {"payout": payout.id}, ask_leave=True)
    entries = b",".join(entry for part in parts for entry in part.records)
    return b"".join((record.rstrip()[:-1], b',"entries":[', entries, b"]}"))
