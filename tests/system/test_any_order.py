"""Four systems synced in any order end in the same customers with the same values.

Every id that was published on the way still leads to its customer, a rebuild gives the same ids,
and what a person parted stays apart through all of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from many_orders import Company, found, orders


@pytest.mark.parametrize(
    ("rows", "count"), [(240, 2), pytest.param(4_000, 10, marks=pytest.mark.slow)]
)
def test_any_order_of_syncs_ends_in_the_same_customers(
    tmp_path: Path, rows: int, count: int
) -> None:
    ends: list[tuple[object, str]] = []
    for number, order in enumerate(orders(count)):
        company = found(tmp_path / str(number), rows)
        for connection in order:
            company.sync(connection)
        ends.append(_checked(company, order))
        company.space.control.close()
    assert all(end == ends[0] for end in ends)


def _checked(company: Company, order: tuple[str, ...]) -> tuple[object, str]:
    """Part a pair, sync and rebuild; returns the groups and values from before the pair parted."""
    groups, values = company.groups(), company.values()
    assert any(len(one) > 2 for one in groups)
    assert company.lost() == set()
    before = company.ids()
    company.rebuild()
    assert company.ids() == before
    assert (company.groups(), company.values()) == (groups, values)
    # The same two in every order: the least of all that stand together.
    one, other = min(sorted(group)[:2] for group in groups if len(group) > 1)
    company.part(one, other)
    parted = company.ids()
    assert parted[one] != parted[other]
    for connection in order:
        company.sync(connection)
    assert company.ids() == parted
    company.rebuild()
    assert company.ids() == parted
    assert company.lost() == set()
    return groups, values
