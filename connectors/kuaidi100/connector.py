"""The connector `kuaidi100`: where the parcels are that the store says are under way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.base import (
    Context,
    Countable,
    EachWanted,
    Finding,
    Page,
    ReadRequest,
    Role,
    Stream,
)
from connectors.errors import AuthError
from connectors.kuaidi100.carriers import Carriers
from connectors.kuaidi100.parcels import WANTS
from connectors.kuaidi100.query import query
from connectors.kuaidi100.settings import Kuaidi100Settings
from connectors.named import stream_of
from connectors.remote import Remote
from connectors.shared import Asked, OwnAsked

if TYPE_CHECKING:
    from connectors.kuaidi100.api import Api

STREAM = "tracks"


class Kuaidi100Connector(Remote["Api"]):
    """Asks 快递100 for one parcel after the other; a record is a parcel with all its events."""

    name: ClassVar[str] = "kuaidi100"
    title: ClassVar[str] = "快递100 (Kuaidi100), parcel tracking by number"
    roles: ClassVar[tuple[Role, ...]] = ("carrier",)
    Settings: ClassVar[type[BaseModel]] = Kuaidi100Settings
    settings: Kuaidi100Settings

    def __init__(self, settings: Kuaidi100Settings, context: Context) -> None:
        super().__init__(settings, context)
        self.carriers = Carriers(settings.carriers)
        self.asked: Asked = context.asked or OwnAsked()

    def streams(self) -> Mapping[str, Stream]:
        """Return the one stream, with the query that says what is under way."""
        return {
            STREAM: Stream(
                name=STREAM,
                key=("asked.com", "asked.num"),
                changes=EachWanted(self.settings.every),
                title="Parcels and their events (物流轨迹)",
                wants=WANTS,
                query=query(self.carriers, self.context.now(), self.settings.max_age),
            )
        }

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of the stream; raises only ConnectorError."""
        from connectors.kuaidi100.reading import Reading

        stream_of(self.streams(), request.stream)
        with self.clean(request.stream):
            if request.mode == "sweep":  # nothing is deleted there, and nothing can be listed
                yield Page([], [], dict(request.bookmark or {}), kind="keys")
                return
            reading = Reading(
                self.api(), self.settings, self.carriers, request, self.asked, self.context.now
            )
            yield from self.handed(reading.pages())

    def countable(self, stream: str) -> Countable:
        """Say why nothing can be counted."""
        return Countable("none", "the system answers for one parcel at a time, and lists none")

    def check(self) -> Iterator[Finding]:
        """Reach the system with a number that no carrier has."""
        from connectors.kuaidi100.check import check

        yield from map(self.redactor.finding, check(self))

    def make_api(self) -> Api:
        """Return what calls the system; resolves the key."""
        from connectors.kuaidi100.api import Api

        return Api(self.settings, self.context, self.redactor)

    @contextmanager
    def clean(self, place: str) -> Iterator[None]:
        """Take what is secret out of the errors of the block; say what a refusal means."""
        with self.redactor.cleaned(place):
            try:
                yield
            except AuthError as error:
                error.do = (
                    "check customer and key: a wrong one is told as a wrong signature. Some "
                    "accounts sign with a time: sign_with_t: true."
                )
                raise
