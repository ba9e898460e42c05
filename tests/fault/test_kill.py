"""Programs die under load, again and again; what was promised to a client is kept.

TSB_TEST_KILLS (default 100) processes are ended with SIGKILL while clients create, approve, reject,
cancel and read requests; a small supervisor starts again what died, as an init system would.
tests/lib/load.py says what must hold afterwards.
"""
import collections
import os
import random
import time

import pytest

from approver import Approver, quorum, unb64, verify
from client import Client, public_key, unique
from killing import Supervisor, kill_one
from load import Ledger, check, start_load, stop_load
from private_site import Site

KILLS = int(os.environ.get("TSB_TEST_KILLS", "100"))
PARTS = ("fcgi worker", "fcgi", "dispatcher1", "hsm worker", "hsm", "db", "web", "web worker")


@pytest.fixture(params=os.environ.get("TSB_TEST_WEB", "nginx").split(","))
def site(request):
    # a short lease: who inherits the work of the dead does not keep the test waiting
    s = Site(web=request.param, keep=bool(os.environ.get("TSB_TEST_KEEP")),
             settings="lease = 5\n[hsm]\ntimeout = 4\n")
    yield s
    s.down()


def test_kill_under_load(site):
    seed = int(os.environ.get("TSB_TEST_SEED", "1"))
    rng, ledger, killed = random.Random(seed), Ledger(), collections.Counter()
    keys, crowd, clients = start_load(site, ledger)
    supervisor = Supervisor(site)
    supervisor.start()
    try:
        deadline = time.monotonic() + 4 * 60
        while sum(killed.values()) < KILLS and time.monotonic() < deadline:
            what = PARTS[sum(killed.values()) % len(PARTS)]
            if kill_one(site, what, rng):
                killed[what] += 1
            else:
                time.sleep(0.05)
            time.sleep(rng.uniform(0.2, 1.6))
    finally:
        supervisor.stop()
    assert not supervisor.failed, supervisor.failed
    stop_load(clients)
    states = check(site, ledger, keys, crowd)
    print("\n%d killed: %s\n%d requests: %s; %d answers, %d lost" % (
        sum(killed.values()), dict(killed), len(ledger.requests), dict(states), ledger.answers,
        ledger.lost))
    assert sum(killed.values()) >= KILLS
    assert states["EXECUTED"] > 20 and ledger.lost > 0


@pytest.mark.parametrize("part", ["hsm", "db"])
def test_outage_under_load(site, part):
    """A part stops in order and comes again: requests wait, none fails by it."""
    ledger = Ledger()
    keys, crowd, clients = start_load(site, ledger)
    for _ in range(3):
        ledger.until(answers=100)
        site.part("stop", part)
        ledger.stands()
        site.part("start", part)
    ledger.until(answers=200)
    stop_load(clients)
    states = check(site, ledger, keys, crowd)
    assert states["EXECUTED"] > 20 and not states["FAILED"]


def tries(site, rids):
    """How often requests were claimed for execution."""
    ((count,),) = site.sql("SELECT SUM(fence) FROM request WHERE HEX(id) IN (%s)" % ",".join(
        "'%s'" % rid.replace("-", "") for rid in rids))
    return int(count)


def is_outage(response):
    """Nothing took place: clients may ask again, and are told when."""
    assert response.status_code == 503 and response.json()["errorCode"] == 2, response.text
    assert 0 < int(response.headers["Retry-After"]) < 60


def test_database_that_is_away_is_an_outage(site):
    api = Client(site)
    site.part("stop", "db")
    is_outage(api.send("GET", "/v1/request/9f03da93-2f07-4ca1-a0d1-f41f50f76c2a"))
    site.part("start", "db")
    api.refused(651, "GET", "/v1/request/9f03da93-2f07-4ca1-a0d1-f41f50f76c2a")


def test_requests_wait_while_the_hsm_is_away(site):
    api = Client(site)
    a = Approver("p256", "a")
    label = unique()
    key = public_key(api.create_key(label, quorum(1, a)))
    rids = [api.sign(label, b"%d" % i) for i in range(5)]
    site.part("stop", "hsm")
    for rid in rids:
        api.approve(a, rid)
        assert api.status_of(rid) == "APPROVED"
    end = time.monotonic() + 30
    while tries(site, rids) < 3:
        assert time.monotonic() < end, "the dispatcher does not try again"
        time.sleep(0.05)
    for rid in rids:
        view = api.request(rid)
        assert view["status"] == "APPROVED" and view["result"] is None
    # what needs the HSM says that it is away, and nothing else
    api.refused(2, "POST", "/v1/sign", api.sign_body(label))
    is_outage(api.send("POST", "/v1/sign", api.sign_body(label)))
    api.refused(2, "GET", "/v1/key")
    site.part("start", "hsm")
    for i, rid in enumerate(rids):
        assert verify(key, "SHA-256", b"%d" % i, unb64(api.wait(rid, "EXECUTED")["result"]))


def test_request_expires_while_the_hsm_is_away(site):
    api = Client(site)
    a = Approver("p256", "a")
    label = unique()
    api.create_key(label, quorum(1, a, timeout=600))
    rid = api.sign(label)
    site.part("stop", "hsm")
    api.approve(a, rid)
    site.forward(601)
    assert api.wait(rid, "EXPIRED")["result"] is None
    site.part("start", "hsm")
    api.stays(rid, "EXPIRED")


def test_database_away(site):
    api = Client(site)
    a = Approver("p256", "a")
    label = unique()
    api.create_key(label, quorum(1, a))
    rid = api.sign(label)
    task = api.task(a, rid)
    body = api.approval_body(a, task)
    site.part("kill", "db")
    for _ in range(3):
        for method, path, send in (("GET", "/v1/request/" + rid, None),
                                   ("POST", "/v1/sign", api.sign_body(label)),
                                   ("POST", "/v1/approval", body)):
            api.refused(2, method, path, send)
    # what needs no database goes on
    assert label in api.get("/v1/key")
    site.part("start", "db")
    api.post("/v1/approval", body)
    api.wait(rid, "EXECUTED")
