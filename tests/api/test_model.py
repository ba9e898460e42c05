"""Random policies and votes: the broker ends where an independent model ends."""
import random
import time

import pytest

from approver import b64, unb64, verify
from client import ApiError, public_key, unique
from model import Request

pytestmark = [pytest.mark.nginx_only("the web server has no part in decisions"),
              pytest.mark.plain_only("the same code with random choices")]


def random_policy(rng, crowd, timed):
    tokens = []
    for _ in range(rng.randint(1, 3)):
        groups = []
        for _ in range(rng.randint(1, 3)):
            who = rng.sample(crowd, rng.randint(1, 4))
            groups.append({"name": None, "quorum": rng.randint(1, len(who)),
                           "approvals": [a.policy_entry() for a in who]})
        timelock = rng.choice([0, 0, 0, 60, 300]) if timed else 0
        timeout = rng.choice([0, 0, 600, 1200]) if timed else 0
        tokens.append({"name": None, "timelock": timelock, "timeout": timeout, "groups": groups})
    return {"tokens": tokens}


def try_to_vote(api, approver, task, approves):
    """True when the broker takes the vote."""
    try:
        if approves:
            api.post("/v1/approval", api.approval_body(approver, task))
        else:
            api.call("PATCH", "/v1/task", {**approver.proof(api.now()), "id": task["id"]})
    except ApiError as e:
        assert e.code == 652, e
        return False
    return True


def settled(api, rid, expected):
    """The state, after the dispatcher had its chance: to execute, or to see a window missed."""
    end = time.monotonic() + 5
    while api.status_of(rid) not in expected and time.monotonic() < end:
        time.sleep(0.05)
    return api.status_of(rid)


@pytest.mark.parametrize("seed", range(40))
def test_random_workflow(api, site, people, seed):
    rng = random.Random(seed)
    crowd = people.several(6)
    rule = random_policy(rng, crowd, site.profile == "online")
    label = unique("model%d" % seed)
    key = public_key(api.create_key(label, {"ruleUse": rule, "keyStatus": {"blocked": False}}))
    rid = api.sign(label, b"m")
    # The times that decide count from the HSM's stamp; a margin keeps the clocks' seconds apart.
    model, elapsed = Request(rule, 0), 5
    site.forward(5)
    cards = {}
    for a in crowd:
        for task in api.tasks(a, requestId=rid):
            cards[a] = task
    assert set(cards) == {a for a in crowd if model.may_vote(b64(a.spki), 0)}

    for step in range(14):
        action = rng.choice(["approve"] * 5 + ["reject"] * 2 + ["wait"])
        if action == "wait":
            seconds = rng.choice([60, 120, 300, 600])
            site.forward(seconds)
            elapsed += seconds
        else:
            a = rng.choice(crowd)
            who = b64(a.spki)
            allowed = model.may_vote(who, elapsed)
            visible = len(api.tasks(a, requestId=rid))
            assert visible == int(allowed), (step, action, a)
            if a in cards:
                assert try_to_vote(api, a, cards[a], action == "approve") == allowed, (step, action, a)
            if allowed:
                (model.approved if action == "approve" else model.rejected).add(who)
        expected = model.settle(elapsed)
        got = settled(api, rid, expected)
        assert got in expected, (seed, step, action, got, expected)
        if len(expected) > 1:
            model.ended = got

    view = api.request(rid)
    assert set(view["approvedBy"]) == model.approved
    assert set(view["rejectedBy"]) == model.rejected
    open_ones = {b64(a.spki) for a in crowd if model.may_vote(b64(a.spki), elapsed)}
    assert set(view["notYetApprovedBy"]) == open_ones
    if view["status"] == "EXECUTED":
        assert verify(key, "SHA-256", b"m", unb64(view["result"]))
    else:
        assert view["result"] is None
