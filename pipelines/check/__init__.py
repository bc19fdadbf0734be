"""The checker of the files that people write: every mistake with file, line and what was meant.

`isthmus check` runs it over everything; the workspace runs it over each connection, so that a
broken one is shown and the others go on.
"""

from __future__ import annotations

from pipelines.check.connection_file import check_company_file, check_connection_file
from pipelines.check.problems import Problem

__all__ = ["Problem", "check_company_file", "check_connection_file"]
