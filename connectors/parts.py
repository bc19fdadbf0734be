"""Counts what a read brings, part by part: for sources whose parts can be read once more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.base import Counted, Page, Span


def counted(pages: Iterable[Page]) -> Iterator[Counted]:
    """Yield how many records each part has, when its last page came.

    A key that comes several times in a part is one record, each record without a key is one.
    """
    keys: dict[str, set[str]] = {}
    nameless: dict[str, int] = {}
    for page in pages:
        if page.part is None or page.kind != "records":
            continue
        mine = keys.setdefault(page.part, set())
        mine.update(key for key in page.keys if key is not None)
        nameless[page.part] = nameless.get(page.part, 0) + sum(k is None for k in page.keys)
        if page.complete:
            count = len(keys.pop(page.part)) + nameless.pop(page.part)
            yield Counted(Span(), count, part=page.part)
