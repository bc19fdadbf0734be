"""The catalogue of texts against itself and against the sources that use it."""

import ast
import string
from pathlib import Path

import pytest

from pipelines.texts import language, t, texts

ROOT = Path(__file__).resolve().parents[2] / "pipelines"


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def used() -> tuple[set[str], set[str], list[str]]:
    """Keys named in sources, prefixes of computed ones, and calls with neither."""
    keys, prefixes, odd = set(), set(), []
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and _is_text(node.func)):
                continue
            first = node.args[0]
            if isinstance(first, ast.Constant):
                keys.add(first.value)
            elif isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
                prefixes.add(first.values[0].value)
            else:
                odd.append(f"{path.name}:{node.lineno}")
    return keys, prefixes, odd


def _is_text(called: ast.expr) -> bool:
    """Say whether a call is `t(…)`, or `voice.say(…)` of a message to people elsewhere."""
    return getattr(called, "id", "") == "t" or getattr(called, "attr", "") == "say"


def test_every_key_has_both_languages() -> None:
    for key, pair in texts().items():
        assert set(pair) == {"en", "zh"}, key
        assert all(text.strip() for text in pair.values()), key
        assert any("一" <= c <= "鿿" for c in pair["zh"]), f"{key}: zh is not Chinese"


def test_both_languages_have_the_same_placeholders() -> None:
    for key, pair in texts().items():
        assert placeholders(pair["en"]) == placeholders(pair["zh"]), key


def test_sources_and_catalogue_name_the_same_keys() -> None:
    keys, prefixes, odd = used()
    assert odd == []
    catalogue = set(texts())
    assert keys - catalogue == set()
    computed = {k for k in catalogue if k.startswith(tuple(prefixes))}
    assert catalogue - keys - computed == set()
    for prefix in prefixes:
        assert any(k.startswith(prefix) for k in catalogue), prefix


def test_calls_fill_every_placeholder() -> None:
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and _is_text(node.func)):
                continue
            first = node.args[0]
            if isinstance(first, ast.Constant) and first.value in texts():
                given = {k.arg for k in node.keywords}
                if None in given:  # `**values`: seen when it runs
                    continue
                wanted = {p.partition("!")[0] for p in placeholders(texts()[first.value]["en"])}
                assert given == wanted, f"{path.name}:{node.lineno} {first.value}"


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"ISTHMUS_LANG": "zh", "LANG": "en_US.UTF-8"}, "zh"),
        ({"ISTHMUS_LANG": "", "LANG": "zh_TW.UTF-8"}, "zh"),
    ],
)
def test_language_comes_from_the_setting_then_the_locale(env, expected) -> None:
    assert language(env) == expected


def test_a_text_is_said_in_the_language_asked_for(monkeypatch) -> None:
    monkeypatch.setenv("ISTHMUS_LANG", "zh")
    assert t("age.s", n=3) == "3 秒"
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    assert t("age.s", n=3) == "3 s"
