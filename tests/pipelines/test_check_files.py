"""What the checker says of company files, mappings, folder names and files that are no YAML."""

import json
from pathlib import Path

import pytest

from pipelines.cli import main

GOOD = """\
type: pipelines.Connection
attributes:
  system: files
  config:
    folder: inbox
    streams:
      stock: {pattern: "*.csv", key: sku}
"""
MAPPING = """\
entity: stock_level
key: sku
fields:
  sku: sku
  on_hand: qty
"""


class Files:
    def __init__(self, root: Path, capsys) -> None:
        self.root = root
        self.capsys = capsys

    def write(self, name: str, text: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def check(self, *words: str) -> list[tuple[str, int, str, str]]:
        self.code = main(["check", "--offline", "--json", *words])
        out = json.loads(self.capsys.readouterr().out)
        return [
            (str(Path(p["file"]).relative_to(self.root)), p["line"], p["field"],
             f"{p['found']} {p['meant']}")
            for p in out["problems"]
        ]  # fmt: skip


@pytest.fixture
def files(tmp_path: Path, monkeypatch, capsys) -> Files:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    found = Files(tmp_path, capsys)
    (tmp_path / "mappings").mkdir()
    found.write("defs/office/defs.yaml", GOOD)
    found.write("mappings/office/stock.yaml", MAPPING)
    return found


def test_sound_files_have_no_problem(files) -> None:
    assert files.check() == []
    assert files.code == 0


def test_a_stream_without_a_mapping_is_told_where_it_is_declared(files) -> None:
    (files.root / "mappings/office/stock.yaml").unlink()
    ((file, line, field, text),) = files.check()
    assert (file, line, field) == ("defs/office/defs.yaml", 7, "streams.stock")
    assert "isthmus preview office stock --suggest" in text
    assert files.code == 2


def test_a_setting_without_effect_is_a_warning(files, capsys, monkeypatch) -> None:
    files.write(
        "defs/company/defs.yaml",
        "type: pipelines.Company\nattributes:\n  keep:\n    runs: 30d\n    landing: 90d\n",
    )
    assert files.check() == []
    assert files.code == 0
    for language, told in (("en", "nothing that was landed is ever dropped"), ("zh", "从不删除")):
        monkeypatch.setenv("ISTHMUS_LANG", language)
        assert main(["check", "--offline"]) == 0
        (line,) = [x for x in capsys.readouterr().out.splitlines() if "keep.landing" in x]
        assert "company/defs.yaml:5: " in line
        assert told in line
        assert "isthmus compact" in line


@pytest.mark.parametrize(
    ("mapping", "line", "told"),
    [
        (MAPPING.replace("on_hand: qty", "onhand: qty"), 5, "on_hand"),
        (MAPPING.replace("stock_level", "stock_levl"), 1, "stock_level"),
        (MAPPING.replace("key: sku\n", "key: sku\nfeilds: {}\n"), 3, "fields"),
        (MAPPING.replace("qty", "qty - reserved"), 5, ""),
        (MAPPING.replace("qty", "select 1"), 5, ""),
        (MAPPING.replace("entity: stock_level", "extends: files/stok"), 1, "files/stok"),
        (MAPPING + "  on_hand: other\n", 6, "twice"),
    ],
    ids=["field", "entity", "member", "subtraction", "statement", "extends", "repeated key"],
)
def test_a_mistake_in_a_mapping_has_file_and_line(files, mapping, line, told) -> None:
    files.write("mappings/office/stock.yaml", mapping)
    found = files.check()
    assert files.code == 2
    here = [p for p in found if p[:2] == ("mappings/office/stock.yaml", line)]
    assert here, found
    assert told in here[0][3] + here[0][2]


def test_two_mistakes_in_one_mapping_are_both_found(files) -> None:
    files.write(
        "mappings/office/stock.yaml",
        MAPPING.replace("sku: sku\n  on_hand", "skuu: sku\n  onhand"),
    )
    assert [p[1] for p in files.check()] == [4, 5]


def test_a_mapping_that_no_stream_leads_to_is_checked_too(files) -> None:
    files.write("mappings/ofice/stock.yaml", MAPPING)
    files.write("mappings/office/spare.yaml", "entity: nonsense\n")
    files.write("mappings/office/stock.yml", MAPPING)
    found = files.check()
    assert ("mappings/ofice/stock.yaml", "Did you mean office?") in [
        (p[0], p[3][-20:]) for p in found
    ]
    assert any(p[0] == "mappings/office/spare.yaml" for p in found)
    assert any(p[0] == "mappings/office/stock.yml" for p in found)


def test_names_of_the_company_file_are_those_of_things_that_are_there(files) -> None:
    files.write(
        "defs/company/defs.yaml",
        "type: pipelines.Company\nattributes:\n  priority:\n    party: [ofice]\n"
        "    parti: [office]\n    party.fone: [office]\n  sku_aliases:\n    shopp: {A: B}\n",
    )
    found = files.check()
    assert [p[1] for p in found] == [4, 5, 6, 8]
    guesses = ["office?", "party?", "party.phone?"]
    assert [p[3].rpartition("Did you mean ")[2] for p in found[:3]] == guesses


def test_the_company_file_is_checked(files) -> None:
    files.write(
        "defs/company/defs.yaml",
        "type: pipelines.Company\nattributes:\n  base_curency: CNY\n  privacy: open\n"
        "  timezone: Asia/Bejing\n  keep: {landing: a year}\n",
    )
    found = files.check()
    assert [(line, field) for _, line, field, _ in found] == [
        (3, "attributes.base_curency"),
        (4, "attributes.privacy"),
        (5, "attributes.timezone"),
        (6, "attributes.keep.landing"),
    ]
    assert "base_currency" in found[0][3]
    assert "masked" in found[1][3]
    assert "10m or 400d" in found[3][3]


@pytest.mark.parametrize("name", ["Office-2", "2nd", "销售"])
def test_a_folder_that_cannot_be_a_connections_name_gets_a_better_one(files, name) -> None:
    files.write(f"defs/{name}/defs.yaml", GOOD)
    (found,) = [p for p in files.check() if p[2] == "folder name"]
    assert "Rename it to " in found[3]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("type: pipelines.Connection\nattributes:\n\tsystem: files\n", 3, "not YAML"),
        (b"type: pipelines.Connection\nattributes: {title: \xbd\xf0}\n", 2, "UTF-8"),
        ("", 1, "pipelines.Connection"),
        ("- a\n- b\n", 1, "pipelines.Connection"),
        (GOOD.replace("pipelines.Connection", "pipelines.Conection"), 1, "pipelines.Connection"),
        (GOOD.replace("attributes:", "atributes:"), 2, "attributes"),
        (GOOD.replace("system: files", "system: filez"), 3, "files"),
        (GOOD.replace("system: files", "title: x"), 2, "system"),
        (GOOD + "  timezone: &a UTC\n", 8, "anchors"),
    ],
    ids=["tab", "gbk", "empty", "list", "type", "attributes", "system", "no system", "anchor"],
)
def test_a_file_that_is_no_connection_is_told_with_its_line(files, text, line, told) -> None:
    files.write("defs/shop/defs.yaml", text)
    found = [p for p in files.check() if p[0] == "defs/shop/defs.yaml"]
    assert files.code == 2
    assert found[0][1] == line
    assert told in " ".join(p[3] + p[2] for p in found)


def test_a_broken_file_leaves_the_other_connections_alone(files) -> None:
    from pipelines.connection import BrokenConnection, Connection
    from pipelines.workspace import Workspace

    files.write("defs/shop/defs.yaml", "type: pipelines.Connection\nattributes: [\n")
    found = Workspace.discover().connections()
    assert isinstance(found["office"], Connection)
    assert isinstance(found["shop"], BrokenConnection)
    assert "shop/defs.yaml:" in found["shop"].text


def test_a_system_that_does_not_answer_fails_the_check_but_not_the_files(files, capsys) -> None:
    assert main(["check"]) == 1
    told = capsys.readouterr().out
    assert "✗" in told
    assert "0 mistakes" in told
    assert "Traceback" not in told
