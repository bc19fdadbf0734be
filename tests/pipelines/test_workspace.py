"""Where everything of one installation stands."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.errors import ConfigError
from pipelines.company import CompanyFile
from pipelines.connection import BrokenConnection, Connection
from pipelines.workspace import PROJECT, Workspace

SHOP = """\
type: pipelines.Connection
attributes:
  system: rest
  config:
    base_url: https://shop.example
    streams:
      orders: {path: /orders, key: id, records: data}
      stock: {path: /stock, key: id, records: data}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "defs").mkdir()
    (tmp_path / "mappings").mkdir()
    return tmp_path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / "defs" / name / "defs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def discover(folder: Path, **env: str) -> Workspace:
    return Workspace.discover({"ISTHMUS_DEFS": str(folder / "defs"), **env})


def test_home_stands_beside_the_definitions_unless_named(folder: Path, tmp_path: Path):
    assert discover(folder).home.root == folder / "var"
    assert discover(folder, ISTHMUS_HOME=str(tmp_path / "x")).home.root == tmp_path / "x"


def test_without_a_name_the_definitions_of_the_folder_around_are_taken(folder: Path):
    below = folder / "notes" / "deep"
    below.mkdir(parents=True)
    assert Workspace.discover({}, start=below).defs == folder / "defs"


def test_elsewhere_the_projects_own_definitions_are_taken(tmp_path: Path):
    found = Workspace.discover({}, start=tmp_path)
    assert found.defs == PROJECT / "pipelines" / "defs"
    assert found.home.root == PROJECT / "var"


def test_the_env_file_is_read_without_overriding(folder: Path):
    (folder / ".env").write_text("SHOP_TOKEN='ab$c d'\nOTHER=file\n", encoding="utf-8")
    env = {"ISTHMUS_DEFS": str(folder / "defs"), "OTHER": "set"}
    space = Workspace.discover(env)
    assert space.secrets.resolve("env:SHOP_TOKEN") == "ab$c d"
    assert env["OTHER"] == "set"


def test_what_is_mended_in_the_env_file_reaches_the_runs_of_a_service(folder: Path):
    file = folder / ".env"
    file.write_text("SHOP_TOKEN=old\nOTHER=file\nGONE=soon\n", encoding="utf-8")
    service = {"ISTHMUS_DEFS": str(folder / "defs")}
    Workspace.discover(service)
    run = dict(service) | {"OTHER": "set by a person"}
    file.write_text("SHOP_TOKEN=new\nOTHER=file\n", encoding="utf-8")
    for env in (run, service):
        assert Workspace.discover(env).secrets.resolve("env:SHOP_TOKEN") == "new"
        assert "GONE" not in env
    assert (run["OTHER"], service["OTHER"]) == ("set by a person", "file")
    file.unlink()
    Workspace.discover(run)
    assert "SHOP_TOKEN" not in run
    assert run["OTHER"] == "set by a person"


