"""The record of one parcel: the system's answer with what was asked, its events in order, keyed."""

from __future__ import annotations

import hashlib
from collections import Counter

import msgspec

from connectors.body import Body, Path
from connectors.errors import ContractBroken
from connectors.kuaidi100.carriers import Carriers
from connectors.kuaidi100.parcels import Parcel
from connectors.records import cut

_DATA: Path = ("data",)
_TIME: Path = ("time",)
_SAID: Path = ("context",)
_encode = msgspec.json.Encoder().encode


def make_record(body: Body, parcel: Parcel) -> bytes:
    """Return the answer with the members `asked` and, at each event, `key`.

    Carriers send events in changing order and twice: they stand newest first here, as they came
    within a second, and their key is the time and a digest of the words, numbered where both are
    the same. Nothing else is touched. Raises ContractBroken for another parcel's answer.
    """
    number = body.text(("nu",))
    if number is None or number.strip().upper() != parcel.num:
        raise ContractBroken(
            f"Asked for one number, the system answered with {'another' if number else 'none'}.",
            "ask the vendor; nothing was taken of the answer.", place=body.place,
        )  # fmt: skip
    asked = {"com": parcel.com, "num": parcel.num, "name": Carriers.name(parcel.com)}
    parts = [b'"asked":' + _encode(asked)]
    for name in body.members():
        raw = body.look((name,))
        value = _events(body) if name == "data" else bytes(raw or b"null")
        parts.append(_encode(name) + b":" + value)
    return b"{" + b",".join(parts) + b"}"


def _events(body: Body) -> bytes:
    found = cut(body, _DATA, (_SAID,), _TIME)
    seen: Counter[str] = Counter()
    made: list[tuple[str, bytes]] = []
    for record, said, at in zip(found.records, found.keys, found.stamps, strict=True):
        digest = hashlib.sha256((said or "").encode()).hexdigest()[:10]
        key = f"{(at or '').replace(' ', 'T')}/{digest}"
        seen[key] += 1
        key += f"/{seen[key]}" if seen[key] > 1 else ""
        rest = record[1:].lstrip()
        comma = b"" if rest[:1] == b"}" else b","
        made.append((at or "", b'{"key":' + _encode(key) + comma + rest))
    made.sort(key=lambda event: event[0], reverse=True)  # stable: ties stay as they came
    return b"[" + b",".join(event for _, event in made) + b"]"
