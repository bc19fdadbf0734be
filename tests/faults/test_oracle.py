"""The judge is judged: each kind of damage, done to a published file or journal, is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import zstandard

from tests.faults import shop
from tests.faults.case import Case, Result, Tally
from tests.faults.oracle import Counts, judge, leaks
from tests.faults.world import World


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with updates, a deletion and a broken record, at rest."""
    found = World(tmp_path_factory.mktemp("oracle") / "world", orders=12)
    found.sync("customers")
    found.sync()
    found.publish()
    found.wait(60)
    for number in (3, 4):
        found.put(number)
    found.put_broken(5)
    found.delete(6)
    found.quiesce()
    yield found
    found.close()


def changed(made: World, folder: Path, *statements: str) -> Path:
    """Return a copy of the published file after `statements`."""
    copy = folder / "changed.duckdb"
    shutil.copyfile(made.published, copy)
    copy.chmod(0o644)
    with duckdb.connect(str(copy)) as con:
        # Views and tables with virtual columns, made into plain tables to damage.
        for kind, name in (
            ("view", "unified.orders"), ("view", "unified.order_lines"),
            ("table", "source.orders"), ("table", "source.order_lines"),
        ):  # fmt: skip
            con.execute(f"create table kept as from {name}")
            con.execute(f"drop {kind} {name}")
            con.execute(f"create table {name} as from kept")
            con.execute("drop table kept")
        for statement in statements:
            con.execute(statement)
    return copy


def test_a_right_store_is_clean(made: World):
    counts = made.judge()
    assert counts.is_clean, counts.details
    assert counts.rows == 12 + 7


@pytest.mark.parametrize(
    ("kind", "statements"),
    [
        ("lost", ["delete from source.orders where source_key = '2'"]),
        ("lost", ["delete from unified.orders where source_key = '2'"]),
        ("lost", ["delete from source.parties where source_key = '2'"]),
        ("lost", ["delete from ops.quarantine"]),
        ("duplicated", ["insert into source.orders from source.orders where source_key = '2'"]),
        ("duplicated", ["insert into unified.orders from unified.orders where source_key = '2'"]),
        (
            "duplicated",
            [
                "insert into source.order_lines"
                " from source.order_lines where parent_key = '2' limit 1"
            ],
        ),
        ("ghost", ["update source.orders set is_deleted = false where source_key = '6'"]),
        ("ghost", ["update source.orders set source_key = '99' where source_key = '2'"]),
        ("torn", ["delete from source.order_lines where parent_key = '2'"]),
        ("torn", ["update unified.orders set total = total + 0.01 where source_key = '2'"]),
        ("torn", ["update source.orders set total = total + 0.01 where source_key = '2'"]),
        (
            "wrong",
            [
                "update source.orders set total = 1 where source_key = '2'",
                "delete from source.order_lines where parent_key = '2'",
            ],
        ),
    ],
)  # fmt: skip
def test_damage_is_found(made: World, tmp_path: Path, kind: str, statements: list[str]):
    counts = judge(made.journal.path, changed(made, tmp_path, *statements))
    assert getattr(counts, kind), counts


def test_an_older_version_is_stale(made: World, tmp_path: Path):
    older = made.snapshots[0]
    counts = judge(
        made.journal.path,
        changed(
            made, tmp_path, f"attach '{older}' as older (read_only)",
            *(
                f"delete from {schema}.{table} where {key} = '3'"
                for schema in ("source", "unified")
                for table, key in (("orders", "source_key"), ("order_lines", "parent_key"))
            ),
            *(
                f"insert into {schema}.{table} from older.{schema}.{table} where {key} = '3'"
                for schema in ("source", "unified")
                for table, key in (("orders", "source_key"), ("order_lines", "parent_key"))
            ),
        ),
    )  # fmt: skip
    assert counts.stale == 1, counts


