"""Pairs of rows that share a value, and what speaks for and against each."""

from __future__ import annotations

import duckdb

from warehouse.ddl import literal
from warehouse.matching import compare, probable, rules
from warehouse.matching.keys import NUMBER
from warehouse.matching.tables import ROW_COLUMNS

# How far a value is one person's: 0 one name uses it, 1 two, 2 three, 3 more.
_OF_PERSON = "case when people <= 1 then 0 when people = 2 then 1 when people = 3 then 2 else 3 end"
# How far a value is one company's: 0 one, 1 one trade name under two whole names, 2 two trade
# names, 3 more.
_OF_FIRM = (
    "case when trades <= 1 and firms <= 1 then 0 when trades <= 1 and firms <= 2 then 1 "
    "when trades <= 2 and firms <= 2 then 2 else 3 end"
)

_SIZES = ("size", "trade_firms", "household", "firm_size", "bearers", "firm_bearers")


def find(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Make the temp tables of candidate pairs of which one row at least is dirty.

    matching_input: the rows that take part, each under a number `n`; matching_found (a, b numbers
    with a < b, what they share).
    """
    near = "" if whole else (
        "semi join (select distinct scheme, value from identity.party_values "
        "where id in (select id from matching_dirty)) f "
        "on f.scheme = v.scheme and f.value = v.value"
    )  # fmt: skip
    con.execute(f"""
        create or replace temp table matching_meeting as
        select v.id, v.alive, v.scheme, v.value, {_OF_PERSON} as of_person, {_OF_FIRM} as of_firm,
            s.size, s.firms, s.trades
        from identity.party_values v
        join identity.party_stats s on s.scheme = v.scheme and s.value = v.value
        {near} where not s.crowded
    """)
    # How many bear a name at least: as many as it has numbers, codes or places.
    bearers = "max(greatest(s.people, s.firms)) filter (s.scheme = {})"
    # How common a name is comes from all its holders, the crowd too; so a row near a dirty one is
    # asked for its own values.
    con.execute(f"""
        create or replace temp table matching_input as
        with met as (select distinct id from matching_meeting),
        common as (
            select v.id, max(s.size) filter (s.scheme = {NUMBER["name"]}) as size,
                max(s.firms) filter (s.scheme = {NUMBER["trade"]}) as trade_firms,
                max(s.people) filter (s.scheme = {NUMBER["door"]}) as household,
                max(s.size) filter (s.scheme = {NUMBER["core"]}) as firm_size,
                {bearers.format(NUMBER["name"])} as bearers,
                {bearers.format(NUMBER["core"])} as firm_bearers
            from identity.party_values v semi join met m on m.id = v.id
            join identity.party_stats s on s.scheme = v.scheme and s.value = v.value
            where v.scheme in ({NUMBER["name"]}, {NUMBER["core"]}, {NUMBER["trade"]},
                {NUMBER["door"]}) group by v.id)
        select row_number() over (order by r.id) as n, r.id in (select id from matching_dirty)
            as dirty, coalesce(c.size, 0) as size, coalesce(c.trade_firms, 0) as trade_firms,
            coalesce(c.household, 0) as household, coalesce(c.firm_size, 0) as firm_size,
            coalesce(c.bearers, 0) as bearers, coalesce(c.firm_bearers, 0) as firm_bearers, r.*
        from identity.party_rows r semi join met m on m.id = r.id left join common c on c.id = r.id
    """)
    con.execute(f"create or replace temp table matching_found as {_found_sql()}")


def _least(column: str, scheme: str, narrow: str = "") -> str:
    narrowed = f", min(3) filter (scheme = {NUMBER[narrow]})" if narrow else ""
    return f"coalesce(min({column}) filter (scheme = {NUMBER[scheme]}){narrowed})"


def _found_sql() -> str:
    shares = ", ".join(
        f"bool_or(scheme = {NUMBER[s]}) as same_{s}"
        for s in ("uscc", "orgcode", "citizen", "foreign_id", "tail")
    )
    return f"""
    with meeting as (
        select i.n, i.dirty, m.* exclude (id) from matching_meeting m
        join matching_input i using (id))
    select l.n as a, r.n as b, {shares},
        {_least("l.of_person", "phone", "phone_name")} as phone_person,
        {_least("l.of_firm", "phone", "phone_name")} as phone_firm,
        {_least("l.of_person", "email", "email_name")} as email_person,
        {_least("l.of_firm", "email", "email_name")} as email_firm,
        {_least("l.of_person", "account")} as account_person,
        coalesce(min(l.trades) filter (scheme = {NUMBER["uscc"]}), 0) as uscc_trades
    from meeting l join meeting r using (scheme, value)
    where l.n < r.n and (l.dirty or r.dirty) and (l.alive or r.alive)
    group by l.n, r.n
    """


def weigh(con: duckdb.DuckDBPyConnection) -> None:
    """Make the temp table `matching_facts`: the found pairs with the levels of `compare.py`."""
    used = [
        c for c in ROW_COLUMNS if c not in ("source_key", "loose_person", "loose_trade", "firm")
    ]
    sides = ", ".join(f"{s}.{c} as {c}_{s}" for s in ("l", "r") for c in (*used, *_SIZES))
    sizes = ", ".join(f"greatest({c}_l, {c}_r) as {c}" for c in _SIZES)
    con.execute(f"""
        create or replace temp table matching_facts as
        with sides as (
            select f.*, {sides} from matching_found f
            join matching_input l on l.n = f.a join matching_input r on r.n = f.b),
        levels as (
            select a, b, id_l, id_r, same_uscc, same_orgcode, same_citizen, same_foreign_id,
                same_tail, phone_person, phone_firm, email_person, email_firm, account_person,
                uscc_trades, kind_l, kind_r,
                coalesce(kind_l, 'O') = 'O' and coalesce(kind_r, 'O') = 'O'
                    and 'O' in (kind_l, kind_r) as as_firms,
                coalesce(kind_l, 'P') = 'P' and coalesce(kind_r, 'P') = 'P' as as_persons,
                form_l <> '' as whole_l, form_r <> '' as whole_r, formal_l, formal_r,
                by_contact_l or by_contact_r as by_contact,
                coalesce(core_l = contact_r or core_r = contact_l, false) as own_contact,
                coalesce(region_place_l <> region_place_r, false)
                    and region_place_l <> '' and region_place_r <> ''
                    as placed_otherwise,
                least(length(core_l), length(core_r)) as core_length,
                {sizes},
                connection_l <> connection_r as two_systems,
                coalesce(uscc_l <> uscc_r, false) or coalesce(citizen_l <> citizen_r, false)
                    as other_number,
                birth_l, birth_r, postal_l, postal_r,
                {compare.REGION} as region, {compare.COMPANY} as company,
                {compare.PERSON} as person, {compare.ADDRESS} as address,
                list_has_any(called_l, called_r) as same_called,
                len(called_l) > 0 and len(called_r) > 0 and not list_has_any(called_l, called_r)
                    as other_called,
                guessed_l, guessed_r,
                abs(date_diff('day', created_l, created_r)) < 900 as same_time,
                {compare.CONTACT} as contact, {compare.OTHER_PHONE} as other_phone,
                len(emails_l) > 0 and len(emails_r) > 0
                    and not list_has_any(emails_l, emails_r) as other_email
            from sides
            where not coalesce(uscc_l <> uscc_r, false)
                and not coalesce(citizen_l <> citizen_r, false)
                and (same_uscc or kind_l is null or kind_r is null or kind_l = kind_r
                    or list_has_any(called_l, called_r) or list_has_any(contact_keys_l, keys_r)
                    or list_has_any(contact_keys_r, keys_l)))
        select * replace (
            if(as_firms or same_uscc, company, null) as company,
            if(as_persons, person, null) as person)
        from levels
    """)


def write(con: duckdb.DuckDBPyConnection) -> None:
    """Decide the found pairs by the rules, then by Splink, into `identity.party_pairs`."""
    con.execute(f"create or replace temp table matching_decided as {rules.decide_sql()}")
    said = ", ".join(
        f"({n}::utinyint, {literal(r.name)}, {r.score}, {literal(r.evidence)}, {r.auto})"
        for n, r in enumerate(rules.RULES)
    )
    probable.score(con)
    con.execute(f"""
        insert into identity.party_pairs
        with rules (rule, name, score, evidence, auto) as (values {said})
        select d.id_l, d.id_r, coalesce(r.auto, false) or coalesce(p.auto, false),
            case when r.auto then 'deterministic' when p.auto then 'probabilistic'
                when r.name is not null then 'deterministic' else 'probabilistic' end,
            case when r.auto then r.score else greatest(r.score, p.score) end,
            case when r.auto or (r.name is not null and not coalesce(p.auto, false)) then r.name
                else p.rule end,
            case when r.auto or (r.name is not null and not coalesce(p.auto, false))
                then r.evidence else p.evidence end
        from matching_decided d left join rules r on r.rule = d.rule
        left join matching_probable p on p.a = d.a and p.b = d.b
        where r.name is not null or p.score is not null
    """)
