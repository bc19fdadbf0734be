"""The connector `kingdee`: master data, stock, sales, purchasing and money of one account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.base import (
    ChangedSince,
    Changes,
    Countable,
    Finding,
    KeySweep,
    OpenDocuments,
    Page,
    ReadRequest,
    Role,
    Snapshot,
    Stream,
)
from connectors.changes import zone_of
from connectors.errors import AuthError
from connectors.kingdee.catalogue import STAMP, STREAMS, Source
from connectors.kingdee.settings import KingdeeSettings
from connectors.named import stream_of
from connectors.remote import Remote
from connectors.whose import keep_to

if TYPE_CHECKING:
    from connectors.kingdee.api import Api


class KingdeeConnector(Remote["Api"]):
    """Reads 金蝶云·星空 over its WebAPI, each request signed or in a session.

    A record is a document with its lines, or a row; members are called as in the catalogue.
    """

    name: ClassVar[str] = "kingdee"
    title: ClassVar[str] = "金蝶云·星空 (Kingdee K3Cloud), over its WebAPI"
    roles: ClassVar[tuple[Role, ...]] = ("erp",)
    Settings: ClassVar[type[BaseModel]] = KingdeeSettings
    settings: KingdeeSettings

    def streams(self) -> Mapping[str, Stream]:
        """Return the streams but for those of `skip:`."""
        return {
            name: Stream(
                name=name,
                key=(source.key,),
                changes=self._changes(source),
                title=source.title,
                stable_order=True,
                can_sweep=True,
                deletes=("full", "sweep"),
            )
            for name, source in STREAMS.items()
            if name not in self.settings.skip
        }

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only ConnectorError."""
        from connectors.kingdee.reading import Reading

        stream_of(self.streams(), request.stream)
        whose = self._whose()
        with self.clean(request.stream):
            request = keep_to(request, whose, "account: and organisations:")
            reading = Reading(
                self.api(), self.settings, request, self._since(),
                zone_of(self.context.timezone), self.context.now(),
            )  # fmt: skip
            yield from self.handed(reading.pages(), whose)

    def countable(self, stream: str) -> Countable:
        """Say how a stream can be counted."""
        return Countable("keys", "all keys listed: the WebAPI counts nothing")

    def check(self) -> Iterator[Finding]:
        """Reach the system: who we are there, what may be read, which fields are not there."""
        from connectors.kingdee.check import check

        yield from map(self.redactor.finding, check(self))

    def make_api(self) -> Api:
        """Return what calls the system; resolves secrets."""
        from connectors.kingdee.api import Api

        return Api(self.settings, self.context, self.redactor)

    @contextmanager
    def clean(self, place: str) -> Iterator[None]:
        """Take what is secret out of the errors of the block; say what credentials are checked."""
        with self.redactor.cleaned(place):
            try:
                yield
            except AuthError as error:
                if "log-in" not in error.what:
                    error.do = (
                        "check user, app_id, its secret, language and account: any of them that is "
                        "wrong is answered so. The authorisation may also be disabled or expired."
                    )
                raise

    def _whose(self) -> str:
        """Return what tells whose records are read: the account, and its organisations."""
        named = ", ".join(sorted(self.settings.organisations))
        return f"account {self.settings.account}" + (f", organisations {named}" if named else "")

    def _changes(self, source: Source) -> Changes:
        if not source.stamp:
            return Snapshot()
        since = self._since()
        return KeySweep(OpenDocuments(since, self.settings.reread) if source.open else since)

    def _since(self) -> ChangedSince:
        return ChangedSince(STAMP, "", self.settings.lookback, self.settings.lag)
