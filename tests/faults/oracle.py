"""The judge: reads a journal and published files, and nothing of ours; counts what is not right.

    python tests/faults/oracle.py JOURNAL PUBLISHED [SNAPSHOT ...] [--canary TEXT --under FOLDER]

prints one JSON object. `PUBLISHED` is the file after the last clean sync, a `SNAPSHOT` any version
that was published before it. Knows how the fault shop's orders and customers are to appear
(tests/faults/shop.py): that is its whole contract with the product.

- lost: a living record, in its last version, is not in the store; a broken one is not in quarantine
- duplicated: a key or a line stands twice; - stale: an older version of the record stands there
- ghost: a row that the source never had, or that it has deleted
- torn: header and lines are not of one version; - wrong: values that no version ever had
- leaked: canaries found, unpacked; - dishonest: a run's report is not what the journal saw
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import itertools
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import zstandard

Header = tuple[str, str, Decimal | None, str | None]
ORPHANS: Header = ("", "", None, None)  # lines stand under it that have no order
Lines = tuple[tuple[str, str | None, Decimal | None, Decimal | None], ...]


@dataclass
class Counts:
    """What the judge found; `rows` are the records compared, `details` the first findings."""

    rows: int = 0
    lost: int = 0
    duplicated: int = 0
    stale: int = 0
    ghost: int = 0
    torn: int = 0
    wrong: int = 0
    leaked: int = 0
    dishonest: int = 0
    details: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing at all was found."""
        return not any(getattr(self, name) for name in DEFECTS)

    def find(self, kind: str, text: str) -> None:
        """Count one finding."""
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.details) < 20:
            self.details.append(f"{kind}: {text}")

    def add(self, other: Counts) -> None:
        """Add what another judgement found."""
        for name in ("rows", *DEFECTS):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.details = [*self.details, *other.details][:20]


DEFECTS = ("lost", "duplicated", "stale", "ghost", "torn", "wrong", "leaked", "dishonest")


@dataclass
class Record:
    """A record of the source over time: its versions, oldest first."""

    versions: list[tuple[Header, Lines]] = field(default_factory=list)
    bad: bool = False  # the last version can be taken by no mapping
    gone: bool = False


@dataclass
class Truth:
    """The journal, read."""

    records: dict[str, dict[str, Record]] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)


def read_journal(path: Path) -> Truth:
    """Return what the source held over time and what it answered."""
    truth = Truth()
    for text in path.read_bytes().splitlines():
        line = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        truth.lines.append(line)
        if line["kind"] not in ("put", "delete"):
            continue
        known = truth.records.setdefault(line["collection"], {})
        record = known.setdefault(line["key"], Record())
        record.gone = line["kind"] == "delete"
        if not record.gone:
            record.bad = line["bad"]
            if not record.bad:
                record.versions.append(_version(line["collection"], line["record"]))
    return truth


def _version(collection: str, said: Mapping[str, Any]) -> tuple[Header, Lines]:
    if collection != "orders":
        return (_text(said["updated_at"]), "", None, None), ()
    lines = tuple(
        sorted(
            (_text(x["id"]), x["sku"], _number(x["quantity"]), _number(x["price"]))
            for x in said.get("line_items") or ()
        )
    )
    header = (_text(said["updated_at"]), _text(said["name"]), _number(said["total_price"]),
              said["currency"])  # fmt: skip
    return header, lines


def _text(value: Any) -> str:
    return str(value)


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def judge(journal: Path, published: Path, *, snapshots: Iterable[Path] = ()) -> Counts:
    """Compare the journal with the published file, and with those that were published before."""
    truth = read_journal(journal)
    counts = Counts()
    _judge_state(truth, published, counts)
    for snapshot in snapshots:
        _judge_snapshot(truth, snapshot, counts)
    _judge_reports(truth.lines, counts)
    return counts


TABLES = {"orders": "orders", "customers": "parties"}


def _judge_state(truth: Truth, published: Path, counts: Counts) -> None:
    with duckdb.connect(str(published), read_only=True) as con:
        waiting = {
            (stream, key)
            for stream, key in con.execute(
                "select stream, source_key from ops.quarantine where status = 'open'"
            ).fetchall()
        }
        for collection, records in truth.records.items():
            table = TABLES[collection]
            found = _stored(con, "source", table)
            golden = _stored(con, "unified", table) if table == "orders" else None
            counts.rows += len(records)
            for key, record in records.items():
                _judge_record(collection, key, record, found.get(key, []), waiting, counts)
                if golden is not None:
                    # Golden rows follow source rows: what stands there is judged above.
                    _judge_golden(key, found.get(key, []), golden.get(key, []), counts)
            for key in found.keys() - records.keys():
                counts.find("ghost", f"{collection} {key} was never at the source")
            for key in (golden or {}).keys() - records.keys():
                counts.find("ghost", f"unified {collection} {key} was never at the source")
            _judge_sums(collection, records, found, counts)


