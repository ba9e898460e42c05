"""Fixtures: a private site per web server (TSB_TEST_WEB=nginx,apache) from the build TSB_BUILD."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

from approver import Approver  # noqa: E402
from client import Client  # noqa: E402
from private_site import Site  # noqa: E402

WEBS = os.environ.get("TSB_TEST_WEB", "nginx,apache").split(",")


@pytest.fixture(scope="session", params=WEBS)
def site(request):
    s = Site(web=request.param, keep=bool(os.environ.get("TSB_TEST_KEEP")))
    yield s
    s.down()


@pytest.fixture
def api(site):
    return Client(site)


@pytest.fixture
def faults(site):
    yield site.set_faults
    site.set_faults([])


class People:
    """Approvers are made once per run: keys are dear."""

    def __init__(self):
        self.made = {}

    def __call__(self, kind="p256", n=0, certificate=False, digest=None):
        key = (kind, n, certificate, digest)
        if key not in self.made:
            self.made[key] = Approver(kind, "%s-%d" % (kind, n), digest, certificate)
        return self.made[key]

    def several(self, n, kind="p256"):
        return [self(kind, i) for i in range(n)]


@pytest.fixture(scope="session")
def people():
    return People()
