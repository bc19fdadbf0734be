"""docs/jushuitan.md: its example runs as printed, and it names every setting and stream."""

from __future__ import annotations

import re
from pathlib import Path

from jushuitan_world import IDENTITY, SECRET, World

from connectors.jushuitan import sample as make
from connectors.jushuitan.catalogue import STREAMS
from connectors.jushuitan.faults import REFUSALS
from connectors.jushuitan.settings import JushuitanSettings
from connectors.site import SiteSettings
from pipelines.check.project import check_project
from pipelines.sync import sync_stream
from pipelines.workspace import PROJECT, Workspace

PAGE = (PROJECT / "docs" / "jushuitan.md").read_text("utf-8")


def test_the_example_runs_as_printed(tmp_path: Path) -> None:
    account = World(tmp_path / "account")
    account.oms.put("orders", make.order(1, [make.item(1, "A-1", 2, "1.50")]))
    block = re.search(r"```yaml\n# defs/oms/defs\.yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    path = tmp_path / "defs" / "oms" / "defs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(block[1], encoding="utf-8")
    space = Workspace.discover(
        {
            "ISTHMUS_HOME": str(tmp_path / "home"), "ISTHMUS_DEFS": str(tmp_path / "defs"),
            "JST_APP_KEY": IDENTITY.app_key, "JST_APP_SECRET": SECRET,
        }
    )  # fmt: skip
    try:
        report = check_project(space)
        assert (report.problems, report.unmapped) == ((), ())
        assert len(space.connection("oms").streams) == 9
        done = sync_stream(
            space, "oms", "orders", transport=account.network, now=account.time.now,
            pause=account.time.pause,
        )  # fmt: skip
        assert (done.error, done.inserted, done.quarantined, done.warnings) == (None, 2, 0, {})
    finally:
        space.control.close()
        account.close()


def test_the_page_names_every_setting_stream_and_code() -> None:
    for name in JushuitanSettings.model_fields.keys() - SiteSettings.model_fields.keys():
        assert f"`{name}`" in PAGE, name
    for name, info in SiteSettings.model_fields.items():
        assert f"`{name}`" in PAGE, name
        assert info.description, name
    for name, source in STREAMS.items():
        assert f"| `{name}` | `{source.path}` |" in PAGE, name
    for code in (*REFUSALS, "100", "199", "200"):
        assert f"| {code} |" in PAGE, code
    for setting in ("rate", "lookback", "lag", "page_size", "start_ts"):
        said = re.search(rf"\| `{setting}` \| `([^`]+)` \|", PAGE)
        assert said is not None, setting
        wanted = JushuitanSettings.model_validate(
            {"app_key": "env:A", "app_secret": "env:B", "since": "2026-01-01", setting: said[1]}
        )
        field = JushuitanSettings.model_fields[setting]
        assert getattr(wanted, setting) == field.default, setting
