"""One place through which texts go before anybody reads them: secrets out, one event one line."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from connectors.errors import ConnectorError

if TYPE_CHECKING:
    from connectors.base import Finding, Page

MASK = "[secret]"
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SHORTEST = 4
_CUT = 12
_LONG = 24
_PASSING = 4
_MOST = 64


class Redactor:
    """Replaces secret values, however they are written, and strips what forges log lines.

    Values shorter than four characters are left alone: masking them would black out plain words.
    The first 12 and more characters of a long one are masked too: messages quote texts cut short.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._nested: list[str] = []
        self._pattern: re.Pattern[str] | None = None
        self._passing: dict[tuple[str, str], tuple[str, ...]] = {}
        self._learning = threading.Lock()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Learn one more secret value."""
        secret = secret.strip()
        if len(secret) < _SHORTEST:
            return
        with self._learning:
            self._forms = self._forms | set(_forms(secret))  # another thread may be masking
            if any(sign in secret for sign in "\"'\\/"):
                self._nested.append(_nested_pattern(secret))
            self._pattern = None

    def add_passing(self, name: str, secret: str) -> None:
        """Learn a value that others take the place of: the last few of each `name` are masked.

        Some servers give a cookie anew with each answer. A pattern of all of them would take longer
        to make at each, and soon longer than the answer.
        """
        mine, secret = (name, secret.strip()), secret.strip()
        if len(secret) < _SHORTEST or mine in self._passing:
            return
        forms = sorted({*_forms(secret), secret.replace("/", "\\/")}, key=len, reverse=True)
        with self._learning:
            known = dict(self._passing)
            same = [key for key in known if key[0] == name]
            if len(same) == _PASSING or len(known) == _MOST:
                del known[(same or [*known])[0]]
            self._passing = {**known, mine: tuple(forms)}  # another thread may be masking

    def mask(self, text: str) -> str:
        """Return `text` without secrets, line breaks kept."""
        if self._forms:
            text = (self._pattern or self._compiled()).sub(MASK, text)
        passing = [*chain.from_iterable(self._passing.values())]
        for form in passing:
            text = text.replace(form, MASK)
        for form in chain(passing, self._forms):
            text = _short_of(text, form)
        return text

    def _compiled(self) -> re.Pattern[str]:
        """Return the pattern of all secrets: made at the first text, since most see none."""
        with self._learning:
            longest_first = sorted(self._forms, key=len, reverse=True)
            patterns = [*self._nested, *(_escape_pattern(form) for form in longest_first)]
            self._pattern = re.compile("|".join(patterns))
            return self._pattern

    def text(self, text: str) -> str:
        """Return `text` without secrets, ANSI escapes and control characters, on one line."""
        return _CONTROL.sub(" ", _ANSI.sub("", self.mask(text)))

    def clean(self, error: ConnectorError, place: str = "") -> None:
        """Put the texts of `error` through `text`; `place` is where none was named.

        Some texts quote an answer, and only a connector knows the tokens that its system issued.
        """
        error.what, error.do = self.text(error.what), self.text(error.do)
        error.place = self.text(error.place) or place
        error.args = (f"{error.place}: {error.what}" if error.place else error.what,)

    @contextmanager
    def cleaned(self, place: str = "") -> Iterator[None]:
        """Put the errors of the block through `clean`."""
        try:
            yield
        except ConnectorError as error:
            self.clean(error, place)
            raise

    def finding(self, found: Finding) -> Finding:
        """Return a finding whose texts went through `text`."""
        return replace(found, what=self.text(found.what), do=self.text(found.do))

    def page(self, page: Page) -> Page:
        """Return a page whose warnings went through `text`."""
        if not page.warnings:
            return page
        return replace(page, warnings=tuple(map(self.text, page.warnings)))

    def filter(self) -> logging.Filter:
        """Return a filter that rewrites every record that passes a logger or handler."""
        return _Filter(self)


class _Filter(logging.Filter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._redactor.text(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._redactor.mask(record.exc_text)
        return True


def _short_of(text: str, form: str) -> str:
    """Return `text` without the beginnings of a long form."""
    is_there = len(form) >= _LONG and form[:_CUT] in text
    return _without_beginning(text, form) if is_there else text


def _without_beginning(text: str, form: str) -> str:
    """Mask every beginning of `form` in `text`, as far as the text goes on like it."""
    at = text.find(form[:_CUT])
    while at >= 0:
        end = at + _CUT
        while end < len(text) and end - at < len(form) and text[end] == form[end - at]:
            end += 1
        text = text[:at] + MASK + text[end:]
        at = text.find(form[:_CUT], at + len(MASK))
    return text


def _escape_pattern(form: str) -> str:
    """Return a pattern for `form` in which %2f and %2F are the same."""
    return re.sub("%[0-9A-Fa-f]{2}", lambda hit: f"(?i:{hit[0]})", re.escape(form))


def _nested_pattern(secret: str) -> str:
    r"""Return a pattern for JSON in JSON, or in what repr writes: \" and \\\" and \/ and so on."""
    signs = (r"\\{1,31}" if s == "\\" else r"\\{0,31}" + re.escape(s) for s in secret)
    return "".join(signs)  # bounded: a text of backslashes alone is gone through once


def _forms(secret: str) -> Iterable[str]:
    """Yield the ways in which a secret is met: plain, URL, base64 at each offset, JSON, hex."""
    raw = secret.encode()
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield quote(quote(secret, safe=""), safe="")
    yield secret.replace("\\", "\\\\").replace("'", "\\'")  # as repr writes it
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    for ascii_only in (True, False):
        yield json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
    yield raw.hex()
    yield raw.hex().upper()
    for shift in range(3):  # inside a longer base64 text the secret starts at one of three offsets
        coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        # the outer characters carry bits of the neighbours
        inner = coded[(shift * 8 + 5) // 6 : len(coded) if (shift + len(raw)) % 3 == 0 else -1]
        if len(inner) >= 6:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


QUIET = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)


def quiet_http_logs() -> None:
    """Hold back what httpx and httpcore log: whole URLs at INFO, headers at DEBUG."""
    for name in QUIET:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        if not any(isinstance(f, _OnlyWarnings) for f in logger.filters):
            logger.addFilter(_OnlyWarnings())


class _OnlyWarnings(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING
