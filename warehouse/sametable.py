"""Says whether two Arrow tables hold the same, value by value and bit by bit.

Arrow's own comparison takes NaN for unlike itself, and dictionaries for unlike where they list the
same words in another order, as those of two files do once they are joined.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

_BITS = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}


def same(one: pa.Table, other: pa.Table) -> bool:
    """Say whether names, types and values are the same, in the same order."""
    if one.schema != other.schema or one.num_rows != other.num_rows:
        return False
    pairs = zip(one.columns, other.columns, strict=True)
    return all(a.equals(b) or _bits(a).equals(_bits(b)) for a, b in pairs)


def _bits(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without dictionaries, its floating numbers as the bits that they are."""
    plain = _without_dictionaries(column.type)
    bits = _of_bits(plain)
    decoded = column if plain == column.type else column.cast(plain)
    return pa.chunked_array([chunk.view(bits) for chunk in decoded.chunks], bits)


def _without_dictionaries(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _without_dictionaries(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _without_dictionaries(kind.value_type)
    return _inside(kind, _without_dictionaries)


def _of_bits(kind: pa.DataType) -> pa.DataType:
    return _BITS[kind.bit_width] if pa.types.is_floating(kind) else _inside(kind, _of_bits)


def _inside(kind: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """Return a type with the types inside it changed."""

    def changed(field: pa.Field) -> pa.Field:
        return field.with_type(change(field.type))

    if pa.types.is_struct(kind):
        return pa.struct([changed(kind.field(n)) for n in range(kind.num_fields)])
    if pa.types.is_map(kind):
        return pa.map_(changed(kind.key_field), changed(kind.item_field), kind.keys_sorted)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(changed(kind.value_field), kind.list_size)
    if pa.types.is_large_list(kind):
        return pa.large_list(changed(kind.value_field))
    if pa.types.is_list(kind):
        return pa.list_(changed(kind.value_field))
    return kind
