"""What the company's file says of reconciliation is what rules run with."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from pipelines.company import CompanyFile
from pipelines.unify_job import recon_settings
from warehouse.recon_rules import Setting, Settings


def test_a_file_that_says_nothing_leaves_the_projects_own() -> None:
    assert recon_settings(CompanyFile()) == Settings()


def test_zone_tolerance_and_what_a_rule_has_own() -> None:
    said = CompanyFile.model_validate({
        "timezone": "Asia/Shanghai", "tolerance": {"amount": "0.05", "transit": "2d"},
        "reconcile": {"payment_amount": {"since": "2026-05-01", "severity": "warning"}},
    })  # fmt: skip
    own = Setting(severity="warning", since=date(2026, 5, 1))
    assert recon_settings(said) == Settings(
        Decimal("0.05"), timedelta(days=2), (("payment_amount", own),), "Asia/Shanghai"
    )
