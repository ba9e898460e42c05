"""Fixtures: one private site for all clients, from the build TSB_BUILD."""
import os

import pytest

from client import Client
from private_site import Site


@pytest.fixture(scope="session")
def site():
    s = Site()
    yield s
    s.down()


@pytest.fixture
def api(site):
    return Client(site)


@pytest.fixture
def environment(site):
    """What a program needs to call the site."""
    return {**os.environ, **site.vars, "TSB_URL": site.url}
