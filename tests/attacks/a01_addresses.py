"""A1: base URLs that lead inward, in every disguise, counted at sockets that were told to connect.

No packet leaves: a connect to anything but loopback is recorded and refused by the guard, so that
link-local and metadata addresses can be tried too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rest_parts import context, raw_server

from connectors.base import ReadRequest
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings
from tests.attacks.attempt import Attempt, Task, Wire, guarded_wire, refused

ID, TITLE = "A1", "addresses that lead inward"
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"data":[]}'
PUBLIC = "93.184.215.14"  # the guard refuses it; nothing is sent there


@dataclass(frozen=True, slots=True)
class Form:
    """A base URL; `private`: the switch allow_private opens it by design."""

    name: str
    url: str
    private: bool = False


NAMES: dict[str, list[list[str]]] = {
    "inward.example": [["127.0.0.1"]],
    "mixed.example": [[PUBLIC, "127.0.0.1"]],
    "mixed6.example": [["::1", PUBLIC]],
    "rebind.example": [[PUBLIC], ["127.0.0.1"]],
    "rebind-private.example": [["10.0.0.1"], ["169.254.169.254"]],
    "metadata.example": [["169.254.169.254"]],
    "metadata6.example": [["fd00:ec2::254"]],
    "alibaba.example": [["100.100.100.200"]],
    "azure.example": [["168.63.129.16"]],
    "nothing.example": [["0.0.0.0"]],
    "lan.example": [["192.168.1.20"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "mapped-metadata.example": [["::ffff:169.254.169.254"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "nat64-metadata.example": [["64:ff9b::a9fe:a9fe"]],
    "sixtofour.example": [["2002:7f00:1::"]],
    "teredo.example": [["2001:0:0:0:0:0:80ff:fffe"]],
    "scoped.example": [["fe80::1%lo"]],
    "multicast.example": [["224.0.0.1"]],
    "cgnat.example": [["100.64.0.1"]],
}


def forms(port: int) -> list[Form]:
    """Return the URLs; those that can reach the listener name its port."""
    open_, never = True, False
    hosts = [
        ("loopback", "127.0.0.1", open_), ("another loopback", "127.8.9.10", open_),
        ("name", "localhost", open_), ("name in capitals", "LocalHost", open_),
        ("IPv6", "[::1]", open_), ("IPv6 long", "[0:0:0:0:0:0:0:1]", open_),
        ("mapped", "[::ffff:127.0.0.1]", open_), ("mapped hex", "[::ffff:7f00:1]", open_),
        ("compatible", "[::127.0.0.1]", open_), ("class A", "10.0.0.1", open_),
        ("mapped class A", "[::ffff:10.0.0.1]", open_), ("class B", "172.16.0.1", open_),
        ("class C", "192.168.0.1", open_), ("unique local", "[fd12::1]", open_),
        ("CGNAT", "100.64.0.1", open_), ("name with a dot", "localhost.", never),
        ("short", "127.1", never), ("shorter", "127.0.1", never), ("decimal", "2130706433", never),
        ("hex", "0x7f000001", never), ("hex parts", "0x7f.0x0.0x0.0x1", never),
        ("hex short", "0x7f.1", never), ("octal", "0177.0.0.1", never),
        ("octal whole", "017700000001", never), ("padded", "127.000.000.001", never),
        ("overflow", "127.0.0.257", never), ("zero", "0", never),
        ("unspecified", "0.0.0.0", never), ("IPv6 unspecified", "[::]", never),
        ("trailing dot", "127.0.0.1.", never), ("ideographic stops", "127。0。0。1", never),
        ("half-width stops", "127｡0｡0｡1", never), ("full-width stops", "127．0．0．1", never),
        ("full-width digits", "１２７.０.０.１", never), ("circled digits", "①②⑦.⓪.⓪.①", never),
        ("full-width name", "ｌｏｃａｌｈｏｓｔ", never), ("soft hyphen", "local\u00adhost", never),
        ("escaped", "%31%32%37.0.0.1", never), ("escaped dot", "127%2e0.0.1", never),
        ("zone", "[::1%25lo]", never), ("metadata", "169.254.169.254", never),
        ("metadata decimal", "2852039166", never), ("metadata hex", "0xa9fea9fe", never),
        ("metadata mapped", "[::ffff:169.254.169.254]", never),
        ("metadata mapped hex", "[::ffff:a9fe:a9fe]", never),
        ("metadata NAT64", "[64:ff9b::a9fe:a9fe]", never),
        ("metadata 6to4", "[2002:a9fe:a9fe::1]", never), ("link-local", "169.254.1.1", never),
        ("IPv6 link-local", "[fe80::1]", never), ("AWS IPv6", "[fd00:ec2::254]", never),
        ("Google IPv6", "[fd20:ce::254]", never), ("Alibaba", "100.100.100.200", never),
        ("Azure", "168.63.129.16", never), ("Oracle", "192.0.0.192", never),
        ("multicast", "224.0.0.1", never), ("broadcast", "255.255.255.255", never),
    ]  # fmt: skip
    opened = {"inward", "mixed", "mixed6", "rebind", "lan", "mapped", "nat64", "sixtofour",
              "teredo", "cgnat", "rebind-private"}  # fmt: skip
    hosts += [(f"DNS {n}", n, n.partition(".")[0] in opened) for n in NAMES]
    found = [Form(name, f"http://{host}:{port}/api", private) for name, host, private in hosts]
    odd = {
        "userinfo": f"http://shop.example@127.0.0.1:{port}/", "password": f"http://a:b@localhost:{port}/",
        "userinfo at the end": f"http://127.0.0.1:{port}@shop.example/",
        "backslash": f"http://127.0.0.1:{port}\\@shop.example/",
        "fragment": f"http://127.0.0.1:{port}#@shop.example/", "tab": f"http://127.0.0.1\t:{port}/",
        "line break": f"http://127.0.0.1:{port}/\r\nX: y", "leading blank": f" http://127.0.0.1:{port}/",
        "NUL": f"http://127.0.0.1:{port}/\0", "no scheme": f"//127.0.0.1:{port}/",
        "one slash": f"http:/127.0.0.1:{port}/", "three slashes": f"http:///127.0.0.1:{port}/",
        "file": "file:///etc/passwd", "file host": "file://localhost/etc/passwd",
        "gopher": f"gopher://127.0.0.1:{port}/_x", "ftp": f"ftp://127.0.0.1:{port}/",
        "ldap": f"ldap://127.0.0.1:{port}/", "unix": "http+unix://%2Frun%2Fdocker.sock/",
        "data": "data:application/json,[]", "jar": f"jar:http://127.0.0.1:{port}!/",
        "port 0": "http://127.0.0.1:0/", "port too large": f"http://127.0.0.1:{65536 + port}/",
        "no host": f"http://:{port}/", "bracket": f"http://[::1:{port}/",
    }  # fmt: skip
    return found + [Form(name, url) for name, url in odd.items()]


def attempts(task: Task) -> Iterator[Attempt]:
    """Try every form as base_url without and with the switch, and as an OAuth 2 token URL."""
    with raw_server(lambda con: con.sendall(ANSWER)) as (base, _):
        port = int(base.rpartition(":")[2])
        every = forms(port)
        for number, form in enumerate(every, 1):
            yield _tried(f"A1.{number}", form, switch=False, token=False)
        for number, form in enumerate(every, 1):
            if not form.private or "rebind" in form.name:
                yield _tried(f"A1.{number}s", form, switch=True, token=False)
        for number, form in enumerate(every, 1):
            if not task.quick or number % 9 == 0:
                yield _tried(f"A1.{number}t", form, switch=False, token=True)


def _tried(number: str, form: Form, *, switch: bool, token: bool) -> Attempt:
    where = "token_url" if token else "with the switch" if switch else "without the switch"
    name = f"{form.name}, {where}"

    def names(host: str, nth: int) -> list[str]:
        answers = NAMES.get(host, [[PUBLIC]] if host == "public.example" else [])
        return answers[min(nth, len(answers)) - 1] if answers else []

    with guarded_wire(names) as wire:
        try:
            one = _connector(form.url, switch=switch, token=token)
            list(one.read(ReadRequest("s")))
            result = Attempt(number, name, "succeeded", "answered")
        except Exception as error:
            result = refused(number, name, error)
    bad = [f"{host}:{port}" for host, port in _forbidden(wire, switch)]
    if bad:
        return Attempt(number, name, "succeeded", f"connected to {', '.join(bad)}")
    return result


def _connector(url: str, *, switch: bool, token: bool) -> RestConnector:
    settings: dict[str, Any] = {
        "base_url": "https://public.example" if token else url,
        "allow_private": str(switch).lower(), "allow_plain_http": "true", "timeout": "2s",
        "attempts": "3", "streams": {"s": {"path": "/s", "records": "data", "key": "id"}},
    }  # fmt: skip
    if token:
        settings["auth"] = {
            "oauth2": {"token_url": url, "client_id": "c", "client_secret": "env:OTHER"}
        }
    return RestConnector(RestSettings.model_validate(settings), context())


def _forbidden(wire: Wire, switch: bool) -> list[tuple[str, int]]:
    """Return what was reached that must not be, by a judgement of its own."""
    return [(host, port) for host, port in wire.reached if _is_forbidden(host, switch)]


def _is_forbidden(host: str, switch: bool) -> bool:
    ip: Any = ipaddress.ip_address(host.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    never = (
        ip.is_link_local or ip.is_unspecified or ip.is_multicast
        or str(ip) in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254",
                       "fd20:ce::254", "255.255.255.255")
    )  # fmt: skip
    return never or (not switch and not ip.is_global)
