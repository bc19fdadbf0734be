"""The parts of an erasure by themselves: values, blanking, the landing, what comes again, proof."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zipfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pytest

from warehouse.decisions import Decisions
from warehouse.erase import plan, prove, rewrite
from warehouse.erase.blank import Rule, blanked, blanked_table, found_paths
from warehouse.erase.erasures import KIND
from warehouse.erase.subject import Row, Subject
from warehouse.erase.words import Finder, Hashes, Value, key_after, needles
from warehouse.errors import KeyChanged
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.ruled import Record
from warehouse.store import open_store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = b"a key of sixteen bytes and more"
PHONE, NAME = "13987654321", "欧阳若澜"
HASHES = Hashes(KEY)


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("13987654321", True), ("+86 139-8765-4321", True), ("8613987654321", True),
        ("请回电 139 8765 4321。", True), ("１３９８７６５４３２１", True), ("113987654321", False),
        ("13987654322", False), ("欧阳若澜女士", True), ("欧阳", False),
        ("A@Example.org", True), ("aa@example.org", True), ("", False),
    ],
)  # fmt: skip
def test_a_value_is_found_in_the_spellings_of_people(text: str, is_found: bool) -> None:
    finder = Finder([Value("phone", "+86 139 8765 4321"), Value("name", NAME),
                     Value("email", "a@example.org")])  # fmt: skip
    assert finder(text) is is_found
    line = json.dumps({"t": text}, ensure_ascii=False).encode()
    assert finder.may_hold(line) or not is_found


def test_a_hash_tells_nothing_without_the_key() -> None:
    value = Value("phone", "+86 139-8765-4321")
    assert HASHES.of_value(value) in HASHES.of_text("139 8765 4321")
    assert Hashes(b"another key of 16 bytes").of_value(value) not in HASHES.of_text(PHONE)
    assert key_after(HASHES, "K0007") == "K0007"
    assert key_after(HASHES, PHONE).startswith("erased:")
    assert key_after(HASHES, key_after(HASHES, PHONE)) == key_after(HASHES, PHONE)


def test_a_blanked_record_keeps_its_numbers_and_its_key() -> None:
    rule = Rule(
        frozenset({("ship", "*", "to"), ("note",)}), frozenset({("id",)}),
        lambda text: text == PHONE, lambda _text: "erased:1",
    )  # fmt: skip
    record = (
        b'{"id":"13987654321","n":1.10,"big":12345678901234567890,"e":1E2,"tel":13987654321,'
        b'"ship":[{"to":{"a":1},"q":2.50}],"note":"x","ok":true}'
    )
    after = blanked(record, rule)
    assert after == (
        b'{"id":"erased:1","n":1.10,"big":12345678901234567890,"e":1E+2,"tel":null,'
        b'"ship":[{"to":null,"q":2.50}],"note":null,"ok":true}'
    )
    assert blanked(after, rule) == after
    assert blanked(b"{broken", rule) == b"{}"


def test_a_name_of_a_member_may_be_the_value() -> None:
    holds = Finder([Value("phone", PHONE)])
    assert found_paths(b'{"by":{"13987654321":{"n":1}},"a":[{"t":"x 13987654321"}]}', holds) == {
        ("by",), ("a", "*", "t"),
    }  # fmt: skip


def test_a_row_of_a_table_keeps_its_types_and_its_place() -> None:
    table = pa.table({"no": ["a", "b"], "amount": [1, 2], "tel": [PHONE, None],
                      "raw": [f'{{"t":"{PHONE}","n":1.10}}', "{}"], "_row": [7, 8]})  # fmt: skip
    rule = Rule(frozenset({("raw", "x")}), frozenset({("no",)}), lambda text: text == PHONE)
    after = blanked_table(table, [(0, rule), (1, None)], ("_row",))
    assert after.schema.types == table.schema.types
    assert after.column("_row").to_pylist() == [7, 8]
    assert after.to_pylist()[0]["amount"] == 1
    assert after.to_pylist()[0]["tel"] is None
    assert after.to_pylist()[1] == {"no": None, "amount": None, "tel": None, "raw": None,
                                    "_row": 8}  # fmt: skip


# --- the landing ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mapped:
    entities: tuple[str, ...]
    paths: frozenset[tuple[str, ...]] = frozenset()
    keys: frozenset[tuple[str, ...]] = frozenset({("id",)})
    parties: frozenset[tuple[str, tuple[str, ...]]] = frozenset()
    groups: frozenset[frozenset[tuple[str, ...]]] = frozenset()


MAPPED = {
    ("shop", "members"): Mapped(("party",), frozenset({("name",)})),
    ("shop", "orders"): Mapped(("order", "party"), frozenset({("to", "name")})),
}


def land(
    home: Home, stream: str, records: Sequence[dict[str, Any]], *, mode: Any = "full",
    gone: Sequence[str] = (), key: bytes | None = KEY,
) -> Any:  # fmt: skip
    """Land records under their `id`; returns the writer's report."""
    with Landing(home.landing, now=lambda: NOON).writer(
        "shop", stream, mode=mode, read=str(uuid4()), connector="rest@1", started=NOON,
        key=None if key is None else lambda: key,
    ) as writer:  # fmt: skip
        writer.add(
            [json.dumps(r).encode() for r in records],
            [None if r.get("id") is None else str(r["id"]) for r in records], {},
            complete=mode == "full", total=len(records) if mode == "full" else None,
        )  # fmt: skip
        if gone:
            writer.add([], list(gone), {}, kind="deletions")
    return writer.report


