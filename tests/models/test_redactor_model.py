"""Whatever text a secret stands in, and however it is written there, it does not come out."""

from __future__ import annotations

import base64
import codecs
import json
import os
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlencode

import hypothesis.strategies as st
from hypothesis import assume, given, settings

from connectors.redact import Redactor

FULL = os.environ.get("ISTHMUS_HYPOTHESIS") == "full"
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
TEXTS = st.text(LETTERS, max_size=40)
SECRETS = st.text(
    st.sampled_from("abcXYZ019-_+/=%&@:. 密码\"'\\é"), min_size=8, max_size=40
).filter(lambda text: text == text.strip() and len(set(text)) > 3)  # fmt: skip


def _basic(secret: str, around: str) -> str:
    return base64.b64encode(f"{around}:{secret}".encode()).decode()


ENCODINGS: dict[str, Callable[[str, str], str]] = {
    "plain": lambda s, a: s,
    "quoted": lambda s, a: quote(s, safe=""),
    "path": lambda s, a: quote(s),
    "form": lambda s, a: quote_plus(s),
    "lower percent": lambda s, a: quote(s, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
    "query": lambda s, a: urlencode({"token": s, "q": a}),
    "json": lambda s, a: json.dumps({"t": s, "a": a}),
    "json, own letters": lambda s, a: json.dumps([a, s], ensure_ascii=False),
    "hex": lambda s, a: s.encode().hex(),
    "basic": _basic,
    "base64, url": lambda s, a: base64.urlsafe_b64encode(f"{a}{s}".encode()).decode(),
    "repr": lambda s, a: repr(s) if "\\" not in s and "'" not in s else s,
}


@settings(max_examples=3_000 if FULL else 300, deadline=None)
@given(SECRETS, TEXTS, TEXTS, TEXTS, st.sampled_from(sorted(ENCODINGS)))
def test_no_canary_comes_out(
    secret: str, before: str, after: str, around: str, encoding: str
) -> None:
    written = ENCODINGS[encoding](secret, around)
    redactor = Redactor([secret])
    for text in (redactor.mask(before + written + after), redactor.text(before + written + after)):
        for readable in _read(text):
            assert secret not in readable


def _read(text: str) -> list[str]:
    """Return what a reader can make of a text: by URL, JSON and hex, by base64 at any offset."""
    found = [text, unquote(text), unquote_plus(text)]
    found += [codecs.escape_decode(hit.replace("\\/", "/").encode())[0].decode(errors="ignore")
              for hit in re.findall(r"[^\\]*(?:\\[\"\\/][^\\]*)+", text)]  # fmt: skip
    found += [
        bytes.fromhex(hit).decode(errors="ignore")
        for hit in re.findall("(?:[0-9a-f]{2}){8,}", text)
    ]
    for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", text):
        for offset in range(4):
            part = run[offset:].replace("-", "+").replace("_", "/")
            part = part[: len(part) // 4 * 4]
            found.append(base64.b64decode(part).decode(errors="ignore"))
    return found


@settings(max_examples=3_000 if FULL else 300, deadline=None)
@given(SECRETS, TEXTS)
def test_a_text_without_the_secret_is_unchanged(secret: str, text: str) -> None:
    forms = [make(secret, "") for make in ENCODINGS.values()]
    assume(not any(form[:6] in text for form in [secret, *forms]))
    assert Redactor([secret]).mask(text) == text


@settings(max_examples=2_000 if FULL else 200, deadline=None)
@given(st.lists(SECRETS, min_size=2, max_size=4), TEXTS)
def test_secrets_that_hold_each_other_all_go(secrets: list[str], around: str) -> None:
    nested = [*secrets, secrets[0] + secrets[1]]
    masked = Redactor(nested).mask(around.join(nested))
    for secret in nested:
        assert secret not in masked
