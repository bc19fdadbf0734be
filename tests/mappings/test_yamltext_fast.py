"""libyaml and the loader in Python read the same; a mistake is told in the words of the latter."""

from __future__ import annotations

import pytest
import yaml

from mappings import yamltext
from mappings.yamltext import Document, YamlError, read_text

TEXTS = (
    "a: 1\nb: on\nc:\n  - '2'\n  - \"x\"\n  - {k: , l: [1, ''] }\nd: |\n  two\n  lines\ne:\n",
    "名称: 订单 # 说明\n'键 1': 2026-01-01\n金额: 12:30\n",
    "",
    "- a\n- - b\n  - c\n",
    "a: 1\na: 2\n",
    "a: *x\n",
    "a: &中文 1\n",
    "a: [b\n",
    "a: 1\n\tb: 2\n",
    "a: \tb\n",
    "a: 1\n\ufeffb: 2\n",
    "a: b: c\n",
    "a: '中\n",
    "[" * 60 + "]" * 60,
)


@pytest.mark.parametrize("text", TEXTS)
def test_both_say_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(loader: type) -> Document | str:
        monkeypatch.setattr(yamltext, "_FAST", loader)
        try:
            return read_text(text)
        except YamlError as error:
            return str(error)

    assert hasattr(yaml, "CSafeLoader"), "PyYAML is pinned as a wheel, which has libyaml"
    assert read(yaml.CSafeLoader) == read(yaml.SafeLoader)
