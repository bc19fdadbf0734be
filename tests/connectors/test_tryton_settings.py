"""The settings of a Tryton connection: what is refused, what is left out, what is described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tryton_script import connector

from connectors.base import ReadRequest
from connectors.errors import ConfigError
from connectors.tryton.catalogue import STREAMS
from connectors.tryton.settings import TrytonSettings


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"auth": {"basic": ["reader", "secret-in-the-file"]}}, "must be a reference"),
        ({"auth": {}}, "either basic or bearer"),
        ({"auth": {"bearer": "env:A", "basic": ["u", "env:B"]}}, "either basic or bearer"),
        ({"database": "a/b"}, "pattern"),
        ({"skip": "oportunities"}, "Did you mean opportunities"),
        ({"base_url": "http://tryton.example/?x=1"}, "query"),
        ({"allow_plain_http": "false"}, "plain http"),
        ({"company": "0"}, "greater than"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said) as caught:
        connector(None, **wrong)
    assert "secret-in-the-file" not in str(caught.value)


def test_streams_that_are_skipped_are_not_offered():
    one = connector(None, skip=["opportunities", "payments"])
    assert set(one.streams()) == set(STREAMS) - {"opportunities", "payments"}
    with pytest.raises(ConfigError, match="no stream 'payments'"):
        list(one.read(ReadRequest("payments")))


def _described(model: Any) -> Iterator[tuple[str, str | None]]:
    for name, field in model.model_fields.items():
        yield name, field.description


def test_every_setting_is_described():
    assert all(text for _, text in _described(TrytonSettings))
