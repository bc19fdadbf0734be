"""Reading commands: at once, without Dagster, without opening the store."""

import json
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines import state
from pipelines.cli import main
from pipelines.control_view import view
from pipelines.process import this_process
from pipelines.state import next_tick
from pipelines.workspace import Workspace
from warehouse.newest import last_number

READING = (["status"], ["query", "select 1"], ["connectors"], ["quarantine", "list"], ["--help"])
CONNECTION = """\
type: pipelines.Connection
attributes:
  system: files
  config:
    folder: inbox
    streams:
      stock: {pattern: "*.csv", key: sku}
  schedule: "0 * * * *"
  timezone: Asia/Shanghai
"""


@pytest.fixture
def space(tmp_path: Path, monkeypatch) -> Workspace:
    (tmp_path / "defs" / "office").mkdir(parents=True)
    (tmp_path / "defs" / "office" / "defs.yaml").write_text(CONNECTION)
    (tmp_path / "mappings").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    return Workspace.discover()


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_no_dagster_and_no_store_in_a_reading_command(words, space) -> None:
    script = (
        "import sys; from pipelines.cli import main; main(sys.argv[1:]);"
        "heavy = {'dagster', 'pyarrow', 'sqlglot', 'warehouse.store'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    before = cpu_of_children()
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert cpu_of_children() - before < 2  # a second on a quiet machine of two slow cores
    assert not (space.home.store).exists()


def run(space: Workspace, status: str, minutes: int, **more: object) -> datetime:
    began = datetime(2026, 11, 20, 8, 0, tzinfo=UTC) + timedelta(minutes=minutes)
    space.control.record_run(
        {
            "run_id": "r", "connection": "office", "stream": "stock", "mode": "changed",
            "status": status, "started_at": began, "ended_at": began + timedelta(seconds=5),
            "counts": {"read": 3, "held": 2}, "error": None, "bookmark_before": None,
            "bookmark_after": None, **more,
        }
    )  # fmt: skip
    return began


def test_the_quick_way_reads_what_the_control_database_says(space) -> None:
    assert view(space).last == {}
    run(space, "ok", 0)
    began = run(space, "failed", 10, error={"what": "refused.", "do": "renew."})
    me = this_process()
    space.control.take_lease(
        {
            "connection": "office", "stream": "stock", "token": "t", "run_id": "r",
            "host": me.host, "boot": me.boot, "pid": me.pid, "started": me.started,
            "taken_at": began, "renewed_at": began,
        }
    )  # fmt: skip
    quick = view(space)
    slow = view(
        Workspace(space.home, space.defs, space.overlays, f"sqlite:///{space.home.control}", {})
    )
    assert quick == slow
    key = ("office", "stock")
    assert quick.last[key].status == "failed"
    assert quick.last[key].error == {"what": "refused.", "do": "renew."}
    assert state._error(quick.last[key]) == "refused. Do: renew."
    assert quick.good[key].started_at == began - timedelta(minutes=10)
    assert quick.good[key].error is None
    assert quick.running == {key}


def test_status_tells_lag_promise_and_the_last_error(space, capsys) -> None:
    run(space, "ok", 0)
    run(space, "failed", 10, error={"what": "the token was refused.", "do": "renew it."})
    assert main(["status", "--json"]) == 0
    (stream,) = json.loads(capsys.readouterr().out)["streams"]
    assert stream["promise_seconds"] == 7200
    assert stream["lag_seconds"] > 0
    assert stream["promise_kept"] == (stream["lag_seconds"] <= 7200)
    assert stream["last_status"] == "failed"
    assert main(["status"]) == 0
    told = capsys.readouterr()
    assert "office/stock" in told.out
    assert "the token was refused. Do: renew it." in told.err
    assert "2 deletions are held" in told.err


def test_status_shows_a_broken_connection_beside_the_others(space, capsys) -> None:
    (space.defs / "erp").mkdir()
    (space.defs / "erp" / "defs.yaml").write_text("type: pipelines.Connection\nattributs: {}\n")
    assert main(["status"]) == 0
    told = capsys.readouterr()
    assert "office/stock" in told.out
    assert "erp/defs.yaml:2: " in told.err
    assert "attributes" in told.err


def test_the_next_tick_is_in_the_connections_zone() -> None:
    now = datetime(2026, 11, 20, 15, 59, tzinfo=UTC)
    tick = next_tick("0 0 * * *", "Asia/Shanghai", now)
    assert tick is not None
    assert tick.astimezone(UTC) == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    assert next_tick(None, "UTC", now) is None


def test_only_complete_batches_count_as_landed(space) -> None:
    folder = space.home.landing / "office" / "stock"
    folder.mkdir(parents=True)
    for name in ("000000000001.json", "000000000002.json", "000000000003.parquet", ".tmp.json"):
        (folder / name).touch()
    assert last_number(space.home.landing / "office" / "stock") == 2
    assert last_number(space.home.landing / "office" / "none") == 0


def test_nothing_published_is_said_with_the_next_step(space, capsys) -> None:
    assert main(["query", "select 1"]) == 2
    assert "isthmus sync" in capsys.readouterr().err


def test_connectors_lists_and_prints_a_schema(space, capsys) -> None:
    assert main(["connectors"]) == 0
    assert "files" in capsys.readouterr().out
    assert main(["connectors", "--schema", "files"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert "folder" in schema["properties"]
    assert main(["connectors", "--json"]) == 0
    listed = {each["name"]: each["title"] for each in json.loads(capsys.readouterr().out)}
    assert {"files", "yonyou_u8", "kingdee_k3"} <= set(listed)
    assert listed["yonyou_u8"].startswith("用友 U8: ready queries")
    assert main(["connectors", "--schema", "yonyou_u8"]) == 0
    assert "url" in json.loads(capsys.readouterr().out)["properties"]
    assert main(["connectors", "--schema", "filez"]) == 2
    assert "files" in capsys.readouterr().err


def test_an_answer_that_cannot_be_stopped_ends_with_a_word() -> None:
    """A function that computes on one row for hours does not listen to an interrupt."""
    code = (
        "import sys, time\n"
        "from pipelines.cli import query\n"
        "with query._ended_after(0.2):\n    time.sleep(30)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "could not be stopped" in done.stderr or "无法中断" in done.stderr
