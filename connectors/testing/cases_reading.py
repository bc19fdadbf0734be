"""Cases of plain reading: all of it, once, whatever the size of pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from connectors.base import Span
from connectors.body import Body, parse_path
from connectors.testing.case import case, must, none_of
from connectors.testing.play import Play, keys_of, records_of


@case
def every_stream_reads(play: Play) -> None:
    """Every stream can be read, and brings records."""
    play.fill()
    play.bench.fill_others()
    connector = play.bench.make()
    empty = set()
    for name in connector.streams():
        came = 0
        for page in connector.read(play.request(stream=name)):
            play.look(page)
            came += len(page.keys)
        if not came:
            empty.add(name)
    connector.close()
    none_of(empty - play.bench.may_be_empty, "nothing came of")


@case
def first_read_is_whole(play: Play) -> None:
    """The first read brings every record as it stands, over several pages."""
    play.fill()
    pages = play.read()
    must(len(pages) > 1, f"all {play.count} records came on one page: page_size is wrong")
    play.equal()


@case
def keys_unique(play: Play) -> None:
    """Every record has a key, no key comes twice, and the key is what the record itself says."""
    play.fill()
    pages = play.read()
    keys = keys_of(pages)
    must(all(keys), "a record has no key")
    must(len(keys) == len(set(keys)), "a key comes twice in one read")
    none_of(set(keys) ^ set(play.bench.living()), "these keys are not those of the source")
    paths = [parse_path(part) for part in play.stream.key]
    for page in pages:
        if page.kind != "records" or not isinstance(page.records, list):
            continue
        for key, record in zip(page.keys, page.records, strict=True):
            body = Body(bytes(record))
            said = "/".join(body.text(path) or "" for path in paths)
            must(not paths or said == key, f"the key {key} stands as {said} in the record")


@case
def empty_stream(play: Play) -> None:
    """A stream without records is read without an error, and its first record is found later."""
    pages = play.read()
    must(not any(play.store.rows), "records came of an empty stream")
    must(not [key for key in keys_of(pages) if key], "keys came of an empty stream")
    play.wait(minutes=5)
    play.put(1)
    play.wait(minutes=1)
    play.read()
    play.equal(when="after its first record")


@case
def limit_kept(play: Play) -> None:
    """A read with a limit brings so many, calls nothing complete and leaves the bookmark."""
    play.fill()
    play.read()
    mark = play.store.bookmark
    connector = play.bench.make()
    pages = list(connector.read(play.request("full", mark, limit=3)))
    connector.close()
    came = sum(len(records_of(page)) for page in pages)
    must(came == 3, f"{came} records came where 3 were asked for")
    must(not any(page.complete for page in pages), "a preview calls itself complete")
    pages = [page for page in pages if page.bookmark != mark]
    none_of([dict(page.bookmark) for page in pages], "a preview moves the bookmark")


@case
def counted_honestly(play: Play) -> None:
    """What the system counts is what stands there, in all and in stretches; or it says why not."""
    play.fill()
    connector = play.bench.make()
    living = play.bench.living()
    found = connector.countable(play.bench.stream)
    must(found.how, "nothing says how the stream is counted, or why it cannot be")
    if found.kind == "keys":
        must(play.stream.can_sweep, "its keys are to be listed, and it has no sweep")
        pages = list(connector.read(play.request("sweep")))
        none_of({*keys_of(pages)} ^ set(living), "these keys are not those of the source")
    elif found.kind != "none":
        here = play.bench.clock.now().replace(microsecond=0)
        edges: list[datetime | None] = [None]
        if found.kind == "spans":
            edges += [here + timedelta(hours=n) for n in range(-24, 3)]
        spans = [Span(a, b) for a, b in pairwise([*edges, None])]
        counted = list(connector.measure(play.bench.stream, spans))
        count = sum(one.count for one in counted)
        must(count == len(living), f"{count} are counted, {len(living)} stand there")
        if found.kind == "spans":
            split = sum(1 for one in counted if one.count)
            must(split > 1 or len(living) < 2, "all records are counted in one stretch")
    connector.close()


@case
def page_size_clamped(play: Play) -> None:
    """A system that gives shorter pages than it is asked for is read to its end."""
    play.fill()
    play.bench.clamp(max(play.bench.page_size // 2, 1))
    play.read()
    play.equal()


@case
def repeatable(play: Play) -> None:
    """A full read after a full read brings the same and removes nothing."""
    play.fill()
    play.read("full")
    play.wait(minutes=1)
    play.read("full")
    play.equal()
    none_of(play.store.gone, "these were taken for deleted")
