"""What the gateway and the bills' host are asked, and how; who asks is resolved here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.alipay.catalogue import BILL_URL, Bill
from connectors.alipay.faults import MESSAGES, no_response, rules
from connectors.alipay.keys import (
    Identity,
    bare,
    certificates,
    private_key,
    public_key,
    root_serial,
    serial,
)
from connectors.alipay.settings import AlipaySettings
from connectors.alipay.signing import Signed
from connectors.base import Context
from connectors.body import Body
from connectors.errors import ConfigError, ContractBroken, Refused, Unavailable
from connectors.http import Answer, HttpClient, Request
from connectors.outcome import Rule
from connectors.redact import Redactor
from connectors.site import make_client, secret_reader
from connectors.values import resolve

TRIES = 3
"""So many links a bill is asked for: one lives 30 seconds."""
_ZIP = b"PK"
_GONE = (Rule("skip", (400, 401, 403, 404, 410)),)
_AS_PEM = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
_PATH = re.compile(r"https?://[^/?#]+(/[^#]*)", re.IGNORECASE)


class Api:
    """One app at the gateway. Close it when done."""

    def __init__(self, settings: AlipaySettings, context: Context, redactor: Redactor) -> None:
        self._settings, self._context, self._redactor = settings, context, redactor
        self._secret = secret_reader(context, redactor, lines=True)
        self._client = make_client(
            settings, context, redactor, Signed(self.identity, context.now), messages=MESSAGES
        )
        self._bills: HttpClient | None = None

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
        if self._bills is not None:
            self._bills.close()

    @property
    def clock(self) -> datetime | None:
        """Return the gateway's clock as the newest answer has it."""
        return self._client.last_date

    def now(self) -> datetime:
        """Return our clock or the gateway's, whichever is behind: a future is not yet read."""
        now = self._context.now()
        return min(now, self.clock) if self.clock is not None else now

    def ask(self, method: str, content: Mapping[str, Any]) -> tuple[Answer, str]:
        """Return the answer of a method and the name of its object; outcome is ok or skip."""
        node = f"{method.replace('.', '_')}_response"
        said = msgspec.json.encode({k: v for k, v in content.items() if v is not None}).decode()
        answer = self._client.send(
            Request(
                method="POST",
                params={"method": method},
                form={"biz_content": said},
                rules=rules(node),
                message=(node, "sub_msg"),
            )
        )
        if answer.body is None or not isinstance(answer.body.level((node,)), dict):
            raise no_response(answer, node)
        return answer, node

    def bill(self, bill: Bill, day: date) -> bytes | None:
        """Return the ZIP of a day's bill; None where the platform says that there is none.

        A link that is spent is asked for anew. Raises a ConnectorError.
        """
        for _ in range(TRIES):
            answer, node = self.ask(BILL_URL, {"bill_type": bill.type, "bill_date": str(day)})
            if answer.outcome == "skip":
                return None
            body = answer.body or Body(b"{}")
            link = body.text((node, "bill_download_url"))
            if not link:
                raise ContractBroken(
                    "The answer has no bill_download_url.", "ask the vendor.", place=answer.place
                )
            data = self._download(link)
            if data is not None:
                return data
        raise Unavailable(
            f"{bill.title} of {day} was not to be had by {TRIES} links in turn.",
            "the next run asks again; is rate: so low that a link is spent before it is its turn?",
            place=self._settings.download_url,
        )

    def _download(self, link: str) -> bytes | None:
        """Return the file behind a link, None where the link is spent."""
        if self._bills is None:
            host = self._settings.model_copy(update={"base_url": self._settings.download_url})
            self._bills = make_client(host, self._context, self._redactor)
        path = _PATH.fullmatch(link)
        for secret in re.findall(r"[?&][^=&]+=([^&]{8,})", link):
            self._redactor.add_passing("link", secret)
        base = self._bills.base
        if path is not None and link.lower().startswith(f"http://{base.origin.host}/"):
            link = f"{base.origin}{path[1]}"  # the platform's links are plain http; ours is not
        try:
            answer = self._bills.send(
                Request(link=link, headers={"Accept": "*/*"}, rules=_GONE, raw=True)
            )
        except Refused as error:
            error.do = (
                "bills are fetched from download_url: alone; if the platform has moved them, write "
                "the new host there."
            )
            raise
        return answer.data if answer.data.startswith(_ZIP) else None

    def identity(self) -> Identity:
        """Return the keys of the settings; raises ConfigError."""
        settings = self._settings
        mine = self._read(settings.private_key)
        self._redactor.add(bare(mine))
        token = resolve(settings.app_auth_token, self._secret) if settings.app_auth_token else ""
        if settings.alipay_public_key is not None:
            theirs = public_key(self._read(settings.alipay_public_key))
            return Identity(settings.app_id, private_key(mine), theirs, app_auth_token=token)
        (ours, *_), (alipay, *_), root = (
            certificates(self._read(reference or ""), name)
            for name, reference in (
                ("app_cert", settings.app_cert),
                ("alipay_cert", settings.alipay_cert),
                ("alipay_root_cert", settings.alipay_root_cert),
            )
        )
        key = alipay.public_key()
        pem = key.public_bytes(*_AS_PEM).decode()
        return Identity(
            settings.app_id, private_key(mine), public_key(pem), serial(ours), root_serial(root),
            serial(alipay), token,
        )  # fmt: skip

    def _read(self, reference: str) -> str:
        try:
            return resolve(reference, self._secret)
        except UnicodeDecodeError:
            raise ConfigError(
                f"{reference} is no text.", "give the file as PEM or base64, not as .pfx or .der."
            ) from None
