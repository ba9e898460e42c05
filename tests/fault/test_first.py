"""A key without a policy is used before its request is written: with one call to the HSM and one
transaction, and no less safe than in the ordinary way."""
import os

import pytest

from approver import Approver, quorum
from client import ApiError, Client, unique
from front import Front
from private_site import Site

SIGN, STAMP = "/v1/synchronousSign", "/v1/timestamp"
AUDIT = ("SELECT action, COALESCE(state_from, ''), state_to FROM audit "
         "WHERE request_id = UNHEX('%s') ORDER BY id")


class Firsts:
    def __init__(self):
        self.front = Front()
        self.site = Site(web=os.environ.get("TSB_TEST_WEB", "nginx").split(",")[0],
                         settings="\n[hsm]\ntimeout = 3\n", hsm_url=self.front.url)
        self.front.behind(self.site)
        self.api = Client(self.site)
        self.label = unique("plain")
        self.api.create_key(self.label)

    def down(self):
        self.site.down()
        self.front.close()

    def know(self):
        """All processes of the broker have seen the key."""
        for _ in range(100):
            self.front.reset()
            for _ in range(8):
                self.sign()
            if self.front.count(STAMP) == 0:
                return
        raise AssertionError("never in the short way")

    def sign(self, label=None):
        rid = self.api.sign(label or self.label)
        assert self.api.status_of(rid) == "EXECUTED"
        return rid

    def requests(self):
        return {r["id"] for r in self.api.post("/v1/filteredRequests",
                                               {"keyName": self.label})["requests"]}

    def audit(self, rid):
        return self.site.sql(AUDIT % rid.replace("-", ""))


@pytest.fixture(scope="module")
def first():
    made = Firsts()
    yield made
    made.down()


@pytest.fixture(autouse=True)
def calm(first):
    yield
    first.front.reset()
    first.site.set_faults([])


def test_one_call_and_the_same_record(first):
    ordinary = first.sign()
    first.know()
    first.front.reset()
    rid = first.sign()
    assert (first.front.count(STAMP), first.front.count(SIGN)) == (0, 1)
    assert first.audit(rid) == first.audit(ordinary) == [
        ["create", "", "APPROVED"], ["execute", "APPROVED", "EXECUTED"]]
    view, other = first.api.request(rid), first.api.request(ordinary)
    assert set(view) == set(other)
    assert view["result"] and view["executionTime"] is not None


@pytest.mark.parametrize("when,recorded", [("before", 0), ("after", 1)])
def test_killed_at_its_commit(first, when, recorded):
    """Not acknowledged: either nothing is there, or all of it."""
    first.know()
    before = first.requests()
    first.site.set_faults([("store.request_create.COMMIT." + when, "kill")])
    with pytest.raises(ApiError):
        first.api.sign(first.label)
    assert first.site.faults_left() == []
    new = first.requests() - before
    assert len(new) == recorded
    for rid in new:
        assert first.api.status_of(rid) == "EXECUTED"


@pytest.mark.parametrize("number", [1213, 2013])
def test_database_lost_at_its_commit(first, number):
    first.know()
    before = first.requests()
    first.site.set_faults([("store.request_create.COMMIT.after", number)])
    rid = first.sign()
    assert first.requests() - before == {rid}
    assert len(first.audit(rid)) == 2


def test_a_key_that_became_another_one(first):
    """Made anew with a policy: the HSM refuses, and approvers are asked."""
    api, label, person = first.api, unique("became"), Approver()
    api.create_key(label)
    for _ in range(12):
        first.sign(label)
    api.call("DELETE", "/v1/key/" + label)
    api.create_key(label, quorum(1, person))
    for _ in range(12):
        rid = api.sign(label)
        assert api.status_of(rid) == "PENDING"
    api.approve(person, rid)
    api.wait(rid, "EXECUTED")
    api.call("DELETE", "/v1/key/" + label)
    for _ in range(12):
        api.refused(650, "POST", "/v1/sign", api.sign_body(label))


def test_what_the_hsm_refuses_is_refused_as_ever(first):
    first.know()
    before = first.requests()
    first.api.refused(607, "POST", "/v1/sign", first.api.sign_body(first.label, algorithm="EDDSA"))
    first.api.refused(612, "POST", "/v1/sign",
                      first.api.sign_body(first.label, b"x", "NONE_WITH_ECDSA"))
    assert first.requests() == before


def test_an_hsm_that_is_away(first):
    first.know()
    before = first.requests()
    first.front.rule = lambda call: Front.DROP if call.path == SIGN else None
    with pytest.raises(ApiError) as e:
        first.api.sign(first.label)
    assert e.value.status in (500, 502, 503, 504) and first.requests() == before
    assert first.front.count(STAMP) == 0


def test_attributes_are_written_again_after_a_fail_over(first):
    """What one server had another may lack: requests of the key stayed APPROVED."""
    api, label, person = first.api, unique("moved"), Approver()
    api.create_key(label, quorum(1, person))
    for _ in range(16):
        api.sign(label)
    first.site.part("stop", "dispatcher1")
    first.site.sql("DELETE FROM key_attributes WHERE key_name = '%s'" % label)
    first.site.part("restart", "db")
    rids = [api.sign(label) for _ in range(16)]
    first.site.part("start", "dispatcher1")
    for rid in rids:
        api.approve(person, rid)
    for rid in rids:
        api.wait(rid, "EXECUTED")
