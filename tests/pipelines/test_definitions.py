"""What Dagster loads: assets, checks, jobs, schedules; a broken folder stops no other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import small_shop

from pipelines import definitions
from pipelines.broken import broken_defs
from pipelines.connection import StreamSpec
from pipelines.definitions import build
from pipelines.streams import _plain, stream_asset
from pipelines.workspace import PROJECT, Workspace

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
SHOP = "http://127.0.0.1:1"
CHECKS = {"rows", "quarantine_share", "freshness", "finished", "complete", "row_count", "schema"}


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = small_shop.workspace(tmp_path, SHOP)
    for name in ("ISTHMUS_HOME", "ISTHMUS_DEFS", "ISTHMUS_MAPPINGS"):
        monkeypatch.setenv(name, "")  # restored at the end: `build` exports the workspace
    return made


def write(space: Workspace, name: str, text: str) -> Path:
    path = space.defs / name / "defs.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def node(defs: dg.Definitions, *path: str):
    return defs.resolve_asset_graph().get(dg.AssetKey(list(path)))


def test_a_connection_has_an_asset_a_stream_with_lineage_and_checks(space: Workspace):
    defs = build(space)
    orders = node(defs, "shop", "orders")
    assert (orders.group_name, orders.kinds) == ("shop", {"rest"})
    assert "Web shop" in (orders.description or "")
    assert {key.name for key in orders.check_keys} == CHECKS
    assert orders.pools == set()
    assert node(defs, "unified", "orders").parent_keys == {dg.AssetKey(["shop", "orders"])}
    assert node(defs, "unified", "parties").parent_keys == {dg.AssetKey(["shop", "customers"])}
    assert dg.AssetKey(["mart", "kpis"]) in node(defs, "published").parent_keys


def test_everything_leads_to_what_is_published_by_the_fewest_lines(space: Workspace):
    graph = build(space).resolve_asset_graph()
    published = dg.AssetKey(["published"])
    before = graph.get_ancestor_asset_keys(published)
    ours = {key for key in graph.get_all_asset_keys() if key.path[0] in ("unified", "mart")}
    assert ours <= before
    parents = graph.get(published).parent_keys
    assert not {key for key in parents if graph.get(key).child_keys != {published}}
    assert len(parents) < len(ours) / 2


def test_a_list_shows_descriptions_that_begin_without_markdown(space: Workspace):
    said = node(build(space), "shop", "orders").description or ""
    assert said.startswith("Web shop: orders, read by rest. ")


def test_what_is_published_is_made_by_one_at_a_time(space: Workspace):
    defs = build(space)
    assert node(defs, "published").pools == {"unify"}


def test_whom_to_ask_stands_on_each_asset(space: Workspace):
    file = space.defs / "shop" / "defs.yaml"
    text = file.read_text()
    file.write_text(f"{text}  owners: [shop@example.com, 'team:电商']\n")
    orders = node(build(space), "shop", "orders")
    assert orders.owners == ["shop@example.com", "team:电商"]
    assert orders.tags.items() >= {"isthmus/connection": "shop", "isthmus/system": "rest"}.items()
    file.write_text(f"{text}  owners: [the shop people]\n")
    broken = Workspace.discover(space.env).connections()["shop"]
    assert "an owner is an e-mail address or team:name" in broken.text


def test_no_secret_and_no_system_is_touched(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    def reached(*_: object) -> None:
        raise AssertionError("a secret was resolved while definitions were loaded")

    monkeypatch.setattr("pipelines.secrets.Secrets.resolve", reached)
    defs = build(space)
    shown = str([a.to_asset_spec().metadata for a in defs.resolve_asset_graph().asset_nodes])
    assert small_shop.TOKEN not in shown


def test_streams_of_one_schedule_share_it_and_sweeps_have_their_own(space: Workspace):
    path = space.defs / "shop" / "defs.yaml"
    text = path.read_text("utf-8").replace(
        "streams: [customers, orders]",
        "streams:\n    customers: {schedule: '0 3 * * *', sweep: '0 4 * * 0'}\n    orders:",
    )
    path.write_text(text, encoding="utf-8")
    repo = build(space).get_repository_def()
    assert repo.get_all_jobs()
    schedules = {s.name: s for s in repo.schedule_defs}
    del schedules["housekeeping_schedule"]
    proofs = [schedules.pop(name) for name in sorted(schedules) if "_verify_" in name]
    assert [proof.name for proof in proofs] == ["shop_verify_47_4_x_x_x"]
    assert set(schedules) == {
        "shop_read_0_3_x_x_x", "shop_read_e15_x_x_x_x", "shop_sweep_0_4_x_x_0"
    }  # fmt: skip
    assert {s.execution_timezone for s in schedules.values()} == {"Asia/Shanghai"}
    assert {s.default_status for s in schedules.values()} == {dg.DefaultScheduleStatus.RUNNING}
    space.home.make()
    with (
        dg.DagsterInstance.from_config(str(space.home.dagster)) as instance,
        dg.build_schedule_context(instance=instance) as context,
    ):
        ticks = {
            name: schedule.evaluate_tick(context).run_requests[0]
            for name, schedule in schedules.items()
        }
        running = instance.create_run_for_job(
            repo.get_job("shop_sync"),
            status=dg.DagsterRunStatus.STARTED,
            tags={"dagster/schedule_name": "shop_read_e15_x_x_x_x"},
        )
        again = schedules["shop_read_e15_x_x_x_x"].evaluate_tick(context)
        assert again.run_requests == []
        assert running.run_id in (again.skip_message or "")
        assert schedules["shop_read_0_3_x_x_x"].evaluate_tick(context).run_requests
    assert ticks["shop_read_e15_x_x_x_x"].asset_selection == [dg.AssetKey(["shop", "orders"])]
    sweep = ticks["shop_sweep_0_4_x_x_0"]
    assert sweep.asset_selection == [dg.AssetKey(["shop", "customers"])]
    assert sweep.run_config == {"ops": {"shop__customers": {"config": {"sweep": True}}}}


def test_the_launchpad_knows_what_a_run_may_be_told(space: Workspace):
    job = build(space).resolve_job_def("shop_sync")
    config = {"ops": {"shop__orders": {"config": {"full": True, "trust_source": True}}}}
    assert dg.validate_run_config(job, config)
    with pytest.raises(dg.DagsterInvalidConfigError):
        dg.validate_run_config(job, {"ops": {"shop__orders": {"config": {"ful": True}}}})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("type: pipelines.Connection\nattributes:\n  sytem: rest\n", "defs.yaml:"),
        ("type: pipelines.Connection\nattributes: {system: [\n", "defs.yaml:"),
        ("type: pipelines.Conection\nattributes: {system: rest}\n", "defs.yaml:1"),
        ("type: my.own.Component\n", "my"),
        ("\ufeff", "defs.yaml:1"),
    ],
    ids=["member", "syntax", "type", "own component", "empty"],
)
def test_a_broken_folder_is_an_asset_that_says_so(space: Workspace, text: str, told: str):
    write(space, "erp", text)
    defs = build(space)
    broken = node(defs, "erp", "broken")
    assert told in (broken.description or "")
    assert node(defs, "shop", "orders") is not None
    assert {"shop_sync", "erp_sync", "unify_publish"} <= set(defs.get_repository_def().job_names)


def test_what_dagster_may_be_asked_in_the_file_is_done(space: Workspace):
    path = space.defs / "shop" / "defs.yaml"
    asked = "post_processing:\n  assets:\n    - attributes: {owners: ['team:shop']}\n"
    path.write_text(path.read_text("utf-8") + asked, encoding="utf-8")
    orders = node(build(space), "shop", "orders")
    assert orders.owners == ["team:shop"]
    assert {key.name for key in orders.check_keys} == CHECKS


@pytest.mark.filterwarnings("ignore::dagster.PreviewWarning")
def test_peoples_own_code_is_loaded_and_breaks_nobody_else(space: Workspace):
    (space.defs / "own").mkdir()
    code = "import dagster as dg\n\n@dg.asset(key=['own', 'thing'])\ndef thing(): ...\n"
    (space.defs / "own" / "assets.py").write_text(code, encoding="utf-8")
    assert node(build(space), "own", "thing") is not None
    (space.defs / "own" / "assets.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    sys.modules.pop("pipelines.defs.own.assets", None)
    defs = build(space)
    assert "nowhere_to_be_found" in (node(defs, "own", "broken").description or "")
    assert node(defs, "shop", "orders") is not None


def test_running_a_broken_connection_fails_with_its_mistakes():
    path = Path("defs/erp/defs.yaml")
    defs = broken_defs("erp", path, f"{path}:3: attributes.sytem: unknown.")
    done = defs.resolve_job_def("erp_sync").execute_in_process(raise_on_error=False)
    failure = done.get_step_failure_events()[0].step_failure_data
    assert not done.success
    assert failure.error is not None
    assert failure.error.to_string().startswith("ConfigError: ")
    assert "defs.yaml:3" in failure.error.to_string()


def test_no_two_streams_share_a_step(space: Workspace):
    text = (space.defs / "shop" / "defs.yaml").read_text("utf-8")
    for name in ("a", "a_", "a__b"):
        write(space, name, text)
    assets = [
        stream_asset(space.connection(connection), StreamSpec(stream))
        for connection in ("a", "a_", "a__b")
        for stream in ("b", "b__c", "c")
    ]
    assert len({asset.op.name for asset in assets}) == len(assets)
    assert dg.Definitions(assets=assets).get_repository_def().get_all_jobs()


def test_a_stream_name_that_is_no_name_breaks_its_connection_alone(space: Workspace):
    (space.defs.parent / "inbox").mkdir()
    write(
        space,
        "office",
        "type: pipelines.Connection\nattributes:\n  system: files\n  config:\n"
        "    folder: inbox\n    streams:\n      库存: {pattern: '*.csv', key: sku}\n",
    )
    defs = build(space)
    assert "库存" in (node(defs, "office", "broken").description or "")
    assert node(defs, "shop", "orders") is not None


def test_a_connection_may_not_take_a_name_of_ours(space: Workspace):
    write(space, "unified", (space.defs / "shop" / "defs.yaml").read_text("utf-8"))
    defs = build(space)
    assert "rename it" in (node(defs, "unified", "broken").description or "")
    assert node(defs, "unified", "orders").group_name == "unified"


def test_a_company_that_is_broken_stops_no_connection(space: Workspace):
    write(space, "company", "type: pipelines.Company\nattributes:\n  privacy: open\n")
    assert node(build(space), "shop", "orders") is not None


def test_a_company_in_order_is_not_loaded_through_a_tree(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    """A tree takes its time, and the settings define nothing; a file with more is loaded."""
    loaded: list[str] = []

    def load(folder: Path) -> dg.Definitions:
        loaded.append(folder.name)
        return dg.Definitions()

    monkeypatch.setattr(definitions, "_folder_defs", load)
    for more in ("", "  privacy: open\n", "post_processing: {}\n"):
        write(space, "company", f"type: pipelines.Company\nattributes:\n  min_free: 1MB\n{more}")
        build(space)
    assert loaded == ["company"] * 2


def test_text_arrives_as_written_whatever_yaml_or_jinja_would_make_of_it(space: Workspace):
    text = (space.defs / "shop" / "defs.yaml").read_text("utf-8")
    text = text.replace("path: /orders", "path: /orders\n        params: {on: 'yes', at: 12:30}")
    write(space, "shop", text.replace("\n        params: {limit: 20}", ""))
    connection = space.connection("shop")
    build(space)
    assert connection.file.config["streams"]["orders"]["params"] == {"on": "yes", "at": "12:30"}


def test_dagster_lists_the_definitions_of_a_folder_outside_the_project(space: Workspace):
    write(space, "erp", "type: pipelines.Connection\nattributes:\n  sytem: rest\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("dg"), "list", "defs", "--json"],
        env={**os.environ, **small_shop.environment(space.defs.parent), "PYTHONWARNINGS": "ignore"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for name in ("shop/orders", "erp/broken", "shop_sync", "unify_when_due"):
        assert name in done.stdout, name


def test_a_title_is_no_markdown_and_no_page():
    hostile = "<img src=x onerror=alert(1)> [a](javascript:b) **c**\n# d `e` \x1b[31m &lt; 金蝶"
    shown = _plain(hostile)
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert "金蝶" in shown
    assert not re.search(r"(?<!\\)[<>\[\]()*#`&:]", shown)
