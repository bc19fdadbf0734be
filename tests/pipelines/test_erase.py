"""A person is erased everywhere, others are untouched, and it stays so: the canary company."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import canary_company
import duckdb
import pytest
from canary_company import CANARIES, MAIL, NAME, PHONE, Company

from connectors.base import utc_now
from pipelines.cli import main
from pipelines.erase import Erased, Erasure
from pipelines.sync import unify_publish
from warehouse.decisions import Decisions
from warehouse.landing import Landing
from warehouse.store import open_store

pytestmark = pytest.mark.xdist_group("erase")
MINE = {"9500", "9501", "9502", "9503", "XS001", "1", "2"}
"""Keys of the documents that name the person."""
Rows = dict[str, dict[tuple[str, ...], dict[str, Any]]]


def rows_of(company: Company, schema: str) -> Rows:
    """Return the rows of a schema by table and key, without what says when they were written."""
    found: Rows = {}
    left_out = {"load_id", "synced_at", "unify_run", "valid_from", "valid_to"}
    with open_store(company.space.home) as store:
        tables = store.con.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [schema]
        ).fetchall()
        for (table,) in tables:
            cursor = store.con.execute(f'from "{schema}"."{table}"')
            names = [d[0] for d in cursor.description]
            for row in cursor.fetchall():
                one = {n: v for n, v in zip(names, row, strict=True) if n not in left_out}
                key = tuple(str(one.get(n)) for n in ("connection", "stream", "parent_key",
                                                      "source_key", "version"))  # fmt: skip
                found.setdefault(table, {})[key] = one
    return found


@dataclass
class Done:
    """What stood before, what was done, what stands after."""

    company: Company
    files: dict[str, set[str]]
    source: Rows
    unified: Rows
    report: Erased
    read_on: list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    with canary_company.running(tmp_path_factory.mktemp("canary")) as company:
        home = company.space.home
        company.space.control.close()
        files = canary_company.homes_texts(home.root)
        source, unified = rows_of(company, "source"), rows_of(company, "unified")
        with duckdb.connect(str(home.readable), read_only=True) as reader:
            report = Erasure(company.space, utc_now).erase(MAIL, why="request 17", who="dpo")
            read_on = reader.execute("select count(*) from unified.parties").fetchall()
        yield Done(company, files, source, unified, report, read_on)


def test_every_place_held_the_person_and_none_does(done: Done) -> None:
    home = done.company.space.home.root
    places = {Path(name).parts[0] for name in done.files}
    assert places == {"landing", "store", "logs", "control.db", "dagster"}
    assert set().union(*done.files.values()) == set(CANARIES)
    assert any(name.startswith("landing/_decisions") for name in done.files)
    assert canary_company.homes_texts(home) == {}
    proof = done.report.proof
    assert proof is not None
    assert proof.is_clean
    assert proof.files > len(done.files)


def test_others_are_as_they_were(done: Done) -> None:
    """Rows of others are the same to the last column, golden ids too."""
    gone = {("shop", "customers", "None", "77"), ("crm", "contacts", "None", "31"),
            ("erp", "clients", "None", "K0007")}  # fmt: skip
    after = rows_of(done.company, "source")
    for table, before in done.source.items():
        others = {k: r for k, r in before.items() if k[:4] not in gone and not {*k[2:4]} & MINE}
        kept = {k: r for k, r in after[table].items() if not {*k[2:4]} & MINE}
        assert kept == others, table
    assert not any(k[:4] in gone for k in after["parties"])
    unified = rows_of(done.company, "unified")
    ids = {r["party_id"] for r in done.unified["parties"].values()}
    assert len(ids - {r["party_id"] for r in unified["parties"].values()}) == 1
    for table, key in (("orders", "order_id"), ("tickets", "ticket_id")):
        before_ids = {r[key] for r in done.unified[table].values()}
        assert before_ids == {r[key] for r in unified[table].values()}


def test_documents_stay_without_what_is_personal(done: Done) -> None:
    with open_store(done.company.space.home) as store:
        rows = store.con.execute(
            "select source_key, total::varchar, ship_to_name, ship_to_phone, "
            "nullif(ship_to_address, '') from source.orders "
            "where source_key in ('9500', '9502', '9503', 'XS001') order by 1"
        ).fetchall()
        versions = store.con.execute(
            "select total::varchar, ship_to_name from history.orders where source_key = '9500'"
        ).fetchall()
        lines = store.con.execute(
            "select count(*) from source.order_lines where parent_key in ('9500', '9502')"
        ).fetchall()
    totals = {"9500": "501.0000", "9502": "502.1000", "9503": "503.1000", "XS001": "88.8000"}
    assert rows == [(key, total, None, None, None) for key, total in totals.items()]
    assert versions == [("500.1000", None)]
    assert lines == [(2,)]


def test_quarantine_names_the_same_place_and_holds_nobody(done: Done) -> None:
    home = done.company.space.home
    with open_store(home) as store:
        entries = store.con.execute(
            "select connection, stream, batch, position, field from ops.quarantine"
        ).fetchall()
    ((connection, stream, batch, position, field),) = entries
    assert field == "total"
    raw = json.loads(Landing(home.landing).record(connection, stream, batch, position))
    assert raw["name"] == "SO0501"
    assert raw["ship"] == {"name": None, "phone": None, "city": None, "line": None}


def test_numbers_of_a_blanked_record_stand_as_they_were_sent(done: Done) -> None:
    raw = Landing(done.company.space.home.landing).record("shop", "orders", 1, 80)
    assert b'"rate":1.10' in raw.replace(b" ", b"") or b'"rate":1.1}' in raw.replace(b" ", b"")
    assert json.loads(raw)["total"] == "500.10"


def test_the_decision_holds_nothing_personal_and_logs_go_on(done: Done) -> None:
    home = done.company.space.home
    newest = Decisions(home.landing).all()[-1]
    assert (newest.kind, newest.who, newest.sequence) == ("erase", "dpo", done.report.decision)
    assert done.report.decisions == 1
    logs = (home.root / "logs" / "access.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in logs] == ["shop/customers/erased", "x"]
    assert done.report.scrubbed.rows["control"] >= 1
    assert done.report.scrubbed.rows["dagster/events.db"] == 1


def test_one_version_is_published_and_who_had_the_old_one_open_read_on(done: Done) -> None:
    home = done.company.space.home
    assert len(list(home.published.glob("unified-*.duckdb"))) == 1
    assert home.current.samefile(next(home.published.glob("unified-*.duckdb")))
    parties = len({r["party_id"] for r in done.unified["parties"].values()})
    assert done.read_on == [(parties,)]


def test_a_second_look_says_who_decided(
    done: Done, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(done.company.root)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    assert main(["erase", PHONE, "--dry-run"]) == 2
    assert f"decision {done.report.decision} erased" in capsys.readouterr().err
    assert main(["erase", "nobody@example.org", "--dry-run"]) == 2
    assert main(["erase", "--resume"]) == 0
    assert "No erasure was interrupted" in capsys.readouterr().out


def test_a_rebuild_makes_the_same(done: Done, tmp_path: Path) -> None:
    from pipelines.workspace import Workspace
    from warehouse.rebuild import rebuild

    root = Path(shutil.copytree(done.company.root, tmp_path / "again", symlinks=True))
    again = Company(done.company.server, Workspace.discover({}, start=root), root)
    space = again.space
    rebuild(space.home, Landing(space.home.landing),
            lambda c, s: space.connection(c).plan(s), utc_now)  # fmt: skip
    assert unify_publish(space).error is None
    for schema in ("source", "unified", "history"):
        mine, theirs = rows_of(done.company, schema), rows_of(again, schema)
        for table in mine.keys() | theirs.keys():
            if table != "xref":
                assert mine.get(table) == theirs.get(table), f"{schema}.{table}"
    space.control.close()
    assert canary_company.homes_texts(space.home.root) == {}


def test_what_comes_again_is_kept_out_and_counted(done: Done) -> None:
    """The systems still tell of the person, at every read; nothing of it is landed."""
    before = rows_of(done.company, "source")
    outcomes = done.company.sync(full=True)
    said = {name: sum(o.warnings.values()) for name, o in outcomes.items() if o.warnings}
    assert said == {"shop/customers": 1, "shop/orders": 4, "crm/contacts": 1, "crm/tickets": 2,
                    "erp/clients": 1, "erp/sales": 1}  # fmt: skip
    assert sum(o.deleted + o.held for o in outcomes.values()) == 0
    after = rows_of(done.company, "source")
    for table, rows in before.items():
        same = {k: {n: v for n, v in r.items() if n not in ("batch", "position")}
                for k, r in rows.items()}  # fmt: skip
        assert {k: {n: v for n, v in r.items() if n not in ("batch", "position")}
                for k, r in after[table].items()} == same, table  # fmt: skip
    done.company.server.put("customers", canary_company.CANARY | {"note": NAME, "updated_at":
                            "2026-03-05T08:00:00Z"})  # fmt: skip
    done.company.server.put(
        "orders", canary_company.CANARY_ORDERS[0] | {"total": "502.00", "updated_at":
                  "2026-03-05T08:00:00Z"},
    )  # fmt: skip
    outcomes = done.company.sync()
    assert outcomes["shop/orders"].updated == 1
    with open_store(done.company.space.home) as store:
        rows = store.con.execute(
            "select total::varchar, ship_to_name from source.orders where source_key = '9500'"
        ).fetchall()
    assert rows == [("502.0000", None)]
    done.company.space.control.close()
    assert canary_company.homes_texts(done.company.space.home.root) == {}
