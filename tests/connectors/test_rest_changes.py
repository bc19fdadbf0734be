"""Stamps, the bookmark's rule and windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import ChangedSince
from connectors.changes import (
    EARLIEST,
    Tide,
    check_format,
    format_stamp,
    parse_stamp,
    read_bookmark,
    write_bookmark,
)
from connectors.errors import ContractBroken

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEGUN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SPEC = ChangedSince("updated_at", "since")


def instant(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "pattern", "wanted"),
    [
        ("2026-03-01T12:00:00Z", "iso", NOON),
        ("20260301200000", "%Y%m%d%H%M%S", NOON),  # no milliseconds of the year 2612
        ("2026-03-01T20:00:00+08:00", "iso", NOON),
        ("2026-03-01T20:00:00+0800", "iso", NOON),
        ("2026-03-01 20:00:00", "iso", NOON),
        ("2026/03/01 20:00:00", "iso", NOON),
        ("2026-03-01T12:00:00.123456Z", "iso", NOON + timedelta(microseconds=123456)),
        ("2026-03-02", "iso", NOON + timedelta(hours=4)),
        ("20260301T200000", "iso", NOON),
        ("1772366400", "epoch", NOON),
        ("1772366400.25", "epoch", NOON + timedelta(milliseconds=250)),
        ("1772366400123", "epoch_ms", NOON + timedelta(milliseconds=123)),
        ("1772366400123", "iso", NOON + timedelta(milliseconds=123)),
        ("01.03.2026 20:00", "%d.%m.%Y %H:%M", NOON),
        ("2026-03-01T12:00:00Z", "%d.%m.%Y %H:%M", NOON),
        ("0000-00-00 00:00:00", "iso", None),
        ("", "iso", None),
        ("soon", "iso", None),
        ("0001-01-01T00:00:00+14:00", "iso", None),
        ("99999999999999999999", "epoch", None),
    ],
)
def test_stamps_are_read(text, pattern, wanted):
    assert parse_stamp(text, SHANGHAI, pattern) == wanted


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("iso", "2026-03-01T12:00:00Z"),
        ("epoch", "1772366400"),
        ("epoch_ms", "1772366400000"),
        ("%Y-%m-%d %H:%M:%S", "2026-03-01 20:00:00"),
    ],
)
def test_parameters_are_written(pattern, text):
    assert format_stamp(NOON + timedelta(milliseconds=999), pattern, SHANGHAI) == text


@given(
    # China set its clocks back for the last time in 1991.
    at=st.integers(700_000_000_000_000, 3_000_000_000_000_000).map(instant),
    pattern=st.sampled_from(["iso", "epoch", "epoch_ms", "%Y-%m-%d %H:%M:%S"]),
)
def test_a_lower_bound_is_never_above_the_stamp(at, pattern):
    back = parse_stamp(format_stamp(at, pattern, SHANGHAI), SHANGHAI, pattern)
    assert back is not None
    assert at - timedelta(seconds=1) < back <= at


def test_a_lower_bound_leaves_nothing_out_when_clocks_are_set_back() -> None:
    pattern, zone = "%Y-%m-%d %H:%M:%S", ZoneInfo("America/New_York")
    back = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)  # 02:00 becomes 01:00
    for minutes in range(-300, 300, 7):
        bound = format_stamp(back + timedelta(minutes=minutes), pattern, zone)
        later = [back + timedelta(minutes=m) for m in range(minutes, minutes + 400, 5)]
        assert bound <= min(at.astimezone(zone).strftime(pattern) for at in later)


def test_a_format_must_be_one():
    with pytest.raises(ValueError, match="epoch_ms"):
        check_format("unix")


def tide(*stamps: str | None, before: datetime | None = None, spec: ChangedSince = SPEC) -> Tide:
    one = Tide(spec, SHANGHAI, BEGUN, before)
    one.see(stamps)
    return one


def test_the_bookmark_is_the_greatest_stamp_seen():
    one = tide("2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z", "2026-02-02T00:00:00Z")
    assert one.stamp() == datetime(2026, 2, 3, tzinfo=UTC)
    assert one.warnings() == []


def test_a_stamp_of_2999_does_not_move_it():
    one = tide("2026-02-01T00:00:00Z", "2999-12-31T00:00:00Z")
    assert one.stamp() == datetime(2026, 2, 1, tzinfo=UTC)
    assert "2999" in one.warnings()[0]


def test_a_stamp_younger_than_the_lag_waits_for_the_next_read():
    one = tide("2026-03-01T11:59:54Z", "2026-03-01T11:59:56Z", "2026-03-01T12:00:30Z")
    assert one.stamp() == datetime(2026, 3, 1, 11, 59, 54, tzinfo=UTC)
    assert one.warnings() == []


def test_nothing_new_leaves_the_bookmark_and_tells_of_a_restore():
    before = datetime(2026, 2, 5, tzinfo=UTC)
    assert tide(before=before).stamp() == before
    assert "restored" in tide(before=before).warnings()[0]
    assert "restored" in tide("2026-02-04T23:55:00Z", before=before).warnings()[0]
    assert tide("2026-02-05T00:00:00Z", before=before).warnings() == []


def test_records_without_a_stamp_are_counted():
    one = tide("2026-02-01T00:00:00Z", None, "0000-00-00 00:00:00")
    assert "2 records" in one.warnings()[0]


def test_the_lower_bound_is_the_bookmark_less_the_lookback():
    one = tide(before=datetime(2026, 2, 5, tzinfo=UTC))
    (window,) = one.windows()
    assert window.since == datetime(2026, 2, 4, 23, 50, tzinfo=UTC)
    assert window.until is None


SPAN = ChangedSince("at", "from", until="to", span=timedelta(days=7))


@given(
    before=st.integers(1_420_000_000_000_000, 1_772_000_000_000_000).map(instant),
    days=st.integers(1, 400),
)
def test_windows_cover_everything_without_a_gap(before, days):
    spec = ChangedSince("at", "from", until="to", span=timedelta(days=days))
    one = tide(before=before, spec=spec)
    windows = list(one.windows())
    if not windows:
        assert one.since >= one.ceiling
        return
    assert windows[0].since == one.since
    assert windows[-1].until == one.ceiling
    for left, right in pairwise(windows):
        assert left.until == right.since
    assert all(w.until - w.since <= spec.span for w in windows)


def test_a_first_load_by_windows_begins_somewhere():
    assert next(iter(tide(spec=SPAN).windows())).since == EARLIEST


def test_a_bookmark_survives_json():
    mark = write_bookmark(NOON, {"state": "c"})
    assert mark == {"stamp": "2026-03-01T12:00:00+00:00", "resume": {"state": "c"}}
    assert read_bookmark(mark) == (NOON, {"state": "c"})
    assert read_bookmark(None) == read_bookmark({}) == (None, {})


@pytest.mark.parametrize("mark", [{"stamp": "x"}, {"stamp": 5}, {"stamp": "2026-01-01"}])
def test_a_bookmark_that_is_not_ours_is_refused(mark):
    with pytest.raises(ContractBroken):
        read_bookmark(mark)
