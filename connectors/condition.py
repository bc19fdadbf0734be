"""Small conditions on a JSON body: `code = 0`, `success = true and data is not null`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from connectors.body import Body, Path, parse_path
from connectors.errors import ConfigError

_TOKEN = re.compile(
    r"\s*(?:(?P<op><=|>=|<>|!=|==|=|<|>|\(|\)|,)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_.]))"
    r'|(?P<name>(?:"[^"]+"|[^\s()<>=!,\'"]+)+))'
)
_Test = Callable[[Body], bool]
_WORDS = {"and", "or", "not", "is", "in", "like", "null", "true", "false"}


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. `text` is what the user wrote."""

    text: str
    _test: _Test

    def holds(self, body: Body) -> bool:
        """Say whether the condition holds on `body`. A missing member is null."""
        return self._test(body)


def parse_condition(text: str) -> Condition:
    """Compile `path op literal` joined by and, or, not, brackets; raises ConfigError.

    Operators: = != < <= > >=, in (…), like '%…%', is null, is not null. Numbers compare as numbers,
    so that "0" and 0 are equal; a comparison with a missing member is false.
    """
    parser = _Parser(text)
    test = parser.either()
    if parser.peek() is not None:
        raise parser.wrong()
    return Condition(text, test)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise self.wrong()
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        if len(self._tokens) > 200:
            raise self.wrong()

    def wrong(self) -> ConfigError:
        return ConfigError(
            f"The condition {self._text[:200]!r} cannot be read.",
            "write a comparison such as code = 0 or success = true, joined by and / or.",
        )

    def peek(self) -> str | None:
        if self._at >= len(self._tokens):
            return None
        kind, value = self._tokens[self._at]
        return value.lower() if kind == "op" or value.lower() in _WORDS else f"\0{kind}"

    def take(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self.wrong()
        self._at += 1
        return self._tokens[self._at - 1]

    def skip(self, word: str) -> bool:
        if self.peek() == word:
            self._at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.skip(word):
            raise self.wrong()

    def either(self) -> _Test:
        tests = [self.both()]
        while self.skip("or"):
            tests.append(self.both())
        return tests[0] if len(tests) == 1 else lambda body: any(test(body) for test in tests)

    def both(self) -> _Test:
        tests = [self.one()]
        while self.skip("and"):
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda body: all(test(body) for test in tests)

    def one(self) -> _Test:
        if self.skip("not"):
            inner = self.one()
            return lambda body: not inner(body)
        if self.skip("("):
            inner = self.either()
            self.expect(")")
            return inner
        kind, name = self.take()
        if kind != "name" or name.lower() in _WORDS:
            raise self.wrong()
        return self._compared(parse_path(name))

    def _compared(self, path: Path) -> _Test:
        if self.skip("is"):
            wanted = not self.skip("not")
            self.expect("null")
            return lambda body: (_kind(body, path) is None) == wanted
        if self.skip("in"):
            self.expect("(")
            values = [self._literal()]
            while self.skip(","):
                values.append(self._literal())
            self.expect(")")
            return lambda body: any(_compare(body.text(path), "=", value) for value in values)
        if self.skip("like"):
            parts = [re.escape(part) for part in self._literal().split("%")]
            pattern = re.compile(".*".join(parts), re.DOTALL | re.IGNORECASE)
            return lambda body: pattern.fullmatch(body.text(path) or "") is not None
        kind, op = self.take()
        if kind != "op" or op in "(),":
            raise self.wrong()
        if self.skip("null"):
            if op not in ("=", "==", "!=", "<>"):
                raise self.wrong()
            wanted = op in ("=", "==")
            return lambda body: (_kind(body, path) is None) == wanted
        value = self._literal()
        return lambda body: _compare(body.text(path), op, value)

    def _literal(self) -> str:
        kind, value = self.take()
        if kind == "text":
            return value[1:-1].replace("''", "'")
        if kind == "number" or (kind == "name" and value.lower() in ("true", "false")):
            return value
        raise self.wrong()


def _kind(body: Body, path: Path) -> str | None:
    """Return the first character of the member, or None for a missing or null one."""
    raw = body.look(path)
    first = bytes(memoryview(raw)[:1]).decode() if raw is not None else "n"
    return None if first == "n" else first


def _compare(found: str | None, op: str, wanted: str) -> bool:
    if found is None:
        return False
    left, right = _number(found), _number(wanted)
    if left is not None and right is not None:
        return _ordered(left < right, left == right, op)
    if (left is None) is not (right is None) and op[0] in "<>" and op != "<>":
        return False
    if wanted.lower() in ("true", "false"):
        found, wanted = found.lower(), wanted.lower()
    return _ordered(found < wanted, found == wanted, op)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _ordered(below: bool, equal: bool, op: str) -> bool:
    return {
        "=": equal,
        "==": equal,
        "!=": not equal,
        "<>": not equal,
        "<": below,
        "<=": below or equal,
        ">": not below and not equal,
        ">=": not below,
    }[op]
