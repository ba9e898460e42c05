"""Fixtures: a private site per web server (TSB_TEST_WEB=nginx,apache) from the build TSB_BUILD.

TSB_TEST_PROFILE=air-gapped runs the same tests across an air gap (tests/lib/gap.py). What cannot apply
there has the marker online_only with the reason, and is skipped.
"""
import datetime
import os
import shutil
import ssl
import tempfile

import pytest

from approver import Approver
from client import Client
from gap import AirClient, AirShell, Gap
from made_up import new_approver
from people import People
from private_site import Site
from tsb import Broker, Shell

WEBS = os.environ.get("TSB_TEST_WEB", "nginx,apache").split(",")
PROFILE = os.environ.get("TSB_TEST_PROFILE", "online")


def pytest_collection_modifyitems(items):
    for item in items:
        marker = item.get_closest_marker("online_only")
        if marker and PROFILE == "air-gapped":
            why, = marker.args
            item.add_marker(pytest.mark.skip(reason="online only: " + why))


@pytest.fixture(scope="session")
def signers(tmp_path_factory):
    """Timestamp signers that the settings name; the certificate of one is over."""
    day = datetime.timedelta(days=1)
    start = datetime.datetime.now(datetime.timezone.utc) - 30 * day
    good, over = Approver("rsa", "notifier"), Approver("p256", "retired")
    over.certificate = over.certificate_for("retired", start, start + 10 * day)
    return {"good": good, "over": over}


@pytest.fixture(scope="session", params=WEBS)
def site(request, signers):
    folder = tempfile.mkdtemp(prefix="tsb-signers-")
    os.chmod(folder, 0o755)
    settings = "\n[general]\n"
    for name, signer in signers.items():
        path = os.path.join(folder, name + ".pem")
        with open(path, "wb") as f:
            f.write(ssl.DER_cert_to_PEM_cert(signer.certificate).encode())
        settings += "allowedTimestampSigningCertificates = %s\n" % path
    options = {"web": request.param, "keep": bool(os.environ.get("TSB_TEST_KEEP")),
               "settings": settings}
    if PROFILE == "air-gapped":
        gap = Gap(**options)
        yield gap.site
        gap.down()
    else:
        s = Site(**options)
        yield s
        s.down()
    shutil.rmtree(folder)


@pytest.fixture
def api(site):
    if site.profile == "online":
        yield Client(site)
        return
    yield AirClient(site.gap)
    site.gap.courier.forget()


@pytest.fixture
def faults(site):
    yield site.set_faults
    site.set_faults([])


@pytest.fixture(scope="session")
def people():
    return People()


# ---- the command line, with and without a site ----

@pytest.fixture
def tsb(site, tmp_path):
    (tmp_path / "order.txt").write_text("pay 10 to bert\n")
    return Shell(site, tmp_path) if site.profile == "online" else AirShell(site.gap, tmp_path)


@pytest.fixture
def broker():
    b = Broker()
    yield b
    b.close()


@pytest.fixture(scope="session")
def anna(tmp_path_factory):
    """An approver whose key the program made itself."""
    return new_approver(tmp_path_factory.mktemp("anna"), "anna")
