"""Days read again of every stream of the sample company: all connectors know what a stretch is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from synced_sample import Synced, synced_sample

from pipelines.sample.story import tell
from pipelines.stretches import Days, has_stretches
from pipelines.sync import sync_stream
from warehouse.landing import Landing

pytestmark = pytest.mark.slow
DAYS = Days(date(2026, 10, 5), date(2026, 10, 25))


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    made = synced_sample(tmp_path_factory.mktemp("home"), tell(orders=700))
    yield made
    made.close()


def test_days_bring_what_is_known_and_leave_the_bookmark(synced: Synced) -> None:
    landing, read, refused = Landing(synced.space.home.landing), {}, set()
    for connection, stream in synced.first:
        found = synced.space.connection(connection).connector()
        before = landing.bookmark(connection, stream)
        done = sync_stream(synced.space, connection, stream, days=DAYS, transport=synced.transport)
        assert landing.bookmark(connection, stream) == before
        if not has_stretches(found.streams()[stream]):
            assert done.error is not None
            assert done.error.kind == "NoStretch"
            refused.add(connection)
            continue
        assert (done.error, done.warnings) == (None, {}), (connection, stream)
        # The first read's bulk file may write a record otherwise: its rows are the same.
        changed = (done.inserted, done.updated, done.deleted)
        assert changed == (0, 0, 0), (connection, stream)
        read[connection, stream] = done.read
    assert {name for name, _ in read} >= {"shop", "erp", "crm", "oms"}
    assert read["shop", "orders"] > 0
    assert read["erp", "orders"] > 0
    assert {"oms", "office"} <= refused, "one goes by numbers, the other by its files"
