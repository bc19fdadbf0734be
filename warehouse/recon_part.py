"""Reconciles what hangs together with what changed, where all else stands as it was found.

Steps and marts that say `-- kept: entity column` stand as tables in the schema `kept` of the store,
a row belonging to the thing of that column; `-- among:` ones are made of the rows of some things at
need. A rule that says `-- among: entity column` is looked at for the things that were touched
(`ties.py`), what it found of others stays; all else is looked at whole. Where a step that counts
for all things says another thing than before, everything is looked at anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import duckdb

from warehouse import recon_rules, ties
from warehouse.among import THINGS, Among
from warehouse.bounds import transaction
from warehouse.ddl import literal
from warehouse.recon_rules import Rule
from warehouse.store import Store
from warehouse.ties import things

FACT = "recon_kept"
"""Fact of the store: what the tables of `kept` are of."""
FOUND = "kept.found"
_KEPT = "CREATE SCHEMA IF NOT EXISTS kept"


class Part:
    """One reconciliation: `is_whole`, from the start where it `is_first`, or of what was touched.

    It `keeps` what the next may stand on where the store is large enough.

    `wanted` are the marts and steps that the rules stand on, in order; `form` is what else the
    outcome is a function of, but for the rows.
    """

    def __init__(
        self, store: Store, rules: Sequence[Rule], wanted: Sequence[tuple[str, str]], form: object
    ) -> None:
        self.store, self.con, self.rules = store, store.con, tuple(rules)
        self.models = {one: recon_rules.part_of(*one) for one in wanted}
        said = [form, sorted(r.name for r in rules), ties.form(store.con)]
        self.form = hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()
        self.known = json.loads(store.meta(FACT) or "{}")
        self.run = int(store.meta("unified_run") or 0)
        texts = [recon_rules.steps()[one] for one in wanted] + [rule.sql for rule in rules]
        self.among = Among(store.con, "unified", "source", texts)
        self.names: dict[str, str] = {}
        self.keeps = store.meta(ties.FORM) == ties.form(store.con)
        self.is_whole = self.is_first = not (self.keeps and self._follows())

    def _follows(self) -> bool:
        """Whether what was kept can be brought up to date; makes the things that were touched."""
        if self.known.get("form") != self.form:
            return False
        run = int(self.known["run"])
        if run < int(self.store.meta(ties.SINCE) or 0):
            return False
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE {THINGS} AS SELECT DISTINCT thing FROM identity.touched "
            f"WHERE run > {run}"
        )
        ((many, none),) = self.con.execute(
            f"SELECT count(*), count(*) FILTER (thing IS NULL) FROM {THINGS}"
        ).fetchall()
        return bool(many <= ties.MOST and not none)

    def begin(self) -> None:
        """Bring the kept tables up to date and show them under the names that others read."""
        for schema, name in self.models:
            kind = self._kind(schema, name)
            text = recon_rules.steps()[schema, name]
            if kind == "":
                self.names[f"{schema}.{name}"] = recon_rules.temp_name(schema, name)
                continue
            made = f"among_{schema}_{name}"
            sql = self.among.text(text, self.names)
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE {made} AS {sql}")
            self.names[f"{schema}.{name}"] = self.among.made[f"{schema}.{name}"] = f"temp.{made}"
        with transaction(self.store):
            for (schema, name), (kind, said) in self.models.items():
                if kind == "kept":
                    self._bring(f"kept.{schema}_{name}", f"temp.among_{schema}_{name}", said)
        for (schema, name), (kind, _) in self.models.items():
            if kind == "kept":
                view = recon_rules.temp_name(schema, name)
                self.con.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS FROM kept.{schema}_{name}")
        chosen = ", ".join(literal(r.name) for r in self.rules if r.among) or "''"
        self.con.execute(
            f"INSERT INTO recon_found BY NAME SELECT * FROM {FOUND} WHERE rule IN ({chosen}) "
            f"AND thing NOT IN (SELECT thing FROM {THINGS})"
        )

    def _bring(self, kept: str, fresh: str, said: str) -> None:
        thing = things(said)
        self.con.execute(f"DELETE FROM {kept} WHERE {thing} IN (SELECT thing FROM {THINGS})")
        self.con.execute(
            f"INSERT INTO {kept} BY NAME SELECT * FROM {fresh} "
            f"WHERE {thing} IN (SELECT thing FROM {THINGS})"
        )

    def skips(self, schema: str, name: str) -> bool:
        """Whether a mart or step is not to be made of all rows."""
        return not self.is_whole and self._kind(schema, name) != ""

    def text(self, rule: Rule) -> str:
        """Return the rule's SQL, over all rows or those of the touched things."""
        if self.is_whole or not rule.among:
            return recon_rules.private(rule.sql)
        text = self.among.text(rule.sql, self.names, rule.whole)
        return f"SELECT * FROM ({text}) WHERE {things(rule.among)} IN (SELECT thing FROM {THINGS})"

    def habits(self) -> str:
        """Return a digest of what counts for all things, as it stands now."""
        found = {}
        read: set[tuple[str, str]] = set()
        for rule in self.rules:
            read |= recon_rules.reads(rule.sql) if rule.among else set()
        for one in self.models:
            read |= recon_rules.reads(recon_rules.steps()[one]) if self._kind(*one) else set()
        for schema, name in sorted(read):
            if self._kind(schema, name) == "":
                table = recon_rules.temp_name(schema, name)
                row = self.con.execute(
                    f"SELECT count(*), bit_xor(hash(t)) FROM {table} t"
                ).fetchall()
                found[name] = str(row)
        return json.dumps(found)

    def holds(self) -> bool:
        """Whether what counts for all things is as it was."""
        return bool(self.habits() == self.known.get("habits"))

    def keep(self) -> None:
        """Keep what was made of all rows, for the next time; not what was found."""
        if not self.is_whole or not self.keeps:
            return
        self.store.set_meta(FACT, "{}")
        with transaction(self.store):
            self.con.execute(_KEPT)
            for (schema, name), (kind, _) in self.models.items():
                if kind == "kept":
                    self.con.execute(
                        f"CREATE OR REPLACE TABLE kept.{schema}_{name} AS "
                        f"FROM {recon_rules.temp_name(schema, name)}"
                    )

    def remember(self, habits: str) -> None:
        """Remember what was found, in the transaction that writes the breaks."""
        if not self.keeps:
            return self.forget()
        self.con.execute(f"CREATE OR REPLACE TABLE {FOUND} AS FROM recon_found")
        said = {"form": self.form, "run": self.run, "habits": habits}
        self.store.set_meta(FACT, json.dumps(said))

    def forget(self) -> None:
        """Let everything be looked at the next time."""
        if self.known:
            self.store.set_meta(FACT, "{}")

    def end(self) -> None:
        """Drop what was made of the touched things."""
        self.among.drop()
        for (schema, name), (kind, _) in self.models.items():
            if kind == "kept" and not self.is_whole:
                self.con.execute(f"DROP VIEW IF EXISTS temp.{recon_rules.temp_name(schema, name)}")

    def to_whole(self) -> None:
        """Look at everything after all."""
        self.end()
        self.is_whole = True

    def _kind(self, schema: str, name: str) -> str:
        return self.models[schema, name][0] if (schema, name) in self.models else ""


def erase(con: duckdb.DuckDBPyConnection) -> None:
    """Take away all that is kept: it is made anew of what the store holds."""
    con.execute("DROP SCHEMA IF EXISTS kept CASCADE")
    con.execute("DELETE FROM ops.meta WHERE name = ?", [FACT])
