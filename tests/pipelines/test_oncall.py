"""The jobs that a person on call starts from a form, and connections that are paused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import office_files
import pytest
import small_shop

from connectors.base import utc_now
from pipelines.alerts.causes import causes
from pipelines.cli import main
from pipelines.control_view import view
from pipelines.definitions import build
from pipelines.pauses import pause
from pipelines.sample.report import ask
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.store import open_store

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
WHY = {"who": "night shift", "why": "the stock was sold off"}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    office_files.write(tmp_path, office_files.files(""))
    for name, value in small_shop.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ISTHMUS_MAPPINGS", "")
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    monkeypatch.chdir(tmp_path)
    made = Workspace.discover()
    yield made
    made.control.close()


def stock(space: Workspace, text: str) -> None:
    (space.defs.parent / "inbox" / "stock.csv").write_text(f"sku,qty\n{text}")


def lines(count: int) -> str:
    return "".join(f"A{n},{n}\n" for n in range(count))


def launch(space: Workspace, job: str, op: str, **config: Any) -> dg.ExecuteInProcessResult:
    repo = build(space).get_repository_def()
    return repo.get_job(job).execute_in_process(
        run_config={"ops": {op: {"config": config}}}, raise_on_error=False
    )


def failed(result: dg.ExecuteInProcessResult) -> str:
    assert not result.success
    (event,) = [e for e in result.all_events if e.is_step_failure]
    return str(event.step_failure_data.error_display_string)


def told(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    assert result.success
    (event,) = [e for e in result.all_events if e.is_successful_output]
    return {n: v.value for n, v in event.step_output_data.metadata.items()}


def test_records_in_quarantine_are_replayed_after_the_mapping_was_mended(office: Workspace) -> None:
    stock(office, "A1,1\nA2,two\n")
    done = sync_stream(office, "office", "stock")
    assert (done.inserted, done.quarantined) == (1, 1)
    found = told(launch(office, "replay_quarantine", "replay_entries", connection="office"))
    assert (found["good"], found["still_broken"]) == (0, 1)
    (mapping,) = (office.defs.parent / "mappings/office").glob("*.yaml")
    mended = """on_hand: "replace(qty, 'two', '2')"}"""
    mapping.write_text(mapping.read_text().replace("on_hand: qty}", mended))
    found = told(launch(office, "replay_quarantine", "replay_entries", stream="stock"))
    assert (found["good"], found["still_broken"], found["a new version"]) == (1, 0, True)
    text = failed(launch(office, "replay_quarantine", "replay_entries", ids=["nobody"]))
    assert "nobody is no open entry" in text
    assert "isthmus quarantine list has them" in text


def test_held_deletions_are_shown_first_and_accepted_with_a_name(office: Workspace) -> None:
    stock(office, lines(200))
    sync_stream(office, "office", "stock")
    stock(office, lines(100))
    assert sync_stream(office, "office", "stock").held == 100
    form = {"connection": "office", "stream": "stock"}
    shown = told(launch(office, "accept_deletion", "accept_deletions", **form))["waiting"]
    (row,) = [record.data for record in shown.records]
    assert (row["keys"], len(row["first_keys"].split(", "))) == (100, 10)
    form["batch"] = row["batch"]
    assert "Who accepts" in failed(launch(office, "accept_deletion", "accept_deletions", **form))
    found = told(launch(office, "accept_deletion", "accept_deletions", **form, **WHY))
    assert (found["deleted"], found["seen_since"]) == (100, 0)
    (decision,) = (office.home.landing / "_decisions").glob("*.json")
    assert json.loads(decision.read_text())["who"] == "night shift"
    text = failed(launch(office, "accept_deletion", "accept_deletions", **form, **WHY))
    assert "holds no deletions that wait" in text


@pytest.mark.parametrize(
    ("job", "op", "config"),
    [
        ("replay_quarantine", "replay_entries", {"connection": "ofice"}),
        ("sync_one_stream", "sync_one", {"stream": "office/stok"}),
        ("reread", "read_again", {"since": "2026-03-01"}),
        ("rebuild_connection", "make_anew", {}),
        ("pause_connection", "pause_or_resume", {"connection": "office"}),
        ("accept_deletion", "accept_deletions", {"connection": "office"}),
    ],
)
def test_a_form_that_is_wrong_is_refused_before_it_runs(
    office: Workspace, job: str, op: str, config: dict[str, Any]
) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        launch(office, job, op, **config)


def test_a_span_that_is_none_does_nothing(office: Workspace) -> None:
    form = {"connection": "office", "span": "soon", **WHY}
    result = launch(office, "pause_connection", "pause_or_resume", **form)
    assert not result.success
    assert view(office).pauses == ()


def test_no_schedule_reads_what_is_paused_and_nobody_is_told(
    office: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    stock(office, lines(3))
    sync_stream(office, "office", "stock")
    unify_publish(office)
    path = office.defs / "office" / "defs.yaml"
    if "schedule:" not in path.read_text():
        path.write_text(path.read_text() + "  schedule: '*/15 * * * *'\n")
    late = utc_now() + timedelta(days=2)
    assert [c.name for c in causes(office, late)] == ["late"]
    form = {"connection": "office", "span": "4d", **WHY}
    launch(office, "pause_connection", "pause_or_resume", **form)
    assert causes(office, late) == []
    assert [c.name for c in causes(office, late + timedelta(days=3))] == ["late"]
    (schedule,) = [
        s for s in build(office).get_repository_def().schedule_defs if "office_read" in s.name
    ]
    with (
        dg.DagsterInstance.from_config(str(office.home.dagster)) as instance,
        dg.build_schedule_context(instance=instance) as context,
    ):
        skipped = schedule.evaluate_tick(context)
        assert "by night shift: the stock was sold off" in str(skipped.skip_message)
        assert main(["status"]) == 0
        assert "office is paused by night shift" in capsys.readouterr().err
        assert main(["sync", "--all"]) == 0
        assert "office is paused" in capsys.readouterr().err
        assert main(["resume", "office"]) == 0
        assert schedule.evaluate_tick(context).run_requests


def test_the_command_line_pauses_too(office: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause", "office", "--why", "stocktaking", "--for", "4h"]) == 0
    (held,) = view(office).paused(utc_now()).values()
    assert (held.why, held.until is not None) == ("stocktaking", True)
    assert main(["pause", "office", "--why", "stocktaking", "--for", "soon"]) == 2
    assert main(["pause", "ofice", "--why", "x"]) == 2
    assert "office" in capsys.readouterr().err
    assert main(["resume", "office"]) == 0
    assert main(["resume", "office"]) == 0
    assert "was not paused" in capsys.readouterr().out


def test_a_control_database_of_before_has_no_pauses(office: Workspace) -> None:
    sync_stream(office, "office", "stock")
    with office.control.exclusive() as con:
        con.exec_driver_sql("drop table pauses")
    found = view(office)
    assert found.pauses == ()
    assert found.last


def test_a_pause_is_the_same_read_either_way(office: Workspace) -> None:
    made = pause(
        office.control, "office", until=None, who="a", why="b", now=utc_now().replace(microsecond=0)
    )
    (held,) = view(office).pauses
    assert held == made


def test_one_stream_is_synced_and_read_again(office: Workspace) -> None:
    stock(office, lines(3))
    found = told(launch(office, "sync_one_stream", "sync_one", stream="office/stock"))
    assert (found["rows read"], found["rows inserted"]) == (3, 3)
    stock(office, lines(2) + "A2,7\nB,1\n")
    found = told(launch(office, "reread", "read_again", stream="office/stock"))
    assert (found["rows inserted"], found["rows updated"]) == (1, 1)
    form = {"stream": "office/stock", "since": "2026-03-01"}
    text = failed(launch(office, "reread", "read_again", **form))
    assert "is not read by the days on which records changed" in text
    assert "isthmus sync office stock --full" in text


@pytest.mark.parametrize("days", [{"since": "soon"}, {"until": "2026-03-01"}])
def test_days_that_are_none_do_nothing(office: Workspace, days: dict[str, str]) -> None:
    stock(office, lines(3))
    result = launch(office, "reread", "read_again", stream="office/stock", **days)
    assert not result.success
    assert view(office).last == {}


def test_one_connection_is_rebuilt_and_equals_what_it_was(office: Workspace) -> None:
    stock(office, lines(3) + "A9,nine\n")
    sync_stream(office, "office", "stock")
    unify_publish(office)
    query = "select sku, on_hand from unified.stock_levels order by all"
    before = _published(office, query)
    with open_store(office.home) as store:
        store.con.execute("update source.stock_levels set on_hand = 99")
    form = {"connection": "office"}
    rows = told(launch(office, "rebuild_connection", "make_anew", **form))["rows"]
    assert (rows["rows"], rows["quarantined"]) == ({"stock_levels": 3}, 1)
    assert _published(office, query) == before
    assert len(before) == 3
    assert main(["rebuild", "office", "--yes"]) == 0
    assert _published(office, query) == before
    assert main(["rebuild", "nobody", "--yes"]) == 2


def test_a_rebuild_needs_room_for_a_second_store(office: Workspace) -> None:
    stock(office, lines(3))
    sync_stream(office, "office", "stock")
    before = office.home.store.read_bytes()
    file = office.defs / "company" / "defs.yaml"
    file.parent.mkdir()
    file.write_text("type: pipelines.Company\nattributes:\n  min_free: 999999TB\n")
    text = failed(launch(office, "rebuild_connection", "make_anew", connection="office"))
    assert text.startswith("DiskFull: ")
    assert main(["rebuild", "--yes"]) == 1
    assert office.home.store.read_bytes() == before


def _published(space: Workspace, sql: str) -> list[tuple[Any, ...]]:
    return ask(space.home.current, sql)