def _judge_record(
    collection: str,
    key: str,
    record: Record,
    rows: list[tuple[Header, Lines]],
    waiting: set[tuple[str, str]],
    counts: Counts,
) -> None:
    name = f"{collection} {key}"
    if any(header == ORPHANS for header, _ in rows):
        counts.find("torn", f"{name}: its lines stand there without it")
        rows = [row for row in rows if row[0] != ORPHANS]
    if len(rows) > 1:
        counts.find("duplicated", f"{name} stands {len(rows)} times")
    if record.gone:
        if rows:
            counts.find("ghost", f"{name} is deleted at the source and lives in the store")
        return
    if record.bad:
        if (collection, key) not in waiting:
            counts.find("lost", f"{name} is broken and not in quarantine")
        return
    if not rows:
        counts.find("lost", f"{name} is missing")
        return
    _judge_version(name, record, rows[0], counts, latest=True)


def _judge_version(
    name: str, record: Record, row: tuple[Header, Lines], counts: Counts, *, latest: bool
) -> None:
    header, lines = row
    if latest and row == record.versions[-1]:
        return
    if row in record.versions:
        if latest:
            counts.find("stale", f"{name} stands as it was at {header[0]}")
    elif any(header == h for h, _ in record.versions) or any(
        lines == x for _, x in record.versions
    ):
        counts.find("torn", f"{name}: header and lines are of different versions")
    else:
        counts.find("wrong", f"{name}: no version was ever like {row}")
    if len({line[0] for line in lines}) < len(lines):
        counts.find("duplicated", f"{name} has a line twice")


def _judge_golden(
    key: str, rows: list[tuple[Header, Lines]], golden: list[tuple[Header, Lines]], counts: Counts
) -> None:
    name = f"unified orders {key}"
    if any(header == ORPHANS for header, _ in golden):
        counts.find("torn", f"{name}: its lines stand there without it")
    rows, golden = ([row for row in some if row[0] != ORPHANS] for some in (rows, golden))
    if len(golden) > 1:
        counts.find("duplicated", f"{name} stands {len(golden)} times")
    if bool(rows) != bool(golden):
        counts.find("lost" if rows else "ghost", f"{name} and its source row disagree")
    elif golden and (golden[0][0][1:], golden[0][1]) != (rows[0][0][1:], rows[0][1]):
        counts.find("torn", f"{name} is not what its source row says")


def _judge_sums(
    collection: str,
    records: Mapping[str, Record],
    found: Mapping[str, list[tuple[Header, Lines]]],
    counts: Counts,
) -> None:
    """Hold number and money against each other, apart from the comparison by key."""
    living = [r for r in records.values() if not r.gone and not r.bad]
    if any(r.bad for r in records.values()):
        return  # an older good version may stand for a broken one
    wanted = sum((r.versions[-1][0][2] or Decimal(0) for r in living), Decimal(0))
    rows = [row for some in found.values() for row in some]
    total = sum((header[2] or Decimal(0) for header, _ in rows), Decimal(0))
    clean = not (counts.lost or counts.duplicated or counts.stale or counts.ghost or counts.wrong)
    if clean and (len(rows), total) != (len(living), wanted):
        counts.find(
            "wrong", f"{collection}: {len(rows)} rows of {total}, not {len(living)} of {wanted}"
        )


def _judge_snapshot(truth: Truth, snapshot: Path, counts: Counts) -> None:
    """Whatever was published, at any moment: every row is a version that the source once had."""
    with duckdb.connect(str(snapshot), read_only=True) as con:
        for schema in ("source", "unified"):
            for key, rows in _stored(con, schema, "orders").items():
                record = truth.records.get("orders", {}).get(key)
                if record is None or not record.versions:
                    counts.find("ghost", f"{snapshot.name}: {schema} orders {key}")
                    continue
                if len(rows) > 1:
                    counts.find("duplicated", f"{snapshot.name}: {schema} orders {key}")
                for (_, *header), lines in rows:
                    if not any((list(h[1:]), x) == (header, lines) for h, x in record.versions):
                        counts.find("torn", f"{snapshot.name}: {schema} orders {key}")


def _stored(
    con: duckdb.DuckDBPyConnection, schema: str, table: str
) -> dict[str, list[tuple[Header, Lines]]]:
    """Return the living rows of a table by their source key, with their lines."""
    living = "where not is_deleted" if schema == "source" else ""
    version = "version" if schema == "source" else "''"
    if table != "orders":
        rows = con.execute(
            f"select source_key, {version} from {schema}.{table} {living}"
        ).fetchall()
        plain: dict[str, list[tuple[Header, Lines]]] = {}
        for key, said in rows:
            plain.setdefault(key, []).append(((said, "", None, None), ()))
        return plain
    lines: dict[str, list[tuple[str, str | None, Decimal | None, Decimal | None]]] = {}
    for parent, *line in con.execute(
        f"select parent_key, source_key, sku, quantity, unit_price from {schema}.order_lines"
    ).fetchall():
        key, sku, quantity, price = line
        lines.setdefault(parent, []).append((key, sku, quantity, price))
    found: dict[str, list[tuple[Header, Lines]]] = {}
    for key, said, number, total, currency in con.execute(
        f"select source_key, {version}, number, total, currency from {schema}.orders {living}"
    ).fetchall():
        own = tuple(sorted(lines.get(key, []), key=lambda x: x[0]))
        found.setdefault(key, []).append(((said, number, total, currency), own))
    for parent in lines.keys() - found.keys():
        found[parent] = [(ORPHANS, tuple(sorted(lines[parent], key=lambda x: x[0])))]
    return found


