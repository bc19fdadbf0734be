"""CSV files: encodings, delimiters, headings, ragged rows, nothing lost."""

from __future__ import annotations

import codecs
import csv
import random
from pathlib import Path

import pytest

from connectors.base import Context, Page, ReadRequest
from connectors.errors import ContractBroken, TooLarge
from connectors.files import FilesConnector, FilesSettings
from connectors.files import csvs as csv_reader

TEXT = "编号,名称,金额\n1,上海浦江轴承有限公司,10.50\n2,王小明,7\n"
ROWS = [("1", "上海浦江轴承有限公司", "10.50"), ("2", "王小明", "7")]


def connector(folder: Path, **stream: object) -> FilesConnector:
    wanted = {"pattern": "*.csv", "key": "编号"} | stream
    settings = FilesSettings.model_validate({"folder": str(folder), "streams": {"s": wanted}})
    return FilesConnector(settings, Context("office", pause=lambda seconds: None))


def read(folder: Path, **stream: object) -> list[Page]:
    return list(connector(folder, **stream).read(ReadRequest("s")))


def rows(pages: list[Page]) -> list[dict[str, str | None]]:
    return [row for page in pages if len(page.records) for row in page.records.to_pylist()]


def warned(pages: list[Page]) -> str:
    return "\n".join(line for page in pages for line in page.warnings)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(TEXT.encode(), id="utf-8"),
        pytest.param(codecs.BOM_UTF8 + TEXT.encode(), id="utf-8-bom"),
        pytest.param(TEXT.encode("gb18030"), id="gb18030"),
        pytest.param(codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), id="utf-16-le"),
        pytest.param(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), id="utf-16-be"),
        pytest.param(TEXT.replace(",", "\t").encode(), id="tab"),
        pytest.param(TEXT.replace(",", ";").encode("gb18030"), id="semicolon"),
        pytest.param(TEXT.replace(",", "|").encode(), id="bar"),
        pytest.param(TEXT.replace("\n", "\r\n").encode(), id="crlf"),
        pytest.param(TEXT.replace("\n", "\r").encode(), id="cr"),
        pytest.param(TEXT.rstrip("\n").encode(), id="no-last-newline"),
        pytest.param(b"\n\n" + TEXT.encode(), id="blank-lines-above"),
    ],
)
def test_the_same_rows_whatever_the_encoding_and_delimiter(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(raw)
    pages = read(tmp_path)
    assert [(r["编号"], r["名称"], r["金额"]) for r in rows(pages)] == ROWS
    assert pages[-1].complete
    assert pages[-1].part == "a.csv"
    assert [key for page in pages for key in page.keys] == ["1", "2"]
    assert warned(pages) == ""


def test_rare_chinese_of_four_bytes_is_read(tmp_path: Path) -> None:
    text = TEXT + "3,㐂屋𠮷野家,1\n"
    (tmp_path / "a.csv").write_bytes(text.encode("gb18030"))
    assert rows(read(tmp_path))[2]["名称"] == "㐂屋𠮷野家"


def test_title_rows_above_the_headings_and_sums_below(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "交易明细,,\n账号:,6222020000001,\n\n编号,名称,金额\n1,甲,5\n小计：,,5\n2,乙,6\n合 计,,11\n"
    )
    pages = read(tmp_path)
    assert [(r["编号"], r["金额"], r["_row"]) for r in rows(pages)] == [
        ("1", "5", "5"),
        ("2", "6", "7"),
    ]
    assert "2 rows of sums left out" in warned(pages)


def test_a_name_that_begins_like_a_sum_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,名称\nTotal Quartz 5W,机油\n合计算法,书\nTotal,\n")
    assert [r["编号"] for r in rows(read(tmp_path))] == ["Total Quartz 5W", "合计算法"]


def test_skip_words_can_be_switched_off_and_chosen(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,名称\n合计,x\n制表人：张,\n1,y\n")
    assert len(rows(read(tmp_path, skip="none"))) == 3
    assert [r["编号"] for r in rows(read(tmp_path, skip=["合计", "制表人*"]))] == ["1"]


def test_quoted_newlines_quotes_and_delimiters_stay_in_their_cell(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('编号,名称\n1,"两行\n文字, 5"" 屏"\n2,"=1+1"\n')
    found = rows(read(tmp_path))
    assert [(r["名称"], r["_row"]) for r in found] == [('两行\n文字, 5" 屏', "2"), ("=1+1", "3")]


def test_rows_of_another_length_lose_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,名称,金额\n1,甲,5\n2,乙\n3,丙,7,多,余\n\n,,\n4,丁,8\n")
    pages = read(tmp_path)
    found = rows(pages)
    assert [(r["编号"], r["金额"], r["_more"], r["_row"]) for r in found] == [
        ("1", "5", None, "2"),
        ("2", None, None, "3"),
        ("3", "7", '["多", "余"]', "4"),
        ("4", "8", None, "7"),
    ]
    assert "1 rows have more cells than headings (row 4)" in warned(pages)
    assert "1 rows have fewer cells than headings (row 3)" in warned(pages)


def test_a_file_of_odd_rows_only(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,名称,金额\n1,甲\n2,乙\n")
    assert [r["编号"] for r in rows(read(tmp_path, header="1", delimiter=","))] == ["1", "2"]


def test_odd_rows_far_apart_keep_their_row_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "BLOCK", 4096)
    lines = ["编号,名称", *(f"{n}" if n % 97 == 0 else f"{n},名{n}" for n in range(2, 20_002))]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    pages = read(tmp_path, delimiter=",")
    found = rows(pages)
    assert len(found) == 20_000
    assert all(r["编号"] == r["_row"] for r in found)
    assert [key for page in pages for key in page.keys] == [str(n) for n in range(2, 20_002)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("stray", [False, True], ids=["closed", "stray-quotes"])
def test_rows_are_the_same_however_small_the_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, stray: bool
) -> None:
    monkeypatch.setattr(csv_reader, "STEP", 4_096 if stray else 256)
    monkeypatch.setattr(csv_reader, "BLOCK", 16_384)
    rng = random.Random(4)
    words = ("甲", "a\nb", 'say "hi"', "x,y", "", "一" * 900, *(['5" pipe'] * stray))
    table = [[str(n), rng.choice(words), rng.choice(words)] for n in range(1, 1_500)]
    if stray:  # as programs write them that do not quote: a quote inside a cell is a sign
        lines = [",".join(_said(cell) for cell in row) for row in table]
    else:
        lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table]
    text = end.join(["编号,名称,说明", *lines]) + end
    (tmp_path / "a.csv").write_text(text, newline="")
    found = [(r["编号"], r["名称"] or "", r["说明"] or "") for r in rows(read(tmp_path))]
    assert found == [tuple(row) for row in table]


def _said(cell: str) -> str:
    if cell == '5" pipe' or not set(cell) & set('",\n'):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def test_a_record_of_nearly_the_longest_size_is_read_in_small_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "STEP", 1_000)
    monkeypatch.setattr(csv_reader, "BLOCK", 100_000)
    long = "\n".join("wide note" for _ in range(9_000))
    text = "编号,说明\n" + "".join(f'{n},"{long if n == 40 else n}"\n' for n in range(1, 80))
    (tmp_path / "a.csv").write_text(text)
    found = rows(read(tmp_path, delimiter=","))
    assert [r["编号"] for r in found] == [str(n) for n in range(1, 80)]
    assert found[39]["说明"] == long


def test_a_long_note_in_the_first_rows_of_the_first_file(tmp_path: Path) -> None:
    csv.field_size_limit(131_072)  # what a fresh process has
    (tmp_path / "a.csv").write_text(f'编号,说明\n1,"{"很长" * 70_000}"\n2,b\n')
    assert [r["编号"] for r in rows(read(tmp_path, delimiter=","))] == ["1", "2"]


def test_repeated_and_empty_headings_get_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,备注,,备注,_row\n1,a,b,c,d\n")
    pages = read(tmp_path)
    found = rows(pages)[0]
    assert (found["备注"], found["C"], found["备注_2"], found["_row_2"]) == ("a", "b", "c", "d")
    assert found["_row"] == "2"
    assert "'备注' stands twice" in warned(pages)


def test_blanks_around_cells_are_cut_unless_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,名称\n1\t,\u3000甲 \n")
    assert rows(read(tmp_path))[0]["名称"] == "甲"
    assert rows(read(tmp_path, trim="false", key="名称"))[0]["编号"] == "1\t"


def test_headings_may_be_given_for_a_file_without_any(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,甲\n2,乙\n")
    with pytest.raises(ContractBroken, match="No row of headings"):
        read(tmp_path)
    found = rows(read(tmp_path, header="none", columns=["编号", "名称"]))
    assert [(r["编号"], r["名称"], r["_row"]) for r in found] == [
        ("1", "甲", "1"),
        ("2", "乙", "2"),
    ]


def test_two_heading_rows_are_joined(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",数量,,金额\n编号,期初,期末,\n1,2,3,4\n")
    found = rows(read(tmp_path, header=["1", "2"]))[0]
    assert (found["编号"], found["数量/期初"], found["数量/期末"], found["金额"]) == (
        "1", "2", "3", "4",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(
            TEXT.encode("gb18030") + b"3,\xff\xff,1\n", "byte 58 (line 4) is 0xFF", id="neither"
        ),
        pytest.param(TEXT.encode() + "3,caf\u00e9,1".encode("latin-1"), "line 4", id="latin-1"),
        pytest.param("編號,名稱\n1,臺灣積體電路\n".encode("big5"), "(line 1)", id="big5"),
        pytest.param(TEXT.encode("gb18030")[:-20] + b"\xd6", "neither", id="cut-in-a-sign"),
        pytest.param(TEXT.encode("utf-16-le"), "neither", id="utf-16-without-mark"),
        pytest.param(TEXT.encode() + b"4,a\0b,1\n", "byte 78 (line 4) is NUL", id="nul"),
    ],
)
def test_broken_encoding_is_named_with_its_place(tmp_path: Path, raw: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(raw)
    with pytest.raises(ContractBroken) as caught:
        read(tmp_path)
    assert caught.value.place == "a.csv"
    assert said in caught.value.what
    assert "encoding" in caught.value.do


def test_an_encoding_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("編號,名稱\n1,臺灣積體電路\n".encode("big5"))
    assert rows(read(tmp_path, encoding="big5", key="編號"))[0]["名稱"] == "臺灣積體電路"
    (tmp_path / "a.csv").write_bytes(TEXT.encode("gb18030"))
    assert len(rows(read(tmp_path, encoding="GBK"))) == 2
    with pytest.raises(ContractBroken, match=r"not utf-8: byte 1 \(line 1\) is 0xB1"):
        read(tmp_path, encoding="utf-8")


@pytest.mark.parametrize(
    ("said", "match"),
    [
        pytest.param({"encoding": "rot13"}, "no text encoding", id="rot13"),
        pytest.param({"encoding": "klingon"}, "no text encoding", id="unknown"),
        pytest.param({"delimiter": "ab"}, "delimiter", id="two-signs"),
        pytest.param({"header": "none"}, "needs columns", id="no-columns"),
        pytest.param({"header": "0"}, "greater than", id="row-0"),
        pytest.param({"key": []}, "name the columns", id="no-key"),
        pytest.param({"max_bytes": "2 parsecs"}, "200MB", id="size"),
        pytest.param({"colour": "red"}, "Extra inputs", id="unknown-setting"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, said: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        connector(tmp_path, **said)


def test_an_open_quote_is_an_error_not_one_long_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "BLOCK", 4096)
    lines = ["编号,名称", '1,"never closed', *(f"{n},x" for n in range(2, 3000))]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(ContractBroken, match=r"a\.csv") as caught:
        read(tmp_path)
    assert "quote" in caught.value.do


def test_a_key_column_that_is_missing_names_the_columns_there_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,名称\n1,甲\n")
    with pytest.raises(ContractBroken, match=r"'货号' is not in the file.*编号, 名称"):
        read(tmp_path, key="货号")


def test_caps_on_bytes_and_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    with pytest.raises(ContractBroken, match="more than max_bytes") as caught:
        read(tmp_path, max_bytes="10b")
    assert isinstance(caught.value.causes[0], TooLarge)  # type: ignore[attr-defined]
    with pytest.raises(ContractBroken, match="more than max_rows"):
        read(tmp_path, max_rows="1")


def test_pages_of_fifty_thousand_rows_and_only_the_last_complete(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w") as handle:
        handle.write("编号,名称\n")
        handle.writelines(f"{n},名{n}\n" for n in range(120_000))
    pages = read(tmp_path)
    assert [len(page.keys) for page in pages] == [50_000, 50_000, 20_000]
    assert [page.complete for page in pages] == [False, False, True]
    assert "files" in pages[0].bookmark
    assert pages[0].bookmark["files"] == {}
    assert list(pages[-1].bookmark["files"]) == ["a.csv"]
    assert len({page.records.schema for page in pages}) == 1


def test_repeated_keys_are_counted_and_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,名称\n1,甲\n1,乙\n,丙\n2,丁\n")
    pages = read(tmp_path)
    assert [key for page in pages for key in page.keys] == ["1", "1", None, "2"]
    assert "1 rows carry a key that an earlier row has" in warned(pages)


def test_keys_of_two_columns_and_of_the_position(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,名称\n1,甲\n1,乙\n")
    assert read(tmp_path, key=["编号", "名称"])[0].keys == ["1/甲", "1/乙"]
    page = read(tmp_path, key="position")[0]
    assert page.keys == ["a.csv/2", "a.csv/3"]
    assert page.records["_key"].to_pylist() == page.keys
    assert connector(tmp_path, key="position").streams()["s"].key == ("_key",)


@pytest.mark.parametrize(
    ("said", "meant"),
    [("'=1+1", "=1+1"), ("''=1", "'=1"), ("'+86 138", "+86 138"), ("'＝1", "＝1"), ("' -1", "-1"),
     ("'tis", "'tis"), ("it's =1", "it's =1"), ("'", "'"), ("'123", "'123")],
)  # fmt: skip
def test_the_apostrophe_of_a_guarded_cell_is_taken_off(
    tmp_path: Path, said: str, meant: str
) -> None:
    (tmp_path / "a.csv").write_text(f"编号,名称\n1,{said}\n2,b\n", encoding="utf-8")
    assert rows(read(tmp_path))[0]["名称"] == meant
