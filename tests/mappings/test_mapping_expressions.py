"""Expressions: what is allowed gives the right value, what is refused says what was meant."""

from __future__ import annotations

import pytest
from mapping_runs import fields, plan_of, run

from mappings.errors import MappingError

RECORD = {
    "id": 1, "a": "x", "b": None, "n": 5, "price": "2.50", "quantity": 4, "Account": 7, "Name": 2,
    "tags": ["red", "blue"], "o": {"list": [1], "p": {"q": "deep"}}, "s": " Ab ", "d": "2026-03-01",
    "flag": True, "ms": 1767225600000, "net": "/Date(1767225600000+0800)/", "fen": 12345,
    "from": "somewhere", "desc": "text", "select": "s", "case": "c", "today": "t",
    "@odata.etag": "W/1",
    "parent": "own", "x.y": "dotted", "lines": [{"sku": "A"}, {"sku": "B"}],
}  # fmt: skip


def text_of(tmp_path, expression: str) -> str | None:
    """Return what an expression gives in a text field."""
    quoted = expression.replace("'", "''")
    out = run(fields(note="id", buyer_note=f"'{quoted}'").replace("  note: id\n", ""), [RECORD],
              tmp_path, settings={"currency": "JPY"})  # fmt: skip
    assert out.errors == [[]]
    return out.rows[0]["buyer_note"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        # bare words that sqlglot would not read as names
        ("from", "somewhere"), ("desc", "text"), ("select", "s"), ("case", "c"), ("today", "t"),
        ('"@odata.etag"', "W/1"), ('"x.y"', "dotted"), ("parent", "own"), ("o.p.q", "deep"),
        ("lines[0].sku", "A"), ("lines[-1].sku", "B"), ("o", '{"list":[1],"p":{"q":"deep"}}'),
        # literals are never paths
        ("'text'", "text"), ("5", "5"), ("true", "true"), ("connection.currency", "JPY"),
        # indexes inside expressions are restored
        ("upper(lines[0].sku)", "A"), ("lower(lines[1].sku)", "b"), ("lines[-1].sku || '!'", "B!"),
        ("tags[0] || '/' || tags[-1]", "red/blue"), ("coalesce(lines[0].sku, 'x')", "A"),
        ("o.p.q || '.'", "deep."), ("coalesce(o.p.\"q\", '')", "deep"),
        ("split_part('a,b', ',', 2)", "b"), ("string_split('a,b', ',')[0]", "a"),
        ("string_split('a,b', ',')[-1]", "b"),
        # functions and operators
        ("trim(s)", "Ab"), ("replace(a, 'x', 'y')", "y"), ("concat(a, b, '!')", "x!"),
        ("concat_ws('-', a, b, n)", "x-5"), ("coalesce(b, a)", "x"), ("if(a = 'x', 'one', 'two')",
        "one"),
        ("case a when 'x' then 'one' else 'two' end", "one"), ("left(a, 1)", "x"),
        ("case when flag::boolean then 'yes' else 'no' end", "yes"), ("not flag::boolean", "false"),
        ("a in ('x', 'y')", "true"), ("a not in ('x')", "false"), ("a like 'x%'", "true"),
        ("a not like 'x%'", "false"), ("a ilike 'X'", "true"), ("a is null", "false"),
        ("b is null and a is not null", "true"), ("a is distinct from b", "true"),
        ("a ~ '^[xy]$'", "true"), ("regexp_extract('SO12-3', '[0-9]+')", "12"),
        ("regexp_replace('a1b2', '[0-9]', '')", "ab"), ("n between '1' and '9'", "true"),
        ("price::decimal * quantity::decimal > 9.99", "true"), ("length(a)", "1"),
        ("array_to_string(list_transform(tags::text[], lambda x: upper(x)), ',')", "RED,BLUE"),
        ("array_to_string(list_filter(tags::text[], lambda x: x <> 'red'), ',')", "blue"),
        ("array_to_string(list_transform(tags::text[], x -> x || '!'), ',')", "red!,blue!"),
        ("strftime(d::date, '%d.%m.%Y')", "01.03.2026"), ("year(d::date)", "2026"),
        ("d::date + 1", "2026-03-02"), ("date_diff('day', d::date, '2026-03-05'::date)", "4"),
        ("d::date > '2026-02-28'", "true"), ("d::date - interval 1 month", "2026-02-01 00:00:00"),
        ("greatest('a', 'b')", "b"), ("md5(a)", "9dd4e461268c8034f5c8564e155c67a6"),
        ("cast(n as bigint) // 2", "2"), ("(n::bigint + 1) % 4", "2"), ("- n::bigint", "-5"),
        ("round(10.0 / 3, 2)", "3.33"), ("abs(-2.5)", "2.5"),
    ],
)  # fmt: skip
def test_an_expression_gives_its_value(tmp_path, expression, value) -> None:
    assert text_of(tmp_path, expression) == value


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        # spellings that parse as something else
        ("lines.0.sku", "lines[0].sku"),
        ("@odata.etag", '"@odata.etag"'),
        ("fields.Account-Name", 'fields."Account-Name"'),
        ("Account-Name", "Account::decimal - Name::decimal"),
        ("Account - Name", '"Account-Name"'),
        ("a b", '"a b"'), ("a as b", "leave AS out"), ("0x1F", "alias"),
        ("a.b.upper()", "upper(a.b)"), ("a.upper()", "upper(a)"), ("foo.lower(a)", "in front"),
        ("coalesce(a, current_date)", '"current_date"'), ("current_timestamp || a", "each run"),
        ("$1", '"$1"'), ("coalesce(a, ?)", "without quotes"),
        # statements, subqueries, table functions
        ("select 1", "query"), ("(select a)", "query"), ("exists(select 1)", "query"),
        ("a; drop table x", "without `;`"), ("drop table x", "statement"),
        ("unnest(tags)", "children"), ("read_csv(a)", "makes rows"), ("sum(n)", "one record"),
        ("sum(n) over ()", "other records"), ("count(*)", "one record"),
        ("x -> 'y'", "path itself"), ("a.*", "not allowed"), ("columns(*)", "not allowed"),
        # functions
        ("lowr(a)", "Did you mean lower?"), ("now()", "each run"), ("random()", "each run"),
        ("repeat(a, 1000000000)", "memory"), ("lpad(a, 1000000000, 'x')", "memory"),
        ("range(1000000000)", "memory"), ("format('{:>999999999}', a)", "memory"),
        ("epoch_ms(ms)", "instant_ms(x)"), ("nvl(a, b)", "coalesce"), ("try(a)", "leave it out"),
        ("getenv('HOME')", "not allowed"), ("lower()", "takes 1 argument"),
        ("lower(a, b)", "takes 1 argument"), ("json_extract(o, '$.p')", "path itself"),
        # text is not a number until it is cast, and the cast is written out
        ("price * quantity", "price::decimal * quantity::decimal"),
        ("price > 0", "price::decimal > 0"), ("0 < price", "0 < price::decimal"),
        ("n = 5", "n::decimal = 5"), ("price + 1", "price::decimal + 1"),
        ("lines[0].sku = 5", "lines[0].sku::decimal = 5"), ("flag = true", "flag::boolean = true"),
        ("d::date = a", "a::date"), ("n between 1 and 9", "n::decimal"), ("n in (1, 2)",
        "n::decimal"),
        ("-n", "-n::decimal"), ("round(price, 2)", "price::decimal"), ("abs(trim(price))",
        "trim(price)::decimal"),
        ("year(d)", "d::date"), ("not flag", "flag::boolean"), ("a and b", "a::boolean"),
        ("if(flag, a, b)", "flag::boolean"), ("nullif(n, 0)", "nullif(n, '0')"),
        ("case when flag then a else b end", "flag::boolean"),
        # casts and formats
        ("d::timestamp", "d::timestamptz"), ("a::blob", "cast to text"), ("a::decimal(50,2)",
        "no type"),
        ("a::foo", "cast to text"), ("strptime(a, '%Q')", "%Q"), ("strptime(a, b)", "written out"),
        ("regexp_matches(a, '(')", "regular expression"), ("a ~ '(?=x)'", "RE2"),
        ("regexp_matches(a, b)", "written out"), ("replace(a, 'x', b)", "written out"),
        ("date_part('yeer', d::date)", "use one of"), ("round(1.5, 1000)", "up to 100"),
        # memory bombs without repeat
        ("replace(replace(replace(a, 'a', 'aaaaaaaaaaaaaaaa'), 'a', 'aaaaaaaaaaaaaaaa'), 'a',"
         " 'aaaaaaaaaaaaaaaa')", "1000 times"),
        ("list_transform(tags::text[], lambda x: a)", "its own name"),
        ("list_transform(tags::text[], lambda x: list_transform(string_split(x, ''), lambda y: y))",
         "not nested"),
        ("a || '" + "x" * 5000 + "'", "longer"),
        ("((((" * 300 + "a" + "))))" * 300, "flatter"),
        # comments, cut quotes
        ("a -- b", "comment"), ("a /* b */", "comment"),
        ("a = 'x", "quote the whole value"), ('"x', "quote the whole value"),
        ("a =", "no path and no expression"), ("a at time zone 'UTC'", "zone: Asia/Tokyo"),
        ("o.list[0] = 'x'", '"list"'), ("connection.curency", "Did you mean currency?"),
        ("[1, 2]", "not allowed"), ("{'a': 1}", "not allowed"), ("a collate nocase", "not allowed"),
    ],
)  # fmt: skip
def test_an_expression_is_refused_with_what_was_meant(expression, part) -> None:
    quoted = expression.replace("'", "''")
    with pytest.raises(MappingError) as refused:
        plan_of(fields(buyer_note=f"'{quoted}'"), settings={"currency": "CNY"})
    found = refused.value
    assert (found.file, found.line, found.field) == ("test.yaml", 4, "fields.buyer_note")
    assert part in f"{found.what} {found.do}"


