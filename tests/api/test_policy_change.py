"""A policy that changes while requests wait: they are planned anew, by whichever way it changes."""
import time

import pytest

from approver import b64, group, rule, token, unb64, verify
from change import guarded, modify_at_once, modify_past_the_broker, without_status
from client import public_key, unique

pytestmark = pytest.mark.online_only("no HSM here executes requests by the new policy")


@pytest.fixture
def abcd(people):
    return people.several(4)


@pytest.fixture
def waiting(api):
    """A key of this policy, its public key, and a request that these have approved."""
    def make(first, *approvers):
        label = unique("change")
        public = public_key(api.create_key(label, first))
        rid = api.sign(label)
        for who in approvers:
            api.approve(who, rid)
        return label, public, rid
    return make


def modify(api, label, new, *approvers):
    """As a request of its own."""
    (rid,) = api.post("/v1/modify", {"modifyRequest": {
        "modifyKeyName": label, "policy": without_status(new)}}).values()
    for who in approvers:
        api.approve(who, rid, "ModifyKey")
    return api.wait(rid, "EXECUTED")


WAYS = [modify, modify_at_once]


def asked(api, rid):
    return sorted(api.request(rid)["notYetApprovedBy"])


def spkis(*approvers):
    return sorted(b64(a.spki) for a in approvers)


def signed(api, rid, public, payload=b"payload"):
    view = api.wait(rid, "EXECUTED")
    assert verify(public, "SHA-256", payload, unb64(view["result"]))
    return view


def planned_anew(api, rid):
    end = time.monotonic() + 10
    while "policyChange" not in (view := api.request(rid)):
        assert time.monotonic() < end, view
        time.sleep(0.02)
    return view


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_suffices_now_is_executed(api, waiting, abcd, way):
    a, b, c, d = abcd
    label, public, rid = waiting(guarded(3, a, b, c), a, b)
    assert "policyChange" not in api.request(rid)
    way(api, label, guarded(2, a, b, d))
    view = signed(api, rid, public)
    assert view["policyChange"]["time"] and view["policyChange"]["notCounted"] == []


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_those_whom_the_new_policy_names_are_asked(api, waiting, abcd, way):
    """b has approved and left: that does not count, is shown, and does no harm."""
    a, b, c, d = abcd
    label, public, rid = waiting(guarded(3, a, b, c), b)
    before = api.task(a, rid)["id"]
    way(api, label, guarded(2, a, d))
    view = api.request(rid)
    assert view["status"] == "PENDING" and asked(api, rid) == spkis(a, d)
    assert view["policyChange"]["notCounted"] == view["approvedBy"] == spkis(b)
    assert api.tasks(c, requestId=rid) == [] == api.tasks(b, requestId=rid)
    assert api.task(a, rid)["id"] == before, "who is asked as before keeps the task"
    shown = api.task(d, rid, detailLevel="level6")
    assert shown["requestStatus"]["policyChange"] == view["policyChange"]
    api.approve(d, rid)
    api.approve(a, rid)
    assert signed(api, rid, public)["policyChange"]["notCounted"] == spkis(b)


def test_a_modify_with_approvals_of_its_own(api, waiting, abcd):
    a, b, c, d = abcd
    by_two = rule(token(group(2, a, b)))
    label, public, rid = waiting(guarded(3, a, b, c, modify=by_two), a, b)
    modify(api, label, guarded(2, a, d, modify=by_two), a, b)
    assert asked(api, rid) == spkis(d)
    api.approve(d, rid)
    signed(api, rid, public)


def test_a_rejection_of_one_who_left_does_not_count(api, waiting, abcd):
    a, b, c, d = abcd
    label, public, rid = waiting(guarded(2, a, b, c))
    api.reject(c, rid)
    modify_at_once(api, label, guarded(1, b, d))
    api.approve(d, rid)
    assert signed(api, rid, public)["rejectedBy"] == spkis(c)


def test_what_was_approved_waits_again(api, waiting, abcd):
    """A timelock held it back: meanwhile the policy asks for more, and then for less."""
    a, b, c, d = abcd
    label, public, rid = waiting(guarded(1, a, b, timelock=3600), a)
    assert api.status_of(rid) == "APPROVED"
    modify_at_once(api, label, guarded(2, a, c))
    assert api.status_of(rid) == "PENDING" and asked(api, rid) == spkis(c)
    modify_at_once(api, label, guarded(1, a))
    signed(api, rid, public)


def test_what_cannot_be_met_any_more_ends_with_the_reason(api, waiting, abcd):
    """b has rejected both; only b counts now. One of them had been approved."""
    a, b, c, d = abcd
    label, _, approved = waiting(guarded(1, a, b, c, timelock=3600))
    pending = api.sign(label)
    for rid in (approved, pending):
        api.reject(b, rid)
    api.approve(a, approved)
    modify_at_once(api, label, guarded(1, b))
    assert api.status_of(pending) == "REJECTED"
    view = api.request(approved)
    assert view["status"] == "FAILED" and label in view["result"]
    assert "policy" in view["result"] and "ruleUse" in view["result"]
    assert view["policyChange"]["notCounted"] == spkis(a)


def test_a_change_past_the_broker_is_found_when_the_hsm_refuses(api, waiting, abcd):
    a, b, c, d = abcd
    label, public, rid = waiting(guarded(2, a, b), a)
    modify_past_the_broker(api, label, guarded(2, a, c))
    api.approve(b, rid)
    end = planned_anew(api, rid)
    assert end["status"] == "PENDING" and end["notYetApprovedBy"] == spkis(c)
    assert end["policyChange"]["notCounted"] == spkis(b)
    api.approve(c, rid)
    signed(api, rid, public)


def test_a_change_past_the_broker_is_found_when_the_next_request_is_made(api, waiting, abcd):
    a, b, c, d = abcd
    label, public, rid = waiting(guarded(3, a, b, c), a, b)
    modify_past_the_broker(api, label, guarded(2, a, b, d))
    assert api.status_of(rid) == "PENDING"
    api.cancel(api.sign(label, b"another"))
    signed(api, rid, public)
