"""Where everything stands under `ISTHMUS_HOME` (FORMS.md section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


def private_folder(path: Path) -> None:
    """Make `path` and the folders above it that are missing, for this user alone (0700)."""
    for folder in reversed((path, *path.parents)):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds landing, store, published versions and control database."""

    root: Path

    @property
    def landing(self) -> Path:
        """The append-only log."""
        return self.root / "landing"

    @property
    def store(self) -> Path:
        """The private store; only the holder of `lock` opens it."""
        return self.root / "store" / "store.duckdb"

    @property
    def public(self) -> Path:
        """The masked projection of the store, copied to be published."""
        return self.root / "store" / "public.duckdb"

    @property
    def lock(self) -> Path:
        """The OS lock file of the one writer."""
        return self.root / "store" / "lock"

    @property
    def published(self) -> Path:
        """The folder of published versions."""
        return self.root / "published"

    @property
    def current(self) -> Path:
        """The published version of now, a stable name."""
        return self.published / "unified.duckdb"

    @property
    def readable(self) -> Path:
        """The same version under the name that people are told.

        A client that opens `unified.duckdb` has a catalog of that name, in which DuckDB refuses
        `unified.orders` as ambiguous.
        """
        return self.published / "isthmus.duckdb"

    @property
    def control(self) -> Path:
        """The control database (SQLite unless a URL is given)."""
        return self.root / "control.db"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME unless set."""
        return self.root / "dagster"

    @property
    def key_file(self) -> Path:
        """The key of this home where ISTHMUS_KEY is not set; mode 0600."""
        return self.root / "key"

    def make(self) -> Home:
        """Make the folders with their modes."""
        private_folder(self.root)
        for folder, mode in (
            (self.landing, 0o700),
            (self.store.parent, 0o700),
            (self.published, 0o750),
            (self.dagster, 0o700),
        ):
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
        return self
