"""`isthmus compact`: each part may fail or wait alone, and who reads meanwhile is not stopped."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import office_files
import pytest

import pipelines.sync
import warehouse.compact
from connectors.base import utc_now
from pipelines import compact as compact_module
from pipelines.cli import main
from pipelines.compact import NIGHTLY, Limits, compact
from pipelines.compact_job import compact_table
from pipelines.definitions import build
from pipelines.outcome import ErrorText, PublishOutcome
from pipelines.space import DiskFull
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse import lock, packs
from warehouse.landing import Landing
from warehouse.store import open_store

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
READS = 9
Now = Any


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has read its system some times; a third of its store is empty."""
    root = tmp_path_factory.mktemp("lived")
    office_files.write(root, office_files.files("sku,qty\nA1,0\n"))
    space = Workspace.discover({}, start=root)
    for read in range(READS):
        (root / "inbox" / "stock.csv").write_text(f"sku,qty\nA1,{read}\n")
        assert sync_stream(space, "office", "stock").error is None
    assert unify_publish(space).error is None
    with open_store(space.home) as store:
        store.con.execute(f"attach '{space.home.public}' as public")
        for name in ("", "public."):
            store.con.execute(f"create table {name}ops.much as select random() from range(3000000)")
            store.con.execute(f"checkpoint {name[:-1]}")
            # Blocks at the end of a file are given back by a checkpoint, those before others not.
            store.con.execute(f"create table {name}ops.more as select random() from range(9)")
            store.con.execute(f"checkpoint {name[:-1]}")
            store.con.execute(f"drop table {name}ops.much")
            store.con.execute(f"checkpoint {name[:-1]}")
        store.con.execute("detach public")
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


def later() -> Any:
    return utc_now() + timedelta(days=3)


def land(space: Workspace, connection: str, many: int = 3) -> Path:
    """Land batches of a connection that no file describes any more; returns their folder."""
    landing = Landing(space.home.landing)
    for n in range(many):
        with landing.writer(
            connection, "quiet", mode="changed", read=f"r{n}", connector="x@1", started=utc_now()
        ) as writer:
            writer.add([b'{"id":"k%d"}' % n], [f"k{n}"], {"at": n})
    return landing.folder(connection, "quiet")


def damage(space: Workspace) -> None:
    """Cut a sidecar of one stream, which the plan meets, and data of another, which it does not."""
    cut = next(land(space, "aaa").glob("*1.json"))
    cut.write_bytes(cut.read_bytes()[:40])
    data = land(space, "bbb") / "000000000001.ndjson.zst"
    data.write_bytes(b"x" + data.read_bytes()[1:])


