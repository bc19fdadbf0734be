"""docs/fxiaoke.md: its example runs as printed, and it names every setting, stream and object."""

from __future__ import annotations

import re
from pathlib import Path

from fxiaoke_world import CODE, IDENTITY, SECRET, Network
from still_clock import StillClock

from connectors.fxiaoke.catalogue import SELDOM, STREAMS
from connectors.fxiaoke.sample import oid, order, record
from connectors.fxiaoke.settings import HOSTS, FxiaokeSettings
from connectors.fxiaoke.simulator import FxiaokeSimulator
from connectors.site import SiteSettings
from pipelines.check.project import check_project
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import PROJECT, Workspace
from warehouse.reader import run_query

PAGE = (PROJECT / "docs" / "fxiaoke.md").read_text("utf-8")


def test_the_example_runs_as_printed(tmp_path: Path) -> None:
    clock = StillClock()
    crm = FxiaokeSimulator(IDENTITY, now=clock.now)
    crm.put("AccountObj", record("AccountObj", 5, name="华东贸易"))
    lines = [{"quantity": "2", "sales_price": "1.5"}, {"quantity": "1", "sales_price": "7"}]
    head, *parts = order(1, lines, account_id=oid("AccountObj", 5))
    crm.put("SalesOrderObj", head)
    for part in parts:
        crm.put("SalesOrderProductObj", part)
    clock.wait(hours=1)
    block = re.search(r"```yaml\n# defs/crm/defs\.yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    path = tmp_path / "defs" / "crm" / "defs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(block[1], encoding="utf-8")
    space = Workspace.discover(
        {
            "ISTHMUS_HOME": str(tmp_path / "home"), "ISTHMUS_DEFS": str(tmp_path / "defs"),
            "FX_APP_SECRET": SECRET, "FX_PERMANENT_CODE": CODE,
        }
    )  # fmt: skip
    try:
        report = check_project(space)
        assert (report.problems, report.unmapped) == ((), ())
        assert len(space.connection("crm").streams) == 15
        for stream in ("customers", "orders"):
            done = sync_stream(
                space, "crm", stream, transport=Network(crm), now=clock.now, pause=clock.pause
            )
            assert (done.error, done.quarantined, done.landed) == (None, 0, 1)
        assert unify_publish(space).error is None
        sql = (
            "select o.number, o.total::double, p.name from unified.orders o"
            " join unified.parties p using (party_id)"
        )
        rows = [tuple(row) for row in run_query(space.home.current, sql).rows]
        assert rows == [("20261120-000001", 10.0, "华东贸易")]
    finally:
        space.control.close()


def test_the_page_names_every_setting_stream_and_object() -> None:
    own = FxiaokeSettings.model_fields.keys() - SiteSettings.model_fields.keys()
    for name in (*own, *SiteSettings.model_fields):
        assert f"`{name}`" in PAGE, name
    for name, source in STREAMS.items():
        assert f"`{name}`" in PAGE, name
        for one in source.objects:
            assert f"`{one.api}`" in PAGE, one.api
    for text in (*HOSTS, *SELDOM, "100/20s per path", "10m"):
        assert f"`{text}`" in PAGE, text
