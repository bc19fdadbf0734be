"""Walks a list by its ids, page by page, and brings each record whole.

Pages are sorted by id, and the next one begins behind the last id (`id:>=1235`), never at a cursor
of a list sorted by stamp: a record that changes meanwhile stays where it is in that order, so none
is passed over and none comes twice. One that begins to meet the filter behind the walk carries a
stamp later than the walk's begin and is the next read's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.body import Body, Path
from connectors.changes import format_stamp, parse_stamp, zone_of
from connectors.errors import ConfigError, ContractBroken, PaginationLoop
from connectors.records import Cut, cut
from connectors.shopify import queries
from connectors.shopify.api import Api, number_of
from connectors.shopify.catalogue import Inner, Source
from connectors.shopify.voided import told

_KEY, _STAMP = (("id",),), ("updatedAt",)
_UTC = zone_of("UTC")
AGAIN = 3
"""So often a record is read anew whose lines changed while they were read."""


@dataclass(frozen=True, slots=True)
class Part:
    """One page: records with keys, and the stamps of the nodes, of those without records too.

    A bookmark that only records moved would stand still in a shop where nobody returns anything.
    """

    records: list[bytes]
    keys: list[str | None]
    stamps: list[str | None]


@dataclass(slots=True)
class Walk:
    """One walk of a list from `since` on; `after` is where it goes on: an id, or a cursor."""

    api: Api
    source: Source
    since: datetime | None = None
    after: str = ""
    size: int = 0
    seen: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[Part]:
        """Yield the pages; at the end of the list the walk ends."""
        text = queries.page(self.source, personal=self.personal)
        size = self.size or self.source.size
        more = True
        while more:
            body = self.api.ask(text, self._variables(size), (self.source.root, "nodes"))
            if body is None:  # too dear
                if size == 1:
                    raise ConfigError(
                        "A page of one record costs more points than one query may.",
                        "leave bulk: true on; else ask the vendor for a higher limit.",
                        place=self.source.root,
                    )
                size //= 2
                continue
            before = self.after
            part = self._part(body)
            more = _goes_on(body, ("data", self.source.root))
            if more and self.after == before:
                raise _circle(f"behind {before or 'the beginning'}")
            yield part

    @property
    def personal(self) -> bool:
        """Whether personal fields are asked for."""
        return self.api.settings.personal

    # --- one page ------------------------------------------------------------------------------
    def _variables(self, size: int) -> dict[str, Any]:
        terms = []
        if self.since is not None:
            since = self.since - timedelta(days=1) if self.source.by_day else self.since
            terms.append(f"updated_at:>='{format_stamp(since, 'iso', _UTC)}'")
        given: dict[str, Any] = {"first": size}
        if self.source.ordered and self.after:
            terms.append(f"id:>={int(self.after) + 1}")
        elif self.after:
            given["after"] = self.after
        return given | {"query": " AND ".join(terms) or None}

    def _part(self, body: Body) -> Part:
        at: Path = ("data", self.source.root, "nodes")
        nodes = _listed(body, at)
        self._rise(body, nodes)
        part = Part([], [], [])
        for place, (raw, key, stamp) in enumerate(
            zip(nodes.records, nodes.keys, nodes.stamps, strict=True)
        ):
            if self.source.by_day and self._is_older(stamp):
                continue
            self._take(part, body, (*at, place), raw, key)
            part.stamps.append(stamp)
        return part

    def _take(self, part: Part, body: Body, at: Path, raw: bytes, key: str | None) -> None:
        """Take the records of one node, each whole."""
        source = self.source
        if source.inner:
            fields = queries.record(source, personal=self.personal)
            found = cut(body, (*at, source.inner.name, "nodes"), _KEY, None)
            nodes: Sequence[bytes] = found.records
            if _goes_on(body, (*at, source.inner.name)):
                rest = self._rest(source.inner, fields, str(key), body, (*at, source.inner.name))
                nodes = [*nodes, *(rest or ())]
            records, keys = list(nodes), [Body(one).text(("id",)) for one in nodes]
        elif source.listed:
            found = cut(body, (*at, source.listed), _KEY, None)
            records, keys = told(found.records), found.keys
        else:
            records, keys = [raw], [key]
        for one, name in zip(records, keys, strict=True):
            whole = self._whole(one, name) if source.lines else one
            if whole is not None:
                part.records.append(whole)
                part.keys.append(name)

    def _rise(self, body: Body, nodes: Cut) -> None:
        """Go on behind these nodes; raises where they do not rise, or came before."""
        for key in nodes.keys:
            number = number_of(key)
            if number is None:
                raise ContractBroken(f"{str(key)[:60]!r} is no id.", "ask the vendor.")
            if not self.source.ordered:
                if str(key) in self.seen:
                    raise _circle(str(key))
                self.seen.add(str(key))
            elif self.after and number <= int(self.after):
                raise _circle(str(key))
            else:
                self.after = str(number)
        if not self.source.ordered and nodes.keys:
            path = ("data", self.source.root, "pageInfo", "endCursor")
            self.after = body.text(path) or self.after

    def _is_older(self, stamp: str | None) -> bool:
        at = parse_stamp(stamp or "", _UTC)
        return self.since is not None and at is not None and at < self.since

    # --- what has pages of its own ---------------------------------------------------------------
    def _whole(self, record: bytes, key: str | None) -> bytes | None:
        """Return a record with all its lines; None where it is gone meanwhile.

        The later pages of lines must be those of the record that the first came with: where its
        stamp moved in between, it is read anew.
        """
        lines = self.source.lines
        assert lines is not None  # noqa: S101 - the caller looked
        fields = queries.record(self.source, personal=self.personal)
        for again in range(AGAIN):
            body = Body(record)
            if not _goes_on(body, (lines.name,)):
                return record
            stamp = body.text(_STAMP) if again < AGAIN - 1 else None
            rest = self._rest(lines, lines.fields, str(key), body, (lines.name,), stamp)
            if rest is not None:
                first = cut(body, (lines.name, "nodes"), _KEY, None).records
                return spliced(record, lines.name, [*first, *rest])
            found = self.api.want(queries.one(lines, fields), {"id": key}, ())
            raw = found.look(("data", lines.owner))
            if raw is None or bytes(raw) == b"null":
                return None
            record = bytes(raw)
        return record

    def _rest(
        self, inner: Inner, fields: str, key: str, body: Body, at: Path, stamp: str | None = None
    ) -> list[bytes] | None:
        """Return the nodes of the later pages; None where the owner is gone or has moved."""
        text = queries.more(inner, fields, "updatedAt" if stamp else "")
        after, found, cursors = body.text((*at, "pageInfo", "endCursor")), list[bytes](), set[str]()
        here: Path = ("data", inner.owner)
        while True:
            if not after or after in cursors:
                raise _circle(f"{inner.name} of {key}")
            cursors.add(after)
            body = self.api.want(text, {"id": key, "after": after}, ())
            if body.text((*here, "id")) != key or (stamp and body.text((*here, *_STAMP)) != stamp):
                return None
            found += _listed(body, (*here, inner.name, "nodes")).records
            if not _goes_on(body, (*here, inner.name)):
                return found
            after = body.text((*here, inner.name, "pageInfo", "endCursor"))


def spliced(record: bytes, name: str, nodes: Sequence[bytes]) -> bytes:
    """Return a record with these nodes as its connection `name`, each as it was written."""
    members = msgspec.json.decode(record, type=dict[str, msgspec.Raw])
    members[name] = msgspec.Raw(b'{"nodes":[' + b",".join(nodes) + b"]}")
    return msgspec.json.encode(members)


def _listed(body: Body, at: Path) -> Cut:
    found = cut(body, at, _KEY, _STAMP)
    if not found.listed:
        raise ContractBroken(f"There is no list at {'.'.join(map(str, at))}.", "ask the vendor.")
    return found


def _goes_on(body: Body, at: Path) -> bool:
    """Say whether a connection has further pages; raises where it does not tell."""
    said = body.text((*at, "pageInfo", "hasNextPage"))
    if said not in ("true", "false"):
        raise ContractBroken(
            f"{'.'.join(map(str, at))} does not say whether it goes on.", "ask the vendor.",
            place=body.place,
        )  # fmt: skip
    return said == "true"


def _circle(what: str) -> PaginationLoop:
    return PaginationLoop(
        f"The pages are not in the order that was asked for, or go in a circle: {what[:80]}.",
        "ask the vendor.",
    )


def keys_of(api: Api, source: Source) -> Walk:
    """Return a walk that brings the keys alone."""
    return Walk(api, replace(source.keys_only(), beside=None))
