"""The dispatcher claims and records many requests in one transaction: none of them pays for another,
and whatever dies between two steps, each happens once."""
import os
import signal
import time

import pytest

import kinds
from approver import Approver, quorum
from client import Client, unique
from front import Front
from private_site import Site

LEASE = 5
EXECUTED = ("SELECT COUNT(*) FROM audit WHERE request_id = UNHEX('%s') AND state_to = 'EXECUTED' "
            "AND state_from <> 'EXECUTED'")
POISON = """DELIMITER //
CREATE TRIGGER poison BEFORE UPDATE ON request FOR EACH ROW
IF NEW.id = UNHEX('%s') AND %s THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'poison'; END IF//"""


class Batches:
    def __init__(self):
        self.front = Front()
        self.site = Site(web=os.environ.get("TSB_TEST_WEB", "nginx").split(",")[0],
                         settings="lease = %d\n[hsm]\ntimeout = %d\n" % (LEASE, LEASE - 1),
                         hsm_url=self.front.url, dispatchers=2)
        self.front.behind(self.site)
        self.api, self.people = Client(self.site), [Approver(), Approver()]
        self.log = self.site.dir / "log" / "hsm.log"

    def down(self):
        self.site.down()
        self.front.close()

    def stop(self):
        for n in (1, 2):
            self.site.part("stop", "dispatcher%d" % n)

    def start(self, *numbers):
        for n in numbers:
            self.site.part("start", "dispatcher%d" % n)

    def killed_at(self, point):
        self.site.set_faults([(point, "kill")])
        self.start(1)
        end = time.monotonic() + 10
        while self.site.faults_left():
            assert time.monotonic() < end, "the point was not passed"
            time.sleep(0.02)

    def signatures(self, count):
        """Approved requests to sign, with no dispatcher to take them; and their key."""
        self.stop()
        label = unique("batch")
        self.api.create_key(label, quorum(1, self.people[0]))
        rids = [self.api.sign(label, b"%d" % i) for i in range(count)]
        for rid in rids:
            self.api.approve(self.people[0], rid)
        return label, rids

    def blocks(self, count):
        """The same of what must happen once."""
        self.stop()
        cases = [kinds.Case(kinds.BLOCK, self.api, self.people, needed=1) for _ in range(count)]
        rids = [case.ask() for case in cases]
        for case, rid in zip(cases, rids):
            case.approve_all(rid)
        return cases, rids

    def log_from_here(self):
        start = self.log.stat().st_size

        def read():
            with open(self.log) as f:
                f.seek(start)
                return f.read()
        return read

    def ends(self, rids, timeout=20):
        for rid in rids:
            self.api.wait(rid, "EXECUTED", timeout=timeout)
            assert self.site.sql(EXECUTED % rid.replace("-", "")) == [["1"]]

    def commits(self):
        ((_, number),) = self.site.sql("SHOW GLOBAL STATUS LIKE 'Com_commit'")
        return int(number)


@pytest.fixture(scope="module")
def b():
    made = Batches()
    yield made
    made.down()


@pytest.fixture(autouse=True)
def calm(b):
    yield
    b.front.reset()
    b.site.set_faults([])
    b.site.sql("DROP TRIGGER IF EXISTS poison")
    b.start(1, 2)


def test_due_requests_share_their_transactions(b):
    """With one COMMIT for each claim and each outcome it would be 48."""
    _, rids = b.signatures(24)
    before = b.commits()
    b.start(1)
    b.ends(rids)
    assert b.commits() - before < 24


def test_two_dispatchers_do_no_request_twice(b):
    """Both find the same requests due."""
    label, rids = b.signatures(40)
    read = b.log_from_here()
    b.start(1, 2)
    b.ends(rids)
    assert read().count("signed key=%s " % label) == 40


@pytest.mark.parametrize("point", [
    "store.execution_claim.COMMIT.before", "store.execution_claim.COMMIT.after",
    "store.execution_record.COMMIT.before", "store.execution_record.COMMIT.after",
    "store.REQUEST_MOVE", "store.AUDIT_INSERT"])
