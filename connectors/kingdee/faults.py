"""What K3Cloud's own errors mean: three shapes of JSON under HTTP 200, and plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.body import Body, Path, parse_path
from connectors.condition import parse_condition
from connectors.errors import ConfigError, ConnectorError, ContractBroken
from connectors.http import Answer
from connectors.outcome import Outcome, Rule

SHAPES = ("Result.ResponseStatus", "[0].Result.ResponseStatus", "[0][0].Result.ResponseStatus")
"""Where the status stands: in an object, in BillQuery's list, in ExecuteBillQuery's list in it."""

_MEANT: tuple[tuple[Outcome, str], ...] = (
    ("refresh", "{at}.MsgCode = 1"),
    ("refresh", "{at}.ErrorCode = -10001"),
    *(
        ("refresh", "{at}.Errors[0].Message like '%" + text + "%'")
        for text in ("会话信息已丢失", "未登录", "ctx == null")
    ),
    *(
        ("throttled", "{at}.Errors[0].Message like '%" + text + "%'")
        for text in ("访问频率", "请求过于频繁", "限流")
    ),
    *(
        ("retry", "{at}.Errors[0].Message like '%" + text + "%'")
        for text in ("死锁", "deadlock", "超时", "timeout")
    ),
    ("skip", "{at}.IsSuccess = false"),
)
"""The first that holds; "skip" hands the answer to `explained`."""


def _rules() -> Iterator[Rule]:
    for at in SHAPES:
        for outcome, text in _MEANT:
            yield Rule(outcome, (), parse_condition(text.format(at=at)))


_LOST = re.compile(r"会话信息已丢失|未登录|ctx == null|-10001")
_SOON = re.compile(r"死锁|deadlock|超时|time-?out", re.IGNORECASE)
_ACCOUNT = re.compile("thirty passport", re.IGNORECASE)

RULES: tuple[Rule, ...] = (
    *_rules(),
    Rule("skip", (), text=_ACCOUNT),
    Rule("refresh", (), text=_LOST),
    Rule("retry", (200, 206), text=_SOON),
    Rule("skip", (200, 206), text=re.compile(r'^"?response_error:')),
)
MESSAGES: tuple[Path, ...] = tuple(parse_path(f"{at}.Errors[0].Message") for at in SHAPES)


def explained(answer: Answer, what: str) -> ConnectorError:
    """Return the error for an answer that is one; `what` was asked for."""
    if answer.body is None:
        return _plain(answer)
    at = next(at for at in SHAPES if answer.body.look(parse_path(at)) is not None)
    code = answer.body.text(parse_path(f"{at}.MsgCode")) or "none"
    said = _said(answer.body, at)
    if code == "4":
        return ConfigError(
            f"{what}: the form is not there, or the filter is wrong ({said})",
            "is the module installed? Leave the stream out with skip:; `isthmus check` says which "
            "streams can be read.", place=answer.place,
        )  # fmt: skip
    if code == "9":
        return ConfigError(
            f"{what}: a field is not there ({said})",
            "say under names: what it is called in this account, or leave it out with an empty "
            "name; `isthmus check` compares all of them.", place=answer.place,
        )  # fmt: skip
    return ContractBroken(
        f"{what}: the system refuses (MsgCode {code}: {said})",
        "look for the message in the vendor's community; a right may be missing.",
        place=answer.place,
    )


def _said(body: Body, at: str) -> str:
    text = body.text(parse_path(f"{at}.Errors[0].Message"))
    return (text or "no message in the body")[:300]


def _plain(answer: Answer) -> ConnectorError:
    if _ACCOUNT.search(answer.said):
        return ConfigError(
            f"The system does not know the account (HTTP {answer.status}: {answer.said[:200]})",
            "check account: it is the 账套ID, as the administrator's list of data centres has it.",
            place=answer.place,
        )
    return ContractBroken(
        f"The server failed while it answered ({answer.said[:300]})",
        "look into the server's log; then run again.", place=answer.place,
    )  # fmt: skip
