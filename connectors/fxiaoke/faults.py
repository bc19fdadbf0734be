"""What the vendor's codes mean. HTTP is 200 for business and for sign-in alike; texts change."""

from __future__ import annotations

from datetime import time, timedelta, timezone

from connectors.body import Body
from connectors.condition import parse_condition
from connectors.errors import AuthError, ConfigError, ConnectorError, ContractBroken
from connectors.http import Answer
from connectors.outcome import Pause, Rule, table

BEIJING = timezone(timedelta(hours=8))
MESSAGE, TRACE = ("errorMessage",), ("traceId",)
_UNKNOWN = parse_condition("errorCode = 10006 and errorMessage like '%is not exist%'")

RULES: tuple[Rule, ...] = (
    Rule("throttled", (), parse_condition("errorCode = 14001"), pause=Pause(seconds=20.0)),
    *table(
        "errorCode",
        {
            "refresh": [20016],
            "throttled": [30004],
            "quota": [30002],
            "retry": [-1, -2, 50009],
        },
        good=[0],
        rest="skip",
        pauses={"quota": Pause(resets=time(0, tzinfo=BEIJING))},
    ),
)
"""The client's table; "skip" hands the answer to `explained`."""
IS_ANSWER = parse_condition("errorCode = 0")
"""What every answer that is taken must say of itself."""


def is_unknown(answer: Answer) -> bool:
    """Say whether an answer means that the tenant has no such object."""
    return answer.body is not None and _UNKNOWN.holds(answer.body)


def explained(answer: Answer, what: str) -> ConnectorError:
    """Return the error for an answer that is one; `what` was asked for, "log-in" for a token."""
    body = answer.body or Body(b"{}")
    code = body.text(("errorCode",)) or "none"
    said = (body.text(MESSAGE) or "no message")[:300]
    trace = f", traceId {answer.request_id}" if answer.request_id else ""
    kind, text, do = _meant(answer, code, what)
    return kind(
        f"{what}: {text} (errorCode {code}: {said}{trace})", do,
        place=answer.place, request_id=answer.request_id,
    )  # fmt: skip


def _meant(answer: Answer, code: str, what: str) -> tuple[type[ConnectorError], str, str]:
    if code == "30003":
        return (
            ConfigError, "the tenant has bought no quota of calls",
            "order an OpenAPI package (接口调用包) from the vendor; trying again is of no use.",
        )  # fmt: skip
    if what == "log-in":
        return (
            AuthError, "the system refuses",
            "check app_id, app_secret, permanent_code and the host in base_url; the address of "
            "this machine must be on the app's list (IP 白名单).",
        )  # fmt: skip
    if code == "20017":
        return AuthError, "no credentials arrived", "check base_url: does a proxy take headers off?"
    if is_unknown(answer):
        return (
            ConfigError, "the tenant has no such object or path",
            "leave the stream out with skip:; for a site of one's own check base_url.",
        )  # fmt: skip
    if code == "10013":
        return ConfigError, "a parameter is missing or out of range", "check names: and more:."
    return (
        ContractBroken, "the system refuses",
        "give the vendor's support the traceId; a right of the user may be missing.",
    )  # fmt: skip
