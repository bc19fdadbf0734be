"""What the network does to an answer: silence, drips, cuts, foreign certificates."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from rest_parts import Time, context, raw_server

from connectors.address import AddressRules
from connectors.decode import Caps
from connectors.errors import ConfigError, Refused, TooLarge, Unavailable
from connectors.http import HttpClient, Limits, Request
from connectors.network import Tls

PRIVATE = AddressRules(allow_private=True)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def made(url: str, seconds: float = 5.0, attempts: int = 2, **more) -> HttpClient:
    limits = Limits(Caps(max_bytes=1_000_000, seconds=seconds), attempts=attempts)
    return HttpClient(url, context(), address=PRIVATE, limits=limits, **more)


def drip(piece: bytes, head: bytes = b""):
    def talk(con: socket.socket) -> None:
        con.sendall(head)
        for _ in range(60):
            con.sendall(piece)
            time.sleep(0.01)

    return talk


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(lambda con: con.recv(1), id="silence"),
        pytest.param(drip(b"H"), id="status line drips"),
        pytest.param(drip(b"x-a: 1\r\n", b"HTTP/1.1 200 OK\r\n"), id="headers drip"),
        pytest.param(drip(b" ", HEAD + b"content-length: 9999\r\n\r\n"), id="body drips"),
        pytest.param(
            drip(b"1\r\n \r\n", HEAD + b"transfer-encoding: chunked\r\n\r\n"), id="chunks drip"
        ),
    ],
)
def test_one_deadline_bounds_the_whole_request(talk):
    """httpx's own timeout counts from byte to byte: a server that drips held it six times over."""
    with raw_server(talk) as (url, arrived):
        client = made(url, seconds=0.15)
        begun = time.monotonic()
        with pytest.raises(Unavailable, match=r"0\.15 s"):
            client.send(Request(path="/orders"))
        client.close()
    assert time.monotonic() - begun < 2.0
    assert len(arrived) == 2


def test_a_tls_handshake_that_hangs_is_bounded():
    with raw_server(lambda con: con.recv(1)) as (url, _):
        client = made(url.replace("http:", "https:"), seconds=0.15, attempts=1)
        with pytest.raises(Unavailable):
            client.send(Request(path="/orders"))
        client.close()


BODY = b'{"data":[{"id":1},{"id":2}]}'
CUT = BODY[:15]
PACKED = gzip.compress(BODY)[:-20]
UNCHECKED = gzip.compress(BODY)[:-8]  # the whole text, its checksum cut off


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="no byte"),
        pytest.param(HEAD[:20], id="in the head"),
        pytest.param(HEAD + b"content-length: 28\r\n\r\n" + CUT, id="length"),
        pytest.param(
            HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(CUT), CUT), id="chunked"
        ),
        pytest.param(HEAD + b"connection: close\r\n\r\n" + CUT, id="no length"),
        pytest.param(HEAD + b"connection: close\r\n\r\n", id="no length, empty"),
        pytest.param(
            HEAD + b"content-encoding: gzip\r\nconnection: close\r\n\r\n" + PACKED, id="gzip"
        ),
        pytest.param(
            HEAD + b"content-encoding: gzip\r\nconnection: close\r\n\r\n" + UNCHECKED,
            id="gzip trailer",
        ),
    ],
)
def test_a_body_that_was_cut_is_asked_for_again(answer):
    whole = HEAD + b"content-length: %d\r\n\r\n%b" % (len(BODY), BODY)
    turns = iter([answer, whole])
    with raw_server(lambda con: con.sendall(next(turns))) as (url, arrived):
        client = made(url)
        body = client.send(Request(path="/orders")).body
        client.close()
    assert body is not None
    assert body.data == BODY
    assert len(arrived) == 2


def test_a_refused_connection_is_tried_again_and_then_said():
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    clock = Time()
    client = HttpClient(
        f"http://127.0.0.1:{port}", context(clock), address=PRIVATE, limits=Limits(attempts=4)
    )
    with pytest.raises(Unavailable, match="did not answer") as caught:
        client.send(Request(path="/orders", params={"token": "s3cret-in-query"}))
    assert len(clock.pauses) == 3
    assert 7 <= sum(clock.pauses) <= 10
    assert "s3cret" not in str(caught.value)


