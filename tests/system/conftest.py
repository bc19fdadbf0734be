"""Fixtures of the tests that run a server which nobody here wrote."""

from __future__ import annotations

import pytest
from localstripe_account import VERSION, filled, running
from own_environment import own_python


@pytest.fixture(scope="module")
def base(pytestconfig, tmp_path_factory):
    """Start localstripe, yield its base URL, and stop it."""
    with running(own_python(pytestconfig, tmp_path_factory, "localstripe", VERSION)) as url:
        yield url


@pytest.fixture(scope="module")
def stripe(base):
    """Return a client of the server, which is filled through its own API."""
    with filled(base) as client:
        yield client
