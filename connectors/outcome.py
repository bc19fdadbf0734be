"""What an answer means, as data: a table from (status, body) to what the client does next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal, TypeAlias

from connectors.body import Body, Path, parse_path
from connectors.condition import Condition, parse_condition
from connectors.points import Points

_EPOCH = 1e9  # a pause of 31 years is an instant

Outcome: TypeAlias = Literal[
    "ok",  # take it
    "empty",  # not found means an empty list
    "skip",  # this record cannot be read, the others can
    "retry",  # the same request may succeed
    "throttled",  # the system asks for a pause
    "quota",  # a quota is used up: the run ends early, the next one goes on
    "refresh",  # the token is spent
    "denied",  # the credentials lack a right
    "config",  # the request is wrong: mend the settings
    "fatal",  # the system answered something else
]


@dataclass(frozen=True, slots=True)
class Pause:
    """When a system may be asked again: the first of these that is given and can be read.

    `after` is a path in the body: seconds, or an instant (ISO text, or seconds or milliseconds
    since the epoch); `seconds` a fixed pause; `every` so many seconds of a counter that begins anew
    at each whole multiple of them (60: the next minute); `resets` a time of day, in its own zone or
    the connection's.
    """

    after: Path = ()
    seconds: float | None = None
    resets: time | None = None
    every: float | None = None

    def left(self, body: Body | None, now: datetime, zone: tzinfo) -> float | None:
        """Return the seconds from `now` (aware) on; None where nothing can be read."""
        text = body.text(self.after) if body is not None and self.after else None
        left = _seconds(text or "", now, zone)
        if left is not None or self.seconds is not None:
            return self.seconds if left is None else left
        if self.every is not None:
            return self.every - now.timestamp() % self.every
        if self.resets is None:
            return None
        zone = self.resets.tzinfo or zone
        local = now.astimezone(zone)
        at = datetime.combine(local.date(), self.resets, zone)
        if at <= local:
            at = datetime.combine(local.date() + timedelta(days=1), self.resets, zone)
        return (at.astimezone(UTC) - now).total_seconds()


def _seconds(text: str, now: datetime, zone: tzinfo) -> float | None:
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", text):
        number = float(text)
        if number < _EPOCH:
            return number
        return max(number / (1000 if number > _EPOCH * 100 else 1) - now.timestamp(), 0.0)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=zone)
    return max((at - now).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a system's table: holds where every named condition does.

    `statuses` () means any; `when` is a condition on the JSON body; `header` is a name in small
    letters and the value that the answer must carry there. `text` is looked for in a body that is
    plain text: some systems write their failures so, under HTTP 200. `pause` says when a throttled
    request or a used quota may go on, where no Retry-After does; of an answer that is taken, for
    how long the connection asks nothing more.
    """

    outcome: Outcome
    statuses: tuple[int, ...] = ()
    when: Condition | None = None
    header: tuple[str, str] | None = None
    text: re.Pattern[str] | None = None
    pause: Pause | Points | None = None


DEFAULTS: tuple[Rule, ...] = (
    Rule("throttled", (429,)),
    Rule("retry", (408, 425, 500, 502, 503, 504)),
    Rule("refresh", (401,)),
    Rule("denied", (402, 403, 407)),
    Rule("config", (400, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431, 451)),
)


def find(
    status: int,
    body: Body | None,
    rules: tuple[Rule, ...] = (),
    headers: Mapping[str, str] | None = None,
    said: str = "",
) -> Rule | None:
    """Return the first rule that holds: the system's own, then the defaults.

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
        return rule
    return None


def judge(
    status: int,
    body: Body | None,
    rules: tuple[Rule, ...] = (),
    headers: Mapping[str, str] | None = None,
    said: str = "",
) -> Outcome:
    """Return the outcome by the first rule that holds, see `find`; else ok for 2xx, fatal."""
    rule = find(status, body, rules, headers, said)
    if rule is not None:
        return rule.outcome
    return "ok" if 200 <= status < 300 else "fatal"


def table(
    paths: str | Iterable[str],
    codes: Mapping[Outcome, Iterable[str | int]],
    *,
    good: Iterable[str | int] = (),
    rest: Outcome | None = None,
    pauses: Mapping[Outcome, Pause | Points] | None = None,
) -> tuple[Rule, ...]:
    """Return the rules of a system that says with a code in the body what happened.

    `paths` are the places where its shapes of error have the code (`code`,
    `Result.ResponseStatus.ErrorCode`); `codes` what each means; `good` those of an answer to take;
    `rest` what a code that stands there and is in neither means (None: the other rules decide).
    `pauses` says when a throttled request or a used quota may go on. Raises ConfigError.
    """
    rules = []
    every = [paths] if isinstance(paths, str) else list(paths)
    for path in every:
        parse_path(path)
        meant: dict[Outcome, Iterable[str | int]] = {"ok": good, **codes}
        for outcome, values in meant.items():
            literals = ", ".join(_literal(value) for value in values)
            if literals:
                when = parse_condition(f"{path} in ({literals})")
                rules.append(Rule(outcome, (), when, pause=(pauses or {}).get(outcome)))
    if rest is not None:
        rules += [Rule(rest, (), parse_condition(f"{path} is not null")) for path in every]
    return tuple(rules)


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
