"""The query that gives the parcels to ask for, where the connection's file has none of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

from connectors.kuaidi100.carriers import Carriers

_SQL = """\
-- grain: one row a parcel (carrier, number) that is still under way
with words (word, code) as (
    values {words}
),
shipments as (
    select
        upper(regexp_replace(s.tracking_number, '\\s', '', 'g')) as number,
        coalesce(by_code.code, by_name.code) as code,
        coalesce(s.carrier_code, s.carrier_name) as word,
        coalesce(s.status in ('delivered', 'returned', 'cancelled'), false) as is_final,
        regexp_extract(s.ship_to_phone, '[0-9]{{4}}$') as phone_last4
    from unified.shipments as s
    left join words as by_code on by_code.word = {plain_code}
    left join words as by_name on by_name.word = {plain_name}
    where trim(s.tracking_number) <> ''
        and coalesce(s.shipped_at, s.source_created_at, s.first_seen_at)
            >= timestamptz '{since}'
),
-- Several rows may tell of one parcel: the shop's, the ERP's, and what was read here before.
-- Where a row does not say the carrier in words that are known, its number alone decides.
ended as (
    select number, code from shipments where is_final
)
select coalesce(s.code, s.word) as carrier, s.number, max(s.phone_last4) as phone_last4
from shipments as s
where not s.is_final and not exists (
    select 1 from ended as e
    where e.number = s.number and (e.code = s.code or e.code is null or s.code is null)
)
group by all
order by 2, 1
"""


def query(carriers: Carriers, now: datetime, max_age: timedelta) -> str:
    """Return the SELECT on the published store, by the table of carriers as it is set.

    A parcel is at its end once any row of it says so, be it a shop's or one that came of this
    connector. Rows that left longer than `max_age` before `now` count for nothing, on either
    side: so a number that a carrier uses again is a new parcel.
    """
    words = ", ".join(
        f"({_text(word)}, {_text(code)})" for word, code in sorted(carriers.words.items())
    )
    return _SQL.format(
        words=words,
        since=(now - max_age).isoformat(timespec="seconds"),
        plain_code=_plain("s.carrier_code"),
        plain_name=_plain("s.carrier_name"),
    )


def _plain(column: str) -> str:
    return rf"regexp_replace(lower({column}), '[^\p{{L}}\p{{N}}]', '', 'g')"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
