"""All that a new connection lacks is told at once, and in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.kingdee.settings import KingdeeSettings
from connectors.shopify.settings import ShopifySettings
from pipelines.cli import main

PAIR = "give either client_id and client_secret of an app, or token of an old one"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("defs", "mappings"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")


@pytest.mark.parametrize(
    ("system", "empty", "together", "given"),
    [
        ("shopify", ["base_url"], PAIR, {"base_url": "https://a.myshopify.com"}),
        ("fxiaoke", ["app_id", "app_secret", "permanent_code"], "new needs user (an employee id)",
         {"app_id": "FSAID_1", "app_secret": "env:A", "permanent_code": "env:B"}),
        ("alipay", ["app_id", "private_key", "since"], "give alipay_public_key, or all of",
         {"app_id": "2021000000000001", "private_key": "env:A", "since": "2026-01-01"}),
        ("kingdee", ["base_url", "account", "user"], "login: signed needs app_id and app_secret",
         {"base_url": "https://a.example/k3cloud", "account": "5f8a1b2c3d4e5f", "user": "u"}),
    ],
    ids=["shopify", "fxiaoke", "alipay", "kingdee"],
)  # fmt: skip
def test_what_goes_together_is_told_beside_what_is_empty(
    system: str,
    empty: list[str],
    together: str,
    given: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["connect", system, "one"]) == 2
    told = capsys.readouterr().out
    assert together in told
    for name in empty:
        assert f"attributes.config.{name}: has no value. Give: " in told
    assert f"{len(empty) + 1} mistakes" in told
    assert "found a map" not in told
    more = (word for pair in given.items() for word in ("--set", "=".join(pair)))
    assert main(["connect", system, "two", *more]) == 2
    told = capsys.readouterr().out
    assert together in told
    assert "1 mistakes" in told
    assert "found a map" not in told


def test_a_mistake_in_one_setting_hides_no_other() -> None:
    """Values never stand in the messages, as of all settings."""
    with pytest.raises(ValidationError) as raised:
        ShopifySettings.model_validate({"version": "canary-value", "bulk_above": -1})
    found = {one["loc"]: one for one in raised.value.errors()}
    assert set(found) == {("base_url",), ("version",), ("bulk_above",), ()}
    assert found["base_url",]["type"] == "missing"
    assert str(found[()]["ctx"]["error"]) == PAIR
    assert "canary-value" not in str(raised.value)
    with pytest.raises(ValidationError, match="go together"):
        ShopifySettings.model_validate({"base_url": "https://a.myshopify.com", "client_id": "a"})
    ShopifySettings.model_validate({"base_url": "https://a.myshopify.com", "token": "env:T"})


def test_a_way_to_sign_in_that_is_none_is_not_taken_for_one() -> None:
    """What was written there by mistake may be a secret."""
    with pytest.raises(ValidationError) as raised:
        KingdeeSettings.model_validate({"login": "canary-value", "password": "env:P"})
    assert ("login",) in {one["loc"] for one in raised.value.errors()}
    assert "canary-value" not in str(raised.value)
