"""Makes the compared form of source rows: identifiers, names in parts, place, address."""

from __future__ import annotations

import duckdb

from warehouse.ddl import columns_of, literal
from warehouse.matching import normal, phones
from warehouse.matching.places import PROVINCE_OF
from warehouse.matching.reading import read_texts
from warehouse.matching.tables import ROW_COLUMNS

# The trade name's first two syllables: short forms and slips of the pen keep them.
_LOOSE_TRADE = "nullif(array_to_string(string_split(o.sound, ' ')[1:2], ' '), '')"
# An account of an office: its task behind a name.
_OFFICE = "'..(财务|采购|仓库|客服|行政|出纳)(小.)?$'"
_MUNICIPAL = "('北京', '上海', '天津', '重庆')"


def load_rows(con: duckdb.DuckDBPyConnection, rows: str, changed: str | None) -> None:
    """Bring `identity.party_rows` up to the relation `rows`, for the ids of `changed` or anew."""
    if changed is None:
        con.execute("delete from identity.party_rows")
        source = rows
    else:
        con.execute(f"delete from identity.party_rows where id in (select id from {changed})")
        con.execute(
            "create or replace temp table matching_source as "
            f"select * from {rows} where id in (select id from {changed})"
        )
        source = "matching_source"
    read_texts(con, source)
    con.execute(f"create or replace temp table matching_contacts as {_contacts_sql()}")
    con.execute(f"create or replace temp table matching_numbers as {_numbers_sql()}")
    con.execute(f"insert into identity.party_rows {_rows_sql()}")


def _contacts_sql() -> str:
    """(id, phones, tails, emails, accounts): what reaches the party."""
    some = {
        scheme: f"select id, trim(i.value) as value, i.scheme as scheme from "
        f"(select id, unnest(identifiers) as i from matching_said) where i.scheme in ({scheme})"
        for scheme in ("'email'", "'wechat_unionid', 'alipay_id', 'bank_account'")
    }
    email, account = some.values()
    return f"""
    with said as ({phones.said_sql("matching_said")}),
    phone as (
        select id, coalesce({normal.phone("said")}, f.phone) as phone, {normal.tail("said")} as tail
        from said left join matching_phone f on f.text = said.said),
    phone_lists as (
        select id, list_sort(list_distinct(list(phone))) as phones,
            list_sort(list_distinct(list(tail))) as tails
        from phone group by id),
    email as (
        select id, {normal.email("value")} as email
        from (select id, value from ({email})
            union all select id, email from matching_said where email is not null)),
    email_lists as (
        select id, list_sort(list_distinct(list(email))) as emails from email group by id),
    account_lists as (
        select id, list_sort(list_distinct(list(scheme || ':' || value))) as accounts
        from ({account}) where length(value) >= 8 and not contains(value, '*') group by id)
    select id, coalesce(phones, []) as phones, coalesce(tails, []) as tails,
        coalesce(emails, []) as emails, coalesce(accounts, []) as accounts
    from matching_said left join phone_lists using (id) left join email_lists using (id)
    left join account_lists using (id)
    """


def _numbers_sql() -> str:
    """(id, uscc, orgcode, citizen, foreign_id): numbers of registers."""
    return f"""
    with said as (
        select id, uscc as value, 1 as place from matching_said where uscc is not null
        union all select id, tax_number, 2 from matching_said where tax_number is not null
        union all select id, id_number, 3 from matching_said where id_number is not null
        union all select id, i.value, if(i.scheme = 'id_number', 3, 2)
            from (select id, unnest(identifiers) as i from matching_said)
            where i.scheme in ('uscc', 'tax_number', 'id_number') and i.value is not null),
    read as (
        select id, place, value, {normal.uscc("value")} as uscc,
            if(place < 3, {normal.organisation_code("value")}, null) as code,
            if(place > 1, {normal.citizen("value")}, null) as citizen,
            if(place = 3, {normal.foreign_number("value")}, null) as other
        from said)
    select id, arg_min(uscc, (place, uscc)) as uscc,
        coalesce(arg_min(code, (place, code)),
            substr(arg_min(uscc, (place, uscc)), 9, 9)) as orgcode,
        min(citizen) as citizen, min(other) as foreign_id
    from read group by id
    """


def _province_sql(city: str) -> str:
    pairs = ", ".join(
        f"{literal(c)}: {literal(p)}" for c, p in PROVINCE_OF.items() if c not in ("吉林",)
    )
    return f"map {{{pairs}}}[{city}]"


