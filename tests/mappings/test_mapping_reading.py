"""Reading landed files: both encodings, numbers of lines, odd names, odd lines."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from mapping_runs import connect, fields, land, land_parquet, plan_of, run, run_plan

TEXT = fields(number="name", customer_key="customer.id", buyer_note="customer.name")


@pytest.mark.parametrize("whole", [False, True])
def test_positions_count_lines_of_each_file(tmp_path, whole) -> None:
    files = [land(tmp_path, [{"id": f"{f}-{i}"} for i in range(count)], f"{f:012}")
             for f, count in enumerate((3, 5000, 2))]  # fmt: skip
    out = run_plan(plan_of(TEXT), files, whole=whole)
    assert [(p["file_no"], p["position"]) for p in out.paths] == [
        (f, i + 1) for f, count in enumerate((3, 5000, 2)) for i in range(count)
    ]
    assert len({p["n"] for p in out.paths}) == 5005
    assert all(r["source_key"] == f"{p['file_no']}-{p['position'] - 1}"
               for r, p in zip(out.rows, out.paths, strict=True))  # fmt: skip


def test_order_is_kept_in_a_large_file(tmp_path) -> None:
    """A number must find its line again: quarantine shows the record by it."""
    file = land(tmp_path, [{"id": i, "name": "x" * 200} for i in range(60_000)])
    plan = plan_of(TEXT)
    with connect() as con:
        for whole in (False, True):
            sql = plan.paths_sql("ndjson.zst", [str(file)], whole)
            wrong = con.execute(f"select count(*) from ({sql}) where c0::int <> position - 1")
            assert wrong.fetchone() == (0,)


def test_both_ways_of_reading_agree(tmp_path) -> None:
    records = [
        {"id": 1, "name": "a", "customer": {"id": 5, "name": "x"}}, {"id": 2, "customer": None},
        {"id": 3, "customer": "text"}, {"id": 4, "name": {"a": [1, 2.5]}, "customer": [1]},
        {"id": True, "name": "\u0000", "customer": {"name": "😀"}},
    ]  # fmt: skip
    one = run(TEXT, records, tmp_path)
    assert one.rows == run(TEXT, records, tmp_path, whole=True).rows
    assert one.column("customer_key") == ["5", None, None, None, None]


def test_names_that_differ_in_case_are_read_from_whole_objects(tmp_path) -> None:
    """DuckDB refuses two such columns; a record that has both is no reason to fail."""
    text = fields(number="Name", buyer_note="name", seller_note="'\"\"'", tags="Tags.a")
    record = {"id": 1, "Name": "A", "name": "b", "": "c", "Tags": {"a": [1], "A": 2}}
    out = run(text, [record], tmp_path)
    assert [out.rows[0][c] for c in ("number", "buyer_note", "seller_note", "tags")] == [
        "A", "b", "c", "[1]",
    ]  # fmt: skip
    only = run(fields(number="Name"), [record], tmp_path)
    assert only.column("number") == ["A"]


def test_a_repeated_key_fails_the_file_and_whole_reading_takes_the_first(tmp_path) -> None:
    lines = ['{"id":1,"name":"a","name":"b"}', '{"id":2,"name":"c"}']
    with pytest.raises(duckdb.InvalidInputException, match="duplicate key"):
        run(fields(number="name"), lines, tmp_path)
    assert run(fields(number="name"), lines, tmp_path, whole=True).column("number") == ["a", "c"]


def test_a_line_of_another_shape_is_an_error_never_a_blank(tmp_path) -> None:
    """Without records=true one odd line would blank a file read by one column."""
    text = "entity: order\nkey: id\nfields: {number: id}\n"
    for odd in ('["a"]', "5", '"x"'):
        with pytest.raises(duckdb.InvalidInputException):
            run(text, ['{"id":1}', odd], tmp_path)
    out = run(text, ['{"id":1}', "null", '{"x":2}'], tmp_path)
    assert out.errors == [[], ["key: is missing"], ["key: is missing"]]
    whole = run(text, ['{"id":1}', '["a"]', '{"id":3}'], tmp_path, whole=True)
    assert whole.column("source_key") == ["1", None, "3"]


def test_deep_objects_and_large_records_are_read(tmp_path) -> None:
    deep = '{"id":1,"x":' + '{"a":' * 5000 + "1" + "}" * 5000 + "}"
    large = '{"id":2,"name":"' + "x" * 17_000_000 + '"}'
    out = run(fields(number="name", buyer_note="x.a.b"), [deep, large], tmp_path)
    assert out.column("source_key") == ["1", "2"]


def test_extra_keeps_members_as_json(tmp_path) -> None:
    text = TEXT + "extra: [tags, customer.level, '\"a.b\"', none, 'l[0]']\n"
    record = {"id": 1, "tags": ["x"], "customer": {"level": 3}, "a.b": "5", "l": [True]}
    out = run(text, [record, {"id": 2}], tmp_path)
    assert out.column("ext") == [
        '{"tags":["x"],"customer.level":3,"a.b":"5","none":null,"l[0]":true}', None,
    ]  # fmt: skip
    assert run(text, [record], tmp_path, whole=True).column("ext") == out.column("ext")[:1]


def test_parquet_with_columns_absent_renamed_and_typed(tmp_path) -> None:
    text = fields(
        number="Name", buyer_note="name", seller_note="gone", total="amount",
        customer_key="customer.id", placed_at="at", tags="list",
    ) + "extra: [name, gone]\n"  # fmt: skip
    file = land_parquet(
        tmp_path,
        {
            "id": ["1", "2"], "Name": ["A", "B"], "name": ["a", None],
            "amount": pa.array([None, "5.5"]).cast(pa.string()).cast(pa.decimal128(30, 20)),
            "customer": ['{"id": 7}', "not json"],
            "at": pa.array([0, 10**15], pa.timestamp("us", tz="UTC")),
            "list": pa.array([["x"], None], pa.list_(pa.string())),
        },
    )  # fmt: skip
    out = run_plan(plan_of(text), [file])
    assert out.errors == [[], []]
    assert out.column("number") == ["A", "B"]
    assert out.column("buyer_note") == ["a", None]
    assert out.column("customer_key") == ["7", None]
    assert [str(v) for v in out.column("total")] == ["None", "5.5000"]
    assert [v.timestamp() for v in out.column("placed_at")] == [0, 10**9]
    assert out.column("tags")[0] == '["x"]'
    assert out.column("ext") == ['{"name":"a","gone":null}', None]


def test_parquet_headings_with_dots_and_signs(tmp_path) -> None:
    text = fields(number="'\"FBillNo.No\"'", buyer_note="'\"单价（元）\"'", channel="渠道")
    file = land_parquet(
        tmp_path, {"id": ["1"], "FBillNo.No": ["N"], "单价（元）": ["5"], "渠道": ["w"]}
    )
    row = run_plan(plan_of(text), [file]).rows[0]
    assert (row["number"], row["buyer_note"], row["channel"]) == ("N", "5", "w")


def test_parquet_files_of_different_columns_and_groups(tmp_path) -> None:
    text = (
        "entity: order\nkey: no\ngroup: no\nfields: {number: no}\nchildren:\n"
        "  lines: {each: rows, key: 行号, fields: {sku: 编码, quantity: 数量}}\n"
    )
    one = land_parquet(tmp_path, {"no": ["A", "A"], "行号": ["1", "2"], "编码": ["x", "y"]}, "1")
    two = land_parquet(tmp_path, {"no": ["B"], "行号": ["1"], "编码": ["z"], "数量": ["3"]}, "2")
    out = run_plan(plan_of(text), [one, two])
    assert [(p["file_no"], p["position"]) for p in out.paths] == [(0, 1), (1, 1)]
    assert [(x["sku"], x["quantity"]) for x in out.children["lines"]] == [
        ("x", None), ("y", None), ("z", 3),
    ]  # fmt: skip


def test_a_folder_with_signs_of_patterns_and_quotes(tmp_path) -> None:
    folder = tmp_path / "a[b]*? it's"
    folder.mkdir()
    assert run(TEXT, [{"id": 1}], folder).column("source_key") == ["1"]
    file = land_parquet(folder, {"id": ["1"]})
    assert run_plan(plan_of(TEXT), [file]).column("source_key") == ["1"]


def test_plain_files_of_the_slow_path_are_read_too(tmp_path) -> None:
    file = tmp_path / "clean.ndjson"
    file.write_bytes(b'{"id":1}\n{"id":2}\n')
    assert run_plan(plan_of(TEXT), [file]).column("source_key") == ["1", "2"]


def test_only_named_members_are_read() -> None:
    sql = plan_of(TEXT).paths_sql("ndjson.zst", ["x.ndjson.zst"], False)
    assert "records=true" in sql
    assert "'customer': 'JSON'" in sql
    assert sql.count("json_extract_string") == 1  # both members of customer in one go
