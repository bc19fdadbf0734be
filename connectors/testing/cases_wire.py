"""Cases of what goes wrong on the way: tokens, throttling, pages that are none, foreign hosts."""

from __future__ import annotations

from connectors.base import Page
from connectors.errors import AuthError, Refused, Throttled, Unavailable
from connectors.testing.case import case, must, none_of
from connectors.testing.play import Play, Store
from connectors.testing.wire import (
    FOR_EVER,
    FOREIGN,
    Fault,
    changed,
    cut_off,
    instead,
    lost,
    page_of_html,
    stuck,
)


@case
def token_expires(play: Play) -> None:
    """A token that ends in the middle of a read is renewed, and the read goes on."""
    play.fill()

    def meanwhile(pages: list[Page]) -> None:
        if len(pages) == 1:
            play.bench.expire()

    asked = len(play.wire.requests)
    play.read(between=meanwhile)
    must(len(play.wire.requests) > asked, "nothing was asked of the system")
    play.equal()


@case
def throttled_by_header(play: Play) -> None:
    """HTTP 429 is waited out for as long as Retry-After says, and the read goes on."""
    play.fill()
    play.wire.order(instead(429, b"{}", retry_after="7"), page=2, times=2)
    play.read()
    play.equal()
    must(sum(play.bench.clock.pauses) >= 14, "Retry-After was not waited for")


@case
def throttled_in_body(play: Play) -> None:
    """The system's own way to say "too fast" under HTTP 200 is waited out."""
    play.fill()
    play.wire.order(instead(200, play.bench.throttled_body()), page=2, times=2)
    play.read()
    play.equal()
    must(play.bench.clock.pauses, "the next attempt came at once")


@case
def throttled_for_a_day(play: Play) -> None:
    """A pause longer than a run may wait ends the run as retriable, without waiting."""
    play.fill()
    play.wire.order(instead(429, b"{}", retry_after="86400"), page=2, times=FOR_EVER)
    error = play.fails()
    must(isinstance(error, Throttled), f"{type(error).__name__} was raised, not Throttled")
    must(sum(play.bench.clock.pauses) < 3600, "the run slept for it")
    _goes_on(play)


@case
def fails_for_a_moment(play: Play) -> None:
    """A lost connection, a 503 and a truncated body are tried again and the read is whole."""
    play.fill()
    for fault in (lost(), instead(503), cut_off(announced=True), cut_off(announced=False)):
        store = play.new_store()
        play.wire.order(fault, page=2)
        play.read(store=store)
        play.equal(store)


@case
def truncated_body(play: Play) -> None:
    """A body that is always cut off ends the run as retriable; what came before is kept."""
    play.fill()
    play.wire.order(cut_off(announced=True), page=2, times=FOR_EVER)
    error = play.fails()
    must(isinstance(error, Unavailable), f"{type(error).__name__} was raised, not Unavailable")
    _goes_on(play)
    _refused(play, cut_off(announced=False))


@case
def error_in_body(play: Play) -> None:
    """An error under HTTP 200 is an error: never an empty list, never the list's end."""
    body = play.bench.error_body()
    play.fill()
    _refused(play, instead(200, body))


@case
def other_shapes(play: Play) -> None:
    """JSON of another shape than the documents promise is an error, never an empty list."""
    play.fill()
    for data in (b"{}", b"null", b"7", b'"text"', b"[[1, 2]]", b'{"data": "text"}'):
        _refused(play, instead(200, data))


@case
def html_page(play: Play) -> None:
    """A web page under HTTP 200 (log-in, maintenance) is an error, never an empty list."""
    play.fill()
    _refused(play, page_of_html())


@case
def forbidden(play: Play) -> None:
    """HTTP 403 is an error of the credentials' rights, which no further attempt follows."""
    play.fill()
    play.wire.order(instead(403), page=1, times=FOR_EVER)
    asked = play.wire.pages
    error = play.fails()
    must(isinstance(error, AuthError), f"{type(error).__name__} was raised, not AuthError")
    must(play.wire.pages - asked <= 2, "it was asked again and again")


@case
def redirected(play: Play) -> None:
    """A redirect to another host is refused; nothing is sent there."""
    play.fill()
    _refused(play, instead(302, b"", location=f"{FOREIGN}/next"))
    none_of(play.wire.strayed, "another host was spoken to")


@case
def foreign_next_link(play: Play) -> None:
    """A next link to another host is refused; nothing is sent there."""
    play.fill()
    body = changed(lambda data: play.bench.with_link(data, f"{FOREIGN}/next?cursor=1"))
    play.wire.order(body, page=1, times=FOR_EVER)
    error = play.fails()
    must(isinstance(error, Refused), f"{type(error).__name__} was raised, not Refused")
    none_of(play.wire.strayed, "another host was spoken to")
    _goes_on(play)


@case
def repeated_page(play: Play) -> None:
    """A system that gives the same page for ever is an error, not a read without end."""
    play.fill()
    play.wire.order(stuck(), times=FOR_EVER)
    asked = play.wire.pages
    play.fails()
    must(play.wire.pages - asked < 100, "it was asked a hundred times")
    _goes_on(play)


def _refused(play: Play, fault: Fault) -> None:
    """Play a fault for ever, from the first page and from the second; each time it is an error."""
    for page in (1, 2):
        store = play.new_store()
        play.wire.order(fault, page=page, times=FOR_EVER)
        play.fails(store=store)
        _goes_on(play, store, f"after the fault of page {page}")


def _goes_on(play: Play, store: Store | None = None, when: str = "after the fault") -> None:
    found = play.store if store is None else store
    play.wire.clear()
    play.wait(minutes=1)
    play.read(store=found)
    play.equal(found, when)
    none_of(found.gone, "these were taken for deleted")
