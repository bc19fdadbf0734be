"""What Dagster shows of a compaction, and the one that comes every night by itself.

No postponed annotations here: Dagster reads the step's `context` parameter by its class.
"""

import dagster as dg

from connectors.base import utc_now
from pipelines.compact import NIGHTLY_LEAST, NIGHTLY_OLDER, Report, compact
from pipelines.explain import explain
from pipelines.streams import failure
from pipelines.workspace import Workspace


def compact_table(done: Report) -> dg.TableMetadataValue:
    """Return before and after, a row a connection."""
    numbers = ("files", "after_files", "bytes", "after_bytes", "batches", "packs")
    records = [
        dg.TableRecord(
            {"what": part.name, **{name: getattr(part, name) for name in numbers},
             "left alone": ", ".join(part.busy)}
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
        done = compact(space, utc_now, older=NIGHTLY_OLDER, least=NIGHTLY_LEAST)
    except Exception as error:  # the boundary of a step: its failure is a text
        raise failure(explain(error, space.home, space.secrets.given)) from None
    context.add_output_metadata({"room": compact_table(done), **done.figures()})
