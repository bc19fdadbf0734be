"""YAML as its writer meant it: every scalar is text, a repeated key is an error, lines are known.

YAML 1.1 reads `on` as true, `12:30` as 750 and `01` as 1; here they stay what was written. Only
plain text, lists and maps are read: tags, anchors and aliases are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Spot: TypeAlias = tuple[str | int, ...]
"""Where a value stands in the document: ('fields', 'total') or ('streams', 0)."""

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: a twentieth of the time."""
_OPENS = (
    yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken,
)  # fmt: skip
_CLOSES = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


class YamlError(Exception):
    """A file that cannot be read as meant. `line` counts from 1."""

    def __init__(self, file: str, line: int, what: str, do: str) -> None:
        super().__init__(f"{file}:{line}: {what} Do: {do}")
        self.file = file
        self.line = line
        self.what = what
        self.do = do


@dataclass(frozen=True, slots=True)
class Document:
    """A read file: `data` of dicts, lists and str (None only for an empty value); lines by spot."""

    file: str
    data: Any
    lines: Mapping[Spot, int] = field(default_factory=dict)
    quoted: frozenset[Spot] = frozenset()
    keys: Mapping[Spot, int] = field(default_factory=dict)

    def line(self, spot: Spot) -> int:
        """Return the line of the value at `spot`, or of the closest one around it."""
        while spot and spot not in self.lines:
            spot = spot[:-1]
        return self.lines.get(spot, 1)

    def key_line(self, spot: Spot) -> int:
        """Return the line on which the member's name stands, or of the closest one around it."""
        while spot and spot not in self.keys:
            if spot in self.lines:
                return self.lines[spot]  # an item of a list has no name
            spot = spot[:-1]
        return self.keys.get(spot, 1)


def read_file(path: Path, *, repeats: list[YamlError] | None = None) -> Document:
    """Read the file at `path`; raises YamlError.

    With `repeats` a key that stands twice is told there and read once, so that a checker can go on.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(4 * MAX_BYTES + 4)
    except OSError as error:
        raise YamlError(
            str(path), 1, f"cannot be read ({error.strerror}).", "check the path."
        ) from None
    if len(raw) > 4 * MAX_BYTES + 3:  # no sign has more than four bytes; three are the mark's
        raise _too_long(str(path))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise YamlError(str(path), line, "is not UTF-8.", "save the file as UTF-8.") from None
    return read_text(text, str(path), repeats=repeats)


def read_text(
    text: str, file: str = "<text>", *, repeats: list[YamlError] | None = None
) -> Document:
    """Read `text`; `file` is what errors call it; `repeats` as in `read_file`."""
    if len(text) > MAX_BYTES:
        raise _too_long(file)
    try:
        node = _node(text, file)
    except yaml.MarkedYAMLError as error:
        mark_ = error.problem_mark or error.context_mark
        line = mark_.line + 1 if mark_ else 1
        raise YamlError(
            file, line, f"is not YAML here: {error.problem or error.context}.",
            "check indentation, colons and quotes on this line and the one above.",
        ) from None  # fmt: skip
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlError(file, 1, f"is not YAML: {error}.", "check the file.") from None
    lines: dict[Spot, int] = {}
    quoted: set[Spot] = set()
    keys: dict[Spot, int] = {}
    data = _value(file, node, (), lines, quoted, repeats, keys) if node is not None else None
    return Document(file, data, lines, frozenset(quoted), keys)


def _node(text: str, file: str) -> yaml.Node | None:
    if "\t" in text or "\ufeff" in text:  # libyaml takes them where the other refuses them
        return _compose(text, file, yaml.SafeLoader)
    try:
        return _compose(text, file, _FAST)
    except yaml.YAMLError:
        # libyaml tells less of a mistake, and often a later line.
        return _compose(text, file, yaml.SafeLoader)


def _compose(text: str, file: str, loader: Any) -> yaml.Node | None:
    depth = 0
    for token in yaml.scan(text, Loader=loader):
        depth += isinstance(token, _OPENS) - isinstance(token, _CLOSES)
        if depth > MAX_DEPTH:  # the scanner's time grows with the square of it
            raise YamlError(
                file, token.start_mark.line + 1, "is nested too deep.", "make it flatter."
            )
        if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
            line = token.start_mark.line + 1
            # The sign alone: what stands behind it may be a secret.
            mark = text[token.start_mark.index : token.end_mark.index].strip()[:40]
            raise YamlError(
                file, line, f"anchors, aliases and tags are not read here ({mark}).",
                "write the value out, or put it in quotes.",
            )  # fmt: skip
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node


def _too_long(file: str) -> YamlError:
    return YamlError(file, 1, f"is longer than {MAX_BYTES} characters.", "split the file.")


def _zero(file: str, line: int) -> YamlError:
    return YamlError(file, line, "holds a zero character (\\0).", "take it out.")


def _value(
    file: str,
    node: yaml.Node,
    spot: Spot,
    lines: dict[Spot, int],
    quoted: set[Spot],
    repeats: list[YamlError] | None,
    keys: dict[Spot, int],
) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(spot, line)
    if len(spot) > MAX_DEPTH:
        raise YamlError(file, line, "is nested too deep.", "make it flatter.")
    if isinstance(node, yaml.ScalarNode):
        if "\0" in node.value:
            raise _zero(file, line)
        if node.style:  # libyaml says "" of plain text
            quoted.add(spot)
        elif node.value == "":
            return None
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(file, n, (*spot, i), lines, quoted, repeats, keys)
            for i, n in enumerate(node.value)
        ]
    found: dict[str, Any] = {}
    for key, key_line, child in _pairs(file, node):
        if key in found:
            error = YamlError(
                file, key_line, f"the key {key!r} stands twice.",
                "keep one of the two.",
            )  # fmt: skip
            if repeats is None:
                raise error
            repeats.append(error)
            continue
        keys[(*spot, key)] = key_line
        lines[(*spot, key)] = child.start_mark.line + 1
        found[key] = _value(file, child, (*spot, key), lines, quoted, repeats, keys)
    return found


def _pairs(file: str, node: yaml.Node) -> Iterator[tuple[str, int, yaml.Node]]:
    for key, child in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise YamlError(file, key.start_mark.line + 1, "a key must be a word.", "quote it.")
        if "\0" in key.value:
            raise _zero(file, key.start_mark.line + 1)
        if child.start_mark.line > key.start_mark.line and isinstance(child, yaml.ScalarNode):
            child.start_mark = key.start_mark
        yield key.value, key.start_mark.line + 1, child
