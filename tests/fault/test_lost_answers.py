"""Answers of the HSM that get lost, with two dispatchers: what may happen once happens once."""
import pytest

import kinds
import ska
from approver import Approver, b64, group, policy, rule, token, unb64
from client import Client
from hsm_proxy import Proxy
from private_site import Site

LEASE = 5


@pytest.fixture(scope="module")
def site():
    s = Site(dispatchers=2, hsm_url="web", settings="lease = %d\n[hsm]\ntimeout = %d\n" % (LEASE, LEASE - 1))
    yield s
    s.down()


@pytest.fixture(scope="module")
def proxy(site):
    p = Proxy(site)
    for part in ("fcgi", "dispatcher1", "dispatcher2"):     # connections that are kept bypass it
        site.part("restart", part)
    yield p
    p.close()


@pytest.fixture
def api(site, proxy):
    proxy.faults.clear()
    proxy.passed.clear()
    proxy.broken = None
    yield Client(site)
    assert not proxy.broken, proxy.broken


@pytest.fixture(scope="module")
def crowd():
    return [Approver("p256", "a%d" % i) for i in range(3)]


def ended(case, rid, *states):
    view = case.api.wait(rid, *states, timeout=20)
    ((n,),) = case.api.site.sql(
        "SELECT COUNT(*) FROM audit WHERE request_id = UNHEX('%s') AND state_to <> state_from AND "
        "state_to IN ('EXECUTED', 'FAILED')" % rid.replace("-", ""))
    assert n == "1"
    return view


def approved(case, proxy, *faults):
    """Both approvals, the second under these faults; (id of the request, token)"""
    rid = case.ask()
    task = case.approve(case.crowd[0], rid)
    proxy.passed.clear()
    proxy.faults[:] = [(case.kind.hsm_path, fault) for fault in faults]
    case.approve(case.crowd[1], rid)
    return rid, ska.Token.decode(unb64(task["approvalToBeSigned"]))


@pytest.mark.parametrize("fault", ["drop", "504", "lose"])
@pytest.mark.parametrize("kind", kinds.ALL, ids=repr)
def test_answer_lost(api, proxy, crowd, kind, fault):
    case = kinds.Case(kind, api, crowd, password="pass word")
    rid, approval = approved(case, proxy, fault)
    view = ended(case, rid, "EXECUTED")
    assert proxy.faults == []
    if not kind.repeatable:
        assert proxy.done(kind.hsm_path) == 1, proxy.passed
    else:
        assert proxy.done(kind.hsm_path) <= 2 and case.used() <= 2
    kind.check(case, 0, view, approval)


@pytest.mark.parametrize("kind", kinds.ONCE, ids=repr)
def test_answers_lost_again_and_again(api, proxy, crowd, kind):
    """Also the answers to the question whether it happened."""
    case = kinds.Case(kind, api, crowd)
    rid = case.ask()
    task = case.approve(crowd[0], rid)
    proxy.passed.clear()
    proxy.faults[:] = [(kind.hsm_path, "lose"), (kind.hsm_path, "504"),
                       ("/v1/key/attributes", "drop"), ("/v1/key/attributes", "504"),
                       ("/v1/key/attributes", "lose")]
    case.approve(crowd[1], rid)
    view = ended(case, rid, "EXECUTED")
    assert proxy.faults == [] and proxy.done(kind.hsm_path) == 1, proxy.passed
    kind.check(case, 0, view, ska.Token.decode(unb64(task["approvalToBeSigned"])))


def test_many_at_once(api, proxy, crowd, site):
    """Both dispatchers busy, every third answer lost."""
    cases = [kinds.Case(kind, api, crowd) for kind in kinds.ONCE for _ in range(4)]
    rids = [case.ask() for case in cases]
    tasks = [case.approve(crowd[0], rid) for case, rid in zip(cases, rids)]
    proxy.passed.clear()
    for kind in kinds.ONCE:
        proxy.faults += [(kind.hsm_path, f) for f in ("drop", "504", "lose")]
    for case, rid in zip(cases, rids):
        case.approve(crowd[1], rid)
    for case, rid, task in zip(cases, rids, tasks):
        view = ended(case, rid, "EXECUTED")
        case.kind.check(case, 0, view, ska.Token.decode(unb64(task["approvalToBeSigned"])))
    for kind in kinds.ONCE:
        assert proxy.done(kind.hsm_path) == 4, proxy.passed


# ---- the answer is lost, and before anybody asks, somebody else changes the key ----

