"""The one HTTP client: pinned to a host, bounded in time and size, patient, exact, discreet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlencode

import httpx
import msgspec
import tenacity

from connectors.address import AddressRules, Resolve, Url, bare, join, parse, system_resolve
from connectors.auth import Auth
from connectors.base import Context
from connectors.body import Body, Path
from connectors.changes import zone_of
from connectors.decode import Caps, Decoder, Truncated, as_utf8
from connectors.errors import (
    ConfigError,
    ConnectorError,
    ContractBroken,
    Refused,
    Throttled,
    Unavailable,
)
from connectors.network import Deadline, GuardedTransport, Tls
from connectors.numbers import quote_long
from connectors.outcome import Rule, find
from connectors.rate import Budget, Rate
from connectors.records import one_line
from connectors.redact import Redactor, quiet_http_logs
from connectors.verdict import Again, Answer, Request, Verdict, http_date

__all__ = ["Answer", "HttpClient", "Limits", "Request"]

_SESSION = 16
"""Signs of the shortest cookie that is taken for a secret."""
_REQUEST_IDS = ("x-request-id", "request-id", "x-correlation-id", "x-trace-id", "x-amzn-requestid")
_SLACK = 5.0  # a request that was given up may still be on its way


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often a request is tried.

    `caps` bound one answer, `attempts` one request, `patience` (seconds) one pause that the system
    or the rate budget asks for.
    """

    caps: Caps = field(default_factory=Caps)
    attempts: int = 6
    patience: float = 300.0


