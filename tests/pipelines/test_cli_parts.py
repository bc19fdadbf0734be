"""Parts of the command line: YAML that is written, proposals for a folder, the outer frame."""

import io
import json
import sys
from pathlib import Path
from unittest.mock import Mock

import duckdb
import pytest
from pydantic import BaseModel, Field

from connectors.errors import AuthError, ConfigError
from mappings.yamltext import read_text
from pipelines.cli import boundary, breaks, identity, main, parties, session
from pipelines.cli.codes import CliError
from pipelines.cli.show import as_json, cell, jsonable
from pipelines.cli.yamlwrite import block, explained
from pipelines.proposals import choose_key, pattern_of, stream_name
from pipelines.secrets import Secrets
from pipelines.waiting import waiting
from warehouse.lock import Holder


class Inner(BaseModel):
    path: str = Field(description="Where the records are")
    size: int = Field(250, description="Records a page")


class Outer(BaseModel):
    base_url: str = Field(description="Address of the system")
    streams: dict[str, Inner] = Field(default_factory=dict, description="Streams by name")
    rate: str | None = Field(None, description="At most so many requests: 5/s")


@pytest.mark.parametrize(
    "value",
    [
        {"a": "on", "b": "01", "c": "12:30", "d": "null"},
        {"a": ["x", "y: z", "#no", "- dash", "{brace}", ""]},
        {"路径": "库存 表*.xlsx", "q": 'say "hi"', "line": "a\nb"},
        {"a": {"b": {"c": ["1", {"d": "e"}]}}},
    ],
    ids=["yaml words", "signs", "chinese", "nested"],
)
def test_what_is_written_reads_back_as_it_was(value) -> None:
    assert read_text("\n".join(block(value)), "t").data == value


def test_every_setting_is_explained_and_only_what_is_given_is_live() -> None:
    text = "\n".join(explained(Outer, {"base_url": "http://x"}))
    assert read_text(text, "t").data == {"base_url": "http://x"}
    for word in ("Address of the system", "Streams by name", "# streams:", "# rate:", "NAME:",
                 "Records a page", "size: 250"):  # fmt: skip
        assert word in text


def test_what_is_required_and_not_given_stands_open() -> None:
    assert read_text("\n".join(explained(Outer, {})), "t").data == {"base_url": None}


def test_the_first_stream_given_is_explained_the_others_are_written() -> None:
    given = {"base_url": "u", "streams": {"a": {"path": "/a"}, "b": {"path": "/b"}}}
    text = "\n".join(explained(Outer, given))
    assert read_text(text, "t").data == given
    assert text.count("Records a page") == 1


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("库存表 2026-11.xlsx", "库存表*.xlsx"),
        ("stock_20261101.csv", "stock*.csv"),
        ("bank.csv", "bank*.csv"),
        ("2026-11-20.csv", "*.csv"),
        ("报表(1).xlsx", "报表*.xlsx"),
    ],
)
def test_files_that_differ_by_date_are_one_stream(name, pattern) -> None:
    assert pattern_of(Path(name)) == pattern


def test_a_stream_is_named_after_its_file_or_its_connection() -> None:
    assert stream_name("Bank Bill 2026", "office", set()) == "bank_bill"
    assert stream_name("库存表", "stock", set()) == "stock"
    assert stream_name("库存表", "stock", {"stock"}) == "stock_2"


def test_the_key_is_what_tells_rows_apart() -> None:
    assert choose_key({"名称": ["a", "b"], "商品编码": ["1", "2"]}) == ["商品编码"]
    rows = {"商品编码": ["1", "1", "2"], "仓库": ["A", "B", "A"], "数量": ["5", "6", "7"]}
    assert choose_key(rows) == ["仓库", "商品编码"]
    assert choose_key({"a": ["x", "x"], "b": ["1", "1"]}) == ["position"]
    assert choose_key({"编号": [None, "1"], "b": ["1", "1"]}) == ["position"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CliError("no", "do"), 2),
        (ConfigError("bad", "mend"), 2),
        (AuthError("refused", "renew"), 1),
        (RuntimeError("odd"), 1),
    ],
    ids=lambda v: type(v).__name__,
)
def test_no_traceback_is_the_users_message(error, code, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path))
    assert boundary.explain(error, ["query", "secret words"]) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert str(error.args[0]).split()[0] in said
    assert "Do: " in said


