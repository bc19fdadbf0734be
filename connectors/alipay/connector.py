"""The connector `alipay`: daily bills, lists by time, trades and refunds of one account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.alipay.catalogue import STREAMS, Asked, Balance, Bill, Log, Source
from connectors.alipay.settings import AlipaySettings
from connectors.base import (
    Bookmark,
    Changes,
    Countable,
    Counted,
    Feed,
    Finding,
    Mode,
    Page,
    ReadRequest,
    Role,
    Snapshot,
    Span,
    Stream,
)
from connectors.errors import ConnectorError
from connectors.named import stream_of
from connectors.remote import Remote
from connectors.site import tls_remarks
from connectors.whose import keep_to

if TYPE_CHECKING:
    from connectors.alipay.api import Api

OTHER = {"bill": "account_log", "log": "account_bill"}
"""The stream that would tell of the same movements a second time."""


class AlipayConnector(Remote["Api"]):
    """Reads what moved in an account of 支付宝, and what the platform says of single trades."""

    name: ClassVar[str] = "alipay"
    title: ClassVar[str] = "支付宝 (Alipay): daily bills, the account's log, trades and refunds"
    roles: ClassVar[tuple[Role, ...]] = ("gateway",)
    Settings: ClassVar[type[BaseModel]] = AlipaySettings
    settings: AlipaySettings

    def streams(self) -> Mapping[str, Stream]:
        """Return the streams but for those of `skip:` and the one that `movements:` leaves out."""
        return {
            name: Stream(
                name=name,
                key=_key(source),
                changes=self._changes(source),
                title=source.title,
                deletes=_deletes(source),
                wants=source.wants if isinstance(source, Asked) else (),
                query=source.query if isinstance(source, Asked) else "",
            )
            for name, source in self.sources().items()
        }

    def sources(self) -> dict[str, Source]:
        """Return what is read."""
        out = {*self.settings.skip, OTHER[self.settings.movements]}
        return {name: source for name, source in STREAMS.items() if name not in out}

    def _changes(self, source: Source) -> Changes:
        if isinstance(source, Bill):
            return Feed("bills of days not read yet", self.settings.lookback)
        if isinstance(source, Log):
            return Feed("entries by their time", self.settings.lookback)
        return Feed("what wants: names") if isinstance(source, Asked) else Snapshot()

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only ConnectorError."""
        source = stream_of(self.sources(), request.stream)
        with self.clean(source.title):
            request = keep_to(request, self.settings.app_id, "app_id")
            left, kept = request.limit, request.bookmark or {}
            remarks = tls_remarks(self.settings.tls)
            for page in self._pages(source, request):
                if left is not None:
                    page = _first(page, left, kept)
                    left -= len(page.keys)
                if remarks:
                    page, remarks = replace(page, warnings=(*page.warnings, *remarks)), ()
                yield self.redactor.page(page)
                if left == 0:
                    return

    def _pages(self, source: Source, request: ReadRequest) -> Iterator[Page]:
        api = self.api()
        if isinstance(source, Bill):
            from connectors.alipay.daily import Daily

            return Daily(api, source, self.settings, request).pages()
        if isinstance(source, Log):
            from connectors.alipay.logs import Timed

            return Timed(api, source, self.settings, request).pages()
        from connectors.alipay import wanted

        if isinstance(source, Asked):
            return wanted.pages(api, source, request, self.settings.app_id)
        return wanted.balance(api, source, request, self.settings.app_id)

    def countable(self, stream: str) -> Countable:
        """Say how a stream can be counted: bills carry their own count and sum."""
        source = stream_of(self.sources(), stream)
        if isinstance(source, Bill):
            return Countable("parts", "each day's bill, whose own count and sum its rows must meet")
        if isinstance(source, Log):
            return Countable("none", "the gateway lists entries by time and counts none")
        return Countable("none", "the gateway answers for what it is asked, and lists nothing")

    def measure(
        self, stream: str, spans: Sequence[Span], member: str | None = None
    ) -> Iterator[Counted]:
        """Yield the number of rows of each day's bill, from the first span's day on."""
        from connectors.alipay.daily import Daily
        from connectors.parts import counted

        source = stream_of(self.sources(), stream)
        assert isinstance(source, Bill)  # noqa: S101 - nothing else is countable
        since = spans[0].since if spans else None
        with self.clean(source.title):
            daily = Daily(self.api(), source, self.settings, ReadRequest(stream, "full"))
            yield from counted(daily.pages(since=since))

    def check(self) -> Iterator[Finding]:
        """Ask each stream for a little and say what may be read, and how far the clocks are."""
        from connectors.alipay.check import check

        yield from map(self.redactor.finding, check(self))

    def make_api(self) -> Api:
        """Return what asks the gateway; reads the keys."""
        from connectors.alipay.api import Api

        return Api(self.settings, self.context, self.redactor)

    @contextmanager
    def clean(self, what: str) -> Iterator[None]:
        """Say of what is raised inside what to do with this system's settings; hide secrets."""
        from connectors.alipay.faults import advised

        with self.redactor.cleaned():
            try:
                yield
            except ConnectorError as error:
                advised(error, what)
                raise


def _key(source: Source) -> tuple[str, ...]:
    if isinstance(source, Asked):
        return source.key
    return ("app_id",) if isinstance(source, Balance) else (source.key,)


def _deletes(source: Source) -> tuple[Mode, ...]:
    """Return the modes that see what a corrected bill does not hold any more."""
    return ("changed", "full") if isinstance(source, Bill) else ()


def _first(page: Page, rows: int, bookmark: Bookmark) -> Page:
    """Return the first rows of a page as a preview has them: nothing complete, nothing moved."""
    return Page(page.records[:rows], page.keys[:rows], bookmark, warnings=page.warnings)
