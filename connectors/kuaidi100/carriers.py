"""Which of the vendor's carrier codes a name means; what nobody knows is not guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import yaml

_PREFIXES = (("SF", "shunfeng"), ("YT", "yuantong"), ("JT", "jtexpress"), ("JD", "jd"),
             ("DPK", "debangkuaidi"))  # fmt: skip


def plain(word: str) -> str:
    """Return letters and digits of a carrier's name, in small: `S.F. Express` is sfexpress."""
    return re.sub(r"[\W_]+", "", word.lower())


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, tuple[str, ...]]:
    """Return the table that comes with the connector: names by code, the usual one first."""
    text = files(__package__).joinpath("carriers.yaml").read_text("utf-8")
    return {code: tuple(map(str, names)) for code, names in yaml.safe_load(text).items()}


class Carriers:
    """The table with what the connection says: `more` are codes by a name of one's own."""

    def __init__(self, more: Mapping[str, str]) -> None:
        self._codes = {plain(code): code for code in shipped()}
        for code, names in shipped().items():
            self._codes |= {plain(name): code for name in names}
        self._codes |= {plain(code): code for code in more.values()}
        self._codes |= {plain(name): code for name, code in more.items()}

    @property
    def words(self) -> Mapping[str, str]:
        """Every name that is known, in its plain form, with its code."""
        return self._codes

    def code(self, word: str | None) -> str | None:
        """Return the code that a name means; None where nobody knows."""
        return self._codes.get(plain(word or ""))

    @staticmethod
    def name(code: str) -> str | None:
        """Return what people call a carrier."""
        return next(iter(shipped().get(code, ())), None)

    @staticmethod
    def guess(number: str) -> str | None:
        """Return the carrier whose numbers begin like this one."""
        return next((code for start, code in _PREFIXES if number.startswith(start)), None)
