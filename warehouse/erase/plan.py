"""What an erasure changes in the landing: which records of which batches, and how.

A record is removed, where it is the party's own; blanked by the paths of its stream, where it is a
document of the person; or blanked in part, where it is somebody else's and names the person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from warehouse.batch import Batch
from warehouse.erase import blank
from warehouse.erase.erasures import ALL
from warehouse.erase.known import deletion_keys, known_by, lines_of, table_of
from warehouse.erase.subject import Row, Subject
from warehouse.erase.words import Finder, Value
from warehouse.landing import Landing

Place = tuple[str, str]


class Mapped(Protocol):
    """What a stream's mapping says (`mappings.personal.Personal`)."""

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities of its records, their own first."""

    @property
    def paths(self) -> frozenset[blank.Path]:
        """Members that fill fields with a privacy tag."""

    @property
    def keys(self) -> frozenset[blank.Path]:
        """Members that make the key."""

    @property
    def parties(self) -> frozenset[tuple[str, blank.Path]]:
        """Members that refer to a party."""

    @property
    def groups(self) -> frozenset[frozenset[blank.Path]]:
        """Members that speak of one person."""


@dataclass(slots=True)
class StreamPlan:
    """What is to be done in one stream. Keys are what records are known by (`known.known_by`).

    `partly` gives the paths of a record that is somebody else's; `left_out` the entities of which a
    blanked record makes no row any more. `places` are (batch, position) of all that is meant, with
    their key, "" where it is not known.
    """

    connection: str
    stream: str
    removed: set[str] = field(default_factory=set)
    owned: set[str] = field(default_factory=set)
    partly: dict[str, set[blank.Path]] = field(default_factory=dict)
    left_out: dict[str, set[str]] = field(default_factory=dict)
    paths: set[blank.Path] = field(default_factory=set)
    keys: frozenset[blank.Path] = frozenset()
    places: dict[tuple[int, int], str] = field(default_factory=dict)
    sums: dict[int, str] = field(default_factory=dict)
    deletions: dict[int, set[str]] = field(default_factory=dict)

    def knows(self, key: str) -> bool:
        """Say whether a record is meant."""
        return key in self.removed or key in self.owned or key in self.partly

    @property
    def changes(self) -> bool:
        """Whether anything of the stream is to be changed."""
        return bool(self.places or self.deletions)


@dataclass(slots=True)
class Plan:
    """The whole: whose, what is searched for afterwards, and what each stream loses.

    `kept` counts, by value, the records of others that say it too: such a value stays.
    """

    subject: Subject
    streams: dict[Place, StreamPlan]
    searched: list[Value]
    kept: dict[Value, int]


@dataclass(slots=True)
class _Scan:
    """One stream's batches with what their records are known by, read once."""

    place: Place
    batches: list[Batch]
    known: dict[int, list[str] | None]


def make(
    landing: Landing,
    subject: Subject,
    mapped: Callable[[str, str], Mapped | None],
    others: Callable[[str, str], Collection[str]],
    quarantined: Mapping[Place, Collection[tuple[int, int]]],
) -> Plan:
    """Return the plan of an erasure; raises LandingDamaged for a batch that is not as written.

    `mapped` tells of a stream's mapping, `others` the keys of parties in it that are not the
    subject, `quarantined` the records that are in no table.
    """
    rows = _by_place([(r, True) for r in subject.rows] + [(r, False) for r in subject.documents])
    strong = [v for v in subject.values if v.is_strong and v not in subject.shared]
    names = Finder(strong)
    plans: dict[Place, StreamPlan] = {}
    scans: dict[Place, _Scan] = {}
    for place in landing.streams():
        said = mapped(*place)
        scan = scans[place] = _read(landing, place)
        plan = plans[place] = StreamPlan(*place, keys=said.keys if said else frozenset())
        _take_rows(plan, scan, rows.get(place, []), said)
        _take_quarantined(plan, scan, quarantined.get(place, ()), said, subject)
        _take_named(plan, scan, names, said, others(*place))
        _place(plan, scan)
    for plan in plans.values():
        keys = [k for k in plan.owned | plan.partly.keys() if k[:1] > "\x1f" and names(k)]
        subject.values.extend(Value("key", k) for k in keys if k not in plan.removed)
    party = [v for v in subject.values if v not in strong]
    kept = _said_by_others(plans, scans, [*party, *subject.said])
    holds = Finder([*subject.values, *(v for v in subject.said if v not in kept)])
    holds_weak = Finder(subject.values)
    for place, plan in plans.items():
        _take_paths(plan, scans[place], mapped(*place), holds, holds_weak)
        _take_deletions(plan, scans[place], names)
        touched = {batch for batch, _ in plan.places} | plan.deletions.keys()
        for batch in scans[place].batches:
            if batch.sequence in touched:
                batch.verify_all()
                plan.sums[batch.sequence] = batch.sidecar.sha256
    searched = [v for v in [*subject.values, *subject.said] if v not in kept]
    return Plan(
        subject, {p: s for p, s in plans.items() if s.changes},
        [v for v in searched if v not in subject.shared],
        kept | {v: kept.get(v, 0) for v in subject.shared},
    )  # fmt: skip


