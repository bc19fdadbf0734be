"""D1, D2, D5, D10: commits that come late, clocks that lie, times that are none, a source put back.

Stamps are the source's; the clock of a World is shared by source and sync unless a case skews it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.faults import shop
from tests.faults.case import Case, Result, Size
from tests.faults.data_play import (
    LenientShop,
    case,
    edit,
    living,
    quarantined,
    right,
    rows,
    store_of,
    warned,
)
from tests.faults.world import World

DEFS, ORDERS = "defs/shop/defs.yaml", "mappings/shop/orders.yaml"
LATE = (1, 4, 5, 6, 60, 300, 594, 599, 600)
IMPOSSIBLE = (
    "0000-00-00 00:00:00", "0000-00-00", "2026-02-30", "2026-13-01T00:00:00Z", "9999-99-99",
    "24:61", "infinity", "-infinity", "never", "1899-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z", "290000-01-01", "2026-03-01T12:00:00 Mars/Base", True, [], {"a": 1},
)  # fmt: skip
ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC")


def cases(size: Size) -> list[Case]:
    """Return the rows; in quick a style each, in full all of them."""
    if size == "quick":
        return [
            case("D1", "late within the lookback", late, 4, seconds_late=(6, 600)),
            case("D2", "naive stamps through the end of summer time", fall_back, 6, orders=0),
            case("D2", "impossible dates in a field", impossible, len(IMPOSSIBLE)),
        ]
    found = []
    for style in shop.STYLES:
        found.append(case("D1", f"late within the lookback, {style}", late, 2 * len(LATE),
                          style=style, seconds_late=LATE))  # fmt: skip
        found.append(case("D1", f"late beyond the lookback, {style}", beyond, 2, style=style))
        for minutes in (15, -15):
            found.append(case("D2", f"source {minutes:+} min, {style}", skewed, 6, style=style,
                              orders=0, minutes=minutes))  # fmt: skip
        found.append(case("D5", f"stamps of 2999, {style}", future_stamps, 2, style=style))
        found.append(case("D10", f"restored from backup, {style}", restored, 2, style=style))
    for stamp_format in ("epoch", "epoch_ms"):
        found.append(case("D2", f"stamps in {stamp_format}", epochs, 4, orders=0,
                          stamp_format=stamp_format))  # fmt: skip
    for zone in ZONES:
        found.append(case("D2", f"naive stamps of {zone}", naive, 4, orders=0, zone=zone))
    found.append(case("D2", "naive stamps through the end of summer time", fall_back, 6, orders=0))
    found.append(case("D2", "impossible dates in a field", impossible, len(IMPOSSIBLE)))
    found.append(case("D2", "impossible stamps", no_stamps, 3, orders=0))
    found.append(case("D5", "the bookmark itself stands in 2999", future_bookmark, 1))
    return found


# --- D1 --------------------------------------------------------------------------------------
def late(world: World, result: Result, seconds_late: tuple[int, ...]) -> None:
    """New and changed orders whose stamps are older than the bookmark, by up to the lookback."""
    right(world, result, "the first load")
    for number, seconds in enumerate(seconds_late, 1):
        world.wait(700)
        world.put(200 + number)
        world.wait(6)  # the bookmark stays five seconds behind the clock
        right(world, result, "the bookmark moves")
        stamp = world.clock.at - timedelta(seconds=seconds)
        world.put(100 + number, at=stamp)
        world.put(number, at=stamp)
        result.fired += 2
        right(world, result, f"{seconds} s late")


def beyond(world: World, result: Result) -> None:
    """What no changed read can find: the next full one does, and says so."""
    right(world, result, "the first load")
    world.wait(7_200)
    world.put(200)
    world.wait(6)
    right(world, result, "the bookmark moves")
    stamp = world.clock.at - timedelta(seconds=3_600)
    world.put(100, at=stamp)
    world.put(1, at=stamp)
    result.fired += 2
    outcome = world.sync()
    result.expect(outcome.status == "ok", f"changed: {outcome.error}")
    result.expect("100" not in living(world), "a changed read found it: the case proves nothing")
    outcome = right(world, result, "the full read", full=True)
    changed = (outcome.landed, outcome.inserted, outcome.updated)
    result.expect(changed == (2, 1, 1), f"the full read landed, inserted, updated {changed}")


# --- D2 --------------------------------------------------------------------------------------
def skewed(world: World, result: Result, minutes: int) -> None:
    """The source's clock is ahead of ours, or behind it, from the first order on."""
    skew = timedelta(minutes=minutes)
    for number in range(1, 36):
        world.put(number, at=world.clock.at + skew - timedelta(seconds=35 - number))
    right(world, result, "the first load")
    for n in range(6):
        world.wait((1, 30, 400, 900, 5, 3_000)[n])
        stamp = world.clock.at + skew
        world.put(1 + n, at=stamp)
        world.put(100 + n, at=stamp)
        result.fired += 1
        right(world, result, f"round {n}")


