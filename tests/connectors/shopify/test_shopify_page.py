"""docs/shopify.md: its connection is one, and it names every setting, stream and scope."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from connectors.base import Context, ReadRequest
from connectors.rest.serve import serve
from connectors.shopify import ShopifyConnector, ShopifySettings
from connectors.shopify.answers import DEAREST
from connectors.shopify.catalogue import STREAMS
from connectors.simulated import simulated
from pipelines.check.project import check_project
from pipelines.workspace import PROJECT, Workspace

PAGE = (PROJECT / "docs" / "shopify.md").read_text("utf-8")


def test_the_connection_is_one_as_printed(tmp_path: Path) -> None:
    ((path, text),) = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text, encoding="utf-8")
    space = Workspace.discover(
        {
            "ISTHMUS_HOME": str(tmp_path / "home"), "ISTHMUS_DEFS": str(tmp_path / "defs"),
            "SHOP_SECRET": "canary",
        }
    )  # fmt: skip
    try:
        report = check_project(space)
        assert (report.problems, report.unmapped) == ((), ())
    finally:
        space.control.close()
    assert set(yaml.safe_load(text)["attributes"]["streams"]) == set(STREAMS)


@pytest.mark.parametrize("way", ["app", "token"])
def test_the_page_reads_the_simulator_that_one_starts_by_hand(way: str) -> None:
    """Only the address and the secret are other than printed."""
    found = simulated("shopify")
    ((_, text),) = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
    config = yaml.safe_load(text)["attributes"]["config"]
    printed = found.attributes("shopify", "http://127.0.0.1:9")["config"]
    assert printed == config | {"base_url": "http://127.0.0.1:9", "allow_private": "true"}
    secrets = dict(found.secrets)
    if way == "token":
        ((name, value),) = re.findall(r"`(SHOP_TOKEN)=(\S+)`", PAGE)
        config = {"base_url": config["base_url"], "token": f"env:{name}"}
        secrets = {name: value}
    with serve(found.app) as url:
        context = Context("shop", "UTC", secret=lambda text: secrets[text.removeprefix("env:")])
        settings = config | {"base_url": url, "allow_private": "true"}
        one = ShopifyConnector(ShopifySettings.model_validate(settings), context)
        try:
            assert sum(len(page.keys) for page in one.read(ReadRequest("orders"))) == 1
        finally:
            one.close()


def test_the_page_names_every_setting_stream_and_scope() -> None:
    for name, info in ShopifySettings.model_fields.items():
        assert f"`{name}`" in PAGE, name
        assert info.description
    for name, source in STREAMS.items():
        assert len(re.findall(rf"^\| `{name}`.*\|$", PAGE, re.MULTILINE)) == 2, name
        assert (PROJECT / "mappings" / "shopify" / f"{name}.yaml").is_file()
        assert all(f"`{scope}`" in PAGE for scope in source.scopes)
    assert f"({DEAREST:.0f} points)" in PAGE
