"""What a misspelt word was meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pipelines.texts import t


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was most likely meant to be, None where none is near."""
    by_folded = {_fold(name): name for name in sorted(known, reverse=True)}
    folded = _fold(word)
    if folded in by_folded:
        return by_folded[folded]
    near = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    if near:
        return by_folded[near[0]]
    starts = [n for f, n in by_folded.items() if f and (f.startswith(folded) and len(folded) > 2)]
    return starts[0] if len(starts) == 1 else None


def meant(word: str, known: Iterable[str], *, most: int = 12) -> str:
    """Return 'did you mean …', or the known words where none is near."""
    names = sorted(set(known))
    guess = closest(word, names)
    if guess is not None:
        return t("meant.guess", word=guess)
    if not names:
        return t("meant.nothing")
    shown = ", ".join(names[:most]) + (" …" if len(names) > most else "")
    return t("meant.one_of", words=shown)


def _fold(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "").replace(" ", "")
