"""What people decide about identity holds: across syncs, rebuilds, kills, and older decisions."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import two_customers
from two_customers import own

from pipelines.cli import main, review
from pipelines.sync import sync_stream, unify_publish
from pipelines.unify_job import store_mark
from pipelines.workspace import Workspace
from warehouse import ruled
from warehouse.decisions import Decisions
from warehouse.ruled import Record

Capture = pytest.CaptureFixture[str]
MAIL = "zhang.wei@example.cn"
CRM, SHOP = own("crm", "1"), own("shop", MAIL)
MING, MING_SHOP, LI = own("crm", "2"), own("shop", "8"), own("shop", "9")


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which everything was synced and published once."""
    root = tmp_path_factory.mktemp("synced")
    two_customers.write(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warehouse.unify.MATCHERS", two_customers.MATCHERS)
        opened = Workspace.discover({}, start=root)
        sync(opened)
        opened.control.close()
    return root


@pytest.fixture
def space(synced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    folder = Path(shutil.copytree(synced, tmp_path / "mine", symlinks=True))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    monkeypatch.setattr("warehouse.unify.MATCHERS", two_customers.MATCHERS)
    opened = Workspace.discover({}, start=folder)
    yield opened
    opened.control.close()


def sync(space: Workspace) -> int:
    """Read all streams in full and publish; returns how many golden rows changed."""
    for connection, stream in (("crm", "customers"), ("shop", "customers"), ("shop", "orders")):
        assert sync_stream(space, connection, stream, full=True).error is None
    outcome = unify_publish(space)
    assert outcome.error is None
    return outcome.changed


@pytest.fixture
def say(capsys: Capture) -> Callable[..., Any]:
    """Return what runs a command and gives its JSON, or its code, output and remarks."""

    def run(*words: str, code: int = 0) -> Any:
        assert main(words) == code
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert MAIL not in out + err, "the key of a party may be personal"
        return json.loads(out) if "--json" in words and code == 0 else (out, err)

    return run


def groups(say: Callable[..., Any]) -> dict[str, str]:
    """Return the party of each living record, by the ids that the records found."""
    sql = "select own_id, golden_id from unified.xref where entity = 'party'"
    return {r["own_id"]: r["golden_id"] for r in say("query", sql, "--json")}


def orders(say: Callable[..., Any]) -> dict[str, str]:
    found = say("query", "select number, party_id from unified.orders", "--json")
    return {r["number"]: r["party_id"] for r in found}


BEFORE = {CRM: CRM, SHOP: SHOP, MING: MING, MING_SHOP: MING, LI: LI}


def test_a_merge_and_an_unmerge_hold_through_syncs_and_rebuilds(
    space: Workspace, say: Callable[..., Any]
) -> None:
    assert groups(say) == BEFORE
    done = say("party", "merge", CRM, SHOP, "--why", "one licence", "--json")
    assert done["parties"] == [{"party_id": CRM, "records": 2, "orders": 2}]
    assert done["forwardings"] == [{"old_id": SHOP, "party_id": CRM}]
    assert (done["decision"], done["against"]) == (1, [])
    merged = BEFORE | {SHOP: CRM}
    assert groups(say) == merged
    assert orders(say) == {"SO1": CRM, "SO2": CRM, "SO3": LI}
    assert sync(space) == 0, "a second sync changes nothing"

    out, _ = say("party", "unmerge", "shop/customers/8", "--why", "father and son")
    assert "stays apart from 1 other records for ever" in out
    apart = merged | {MING_SHOP: MING_SHOP}
    assert groups(say) == apart
    two_customers.write(
        space.defs.parent, shop=two_customers.SHOP.replace("8,B,person", "8,B,organization")
    )
    sync(space)
    assert groups(say) == apart, "its code still speaks for the merge"
    say("rebuild", "--yes")
    assert groups(say) == apart
    assert orders(say) == {"SO1": CRM, "SO2": CRM, "SO3": LI}
    (last,) = say("query", "select count(*) as n from unified.forwardings", "--json")
    assert last == {"n": 1}


def test_pairs_that_wait_are_shown_as_published(
    space: Workspace, say: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (pair,) = say("party", "review", "--json")
    assert {pair["a"]["own_id"], pair["b"]["own_id"]} == {CRM, SHOP}
    assert (pair["score"], pair["evidence"]) == (0.9, "name, in part")
    shop = pair["a"] if pair["a"]["own_id"] == SHOP else pair["b"]
    assert shop["source_key"].startswith("masked:")
    assert shop["email"] == "b***@xinghe.cn"
    monkeypatch.setattr("warehouse.store.open_store", None)  # a reading command never does
    out, err = say("party", "review")
    assert "杭州星河贸易有限公司" in out
    assert f"isthmus party merge {pair['a']['own_id']} {pair['b']['own_id']} --why WHY" in out
    assert "Published" in err
    assert "1 pairs may be one party" in say("status")[1]
    assert say("status", "--json")["suggestions"] == 1
    monkeypatch.setenv("ISTHMUS_LANG", "zh")
    assert "是同一个" in say("party", "review")[0]


@pytest.mark.parametrize(("answer", "kind", "party"), [("n", "unmerge", SHOP), ("Y", "merge", CRM)])
def test_a_person_answers_pair_by_pair(
    space: Workspace,
    say: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    kind: str,
    party: str,
) -> None:
    monkeypatch.setattr(review, "at_terminal", lambda: True)

    def answers(*said: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{s}\n" for s in said)))

    for said in (("s",), ("q",), ()):
        answers(*said)
        say("party", "review")
    assert Decisions(space.home.landing).newest() == 0
    answers(answer, "seen the papers")
    assert "1 pairs are decided" in say("party", "review")[0]
    (made,) = Decisions(space.home.landing).all()
    assert (made.kind, made.why) == (kind, "seen the papers")
    assert {tuple(r) for r in made.about["rows"]} == {
        ("crm", "customers", "1"), ("shop", "customers", MAIL),
    }  # fmt: skip
    assert "No pairs wait" in say("party", "review")[0]
    assert groups(say) == BEFORE | {SHOP: party}


def test_what_was_typed_finds_one_record_or_none_is_chosen(
    space: Workspace, say: Callable[..., Any]
) -> None:
    def refused(*words: str) -> str:
        return str(say("party", *words, "--why", "x", code=2)[1])

    several = refused("unmerge", "+86 138-0000-1111")
    assert "2 records match" in several
    assert f"{MING}  crm/customers/2  王**" in several
    assert "none was chosen" in several
    for nobody in ("13812345678", "crm/customers/77", own("crm", "77")):
        assert "No record matches" in refused("merge", nobody, CRM)
    assert "two parties or more" in refused("merge", CRM)
    assert "same record" in refused("merge", CRM, "crm/customers/1")
    assert "nothing to part" in refused("unmerge", CRM)
    assert "reason" in say("party", "merge", CRM, SHOP, "--why", " ", code=2)[1]
    assert Decisions(space.home.landing).newest() == 0

    (masked,) = say(
        "query", f"select source_key as k from unified.xref where own_id = '{SHOP}'", "--json"
    )
    say("party", "merge", "0571 8800 1234", f"shop/customers/{masked['k']}", "--why", "x")
    assert groups(say)[SHOP] == CRM
    say("party", "merge", "13800001111", SHOP, "9", "--why", "all of one owner")
    assert set(groups(say).values()) == {CRM}
    many = refused("unmerge", CRM)
    assert "5 records match" in many
    assert f"{LI}  shop/customers/9  李**" in many


def test_the_newest_decision_holds_and_says_what_it_goes_against(
    space: Workspace, say: Callable[..., Any]
) -> None:
    say("party", "merge", CRM, SHOP, "--why", "one licence")
    _, err = say("party", "unmerge", CRM, SHOP, "--why", "another company of the group")
    assert "goes against decision 1" in err
    assert groups(say) == BEFORE
    again = say("party", "merge", SHOP, CRM, "--why", "no, one", "--json")
    assert again["against"] == [2]
    assert groups(say) == BEFORE | {SHOP: CRM}
    assert "They are one party already" in say("party", "merge", CRM, SHOP, "--why", "sure")[0]


def test_a_decision_that_is_not_followed_is_told(
    space: Workspace, say: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.unify.MATCHERS", {})
    _, err = say("party", "merge", CRM, SHOP, "--why", "x", code=1)
    assert "does not follow" in err


def test_a_decision_stands_where_publishing_fails(
    space: Workspace, say: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no matcher today")

    with monkeypatch.context() as patch:
        patch.setattr("warehouse.unify.MATCHERS", {"party": broken})
        out, err = say("party", "merge", CRM, SHOP, "--why", "x", code=1)
    assert out.endswith("Decision 1 is kept.\n")
    assert "RuntimeError" in err
    assert groups(say) == BEFORE
    say("publish")
    assert groups(say) == BEFORE | {SHOP: CRM}


def test_a_command_killed_after_its_decision_has_decided(
    space: Workspace, say: Callable[..., Any]
) -> None:
    published = space.control.last_publish()
    assert published
    assert published["mark"] == store_mark(space.home)
    words = ["party", "merge", CRM, SHOP, "--why", "x"]
    killed = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *words], check=False, capture_output=True,
        cwd=space.defs.parent, env={**os.environ, "ISTHMUS_CRASH_AT": "decide.written"},
    )  # fmt: skip
    assert killed.returncode == -9
    assert groups(say) == BEFORE
    assert say("party", "review", "--json") == [], "decided, though not published"
    assert published["mark"] != store_mark(space.home), "news for the sensor"
    assert unify_publish(space).error is None
    assert groups(say) == BEFORE | {SHOP: CRM}
    published = space.control.last_publish()
    assert published
    assert published["mark"] == store_mark(space.home)


def test_a_decision_about_a_record_that_is_not_there_waits_for_it(
    space: Workspace, say: Callable[..., Any]
) -> None:
    decisions = Decisions(space.home.landing)
    gone = [Record("crm", "customers", "1"), Record("old", "customers", "5")]
    ruled.decide(decisions, "merge", gone, why="x", at=two_customers.NOON)
    later = [Record("crm", "customers", "1"), Record("shop", "customers", "10")]
    ruled.decide(decisions, "merge", later, why="x", at=two_customers.NOON)
    assert unify_publish(space).error is None
    assert groups(say) == BEFORE
    two_customers.write(space.defs.parent, shop=two_customers.SHOP + "10,Z,organization,新店,,,\n")
    sync(space)
    assert groups(say) == BEFORE | {own("shop", "10"): CRM}