def _by_place(rows: Iterable[tuple[Row, bool]]) -> dict[Place, list[tuple[Row, bool]]]:
    found: dict[Place, list[tuple[Row, bool]]] = {}
    for row, own in rows:
        found.setdefault((row.connection, row.stream), []).append((row, own))
    return found


def _read(landing: Landing, place: Place) -> _Scan:
    batches = landing.batches(*place)
    known = {
        b.sequence: known_by(b, b.segments())
        for b in batches
        if b.sidecar.content == "records" and b.sidecar.rows
    }
    return _Scan(place, batches, known)


def _key_at(scan: _Scan, batch: int, position: int) -> str:
    """Return what the record at a place is known by; its place where the keys file is gone."""
    keys = scan.known.get(batch)
    if keys is None or not 0 < position <= len(keys):
        return f"\x1e{batch}/{position}"
    return keys[position - 1]


def _take_rows(
    plan: StreamPlan, scan: _Scan, rows: Sequence[tuple[Row, bool]], said: Mapped | None
) -> None:
    """Take the records that made the subject's rows, and the documents."""
    own = said.entities[0] if said else ""
    for row, is_party in rows:
        key = _key_at(scan, row.batch, row.position)
        if is_party and own in ("party", ""):
            plan.removed.add(key)
            continue
        plan.owned.add(key)
        if is_party:
            plan.left_out.setdefault(key, set()).add("party")
    plan.owned -= plan.removed


def _take_quarantined(
    plan: StreamPlan,
    scan: _Scan,
    places: Collection[tuple[int, int]],
    said: Mapped | None,
    subject: Subject,
) -> None:
    """Take documents that are in no table and refer to the subject by a key of its connection."""
    keys = {r.source_key for r in subject.records if r.connection == plan.connection}
    parties = [
        path for name, path in (said.parties if said else ())
        if name in ("customer_key", "contact_key", "party_key", "supplier_key")
    ]  # fmt: skip
    if not keys or not parties:
        return
    wanted: dict[int, set[int]] = {}
    for number, position in places:
        wanted.setdefault(number, set()).add(position)
    for batch in scan.batches:
        for position, texts in _texts_at(batch, wanted.get(batch.sequence, set()), parties):
            if keys & set(texts):
                plan.owned.add(_key_at(scan, batch.sequence, position))


def _texts_at(
    batch: Batch, positions: Collection[int], paths: Sequence[blank.Path]
) -> list[tuple[int, list[str]]]:
    if not positions:
        return []
    if batch.sidecar.encoding == "parquet":
        table = table_of(batch)
        return [
            (n, [str(table[p[0]][n - 1].as_py()) for p in paths if p[0] in table.column_names])
            for n in positions
        ]
    return [
        (n, [text for p in paths for text in blank.at(line, p)])
        for n, line in enumerate(lines_of(batch), 1)
        if n in positions
    ]


def _take_named(
    plan: StreamPlan, scan: _Scan, names: Finder, said: Mapped | None, others: Collection[str]
) -> None:
    """Take the records that hold a value which names the subject alone.

    Of a stream of parties they are the person's own (older ones, broken ones), unless a row of
    somebody else is made of them.
    """
    own = said.entities[0] if said else ""
    for batch in scan.batches:
        if batch.sidecar.content != "records":
            continue
        for position, paths in hits(batch, names):
            key = _key_at(scan, batch.sequence, position)
            if plan.knows(key) and key not in plan.partly:
                continue
            if () in paths or (own == "party" and key not in others):
                plan.removed.add(key)
            else:
                # Whose phone it is receives the parcel: name and address beside it go too.
                beside = {p for g in (said.groups if said else ()) if g & paths for p in g}
                plan.partly.setdefault(key, set()).update(paths | beside)
    for key in plan.removed | plan.owned:
        plan.partly.pop(key, None)


