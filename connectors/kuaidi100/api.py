"""One query: signed, posted, and what its answer means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Literal, TypeAlias

from connectors.base import Context
from connectors.body import Body
from connectors.condition import parse_condition
from connectors.errors import ContractBroken
from connectors.http import Request
from connectors.kuaidi100.parcels import Parcel
from connectors.kuaidi100.settings import Kuaidi100Settings
from connectors.outcome import Rule, table
from connectors.redact import Redactor
from connectors.site import make_client, secret_reader

PATH = "/poll/query.do"
OK = parse_condition("status = 200 and message = 'ok'")
RULES: tuple[Rule, ...] = table(
    "returnCode",
    {
        "empty": [500],  # nothing yet: asked again later
        "skip": [400, 408],  # of this parcel: `Said` tells them apart
        "retry": [501],
        "throttled": [502],
        "refresh": [503],  # the signature is wrong, so customer or key is
        "denied": [600],
        "quota": [601],
    },
    rest="fatal",
)
"""What the answers mean beside OK. All of them come under HTTP 200."""

Said: TypeAlias = Literal["found", "no result yet", "phone refused", "refused"]


def signature(param: str, key: str, customer: str, t: str = "") -> str:
    """Return the sign of the very text that is posted as `param`."""
    text = f"{param}{t}{key}{customer}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


class Api:
    """The account. Threads may share it; `close` gives the connections back."""

    def __init__(self, settings: Kuaidi100Settings, context: Context, redactor: Redactor) -> None:
        self._settings = settings
        self._now: Callable[[], datetime] = context.now
        self._key = secret_reader(context, redactor)(settings.key)
        rates = [settings.rate] if settings.rate else []
        if settings.daily_quota is not None:
            rates.append(f"{settings.daily_quota}/d")
        limited = settings.model_copy(update={"rate": ", ".join(rates) or None})
        self._client = make_client(limited, context, redactor, rules=RULES)

    @property
    def date(self) -> datetime | None:
        """The server's clock, as its last answer had it."""
        return self._client.last_date

    def ask(self, parcel: Parcel) -> tuple[Said, Body | None, str]:
        """Return what is said of a parcel, the answer where it was found, and the words if not."""
        answer = self._client.send(
            Request(path=PATH, method="POST", form=self._form(parcel), ok=OK, message=("message",))
        )
        body = answer.body
        if body is None:
            raise ContractBroken("The answer has no body.", "run again.", place=answer.place)
        if answer.outcome == "ok":
            return "found", body, ""
        words = (body.text(("message",)) or "")[:200]
        if answer.outcome == "empty":
            return "no result yet", None, words
        code = body.text(("returnCode",))
        return ("phone refused" if code == "408" else "refused"), None, words

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _form(self, parcel: Parcel) -> dict[str, str]:
        settings = self._settings
        asked = {
            "com": parcel.com, "num": parcel.num, "phone": parcel.phone, "order": "desc",
            "resultv2": settings.detail,
        }  # fmt: skip
        param = json.dumps(asked, separators=(",", ":"))
        form = {"customer": settings.customer, "param": param}
        t = str(int(self._now().timestamp() * 1000)) if settings.sign_with_t else ""
        if t:
            form["t"] = t
        return form | {"sign": signature(param, self._key, settings.customer, t)}
