"""Limits of each path by itself, beside those of the whole connection, in one budget."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.ledger import Ledger, Rate, decode, encode
from connectors.rate import Budget, parse_rates
from connectors.shared import OwnShelf


class Clock:
    def __init__(self) -> None:
        self.at = 1_700_000_000.0

    def now(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += seconds


def budget(text: str, clock: Clock, shelf: OwnShelf | None = None) -> Budget:
    return Budget(parse_rates(text), shelf, now=clock.now, pause=clock.pause, patience=1e9)


def call(one: Budget, path: str) -> float:
    place = one.take(path)
    place.done()
    return place.waited


def test_it_is_written_per_path() -> None:
    assert parse_rates("100/20s per path, 5/s") == (Rate(100, 20, each=True), Rate(5, 1))


def test_each_path_has_places_of_its_own() -> None:
    clock = Clock()
    one = budget("2/10s per path", clock)
    assert [call(one, path) for path in ("/a", "/a", "/b", "/b")] == [0, 0, 0, 0]
    assert 10 <= call(one, "/a") <= 10.1
    assert call(one, "/b") == 0  # ten seconds later its places are free, too


def test_what_is_under_way_and_what_waits_count_for_their_path_alone() -> None:
    clock = Clock()
    ledger = Ledger()
    rates = parse_rates("1/10s per path")
    now = clock.now()

    def ask(name: str, path: str) -> float:
        return ledger.ask(rates, name, "me", now, 60.0, 1e9, lambda owner: False, path)

    assert ask("1", "/a") == 0.0
    assert ask("2", "/a") > 0.0  # one is under way
    assert ask("3", "/b") == 0.0  # nobody waits for this path
    ledger.end("1", now)
    assert ask("4", "/a") > 10.0  # behind the one that waits
    assert set(ledger.ended) == {"1/10@/a", "1/10@/b"}


def test_a_path_under_way_is_counted_though_others_were_asked_meanwhile() -> None:
    clock = Clock()
    one = budget("1/10s per path", clock)
    slow = one.take("/slow")
    clock.at += 30
    for path in ("/a", "/b"):
        call(one, path)
    slow.done()
    assert call(one, "/slow") >= 10


def test_the_whole_connection_s_limit_holds_besides() -> None:
    clock = Clock()
    one = budget("3/10s, 2/10s per path", clock)
    assert [call(one, path) for path in ("/a", "/a", "/b")] == [0, 0, 0]
    assert call(one, "/b") >= 10


def test_paths_that_rest_leave_the_document() -> None:
    clock, shelf = Clock(), OwnShelf()
    one = budget("5/s per path", clock, shelf)
    for number in range(50):
        call(one, f"/records/{number}")
    clock.at += 5
    call(one, "/last")
    assert list(decode(shelf.read()).ended) == ["5/1@/last"]


def test_a_document_of_the_release_before_is_read() -> None:
    old = '{"ended":{"5/1":[[1,1,1]]},"out":[["a","me",9.0]],"queue":[]}'
    read = decode(old)
    assert (read.out[0].path, read.ended["5/1"][0].count) == ("", 1)
    assert decode(encode(read)) == read


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])  # on a loaded machine
@given(
    st.lists(st.tuples(st.sampled_from(["/a", "/b", "/c"]), st.floats(0, 4)), max_size=60),
    st.integers(1, 4),
)
def test_in_no_window_more_of_a_path_than_its_limit(
    asked: list[tuple[str, float]], most: int
) -> None:
    clock = Clock()
    one = budget(f"{most}/5s per path", clock)
    came: dict[str, list[float]] = {}
    for path, wait in asked:
        clock.at += wait
        call(one, path)
        came.setdefault(path, []).append(clock.at)
    for times in came.values():
        for first, last in zip(times, times[most:], strict=False):
            assert last - first >= 5
