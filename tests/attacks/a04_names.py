"""A4: hostile names as connection, stream, member, heading and key: none runs, none is lost."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import small_shop
import yaml
from mapping_runs import plan_of
from rest_parts import SimulatorTransport

from connectors.base import Context, ReadRequest
from connectors.files import FilesConnector, FilesSettings
from connectors.rest.settings import RestSettings
from connectors.rest.simulator import Collection, RestSimulator
from mappings.yamltext import read_text
from pipelines.connection import BrokenConnection
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.attacks.attempt import TYPED, Attempt, Task, refused, said
from tests.attacks.names import names
from warehouse import export, reader
from warehouse.store import open_store

ID, TITLE = "A4", "hostile names"
MOMENT = "2026-03-01T08:00:00+00:00"


def attempts(task: Task) -> Iterator[Attempt]:
    """Use every name in every place; at the end look for what only a statement can have made."""
    every = names()[:: 3 if task.quick else 1]
    yield from _yaml(every)
    yield from _connections(task, every)
    yield from _streams(every)
    yield from _loaded(task, every)
    yield from _headings(task, every)
    yield from _columns(task, every)
    found = [str(p) for p in (*Path.cwd().glob("pwned*"), *task.folder.rglob("pwned*"))]
    yield Attempt(
        "A4.ran", "a file that a command made", "succeeded" if found else "refused", str(found)
    )


def _yaml(every: list[str]) -> Iterator[Attempt]:
    """Read each as a key and a value of YAML, as people's tools write them."""
    for n, name in enumerate(every):
        text = yaml.safe_dump({name: name})
        try:
            same = read_text(text).data == {name: name}
            yield Attempt(f"A4.y{n}", f"YAML {name[:40]!r}", "handled" if same else "succeeded")
        except TYPED as error:
            yield refused(f"A4.y{n}", f"YAML {name[:40]!r}", error)


def _connections(task: Task, every: list[str]) -> Iterator[Attempt]:
    """Give folders of connections the names: taken, or told as broken; never silently left out."""
    folder = task.inner("connections")
    made: dict[str, str] = {}
    for name in every:
        path = folder / "defs" / name
        try:
            path.mkdir(parents=True)
            if path.parent != folder / "defs" or path.name != name:
                raise OSError("no folder of that name")
            (path / "defs.yaml").write_text(
                small_shop.DEFS.format(url="http://127.0.0.1:9", limit=1)
            )
            made[name] = name
        except (OSError, ValueError):
            continue
    space = Workspace.discover(
        {"ISTHMUS_DEFS": str(folder / "defs"), "ISTHMUS_HOME": str(folder / "home")}
    )
    known = space.connections()
    for n, name in enumerate(every):
        shown = f"connection {name[:40]!r}"
        if name not in made:
            try:
                space.connection(name)
                yield Attempt(
                    f"A4.c{n}", shown, "succeeded", "found though no folder can be so named"
                )
            except Exception as error:
                yield refused(f"A4.c{n}", shown, error)
            continue
        found = known.get(name)
        outcome = (
            "succeeded"
            if found is None
            else "refused"
            if isinstance(found, BrokenConnection)
            else "handled"
        )
        if outcome == "handled" and not (name.isascii() and name.islower()):
            outcome = "succeeded"
        yield Attempt(f"A4.c{n}", shown, outcome, "left out silently" if found is None else "")  # type: ignore[arg-type]


def _streams(every: list[str]) -> Iterator[Attempt]:
    """Name streams so: they name folders, files and steps."""
    for n, name in enumerate(every):
        try:
            RestSettings.model_validate(
                {"base_url": "https://x.example", "streams": {name: {"path": "/o", "key": "id"}}}
            )
            plain = name.isascii() and name.replace("_", "a").isalnum() and name[0].isalpha()
            yield Attempt(f"A4.s{n}", f"stream {name[:40]!r}", "handled" if plain else "succeeded")
        except Exception as error:
            yield refused(f"A4.s{n}", f"stream {name[:40]!r}", error)


