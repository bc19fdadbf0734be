"""docs/kuaidi100.md: its example is in order, and it says what settings and mapping say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from kuaidi100_world import KEY, Network, StillClock

from connectors.kuaidi100.settings import Kuaidi100Settings
from connectors.kuaidi100.simulator import Kuaidi100Simulator
from mappings.yamltext import read_text
from pipelines.check.project import check_project
from pipelines.extract import UNTOLD
from pipelines.sync import sync_stream
from pipelines.workspace import PROJECT, Workspace

PAGE = (PROJECT / "docs" / "kuaidi100.md").read_text("utf-8")


def test_the_example_runs_as_printed(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n# defs/post/defs\.yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    path = tmp_path / "defs" / "post" / "defs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(block[1], encoding="utf-8")
    folders = {"ISTHMUS_HOME": str(tmp_path / "home"), "ISTHMUS_DEFS": str(tmp_path / "defs")}
    space = Workspace.discover({**folders, "KUAIDI100_KEY": KEY})
    clock = StillClock()
    customer = space.connection("post").file.config["customer"]
    post = Kuaidi100Simulator(customer, KEY, now=clock.now)
    try:
        report = check_project(space)
        assert (report.problems, report.unmapped) == ((), ())
        made = space.connection("post").connector(now=clock.now, transport=Network(post))
        told = {one.subject: one.ok for one in made.check()}
        made.close()
        assert told == {"tracks": True, "clock": True}
        done = sync_stream(space, "post", "tracks", now=clock.now, transport=Network(post))
        assert (done.error, done.status, [*done.warnings]) == (None, "ok", [UNTOLD])
    finally:
        space.control.close()


def test_the_page_names_every_setting() -> None:
    for name, info in Kuaidi100Settings.model_fields.items():
        assert f"`{name}`" in PAGE, name
        default = info.default
        if isinstance(default, str) and name != "tls":
            assert f"`{default}`" in PAGE, name


@pytest.mark.parametrize("where", ["status", "events"])
def test_the_table_of_states_is_the_mappings(where: str) -> None:
    mapping = read_text((PROJECT / "mappings/kuaidi100/tracks.yaml").read_text("utf-8")).data
    fields = mapping["fields"] if where == "status" else mapping["children"]["events"]["fields"]
    words = {code: word for code, word in fields["status"]["words"].items() if code.isdigit()}
    table = PAGE.split("| state | word |")[1].split("\n\n")[0]
    said = {}
    for codes, word in re.findall(r"^\| ([0-9].*?) \| `(\w+)`", table, re.MULTILINE):
        said |= dict.fromkeys(re.findall(r"\d+", codes), word)
    assert said == words
