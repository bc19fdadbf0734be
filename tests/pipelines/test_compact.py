"""`isthmus compact`: what it says, frees and refuses, on a company that is synced and published."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg
import duckdb
import office_files
import pytest

from connectors.base import utc_now
from pipelines import compact as compact_module
from pipelines.cli import main
from pipelines.compact import NIGHTLY, compact
from pipelines.compact_job import compact_nightly
from pipelines.definitions import build
from pipelines.explain import explain
from pipelines.repair import rebuild
from pipelines.space import DiskFull
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse import packs
from warehouse.store import open_store

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
READS = 12
MERGED = (READS - 1, READS)
"""The last batch of a stream may stay by itself."""
SQL = "select sku, on_hand::varchar, product_id from unified.stock_levels order by sku"
AS_OF = "select count(*) from history.stock_levels"


def rows(read: int) -> str:
    lines = "".join(f"A{n},{n + (n % 5 == read % 5) * read}\n" for n in range(300))
    return f"sku,qty\n{lines}BAD,none{read}\n"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has read its system a dozen times."""
    root = tmp_path_factory.mktemp("lived")
    office_files.write(root, office_files.files(rows(0)))
    space = Workspace.discover({}, start=root)
    for read in range(READS):
        (root / "inbox" / "stock.csv").write_text(rows(read))
        assert sync_stream(space, "office", "stock").error is None
    assert unify_publish(space).error is None
    space.control.close()
    return root


