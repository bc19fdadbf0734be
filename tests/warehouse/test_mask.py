from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from source_rows import MOMENT, Loader

from warehouse import ddl, mask
from warehouse.home import Home
from warehouse.model import ENTITIES
from warehouse.project import project
from warehouse.publish import publish
from warehouse.store import open_store
from warehouse.unify import unify

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        mask.use_key(opened, KEY)
        yield opened


def one(con: duckdb.DuckDBPyConnection, expression: str, value: str | None) -> Any:
    row = con.execute(f"SELECT {expression} FROM (SELECT ?::varchar AS v)", [value]).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("kind", "value", "masked"),
    [
        ("name", "王小明", "王**"),
        ("name", " Ada Lovelace", "A**"),
        ("phone", "13812345678", "138****5678"),
        ("phone", "+86 138-1234-5678", "138****5678"),
        ("phone", "008613812345678", "138****5678"),
        ("phone", "0755-26881234", "075****1234"),
        ("phone", "26881234", "26****34"),
        ("phone", "110", "****"),
        ("email", "wang@example.com", "w***@example.com"),
        ("email", "not one", "****"),
        ("address", "广东省深圳市南山区科技园路1号", "广东省深圳市****"),
        ("address", "12 High Street", "****"),
        ("id_no", "440301199001011234", "****1234"),
        ("bank", "6222020200112233", "****2233"),
        ("openid", "short", "****"),
        ("note", "call 13812345678", None),
        ("name", None, None),
        ("phone", None, None),
    ],
)
def test_masks(con: duckdb.DuckDBPyConnection, kind: str, value: str, masked: str) -> None:
    assert one(con, mask.mask_sql(kind, "v"), value) == masked


def test_the_hash_is_a_keyed_one(con: duckdb.DuckDBPyConnection) -> None:
    wanted = hmac.new(KEY, "王@x".encode(), hashlib.sha256).hexdigest()[:32]
    assert one(con, mask.hash_sql("v"), "王@x") == wanted
    assert one(con, mask.hash_sql("v"), None) is None
    long = bytes(range(100))
    mask.use_key(con, long)
    assert one(con, mask.hash_sql("v"), "王@x") != wanted
    with pytest.raises(ValueError, match="16 bytes"):
        mask.use_key(con, b"short")


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("phone", "+86 138 1234 5678", "13812345678"),
        ("email", " Wang@Example.com", "wang@example.com"),
        ("id_no", "44030119900101123x", "44030119900101123X"),
    ],
)
def test_spellings_of_one_thing_have_one_hash(
    con: duckdb.DuckDBPyConnection, kind: str, left: str, right: str
) -> None:
    expression = mask.hash_sql(mask.normal_sql(kind, "v"))
    assert one(con, expression, left) == one(con, expression, right)


@pytest.mark.parametrize(
    "value",
    ["13812345678", "u13812345678", "电话:138-1234-5678,急", "wang@example.com", "0755-26881234",
     "440301199001011234", "8613812345678", "+44 20 7946 0958", "wechat 138 1234 5678",
     "138.1234.5678", "(138) 1234-5678", "(021)62345678", "021 62345678",
     "021-6234 5678",
     "１３８１２３４５６７８", "电话１３８－１２３４－５６７８",
     "138\u200b12345678", "+44.20.7946.0958",
     "138–1234–5678", "wang＠example．com", "440301 19900101 1234"],
)  # fmt: skip
def test_keys_that_are_personal_get_another_name(
    con: duckdb.DuckDBPyConnection, value: str
) -> None:
    said = one(con, mask.pseudonym("v"), value)
    assert said.startswith("masked:")
    assert one(con, mask.pseudonym("v"), f" {value}") == said


@pytest.mark.parametrize(
    "value",
    ["1", "", "A-0001", "9138123456789", "202603011381234567", "SO-2026-000138", "订单1",
     "SO20260301990", "SF1381234567890", "YT2138123456789", "2026-03-01 13:00:00", "041220576920",
     "100001-20260301-0001", "12.5 x 138.0000 mm", "6e8bc138-1234-5678-9abc-0123456789ab"],
)  # fmt: skip
def test_keys_that_are_not_personal_stay(con: duckdb.DuckDBPyConnection, value: str) -> None:
    assert one(con, mask.pseudonym("v"), value) == value


