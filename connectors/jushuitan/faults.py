"""What the system's codes mean. HTTP says 200 to all of them; the code in the body decides."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.condition import parse_condition
from connectors.errors import AuthError, ConfigError, ConnectorError
from connectors.http import Answer
from connectors.outcome import Pause, Rule, table


@dataclass(frozen=True, slots=True)
class Refusal:
    """A code that a person has to act on: what it says, and what to do."""

    kind: type[ConnectorError]
    what: str
    do: str


REFUSALS = {
    "10": Refusal(
        AuthError, "the signature is wrong", "check app_key and the secret at app_secret."
    ),
    "110": Refusal(
        AuthError, "this machine's address is not on the app's list",
        "put the address that the message names on the app's IP whitelist (IP白名单); behind a "
        "proxy it may change.",
    ),
    "140": Refusal(
        AuthError, "the time of the request is more than 15 minutes off",
        "set this machine's clock right.",
    ),
    "150": Refusal(
        AuthError, "the app may not renew its token",
        "let the merchant authorise the app again and put the new code at code.",
    ),
    "190": Refusal(
        ConfigError, "the app lacks the right to this API",
        "apply for it at the open platform (API权限), or leave the stream out with skip:.",
    ),
}  # fmt: skip

RULES: tuple[Rule, ...] = (
    Rule("fatal", (), parse_condition("code = 0 and issuccess = false")),
    *table("code", {"refresh": [100], "skip": list(REFUSALS)}, good=[0]),
    *table("code", {"throttled": [199]}, pauses={"throttled": Pause(seconds=1.0)}),
    *table("code", {"throttled": [200]}, pauses={"throttled": Pause(every=60.0)}, rest="fatal"),
)
"""`skip` hands the answer to `explained`."""


def explained(answer: Answer, what: str) -> ConnectorError:
    """Return the error for an answer that refuses; `what` was asked for."""
    code = (answer.body.text(("code",)) if answer.body is not None else None) or ""
    said = (answer.body.text(("msg",)) if answer.body is not None else None) or "no message"
    found = REFUSALS[code]
    return found.kind(
        f"{what}: {found.what} (code {code}: {said[:300]})", found.do, place=answer.place
    )
