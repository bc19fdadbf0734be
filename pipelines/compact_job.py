"""What Dagster shows of a compaction, and the one that comes every night by itself.

No postponed annotations here: Dagster reads the step's `context` parameter by its class.
"""

import dagster as dg

from connectors.base import utc_now
from pipelines.compact import NIGHTLY, compact
from pipelines.compact_report import Part, Report
from pipelines.explain import explain
from pipelines.streams import failure
from pipelines.workspace import Workspace


def left_alone(part: Part) -> list[str]:
    """Return what was not done of a part, and why."""
    return [
        *(f"{name}: it is being read" for name in part.busy),
        *(f"{name}: more packs the next night" for name in part.unfinished),
        *(["too large for the night: `isthmus compact` by hand"] if part.is_left else []),
    ]


def told(context: dg.OpExecutionContext, done: Report) -> None:
    """Say what came of a compaction; raises the failure that names every part that failed."""
    if done.error is None:
        context.add_output_metadata({"room": compact_table(done), **done.figures()})
        return
    wrong = failure(done.error)
    # A failed step shows no metadata but its failure's.
    wrong.metadata = {**wrong.metadata, "room": compact_table(done)}
    raise wrong


def compact_table(done: Report) -> dg.TableMetadataValue:
    """Return before and after, a row a connection."""
    numbers = ("files", "after_files", "bytes", "after_bytes", "batches", "packs")
    records = [
        dg.TableRecord(
            {"what": part.name, **{name: getattr(part, name) for name in numbers},
             "left alone": ", ".join(left_alone(part))}
        )
        for part in done.parts
    ]  # fmt: skip
    columns = [dg.TableColumn("what", "string"), *(dg.TableColumn(n, "int") for n in numbers)]
    return dg.TableMetadataValue(
        records, dg.TableSchema([*columns, dg.TableColumn("left alone", "string")])
    )


@dg.op(description="Makes packs of batches older than two days, the store anew where it is worth.")
def compact_nightly(context: dg.OpExecutionContext) -> None:
    """Do what is worth it, and say what came of it."""
    space = Workspace.discover()
    try:
        done = compact(space, utc_now, limits=NIGHTLY)
    except Exception as error:  # the boundary of a step: its failure is a text
        raise failure(explain(error, space.home, space.secrets.given)) from None
    told(context, done)
