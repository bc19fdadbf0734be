"""Commands on a store that holds something: query, quarantine, publish, rebuild."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import office_files
import pytest
from office_files import MAPPING

from pipelines.cli import main
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace

MENDED = MAPPING.replace("on_hand: qty", "on_hand: \"replace(qty, ',', '')\"")
ROWS = 'sku,qty\n=A1,5\nB2,7\n0012,8\nC3,"1,200"\nD4,none\n'


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """A workspace that is synced and published once; tests work on copies of it."""
    root = tmp_path_factory.mktemp("filled")
    office_files.write(root, office_files.files(ROWS))
    space = Workspace.discover({}, start=root)
    outcome = sync_stream(space, "office", "stock")
    assert (outcome.inserted, outcome.quarantined) == (3, 2), outcome.error
    assert unify_publish(space).error is None
    space.control.close()
    return root


@pytest.fixture
def company(filled: Path, tmp_path: Path, monkeypatch) -> Path:
    root = tmp_path / "company"
    shutil.copytree(filled, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    return root


def rows(capsys, sql: str) -> list[dict]:
    assert main(["query", sql, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def entries(capsys, *words: str) -> list[dict]:
    assert main(["quarantine", "list", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


SQL = "select sku, on_hand from unified.stock_levels order by sku"


def test_query_prints_a_table_and_says_how_old_the_data_is(company, capsys) -> None:
    assert main(["query", SQL]) == 0
    told = capsys.readouterr()
    assert [line.split() for line in told.out.splitlines()[2:]] == [
        ["0012", "8.000000"], ["=A1", "5.000000"], ["B2", "7.000000"],
    ]  # fmt: skip
    assert told.err.startswith("Published ")


def test_a_wide_result_stands_record_by_record(company, capsys) -> None:
    wide = ", ".join(f"'value of column {n}' as column_{n}" for n in range(40))
    assert main(["query", f"select {wide} from range(2)"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert (len(lines), lines[0], lines[41]) == (82, "── 1 ──", "── 2 ──")
    assert lines[1] == "column_0:  value of column 0"
    assert lines[40] == "column_39: value of column 39"
    assert "--csv" in told.err
    long = "x" * 300
    assert main(["query", f"select '{long}' as a, 1 as b"]) == 0
    assert "── 1" not in capsys.readouterr().out  # folded, and read all the same


def test_query_without_rows_says_so(company, capsys) -> None:
    assert main(["query", "select * from unified.orders where false"]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == ""
    assert "No rows." in said.err
    assert "each record" not in said.err


def test_query_answers_json_with_every_digit(company, capsys) -> None:
    assert rows(capsys, SQL)[0] == {"sku": "0012", "on_hand": "8.000000"}
    assert rows(capsys, "select 12345678901234.5678::decimal(18,4) as m") == [
        {"m": "12345678901234.5678"}
    ]


def test_query_writes_files_that_run_no_formula(company, capsys) -> None:
    import openpyxl
    import pyarrow.parquet as pq

    for kind in ("csv", "parquet", "xlsx"):
        assert main(["query", SQL, f"--{kind}", f"out.{kind}"]) == 0
        assert "3 rows written" in capsys.readouterr().err
    with open("out.csv", encoding="utf-8-sig") as file:
        assert [r[0] for r in csv.reader(file)] == ["sku", "0012", "'=A1", "B2"]
    assert pq.read_table("out.parquet").column("sku").to_pylist() == ["0012", "=A1", "B2"]
    sheet = openpyxl.load_workbook("out.xlsx").active
    assert sheet["A3"].value == "=A1"
    assert sheet["A3"].data_type == "s"


def test_query_reads_from_stdin_and_keeps_to_its_limit(company, capsys, monkeypatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(SQL))
    assert main(["query", "-", "--limit", "1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main(["query", "select * from range(200)"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 102
    assert "first 100 rows" in told.err


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("selec 1", "syntax error"),
        ("select * from unified.nothing", "nothing"),
        ("drop table unified.orders", "SELECT"),
        ("select * from read_csv('/etc/passwd')", "read_csv"),
    ],
)
def test_sql_that_is_wrong_or_writes_is_a_usage_error(company, capsys, sql, told) -> None:
    assert main(["query", sql]) == 2
    assert told in capsys.readouterr().err


def test_two_forms_of_output_are_refused(company) -> None:
    assert main(["query", SQL, "--json", "--csv", "a.csv"]) == 2
    assert not Path("a.csv").exists()


def test_quarantine_lists_why_and_shows_the_record_from_the_landing(company, capsys) -> None:
    assert main(["quarantine", "list"]) == 0
    told = capsys.readouterr().out
    assert "C3" in told
    assert "on_hand" in told
    (entry,) = [e for e in entries(capsys, "office", "stock") if e["source_key"] == "C3"]
    log = Workspace.discover().home.root / "logs" / "access.jsonl"
    assert not log.exists()
    assert main(["quarantine", "show", entry["id"], "--json"]) == 0
    (looked,) = map(json.loads, log.read_text().splitlines())
    assert (looked["what"], looked["id"], looked["uid"]) == (
        "quarantine show", entry["id"], os.getuid(),
    )  # fmt: skip
    assert log.stat().st_mode & 0o777 == 0o600
    assert json.loads(capsys.readouterr().out)["record"]["qty"] == "1,200"
    assert main(["quarantine", "show", entry["id"]]) == 0
    assert "1,200" in capsys.readouterr().out
    for words, named in ((["offic"], "office"), (["office", "stok"], "stock")):
        assert main(["quarantine", "list", *words]) == 2
        assert named in capsys.readouterr().err


def test_a_record_is_found_by_its_id_before_anything_is_published(company, capsys) -> None:
    (first, *_) = entries(capsys)
    shutil.rmtree(company / "var" / "published")
    assert main(["quarantine", "show", first["id"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["record"]["sku"] in ("C3", "D4")


def test_replay_under_a_mended_mapping_loads_what_is_good_now(company, capsys) -> None:
    (company / "mappings/office/stock.yaml").write_text(MENDED)
    shutil.rmtree(company / "inbox")  # the source is not asked again
    assert main(["quarantine", "replay"]) == 0
    assert "1 entries are good now, 1 stay in quarantine." in capsys.readouterr().out
    assert {"sku": "C3", "on_hand": "1200.000000"} in rows(capsys, SQL)
    assert [e["source_key"] for e in entries(capsys)] == ["D4"]


def test_discard_needs_a_reason_and_is_kept_by_a_rebuild(company, capsys) -> None:
    (entry,) = [e for e in entries(capsys) if e["source_key"] == "D4"]
    assert main(["quarantine", "discard", entry["id"], "--why", "  "]) == 2
    assert main(["quarantine", "discard", entry["id"], "--why", "test row"]) == 0
    assert "1 entries discarded" in capsys.readouterr().out
    assert [e["source_key"] for e in entries(capsys)] == ["C3"]
    assert main(["rebuild", "--yes"]) == 0
    capsys.readouterr()
    assert [e["source_key"] for e in entries(capsys)] == ["C3"]
    assert {e["status"] for e in entries(capsys, "--all")} == {"open", "discarded"}


@pytest.mark.parametrize(
    "words", [["show", "x"], ["replay", "x/y/1/2/z"], ["discard", "x", "--why", "w"]], ids=str
)
def test_an_unknown_entry_is_told(company, capsys, words) -> None:
    assert main(["quarantine", *words]) in (1, 2)
    told = capsys.readouterr().err
    assert "Do: " in told
    assert "Traceback" not in told


def test_publish_does_nothing_when_nothing_is_new(company, capsys) -> None:
    assert main(["publish"]) == 0
    assert "0 rows changed" in capsys.readouterr().out


def test_a_published_file_that_is_gone_is_brought_back_by_publish(company, capsys) -> None:
    shutil.rmtree(company / "var" / "published")
    assert main(["query", SQL]) == 2
    assert "isthmus publish" in capsys.readouterr().err
    assert main(["publish"]) == 0
    assert main(["query", SQL]) == 0
    capsys.readouterr()
    for name in ("isthmus.duckdb", "unified.duckdb"):
        (company / "var" / "published" / name).unlink()
        assert main(["publish"]) == 0
        assert "published anew" in capsys.readouterr().out
    assert main(["publish"]) == 0
    assert "published anew" not in capsys.readouterr().out


def test_another_key_is_refused_until_it_is_said_to_be_new(company, capsys, monkeypatch) -> None:
    file = company / "var" / "published" / "isthmus.duckdb"
    before = file.resolve().read_bytes()
    monkeypatch.setenv("ISTHMUS_KEY", "another key of 32 bytes and more")
    for words in (["publish"], ["rebuild", "--yes"]):
        assert main(words) == 1
        told = capsys.readouterr().err
        assert "every published hash would change" in told
        assert "put the old key back" in told
        assert "isthmus publish --new-key" in told
        assert file.resolve().read_bytes() == before
    assert main(["publish", "--new-key"]) == 0
    assert file.resolve().read_bytes() != before
    assert main(["publish"]) == 0
    monkeypatch.delenv("ISTHMUS_KEY")
    assert main(["publish"]) == 1


def test_rebuild_makes_the_same_rows_with_the_same_ids(company, capsys) -> None:
    sql = "select stock_level_id, sku, on_hand from unified.stock_levels order by sku"
    before = rows(capsys, sql)
    assert main(["rebuild", "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rebuild"]["streams"] == 1
    assert rows(capsys, sql) == before


def test_a_rebuild_asks_first_and_stops_at_a_broken_file(company, capsys) -> None:
    store = company / "var" / "store" / "store.duckdb"
    stamp = store.stat().st_mtime_ns
    assert main(["rebuild"]) == 2  # nobody answers
    assert "--yes" in capsys.readouterr().err
    (company / "defs/office/defs.yaml").write_text("type: pipelines.Connection\nattributes: [\n")
    assert main(["rebuild", "--yes"]) == 2
    assert store.stat().st_mtime_ns == stamp


def test_a_rebuild_leaves_out_a_connection_that_is_gone_and_says_so(company, capsys) -> None:
    shutil.rmtree(company / "defs" / "office")
    assert main(["rebuild", "--yes"]) == 0
    assert "office/stock is left out" in capsys.readouterr().err


def test_reading_commands_import_neither_dagster_nor_the_store(company) -> None:
    script = (
        "import sys; from pipelines.cli import main;"
        "codes = [main(w.split('|')) for w in sys.argv[1:]];"
        "heavy = {'dagster', 'pyarrow', 'sqlglot', 'sqlalchemy', 'warehouse.store'};"
        "sys.exit(f'{codes} {heavy & set(sys.modules)}' if any(codes) or heavy & set(sys.modules)"
        " else 0)"
    )
    words = ("status", f"query|{SQL}", "quarantine|list", "connectors")
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_status_counts_rows_quarantine_and_what_waits(company, capsys) -> None:
    assert main(["status", "--json"]) == 0
    (stream,) = json.loads(capsys.readouterr().out)["streams"]
    assert (stream["rows"], stream["quarantine"], stream["waiting"]) == (3, 2, 0)
    assert stream["last_status"] == "ok"
