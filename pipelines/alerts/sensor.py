"""The daemon's look at what is wrong: lateness shows when nothing runs at all."""

import dagster as dg

from connectors.errors import ConnectorError
from pipelines.alerts.watch import watch
from pipelines.workspace import Workspace

NAME = "alerts"
INTERVAL_SECONDS = 60


@dg.sensor(
    name=NAME,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells the addresses of the company's file what fails, once a cause, and when it"
    " is over. 按公司文件中的地址告警：每个原因一条，恢复后再发一条。",
)
def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Look, tell, and say what was told."""
    try:
        done = watch(Workspace.discover())
    except ConnectorError as error:
        return dg.SkipReason(str(error))
    said = f"{done.standing} causes stand, {done.sent} messages sent"
    return dg.SkipReason("; ".join([said, *done.refused]))
