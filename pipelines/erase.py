"""Erases a person: decides, rewrites the landing, makes store and published versions anew, proves.

A run that is killed goes on where it was: what is left to do is noted in the landing, encrypted.
Each step may be done twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from connectors.errors import ConfigError
from pipelines.erase_scrub import Scrubbed, scrub
from pipelines.sealing import seal, unseal
from pipelines.waiting import waiting
from warehouse import crashpoints, packfiles
from warehouse.erase import edit, marker, plan, prove, rewrite, subject
from warehouse.erase.erasures import KIND, erased_before
from warehouse.erase.words import Hashes, Value, needles
from warehouse.errors import DecisionError, StoreError
from warehouse.landing import Landing
from warehouse.store import Store, open_store

if TYPE_CHECKING:
    import duckdb

    from mappings.personal import Personal
    from pipelines.workspace import Workspace
    from warehouse.model.plan import StreamPlan

Now = Callable[[], datetime]
Tell = Callable[[str], None]
"""Hears the name of each step."""
_USE, _ABOUT = b"isthmus erasure 1", b"erasure"


class Note(msgspec.Struct):
    """What a run has to do: what was decided, whose ids and values, who decided."""

    about: dict[str, Any]
    work: list[rewrite.StreamWork]
    ids: list[str]
    values: list[tuple[str, str]]
    searched: list[tuple[str, str]]
    kept: int
    why: str
    who: str


@dataclass(slots=True)
class Seen:
    """What an erasure would do, or does: counts only, and places by stream.

    `kept` are values that records of others say too: they stay there and are not searched for.
    """

    party_id: str
    kind: str | None
    records: int
    streams: list[dict[str, Any]]
    values: dict[str, int]
    kept: dict[str, int]


@dataclass(slots=True)
class Erased:
    """What was done; `proof` is None where it was not asked for.

    `regrouped` counts documents that are another thing than before: what joined them is gone.
    """

    decision: int
    streams: list[dict[str, Any]]
    rows: dict[str, int]
    decisions: int
    scrubbed: Scrubbed
    published: str
    removed_versions: int
    removed_copies: list[str]
    regrouped: int
    values: int
    proof: prove.Proof | None = None


class Unknown(DecisionError):
    """Nobody is meant by the word; `erased_by` is the decision that erased the person before."""

    def __init__(self, erased_by: int | None) -> None:
        super().__init__("no record matches.", "name another id, key or identifier.")
        self.erased_by = erased_by


class Several(DecisionError):
    """Several parties are meant; none is chosen."""

    def __init__(self, ids: Sequence[UUID]) -> None:
        super().__init__("several parties match.", "name one of them by its id.")
        self.ids = list(ids)


class Organization(DecisionError):
    """An organisation is meant: what it is called is not personal."""

    def __init__(self) -> None:
        super().__init__(
            "this party is an organization: its name and numbers are not personal.",
            "erase its contact person, or correct the party's kind at the source.",
        )


class Erasure:
    """One erasure of one workspace."""

    def __init__(self, space: Workspace, now: Now, tell: Tell = lambda _step: None) -> None:
        self.space, self.now, self.tell = space, now, tell
        self.landing = Landing(space.home.landing, now=now)
        self.hashes = Hashes(space.key)
        self._plans: dict[tuple[str, str], StreamPlan] = {}

    # --- looking ---------------------------------------------------------------------------------

    def look(self, word: str) -> Seen:
        """Return what erasing whom `word` means would do; nothing is changed.

        Raises Unknown, Several, Organization, or what a damaged landing raises.
        """
        marker.expect_none(self.space.home.landing)
        with open_store(self.space.home, clock=self.now, on_wait=waiting) as store:
            return _seen(self._plan(store, word))

    def _plan(self, store: Store, word: str) -> plan.Plan:
        things = subject.find(store.con, word)
        if not things:
            before = erased_before(self.landing.decisions, self.hashes, word)
            raise Unknown(before.sequence if before else None)
        if len(things) > 1:
            raise Several(things)
        found = subject.of(store.con, things[0])
        if found.kind == "organization":
            raise Organization
        keys = {tuple(r) for r in found.records}

        def others(connection: str, stream: str) -> set[str]:
            rows = store.con.execute(
                "SELECT record_key, source_key FROM source.parties "
                "WHERE connection = ? AND stream = ?",
                [connection, stream],
            ).fetchall()
            return {r for r, k in rows if (connection, stream, k) not in keys}

        made = plan.make(self.landing, found, self._mapped, others, _quarantined(store.con))
        for place in made.streams:
            if any((r.connection, r.stream) == place for r in [*found.rows, *found.documents]):
                self._stream_plan(*place)  # without it the rows could not be made anew
        return made

    def _mapped(self, connection: str, stream: str) -> Personal | None:
        from mappings.errors import MappingError
        from mappings.load import load_mapping
        from mappings.personal import personal
        from pipelines.connection import Connection

        owner = self.space.connections().get(connection)
        path = owner.mapping_path(stream) if isinstance(owner, Connection) else None
        if path is None or not isinstance(owner, Connection):
            return None
        try:
            return personal(load_mapping(path, search=owner.overlays), subject.OTHERS)
        except MappingError:
            return None

    def _stream_plan(self, connection: str, stream: str) -> StreamPlan:
        if (connection, stream) not in self._plans:
            owner = self.space.connection(connection)
            self._plans[connection, stream] = owner.plan(stream)
        return self._plans[connection, stream]

    # --- doing -----------------------------------------------------------------------------------

    def erase(self, word: str, *, why: str, who: str, proving: bool = True) -> Erased:
        """Erase whom `word` means. Raises what `look` does, LandingBusy while a stream is read."""
        marker.expect_none(self.space.home.landing)
        with ExitStack() as stack:
            self._hold_streams(stack)
            for place in self.landing.streams():
                packfiles.settle(self.landing.folder(*place))  # nothing stands twice
            with open_store(self.space.home, clock=self.now, on_wait=waiting) as store:
                self._unify(store)
                made = self._plan(store, word)
            said = [*made.subject.values, *made.subject.said]
            if any(w in why.encode() for v in said for w in needles(v)):
                raise DecisionError(
                    "the reason names the person: it is kept for ever.",
                    "write it without names, numbers and addresses.",
                )
            about = rewrite.about_of(made, self.hashes)
            note = Note(
                about, rewrite.work_of(made, about), [str(i) for i in made.subject.ids],
                [(v.kind, v.text) for v in said if v not in made.kept],
                [(v.kind, v.text) for v in made.searched], len(made.kept), why, who,
            )  # fmt: skip
            stack.enter_context(marker.under_way())
            marker.write(self.space.home.landing, self._sealed(note))
            crashpoints.reach("erase.noted")
            return self._carry_out(note, proving)

    def resume(self, *, proving: bool = True) -> Erased | None:
        """Go on with what was interrupted; None where nothing was."""
        sealed = marker.read(self.space.home.landing)
        if sealed is None:
            return None
        with ExitStack() as stack:
            self._hold_streams(stack)
            stack.enter_context(marker.under_way())
            return self._carry_out(self._opened(sealed), proving)

    def _carry_out(self, note: Note, proving: bool) -> Erased:
        home = self.space.home
        values = [Value(*v) for v in note.values]
        self.tell("landing")
        decision = self._decide(note)
        rewrite.rewrite(self.landing, note.work, note.about["values"], self.hashes)
        decisions = rewrite.clean_decisions(self.landing, note.work, values)
        self.tell("store")
        rows, regrouped = self._store(note, values)
        copies = self._remove_copies()
        self.tell("logs")
        scrubbed = scrub(self.space, values)
        self.tell("published")
        version, removed = self._publish()
        crashpoints.reach("erase.published")
        done = Erased(
            decision, [_told(w) for w in note.work], rows, decisions, scrubbed, version, removed,
            copies, regrouped, len(note.searched),
        )  # fmt: skip
        if proving:
            self.tell("proof")
            self.space.control.close()
            searched = [Value(*v) for v in note.searched]
            done.proof = prove.prove(home.root, searched, [home.landing / marker.FILE])
        crashpoints.reach("erase.proved")
        marker.remove(home.landing)
        return done

    def _hold_streams(self, stack: ExitStack) -> None:
        for place in self.landing.streams():
            stack.enter_context(self.landing.hold(*place))

    def _decide(self, note: Note) -> int:
        """Write the decision, unless a run that was killed has."""
        for decision in reversed(self.landing.decisions.all(KIND)):
            if decision.about == note.about:
                return decision.sequence
        return self.landing.decisions.append(
            KIND, why=note.why, who=note.who, at=self.now(), about=note.about
        ).sequence

    def _unify(self, store: Store, *, whole: bool = False) -> None:
        from warehouse import ruled
        from warehouse.unify import unify

        company = self.space.company()
        _, rulings = ruled.read(self.landing.decisions)
        unify(
            store, now=self.now(), whole=whole, priority=company.priority, rulings=rulings,
            sku_aliases=company.sku_aliases,
        )  # fmt: skip

    def _store(self, note: Note, values: Sequence[Value]) -> tuple[dict[str, int], int]:
        plans = {
            (w.connection, w.stream): self._stream_plan(w.connection, w.stream)
            for w in note.work
            if self._mapped(w.connection, w.stream) is not None
        }
        words = sorted({w.decode() for v in values for w in needles(v) if _is_text(w)})
        ids = [UUID(i) for i in note.ids]
        with open_store(self.space.home, clock=self.now, on_wait=waiting) as store:
            before = _groups(store.con)
            rows = edit.edit(store, self.landing, note.work, plans, ids, words, self.now)
            self._unify(store, whole=True)
            crashpoints.reach("erase.store_unified")
            after = _groups(store.con)
            edit.copy_anew(store)
        return rows, sum(before[i] != golden for i, golden in after.items() if i in before)

    def _remove_copies(self) -> list[str]:
        """Remove copies of the store from before upgrades, and what work on it left on the disk."""
        folder, removed = self.space.home.store.parent, []
        keep = {self.space.home.store, self.space.home.public}
        for path in [*folder.glob("*.duckdb"), *folder.glob("*.new"), *folder.glob("*.tmp")]:
            if path not in keep:
                path.unlink()
                removed.append(path.name)
        shutil.rmtree(folder / "scratch", ignore_errors=True)
        return sorted(removed)

    def _publish(self) -> tuple[str, int]:
        """Make the projection anew, publish it, and remove every other version."""
        from pipelines.sync import unify_publish
        from warehouse.publish import pointer, versions

        home = self.space.home
        for suffix in ("", ".wal"):
            home.public.with_name(home.public.name + suffix).unlink(missing_ok=True)
        outcome = unify_publish(self.space, now=self.now)
        if outcome.error is not None:
            raise StoreError(outcome.error.what, outcome.error.do, place=outcome.error.place)
        current = pointer(home).get("file")
        old = [path for path in versions(home) if path.name != current]
        for path in old:
            path.unlink()
        return outcome.version, len(old)

    # --- the note --------------------------------------------------------------------------------

    def _sealed(self, note: Note) -> bytes:
        return seal(self.space.key, _USE, msgspec.json.encode(note), _ABOUT)

    def _opened(self, sealed: bytes) -> Note:
        plain = unseal(self.space.key, _USE, sealed, _ABOUT)
        with suppress(msgspec.DecodeError):
            if plain is not None:
                return msgspec.json.decode(plain, type=Note)
        raise ConfigError(
            "what is left to be erased cannot be read: it was noted under another key.",
            "put the old key back (ISTHMUS_KEY, else the file `key` of the home), or remove"
            " the file and erase the person anew.",
            place=str(self.space.home.landing / marker.FILE),
        )


def _quarantined(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[tuple[int, int]]]:
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for connection, stream, batch, position in con.execute(
        "SELECT DISTINCT connection, stream, batch, position FROM ops.quarantine"
    ).fetchall():
        found.setdefault((connection, stream), []).append((batch, position))
    return found


def _groups(con: duckdb.DuckDBPyConnection) -> dict[UUID, UUID]:
    """Return the thing of each record that is part of another's."""
    sql = "SELECT own_id, golden_id FROM unified.xref WHERE entity <> 'party'"
    return dict(con.execute(sql).fetchall())


def _seen(made: plan.Plan) -> Seen:
    counts: dict[str, int] = {}
    for value in [*made.subject.values, *made.subject.said]:
        counts[value.kind] = counts.get(value.kind, 0) + 1
    kept: dict[str, int] = {}
    for value in made.kept:
        kept[value.kind] = kept.get(value.kind, 0) + 1
    about = [rewrite.count(s) for s in made.streams.values()]
    return Seen(
        str(made.subject.golden), made.subject.kind, len(made.subject.records), about, counts, kept
    )


def _told(work: rewrite.StreamWork) -> dict[str, Any]:
    return {
        "connection": work.connection,
        "stream": work.stream,
        "batches": len(work.sums),
        "removed": len(work.about["removed"]),
        "blanked": len(work.about["blanked"]),
    }


def _is_text(word: bytes) -> bool:
    try:
        return "\0" not in word.decode("utf-8")
    except UnicodeDecodeError:
        return False


def as_json(value: Seen | Erased) -> dict[str, Any]:
    """Return the figures as plain data."""
    return asdict(value)
