"""Marts as files: by hand and every night, masked as what is published, whole or not there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import dagster as dg
import openpyxl
import pyarrow.parquet as pq
import pytest
from publish_parts import bring, order
from source_rows import MOMENT, Loader

from connectors.errors import ConfigError
from pipelines.alerts.causes import Cause, causes
from pipelines.check.connection_file import check_company_file
from pipelines.cli import main
from pipelines.export import export_marts
from pipelines.export_job import SCHEDULE, export, export_defs
from pipelines.workspace import Workspace
from warehouse import export as export_files
from warehouse import handout
from warehouse.errors import StoreError
from warehouse.home import Home
from warehouse.publish import publish
from warehouse.store import open_store

PHONE = "13987654321"
COMPANY = """\
type: pipelines.Company
attributes:
  timezone: Asia/Shanghai
  export: {folder: %s, at: "03:15", marts: [orders, customer_360]}
"""


def now() -> datetime:
    return datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    root = tmp_path / "company"
    (root / "defs" / "company").mkdir(parents=True)
    (root / "mappings").mkdir()
    (root / "defs" / "company" / "defs.yaml").write_text(COMPANY % "../share", "utf-8")
    monkeypatch.setenv("ISTHMUS_DEFS", str(root / "defs"))
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ISTHMUS_MAPPINGS", "")
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    return Workspace.discover(start=root)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    return tmp_path / "share"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two orders of one person, published once for all tests."""
    home = Home(tmp_path_factory.mktemp("stocked") / "home").make()
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("party", [{"key": "c", "kind": "person", "name": "王小明", "phone": PHONE}])
        first = order("1", customer_key="c", number="=1+1", total=Decimal("12345678901234.5678"))
        load.put("order", [first, order("2", customer_key="c", placed_at=MOMENT)])
        bring(store, home)
    publish(home, now=MOMENT)
    return home.root


@pytest.fixture
def fill(stocked: Path, space: Workspace) -> Callable[[], None]:
    """Put that home into the test's own."""

    def copy() -> None:
        shutil.copytree(stocked, space.home.root, symlinks=True, dirs_exist_ok=True)

    return copy


def test_files_hold_what_is_published_and_nothing_clear(
    space: Workspace, share: Path, fill: Callable[[], None]
) -> None:
    fill()
    mask = os.umask(0o077)  # the services'
    try:
        done = export_marts(space, now)
    finally:
        os.umask(mask)
    assert oct(share.stat().st_mode)[-3:] == "755"
    assert {p.name for p in share.iterdir()} == {
        "README.txt", "orders.xlsx", "orders.parquet", "customer_360.xlsx",
        "customer_360.parquet",
    }  # fmt: skip
    assert [(m.mart, m.rows) for m in done.marts] == [("orders", 2), ("customer_360", 1)]
    table = pq.read_table(share / "orders.parquet")
    assert sorted(table["number"].to_pylist()) == ["=1+1", "N2"]
    assert max(table["total"].to_pylist()) == Decimal("12345678901234.5678")
    assert str(table.schema.field("placed_at").type).startswith("timestamp[us, tz=")
    sheet, about = openpyxl.load_workbook(share / "orders.xlsx").worksheets
    rows = [dict(zip([c.value for c in sheet[1]], r, strict=True))
            for r in sheet.iter_rows(min_row=2, values_only=True)]  # fmt: skip
    by_number = {row["number"]: row for row in rows}
    assert by_number.keys() == {"=1+1", "N2"}
    assert all(c.data_type != "f" for line in sheet.iter_rows() for c in line)
    assert by_number["N2"]["placed_at"] == datetime(2026, 3, 1, 16)  # noqa: DTZ001
    assert by_number["=1+1"]["total"] == "12345678901234.5678"  # Excel would round it
    assert by_number["N2"]["party_name"] == "王**"
    assert ("channel", "渠道") in {(r[0], r[2]) for r in about.iter_rows(values_only=True)}
    assert "masked" in (share / "README.txt").read_text("utf-8-sig")
    for file in share.iterdir():
        assert oct(file.stat().st_mode)[-3:] == "644"
        assert PHONE.encode() not in file.read_bytes()
        assert "王小明".encode() not in file.read_bytes()