def test_dispatcher_killed_in_a_batch(b, point):
    cases, rids = b.blocks(8)
    read = b.log_from_here()
    b.killed_at(point)
    b.start(1)
    b.site.forward(LEASE + 1)
    b.ends(rids)
    text = read()
    for case in cases:
        assert case.kind.happened(case, 0)
        assert text.count(" block key=%s " % case.label) <= 1, "done twice"


def test_started_again_it_takes_its_signatures_back(b):
    """Killed between the HSM's answer and the record of it; no lease has to end first."""
    _, rids = b.signatures(8)
    b.killed_at("store.execution_record.COMMIT.before")
    b.start(1)
    b.ends(rids, timeout=LEASE - 2)


def test_started_again_it_leaves_what_happens_once(b):
    """The call of the process that was killed may be on its way: only the lease tells its end."""
    cases, rids = b.blocks(2)
    b.killed_at("store.execution_claim.COMMIT.after")
    b.start(1)
    time.sleep(1)
    assert {b.api.status_of(rid) for rid in rids} == {"APPROVED"}
    b.site.forward(LEASE + 1)
    b.ends(rids)


@pytest.mark.parametrize("point,number", [
    ("store.execution_claim.COMMIT.before", 1213), ("store.execution_claim.COMMIT.after", 2013),
    ("store.execution_record.COMMIT.before", 2013), ("store.execution_record.COMMIT.after", 2013),
    ("store.execution_record.COMMIT.before", 1205)])
def test_database_lost_in_a_batch(b, point, number):
    cases, rids = b.blocks(6)
    read = b.log_from_here()
    b.site.set_faults([(point, number)])
    b.start(1)
    b.ends(rids)
    assert b.site.faults_left() == []
    for case in cases:
        assert read().count(" block key=%s " % case.label) <= 1, "done twice"


@pytest.mark.parametrize("step,when", [
    ("claim", "NEW.owner IS NOT NULL"), ("record", "NEW.state = 'EXECUTED'")])
def test_one_that_the_database_refuses_harms_no_other(b, step, when):
    _, rids = b.signatures(10)
    poison = rids[4]
    b.site.sql(POISON % (poison.replace("-", ""), when))
    b.start(1)
    b.ends([rid for rid in rids if rid != poison])
    assert b.api.status_of(poison) == "APPROVED"
    b.site.sql("DROP TRIGGER poison")
    b.site.forward(LEASE + 1)
    b.ends([poison])


def test_one_whose_key_is_missing_harms_no_other(b):
    _, rids = b.signatures(5)
    lost, others = b.signatures(5)
    b.site.sql("DELETE FROM key_attributes WHERE key_name = '%s'" % lost)
    b.start(1)
    b.ends(rids)
    for rid in others:
        assert b.api.status_of(rid) == "APPROVED"
        b.api.cancel(rid)


def test_answers_that_are_lost_among_others(b):
    """The HSM has done all; of every second one the broker does not hear, and asks."""
    cases, rids = b.blocks(8)
    read, dropped = b.log_from_here(), set()

    def drop(call):
        if call.path != "/v1/synchronousBlock" or len(dropped) >= 4 or call.body in dropped:
            return None
        dropped.add(call.body)
        call.forward(b.front.target)
        return Front.DROP
    b.front.rule = drop
    b.start(1)
    b.ends(rids, timeout=30)
    assert len(dropped) == 4
    for case in cases:
        assert read().count(" block key=%s " % case.label) == 1


def test_wakes_that_the_kernel_refused(b):
    """Its queue is short: behind a full one the dispatcher looks at once, and not a minute later."""
    conf = b.site.dir / "tsb.conf"
    text = conf.read_text()
    label = unique("woken")
    b.api.create_key(label, quorum(1, b.people[0]))
    b.stop()
    conf.write_text(text.replace("pollInterval = 100", "pollInterval = 60000"))
    try:
        b.start(1)
        time.sleep(0.5)
        pid = int((b.site.dir / "run" / "dispatcher1.pid").read_text().split()[0])
        rids = [b.api.sign(label, b"%d" % i) for i in range(40)]
        os.kill(pid, signal.SIGSTOP)
        for rid in rids:
            b.api.approve(b.people[0], rid)
        os.kill(pid, signal.SIGCONT)
        b.ends(rids, timeout=10)
    finally:
        conf.write_text(text)
        b.stop()