@pytest.mark.parametrize(
    ("value", "stays"),
    [("C-0042", True), ("1", True), ("999999", True), ("c123", True), ("K0001", True), ("", True),
     ("CUST-00042", True), ("customer_7", True), ("cus_NffrFeUfNV2Hib", True), ("A-01-02", True),
     ("6e8bc430-9c3a-4d9b-9a1b-0123456789ab", True),
     ("王小明", False), ("Ada Lovelace", False), ("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", False),
     ("13812345678", False), ("4155552671", False), ("02162345678", False), ("91234567", False),
     ("1234567", False), ("wangxiaoming1985", False), ("wangxiaoming", False), ("wang1985", False),
     ("138.1234.5678", False), ("c13812345678", False), ("cus_13812345678", False),
     ("K-123-4567", False), ("１２３", False), ("li\n1", False)],
)  # fmt: skip
def test_a_party_key_that_is_a_name_gets_another(
    con: duckdb.DuckDBPyConnection, value: str, stays: bool
) -> None:
    assert (one(con, mask.party_key("v"), value) == value) is stays


SECRETS = {
    "name": "欧阳若晴", "phone": "13712345678", "email": "ouyang@mail.example",
    "address": "广东省广州市天河区体育西路九十九号", "id_no": "440106198805051239",
    "openid": "oABCDEFGHIJKLMNOPQRSTUVWXYZ1", "bank": "6217003320011223344",
    "note": "请打欧阳若晴电话13712345678",
}  # fmt: skip


def filled(entity: str, key: str) -> dict[str, Any]:
    """A row whose every text holds a secret: by its tag, or a phone where none is thought of."""
    row: dict[str, Any] = {"key": key, "ext": '{"tel": "13712345678"}'}
    cls = ENTITIES[entity]
    for name, col in cls.columns().items():
        if col.privacy:
            row[name] = SECRETS[col.privacy]
        elif col.kind == "text" and not col.rule:
            row[name] = f"tel {SECRETS['phone']}"
        elif col.kind == "json":
            row[name] = '["13712345678"]'
        elif col.kind == "word":
            row[f"{name}_raw"] = "13712345678"
    for child, child_entity in cls.children.items():
        row[child] = [filled(child_entity, SECRETS["phone"])]
    return row


def test_the_published_file_holds_no_secret_and_the_store_does(home: Home) -> None:
    with open_store(home) as store:
        load = Loader(store.con)
        for entity, cls in ENTITIES.items():
            if cls.parent is None:
                load.put(entity, [filled(entity, SECRETS["phone"])])
        load.put("party", [filled("party", SECRETS["name"])])
        columns = ddl.columns_of(ddl.source_table("party").names)
        store.con.execute(
            f"INSERT INTO history.parties ({columns}, valid_to) SELECT {columns}, now() "
            "FROM source.parties"
        )
        store.con.execute(
            "INSERT INTO ops.quarantine (id, entity, source_key, reason) VALUES "
            "('shop/1', 'party', '13712345678', 'phone: 13712345678'), "
            "('shop/2', 'party', '欧阳若晴', 'x')"
        )
        store.con.execute('UPDATE ops.batches SET bookmark = \'{"last": "13712345678"}\'')
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=KEY, now=MOMENT)
        hidden = publish(home, now=MOMENT).path.read_bytes()
        private = home.store.read_bytes()
        for kind, secret in SECRETS.items():
            assert secret.encode() in private, kind
            assert secret.encode() not in hidden, kind
        assert "若晴".encode() not in hidden
        assert b"13712345678" not in hidden
        assert KEY not in hidden
        assert KEY.hex().encode() not in hidden
        project(store, home, privacy="clear", key=KEY, now=MOMENT)
        clear = publish(home, now=MOMENT).path.read_bytes()
        assert b"13712345678" in clear


