"""An object's fields as a tenant has them: by their names, by their labels, without what it lacks.

Records are asked for by the tenant's names and get the catalogue's, so that a mapping holds for
every tenant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from connectors.body import Body
from connectors.errors import ContractBroken
from connectors.fxiaoke.catalogue import KEY, STAMP, SYSTEM, Object

_record = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Field(msgspec.Struct):
    """What describe says of a field, as far as it is looked at."""

    type: str = ""
    label: str = ""
    is_active: bool = True
    target_api_name: str = ""


def fields_of(body: Body) -> dict[str, Field]:
    """Read an answer of object/describe: fields by apiName. Raises ContractBroken."""
    raw = body.look(("data", "describe", "fields"))
    try:
        found = msgspec.json.decode(raw or b"null", type=dict[str, Field] | None)
    except msgspec.DecodeError as error:
        raise ContractBroken(
            f"The object's describe cannot be read ({error}).",
            "set describe: false; then all fields are read as they come.", place=body.place,
        )  from None  # fmt: skip
    if not found:
        raise ContractBroken(
            "The object's describe names no fields.",
            "set describe: false; then all fields are read as they come.", place=body.place,
        )  # fmt: skip
    return {name: one for name, one in found.items() if one.is_active}


@dataclass(frozen=True, slots=True)
class Fitted:
    """An object as it is asked for.

    `asked` are the fields of a query by the tenant's names, None for all; `renamed` gives those
    that the catalogue calls otherwise. `link` is the tenant's name of the field that names a head.
    `has_stamp` is False where it has no last_modified_time: then it is read whole every time.
    `is_there` is False where the tenant has no such object.
    """

    object: Object
    asked: tuple[str, ...] | None
    renamed: Mapping[str, str]
    missing: tuple[str, ...] = ()
    link: str = ""
    has_stamp: bool = True
    is_there: bool = True

    def record(self, data: bytes) -> bytes:
        """Return a record with the catalogue's names."""
        if not self.renamed:
            return data
        taken = set(self.renamed.values())
        return msgspec.json.encode(
            {
                self.renamed.get(name, name): value
                for name, value in _record.decode(data).items()
                if name in self.renamed or name not in taken
            }
        )


def fit(
    one: Object,
    names: Mapping[str, str],
    more: Sequence[str],
    known: Mapping[str, Field] | None,
    head: str = "",
) -> Fitted:
    """Return an object as the tenant has it; `head` is the object whose lines these are."""
    found: dict[str, str] = {}
    for name, labels in one.fields.items():
        there = names.get(name, _there(name, labels, known))
        if there:
            found[name] = there
    link = found.get(one.link, "") or _to_head(known or {}, head)
    if link and one.link:
        found[one.link] = link
    missing = [n for n in one.fields if n not in (*SYSTEM, *found) and names.get(n) != ""]
    extra = [n for n in more if n != "*"]
    missing += [n for n in extra if known is not None and n not in known]
    renamed = {there: name for name, there in found.items() if there != name}
    if known is None or "*" in more or one.is_custom:
        asked = None
    else:
        stamp = STAMP if STAMP in known else ""
        wide = (KEY, stamp, link, *found.values(), *(n for n in extra if n in known))
        asked = tuple(dict.fromkeys(filter(None, wide)))
    return Fitted(one, asked, renamed, tuple(missing), link, known is None or STAMP in known)


def _there(name: str, labels: Sequence[str], known: Mapping[str, Field] | None) -> str:
    """Return the tenant's name of a field: its own, else that of the first label; "" for none."""
    if known is None or name in known:
        return name
    for label in labels:
        found = [api for api, one in known.items() if one.label.replace(" ", "") == label]
        if len(found) == 1:  # two of one label: which is meant nobody can tell
            return found[0]
    return ""


def _to_head(known: Mapping[str, Field], head: str) -> str:
    """Return the one field by which a line belongs to its head, as describe has it."""
    owned = [name for name, one in known.items() if one.type == "master_detail"]
    aimed = [name for name in owned if known[name].target_api_name in ("", head)]
    return aimed[0] if head and len(aimed) == 1 else ""