def _loaded(task: Task, every: list[str]) -> Iterator[Attempt]:
    """Sync records whose keys, members and values are the names, publish, and ask for each."""
    members = {name: f"value {n}" for n, name in enumerate(every)}
    orders: list[dict[str, Any]] = [
        {
            "id": name,
            "name": name,
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "currency": "CNY",
            "total_price": "1.00",
            "customer": {"id": name},
            "line_items": [{"id": name, "sku": name, "quantity": 1, "price": 1}],
        }
        for name in every
    ]
    folder = task.inner("load")
    customers = [{"id": f"m{n}", "name": "x", **members} for n in range(1)]
    customers[0] |= {"id": "m0", "name": "x"}
    server = RestSimulator(
        {"customers": Collection(customers), "orders": Collection(orders)}, token=small_shop.TOKEN
    )
    space = small_shop.workspace(folder, "http://127.0.0.1:9", limit=500)
    fit = [name for name in every if name not in ("id", "name")]
    told: dict[str, Exception] = {}
    for name in fit:
        try:
            plan_of(
                yaml.safe_dump({"entity": "party", "key": "id", "fields": {"name": quoted(name)}})
            )
        except TYPED as error:
            told[name] = error
    extra = [quoted(name) for name in fit if name not in told]
    mapping = small_shop.MAPPINGS["customers"].replace("version: updated_at\n", "")
    (folder / "mappings" / "shop" / "customers.yaml").write_text(
        mapping + yaml.safe_dump({"extra": extra}), encoding="utf-8"
    )
    outcomes = [
        sync_stream(space, "shop", s, transport=SimulatorTransport(server))
        for s in ("orders", "customers")
    ]
    published = unify_publish(space)
    trouble = [str(o.error) for o in (*outcomes, published) if o.error is not None]
    if trouble:
        yield Attempt("A4.sync", "the sync itself", "succeeded", "; ".join(trouble)[:300])
    file = space.home.current
    with open_store(space.home) as store:
        made = store.con.execute(
            "select table_name from duckdb_tables() where table_name like 'pwned%'"
        ).fetchall()
        rows = dict(store.con.execute("select source_key, number from source.orders").fetchall())
        lines = {r[0] for r in store.con.execute("select sku from source.order_lines").fetchall()}
        references = {
            r[0] for r in store.con.execute("select customer_key from source.orders").fetchall()
        }
        kept = store.con.execute("select ext::varchar from source.parties").fetchall()
        bad = {
            r[0]: r[1]
            for r in store.con.execute("select position, reason from ops.quarantine").fetchall()
        }
    space.control.close()
    yield Attempt(
        "A4.table", "a table that a statement made", "succeeded" if made else "refused", str(made)
    )
    for n, name in enumerate(every):
        held = n + 1 in bad
        whole = rows.get(name) == name and name in lines and name in references
        outcome = "refused" if held else "handled" if whole else "succeeded"
        yield Attempt(
            f"A4.k{n}", f"key and value {name[:40]!r}", outcome, str(bad.get(n + 1, ""))[:100]
        )  # type: ignore[arg-type]
    ext = json.loads(kept[0][0]) if kept and kept[0][0] else {}
    values = set(_leaves(ext))
    for n, name in enumerate(every):
        if name in told:
            yield refused(f"A4.m{n}", f"member {name[:40]!r}", told[name])
        elif name in fit:
            ok = f"value {n}" in values
            yield Attempt(
                f"A4.m{n}",
                f"member {name[:40]!r}",
                "handled" if ok else "succeeded",
                "" if ok else "lost",
            )
    count = next(iter(reader.run_query(file, "select count(*) from source.orders").rows))[0]
    yield Attempt(
        "A4.count",
        "as many published as stored",
        "handled" if count == len(rows) else "succeeded",
        str(count),
    )


def quoted(name: str) -> str:
    """Return a member's name as a mapping's path spells it (FORMS.md, section 3)."""
    return '"' + name.replace('"', '""') + '"'


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _headings(task: Task, every: list[str]) -> Iterator[Attempt]:
    """Put the names over the columns of a CSV file, one file each."""
    for n, name in enumerate(every):
        folder = task.inner(f"heads/{n}")
        with (folder / "a.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [["id", name, "z"], ["1", f"value {n}", "2"], ["2", f"value {n}", "2"]]
            )
        one = FilesConnector(
            FilesSettings.model_validate(
                {
                    "folder": str(folder),
                    "streams": {"s": {"pattern": "*.csv", "key": "id", "header": "1"}},
                }
            ),
            Context("o", pause=lambda seconds: None),
        )
        shown = f"heading {name[:40]!r}"
        try:
            rows = [row for page in one.read(ReadRequest("s")) for row in page.records.to_pylist()]
            ok = len(rows) == 2 and all(f"value {n}" in row.values() for row in rows)
            yield Attempt(f"A4.h{n}", shown, "handled" if ok else "succeeded", str(rows)[:120])
        except Exception as error:
            cause = getattr(error, "causes", [error])[0]
            yield refused(f"A4.h{n}", shown, cause)


def _columns(task: Task, every: list[str]) -> Iterator[Attempt]:
    """Ask for columns of these names and export them in each form."""
    folder = task.inner("columns")
    database = folder / "some.duckdb"
    duckdb.connect(str(database)).close()
    unlike = {name.lower(): name for name in every}
    fit = [name for name in unlike.values() if "\0" not in name]
    sql = "select " + ", ".join(f"{n} as {quoted(name)}" for n, name in enumerate(fit))
    told: dict[str, str] = {}
    for kind in ("csv", "json", "parquet", "xlsx"):
        try:
            getattr(export, f"write_{kind}")(reader.run_query(database, sql), folder / f"a.{kind}")
        except Exception as error:
            told[kind] = said(error)
    heads = {
        "csv": lambda: next(csv.reader((folder / "a.csv").open(encoding="utf-8-sig", newline=""))),
        "json": lambda: list(json.loads((folder / "a.json").read_text("utf-8"))[0]),
        "parquet": lambda: pq.read_schema(folder / "a.parquet").names,
        "xlsx": lambda: [
            c.value
            for c in next(iter(openpyxl.load_workbook(folder / "a.xlsx").active.iter_rows()))
        ],  # type: ignore[union-attr]
    }
    for kind, read in heads.items():
        if kind in told:
            yield Attempt(f"A4.{kind}", f"export as {kind}", "succeeded", told[kind])
            continue
        seen = [str(head) for head in read()]
        for n, (name, head) in enumerate(zip(fit, seen, strict=True)):
            same = head.lstrip("'") == name.lstrip("'") or head.startswith("_x") or "_x00" in head
            yield Attempt(
                f"A4.{kind}{n}",
                f"{kind} column {name[:40]!r}",
                "handled" if same else "succeeded",
                repr(head[:60]),
            )
