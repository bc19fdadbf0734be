"""The connector `fxiaoke`: customers, sales, stock, deliveries, money and service of one tenant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.address import parse
from connectors.base import (
    ChangedSince,
    Countable,
    Counted,
    Finding,
    KeySweep,
    Page,
    ReadRequest,
    Role,
    Snapshot,
    Span,
    Stream,
)
from connectors.changes import zone_of
from connectors.errors import AuthError, ConfigError, ContractBroken, Refused
from connectors.fxiaoke.catalogue import KEY, STAMP
from connectors.fxiaoke.settings import HOSTS, FxiaokeSettings
from connectors.named import stream_of
from connectors.remote import Remote
from connectors.whose import keep_to

if TYPE_CHECKING:
    from connectors.fxiaoke.api import Api

_WEB = ("web page", "not JSON", "redirects", "no errorCode")
"""Words of errors that another program than the API answers with."""


class FxiaokeConnector(Remote["Api"]):
    """Reads 纷享销客 over OpenAPI v2. A record is an object's, with its lines where it has some."""

    name: ClassVar[str] = "fxiaoke"
    title: ClassVar[str] = "纷享销客 (Fxiaoke, ShareCRM), over OpenAPI v2"
    roles: ClassVar[tuple[Role, ...]] = ("crm",)
    Settings: ClassVar[type[BaseModel]] = FxiaokeSettings
    settings: FxiaokeSettings

    def streams(self) -> Mapping[str, Stream]:
        """Return the catalogue's streams and the tenant's own, but for those of `skip:`."""
        return {
            name: Stream(
                name=name,
                key=(KEY,),
                changes=KeySweep(self._since() if source.stamp else Snapshot()),
                title=source.title,
                stable_order=True,
                can_sweep=True,
                deletes=("full", "sweep"),
            )
            for name, source in self.settings.sources.items()
            if name not in self.settings.skip
        }

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only ConnectorError."""
        from connectors.fxiaoke.reading import Reading

        stream_of(self.streams(), request.stream)
        whose = f"app {self.settings.app_id} at {self.host}"
        with self.clean(request.stream):
            request = keep_to(request, whose, "app_id: and base_url:")
            reading = Reading(
                self.api(), self.settings.sources[request.stream], request, self._since(),
                zone_of(self.context.timezone), self.context.now(),
            )  # fmt: skip
            yield from self.handed(reading.pages(), whose)

    def countable(self, stream: str) -> Countable:
        """Say how a stream can be counted: asks once whether the tenant answers totals."""
        from connectors.fxiaoke.counting import countable

        with self.clean(stream):
            return countable(self.api(), self.settings.sources[stream])

    def measure(
        self, stream: str, spans: Sequence[Span], member: str | None = None
    ) -> Iterator[Counted]:
        """Yield the total of each span."""
        from connectors.fxiaoke.counting import measure

        with self.clean(stream):
            yield from measure(self.api(), self.settings.sources[stream], spans)

    def check(self) -> Iterator[Finding]:
        """Reach the system: what this user may read there, which fields are not there."""
        from connectors.fxiaoke.check import check

        yield from map(self.redactor.finding, check(self))

    @property
    def host(self) -> str:
        """Return the host that is spoken to."""
        return parse(self.settings.base_url, error=ConfigError).origin.host

    def make_api(self) -> Api:
        """Return what calls the system."""
        from connectors.fxiaoke.api import Api

        return Api(self.settings, self.context, self.redactor)

    @contextmanager
    def clean(self, place: str) -> Iterator[None]:
        """Take what is secret out of the errors of the block; say what is to be checked."""
        with self.redactor.cleaned(place):
            try:
                yield
            except AuthError as error:
                if error.what.startswith("The credentials were refused"):
                    error.do = (
                        "check app_id, app_secret, permanent_code and user; a token of the app "
                        "that was taken back is answered so, too, and issued again until its "
                        "6,600 s are over."
                    )
                raise
            except (ContractBroken, Refused) as error:
                if any(word in error.what for word in _WEB):
                    error.do = f"check base_url: {self.host} does not answer as the API does. " + (
                        f"The vendor's hosts are {', '.join(HOSTS)}; which is the tenant's, its "
                        "administrator knows."
                    )
                raise

    def _since(self) -> ChangedSince:
        settings = self.settings
        return ChangedSince(STAMP, "", settings.lookback, settings.lag, "epoch_ms")
