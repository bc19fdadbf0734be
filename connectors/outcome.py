"""What an answer means, as data: a table from (status, body) to what the client does next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connectors.body import Body
from connectors.condition import Condition

Outcome: TypeAlias = Literal[
    "ok",  # take it
    "empty",  # not found means an empty list
    "skip",  # this record cannot be read, the others can
    "retry",  # the same request may succeed
    "throttled",  # the system asks for a pause
    "refresh",  # the token is spent
    "denied",  # the credentials lack a right
    "config",  # the request is wrong: mend the settings
    "fatal",  # the system answered something else
]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a system's table: holds where every named condition does.

    `statuses` () means any; `when` is a condition on the JSON body; `header` is a name in small
    letters and the value that the answer must carry there. `text` is looked for in a body that is
    plain text: some systems write their failures so, under HTTP 200.
    """

    outcome: Outcome
    statuses: tuple[int, ...] = ()
    when: Condition | None = None
    header: tuple[str, str] | None = None
    text: re.Pattern[str] | None = None


DEFAULTS: tuple[Rule, ...] = (
    Rule("throttled", (429,)),
    Rule("retry", (408, 425, 500, 502, 503, 504)),
    Rule("refresh", (401,)),
    Rule("denied", (402, 403, 407)),
    Rule("config", (400, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431, 451)),
)


def judge(
    status: int,
    body: Body | None,
    rules: tuple[Rule, ...] = (),
    headers: Mapping[str, str] | None = None,
    said: str = "",
) -> Outcome:
    """Return the outcome by the first rule that holds: the system's own, then the defaults.

    `body` None stands for a body that is not JSON: rules with a condition do not hold on it. `said`
    is the beginning of one that is plain text.
    """
    for rule in (*rules, *DEFAULTS):
        if rule.statuses and status not in rule.statuses:
            continue
        if rule.when is not None and (body is None or not rule.when.holds(body)):
            continue
        if rule.header is not None and (headers or {}).get(rule.header[0]) != rule.header[1]:
            continue
        if rule.text is not None and (not said or rule.text.search(said) is None):
            continue
        return rule.outcome
    return "ok" if 200 <= status < 300 else "fatal"