def bomb(kind: int, size: int) -> bytes:
    press = zlib.compressobj(9, zlib.DEFLATED, kind)
    return press.compress(b"[" + b" " * size) + press.flush()


@pytest.mark.parametrize(("kind", "name"), [(31, b"gzip"), (15, b"deflate"), (-15, b"deflate")])
def test_a_bomb_is_stopped_while_it_unpacks(kind, name):
    packed = bomb(kind, 30_000_000)
    answer = HEAD + b"content-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (name, len(packed))
    with raw_server(lambda con: con.sendall(answer + packed)) as (url, arrived):
        client = made(url)
        begun = time.monotonic()
        with pytest.raises(TooLarge, match="1 MB"):
            client.send(Request(path="/orders"))
        client.close()
    assert time.monotonic() - begun < 1.0
    assert len(arrived) == 1


# --- TLS -------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Return (pem file with key, pem text, fingerprint) of a self-signed certificate by name."""

    def issue(name: str, days: int):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        cert = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(7)
            .not_valid_before(now - timedelta(days=90))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path_factory.mktemp("tls") / "server.pem"
        pem = cert.public_bytes(serialization.Encoding.PEM)
        file.write_bytes(
            pem
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file, pem.decode(), cert.fingerprint(hashes.SHA256()).hex()

    return {
        "good": issue("erp.example", 90),
        "expired": issue("erp.example", -1),
        "other": issue("other.example", 90),
    }


def ask_over_tls(file, tls: Tls, host: str = "erp.example", **more) -> int:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    answer = HEAD + b"content-length: 2\r\n\r\n[]"
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        con, _ = listener.accept()
        with con:
            try:
                with server.wrap_socket(con, server_side=True) as safe:
                    safe.recv(65536)
                    safe.sendall(answer)
            except OSError:
                pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    client = HttpClient(
        f"https://{host}:{port}",
        context(),
        address=PRIVATE,
        tls=tls,
        limits=Limits(attempts=1),
        resolve=lambda *_: ["127.0.0.1"],
        **more,
    )
    try:
        return client.send(Request(path="/x")).status
    finally:
        client.close()
        listener.close()
        thread.join(5)


def test_a_private_certificate_needs_its_ca_or_pin(certificates):
    file, pem, fingerprint = certificates["good"]
    with pytest.raises(Refused, match="not trusted"):
        ask_over_tls(file, Tls())
    assert ask_over_tls(file, Tls(ca=pem)) == 200
    assert ask_over_tls(file, Tls(pin=f"sha256:{fingerprint}")) == 200
    assert ask_over_tls(file, Tls(verify=False)) == 200


@pytest.mark.parametrize("which", ["expired", "other"])
def test_the_own_ca_still_judges_date_and_name(certificates, which):
    file, pem, _ = certificates[which]
    with pytest.raises(Refused, match="not trusted"):
        ask_over_tls(file, Tls(ca=pem))


def test_another_certificate_than_the_pinned_one_is_refused(certificates):
    _, _, fingerprint = certificates["good"]
    with pytest.raises(Refused, match="not the pinned one"):
        ask_over_tls(certificates["other"][0], Tls(pin=f"sha256:{fingerprint}"))


@pytest.mark.parametrize("pin", ["sha1:00", "sha256:xyz", "00" * 32])
def test_a_pin_that_is_none_is_a_config_error(pin):
    with pytest.raises(ConfigError):
        Tls(pin=pin)


def test_an_unverified_certificate_is_for_private_addresses_only():
    client = HttpClient(
        "https://erp.example",
        context(),
        address=PRIVATE,
        tls=Tls(verify=False),
        resolve=lambda *_: ["93.184.215.14"],
    )
    with pytest.raises(Refused, match="private addresses only"):
        client.send(Request(path="/x"))
    client.close()
