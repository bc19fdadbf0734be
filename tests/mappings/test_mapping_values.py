"""Typed values: what is kept exactly, what is broken, what is null, and which trap each one is."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from mapping_runs import ZONE, fields, land_parquet, plan_of, run, run_plan

from mappings.errors import MappingError


def one(tmp_path, to: str, value, *, entity="order", source="a", more="", **options):
    """Return (value, errors, row) of one field read from one record."""
    text = fields(entity, **{to: source}) + more
    out = run(text, [{"id": 1, "a": value}], tmp_path, **options)
    return out.rows[0][to], out.rows[0]["errors"], out.rows[0]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("12.50", "12.5000"), (12.5, "12.5000"), (5, "5.0000"), ("1e3", "1000.0000"),
        (" 7 ", "7.0000"), ("1.23450000000000000000000000", "1.2345"), ("", None), ("  ", None),
        ("　", None), ("\u00a0", None), (None, None), ("+3", "3.0000"), ("0.0000", "0.0000"),
        ("12345678901234.5678", "12345678901234.5678"), ("1.5e-3", "0.0015"), ("0e5", "0.0000"),
    ],
)  # fmt: skip
def test_money_that_is_taken(tmp_path, value, found) -> None:
    got, errors, _ = one(tmp_path, "total", value)
    assert errors == []
    assert got == (None if found is None else Decimal(found))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("n/a", "is not a number"), ("1,234.50", "is not a number"), ("¥5", "is not a number"),
        ("１２", "is not a number"), (True, "is not a number"), ("inf", "is not a number"),
        ("nan", "is not a number"), ("1_000", "is not a number"), ("0x1F", "is not a number"),
        ({"amount": 5}, "is not a number"), ([], "is not a number"),
        ("1e400", "is not a number"), ("123456789012345", "does not fit the column"),
        ("1e20", "does not fit the column"),
        # DuckDB rounds these in silence
        ("12.34567", "has more decimals than the column keeps"),
        ("1e-30", "has more decimals than the column keeps"),
        ("0.00001", "has more decimals than the column keeps"), (0.0000001, "has more decimals"),
        ("1.0000000000000000000000000000001", "has more decimals than the column keeps"),
        ("1.23456e0", "has more decimals than the column keeps"),
        ("-1", "not negative"),  # the model's rule, in its own words
    ],
)  # fmt: skip
def test_money_that_is_broken(tmp_path, value, reason) -> None:
    _, errors, _ = one(tmp_path, "total", value)
    assert len(errors) == 1
    assert errors[0].startswith(f"total: {reason}")


@pytest.mark.parametrize(
    ("to", "value", "found"),
    [
        ("unit_price", "0.1234567891", "0.1234567891"), ("unit_price", "123456789.5",
        "123456789.5"),
        ("unit_price", "1234567890123.0000000001", "1234567890123.0000000001"),
        ("unit_price", "0.12345678912", "has more decimals than the column keeps"),
        ("quantity", "-2.5", "-2.5"), ("quantity", "1e-7", "has more decimals"),
        ("tax_rate", 0.13, "0.13"), ("tax_rate", "13%", "is not a number"),
    ],
)  # fmt: skip
def test_other_decimals(tmp_path, to, value, found) -> None:
    text = (
        "entity: order\nkey: id\nchildren:\n"
        f"  lines: {{each: l, entity: order_line, key: position, fields: {{{to}: a}}}}\n"
    )
    row = run(text, [{"id": 1, "l": [{"a": value}]}], tmp_path).children["lines"][0]
    if row["errors"]:
        assert row["errors"][0].startswith(f"{to}: {found}")
    else:
        assert row[to] == Decimal(found)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (3, 3), ("3", 3), (" -0 ", "not negative or zero"), (5.0, 5), ("5.", 5), ("", None),
        ("1.10", "is not a whole number"), ("99.5", "is not a whole number"),
        (".5", "is not a whole number"), ("0x1F", "is not a whole number"),
        ("1_000", "is not a whole number"), (1e3, 1000), ("abc", "is not a whole number"),
        ("9" * 30, "does not fit the column"), (True, "is not a whole number"),
    ],
)  # fmt: skip
def test_integers(tmp_path, value, found) -> None:
    got, errors, _ = one(tmp_path, "package_count", value, entity="shipment")
    if isinstance(found, str) and "or zero" in found:
        assert (got, errors) == (0, [])
    elif isinstance(found, str):
        assert errors == [f"package_count: {found}"]
    else:
        assert (got, errors) == (found, [])


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-01-01 10:00:00", moment(2026, 1, 1, 2)),  # no offset: the connection's zone
        ("2026-01-01T10:00:00Z", moment(2026, 1, 1, 10)),
        ("2026-01-01T10:00:00+02:00", moment(2026, 1, 1, 8)),
        ("2026-01-01", moment(2025, 12, 31, 16)),
        ("2026/01/02 03:04:05", moment(2026, 1, 1, 19, 4, 5)),
        ("", None), (None, None), ("0000-00-00 00:00:00", "is not a moment in time"),
        ("infinity", "between 1970 and 2200"), ("12026-01-01", "between 1970 and 2200"),
        ("0001-01-01T00:00:00", "between 1970 and 2200"), ("2026-02-30", "is not a moment in time"),
        ("20260101", "is not a moment in time"), (1767225600000, "is not a moment in time"),
        ("2026-01-01 10:00:00 PM", "is not a moment in time"),
    ],
)  # fmt: skip
def test_instants(tmp_path, value, found) -> None:
    got, errors, _ = one(tmp_path, "placed_at", value)
    if isinstance(found, str):
        assert errors == [f"placed_at: {found}"]
    else:
        assert (got, errors) == (found, [])


def test_times_in_a_gap_or_twice_follow_the_zone(tmp_path) -> None:
    got, _, _ = one(tmp_path, "placed_at", "2026-03-29 02:30:00", zone="Europe/Berlin")
    assert got == moment(2026, 3, 29, 1, 30)
    got, _, _ = one(tmp_path, "placed_at", "2026-10-25 02:30:00", zone="Europe/Berlin")
    assert got == moment(2026, 10, 25, 1, 30)


@pytest.mark.parametrize(
    ("source", "value", "found"),
    [
        ("instant_ms(a)", 1767225600000, moment(2026, 1, 1)),  # epoch_ms would be 8 hours off
        ("instant_ms(a)", "1767225600123", datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)),
        ("instant_ms(a)", -5, None), ("instant_ms(a)", "9" * 18, None), ("instant_ms(a)",
        "x", None),
        ("instant_ms(a)", 1.5, None),
        ("dotnet_date(a)", "/Date(1767225600000)/", moment(2026, 1, 1)),
        ("dotnet_date(a)", "/Date(1767225600000+0800)/", moment(2026, 1, 1)),
        ("dotnet_date(a)", "/Date(-62135596800000)/", None), ("dotnet_date(a)", "2026", None),
        ("strptime(a, '%Y%m%d%H%M')", "202601011000", moment(2026, 1, 1, 2)),
        ("strptime(a, '%Y-%m-%dT%H:%M:%S%z')", "2026-01-01T10:00:00+0000", moment(2026, 1, 1, 10)),
        ("strptime(a, '%Y%m%d')", "20261301", None),
        ("to_timestamp(a::bigint)", 1767225600, moment(2026, 1, 1)),
        ("to_timestamp(a::bigint)", 10**17, None),
        ("a::timestamptz + interval '8 hours'", "2026-01-01T00:00:00Z", moment(2026, 1, 1, 8)),
        ("{value: a, zone: America/New_York}", "2026-01-01 10:00:00", moment(2026, 1, 1, 15)),
        ("{value: a, zone: America/New_York}", "2026-01-01T10:00:00Z", moment(2026, 1, 1, 10)),
        ("{value: a, zone: America/New_York}", "2026-01-01 10:00:00+01", moment(2026, 1, 1, 9)),
        ("{value: a, zone: America/New_York}", "never", None),
    ],
)  # fmt: skip
def test_instants_written_otherwise(tmp_path, source, value, found) -> None:
    got, errors, _ = one(tmp_path, "placed_at", value, source=source)
    if found is None:
        assert len(errors) == 1
    else:
        assert (got, errors) == (found, [])


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-01-01", "2026-01-01"), ("2026-01-01 23:30:00", "2026-01-01"),
        ("2026-01-01T20:00:00Z", "2026-01-02"),  # not the day in UTC
        ("2026-01-01T20:00:00+08:00", "2026-01-01"), ("0000-00-00", "is not a date"),
        ("1066-10-14", "between 1900 and 2200"), ("", None), ("soon", "is not a date"),
    ],
)  # fmt: skip
def test_dates(tmp_path, value, found) -> None:
    got, errors, _ = one(tmp_path, "order_date", value)
    if errors:
        assert errors == [f"order_date: {found}"]
    else:
        assert (None if got is None else str(got)) == found


def test_a_date_with_a_zone_of_its_own(tmp_path) -> None:
    got, errors, _ = one(tmp_path, "order_date", "2026-01-01T03:00:00Z",
                         source="{value: a, zone: America/New_York}")  # fmt: skip
    assert (str(got), errors) == ("2025-12-31", [])


@pytest.mark.parametrize(
    ("source", "value", "found"),
    [
        ("a", True, True), ("a", "0", False), ("a", "Yes", True), ("a", "", None),
        ("a", "是", "bad"), ("a", "on", "bad"), ("a", "1.0", "bad"), ("a", 2, "bad"),
        ("{value: a, words: {是: true, 否: false}}", "否", False),
        ("{value: a, 是: true, 否: false}", "是", True),
        ("{value: a, on: true, off: false}", "on", True), ("{value: a, on: true}", "x", "bad"),
        ("{value: a, words: {x: true}, else: false}", "anything", False),
        ("a = 'x'", "x", True),
    ],
)  # fmt: skip
def test_booleans(tmp_path, source, value, found) -> None:
    got, errors, _ = one(tmp_path, "is_test", value, source=source)
    if found == "bad":
        assert errors == ["is_test: is neither yes nor no"]
    else:
        assert (got, errors) == (found, [])


def test_words_of_booleans_for_a_whole_mapping(tmp_path) -> None:
    more = "words: {是: true, 否: false}\ndeleted: a\n"
    got, errors, row = one(tmp_path, "is_test", "是", more=more)
    assert (got, errors, row["deleted"]) == (True, [], True)


@pytest.mark.parametrize(
    ("source", "value", "word", "warned"),
    [
        ("{value: a, paid: confirmed, else: unknown}", "paid", "confirmed", False),
        ("{value: a, paid: confirmed, else: unknown}", "weird", "unknown", True),
        ("{value: a, paid: confirmed}", "draft", "draft", False),
        ("{value: a, paid: confirmed, else: draft}", "weird", "draft", False),
        ("{value: a, words: {'1': confirmed, 'on': on_hold}, else: unknown}", 1, "confirmed",
        False),
        ("{value: a, words: {'1': confirmed, 'on': on_hold}, else: unknown}", "on",
        "on_hold", False),
        ("{value: a, no: cancelled}", "no", "cancelled", False),  # YAML 1.1 reads `no` as false
        ("a", "Draft ", "draft", False), ("a", "weird", "unknown", True), ("a", "", None, False),
        ("a", None, None, False), ("a", "unknown", "unknown", False),
        ("{value: a, lost: unknown}", "lost", "unknown", False),
        ("upper(a)", "draft", "draft", False), ("{value: a, 已付款: completed}", "已付款",
        "completed", False),
    ],
)  # fmt: skip
def test_words(tmp_path, source, value, word, warned) -> None:
    got, errors, row = one(tmp_path, "status", value, source=source)
    assert (got, errors) == (word, [])
    assert row["warnings"] == ([f"status: unknown word: {value}"] if warned else [])
    if word is not None:
        assert row["status_raw"].lower() == str(value).lower()


def test_an_unknown_word_is_cut_and_keeps_its_row(tmp_path) -> None:
    _, errors, row = one(tmp_path, "status", "w" * 500)
    assert errors == []
    assert len(row["warnings"][0]) < 100
    assert row["status_raw"] == "w" * 500


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", ""), (" ", " "), ("x", "x"), (True, "true"), (1.5, "1.5"), (None, None),
        ({"b": 1}, '{"b":1}'), (9007199254740993, "9007199254740993"), ("null", "null"),
        ("01", "01"), ("😀", "😀"),
    ],
)  # fmt: skip
def test_text_is_kept_as_it_is(tmp_path, value, found) -> None:
    got, errors, _ = one(tmp_path, "number", value)
    assert (got, errors) == (found, [])


def test_a_zero_character_and_a_broken_rule_of_a_text(tmp_path) -> None:
    assert one(tmp_path, "number", "a\x00b")[1] == ["number: holds a zero character"]
    assert one(tmp_path, "currency", "RMB")[1] == []
    assert one(tmp_path, "currency", "rmb")[1][0].startswith("currency: three capital letters")
    assert one(tmp_path, "currency", "")[:2] == (None, [])  # says nothing, breaks nothing


def test_an_expression_that_loses_its_value_is_broken_in_text_too(tmp_path) -> None:
    assert one(tmp_path, "number", "x", source="a || b")[1] == [
        "number: is null although the source has a value"
    ]
    assert one(tmp_path, "number", "x", source="{value: a || b, nullable: true}")[:2] == (None, [])


def test_blanks_by_the_mappings_habit(tmp_path) -> None:
    assert one(tmp_path, "total", " ", more="empty: keep\n")[1] == ["total: is not a number"]
    assert one(tmp_path, "number", "", more="empty: 'null'\n")[0] is None
    assert one(tmp_path, "number", "", more="empty: null\n")[0] is None
    assert one(tmp_path, "number", "", more="empty: keep\n")[0] == ""
    assert one(tmp_path, "currency", "", more="empty: keep\n")[1] != []
    assert one(tmp_path, "total", "", source="a::decimal * 2.0")[:2] == (None, [])


def test_false_means_empty_where_the_mapping_says_so(tmp_path) -> None:
    more = "false_is_null: true\n"
    assert one(tmp_path, "number", False)[0] == "false"
    assert one(tmp_path, "number", False, more=more)[0] is None
    assert one(tmp_path, "total", False, more=more)[:2] == (None, [])
    assert one(tmp_path, "total", False)[1] == ["total: is not a number"]
    assert one(tmp_path, "is_test", False, more=more)[0] is False
    assert one(tmp_path, "number", False, source="coalesce(a, 'none')", more=more)[0] == "none"
    text = fields("party", level="partner_id[0]") + more
    out = run(text, [{"id": 1, "partner_id": False}, {"id": 2, "partner_id": [7, "x"]}], tmp_path)
    assert out.column("level") == [None, "7"]


def test_json_fields(tmp_path) -> None:
    assert one(tmp_path, "tags", ["a", "b"])[0] == '["a","b"]'
    assert one(tmp_path, "tags", "a, b")[0] == '"a, b"'
    assert one(tmp_path, "tags", "[not json")[0] == '"[not json"'
    assert one(tmp_path, "tags", None)[0] is None


@pytest.mark.parametrize(
    ("amount", "currency", "found"),
    [
        (12345, "CNY", "123.45"), ("5", "usd", "0.05"), (500, "JPY", "500"), (1234, "KWD", "1.234"),
        (1, "CLF", "0.0001"), ("12.5", "CNY", None), (100, "?", None), (100, None, None),
        ("x", "CNY", None), (10**13, "VND", "10000000000000"),
    ],
)  # fmt: skip
def test_cents_by_the_currencys_exponent(tmp_path, amount, currency, found) -> None:
    out = run(fields(total="cents(a, b)"), [{"id": 1, "a": amount, "b": currency}], tmp_path)
    row = out.rows[0]
    if found is None:
        assert row["errors"] == ["total: is null although the source has a value"]
    else:
        assert (row["total"], row["errors"]) == (Decimal(found), [])


def test_a_division_needs_rounding_to_fit_the_scale(tmp_path) -> None:
    records = [{"id": 1, "a": 10}]
    assert run(fields(total="a::decimal / 3"), records, tmp_path).errors == [
        ["total: has more decimals than the column keeps"]
    ]
    got = run(fields(total="round(a::decimal / 3, 4)"), records, tmp_path)
    assert got.rows[0]["total"] == Decimal("3.3333")
    zero = run(fields(total="a::decimal / 0"), records, tmp_path)
    assert zero.errors == [["total: is not a number"]]  # inf
    cents = run(fields(total="a::decimal / 100"), [{"id": 1, "a": 7}], tmp_path)
    assert cents.rows[0]["total"] == Decimal("0.07")


def test_literals_and_null(tmp_path) -> None:
    text = fields(
        currency="\"'CNY'\"", total="5", subtotal="null", is_test="true", kind="\"'sale'\""
    )
    row = run(text, [{"id": 1}], tmp_path).rows[0]
    assert (row["currency"], row["total"], row["subtotal"]) == ("CNY", Decimal(5), None)
    assert (row["is_test"], row["kind"], row["errors"]) == (True, "sale", [])


def test_exact_numbers_of_json_and_parquet(tmp_path) -> None:
    """Integers of any length are text; the connector quotes long fractions before they land."""
    line = '{"id":9007199254740993,"a":"12345678901234.5678"}'
    row = run(fields(total="a"), [line], tmp_path).rows[0]
    assert (row["source_key"], row["total"]) == ("9007199254740993", Decimal("12345678901234.5678"))
    file = land_parquet(tmp_path, {"id": ["9007199254740993"], "a": ["12345678901234.5678"]})
    row = run_plan(plan_of(fields(total="a")), [file]).rows[0]
    assert (row["source_key"], row["total"]) == ("9007199254740993", Decimal("12345678901234.5678"))


def test_the_zone_of_a_mapping_and_wrong_zones() -> None:
    assert plan_of(fields(number="a") + "zone: Asia/Tokyo\n").zone == "Asia/Tokyo"
    assert plan_of(fields(number="a")).zone == ZONE
    with pytest.raises(MappingError, match="no time zone"):
        plan_of(fields(number="a") + "zone: Mars/Base\n")
    with pytest.raises(MappingError, match="has no zone"):
        plan_of(fields(total="{value: a, zone: Asia/Tokyo}"))
