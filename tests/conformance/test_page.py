"""docs/connectors.md is what connectors and suites say now; every connector has a suite."""

from __future__ import annotations

from typing import ClassVar

from connectors import registry
from connectors.testing import ConformanceSuite, table
from tests.conformance.page import PAGE, SUITES, page
from tests.conformance.test_files import FilesBench


def test_the_page_is_up_to_date():
    assert page() == PAGE.read_text("utf-8"), "run make conformance"


def test_every_connector_that_the_project_brings_has_a_suite():
    assert {suite.bench.connector.name for suite in SUITES} == set(registry.names())


def test_a_command_s_results_are_those_of_the_cases():
    class Some(ConformanceSuite):
        title = "some"
        bench = FilesBench
        not_applicable: ClassVar = {
            "html_page": "a folder is not reached over HTTP",
            "empty_stream": "this reason is wrong: the case passes",
        }

    names = ("first_read_is_whole", "html_page", "empty_stream", "redirected")
    results = table.play([Some], names)["files: some"]
    assert results["first_read_is_whole"] == table.PASSED
    assert results["html_page"] == table.NOT
    assert results["empty_stream"] == "passes, though declared not applicable"
    assert results["redirected"].startswith("not played: ")
    assert "| files: some | 1 | 1 | 2 |" in table.summary({"files: some": results})
