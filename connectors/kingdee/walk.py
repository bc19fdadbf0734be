"""Walks a form by its keys, page by page, so that a page's edge never cuts a document.

The next page begins behind the last key (`FID > 100231`), not at a row's number: what comes or goes
meanwhile moves nothing over an edge, and a stamp that the server rounds is never compared. A walk
ends at an empty page, because a server may give fewer rows than were asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from connectors.errors import ContractBroken, PaginationLoop
from connectors.kingdee.api import Api, quoted
from connectors.kingdee.fields import Fitted
from connectors.kingdee.rows import Document, documents

CHUNK = 200
"""Keys that one query names."""


@dataclass(slots=True)
class Walk:
    """One walk: `where` is what a document must meet, `after` the key that it goes on behind."""

    api: Api
    fitted: Fitted
    where: Sequence[str] = ()
    after: str = ""
    size: int = 0
    seen: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[list[Document]]:
        """Yield documents with all their lines."""
        size = self.size or self.api.rows
        while True:
            rows = self.api.ask(self.fitted, [*self.where, *self._behind()], size)
            if not rows:
                return
            found = documents(rows)
            if self.fitted.line:
                if len(found) > 1 and len(rows) >= size:
                    found.pop()  # its lines may go on behind the edge: it comes again, whole
                else:
                    self._complete(found[-1], size)
            self._rise([one.key for one in found])
            yield found

    def key_pages(self) -> Iterator[list[str]]:
        """Yield the keys alone."""
        while True:
            rows = self.api.keys(self.fitted, [*self.where, *self._behind()], self.api.rows)
            if not rows:
                return
            found = list(dict.fromkeys(one.key for one in documents(rows)))
            self._rise(found)
            yield found

    def _literal(self, key: str) -> str:
        return quoted(key) if self.fitted.source.by_text else key

    def _behind(self) -> list[str]:
        return [f"{self.fitted.key} > {self._literal(self.after)}"] if self.after else []

    def _complete(self, document: Document, size: int) -> None:
        """Read the lines that did not fit: by the document's key alone, whatever it is like now."""
        shape, last = self.fitted.shape, document.line(self.fitted.shape)
        mine = f"{self.fitted.key} = {self._literal(document.key)}"
        while last is not None:
            rows = self.api.ask(self.fitted, [mine, f"{self.fitted.line} > {last}"], size)
            if not rows:
                return
            found = documents(rows)
            line = found[0].line(shape)
            if len(found) > 1 or found[0].key != document.key or not _above(line, last):
                raise self._unordered(f"lines of {document.key}")
            document.rows += found[0].rows
            last = line

    def _rise(self, keys: list[str]) -> None:
        """Go on behind these keys; raises where they do not rise, or came before."""
        for key in keys:
            if self.fitted.source.by_text:  # how the database sorts texts is not known
                if key in self.seen:
                    raise PaginationLoop(
                        f"The pages go in a circle: {key[:40]!r} came before.", "ask the vendor."
                    )
                self.seen.add(key)
            elif not _above(key, self.after or "0"):
                raise self._unordered(f"{key[:20]} after {self.after or 'the beginning'}")
            self.after = key

    def _unordered(self, what: str) -> ContractBroken:
        return ContractBroken(
            f"{self.fitted.source.form} was not answered in the order that was asked for: {what}.",
            "does a program between change requests? Else ask the vendor.",
        )


def _above(key: str | None, than: str) -> bool:
    try:
        return int(key or "") > int(than)
    except ValueError:
        return False


def by_keys(api: Api, fitted: Fitted, keys: Sequence[str]) -> Iterator[list[Document]]:
    """Yield the documents that have these keys; one that is gone is left out."""
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        walk = Walk(api, fitted, (f"{fitted.key} in ({','.join(some)})",))
        yield from walk.pages()
