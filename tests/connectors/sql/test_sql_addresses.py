"""Where a connection of `sql` may lead: judged addresses, parameters of URLs, a file's folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_world import TABLE, Database, connector, failure, pages, sqlite_database, through
from tcp_door import Door

from connectors.errors import ConfigError, Refused, Unavailable


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@169.254.169.254/x",
        "mysql://u@169.254.169.254/x",
        "mssql://u@[fe80::1]/x",
        "oracle://u@100.100.100.200/?service_name=x",
        "postgresql://u@[::ffff:169.254.169.254]/x",
        "postgresql://u@2852039166/x",
        "postgresql://u@0xa9fea9fe/x",
        "mysql://u@127.1/x",
        "postgresql://u@10.0.0.1,169.254.169.254/x",
    ],
)
def test_metadata_and_disguised_addresses_are_never_spoken_to(url: str) -> None:
    config = {
        "url": url,
        "allow_private": True,
        "streams": {"payments": {"table": "t", "key": "k"}},
    }
    error = failure(config)
    assert isinstance(error, Refused), error


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "[::1]"])
def test_private_addresses_and_sockets_need_the_switch(host: str) -> None:
    streams = {"payments": {"table": "t", "key": "k"}}
    error = failure({"url": f"mysql://u@{host}/x", "streams": streams})
    assert isinstance(error, Refused)
    assert "allow_private" in error.do
    error = failure({"url": "postgresql://u@/x?host=/tmp", "streams": streams})
    assert isinstance(error, Refused)


def test_the_address_that_was_judged_is_the_one_spoken_to(
    postgres: Database, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere at its second look-up is not looked up a second time."""
    from connectors import address
    from connectors.sql import address as sql_address

    postgres.execute(TABLE["postgresql"])
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    monkeypatch.setattr(address, "system_resolve", resolve)
    monkeypatch.setattr(sql_address.locate, "__kwdefaults__",
                        {**sql_address.locate.__kwdefaults__, "resolve": resolve})  # fmt: skip
    config = through(door.port, postgres)
    config["url"] = config["url"].replace("127.0.0.1", "erp.invalid")
    assert pages(connector(config))[-1].complete
    assert asked == ["erp.invalid"]
    assert door.visits == 1


@pytest.mark.parametrize(
    "query",
    ["hostaddr=169.254.169.254", "service=x", "options=-c%20x", "passfile=/etc/passwd"],
)
def test_parameters_that_lead_elsewhere_are_refused(query: str) -> None:
    url = f"postgresql://u@10.0.0.1/x?{query}"
    error = failure(
        {"url": "env:U", "streams": {"payments": {"table": "t", "key": "k"}}},
        secret=lambda reference: url,
    )
    assert isinstance(error, ConfigError)
    assert "is not used here" in error.what


def test_a_sqlite_file_stands_inside_its_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    other = sqlite_database(outside)
    other.execute(TABLE["sqlite"])
    (inside / "link.db").symlink_to(outside / "erp.db")
    (inside / "sub").symlink_to(outside)
    (inside / "pipe.db").mkdir()
    base = other.settings() | {"folder": str(inside)}
    for name in ("../out/erp.db", "link.db", "sub/erp.db", f"/{outside}/erp.db", "pipe.db"):
        error = failure(base | {"url": f"sqlite:///{name}"})
        assert isinstance(error, Refused), name
    for name in ("", ":memory:", "file:erp.db"):
        error = failure(base | {"url": f"sqlite:///{name}"})
        assert isinstance(error, ConfigError | Unavailable), name
    error = failure(base | {"url": "sqlite:///none.db"})
    assert isinstance(error, Unavailable)
    assert not (inside / "none.db").exists()
    assert pages(connector(base | {"folder": str(outside)}))[-1].complete
