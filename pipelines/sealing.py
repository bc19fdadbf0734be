"""Encrypts what is kept on disk: AES-256-GCM under a key derived from the installation's own."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


def seal(key: bytes, use: bytes, plain: bytes, about: bytes) -> bytes:
    """Return `plain` encrypted, its nonce before it.

    `key` is the installation's (`ISTHMUS_KEY`); each `use` has one of its own, by HKDF-SHA256.
    `about` is authenticated with it, so that nothing passes for another.
    """
    nonce = os.urandom(_NONCE)
    return nonce + _cipher(key, use).encrypt(nonce, plain, about)


def unseal(key: bytes, use: bytes, sealed: bytes, about: bytes) -> bytes | None:
    """Return what `seal` was given; None where another key wrote it, or it was changed."""
    try:
        return _cipher(key, use).decrypt(sealed[:_NONCE], sealed[_NONCE:], about)
    except (InvalidTag, ValueError):
        return None


def _cipher(key: bytes, use: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=use).derive(key))
