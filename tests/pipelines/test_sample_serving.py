"""The sample company's place and its servers: folders, ports, signals, words."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectors.errors import ConfigError
from pipelines.sample import servers
from pipelines.sample.place import OWN, sample_workspace
from pipelines.workspace import Workspace


def test_another_folder_gets_a_home_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "defs").mkdir()
    env = {"ISTHMUS_DEFS": str(tmp_path / "defs"), "ISTHMUS_HOME": str(tmp_path / "var")}
    space, folder = sample_workspace(Workspace.discover(env), env)
    assert space.defs == OWN
    assert space.home.root == tmp_path / "var" / "demo"
    assert folder == tmp_path / "var" / "demo" / "sample" / "office"
    assert env["SAMPLE_OFFICE"] == str(folder)
    assert sorted(space.connections()) == sorted([*servers.PORTS, "office"])


def test_definitions_name_the_ports_that_are_served() -> None:
    for connection, port in servers.PORTS.items():
        text = (OWN / connection / "defs.yaml").read_text("utf-8")
        assert f"base_url: http://127.0.0.1:{port}" in text


def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    free, held = list(servers.PORTS)[:2]
    monkeypatch.setitem(servers.PORTS, free, 0)  # any free one: others use the fixed ports too
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        monkeypatch.setitem(servers.PORTS, held, taken)
        with (
            pytest.raises(ConfigError, match=str(taken)) as caught,
            servers.running({free: None, held: None}),
        ):
            pass
    assert "stop the program" in caught.value.do


def test_serving_ends_at_a_signal(tmp_path: Path) -> None:
    env = dict(os.environ, ISTHMUS_HOME=str(tmp_path), ISTHMUS_DEFS=str(OWN), ISTHMUS_LANG="en")
    program = (
        "from pipelines.sample import __main__, servers\n"
        "__main__.build = lambda story: {'stripe': None}\n"  # the others take long to be filled
        "servers.PORTS['stripe'] = 0\n"
        "raise SystemExit(__main__.main(['serve']))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        said = [child.stdout.readline().strip() for _ in range(len(servers.SECRETS) + 2)]
        assert "export STRIPE_KEY=rk_test_sampleCompany" in said
        child.send_signal(signal.SIGTERM)
        begun = time.perf_counter()
        assert child.wait(20) == 0
        assert time.perf_counter() - begun < 15
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert len(list((tmp_path / "sample" / "office").iterdir())) == 2


def test_wrong_words_say_how_to_use_it(capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.sample.__main__ import main

    assert main([]) == 2
    assert main(["dance"]) == 2
    assert main(["ui", "three"]) == 2
    assert "serve | ui [PORT]" in capsys.readouterr().err
