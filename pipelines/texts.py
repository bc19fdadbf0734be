"""Every sentence that people read from the command line, in English and Chinese, by key.

The catalogue is `texts.yaml` and, for what `--help` says, `help.yaml`: `key: {en: …, zh: …}`,
values in braces. A test holds the twins, the placeholders and the keys that the sources name
against each other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Language = Literal["en", "zh"]
CATALOGUES = tuple(Path(__file__).with_name(n) for n in ("texts.yaml", "help.yaml"))


def language(env: Mapping[str, str] | None = None) -> Language:
    """Return the language of texts: `ISTHMUS_LANG`, else the locale, else English."""
    env = os.environ if env is None else env
    for name in ("ISTHMUS_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = env.get(name, "").strip().lower()
        if value:
            return "zh" if value.startswith("zh") else "en"
    return "en"


def t(key: str, /, **values: object) -> str:
    """Return the text of `key` in the reader's language; an unknown key is a KeyError."""
    return told(language(), key, **values)


def told(language: Language, key: str, /, **values: object) -> str:
    """Return the text of `key` in a language; an unknown key is a KeyError."""
    return texts()[key][language].format(**values)


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Return the whole catalogue."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays text
    found: dict[str, Mapping[str, str]] = {}
    for file in CATALOGUES:
        some = yaml.load(file.read_text("utf-8"), Loader=loader)  # noqa: S506
        if not isinstance(some, dict):
            raise TypeError(f"{file} is no map of keys")
        found |= some
    return found
