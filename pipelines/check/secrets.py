"""Finds credentials that stand in clear in a file of settings.

A secret is written as a reference (`env:NAME`, `file:PATH`) that only a run resolves. What looks
like one and is none is refused; its value is never repeated in a message.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from mappings.yamltext import Document, Spot
from pipelines.check.problems import Problem, at
from pipelines.texts import t

REFERENCE = re.compile(r"(?:^|[\s=])(?:env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*)$")
NAMES = re.compile(
    r"(?i)^(?:.*[_-])?(?:token|secret|passw(?:or)?d|pwd|passphrase|bearer|api[_-]?key|apikey"
    r"|app[_-]?key|access[_-]?key|private[_-]?key|sign[_-]?key|authorization|cookie)$"
)
KNOWN = re.compile(
    r"^(?:sk_(?:live|test)_|rk_live_|ghp_|gho_|github_pat_|glpat-|xox[abpr]-|shpat_|shpss_|AKIA"
    r"|ASIA|AIza|eyJ[\w-]+\.|-----BEGIN |Bearer \S|Basic [A-Za-z0-9+/=]{8})"
)
IN_ADDRESS = re.compile(r"^[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
IN_QUERY = re.compile(
    r"[?&](?:token|access_token|api_?key|secret|password|sign)=[^&\s]{6,}", re.IGNORECASE
)
BASE64 = re.compile(r"^[A-Za-z0-9+/]{30,}={1,2}$")
LONG = re.compile(r"^[A-Za-z0-9+=]{24,}$")
MIXED = 3.6
"""Bits a character above which a long word without spaces is no word of a language."""


def in_clear(document: Document, under: Spot) -> Iterator[Problem]:
    """Yield one problem a value below `under` that is a secret and no reference."""
    for spot, value in scalars(document.data):
        inside = spot[: len(under)] == under
        if inside and not REFERENCE.search(value) and is_secret(spot[len(under) :], value):
            yield at(document, spot, t("found.secret"), t("meant.secret"))


def rendered(document: Document) -> Iterator[Problem]:
    """Yield one problem a `{{`: it would be resolved into the definitions, where all see it."""
    for spot, value in scalars(document.data):
        if "{{" in value or "{%" in value:
            yield at(document, spot, t("found.template"), t("meant.template"))


def is_secret(spot: Spot, value: str) -> bool:
    """Return whether a value is a credential, by where it stands or by what it looks like."""
    if _by_place(spot):
        return value != ""
    return bool(
        KNOWN.match(value)
        or IN_ADDRESS.match(value)
        or IN_QUERY.search(value)
        or BASE64.match(value)
        or any(LONG.match(part) and _mixed(part) for part in re.split(r"[_-]", value))
    )


def scalars(value: Any, spot: Spot = ()) -> Iterator[tuple[Spot, str]]:
    """Yield every text of a document with its spot."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from scalars(inner, (*spot, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from scalars(inner, (*spot, position))
    elif isinstance(value, str):
        yield spot, value


def _by_place(spot: Spot) -> bool:
    names = [n for n in spot if isinstance(n, str)]
    if not names:
        return False
    if names[0] == "auth" and len(names) > 1:
        kind, last = names[1], names[-1]
        if kind == "basic":
            return spot[-1] == 1
        if kind in ("header", "query", "bearer"):
            return True
        return bool(NAMES.match(last))
    # The names of a stream's paging parameters are words such as `page_token`.
    return bool(NAMES.match(names[-1])) and "paging" not in names and "changes" not in names


def _mixed(value: str) -> bool:
    has_digit = any(c.isdigit() for c in value)
    has_letter = any(c.isalpha() for c in value)
    if not (has_digit and has_letter):
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits > MIXED
