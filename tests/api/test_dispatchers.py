"""Two dispatchers on one database: each request is executed once, by one of them."""
import pytest

from approver import quorum, unb64, verify
from client import Client, public_key, unique
from conftest import WEBS
from private_site import Site

pytestmark = [pytest.mark.online_only("dispatchers of an air-gapped site only end what is late"),
              pytest.mark.nginx_only("a site of its own"),
              pytest.mark.plain_only("the same code with a second process")]


@pytest.fixture(scope="module")
def pair():
    s = Site(web=WEBS[0], dispatchers=2)
    yield s
    s.down()


def executions(site, rid):
    """Who finished the request, by its audit."""
    return site.sql("SELECT actor FROM audit WHERE request_id = UNHEX('%s') AND state_to = "
                    "'EXECUTED'" % rid.replace("-", ""))


def test_side_by_side(pair, people):
    api = Client(pair)
    a = people()
    label = unique()
    key = public_key(api.create_key(label, quorum(1, a, timelock=60)))
    rids = [api.sign(label, b"%d" % i) for i in range(30)]
    for rid in rids:
        api.approve(a, rid)
    # all become due in the same moment
    pair.forward(61)
    for i, rid in enumerate(rids):
        view = api.wait(rid, "EXECUTED")
        assert verify(key, "SHA-256", b"%d" % i, unb64(view["result"]))
        assert len(executions(pair, rid)) == 1
    assert api.attributes(label)["json"]["keyUsageCount"] == len(rids)


def test_either_alone_is_enough(pair, people):
    api = Client(pair)
    a = people()
    label = unique()
    api.create_key(label, quorum(1, a))
    for part in ("dispatcher1", "dispatcher2"):
        pair.part("kill", part)
        rid = api.sign(label)
        api.approve(a, rid)
        api.wait(rid, "EXECUTED")
        pair.part("start", part)


def test_two_web_sites_do_not_meet(pair, site, people):
    """Two sites side by side: neither knows the other's keys, requests or API keys."""
    one, other = Client(pair), Client(site)
    label = unique()
    one.create_key(label)
    rid = one.sign(label)
    assert label not in other.get("/v1/key")
    other.refused(651, "GET", "/v1/request/" + rid)
    other.refused(631, "GET", "/v1/request/" + rid, role=one.tokens["KO"])
