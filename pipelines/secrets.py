"""References to secrets: `env:NAME` and `file:PATH`, resolved only inside the run that needs them.

A reference is all that settings, definitions, metadata and logs ever hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.errors import ConfigError

MAX_BYTES = 1_000_000  # a file: secret is a key or a certificate, never a database


def is_reference(text: str) -> bool:
    """Say whether `text` is a reference to a secret."""
    return text.startswith(("env:", "file:"))


_HANDED_OUT: set[str] = set()


def handed_out() -> frozenset[str]:
    """Return every value that this process was given, for a text that knows no workspace."""
    return frozenset(_HANDED_OUT)


class Secrets:
    """Resolves references and remembers what it handed out, for the redaction of texts."""

    def __init__(self, env: Mapping[str, str], base: Path) -> None:
        self._env = env
        self._base = base
        self._given: set[str] = set()

    @property
    def given(self) -> frozenset[str]:
        """The values handed out so far: what must never be seen in a text."""
        return frozenset(self._given)

    def resolve(self, reference: str) -> str:
        """Return the value that `reference` names; raises ConfigError, which never holds it."""
        kind, _, name = reference.partition(":")
        if kind == "env" and name:
            value = self._env.get(name, "")
            if not value:
                raise ConfigError(
                    f"the secret env:{name} is not set.",
                    f"set the environment variable {name} for the process that runs the sync, "
                    "or write it into the .env file beside your defs folder.",
                )
        elif kind == "file" and name:
            value = self._read(name)
        else:
            raise ConfigError(
                "a secret is given as it is instead of by a reference.",
                "write env:NAME or file:PATH in its place.",
            )
        self._given.add(value)
        _HANDED_OUT.add(value)
        return value

    def _read(self, name: str) -> str:
        path = Path(name).expanduser()
        path = path if path.is_absolute() else self._base / path
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)  # devices tell no size and have no end
            if len(raw) > MAX_BYTES:
                raise ConfigError(
                    f"the secret file:{name} is larger than {MAX_BYTES} bytes.",
                    "name the file that holds the secret alone.",
                )
            value = raw.decode("utf-8").strip("\r\n")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ConfigError(
                f"the secret file:{name} cannot be read ({reason}).",
                "check the path and that the user of the sync may read it.",
            ) from None
        if not value:
            raise ConfigError(f"the secret file:{name} is empty.", "write the secret into it.")
        return value
