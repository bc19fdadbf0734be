"""The vendor's own package, which is for another of its APIs: what it says of carriers."""

from __future__ import annotations

import fcntl
import hashlib
import re
from pathlib import Path

import kuaidi100_world
import pytest
from own_environment import install

from connectors.kuaidi100.carriers import Carriers, shipped
from connectors.kuaidi100.settings import Kuaidi100Settings

pytestmark = pytest.mark.timeout(600)  # the first run installs the package
LOCK = Path(kuaidi100_world.__file__).parent / "kuaidi100" / "requirements.lock"


@pytest.fixture(scope="module")
def text(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the source of the vendor's package, which is not run."""
    cache = getattr(pytestconfig, "cache", None)
    root: Path = cache.mkdir("kuaidi100") if cache else tmp_path_factory.mktemp("kuaidi100")
    home = root / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes side by side install it once
        install(home, "the vendor's package", "--no-deps", "--require-hashes", "-r", str(LOCK))
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