def test_a_published_mixture_of_versions_is_torn(made: World, tmp_path: Path):
    torn = changed(made, tmp_path, "delete from unified.order_lines where parent_key = '3'")
    counts = judge(made.journal.path, made.published, snapshots=[torn])
    assert counts.torn == 1, counts


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"status": "ok", "error": {"what": "x", "do": "y"}}, "status ok"),
        ({"status": "failed"}, "status failed"),
        ({"status": "failed", "error": {"what": "x", "do": ""}}, "what to do"),
        ({"read": 4}, "4 read, 5 landed"),
        ({"read": 7, "landed": 7, "inserted": 7}, "7 read, 5 sent"),
        ({"read": 3, "landed": 3}, "without a fault"),
        ({"inserted": 2}, "accounted for"),
    ],
)
def test_a_report_that_is_not_so_is_dishonest(
    made: World, tmp_path: Path, members: dict[str, object], text: str
):
    journal = tmp_path / "journal.ndjson"
    shutil.copyfile(made.journal.path, journal)
    outcome = made.outcomes[0].as_json() | {
        "status": "ok", "error": None, "read": 5, "landed": 5, "unchanged": 0, "inserted": 5,
    } | members  # fmt: skip
    lines = [
        {"kind": "begin", "stream": "orders", "run": "r"},
        {"kind": "sent", "collection": "orders", "status": 200, "records": 5, "fault": ""},
        {"kind": "end", "stream": "orders", "run": "r", "outcome": outcome},
    ]
    with journal.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    counts = judge(journal, made.published)
    assert counts.dishonest, counts
    assert text in " ".join(counts.details)


def test_canaries_are_found_in_bytes(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "log").write_bytes(b"\0before " + shop.TOKEN.encode() + b" after")
    assert leaks(tmp_path, [shop.TOKEN, "other"]) == [f"a/log: {shop.TOKEN}"]


def test_canaries_are_found_in_packed_files(made: World, tmp_path: Path):
    landed = next((made.home / "landing").rglob("*.ndjson.zst"))
    folder = tmp_path / "landing"
    folder.mkdir()
    content = zstandard.ZstdDecompressor().decompressobj().decompress(landed.read_bytes())
    # Two frames, as a batch of two pages has; the secret stands in the second one.
    record = json.dumps({"id": 1, "token": shop.TOKEN}).encode()
    packed = zstandard.compress(content) + zstandard.compress(content + record)
    (folder / "1.ndjson.zst").write_bytes(packed)
    assert shop.TOKEN.encode() not in packed, "the control is none: it can be read as it is"
    assert leaks(tmp_path, [shop.TOKEN]) == [f"landing/1.ndjson.zst unpacked: {shop.TOKEN}"]
    (folder / "1.ndjson.zst").write_bytes(packed[:-3])  # as a killed run leaves it
    leaks(tmp_path, [shop.TOKEN])


@pytest.mark.parametrize("value", ["phone", "{'other': [phone]}"])
def test_a_published_phone_in_a_compressed_table_is_found(made: World, tmp_path: Path, value: str):
    published = changed(
        made, tmp_path,
        f"create table mart.calls as select {value} as said from"
        f" (select ({shop.PHONE} - 50_000 + i)::text as phone from range(100_000) t(i))",
    )  # fmt: skip
    assert shop.PHONE.encode() not in published.read_bytes(), "the control is none"
    found = leaks(tmp_path, [shop.PHONE])
    assert found == [f'changed.duckdb "mart"."calls": {shop.PHONE}']


def test_what_stands_there_is_clean_and_a_file_that_does_not_open_is_not_passed_over(
    made: World, tmp_path: Path
):
    assert leaks(made.home, [shop.TOKEN]) == []
    assert leaks(made.home / "published", [shop.PHONE]) == []
    assert any("source" in text for text in leaks(made.home / "store", [shop.PHONE]))
    (tmp_path / "broken.duckdb").write_bytes(b"no database")
    with pytest.raises(duckdb.Error):
        leaks(tmp_path, [shop.TOKEN])


def test_the_oracle_runs_by_itself_and_imports_nothing_of_ours(made: World):
    program = Path(__file__).with_name("oracle.py")
    done = subprocess.run(
        [
            sys.executable, "-X", "importtime", program, made.journal.path, made.published,
            "--under", made.home, "--canary", shop.TOKEN,
        ],
        capture_output=True, text=True, check=True, cwd=made.folder,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )  # fmt: skip
    assert json.loads(done.stdout) == json.loads(json.dumps(vars(made.judge())))
    imported = {
        line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()
    }
    assert not imported & {"connectors", "mappings", "warehouse", "pipelines", "tests"}


def test_a_tally_counts_a_case_whose_fault_did_not_fire_as_not_survived():
    tally = Tally("F1")
    tally.take(Case("F1", "fired", lambda _: Result(), planned=2), Result(fired=2), 1.0)
    tally.take(Case("F1", "not", lambda _: Result(), planned=2), Result(fired=1), 1.0)
    tally.take(Case("F1", "lost", lambda _: Result()), Result(1, Counts(lost=1)), 1.0)
    assert (tally.planned, tally.fired, tally.survived) == (5, 4, 1)
    assert len(tally.failures) == 2
