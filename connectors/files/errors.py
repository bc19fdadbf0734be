"""Errors of files: what is wrong with which of them."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.errors import ConnectorError, ContractBroken


class BadFiles(ContractBroken):
    """Some files of a stream could not be read; the others were. `causes` has one error a file."""

    def __init__(self, causes: Sequence[ConnectorError]) -> None:
        self.causes = tuple(causes)
        if len(causes) == 1:
            only = causes[0]
            super().__init__(only.what, only.do, place=only.place)
            return
        named = " ".join(f"{cause.place}: {cause.what}" for cause in causes[:20])
        more = f" And {len(causes) - 20} more." if len(causes) > 20 else ""
        super().__init__(
            f"{len(causes)} files could not be read, the others were. {named}{more}",
            " ".join(dict.fromkeys(f"{cause.place}: {cause.do}" for cause in causes[:20])),
        )
