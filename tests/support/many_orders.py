"""Workspaces of four systems that know the same customers, synced in any order."""

from __future__ import annotations

import csv
import hashlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
from file_connections import connection, write_all

from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.eval.chinese import generate
from warehouse import ruled
from warehouse.decisions import Decisions
from warehouse.rebuild import rebuild
from warehouse.ruled import Record

SYSTEMS = ("shop", "erp", "crm", "logistics")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAPPING = """entity: party
key: source_key
fields:
  kind: kind
  name: name
  legal_name: legal_name
  phone: phone
  email: email
  region: province
  city: city
  address: address
  contact_name: contact_name
  source_created_at: created_at
  tax_number: tax_number
  uscc: "case when regexp_full_match(uscc, '[0-9A-Z]{18}') then uscc end"
"""
COMPANY = """type: pipelines.Company
attributes:
  privacy: clear
  priority: {party: [crm, erp], party.phone: [shop]}
"""


@dataclass
class Company:
    """One workspace, its clock, and every id that it ever published."""

    root: Path
    space: Workspace
    clock: datetime = NOON
    published: set[UUID] = field(default_factory=set)

    def now(self) -> datetime:
        """Return a moment later than all before."""
        self.clock += timedelta(seconds=7)
        return self.clock

    def sync(self, connection: str) -> None:
        """Read all customers of a connection, unify and publish."""
        outcome = sync_stream(self.space, connection, "customers", full=True, now=self.now)
        assert outcome.error is None, outcome.error
        self.publish()

    def publish(self) -> int:
        """Unify and publish, and remember the ids; returns how many golden rows changed."""
        done = unify_publish(self.space, now=self.now)
        assert done.error is None, done.error
        self.published |= {row[0] for row in self.ask("SELECT party_id FROM unified.parties")}
        return done.changed

    def rebuild(self) -> None:
        """Make the store anew from the landing and the decisions, and publish."""
        from warehouse.landing import Landing

        rebuild(
            self.space.home,
            Landing(self.space.home.landing),
            lambda connection, stream: self.space.connection(connection).plan(stream),
            self.now,
        )
        self.publish()

    def part(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        """Decide that two records are two parties."""
        rows = [Record(connection, "customers", key) for connection, key in (one, other)]
        log = Decisions(self.space.home.landing)
        ruled.decide(log, "unmerge", rows, why="they say so", at=self.now())
        self.publish()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published file."""
        with duckdb.connect(str(self.space.home.readable), read_only=True) as con:
            con.execute(f"USE {self.space.home.readable.stem}")
            return con.execute(sql.replace("unified.", "main.")).fetchall()

    def ids(self) -> dict[tuple[str, str], UUID]:
        """Return the golden id of every record."""
        rows = self.ask("SELECT connection, source_key, golden_id FROM unified.xref")
        return {(connection, key): golden for connection, key, golden in rows}

    def groups(self) -> set[frozenset[tuple[str, str]]]:
        """Return which records are one party."""
        found: dict[UUID, set[tuple[str, str]]] = {}
        for record, golden in self.ids().items():
            found.setdefault(golden, set()).add(record)
        return {frozenset(one) for one in found.values()}

    def values(self) -> str:
        """Return a hash over all golden rows without ids, moments of ours and keyed hashes."""
        ours = "['party_id', 'parent_party_id', 'organization_id', 'first_seen_at', 'synced_at']"
        rows = self.ask(
            f"SELECT COLUMNS(lambda c: NOT ends_with(c, '_hash') AND c NOT IN {ours}) "
            "FROM unified.parties ORDER BY ALL"
        )
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def lost(self) -> set[UUID]:
        """Return the ids ever published that lead to no party, directly or by one forwarding."""
        now = {row[0] for row in self.ask("SELECT party_id FROM unified.parties")}
        led = dict(self.ask("SELECT old_id, golden_id FROM unified.forwardings"))
        return {one for one in self.published if one not in now and led.get(one) not in now}


def found(root: Path, rows: int, seed: int = 5) -> Company:
    """Write a workspace of a generated company under `root`."""
    data = generate(seed, rows)
    for name in SYSTEMS:
        write_all(root, {
            f"defs/{name}/defs.yaml": connection(name, customers="source_key"),
            f"mappings/{name}/customers.yaml": MAPPING,
            "defs/company/defs.yaml": COMPANY,
        })  # fmt: skip
        inbox = root / "inbox" / name
        inbox.mkdir(parents=True)
        with (inbox / "customers.csv").open("w", encoding="utf-8", newline="") as file:
            out = csv.DictWriter(file, data.columns)
            out.writeheader()
            out.writerows(r.values for r in data.rows if r.values["connection"] == name)
    return Company(root, Workspace.discover({}, start=root))


def orders(count: int) -> Sequence[tuple[str, ...]]:
    """Return `count` different orders of the systems, the same at every call."""
    every = list(itertools.permutations(SYSTEMS))
    return random.Random(3).sample(every, count)
