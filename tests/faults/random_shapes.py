"""What a shop's answer may be changed into on its way out, in a random run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec

from connectors.rest.faults import Reply
from tests.faults.case import Result
from tests.faults.journal import Journal

Shape = Callable[[str, str, Reply], Reply]


def records_twice(before: Mapping[int, bytes], journal: Journal, result: Result) -> Shape:
    """Return a shape that ends every page with a record of it once more.

    It is one in the version `before` (by number), if there is such. The journal is told of it, as
    the shop does not count it; an answer that was changed is one fault that fired.
    """

    def shape(name: str, _query: str, reply: Reply) -> Reply:
        body = msgspec.json.decode(reply.body, type=dict[str, msgspec.Raw])
        rows = msgspec.json.decode(body["data"], type=list[msgspec.Raw])
        keys = [msgspec.json.decode(row)["id"] for row in rows]
        more = [msgspec.Raw(before[key]) for key in keys if key in before][-1:] or rows[:1]
        body["data"] = msgspec.Raw(msgspec.json.encode([*rows, *more]))
        journal.write("sent", collection=name, status=200, records=len(more), fault="twice")
        result.fired += bool(more)
        return replace(reply, body=msgspec.json.encode(body))

    return shape
