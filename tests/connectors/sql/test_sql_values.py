"""Values as they stand in the databases and as they land: not rounded, shifted or guessed."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sql_world import Database, connector, ids, pages, sqlite_database, world

naive = datetime.fromisoformat

UTC_TIME = pa.timestamp("us", "UTC")


def landed(database: Database, **stream: Any) -> tuple[dict[str, list[Any]], pa.Schema, list[str]]:
    """Return the columns of table `t` as they land, their types, and the warnings."""
    config = database.settings(**({"table": "t", "key": "id"} | stream))
    config["encoding"] = "gbk"
    if "query" in stream:
        del config["streams"]["payments"]["table"]
    found = pages(connector(config, timezone="Asia/Shanghai"))
    tables = [page.records for page in found if not isinstance(page.records, list)]
    whole = pa.concat_tables(tables)
    return whole.to_pydict(), whole.schema, [line for page in found for line in page.warnings]


POSTGRES = """
create type mood as enum ('好', 'bad');
create domain code as varchar(10);
create table t (
  id bigint primary key, small smallint, price numeric(38, 10), free numeric, wide numeric(50, 2),
  f float8, r real, ok boolean, d date, naive timestamp, at timestamptz, tod time, padded char(20),
  txt text, raw bytea, u uuid, j jsonb, list int[], m mood, c code, span interval, "Odd ""name" text
);
insert into t values
 (9223372036854775807, -7, 1234567890123456789012345678.0123456789, 1.10, 0.10, 0.1, 1.1, true,
  '2026-02-03', '2026-02-03 04:05:06.123456', '2026-02-03 04:05:06+00', '23:59:59.5', 'abc', '',
  '\\x00ff', '6f1b2c3d-0000-4000-8000-000000000001', '{"a": 1.10}', '{1,null}', '好', 'x', '1 day',
  E'a,"b"\\n\\\\. c\\t'),
 (2, null, null, null, null, 'NaN', null, null, null, null, null, null, null, null, null, null,
  null, null, null, null, null, null);
