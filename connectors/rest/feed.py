"""Reads a list of changes from where it was left: a change token, or a delta link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from connectors.base import Bookmark, Page, ReadRequest
from connectors.body import Body, Path, parse_path
from connectors.changes import Window
from connectors.condition import Condition, parse_condition
from connectors.errors import ConnectorError, ContractBroken, PaginationLoop
from connectors.outcome import Rule
from connectors.paging import MAX_EMPTY, Step, Turn
from connectors.rest.asking import Asker
from connectors.rest.streams import FeedSettings

_NOWHERE = Window(None, None)
_GONE = 410


@dataclass(slots=True)
class FeedReading:
    """One read of a feed. The bookmark is `{"token": …}`, kept after every page."""

    asker: Asker
    spec: FeedSettings
    request: ReadRequest
    notes: list[str]
    _seen: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[Page]:
        """Yield the pages: records, and the keys of what the feed says is gone, in its order."""
        if self.request.mode == "sweep":  # a feed tells of deletions itself
            return
        begin = self.request.bookmark if self.request.mode == "changed" else None
        token = str(begin["token"]) if begin and begin.get("token") else None
        if token is not None:
            self._seen.add(token)
        number = received = empty = 0
        while True:
            number += 1
            turn = self._turn(token, received, number)
            if number == 1 and token is not None and turn.status == _GONE:
                self.notes.append(
                    "The system does not know the feed's token any more: everything is read "
                    "again. What was deleted since the last read is not told."
                )
                token = None
                self._seen.clear()
                continue
            received += len(turn.records)
            empty = 0 if turn.records else empty + 1
            after, more = self._after(turn, token)
            if more and empty >= MAX_EMPTY:
                raise self._circle(turn, f"{empty} empty pages in a row")
            if self.request.limit is not None and received >= self.request.limit:
                left = self.request.limit - (received - len(turn.records))
                first = _places(turn, list(range(left)))
                yield from self._cut(first, begin or {}, begin or {})
                return
            yield from self._cut(turn, _bookmark(token), _bookmark(after))
            if not more:
                return
            token = after

    def _turn(self, token: str | None, received: int, number: int) -> Turn:
        step = Step()
        if token is not None:
            step = Step(link=token) if self.spec.param is None else Step({self.spec.param: token})
        kept = number == 1 and token is not None  # one that this read was given is known
        rules = (*self.asker.rules, *((Rule("skip", (_GONE,)),) if kept else ()))
        return replace(self.asker, rules=rules).fetch(_NOWHERE, step, received, number)

    def _after(self, turn: Turn, token: str | None) -> tuple[str | None, bool]:
        """Return the token to keep after a page, and whether there is more to read now."""
        body = turn.body
        link = _text(body, parse_path(self.spec.next)) if self.spec.next else None
        given = link or _text(body, parse_path(self.spec.cursor))
        given = None if given is None else self._bare(given, turn)
        if given is None and turn.records:
            raise ContractBroken(
                f"The page has records and no feed.cursor at {self.spec.cursor}.",
                "point feed.cursor at the token that the next request needs.", place=turn.place,
            )  # fmt: skip
        if given is None or given == token:  # nothing happened since
            if turn.records and given == token:
                raise self._circle(turn, "the token is the one that was sent")
            return token, False
        if self.spec.next is not None:
            more = link is not None
        elif self.spec.more is not None:
            said = _text(body, parse_path(self.spec.more)) or ""
            more = said.lower() not in ("", "false", "0", "no", "n")
        else:
            more = bool(turn.records)
        if more and given in self._seen:
            raise self._circle(turn, "a token came back")
        self._seen.add(given)
        return given, more

    def _bare(self, token: str, turn: Turn) -> str:
        """Return the token without secrets: some systems write the one sent into their links."""
        discloses = self.asker.client.discloses
        if self.spec.param is None and discloses(token):  # it is sent with each request anyway
            head, _, query = token.partition("?")
            left = "&".join(part for part in query.split("&") if not discloses(part))
            token = f"{head}?{left}" if left else head
        if discloses(token):
            raise ContractBroken(
                "The feed's token holds a secret of the connection, and a bookmark is kept in "
                "clear.",
                "read the stream without feed:, or ask the vendor for another way to sign in.",
                place=turn.place,
            )  # fmt: skip
        return token

    def _cut(self, turn: Turn, before: Bookmark, after: Bookmark) -> Iterator[Page]:
        """Yield a page in runs: what was made again after it was deleted must stay."""
        gone = self._gone()
        runs = [
            (kind, list(places))
            for kind, places in groupby(
                range(len(turn.records)), lambda n: _holds(gone, turn.records[n], turn.place)
            )
        ]
        for number, (deleted, places) in enumerate(runs, 1):
            run = _places(turn, places)
            if not deleted:
                run, said, _ = self.asker.detailed(run)
                self.notes += [said] if said else []
            yield self._page(run, after if number == len(runs) else before, deleted)
        if not runs:
            yield self._page(turn, after, False)

    def _page(self, turn: Turn, bookmark: Bookmark, deleted: bool) -> Page:
        notes, self.notes = tuple(self.notes), []
        return Page(
            records=[] if deleted else turn.records,
            keys=turn.keys,
            bookmark=bookmark,
            kind="deletions" if deleted else "records",
            warnings=notes,
        )

    def _gone(self) -> Condition | None:
        return parse_condition(self.spec.deleted) if self.spec.deleted else None

    def _circle(self, turn: Turn, what: str) -> ConnectorError:
        return PaginationLoop(
            f"The feed goes in a circle: {what}.",
            "check feed: (path of the token, name of the parameter); some systems ignore a "
            "parameter they do not know.", place=turn.place,
        )  # fmt: skip


def _text(body: Body | None, path: Path) -> str | None:
    return (body.text(path) or None) if body is not None else None


def _bookmark(token: str | None) -> Bookmark:
    return {} if token is None else {"token": token}


def _holds(gone: Condition | None, record: bytes, place: str) -> bool:
    return gone is not None and record.startswith(b"{") and gone.holds(Body(record, place))


def _places(turn: Turn, places: list[int]) -> Turn:
    stamps = [turn.stamps[n] for n in places] if turn.stamps else []
    records, keys = [turn.records[n] for n in places], [turn.keys[n] for n in places]
    return replace(turn, records=records, keys=keys, stamps=stamps)
