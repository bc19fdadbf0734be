"""The key of a mapping against the key of its stream: deletions find rows by it."""

from __future__ import annotations

from collections.abc import Sequence

from mappings.errors import MappingError
from mappings.load import LoadedMapping
from mappings.paths import in_yaml, parse_path


def key_mismatch(mapping: LoadedMapping, stream_key: Sequence[str]) -> MappingError | None:
    """Return what is wrong where a record's key is not what the connector takes for its key.

    The landing tells deletions by the stream's key, the store knows rows by the record's key (the
    group's, where rows repeat their head). `stream_key` is empty where the system has none.
    """
    spot = "group" if mapping.form.group is not None else "key"
    said = mapping.form.group if mapping.form.group is not None else mapping.form.key
    parts = [said] if isinstance(said, str) else list(said)
    if not stream_key:
        return None
    # A connector of columns names them bare: a dot in such a name is no step into the record.
    if len(parts) == len(stream_key) and all(
        _members(part) in (_members(name), (name,))
        for part, name in zip(parts, stream_key, strict=True)
    ):
        return None
    meant = ", ".join(stream_key)
    return mapping.error(
        (spot,),
        f"the record's key is {', '.join(parts)}, the stream's key is {meant}: deletions would not"
        " be found.",
        f"name the same here and as the stream's key in the connection: {spot}: "
        + (in_yaml(stream_key[0]) if len(stream_key) == 1 else f"[{meant}]"),
    )


def _members(text: str) -> tuple[str | int, ...]:
    path = parse_path(text)
    return (text,) if path is None else tuple(path.members)
