"""The network below httpx: connects to checked addresses only, under one deadline a request.

httpx's timeouts count from byte to byte, so a server that drips holds a caller for ever; here each
socket operation gets what is left of the request's own time.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

import certifi
import httpcore
import httpx

from connectors.address import AddressRules, Origin, Resolve, checked_addresses, judge
from connectors.errors import ConfigError, Refused


class Deadline:
    """The time that the request of this thread may still take, in seconds of a steady clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._local = threading.local()

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Give the block `seconds`."""
        self._local.end = self._clock() + seconds
        try:
            yield
        finally:
            self._local.end = None

    def left(self) -> float | None:
        """Return what is left; None outside `limit`. Raises httpx.ReadTimeout when nothing is."""
        end = getattr(self._local, "end", None)
        if end is None:
            return None
        left: float = end - self._clock()
        if left <= 0:
            raise httpx.ReadTimeout("deadline")
        return left


class Tls:
    """How the server's certificate is judged: the public CAs, an own CA, a pin, or not at all."""

    def __init__(self, *, ca: str = "", pin: str = "", verify: bool = True) -> None:
        self.pin = _fingerprint(pin) if pin else ""
        self.verify = verify
        self.ca = ca

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The rules as OpenSSL takes them, made at first use; raises ConfigError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca:
            try:
                context.load_verify_locations(cadata=self.ca)
            except (ssl.SSLError, ValueError):
                raise ConfigError("tls.ca holds no PEM certificate.", "give a PEM file.") from None
        else:  # the machine's own authorities, and the public ones where it has none
            context.load_default_certs()
            context.load_verify_locations(cafile=certifi.where())
        if not self.verify or (self.pin and not self.ca):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def judge(self, certificate: bytes | None, host: str) -> None:
        """Compare the pin with the certificate that was shown; raises Refused."""
        if not self.pin:
            return
        seen = hashlib.sha256(certificate or b"").hexdigest()
        if not hmac.compare_digest(seen, self.pin):
            raise Refused(
                f"{host} showed a certificate with sha256:{seen}, not the pinned one.",
                "if the certificate was renewed, ask its owner and change tls.pin.",
            )


def _fingerprint(pin: str) -> str:
    kind, _, digest = pin.partition(":")
    digest = digest.replace(":", "").lower()
    if kind != "sha256" or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ConfigError(
            "tls.pin is not sha256:<64 hex digits>.",
            "take it from: openssl x509 -in cert.pem -noout -fingerprint -sha256",
        )
    return digest


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, backend: _Backend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._backend.deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._backend.deadline.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._backend.deadline.left()
        stream = _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._backend)
        shown = stream.get_extra_info("socket").getpeercert(binary_form=True)
        try:
            self._backend.tls.judge(shown, self._backend.origin.host)
        except Refused:
            stream.close()
            raise
        return stream

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(
        self, origin: Origin, rules: AddressRules, tls: Tls, deadline: Deadline, resolve: Resolve
    ) -> None:
        self.origin = origin
        self.rules = rules
        self.tls = tls
        self.deadline = deadline
        self._resolve = resolve
        self._tcp = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        if (host, port) != (self.origin.host, self.origin.port):
            raise Refused(f"{host}:{port} is not {self.origin}.", "check base_url.")
        seconds = self.deadline.left() or 10.0
        addresses = checked_addresses(
            self.origin, self.rules, resolve=self._resolve, seconds=seconds
        )  # fmt: skip
        if not self.tls.verify and not all(self._private(address) for address in addresses):
            raise Refused(
                "tls.verify: false is for private addresses only.",
                "remove it, or give the certificate's tls.ca or tls.pin.",
            )
        for address in addresses[:-1]:
            share = (self.deadline.left() or seconds) / 2
            try:
                inner = self._tcp.connect_tcp(address, port, share, None, socket_options)
                return _Stream(inner, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        left = self.deadline.left()
        return _Stream(self._tcp.connect_tcp(addresses[-1], port, left, None, socket_options), self)

    def _private(self, address: str) -> bool:
        return judge(address, self.rules, scheme=self.origin.scheme, host=self.origin.host)


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._stream

    def close(self) -> None:
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport that speaks to one origin over checked addresses."""

    def __init__(
        self, origin: Origin, rules: AddressRules, tls: Tls, deadline: Deadline, resolve: Resolve
    ) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls.context if origin.scheme == "https" else None,
            max_connections=8,
            max_keepalive_connections=4,
            keepalive_expiry=20.0,
            network_backend=_Backend(origin, rules, tls, deadline, resolve),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises httpx.TransportError or a ConnectorError."""
        with _as_httpx():
            answer = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(cast("Iterable[bytes]", answer.stream)),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Close every connection of the pool."""
        self._pool.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Turn httpcore's errors into httpx's, which bear the same names."""
    try:
        yield
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        raise getattr(httpx, type(error).__name__, httpx.TransportError)(str(error)) from None