def test_keys_still_join_in_what_is_published(home: Home) -> None:
    """Two systems meet by the hash of a phone, an order and its customer by masked keys."""
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("party", [{"key": "王小明", "kind": "person", "phone": "138 1234 5678"}])
        load.put("party", [{"key": "9", "phone": "+8613812345678"}], connection="crm")
        load.put("order", [{"key": "13812345678", "customer_key": "王小明", "lines": [{"key": 1}]}])
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=KEY, now=MOMENT)
        # A second, incremental projection finds the masked rows again.
        load.put("order", [{"key": "13812345678", "customer_key": "王小明", "lines": []}])
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=KEY, now=MOMENT)
    with duckdb.connect(str(home.public), read_only=True) as con:
        assert con.execute(
            "SELECT count(*) FROM parties a JOIN parties b USING (phone_hash) "
            "WHERE a.connection = 'shop' AND b.connection = 'crm'"
        ).fetchall() == [(1,)]
        assert con.execute(
            "SELECT count(*), max(o.source_key) LIKE 'masked:%' FROM source.orders o "
            "JOIN source.parties p ON o.customer_key = p.source_key JOIN unified.xref x "
            "ON x.source_key = p.source_key WHERE x.entity = 'party'"
        ).fetchall() == [(1, True)]
        assert con.execute("SELECT count(*) FROM source.order_lines").fetchall() == [(0,)]


def test_organisations_are_shown_and_their_people_are_not(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.unify.MATCHERS", {})  # three records, three things
    row = {
        "name": "深圳明远贸易有限公司", "phone": "0755-26881234", "contact_name": "王小明",
        "contact_phone": "13812345678", "tax_number": "9144030071526726XG",
        "address": "深圳市南山区科技园路1号", "addresses": [{"key": 1, "line1": "科技园路1号"}],
        "identifiers": [{"key": 1, "scheme": "tax_number", "value": "9144030071526726XG"},
                        {"key": 2, "scheme": "phone", "value": "13812345678"},
                        {"key": 3, "scheme": "wechat_openid", "value": "oUpF8uMuAJO_M2pxb1Q9"}],
    }  # fmt: skip
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("party", [{"key": "1", "kind": "organization", **row}])
        load.put("party", [{"key": "2", "kind": "person", **row}, {"key": "3", **row}])
        load.put("payment", [{"key": "1", "payer_kind": "organization", "payer_name": "明远公司",
                              "payee_name": "王小明"}])  # fmt: skip
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=KEY, now=MOMENT)
    columns = "name, phone, contact_name, contact_phone, tax_number, address"
    with duckdb.connect(str(home.public), read_only=True) as con:
        for schema in ("unified", "source"):
            assert con.execute(
                f"SELECT {columns} FROM {schema}.parties ORDER BY source_key"
            ).fetchall() == [
                ("深圳明远贸易有限公司", "0755-26881234", "王**", "138****5678",
                 "9144030071526726XG", "深圳市南山区科技园路1号"),
                ("深**", "075****1234", "王**", "138****5678", "****26XG", "深圳市****"),
                ("深**", "075****1234", "王**", "138****5678", "****26XG", "深圳市****"),
            ]  # fmt: skip
            assert con.execute(
                f"SELECT parent_key, list(value ORDER BY source_key) FROM "
                f"{schema}.party_identifiers GROUP BY ALL ORDER BY ALL"
            ).fetchall() == [
                ("1", ["9144030071526726XG", "138****5678", "****b1Q9"]),
                ("2", ["****26XG", "138****5678", "****b1Q9"]),
                ("3", ["****26XG", "138****5678", "****b1Q9"]),
            ]
            assert con.execute(
                f"SELECT line1 FROM {schema}.addresses ORDER BY parent_key"
            ).fetchall() == [("科技园路1号",), ("****",), ("****",)]
        assert con.execute("SELECT payer_name, payee_name FROM payments").fetchall() == [
            ("明远公司", "王**")
        ]


PARTY_KEYS = ("4155552671", "02162345678", "wangxiaoming1985", "138.1234.5678", "c1", "李")


