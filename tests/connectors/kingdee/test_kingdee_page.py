"""docs/kingdee.md: its example runs as printed, and it names every setting and stream."""

from __future__ import annotations

import re
from pathlib import Path

from kingdee_world import IDENTITY, SECRET, World

from connectors.kingdee.catalogue import STREAMS
from connectors.kingdee.settings import KingdeeSettings
from pipelines.check.project import check_project
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import PROJECT, Workspace
from warehouse.reader import run_query

PAGE = (PROJECT / "docs" / "kingdee.md").read_text("utf-8")


def test_the_example_runs_as_printed(tmp_path: Path) -> None:
    account = World(tmp_path / "account")
    account.put("BD_Customer", 5, FNumber="CUST0001", FName="华东贸易")
    account.order(1, ("A-1", "2", "1.5"), ("A-2", "1", "7"))
    block = re.search(r"```yaml\n# defs/erp/defs\.yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    path = tmp_path / "defs" / "erp" / "defs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(block[1], encoding="utf-8")
    space = Workspace.discover(
        {
            "ISTHMUS_HOME": str(tmp_path / "home"), "ISTHMUS_DEFS": str(tmp_path / "defs"),
            "KD_APP_ID": IDENTITY.app_id, "KD_APP_SECRET": SECRET,
        }
    )  # fmt: skip
    try:
        report = check_project(space)
        assert (report.problems, report.unmapped) == ((), ())
        streams = [stream.name for stream in space.connection("erp").streams]
        assert len(streams) == 14
        for stream in ("customers", "orders"):
            done = sync_stream(
                space, "erp", stream, transport=account.network, now=account.time.now,
                pause=account.time.pause,
            )  # fmt: skip
            assert (done.error, done.quarantined, done.warnings) == (None, 0, {})
        assert unify_publish(space).error is None
        sql = (
            "select o.number, o.total::double, p.name from unified.orders o"
            " join unified.parties p using (party_id)"
        )
        rows = [tuple(row) for row in run_query(space.home.current, sql).rows]
        assert rows == [("XSDD0000001", 10.0, "华东贸易")]
    finally:
        space.control.close()
        account.close()


def test_the_page_names_every_setting_and_stream() -> None:
    for name, info in KingdeeSettings.model_fields.items():
        assert f"`{name}`" in PAGE, name
        assert info.description or name in ("skip", "language")
    for name, source in STREAMS.items():
        assert f"`{name}`" in PAGE, name
        assert f"`{source.form}`" in PAGE, source.form
    for setting in ("2052", "5/s", "10m"):
        assert f"`{setting}`" in PAGE
