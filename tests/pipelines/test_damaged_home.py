"""A key or control database that is damaged or gone: said so, with what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.errors import ConfigError, Unavailable
from pipelines.control_view import view
from pipelines.workspace import Workspace

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    (tmp_path / "defs").mkdir()
    (tmp_path / "mappings").mkdir()
    return Workspace.discover({}, start=tmp_path)


def again(space: Workspace) -> Workspace:
    return Workspace.discover({}, start=space.defs.parent)


def test_a_key_that_is_gone_is_not_replaced_by_another(space: Workspace) -> None:
    key = space.key
    assert again(space).key == key
    assert space.home.key_file.stat().st_mode & 0o777 == 0o600
    space.home.public.write_bytes(b"")
    space.home.key_file.unlink()
    with pytest.raises(ConfigError, match="is gone"):
        _ = again(space).key


def test_a_key_with_a_turned_bit_is_not_taken(space: Workspace) -> None:
    _ = space.key
    path = space.home.key_file
    content = bytearray(path.read_bytes())
    for place in range(64):
        turned = content.copy()
        turned[place] ^= 0x01
        path.write_bytes(turned)
        with pytest.raises(ConfigError, match="not as it was written"):
            _ = again(space).key
    path.write_text("k" * 40)
    assert again(space).key == b"k" * 40, "one of an older release, or a person's own"


def test_a_damaged_control_database_is_told_with_what_to_do(space: Workspace) -> None:
    _ = space.control.engine
    space.control.close()
    path = space.home.control
    content = bytearray(path.read_bytes())
    for place in range(20, len(content), 100):
        content[place] ^= 0x40
    path.write_bytes(content)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with pytest.raises(Unavailable, match="is damaged"):
        view(again(space))
    with pytest.raises(Unavailable, match="is damaged"):
        _ = again(space).control.engine


def test_the_control_database_is_private(space: Workspace) -> None:
    _ = space.control.engine
    space.control.record_publish(
        {"run_id": "r", "status": "ok", "started_at": NOW, "ended_at": NOW, "changed": 0,
         "mark": "", "version": "", "error": None}
    )  # fmt: skip
    for path in space.home.root.glob("control.db*"):
        assert path.stat().st_mode & 0o777 == 0o600, path
