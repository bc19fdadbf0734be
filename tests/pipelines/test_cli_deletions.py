"""Deletions that the breaker holds back are listed, and go through with a person's word."""

import json
from pathlib import Path

import office_files
import pytest

from pipelines.cli import main


def write(root: Path, count: int) -> None:
    lines = "".join(f"A{n},{n}\n" for n in range(count))
    (root / "inbox" / "stock.csv").write_text(f"sku,qty\n{lines}")


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> list | dict:
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_held_deletions_are_listed_and_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines.sync import sync_stream, unify_publish
    from pipelines.workspace import Workspace

    office_files.write(tmp_path, office_files.files(""))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    space = Workspace.discover({}, start=tmp_path)
    write(tmp_path, 200)
    assert sync_stream(space, "office", "stock").error is None
    write(tmp_path, 100)
    second = sync_stream(space, "office", "stock")
    assert (second.error, second.held, second.deleted) == (None, 100, 0)
    unify_publish(space)
    count = "select count(*) as n from unified.stock_levels"
    assert answer(capsys, "query", count) == [{"n": 200}]

    (held,) = answer(capsys, "deletions", "list")
    assert (held["keys"], len(held["first_keys"])) == (100, 10)
    done = answer(
        capsys, "deletions", "accept", "office", "stock", str(held["batch"]), "--why", "sold off"
    )
    assert done["deleted"] == 100
    assert answer(capsys, "query", count) == [{"n": 100}]
    assert answer(capsys, "deletions", "list") == []
    assert main(["deletions", "accept", "office", "stock", "1", "--why", "x"]) != 0
    assert "Traceback" not in capsys.readouterr().err