def test_no_secret_of_this_process_stands_in_the_log_or_on_the_screen(
    tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path))
    token = Secrets({"TOKEN": "tok_9f3b/7c+1"}, tmp_path).resolve("env:TOKEN")
    for error in (ZeroDivisionError(f"GET /x?key={token}"), ConfigError(f"no {token}", token)):
        try:
            raise error
        except Exception as raised:
            boundary.explain(raised, ["query"])
    said = capsys.readouterr().err
    log = (tmp_path / "logs" / "cli.log").read_text("utf-8")
    assert "GET /x?key=[secret]" in log
    assert "GET /x?key=[secret]" in said
    assert token not in log + said


def test_an_unforeseen_error_goes_to_a_file_that_the_message_names(
    tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path))
    try:
        raise ZeroDivisionError("division by zero")
    except ZeroDivisionError as error:
        boundary.explain(error, ["query", "password"])
    file = tmp_path / "logs" / "cli.log"
    assert str(file) in capsys.readouterr().err
    text = file.read_text()
    assert "Traceback" in text
    assert "password" not in text
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_message_forges_an_entry_of_the_log(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path))
    boundary.explain(ZeroDivisionError("a\n--- isthmus erase\r\x1b[2K\u2028done\x9b31m"), ["query"])
    text = (tmp_path / "logs" / "cli.log").read_text()
    assert [line for line in text.splitlines() if not line.startswith("  ")] == [
        "--- isthmus query"
    ]
    assert not set("\r\x1b\u2028\x9b") & set(text)


def test_json_on_a_terminal_steers_nothing_and_says_the_same(capsys) -> None:
    value = {"a\x9b": "x\x9b31m\u202e中文\x7f\u2028\U000e0041", "b": ["\x1b"]}
    as_json(value)
    shown = capsys.readouterr().out
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert json.loads(shown) == value
    assert "中文" in shown


def test_a_terminal_is_not_steered_by_data() -> None:
    assert "\x1b" not in cell("a\x1b[2Jb")
    assert boundary.plain("a\x1b]0;x\x07") == "a�]0;x�"


def test_numbers_keep_their_digits_in_json() -> None:
    from decimal import Decimal

    assert jsonable(Decimal("12345678901234.5678")) == "12345678901234.5678"