def test_mappings_are_looked_up_in_the_named_folder_first(folder: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    assert discover(folder, ISTHMUS_MAPPINGS=str(other)).overlays == (other, folder / "mappings")


def test_an_exported_workspace_is_found_again(folder: Path, tmp_path: Path):
    space = discover(folder, ISTHMUS_HOME=str(tmp_path / "home"))
    env: dict[str, str] = {}
    space.export(env)
    again = Workspace.discover(env)
    assert (again.home, again.defs, again.overlays) == (space.home, space.defs, space.overlays)


def test_the_key_is_made_once_and_private(folder: Path):
    first = discover(folder)
    key = first.key
    assert len(key) == 64
    assert discover(folder).key == key
    assert stat.S_IMODE(first.home.key_file.stat().st_mode) == 0o600
    assert [p.name for p in first.home.root.iterdir() if p.name.startswith(".key")] == []
    given = "0123456789abcdef"
    assert discover(folder, ISTHMUS_KEY=given).key == given.encode()
    with pytest.raises(ConfigError, match="shorter") as caught:
        _ = discover(folder, ISTHMUS_KEY="hunter2").key
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_is_not_there_is_named_and_never_shown(folder: Path):
    secrets = discover(folder).secrets
    with pytest.raises(ConfigError, match="env:NOWHERE"):
        secrets.resolve("env:NOWHERE")
    with pytest.raises(ConfigError, match=r"file:missing\.txt"):
        secrets.resolve("file:missing.txt")
    with pytest.raises(ConfigError) as caught:
        secrets.resolve("hunter2-in-clear")
    assert "hunter2" not in str(caught.value)


def test_a_secret_file_is_found_from_the_folder_of_the_definitions(folder: Path):
    (folder / "token.txt").write_text("s3cret\n", encoding="utf-8")
    secrets = discover(folder).secrets
    assert secrets.resolve("file:token.txt") == "s3cret"
    assert secrets.given == {"s3cret"}


def test_a_broken_connection_is_told_and_the_others_are_there(folder: Path):
    write(folder, "shop", SHOP)
    broken = write(folder, "erp", SHOP.replace("attributes:", "attributes:\n  shedule: hourly"))
    found = discover(folder).connections()
    assert isinstance(found["shop"], Connection)
    assert isinstance(found["erp"], BrokenConnection)
    assert f"{broken}:3: attributes.shedule" in found["erp"].text
    with pytest.raises(ConfigError, match="shedule"):
        discover(folder).connection("erp")


def test_a_connection_that_is_not_there_is_refused_with_those_that_are(folder: Path):
    write(folder, "shop", SHOP)
    for name in ("shpo", "../shop", ""):
        with pytest.raises(ConfigError, match="shop"):
            discover(folder).connection(name)


def test_streams_take_the_schedule_of_the_connection_unless_they_have_their_own(folder: Path):
    write(
        folder,
        "shop",
        SHOP + "  schedule: '0 * * * *'\n  timezone: Asia/Shanghai\n"
        "  streams:\n    orders:\n    stock: {schedule: '*/5 * * * *', promise: 15m, "
        "sweep: '0 4 * * 0'}\n",
    )
    orders, stock = discover(folder).connection("shop").streams
    assert orders.schedule == "0 * * * *"
    assert orders.promise is not None
    assert orders.promise.total_seconds() == 2 * 3600
    assert (stock.schedule, stock.sweep) == ("*/5 * * * *", "0 4 * * 0")
    assert stock.promise is not None
    assert stock.promise.total_seconds() == 900


def test_the_longest_pause_of_a_schedule_is_what_is_promised_twice(folder: Path):
    write(folder, "shop", SHOP + "  schedule: '0 9-17 * * *'\n")
    promise = discover(folder).connection("shop").streams[0].promise
    assert promise is not None
    assert promise.total_seconds() == 2 * 16 * 3600


def test_all_that_the_connector_offers_is_read_by_default(folder: Path):
    write(folder, "shop", SHOP)
    shop = discover(folder).connection("shop")
    assert [spec.name for spec in shop.streams] == ["orders", "stock"]
    with pytest.raises(ConfigError, match="orders, stock"):
        shop.stream("ordres")


def test_settings_that_a_mapping_may_name_hold_no_secret(folder: Path):
    write(folder, "shop", SHOP.replace("config:", "config:\n    auth: {bearer: 'env:T'}"))
    settings = discover(folder).connection("shop").settings()
    assert settings["base_url"] == "https://shop.example"
    assert not [value for value in settings.values() if "env:" in value]


def test_the_company_has_defaults_and_its_file_is_held_to_its_form(folder: Path):
    assert discover(folder).company() == CompanyFile()
    write(
        folder,
        "company",
        "type: pipelines.Company\nattributes:\n  base_currency: CNY\n  timezone: Asia/Shanghai\n"
        "  priority: {party: [crm, erp, shop], party.phone: [shop, crm]}\n"
        "  tolerance: {amount: 0.01, transit: 3d}\n  privacy: clear\n  publish_every: 60s\n"
        "  keep: {landing: 400d, published: 5, runs: 90d}\n  min_free: 2GB\n"
        "  alerts: [{to: 'env:ALERT_URL', severity: error}]\n",
    )
    company = discover(folder).company()
    assert (company.privacy, company.keep.published, company.min_free) == ("clear", 5, 2 * 10**9)
    path = write(folder, "company", "type: pipelines.Company\nattributes:\n  privacy: open\n")
    with pytest.raises(ConfigError) as caught:
        discover(folder).company()
    assert caught.value.place == f"{path}:3"


def test_the_companys_zone_holds_where_a_connection_names_none(folder: Path):
    write(folder, "company", "type: pipelines.Company\nattributes: {timezone: Asia/Shanghai}\n")
    write(folder, "shop", SHOP)
    write(folder, "erp", SHOP + "  timezone: Europe/Berlin\n")
    space = discover(folder)
    assert space.connection("shop").timezone == "Asia/Shanghai"
    assert space.connection("erp").timezone == "Europe/Berlin"


@pytest.mark.parametrize("module", ["pipelines", "pipelines.sync", "pipelines.workspace"])
def test_what_a_step_does_imports_no_dagster_and_reaches_no_driver(module: str):
    script = (
        f"import {module}, sys; "
        "print([m for m in ('dagster', 'duckdb', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert done.stdout.strip() == "[]"


def test_component_types_are_handed_out_on_demand():
    import pipelines

    assert {"Connection", "Company"} <= set(dir(pipelines))
    with pytest.raises(AttributeError):
        _ = pipelines.Nothing
