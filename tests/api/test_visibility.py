"""A task is visible exactly when an approval would be accepted: for every kind, in every list, at
every step of random workflows."""
import random

import pytest

import kinds
from approver import b64, group, rule, token
from client import ApiError
from model import Request

pytestmark = [pytest.mark.nginx_only("the web server has no part in who sees a task"),
              pytest.mark.plain_only("the same code with random choices")]


def random_rule(rng, crowd, timed):
    tokens = []
    for _ in range(rng.randint(1, 3)):
        groups = []
        for _ in range(rng.randint(1, 2)):
            who = rng.sample(crowd, rng.randint(1, 3))
            groups.append(group(rng.randint(1, len(who)), *who))
        limits = {"timelock": rng.choice([0, 0, 60, 300]), "timeout": rng.choice([0, 600, 1200])}
        tokens.append(token(*groups, **limits if timed else {}))
    limits = {"timeout": rng.choice([0, 900])}
    return rule(*tokens, token(group(2, *crowd), **limits if timed else {}))   # each has a task


def seen(case, rid, approver, names=()):
    """Ids of the tasks of this request in the list of its kind; other lists must agree."""
    def ids(name, **filters):
        return [t["id"] for t in case.api.tasks(approver, name, **filters)]
    mine = ids(case.kind.tasks, requestId=rid)
    assert ids("All", requestId=rid) == mine
    for name in set(names) - {"All", case.kind.tasks}:
        assert ids(name, requestId=rid) == []
    if mine:
        assert ids("All", id=mine[0]) == mine
    return mine


def answer(case, approver, card, approves):
    """True when the broker takes it."""
    api = case.api
    try:
        if approves:
            api.post("/v1/approval", api.approval_body(approver, card))
        else:
            api.call("PATCH", "/v1/task", {**approver.proof(api.now()), "id": card["id"]})
    except ApiError as e:
        assert e.code == 652, e
        return False
    return True


def settle(case, rid, model, elapsed):
    """What is due gets done before anybody looks: a model of the workflow knows what is."""
    expected = model.settle(elapsed)
    if expected == {"EXECUTED"}:
        case.api.wait(rid, "EXECUTED", timeout=30)
        return
    status = case.api.status_of(rid)
    assert status in expected
    if len(expected) > 1:
        model.ended = status


def check_views(case, rid, approver, visible):
    """What the request says of itself, and the list of what an approver has approved."""
    api, key = case.api, b64(approver.spki)
    view = api.request(rid)
    assert (key in view["notYetApprovedBy"]) == visible
    listed = api.post("/v1/filteredApprovedRequests", approver.proof(api.now()))["approvedRequests"]
    is_open = view["status"] in ("PENDING", "APPROVED")
    assert (rid in [r["id"] for r in listed]) == (is_open and key in view["approvedBy"])


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", kinds.ALL, ids=repr)
def test_visible_exactly_when_accepted(api, site, people, kind, seed):
    rng = random.Random("%s %d" % (kind.name, seed))
    crowd, stranger = people.several(4), people("p256", 60)
    case = kinds.Case(kind, api, crowd, use=random_rule(rng, crowd, site.profile == "online"))
    rid = case.ask()
    cards = {a: case.task(a, rid) for a in crowd}
    # times count from the HSM's stamp; a margin keeps the clocks' seconds apart
    model, elapsed = Request(case.rule, 0), 5
    site.forward(5)
    for _ in range(8):
        action = rng.choice(["approve"] * 5 + ["reject"] * 2 + ["wait"] * 2 + ["cancel"])
        if action == "wait":
            seconds = rng.choice([60, 240, 600])
            site.forward(seconds)
            elapsed += seconds
        elif action == "cancel" and rng.random() < 0.3:
            if api.send("DELETE", "/v1/request/" + rid).status_code == 200:
                model.ended = "CANCELLED"
        settle(case, rid, model, elapsed)
        approver = rng.choice(crowd)
        visible = seen(case, rid, approver, [rng.choice(kinds.LISTS)])
        check_views(case, rid, approver, bool(visible))
        assert seen(case, rid, stranger) == []
        if action in ("approve", "reject"):
            if visible:
                assert visible == [cards[approver]["id"]]
            assert answer(case, approver, cards[approver], action == "approve") == bool(visible)
            if visible:
                votes = model.approved if action == "approve" else model.rejected
                votes.add(b64(approver.spki))
                assert seen(case, rid, approver) == []
            settle(case, rid, model, elapsed)
    for approver in crowd:
        visible = seen(case, rid, approver, kinds.LISTS if approver is crowd[0] else ())
        assert answer(case, approver, cards[approver], True) == bool(visible)
        if visible:
            model.approved.add(b64(approver.spki))
        settle(case, rid, model, elapsed)
