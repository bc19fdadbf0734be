"""Parts of the checker: words, secrets, lines of pydantic errors."""

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from mappings.yamltext import read_text
from pipelines.check.models import models_in, names_at
from pipelines.check.problems import from_validation, locate, spell
from pipelines.check.secrets import REFERENCE, in_clear, is_secret, rendered
from pipelines.check.words import closest, meant


class Paging(BaseModel):
    model_config = ConfigDict(extra="forbid")
    cursor: str
    param: str


class Offset(BaseModel):
    model_config = ConfigDict(extra="forbid")
    offset: str
    limit: str


class Stream(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: str
    paging: Paging | Offset | None = None
    method: Literal["GET", "POST"] = "GET"


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    base_url: str
    retries: int = 3
    streams: dict[str, Stream] = {}


def problems(text: str) -> list[tuple[int, str, str, str]]:
    document = read_text(text, "defs.yaml")
    try:
        Settings.model_validate(document.data["config"])
    except ValidationError as error:
        found = from_validation(document, error, Settings, under=("config",))
        return [(p.line, p.field, p.found, p.meant) for p in sorted(found)]
    return []


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("titel", "title"),
        ("base-url", "base_url"),
        ("BASE_URL", "base_url"),
        ("str", "streams"),
        ("zzz", None),
    ],
)
def test_closest_word(word, expected) -> None:
    assert closest(word, ["title", "base_url", "streams"]) == expected


def test_without_a_near_word_the_known_ones_are_told(monkeypatch) -> None:
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    assert meant("zzz", ["b", "a"]) == "Known: a, b."


def test_an_unknown_member_is_told_with_its_line_and_the_word_meant(monkeypatch) -> None:
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    found = problems("config:\n  base_url: x\n  streems:\n    orders:\n      path: /o\n")
    assert found == [(3, "config.streems", "is not known here.", "Did you mean streams?")]


def test_a_missing_member_whose_misspelling_stands_there_names_it(monkeypatch) -> None:
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    found = problems("config:\n  bas_url: x\n")
    assert [f[:2] for f in found] == [(1, "config.base_url"), (2, "config.bas_url")]
    assert found[0][3] == "Did you mean bas_url?"


def test_every_mistake_is_found_not_only_the_first() -> None:
    found = problems(
        "config:\n  base_url: x\n  retries: many\n  streams:\n    a: {path: /a, method: FETCH}\n"
        "    b: {pathh: /b}\n"
    )
    assert [(line, field) for line, field, _, _ in found] == [
        (3, "config.retries"),
        (5, "config.streams.a.method"),
        (6, "config.streams.b.path"),
        (6, "config.streams.b.pathh"),
    ]


def test_a_value_of_several_shapes_is_wrong_once_a_member() -> None:
    found = problems("config:\n  base_url: x\n  streams:\n    a:\n      path: /a\n"
                     "      paging: {cursr: c, param: p}\n")  # fmt: skip
    assert "config.streams.a.paging.cursr" in [f for _, f, _, _ in found]
    assert len({f for _, f, _, _ in found}) == len(found)


def test_names_at_looks_through_unions_and_maps() -> None:
    assert names_at(Settings, ["streams", "orders"]) == ["method", "paging", "path"]
    assert names_at(Settings, ["streams", "orders", "paging"]) == [
        "cursor", "limit", "offset", "param",
    ]  # fmt: skip
    assert models_in(dict[str, Stream] | None) == [Stream]


def test_a_loc_with_names_of_union_members_finds_its_spot() -> None:
    document = read_text("a:\n  b: [x, y]\n")
    assert locate(document, ("a", "Paging", "b", "list[str]", 1)) == ("a", "b", 1)
    assert spell(("a", "b", 1)) == "a.b[1]"


@pytest.mark.parametrize(
    ("spot", "value"),
    [
        (("auth", "bearer"), "abc"),
        (("auth", "basic", 1), "pw"),
        (("auth", "header", "X-Api-Key"), "k"),
        (("auth", "oauth2", "client_secret"), "x"),
        (("params", "access_token"), "x"),
        (("base_url",), "https://me:pw@shop.example/api"),
        (("base_url",), "https://shop.example/api?token=abcdefgh"),
        (("headers", "X"), "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
        (("note",), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
    ],
)
def test_secrets_are_known_by_place_or_look(spot, value) -> None:
    assert is_secret(spot, value)


@pytest.mark.parametrize(
    ("spot", "value"),
    [
        (("auth", "basic", 0), "reader"),
        (("auth", "oauth2", "client_id"), "isthmus"),
        (("auth", "oauth2", "token_url"), "https://id.example/token"),
        (("streams", "orders", "paging", "param"), "page_token"),
        (("streams", "orders", "paging", "token"), "next_page_token"),
        (("streams", "orders", "key"), "id"),
        (("base_url",), "https://shop.example:8443/api"),
        (("tls", "pin"), "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        (("folder",), "data/2026/warehouse_export_of_november"),
    ],
)
def test_what_only_looks_technical_is_no_secret(spot, value) -> None:
    assert not is_secret(spot, value)


def test_references_pass_and_templates_do_not() -> None:
    document = read_text(
        'config:\n  auth: {bearer: "env:TOKEN"}\n  tls: {ca: "file:ca.pem"}\n  x: "{{ env.T }}"\n'
    )
    assert list(in_clear(document, ("config",))) == []
    assert [p.line for p in rendered(document)] == [4]


def test_a_word_may_stand_before_a_reference() -> None:
    for said in ("env:A", "Token env:A", "session=env:A", "file:secrets/a"):
        assert REFERENCE.search(said), said
    assert not REFERENCE.search("session=s3cret-env:A")
