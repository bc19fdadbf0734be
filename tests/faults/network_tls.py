"""F16: certificates that must not be trusted, and the three ways to trust a private one."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.faults.case import Case, Result, Size, settle
from tests.faults.network_door import door
from tests.faults.network_play import failed_well, went_well
from tests.faults.shop import STYLES, Style
from tests.faults.world import world

NOT_TRUSTED = "certificate is not trusted"
REFUSED = 8
"""Handshakes of a case that must be refused: these are its faults."""


@dataclass(frozen=True)
class Issued:
    """A certificate with its key in one PEM file."""

    file: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pin(self) -> str:
        """The setting `tls.pin` of this certificate."""
        return f"sha256:{self.certificate.fingerprint(hashes.SHA256()).hex()}"

    def server(self) -> ssl.SSLContext:
        """Return what a server that shows this certificate needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


def issue(
    folder: Path, name: str, *, by: Issued | None = None, host: str = "127.0.0.1", days: int = 90
) -> Issued:
    """Issue a certificate for `host`, signed `by` another one or by itself, into a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternative: x509.GeneralName = x509.DNSName(host)
    if host[0].isdigit():
        alternative = x509.IPAddress(ipaddress.ip_address(host))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .sign(by.key if by else key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Issued(file, certificate, key)


def certificates(style: Style, folder: Path) -> Result:
    """Show four certificates to a connection under each setting; only right ones are spoken to."""
    result = Result()
    papers = folder / "papers"
    papers.mkdir(parents=True)
    own = issue(papers, "authority")
    shown = {
        "good": issue(papers, "good", by=own),
        "expired": issue(papers, "expired", by=own, days=-1),
        "another host's": issue(papers, "other", by=own, host="other.example"),
        "self-signed": issue(papers, "selfsigned"),
    }
    context = [shown["good"].server()]
    ca, pin = f'ca: "file:{own.file}"', shown["self-signed"].pin
    with (
        door(lambda con: context[0].wrap_socket(con, server_side=True)) as back,
        world(folder / "world", style=style, url=back.url.replace("http:", "https:")) as made,
    ):
        back.shop = made.shop
        plays = [
            ("good", "", NOT_TRUSTED), ("expired", "", NOT_TRUSTED),
            ("another host's", "", NOT_TRUSTED), ("self-signed", "", NOT_TRUSTED),
            ("expired", ca, "has expired"), ("another host's", ca, "mismatch"),
            ("self-signed", ca, NOT_TRUSTED), ("good", f'pin: "{pin}"', "not the pinned one"),
            ("good", ca, ""), ("self-signed", f'pin: "{pin}"', ""),
            ("self-signed", "verify: false", ""), ("good", ca, ""),
        ]  # fmt: skip
        for which, setting, words in plays:
            said = f"{which} certificate under tls: {{{setting}}}"
            context[0] = shown[which].server()
            tls = f"\n    tls: {{{setting}}}" if setting else ""
            made.write_files(made_url(back.port), extra=f"timeout: 5s{tls}")
            made.space.control.close()
            made.space = made.discover()
            made.put(1)
            made.wait(60)
            before = made.shop.requests
            outcome = made.sync("orders", pause=made.clock.pause)
            if words:
                result.fired += 1
                failed_well(result, said, outcome, ["Refused"], words)
                result.expect(made.shop.requests == before, f"{said}: requests came through")
                result.expect(outcome.requests == 1, f"{said}: {outcome.requests} tries")
                continue
            went_well(result, said, outcome)
            warned = any("tls.verify is false" in text for text in outcome.warnings)
            result.expect(warned == ("verify" in setting), f"{said}: warned {outcome.warnings}")
            result.more["handshakes that are right, spoken to"] += 1
        return settle(made, result)


def made_url(port: int) -> str:
    """Return the address of a door over TLS."""
    return f"https://127.0.0.1:{port}"


def cases(size: Size) -> list[Case]:
    """Return the cases of F16."""
    styles = STYLES[:3] if size == "full" else STYLES[:1]
    return [Case("F16", f"F16-{style}", partial(certificates, style), REFUSED) for style in styles]
