"""`python -m pipelines.cli` is `isthmus`, for places where scripts are not on the path."""

from __future__ import annotations

import sys

from pipelines.cli import main

sys.exit(main())
