"""Remembers which key the published hashes were made with, by a fingerprint that tells no key.

Another key taken silently would change every published hash: what analysts kept would join no more.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from warehouse.errors import KeyChanged
from warehouse.store import Store

NAME = "mask_key"
"""The fact of ops.meta that holds the fingerprint, in the store and in its projection."""
_SAID = b"isthmus: the key of masked values"


def fingerprint(key: bytes) -> str:
    """Return what is remembered of `key`: 64 hex digits, the HMAC of a fixed text."""
    return hmac.digest(key, _SAID, "sha256").hex()


def expect(store: Store, key: bytes, projected: Mapping[str, str], *, new: bool) -> None:
    """Raise KeyChanged where `key` is not the one of before; remember it otherwise.

    `projected` are the facts of the projection: they know the key of a store that was lost. A store
    that knows none takes `key`, and so does one that is told that it is `new`.
    """
    found = fingerprint(key)
    known = store.meta(NAME)
    if not new and (known or projected.get(NAME, found)) != found:
        raise KeyChanged(
            "the key of masked values is another one than what is published was made with: with it"
            " every published hash would change.",
            "put the old key back (ISTHMUS_KEY in `.env`, else the file `key` of the home). If it"
            " is lost for good, `isthmus publish --new-key` takes the one of now: docs/restore.md.",
        )
    if known != found:
        store.set_meta(NAME, found)