def epochs(world: World, result: Result, stamp_format: str) -> None:
    """Stamps as numbers since 1970, as the source's own filter reads them, too."""
    unit = 1000 if stamp_format == "epoch_ms" else 1
    world.shop.collections["orders"].stamp_format = stamp_format  # type: ignore[assignment]
    edit(world, DEFS, ("lookback: 10m", f"lookback: 10m, format: {stamp_format}"))
    edit(world, ORDERS, ("placed_at: created_at", f"placed_at: {_instant(stamp_format)}"))
    wanted: dict[str, datetime] = {}

    def put(number: int, version: int) -> None:
        moment = int(world.clock.at.timestamp()) * unit
        record = shop.order(number, world.clock.at, version)
        world.shop.put("orders", record | {"updated_at": moment, "created_at": moment})
        wanted[str(number)] = world.clock.at.replace(microsecond=0)

    for n in range(4):
        world.wait(400)
        put(1, n)
        put(10 + n, 0)
        result.fired += 1
        right(world, result, f"round {n}")
    _same_instants(world, result, wanted)


def _instant(stamp_format: str) -> str:
    return "instant_ms(created_at)" if stamp_format == "epoch_ms" else (
        "to_timestamp(created_at::double)")  # fmt: skip


def naive(world: World, result: Result, zone: str) -> None:
    """Times without a zone are the connection's: as filters, as bookmark, as instants."""
    _naive_world(world, zone)
    wanted: dict[str, datetime] = {}
    for n in range(4):
        world.wait(400)
        for number in (1, 10 + n):
            _put_naive(world, number, n, zone, wanted)
        result.fired += 1
        right(world, result, f"round {n}")
    _same_instants(world, result, wanted)


def fall_back(world: World, result: Result) -> None:
    """02:00 becomes 01:00 again: stamps of the hour that comes twice lie behind the bookmark."""
    zone = "America/New_York"
    _naive_world(world, zone)
    world.clock.at = datetime(2026, 11, 1, 5, 40, tzinfo=UTC)
    wanted: dict[str, datetime] = {}
    for n in range(8):  # 01:40, 01:55, then 01:10, 01:25, 01:40, 01:55, 02:10, 02:25
        _put_naive(world, 10 + n, 0, zone, wanted)
        result.fired += 2 <= n < 8
        right(world, result, f"at {world.clock.at.astimezone(ZoneInfo(zone))}")
        world.wait(900)


def _naive_world(world: World, zone: str) -> None:
    pattern = '"%Y-%m-%d %H:%M:%S"'
    edit(world, DEFS, ("lookback: 10m", f"lookback: 10m, format: {pattern}"),
         ("Asia/Shanghai", zone))  # fmt: skip


def _put_naive(
    world: World, number: int, version: int, zone: str, wanted: dict[str, datetime]
) -> None:
    local = world.clock.at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
    record = shop.order(number, world.clock.at, version)
    world.shop.put("orders", record | {"updated_at": local, "created_at": local})
    wanted[str(number)] = world.clock.at


def _same_instants(world: World, result: Result, wanted: dict[str, datetime]) -> None:
    found = dict(rows(store_of(world), "select source_key, placed_at from source.orders"))
    for key, moment in wanted.items():
        result.expect(found.get(key) == moment, f"{key} was placed {found.get(key)}, not {moment}")