def test_party_keys_are_the_same_pseudonym_in_every_table(home: Home) -> None:
    """Also of organisations: an order that names one does not know what it is."""
    with open_store(home) as store:
        load = Loader(store.con)
        for key in PARTY_KEYS:
            load.put("party", [{"key": key, "kind": "organization", "code": key,
                                "addresses": [{"key": 1}]}])  # fmt: skip
            load.put("order", [{"key": f"o-{len(key)}-{key[0]}", "customer_key": key}])
        columns = ddl.columns_of(ddl.source_table("party").names)
        store.con.execute(
            f"INSERT INTO history.parties ({columns}, valid_to) SELECT {columns}, now() "
            "FROM source.parties"
        )
        store.con.execute(
            "INSERT INTO ops.quarantine (id, entity, source_key) SELECT source_key, 'party', "
            "source_key FROM source.parties"
        )
        store.con.execute("UPDATE ops.quarantine SET id = md5(id)")
        store.con.execute("INSERT INTO ops.quarantine (id, reason) VALUES ('no entity', 'broken')")
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=KEY, now=MOMENT)
    for key in PARTY_KEYS[:4]:
        assert key.encode() not in home.public.read_bytes(), key
    with duckdb.connect(str(home.public), read_only=True) as con:
        for column in (
            "source_key FROM parties", "code FROM parties",
            "source_key FROM source.parties",
            "record_key FROM source.parties WHERE record_key IS NOT NULL",
            "parent_key FROM addresses", "parent_key FROM source.addresses",
            "source_key FROM history.parties",
            "customer_key FROM orders", "customer_key FROM source.orders",
            "source_key FROM unified.xref WHERE entity = 'party'",
            "source_key FROM ops.quarantine WHERE entity = 'party'",
        ):  # fmt: skip
            found = {row[0] for row in con.execute(f"SELECT {column}").fetchall()}
            assert len([k for k in found if k.startswith("masked:")]) in (0, 5), column
            wanted = {r[0] for r in con.execute("SELECT source_key FROM source.parties").fetchall()}
            assert found <= wanted, column
            assert found in (wanted, set()), column
        assert "c1" in wanted
        lost = "SELECT count(*) FROM orders WHERE party_id IS NULL"
        assert con.execute(lost).fetchall() == [(0,)]
        kept = "SELECT reason FROM ops.quarantine WHERE id = 'no entity'"
        assert con.execute(kept).fetchall() == [("broken",)]


def test_what_is_handed_in_goes_through_the_masks(home: Home) -> None:
    runs = [{"run": "6e8bc138-1234-5678-9abc-0123456789ab", "connection": "shop", "read": 3,
             "started_at": MOMENT, "message": "customer 张三 13812345678 is locked"},
            {"run": "2", "message": "HTTP 500. Do: run it again."}]  # fmt: skip
    asked = "SELECT run, read, started_at, message FROM ops.runs ORDER BY run DESC"
    with open_store(home) as store:
        project(store, home, privacy="masked", key=KEY, runs=runs, now=MOMENT)
        assert b"13812345678" not in home.public.read_bytes()
        with duckdb.connect(str(home.public), read_only=True) as con:
            (first, second) = con.execute(asked).fetchall()
        assert first[:3] == (runs[0]["run"], 3, MOMENT)
        assert first[3].startswith("masked:")
        assert second == ("2", None, None, "HTTP 500. Do: run it again.")
        project(store, home, privacy="clear", key=KEY, runs=runs, now=MOMENT)
    with duckdb.connect(str(home.public), read_only=True) as con:
        assert con.execute(asked).fetchall()[0][3] == runs[0]["message"]


def test_what_payers_write_is_not_published(home: Home) -> None:
    with open_store(home) as store:
        Loader(store.con).put("payment", [{"key": "1", "reference": "王小明 房租"}])
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=KEY, now=MOMENT)
    with duckdb.connect(str(home.public), read_only=True) as con:
        for schema in ("unified", "source"):
            rows = con.execute(f"SELECT reference FROM {schema}.payments").fetchall()
            assert rows == [(None,)], schema


def test_the_sum_of_a_batch_is_published_as_it_is(home: Home) -> None:
    said = "ab13812345678cd" * 4  # a rebuild compares it
    with open_store(home) as store:
        Loader(store.con).put("order", [filled("order", "x")])
        store.con.execute("UPDATE ops.batches SET sha256 = ?", [said])
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=KEY, now=MOMENT)
    with duckdb.connect(str(home.public), read_only=True) as con:
        assert con.execute("SELECT DISTINCT sha256 FROM ops.batches").fetchall() == [(said,)]
