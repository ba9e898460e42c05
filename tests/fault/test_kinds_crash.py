"""Each kind of request survives the death of each process between every two of its steps.

Programs of test builds end themselves with SIGKILL at a named point. The client asks again when an
answer is lost; what died is started again, and its lease lapses because the clock moves. Afterwards
the request is EXECUTED, once, with the result and the effect that were approved.
"""
import os
import time

import pytest

import kinds
import ska
from approver import Approver, unb64
from client import ApiError, Client
from private_site import Site

LEASE = 5
AUDIT = ("SELECT COUNT(*) FROM audit WHERE request_id = UNHEX('%s') AND state_to = 'EXECUTED' AND "
         "state_from <> 'EXECUTED'")
APPROVALS = "SELECT COUNT(*) FROM approval WHERE request_id = UNHEX('%s')"
BOX = "SELECT LENGTH(password_box) FROM request WHERE id = UNHEX('%s')"


def commits(step, *transactions):
    return [(step, "store.%s.COMMIT.%s" % (t, when)) for t in transactions
            for when in ("before", "after")]


# (step of the client during which the process dies, where)
BROKER = (commits("create", "request_create") + commits("first approval", "task_approve") +
          commits("last approval", "task_approve", "execution_claim", "execution_record"))
CREATES = ["hsm.create.before", "file.created", "file.written", "hsm.dirfile.linked",
           "hsm.create.after"]
CHANGES = ["hsm.change.before", "file.created", "file.written", "file.renamed",
           "hsm.change.after"]
HSM = {"sign": ["hsm.sign.executed"], "decrypt": ["hsm.decrypt.executed"],
       "unwrap": CREATES + ["hsm.unwrap.executed"], "block": CHANGES + ["hsm.block.executed"],
       "unblock": CHANGES + ["hsm.unblock.executed"], "modify": CHANGES + ["hsm.modify.executed"],
       "certificateRequest": ["hsm.sign.executed"], "signCertificate": ["hsm.sign.executed"],
       # signing, and then the certificate stored with the key
       "selfSignCertificate": ["hsm.sign.executed"] + CHANGES}
# What the HSM's log says when it has done it.
DONE = {"unwrap": "unwrapped", "block": "block", "unblock": "unblock", "modify": "modify"}


@pytest.fixture(scope="module")
def site():
    s = Site(web=os.environ.get("TSB_TEST_WEB", "nginx").split(",")[0],
             settings="lease = %d\n[hsm]\ntimeout = %d\n" % (LEASE, LEASE - 1))
    yield s
    s.down()


@pytest.fixture(scope="module")
def crowd():
    return [Approver("p256", "a%d" % i) for i in range(3)]


@pytest.fixture(scope="module")
def cases(site, crowd):
    """Keys that are only used serve again."""
    made = {}

    def get(kind):
        if kind not in made or not kind.uses_key or isinstance(kind, kinds.SelfSignCertificate):
            made[kind] = kinds.Case(kind, Client(site), crowd, password="pass word")
        made[kind].memory.clear()
        return made[kind]
    return get


