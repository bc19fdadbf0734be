"""Keys and certificates of 支付宝: read as the console gives them out, used for RSA2.

RSA2 is RSASSA-PKCS1-v1_5 with SHA-256, in base64 (the vendor's client, SignatureUtils).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from connectors.errors import ConfigError

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----(.+?)-----END [A-Z0-9 ]+-----", re.DOTALL)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_RSA = "1.2.840.113549.1.1."
"""Signature algorithms of certificates that are made with RSA; the root file has others (SM2)."""


def bare(text: str) -> str:
    """Return the base64 of a key without its armour and line breaks."""
    found = _PEM.search(text)
    return "".join((found[1] if found else text).split())


def _der(text: str) -> bytes:
    return base64.b64decode(bare(text), validate=True)


@lru_cache(maxsize=8)  # the proof of a key's numbers takes a tenth of a second
def private_key(text: str) -> RSAPrivateKey:
    """Return 应用私钥 of PEM or bare base64, PKCS1 or PKCS8; raises ConfigError, telling none."""
    try:
        key = serialization.load_der_private_key(_der(text), None)
    except (ValueError, TypeError, ImportError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(
            "private_key: is no RSA private key.",
            "give 应用私钥 as the vendor's key tool wrote it (PKCS1 or PKCS8, without a password).",
        )
    return key


def public_key(text: str) -> RSAPublicKey:
    """Return 支付宝公钥 of PEM or bare base64; raises ConfigError."""
    try:
        key = serialization.load_der_public_key(_der(text))
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise ConfigError(
            "alipay_public_key: is no RSA public key.",
            "copy 支付宝公钥 from the app's page (接口加签方式), not 应用公钥.",
        )
    return key


def certificates(text: str, setting: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM file; raises ConfigError where there is none."""
    found = []
    for pem in _CERTIFICATE.findall(text):
        try:
            found.append(x509.load_pem_x509_certificate(pem.encode()))
        except ValueError:
            continue  # one of another kind beside those that count
    if not found:
        raise ConfigError(
            f"{setting}: holds no certificate.", "download it anew from the app's page."
        )
    return found


def serial(certificate: x509.Certificate) -> str:
    """Return a certificate's SN as the platform counts it: MD5 of issuer and serial number."""
    text = certificate.issuer.rfc4514_string() + str(certificate.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def root_serial(chain: list[x509.Certificate]) -> str:
    """Return alipay_root_cert_sn: the SNs of those signed with RSA, joined with `_`."""
    rsa = [c for c in chain if c.signature_algorithm_oid.dotted_string.startswith(_RSA)]
    return "_".join(map(serial, rsa))


def content(params: Mapping[str, str]) -> bytes:
    """Return what is signed: all but `sign` and what is empty, sorted, as `k=v&k=v`, not coded."""
    pairs = sorted((name, value) for name, value in params.items() if value and name != "sign")
    return "&".join(f"{name}={value}" for name, value in pairs).encode()


def signature(key: RSAPrivateKey, data: bytes) -> str:
    """Return the RSA2 signature of `data`."""
    return base64.b64encode(key.sign(data, padding.PKCS1v15(), hashes.SHA256())).decode()


def is_signed(key: RSAPublicKey, data: bytes, said: str) -> bool:
    """Say whether `said` is the RSA2 signature of `data`."""
    try:
        key.verify(base64.b64decode(said, validate=True), data, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks and who answers; with certificates their SNs go with each request."""

    app_id: str
    key: RSAPrivateKey
    theirs: RSAPublicKey
    app_cert_sn: str = ""
    root_cert_sn: str = ""
    alipay_cert_sn: str = ""
    app_auth_token: str = ""
