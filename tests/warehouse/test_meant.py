"""Which records a person's word means: by any id, by key, by identifier; deleted ones too."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
import two_customers
from source_rows import MOMENT, Loader

from warehouse import meant
from warehouse.home import Home
from warehouse.identity import golden_id
from warehouse.ruled import Record
from warehouse.store import Store, open_store
from warehouse.unify import unify


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return a store that all tests read; what one writes it takes back."""
    home = Home(tmp_path_factory.mktemp("home")).make()
    with pytest.MonkeyPatch.context() as patch, open_store(home) as opened:
        patch.setattr("warehouse.unify.MATCHERS", two_customers.MATCHERS)
        load = Loader(opened.con)
        first = {"key": "1", "code": "A", "phone": "0571-8800 1234", "email": "Li@x.cn"}
        load.put("party", [first, {"key": "a/b", "code": "B"}], connection="erp")
        mail = {"key": "m", "scheme": "email", "value": "li@X.cn "}
        tax = {"key": "t", "scheme": "tax_number", "value": "91330100 x"}
        load.put("party", [{"key": "7", "code": "A", "identifiers": [mail, tax]}])
        load.put("order", [{"key": "o", "customer_key": "7", "lines": []}])
        load.delete("party", "1", connection="erp")
        unify(opened, now=MOMENT)
        load.put("party", [{"key": "8", "phone": "138 0000 1111"}])  # not unified yet
        yield opened


def own(connection: str, key: str) -> UUID:
    return golden_id("party", connection, "parties", key)


GONE, SHOP, NEW, SLASH = own("erp", "1"), own("shop", "7"), own("shop", "8"), own("erp", "a/b")


@pytest.mark.parametrize(
    ("word", "ids"),
    [
        pytest.param(str(SHOP), [SHOP], id="own id of a member"),
        pytest.param(f" {str(GONE).upper()} ", [GONE], id="golden id, its founder is deleted"),
        pytest.param(str(NEW), [NEW], id="not unified yet"),
        pytest.param(str(own("shop", "99")), [], id="id of nothing"),
        pytest.param("shop/parties/7", [SHOP], id="key"),
        pytest.param("erp/parties/1", [GONE], id="key of a deleted record"),
        pytest.param("erp/parties/a/b", [SLASH], id="key with a slash"),
        pytest.param("a/b", [SLASH], id="bare key"),
        pytest.param("A", [SHOP], id="code, of living records only"),
        pytest.param("LI@x.cn", [SHOP], id="e-mail among the identifiers"),
        pytest.param("91330100X", [], id="no part of an identifier"),
        pytest.param("91330100 X", [SHOP], id="tax number"),
        pytest.param("+86 138-00001111", [NEW], id="phone in another spelling"),
        pytest.param("057188001234", [], id="phone of a deleted record"),
        pytest.param("' or true --", [], id="not SQL"),
    ],
)
def test_words_mean_records(store: Store, word: str, ids: list[UUID]) -> None:
    assert [m.own_id for m in meant.find(store.con, "party", word)] == ids


def test_a_thing_has_deleted_members_and_its_first_seen_gives_the_id(store: Store) -> None:
    assert [m.own_id for m in meant.members(store.con, "party", GONE)] == [GONE, SHOP]
    (shop,) = meant.find(store.con, "party", "shop/parties/7")
    assert shop == meant.Meant(Record("shop", "parties", "7"), SHOP, GONE)
    assert meant.size(store.con, GONE) == meant.Size(records=1, orders=1)
    assert meant.founder(store.con, "party", [SLASH, GONE, NEW]) == GONE
    store.con.begin()
    store.con.execute(
        "UPDATE source.parties SET first_seen_at = '2020-01-01' WHERE source_key = '8'"
    )
    assert meant.founder(store.con, "party", [SLASH, GONE, NEW]) == NEW
    store.con.rollback()
