"""A stop from outside (Ctrl-C, a signal that Dagster hears) in the midst of a statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stops_pass() -> Iterator[None]:
    """Raise the stop itself where DuckDB made an ordinary error of it.

    What a signal's handler raises while a statement runs comes out of DuckDB as RuntimeError
    ("Query interrupted"), the stop only in its context: it would be recorded as a failure that
    nobody foresaw, and the next stream would begin.
    """
    try:
        yield
    except RuntimeError as error:
        stop = error.__context__
        if stop is None or isinstance(stop, Exception | GeneratorExit):
            raise
        raise stop from None
