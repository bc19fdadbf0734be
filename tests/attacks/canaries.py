"""Canary values in every spelling, and the search for them in whatever a run left behind."""

from __future__ import annotations

import base64
import html
import json
import random
import string
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import zstandard

SPECIAL = "+/=&\"'<>%-_.~"
FRAGMENT = 14
"""Characters at either end of a canary whose sight alone is a leak."""

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda s: s,
    "percent": lambda s: quote(s, safe=""),
    "percent lower": lambda s: _lower_escapes(quote(s, safe="")),
    "form": quote_plus,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 pair": lambda s: base64.b64encode(f"u:{s}".encode()).decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "hex capitals": lambda s: s.encode().hex().upper(),
    "json": lambda s: json.dumps(s)[1:-1],
    "html": lambda s: html.escape(s),
    "percent twice": lambda s: quote(quote(s, safe=""), safe=""),
    "repr": lambda s: repr(s)[1:-1],
}


def _lower_escapes(text: str) -> str:
    parts = text.split("%")
    return parts[0] + "".join(f"%{part[:2].lower()}{part[2:]}" for part in parts[1:])


def canary(number: int, seed: int = 7, length: int = 28) -> str:
    """Return canary `number`: letters, digits and the signs that encodings change."""
    dice = random.Random(seed * 1000 + number)
    body = "".join(dice.choice(string.ascii_letters + string.digits) for _ in range(length))
    signs = "".join(dice.choice(SPECIAL) for _ in range(4))
    return f"CN{number:03d}{body[:14]}{signs}{body[14:]}"


def needles(secret: str) -> dict[bytes, str]:
    """Return every byte form of a canary that must not be seen, with the encoding's name."""
    found = {code(secret).encode(): name for name, code in ENCODINGS.items()}
    found[secret[:FRAGMENT].encode()] = "its beginning"
    found[secret[-FRAGMENT:].encode()] = "its end"
    found[secret.encode("utf-16-le")] = "utf-16"
    return found


def leaks(secrets: Iterable[str], outputs: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return what was found: canary, encoding and place of each."""
    wanted = [(secret, needles(secret)) for secret in secrets]
    found = []
    for place, data in outputs:
        for secret, forms in wanted:
            for form, name in forms.items():
                at = data.find(form)
                if at >= 0:
                    near = data[max(0, at - 60) : at + 20].decode("utf-8", "replace")
                    found.append(f"{secret[:5]} {name} in {place}: …{near!r}")
                    break
    return found


def distinct(outputs: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Return the outputs without those that hold what another holds: versions are copies."""
    return [(place, data) for data, place in {data: place for place, data in outputs}.items()]


def files_below(root: Path, *, leave: Iterable[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield every file below `root` as bytes; packed ones unpacked, too, databases as text."""
    out = set(leave)
    for path in sorted(root.rglob("*")):
        if path in out or path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        name = str(path.relative_to(root))
        yield name, data
        if name.endswith(".zst"):
            yield f"{name} unpacked", zstandard.ZstdDecompressor().decompressobj().decompress(data)
        if name.endswith(".duckdb"):
            yield f"{name} as rows", _rows(path)


def _rows(path: Path) -> bytes:
    """Return every table of a DuckDB file as text: its blocks compress what they hold."""
    parts = []
    with duckdb.connect(str(path), read_only=True) as con:
        for schema, table in con.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall():
            rows = con.execute(f'from "{schema}"."{table}"').fetchall()
            parts.append("\n".join(repr(value) for row in rows for value in row))
            parts.append("\n".join(str(value) for row in rows for value in row))
    return "\n".join(parts).encode("utf-8", "surrogatepass")
