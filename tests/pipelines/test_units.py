"""Durations, sizes and shares as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipelines.units import parse_duration, parse_share, parse_size, spell


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("10m", 600), ("2 h", 7200), ("400d", 34_560_000)]
)
def test_a_duration_is_read_and_spelt(text: str, seconds: int):
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert parse_duration(spell(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "-1m", "1.5h", "10 minutes", "999999999w"])
def test_what_is_no_duration_is_refused_with_the_form(text: str):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2_000_000_000), ("500 mb", 500_000_000), ("1.5GB", 1_500_000_000)]
)
def test_a_size_is_read(text: str, size: int):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "2 GiB", "two"])
def test_what_is_no_size_is_refused(text: str):
    with pytest.raises(ValueError, match="size"):
        parse_size(text)


def test_a_share_is_read_with_and_without_percent():
    assert parse_share("5%") == parse_share("0.05") == 0.05
    for wrong in ("101%", "2", "-1%", "five"):
        with pytest.raises(ValueError, match="share"):
            parse_share(wrong)
