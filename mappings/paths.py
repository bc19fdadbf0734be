"""Paths of a record: `customer.id`, `lines[0].sku`, `"FCustId.FNumber"`; their spelling and SQL.

    path = name (("." name) | "[" integer "]")*
    name = letter or _ (letter, digit or _)*  |  '"' anything, "" for one " '"'

Indexes count from 0 as in JSON, -1 is the last. A dot inside quotes belongs to the name. `true`,
`false`, `null` and numbers are literals, never paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mappings.errors import ValueRefused

Member: TypeAlias = str | int

_PLAIN = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_INDEX = re.compile(r"\[\s*(-?\d{1,9})\s*\]")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# One name that holds a sign which SQL would read as an operator: $total, @x, a-b, 单价(元).
_ODD = re.compile(r"[^\s'\"(),;\[\]]+")


@dataclass(frozen=True, slots=True)
class Path:
    """A path: its members, outermost first, and whether the first name was quoted.

    A quoted first name is a member of the record even if it reads `parent` or `connection`.
    """

    members: tuple[Member, ...]
    head_quoted: bool = False

    @property
    def spelled(self) -> str:
        """The path as a mapping writes it."""
        return spell(self.members)


def is_literal(text: str) -> bool:
    """Return whether a bare value is `true`, `false`, `null` or a number."""
    return text.strip().lower() in {"true", "false", "null"} or bool(
        _NUMBER.fullmatch(text.strip())
    )


def parse_path(text: str) -> Path | None:
    """Return the path that the whole of `text` is, or None where it is none."""
    text = text.strip()
    if is_literal(text):
        return None
    members: list[Member] = []
    spot, head_quoted = 0, False
    while True:
        name = _PLAIN.match(text, spot) or _QUOTED.match(text, spot)
        if name is None:
            return None
        quoted = name.re is _QUOTED
        head_quoted = head_quoted or (quoted and not members)
        members.append(name[1].replace('""', '"') if quoted else name[0])
        spot = name.end()
        while index := _INDEX.match(text, spot):
            members.append(int(index[1]))
            spot = index.end()
        if spot == len(text):
            return Path(tuple(members), head_quoted)
        if text[spot] != ".":
            return None
        spot += 1


def spell(members: Sequence[Member]) -> str:
    """Return the spelling of a path."""
    out = ""
    for member in members:
        if isinstance(member, int):
            out += f"[{member}]"
        else:
            name = member if _PLAIN.fullmatch(member) and not is_literal(member) else quote(member)
            out += f".{name}" if out else name
    return out


def quote(name: str) -> str:
    """Return one name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def in_yaml(expression: str) -> str:
    """Return a value as it is written in YAML, in single quotes where YAML needs them."""
    if expression[:1] in "\"'@%&*!|>{}[]#`" or ": " in expression or " #" in expression:
        return "'" + expression.replace("'", "''") + "'"
    return expression


def refuse_odd_name(text: str) -> None:
    """Refuse `$total`, `@odata.etag` and `lines.0.sku` with the spelling that was meant."""
    bare = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", lambda m: " " * len(m[0]), text)
    if dotted := re.search(r"[^\W\d][\w.]*?\.\d+(?=\.|\s|$)[\w.]*", bare):
        meant = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", dotted[0])
        raise ValueRefused(
            f"`{dotted[0]}` is no path: a place in a list is written in brackets.",
            f"write {meant}.",
        )
    for odd in re.finditer(r"[@$#?][\w.@$-]*|[\w.]+[$@#?][\w.@$-]*", bare):
        raise ValueRefused(
            f"`{odd[0]}` is no path: only letters, digits and _ stand without quotes.",
            f"write {in_yaml(quote(odd[0]))} for the one field of that name.",
        )
    if bare == text and _ODD.fullmatch(text.strip()) and re.search(r"[^\x00-\x7f]", text):
        odd_signs = re.sub(r"[\w.]", "", text)
        if odd_signs and not odd_signs.isascii():
            raise ValueRefused(
                f"`{text}` is no path: only letters, digits and _ stand without quotes.",
                f"write {in_yaml(quote(text.strip()))}.",
            )


def sql_text(text: str) -> str:
    """Return `text` as an SQL literal. A zero character cannot stand in one: it is left out."""
    return "'" + text.replace("\x00", "").replace("'", "''") + "'"


def steps(members: Sequence[Member]) -> Iterator[str]:
    """Yield the JSON steps that reach `members`: one where possible.

    Names go by JSON Pointer, which reaches every key (`$."*"` is a wildcard, `$.""` an error). An
    index goes by `$[n]`: a pointer's index would take the key "0" of an object.
    """
    if not members:
        yield "$"
        return
    if not any(isinstance(m, int) for m in members):
        yield _pointer(members)
        return
    if all(isinstance(m, int) or _SIMPLE.fullmatch(m) for m in members):
        yield "$" + "".join(_index(m) if isinstance(m, int) else f".{m}" for m in members)
        return
    run: list[Member] = []
    for member in members:
        if isinstance(member, int):
            if run:
                yield _pointer(run)
                run = []
            yield "$" + _index(member)
        else:
            run.append(member)
    if run:
        yield _pointer(run)


def extract(base: str, members: Sequence[Member], *, as_json: bool = False) -> str:
    """Return the SQL of the text (or JSON) at `members` of the JSON expression `base`."""
    found = list(steps(members))
    for step in found[:-1]:
        base = f"({base} -> {sql_text(step)})"
    return f"({base} {'->' if as_json else '->>'} {sql_text(found[-1])})"


def _index(index: int) -> str:
    return f"[{index}]" if index >= 0 else f"[#{index}]"


def _pointer(members: Sequence[Member]) -> str:
    return "".join("/" + str(m).replace("~", "~0").replace("/", "~1") for m in members)
