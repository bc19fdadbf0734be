"""The calls that are made of the open platform: a page of a path, as records with key and stamp."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.auth import digest
from connectors.base import Context
from connectors.body import Body, Path, parse_path
from connectors.errors import AuthError, ContractBroken
from connectors.http import HttpClient, Request
from connectors.jushuitan.catalogue import Source
from connectors.jushuitan.faults import RULES, explained
from connectors.jushuitan.login import AGAIN, Login
from connectors.jushuitan.settings import JushuitanSettings
from connectors.jushuitan.signing import Signature, SignedToken
from connectors.paging import PagePaging, Turn
from connectors.records import cut
from connectors.redact import Redactor
from connectors.shared import OwnShelf
from connectors.site import make_client, secret_reader
from connectors.values import resolve

MORE: Path = parse_path("data.has_next")
COUNT: Path = parse_path("data.page_count")
NUMBER: Path = parse_path("data.page_index")
NUMBERED = PagePaging("page_index", more=MORE, pages=None)
"""Pages by number, for what cannot be walked otherwise."""


class Api:
    """One app and merchant. Every error is a ConnectorError."""

    def __init__(self, settings: JushuitanSettings, context: Context, redactor: Redactor) -> None:
        self._settings = settings
        self._secret = secret_reader(context, redactor)
        self._now = context.now
        # One budget for tokens and calls, where nobody keeps one for all processes.
        context = replace(context, shelf=context.shelf or OwnShelf())
        self._door: HttpClient = make_client(
            settings, context, redactor, Signature(self._who, context.now), rules=RULES
        )
        login = Login(self._door, self._code if settings.code else None, context.now)
        auth = SignedToken(
            self._who, context.now, login.fetch,
            store=context.tokens, fits=digest(*self._account(), self._who()[1]),
            whose=digest(*self._account()), learn=redactor.add,
        )  # fmt: skip
        self._client = make_client(settings, context, redactor, auth, rules=RULES)

    @property
    def date(self) -> datetime | None:
        """The server's clock as its last answer had it."""
        return self._client.last_date or self._door.last_date

    @property
    def whose(self) -> str:
        """Return what tells whose records are read: the app, by a digest of its key."""
        return f"app {digest(self._who()[0])[:12]}"

    def here(self) -> datetime:
        """Return the server's time, or ours where that is earlier or all that is known."""
        now = self._now()
        return min(now, self.date or now)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
        self._door.close()

    def page(
        self, source: Source, biz: Mapping[str, Any], *, received: int = 0, number: int = 1,
        stamp: str = "modified", size: int | None = None,
    ) -> Turn:  # fmt: skip
        """Return one page of a path; `stamp` is the member that is taken for the records' stamp."""
        body = self.call(
            source.path,
            {"page_index": number, "page_size": self._size(source, size), **biz}, source.title,
        )  # fmt: skip
        found = cut(body, _list_of(body, source.listed), [(source.key,)], (stamp,))
        if None in found.keys:
            raise ContractBroken(
                f"A record has no {source.key}.", "ask the vendor.", place=body.place
            )
        return Turn(
            body, {}, found.records, found.keys, received + len(found.records), number, body.place,
            found.stamps,
        )  # fmt: skip

    def call(self, path: str, biz: Mapping[str, Any], what: str) -> Body:
        """Send a signed call; `biz` goes as compact JSON."""
        text = json.dumps(biz, separators=(",", ":"), ensure_ascii=False)
        request = Request(path, method="POST", form={"biz": text})
        try:
            answer = self._client.send(request)
        except AuthError as error:
            if "credentials were refused" in error.what:  # a new token, too: code 100 twice
                own = self._settings.auth == "self_built"
                error.do = (
                    "check that the app is still authorised at the open platform." if own else AGAIN
                )
            raise
        if answer.outcome == "skip":
            raise explained(answer, what)
        if answer.body is None:
            raise ContractBroken("The answer is empty.", "ask the vendor.", place=answer.place)
        return answer.body

    def _size(self, source: Source, size: int | None) -> int:
        return min(source.size, self._settings.page_size, size or source.size)

    def _who(self) -> tuple[str, str]:
        key, secret = self._settings.app_key, self._settings.app_secret
        return resolve(key, self._secret), resolve(secret, self._secret)

    def _code(self) -> str:
        return resolve(self._settings.code or "", self._secret)

    def _account(self) -> tuple[str, ...]:
        """Return what names the account that a kept token is of; resolves the secrets."""
        code = self._code() if self._settings.code else ""
        return self._settings.base_url, self._who()[0], self._settings.auth, code


def more(turn: Turn) -> bool:
    """Say whether a page is not the last; raises ContractBroken where it does not say."""
    said = turn.body.text(MORE) if turn.body is not None else None
    if said in ("true", "false"):
        return said == "true"
    last = whole(turn, COUNT)
    if last is None:
        raise ContractBroken(
            "The answer does not say whether there is more (has_next, page_count).",
            "ask the vendor.", place=turn.place,
        )  # fmt: skip
    return turn.number < last


def whole(turn: Turn, path: Path) -> int | None:
    """Return a whole number of the answer, None where there is none."""
    text = turn.body.text(path) if turn.body is not None else None
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _list_of(body: Body, usual: str) -> Path:
    """Return where the list stands: its usual name, else the only list that is there."""
    members = body.members(("data",))
    if usual in members:
        return ("data", usual)
    lists = [name for name in members if isinstance(body.level(("data", name)), list)]
    if len(lists) != 1:
        raise ContractBroken(
            f"There is no list {usual} in the answer's data, which has "
            f"{', '.join(members[:12]) or 'no members'}.",
            "ask the vendor whether the path has changed.", place=body.place,
        )  # fmt: skip
    return ("data", lists[0])
