"""docs/alipay.md: its example runs as printed, and it names every setting and stream."""

from __future__ import annotations

import re
from pathlib import Path

from alipay_world import APP, DOWNLOADS, GATEWAY, World, private_text, public_text

from connectors.alipay.catalogue import STREAMS
from connectors.alipay.settings import AlipaySettings
from pipelines.check.project import check_project
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import PROJECT, Workspace
from warehouse.model import ENTITIES
from warehouse.reader import run_query

PAGE = (PROJECT / "docs" / "alipay.md").read_text("utf-8")


def test_the_example_runs_as_printed(tmp_path: Path) -> None:
    account = World(tmp_path / "account")
    account.move(2, "88.88")
    account.move(2, "-0.53")
    block = re.search(r"```yaml\n# defs/pay/defs\.yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    assert APP in block[1]
    path = tmp_path / "defs" / "pay" / "defs.yaml"
    path.parent.mkdir(parents=True)
    here = f"    base_url: {GATEWAY}\n    download_url: {DOWNLOADS}\n    allow_plain_http: true\n"
    path.write_text(block[1].replace("  streams:", f"{here}  streams:", 1), encoding="utf-8")
    space = Workspace.discover(
        {
            "ISTHMUS_HOME": str(tmp_path / "home"), "ISTHMUS_DEFS": str(tmp_path / "defs"),
            "ALIPAY_KEY": private_text(), "ALIPAY_PUBLIC_KEY": public_text(),
        }
    )  # fmt: skip
    try:
        report = check_project(space)
        assert (report.problems, report.unmapped) == ((), ())
        for stream in ("account_bill", "trade_bill"):
            done = sync_stream(
                space, "pay", stream, transport=account.network, now=account.time.now,
                pause=account.time.pause,
            )  # fmt: skip
            assert (done.error, done.quarantined) == (None, 0)
        assert unify_publish(space).error is None
        sql = "select kind, amount::double from unified.payments order by 1"
        rows = [tuple(row) for row in run_query(space.home.current, sql).rows]
        assert rows == [("fee", 0.53), ("payment", 88.88)]
    finally:
        space.control.close()
        account.close()


def test_the_page_names_every_setting_and_stream() -> None:
    shared = {"allow_private", "allow_plain_http", "tls", "timeout", "attempts", "patience"}
    for name, info in AlipaySettings.model_fields.items():
        assert f"`{name}`" in PAGE, name
        assert info.description or name in shared
    for name, source in STREAMS.items():
        assert f"`{name}`" in PAGE, name
        method = getattr(source, "method", "")
        assert not method or method.rpartition("bill")[2] in PAGE, method
    for setting in ("20h", "3d", "31d", "5/s", "09:30", "2000"):
        assert f"`{setting}`" in PAGE


def test_queries_of_the_page_and_of_the_streams_use_the_models_words() -> None:
    queries = " ".join([PAGE, *(getattr(source, "query", "") for source in STREAMS.values())])
    found = re.findall(
        r"from unified\.(\w+)\s+where .*?(\w*status) (?:= |in )(\([^)]*\)|'\w+')",
        queries,
        re.DOTALL,
    )
    assert len(found) == 3
    for table, name, listed in found:
        entity = next(cls for cls in ENTITIES.values() if cls.table == table)
        assert set(re.findall(r"'(\w+)'", listed)) <= set(entity.columns()[name].words), table
