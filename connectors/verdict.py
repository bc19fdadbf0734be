"""Requests and answers, and what is done about an answer that is not simply taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from connectors.address import Url
from connectors.body import Body, Path
from connectors.condition import Condition
from connectors.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    ContractBroken,
    QuotaUsed,
    Throttled,
    Unavailable,
)
from connectors.outcome import Outcome, Rule
from connectors.redact import Redactor

_FAR = 366 * 86400.0
_MESSAGES: tuple[Path, ...] = (
    ("error", "message"), ("message",), ("msg",), ("errmsg",), ("error_description",),
    ("error",), ("detail",), ("errors", 0, "message"), ("errors", 0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` is below base_url; `link` (a next link) replaces it and `params`.

    `ok` must hold on the JSON body of an answer; else the text at `message` is the error. `rules`
    come before the connection's own. The answer to a `raw` one is a file: its
    bytes are `Answer.data`.
    """

    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    json: Any = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    link: str | None = None
    ok: Condition | None = None
    message: Path = ()
    rules: tuple[Rule, ...] = ()
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` None where there was none. `place` is the URL without its query.

    `said` is the beginning of a body that is plain text, `data` are the bytes of a file.
    """

    outcome: Outcome
    status: int
    headers: Mapping[str, str]
    body: Body | None
    url: Url
    request_id: str = ""
    said: str = ""
    rule: Rule | None = None
    data: bytes = b""

    @property
    def place(self) -> str:
        """Return the URL without its query."""
        return self.url.place

    @property
    def date(self) -> datetime | None:
        """Return the server's clock as its Date header has it."""
        return http_date(self.headers.get("date", ""))


class Again(Exception):
    """The same request may succeed: after `seconds` if the system said so; else `error`."""

    def __init__(self, error: ConnectorError, seconds: float | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.seconds = seconds


_REISSUED = (
    "the token is good where it is issued and not where records are read. Was the app revoked, "
    "disabled, or bound to another address than this machine's? Are base_url and the token "
    "endpoint of one environment? Do the clocks agree (isthmus check)? A token that was taken back "
    "may be issued until its time is over: the next run asks for one again."
)


class Verdict:
    """Turns answers into what a client does next; `hold` stops the whole connection for a while."""

    def __init__(
        self,
        redactor: Redactor,
        patience: float,
        now: Callable[[], datetime],
        hold: Callable[[float], None],
        messages: tuple[Path, ...] = (),
        zone: tzinfo = UTC,
    ) -> None:
        self._redactor = redactor
        self._patience = patience
        self._now = now
        self._hold = hold
        self._messages = (*messages, *_MESSAGES)
        self._zone = zone

    def settled(self, answer: Answer, request: Request, remark: str = "") -> Answer:
        """Return an answer that was taken; raise what the table says of the others.

        `remark` is what became of the renewal where the credentials were refused.
        """
        if answer.outcome in ("ok", "empty", "skip"):
            self._rest(answer)
            return answer
        place, request_id = answer.place, answer.request_id
        says = self.message(answer.body, request.message, answer.said)
        what = f"HTTP {answer.status}: {says}"
        if answer.outcome == "quota":
            raise self._quota(answer, what)
        if answer.outcome in ("throttled", "retry"):
            raise self._later(answer, what)
        if answer.outcome == "refresh":
            raise AuthError(
                f"The credentials were refused ({what})" + (f", {remark}." if remark else ""),
                _REISSUED if remark else "renew them: auth in the connection.",
                place=place, request_id=request_id,
            )  # fmt: skip
        if answer.outcome == "denied":
            raise AuthError(
                f"The credentials lack the right to read this ({what})",
                "give the technical user the right, or leave the stream out.",
                place=place, request_id=request_id,
            )  # fmt: skip
        kind = ConfigError if answer.outcome == "config" else ContractBroken
        do = "check path, method and params." if kind is ConfigError else "ask the vendor."
        raise kind(f"The request was not answered ({what})", do, place=place, request_id=request_id)

    def _rest(self, answer: Answer) -> None:
        """Let nobody ask before the next request of this cost can be paid, where a rule says so."""
        pause = answer.rule.pause if answer.rule is not None else None
        left = pause.left(answer.body, self._now(), self._zone) if pause is not None else None
        if left:
            self._hold(min(left, self._patience))

    def _quota(self, answer: Answer, what: str) -> QuotaUsed:
        """Let no run of the connection ask before the quota is there again."""
        after = self._retry_after(answer)
        if after is not None:
            self._hold(after)
        return self._used(f"The system's quota is used up ({what})", after, answer)

    def _used(self, what: str, after: float | None, answer: Answer) -> QuotaUsed:
        until = None if after is None else self._now() + timedelta(seconds=min(after, _FAR))
        return QuotaUsed(
            what, "nothing: a run after that goes on; or ask the vendor for more.", until=until,
            place=answer.place, request_id=answer.request_id,
        )  # fmt: skip

    def _later(self, answer: Answer, what: str) -> ConnectorError | Again:
        after = self._retry_after(answer)
        kwargs = {"place": answer.place, "request_id": answer.request_id}
        if after is not None and after > self._patience:
            what = f"The system asks to wait {after:.0f} s ({what})"
            if answer.outcome == "throttled":
                return self._used(what, after, answer)
            return Throttled(what, "wait; or lower rate: and the schedule.", **kwargs)
        if answer.outcome == "throttled":
            if after is not None:
                self._hold(after)
            return Again(
                Throttled(
                    f"The system kept throttling ({what})", "set or lower rate:.", **kwargs
                ), after,
            )  # fmt: skip
        return Again(
            Unavailable(
                f"The system is not available ({what})", "the next run tries again.", **kwargs
            ), after,
        )  # fmt: skip

    def _retry_after(self, answer: Answer) -> float | None:
        text = answer.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text):
            return float(text)
        until = http_date(text)
        if until is None:
            pause = answer.rule.pause if answer.rule is not None else None
            return pause.left(answer.body, self._now(), self._zone) if pause is not None else None
        return max((until - (answer.date or self._now())).total_seconds(), 0.0)

    def message(self, body: Body | None, path: Path, said: str = "") -> str:
        """Return the system's own words in a body or plain text, redacted and short."""
        if body is None and said:
            return self._redactor.text(said)[:300]
        for candidate in (path, *self._messages) if path else self._messages:
            text = body.text(candidate) if body is not None else None
            if text:
                return self._redactor.text(text)[:300]
        return "no message in the body"


def http_date(text: str) -> datetime | None:
    """Read an HTTP date (RFC 9110); None for anything else."""
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