class HttpClient:
    """Speaks to one origin for one connection. Every raised error is a ConnectorError.

    `context.transport` replaces the network, `context.pause` sleeps. `messages` are where the
    system's errors have their words, `request_id` where an answer names itself; `wrapped` says that
    it may write an answer's JSON into a JSON text. Threads may share a client. Close it when done.
    """

    def __init__(
        self,
        base_url: str,
        context: Context,
        *,
        auth: Auth | None = None,
        headers: Mapping[str, str] | None = None,
        address: AddressRules | None = None,
        tls: Tls | None = None,
        rate: Sequence[Rate] = (),
        rules: tuple[Rule, ...] = (),
        limits: Limits | None = None,
        encoding: str = "",
        redactor: Redactor | None = None,
        resolve: Resolve = system_resolve,
        messages: tuple[Path, ...] = (),
        wrapped: bool = False,
        request_id: Path = (),
    ) -> None:
        quiet_http_logs()
        self.base = parse(base_url, error=ConfigError)
        if self.base.query:
            raise ConfigError("base_url has a query.", "move it to params: of the streams.")
        self._context = context
        self._stats = context.stats
        self._counting = threading.Lock()
        self._auth = auth or Auth()
        self._headers = dict(headers or {})
        self._rules = rules
        self._limits = limits or Limits()
        self._encoding = encoding
        self._wrapped = wrapped
        self._request_id = request_id
        self._rates = tuple(rate)
        self._redactor = redactor or Redactor()
        self.last_date: datetime | None = None
        self._pause: Callable[[float], None] = context.pause or time.sleep
        self._deadline = Deadline()
        self._budget = Budget(
            rate,
            context.shelf,
            now=lambda: context.now().timestamp(),
            pause=self._pause,
            patience=self._limits.patience,
            longest=self._limits.caps.seconds + _SLACK,
        )
        self._verdict = Verdict(
            self._redactor,
            self._limits.patience,
            context.now,
            self._budget.hold,
            messages,
            zone_of(context.timezone),
        )
        transport = context.transport or GuardedTransport(
            self.base.origin, address or AddressRules(), tls or Tls(), self._deadline, resolve
        )
        self._client = httpx.Client(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            timeout=self._limits.caps.seconds,
        )
        self._jitter = tenacity.wait_exponential_jitter(max=30.0, jitter=1.0)
        self._spread = tenacity.wait_random(0.0, 1.0)

    def close(self) -> None:
        """Give connections back."""
        self._client.close()

    def send(self, request: Request) -> Answer:
        """Send a request until it is answered for good; outcome is ok, empty or skip."""
        url, query = self._target(request)
        renewed, remark = False, ""

        def attempt() -> Answer:
            nonlocal renewed, remark
            answer = self._once(request, url, query)
            if answer.outcome == "refresh" and not renewed:
                renewed = True  # once a request: a second refusal is the credentials' fault
                forgotten = bool(self._client.cookies)  # a session that the server opened itself
                self._client.cookies.clear()
                fresh = self._auth.renew()
                remark = "" if fresh else self._auth.unchanged
                if fresh or forgotten:
                    answer = self._once(request, url, query)
            return self._verdict.settled(answer, request, remark)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Again),
            stop=tenacity.stop_after_attempt(self._limits.attempts),
            wait=self._wait,
            sleep=self._pause,
            before_sleep=self._count,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except Again as again:
            raise again.error from None

    @property
    def quota(self) -> int | None:
        """The fewest requests after which the settings' rates make a run end; None without such."""
        patience = self._limits.patience
        return min((one.count for one in self._rates if one.seconds > patience), default=None)

    def discloses(self, text: str) -> bool:
        """Say whether `text` holds a secret of the connection."""
        return self._redactor.mask(text) != text

    def _target(self, request: Request) -> tuple[Url, dict[str, str]]:
        if request.link is not None:
            url = join(self.base, request.link, self.base.origin)
        else:
            path = self.base.path
            if request.path:
                path = f"{path.rstrip('/')}/{request.path.lstrip('/')}".rstrip("?")
            url = parse(f"{self.base.origin}{path}", error=ConfigError)
        pairs = parse_qsl(url.query, keep_blank_values=True)
        if request.link is not None or len(dict(pairs)) < len(pairs):
            return url, dict(request.params)  # a query that is kept as it was written
        return Url(url.origin, url.path), dict(pairs) | dict(request.params)

    def _once(self, request: Request, url: Url, query: Mapping[str, str]) -> Answer:
        if self._budget.counts:  # a token is fetched before the place is taken: that needs one too
            self._auth.prepare(*self._named(request, query))
        place = self._budget.take(url.path)
        with self._counting:
            self._stats.throttled_seconds += place.waited
        try:
            return self._asked(request, url, query, place.done)
        finally:
            place.done()

    def _named(
        self, request: Request, query: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return headers and parameters, without what proves who asks."""
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "isthmus",
            **self._headers,
            **request.headers,
        }
        return headers, dict(query)

    def _asked(
        self, request: Request, url: Url, query: Mapping[str, str], arrived: Callable[[], None]
    ) -> Answer:
        headers, params = self._named(request, query)
        self._auth.apply(headers, params)
        kept = {name for name, _ in parse_qsl(url.query, keep_blank_values=True)}
        params = {name: value for name, value in params.items() if name not in kept}
        content = None
        form = dict(request.form or {})
        self._auth.sign_params(params, form)
        if request.json is not None:
            content = msgspec.json.encode(self._auth.fill(request.json))
            headers.setdefault("Content-Type", "application/json")
        elif request.form is not None:
            content = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._auth.sign(request.method, url.path, headers, content)
        text = "&".join(filter(None, (url.query, urlencode(params, quote_via=quote))))
        with self._counting:
            self._stats.requests += 1
        try:
            with self._deadline.limit(self._limits.caps.seconds):
                status, got, data, whole = self._exchange(
                    request.method, str(Url(url.origin, url.path, text)), headers, content, url,
                    arrived,
                )  # fmt: skip
        except httpx.TransportError as error:
            raise self._unreached(error, url) from None
        except Truncated as error:
            raise Again(
                Unavailable(f"The answer was cut off ({error}).", "run again.", place=url.place)
            ) from None
        except Unavailable as error:  # the name was not resolved
            raise Again(error) from None
        except UnicodeEncodeError:
            raise ConfigError(
                "A header has characters beyond ASCII.", "check the secret and headers:.",
                place=url.place,
            )  from None  # fmt: skip
        except httpx.InvalidURL:
            raise Refused("The URL cannot be sent.", "check path.", place=url.place) from None
        return self._read(status, got, data, whole, request, url)

    def _exchange(
        self, method: str, target: str, headers: dict[str, str], content: bytes | None, url: Url,
        arrived: Callable[[], None],
    ) -> tuple[int, dict[str, str], bytes, bool]:  # fmt: skip
        """Return status, headers, decoded body, and whether its length was announced."""
        request = self._client.build_request(method, target, headers=headers, content=content)
        response = self._client.send(request, stream=True)
        arrived()
        try:
            got = {name.lower(): value for name, value in response.headers.items()}
            for cookie in response.cookies.jar:  # it is sent with each later request
                if len(cookie.value or "") >= _SESSION:
                    self._redactor.add_passing(cookie.name, cookie.value or "")
            decoder = Decoder(got.get("content-encoding", ""), self._limits.caps, url.place)
            for piece in response.iter_raw():
                decoder.feed(piece)
                self._deadline.left()
            announced = got.get("content-length", "")
            if announced.isdigit() and decoder.sent < int(announced) and method != "HEAD":
                raise Truncated(f"{decoder.sent} of {announced} bytes")
            with self._counting:
                self._stats.bytes += decoder.sent
            whole = bool(announced) or "chunked" in got.get("transfer-encoding", "")
            return response.status_code, got, decoder.body(), whole
        finally:
            response.close()

    def _unreached(self, error: httpx.TransportError, url: Url) -> ConnectorError | Again:
        text = self._redactor.text(str(error))[:200] or type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return Refused(
                f"The server's certificate is not trusted ({text}).",
                "for a private certificate give tls: {ca: file:…} or tls: {pin: sha256:…}.",
                place=url.place,
            )
        if isinstance(error, httpx.TimeoutException):
            text = f"no whole answer within {self._limits.caps.seconds:g} s"
        return Again(
            Unavailable(
                f"The system did not answer ({text}).",
                "check that it runs and is reached from here; the next run tries again.",
                place=url.place,
            )
        )

    def _read(
        self, status: int, got: dict[str, str], data: bytes, whole: bool, request: Request, url: Url
    ) -> Answer:
        request_id = next((got[name][:100] for name in _REQUEST_IDS if name in got), "")
        request_id = self._redactor.text(request_id)
        self.last_date = http_date(got.get("date", "")) or self.last_date
        if 300 <= status < 400:
            target = self._redactor.text(bare(got.get("location", "")))
            raise Refused(
                f"The system redirects (HTTP {status}) to {target or 'nowhere'}; redirects are "
                "not followed.",
                "if that address is right, write it into base_url or path.",
                place=url.place, request_id=request_id,
            )  # fmt: skip
        if request.raw and 200 <= status < 300:
            return Answer("ok", status, got, None, url, request_id, data=data)
        body, broken = self._parsed(status, got, data, url)
        if not request_id and body is not None and self._request_id:
            request_id = self._redactor.text(body.text(self._request_id) or "")[:100]
        if status == 204:
            return Answer("empty", status, got, None, url, request_id)
        said = "" if body is not None else _plain_text(data, got.get("content-type", ""))
        rule = find(status, body, (*request.rules, *self._rules), got, said)
        outcome = rule.outcome if rule else "ok" if 200 <= status < 300 else "fatal"
        if outcome == "ok" and body is None:
            error = broken or ContractBroken(
                "The answer is empty.", "check path and method.", place=url.place
            )
            error.request_id = request_id
            if not whole:  # nothing announced the length: it may have been cut
                raise Again(error)
            raise error
        if body is not None and outcome in ("ok", "empty", "skip"):
            self._auth.verify(data, url.place)
        answer = Answer(outcome, status, got, body, url, request_id, said, rule)
        if outcome == "ok" and body and request.ok and not request.ok.holds(body):
            raise ContractBroken(
                f"The answer says that it failed ({request.ok.text} does not hold): "
                f"{self._verdict.message(body, request.message)}",
                "read the system's message; then mend settings, rights or data there.",
                place=url.place, request_id=request_id,
            )  # fmt: skip
        return answer

    def _parsed(
        self, status: int, got: dict[str, str], data: bytes, url: Url
    ) -> tuple[Body | None, ContractBroken | None]:
        kind = got.get("content-type", "")
        if not data.strip():
            return None, None
        if "html" in kind.lower() or data.lstrip()[:1] == b"<":
            return None, ContractBroken(
                f"The system answered a web page or XML ({kind or 'no content type'}) where JSON "
                "was promised.",
                "often a login, captcha or maintenance page: open the address in a browser.",
                place=url.place,
            )
        try:
            text = as_utf8(data, kind, url.place, self._encoding)
            body = Body(quote_long(one_line(text)), url.place)
            inner = body.text(()) if self._wrapped and text.lstrip()[:1] == b'"' else None
            if inner is not None:
                body = Body(quote_long(one_line(inner.encode())), url.place)
            return body, None
        except ContractBroken as error:
            if 200 <= status < 300:
                error.what += f" Content type: {self._redactor.text(kind)[:80] or 'none'}."
            return None, error

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Again) and error.seconds is not None:
            return error.seconds + float(self._spread(state))
        return float(self._jitter(state))

    def _count(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        with self._counting:
            self._stats.retries += 1
            if isinstance(error, Again) and isinstance(error.error, Throttled):
                self._stats.throttled_seconds += state.next_action.sleep if state.next_action else 0


def _plain_text(data: bytes, kind: str) -> str:
    """Return the beginning of a body that is neither JSON nor a web page; "" for others."""
    start = data[:2000].decode("utf-8", "replace").strip()
    return "" if "html" in kind.lower() or start[:1] in ("<", "{", "[") else start
