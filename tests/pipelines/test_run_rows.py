"""What is published of the runs of streams."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.control import Control
from pipelines.freshness import run_rows
from pipelines.outcome import ErrorText

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("privacy", "message"),
    [
        ("masked", "https://shop.example/orders: Refused. Do: ask the shop."),
        ("clear", "https://shop.example/orders: 张三 13812345678 is locked Do: ask the shop."),
    ],
)  # fmt: skip
def test_the_words_of_a_system_are_published_only_in_clear(
    tmp_path: Path, privacy: str, message: str
) -> None:
    control = Control(f"sqlite:///{tmp_path / 'control.db'}")
    error = ErrorText(
        kind="Refused", what="张三 13812345678 is locked", do="ask the shop.",
        place="https://shop.example/orders",
    )  # fmt: skip
    control.record_run(
        {"run_id": "1", "connection": "shop", "stream": "orders", "mode": "changed",
         "status": "failed", "started_at": NOW, "ended_at": NOW, "counts": {"read": 2},
         "error": asdict(error)}
    )  # fmt: skip
    (row,) = run_rows(control, privacy=privacy)
    control.close()
    assert (row["message"], row["read"]) == (message, 2)
