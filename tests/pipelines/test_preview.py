"""`preview`: what a load would do with the first records, and nothing is touched."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import office_files
import pyarrow as pa
import pytest

from mappings.compile import compile_mapping
from mappings.load import parse_mapping
from pipelines.cli import main
from pipelines.sampling import first_records, samples
from pipelines.workspace import Workspace
from warehouse.errors import MappingMismatch
from warehouse.preview import preview

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ORDERS = """\
entity: order
key: id
version: updated_at
fields:
  number: name
  total: total_price
  currency: currency
children:
  lines:
    each: line_items
    entity: order_line
    key: id
    fields: {sku: sku, quantity: quantity}
"""
STOCK = "entity: stock_level\nkey: sku\nfields: {sku: sku, on_hand: qty}\n"


def plan(text: str, stream: str = "orders"):
    return compile_mapping(
        parse_mapping(text), connection="shop", stream=stream, zone="Asia/Shanghai", settings={}
    )


def order(number: int, **more: object) -> bytes:
    lines = [{"id": n, "sku": f"S{n}", "quantity": 1} for n in (1, 2)]
    record = {"id": number, "name": f"#{number}", "total_price": "12.50", "currency": "CNY",
              "updated_at": "2026-11-01T00:00:00Z", "line_items": lines} | more  # fmt: skip
    return json.dumps(record).encode()


def test_good_records_become_rows_with_their_children() -> None:
    found = preview(plan(ORDERS), [order(1), order(2)], now=NOW)
    own, lines = found.mapped
    assert (found.read, found.quarantined) == (2, 0)
    assert [dict(zip(own.columns, row, strict=True))["total"] for row in own.rows] == [
        Decimal("12.5000")
    ] * 2
    assert lines.child == "lines"
    assert lines.columns[0] == "parent"
    assert [row[:2] for row in lines.rows] == [("1", 1), ("1", 2), ("2", 1), ("2", 2)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (order(2, total_price="abc"), "total: is not a number"),
        (order(2, id=None), "key: is missing"),
        (order(2, line_items=[{"id": 1, "sku": "S", "quantity": "x"}]), "lines[0].quantity"),
        (order(2, line_items=[{"id": 1}, {"id": 1}]), "stands twice"),
    ],
    ids=["number", "key", "line", "repeated line"],
)
def test_what_a_load_would_quarantine_is_told_with_its_children_left_out(bad, reason) -> None:
    found = preview(plan(ORDERS), [order(1), bad, order(3)], now=NOW)
    own, lines = found.mapped
    assert found.quarantined == 1
    assert [r.position for r in own.refused] == [2]
    assert reason in own.refused[0].reasons[0]
    assert len(own.rows) == 2
    assert {row[0] for row in lines.rows} == {"1", "3"}


def test_a_line_that_is_no_json_is_told_and_the_others_are_mapped() -> None:
    found = preview(plan(ORDERS), [order(1), b'{"id": 2, "name', order(3)], now=NOW)
    assert [r.position for r in found.broken] == [2]
    assert found.quarantined == 1
    assert len(found.mapped[0].rows) == 2


def test_a_table_is_mapped_like_a_file_and_empty_columns_are_left_out() -> None:
    table = pa.table({"sku": ["a", "b"], "qty": ["1", "many"], "note": [None, None]})
    found = preview(plan(STOCK, "stock"), table, now=NOW)
    (own,) = found.mapped
    assert own.columns == ("source_key", "sku", "on_hand")
    assert own.rows == (("a", "a", Decimal("1.000000")),)
    assert [(r.source_key, r.reasons) for r in own.refused] == [
        ("b", ("on_hand: is not a number",))
    ]


def test_a_name_in_other_case_is_told_as_a_load_would() -> None:
    with pytest.raises(MappingMismatch, match="case matters"):
        preview(plan(STOCK, "stock"), pa.table({"sku": ["a"], "Qty": ["1"]}), now=NOW)


def test_no_records_are_no_rows() -> None:
    assert preview(plan(ORDERS), [], now=NOW).read == 0


def test_samples_are_texts_by_path() -> None:
    records = [b'{"id": 1, "a": {"b": true, "c": null}, "l": [{"s": 1.5}], "w": [1, 2]}']
    assert samples(records) == {
        "id": ["1"], "a.b": ["true"], "a.c": [], "l[0].s": ["1.5"], "w": ["[1,2]"],
    }  # fmt: skip
    table = pa.table({"sku": ["a", None], "_row": ["2", "3"]})
    assert samples(table) == {"sku": ["a"]}


@pytest.fixture
def office(tmp_path: Path, monkeypatch) -> Path:
    texts = office_files.files("sku,qty\n" + "".join(f"S{n},{n}\n" for n in range(30)))
    office_files.write(tmp_path, texts)
    (tmp_path / "mappings" / "office" / "stock.yaml").unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    return tmp_path


def test_ten_records_are_read_and_nothing_is_touched(office, capsys) -> None:
    (office / "mappings" / "office" / "stock.yaml").write_text(STOCK)
    assert main(["preview"]) == 0
    told = capsys.readouterr()
    assert "stock_level: 10 rows" in told.out
    assert "10 records read, 0 of them" in told.out
    assert not list(office.glob("var/landing/*"))
    assert not list(office.glob("var/store/*"))
    (noted,) = (office / "var" / "logs" / "access.jsonl").read_text().splitlines()
    assert json.loads(noted).items() >= {"what": "preview", "id": "office/stock"}.items()
    assert main(["preview", "office", "stock", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["mapped"][0]["rows"]) == 10


def test_columns_that_do_not_fit_stand_below_each_other(office, capsys, monkeypatch) -> None:
    (office / "mappings" / "office" / "stock.yaml").write_text(STOCK)
    monkeypatch.setattr("pipelines.cli.show.WIDE", 16)
    assert main(["preview"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told.count("── 10 ──") == 1
    assert "on_hand:    9.000000" in told


def test_without_a_mapping_the_next_step_is_told(office, capsys) -> None:
    assert main(["preview", "office", "stock"]) == 2
    assert "isthmus preview office stock --suggest" in capsys.readouterr().err


def test_first_records_are_at_most_so_many(office) -> None:
    assert len(first_records(Workspace.discover().connection("office"), "stock", 7)) == 7


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["preview", "offise"], "Did you mean office?"),
        (["preview", "office", "stok"], "Did you mean stock?"),
        (["preview", "office", "--entity", "stocklevel"], "Did you mean stock_level?"),
    ],
)
def test_a_misspelt_word_is_told(office, capsys, words, told) -> None:
    assert main(words) == 2
    assert told in capsys.readouterr().err