def test_a_proposed_spelling_is_accepted() -> None:
    """What a refusal proposes for text against numbers compiles as it stands."""
    for proposal in (
        "price::decimal * quantity::decimal",
        "price::decimal > 0",
        "nullif(n, '0')",
        "upper(a.b)",
        "trim(price)::decimal",
        "-n::decimal",
    ):
        plan_of(fields(buyer_note=proposal))  # fmt: skip


def test_a_value_that_yaml_cut_at_a_hash_is_told() -> None:
    text = "entity: order\nkey: id\nfields:\n  note: id\n  buyer_note: coalesce(a, 'no #1')\n"
    with pytest.raises(MappingError) as refused:
        plan_of(text.replace("  note: id\n", ""))
    assert "YAML cuts an unquoted value at ` #`" in refused.value.what


def test_every_mistake_is_told_at_once_in_file_order() -> None:
    text = fields(number="lowr(a)", totl="x", total="a * b", status="{value: s, paid: confirmd}")
    with pytest.raises(MappingError) as refused:
        plan_of(text)
    told = [(e.line, e.field) for e in refused.value.all]
    assert told == [
        (4, "fields.number"),
        (5, "fields.totl"),
        (6, "fields.total"),
        (7, "fields.status"),
    ]
    texts = [e.what for e in refused.value.all]
    assert "Did you mean total?" in texts[1]
    assert "Did you mean" in texts[3]