def test_too_many_rows_for_a_sheet_are_said_and_not_cut(
    space: Workspace, share: Path, fill: Callable[[], None], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    fill()
    export_marts(space, now, marts=["orders"])
    assert (share / "orders.xlsx").exists()
    monkeypatch.setattr(handout, "SHEET_ROWS", 2)
    assert main(["export", "--mart", "orders", "--json"]) == 0
    said = capsys.readouterr()
    assert "left out: orders.xlsx" in said.err
    (mart,) = json.loads(said.out)["marts"]
    assert mart["files"].keys() == {"parquet"}
    assert not (share / "orders.xlsx").exists()  # yesterday's would pass for today's
    assert "orders: 2 rows / 行 (parquet)" in (share / "README.txt").read_text("utf-8-sig")


def test_a_file_that_fails_stops_no_other_and_leaves_the_old_one(
    space: Workspace, share: Path, fill: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill()
    export_marts(space, now)
    before = (share / "orders.xlsx").read_bytes()
    left = share / f".orders.xlsx.{'0' * 32}"
    left.write_bytes(b"of a run that was killed")

    def broken(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_files, "_excel_cell", broken)
    done = export_marts(space, now)
    assert [text.partition(":")[0] for text in done.failed] == ["orders.xlsx", "customer_360.xlsx"]
    assert done.marts[0].files.keys() == {"parquet"}
    assert (share / "orders.xlsx").read_bytes() == before
    assert not [p for p in share.iterdir() if p.name.startswith(".")]
    assert "FAILED" in (share / "README.txt").read_text("utf-8-sig")


def test_all_of_a_handout_is_of_one_version(
    space: Workspace, share: Path, fill: Callable[[], None]
) -> None:
    fill()

    def publish_another(one: handout.Handed) -> None:
        with open_store(space.home) as store:
            Loader(store.con).put("order", [order(f"of {one.mart}")])
            bring(store, space.home)
        publish(space.home, keep=1, now=now())

    done = export_marts(space, now, marts=["orders", "entity_counts"], told=publish_another)
    assert done.marts[0].rows == 2
    counts = pq.read_table(share / "entity_counts.parquet").to_pylist()
    assert {r["entity"]: r["row_count"] for r in counts}["order"] == 2
    assert export_marts(space, now, marts=["orders"]).marts[0].rows == 4


def test_what_cannot_be_is_said(space: Workspace, tmp_path: Path, fill: Callable[[], None]) -> None:
    with pytest.raises(StoreError, match="Nothing is published"):
        export_marts(space, now)
    fill()
    with pytest.raises(ConfigError, match="no mart nope"):
        export_marts(space, now, marts=["nope"])
    with pytest.raises(ConfigError, match="inside the home"):
        export_marts(space, now, folder=space.home.landing)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        export_marts(space, now, folder=tmp_path / "file")
    space.company_path.write_text(
        (COMPANY % "x").replace("customer_360", "customer_36").replace("03:15", "27:00"), "utf-8"
    )
    said = "\n".join(map(str, check_company_file(space.company_path)))
    assert "customer_36" in said
    assert "customer_360" in said
    assert "attributes.export.at" in said or "export.at" in said


def told(space: Workspace) -> list[Cause]:
    return [cause for cause in causes(space, now()) if cause.name == "export"]


def test_the_night_is_the_companys_and_a_failure_is_a_failed_run(
    space: Workspace, share: Path, fill: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    defs = export_defs(space)
    (schedule,) = defs.schedules or ()
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert (schedule.name, schedule.cron_schedule, schedule.execution_timezone) == (
        SCHEDULE, "15 3 * * *", "Asia/Shanghai",
    )  # fmt: skip
    with dg.DagsterInstance.ephemeral() as instance:
        fill()
        assert export.execute_in_process(instance=instance).success
        assert told(space) == []
        shutil.rmtree(share)
        share.touch()
        failed = export.execute_in_process(instance=instance, raise_on_error=False)
        assert not failed.success
        (cause,) = told(space)
        assert (cause.severity, "cannot be written" in cause.what) == ("warning", True)
        assert cause.since is not None
        share.unlink()
        export_marts(space, now, folder=share)  # by hand, elsewhere: says nothing of the night
        assert told(space) == [cause]
        assert export.execute_in_process(instance=instance).success
        assert told(space) == []
    assert (share / "orders.parquet").exists()
    space.company_path.write_text((COMPANY % "x").replace("03:15", "never"), "utf-8")
    assert not export_defs(space).schedules
    space.company_path.write_text("type: pipelines.Company\nattributes: {export: 5}\n", "utf-8")
    assert not export_defs(space).schedules
