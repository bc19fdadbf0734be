"""`isthmus new-connector`: what it writes passes the suite untouched; what it refuses to write."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tomllib
from contextlib import closing
from fnmatch import fnmatch
from pathlib import Path

import pytest
from mapping_runs import run

from connectors.testing import CASES, START
from mappings import find
from pipelines.check.secrets import is_secret, scalars
from pipelines.cli import main
from pipelines.cli.new_connector import SUFFIX, TEMPLATE, write

ROOT = Path(__file__).resolve().parents[2]
NO_NETWORK = """\
import socket

def refuse(*where):
    raise OSError(f"no network here: {where}")

socket.socket.connect = refuse
socket.getaddrinfo = refuse
"""


def test_what_is_written_passes_the_suite_untouched_and_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    assert main(["new-connector", "acme"]) == 0
    assert "isthmus-acme/isthmus_acme/connector.py" in capsys.readouterr().out
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"],
        cwd=tmp_path / "isthmus-acme", env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    own = 2  # the mapping, and what the suite holds against its own declarations
    assert f"{len(CASES) - 1 + own} passed, 1 skipped" in done.stdout
    lines = (tmp_path / "isthmus-acme/isthmus_acme/connector.py").read_text().splitlines()
    assert len(lines) <= 160


@pytest.mark.parametrize("name", ["acme", "testrail_2"])
def test_every_file_bears_the_name_alone(name: str, tmp_path: Path):
    files = write(tmp_path / "new", name)
    assert len(files) == len(list(TEMPLATE.rglob(f"*{SUFFIX}")))
    for file in files:
        text = file.read_text("utf-8")
        if name != "acme":
            assert "acme" not in (text + str(file.relative_to(tmp_path))).lower()
        if file.suffix == ".py":
            compile(text, str(file), "exec")
    points = tomllib.loads((tmp_path / "new" / "pyproject.toml").read_text())["project"]
    assert [list(each) for each in points["entry-points"].values()] == [[name], [name]]


def test_the_mapping_takes_what_the_simulator_sends(tmp_path: Path):
    write(tmp_path / "new", "acme")
    made = runpy.run_path(str(tmp_path / "new/isthmus_acme/simulator.py"))
    acme = made["AcmeSimulator"]("secret")
    acme.put(1, START)
    mapping = (tmp_path / "new/isthmus_acme/mappings/acme/orders.yaml").read_text("utf-8")
    got = run(mapping, list(acme.orders.values()), tmp_path)
    assert got.errors == [[]]
    assert (got.rows[0]["number"], got.rows[0]["status"]) == ("A-000001", "confirmed")
    assert got.children["lines"][0]["sku"] == "SKU-1"


def test_the_package_brings_its_mappings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path / "new", "acme")
    told = tomllib.loads((tmp_path / "new" / "pyproject.toml").read_text("utf-8"))["project"]
    points = told["entry-points"]["isthmus.mappings"]
    about = tmp_path / "new" / "isthmus_acme-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: isthmus-acme\nVersion: 0.1.0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (about / "entry_points.txt").write_text("\n".join(["[isthmus.mappings]", *lines, ""]))
    assert find.locate("mine", "acme", "orders", ()) is None
    monkeypatch.syspath_prepend(str(tmp_path / "new"))
    find.brought.cache_clear()
    try:
        brought = tmp_path / "new" / "isthmus_acme" / "mappings" / "acme" / "orders.yaml"
        assert find.locate("mine", "acme", "orders", ()) == brought
        assert find.is_mapped("acme")
        assert "acme/orders" in find.known(())
        assert find.locate("mine", "kingdee", "orders", ()) == ROOT / "mappings/kingdee/orders.yaml"
        own = tmp_path / "folder" / "acme" / "orders.yaml"
        own.parent.mkdir(parents=True)
        own.touch()
        assert find.locate("mine", "acme", "orders", [tmp_path / "folder"]) == own
    finally:
        find.brought.cache_clear()


def test_connect_takes_none_of_its_settings_for_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(tmp_path / "new", "some_acme")
    monkeypatch.syspath_prepend(str(tmp_path / "new"))
    bench = runpy.run_path(str(tmp_path / "new/tests/test_conformance.py"))["OrdersBench"]
    with closing(bench(tmp_path)) as made:
        settings = made.settings()
    taken = [spot for spot, value in scalars(settings) if is_secret(spot, str(value))]
    assert taken in ([], [("app_secret",)])  # a reference may stand there
    assert settings["app_secret"] == "env:SOME_ACME_SECRET"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Acme", "cannot be a connector's name"),
        ("a__b", "cannot be a connector's name"),
        ("9to5", "cannot be a connector's name"),
        ("../acme", "cannot be a connector's name"),
        ("class", "cannot be a connector's name"),
        ("x" * 31, "cannot be a connector's name"),
        ("rest", "There is a connector 'rest' already"),
        ("yonyou_u8", "There is a connector 'yonyou_u8' already"),
    ],
)
def test_a_name_that_will_not_do_is_refused(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    assert main(["new-connector", name]) == 2
    what, do = capsys.readouterr().err.strip().splitlines()
    assert said in what
    assert do.startswith("  Do: ")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("kept")
    assert main(["new-connector", "acme", "--folder", str(mine)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert [file.name for file in mine.iterdir()] == ["notes.txt"]
    assert main(["new-connector", "acme", "--folder", str(tmp_path / "no" / "where")]) == 2
    assert "is not there" in capsys.readouterr().err


def test_the_wheel_ships_the_template():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    patterns = [each.removeprefix("**/") for each in told["package-data"]["*"]]
    files = [file for file in TEMPLATE.rglob("*") if file.is_file()]
    assert files
    assert [f for f in files if not any(fnmatch(f.name, each) for each in patterns)] == []
