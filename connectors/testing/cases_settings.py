"""Cases of settings, credentials and what a connector declares of itself."""

from __future__ import annotations

import copy
import logging
import re
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pydantic

from connectors.base import ReadRequest
from connectors.errors import ConfigError, ConnectorError
from connectors.testing.bench import Unsupported
from connectors.testing.case import Failed, case, must, none_of
from connectors.testing.play import Play
from connectors.testing.wire import FOR_EVER, instead

_NAME = re.compile("[a-z][a-z0-9_]{0,40}")


@case
def check_passes(play: Play) -> None:
    """With good credentials `check` finds nothing wrong, and something right."""
    play.fill()
    play.bench.fill_others()
    connector = play.bench.make()
    found = list(connector.check())
    connector.close()
    none_of([str(each) for each in found if each.ok is False], "check complains")
    must(any(each.ok for each in found), "check says nothing good")
    play.hides(*(f"{each.subject} {each.what} {each.do}" for each in found))


@case
def credentials_refused(play: Play) -> None:
    """With bad credentials `check` says what to do, and a read raises an error for a person."""
    bench = play.bench
    if not bench.secrets:
        raise Unsupported("the connection has no secrets")
    play.fill()
    wrong = {name: f"{value}x" for name, value in bench.secrets.items()}
    connector = bench.make(wrong)
    found = [each for each in connector.check() if each.ok is False]
    connector.close()
    must(found, "check finds nothing wrong with wrong credentials")
    none_of([str(each) for each in found if not each.do], "check does not say what to do")
    connector = bench.make(wrong)
    try:
        came = sum(len(page.keys) for page in connector.read(play.request()))
    except ConnectorError as error:
        must(not error.retriable, f"{type(error).__name__} says that trying again may help")
        play.hides(str(error))
    else:
        raise Failed(f"a read with wrong credentials ended well, with {came} records")
    finally:
        connector.close()


@case
def clock_skew_told(play: Play) -> None:
    """`check` remarks that the system's clock is ten minutes off, and says nothing bad of it."""
    play.fill()
    play.bench.fill_others()
    play.wire.clock = play.bench.clock.now()
    play.bench.apart = timedelta(minutes=10)
    connector = play.bench.make()
    found = [each for each in connector.check() if "clock" in f"{each.subject} {each.what}"]
    connector.close()
    must(found, "check does not compare the clocks")
    none_of([str(each) for each in found if each.ok is not None], "a clock that is off is told as")


@case
def settings_documented(play: Play) -> None:
    """Every setting has a description, and the settings make a JSON Schema."""
    kind = play.bench.connector.Settings
    kind.model_json_schema()
    none_of(sorted(set(_undescribed(kind, ""))), "no description stands at")


@case
def settings_validated(play: Play) -> None:
    """Unknown names, secrets in the clear and other bad settings are refused, values untold."""
    bench = play.bench
    good = bench.settings()
    kind = bench.connector.Settings
    kind.model_validate(copy.deepcopy(good))
    bad = [good | {"no_such_setting": "1"}, *bench.bad_settings(), *_in_the_clear(play, good)]
    for settings in bad:
        try:
            kind.model_validate(settings)
        except pydantic.ValidationError as error:
            play.hides(str(error))
        else:
            raise Failed(f"these settings were taken: {_difference(good, settings)}")


@case
def streams_declared(play: Play) -> None:
    """Streams have names, titles, keys and a strategy, and are told without asking the system."""
    connector = play.bench.make()
    streams = connector.streams()
    must(play.bench.wire is None or not play.bench.wire.requests, "streams() asks the system")
    must(streams, "there is no stream")
    for name, stream in streams.items():
        must(_NAME.fullmatch(name) and stream.name == name, f"{name!r} cannot be a stream's name")
        must(
            stream.can_sweep == ("sweep" in stream.deletes),
            f"{name}: can_sweep and deletes say different things of a sweep",
        )
    try:
        list(connector.read(ReadRequest("no_such_stream")))
    except ConfigError as error:
        must("no_such_stream" in error.what, "an unknown stream's error does not name it")
    else:
        raise Failed("an unknown stream is read as if it were there")
    finally:
        connector.close()


@case
def secrets_hidden(play: Play) -> None:
    """No secret stands in an error, a finding or a log line, though the system repeats it."""
    bench = play.bench
    if not bench.secrets:
        raise Unsupported("the connection has no secrets")
    play.fill()
    lines: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        play.read()
        told = " and ".join(bench.secrets.values()).encode()
        body = b'{"message":"refused: ' + told + b'","error":{"message":"refused: ' + told + b'"}}'
        play.wire.order(instead(400, body), times=FOR_EVER)
        play.fails(store=play.new_store())
        connector = bench.make()
        found = list(connector.check())
        connector.close()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    play.hides(*lines, *(f"{each.what} {each.do}" for each in found))


def _undescribed(model: type[pydantic.BaseModel], place: str) -> Iterator[str]:
    for name, info in model.model_fields.items():
        here = f"{place}{info.alias or name}"
        if not info.description:
            yield here
        for inner in _models(info.annotation):
            yield from _undescribed(inner, f"{here}.")


def _models(annotation: Any) -> Iterator[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)


def _in_the_clear(play: Play, good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the settings with each reference replaced by the secret itself."""
    for path, text in _texts(good):
        for name, value in play.bench.secrets.items():
            if name in text:
                made: Any = copy.deepcopy(good)
                level = made
                for step in path[:-1]:
                    level = level[step]
                level[path[-1]] = text.replace(name, value)
                yield made


def _texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _texts(inner, (*path, place))


def _difference(good: Mapping[str, Any], bad: Mapping[str, Any]) -> str:
    names = [name for name in {*good, *bad} if good.get(name) != bad.get(name)]
    return ", ".join(f"{name}: {str(bad.get(name))[:80]}" for name in sorted(names))