@pytest.fixture
def root(lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    copy = tmp_path / "company"
    shutil.copytree(lived, copy, symlinks=True)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    with patch.dict(os.environ):  # a process that builds definitions names its home there
        yield copy


@pytest.fixture
def space(root: Path) -> Iterator[Workspace]:
    made = Workspace.discover()
    yield made
    made.control.close()


def bloat(space: Workspace) -> int:
    """Leave free blocks in the store and its projection; returns the store's size."""
    with open_store(space.home) as store:
        for name in ("", "public."):
            if name:
                store.con.execute(f"attach '{space.home.public}' as public")
            store.con.execute(f"create table {name}ops.much as select random() from range(3000000)")
        for name in ("", "public."):
            store.con.execute(f"checkpoint {name[:-1]}")
            # Blocks at the end of a file are given back by a checkpoint, those before others not.
            store.con.execute(f"create table {name}ops.more as select random() from range(9)")
            store.con.execute(f"checkpoint {name[:-1]}")
            store.con.execute(f"drop table {name}ops.much")
            store.con.execute(f"checkpoint {name[:-1]}")
        store.con.execute("detach public")
    return space.home.store.stat().st_size


def answers(space: Workspace) -> list[Any]:
    with duckdb.connect(str(space.home.readable), read_only=True) as con:
        return [con.execute(sql).fetchall() for sql in (SQL, AS_OF)]


def quarantined(space: Workspace) -> list[Any]:
    with open_store(space.home) as store:
        return store.con.execute(
            "select id, rule, status from ops.quarantine order by 1"
        ).fetchall()


def test_everything_gets_smaller_and_answers_as_before(space: Workspace) -> None:
    size, before, entries = bloat(space), answers(space), quarantined(space)
    reader = duckdb.connect(str(space.home.readable), read_only=True)
    assert reader.execute("select count(*) from unified.stock_levels").fetchall() == [(300,)]
    done = compact(space, utc_now)
    parts = {p.name: p for p in done.parts}
    assert set(parts) == {"landing/office", "store", "projection"}
    landing = parts["landing/office"]
    assert (landing.packs, landing.busy) == (1, [])
    assert landing.batches in MERGED
    assert landing.after_bytes is not None
    assert landing.after_bytes < landing.bytes / 2
    assert landing.after_files == landing.files - 3 * landing.batches + 3
    assert space.home.store.stat().st_size < size / 2
    for name in ("store", "projection"):
        assert (parts[name].after_bytes or 0) < parts[name].bytes / 2
    assert done.figures()["bytes gone"] > size / 2
    assert reader.execute(SQL).fetchall() == before[0], "who has the file open reads on"
    reader.close()
    assert answers(space) == before
    assert quarantined(space) == entries
    again = compact(space, utc_now)
    assert again.figures() == {"batches": 0, "packs": 0, "files gone": 0, "bytes gone": 0}
    assert again.publish is None
    rebuild(space, utc_now)
    assert answers(space) == before
    assert quarantined(space) == entries


def test_reading_replaying_and_explaining_go_on(
    space: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    compact(space, utc_now)
    (id_,) = [i for i, _, status in quarantined(space) if status == "open"][-1:]
    assert main(["quarantine", "show", id_]) == 0
    assert "none" in capsys.readouterr().out
    assert main(["explain", "stock_level", "office/stock/A7"]) == 0
    assert "mappings/office/stock.yaml:3" in capsys.readouterr().out
    assert sync_stream(space, "office", "stock", full=True).inserted == 0
    mapping = space.defs.parent / "mappings" / "office" / "stock.yaml"
    mapping.write_text(mapping.read_text().replace("on_hand: qty", "on_hand: \"'5'\""))
    assert main(["quarantine", "replay"]) == 0
    assert not [i for i, _, status in quarantined(space) if status == "open"]


def test_too_little_room_is_told_before_anything_is_written(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    bloat(space)
    stood = {p: p.stat().st_mtime_ns for p in space.home.root.rglob("*") if p.is_file()}
    least = space.company().min_free
    usage = shutil.disk_usage(space.home.root)
    monkeypatch.setattr(
        compact_module.shutil, "disk_usage", lambda _: usage._replace(free=least + 1000)
    )
    with pytest.raises(DiskFull) as said:
        compact(space, utc_now)
    assert "(min_free) must stay free" in said.value.what
    assert "are needed" in said.value.what
    told = explain(said.value, space.home, [])
    assert "min_free" in told.do
    now = {p: p.stat().st_mtime_ns for p in space.home.root.rglob("*") if p.is_file()}
    changed = {p for p in stood.keys() | now.keys() if stood.get(p) != now.get(p)}
    assert {p for p in changed if "landing" in p.parts or p.suffix == ".duckdb"} == set()


def test_the_command_says_what_was_freed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compact", "--dry-run"]) == 0
    told = capsys.readouterr()
    assert "landing/office" in told.out
    said = told.err + told.out
    assert any(f"would be merged: {many}. Packs: 1." in said for many in MERGED)
    assert not list((root / "var" / "landing").rglob("*-*.json"))
    assert main(["compact", "office", "--json"]) == 0
    (part,) = json.loads(capsys.readouterr().out)["parts"]
    assert part["batches"] in MERGED
    assert part["packs"] == 1
    assert part["after_bytes"] < part["bytes"]
    assert main(["compact"]) == 0
    told = capsys.readouterr()
    assert "Batches merged: 0. Packs made: 0." in told.err + told.out
    assert main(["compact", "nobody"]) != 0
    assert "Nothing was ever landed of nobody" in capsys.readouterr().err


def test_the_night_takes_what_is_old_and_enough(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later() -> Any:
        return utc_now() + timedelta(days=3)

    def packs_of(now: Any, least: int) -> int:
        return compact(space, now, limits=replace(NIGHTLY, least=least)).figures()["packs"]

    assert (NIGHTLY.older, NIGHTLY.least) == (timedelta(days=2), 100)
    assert packs_of(utc_now, 1) == 0
    assert packs_of(later, READS + 1) == 0
    assert packs_of(later, READS - 1) == 1


def test_the_job_has_a_form_and_the_night_its_step(space: Workspace) -> None:
    repo = build(space).get_repository_def()
    steps = {node.name for node in repo.get_job("housekeeping").nodes}
    assert steps == {"delete_runs", "compact_nightly"}
    assert compact_nightly.name == "compact_nightly"
    config = {"ops": {"make_smaller": {"config": {"dry_run": True}}}}
    done = repo.get_job("compact").execute_in_process(run_config=config)
    assert done.success
    config["ops"]["make_smaller"]["config"] = {"connection": "office"}  # type: ignore[dict-item]
    done = repo.get_job("compact").execute_in_process(run_config=config)
    (event,) = [e for e in done.all_events if e.is_successful_output]
    said = event.event_specific_data.metadata  # type: ignore[union-attr]
    assert said["packs"].value == 1
    assert isinstance(said["room"], dg.TableMetadataValue)
    ((first, last),) = packs.ranges(space.home.landing / "office" / "stock")
    assert first == 1
    assert last in MERGED


def test_the_command_needs_no_dagster(root: Path) -> None:
    code = (
        "import sys; from pipelines.cli import main; main(['compact', '--dry-run']);"
        " sys.exit('dagster' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_status_counts_what_waits_in_packs(
    space: Workspace, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def waiting() -> int:
        assert main(["status", "--json"]) == 0
        (one,) = [s for s in json.loads(capsys.readouterr().out)["streams"] if "waiting" in s]
        return int(one["waiting"])

    compact(space, utc_now)
    assert waiting() == 0
    for read in range(50, 53):
        (root / "inbox" / "stock.csv").write_text(rows(read))
        assert sync_stream(space, "office", "stock").error is None
    assert waiting() == 3
    assert compact(space, utc_now, "office").figures()["packs"] == 1
    assert waiting() == 3
