"""A compiled piece of an expression: its SQL, what kind it has, when a null in it is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "text", "int", "dec", "dbl", "bool", "date", "instant", "naive", "interval", "list", "null",
    "lambda",
]  # fmt: skip
NUMBERS = ("int", "dec", "dbl")
TIMES = ("date", "instant", "naive")
GROWTH_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Typed:
    """A piece of SQL. `refs` are the text columns it names; `spelled` is its source text.

    `meant` says that a null inside is meant (`nullif`, `else null`); `special` is then the
    condition of a null that is not. `literal` holds a constant's value. `growth` bounds how many
    times longer than its longest path a text can become; `scale` are a decimal's decimals.
    """

    sql: str
    kind: Kind
    spelled: str
    refs: tuple[str, ...] = ()
    parts: tuple[Typed, ...] = ()
    meant: bool = False
    special: str = ""
    literal: str | None = None
    growth: float = 1.0
    scale: int = 0

    @property
    def is_literal(self) -> bool:
        """Whether it is a constant."""
        return self.literal is not None


def refs_of(parts: tuple[Typed, ...]) -> tuple[str, ...]:
    """Return the columns that `parts` name, each once, in order."""
    return tuple(dict.fromkeys(ref for part in parts for ref in part.refs))


def present(refs: tuple[str, ...]) -> str:
    """Return the condition that one of the columns has a value."""
    if len(refs) == 1:
        return f"{refs[0]} is not null"
    return f"coalesce({', '.join(refs)}) is not null" if refs else "false"


def broken(piece: Typed) -> str:
    """Return the condition that `piece` is null without being meant so; it is never null itself.

    Without a meant null: a column it names has a value and the result is null. A cast of
    `nullif(x, '')` is broken when x was neither '' nor castable, and so on inwards.
    """
    if piece.special:
        return piece.special
    if piece.kind == "null" or piece.is_literal:
        return "false"
    if not piece.meant:
        if piece.refs == (piece.sql,):
            return "false"
        return f"({present(piece.refs)} and ({piece.sql}) is null)"
    inner = [broken(part) for part in piece.parts]
    whole = " and ".join(f"({part.sql}) is not null" for part in piece.parts)
    return f"({' or '.join(inner)} or ({whole} and ({piece.sql}) is null))"
