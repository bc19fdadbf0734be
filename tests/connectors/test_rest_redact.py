"""No secret leaves in a text, however it is written; no text forges a log line."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.redact import MASK, QUIET, Redactor, quiet_http_logs

FORMS = {
    "plain": lambda s: s,
    "url": lambda s: quote(s, safe=""),
    "url lower": lambda s: quote(s, safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
    "form": quote_plus,
    "json": lambda s: json.dumps(s)[1:-1],
    "hex": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 url": lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    "basic user": lambda s: base64.b64encode(f"{s}:".encode()).decode(),
    "basic password": lambda s: base64.b64encode(f"us:{s}".encode()).decode(),
    "basic password 2": lambda s: base64.b64encode(f"use:{s}".encode()).decode(),
    "basic password 3": lambda s: base64.b64encode(f"user:{s}".encode()).decode(),
}
SECRETS = ["s3cret/Canary+42=", 'quo"te\\slash', "密码-canary", "plainword99"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_every_form_of_a_secret_is_masked(secret, form):
    written = FORMS[form](secret)
    text = Redactor([secret]).text(f"before {written} after")
    assert MASK in text
    core = written.strip("=")
    assert core not in text
    if form.startswith("base"):
        assert core[6:-6] not in text


@given(
    secret=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=6),
    around=st.tuples(st.text(max_size=20), st.text(max_size=20)),
    form=st.sampled_from(sorted(FORMS)),
)
def test_no_canary_survives_in_any_text(secret, around, form):
    assume(secret == secret.strip() and secret not in MASK)
    written = FORMS[form](secret)
    masked = Redactor([secret]).mask(around[0] + "|" + written + "|" + around[1])
    assert written not in masked or written in (around[0] + around[1])
    if not form.startswith("base"):
        assert written not in masked


@given(st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp"])))
def test_a_text_without_secrets_is_unchanged(text):
    assert Redactor(["a-secret-that-is-not-there"]).text(text) == text


def test_the_longest_secret_goes_first():
    assert Redactor(["token", "token-and-more"]).text("token-and-more token") == f"{MASK} {MASK}"


def test_short_values_do_not_black_out_words():
    assert Redactor(["a", "", "abc"]).text("abc a") == "abc a"


def test_control_characters_cannot_forge_a_line():
    forged = "name\r\n2026-01-01 ERROR forged\x1b[31m red\x1b[0m\x00\u2028x"
    assert Redactor().text(forged) == "name 2026-01-01 ERROR forged red x"


def test_the_filter_rewrites_records_arguments_and_tracebacks(caplog):
    logger = logging.getLogger("isthmus.test")
    logger.addFilter(Redactor(["s3cret-value"]).filter())
    try:
        raise ValueError("s3cret-value")
    except ValueError:
        logger.exception("failed with %s\n%s", "s3cret-value", {"k": "s3cret-value"})
    assert "s3cret-value" not in caplog.text
    assert f"failed with {MASK} {{'k': '{MASK}'}}" in caplog.text


def test_http_libraries_say_nothing_below_a_warning():
    quiet_http_logs()
    for name in QUIET:
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)  # as a host application may do
        record = logger.makeRecord(name, logging.INFO, "f", 1, "GET /?token=x", (), None)
        assert not logger.filter(record)
        logger.setLevel(logging.WARNING)


def test_a_secret_cut_short_by_a_message_is_masked_as_far_as_it_goes():
    secret = "Tok3n-4711-abcdefghijklmnopqrstuvwxyz"
    for length in (12, 20, 36):
        assert Redactor([secret]).text(f"is '{secret[:length]}' here") == f"is '{MASK}' here"
    assert Redactor([secret]).text(secret[:11]) == secret[:11]


@pytest.mark.parametrize(
    "said", ["a&amp;b&#x27;c&lt;d-4711", "a&amp;b'c&lt;d-4711", "a%2526b%2527c%253Cd-4711"]
)
def test_html_and_double_escapes_are_masked(said):
    assert Redactor(["a&b'c<d-4711"]).text(f"x {said} y") == f"x {MASK} y"


def test_a_secret_with_a_quote_is_masked_in_what_repr_makes_of_it():
    for secret in ("Tok'en-4711\\x", "Tok'en\"-4711\\x"):
        said = Redactor([secret]).text(f"is {secret!r} here")
        assert said.replace('"', "'") == f"is '{MASK}' here"


@pytest.mark.parametrize("depth", range(5))
@pytest.mark.parametrize("wrap", [lambda s: json.dumps(s)[1:-1], repr])
def test_a_secret_is_masked_however_often_it_was_escaped(depth, wrap):
    secret = "ab\"c\\d'e/fghijklmnopQ1"
    text = secret
    for _ in range(depth):
        text = wrap(text)
    assert "fghij" not in Redactor([secret]).mask(f"said {text}, not")
    assert "fghij" not in Redactor([secret]).mask(text.replace("/", "\\/"))
