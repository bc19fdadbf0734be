"""The simulator's sign-in: tokens as the contract sheet says, in both conventions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_LIFE, _SAME = 7200.0, 6600.0
TOKEN, LEGACY, MOBILE = "/oauth2.0/token", "/cgi/corpAccessToken/get/V2", "/cgi/user/getByMobile"
_REFUSED = "the cropId,cropAccessToken or authorization is error"


class Answered(Exception):
    """An error of the vendor's, under HTTP 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the tenant lets in. `user` is an employee's id, `open_user` the same one's FSUID."""

    app_id: str
    secret: str
    code: str
    ea: str = "demo"
    corp: str = "FSCID_0123456789ABCDEF"
    user: str = "1000"
    open_user: str = "FSUID_0123456789ABCDEF"
    mobile: str = ""


class Door:
    """Gives out tokens and looks at them. `tokens` are those that live, with when they were made.

    For 6600 s the same token is given, then another, while the old one lives on to 7200 s.
    """

    paths = (TOKEN, LEGACY, MOBILE)

    def __init__(self, identity: Identity, now: Callable[[], datetime]) -> None:
        self.identity = identity
        self.now = now
        self.per_minute = 10
        self.given = 0
        self.tokens: dict[str, float] = {}

    def expire(self) -> None:
        """Let every token end now."""
        self.tokens.clear()

    def answer(self, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a call of the sign-in."""
        mine = self.identity
        if path == MOBILE:
            self._body(asked, user=False)
            if not mine.mobile or asked.get("mobile") != mine.mobile:
                return {"empList": []}
            return {"empList": [{"openUserId": mine.open_user, "name": "系统管理员"}]}
        if asked.get("appId") != mine.app_id or asked.get("appSecret") != mine.secret:
            raise Answered(10006, "appId or appSecret is error")
        if asked.get("permanentCode") != mine.code:
            raise Answered(20005, "permanentCode is error")
        if path == TOKEN and asked.get("grantType") != "app_secret":
            raise Answered(10013, "grantType is error")
        token, left = self._token()
        if path == TOKEN:
            return {
                "accessToken": token, "expiresIn": left, "ea": mine.ea, "appId": mine.app_id,
                "openUserId": mine.corp,
            }  # fmt: skip
        return {"corpAccessToken": token, "corpId": mine.corp, "expiresIn": left}

    def _token(self) -> tuple[str, int]:
        now = self.now().timestamp()
        self.tokens = {one: at for one, at in self.tokens.items() if now - at < _LIFE}
        young = [one for one, at in self.tokens.items() if now - at < _SAME]
        if not young:
            self.given += 1
            young = [f"canary-token-{self.given:04d}-0123456789abcdef"]
            self.tokens[young[0]] = now
        return young[0], int(_LIFE - (now - self.tokens[young[0]]))

    def let_in(self, headers: Mapping[str, str], asked: Mapping[str, Any]) -> None:
        """Raise Answered where a business call does not prove who asks; conventions never mix."""
        in_body = any(name in asked for name in ("corpAccessToken", "corpId", "currentOpenUserId"))
        in_headers = "authorization" in headers
        if not in_body and not in_headers:
            raise Answered(20017, "authorization is missing")
        if in_body and in_headers:
            raise Answered(20016, _REFUSED)
        if in_body:
            self._body(asked)
            return
        kind, _, token = headers["authorization"].partition(" ")
        self._live(token if kind == "Bearer" else "")
        if headers.get("x-fs-ea") != self.identity.ea:
            raise Answered(20016, _REFUSED)
        if headers.get("x-fs-userid") != self.identity.user:
            raise Answered(20022, "the user is not in the app's range")

    def _body(self, asked: Mapping[str, Any], *, user: bool = True) -> None:
        if "corpAccessToken" not in asked:
            raise Answered(10013, "corpAccessToken is missing")
        self._live(str(asked["corpAccessToken"]))
        if asked.get("corpId") != self.identity.corp:
            raise Answered(20016, _REFUSED)
        if user and asked.get("currentOpenUserId") != self.identity.open_user:
            raise Answered(20022, "the user is not in the app's range")

    def _live(self, token: str) -> None:
        at = self.tokens.get(token)
        if at is None or self.now().timestamp() - at >= _LIFE:
            raise Answered(20016, _REFUSED)