def impossible(world: World, result: Result) -> None:
    """A date that is none puts the record aside, with the field's name; the others load."""
    right(world, result, "the first load")
    for number, value in enumerate(IMPOSSIBLE, 100):
        record: dict[str, Any] = shop.order(number, world.clock.at) | {"created_at": value}
        world.shop.put("orders", record, bad=True)
        result.fired += 1
    world.put(1)
    outcome = right(world, result, "with impossible dates")
    result.expect(outcome.quarantined == len(IMPOSSIBLE), f"{outcome.quarantined} put aside")
    for key, why in quarantined(world).items():
        result.expect(why.startswith("placed_at: "), f"{key} was put aside for {why}")


def no_stamps(world: World, result: Result) -> None:
    """A stamp that is none moves nothing; what carries it is counted and read by a full read."""
    world.shop.__class__ = LenientShop
    world.put(1)
    world.wait(6)
    right(world, result, "the first load")
    for number, stamp in ((2, "0000-00-00 00:00:00"), (3, "2026-02-30T00:00:00Z"), (4, "soon")):
        world.shop.put("orders", shop.order(number, world.clock.at) | {"updated_at": stamp})
        result.fired += 1
    outcome = right(world, result, "with stamps that are none")
    result.expect(warned(outcome, "no readable updated_at"), f"not said: {outcome.warnings}")
    world.wait(400)
    world.put(1)
    outcome = right(world, result, "after them")
    result.expect(str((outcome.bookmark_after or {}).get("stamp", ""))[:4] == "2026", "a bookmark")


# --- D5, D10 ---------------------------------------------------------------------------------
def future_stamps(world: World, result: Result) -> None:
    """Records of 2999 stay, the bookmark does not follow them, and the run says so."""
    right(world, result, "the first load")
    world.put(1, at=datetime(2999, 1, 1, tzinfo=UTC))
    world.put(100, at=datetime(2999, 1, 1, tzinfo=UTC))
    result.fired += 2
    for n in range(3):
        world.wait(400)
        world.put(10 + n)
        outcome = right(world, result, f"round {n}")
        result.expect(warned(outcome, "ahead"), f"not flagged: {outcome.warnings}")
        stamp = str((outcome.bookmark_after or {}).get("stamp"))
        result.expect(stamp < "2027", f"the bookmark went to {stamp}")


def future_bookmark(world: World, result: Result) -> None:
    """Our clock stood in 2999 when a record of that year was read: found and mended by a full."""
    now = world.clock.at
    world.clock.at = datetime(2999, 6, 1, tzinfo=UTC)
    world.put(1, at=datetime(2999, 1, 1, tzinfo=UTC))
    outcome = right(world, result, "the first load, in 2999")
    result.expect(str(outcome.bookmark_after)[:30].count("2999") == 1, "no bookmark of 2999")
    world.clock.at = now + timedelta(seconds=60)
    world.delete(1)
    world.put(2)
    result.fired += 1
    outcome = world.sync()
    result.expect(outcome.status == "ok", f"a changed read crashed: {outcome.error}")
    result.expect(warned(outcome, "behind the bookmark"), f"not flagged: {outcome.warnings}")
    right(world, result, "the full read", full=True)
    world.wait(400)
    world.put(3)
    right(world, result, "changed reads work again")


def restored(world: World, result: Result) -> None:
    """The source goes back a day: newest orders gone, others as they were, stamps and all."""
    right(world, result, "the first load")
    backup = world.clock.at
    world.wait(86_400)
    for number in (1, 2, 3):
        world.put(number)
    for number in (50, 51):
        world.put(number)
    world.wait(6)
    right(world, result, "a day later")
    world.publish()
    for number in (1, 2, 3):  # as the world began: one second apart
        stamp = backup - timedelta(seconds=35 - number)
        world.shop.put("orders", shop.order(number, stamp, 0))
    for number in (50, 51):
        world.delete(number)
    result.fired += 2
    world.wait(60)
    outcome = world.sync()
    result.expect(outcome.status == "ok", f"changed: {outcome.error}")
    result.expect(warned(outcome, "restored"), f"not detected: {outcome.warnings}")
    outcome = right(world, result, "--full --trust-source", full=True, trust_source=True)
    result.expect(warned(outcome, "restored"), f"the full read says nothing: {outcome.warnings}")
    result.expect(not {"50", "51"} & living(world), "orders that the backup had not are there")
    world.wait(400)
    world.put(1)
    right(world, result, "changed reads go on")
