"""One of ten connections is broken for a week: one alert, a digest a day, the others fresh."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import httpx
import small_shop
from rest_parts import SimulatorTransport
from still_clock import StillClock
from webhook import Hook, listening

from pipelines.alerts.watch import watch
from pipelines.state import StreamState, gather
from pipelines.sync import sync_stream
from pipelines.workspace import Workspace

TICK, DAYS = timedelta(hours=12), 7
NAMES = [f"shop{n}" for n in range(10)]
BROKEN = NAMES[3]
COMPANY = """\
  timezone: UTC
  digest: "09:00"
  alerts: [{to: "env:ALERT_URL", language: en}]
"""


class Down(httpx.BaseTransport):
    """A system of which nothing is left but its proxy."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, stream=httpx.ByteStream(b""))


def test_a_week_with_one_of_ten_connections_broken(tmp_path: Path) -> None:
    with listening() as hook:
        space = found(tmp_path, hook)
        try:
            a_week(space, hook)
        finally:
            space.control.close()


def a_week(space: Workspace, hook: Hook) -> None:
    clock = StillClock(small_shop.START + timedelta(hours=2))
    end = clock.now() + timedelta(days=DAYS)
    play(space, clock, broken=False)
    while clock.now() < end:
        play(space, clock, broken=True)
        states = {
            s.connection: s for s in gather(space, [], clock.now()) if isinstance(s, StreamState)
        }
        assert {name for name, s in states.items() if s.promise_kept} >= set(NAMES) - {BROKEN}
    assert not states[BROKEN].promise_kept
    said = Counter(title.partition(" ")[2] for title, _ in hook.told)
    alerts = [title for title in said if "stands" not in title and "well" not in title]
    assert alerts == [f"{BROKEN} fails: Unavailable"]
    assert said[alerts[0]] == 1
    well, *stands = [text for title, text in hook.told if BROKEN not in title]
    assert len(stands) == DAYS - 1
    assert "Standing causes: 0" in well
    assert all(f"- {BROKEN} fails: Unavailable" in text for text in stands)
    hook.came.clear()
    play(space, clock, broken=False)
    assert [title for title, _ in hook.told if "over" in title] == [
        f"[Isthmus] over: {BROKEN} fails: Unavailable"
    ]


def play(space: Workspace, clock: StillClock, *, broken: bool) -> None:
    """Let one tick pass: every connection syncs, then somebody looks."""
    server = SimulatorTransport(small_shop.shop(orders=3, customers=3))
    for name in NAMES:
        down = broken and name == BROKEN
        done = sync_stream(
            space, name, "customers", now=clock.now, pause=clock.pause,
            transport=Down() if down else server,
        )  # fmt: skip
        assert done.status == ("failed" if down else "ok")
    watch(space, now=clock.now)
    clock.pause(TICK.total_seconds())


def found(folder: Path, hook: Hook) -> Workspace:
    """Write ten connections that read the same shop twice a day."""
    small_shop.workspace(folder, "http://127.0.0.1:1", company=COMPANY)
    file = folder / "defs/shop/defs.yaml"
    text = file.read_text().replace("streams: [customers, orders]", "streams: [customers]")
    text = text.replace("*/15 * * * *", "0 */12 * * *")
    file.unlink()
    file.parent.rmdir()
    mapping = (folder / "mappings/shop/customers.yaml").read_text()
    for name in NAMES:
        for path, content in (
            (f"defs/{name}/defs.yaml", text),
            (f"mappings/{name}/customers.yaml", mapping),
        ):
            (folder / path).parent.mkdir()
            (folder / path).write_text(content)
    with (folder / ".env").open("a") as env:
        env.write(f"ALERT_URL=json://{hook.url.removeprefix('http://')}\n")
    return Workspace.discover(small_shop.environment(folder))
