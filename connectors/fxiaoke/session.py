"""Who asks: a token that is kept, in the headers (new convention) or in the body (legacy).

The token endpoint gives the same token for 6600 s of its 7200 s, answers ten calls a minute and no
two at once, so one process renews it for all, and it is kept for 6600 s.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, MutableMapping
from datetime import datetime
from typing import Any

from connectors.auth import Auth, Kept, KeptToken, digest
from connectors.errors import AuthError
from connectors.fxiaoke.faults import explained
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.http import Answer, HttpClient, Request
from connectors.rate import Rate
from connectors.tokens import Token, TokenStore
from connectors.values import resolve

TOKEN_CALLS = Rate(10, 60.0, each=True)
_OVERLAP, _EARLY = 600.0, 60.0
"""The last seconds of a token's life, when another is given; what KeptToken takes off itself."""


class Traced(Auth):
    """No token: each call has a thirdTraceId of its own, which is all that a token's call needs."""

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Add a new thirdTraceId."""
        params["thirdTraceId"] = str(uuid.uuid4())


class SignIn:
    """Asks for tokens and places them; `door` is a client without a token."""

    def __init__(
        self, settings: FxiaokeSettings, secret: Callable[[str], str], door: HttpClient
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._door = door

    def kept(
        self, now: Callable[[], datetime], store: TokenStore | None, learn: Callable[[str], None]
    ) -> KeptToken:
        """Return the token as the client applies it; resolves the secrets."""
        settings = self._settings
        proof = [self._proof()[name] for name in ("appId", "appSecret", "permanentCode")]
        who = settings.user or self._mobile()
        return KeptToken(
            lambda kept, turn: self._fetch(),
            now,
            store=store,
            name="token",
            fits=digest(settings.base_url, settings.auth_style, *proof, who),
            place=self._in_headers,
            within=self._in_body if settings.auth_style == "legacy" else None,
            learn=learn,
        )

    def _proof(self) -> dict[str, str]:
        settings = self._settings
        return {
            "appId": settings.app_id,
            "appSecret": resolve(settings.app_secret, self._secret),
            "permanentCode": resolve(settings.permanent_code, self._secret),
        }

    def _mobile(self) -> str:
        return resolve(self._settings.mobile or "", self._secret)

    # --- a token is asked for ------------------------------------------------------------------
    def _fetch(self) -> Token:
        if self._settings.auth_style == "new":
            body = {**self._proof(), "grantType": "app_secret"}
            answer, value = self._ask("oauth2.0/token", body, "accessToken")
            extra = {"ea": self._text(answer, "ea")}
        else:
            answer, value = self._ask(
                "cgi/corpAccessToken/get/V2", self._proof(), "corpAccessToken"
            )
            extra = {"corpId": self._text(answer, "corpId")}
            extra["user"] = self._settings.user or self._looked_up(value, extra["corpId"])
        return Token(value, self._life(answer), extra=extra)

    def _ask(self, path: str, body: dict[str, str], member: str) -> tuple[Answer, str]:
        answer = self._door.send(Request(path, method="POST", json=body))
        if answer.outcome == "skip":
            raise explained(answer, "log-in")
        return answer, self._text(answer, member)

    def _text(self, answer: Answer, member: str) -> str:
        found = answer.body.text((member,)) if answer.body is not None else None
        if not found:
            raise AuthError(
                f"The log-in was answered without {member}.",
                "check base_url and auth_style.", place=answer.place,
                request_id=answer.request_id,
            )  # fmt: skip
        return found

    def _life(self, answer: Answer) -> float:
        """Return the seconds for which KeptToken is to keep it."""
        try:
            left = float(self._text(answer, "expiresIn"))
        except ValueError:
            left = 0.0
        return max(left - _OVERLAP, left / 2, 0.0) + _EARLY

    def _looked_up(self, token: str, corp: str) -> str:
        """Return the open id of the user with the mobile number."""
        body = {"corpAccessToken": token, "corpId": corp, "mobile": self._mobile()}
        answer = self._door.send(Request("cgi/user/getByMobile", method="POST", json=body))
        if answer.outcome == "skip":
            raise explained(answer, "log-in")
        path = ("empList", 0, "openUserId")
        found = answer.body.text(path) if answer.body is not None else None
        if not found:
            raise AuthError(
                "Nobody has this mobile number, so the log-in has no user.",
                "check mobile, or write user: FSUID_….", place=answer.place,
                request_id=answer.request_id,
            )  # fmt: skip
        return found

    # --- a token is shown ----------------------------------------------------------------------
    def _in_headers(
        self, token: Kept, headers: MutableMapping[str, str], params: MutableMapping[str, str]
    ) -> None:
        params["thirdTraceId"] = str(uuid.uuid4())
        if self._settings.auth_style == "new":
            headers["Authorization"] = f"Bearer {token.value}"
            headers["x-fs-ea"] = token.extra.get("ea", "")
            headers["x-fs-userid"] = self._settings.user or ""

    def _in_body(self, token: Kept, body: Any) -> Any:
        return {
            "corpAccessToken": token.value, "corpId": token.extra.get("corpId", ""),
            "currentOpenUserId": token.extra.get("user", ""), **body,
        }  # fmt: skip
