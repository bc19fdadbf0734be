"""Details of a list's records: a call each, a few at a time, in the order of the list.

The threads share the connection's rate budget, token and retries: each call is an ordinary request,
and what its answer means is said by the table of answers.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from connectors.errors import ConnectorError

Item = TypeVar("Item")
Found = TypeVar("Found")
MOST_WORKERS = 16


def each(
    items: Iterable[Item], fetch: Callable[[Item], Found], *, workers: int = 4
) -> Iterator[tuple[Item, Found]]:
    """Yield every item with what `fetch` returns of it, in order.

    At most `workers` calls are under way, and twice as many items are taken before the first is
    handed over: memory does not grow with the list. `fetch` runs in threads. Where it raises, the
    items before are yielded, then its error is raised; calls not begun are given up. One worker
    makes no thread.
    """
    if workers <= 1:
        for item in items:
            yield item, fetch(item)
        return
    waiting: deque[tuple[Item, Future[Found]]] = deque()
    source = iter(items)
    pool = ThreadPoolExecutor(min(workers, MOST_WORKERS), thread_name_prefix="detail")
    try:
        while True:
            for item in islice(source, 2 * workers - len(waiting)):
                waiting.append((item, pool.submit(fetch, item)))
            if not waiting:
                return
            item, future = waiting.popleft()
            yield item, future.result()
    finally:  # also where the reader of this stops early
        pool.shutdown(wait=True, cancel_futures=True)


def answered(
    items: Sequence[Item], fetch: Callable[[Item], Found], *, workers: int = 4
) -> tuple[list[tuple[Item, Found]], ConnectorError | None]:
    """Return what `fetch` returned of a page's items, in order, and the first error or None.

    After an error no call is begun any more, but what others answer that are under way comes too:
    it was asked for and paid for. So a quota smaller than a page still brings the reader on: it
    hands over what came with a bookmark that stands inside the page, and raises the error then.
    """
    failed: list[ConnectorError] = []
    lock = threading.Lock()

    def call(item: Item) -> list[Found]:
        if failed:
            return []
        try:
            return [fetch(item)]
        except ConnectorError as error:
            with lock:
                failed.append(error)
            return []

    found = [(item, one) for item, ones in each(items, call, workers=workers) for one in ones]
    return found, failed[0] if failed else None
