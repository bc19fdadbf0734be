"""Days that were missed, and days that a person wants again: bounded, resumable, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import small_shop
from small_shop import at_the_source, in_the_store, order

from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.catch_up import TALLY
from pipelines.stretches import Days
from pipelines.sync import sync_stream
from pipelines.workspace import Workspace
from warehouse.landing import Landing

BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)
LATER = BEGAN + timedelta(days=4)
A_DAY = timedelta(days=1)


@pytest.fixture
def server() -> RestSimulator:
    return small_shop.shop()


@pytest.fixture(params=["open", "windows"])
def space(
    request: pytest.FixtureRequest, server: RestSimulator, tmp_path: Path
) -> Iterator[Workspace]:
    """A shop that gives all that changed since, and one that gives at most a day at once."""
    with serve(server) as url:
        made = small_shop.workspace(tmp_path, url, limit=5)
        if request.param == "windows":
            file = made.defs / "shop" / "defs.yaml"
            said = "param: updated_since, "
            file.write_text(file.read_text().replace(
                said, said + "until: updated_until, span: 1d, start: '2026-03-01', "
            ))  # fmt: skip
            made = Workspace.discover(small_shop.environment(tmp_path))
        sync_stream(made, "shop", "orders", now=lambda: BEGAN)
        assert in_the_store(made) == at_the_source(server)
        yield made
        made.control.close()


def missed(server: RestSimulator) -> None:
    """Let the shop go on for four days: ten orders each, some of before change."""
    for day in range(4):
        for number in range(10):
            at = BEGAN + A_DAY * day + timedelta(hours=1 + number)
            server.put("orders", order(100 + 10 * day + number, at=at))
        server.put("orders", order(day + 1, at=BEGAN + A_DAY * day + timedelta(hours=12), seed=9))


def of_today(held: object) -> set[str]:
    return {str(n) for n in range(130, 140)} & set(held)  # type: ignore[call-overload]


def bookmark(space: Workspace) -> object:
    return (Landing(space.home.landing).bookmark("shop", "orders") or {}).get("stamp")


def test_after_missed_days_the_newest_day_comes_first_and_then_all(
    space: Workspace, server: RestSimulator
) -> None:
    missed(server)
    before, asked = bookmark(space), len(server.sent("orders"))
    done = sync_stream(space, "shop", "orders", now=lambda: LATER)
    assert (done.status, done.error, done.read - done.unchanged) == ("ok", None, done.landed)
    assert done.tally[TALLY] >= 10
    assert done.bookmark_before == {"stamp": before}
    first = server.sent("orders")[asked].params
    assert first["updated_since"] >= "2026-03-05T07"
    assert not any("behind the bookmark" in text for text in done.warnings)
    assert in_the_store(space) == at_the_source(server)
    again = sync_stream(space, "shop", "orders", now=lambda: LATER + timedelta(hours=1))
    assert (again.landed, again.tally) == (0, {})


def test_what_fails_after_the_newest_day_loses_nothing_and_goes_on(
    space: Workspace, server: RestSimulator
) -> None:
    missed(server)
    before = bookmark(space)
    server.fault("status", request=6, times=10_000, status=503)
    failed = sync_stream(space, "shop", "orders", now=lambda: LATER, pause=lambda _: None)
    assert failed.status == "failed"
    held = in_the_store(space)
    assert len(of_today(held)) == 10
    assert "120" not in held
    assert bookmark(space) == before, "a day that was not read is not passed over"
    server.faults.clear()
    asked = len(server.sent("orders"))
    done = sync_stream(space, "shop", "orders", now=lambda: LATER + timedelta(minutes=9))
    assert (done.status, TALLY in done.tally) == ("ok", False), "the days before it have their turn"
    assert server.sent("orders")[asked].params.get("updated_since", "") < "2026-03-05"
    assert in_the_store(space) == at_the_source(server)


def test_a_run_that_is_stopped_at_any_page_has_missed_nothing(
    space: Workspace, server: RestSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed(server)
    before, pages = bookmark(space), 0

    def stop(point: str) -> None:
        nonlocal pages
        pages -= point == "extract.page"
        if pages < 0:
            raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.extract.reach", stop)
    stopped = 0
    for allowed in range(20):  # each run goes further than the one before
        pages = allowed
        try:
            done = sync_stream(space, "shop", "orders", now=lambda: LATER)
        except KeyboardInterrupt:
            stopped += 1
            assert bookmark(space) == before
            continue
        assert (done.status, stopped > 4) == ("ok", True)
        break
    assert in_the_store(space) == at_the_source(server)


def test_a_source_in_which_nothing_happens_is_not_read_twice(
    space: Workspace, server: RestSimulator
) -> None:
    now = BEGAN
    for _ in range(6):
        now += timedelta(hours=12)
        done = sync_stream(space, "shop", "orders", now=lambda at=now: at)
        assert (done.status, done.tally) == ("ok", {})


def test_days_are_read_again_and_the_bookmark_stays(
    space: Workspace, server: RestSimulator
) -> None:
    missed(server)
    sync_stream(space, "shop", "orders", now=lambda: LATER)
    good = space.control.last_successes()["shop", "orders"]["id"]
    silent = order(103, at=BEGAN + timedelta(hours=4), seed=77)  # its stamp does not move
    server.put("orders", silent)
    assert (
        sync_stream(space, "shop", "orders", now=lambda: LATER + timedelta(minutes=1)).landed == 0
    )
    before = bookmark(space)
    days = Days(date(2026, 3, 2), date(2026, 3, 2))
    done = sync_stream(space, "shop", "orders", days=days, now=lambda: LATER + A_DAY)
    assert (done.error, done.landed, done.warnings) == (None, 1, {})
    assert bookmark(space) == before
    assert in_the_store(space) == at_the_source(server)
    newest = space.control.last_successes()["shop", "orders"]["id"]
    assert newest == good + 1, "days of before make nothing fresh"
    assert [r["mode"] for r in space.control.runs_of("shop", "orders", limit=1)] == ["stretch"]


@pytest.mark.parametrize(
    ("stream", "days", "text"),
    [
        ("customers", Days(date(2026, 3, 2)), "not read by the days"),
        ("orders", Days(date(2026, 3, 2), date(2026, 3, 1)), "is before"),
        ("orders", Days(date(2027, 3, 2)), "yet to come"),
    ],
)
def test_days_that_cannot_be_read_are_refused_with_the_next_step(
    space: Workspace, server: RestSimulator, stream: str, days: Days, text: str
) -> None:
    asked = server.requests
    done = sync_stream(space, "shop", stream, days=days, now=lambda: LATER)
    assert done.error is not None
    assert (done.error.kind, text in done.error.what) == ("NoStretch", True)
    assert done.error.do
    assert server.requests == asked
