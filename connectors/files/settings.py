"""Settings of a folder of files: what `config:` of a `files` connection may say."""

from __future__ import annotations

import codecs
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

SKIP_WORDS = (
    "合计",
    "小计",
    "总计",
    "共计",
    "总合计",
    "本页合计",
    "total",
    "grand total",
    "subtotal",
)

_UNITS = {"": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9}


def parse_size(value: Any) -> Any:
    """Read `200MB` or `1.5GB` (decimal units) as bytes; leave what is a number already."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*", value)
    unit = found.group(2).lower() if found else "?"
    if found is None or unit not in _UNITS:
        raise ValueError("a size is a number with a unit: 200MB, 2GB")
    return int(float(found.group(1)) * _UNITS[unit])


def _listed(value: Any) -> Any:
    """Read one word as a list of one, and `none` as an empty list."""
    if isinstance(value, str):
        return [] if value.strip().lower() in ("", "none") else [value]
    return value


def _header(value: Any) -> Any:
    """Read `3` as row 3, `[2, 3]` as two rows whose names are joined; words stay words."""
    if isinstance(value, str):
        word = value.strip().lower()
        return [int(word)] if word.isdecimal() else word
    if isinstance(value, int):
        return [value]
    return value


Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0)]
Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Rows = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=5)]


class StreamSettings(BaseModel):
    """One stream: files of one shape, all rows of which mean the same thing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: Annotated[str, Field(min_length=1, max_length=300)] = Field(
        description="Which files: stock*.xlsx, 2026/*.csv, **/*.csv; case does not matter"
    )
    title: str = Field(default="", description="What people call it")
    sheet: str = Field(
        default="",
        description="Name of the sheet, its number from 1, or * for all; default: first visible",
    )
    header: Annotated[Literal["auto", "none"] | Rows, BeforeValidator(_header)] = Field(
        default="auto",
        description="auto (first full row of words below title rows), row number from 1, a list of "
        "two rows that are joined, or none together with columns",
    )
    columns: Words = Field(default=(), description="Names to use in place of the headings")
    skip: Words = Field(
        default=SKIP_WORDS,
        description="Rows whose first filled cell is one of these words are left out; "
        "word* means that it begins so; none switches it off",
    )
    key: Words = Field(
        description="Columns that name a row (joined with '/'), or position for append-only files"
    )
    encoding: str = Field(
        default="auto", description="auto (UTF-8, UTF-16 with BOM, GB18030) or a name: big5, cp1252"
    )
    delimiter: str = Field(default="auto", description="auto, tab, or one character")
    trim: bool = Field(default=True, description="Cut blanks around each cell")
    vanished: Literal["keep", "delete"] = Field(
        default="keep", description="Rows of a file that is gone from the folder"
    )
    locked: Literal["wait", "read"] = Field(
        default="wait",
        description="A file open in Excel (a ~$ file beside it): wait for the next run, or read "
        "what was saved last",
    )
    max_bytes: Size = Field(default=2 * 10**9, description="Largest file, unpacked; e.g. 2GB")
    max_ratio: Annotated[int, Field(ge=2)] = Field(
        default=200, description="Largest size of a workbook unpacked over packed"
    )
    max_rows: Annotated[int, Field(ge=1)] = Field(default=5_000_000, description="Most rows a file")

    @property
    def by_position(self) -> bool:
        """Whether rows are named by file, sheet and row number."""
        return self.key == ("position",)

    @field_validator("pattern")
    @classmethod
    def _inside(cls, value: str) -> str:
        parts = value.replace("\\", "/").split("/")
        if value.startswith(("/", "\\", "~")) or ".." in parts or ":" in parts[0]:
            raise ValueError("the pattern must stay inside the folder: no '..', no absolute path")
        return "/".join(parts)

    @field_validator("key")
    @classmethod
    def _some_key(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("name the columns that tell rows apart, or 'position'")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        name = value.strip().lower()
        if name == "auto":
            return name
        try:
            codec = codecs.lookup(name)
            "".encode(codec.name)  # refuses rot13, hex and the like, which are not of text
        except (LookupError, TypeError) as error:
            raise ValueError(f"{value!r} is no text encoding; try utf-8, gb18030, big5") from error
        # GB18030 holds all of GBK and GB2312, and files said to be those often hold more.
        return "gb18030" if codec.name in ("gbk", "gb2312", "cp936") else codec.name

    @field_validator("delimiter")
    @classmethod
    def _one_sign(cls, value: str) -> str:
        if value in ("auto", "tab", "\\t", "\t"):
            return "auto" if value == "auto" else "\t"
        if len(value) != 1 or value in '"\r\n' or ord(value) > 127:
            raise ValueError("a delimiter is one ASCII character, tab or auto")
        return value

    @model_validator(mode="after")
    def _named(self) -> StreamSettings:
        if self.header == "none" and not self.columns:
            raise ValueError("header: none needs columns: [names]")
        return self


class FilesSettings(BaseModel):
    """A folder of CSV and Excel files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Annotated[str, Field(min_length=1)] = Field(
        description="The folder, absolute, relative to the folder that holds defs, or env:NAME; "
        "nothing outside it is read"
    )
    streams: dict[str, StreamSettings] = Field(min_length=1, description="Streams by name")
    settle: Annotated[float, Field(ge=0, le=60)] = Field(
        default=0.5,
        description="Seconds between two looks at a file that was changed a moment ago; one that "
        "still grows is left for the next run",
    )
