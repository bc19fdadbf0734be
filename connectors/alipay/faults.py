"""What the gateway's code and sub_code mean: always under HTTP 200, inside the response's object.

The codes' meaning is from the vendor's public pages by way of the contract sheet; `docs/alipay.md`
says which were never seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from connectors.body import Path
from connectors.condition import parse_condition
from connectors.errors import AuthError, ConfigError, ConnectorError, ContractBroken
from connectors.http import Answer
from connectors.outcome import Outcome, Rule

NO_BILL = ("isp.bill_not_exist", "BILL_NOT_EXIST", "isv.bill-not-exist")
"""The day has no bill: none yet, or none at all."""
BEFORE = ("BILL_DATE_BEFORE_REGISTRATION", "isp.bill_date_before_registration")
MESSAGES: tuple[Path, ...] = (("error_response", "sub_msg"), ("error_response", "msg"))
"""Where the gateway's own words stand; a method's stand in its own object."""
NO_TRADE = ("ACQ.TRADE_NOT_EXIST", "TRADE_NOT_EXIST")

_MEANT: tuple[tuple[Outcome, tuple[str, ...]], ...] = (
    ("throttled", ("isv.app-call-limited", "isp.call-limited", "isv.call-limited",
                   "app-call-limited", "method-call-limited", "isv.method-call-limited")),
    ("retry", ("ACQ.SYSTEM_ERROR", "isp.unknow-error", "isp.unknown-error", "UNKNOW_ERROR",
               "aop.unknow-error", "SYSTEM_ERROR")),
    ("skip", (*NO_BILL, *BEFORE, *NO_TRADE)),
    ("refresh", ("isv.invalid-signature", "isv.invalid-app-id", "isv.missing-signature",
                 "isv.invalid-app-auth-token", "aop.invalid-app-auth-token",
                 "aop.app-auth-token-time-out", "isv.app-auth-token-time-out")),
)  # fmt: skip
_CODES: tuple[tuple[Outcome, tuple[str, ...]], ...] = (
    ("ok", ("10000",)),
    ("retry", ("20000",)),
    ("refresh", ("20001",)),
    ("denied", ("40006",)),
    ("config", ("40001", "40002")),
)


@cache
def rules(node: str) -> tuple[Rule, ...]:
    """Return what an answer of a method means, whose object is called `node`."""
    return tuple(_rules(node))


def _rules(node: str) -> Iterator[Rule]:
    for at in (node, "error_response"):
        for member, meant in (("sub_code", _MEANT), ("code", _CODES)):
            for outcome, codes in meant:
                if outcome == "ok" and at != node:
                    continue
                listed = ", ".join(f"'{code}'" for code in codes)
                yield Rule(outcome, (), parse_condition(f"{at}.{member} in ({listed})"))
    for at in (node, "error_response"):
        yield Rule("fatal", (), parse_condition(f"{at}.code is not null"))


def no_response(answer: Answer, node: str) -> ContractBroken:
    """Return the error for an answer that has not what its method promises."""
    return ContractBroken(
        f"The answer has no {node}.", "check base_url: it is the gateway's.", place=answer.place
    )


def advised(error: ConnectorError, what: str) -> None:
    """Say of an error of the gateway what to do about it."""
    if isinstance(error, AuthError):
        if error.what.startswith("The credentials lack"):
            error.do = (
                f"add the product of {what} to the app (docs/alipay.md lists them), or name the "
                "stream at skip:."
            )
        elif error.what.startswith("The credentials were refused"):
            error.do = (
                "check app_id, private_key and (for service providers) app_auth_token: the app's "
                "page must hold the public key of this private key."
            )
    elif isinstance(error, ConfigError) and "was not answered" in error.what:
        error.do = f"check what {what} is asked with: since, wants:, app_id."