def _judge_reports(lines: Iterable[Mapping[str, Any]], counts: Counts) -> None:
    """Hold what each run reported against what the journal saw while it ran."""
    open_runs: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line["kind"] == "begin":
            open_runs[line["run"]] = {"stream": line["stream"], "sent": 0, "faults": 0}
        elif line["kind"] == "sent":
            for run in open_runs.values():
                if run["stream"] == line["collection"]:
                    run["sent"] += int(line["records"]) if line["status"] == 200 else 0
                run["faults"] += bool(line["fault"]) or line["status"] != 200
        elif line["kind"] == "end":
            run = open_runs.pop(line["run"])
            for text in _doubts(run, line["outcome"]):
                counts.find("dishonest", f"{line['stream']} {line['run']}: {text}")


def _doubts(run: Mapping[str, Any], said: Mapping[str, Any]) -> Iterable[str]:
    error, status = said["error"], said["status"]
    if (status == "failed") != (error is not None):
        yield f"status {status} with error {error}"
    if error is not None and not (error["what"] and error["do"]):
        yield "an error without what happened or what to do"
    if status == "ok" and said["read"] != said["landed"] + said["unchanged"]:
        yield f"{said['read']} read, {said['landed']} landed, {said['unchanged']} unchanged"
    if said["read"] > run["sent"]:
        yield f"{said['read']} read, {run['sent']} sent"
    if status == "ok" and not run["faults"] and said["read"] != run["sent"]:
        yield f"{said['read']} read of {run['sent']} that were sent without a fault"
    if error is None:
        loaded = sum(
            int(said[n])
            for n in ("inserted", "updated", "unchanged_rows", "quarantined", "refused", "deleted")
        )
        if loaded < said["landed"]:
            yield f"{said['landed']} landed, {loaded} accounted for by the load"


def leaks(folder: Path, canaries: Iterable[str]) -> list[str]:
    """Return where a canary stands below `folder`: in bytes, packed files, DuckDB's tables.

    Raises duckdb.Error where a file named `.duckdb` does not open: nobody could search it.
    """
    found, wanted = [], list(canaries)
    stores: dict[tuple[bytes, bool], Path] = {}  # one of each content: versions are copies
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name, content = str(path.relative_to(folder)), path.read_bytes()
        found += [f"{name}: {c}" for c in wanted if c.encode() in content]
        if path.suffix == ".zst":
            unpacked = _unpacked(content)
            found += [f"{name} unpacked: {c}" for c in wanted if c.encode() in unpacked]
        if path.suffix == ".duckdb":
            log = path.with_name(path.name + ".wal")
            stores.setdefault((hashlib.sha256(content).digest(), log.exists()), path)
    with duckdb.connect(config={"threads": 1}) as con:
        for path in stores.values():
            found += [f"{path.relative_to(folder)} {at}" for at in _rows_with(con, path, wanted)]
    return found


def _unpacked(content: bytes) -> bytes:
    """Return what a packed file holds, every frame of it, as far as it can be unpacked."""
    found = io.BytesIO()
    with contextlib.suppress(zstandard.ZstdError):
        packed = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
        shutil.copyfileobj(packed, found)
    return found.getvalue()


def _rows_with(con: duckdb.DuckDBPyConnection, path: Path, wanted: list[str]) -> Iterable[str]:
    """Yield the tables of a file whose values hold a canary: its blocks compress texts."""
    con.execute("attach '{}' as searched (read_only)".format(str(path).replace("'", "''")))
    tables = con.execute(
        """select format('"{}"."{}"', schema_name, table_name) from duckdb_tables()
        where database_name = 'searched' and estimated_size > 0 order by all"""
    ).fetchall()
    for (table,), canary in itertools.product(tables, wanted):
        sql = f"from searched.{table} select 1 where contains(concat_ws(' ', *columns(*)), ?)"
        if con.execute(sql + " limit 1", [canary]).fetchall():
            yield f"{table}: {canary}"
    con.execute("detach searched")


def main() -> None:
    """Judge what the arguments name and print the counts as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("journal", type=Path)
    parser.add_argument("published", type=Path)
    parser.add_argument("snapshots", type=Path, nargs="*")
    parser.add_argument("--canary", action="append", default=[])
    parser.add_argument("--under", type=Path)
    given = parser.parse_args()
    counts = judge(given.journal, given.published, snapshots=given.snapshots)
    for text in leaks(given.under, given.canary) if given.under else ():
        counts.find("leaked", text)
    print(json.dumps(asdict(counts), indent=1))


if __name__ == "__main__":
    main()
