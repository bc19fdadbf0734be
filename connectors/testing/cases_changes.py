"""Cases of changes: what a second read brings, where a read goes on, what a bookmark may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.base import ChangedSince, Page
from connectors.errors import ConnectorError
from connectors.testing.bench import Unsupported
from connectors.testing.case import Failed, case, must, none_of
from connectors.testing.play import Play, keys_of


@case
def only_what_changed(play: Play) -> None:
    """A second read brings what is new or changed, and of the rest no more than the overlap."""
    play.fill()
    play.read()
    before = dict(play.stamps)
    may = play.near(before)
    play.wait(hours=2)
    numbers = (2, play.count + 1)
    wanted = {play.put(number) for number in numbers}
    play.wait(minutes=1)
    came = {key for key in keys_of(play.read()) if key is not None}
    none_of(wanted - came, "changes that did not come")
    together = {play.keys[each] for number in numbers for each in play.bench.companions(number)}
    none_of(came - wanted - may - together, "records that did not change came")
    play.equal()


@case
def nothing_new(play: Play) -> None:
    """Reads of a source that stands still bring no more than the overlap and lose nothing."""
    play.fill()
    play.read()
    may = play.near(play.stamps)
    for _ in range(2):
        play.wait(minutes=15)
        came = {key for key in keys_of(play.read()) if key is not None}
        none_of(came - may, "records that did not change came")
    play.equal()


@case
def behind_the_bookmark(play: Play) -> None:
    """What was added long before the bookmark's stamp comes when its stretch is read again."""
    play.fill()
    play.read()
    mark = {name: value for name, value in (play.store.bookmark or {}).items() if name != "resume"}
    if "stamp" not in mark:
        return  # such a stream is not counted by stretches, nor read by them
    old = play.bench.clock.now() - timedelta(days=3)
    play.wait(minutes=1)
    key = play.put(play.count + 1, old)
    stretch = mark | {"stamp": (old - timedelta(hours=1)).isoformat()}
    request = replace(play.request("changed", stretch), until=old + timedelta(hours=1))
    connector = play.bench.make()
    came = keys_of(list(connector.read(request)))
    connector.close()
    must(key in came, f"{key} did not come, whose stamp lies inside the stretch that was read")


@case
def resume_from_every_bookmark(play: Play) -> None:
    """A read killed after any page goes on from its bookmark; nothing is lost or left stale."""
    play.fill()
    pages = len(play.read(store=play.new_store()))
    for stop in range(1, pages):
        store = play.new_store()
        play.read(store=store, stop=stop)
        play.read(store=store)
        play.equal(store, f"killed after page {stop}")
    _changed_in_between(play)


