"""A folder of files that a web server shows: small ones whole, large ones in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from pydantic import ValidationError

from connectors.auth import Auth, HeaderAuth
from connectors.base import Context
from connectors.errors import ConfigError, ContractBroken
from connectors.http import Request
from connectors.ranged import pieces
from connectors.redact import Redactor
from connectors.site import SiteSettings, make_client

PIECE = 16_000_000


class WebFolder:
    """The folder at `url`, its host pinned; `authorization` is the header's value, if any.

    Raises ConnectorError alone. Close it when done.
    """

    def __init__(
        self,
        url: str,
        context: Context,
        *,
        authorization: Callable[[], str] | None = None,
        allow_private: bool = False,
    ) -> None:
        redactor = Redactor()
        auth = Auth()
        if authorization is not None:
            read = authorization
            auth = HeaderAuth(lambda: _learnt(redactor, read()))
        try:
            settings = SiteSettings(base_url=url.rstrip("/"), allow_private=allow_private)
        except ValueError as error:
            raise ConfigError(
                f"{url} cannot be read from ({_first(error)}).",
                "write https://host/folder; --allow-private for a private address.",
            ) from None
        self._client = make_client(settings, context, redactor, auth)
        self._base = settings.base_url

    def facts(self, name: str) -> Mapping[str, Any]:
        """Return the members of a small JSON file."""
        data = self._client.send(Request(path=f"/{name}", raw=True)).data
        try:
            return msgspec.json.decode(data, type=dict[str, Any])
        except msgspec.DecodeError:
            raise ContractBroken(
                f"{name} is not what Isthmus publishes.", "check the address of the folder.",
                place=f"{self._base}/{name}",
            ) from None  # fmt: skip

    def file(self, name: str, total: int, start: int = 0) -> Iterator[bytes]:
        """Yield a file that has `total` bytes, from byte `start` on."""
        return pieces(self._client, f"{self._base}/{name}", total, piece=PIECE, start=start)

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()


def _learnt(redactor: Redactor, value: str) -> dict[str, str]:
    redactor.add(value)
    return {"Authorization": value}


def _first(error: ValueError) -> str:
    said = str(error.errors()[0]["msg"] if isinstance(error, ValidationError) else error)
    return said.removeprefix("Value error, ").rstrip(".")