def _rows_sql() -> str:
    names = columns_of(ROW_COLUMNS)
    return f"""
    with parts as (
        select s.* exclude (uscc), n.* exclude (id), t.* exclude (id),
            coalesce(l.form <> '', false) or coalesce(c.form <> '', false) as has_form,
            coalesce(l.formal, false) or coalesce(c.formal, false) as has_body,
            l.text is not null and (l.formal or s.kind = 'organization'
                or (c.text is null)) as legal_leads,
            c, l, p, lp, cp, a.places, a.numbers, place_city.place as place_city,
            place_region.place as place_region,
            regexp_replace(coalesce(s.address, ''), '[\\s,，。.;；:#]+', ' ', 'g') as addr
        from matching_said s
        left join matching_numbers n using (id)
        left join matching_contacts t using (id)
        left join matching_company c on c.text = s.name
        left join matching_company l on l.text = s.legal_name
        left join matching_address a on a.text = s.address
        left join matching_person p on p.text = s.name
        left join matching_person lp on lp.text = s.legal_name
        left join matching_person cp on cp.text = s.contact_name
        left join matching_place place_city on place_city.text = s.city
        left join matching_place place_region on place_region.text = s.region),
    kinds as (
        select *, case
            when has_form then 'O' when kind = 'organization' then 'O' when kind = 'person' then 'P'
            when uscc is not null then 'O'
            when regexp_matches(name, {_OFFICE}) and not p.is_name then 'O'
            when citizen is not null or birth_date is not null then 'P'
            when p.is_name and not has_body
                and (contact_name is null or contact_name = name or cp.han = p.han
                    or list_has_any(cp.keys, p.keys) or cp.surname = p.han[1]
                    or not coalesce(cp.is_name, false)) then 'P'
            when has_body or (c.core <> c.trade and not p.is_name) then 'O' end as k
        from parts),
    spoken as (
        select *,
            if(legal_leads, l, c) as o,
            case when p.is_name then p when lp.is_name then lp when k = 'P' and cp.is_name then cp
                when k is null and cp.is_name and c.core is not distinct from c.trade then cp
                else p end as who,
            regexp_matches(addr, '[一-鿿]') as is_han_address
        from kinds),
    placed as (
        select *,
            coalesce(
                case when place_city in ('市辖区', '县', '') then null else place_city end,
                case when place_region in {_MUNICIPAL} then place_region end,
                nullif(regexp_extract(addr,
                    '^(?:中国)?(?:[^省市区县 ]{{2,8}}?(?:省|自治区))?'
                    '([^省市区县 ]{{2,4}})市', 1), ''),
                if(k = 'P', null, nullif(o.city, ''))) as at_city
        from spoken)
    select {names} from (
        select id, connection, stream, source_key, first_seen_at,
            coalesce(is_alive, true) as alive, k as kind,
            if(k = 'P', null, uscc) as uscc, if(k = 'P', null, orgcode) as orgcode,
            if(k = 'O', null, citizen) as citizen,
            if(k = 'O', null, foreign_id) as foreign_id, phones, tails, emails, accounts,
            if(k = 'P', null, nullif(o.core, '')) as core,
            if(k = 'P', null, nullif(o.trade, '')) as trade,
            if(k = 'P', null, o.form) as form, if(k = 'P', null, o.branch) as branch,
            if(k = 'P', null, nullif(o.city, '')) as said_city,
            if(k = 'P', null, nullif(o.province, '')) as said_province,
            if(k = 'P', null, o.region_place) as region_place,
            k is distinct from 'P' and coalesce(o.formal, false) as formal,
            if(k = 'P', null, nullif(o.sound, '')) as sound,
            if(k = 'P', null, nullif(o.look, '')) as look,
            if(k = 'P', null, nullif(o.pattern, '')) as pattern,
            if(k = 'P' or l.text is null or c.core = l.core, null,
                nullif(if(legal_leads, c.core, l.core), '')) as alias,
            if(k = 'O', null, nullif(who.han, '')) as han,
            coalesce(k is distinct from 'O' and who.text <> name, false) as by_contact,
            if(k = 'O', [], coalesce(who.keys, [])) as keys,
            if(k = 'O', null, nullif(who.surname, '')) as surname,
            if(k = 'O', null, nullif(who.given, '')) as given,
            if(k = 'O', null, nullif(who.look, '')) as person_look,
            if(k = 'O', null, nullif(who.soft, '')) as person_soft,
            if(k = 'P', name, null) as person_text,
            nullif(coalesce(cp.han, ''), '') as contact, coalesce(cp.keys, []) as contact_keys,
            at_city as city,
            coalesce(if(at_city is null, null, {_province_sql("at_city")}),
                nullif(place_region, '')) as province,
            if(len(numbers) = 0, null,
                regexp_replace(addr, '[\\s\\-()]+', if(is_han_address, '', ' '), 'g')) as address,
            coalesce(places, []) as places, coalesce(numbers, []) as numbers,
            nullif(regexp_replace(postal_code, '\\s+', '', 'g'), '') as postal,
            coalesce(birth_date, try_strptime(substr(citizen, 7, 8), '%Y%m%d')::date) as birth,
            if(k = 'O', null, who.keys[1]) as loose_person,
            if(k = 'P' or (k is null and who.keys[1] is not null), null, {_LOOSE_TRADE})
                as loose_trade,
            if(k = 'O' and o.formal and o.form <> '', o.sound || '/' || o.branch, null) as firm,
            list_distinct(list_concat(if(p.is_name, p.keys[1:1], []),
                if(cp.is_name, cp.keys[1:1], []))) as called,
            k = 'P' and kind is distinct from 'person' and citizen is null
                and birth_date is null as guessed,
            created_at::date as created
        from placed)
    """
