"""Each request is signed with the app's key, each answer proved by 支付宝's over its raw bytes."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from datetime import datetime, timedelta, timezone

import msgspec

from connectors.alipay.keys import Identity, content, is_signed, signature
from connectors.auth import Auth
from connectors.errors import AuthError, ContractBroken

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""All times of the platform; China has had no summer time since 1991."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Signed(Auth):
    """Adds the common parameters and their signature; `identify` reads the keys, anew when refused.

    The query has the common parameters, the form `biz_content`, as the vendor's client sends them.
    """

    def __init__(self, identify: Callable[[], Identity], now: Callable[[], datetime]) -> None:
        self._identify = identify
        self._now = now
        self._identity = identify()

    def sign_params(self, params: MutableMapping[str, str], form: MutableMapping[str, str]) -> None:
        """Add what the platform wants with each request."""
        who = self._identity
        params.update(
            app_id=who.app_id, format="json", charset="utf-8", sign_type="RSA2", version="1.0",
            timestamp=self._now().astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        )  # fmt: skip
        for name, value in (
            ("app_cert_sn", who.app_cert_sn),
            ("alipay_root_cert_sn", who.root_cert_sn),
            ("app_auth_token", who.app_auth_token),
        ):
            if value:
                params[name] = value
        params["sign"] = signature(who.key, content({**params, **form}))

    def verify(self, data: bytes, place: str) -> None:
        """Prove an answer by its signature over the inner object as it was received.

        Raises AuthError where another key signed, ContractBroken where nothing is signed.
        """
        try:
            members = _members.decode(data)
        except msgspec.DecodeError:
            members = {}
        inner = [raw for name, raw in members.items() if name.endswith("_response")]
        said = _text(members.get("sign"))
        if len(inner) != 1 or not said:
            raise ContractBroken(
                "The answer has no signed response.",
                "check base_url: it is the gateway's; nothing of the answer was taken.",
                place=place,
            )  # fmt: skip
        who, theirs = self._identity, _text(members.get("alipay_cert_sn"))
        if who.alipay_cert_sn and theirs and theirs != who.alipay_cert_sn:
            raise AuthError(
                "The answer is signed with another certificate than alipay_cert.",
                "download 支付宝公钥证书 anew from the app's page.", place=place,
            )  # fmt: skip
        if not is_signed(who.theirs, bytes(inner[0]), said):
            raise AuthError(
                "The answer's signature is not that of 支付宝's key.",
                "check alipay_public_key (or alipay_cert): it is 支付宝公钥, not 应用公钥. Nothing "
                "of the answer was taken.", place=place,
            )  # fmt: skip

    def renew(self) -> bool:
        """Read the keys again."""
        before, self._identity = self._identity, self._identify()
        return _marks(before) != _marks(self._identity)


def _marks(who: Identity) -> tuple[object, ...]:
    return (who.app_id, who.key.private_numbers(), who.theirs.public_numbers(), who.app_cert_sn,
            who.app_auth_token)  # fmt: skip


def _text(raw: msgspec.Raw | None) -> str:
    try:
        return msgspec.json.decode(raw, type=str) if raw is not None else ""
    except msgspec.DecodeError:
        return ""
