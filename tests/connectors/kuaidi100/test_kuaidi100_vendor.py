"""The vendor's own package, which is for another of its APIs: what it says of carriers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from own_environment import locked_python

from connectors.kuaidi100.carriers import Carriers, shipped
from connectors.kuaidi100.settings import Kuaidi100Settings

pytestmark = pytest.mark.timeout(600)  # the first run installs the package


@pytest.fixture(scope="module")
def text(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the source of the vendor's package, which is not run."""
    what = "the vendor's package"
    python = locked_python(pytestconfig, tmp_path_factory, "kuaidi100", what, "--no-deps")
    home = Path(python).parents[1]
    (found,) = home.glob("lib/python*/site-packages/kuaidi100_mcp/api_mcp.py")
    return found.read_text("utf-8")


def test_carriers_are_coded_as_the_vendor_does(text: str):
    said = re.findall(r"[，；：]?([^\s，；：:\"]+)[:：]([a-z]{3,}|jd)(?=[，\"])", text)
    assert len(said) > 20
    known = Carriers({})
    assert {name: known.code(name) for name, _ in said} == dict(said)
    assert {code for _, code in said} <= shipped().keys()


def test_what_the_vendor_says_of_phones(text: str):
    assert "当快递单号为SF开头时必填" in text
    needs = Kuaidi100Settings.model_fields["needs_phone"].default
    assert Carriers.guess("SF1234567890") in needs
