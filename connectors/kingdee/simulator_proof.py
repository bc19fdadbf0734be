"""The simulator's check of a request's signature, written from the contract sheet by itself."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

_MIX = bytes.fromhex(
    "3030353466333937633632333433373862303963613764336535646562636537"
)  # ASCII of the key that the vendor's client holds


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the account lets in."""

    account: str
    user: str
    app_id: str
    secret: str
    password: str = ""


def _proof(key: bytes, text: str) -> bytes:
    return b64encode(hmac.new(key, text.encode(), "sha256").hexdigest().encode())


def proves(mine: Identity, path: str, headers: Mapping[str, str]) -> str:
    """Return what is wrong with the headers of a request: "" for nothing, account, or another."""
    who = b64decode(headers.get("x-kd-appdata", "")).decode().split(",")
    if len(who) != 4 or who[0] != mine.account:
        return "account"
    app = headers.get("x-kd-appkey", "")
    if who[1] != mine.user or app != mine.app_id or who[2] not in ("2052", "1033", "3076"):
        return "identity"
    if headers.get("x-kd-signature", "").encode() != _proof(
        mine.secret.encode(), app + ",".join(who)
    ):
        return "secret"
    client, coded = app.split("_")
    mixed = bytes(a ^ b for a, b in zip(b64decode(coded), _MIX, strict=False))
    lines = (
        "POST",
        quote(path, safe=""),
        "",
        f"x-api-nonce:{headers.get('x-api-nonce', '')}",
        f"x-api-timestamp:{headers.get('x-api-timestamp', '')}",
        "",
    )
    wanted = _proof(b64encode(mixed), "\n".join(lines))
    if headers.get("x-api-clientid") != client or headers.get("x-api-auth-version") != "2.0":
        return "client"
    return "" if headers.get("x-api-signature", "").encode() == wanted else "signature"
