"""Each rule by name, with a pair that it joins and one that it must not."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from party_rows import citizen, code, groups, matched, own_id, put, together

from warehouse.matching.parties import group_parties
from warehouse.matching.rules import RULES
from warehouse.matching.rulings import Rulings

ONE, TWO = code("91310115MA1K35QX7"), code("91110105MA00ABCD8")
FIRM = {"kind": "organization", "name": "上海华信科技有限公司"}
MAN = {"kind": "person", "name": "张伟"}
RARE = {"kind": "person", "name": "慕容雪莹"}
SHOP = {"kind": "organization", "name": "春晖霖五金店"}
PHONE = "13912345671"
HOME = {"city": "上海", "address": "上海市浦东新区世纪大道100号十二栋301室"}
SOON, LATER = "2023-01-05 00:00:00+00", "2024-01-05 00:00:00+00"

JOINED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "uscc, other names": ({**FIRM, "uscc": ONE}, {"name": "欣欣小店", "uscc": ONE}),
    "uscc in another form": (
        {**FIRM, "uscc": ONE.lower()},
        {"kind": "organization", "name": "华信", "tax_number": f" {ONE[:8]} {ONE[8:]}"},
    ),
    "old tax number": ({**FIRM, "uscc": ONE}, {"name": "华信科技", "tax_number": ONE[2:17]}),
    "legal name, brackets": (FIRM, {**FIRM, "name": "上海華信科技有限責任公司"}),
    "legal name, width": (FIRM, {**FIRM, "name": "上海市华信科技（有限公司）"}),
    "phone and company, sound": (
        {**FIRM, "phone": PHONE},
        {"kind": "organization", "name": "上海华欣科技有限公司", "phone": f"+86 {PHONE}"},
    ),
    "phone and short name": (
        {**FIRM, "phone": PHONE},
        {"kind": "organization", "name": "华信", "phone": PHONE, "city": "上海"},
    ),
    "name and city": ({**FIRM, "name": "华信科技有限公司", "city": "上海市"}, FIRM),
    "phone and pinyin": ({**MAN, "phone": PHONE}, {**MAN, "name": "Wei Zhang", "phone": PHONE}),
    "phone and pinyin in one": ({**MAN, "phone": PHONE}, {"name": "zhangwei", "phone": PHONE}),
    "phone and signs of one sound": (
        {**MAN, "phone": PHONE},
        {**MAN, "name": "張瑋", "phone": PHONE},
    ),
    "masked phone and name": (
        {**MAN, "phone": PHONE, "city": "上海"},
        {**MAN, "phone": "139****5671", "city": "上海市"},
    ),
    "identity number": (
        {**MAN, "id_number": citizen("11010519491231002")},
        {**MAN, "id_number": citizen("11010519491231002").lower()},
    ),
    "address and name": (
        {**MAN, "address": "上海市浦东新区世纪大道100号十二栋301室"},
        {**MAN, "address": "世纪大道100号-12-301"},
    ),
    "phone and the sign of a name": (
        {**MAN, "phone": PHONE, "created_at": SOON},
        {"name": "老张", "phone": PHONE, "created_at": LATER},
    ),
    "phone and a sign of the given name": (
        {**MAN, "name": "赵成梁", "phone": PHONE, "created_at": SOON},
        {"name": "梁儿", "phone": PHONE, "created_at": LATER},
    ),
    "rare name and city": (
        {**RARE, "city": "上海", "created_at": SOON},
        {**RARE, "city": "上海市", "created_at": LATER},
    ),
    "rare name that the store knows once": (
        {**RARE, "city": "上海", "phone": PHONE, "created_at": SOON},
        {**RARE, "created_at": LATER},
    ),
    "rare name and masked phone in two cities": (
        {**RARE, "city": "上海", "phone": PHONE, "created_at": SOON},
        {**RARE, "city": "杭州", "phone": "139****5671", "created_at": LATER},
    ),
    "rare shop name that the store knows once": (
        {**SHOP, "city": "上海", "phone": PHONE, "created_at": SOON},
        {**SHOP, "created_at": LATER},
    ),
    "shop name in one city": (
        {**SHOP, "city": "上海", "phone": PHONE},
        {**SHOP, "city": "上海市"},
    ),
    "masked phone and short name": (
        {**FIRM, "phone": PHONE},
        {"kind": "organization", "name": "华信", "city": "上海", "phone": "139****5671"},
    ),
    "a company under its contact's name": (
        {**FIRM, "contact_name": "张伟", "phone": PHONE, "created_at": SOON},
        {"name": "张伟", "phone": PHONE, "created_at": LATER},
    ),
    "a company's name in letters": (
        {**FIRM, "phone": PHONE, "created_at": SOON},
        {"kind": "organization", "name": "Shanghai Huaxin", "phone": PHONE, "created_at": LATER},
    ),
    "email and name": ({**MAN, "email": "W.zhang@qq.com"}, {**MAN, "email": "w.zhang@qq.com "}),
}

NOT_JOINED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "phone and door of a nickname": (
        {**MAN, **HOME, "phone": PHONE, "created_at": SOON},
        {"name": "慵懒麦子", **HOME, "phone": PHONE, "created_at": LATER},
    ),
    "two codes": ({**FIRM, "uscc": ONE, "phone": PHONE}, {**FIRM, "uscc": TWO, "phone": PHONE}),
    "a wrong check digit": (
        {"kind": "organization", "name": "甲", "uscc": ONE[:-1] + ("1" if ONE[-1] != "1" else "2")},
        {"kind": "organization", "name": "乙", "uscc": ONE[:-1] + ("1" if ONE[-1] != "1" else "2")},
    ),
    "zeros as code": (
        {"kind": "organization", "name": "长江", "uscc": "0" * 18},
        {"kind": "organization", "name": "黄河", "uscc": "0" * 18},
    ),
    "a branch": (
        {**FIRM, "phone": PHONE},
        {**FIRM, "name": "上海华信科技有限公司第二分公司", "phone": PHONE},
    ),
    "another place": (
        {**FIRM, "phone": PHONE},
        {**FIRM, "name": "北京华信科技有限公司", "phone": PHONE},
    ),
    "companies of a group": (
        {**FIRM, "phone": PHONE, "city": "上海"},
        {**FIRM, "name": "上海华信贸易有限公司", "phone": PHONE, "city": "上海"},
    ),
    "region before and inside": (FIRM, {**FIRM, "name": "华信科技（上海）有限公司"}),
    "a contact is not its company": (
        {**FIRM, "phone": PHONE, "contact_name": "张伟"},
        {**MAN, "phone": PHONE},
    ),
    "one name in one city": ({**MAN, "city": "上海"}, {**MAN, "city": "上海"}),
    "a family's phone": ({**MAN, "phone": PHONE}, {**MAN, "name": "李娜", "phone": PHONE}),
    "a mask alone": ({**MAN, "phone": PHONE}, {**MAN, "name": "李娜", "phone": "139****5671"}),
    "a nickname's phone": ({**MAN, "phone": PHONE}, {"name": "阳光小草", "phone": PHONE}),
    "two of a house": (
        {
            "kind": "person",
            "name": "Jack Ames",
            "phone": "+65 6123 4567",
            "city": "Singapore",
            "email": "jack.ames@gmail.com",
            "address": "246 High Street",
        },
        {
            "kind": "person",
            "name": "Jack Berg",
            "phone": "+65 6987 6543",
            "city": "Singapore",
            "email": "jberg@yahoo.com",
            "address": "246 High Street",
        },
    ),
    "another mailbox at one door": (
        {
            "kind": "person",
            "name": "Jack Ames",
            "city": "Singapore",
            "email": "jack.ames@gmail.com",
            "address": "246 High Street",
        },
        {
            "kind": "person",
            "name": "Jack Berg",
            "city": "Singapore",
            "email": "jberg@yahoo.com",
            "address": "246 High Street",
        },
    ),
    "two of a house who tell no more": (
        {
            "kind": "person",
            "name": "Jack Ames",
            "city": "Singapore",
            "address": "246 High Street",
        },
        {
            "kind": "person",
            "name": "Jack Berg",
            "city": "Singapore",
            "address": "246 High Street",
        },
    ),
    "a nickname on a number of long ago": (
        {**MAN, **HOME, "phone": PHONE, "created_at": "2016-01-05 00:00:00+00"},
        {"name": "慵懒麦子", **HOME, "phone": PHONE, "created_at": "2022-01-05 00:00:00+00"},
    ),
    "another's sign": (
        {**MAN, "phone": PHONE, "created_at": SOON},
        {"name": "老陈", "phone": PHONE, "created_at": LATER},
    ),
    "a rare name of long ago": (
        {**RARE, "phone": PHONE, "created_at": "2016-01-05 00:00:00+00"},
        {**RARE, "created_at": "2022-01-05 00:00:00+00"},
    ),
    "a rare name of which nothing is known": (
        {**RARE, "created_at": SOON},
        {**RARE, "created_at": LATER},
    ),
    "a name and self-pickup": (
        {"name": "王珍", "kind": "person", "address": "自提", "email": "a.wang@qq.com"},
        {"name": "王振", "kind": "person", "address": "自提", "phone": PHONE},
    ),
    "shops of one name in two cities": (
        {**SHOP, "city": "上海"},
        {**SHOP, "city": "杭州"},
    ),
    "shops of one name and two numbers": (
        {**SHOP, "city": "上海", "phone": PHONE},
        {**SHOP, "city": "上海", "phone": "13712349876"},
    ),
    "a trader is not its owner": (
        {
            "kind": "organization",
            "name": "张家百货店",
            "contact_name": "张伟",
            "phone": PHONE,
            "created_at": SOON,
        },
        {**MAN, "phone": PHONE, "created_at": LATER},
    ),
    "two identity numbers": (
        {**MAN, "phone": PHONE, "id_number": citizen("11010519491231002")},
        {**MAN, "phone": PHONE, "id_number": citizen("11010519500101003")},
    ),
}
NOBODYS = (
    *("00000000000", "13800138000", "13800000000", "11111111111", "无", "N/A", "test", "未知"),
    *("12345678901", "138****5678"),
)


@pytest.mark.parametrize(("a", "b"), JOINED.values(), ids=JOINED.keys())
def test_joins(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert together(duckdb.connect(), a, b) == "joined"


@pytest.mark.parametrize(("a", "b"), NOT_JOINED.values(), ids=NOT_JOINED.keys())
def test_does_not_join(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert together(duckdb.connect(), a, b) != "joined"


def test_a_rare_name_twice_in_one_system_is_asked_about() -> None:
    known = {**RARE, "city": "上海", "phone": PHONE, "created_at": SOON}
    bare = {**RARE, "created_at": LATER}
    con = duckdb.connect()
    assert not matched(con, {"at": ("a", "1"), **known}, {"at": ("a", "2"), **bare})
    assert con.execute("select rule from ops.suggestions").fetchall() == [("rare name",)]


def test_a_rare_name_of_two_places_means_nobody_in_particular() -> None:
    rows = [
        {"at": ("a", "1"), **RARE, "city": "上海", "phone": PHONE, "created_at": SOON},
        {"at": ("b", "1"), **RARE, "city": "杭州", "created_at": SOON},
        {"at": ("c", "1"), **RARE, "created_at": LATER},
    ]
    con = duckdb.connect()
    assert not matched(con, *rows)
    assert con.execute("select count(*) > 1 from ops.suggestions").fetchone() == (True,)


def test_placeholders_identify_nobody() -> None:
    rows = [
        {"at": (c, f"{n}"), "kind": "person", "name": name, "phone": phone, "email": "aaa@aaa.com"}
        for n, phone in enumerate(NOBODYS)
        for c, name in (("a", "张伟"), ("b", "李娜"))
    ]
    con = duckdb.connect()
    assert not matched(con, *rows)
    assert con.execute(
        "select count(*) from identity.party_rows where phones <> []"
    ).fetchone() == (0,)


def test_a_switchboard_joins_no_short_name() -> None:
    rows = [
        {"at": ("erp", str(n)), **FIRM, "name": f"上海{trade}有限公司", "phone": "021-62345679"}
        for n, trade in enumerate(["华信科技", "恒通贸易", "金石建材", "远大物流"])
    ]
    short = {"at": ("crm", "1"), "kind": "organization", "name": "华信", "phone": "02162345679"}
    con = duckdb.connect()
    assert not matched(con, *rows, short)
    asked = con.execute(
        "select rule from ops.suggestions where rule like '%company name%'"
    ).fetchall()
    assert asked


def test_a_short_name_between_two_codes_joins_neither() -> None:
    short = {"at": ("crm", "1"), "kind": "organization", "name": "华信科技有限公司", "city": "上海"}
    rows = [
        {"at": ("erp", "1"), **FIRM, "uscc": ONE},
        {"at": ("erp", "2"), **FIRM, "uscc": TWO},
    ]
    assert not matched(duckdb.connect(), *rows, short)


def test_people_have_the_last_word() -> None:
    rows = [
        {"at": ("a", "1"), **FIRM, "uscc": ONE},
        {"at": ("b", "1"), **FIRM, "uscc": ONE},
        {"at": ("c", "1"), **MAN},
        {"at": ("d", "1"), **FIRM},
    ]
    a, b, c = (own_id(x, "1") for x in "abc")
    con = duckdb.connect()
    assert matched(con, *rows) == {frozenset({"a/1", "b/1", "d/1"})}
    group_parties(con, "parties", Rulings(same=((c, a),), apart=((b, a),)))
    found = groups(con)
    assert any({"a/1", "c/1"} <= g for g in found)
    assert not any({"a/1", "b/1"} <= g for g in found)
    assert con.execute(
        "select count(*) from ops.suggestions where a_id = ? and b_id = ?", sorted([a, b])
    ).fetchone() == (0,)
    group_parties(con, "parties")
    assert {g for g in groups(con) if len(g) > 1} == {frozenset({"a/1", "b/1", "d/1"})}


def test_a_dead_row_connects_nobody_but_keeps_its_place() -> None:
    early = "2025-01-01 00:00:00+00"
    dead = {"at": ("a", "1"), **MAN, "phone": PHONE, "email": "w.zhang@qq.com", "is_alive": False,
            "first_seen_at": early}  # fmt: skip
    rows = [
        dead,
        {"at": ("b", "1"), **MAN, "phone": PHONE},
        {"at": ("c", "1"), **MAN, "email": "w.zhang@qq.com"},
    ]
    con = duckdb.connect()
    assert matched(con, *rows) == {frozenset({"a/1", "b/1"})}
    assert con.execute(
        "select golden_id from identity.links where id = ?", [own_id("b", "1")]
    ).fetchone() == (own_id("a", "1"),)


def test_evidence_names_fields_and_no_values() -> None:
    con = duckdb.connect()
    rows = [
        {"at": (c, key), **values}
        for key, (a, b) in {**JOINED, **NOT_JOINED}.items()
        for c, values in (("a", a), ("b", b))
    ]
    put(con, rows)
    group_parties(con, "parties")
    words = {rule.evidence for rule in RULES} | {"", "decided by a person"}
    fields = {"name", "birth_date", "id_number", "phone", "email", "address", "place", "contact"}
    told = con.execute(
        "select evidence from identity.links union select evidence from ops.suggestions"
    ).fetchall()
    assert len(told) > 5
    for (evidence,) in told:
        assert evidence in words or set(evidence.split(" + ")) <= fields
