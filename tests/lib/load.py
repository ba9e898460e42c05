"""Clients that create, approve, reject, cancel and read requests while programs die, and what must
hold afterwards: every request and answer that was acknowledged is there, every request has come to
one end, the right one, no signature exists without a met policy, and each one verifies."""
import collections
import random
import threading
import time

import requests

from approver import Approver, b64, quorum, unb64, verify
from client import ApiError, Client, public_key, unique
from killing import ends_by_audit

CLIENTS = 4
# What a program says that lost another one: the client may ask again.
TRY_AGAIN = {1, 2, 700, 701, 703}


# ---- clients ----

class Ledger:
    """What the broker has acknowledged."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = {}                           # id -> (label, payload)
        self.approved = collections.defaultdict(set)  # id -> approvers
        self.rejected = collections.defaultdict(set)
        self.tried = collections.defaultdict(set)    # sent, answer perhaps lost
        self.cancelled, self.cancel_tried = set(), set()
        self.seen_end = {}                           # id -> terminal view
        self.answers = self.lost = 0

    def note(self, **changes):
        with self.lock:
            for name, (rid, value) in changes.items():
                getattr(self, name)[rid].add(value)

    def until(self, timeout=60, **more):
        """Waits until there is so much more of what is counted."""
        end = time.monotonic() + timeout
        goals = {name: getattr(self, name) + n for name, n in more.items()}
        while any(getattr(self, name) < goal for name, goal in goals.items()):
            assert time.monotonic() < end, "%s: %s" % (goals, vars(self))
            time.sleep(0.02)

    def stands(self, timeout=60):
        """Waits until nobody gets an answer any more."""
        end, count, since = time.monotonic() + timeout, -1, 0
        while count != self.answers or time.monotonic() < since + 0.5:
            if count != self.answers:
                count, since = self.answers, time.monotonic()
            assert time.monotonic() < end, "answers still come"
            time.sleep(0.02)


class LoadClient(threading.Thread):
    """again: errors after which a client asks again, as the request may have changed meanwhile."""

    def __init__(self, site, ledger, keys, crowd, seed, again=frozenset({652, 611})):
        super().__init__(daemon=True)
        self.api, self.ledger, self.keys, self.crowd = Client(site), ledger, keys, crowd
        self.again = again
        self.rng = random.Random(seed)
        self.stopping, self.broken = threading.Event(), None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.one_request()
        except BaseException as e:  # shown by the test, which a thread cannot fail
            self.broken = e
            raise

    def ask(self, call, *args, **options):
        """The answer, or None when it was lost or refused for the time being."""
        try:
            out = call(*args, **options)
        except requests.RequestException:
            self.ledger.lost += 1
            time.sleep(0.02)
            return None
        except ApiError as e:
            if e.code not in TRY_AGAIN | self.again:
                raise
            self.ledger.lost += e.code in TRY_AGAIN
            return None
        self.ledger.answers += 1
        return (out,)

    def one_request(self):
        label = self.rng.choice(sorted(self.keys))
        payload = b"%d" % self.rng.getrandbits(64)
        answer = self.ask(self.api.sign, label, payload)
        if not answer:
            return
        rid = answer[0]
        with self.ledger.lock:
            self.ledger.requests[rid] = (label, payload)
        if self.rng.random() < 0.1:
            self.cancel(rid)
        for approver in self.rng.sample(self.crowd, self.rng.randint(1, 3)):
            self.vote(rid, approver, self.rng.random() < 0.8)
        self.look(rid)

    def cancel(self, rid):
        with self.ledger.lock:
            self.ledger.cancel_tried.add(rid)
        if self.ask(self.api.cancel, rid):
            with self.ledger.lock:
                self.ledger.cancelled.add(rid)

    def vote(self, rid, approver, approves):
        answer = self.ask(self.api.tasks, approver, requestId=rid)
        if not answer or not answer[0]:
            return
        (task,) = answer[0]
        key = b64(approver.spki)
        self.ledger.note(tried=(rid, key))
        if approves:
            done = self.ask(self.api.post, "/v1/approval", self.api.approval_body(approver, task))
            if done:
                self.ledger.note(approved=(rid, key))
        else:
            body = {**approver.proof(self.api.now()), "id": task["id"]}
            if self.ask(self.api.call, "PATCH", "/v1/task", body):
                self.ledger.note(rejected=(rid, key))

    def look(self, rid):
        answer = self.ask(self.api.request, rid)
        if answer and answer[0]["status"] not in ("PENDING", "APPROVED"):
            with self.ledger.lock:
                self.ledger.seen_end[rid] = answer[0]


# ---- what must hold afterwards ----

def expected_end(view, votes_needed, crowd):
    approved, rejected = len(view["approvedBy"]), len(view["rejectedBy"])
    if approved >= votes_needed:
        return "EXECUTED"
    return "REJECTED" if crowd - rejected < votes_needed else "PENDING"


def stuck(site):
    """What is known about requests that nobody executes."""
    yield "stay APPROVED:"
    yield from map("  ".join, site.sql(
        "SELECT HEX(id), key_name, COALESCE(owner, '-'), attempt, lease_ms - %d, due_ms - %d "
        "FROM request WHERE state = 'APPROVED'" % ((1000 * (time.time() + site.offset),) * 2)))
    for log in [*sorted(site.dir.glob("**/log/dispatcher*.log")), *site.dir.glob("log/hsm*.log")]:
        yield log.name
        yield from log.read_text(errors="replace").splitlines()[-15:]


def settle(api, rids, deadline=60):
    """Everything that is due gets done: nothing stays APPROVED or claimed."""
    end = time.monotonic() + deadline
    views = {rid: api.request(rid) for rid in rids}
    while True:
        waiting = [rid for rid, v in views.items() if v["status"] == "APPROVED"]
        if not waiting:
            return views
        assert time.monotonic() < end, "\n".join(stuck(api.site))
        time.sleep(0.1)
        views.update((rid, api.request(rid)) for rid in waiting)


def check(site, ledger, keys, crowd):
    api = Client(site)
    views = settle(api, ledger.requests)
    ends = ends_by_audit(site)
    states = collections.Counter()
    for rid, (label, payload) in ledger.requests.items():
        view = views[rid]
        states[view["status"]] += 1
        approved, rejected = set(view["approvedBy"]), set(view["rejectedBy"])
        assert ledger.approved[rid] <= approved, "an acknowledged approval is lost"
        assert ledger.rejected[rid] <= rejected, "an acknowledged rejection is lost"
        assert approved | rejected <= ledger.tried[rid], "an answer that nobody gave"
        assert not approved & rejected
        if rid in ledger.seen_end:
            assert ledger.seen_end[rid] == view, "an end has changed"
        if view["status"] == "CANCELLED":
            assert rid in ledger.cancel_tried
        else:
            assert rid not in ledger.cancelled, "an acknowledged cancellation is lost"
            assert view["status"] == expected_end(view, 2, len(crowd)), view
        count = ends.get(rid.replace("-", ""), [])
        assert count == ([] if view["status"] == "PENDING" else [view["status"]]), (rid, count)
        if view["status"] == "EXECUTED":
            assert verify(keys[label], "SHA-256", payload, unb64(view["result"]))
        else:
            assert view["result"] is None
    # Requests whose creation was never acknowledged may be there too; they obey the same rules.
    for rid, count in ends.items():
        assert len(count) == 1, (rid, count)
    (unapproved,) = site.sql(
        "SELECT COUNT(*) FROM request r WHERE state = 'EXECUTED' AND 2 > (SELECT COUNT(*) FROM "
        "approval a WHERE a.request_id = r.id AND a.approves = 1)")
    assert unapproved == ["0"], "a signature without a met policy"
    (leftover,) = site.sql("SELECT COUNT(*) FROM task t JOIN request r ON r.id = t.request_id "
                           "WHERE r.state NOT IN ('PENDING','APPROVED')")
    assert leftover == ["0"], "tasks of finished requests"
    return states


def start_load(site, ledger, quorum_of=2, **options):
    api = Client(site)
    crowd = [Approver("p256", "a%d" % i) for i in range(3)]
    keys = {}
    for _ in range(3):
        label = unique("kill")
        keys[label] = public_key(api.create_key(label, quorum(quorum_of, *crowd)))
    clients = [LoadClient(site, ledger, keys, crowd, seed, **options) for seed in range(CLIENTS)]
    for c in clients:
        c.start()
    return keys, crowd, clients


def stop_load(clients):
    for c in clients:
        c.stopping.set()
    for c in clients:
        c.join(90)
        assert not c.is_alive(), "a client hangs"
        if c.broken:
            raise c.broken
