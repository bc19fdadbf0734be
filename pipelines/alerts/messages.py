"""What a message says, in the language of its address.

The system's own words may name a customer and leave the house here: unless the company publishes in
clear they are left out, and the command that shows them stands in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipelines.alerts.causes import Cause
from pipelines.state import Broken, StreamState
from pipelines.texts import Language, told

if TYPE_CHECKING:
    from pipelines.company import CompanyFile

NAMED = 8
"""Streams and causes that a message names; of more it says how many."""


@dataclass(frozen=True, slots=True)
class Message:
    """Title and body, plain text."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Voice:
    """How one address is spoken to."""

    language: Language
    zone: str
    clear: bool

    @classmethod
    def of(cls, company: CompanyFile, language: Language) -> Voice:
        """Return the voice of a company's address."""
        return cls(language, company.timezone, company.privacy == "clear")

    def say(self, key: str, /, **values: object) -> str:
        """Return a text of the catalogue."""
        return told(self.language, key, **values)

    def at(self, moment: datetime | None) -> str:
        """Return an instant in the company's zone."""
        if moment is None:
            return self.say("alert.never")
        return moment.astimezone(ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M %Z")


def title(cause: Cause, voice: Voice) -> str:
    """Return the cause in one line."""
    return voice.say(
        f"alert.{cause.name}", connection=cause.connection, kind=cause.kind, count=cause.count,
        streams=_streams(cause, voice),
    )  # fmt: skip


def alert(cause: Cause, voice: Voice) -> Message:
    """Return the message of a cause that is new."""
    lines = [voice.say("alert.streams", streams=_streams(cause, voice))] if cause.streams else []
    if cause.name in ("failed", "publish", "late", "quarantine"):
        lines.append(voice.say("alert.since", at=voice.at(cause.since)))
    # What a rule says of itself holds nobody's words.
    if cause.what and (voice.clear or cause.name == "breaks"):
        lines.append(voice.say("alert.what", what=cause.what))
    lines.append(
        voice.say("alert.do", do=cause.do or voice.say(f"alert.{cause.name}_do", **_names(cause)))
    )
    if cause.name not in ("breaks", "unchecked", "unmade"):
        lines.append(voice.say("alert.more", **_names(cause)))
    return Message(f"[Isthmus] {title(cause, voice)}", "\n".join(lines))


def recovered(cause: Cause, first: datetime, voice: Voice) -> Message:
    """Return the message of a cause that is over."""
    text = voice.say("alert.over", text=title(cause, voice))
    return Message(text, voice.say("alert.over_since", at=voice.at(first)))


def digest(
    states: Sequence[StreamState | Broken],
    opened: Sequence[tuple[Cause, datetime]],
    over: int,
    now: datetime,
    voice: Voice,
) -> Message:
    """Return the message of the day: how many streams are as owed, and what still stands.

    `over` is how many causes ended since the last one.
    """
    streams = [s for s in states if isinstance(s, StreamState)]
    owed = [s for s in streams if s.promise_kept is not None]
    kept = sum(bool(s.promise_kept) for s in owed)
    lines = [
        voice.say("digest.promises", kept=kept, owed=len(owed), streams=len(streams)),
        voice.say(
            "digest.rows",
            rows=sum(s.rows or 0 for s in streams),
            quarantine=sum(s.quarantine for s in streams),
        ),
        voice.say("digest.over", count=over),
        voice.say("digest.open", count=len(opened)),
    ]
    lines += [f"- {title(cause, voice)} ({voice.at(first)})" for cause, first in opened[:NAMED]]
    if len(opened) > NAMED:
        lines.append(voice.say("alert.and_more", count=len(opened) - NAMED))
    day = voice.at(now)[:10]
    head = voice.say("digest.title", day=day) if opened else voice.say("digest.well", day=day)
    return Message(head, "\n".join(lines))


def together(parts: Sequence[Message], voice: Voice) -> Message:
    """Return several messages as one."""
    body = "\n\n".join(f"{part.title}\n{part.body}" for part in parts[:NAMED])
    if len(parts) > NAMED:
        body += "\n\n" + voice.say("alert.and_more", count=len(parts) - NAMED)
    return Message(voice.say("alert.several", count=len(parts)), body)


def trial(voice: Voice) -> Message:
    """Return the message of `isthmus alerts test`."""
    return Message(voice.say("alert.trial"), voice.say("alert.trial_body"))


def _names(cause: Cause) -> dict[str, object]:
    return {
        "connection": cause.connection,
        "stream": cause.streams[0] if cause.streams else "",
        "kind": cause.kind,
    }


def _streams(cause: Cause, voice: Voice) -> str:
    named = ", ".join(cause.streams[:NAMED])
    left = len(cause.streams) - NAMED
    return f"{named} {voice.say('alert.and_more', count=left)}" if left > 0 else named
