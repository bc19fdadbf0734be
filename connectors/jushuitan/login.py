"""How an access token is had: first by a code, later by the refresh token that came with it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connectors.errors import AuthError, ConnectorError, ContractBroken
from connectors.http import HttpClient, Request
from connectors.jushuitan.faults import explained
from connectors.tokens import Kept, Token, Turn

EARLY = 0.75
"""The part of its life after which a token is renewed: a spent one cannot be."""
AGAIN = "let the merchant authorise the app again and put the new code at code."


@dataclass(slots=True)
class Login:
    """`code` gives the merchant's authorisation code; an app of one's own makes up any (docId 23).

    A token lives for 30 days, its refresh token as long. A self-built app begins anew when both are
    spent; a merchant has to authorise again.
    """

    door: HttpClient
    code: Callable[[], str] | None
    now: Callable[[], datetime]

    def fetch(self, kept: Kept | None, turn: Turn) -> Token:
        """Return a new token; raises AuthError where a person must give a new code."""
        refused: ConnectorError | None = None
        if kept is not None and kept.refresh:
            try:
                return self._ask(
                    "refreshToken", grant_type="refresh_token", refresh_token=kept.refresh,
                    scope="all",
                )  # fmt: skip
            except (AuthError, ContractBroken) as error:  # by which code, nobody says
                refused = error
        if self.code is None:
            return self._ask(
                "getInitToken", grant_type="authorization_code", code=secrets.token_hex(3)
            )
        if kept is None:
            try:
                return self._ask("getInitToken", grant_type="authorization_code", code=self.code())
            except AuthError as error:
                error.do += f" A code is good for once: else {AGAIN}"
                raise
        left = float(kept.extra.get("ends", 0)) - self.now().timestamp()
        if left > 0:  # it may not be renewed (150), or not yet: it lives all the same
            return Token(kept.value, left, kept.refresh, kept.extra)
        cut = " A run before died while it renewed." if turn.cut else ""
        said = refused.what if refused is not None else "there is no refresh token"
        raise AuthError(f"The token has ended and cannot be renewed ({said}).{cut}", AGAIN)

    def _ask(self, what: str, **fields: str) -> Token:
        answer = self.door.send(Request(f"/openWeb/auth/{what}", method="POST", form=fields))
        if answer.outcome == "skip":
            raise explained(answer, what)
        body = answer.body
        value = body.text(("data", "access_token")) if body is not None else None
        refresh = body.text(("data", "refresh_token")) if body is not None else None
        life = body.text(("data", "expires_in")) if body is not None else None
        try:
            seconds = float(life or "")
        except ValueError:
            seconds = 0.0
        if not value or not seconds > 0:
            raise ContractBroken(
                f"{what} answered without a token and its life.", "ask the vendor.",
                place=answer.place,
            )  # fmt: skip
        ends = self.now().timestamp() + seconds
        return Token(value, seconds * EARLY, refresh or "", {"ends": f"{ends:.0f}"})
