"""The matchers of this release, by entity."""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.grouping import Matcher

VERSION = "1"
"""Of the rules: another makes every group anew."""

MATCHERS: Mapping[str, Matcher] = {}