"""


def test_postgresql(postgres: Database) -> None:
    postgres.execute(POSTGRES)
    for stream in ({}, {"query": "select * from t where txt is distinct from '%'"}):
        found, schema, warnings = landed(postgres, **stream)
        first = {name: values[1] for name, values in found.items()}
        assert first.pop("f") == 0.1
        assert first.pop("r") == pytest.approx(1.1)
        assert first.pop("at").isoformat() == "2026-02-03T04:05:06+00:00"
        assert first == {
            "id": 9223372036854775807, "small": -7,
            "price": Decimal("1234567890123456789012345678.0123456789"), "free": "1.10",
            "wide": "0.10", "ok": True, "d": date(2026, 2, 3),
            "naive": naive("2026-02-03 04:05:06.123456"), "tod": "23:59:59.5", "padded": "abc",
            "txt": "", "raw": "00ff", "u": "6f1b2c3d-0000-4000-8000-000000000001",
            "j": '{"a": 1.10}', "list": "{1,NULL}", "m": "好", "c": "x", "span": "1 day",
            'Odd "name': 'a,"b"\n\\. c\t',
        }  # fmt: skip
        assert {n: v[0] for n, v in found.items() if v[0] is not None and v[0] == v[0]} == {"id": 2}
        assert schema.field("price").type == pa.decimal128(38, 10)
        assert (schema.field("at").type, schema.field("naive").type) == (
            UTC_TIME, pa.timestamp("us"),
        )  # fmt: skip
        assert warnings == []


def test_postgresql_dates_that_no_calendar_holds(postgres: Database) -> None:
    postgres.execute(
        "create table t (id int primary key, at timestamptz)",
        "insert into t values (1, '2026-01-01 00:00+08'), (2, 'infinity'), (3, '20260-01-01')",
    )
    found, _, warnings = landed(postgres, changes={"since": "at"})
    assert [text[:9] for text in found["at"]] == ["2026-01-0", "infinity", "20260-01-"]
    assert any("at: values that are not what the column's type says" in line for line in warnings)


def test_mariadb(mariadb: Database) -> None:
    mariadb.execute(
        "set time_zone = '+08:00'",
        "set session sql_mode = ''",
        "create table t (id bigint unsigned primary key, price decimal(38, 10),"
        " wide decimal(65, 30), f double, r float, flag tinyint(1), d date,"
        " at timestamp(6) null, naive datetime(6),"
        " tod time(1), padded char(20), txt text, raw varbinary(4), j json,"
        " label varchar(40) charset latin1)",
        "insert into t values (18446744073709551615, 1234567890123456789012345678.0123456789,"
        " 0.000000000000000000000000000001, 0.1, 1.1, 1, '0000-00-00', '2026-02-03 12:05:06',"
        " '2026-02-03 04:05:06.123456', '23:59:59.5', 'abc', '', x'00ff', '{\"a\": 1.10}',"
        " x'BCD7B9ABCBBE')",
        "insert into t (id, d, naive) values (2, '2026-02-03', '0000-00-00 00:00:00')",
    )
    found, schema, warnings = landed(mariadb, decode={"label": "gbk"})
    first = {name: values[1] for name, values in found.items()}
    assert first.pop("r") == pytest.approx(1.1)
    assert first.pop("at").isoformat() == "2026-02-03T04:05:06+00:00", "12:05 in Shanghai"
    assert first == {
        "id": Decimal(18446744073709551615),
        "price": Decimal("1234567890123456789012345678.0123456789"),
        "wide": "0.000000000000000000000000000001", "f": 0.1, "flag": 1, "d": None,
        "naive": naive("2026-02-03 04:05:06.123456"), "tod": "23:59:59.5", "padded": "abc",
        "txt": "", "raw": "00ff", "j": '{"a": 1.10}', "label": "甲公司",
    }  # fmt: skip
    assert found["naive"][0] is None
    assert sorted(warnings) == [
        "d: 1 dates 0000-00-00 were read as empty",
        "naive: 1 dates 0000-00-00 were read as empty",
    ]
    assert schema.field("at").type == UTC_TIME


def test_mariadb_query_knows_instants(mariadb: Database) -> None:
    mariadb.execute(
        "set time_zone = '+08:00'",
        "create table t (id int primary key, at timestamp)",
        "insert into t values (1, '2026-02-03 12:05:06')",
    )
    query = "select id, at from t where '%' like '%'"
    found, schema, _ = landed(mariadb, query=query, changes={"since": "at"})
    assert found["at"][0].isoformat() == "2026-02-03T04:05:06+00:00"
    assert schema.field("at").type == UTC_TIME


def test_sqlite_values_stand_as_they_were_put(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path)
    database.execute(
        "create table t (id text primary key, n integer, price numeric, raw blob, gbk text)",
        "insert into t values ('007', 9223372036854775807, 1.1, x'00ff', "
        "cast(x'BCD7B9ABCBBE' as text))",
        "insert into t values ('1', 'not a number', '1.10', null, '')",
    )
    found, schema, _ = landed(database)
    assert found == {
        "id": ["007", "1"], "n": ["9223372036854775807", "not a number"], "price": ["1.1", "1.1"],
        "raw": ["00ff", None], "gbk": ["甲公司", ""],
    }  # fmt: skip
    assert set(schema.types) == {pa.string()}


def test_bytes_of_code_page_936_become_text(database: Database) -> None:
    kind = {"sqlite": "blob", "postgresql": "bytea", "mysql": "varbinary(20)"}[database.name]
    raw = "龘甲公司€".encode("gb18030")
    database.execute(f"create table t (id integer primary key, name {kind})")
    database.many("insert into t values (?, ?)", [(1, raw), (2, b"\xbc\xd7\xff"), (3, None)])
    found, _, warnings = landed(database, decode={"name": "cp936"})
    assert found["name"] == ["龘甲公司€", "甲\ufffd", None]
    assert warnings == ["name: 1 texts are not in their encoding; what could not be read is U+FFFD"]


def test_a_database_that_knows_no_encoding(postgres: Database, postgres_server: str) -> None:
    """SQL_ASCII keeps bytes as they come: of one program GBK, of another UTF-8."""
    import psycopg

    name = "old" + postgres.rows("select current_database()")[0][0]
    parts: dict[str, Any] = {"host": postgres_server, "user": "postgres", "autocommit": True}
    with psycopg.connect(dbname="postgres", **parts) as con:
        con.execute(
            f"create database {name} encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' "
            "template template0"
        )
    with psycopg.connect(dbname=name, **parts) as con:
        con.execute("create table t (id varchar(20) primary key, name varchar(20))")
        said = "insert into t values ('1', '甲,\"公司'), ('乙', null), ('9', 'abc')".encode("gbk")
        con.execute(said)
        con.execute("insert into t values ('2', '甲公司'), ('3', 'x')".encode())
        con.execute(b"update t set name = '\xff' where id = '3'")
    database = Database("postgresql", f"postgresql://postgres@/{name}?host={postgres_server}", list)
    found, _, _ = landed(database)
    assert dict(zip(found["id"], found["name"], strict=True)) == {
        "1": '甲,"公司', "2": "甲公司", "3": "\ufffd", "9": "abc", "乙": None,
    }  # fmt: skip
    config = database.settings(table="t") | {"encoding": "gbk", "rows": 1}
    first = pages(connector(config))[3]
    assert ids(pages(connector(config), first.bookmark)) == ["乙"]
    assert all(each.ok is not False for each in connector(config).check())
    with psycopg.connect(dbname="postgres", **parts) as con:
        con.execute(f"drop database {name}")


@pytest.mark.parametrize("mode", ["full", "sweep"])
def test_a_blank_key_is_none_and_its_row_counts(database: Database, mode: Any) -> None:
    """One column alone: a row without a value is an empty line of CSV."""
    database.execute("create table t (id varchar(9))")
    database.many("insert into t values (?)", [("a",), (None,), ("",), ("  ",), ("b",)])
    found = pages(connector(database.settings(table="t")), mode=mode)
    assert sorted(map(str, ids(found))) == ["None", "None", "None", "a", "b"]
    assert (found[-1].complete, found[-1].total, found[-1].warnings) == (True, 5, ())


def test_a_read_goes_on_behind_a_key_of_any_type(postgres: Database) -> None:
    values = {
        "uuid": [f"6f1b2c3d-0000-4000-8000-00000000000{n}" for n in range(3)],
        "numeric": ["1.5", "2", "3.25"], "double precision": ["0.1", "0.2", "0.3"],
        "timestamptz": ["2026-01-01 00:00:00+00", "2026-01-01 00:00:00.5+00", "2026-01-02+00"],
        "timestamp": ["2026-01-01", "2026-01-01 00:00:00.5", "2026-01-02"],
        "date": ["2026-01-01", "2026-01-02", "2026-01-03"], "boolean": ["false", "true"],
        "varchar(9)": ["a'c", "a\\b", "中"], "char(9)": ["a", "ab", "b"],
        "bytea": ["\\x00", "\\x01", "\\xff"], "inet": ["1.1.1.1", "1.1.1.2", "2.2.2.2"],
    }  # fmt: skip
    for number, (kind, keys) in enumerate(values.items()):
        postgres.execute(f"create table t{number} (id {kind} primary key)")
        postgres.many(f"insert into t{number} values (?::{kind})", [(key,) for key in keys])
        source = connector(postgres.settings(table=f"t{number}") | {"rows": 1})
        first, *rest = pages(source)
        again = pages(source, first.bookmark)
        assert (ids(again), again[-1].complete) == (ids(rest), True), kind
        assert len(ids(again)) == len(keys) - 1, kind


def test_keys_are_trimmed_like_what_they_name(database: Database) -> None:
    database.execute("create table t (id char(20) primary key, ref varchar(20))")
    database.many("insert into t values (?, ?)", [("A1", " x "), ("B2", "y")])
    padded = database.name == "postgresql"
    for how, key, ref in (("padding", "A1", " x "), ("all", "A1", "x"), ("none", None, " x ")):
        config = database.settings(table="t", trim=how)
        read = pages(connector(config))
        assert ids(read)[0] == (key or ("A1" + " " * 18 if padded else "A1"))
        assert read[0].records["ref"][0].as_py() == ref


def test_a_key_that_is_no_number_or_text_reads_the_same_here_and_in_the_store(
    database: Database, tmp_path: Path
) -> None:
    """A deletion finds its row only by the very text that the row was loaded under."""
    stamp = "text" if database.name == "sqlite" else "timestamp(6)"
    number = "text" if database.name == "sqlite" else "numeric(20, 2)"
    database.execute(f"create table t (at {stamp} not null, n {number} not null, name varchar(9))")
    rows = [("2026-01-01 10:00:00.500000", "1.10", "a"), ("2026-01-01 10:00:00", "2", "b")]
    database.many("insert into t values (?, ?, ?)", [*rows, ("2026-01-02 00:00:00", "3.00", "c")])
    mapping = "entity: party\nkey: [at, n]\nfields: {name: name}\n"
    config = database.settings(table="t", key=["at", "n"])
    with world(tmp_path / "world", database, config, mapping=mapping) as erp:
        assert erp.sync().inserted == 3
        database.execute("delete from t where name = 'b'")
        assert erp.sync().deleted == 1
        names = erp.stored("select name from source.parties where not is_deleted order by name")
        assert names == [("a",), ("c",)]


def test_naive_times_are_read_in_the_connections_zone(database: Database, tmp_path: Path) -> None:
    kind = "text" if database.name == "sqlite" else "timestamp"
    if database.name == "mysql":
        kind = "datetime"
    database.execute(f"create table t (id int primary key, amount varchar(9), at {kind})")
    database.many("insert into t values (?, ?, ?)", [(1, "1.10", "2026-02-03 12:05:06")])
    mapping = "entity: payment\nkey: id\nfields: {number: id, amount: amount, paid_at: at}\n"
    config = database.settings(table="t", changes={"since": "at"})
    with world(tmp_path / "world", database, config, mapping=mapping) as erp:
        done = erp.sync()
        assert done.bookmark_after == {"stamp": "2026-02-03T04:05:06+00:00"}
        sql = "select (paid_at at time zone 'UTC')::varchar from source.payments"
        assert erp.stored(sql) == [("2026-02-03 04:05:06",)]


LONG = '[{"q": 12345678901234.1234, "n": 12345678901234567890, "t": "1234567890.12345678"}]'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (LONG, LONG.replace("12345678901234.1234", '"12345678901234.1234"')),
        (' {"q": 1.50000000000000000001e3}', ' {"q": "1.50000000000000000001e3"}'),
        ("[1.234567890123456]", '["1.234567890123456"]'),
        ('[{"q": 1.5}]', '[{"q": 1.5}]'),
        ("{see 12345678901234.1234}", "{see 12345678901234.1234}"),  # a note, no JSON
        ("12345678901234.1234", "12345678901234.1234"),
    ],
    ids=["lines", "object", "shortest", "short", "note", "number"],
)
def test_json_keeps_numbers_that_no_double_holds(
    database: Database, text: str, wanted: str
) -> None:
    kind = "text" if database.name != "mysql" else "varchar(200)"
    database.execute(f"create table t (id int, txt {kind})")
    mark = "?" if database.name == "sqlite" else "%s"
    database.execute((f"insert into t values (1, {mark})", (text,)))
    values, _, _ = landed(database)
    assert values["txt"] == [wanted]


def test_rows_of_for_xml_land_as_json_and_what_is_none_stays(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    database = sqlite_database(tmp_path / "files")
    texts = [
        '<row a="1.10" b="甲 &lt;&amp;&gt; &quot;x&quot;&#x0A;y"/><row a="12345678901234.1234"/>',
        '[{"a": 1}]',
        '<row a="1"',
        '<!DOCTYPE r [<!ENTITY e "x">]><row a="&e;"/>',
        None,
        "",
    ]
    database.execute("create table t (id int, txt text)")
    database.many("insert into t values (?, ?)", list(enumerate(texts)))
    values, _, warnings = landed(database, xml="txt")
    first = json.loads(values["txt"][0])
    assert first == [{"a": "1.10", "b": '甲 <&> "x"\ny'}, {"a": "12345678901234.1234"}]
    assert values["txt"][1:] == texts[1:]
    assert "txt: 2 texts are broken XML and stay as they are" in warnings
