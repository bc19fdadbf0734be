"""From an empty folder to a query through the command line alone, as the page says."""

import sqlite3
from pathlib import Path

import first_connection
import pytest
from first_connection import Done

PREVIEWS = (3, 4)
OWN = (0, 3, 5)
"""One step each that makes, looks and syncs in a process of its own, as a person's do."""
pytestmark = [
    pytest.mark.xdist_group("first connection"),  # the steps run once
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
touched: list[Path] = []


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Path, list[Done]]:
    folder = tmp_path_factory.mktemp("empty")
    found = []
    for number, each in enumerate(first_connection.run(folder, own=OWN)):
        found.append(each)
        if number in PREVIEWS:
            var = folder / "acme" / "var"
            touched.extend([*var.glob("landing/*"), *var.glob("store/*"), *var.glob("publ*/*")])
    return folder, found


def output(done: tuple[Path, list[Done]], number: int) -> str:
    return done[1][number].output


def test_every_step_ends_as_the_page_says(done) -> None:
    for each in done[1]:
        assert each.code == each.step.code, f"{each.step.typed}\n{each.output}"
        assert "Traceback" not in each.output


def test_title_and_sum_are_no_records_and_the_key_is_found(done) -> None:
    text = output(done, 2)
    assert "files 库存表*.xlsx, key 商品编码" in text
    assert "商品编码, 商品名称, 仓库, 库存数量, 可用数量, 更新时间" in text


def test_the_proposal_maps_chinese_headings_to_a_stock_level(done) -> None:
    text = output(done, 3)
    assert "entity: stock_level" in text
    assert "on_hand" in text
    assert "4 records read, 1 of them would be quarantined." in text
    assert "合计" not in text


def test_a_preview_touches_nothing(done) -> None:
    assert len(done[1]) > max(PREVIEWS)
    assert touched == []


def test_good_rows_are_published_and_the_bad_one_is_told(done) -> None:
    assert "1 in quarantine" in output(done, 5)
    rows = output(done, 6)
    assert "SKU-001" in rows
    assert "SKU-004" not in rows
    assert "SKU-004" in output(done, 7)


def test_a_corrected_cell_is_loaded_and_closes_its_entry(done) -> None:
    folder, _ = done
    assert "in quarantine" not in output(done, 8)
    assert "Nothing new" in output(done, 9)
    with sqlite3.connect(folder / "acme" / "var" / "control.db") as con:
        (runs,) = con.execute("select count(*) from runs where status = 'ok'").fetchone()
    con.close()
    assert runs == 3


def test_the_page_shows_what_the_commands_print(done) -> None:
    written = first_connection.PAGE.read_text("utf-8")
    assert first_connection.steady(first_connection.page(done[1])) == first_connection.steady(
        written
    ), "run python -m tests.support.first_connection"
