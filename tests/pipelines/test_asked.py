"""What the kit has for rows that are asked for one by one: marks, parts of a page, counts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel
from sqlalchemy import text

from connectors import registry
from connectors.base import Connector, EachWanted, Finding, Page, ReadRequest, Stream
from connectors.details import answered
from connectors.errors import QuotaUsed, Unavailable
from connectors.shared import Asked, OwnAsked
from connectors.testing.table import how
from pipelines import control as module
from pipelines.asked import ControlAsked
from pipelines.cli import main
from pipelines.control import Control
from pipelines.state import StreamState, gather
from pipelines.streams import failure, figures
from pipelines.sync import sync_stream
from pipelines.workspace import Workspace

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


# --- marks ---------------------------------------------------------------------------------------


@pytest.fixture
def control(control_url: str) -> Iterator[Control]:
    made = Control(control_url)
    yield made
    made.close()


@pytest.fixture(params=["own", "control"])
def asked(request: pytest.FixtureRequest, control: Control) -> Asked:
    return OwnAsked() if request.param == "own" else ControlAsked(lambda: control, "post")


def test_marks_are_set_moved_and_taken_away(asked: Asked):
    assert asked.times("tracks") == {}
    asked.mark("tracks", "a/1", AT)
    asked.mark("tracks", "a/2", AT)
    asked.mark("tracks", "a/1", AT + HOUR)
    asked.mark("other", "a/1", AT - HOUR)
    assert asked.times("tracks") == {"a/1": AT + HOUR, "a/2": AT}
    asked.mark("tracks", "a/2", None)
    asked.mark("tracks", "a/3", None)
    assert asked.times("tracks") == {"a/1": AT + HOUR}


def test_old_marks_go(asked: Asked):
    for hours in range(3):
        asked.mark("tracks", f"a/{hours}", AT + hours * HOUR)
    asked.mark("other", "a/0", AT)
    asked.forget("tracks", AT + HOUR)
    assert sorted(asked.times("tracks")) == ["a/1", "a/2"]
    assert sorted(asked.times("other")) == ["a/0"]


def test_marks_are_of_one_connection_and_outlive_the_process(control: Control):
    ControlAsked(lambda: control, "post").mark("tracks", "a/1", AT)
    other = Control(control.url)
    assert ControlAsked(lambda: other, "post").times("tracks") == {"a/1": AT}
    assert ControlAsked(lambda: other, "mail").times("tracks") == {}
    other.close()


def test_threads_mark_side_by_side(control: Control):
    asked = ControlAsked(lambda: control, "post")
    made = [
        threading.Thread(target=lambda n=n: [asked.mark("t", f"{n}/{i}", AT) for i in range(5)])
        for n in range(4)
    ]
    for one in made:
        one.start()
    for one in made:
        one.join()
    assert len(asked.times("t")) == 20


def test_a_control_database_of_the_release_before_gets_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    control = Control(f"sqlite:///{tmp_path / 'control.db'}")
    with monkeypatch.context() as before:
        before.setattr(module, "UPGRADES", module.UPGRADES[:2])
        with control.engine.begin() as con:
            con.execute(text("drop table asked"))
    control.close()
    asked = ControlAsked(lambda: control, "post")
    asked.mark("tracks", "a/1", AT)
    assert asked.times("tracks") == {"a/1": AT}
    control.close()


# --- a page that an error cuts -------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_what_came_before_an_error_is_handed_over_with_it(workers: int):
    called: list[int] = []

    def fetch(item: int) -> int:
        called.append(item)
        if item == 5:
            raise QuotaUsed("used up", "wait")
        return item * 10

    found, error = answered(range(9), fetch, workers=workers)
    assert isinstance(error, QuotaUsed)
    assert [one for one in found if one[0] < 5] == [(n, n * 10) for n in range(5)]
    assert all(value == item * 10 for item, value in found)
    # What was under way beside it comes too; nothing is begun after it.
    assert {item for item, _ in found} == set(called) - {5}
    assert len(called) < 6 + workers
    assert answered(range(3), lambda item: item) == ([(0, 0), (1, 1), (2, 2)], None)


def test_an_error_of_ours_is_not_swallowed():
    def fetch(item: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answered([1], fetch)


# --- counts --------------------------------------------------------------------------------------


class Settings(BaseModel):
    """No settings."""


class Teller(Connector):
    """Counts what it did on two pages; `fails` ends it as a subclass says."""

    name: ClassVar[str] = "teller"
    Settings: ClassVar[type[BaseModel]] = Settings
    fails: ClassVar[Callable[[], Exception] | None] = None

    def streams(self) -> Mapping[str, Stream]:
        return {"told": Stream("told", ("id",), EachWanted(HOUR), wants=("id",), query="select 1")}

    def read(self, request: ReadRequest) -> Iterator[Page]:
        yield Page([b'{"id": "1"}'], ["1"], {}, tally={"asked": 2, "not due": 1})
        yield Page([], [], {}, tally={"asked": 3})
        if Teller.fails is not None:
            raise Teller.fails()

    def check(self) -> Iterator[Finding]:
        return iter(())


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    load, names = registry.load, registry.names
    monkeypatch.setattr(registry, "load", lambda n: Teller if n == "teller" else load(n))
    monkeypatch.setattr(registry, "names", lambda: [*names(), "teller"])
    for name, said in (
        ("defs/desk/defs.yaml", "type: pipelines.Connection\nattributes: {system: teller}\n"),
        ("mappings/desk/told.yaml", "entity: party\nkey: id\nfields: {name: id}\n"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(said)
    environment = {
        "ISTHMUS_HOME": str(tmp_path / "home"), "ISTHMUS_DEFS": str(tmp_path / "defs"),
        "ISTHMUS_MAPPINGS": str(tmp_path / "mappings"), "ISTHMUS_LANG": "en",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = Workspace.discover(environment)
    yield made
    made.control.close()


@pytest.mark.parametrize(
    ("fails", "status"),
    [
        (None, "ok"),
        (lambda: QuotaUsed("used up", "wait"), "partial"),
        (lambda: Unavailable("down", "wait"), "failed"),
    ],
)
def test_counts_of_a_connector_are_told_wherever_a_run_is(
    space: Workspace, fails: Callable[[], Exception] | None, status: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    monkeypatch.setattr(Teller, "fails", staticmethod(fails) if fails else None)
    done = sync_stream(space, "desk", "told")
    wanted = {"asked": 5, "not due": 1}
    assert (done.status, done.tally) == (status, wanted)
    shown: Mapping[str, Any] = figures(done)
    if done.error is not None:
        shown = failure(done.error, done).metadata
    assert shown["tally"].value == wanted
    (state,) = gather(space, ["desk"], AT)
    assert isinstance(state, StreamState)
    assert state.tally == wanted
    assert main(["status", "desk", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["streams"][0]["tally"] == wanted
    assert main(["status", "desk"]) == 0
    assert "desk/told: asked: 5, not due: 1" in capsys.readouterr().err


def test_the_strategy_has_words():
    assert how(EachWanted(HOUR)) == "asking for each row wanted, again after 1 h"
