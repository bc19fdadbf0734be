"""Which addresses may be spoken to: URLs read once and strictly, every resolved address judged.

Rules (FAULTS A1): https everywhere; plain http to private and loopback addresses only where the
connection says `allow_private`, elsewhere only with `allow_plain_http`; link-local and metadata
addresses never, in whatever disguise.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urljoin

from connectors.errors import ConfigError, Refused, Unavailable

IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], list[str]]

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#:\[\]@\\]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PORTS = {"http": 80, "https": 443}

_NEVER: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local: most clouds' metadata
        "100.100.100.200/32",  # Alibaba Cloud's metadata
        "168.63.129.16/32",  # Azure's host
        "192.0.0.192/32",  # Oracle Cloud's metadata
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fe80::/10",
        "fd00:ec2::254/128",  # AWS metadata
        "fd20:ce::254/128",  # Google Cloud metadata
        "ff00::/8",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")  # RFC 8215; prefixes of any length in it
_TRANSLATED = ipaddress.ip_network("::ffff:0:0:0/96")  # RFC 2765, SIIT
_COMPATIBLE = ipaddress.ip_network("::/96")
_PRIVATE: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = tuple(
    # What Python's is_global has as public, in some releases or all.
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "fec0::/10", "64:ff9b:1::/48")
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port, normalised: what a connection is pinned to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@dataclass(frozen=True, slots=True)
class Url:
    """A URL that was read strictly. `target` is path and query as written."""

    origin: Origin
    path: str
    query: str = ""

    @property
    def place(self) -> str:
        """Return the URL without its query, for messages."""
        return f"{self.origin}{self.path}"

    def __str__(self) -> str:
        return f"{self.place}?{self.query}" if self.query else self.place


@dataclass(frozen=True, slots=True)
class AddressRules:
    """The two switches of a connection."""

    allow_private: bool = False
    allow_plain_http: bool = False


def parse(text: str, *, error: type[ConfigError] | type[Refused] = Refused) -> Url:
    """Read an absolute http(s) URL strictly; raises `error` (Refused or ConfigError)."""
    if any(ord(c) <= 32 or ord(c) == 127 or c == "\\" for c in text):
        raise error("The URL has a space, control character or backslash.", "write it clean.")
    found = _URL.fullmatch(text)
    if found is None:
        hint = "userinfo and fragments are not allowed" if "@" in text or "#" in text else ""
        raise error(
            f"{bare(text)!r} is not a URL that is spoken to{f' ({hint})' if hint else ''}.",
            "write https://host[:port]/path.",
        )
    scheme = found["scheme"].lower()
    if scheme not in _PORTS:
        raise error(f"The scheme {scheme!r} is not spoken.", "use https (or http inside).")
    port = int(found["port"]) if found["port"] else _PORTS[scheme]
    if not 0 < port < 65536:
        raise error(f"The port {port} does not exist.", "write a port from 1 to 65535.")
    return Url(
        Origin(scheme, _host(found["host"], error), port), found["path"] or "", found["query"] or ""
    )


def join(base: Url, link: str, pin: Origin) -> Url:
    """Resolve `link` as a browser would and hold it to the pinned origin; raises Refused."""
    if any(ord(c) <= 32 or ord(c) == 127 or c == "\\" for c in link):
        raise Refused(
            "The link to the next page has a space, control character or backslash.",
            "tell the vendor; such a link is not followed.", place=base.place,
        )  # fmt: skip
    url = parse(urljoin(str(base), link).split("#")[0])
    if url.origin != pin:
        raise Refused(
            f"The link leads to {url.origin}, the connection is pinned to {pin}; "
            "nothing was sent there.",
            "if that host is right, make it the connection's base_url.",
            place=base.place,
        )
    return url


def _host(text: str, error: type[ConfigError] | type[Refused]) -> str:
    if text.startswith("["):
        try:
            return ipaddress.IPv6Address(text[1:-1]).compressed
        except ValueError:
            raise error("The IPv6 address cannot be read.", "write it as [::1].") from None
    if not text.isascii():
        raise error(
            "The host name has characters beyond ASCII.",
            "write the name's xn-- form (IDNA), or the plain address.",
        )
    labels = text.lower().split(".")
    if _NUMBER.fullmatch(labels[-1]):  # a browser reads such a host as an IPv4 address
        try:
            return str(ipaddress.IPv4Address(text))
        except ValueError:
            raise error(
                f"{text!r} is a disguised form of an IPv4 address.", "write it as 192.168.1.2."
            ) from None
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise error(f"{text[:80]!r} is not a host name.", "check base_url.")
    return text.lower()


def bare(text: str) -> str:
    """Return the start of a URL for messages, without what may be secret: userinfo and query."""
    return re.sub(r"//[^/]*@", "//…@", text.split("?")[0])[:120]


def embedded(ip: IP) -> IP:
    """Return the IPv4 address that an IPv6 form carries, or `ip`.

    Forms: mapped, translated, compatible, 6to4, NAT64, Teredo.
    """
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    if any(ip in n for n in (_NAT64, _NAT64_LOCAL, _TRANSLATED)) or (
        ip in _COMPATIBLE and int(ip) > 1
    ):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _forms(ip: IP) -> set[IP]:
    """Return every address that `ip` may lead to: itself and what it carries."""
    found = {ip, embedded(ip)}
    if ip.version == 6 and ip in _NAT64_LOCAL:
        # RFC 6052, section 2.2: where the four bytes stand hangs on the length of the prefix.
        b = ip.packed
        inside = (b[6:8] + b[9:11], b[7:8] + b[9:12], b[9:13])
        found |= {ipaddress.IPv4Address(four) for four in inside if four[0]}
    return found


def judge(address: str, rules: AddressRules, *, scheme: str, host: str) -> bool:
    """Say whether `address` is a private one; raises Refused where it must not be spoken to."""
    if "%" in address:
        raise _refused(host, address, "is link-local")
    ip = ipaddress.ip_address(address)
    if any(_within(form, _NEVER) for form in _forms(ip)):
        raise Refused(
            f"The host {host} leads to {address}, an address that is never spoken to "
            "(link-local, cloud metadata, multicast or unspecified).",
            "check base_url and the name's DNS records.",
        )
    if not embedded(ip).is_global or any(_within(form, _PRIVATE) for form in _forms(ip)):
        if not rules.allow_private:
            raise Refused(
                f"The host {host} leads to {address}, a private or loopback address.",
                "if the system does stand in your own network, set allow_private: true.",
            )
        return True
    if scheme == "http" and not rules.allow_plain_http:
        raise Refused(
            f"The host {host} ({address}) would be spoken to without encryption.",
            "use https, or set allow_plain_http: true if you accept that.",
        )
    return False


def _within(ip: IP, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(ip in network for network in networks if network.version == ip.version)


def _refused(host: str, address: str, why: str) -> Refused:
    return Refused(f"The host {host} leads to {address}, which {why}.", "check base_url.")


def system_resolve(host: str, port: int) -> list[str]:
    """Return every address of `host` by the system's resolver; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def checked_addresses(
    origin: Origin, rules: AddressRules, *, resolve: Resolve = system_resolve, seconds: float = 10.0
) -> list[str]:
    """Resolve the host once and return its addresses after judging every one.

    The caller connects to these very addresses, so that a name cannot change in between. Raises
    Refused, or Unavailable when the name is not resolved within `seconds`.
    """
    try:
        ipaddress.ip_address(origin.host)
        addresses = [origin.host]
    except ValueError:
        addresses = _resolve(origin, resolve, seconds)
    for address in addresses:
        judge(address, rules, scheme=origin.scheme, host=origin.host)
    return addresses


def _resolve(origin: Origin, resolve: Resolve, seconds: float) -> list[str]:
    found: list[str] = []
    failed: list[OSError | UnicodeError] = []

    def run() -> None:
        try:
            found.extend(resolve(origin.host, origin.port))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)  # getaddrinfo knows no timeout
    thread.start()
    thread.join(max(seconds, 0.001))
    if thread.is_alive() or failed or not found:
        why = "no answer in time" if thread.is_alive() else (str(failed[0]) if failed else "empty")
        raise Unavailable(
            f"The name {origin.host} was not resolved ({why}).",
            "check base_url's spelling and this machine's DNS.",
        )
    return found
