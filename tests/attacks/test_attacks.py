"""The fast part of every attack family, and the proof that the judges can convict."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rest_parts import raw_server

from pipelines.secrets import Secrets
from tests.attacks import a01_addresses, a03_secrets, a08_xml, a09_formulas
from tests.attacks.attempt import Attempt, Family, Task, guarded_wire, refused
from tests.attacks.canaries import ENCODINGS, canary, files_below, leaks, needles
from tests.attacks.report import as_dict, markdown
from tests.attacks.runner import MODULES, run_one

pytestmark = pytest.mark.filterwarnings("ignore")
LEAST = {
    "a01_addresses": 150,
    "a02_links": 40,
    "a03_secrets": 40,
    "a03_every_connector": 9,
    "a04_names": 500,
    "a05_queries": 300,
}


@pytest.mark.parametrize("name", MODULES)
def test_no_attack_succeeds(name: str, tmp_path: Path) -> None:
    family = run_one(name, tmp_path, quick=True)
    assert len(family.attempts) >= LEAST.get(name, 15)
    assert [f"{a.id} {a.name}: {a.detail}" for a in family.succeeded] == []


def test_a_plain_client_is_convicted_of_what_ours_refuses() -> None:
    with raw_server(lambda con: con.sendall(a01_addresses.ANSWER)) as (base, arrived):
        port = int(base.rpartition(":")[2])
        bad = 0
        for form in a01_addresses.forms(port)[:30]:
            with guarded_wire() as wire:
                try:
                    httpx.get(form.url, timeout=1.0, trust_env=False)
                except Exception:
                    continue
            bad += bool(a01_addresses._forbidden(wire, switch=False))
    assert bad >= 8
    assert len(arrived) >= 8


def test_a_plain_writer_is_convicted_of_formulas(tmp_path: Path) -> None:
    texts = a09_formulas.texts()
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[text] for text in texts])
    with (tmp_path / "a.csv").open(newline="") as file:
        cells = [row[0] for row in csv.reader(file)]
    assert sum(map(a09_formulas.is_formula, cells)) > 150
    assert not a09_formulas.is_formula("plain")
    assert not a09_formulas.is_formula("'=1")


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_canary_is_found_in_every_encoding(name: str, tmp_path: Path) -> None:
    secret = canary(1)
    (tmp_path / "run.log").write_text(f"x{ENCODINGS[name](secret)}y")
    assert len(leaks([secret], files_below(tmp_path))) == 1
    assert leaks([canary(2)], files_below(tmp_path)) == []


def test_an_xml_parser_would_be_seen() -> None:
    assert set(a08_xml.imported("import xml.etree.ElementTree as e\nfrom lxml import etree")) == {
        "xml.etree.ElementTree", "lxml",
    }  # fmt: skip


def test_a_crash_is_no_refusal(tmp_path: Path) -> None:
    assert refused("1", "x", TypeError("crash")).outcome == "succeeded"
    with pytest.raises(Exception, match="reference") as caught:
        Secrets({}, tmp_path).resolve("plain")
    assert refused("1", "x", caught.value).outcome == "refused"


def test_a_family_that_falls_over_counts_as_a_success(monkeypatch: Any, tmp_path: Path) -> None:
    def broken(task: Task) -> Iterator[Attempt]:
        yield Attempt("A8.1", "first", "refused")
        raise RuntimeError("the judge fell over")

    monkeypatch.setattr(a08_xml, "attempts", broken)
    family = run_one("a08_xml", tmp_path)
    assert [a.outcome for a in family.attempts] == ["refused", "succeeded"]


def test_a_canary_is_one_attempt_however_it_may_be_spelt() -> None:
    secret = canary(1)
    outputs = [("a.log", ENCODINGS["hex"](secret).encode()), ("b.log", secret.encode())]
    one = a03_secrets.searched("A3.1", "canary 1", secret, outputs)
    assert (one.outcome, one.searches) == ("succeeded", len(needles(secret)))
    assert "a.log" in one.detail
    assert "b.log" in one.detail
    other = a03_secrets.searched("A3.2", "canary 2", canary(2), outputs)
    assert other.outcome == "refused"
    found = as_dict([Family("A3", "secrets", [one, other])])
    assert (found["tried"], found["succeeded"]) == (2, 1)
    assert f"secrets ({one.searches + other.searches:,} spellings searched for) | 2 |" in markdown(
        found
    )


def test_the_page_shows_successes() -> None:
    family = Family(
        "A0", "test", [Attempt("A0.1", "a", "refused"), Attempt("A0.2", "b", "succeeded", "why")]
    )
    found = as_dict([family])
    assert (found["tried"], found["succeeded"]) == (2, 1)
    assert "searched for" not in markdown(found)
    assert "A0.2 b: why" in markdown(found)
