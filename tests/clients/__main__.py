"""Let each client read while a shop is synced and published; write docs/clients.md with --write."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

SUPPORT = str(Path(__file__).resolve().parents[1] / "support")
sys.path.insert(0, SUPPORT)

import small_shop  # noqa: E402

from connectors.rest.serve import serve  # noqa: E402
from pipelines.sync import sync_stream, unify_publish  # noqa: E402
from tests.clients import page  # noqa: E402
from tests.clients.environments import CLIENTS, Client, command, made  # noqa: E402

ORDERS = 2_000
PATIENCE = 120.0


@dataclass
class Syncing:
    """A shop that grows, synced and published all the time; `states` are (orders, total) so far."""

    file: Path
    states: set[tuple[int, str]] = field(default_factory=set)
    published: int = 0
    is_over: bool = False
    trouble: list[str] = field(default_factory=list)

    def wait(self, since: int) -> None:
        """Return when a newer version than number `since` is published."""
        until = time.monotonic() + PATIENCE
        while self.published <= since and not self.trouble:
            if time.monotonic() > until:
                raise TimeoutError("nothing is published any more")
            time.sleep(0.05)


@contextmanager
def syncing(folder: Path) -> Iterator[Syncing]:
    """Sync in a thread as long as the block runs."""
    server = small_shop.shop(orders=ORDERS)
    with serve(server) as url:
        space = small_shop.workspace(folder, url, limit=250)
        told = Syncing(space.home.readable)

        def turn(number: int) -> None:
            later = small_shop.START + timedelta(days=3, minutes=number)
            for offset in range(20):
                order = small_shop.order(ORDERS + number * 20 + offset, at=later)
                server.put("orders", order)
            truth = small_shop.at_the_source(server).values()
            told.states.add((len(truth), f"{sum(total for total, _, _ in truth):.4f}"))
            for stream in ("customers", "orders"):
                assert sync_stream(space, "shop", stream).error is None
            assert unify_publish(space).published
            told.published += 1

        def go_on() -> None:
            number = 1
            try:
                while not told.is_over:
                    turn(number)
                    number += 1
            except Exception as error:
                told.trouble.append(repr(error))

        turn(0)
        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield told
        finally:
            told.is_over = True
            thread.join()
        assert told.trouble == []


def judge(client: Client, sync: Syncing) -> dict[str, Any]:
    """Play one client; returns its versions and what it did, `wrong` where it is not as it must."""
    made(client)
    begun = sync.published
    # A pipe that nobody reads would stop a talkative one.
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed below
    process = subprocess.Popen(
        command(client, sync.file), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=errors, text=True,
    )  # fmt: skip
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        first = _heard(process.stdout)
        second: dict[str, Any] = {}
        if "orders" in first:
            sync.wait(sync.published + 1)  # one that began after the client had opened the file
            process.stdin.write("again\n")
            process.stdin.flush()
            second = _heard(process.stdout)
        process.communicate()
        errors.seek(0)
        error = errors.read()[-300:]
    finally:
        timer.cancel()
        errors.close()
    if second and not client.holds:
        second["again"] = None
    said = {"client": client.name, "versions": first.get("versions", {}), "first": first, **second}
    said["published"] = sync.published - begun
    said["wrong"] = first.get("error") or second.get("error") or _wrong(first, second, sync, error)
    return said


def _heard(out: IO[str]) -> dict[str, Any]:
    """Return what a client says next; what it prints besides is passed over."""
    return next((json.loads(line) for line in out if line.startswith("{")), {})


def _wrong(first: dict[str, Any], second: dict[str, Any], sync: Syncing, error: str) -> str:
    if not second:
        return f"it ended: {error}"
    keys = ("orders", "total", "torn", "comment")
    before = {k: first[k] for k in keys}
    if second["again"] is not None and second["again"] != before:
        return f"its open connection changed: {before} became {second['again']}"
    for one in (before, second["anew"]):
        if (one["orders"], one["total"]) not in sync.states or one["torn"]:
            return f"it saw what never was: {one}"
    if second["anew"]["orders"] <= before["orders"]:
        return "a new connection did not see the newer version"
    if before["comment"] and "已收金额" not in before["comment"]:
        return f"the comment is {before['comment']}"
    return "" if second["refused"] else "it could write"


def main() -> int:
    """Play the clients; returns 1 where one is not as expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("names", nargs="*", help="words of the names (default: all)")
    parser.add_argument("--write", action="store_true", help="write docs/clients.md")
    asked = parser.parse_args()
    chosen = [c for c in CLIENTS if not asked.names or any(n in c.name for n in asked.names)]
    results = []
    for client in chosen:
        made(client)  # first: to install is no part of what is tried
    with tempfile.TemporaryDirectory(prefix="isthmus-clients-") as folder, \
            syncing(Path(folder)) as sync:  # fmt: skip
        for client in chosen:
            results.append(judge(client, sync))
            print(json.dumps(results[-1], ensure_ascii=False), flush=True)
    if asked.write:
        page.write(results)
    bad = [r for r in results if r["wrong"] and not page.is_expected(r)]
    print(f"{len(results)} clients, {len(bad)} not as expected")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