def _changed_in_between(play: Play) -> None:
    store = play.new_store()
    play.wait(minutes=1)
    play.read(store=store, stop=1)
    play.wait(minutes=1)
    for number in (1, play.count // 2, play.count, play.count + 1):
        play.put(number)
    play.wait(minutes=1)
    play.read(store=store)
    play.wait(minutes=1)
    play.read(store=store)
    play.equal(store, "killed after page 1, then changed")


@case
def killed_again_and_again(play: Play) -> None:
    """A read that is killed after each of its pages comes to its end all the same."""
    play.fill()
    for _ in range(2 * play.count):
        play.read(stop=1)
        play.wait(minutes=1)
        if play.store.rows.keys() >= play.bench.living().keys():
            break
    else:
        raise Failed(f"killed {2 * play.count} times, it never came to its end")
    play.read()
    play.equal()
    none_of(play.store.gone, "these were taken for deleted")


@case
def future_stamp(play: Play) -> None:
    """A record stamped hours or years ahead does not move the bookmark over what comes after it."""
    play.fill()
    for number, ahead in enumerate((timedelta(hours=10), timedelta(days=900))):
        play.put(play.count + 10 * number, play.bench.clock.now() + ahead)
        play.read()
        play.wait(minutes=20)
        key = play.put(play.count + 10 * number + 1)
        play.wait(minutes=1)
        play.read()
        must(key in play.store.rows, f"a record made after one stamped {ahead} ahead is never read")


@case
def future_bookmark(play: Play) -> None:
    """A run whose clock was a year ahead leaves no bookmark that later runs skip records by."""
    play.fill()
    play.bench.apart = timedelta(days=365)
    play.read()
    play.bench.apart = timedelta()
    play.wait(minutes=20)
    play.put(1)
    play.put(play.count + 1)
    play.wait(minutes=1)
    play.read()
    play.whole(when="after a run with a clock ahead")


@case
def clock_behind(play: Play) -> None:
    """A run whose clock is an hour behind loses nothing for the runs after it."""
    play.fill()
    play.bench.apart = -timedelta(hours=1)
    play.read()
    play.wait(minutes=20)
    play.put(1)
    play.put(play.count + 1)
    play.read()
    play.bench.apart = timedelta()
    play.wait(minutes=20)
    play.read()
    play.equal()


@case
def damaged_bookmark(play: Play) -> None:
    """A bookmark with a wrong member is refused or left out, and a full read mends it."""
    play.fill()
    marks = [dict(page.bookmark) for page in play.read()]
    play.wait(minutes=30)
    play.put(1)
    play.wait(minutes=1)
    marks += [dict(page.bookmark) for page in play.read()]
    damage: tuple[Any, ...] = ("?", -1, [])
    for mark in (marks[0], marks[play.count // play.bench.page_size], marks[-1]):
        for path in [*paths_of(mark)]:
            for value in damage:
                store = play.new_store()
                store.bookmark = replaced(mark, path, value)
                try:
                    play.read(store=store)
                except ConnectorError as error:
                    must(error.do.strip(), f"{error!r} does not say what to do")
                    play.read("full", store=store)
                    play.equal(store, f"after a full read, {'.'.join(path)} being {value!r}")


@case
def ties_across_pages(play: Play) -> None:
    """Records of one stamp, more than a page holds, are all read, also when a run is killed."""
    at = play.bench.clock.now() - timedelta(hours=3)
    play.fill(at=at)
    play.read()
    play.equal()
    play.wait(minutes=30)
    at = play.bench.clock.now() - timedelta(seconds=30)
    play.fill(at=at)
    again = play.store.copy()
    pages = len(play.read())
    play.equal(when="after a change of all at one moment")
    for stop in range(1, pages):
        store = again.copy()
        play.read(store=store, stop=stop)
        play.read(store=store)
        play.equal(store, f"after a change of all at one moment, killed after page {stop}")


@case
def late_commit(play: Play) -> None:
    """What is committed late, with a stamp inside the declared lookback, is found."""
    play.fill()
    play.read()
    late = max(play.stamps.values()) - play.lookback / 2
    play.wait(minutes=1)
    play.put(play.count + 1, late)
    play.put(1, late)
    play.read()
    play.equal()


@case
def on_the_stamp(play: Play) -> None:
    """Records with the very stamp of the bookmark, or of the lookback's edge, are found."""
    play.fill()
    play.read()
    stamp = max(play.stamps.values())
    play.wait(minutes=1)
    play.put(play.count + 1, stamp)
    play.put(2, stamp)
    if isinstance(play.main, ChangedSince):  # then the bookmark is the greatest stamp
        play.put(play.count + 2, stamp - play.lookback)
        play.put(3, stamp - play.lookback)
    play.read()
    play.equal()


@case
def changes_while_paging(play: Play) -> None:
    """Rows inserted, changed and deleted between pages are neither lost nor left stale."""
    play.fill()
    gone: set[str] = set()

    def meanwhile(pages: list[Page]) -> None:
        came = len(pages)
        if came > 2:
            return
        play.wait(seconds=1)
        play.put(100 * play.count + came)
        play.put(3 + came)
        if not play.stream.deletes:
            return
        last = pages[-1].keys[-1] if pages[-1].keys else None  # what the next page is asked behind
        for number in (
            2 * came,
            play.count - came,
            *(n for n, k in play.keys.items() if k == last),
        ):
            if number in play.keys:
                gone.add(play.delete(number))

    with suppress(ConnectorError):  # an error is honest: the next run begins again
        play.read(between=meanwhile)
    for _ in range(3):
        play.wait(minutes=1)
        play.read()
    play.whole(when="three reads later")
    ghosts = play.store.rows.keys() - play.bench.living().keys()
    none_of(ghosts - gone, "records that were never there came")


@case
def deletes_seen(play: Play) -> None:
    """What is deleted at the source goes, by every kind of read that the stream declares for it."""
    if not play.stream.deletes:
        raise Unsupported("the stream declares no way to see deletions")
    play.fill()
    play.read()
    for number, mode in enumerate(play.stream.deletes, 3):
        play.wait(minutes=1)
        key = play.delete(number)
        play.wait(minutes=1)
        play.read(mode)
        must(key not in play.store.rows, f"a deletion is not seen by a read in mode {mode!r}")
        play.equal(when=f"after a read in mode {mode!r}")


@case
def sweep_lists_keys(play: Play) -> None:
    """A sweep lists the keys alone and leaves the bookmark where it was."""
    play.fill()
    play.read()
    mark = play.store.bookmark
    connector = play.bench.make()
    pages = list(connector.read(play.request("sweep", mark)))
    connector.close()
    none_of([page.kind for page in pages if page.kind != "keys"], "a sweep yields pages of")
    none_of([dict(p.bookmark) for p in pages if dict(p.bookmark) != mark], "a sweep's bookmark is")
    if not play.stream.can_sweep:
        must(not any(page.complete for page in pages), "a stream that cannot sweep says complete")
        raise Unsupported("the stream does not offer sweeps")
    none_of(set(keys_of(pages)) ^ set(play.bench.living()), "keys that differ from the source's")


def paths_of(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each member of a bookmark, at every depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield (*path, name)
            yield from paths_of(inner, (*path, name))


def replaced(mark: Mapping[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return a bookmark with another value at a path."""
    made = dict(mark)
    inner = value if len(path) == 1 else replaced(mark[path[0]], path[1:], value)
    made[path[0]] = inner
    return made
