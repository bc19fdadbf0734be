"""The values by which rows meet. Rows that share none are never compared.

A block is the rows of one value. One that more than its cap of rows hold is crowded: nothing is
compared through it, because it says nothing (a switchboard, 张伟 in Shanghai) and its pairs grow
with the square; what is the same in it meets through narrower values (number and name).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

_PLACE = "coalesce(said_city, city)"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of value. `text` is the SQL of the value's text over a row, or of a list if `many`.

    `counted`: how many people and companies use it matters to the rules. `told_by` is the SQL of
    what tells its users apart: person, trade name, whole name, code, place.
    """

    name: str
    text: str
    cap: int = 40
    many: bool = False
    counted: bool = False
    told_by: str = "loose_person, loose_trade, firm, uscc, said_city"


# Bearers of one name are told apart by their numbers and places.
_BEARERS = f"tails[1], null, firm, uscc, {_PLACE}"


SCHEMES: tuple[Scheme, ...] = (
    Scheme("uscc", "uscc", 200, counted=True),
    Scheme("orgcode", "orgcode", 100),
    Scheme("citizen", "citizen", 100, counted=True),
    Scheme("foreign_id", "foreign_id", 40),
    Scheme("phone", "phones", 40, many=True, counted=True),
    Scheme("email", "emails", 40, many=True, counted=True),
    Scheme("account", "accounts", 40, many=True, counted=True),
    Scheme("tail", "tails", 40, many=True),
    Scheme(
        "phone_name",
        "list_transform(phones, lambda x: x || '/' || coalesce(loose_person, loose_trade))",
        100,
        many=True,
    ),
    Scheme(
        "email_name",
        "list_transform(emails, lambda x: x || '/' || coalesce(loose_person, loose_trade))",
        100,
        many=True,
    ),
    Scheme("core", "core", 30, counted=True, told_by=_BEARERS),
    Scheme("core_city", f"core || '/' || {_PLACE}", 60),
    Scheme("sound_city", f"sound || '/' || {_PLACE}", 60),
    Scheme("look_city", f"look || '/' || {_PLACE}", 60),
    Scheme("alias_city", f"alias || '/' || {_PLACE}", 60),
    # An alias meets the cores that read like it.
    Scheme("alias", "unnest_alias", 30, many=True),
    Scheme("trade", "loose_trade", 30, counted=True),
    Scheme("trade_city", f"loose_trade || '/' || {_PLACE}", 40),
    Scheme("trade_contact", "loose_trade || '/' || contact", 40),
    Scheme("contact_city", f"contact || '/' || {_PLACE}", 20),
    # A company's row may stand under its contact's name.
    Scheme("called_city", f"list_transform(called, lambda x: x || '/' || {_PLACE})", 20, many=True),
    Scheme(
        "door",
        "list_transform(places, lambda x: x || numbers[-1] || '/' || coalesce(city, ''))",
        20,
        many=True,
        counted=True,
    ),
    Scheme("bare_door", "list_transform(places, lambda x: x || numbers[-1])", 12, many=True),
    Scheme(
        "place_name",
        "list_transform(places, lambda x: x || '/' || coalesce(loose_person, loose_trade))",
        40,
        many=True,
    ),
    Scheme("person_soft", f"person_soft || '/' || {_PLACE}", 30),
    Scheme("name", "keys", 12, many=True, counted=True, told_by=_BEARERS),
    Scheme("name_city", f"list_transform(keys, lambda x: x || '/' || {_PLACE})", 30, many=True),
    Scheme("name_birth", "list_transform(keys, lambda x: x || '/' || birth)", 60, many=True),
    Scheme("birth_letter", "birth || '/' || person_text[1]", 40),
    Scheme("birth_postal", "birth || '/' || coalesce(postal, city)", 40),
    Scheme(
        "words_postal",
        "list_transform(string_split(person_text, ' '), lambda x: x || '/' || postal)",
        30,
        many=True,
    ),
    Scheme("postal_number", "postal || '/' || numbers[1]", 30),
    Scheme("look_person", f"person_look || '/' || {_PLACE}", 30),
)
NUMBER = {scheme.name: number for number, scheme in enumerate(SCHEMES)}
_COUNTED = ", ".join(str(NUMBER[s.name]) for s in SCHEMES if s.counted)


def load_values(con: duckdb.DuckDBPyConnection, changed: str | None) -> None:
    """Bring `identity.party_values` up to `identity.party_rows`, for `changed` ids or anew."""
    where = "" if changed is None else f"where id in (select id from {changed})"
    con.execute(f"delete from identity.party_values {where}")
    lists = ", ".join(
        f"{s.text if s.many else f'[{s.text}]'} as v{NUMBER[s.name]}" for s in SCHEMES if s.many
    )
    parts = []
    for s in SCHEMES:
        n = NUMBER[s.name]
        text = f"unnest(v{n})" if s.many else s.text
        parts.append(f"select id, alive, {n}, {text}, {s.told_by} from listed")
    con.execute(f"""
        insert into identity.party_values
        with listed as (
            select *, {lists}
            from (select *, if(alias is null, if(pattern is null, [], [core]), [alias])
                as unnest_alias from identity.party_rows {where}))
        select distinct * replace (md5_number_lower(value) as value)
        from ({" union all ".join(parts)}) as said(id, alive, scheme, value, person, trade, firm,
            uscc, said_city)
        where value is not null and value <> ''
    """)


def stats_sql(source: str) -> str:
    """Return the SQL of the rows of `identity.party_stats` for the values in `source`.

    `size` is that of a name: 0 up to 4 living holders, 1 to 12, 2 to 60, 3 to 400, 4 above. People
    are told apart by the letters of their names, trades by the first syllables, firms by their
    codes, the sounds of their whole names or the cities in them, whichever are more. Of a name,
    people are the numbers of its bearers, firms as many as have codes or places of their own.
    """
    caps = " ".join(f"when {NUMBER[s.name]} then {s.cap}" for s in SCHEMES)
    names = f"{NUMBER['name']}, {NUMBER['core']}"
    return f"""
    select scheme, value, holders > case scheme {caps} end as crowded,
        if(people > 8, 9, least(people, 4)) as people,
        if(trades > 8, 9, least(trades, 4)) as trades,
        least(firms, 3) as firms,
        if(scheme not in ({names}), 0, case when living <= 4 then 0 when living <= 12 then 1
            when living <= 60 then 2 when living <= 400 then 3 else 4 end) as size
    from (
        select scheme, value, count(*) as holders, count(*) filter (alive) as living,
            count(distinct person) filter (alive) as people,
            count(distinct trade) filter (alive) as trades,
            greatest(count(distinct uscc) filter (alive), count(distinct firm) filter (alive),
                count(distinct said_city) filter (alive)) as firms
        from {source} where scheme in ({_COUNTED}) group by all having count(*) > 1
        union all
        select scheme, value, count(*), 0, 0, 0, 0
        from {source} where scheme not in ({_COUNTED}) group by all having count(*) > 1)
    """