MEMBERS = [
    {"id": "13611112222", "name": "李雷"}, {"id": PHONE, "name": NAME},
    {"id": None, "name": "?", "tel": PHONE}, {"id": None, "name": "nobody"},
]  # fmt: skip
ORDERS = [
    {"id": 1, "member": PHONE, "to": {"name": NAME, "tel": "139 8765 4321"}, "total": 1.10},
    {"id": 2, "member": "13611112222", "to": {"name": "李雷"}, "note": f"给{PHONE}", "total": 2},
    {"id": f"O-{PHONE}", "member": PHONE, "to": {"name": NAME}, "total": 3},
]


@pytest.fixture
def erased(home: Home) -> tuple[Home, plan.Plan]:
    """Return a home whose landing a person was erased from; the person's key is a phone."""
    land(home, "members", MEMBERS)
    land(home, "members", [], mode="changed", gone=[PHONE, "13611112222"])
    land(home, "orders", ORDERS)
    landing = Landing(home.landing, now=lambda: NOON)
    values = [Value("key", PHONE), Value("name", NAME), Value("phone", PHONE)]
    subject = Subject(
        uuid4(), [], [Record("shop", "members", PHONE)], "person",
        [Row("party", "shop", "members", PHONE, PHONE, 1, 2),
         Row("party", "shop", "orders", PHONE, "1", 1, 1)],
        [Row("order", "shop", "orders", "1", "1", 1, 1),
         Row("order", "shop", "orders", f"O-{PHONE}", f"O-{PHONE}", 1, 3)],
        values,
    )  # fmt: skip
    made = plan.make(
        landing, subject, lambda c, s: MAPPED.get((c, s)), lambda _c, _s: {"13611112222"}, {}
    )
    about = rewrite.about_of(made, HASHES)
    landing.decisions.append(KIND, why="request", at=NOON, about=about)
    for _ in range(2):  # as after a kill
        rewrite.rewrite(landing, rewrite.work_of(made, about), about["values"], HASHES)
    return home, made


def lines(home: Home, stream: str, number: int) -> list[Any]:
    batch = Landing(home.landing).batch("shop", stream, number)
    batch.verify()
    return [json.loads(line) for line in batch.lines()]


def test_records_are_removed_and_blanked_where_they_stand(erased: tuple[Home, plan.Plan]) -> None:
    home, _ = erased
    assert lines(home, "members", 1) == [MEMBERS[0], {}, {}, MEMBERS[3]]
    orders = lines(home, "orders", 1)
    assert orders[0] == {"id": 1, "member": None, "to": {"name": None, "tel": None}, "total": 1.1}
    assert orders[1] == {**ORDERS[1], "note": None}
    assert orders[2]["id"].startswith("erased:")
    landing = Landing(home.landing)
    assert landing.batch("shop", "members", 1).sidecar.erased == {2: ["*"], 3: ["*"]}
    assert landing.batch("shop", "orders", 1).sidecar.erased == {1: ["party"]}
    gone = [row["key"] for row in lines(home, "members", 2)]
    assert gone == [HASHES.pseudonym(PHONE), "13611112222"]


def test_no_file_and_no_decision_holds_a_value(erased: tuple[Home, plan.Plan]) -> None:
    home, made = erased
    proof = prove.prove(home.root, made.searched)
    assert proof.is_clean
    assert proof.files > 8
    assert {v.kind for v in made.searched} == {"key", "name", "phone"}


def test_what_comes_again_is_kept_out_and_a_scan_stays_proved(
    erased: tuple[Home, plan.Plan],
) -> None:
    """A record without key is known by its content; nothing counts as gone, nobody is back."""
    home, made = erased
    report = land(home, "members", MEMBERS)
    assert (report.landed, report.deleted, report.held) == (1, 0, 0)  # the one that was gone
    assert list(report.warnings.values()) == [2]
    report = land(home, "orders", ORDERS)
    assert report.landed == 3
    assert land(home, "orders", ORDERS).landed == 0
    assert Landing(home.landing).last("shop", "orders").sidecar.erased == {1: ["party"]}
    assert lines(home, "orders", 2)[:2] == lines(home, "orders", 1)[:2]
    assert land(home, "members", [], mode="changed", gone=[PHONE]).deleted == 1
    assert prove.prove(home.root, made.searched).is_clean


