"""docs/stripe.md: its examples run as printed, and it names every setting and stream."""

from __future__ import annotations

import re
from pathlib import Path

from stripe_world import KEY, World
from system_world import Network

from connectors.stripe import StripeSettings
from connectors.stripe.settings import VERSION
from connectors.stripe.streams import STREAMS
from pipelines.check.project import check_project
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import PROJECT, Workspace
from warehouse.reader import run_query

PAGE = (PROJECT / "docs" / "stripe.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_run_as_printed(tmp_path: Path) -> None:
    account = World(tmp_path / "account")
    account.charge(1234, metadata={"order_id": "SO-1", "shop_order": "SO-2"})
    assert [path for path, _ in BLOCKS] == ["defs/pay/defs.yaml", "mappings/pay/charges.yaml"]
    for path, text in BLOCKS:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    space = Workspace.discover(
        {
            "ISTHMUS_HOME": str(tmp_path / "home"),
            "ISTHMUS_DEFS": str(tmp_path / "defs"),
            "ISTHMUS_MAPPINGS": str(tmp_path / "mappings"),
            "STRIPE_KEY": KEY,
        }
    )
    try:
        report = check_project(space)
        assert (report.problems, report.unmapped) == ((), ())
        network = Network(account.stripe)
        for stream in space.connection("pay").streams:
            done = sync_stream(space, "pay", stream.name, transport=network, now=account.now)
            assert (done.error, done.quarantined, done.warnings) == (None, 0, {})
        assert unify_publish(space).error is None
        sql = "select amount::double, currency, merchant_order_no from unified.payments"
        rows = [tuple(row) for row in run_query(space.home.current, sql).rows]
        assert rows == [(12.34, "USD", "SO-2")]
    finally:
        space.control.close()
        account.close()


def test_the_page_names_every_setting_with_its_default() -> None:
    for name, info in StripeSettings.model_fields.items():
        assert f"`{name}`" in PAGE, name
        assert info.description
    assert f"`{VERSION}`" in PAGE


def test_the_page_names_every_stream_and_where_it_goes() -> None:
    for name in STREAMS:
        assert len(re.findall(rf"^\| `{name}`.*\|$", PAGE, re.MULTILINE)) == 2, name
        assert (PROJECT / "mappings" / "stripe" / f"{name}.yaml").is_file()
