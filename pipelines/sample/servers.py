"""The systems of the sample company that speak HTTP, each on its port of loopback."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from connectors.errors import ConfigError
from connectors.rest.serve import serve
from pipelines.sample import alipay, fxiaoke, jushuitan, kingdee, kuaidi100, shopify, stripe
from pipelines.sample.story import Story
from pipelines.texts import t

SYSTEMS = (shopify, kingdee, jushuitan, fxiaoke, stripe, alipay, kuaidi100)
"""One module a system: CONNECTION, PORT, SECRETS, STREAMS and `build`. None else is in defs/."""
PORTS = {system.CONNECTION: system.PORT for system in SYSTEMS}
SECRETS = {name: value for system in SYSTEMS for name, value in system.SECRETS.items()}
"""What the demo sets for its own process; these servers are on loopback and know no secret."""


def build(story: Story) -> dict[str, Any]:
    """Return the systems by connection, each with what it holds of the story."""
    return {system.CONNECTION: system.build(story) for system in SYSTEMS}


@contextlib.contextmanager
def running(apps: Mapping[str, Any]) -> Iterator[None]:
    """Serve the systems on their ports while the block runs; raises ConfigError for a taken one."""
    with contextlib.ExitStack() as stack:
        for connection, app in apps.items():
            port = PORTS[connection]
            try:
                stack.enter_context(serve(app, port=port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                raise ConfigError(t("sample.port.what", port=port), t("sample.port.do")) from None
        yield


def hand_out(env: MutableMapping[str, str], office: os.PathLike[str]) -> dict[str, str]:
    """Set what the sample's definitions refer to, and return it."""
    values = {**SECRETS, "SAMPLE_OFFICE": os.fspath(office)}
    env.update(values)
    return values
