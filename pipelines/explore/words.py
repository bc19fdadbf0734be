"""Every word of the workbench, in English and Chinese (`texts.yaml`), by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

from pipelines.texts import Language

CATALOGUE = Path(__file__).with_name("texts.yaml")


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return the whole catalogue: `key: {en: …, zh: …}`."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays text
    text = CATALOGUE.read_text("utf-8")
    found: Mapping[str, Mapping[str, str]] = yaml.load(text, Loader=loader)  # noqa: S506
    return found


class Words:
    """The catalogue in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text of `key`; an unknown key is a KeyError."""
        return catalogue()[key][self.language].format(**values)

    def of(self, group: str, word: object) -> str:
        """Return the text of a word of the model (`status.paid`), else the word itself."""
        known = catalogue().get(f"{group}.{word}")
        return known[self.language] if known else str(word)

    def of_any(self, groups: Sequence[str], word: str) -> str:
        """Return the text of a word in the first group that has it, else the word itself."""
        return next((self.of(g, word) for g in groups if f"{g}.{word}" in catalogue()), word)

    def column(self, name: str) -> str | None:
        """Return the heading of a column, None where the catalogue has none."""
        known = catalogue().get(f"col.{name}")
        return known[self.language] if known else None
