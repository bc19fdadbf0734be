"""Which addresses may be spoken to, in whatever disguise they come."""

from __future__ import annotations

import pytest
from rest_parts import raw_server

from connectors.address import AddressRules, checked_addresses, embedded, join, parse
from connectors.base import Context
from connectors.errors import ConfigError, ConnectorError, Refused, Unavailable
from connectors.http import HttpClient, Request

PRIVATE = AddressRules(allow_private=True)
NOTHING = AddressRules()

LOOPBACK_DISGUISED = [
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.0.0.01/",
    "http://127.0.1/",
    "http://0/",
    "http://localhost./",
    "http://127。0。0。1/",
    "http://１２７.0.0.1/",
    "http://ⓛocalhost/",
    "http://user@127.0.0.1/",
    "http://good.example@127.0.0.1/",
    "http://127.0.0.1%2f@good.example/",
    "http://127.0.0.1\\@good.example/",
    "http://[::1%lo]/",
    "http://[::ffff:127.0.0.1",
    "http:/127.0.0.1/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1#@good.example/",
    "http://127.0.0.1 /",
    "http://127.0.0.1\t/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "ftp://127.0.0.1/",
    "//127.0.0.1/",
    "127.0.0.1",
    "http://",
    "http://0x7f.0x0.0x0.0x1/",
]
PRIVATE_ADDRESSES = [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.8.8",
    "172.16.0.1",
    "100.64.0.1",
    "::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::7f00:1",
    "2002:7f00:1::",
    "64:ff9b::c0a8:101",
    "64:ff9b:1::c0a8:101",
    "::ffff:0:10.0.0.1",
    "64:ff9b:1::808:808",  # local use by its registration: what it leads to is not asked
    "fec0::1",
    "192.0.0.8",
    "192.0.0.10",
]
NEVER_ADDRESSES = [
    "169.254.169.254",
    "169.254.0.23",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00::",
    "::ffff:0:169.254.169.254",
    "::ffff:0:a9fe:a9fe",
    "192.0.0.192",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "100.100.100.200",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "255.255.255.255",
    "ff02::1",
]


@pytest.mark.parametrize("url", LOOPBACK_DISGUISED)
def test_a_disguised_url_is_refused_before_any_name_is_resolved(url):
    with pytest.raises(Refused):
        parse(url)


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES)
def test_a_private_address_needs_the_switch(address):
    origin = parse("https://erp.example").origin
    with pytest.raises(Refused, match="allow_private"):
        checked_addresses(origin, NOTHING, resolve=lambda *_: [address])
    assert checked_addresses(origin, PRIVATE, resolve=lambda *_: [address]) == [address]


@pytest.mark.parametrize("address", NEVER_ADDRESSES)
def test_the_switch_never_opens_metadata_and_link_local_addresses(address):
    origin = parse("https://erp.example").origin
    both = AddressRules(allow_private=True, allow_plain_http=True)
    with pytest.raises(Refused, match=r"never|link-local"):
        checked_addresses(origin, both, resolve=lambda *_: [address])


def test_every_resolved_address_is_judged_not_the_first():
    origin = parse("https://erp.example").origin
    with pytest.raises(Refused):
        checked_addresses(origin, NOTHING, resolve=lambda *_: ["93.184.215.14", "10.0.0.1"])


def test_plain_http_outside_needs_its_own_switch():
    origin = parse("http://erp.example").origin
    with pytest.raises(Refused, match="allow_plain_http"):
        checked_addresses(origin, PRIVATE, resolve=lambda *_: ["93.184.215.14"])
    rules = AddressRules(allow_plain_http=True)
    assert checked_addresses(origin, rules, resolve=lambda *_: ["93.184.215.14"])


def test_a_name_that_does_not_resolve_is_retriable():
    origin = parse("https://erp.example").origin
    with pytest.raises(Unavailable, match="not resolved"):
        checked_addresses(origin, NOTHING, resolve=lambda *_: [])


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://ERP.Example/k3", "https://erp.example"),
        ("http://192.168.1.2:8080", "http://192.168.1.2:8080"),
        ("https://[2001:db8::0:1]/x", "https://[2001:db8::1]"),
        ("https://xn--fiq228c.example:443/", "https://xn--fiq228c.example"),
    ],
)
def test_plain_urls_are_normalised(url, origin):
    assert str(parse(url).origin) == origin


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ("?page=2", "https://shop.example/v1/orders"),
        ("/v1/orders?page=2", "https://shop.example/v1/orders"),
        ("https://shop.example:443/v1/b", "https://shop.example/v1/b"),
        ("https://evil.example/v1/orders", None),
        ("//evil.example/v1", None),
        ("http://shop.example/v1/orders", None),
        ("https://shop.example:8443/v1", None),
        ("https://shop.example@evil.example/", None),
        ("https://shop.example.evil.example/", None),
        ("javascript:alert(1)", None),
        ("/\\evil.example/", None),
    ],
)
def test_a_link_stays_on_the_pinned_host(link, place):
    base = parse("https://shop.example/v1/orders?page=1")
    if place is None:
        with pytest.raises(Refused):
            join(base, link, base.origin)
    else:
        assert join(base, link, base.origin).place == place


def test_embedded_leaves_plain_addresses_alone():
    import ipaddress

    for text in ("8.8.8.8", "2001:4860:4860::8888"):
        assert str(embedded(ipaddress.ip_address(text))) == text


def test_the_checked_address_is_the_one_connected_to():
    """A name that is resolved again between check and connect would slip through (rebinding)."""
    asked: list[str] = []

    def rebinding(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]"
    with raw_server(lambda con: con.sendall(answer)) as (url, arrived):
        port = url.rsplit(":", 1)[1]
        client = HttpClient(
            f"http://erp.example:{port}", Context("erp"), address=PRIVATE, resolve=rebinding
        )
        assert client.send(Request(path="/x")).status == 200
        client.close()
    assert asked == ["erp.example"]
    assert f"Host: erp.example:{port}".encode() in arrived[0]


def test_no_request_arrives_without_the_switch():
    with raw_server(lambda con: None) as (url, arrived):
        client = HttpClient(url, Context("erp"))
        with pytest.raises(Refused, match="allow_private"):
            client.send(Request(path="/x"))
        client.close()
    assert arrived == []


@pytest.mark.parametrize("url", ["https://a.example/x?token=1", "ftp://a.example"])
def test_base_url_mistakes_are_config_errors(url):
    with pytest.raises(ConfigError):
        HttpClient(url, Context("erp"))


def test_messages_never_show_userinfo_or_query():
    with pytest.raises(ConnectorError) as caught:
        parse("https://user:s3cret@evil.example/?token=s3cret2")
    assert "s3cret" not in str(caught.value)


def test_ipv6_literals_are_spoken_to():
    import socket
    import threading

    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 loopback here")

    def run():
        con, _ = listener.accept()
        with con:
            con.recv(65536)
            con.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    client = HttpClient(f"http://[0:0::1]:{port}", Context("erp"), address=PRIVATE)
    assert client.send(Request(path="/x")).status == 200
    client.close()
    thread.join(5)
    listener.close()
