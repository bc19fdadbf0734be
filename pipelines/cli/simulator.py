"""`simulator` serves the simulator of a connector on this machine until it is stopped."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.show import remark, say
from pipelines.texts import t


def simulator(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help=t("opt.simulator"))],
    port: Annotated[int, typer.Option("--port", help=t("opt.simulator_port"))] = 0,
) -> None:
    """Serve a connector's simulator on loopback and print the connection that reads it."""
    from connectors.rest.serve import serve
    from connectors.simulated import simulated
    from pipelines.cli.yamlwrite import block
    from pipelines.connection import TYPE

    found = simulated(system)
    try:
        with serve(found.app, port=port) as url:
            say(f"# defs/{system}/defs.yaml")
            for line in block({"type": TYPE, "attributes": found.attributes(system, url)}):
                say(line)
            say("# .env")
            for name, value in found.secrets.items():
                say(f"{name}={value}")
            remark(t("simulator.runs", system=system, url=url))
            threading.Event().wait()
    except KeyboardInterrupt:
        remark(t("simulator.stopped"))
    except OSError:
        raise CliError(t("simulator.taken", port=port), t("simulator.taken_do")) from None