def test_a_null_that_is_meant_passes_and_one_that_is_not_is_broken(tmp_path) -> None:
    records = [{"id": i, "a": a} for i, a in enumerate(["5", "", "abc", None, "n/a"])]
    told = {}
    for expression in (
        "a::decimal",
        "nullif(a, 'n/a')::decimal",
        "case when a = 'n/a' then null else a::decimal end",
        "case when a = 'n/a' then null when a = '' then null else a end",
        "coalesce(nullif(a, 'n/a')::decimal, nullif(a, 'n/a')::decimal)",
        "{value: a::decimal, nullable: true}",
        "case when a = '5' then a::decimal end",
        "if(a = 'n/a', null, a::decimal)",
        "nullif(a, 'n/a')::decimal * nullif(a, 'n/a')::decimal",
    ):
        quoted = expression if expression[0] == "{" else "'" + expression.replace("'", "''") + "'"
        out = run(fields(subtotal=quoted), records, tmp_path)
        told[expression] = "".join("x" if e else "." for e in out.errors)
    assert told == {
        "a::decimal": "..x.x",
        "nullif(a, 'n/a')::decimal": "..x..",
        "case when a = 'n/a' then null else a::decimal end": "..x..",
        "case when a = 'n/a' then null when a = '' then null else a end": "..x..",
        "coalesce(nullif(a, 'n/a')::decimal, nullif(a, 'n/a')::decimal)": "..x..",
        "{value: a::decimal, nullable: true}": ".....",
        "case when a = '5' then a::decimal end": "..x.x",
        "if(a = 'n/a', null, a::decimal)": "..x..",
        "nullif(a, 'n/a')::decimal * nullif(a, 'n/a')::decimal": "..x..",
    }


def test_casts_stand_in_try_and_fail_one_record_only(tmp_path) -> None:
    """Two fields share a cast that overflows: without TRY, or with CSE on, the batch would fail."""
    records = [{"id": 1, "a": "9" * 18, "b": "9" * 18}, {"id": 2, "a": "2", "b": "3"}]
    text = fields(
        subtotal="a::bigint * b::bigint * 1000000", total="a::bigint * b::bigint * 1000000"
    )
    out = run(text, records, tmp_path)
    assert [len(e) for e in out.errors] == [2, 0]
    assert int(out.rows[1]["total"]) == 6000000


def test_decimal_without_size_keeps_what_duckdbs_own_would_round(tmp_path) -> None:
    out = run(fields(fx_rate="a::decimal * b::decimal * c::decimal"),
              [{"id": 1, "a": "1.23456", "b": "1.5", "c": "2"}], tmp_path)  # fmt: skip
    assert str(out.rows[0]["fx_rate"]) == "3.70368000"
