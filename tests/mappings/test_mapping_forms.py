"""The printed YAML, the form's members, errors with file and line, extends and overlays."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from mapping_runs import fields, land, plan_of, run, run_plan

from mappings.compile import compile_mapping
from mappings.errors import MappingError
from mappings.find import locate
from mappings.load import load_mapping, parse_mapping
from mappings.yamltext import YamlError, read_file, read_text
from warehouse.model.plan import Reference

# FORMS.md section 3, both blocks as printed.
PRINTED = """\
entity: order
key: id                         # source key, text; a list is joined with '/', each part must be present
version: updated_at             # orders two versions of one record
deleted: status = 'removed'     # optional
fields:
  number: name
  placed_at: created_at
  currency: currency
  total: total_price
  status: {value: financial_status, paid: confirmed, pending: pending_approval, else: unknown}
  customer_key: customer.id     # reference: a party of the same connection
children:
  lines:
    each: line_items
    entity: order_line
    key: id
    fields: {sku: sku, name: title, quantity: quantity, unit_price: price}
"""  # noqa: E501 - as printed
FURTHER = """\
where: type = 'line'            # records that fail it belong to another mapping; they are not bad
group: FID                      # rows that repeat their head: one record a value; `each: rows` are the rows
extra: [tags, note]             # kept in the ext JSON column
fields:
  customer_key: {value: '"FCustId.FNumber"', stream: customers, by: code}   # by: another unique field than the key
  status: {value: state, words: {'1': confirmed, 'on': on_hold}, else: unknown}   # long form of a word map
children:
  lines: {each: rows, entity: order_line, key: FEntryID, fields: {currency: parent.FSettleCurrId}}
also:                           # further rows from the same record
  payment: {entity: payment, where: date_paid is not null, key: id, fields: {order_key: id, amount: total}}
"""  # noqa: E501 - as printed
ROWS = [
    {"FID": 7, "id": "p7", "type": "line", "FCustId.FNumber": "C1", "state": "on", "tags": ["x"],
     "FEntryID": 71, "FSettleCurrId": "CNY", "date_paid": "2026-01-01", "total": "9.50"},
    {"FID": 8, "id": "p8", "type": "line", "FCustId.FNumber": "C2", "state": "7", "note": "n",
     "FEntryID": 81, "FSettleCurrId": "USD", "date_paid": None, "total": "1"},
    {"FID": 7, "id": "p7", "type": "line", "FCustId.FNumber": "C1", "state": "on", "tags": ["x"],
     "FEntryID": 72, "FSettleCurrId": "CNY", "date_paid": "2026-01-01", "total": "9.50"},
    {"FID": 9, "id": "p9", "type": "head", "FCustId.FNumber": "C3", "FEntryID": 91},
]  # fmt: skip


def test_the_first_printed_block_works(tmp_path) -> None:
    out = run(
        PRINTED,
        [
            {"id": 1, "name": "#1", "updated_at": "2026-01-02T00:00:00Z", "currency": "CNY",
             "created_at": "2026-01-01 10:00:00", "total_price": "12.50", "status": "open",
             "financial_status": "paid", "customer": {"id": 7},
             "line_items": [{"id": 11, "sku": "A", "title": "Cup", "quantity": 2, "price": 6.25}]},
            {"id": 2, "status": "removed", "financial_status": "voided"},
        ],
        tmp_path,
    )  # fmt: skip
    first, second = out.rows
    assert first == {
        "n": 1, "source_key": "1", "record_key": "1", "version": "2026-01-02T00:00:00Z",
        "deleted": False, "number": "#1", "placed_at": datetime(2026, 1, 1, 2, tzinfo=UTC),
        "currency": "CNY", "total": Decimal("12.5000"), "status": "confirmed",
        "status_raw": "paid", "customer_key": "7", "ext": None, "errors": [], "warnings": [],
    }  # fmt: skip
    assert (second["deleted"], second["status"], second["status_raw"]) == (
        True,
        "unknown",
        "voided",
    )
    assert second["warnings"] == ["status: unknown word: voided"]
    assert out.children["lines"] == [
        {"n": 1, "line": 1, "source_key": "11", "sku": "A", "name": "Cup",
         "quantity": Decimal(2), "unit_price": Decimal("6.25"), "ext": None, "errors": [],
         "warnings": []}
    ]  # fmt: skip


def _check_grouped(out) -> None:
    first, second = out.rows
    assert [r["source_key"] for r in out.rows] == ["7", "8"]
    assert (first["customer_key"], first["status"], first["ext"]) == (
        "C1", "on_hold", '{"tags":["x"],"note":null}',
    )  # fmt: skip
    assert (second["status"], second["warnings"]) == ("unknown", ["status: unknown word: 7"])
    lines = [(x["n"], x["source_key"], x["currency"]) for x in out.children["lines"]]
    assert lines == [(1, "71", "CNY"), (1, "72", "CNY"), (2, "81", "USD")]
    paid = [(p["source_key"], p["record_key"], p["order_key"]) for p in out.also["payment"]]
    assert paid == [("p7", "7", "p7")]
    assert out.also["payment"][0]["amount"] == Decimal("9.5")
    assert [(p["position"], p["file_no"]) for p in out.paths] == [(1, 0), (2, 0), (4, 0)]


def test_the_second_printed_block_works_with_entity_and_key(tmp_path) -> None:
    text = "entity: order\nkey: FID\n" + FURTHER
    _check_grouped(run(text, ROWS, tmp_path))
    plan = plan_of(text)
    assert plan.targets[0].references == (Reference("customer_key", "party", "customers", "code"),)
    assert plan.targets[1].references == (Reference("order_key", "order", None, None),)


def test_the_second_printed_block_works_over_the_first(tmp_path) -> None:
    """A user's file extends a built-in one and names only what differs."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "orders.yaml").write_text(PRINTED)
    over = tmp_path / "kingdee" / "orders.yaml"
    over.parent.mkdir()
    over.write_text("extends: shop/orders\nkey: FID\n" + FURTHER)
    mapping = load_mapping(over, search=[tmp_path])
    plan = compile_mapping(mapping, connection="k", stream="orders", zone="UTC", settings={})
    assert plan.targets[0].has_version
    assert "number" in plan.targets[0].columns
    assert plan.targets[0].children[0].columns == (
        "sku", "name", "quantity", "unit_price", "currency",
    )  # fmt: skip
    _check_grouped(run_plan(plan, [land(tmp_path, ROWS)]))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_lines_and_files_are_kept_through_extends(tmp_path) -> None:
    base = write(tmp_path / "a", "rest/orders", fields(number="lowr(x)", total="total"))
    over = write(
        tmp_path / "b", "shop/orders", "# mine\nextends: rest/orders\nfields:\n  totl: x\n"
    )
    with pytest.raises(MappingError) as refused:
        compile_mapping(
            load_mapping(over, search=[tmp_path / "b", tmp_path / "a"]),
            connection="shop", stream="orders", zone="UTC", settings={},
        )  # fmt: skip
    assert [(e.file, e.line, e.field) for e in refused.value.all] == [
        (str(base), 4, "fields.number"), (str(over), 4, "fields.totl"),
    ]  # fmt: skip


