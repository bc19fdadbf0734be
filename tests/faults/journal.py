"""The simulator that writes down everything: each version at the source, each answer, each run.

The journal is a file of JSON lines, in the order in which things happened. `oracle.py` reads it and
nothing else of ours. Kinds of lines:

- `put` {collection, key, record, bad}: a version was committed; `bad` says that no mapping can take
  it, so that it belongs into quarantine;
- `delete` {collection, key}: a record is gone;
- `sent` {collection, status, records, fault}: a request was answered;
- `begin` {stream, run} and `end` {stream, run, outcome}: a sync, with what it reported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from connectors.rest.faults import Reply
from connectors.rest.simulator import Collection, RestSimulator

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Journal:
    """Appends lines to a file; a process that is killed leaves whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, kind: str, **members: Any) -> None:
        """Append one line."""
        with self.path.open("ab", buffering=0) as file:
            file.write(_encode({"kind": kind, **members}) + b"\n")

    def lines(self) -> list[dict[str, Any]]:
        """Return what was written so far."""
        return [json.loads(line) for line in self.path.read_bytes().splitlines()]


class JournalledSimulator(RestSimulator):
    """A simulator whose records, deletions and answers stand in a journal file.

    `shape` may change a good answer on its way out (another tenant's rows, a shifted page): it is
    given the collection's name, the request's parameters and the reply.
    """

    def __init__(
        self, collections: Mapping[str, Collection], journal: Journal, **more: Any
    ) -> None:
        self.file = journal
        self.shape: Any = None
        super().__init__(collections, **more)

    def put(self, collection: str, record: dict[str, Any], *, bad: bool = False) -> None:
        """Add or replace a record and write it down."""
        key = str(record.get(self.collections[collection].key))
        self.file.write("put", collection=collection, key=key, record=record, bad=bad)
        super().put(collection, record)

    def delete(self, collection: str, key: str) -> None:
        """Remove a record and write it down."""
        self.file.write("delete", collection=collection, key=key)
        super().delete(collection, key)

    def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Answer one request, changed by `shape` if there is one."""
        reply = super().answer(method, path, query, headers, body)
        if self.shape is not None and reply.status == 200:
            reply = self.shape(path.strip("/"), query, reply)
        return reply

    def _note(self, name: str, path: str, params: dict[str, str], reply: Reply, fault: str) -> None:
        super()._note(name, path, params, reply, fault)
        self.file.write(
            "sent", collection=name, status=reply.status, records=reply.records, fault=fault
        )