class Meanwhile:
    """Calls to the HSM at once, with approvals that carry no timestamp."""

    def __init__(self, api, case):
        self.api, self.case = api, case

    def approvals(self, operation, payload=None):
        whole = ska.Token(operation, self.case.label, payload).encode()
        return [a.signed_approval(whole) for a in self.case.crowd[:2]]

    def block(self):
        self.api.post("/v1/synchronousBlock", {"blockRequest": {
            "blockKeyName": self.case.label, "signedApprovals": self.approvals(ska.BLOCK)}})

    def unblock(self):
        self.api.post("/v1/synchronousUnblock", {"unblockRequest": {
            "unblockKeyName": self.case.label, "signedApprovals": self.approvals(ska.UNBLOCK)}})

    def modify(self):
        three = rule(token(group(3, *self.case.crowd)))
        new = policy(three, three, three, three, blocked=None)
        # whatever rule decides by now, one or two approvals meet it
        self.api.post("/v1/synchronousModify", {"modifyRequest": {
            "modifyKeyName": self.case.label, "policy": new,
            "signedApprovals": self.approvals(ska.MODIFY, ska.policy_encode(new))}})
        return new


def test_modified_by_another_meanwhile(api, proxy, crowd):
    case = kinds.Case(kinds.Modify(), api, crowd)
    case.kind.wanted = lambda c, n: quorum_for_all(2, crowd)
    other = Meanwhile(api, case)
    rid, _ = approved(case, proxy, other.modify)
    view = ended(case, rid, "FAILED")
    assert "outcome is not known" in view["result"] and "changed" in view["result"]
    three = rule(token(group(3, *crowd)))
    assert kinds.same_policy(case.json()["policy"], policy(three, three, three, three))


def quorum_for_all(n, crowd):
    both = rule(token(group(n, *crowd), name="both"))
    return policy(both, both, both, both, blocked=None)


@pytest.mark.parametrize("kind,undo", [(kinds.BLOCK, "unblock"), (kinds.Unblock(), "block")],
                         ids=["block", "unblock"])
def test_undone_by_another_meanwhile(api, proxy, crowd, kind, undo):
    """The key looks as it did before: asked a second time the HSM remembers, and does nothing."""
    case = kinds.Case(kind, api, crowd)
    other = Meanwhile(api, case)
    rid, _ = approved(case, proxy, getattr(other, undo))
    ended(case, rid, "EXECUTED")
    assert case.json()["policy"]["keyStatus"]["blocked"] == (undo == "block")


@pytest.mark.parametrize("kind,undo", [(kinds.BLOCK, "unblock"), (kinds.Unblock(), "block")],
                         ids=["block", "unblock"])
def test_undone_and_modified_by_another_meanwhile(api, proxy, crowd, kind, undo):
    case = kinds.Case(kind, api, crowd)
    other = Meanwhile(api, case)

    def interfere():
        getattr(other, undo)()
        other.modify()
    rid, _ = approved(case, proxy, interfere)
    view = ended(case, rid, "FAILED")
    assert "outcome is not known" in view["result"]
    assert proxy.done(kind.hsm_path) == 1
    assert case.json()["policy"]["keyStatus"]["blocked"] == (undo == "block")


def test_label_taken_by_another_meanwhile(api, proxy, crowd):
    """A key of the wanted name that cannot be the unwrapped one does not pass for it."""
    case = kinds.Case(kinds.Unwrap(), api, crowd)
    rid = case.ask()
    case.approve(crowd[0], rid)
    api.create_key(case.kind.made(case, 0)[2])
    proxy.faults[:] = [(case.kind.hsm_path, "drop")]
    case.approve(crowd[1], rid)
    view = ended(case, rid, "FAILED")
    assert proxy.done(case.kind.hsm_path) == 0
    assert api.attributes(case.kind.made(case, 0)[2])["json"]["algorithm"] == "EC"
    assert "outcome is not known" in view["result"]


def test_hsm_refuses_and_the_refusal_is_lost(api, proxy, crowd):
    case = kinds.Case(kinds.Unwrap(), api, crowd)
    inner = case.inner()
    inner["wrappedKey"] = b64(bytes(256))
    rid = api.post("/v1/unwrap", {"unwrapKeyRequest": inner})["unwrapRequestId"]
    case.approve(crowd[0], rid)
    proxy.faults[:] = [(case.kind.hsm_path, "drop")]
    case.approve(crowd[1], rid)
    view = ended(case, rid, "FAILED")
    assert "Error unwrapping key" in view["result"] and not case.kind.happened(case, 0)
