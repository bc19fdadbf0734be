"""What connectors of one API share: what calls it, made at first use, and how pages leave."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from connectors.base import Connector, Context, Page
from connectors.redact import Redactor
from connectors.site import tls_remarks
from connectors.whose import MEMBER


class Closes(Protocol):
    """What calls a system and holds connections."""

    def close(self) -> None:
        """Give them back."""


ApiT = TypeVar("ApiT", bound=Closes)


class Remote(Connector, Generic[ApiT]):
    """A connector whose settings have `tls:`, and whose calls all go through one `api()`."""

    def __init__(self, settings: Any, context: Context) -> None:
        super().__init__(settings, context)
        self.redactor = Redactor()
        self._api: ApiT | None = None

    @abstractmethod
    def make_api(self) -> ApiT:
        """Return what calls the system, imported here: the connector's own module is cheap."""

    def api(self) -> ApiT:
        """Return what calls the system; resolves secrets at first use."""
        if self._api is None:
            self._api = self.make_api()
        return self._api

    @property
    def was_reached_for(self) -> bool:
        """Whether `api()` was ever made: its secrets could be read then."""
        return self._api is not None

    def close(self) -> None:
        """Close the connections, and the session where there is one."""
        api, self._api = self._api, None
        if api is not None:
            api.close()

    def handed(self, pages: Iterable[Page], whose: str | None = None) -> Iterator[Page]:
        """Yield pages as they leave: remarks on TLS with the first, secrets out of warnings.

        `whose` is kept in the bookmark: the account that the records are of (`connectors.whose`).
        """
        notes = tls_remarks(self.settings.tls)
        for page in pages:
            mark = page.bookmark if whose is None else {**page.bookmark, MEMBER: whose}
            page = replace(page, bookmark=mark, warnings=(*notes, *page.warnings))
            yield self.redactor.page(page)
            notes = ()
