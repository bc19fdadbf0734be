"""`erase`: removes a person from landing, store and published versions, and proves it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.codes import FAILED, CliError
from pipelines.cli.options import AsJson
from pipelines.cli.query import now
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, remark, say, table
from pipelines.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.erase import Erased, Seen, Several, Unknown

_SHOWN = 20


def erase(
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help=t("opt.subject"), show_default=False)
    ] = "",
    *,
    why: Annotated[str, typer.Option("--why", help=t("opt.why"))] = "",
    who: Annotated[str, typer.Option("--who", help=t("opt.who"))] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=t("opt.dry_run"))] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=t("opt.yes"))] = False,
    prove: Annotated[bool, typer.Option("--prove/--no-prove", help=t("opt.prove"))] = True,
    resume: Annotated[bool, typer.Option("--resume", help=t("opt.resume_erase"))] = False,
    json: AsJson = False,
) -> None:
    """Remove a person from store, history, landing and published versions, and prove it."""
    from pipelines.erase import Erasure, Several, Unknown

    work = Erasure(workspace(), now, lambda step: remark(t(f"erase.step_{step}")))
    if resume:
        done = work.resume(proving=prove)
        if done is None:
            say(t("erase.nothing"))
        else:
            _tell(done, json=json)
        return
    word = _word(subject)
    if not dry_run and not why.strip():
        raise CliError(t("erase.no_why"), t("erase.no_why_do"))
    try:
        seen = work.look(word)
        if dry_run:
            if json:
                as_json(_plain(seen))
            else:
                _show(seen)
            return
        if not yes:
            _ask(seen)
        done = work.erase(seen.party_id, why=why.strip(), who=who.strip(), proving=prove)
    except Several as error:
        raise _several(error) from None
    except Unknown as error:
        raise _unknown(error) from None
    _tell(done, json=json)


def _word(subject: str) -> str:
    """Return whom the command is about; `-` reads it from stdin, where no list of processes is."""
    from pipelines.cli.identity import unmasked

    word = sys.stdin.readline().strip() if subject == "-" else subject.strip()
    if not word:
        raise CliError(t("erase.nobody"), t("erase.nobody_do"))
    return unmasked(word)


def _ask(seen: Seen) -> None:
    if not sys.stdin.isatty():
        raise CliError(t("erase.unasked"), t("erase.unasked_do"))
    _show(seen)
    typer.confirm(t("erase.sure"), abort=True)


def _show(seen: Seen) -> None:
    """Say what would go; no value of the person is printed."""
    say(t("erase.party", id=seen.party_id, records=seen.records))
    _streams(seen.streams)
    say(t("erase.values", values=_counted(seen.values)))
    if seen.kept:
        say(t("erase.kept", values=_counted(seen.kept)))


def _streams(streams: Sequence[dict[str, Any]]) -> None:
    table(
        [t("sync.col.stream"), t("erase.col.removed"), t("erase.col.blanked"),
         t("erase.col.batches")],
        [(f"{s['connection']}/{s['stream']}", s["removed"], s["blanked"], s["batches"])
         for s in streams],
    )  # fmt: skip


def _counted(values: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(values.items())) or "0"


def _tell(done: Erased, *, json: bool) -> None:
    """Say what was done; a value that was found ends the command as failed."""
    proof = done.proof
    if json:
        as_json(_plain(done))
    else:
        say(t("erase.done", decision=done.decision))
        _streams(done.streams)
        rows = ", ".join(f"{name} {count}" for name, count in done.rows.items())
        say(t("erase.rows", rows=rows or "0"))
        scrubbed = sum(done.scrubbed.rows.values()) + len(done.scrubbed.files)
        say(t("erase.others", decisions=done.decisions, scrubbed=scrubbed,
              versions=done.removed_versions, copies=len(done.removed_copies)))  # fmt: skip
        if done.regrouped:
            remark(t("erase.regrouped", count=done.regrouped))
        if proof is not None and proof.is_clean:
            say(t("erase.proved", files=proof.files, bytes=proof.bytes, values=done.values))
        elif proof is None:
            remark(t("erase.unproved"))
    if proof is not None and not proof.is_clean:
        named = [f"{file} ({count})" for file, count in proof.hits.items()]
        files = ", ".join([*named, *proof.unread][:_SHOWN])
        raise CliError(t("erase.found", files=files), t("erase.found_do"), FAILED)


def _plain(value: Seen | Erased) -> dict[str, Any]:
    from pipelines.erase import as_json as plain

    return plain(value)


def _several(error: Several) -> CliError:
    from pipelines.cli.parties import name_of, records

    known, lines = records(error.ids[:_SHOWN]), []
    for id in error.ids[:_SHOWN]:
        record = known.get(str(id))
        name = (record or {}).get("name") or ""
        lines.append(f"  {id}  {name_of(record, t('party.unpublished'))}  {name}".rstrip())
    if len(error.ids) > len(lines):
        lines.append("  …")
    what = t("erase.several", count=len(error.ids))
    return CliError("\n".join([what, *lines]), t("erase.several_do"))


def _unknown(error: Unknown) -> CliError:
    if error.erased_by is not None:
        return CliError(t("erase.before", decision=error.erased_by), t("erase.before_do"))
    return CliError(t("erase.unknown"), t("party.unknown_do"))
