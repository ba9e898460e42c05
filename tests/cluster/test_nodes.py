"""Three nodes with one database (tools/site up --nodes 3): a request may begin on one and end on another,
and whatever happens to a node's database, nothing is lost and nothing happens twice."""
import os
import subprocess
import time

import pytest

from approver import Approver, quorum, unb64, verify
from client import Client, public_key, unique
from load import Ledger, check, start_load, stop_load
from private_site import TOOL, Site

NODES = (1, 2, 3)
TABLES = "request, approval, task, audit, key_attributes"

pytestmark = pytest.mark.skipif(
    subprocess.run(". ./private-db.sh && . ./galera.sh && galera_find", shell=True,
                   cwd=TOOL.parent / "lib", stderr=subprocess.DEVNULL).returncode != 0,
    reason="needs galera-4, mariadb-server and rsync (tools/install-deps --cluster)")


@pytest.fixture(scope="module")
def site():
    s = Site(nodes=3, hsms=2, keep=bool(os.environ.get("TSB_TEST_KEEP")),
             settings="lease = 5\n[hsm]\ntimeout = 4\n")
    yield s
    s.down()


def until(met, site, timeout=30):
    end = time.monotonic() + timeout
    while not met(site):
        assert time.monotonic() < end, met.__name__
        time.sleep(0.05)


def all_joined(site):
    states = [dict(site.node(n).sql("SHOW STATUS LIKE 'wsrep_%'")) for n in NODES]
    return all(s["wsrep_ready"] == "ON" and s["wsrep_cluster_size"] == str(len(NODES))
               for s in states)


def same_everywhere(site):
    """All nodes have the same rows."""
    sums = [site.node(n).sql("CHECKSUM TABLE " + TABLES) for n in NODES]
    return sums[0] == sums[1] == sums[2]


def test_request_crosses_nodes(site):
    one, two, three = (Client(site.node(n)) for n in NODES)
    a, b = Approver(name="a"), Approver(name="b")
    label = unique()
    key = public_key(one.create_key(label, quorum(2, a, b)))
    rid = one.sign(label, b"across")
    two.approve(a, rid)
    three.approve(b, rid)
    view = three.wait(rid, "EXECUTED")
    assert verify(key, "SHA-256", b"across", unb64(view["result"]))
    for api in (one, two):
        assert api.request(rid) == view
    until(same_everywhere, site)


def test_one_of_two_hsms_dies(site):
    api, crowd = Client(site), [Approver(), Approver()]
    label = unique()
    api.create_key(label, quorum(2, *crowd))
    for part in ("hsm1", "hsm2"):
        site.part("kill", part)
        rid = api.sign(label)
        for a in crowd:
            api.approve(a, rid)
        api.wait(rid, "EXECUTED")
        site.part("start", part)


def under_load(site, *events):
    """Each event, one or more commands of tools/site, happens when clients have had answers again."""
    ledger = Ledger()
    keys, crowd, clients = start_load(site, ledger)
    try:
        for event in events:
            ledger.until(answers=60)
            for command in event.split(", "):
                site.part(*command.split())
        ledger.until(answers=100)
    finally:
        stop_load(clients)
    until(all_joined, site)
    states = check(site, ledger, keys, crowd)
    print("\n%s: %s; %d answers, %d lost" % ("; ".join(events), dict(states), ledger.answers,
                                             ledger.lost))
    assert states["EXECUTED"] and not states["FAILED"]
    until(same_everywhere, site)


def test_database_dies_and_comes_back(site):
    under_load(site, "kill db2", "start db2")


def test_database_is_cut_off_and_comes_back(site):
    under_load(site, "cut db3", "mend db3")


def test_all_databases_die(site):
    under_load(site, "kill db, start db")