def hits(batch: Batch, holds: Finder) -> list[tuple[int, set[blank.Path]]]:
    """Return position and paths of the records that hold a value."""
    if batch.sidecar.encoding == "parquet":
        table = table_of(batch)
        rows: dict[int, set[blank.Path]] = {}
        for name, cells in zip(table.column_names, blank.table_texts(table), strict=True):
            for n, text in enumerate(cells, 1):
                if text is not None and holds(text):
                    rows.setdefault(n, set()).add((name,))
        return sorted(rows.items())
    return [
        (n, blank.found_paths(line, holds) or {()})
        for n, line in enumerate(lines_of(batch), 1)
        if holds.may_hold(line) and (blank.found_paths(line, holds) or not blank.texts(line))
    ]


def _place(plan: StreamPlan, scan: _Scan) -> None:
    """Find all places of the records that are meant: every version that was landed."""
    for number, keys in scan.known.items():
        for position, key in enumerate(keys or (), 1):
            if plan.knows(key):
                plan.places[number, position] = key
    for key in plan.removed | plan.owned | plan.partly.keys():
        if key.startswith("\x1e"):
            batch, _, place = key[1:].partition("/")
            plan.places[int(batch), int(place)] = key
    for key in plan.removed:
        plan.left_out[key] = {ALL}


def _said_by_others(
    plans: Mapping[Place, StreamPlan], scans: Mapping[Place, _Scan], values: Sequence[Value]
) -> dict[Value, int]:
    """Count the records of others that say a value, for those that any does."""
    found: dict[Value, int] = {}
    finders = [(v, Finder([v])) for v in dict.fromkeys(values)]
    if not finders:
        return found
    every = Finder(values)
    for place, scan in scans.items():
        for batch in scan.batches:
            if batch.sidecar.content != "records":
                continue
            for position, text in _lines_with(batch, every):
                if (batch.sequence, position) in plans[place].places:
                    continue
                for value, holds in finders:
                    if any(holds(t) for t in text):
                        found[value] = found.get(value, 0) + 1
    return found


def _lines_with(batch: Batch, holds: Finder) -> list[tuple[int, list[str]]]:
    if batch.sidecar.encoding == "parquet":
        rows: dict[int, list[str]] = {}
        for cells in blank.table_texts(table_of(batch)):
            for n, text in enumerate(cells, 1):
                if text is not None and holds(text):
                    rows.setdefault(n, []).append(text)
        return sorted(rows.items())
    found = []
    for n, line in enumerate(lines_of(batch), 1):
        if holds.may_hold(line):
            texts = [t for t in blank.texts(line) if holds(t)]
            if texts:
                found.append((n, texts))
    return found


def _take_paths(
    plan: StreamPlan, scan: _Scan, said: Mapped | None, holds: Finder, weak: Finder
) -> None:
    """Complete the paths of documents by those at which their records name the person.

    Of a record of somebody else only what names the subject goes, with the name beside it.
    """
    if plan.owned and said is not None:
        plan.paths |= said.paths
    wanted: dict[int, dict[int, str]] = {}
    for (number, position), key in plan.places.items():
        if key not in plan.removed:
            wanted.setdefault(number, {})[position] = key
    for batch in scan.batches:
        places = wanted.get(batch.sequence)
        if not places:
            continue
        paths_at = _paths_at(batch)
        for position, key in places.items():
            for path in paths_at(position, weak if key in plan.partly else holds):
                if path not in plan.keys:
                    plan.partly.get(key, plan.paths).add(path)


def _paths_at(batch: Batch) -> Callable[[int, Finder], set[blank.Path]]:
    """Return what says at which paths the record at a position holds a value."""
    if batch.sidecar.encoding != "parquet":
        lines = lines_of(batch)
        return lambda position, holds: blank.found_paths(lines[position - 1], holds)
    table = table_of(batch)

    def of_row(position: int, holds: Finder) -> set[blank.Path]:
        row = table.slice(position - 1, 1)
        cells = zip(row.column_names, blank.table_texts(row), strict=True)
        return {(name,) for name, (text,) in cells if text is not None and holds(text)}

    return of_row


def _take_deletions(plan: StreamPlan, scan: _Scan, names: Finder) -> None:
    """Take the batches that say of the person's key that it is gone."""
    for batch in scan.batches:
        if batch.sidecar.content != "records":
            gone = {key for key, _ in map(deletion_keys, lines_of(batch)) if names(key)}
            if gone:
                plan.deletions[batch.sequence] = gone