def test_an_overlay_extends_the_file_that_it_hides(tmp_path) -> None:
    write(tmp_path / "built", "k/orders", fields(number="a", total="b"))
    write(tmp_path / "mid", "k/orders", "extends: k/orders\nfields: {total: c}\n")
    top = write(tmp_path / "top", "k/orders", "extends: k/orders\nfields: {total: null}\n")
    mapping = load_mapping(top, search=[tmp_path / "top", tmp_path / "mid", tmp_path / "built"])
    assert {n: v.value for n, v in mapping.form.fields.items()} == {"number": "a", "total": "null"}


def test_a_short_field_meets_a_long_one(tmp_path) -> None:
    write(tmp_path, "k/orders", fields(status="state", customer_key="c", currency="x"))
    over = "extends: k/orders\nfields:\n  status: {paid: confirmed, value: state}\n"
    over += "  customer_key: {by: code}\n  currency: y\n"
    form = load_mapping(write(tmp_path, "m/orders", over), search=[tmp_path]).form
    assert form.fields["status"].words == {"paid": "confirmed"}
    assert (form.fields["customer_key"].value, form.fields["customer_key"].by) == ("c", "code")
    assert form.fields["currency"].value == "y"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("extends: k/ordres\n", "Did you mean k/orders?"),
        ("extends: ../etc/passwd\n", "is no <system>/<stream>"),
        ("extends: [a]\n", "is no <system>/<stream>"),
        ("extends: m/self\n", "no mapping m/self"),
    ],
)
def test_extends_that_leads_nowhere(tmp_path, text, part) -> None:
    write(tmp_path, "k/orders", fields(number="a"))
    with pytest.raises(MappingError, match="extends") as refused:
        load_mapping(write(tmp_path, "m/self", text), search=[tmp_path])
    assert part in str(refused.value)
    assert refused.value.line == 1