class Drive:
    """One request from its creation to its end, with a death on the way."""

    def __init__(self, site, case, step, point):
        self.site, self.case, self.api = site, case, case.api
        self.step, self.point = step, point
        self.log = site.dir / "log" / "hsm.log"
        self.log_start = self.log.stat().st_size

    def arm(self, step):
        if step == self.step:
            self.site.set_faults([(self.point, "kill")])
        return step == self.step

    def requests(self):
        answer = self.api.post("/v1/filteredRequests", {"keyName": self.case.label})
        return {r["id"] for r in answer["requests"]}

    def lost(self, call, *args):
        """The answer does not come."""
        with pytest.raises(ApiError) as refusal:
            call(*args)
        assert refusal.value.code == 2, refusal.value
        assert self.site.faults_left() == []

    def create(self):
        if not self.arm("create"):
            return self.case.ask()
        before = self.requests()
        self.lost(self.case.ask)
        found = self.requests() - before
        if self.point.endswith("before"):
            assert found == set(), "recorded, though COMMIT was never sent"
            return self.case.ask()
        (rid,) = found
        return rid

    def approve(self, step, approver, rid):
        task = self.case.task(approver, rid)
        body = self.api.approval_body(approver, task)
        if self.arm(step) and "task_approve" in self.point:
            self.lost(self.api.post, "/v1/approval", body)
            if self.point.endswith("after"):
                self.api.refused(652, "POST", "/v1/approval", body)
                return task
        assert self.api.post("/v1/approval", body) is None
        return task

    def revive(self):
        """Waits for the death, and does what an init system does."""
        end = time.monotonic() + 10
        while self.site.faults_left():
            assert time.monotonic() < end, "%s was not passed" % self.point
            time.sleep(0.02)
        if "execution" in self.point:
            self.site.part("start", "dispatcher1")
        self.site.forward(LEASE + 1)

    def check(self, rid, token):
        case, site = self.case, self.site
        view = self.api.wait(rid, "EXECUTED", timeout=20)
        assert len(view["approvedBy"]) == case.needed
        hex_id = rid.replace("-", "")
        for query, number in ((AUDIT, 1), (APPROVALS, case.needed), (BOX, 0)):
            assert site.sql(query % hex_id) == [[str(number)]], query
        if case.kind.name in DONE:
            with open(self.log) as f:
                f.seek(self.log_start)
                said = " %s key=%s " % (DONE[case.kind.name], case.label)
                assert sum(said in line for line in f) <= 1, "done twice"
        case.kind.check(case, 0, view, token)
        for approver in case.crowd:
            assert self.api.tasks(approver, "All", requestId=rid) == []
        assert self.api.request(rid) == view

    def run(self):
        a, b, _ = self.case.crowd
        rid = self.create()
        task = self.approve("first approval", a, rid)
        self.api.stays(rid, "PENDING", 0)
        assert not self.case.kind.happened(self.case, 0) or self.case.kind.uses_key
        self.approve("last approval", b, rid)
        if "execution" in self.point or self.point.startswith("hsm"):
            self.revive()
        self.check(rid, ska.Token.decode(unb64(task["approvalToBeSigned"])))


    def run_at_once(self):
        """Nobody is asked: the process that takes the request executes it, too."""
        before = self.requests()
        self.arm("create")
        if self.point.startswith("store"):
            self.lost(self.case.ask)
        else:
            self.case.ask()
        (rid,) = self.requests() - before
        self.site.forward(LEASE + 1)
        self.check(rid, None)


def matrix():
    for kind in kinds.ALL:
        for step, point in BROKER:
            yield kind, step, point
        for point in ["hsm.enforced"] + HSM[kind.name]:
            yield kind, "last approval", point


@pytest.mark.parametrize("kind,step,point", matrix(), ids=lambda x: str(x).replace(" ", "-"))
def test_killed(site, cases, kind, step, point):
    site.set_faults([])
    Drive(site, cases(kind), step, point).run()
    assert site.faults_left() == []


@pytest.mark.parametrize("point", ["store.request_create.COMMIT.after", "hsm.enforced", "executed",
                                   "store.execution_record.COMMIT.before",
                                   "store.execution_record.COMMIT.after"])
@pytest.mark.parametrize("kind", [kinds.SIGN, *kinds.ONCE], ids=repr)
def test_killed_at_once(site, crowd, kind, point):
    case = kinds.Case(kind, Client(site), crowd, needed=0, password="pass word")
    point = "hsm.%s.executed" % kind.name if point == "executed" else point
    site.set_faults([])
    Drive(site, case, "create", point).run_at_once()
    assert site.faults_left() == []


def test_everything_dies_between_the_steps(site, crowd):
    """Database, HSM, API, dispatcher and web server at once, after each step of all kinds."""
    api = Client(site)
    cases = [kinds.Case(kind, api, crowd, password="pass word") for kind in kinds.ALL]

    def lights_out():
        for part in ("web", "dispatcher1", "fcgi", "hsm", "db"):
            site.part("kill", part)
        site.up()
        site.forward(LEASE + 1)
    rids = [case.ask() for case in cases]
    lights_out()
    tokens = [ska.Token.decode(unb64(case.approve(crowd[0], rid)["approvalToBeSigned"]))
              for case, rid in zip(cases, rids)]
    lights_out()
    for rid in rids:
        assert api.status_of(rid) == "PENDING"
    site.part("stop", "hsm")
    for case, rid in zip(cases, rids):
        case.approve(crowd[1], rid)
    lights_out()
    for case, rid, token in zip(cases, rids, tokens):
        view = api.wait(rid, "EXECUTED", timeout=30)
        case.kind.check(case, 0, view, token)
        assert site.sql(AUDIT % rid.replace("-", "")) == [["1"]]
