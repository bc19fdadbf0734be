"""What was decided to be erased, by stream, and how it is kept out when it comes again.

The decision (kind `erase`) holds keyed hashes of landing keys and values, paths, batch numbers and
keyed hashes of their old sums: nothing from which the person could be known without the key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from warehouse.batch import is_table
from warehouse.decisions import Decision, Decisions
from warehouse.erase.blank import Rule, blanked, blanked_table
from warehouse.erase.words import Hashes, key_after
from warehouse.errors import KeyChanged
from warehouse.hashing import PLACES, POSITION_KEY, RowHasher, of_records

if TYPE_CHECKING:
    from warehouse.pages import Records

KIND = "erase"
KEPT = (*PLACES, POSITION_KEY)
KEPT_OUT = "records of persons that were erased came again and were kept out"
BLANKED = "documents of persons that were erased came again and were landed blanked"
ALL = "*"
"""Stands for every entity that a record makes rows of."""
_64_BITS = (1 << 64) - 1


def content_key(hash_: int) -> str:
    """Return what a record without key is known by."""
    return f"\x1f{hash_ & _64_BITS:016x}"


@dataclass(slots=True)
class StreamErasure:
    """What is erased of one stream: hashes of removed keys, and how others are blanked.

    `blanked` gives (paths, entities that are not made of the record any more) by hash of the key.
    """

    removed: set[str] = field(default_factory=set)
    blanked: dict[str, tuple[frozenset[tuple[str, ...]], tuple[str, ...]]] = field(
        default_factory=dict
    )
    keys: frozenset[tuple[str, ...]] = frozenset()
    values: set[str] = field(default_factory=set)

    def take(self, about: Mapping[str, Any], values: Sequence[str]) -> None:
        """Take in what one decision says of the stream."""
        own = frozenset(tuple(p) for p in about["paths"])
        self.removed.update(about["removed"])
        self.keys |= frozenset(tuple(p) for p in about["keys"])
        self.values.update(values)
        for key, said in about["blanked"].items():
            paths = own if said.get("paths") is None else frozenset(map(tuple, said["paths"]))
            before = self.blanked.get(key, (frozenset(), ()))
            left_out = tuple(sorted({*before[1], *said.get("left_out", ())}))
            self.blanked[key] = (before[0] | paths, left_out)

    def rule(self, hashes: Hashes, key: str) -> Rule:
        """Return how the record of that hash is blanked."""
        return Rule(
            self.blanked[key][0],
            self.keys,
            lambda text: any(h in self.values for h in hashes.of_text(text)),
            hashes.pseudonym,
        )


@dataclass(slots=True)
class Passed:
    """A page without what is erased: what is left, and what the writer has to know of it.

    `kept_out` are the keys under which removed records count as seen; `left_out` gives, by place in
    the page, the entities that a blanked record makes no row of.
    """

    records: Records
    keys: Sequence[str | None]
    kept_out: list[str] = field(default_factory=list)
    nameless: int = 0
    blanked: int = 0
    left_out: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def warnings(self) -> Counter[str]:
        """What the report of the read says, with counts."""
        return +Counter({KEPT_OUT: len(self.kept_out) + self.nameless, BLANKED: self.blanked})


class Guard:
    """Keeps out of a stream's landing what was erased of it."""

    def __init__(self, erasure: StreamErasure, hashes: Hashes) -> None:
        self._erasure, self._hashes = erasure, hashes
        self._hasher = RowHasher()

    def known(self, key: str) -> str:
        """Return the key under which an erased record is counted, `key` itself for another."""
        erased = self._hashes.of_key(key) in self._erasure.removed
        return key_after(self._hashes, key) if erased else key

    def passed(self, records: Records, keys: Sequence[str | None]) -> Passed:
        """Return the page as it may be landed."""
        names = [self._hashes.of_key(k) if k is not None else "" for k in keys]
        if None in keys:
            rows = self._hasher.of_rows(records) if is_table(records) else of_records(records)
            for n, key in enumerate(keys):
                if key is None:
                    names[n] = self._hashes.of_key(content_key(rows[n]))
        erased = self._erasure
        out = [n for n, name in enumerate(names) if name in erased.removed]
        change = [
            n for n, name in enumerate(names)
            if name in erased.blanked and name not in erased.removed
        ]  # fmt: skip
        if not out and not change:
            return Passed(records, keys)
        done = Passed(records, list(keys), blanked=len(change))
        rules = {n: erased.rule(self._hashes, names[n]) for n in change}
        changed: Records
        if is_table(records):
            changed = blanked_table(records, list(rules.items()), KEPT)
        else:
            changed = [
                blanked(bytes(r), rules[n]) if n in rules else r for n, r in enumerate(records)
            ]
        gone = set(out)
        stay = [n for n in range(len(keys)) if n not in gone]
        left = changed.take(stay) if is_table(changed) else [changed[n] for n in stay]
        place = {n: i for i, n in enumerate(stay)}
        for n in out:
            key = keys[n]
            if key is None:
                done.nameless += 1
            else:
                done.kept_out.append(key_after(self._hashes, key))
        done.left_out = {
            place[n]: left_out for n in change if (left_out := erased.blanked[names[n]][1])
        }
        done.records, done.keys = left, [self._after(keys[n], n in rules) for n in stay]
        return done

    def _after(self, key: str | None, is_blanked: bool) -> str | None:
        """Return the key of a record; one that is the person's own gets a name, as the member."""
        if key is None or not is_blanked:
            return key
        own = any(h in self._erasure.values for h in self._hashes.of_text(key))
        return self._hashes.pseudonym(key) if own else key


def guard(
    decisions: Decisions, connection: str, stream: str, key: Callable[[], bytes] | None
) -> Guard | None:
    """Return what keeps erased persons out of a stream; None where nothing of it was erased.

    Raises KeyChanged where `key` is not the one of the decisions: they could not be held.
    """
    erasure, hashes = StreamErasure(), None
    for decision in decisions.all(KIND):
        for about in decision.about["streams"]:
            if (about["connection"], about["stream"]) != (connection, stream):
                continue
            hashes = hashes or (Hashes(key()) if key else None)
            if hashes is None or decision.about["key"] != hashes.fingerprint:
                raise _other_key(decision, connection, stream)
            erasure.take(about, decision.about["values"])
    if hashes is None or not (erasure.removed or erasure.blanked):
        return None
    return Guard(erasure, hashes)


def erased_before(decisions: Decisions, hashes: Hashes, text: str) -> Decision | None:
    """Return the decision that erased the person of whom `text` is a value."""
    wanted = {hashes.of("subject", text), *hashes.of_text(text)}
    for decision in decisions.all(KIND):
        if wanted & {decision.about["subject"], *decision.about["values"]}:
            return decision
    return None


def _other_key(decision: Decision, connection: str, stream: str) -> KeyChanged:
    return KeyChanged(
        f"decision {decision.sequence} erased records of this stream under another key: what comes"
        " again cannot be told from others.",
        "put the old key back (ISTHMUS_KEY in `.env`, else the file `key` of the home):"
        " docs/privacy.md says what to do where it is lost.",
        place=f"{connection}/{stream}",
    )