def test_another_key_is_refused(erased: tuple[Home, plan.Plan]) -> None:
    home, _ = erased
    with pytest.raises(KeyChanged):
        land(home, "members", MEMBERS, key=b"another key of sixteen bytes")
    with pytest.raises(KeyChanged):
        land(home, "members", MEMBERS, key=None)
    land(home, "other", MEMBERS, key=None)


def test_a_decision_whose_key_is_lost_can_be_given_up(erased: tuple[Home, plan.Plan]) -> None:
    """As docs/privacy.md says it."""
    home, _ = erased
    (path,) = (home.landing / "_decisions").glob("*.json")
    said = json.loads(path.read_text())
    said["about"] = {"key": "", "subject": "", "values": [], "streams": []}
    del said["check"]
    path.write_text(json.dumps(said))
    assert land(home, "members", MEMBERS, key=b"another key of sixteen bytes").landed == 3


def test_older_decisions_mean_the_rewritten_batches(erased: tuple[Home, plan.Plan]) -> None:
    home, made = erased
    landing = Landing(home.landing, now=lambda: NOON)
    old = made.streams["shop", "members"].sums[1]
    landing.decisions.append(
        "trust_source", why=f"{NAME} said so", at=NOON,
        about={"connection": "shop", "stream": "members", "batches": [1], "sha256": [old]},
    )  # fmt: skip
    work = rewrite.work_of(made, rewrite.about_of(made, HASHES))
    assert rewrite.clean_decisions(landing, work, made.searched) == 1
    (named,) = landing.decisions.named("shop", "members", "trust_source")
    assert named.is_about(landing.sha256("shop", "members", 1))
    assert Decisions(home.landing).all()[-1].why == "erased said so"
    assert rewrite.clean_decisions(landing, work, made.searched) == 0


# --- the proof ------------------------------------------------------------------------------------


def test_the_search_finds_a_value_in_whatever_holds_it(home: Home, tmp_path: Path) -> None:
    """Each file holds it in another form; the search that misses one would prove nothing."""
    root = tmp_path / "files"
    root.mkdir()
    (root / "plain.txt").write_bytes(b"x" * (1 << 22) + NAME.encode())  # over the edge of a read
    (root / "escaped.json").write_text(json.dumps({"n": NAME}))
    (root / "gbk.csv").write_bytes(NAME.encode("gbk"))
    (root / "zipped.gz").write_bytes(gzip.compress(NAME.encode()))
    with zipfile.ZipFile(root / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("sheet.xml", NAME * 50)
    with closing(sqlite3.connect(root / "rows.db")) as db:
        db.execute("create table t (a text)")
        db.execute("insert into t values (?)", ("x" * 4000 + NAME + "x" * 4000,))
        db.commit()
    with duckdb.connect(str(root / "t.duckdb")) as con:
        con.execute("create table t as select 'z' || (i % 7) || ? as a from range(100000) r(i)",
                    [NAME])  # fmt: skip
    proof = prove.prove(root, [Value("name", NAME), Value("phone", PHONE)])
    assert proof.hits == dict.fromkeys(
        ["plain.txt", "escaped.json", "gbk.csv", "zipped.gz", "book.xlsx", "rows.db", "t.duckdb"], 1
    )
    (root / "broken.gz").write_bytes(b"no gzip")
    assert prove.prove(root, [Value("name", NAME)]).unread == ["broken.gz"]


def test_short_values_are_not_searched_for() -> None:
    assert needles(Value("name", "Al")) == []
    assert NAME.encode() in needles(Value("name", NAME))


def test_a_deleted_row_stays_in_the_file_until_it_is_copied(home: Home) -> None:
    """Why the store is made anew: DELETE and CHECKPOINT leave the bytes."""
    from warehouse.erase.edit import copy_anew

    canary = "".join(str(uuid4()) for _ in range(4))
    with open_store(home) as store:
        store.set_meta("canary", canary)
        store.checkpoint()
        store.con.execute("delete from ops.meta where name = 'canary'")
        store.checkpoint()
        assert canary.encode() in home.store.read_bytes()
        before = store.con.execute(
            "select schema_name, table_name, column_name, comment from duckdb_columns() "
            "where database_name = current_database() order by all"
        ).fetchall()
        copy_anew(store)
    assert canary.encode() not in home.store.read_bytes()
    with open_store(home) as store:
        assert store.upgraded == []
        after = store.con.execute(
            "select schema_name, table_name, column_name, comment from duckdb_columns() "
            "where database_name = current_database() order by all"
        ).fetchall()
        assert after == before
        assert store.meta("schema_version") is not None