def test_usage_errors_exit_with_2(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert boundary.main(["nonsense"]) == 2
    assert boundary.main(["sync", "--nonsense"]) == 2


def test_elsewhere_the_sample_company_is_not_taken_for_ones_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ISTHMUS_DEFS", raising=False)
    assert main(["status"]) == 2
    assert "isthmus init" in capsys.readouterr().err


def test_connect_writes_no_secret_in_clear(tmp_path, monkeypatch, capsys):
    for name in ("defs", "mappings"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    words = ("--set", "base_url=https://shop.example.test", "--set", "auth.bearer=s3cret-tok-12345")
    assert main(["connect", "rest", "shop", *words]) == 2
    told = capsys.readouterr()
    assert "auth.bearer" in told.err
    assert "s3cret" not in told.out + told.err
    assert not (tmp_path / "defs" / "shop").exists()


def test_connect_takes_a_list_as_yaml_writes_it(tmp_path, monkeypatch, capsys):
    for name in ("defs", "mappings"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    words = ["connect", "tryton", "erp", "--set", "base_url=https://127.0.0.1:9", "--set"]
    words += ["database=erp", "--set"]
    assert main([*words, "auth.basic=[reader, s3cret-tok-12345]"]) == 2
    assert "s3cret" not in "".join(capsys.readouterr())
    main([*words, "auth.basic=[reader, env:NOT_SET]"])
    written = (tmp_path / "defs" / "erp" / "defs.yaml").read_text(encoding="utf-8")
    assert 'basic: [reader, "env:NOT_SET"]' in written
    assert "1 files checked" not in capsys.readouterr().out  # the mappings are ready, too


def test_a_wait_for_the_store_is_told_on_stderr(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("ISTHMUS_DEFS", str(tmp_path / "defs"))
    session.workspace()
    waiting(Holder(7, "host", "isthmus sync", "2026-03-01T08:00:00+00:00"))
    waiting(None)
    shown = capsys.readouterr()
    assert shown.out == ""
    first, second = shown.err.splitlines()
    assert "process 7 on host since 2026-03-01T08:00:00+00:00 (isthmus sync)" in first
    assert "unknown process" in second


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom"])
def test_a_secret_from_a_device_without_end_is_refused_at_once(name, tmp_path) -> None:
    """It has no size to be asked for; reading it took all memory."""
    with pytest.raises(ConfigError, match="larger than"):
        Secrets({}, tmp_path).resolve(f"file:{name}")


@pytest.mark.parametrize("inside", ["defs", ".env", "var", "pipelines/cli"])
def test_no_folder_is_made_over_another_or_over_the_product(
    inside, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    (tmp_path / inside).mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    assert main(["init", str(tmp_path)]) == 2
    assert "isthmus init ~/isthmus-acme" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_connect_says_what_to_do_next(tmp_path, monkeypatch, capsys) -> None:
    for name in ("defs", "mappings"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    base = ["connect", "rest", "--set", "base_url=http://127.0.0.1:9"]
    assert main([*base, "shop"]) == 2
    told = capsys.readouterr().out.splitlines()
    assert "streams: has no value" in "".join(told)
    assert told[-1] == "Next: write what the lines named above ask for, then isthmus check shop"
    more = ("allow_private=true", "attempts=1", "streams.orders.path=/orders",
            "streams.orders.key=id", "streams.orders.records=data")  # fmt: skip
    assert main([*base, "web", *(w for pair in more for w in ("--set", pair))]) == 1
    wanted = "Next: mend what is marked ✗, then isthmus check web"
    assert capsys.readouterr().out.splitlines()[-1] == wanted
    monkeypatch.setattr("pipelines.cli.checking.run_check", lambda *told, **how: 0)
    assert main([*base, "net", *(w for pair in more for w in ("--set", pair))]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("Next, for each stream: isthmus p")
    more = ("base_url=http://127.0.0.1:9", "allow_private=true", "attempts=1", "key=env:PAY_KEY")
    monkeypatch.setenv("PAY_KEY", "rk_test_x")
    assert main(["connect", "stripe", "pay", *(w for p in more for w in ("--set", p))]) == 0
    assert "isthmus sync pay" in capsys.readouterr().out.splitlines()[-1]


def test_a_misspelt_system_is_met_with_the_one_that_is_meant(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    for said, meant in (("yonyou_u9", "yonyou_u8"), ("strype", "stripe")):
        assert main(["connect", said, "x"]) == 2
        assert meant in capsys.readouterr().err


SPELT = "x' or true or 'masked:' = '"
"""A name that ends the quotation wherever a statement holds it as it is."""


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> duckdb.DuckDBPyConnection:
    """A published file with rules, breaks and keys of which some are spelt to end a quotation."""
    con = duckdb.connect()
    con.execute("create schema recon; create schema unified")
    con.execute("create table recon.rules as select unnest(['plain', $1]) as rule", [SPELT])
    con.execute(
        "create table recon.breaks as select 'abcd1234' as break_id, $1 as rule", [SPELT]
    )  # fmt: skip
    con.execute(
        "create table unified.xref as select unnest(['a', 'b']) as own_id, 'party' as entity, "
        "'crm' as connection, 'people' as stream, unnest(['masked:1', 'masked:' || $1]) as "
        "source_key", [SPELT],
    )  # fmt: skip

    def rows(sql: str) -> list[dict[str, object]]:
        found = con.execute(sql)
        names = [d[0] for d in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    for module in (breaks, identity):
        monkeypatch.setattr(module, "rows", rows)
    monkeypatch.setattr(breaks, "workspace", Mock())
    monkeypatch.setattr(breaks, "current", Mock())
    monkeypatch.setattr(breaks, "tell_age", Mock())
    return con


@pytest.mark.usefixtures("published")
def test_a_rule_of_the_published_file_is_a_value_and_no_sql(
    capsys: pytest.CaptureFixture[str],
) -> None:
    breaks.show("abcd1234", json=True)
    assert json.loads(capsys.readouterr().out)["rule"] == {"rule": SPELT}


@pytest.mark.usefixtures("published")
def test_a_masked_key_is_a_value_and_no_sql() -> None:
    assert identity.unmasked("crm/people/masked:1") == "a"
    assert identity.unmasked(f"crm/people/masked:{SPELT}") == "b"
    for word in (f"{SPELT}/people/masked:1", "crm/people/masked:1\0", "crm/people/masked:'"):
        assert identity.unmasked(word) == word


def test_ids_are_values_and_no_sql() -> None:
    with pytest.raises(duckdb.ConversionException):
        duckdb.execute(f"select gen_random_uuid() in {parties.ids_sql([SPELT])}").fetchall()
