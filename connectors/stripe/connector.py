"""The connector `stripe`: lists of one account, read over the one HTTP client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.base import (
    ChangedSince,
    Changes,
    Connector,
    Context,
    Countable,
    Feed,
    Finding,
    KeySweep,
    Mode,
    Page,
    ReadRequest,
    Role,
    Snapshot,
    Stream,
)
from connectors.errors import AuthError, ConfigError
from connectors.named import stream_of
from connectors.redact import Redactor
from connectors.site import secret_reader, tls_remarks
from connectors.stripe.settings import StripeSettings
from connectors.stripe.streams import STREAMS, Listed
from connectors.values import resolve

if TYPE_CHECKING:
    from connectors.stripe.lists import Lists


class StripeConnector(Connector):
    """Reads customers, charges, payment intents, refunds, the ledger, payouts and events."""

    name: ClassVar[str] = "stripe"
    title: ClassVar[str] = "Stripe: customers, charges, refunds, ledger and payouts"
    roles: ClassVar[tuple[Role, ...]] = ("gateway",)
    Settings: ClassVar[type[BaseModel]] = StripeSettings
    settings: StripeSettings

    def __init__(self, settings: StripeSettings, context: Context) -> None:
        super().__init__(settings, context)
        self.redactor = Redactor()
        self._lists: Lists | None = None

    def streams(self) -> Mapping[str, Stream]:
        """Return the streams, the same for every account but for those of `skip:`."""
        return {
            name: Stream(
                name=name,
                key=("id",),
                changes=self._changes(listed),
                title=listed.title,
                stable_order=True,
                can_sweep=listed.deletable,
                deletes=self._deletes(listed),
            )
            for name, listed in self.wanted().items()
        }

    def wanted(self) -> dict[str, Listed]:
        """Return the lists but for those of `skip:`."""
        return {n: one for n, one in STREAMS.items() if n not in self.settings.skip}

    def _changes(self, listed: Listed) -> Changes:
        if self.settings.changes == "full" and not listed.kept:
            return Snapshot()
        if self.settings.changes == "events" and listed.events:
            feed = Feed("events", self.settings.lookback)
            return KeySweep(feed) if listed.deletable else feed
        since = ChangedSince("created", "created[gte]", self.settings.lookback, format="epoch")
        return KeySweep(since) if listed.deletable else since

    def _deletes(self, listed: Listed) -> tuple[Mode, ...]:
        if not listed.deletable:
            return ()
        return ("changed", "full", "sweep") if self.settings.changes == "events" else (
            "full", "sweep"
        )  # fmt: skip

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only ConnectorError."""
        from connectors.stripe.reading import Reading

        listed = stream_of(self.wanted(), request.stream)
        with self.clean():
            whose = self._whose()
            if (request.bookmark or {}).get("data", whose) != whose:
                request = self._anew(request, whose)
            reading = Reading(
                self.lists(),
                listed,
                self.settings,
                request,
                self.context.now(),
                list(tls_remarks(self.settings.tls)),
            )
            for page in reading.pages():
                page = replace(page, bookmark={**page.bookmark, "data": whose})
                yield self.redactor.page(page)

    def countable(self, stream: str) -> Countable:
        """Say how a stream can be counted: what may be deleted there is listed by a sweep."""
        if self.streams()[stream].can_sweep:
            return Countable("keys", "all ids listed: the API counts no list")
        return Countable("none", "the API counts no list, and lists it from the newest on only")

    def check(self) -> Iterator[Finding]:
        """Ask every list for one member and say what the key may read, and whose data it is."""
        from connectors.stripe.check import check

        yield from map(self.redactor.finding, check(self))

    def close(self) -> None:
        """Close the connections."""
        lists, self._lists = self._lists, None
        if lists is not None:
            lists.client.close()

    def lists(self) -> Lists:
        """Return what asks the account; resolves the key."""
        from connectors.stripe.client import make_client
        from connectors.stripe.lists import Lists

        if self._lists is None:
            client = make_client(self.settings, self.context, self.redactor)
            self._lists = Lists(client, self.redactor, whole=self.settings.fees)
        return self._lists

    def _whose(self) -> str:
        """Return what tells whose data the key reads: test or live, and the connected account."""
        key = resolve(self.settings.key, secret_reader(self.context, self.redactor))
        kind = "test" if key[2:8] == "_test_" else "live"
        return f"{kind} {self.settings.account}" if self.settings.account else kind

    def _anew(self, request: ReadRequest, whose: str) -> ReadRequest:
        """Return a full read without the bookmark, which is of other data; refuse any other read.

        It would lay one account's money beside the other's, and a sweep would delete the first's.
        """
        if request.mode == "full":
            return replace(request, bookmark=None)
        raise ConfigError(
            f"The data read until now are {(request.bookmark or {})['data']}, and now they would "
            f"be {whose}.",
            "set key: and account: as they were; make a connection of its own for other data. A "
            "full sync of the stream puts the new data in the old ones' place.",
        )

    @contextmanager
    def clean(self) -> Iterator[None]:
        """Say of what is raised inside what to do with this system's settings; hide secrets."""
        with self.redactor.cleaned():
            try:
                yield
            except AuthError as error:
                error.do = (
                    "give the restricted key the read right that the message names (docs/stripe.md"
                    " lists them), or name the stream at skip:."
                    if "HTTP 403" in error.what
                    else "make a new restricted key and put it where key: of the connection points."
                )
                raise
