"""Cut a page into records without a Python object a field: bytes, key texts, stamp texts."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

from connectors.body import Body, Path, scalar_text
from connectors.errors import ContractBroken, TooLarge

MAX_RECORD = 15 << 20
"""Bytes of one record; DuckDB's JSON reader takes objects of up to 16 MB."""

MAX_OBJECTS = 1_500_000
"""Objects of one page, nested ones too; each costs memory far beyond its bytes."""

_Text: TypeAlias = Callable[[Any], str | None]
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Cut:
    """Records of one page as the source wrote them, with key and stamp text of each (or None).

    Members of the list that are no objects are there too, with None: the loader quarantines them.
    `listed` is False where null or an empty object stood in the list's place: some systems write
    an empty list so, others an error.
    """

    records: list[bytes]
    keys: list[str | None]
    stamps: list[str | None]
    listed: bool = True


def one_line(data: bytes) -> bytes:
    """Return JSON with raw line breaks, which stand only between tokens, as spaces."""
    if b"\n" in data:
        data = data.replace(b"\n", b" ")
    return data.replace(b"\r", b" ") if b"\r" in data else data


def cut(body: Body, at: Path, key: Sequence[Path], stamp: Path | None) -> Cut:
    """Cut out the list at `at`; () is the body itself, where an object is one record.

    A composite key's parts are joined with '/'; numbers keep their text. Raises ContractBroken
    where there is no list, TooLarge for a record above MAX_RECORD.
    """
    if len(body.data) > 3 * MAX_OBJECTS:
        objects, commas = body.data.count(b"{"), body.data.count(b",")
        if objects > MAX_OBJECTS or (commas > MAX_OBJECTS and len(body.data) < 8 * commas):
            raise TooLarge(
                f"The page has {objects:,} objects and {commas:,} values.",
                "ask for smaller pages (limit).", place=body.place,
            )  # fmt: skip
    raws = _members(body, at)
    records = [bytes(raw) for raw in raws or ()]
    for number, record in enumerate(records, 1):
        if len(record) > MAX_RECORD:
            raise TooLarge(
                f"Record {number} of the page has {len(record) >> 20} MB; "
                f"{MAX_RECORD >> 20} MB are read.",
                "leave large members out of the answer (fields, expand …).", place=body.place,
            )  # fmt: skip
    reader = _reader(tuple(key), stamp)
    heads = _heads(reader.head, body.look(at), records)
    named = [None if head is None else reader.key(head) for head in heads]
    keys = [key if key and key.strip(" ") else None for key in named]  # a blank key is none
    stamps: list[str | None] = [None] * len(heads)
    if stamp is not None:
        stamps = [None if head is None else reader.stamp(head) for head in heads]
    return Cut(records, keys, stamps, listed=raws is not None)


def _members(body: Body, at: Path) -> list[msgspec.Raw] | None:
    """Return the list's members; None for null and PHP's {} in place of an empty list."""
    raw = body.look(at)
    if raw is None:
        raise _missing(body, at)
    level = body.level(at)
    if isinstance(level, list):
        return level
    kind = bytes(memoryview(raw)[:1])
    if kind == b"n" or (isinstance(level, dict) and at and not level):
        return None
    if isinstance(level, dict) and not at:
        return [raw]
    found = "an object" if isinstance(level, dict) else "no list"
    names = ", ".join(body.members(at)[:12])
    raise ContractBroken(
        f"At records: {show(at)} stands {found}{f' with {names}' if names else ''}.",
        "point records: at the list.", place=body.place,
    )  # fmt: skip


def _missing(body: Body, at: Path) -> ContractBroken:
    depth = next(n for n in range(len(at), -1, -1) if n == 0 or body.look(at[:n]) is not None)
    names = body.members(at[:depth])
    close = difflib.get_close_matches(str(at[depth]), names, n=1, cutoff=0.5)
    lists = [n for n in names if isinstance(body.level((*at[:depth], n)), list)]
    guess = close[0] if close else (lists[0] if len(lists) == 1 else "")
    meant = f" Did you mean {show((*at[:depth], guess))}?" if guess else ""
    return ContractBroken(
        f"There is no {show(at)} in the answer, which has {', '.join(names[:12]) or 'no members'}."
        f"{meant}",
        "set records: to where the list stands.", place=body.place,
    )  # fmt: skip


def show(path: Path) -> str:
    """Return a path as it is written in settings."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = step.replace("_", "").replace("-", "").replace("@", "").isalnum()
            text += ("." if text else "") + (step if plain else f'"{step}"')
    return text or "(the body)"


@dataclass(frozen=True, slots=True)
class _Reader:
    head: type[msgspec.Struct]
    key: _Text
    stamp: _Text


@lru_cache(maxsize=256)
def _reader(key: tuple[Path, ...], stamp: Path | None) -> _Reader:
    """Make a struct of just the members that key and stamp name: the rest is skipped unread."""
    paths = [*key, *([stamp] if stamp else [])]
    names = list(dict.fromkeys(str(path[0]) for path in paths))
    fields = {name: f"f{number}" for number, name in enumerate(names)}
    head = msgspec.defstruct(
        "Head",
        [(field, msgspec.Raw, msgspec.Raw(b"null")) for field in fields.values()],
        rename={field: name for name, field in fields.items()},
        gc=False,
    )
    parts = [_getter(fields[str(path[0])], path[1:]) for path in key]
    at = _getter(fields[str(stamp[0])], stamp[1:]) if stamp else (lambda head: None)
    if len(parts) == 1:
        return _Reader(head, parts[0], at)

    def joined(head: Any) -> str | None:
        texts = [part(head) for part in parts]
        found = [text for text in texts if text is not None]
        return "/".join(found) if found and len(found) == len(texts) else None

    return _Reader(head, joined, at)


def _getter(field: str, rest: Path) -> _Text:
    get = attrgetter(field)

    def top(head: Any) -> str | None:
        return _scalar(get(head))

    def below(head: Any) -> str | None:
        raw = get(head)
        for step in rest:
            if bytes(memoryview(raw)[:1]) != b"{":
                return None
            raw = _object.decode(raw).get(str(step))
            if raw is None:
                return None
        return _scalar(raw)

    return below if rest else top


def _scalar(raw: msgspec.Raw) -> str | None:
    try:
        return scalar_text(raw)
    except msgspec.DecodeError:
        return None


def _heads(
    head: type[msgspec.Struct], whole: msgspec.Raw | None, records: list[bytes]
) -> list[Any]:
    one, many = _decoders(head)
    if whole is not None and len(records) > 1:
        try:
            return list(many.decode(whole))
        except msgspec.DecodeError:
            pass  # a member is no object: one by one, so that the others keep their keys
    heads: list[Any] = []
    for record in records:
        try:
            heads.append(one.decode(record))
        except msgspec.DecodeError:
            heads.append(None)
    return heads


@lru_cache(maxsize=256)
def _decoders(
    head: type[msgspec.Struct],
) -> tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[list[Any]]]:
    return msgspec.json.Decoder(head), msgspec.json.Decoder(list[head])  # type: ignore[valid-type]


def field_text(path: Path) -> Callable[[bytes], str | None]:
    """Return a function that reads one scalar of a record as text."""
    reader = _reader((path,), None)
    one, _ = _decoders(reader.head)

    def read(record: bytes) -> str | None:
        try:
            return reader.key(one.decode(record))
        except msgspec.DecodeError:
            return None

    return read
