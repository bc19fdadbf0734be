"""A mapping that names what is not there, or that changed after a load, says so."""

from pathlib import Path

import office_files

from connectors.base import utc_now
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.landing import Landing
from warehouse.reader import run_query
from warehouse.rebuild import rebuild

MAPPING = "entity: stock_level\nkey: 编码\nfields: {sku: 编码, on_hand: 库存数量}\n"


def workspace(root: Path, mapping: str, rows: str) -> Workspace:
    texts = office_files.files(f"编码,库存数量,仓库\n{rows}", mapping, key="编码")
    office_files.write(root, texts)
    return Workspace.discover({}, start=root)


def stock(space: Workspace) -> list[tuple]:
    unify_publish(space)
    sql = "select sku, on_hand::int, location_key from unified.stock_levels order by 1"
    return [tuple(r) for r in run_query(space.home.current, sql).rows]


def test_a_misspelt_column_overwrites_nothing(tmp_path: Path) -> None:
    space = workspace(tmp_path, MAPPING, "A,5,上海\n")
    assert sync_stream(space, "office", "stock").error is None
    space = workspace(tmp_path, MAPPING.replace("库存数量", "库存数里"), "A,6,上海\n")
    done = sync_stream(space, "office", "stock")
    assert done.error is not None
    assert "库存数里" in done.error.what
    assert "库存数量" in done.error.do
    assert stock(space) == [("A", 5, None)]
    space = workspace(tmp_path, MAPPING, "A,6,上海\n")
    assert sync_stream(space, "office", "stock").error is None
    assert stock(space) == [("A", 6, None)]


def test_a_column_that_is_like_no_other_is_a_warning(tmp_path: Path) -> None:
    space = workspace(tmp_path, MAPPING.replace("}", ", as_of: 盘点日期}"), "A,5,上海\n")
    done = sync_stream(space, "office", "stock")
    assert (done.error, done.inserted) == (None, 1)
    assert any("盘点日期" in warning for warning in done.warnings)


def test_a_changed_mapping_is_told_until_the_store_is_rebuilt(tmp_path: Path) -> None:
    space = workspace(tmp_path, MAPPING, "A,5,上海\n")
    assert not any("rebuild" in w for w in sync_stream(space, "office", "stock").warnings)
    space = workspace(tmp_path, MAPPING.replace("}", ", location_key: 仓库}"), "A,5,上海\n")
    done = sync_stream(space, "office", "stock")
    assert any("isthmus rebuild" in warning for warning in done.warnings)
    assert stock(space) == [("A", 5, None)]
    rebuild(
        space.home,
        Landing(space.home.landing),
        lambda connection, stream: space.connection(connection).plan(stream),
        utc_now,
    )
    assert stock(space) == [("A", 5, "上海")]
    assert not any("rebuild" in w for w in sync_stream(space, "office", "stock").warnings)
