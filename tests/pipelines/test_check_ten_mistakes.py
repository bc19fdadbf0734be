"""Ten mistakes planted in two connections: each is found with its file and line."""

import json
from pathlib import Path

import pytest

from pipelines.cli import main

SHOP = """\
type: pipelines.Connection
attributes:
  system: rest
  titel: Web shop
  config:
    base_url: http://127.0.0.1:18801
    allow_private: true
    auth: {bearer: sk_live_4eC39HqLyjWDarjtT1zdp7dc}
    headers: {X-Shop: "{{ env.SHOP }}"}
    streams:
      orders:
        path: /orders
        records: data
        key: id
        pagging: {cursor: next_cursor, param: cursor}
        path: /orders.json
  streams: [order]
  schedule: "*/15 * * *"
  timezone: Asia/Shangai
"""
STOCK = """\
type: pipelines.Connection
attributes:
  system: files
  config:
    folder: inbox
    streams:
      stock:
        pattern: stock*.csv
        key: sku
        trim: perhaps
  streams:
    stock: {shedule: "0 * * * *"}
"""
PLANTED = [
    ("shop", 4, "titel", "title"),
    ("shop", 8, "config.auth.bearer", "env:NAME"),
    ("shop", 9, "config.headers.X-Shop", "env:NAME"),
    ("shop", 15, "pagging", "paging"),
    ("shop", 16, "", "twice"),
    ("shop", 17, "streams[0]", "orders"),
    ("shop", 18, "schedule", "five fields"),
    ("shop", 19, "timezone", "Asia/Shanghai"),
    ("stock", 10, "trim", "true or false"),
    ("stock", 12, "shedule", "schedule"),
]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch) -> Path:
    for name, text in (("shop", SHOP), ("stock", STOCK)):
        folder = tmp_path / "defs" / name
        folder.mkdir(parents=True)
        (folder / "defs.yaml").write_text(text, "utf-8")
    (tmp_path / "mappings").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    return tmp_path


def check(capsys, *words: str) -> tuple[int, list[dict]]:
    code = main(["check", "--offline", "--json", *words])
    return code, json.loads(capsys.readouterr().out)["problems"]


@pytest.mark.parametrize(("name", "line", "field", "told"), PLANTED, ids=lambda v: str(v))
def test_each_is_found_where_it_stands(workspace, capsys, name, line, field, told) -> None:
    _, problems = check(capsys)
    file = str(workspace / "defs" / name / "defs.yaml")
    here = [p for p in problems if (p["file"], p["line"]) == (file, line)]
    assert len(here) == 1, [(p["file"][-16:], p["line"], p["field"]) for p in problems]
    assert field in here[0]["field"]
    assert told in here[0]["found"] + here[0]["meant"]


def test_they_are_all_there_is_and_the_exit_code_says_settings(workspace, capsys) -> None:
    code, problems = check(capsys)
    assert code == 2
    assert len(problems) == len(PLANTED)


def test_the_text_names_file_and_line_and_never_the_secret(workspace, capsys) -> None:
    assert main(["check", "--offline"]) == 2
    text = capsys.readouterr().out
    for name, line, _, _ in PLANTED:
        assert f"{name}/defs.yaml:{line}: " in text
    assert "4eC39" not in text
    assert "10 mistakes" in text


def test_one_connection_alone_can_be_checked(workspace, capsys) -> None:
    code, problems = check(capsys, "stock")
    assert code == 2
    assert [p["line"] for p in problems] == [10, 12]
    assert main(["check", "stoc"]) == 2
    assert "Did you mean stock?" in capsys.readouterr().err


def test_the_text_is_there_in_chinese_too(workspace, capsys, monkeypatch) -> None:
    monkeypatch.setenv("ISTHMUS_LANG", "zh")
    main(["check", "--offline"])
    assert "是否想写 title？" in capsys.readouterr().out
