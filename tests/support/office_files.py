"""A connection that reads stock from a folder of CSV files, as many tests have it."""

from __future__ import annotations

from pathlib import Path

MAPPING = "entity: stock_level\nkey: sku\nfields: {sku: sku, on_hand: qty}\n"


def connection(stream: str = "stock", key: str = "sku") -> str:
    """Return the connection file."""
    return (
        "type: pipelines.Connection\nattributes:\n  system: files\n  config:\n    folder: inbox\n"
        f'    settle: 0\n    streams: {{{stream}: {{pattern: "*.csv", key: {key}}}}}\n'
    )


def files(
    rows: str,
    mapping: str = MAPPING,
    *,
    name: str = "office",
    stream: str = "stock",
    key: str = "sku",
) -> dict[str, str]:
    """Return the files of a workspace by their paths: connection, mapping, one CSV file."""
    return {
        f"defs/{name}/defs.yaml": connection(stream, key),
        f"mappings/{name}/{stream}.yaml": mapping,
        "inbox/stock.csv": rows,
    }


def write(root: Path, texts: dict[str, str]) -> None:
    """Write texts to their paths under `root`."""
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
