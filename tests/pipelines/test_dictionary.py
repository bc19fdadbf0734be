"""`isthmus docs`: pages that open from their files, tell the truth, and run nobody's words."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from connectors.base import utc_now
from pipelines.cli import main
from pipelines.dictionary.diagram import WIDTH, Box, Edge, draw, layers_of
from pipelines.dictionary.facts import Dictionary, gather
from pipelines.dictionary.site import NotOurs, write_site
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse import marts
from warehouse.model import ENTITIES

EVIL = '"><script>evil()</script><img src=x onerror=evil()>'
CONNECTION = f"""\
type: pipelines.Connection
attributes:
  system: files
  title: '{EVIL}'
  config:
    folder: inbox
    streams:
      orders: {{pattern: "*.csv", key: id}}
  schedule: "0 * * * *"
"""
MAPPING = f"""\
entity: order
key: id
fields:
  number: name
  total: amount
  currency: "'CNY'"
  customer_name: who
  shop_name: coalesce(who, '{EVIL}')
"""
VOID = {"meta", "link", "input", "br", "img"}


class Reader(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: set[str] = set()
        self.handlers: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src"):
                self.addresses.append(str(value))
            if name == "id":
                self.ids.add(str(value))
            if name.startswith("on") or name == "style":
                self.handlers.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(file: Path) -> Reader:
    found = Reader()
    found.feed(file.read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    root = tmp_path_factory.mktemp("company")
    for name, text in {
        "defs/evil/defs.yaml": CONNECTION,
        "mappings/evil/orders.yaml": MAPPING,
        "inbox/o.csv": "id,name,amount,who\n1,N1,10.00,王小明\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    env = {"ISTHMUS_DEFS": str(root / "defs"), "ISTHMUS_HOME": str(root / "home"),
           "ISTHMUS_MAPPINGS": str(root / "mappings")}  # fmt: skip
    found = Workspace.discover(env, start=root)
    assert sync_stream(found, "evil", "orders").error is None
    assert unify_publish(found).error is None
    yield found
    found.control.close()


@pytest.fixture(scope="module")
def told(space: Workspace) -> Dictionary:
    return gather(space, utc_now())


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Reader]:
    return {file: read(file) for file in site.rglob("*.html")}


@pytest.fixture(scope="module")
def site(told: Dictionary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(told, tmp_path_factory.mktemp("out") / "site", "en").index.parent


def test_nobodys_words_become_markup(site: Path, pages: dict[Path, Reader]) -> None:
    for file, page in pages.items():
        assert page.tags.count("script") == 2, file  # ours
        assert "img" not in page.tags
        assert page.handlers == []
    assert EVIL in "".join(read(site / "streams.html").words)
    assert f"coalesce(who, '{EVIL}')" in read(site / "tables/source.orders.html").words
    assert "<" not in (site / "search.js").read_text("utf-8")


def test_every_link_leads_to_a_page_and_place_that_are_there(
    pages: dict[Path, Reader],
) -> None:
    broken = set()
    names = {str(file): page for file, page in pages.items()}
    for file, page in pages.items():
        for address in page.addresses:
            path, _, mark = address.partition("#")
            target = os.path.normpath(file.parent / path) if path else str(file)
            if address == "data:,":
                continue
            if target.endswith((".css", ".js")):
                assert Path(target).exists()
            elif target not in names or (mark and mark not in names[target].ids):
                broken.add((file.name, address))
    assert broken == set()


def test_the_index_names_every_table_and_column(site: Path, told: Dictionary) -> None:
    text = (site / "search.js").read_text("utf-8")
    rows = json.loads(text.removeprefix("window.ENTRIES = ").rstrip().rstrip(";"))
    names = {row[1] for row in rows}
    for table in told.tables.values():
        assert {table.full, *(f"{table.full}.{c.field.name}" for c in table.columns)} <= names
    assert ["t", "unified.orders"] in [row[:2] for row in rows]
    assert all(row[3] for row in rows)


def test_every_table_and_column_has_both_languages(told: Dictionary) -> None:
    lacking = [t.full for t in told.tables.values() if not (t.en and t.zh)]
    lacking += [
        f"{t.full}.{c.field.name}" for t in told.tables.values() for c in t.columns
        if not (c.field.en and c.field.zh)
    ]  # fmt: skip
    assert lacking == []
    names = {f"mart.{m.name}" for m in (*marts.in_order(), *marts.macros())}
    names |= {f"{s}.{cls.table}" for s in ("source", "unified") for cls in ENTITIES.values()}
    assert names <= told.tables.keys()


def test_a_column_is_followed_to_the_line_of_its_mapping(told: Dictionary) -> None:
    line = 1 + MAPPING.splitlines().index("  total: amount")
    for name in ("source.orders.total", "unified.orders.total", "mart.orders.open_amount"):
        table, _, column = name.rpartition(".")
        (found,) = [c for c in told.tables[table].columns if c.field.name == column]
        said = {(f.connection, f.stream, f.file, f.line, f.expression) for f, _ in found.fills}
        assert ("evil", "orders", "mappings/evil/orders.yaml", line, "amount") in said, name


def test_what_is_published_of_a_column_is_told(told: Dictionary) -> None:
    columns = {c.field.name: c for c in told.tables["unified.orders"].columns}
    kinds = {name: columns[name].policy.kind for name in ("total", "number", "ship_to_phone")}
    assert kinds == {"total": "clear", "number": "guarded", "ship_to_phone": "masked"}
    assert columns["buyer_note"].policy.kind == "dropped"
    assert columns["ship_to_phone_hash"].policy.kind == "hashed"
    assert columns["party_id"].ref == "unified.parties"
    assert columns["party_id"].via == "customer_key"
    party = {c.field.name: c for c in told.tables["mart.customer_360"].columns}["name"]
    assert (party.policy.kind, party.policy.tag) == ("masked", "name")


def test_rows_and_freshness_are_those_of_the_published_file(told: Dictionary, site: Path) -> None:
    assert told.tables["unified.orders"].rows == 1
    (stream,) = told.streams
    assert stream.fresh is not None
    assert stream.fresh.as_of is not None
    assert stream.fresh.promise == 7200
    page = " ".join(read(site / "streams.html").words)
    assert f"{stream.fresh.as_of:%Y-%m-%d %H:%M} UTC" in page


def test_only_a_folder_of_ours_is_replaced(told: Dictionary, site: Path, tmp_path: Path) -> None:
    (site / "left.html").write_text("of an older release")
    write_site(told, site, "zh")
    assert not (site / "left.html").exists()
    assert 'data-lang="zh"' in (site / "index.html").read_text("utf-8")
    assert [p.name for p in site.parent.iterdir()] == [site.name]
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(NotOurs):
        write_site(told, tmp_path, "en")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_without_a_published_file_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("defs", "mappings"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    assert main(["docs", "out", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["tables"] == len(list((tmp_path / "out/tables").iterdir()))
    assert (tmp_path / "mappings").is_dir()
    (tmp_path / "mappings" / "x").write_text("mine")
    assert main(["docs", "mappings"]) == 2
    assert "holds other files" in capsys.readouterr().err


def test_a_picture_has_every_box_in_its_place() -> None:
    assert layers_of([("b", "a"), ("c", "b"), ("a", "c"), ("b", "b")], "abc") == {
        "b": 0, "c": 1, "a": 2,
    }  # fmt: skip
    boxes = [Box("a", "a"), Box("b", "b", lines=["x"], layer=1), Box("c", "c", layer=1)]
    drawn = draw(boxes, [Edge("a", "b"), Edge("c", "a"), Edge("b", "c"), Edge("a", "gone")])
    assert len(drawn.edges) == 3
    spots = {box.id: (box.x, box.y) for box in drawn.boxes}
    assert spots["b"][0] == spots["c"][0] >= spots["a"][0] + WIDTH
    first, second = sorted(("b", "c"), key=lambda name: spots[name][1])
    height = next(box.height for box in boxes if box.id == first)
    assert spots[first][1] + height <= spots[second][1]
    assert all(re.fullmatch(r"M[-\d]+,[-\d]+ C([-\d]+,[-\d]+ ?){3}", e.path) for e in drawn.edges)
