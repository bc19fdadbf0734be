"""The published file comes to another machine whole or not at all, and goes on where it ended."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from connectors.base import Context
from connectors.errors import ConfigError, ConnectorError
from connectors.folder import WebFolder
from connectors.rest.serve import serve
from pipelines import pull as module
from pipelines.cli import main
from pipelines.pull import KEPT, STABLE, Pulled, pull
from warehouse import public, reader


class Site:
    """A web server of a published folder; `login` is the header that it wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[tuple[str, str]] = []
        self.login = ""
        self.broken: dict[str, bytes] = {}
        self.app = Starlette(routes=[Route("/data/{name}", self._answer)])
        folder.mkdir()

    def publish(self, version: int) -> str:
        name = f"unified-20260301T12000{version}Z.duckdb"
        (self.folder / name).write_bytes(public.empty_file({}))
        said = {"version": str(version), "file": name,
                "bytes": (self.folder / name).stat().st_size}  # fmt: skip
        (self.folder / "current.json").write_text(json.dumps(said))
        return name

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append((name, request.headers.get("range", "")))
        if self.login and request.headers.get("authorization") != self.login:
            return Response(status_code=401)
        if name in self.broken:
            return Response(self.broken[name])
        return FileResponse(self.folder / name)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "published")


def bring(url: str, folder: Path, **how: Any) -> Pulled:
    source = WebFolder(f"{url}/data", Context("pull"), allow_private=True, **how)
    try:
        return pull(source, folder)
    finally:
        source.close()


def test_a_new_version_comes_once(site: Site, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    first = site.publish(1)
    with serve(site.app) as url:
        done = bring(url, mine)
        assert (done.path, done.changed) == (mine / STABLE, True)
        assert done.path.read_bytes() == (site.folder / first).read_bytes()
        assert stat.S_IMODE(done.path.stat().st_mode) == 0o444
        site.asked.clear()
        assert not bring(url, mine).changed
        assert [name for name, _ in site.asked] == ["current.json"]
        for version in range(2, 6):
            site.publish(version)
            assert bring(url, mine).changed
        assert len(list(mine.glob("unified-*.duckdb"))) == KEPT
        assert reader.run_query(done.path, "select 1").rows


def test_what_was_begun_goes_on(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    name = site.publish(1)
    whole = (site.folder / name).read_bytes()
    (mine / f".{name}.part").write_bytes(whole[:100_000])
    (mine / ".unified-20250101T000000Z.duckdb.part").write_bytes(b"of a version that is gone")
    monkeypatch.setattr("connectors.folder.PIECE", 200_000)
    with serve(site.app) as url:
        done = bring(url, mine)
    assert done.bytes == len(whole) - 100_000
    assert ("current.json", "") in site.asked
    assert (name, "bytes=100000-299999") in site.asked
    assert done.path.read_bytes() == whole
    assert not list(mine.glob(".*.part"))


def test_a_reader_keeps_what_it_opened(site: Site, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    site.publish(1)
    with serve(site.app) as url:
        opened = bring(url, mine).path.open("rb")
        before = opened.read(100)
        site.publish(2)
        bring(url, mine)
        opened.seek(0)
        assert opened.read(100) == before
        opened.close()


def test_where_an_open_file_cannot_be_replaced_the_new_one_stands_beside(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    site.publish(1)
    replace = Path.replace

    def held(self: Path, target: Path) -> Path:
        if target.name == STABLE and target.exists():
            raise PermissionError("in use")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", held)
    with serve(site.app) as url:
        first = bring(url, mine)
        name = site.publish(2)
        second = bring(url, mine)
    assert (first.path.name, second.path.name) == (STABLE, name)
    assert not list(mine.glob("*.tmp"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("current.json", b"<html>", "is not what Isthmus publishes"),
        ("current.json", b'{"file": "../../etc/passwd", "bytes": 1}', "names no published version"),
        ("current.json", b'{"file": "unified-20260301T120001Z.duckdb", "bytes": "x"}',
         "names no published version"),
        ("unified-20260301T120001Z.duckdb", b"cut", "is not the one that was announced|cut off"),
    ],
)  # fmt: skip
def test_what_is_no_published_version_is_refused_and_nothing_is_left(
    site: Site, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    site.publish(1)
    site.broken[name] = content
    with serve(site.app) as url, pytest.raises(ConnectorError, match=said):
        bring(url, tmp_path / "mine")
    assert not list((tmp_path / "mine").glob("*.duckdb"))


def test_a_file_that_does_not_open_is_taken_away(site: Site, tmp_path: Path) -> None:
    name = site.publish(1)
    good = (site.folder / name).read_bytes()
    (site.folder / name).write_bytes(os.urandom(len(good)))
    with serve(site.app) as url:
        with pytest.raises(ConnectorError, match="does not open"):
            bring(url, tmp_path / "mine")
        (site.folder / name).write_bytes(good)
        assert bring(url, tmp_path / "mine").changed


def test_too_little_room_is_said_before_anything_comes(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = site.publish(1)
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with serve(site.app) as url, pytest.raises(ConnectorError, match="10 are free"):
        bring(url, tmp_path / "mine")
    assert (name, "") not in site.asked


def test_private_addresses_are_spoken_to_only_when_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        WebFolder("http://127.0.0.1:9/data", Context("pull"))


def test_the_command_line_logs_in(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    monkeypatch.setenv("STORE_LOGIN", "ana:canary-pass")
    site.publish(1)
    site.login = "Basic YW5hOmNhbmFyeS1wYXNz"
    folder = str(tmp_path / "mine")
    with serve(site.app) as url:
        assert main(["pull", f"{url}/data", folder, "--allow-private"]) == 1
        given = ["pull", f"{url}/data", folder, "--allow-private", "--login", "env:STORE_LOGIN"]
        assert main(given) == 0
        assert main([*given, "--json"]) == 0
        site.login = "Bearer other"
        assert main(given) == 1
    said = capsys.readouterr()
    assert "is the newest version" in said.out
    assert "canary" not in said.out + said.err
    assert "YW5h" not in said.out + said.err
