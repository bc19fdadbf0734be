"""A million party rows by SQL, for the bench at size; and what changes among them.

Every value is a hash of the party's number (what is true of it) or of the row's (what a system did
to it), so that the table is the same at every run. Two rows and a half a party, over four systems,
half companies; codes with valid check digits; one row of 14 without any identifier, one of 16
mistyped. Of 250 companies eight are in one city on one switchboard, four of them under one own
name; one person of 20 has the number of another.
"""

from __future__ import annotations

import duckdb

from tests.eval import words
from tests.eval.codes import ALPHABET
from tests.eval.companies import plain
from tests.eval.places import CITIES
from tests.eval.store import ROWS

ROWS_A_PARTY = 2.5
_CHECK = " + ".join(
    f"(instr('{ALPHABET}', code[{place + 1}]) - 1) * {3**place % 31}" for place in range(17)
)


def _list(items: list[str]) -> str:
    return "[" + ", ".join(f"'{one}'" for one in items) + "]"


def _pick(name: str, seed: str, salt: str) -> str:
    """Return the SQL of one element of the list macro `name`, by the hash of number and salt."""
    return f"{name}()[1 + (hash({seed}, '{salt}') % len({name}()))::int]"


def make_rows(con: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Make the table ROWS of that many living rows."""
    _macros(con)
    _parties(con, int(rows / ROWS_A_PARTY * 1.1))
    con.execute(f"""
        CREATE TABLE {ROWS} AS
        WITH held AS (
            SELECT p.*, s.connection, s.place, hash(p.number, s.connection) AS dice
            FROM parties p, (VALUES ('shop', 1), ('erp', 2), ('crm', 3), ('logistics', 4))
                s(connection, place)
            WHERE hash(p.number, s.connection, 'held') % 1000 < 620
            ORDER BY hash(p.number, s.connection, 'order') LIMIT {rows}
        )
        SELECT uuid_of(connection, number) AS id, connection, 'parties' AS stream,
            'K' || number AS source_key, true AS is_alive,
            timestamptz '2026-01-01 00:00:00+00' + to_seconds(dice % 80000) AS first_seen_at,
            if(connection = 'logistics', NULL, kind) AS kind,
            spoil(if(kind = 'organization' AND dice % 10 < 3, short, name), dice) AS name,
            if(connection = 'erp' AND kind = 'organization', name, NULL) AS legal_name,
            if(dice % 5 < 3, contact, NULL) AS contact_name,
            if(place IN (2, 3) AND dice % 10 < 11 - 2 * place, uscc, NULL) AS uscc,
            NULL::varchar AS tax_number, NULL::varchar AS id_number,
            if(hash(dice, 'mail') % 10 < 3, mail, NULL) AS email,
            CASE WHEN dice % 14 = 0 THEN NULL WHEN connection = 'logistics' AND dice % 10 < 3
                THEN phone[1:3] || '****' || phone[8:11]
                WHEN connection = 'erp' THEN coalesce(switchboard, phone) ELSE phone END AS phone,
            NULL::varchar AS contact_phone, NULL::date AS birth_date, 'CN' AS country,
            place_of.province AS region, place_of.city AS city,
            if(dice % 4 = 0, NULL, district) AS district, NULL::varchar AS postal_code,
            if(dice % 6 = 0, NULL, if(dice % 2 = 0, place_of.city || district, '') || street)
                AS address,
            timestamptz '2020-01-01 00:00:00+00' + to_days((dice % 2000)::int) AS created_at,
            []::struct(scheme varchar, value varchar)[] AS identifiers
        FROM held
    """)
    con.execute("DROP TABLE parties")


def _macros(con: duckdb.DuckDBPyConnection) -> None:
    cities = ", ".join(
        f"{{'province': '{one.province}', 'city': '{one.name}', 'short': '{plain(one.name)}', "
        f"'code': '{one.code}', 'dial': '{one.dial}', 'districts': {_list(list(one.districts))}}}"
        for one in CITIES
    )
    lists = {
        "cores": list(dict.fromkeys(words.CORE)), "industries": list(words.INDUSTRIES),
        "surnames": list(words.SURNAMES), "streets": list(words.STREETS),
        "givens": list(dict.fromkeys(words.GIVEN_MALE + words.GIVEN_FEMALE)),
    }  # fmt: skip
    con.execute(f"CREATE MACRO places() AS [{cities}]")
    for name, items in lists.items():
        con.execute(f"CREATE MACRO {name}() AS {_list(items)}")
    con.execute(
        "CREATE MACRO uuid_of(connection, number) AS "
        "md5('party/' || connection || '/' || number)::uuid"
    )
    con.execute(
        "CREATE MACRO spoil(name, dice) AS if(hash(dice, 'typo') % 16 > 0, name, "
        f"name[1:len(name) - 2] || {_pick('givens', 'dice', 'wrong')} || name[len(name):])"
    )


def _parties(con: duckdb.DuckDBPyConnection, count: int) -> None:
    core = " || ".join(_pick("cores", "named", salt) for salt in "abc")
    digits = "(hash(number, 'office') % 1000000000)::varchar"
    con.execute(f"""
        CREATE TEMP TABLE parties AS
        WITH numbers AS (
            SELECT number, if(number % 500 < 16, -(number // 500), number) AS grouped,
                if(number % 500 < 8, -(number // 500), number) AS named
            FROM range(1, {count + 1}) numbers(number)
        ), drawn AS (
            SELECT number, grouped, if(number % 2 = 0, 'organization', 'person') AS kind,
                {_pick("places", "grouped", "city")} AS place_of, {core} AS core,
                {_pick("industries", "number", "trade")} AS trade,
                {_pick("surnames", "number", "family")} || {_pick("givens", "number", "first")}
                    || if(number % 4 = 3, '', {_pick("givens", "number", "second")}) AS contact,
                '1' || (30 + hash(number - (number % 40 = 1)::int * 2, 'mobile') % 70)
                    || lpad((hash(number - (number % 40 = 1)::int * 2, 'mobile') // 100
                    % 100000000)::varchar, 8, '0') AS phone,
                {_pick("streets", "number", "street")} || '路'
                    || (1 + hash(number, 'house') % 1500) || '号'
                    || (1 + hash(number, 'tower') % 30) || '幢'
                    || (101 + hash(number, 'room') % 2500) || '室' AS street,
                hash(number, 'mail') AS box
            FROM numbers
        ), coded AS (
            SELECT *, '91' || place_of.code || lpad({digits}, 9, '0') AS code FROM drawn
        )
        SELECT number, kind, place_of, contact, phone, street,
            if(kind = 'person', contact, place_of.short || core || trade || '有限公司') AS name,
            core || trade AS short,
            place_of.districts[1 + (hash(number, 'd') % len(place_of.districts))::int] AS district,
            if(kind = 'person', NULL, code || '{ALPHABET}'[
                1 + (31 - ({_CHECK}) % 31) % 31]) AS uscc,
            CASE WHEN kind = 'person' THEN NULL ELSE place_of.dial || '-8'
                || lpad((hash(grouped, 'line')
                % 10000000)::varchar, 7, '0') END AS switchboard,
            box || '@qq.com' AS mail
        FROM coded
    """)


def change(con: duckdb.DuckDBPyConnection, count: int) -> None:
    """Change that many rows of ROWS, their ids in the table `changed`, and make the rest anew.

    Of ten: four have another telephone, name or code than before, three are new, two are gone from
    the table, one is dead. What changes is spread over the whole table.
    """
    con.execute(f"""
        CREATE TABLE picked AS
        SELECT id, row_number() OVER (ORDER BY hash(id, 'pick')) AS place FROM {ROWS}
        ORDER BY hash(id, 'pick') LIMIT {count * 2}
    """)
    con.execute(f"""
        CREATE TABLE fate AS SELECT id, place, (place - 1) * 10 // {count} AS part
        FROM picked WHERE place <= {count}
    """)
    con.execute(f"""
        CREATE TABLE added AS
        SELECT r.* REPLACE (
            md5(r.id || 'new')::uuid AS id, r.source_key || '-N' AS source_key,
            if(hash(r.id) % 3 = 0, r.name || '二店', r.name) AS name,
            if(hash(r.id) % 3 = 0, NULL, r.uscc) AS uscc,
            if(hash(r.id) % 2 = 0, NULL, r.phone) AS phone)
        FROM {ROWS} r JOIN fate f USING (id) WHERE f.part IN (4, 5, 6)
    """)
    other = f"(SELECT id, place + 1 AS place FROM picked WHERE place <= {count}) n"
    con.execute(f"""
        UPDATE {ROWS} SET
            phone = if(f.part IN (0, 1), donor.phone, {ROWS}.phone),
            name = if(f.part = 2, donor.name, {ROWS}.name),
            uscc = if(f.part = 3, donor.uscc, {ROWS}.uscc),
            is_alive = f.part <> 9
        FROM fate f JOIN {other} ON n.place = f.place JOIN {ROWS} donor ON donor.id = n.id
        WHERE f.id = {ROWS}.id AND (f.part < 4 OR f.part = 9)
    """)
    con.execute(f"DELETE FROM {ROWS} WHERE id IN (SELECT id FROM fate WHERE part IN (7, 8))")
    con.execute(f"INSERT INTO {ROWS} SELECT * FROM added")
    con.execute("""
        CREATE TABLE changed AS
        SELECT id FROM fate WHERE part NOT IN (4, 5, 6) UNION ALL SELECT id FROM added
    """)
