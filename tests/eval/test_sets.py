"""The generated sets are what their docstring says: the same again, valid, hard, and decidable."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.eval import febrl, words
from tests.eval.ceiling import ceiling
from tests.eval.chinese import generate
from tests.eval.codes import check_digit, is_valid_uscc
from tests.eval.dataset import DataSet
from tests.eval.folder import read_folder
from tests.eval.party import COLUMNS, Row
from tests.eval.profile import CITY, PROFILES, VILLAGE, Profile

ALWAYS = (
    "short", "suffix", "bracket", "lookalike", "soundalike", "traditional", "pinyin",
    "pinyin_swapped", "nickname", "no_code", "masked_phone", "family_phone", "switchboard",
    "reused_phone", "group", "namesake", "placeholder", "address_prefix", "full_width",
    "duplicate", "uscc_typo", "masked_name", "agent_phone", "contact_as_name",
)  # fmt: skip


@pytest.fixture(scope="module", params=PROFILES.values(), ids=lambda one: one.name)
def made(request: pytest.FixtureRequest) -> tuple[Profile, DataSet]:
    return request.param, generate(7, 3_000, request.param)


def test_a_code_of_the_standard_has_its_check_digit() -> None:
    assert check_digit("91350100M000100Y4") == "3"  # the example printed in GB 32100-2015
    assert is_valid_uscc("91350100M000100Y43")
    assert not is_valid_uscc("91350100M000100Y34")
    assert not is_valid_uscc("91350100I000100Y43")


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        generate(seed, 800).write(tmp_path / folder)
    files = sorted(one.name for one in (tmp_path / "a").iterdir())
    assert files == ["crm.csv", "erp.csv", "logistics.csv", "shop.csv", "tags.tsv", "truth.csv"]
    for name in files:
        said = [(tmp_path / folder / name).read_bytes() for folder in "abc"]
        assert said[0] == said[1] != said[2]


def test_every_row_has_a_key_of_its_own_and_a_party(made: tuple[Profile, DataSet]) -> None:
    profile, data = made
    assert len(data.rows) >= 3_000
    assert len({row.key for row in data.rows}) == len(data.rows)
    assert all(row.party and tuple(row.values) == COLUMNS for row in data.rows)
    assert {row.key[0] for row in data.rows} == {one.connection for one in profile.habits}


def test_codes_fail_their_check_digit_only_where_they_were_mistyped(
    made: tuple[Profile, DataSet],
) -> None:
    parties = defaultdict(set)
    for row in made[1].rows:
        code = row.values["uscc"].replace(" ", "").upper()
        if len(code) == 18 and "placeholder" not in row.tags:
            assert is_valid_uscc(code) == ("uscc_typo" not in row.tags)
            if is_valid_uscc(code):
                parties[code].add(row.party)
    assert len(parties) > 100
    assert {len(one) for one in parties.values()} == {1}


def test_each_corruption_is_there_and_none_is_everywhere(made: tuple[Profile, DataSet]) -> None:
    tags = Counter(tag for row in made[1].rows for tag in row.tags)
    assert {tag: tags[tag] for tag in ALWAYS if not tags[tag]} == {}
    rows = len(made[1].rows)
    assert all(count < 0.45 * rows for tag, count in tags.items() if tag != "address_prefix")


def test_numbers_are_shared_as_their_tags_say(made: tuple[Profile, DataSet]) -> None:
    users = defaultdict(set)
    for row in made[1].rows:
        users[row.values["phone"]].add(row.party)
    for tag, at_least in (("family_phone", 0.4), ("agent_phone", 0.9), ("reused_phone", 0.5)):
        rows = [row for row in made[1].rows
                if tag in row.tags and not {"masked_phone", "phone_format"} & row.tags]  # fmt: skip
        shared = sum(len(users[row.values["phone"]]) > 1 for row in rows)
        assert shared >= at_least * len(rows), tag


def test_a_number_used_again_has_its_former_rows_first() -> None:
    data = generate(11, 5_000)
    dates = defaultdict(lambda: defaultdict(list))
    for row in data.rows:
        phone = row.values["phone"]
        if "reused_phone" in row.tags and phone.isdigit():
            dates[phone][row.party].append(row.values["created_at"])
    handed = [list(one.values()) for one in dates.values() if len(one) == 2]
    assert len(handed) > 5
    for one, other in handed:
        assert max(one) < min(other) or max(other) < min(one)


def test_the_two_profiles_differ_in_words_places_and_proportions() -> None:
    for one in (words.CORE, words.GIVEN_MALE, words.STREETS, words.INDUSTRIES):
        assert not set(words.half_of(one, CITY.half)) & set(words.half_of(one, VILLAGE.half))
        assert len(words.half_of(one, CITY.half)) >= 25
    assert not {one.name for one in CITY.cities} & {one.name for one in VILLAGE.cities}
    city, village = generate(5, 4_000, CITY), generate(5, 4_000, VILLAGE)
    coded = [sum(bool(row.values["uscc"]) for row in one.rows) for one in (city, village)]
    assert coded[0] > 1.4 * coded[1]
    names = {row.values["name"] for row in city.rows}
    assert len(names) > 2_500


def test_a_set_can_be_decided_for_the_greater_part_only(made: tuple[Profile, DataSet]) -> None:
    bound = ceiling(made[1].rows)
    assert 0.93 < bound.ceiling < 1
    assert 0 < bound.plain < bound.ceiling
    assert bound.direct <= bound.ceiling
    assert len(bound.open_pairs) > 0


def _row(party: str, **values: str) -> Row:
    return Row(dict.fromkeys(COLUMNS, "") | values, party)


def test_evidence_that_another_party_has_as_well_decides_nothing() -> None:
    pair = [
        _row("A", name="张伟", phone="13912345678"),
        _row("A", name="张伟", phone="13912345678"),
    ]
    assert ceiling(pair).ceiling == 1
    assert ceiling([*pair, _row("B", name="张伟", phone="13912345678")]).ceiling == 0
    assert ceiling([*pair, _row("B", name="李娜", phone="13912345678")]).ceiling == 1
    apart = [_row("A", name="张伟", city="杭州市"), _row("A", name="快乐的猫", city="杭州市")]
    assert ceiling(apart).ceiling == 0


def test_a_third_row_leads_from_one_to_the_other() -> None:
    said = ({"name": "张伟强", "phone": "13912345678"}, {"name": "快乐猫", "phone": "13912345678"},
            {"name": "张伟强", "email": "zhang@qq.com"})  # fmt: skip
    rows = [_row("A", **values) for values in said]
    bound = ceiling(rows)
    assert (bound.ceiling, bound.direct) == (1, pytest.approx(2 / 3))


def test_febrl4_has_its_rows_and_pairs() -> None:
    data = febrl.load()
    assert Counter(row.key[0] for row in data.rows) == {"febrl_a": 5_000, "febrl_b": 5_000}
    assert Counter(Counter(row.party for row in data.rows).values()) == {2: 5_000}
    first = data.rows[0].values
    told = (first["name"], first["birth_date"], first["address"], first["region"])
    assert told == ("michaela neumann", "1915-11-11", "8 stanley street miami", "nsw")


def test_a_written_set_is_read_back(tmp_path: Path) -> None:
    data = generate(2, 600)
    data.write(tmp_path / "set")
    back = read_folder(tmp_path / "set")
    key = lambda row: row.key  # noqa: E731
    for wrote, read in zip(sorted(data.rows, key=key), sorted(back.rows, key=key), strict=True):
        assert (wrote.key, wrote.party, wrote.tags) == (read.key, read.party, read.tags)
        assert wrote.values == read.values
    assert (back.name, back.warnings) == ("set", [])
