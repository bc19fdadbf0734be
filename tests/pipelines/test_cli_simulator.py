"""`isthmus simulator`: what it prints connects to what it serves, until Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors import registry
from connectors.base import utc_now
from connectors.errors import ConfigError
from connectors.rest.serve import serve
from connectors.simulated import simulated
from pipelines.check.project import check_project
from pipelines.cli import main
from pipelines.cli.new_connector import write
from pipelines.cli.yamlwrite import block
from pipelines.extract import Reading, extract
from pipelines.outcome import StreamOutcome
from pipelines.workspace import Workspace
from tests.support.surroundings import plain
from warehouse.landing import Landing


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISTHMUS_LANG", "en")


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package as `isthmus new-connector` writes it, as if it were installed."""
    write(tmp_path / "new", "acme")
    monkeypatch.syspath_prepend(str(tmp_path / "new"))
    from importlib import import_module

    kind = import_module("isthmus_acme").AcmeConnector
    load, names = registry.load, registry.names
    monkeypatch.setattr(registry, "load", lambda n: kind if n == "acme" else load(n))
    monkeypatch.setattr(registry, "names", lambda: [*names(), "acme"])
    yield
    for name in [one for one in sys.modules if one.startswith("isthmus_acme")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("system", "stream", "records"),
    [("kingdee", "orders", 1), ("stripe", "charges", 1), ("rest", "orders", 3),
     ("kuaidi100", "tracks", 0), ("shopify", "orders", 1), ("fxiaoke", "orders", 1),
     ("jushuitan", "orders", 1), ("alipay", "account_bill", 1), ("acme", "orders", 3)],
)  # fmt: skip
@pytest.mark.usefixtures("acme")
def test_what_is_printed_connects_to_what_is_served(
    system: str, stream: str, records: int, tmp_path: Path
):
    found = simulated(system)
    with serve(found.app) as url:
        path = tmp_path / "defs" / "sample" / "defs.yaml"
        path.parent.mkdir(parents=True)
        made = {"type": "pipelines.Connection", "attributes": found.attributes(system, url)}
        made["attributes"]["config"]["rate"] = "1000/s"  # nobody waits here
        path.write_text("\n".join(block(made)), encoding="utf-8")
        space = Workspace.discover(
            {
                "ISTHMUS_HOME": str(tmp_path / "home"), "ISTHMUS_DEFS": str(tmp_path / "defs"),
                **found.secrets,
            }
        )  # fmt: skip
        try:
            assert check_project(space).problems == ()
            connection = space.connection("sample")
            connector = connection.connector()
            told = list(connector.check())
            connector.close()
            assert [one for one in told if one.ok is False] == []
            assert any(one.ok for one in told)
            outcome = StreamOutcome("sample", stream)
            space.home.make()
            landing = Landing(space.home.landing)
            extract(connection, landing, outcome, Reading("changed", utc_now, lambda: None))
            assert outcome.read == records  # kuaidi100 asks what the published store names
        finally:
            space.control.close()


def test_it_is_served_on_loopback_until_ctrl_c(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", ENDED_BY_CTRL_C, "simulator", "kuaidi100", "--port", str(port)]
    served = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env=plain(os.environ | {"ISTHMUS_LANG": "en", "PYTHONUNBUFFERED": "1"}),
    )  # fmt: skip
    assert served.stderr is not None
    said = served.stderr.readline()
    assert f"answers at http://127.0.0.1:{port}, on this machine alone" in said
    with socket.create_connection(("127.0.0.1", port), 5):
        pass
    served.send_signal(signal.SIGINT)
    out, err = served.communicate(timeout=30)
    assert (served.returncode, "Stopped." in err) == (0, True)
    assert re.search(rf'base_url: "http://127\.0\.0\.1:{port}"', out)
    assert "K100_KEY=sample-key-0001" in out


ENDED_BY_CTRL_C = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
from pipelines.cli import main
sys.exit(main())
"""


def test_what_cannot_be_served_is_said(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ConfigError, match="no simulator that can be started"):
        simulated("sql")
    assert main(["simulator", "kuaid100"]) == 2
    assert "Did you mean kuaidi100?" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["simulator", "rest", "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot be used" in capsys.readouterr().err