def test_damaged_streams_end_nothing_but_themselves(
    space: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(space)
    size = space.home.store.stat().st_size
    assert main(["compact", "--json"]) == 1
    told = capsys.readouterr()
    said = json.loads(told.out)
    assert [f["name"] for f in said["failed"]] == ["landing/aaa/quiet", "landing/bbb/quiet"]
    assert {f["error"]["kind"] for f in said["failed"]} == {"LandingDamaged"}
    assert "landing/aaa/quiet" in told.err
    assert "landing/bbb/quiet" in told.err
    assert packs.ranges(space.home.landing / "office" / "stock")
    assert space.home.store.stat().st_size < size / 2
    assert said["publish"]["error"] is None


def test_a_sync_goes_on_between_two_packs(
    space: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse.compact, "MOST_BATCHES", 3)
    made, real = [], warehouse.compact.compact

    def one(*args: Any, **named: Any) -> Any:
        done = real(*args, **named)
        made.append(done.packs)
        if len(made) == 1:
            (root / "inbox" / "stock.csv").write_text("sku,qty\nA1,77\n")
            assert sync_stream(space, "office", "stock").error is None
        return done

    monkeypatch.setattr(warehouse.compact, "compact", one)
    done = compact(space, utc_now, "office")
    (part,) = done.parts
    assert made == [1] * part.packs + [0]
    assert part.packs == READS // 3
    assert part.files - part.after_files == 2 * READS, "what the sync landed does not count"


def test_a_night_makes_so_many_packs_of_a_stream(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse.compact, "MOST_BATCHES", 2)
    limits = Limits(packs=2)
    (part,) = compact(space, utc_now, "office", limits=limits).parts
    assert (part.packs, part.batches, part.unfinished) == (2, 4, ["office/stock"])
    (part,) = compact(space, utc_now, "office", limits=limits).parts
    assert (part.packs, part.unfinished) == (2, [])
    assert NIGHTLY.packs == 10


def test_the_night_leaves_a_large_store_to_a_person(space: Workspace) -> None:
    before = {p: p.stat().st_mtime_ns for p in (space.home.store, space.home.public)}
    done = compact(space, later, limits=replace(NIGHTLY, store=1000))
    assert [p.name for p in done.parts if p.is_left] == ["store", "projection"]
    assert "by hand" in str(compact_table(done).records)
    assert before == {p: p.stat().st_mtime_ns for p in before}
    done = compact(space, later, limits=NIGHTLY)
    assert not [p for p in done.parts if p.is_left]
    assert done.figures()["bytes gone"] > 10_000_000


def everything(root: Path) -> dict[Path, Any]:
    return {
        p: (p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else None) for p in root.rglob("*")
    }


def test_a_dry_run_changes_nothing_and_waits_for_nobody(space: Workspace) -> None:
    before = everything(space.home.root)
    with lock.hold(space.home.lock, wait=0, now=utc_now):
        before[space.home.lock] = everything(space.home.root)[space.home.lock]
        parts = {p.name: p for p in compact(space, utc_now, dry_run=True).parts}
        assert everything(space.home.root) == before
    assert parts["store"].after_bytes is None
    assert parts["projection"].after_bytes is None
    assert parts["landing/office"].packs == 1
    compact(space, utc_now)
    parts = {p.name: p for p in compact(space, utc_now, dry_run=True).parts}
    assert parts["store"].after_bytes == parts["store"].bytes


def test_the_disk_of_the_landing_is_asked_for_its_part(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(space.home.root)
    asked: list[Path] = []

    def small(path: Path) -> Any:
        asked.append(path)
        is_small = path == space.home.landing
        return usage._replace(free=0 if is_small else 10**15)

    def plenty(path: Path) -> Any:
        asked.append(path)
        return usage._replace(free=10**15)

    monkeypatch.setattr(compact_module.shutil, "disk_usage", small)
    with pytest.raises(DiskFull) as said:
        compact(space, utc_now, "office")
    assert said.value.place == str(space.home.landing)
    assert asked == [space.home.landing]
    monkeypatch.setattr(compact_module.shutil, "disk_usage", plenty)
    compact(space, utc_now)
    assert {space.home.landing, space.home.store.parent} <= set(asked)


def test_the_jobs_fail_naming_all_that_failed(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(space)
    wrong = PublishOutcome("failed", error=ErrorText("StoreFull", "no room.", "free space."))
    monkeypatch.setattr(pipelines.sync, "unify_publish", lambda *_, **__: wrong)
    repo = build(space).get_repository_def()
    done = repo.get_job("housekeeping").execute_in_process(raise_on_error=False)
    (failed,) = done.get_step_failure_events()
    assert failed.step_key == "compact_nightly"
    text = str(failed.step_failure_data.user_failure_data)
    for name in ("landing/aaa/quiet", "publishing (no room)", "'room': TableMetadataValue"):
        assert name in text
    assert "landing/bbb/quiet (" not in text, "three batches are nothing for the night"
    done = repo.get_job("compact").execute_in_process(raise_on_error=False)
    (failed,) = done.get_step_failure_events()
    assert "landing/bbb/quiet (" in str(failed.step_failure_data.user_failure_data)