def test_mappings_are_looked_up_by_connection_then_system_then_built_in(tmp_path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    assert locate("shop", "rest", "orders", [first, second]) is None
    system = write(second, "rest/orders", PRINTED)
    assert locate("shop", "rest", "orders", [first, second]) == system
    own = write(second, "shop/orders", PRINTED)
    assert locate("shop", "rest", "orders", [first, second]) == own
    nearer = write(first, "rest/orders", PRINTED)
    assert locate("shop", "rest", "orders", [first, second]) == nearer


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("key: id\nfields: {number: a}\n", 1, "`entity` is missing"),
        ("entity: order\nfields: {number: a}\n", 1, "`key` is missing"),
        ("entity: order\nkey: id\nfeilds: {number: a}\n", 3, "Did you mean fields?"),
        ("entity: ordre\nkey: id\nfields: {number: a}\n", 1, "Did you mean order?"),
        ("entity: order_line\nkey: id\nfields: {sku: a}\n", 1, "owned by order"),
        ("entity: order\nkey: id\n", 1, "maps no field"),
        ("entity: order\nkey: 5\nfields: {number: a}\n", 2, "same in all records"),
        ("entity: order\nkey: [id, a-b]\nfields: {number: a}\n", 2, "subtraction"),
        ("entity: order\nkey: []\nfields: {number: a}\n", 2, "does not fit"),
        ("entity: order\nkey: id\nfields:\n  number:\n", 4, "has no value"),
        ("entity: order\nkey: id\nfields:\n  number: a\n  number: b\n", 5, "stands twice"),
        ("entity: order\nkey: id\nfields: {nmber: a}\n", 3, "Did you mean number?"),
        ("entity: order\nkey: id\nfields:\n  number: {vlaue: a}\n", 4, "`value` is missing"),
        ("entity: order\nkey: id\nfields:\n  number: {value: a, nulable: true}\n", 4,
         "Did you mean nullable?"),
        ("entity: order\nkey: id\nfields:\n  status: {value: a, nulable: true}\n", 4,
         "Did you mean nullable?"),
        ("entity: order\nkey: id\nfields:\n  total: {value: a, x: y}\n", 4, "has no words"),
        ("entity: order\nkey: id\nfields:\n  number: {value: a, by: code}\n", 4,
         "refers to nothing"),
        ("entity: order\nkey: id\nfields:\n  customer_key: {value: a, by: cod}\n", 4,
         "Did you mean code?"),
        ("entity: order\nkey: id\nfields:\n  number: a\nempty: keeep\n", 5, "'null' or 'keep'"),
        ("entity: order\nkey: id\nversion: {value: a, as: date}\nfields: {number: a}\n", 3,
         "'instant', 'number' or 'text'"),
        ("entity: order\nkey: id\nversion: a b\nfields: {number: a}\n", 3, "alias"),
        ("entity: order\nkey: id\nwhere: type\nfields: {number: a-b}\n", 4, "subtraction"),
        ("entity: order\nkey: id\nwhere: 1 + 1\nfields: {number: a}\n", 3, "no condition"),
        ("entity: order\nkey: id\ndeleted: a = \nfields: {number: a}\n", 3, "no expression"),
        ("entity: order\nkey: id\nextra: [upper(a)]\nfields: {number: a}\n", 3, "no path"),
        ("entity: order\nkey: id\nfields: {number: a}\nwords: {是: ja}\n", 4, "neither true"),
        ("entity: order\nkey: id\nfields: {number: a}\nchildren:\n  line: {each: x, key: a}\n", 5,
         "Did you mean lines?"),
        ("entity: order\nkey: id\nchildren:\n  lines: {each: x, entity: address, key: a}\n", 4,
         "are order_line"),
        ("entity: order\nkey: id\nchildren:\n  lines: {each: x, key: a, fields: {skuu: a}}\n", 4,
         "Did you mean sku?"),
        ("entity: order\nkey: id\nchildren:\n  lines: {each: f(x), key: a, fields: {sku: a}}\n", 4,
         "no path"),
        ("entity: order\nkey: id\nfields: {number: a}\nalso:\n  p: {entity: pay, key: id}\n", 5,
         "there is no entity pay"),
        ("- a\n", 1, "is no mapping"), ("", 1, "is no mapping"), ("a: *x\n", 1, "aliases"),
        ("a: [b\n", 2, "is not YAML here"), ("entity: order\n\tkey: id\n", 2, "is not YAML here"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text, line, part) -> None:
    with pytest.raises(MappingError) as refused:
        plan_of(text)
    found = refused.value
    assert (found.file, found.line) == ("test.yaml", line)
    assert part in str(found)
    assert found.do


def test_yaml_words_mean_themselves(tmp_path) -> None:
    """`on`, `no`, `01`, `12:30` and `null` are not true, false, 1, 750 and nothing."""
    text = fields(
        status="{value: a, on: confirmed, no: cancelled, 01: draft, 12:30: on_hold, null: closed}"
    )
    records = [{"id": i, "a": a} for i, a in enumerate(["on", "no", "01", "12:30", "null", None])]
    out = run(text, records, tmp_path)
    assert out.column("status") == [
        "confirmed", "cancelled", "draft", "on_hold", "closed", None,
    ]  # fmt: skip


def test_key_parts_are_joined_and_each_must_be_there(tmp_path) -> None:
    text = "entity: order\nkey: [org, upper(no)]\nfields: {number: no}\n"
    out = run(text, [{"org": 1, "no": "a"}, {"org": 1}, {"org": "", "no": "b"}, {"no": None}],
              tmp_path)  # fmt: skip
    assert out.column("source_key") == ["1/A", None, None, None]
    assert out.errors == [
        [], ["key: upper(no) is missing"], ["key: org is missing"],
        ["key: org is missing", "key: upper(no) is missing"],
    ]  # fmt: skip


def test_a_blank_key_is_none_and_spaces_of_others_stay(tmp_path) -> None:
    result = run(fields(number="no"), [{"id": x} for x in ("", " ", "  ", " 8", "8")], tmp_path)
    assert result.column("source_key") == [None, None, None, " 8", "8"]
    assert result.errors == [["key: is missing"]] * 3 + [[], []]


def test_zero_is_a_key(tmp_path) -> None:
    assert run(fields(number="a"), [{"id": 0}], tmp_path).column("source_key") == ["0"]


def test_versions_are_text_and_say_how_they_are_compared(tmp_path) -> None:
    plan = plan_of(fields(number="a") + "version: {value: ufts, as: number}\n")
    assert (plan.targets[0].has_version, plan.targets[0].version_as) == (True, "number")
    out = run_plan(
        plan, [land(tmp_path, [{"id": 1, "ufts": 12}, {"id": 2, "ufts": ""}, {"id": 3}])]
    )
    assert out.column("version") == ["12", None, None]
    plain = plan_of(fields(number="a"))
    assert (plain.targets[0].has_version, plain.targets[0].version_as) == (False, None)


def test_deleted_may_be_a_flag_of_the_source(tmp_path) -> None:
    out = run(fields(number="a") + "deleted: gone\n",
              [{"id": 1, "gone": True}, {"id": 2, "gone": "0"}, {"id": 3}, {"id": 4, "gone": "?"}],
              tmp_path)  # fmt: skip
    assert out.column("deleted") == [True, False, False, False]
    assert out.errors == [[], [], [], ["deleted: is neither yes nor no"]]


def test_the_version_of_a_plan_follows_text_and_model_not_comments() -> None:
    one = plan_of(fields(number="a"))
    assert plan_of("# a comment\n" + fields(number="a")).version == one.version
    assert plan_of(fields(number="b")).version != one.version
    assert plan_of(fields(number="a"), zone="UTC").version != one.version
    text = fields(number="connection.shop")
    assert (
        plan_of(text, settings={"shop": "1"}).version
        != plan_of(text, settings={"shop": "2"}).version
    )
    assert one.lines == {"order.key": 2, "order.number": 4}
    assert [(p.spelled, p.place) for p in one.paths] == [
        ("id", "test.yaml:2"), ("a", "test.yaml:4"),
    ]  # fmt: skip


def test_quoted_first_names_are_members_not_parent_or_connection(tmp_path) -> None:
    text = fields(number="'\"connection\".x'", note="connection.name").replace("note", "buyer_note")
    row = run(text, [{"id": 1, "connection": {"x": "own"}}], tmp_path, settings={"name": "s"}).rows[
        0
    ]
    assert (row["number"], row["buyer_note"]) == ("own", "s")


def test_a_mapping_parsed_from_text_keeps_its_form() -> None:
    mapping = parse_mapping(PRINTED, "x.yaml")
    assert mapping.place(("fields", "total")) == ("x.yaml", 9)
    assert mapping.form.model_dump(by_alias=True)["fields"]["status"]["else"] == "unknown"
    assert "else" in str(type(mapping.form).model_json_schema())


def test_a_huge_file_is_not_read_whole(tmp_path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(4 << 30)  # sparse: takes no room
    with pytest.raises(YamlError, match="longer than"):
        read_file(path)


@pytest.mark.parametrize("text", ["a: &x s3cret", "a: !vault s3cret", "a: *s3cret"])
def test_what_stands_behind_an_anchor_or_tag_is_not_repeated(text) -> None:
    with pytest.raises(YamlError, match="anchors, aliases and tags") as caught:
        read_text(text)
    assert "s3cret" not in str(caught.value).replace("*s3cret", "")


@pytest.mark.parametrize(
    "text", ["a: " + "[" * 50_000, "a: " + "{" * 50_000, "- " * 20_000, "? " * 9_000]
)
def test_deep_nesting_ends_at_once(text) -> None:
    begun = time.process_time()
    with pytest.raises(YamlError, match="nested too deep"):
        read_text(text)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("text", ['a: "b\\0c"', '"b\\0c": a', '- "\\0"'])
def test_a_zero_character_is_refused(text) -> None:
    with pytest.raises(YamlError, match="zero character"):
        read_text(text)
