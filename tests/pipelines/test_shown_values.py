"""What a mistake shows of a value: all of it, unless it may be a secret in the wrong place."""

from __future__ import annotations

import pytest

from pipelines.check.problems import show


@pytest.mark.parametrize(
    "value",
    [
        "Tok3nTok3nTok3nTok3nTok3n",
        'CN0767lQ7G6sPpC5Z4u."{}/+XbTmp6iSLc6aRe',
        "a: Xk3Xk3Xk3Xk3Xk3Xk",
    ],
)
def test_what_may_be_a_secret_is_shown_by_its_beginning(value: str) -> None:
    assert show(value) == repr(value[:4] + "…")


@pytest.mark.parametrize(
    "value",
    ["https://api.example.com/v2/Orders", "regexp_extract(OrderNo, 'SO2026(.*)', 1)", "orders2026",
     "2026-01-01T00:00:00Z", "THIRTY_MINUTES_30", "updated_at"],
)  # fmt: skip
def test_anything_else_is_shown(value: str) -> None:
    assert show(value) == repr(value)
