"""Work that cannot be done, an HSM that misbehaves, clocks that jump: nothing is lost, done twice or
in the way of other work. Each test is named after what went wrong once."""
import os
import signal
import threading
import time

import pytest

import kinds
from approver import Approver, quorum
from client import Client, unique
from front import Front
from private_site import Site

SIGN, BLOCK = "/v1/synchronousSign", "/v1/synchronousBlock"


class Broker:
    """A site whose broker speaks to its HSM through a front."""

    def __init__(self, settings="", **options):
        self.front = Front()
        self.site = Site(web="nginx", settings=settings, hsm_url=self.front.url,
                         **options)
        self.front.behind(self.site)
        self.api = Client(self.site)

    def down(self):
        self.site.down()
        self.front.close()

    def column(self, rid, name):
        ((value,),) = self.site.sql("SELECT %s FROM request WHERE id = UNHEX('%s')" % (
            name, rid.replace("-", "")))
        return value

    def until(self, reached, timeout=20):
        end = time.monotonic() + timeout
        while not reached():
            assert time.monotonic() < end, "not reached"
            time.sleep(0.02)

    def pid(self, part):
        return int((self.site.dir / "run" / (part + ".pid")).read_text().split()[0])

    def cpu(self, part, seconds=0.7):
        """The share of a processor that a program takes in a while of real time."""
        pid = self.pid(part)

        def used():
            with open("/proc/%d/stat" % pid) as f:
                fields = f.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        before = used()
        time.sleep(seconds)
        return (used() - before) / seconds


class People:
    def __init__(self):
        self.made = [Approver() for _ in range(2)]

    def __call__(self):
        return self.made[0]

    def several(self, n):
        return self.made[:n]


@pytest.fixture(scope="module")
def people():
    return People()


def make(request, **options):
    b = Broker(**options)
    request.addfinalizer(b.down)
    return b


@pytest.fixture(scope="module")
def narrow(request):
    """One call to the HSM at a time."""
    return make(request, settings="\n[dispatcher]\ninFlight = 1\n")


@pytest.fixture(scope="module")
def wide(request):
    return make(request)


@pytest.fixture(scope="module")
def pair(request):
    return make(request, dispatchers=2)


@pytest.fixture(autouse=True)
def calm(request):
    yield
    for name in ("narrow", "wide", "pair"):
        if name in request.fixturenames:
            request.getfixturevalue(name).front.reset()


# ---- work that is in the way ----

def test_request_that_cannot_be_claimed_starves_others(narrow, people):
    """The oldest due request fails each time: the ones behind it are found nevertheless."""
    b, a = narrow, people()
    poison, good = unique("poison"), unique("good")
    b.api.create_key(poison, quorum(1, a, timelock=60))
    b.api.create_key(good, quorum(1, a, timelock=60))
    stuck = b.api.sign(poison)
    b.api.approve(a, stuck)
    rid = b.api.sign(good)
    b.api.approve(a, rid)
    b.site.sql("DELETE FROM key_attributes WHERE key_name = '%s'" % poison)
    b.site.part("restart", "dispatcher1")
    b.site.forward(61)
    b.api.wait(rid, "EXECUTED")
    assert b.cpu("dispatcher1") < 0.3
    assert b.api.status_of(stuck) == "APPROVED"
    b.api.cancel(stuck)


def test_full_house_spins(narrow, people):
    """More due than may be in flight, and a slow HSM: the dispatcher sleeps until an answer comes."""
    b, a = narrow, people()
    label, go = unique(), threading.Event()
    b.api.create_key(label, quorum(1, a))
    b.front.rule = lambda call: go.wait(20) and None if call.path == SIGN else None
    rids = [b.api.sign(label, b"%d" % i) for i in range(4)]
    for rid in rids:
        b.api.approve(a, rid)
    b.until(lambda: b.front.count(SIGN) == 1)
    time.sleep(0.3)
    assert b.cpu("dispatcher1") < 0.3
    go.set()
    for rid in rids:
        b.api.wait(rid, "EXECUTED")


def test_late_request_that_cannot_be_read_stops_the_clean_up(wide, people):
    b, a = wide, people()
    label = unique()
    b.api.create_key(label, quorum(1, a, timeout=60))
    bad, rid = b.api.sign(label), b.api.sign(label)
    b.site.sql("UPDATE request SET kind = 'unheard-of', late_ms = 1 WHERE id = UNHEX('%s')" %
               bad.replace("-", ""))
    b.site.forward(61)
    b.until(lambda: b.column(rid, "state") == "EXPIRED", 5)
    b.site.sql("DELETE FROM request WHERE id = UNHEX('%s')" % bad.replace("-", ""))


def test_password_that_does_not_open_loops_for_ever(request, people):
    b, a = make(request), people()
    label = unique()
    b.api.create_key(label, quorum(1, a, timelock=60), password="open sesame")
    rid = b.api.sign(label, keyPassword="open sesame")
    b.api.approve(a, rid)
    (b.site.dir / "secret" / "request-passwords").write_text("00" * 32)
    b.site.part("restart", "dispatcher1")
    b.site.forward(61)
    b.until(lambda: int(b.column(rid, "attempt")) >= 2, 5)  # given back, not left to its lease
    b.site.sql("UPDATE request SET attempt = 19 WHERE id = UNHEX('%s') AND owner IS NULL" %
               rid.replace("-", ""))
    b.until(lambda: b.column(rid, "state") == "FAILED", 10)
    assert "does not open" in b.api.request(rid)["result"]
    assert b.column(rid, "LENGTH(password_box)") == "0" and b.front.count(SIGN) == 0


# ---- an HSM that misbehaves ----

def test_calls_that_break_together_pause_once(request, people):
    """Sixteen calls end in one moment: that is one outage, not sixteen in a row."""
    b, a = make(request, settings="\n[dispatcher]\npauseMax = 600\n"), people()
    label, together = unique(), threading.Barrier(16)
    b.api.create_key(label, quorum(1, a, timelock=60))

    def reset_once(call):
        if call.path == SIGN and b.front.count(SIGN) <= 16:
            together.wait(20)
            return Front.DROP
        return None
    b.front.rule = reset_once
    rids = [b.api.sign(label, b"%d" % i) for i in range(16)]
    for rid in rids:
        b.api.approve(a, rid)
    b.site.forward(61)
    for rid in rids:
        b.api.wait(rid, "EXECUTED", timeout=10)


def test_attempts_while_the_hsm_was_away_count_as_failures(wide, people):
    """An HSM that comes back with one technical error, after a long time away."""
    b, a = wide, people()
    label, seen = unique(), []
    b.api.create_key(label, quorum(1, a))

    def away_then_ill(call):
        if call.path != SIGN:
            return None
        seen.append(call)
        if len(seen) < 6:
            return 503, "text/html", b"<html>away</html>"
        if len(seen) == 6:
            return 500, "application/json", (b'{"errorCode":1,"reason":"res.error.technical",'
                                             b'"message":"starting"}')
        return None
    b.front.rule = away_then_ill
    rid = b.api.sign(label)
    b.site.sql("UPDATE request SET attempt = 15 WHERE id = UNHEX('%s')" % rid.replace("-", ""))
    b.api.approve(a, rid)
    b.api.wait(rid, "EXECUTED", timeout=20)


@pytest.mark.parametrize("status, kind, body", [
    (500, "application/json", b'{"timestamp":"now","status":500,"error":"Internal Server Error"}'),
    (429, "application/json", b'{"message":"API rate limit exceeded"}'),
    (413, "application/json", b'{"errorCode":600,"reason":"r","message":"too large"}'),
    (404, "text/html", b"<html>not here</html>"),
    (200, "text/html", b"<html>welcome</html>"),
    (200, "application/json", b'{"signature":'),
    (200, "application/json", b"{}"),
    (200, "application/json", b"[" * 100000),
    (200, "application/json", b'{"signature":"' + b"A" * (9 << 20)),
], ids=lambda v: v[:12] if isinstance(v, bytes) else None)
def test_answer_of_a_front_server_fails_the_request(wide, people, status, kind, body):
    b, a = wide, people()
    label, seen = unique(), []
    b.api.create_key(label, quorum(1, a))

    def odd_once(call):
        if call.path == SIGN and not seen:
            seen.append(call)
            return status, kind, body
        return None
    b.front.rule = odd_once
    rid = b.api.sign(label)
    b.api.approve(a, rid)
    b.api.wait(rid, "EXECUTED", timeout=20)


def block_case(b, people, **limits):
    return kinds.Case(kinds.BLOCK, b.api, people.several(2), needed=1, **limits)


def test_page_of_a_front_server_counts_as_blocked(wide, people):
    """A success without a result must at least come from an HSM."""
    b = wide
    case, seen = block_case(b, people), []

    def page_once(call):
        if call.path == BLOCK and not seen:
            seen.append(call)
            return 200, "text/html", b"<html>welcome</html>"
        return None
    b.front.rule = page_once
    rid = case.ask()
    case.approve_all(rid)
    b.api.wait(rid, "EXECUTED", timeout=20)
    assert case.kind.happened(case, 0)


def test_hsm_clock_that_runs_slower_fails_a_timelock(request, people):
    """The broker counts the time since the HSM's stamp with its own clock; the HSM's is two minutes
    behind by the end of the timelock."""
    b, a = make(request), people()
    own = b.site.hooks / "hsm-clock"
    own.write_text("0\n")
    own.chmod(0o666)
    environ, b.site.environ = b.site.environ, dict(b.site.environ, TSB_TEST_CLOCK=str(own))
    b.site.part("restart", "hsm")
    b.site.environ = environ
    label = unique()
    b.api.create_key(label, quorum(1, a, timelock=86400))
    rid = b.api.sign(label)
    b.api.approve(a, rid)
    own.write_text("86280\n")
    b.site.forward(86401)
    b.until(lambda: b.front.count(SIGN) >= 2)
    b.api.stays(rid, "APPROVED")
    own.write_text("86402\n")
    b.api.wait(rid, "EXECUTED", timeout=20)


def test_hsm_clock_set_back_fails_a_request(request, people):
    """Four seconds after its stamp the HSM took the timestamp for one of the future, for good."""
    b, a = make(request), people()
    own = b.site.hooks / "hsm-clock"
    own.write_text("0\n")
    own.chmod(0o666)
    environ, b.site.environ = b.site.environ, dict(b.site.environ, TSB_TEST_CLOCK=str(own))
    b.site.part("restart", "hsm")
    b.site.environ = environ
    label = unique()
    b.api.create_key(label, quorum(1, a))
    rid = b.api.sign(label)
    own.write_text("-120\n")
    b.api.approve(a, rid)
    b.until(lambda: b.front.count(SIGN) >= 2)
    b.api.stays(rid, "APPROVED")
    b.api.refused(701, "POST", "/v1/sign", b.api.sign_body(label),
                  says="ahead of the clock")
    own.write_text("0\n")
    b.site.forward(60)
    b.api.wait(rid, "EXECUTED", timeout=20)


# ---- done twice, or done and not known ----

def test_window_over_hides_what_was_done(wide, people):
    """The HSM blocked the key, its answer was lost, and the timeout passed before anybody could ask."""
    b = wide
    case = kinds.Case(kinds.BLOCK, b.api, people.several(2), needed=1, timeout=600)
    state = {"away": False}

    def lose(call):
        if state["away"]:
            return 503, "text/html", b""
        if call.path == BLOCK:
            call.forward(b.front.target)
            state["away"] = True
            return Front.DROP
        return None
    b.front.rule = lose
    rid = case.ask()
    case.approve_all(rid)
    b.until(lambda: state["away"])
    b.site.forward(601)
    b.api.stays(rid, "APPROVED", 1)
    state["away"] = False
    b.api.wait(rid, "EXECUTED")
    assert b.front.count(BLOCK) == 1


def test_window_over_and_nothing_done(wide, people):
    """As before, but the HSM never did it: the request expires and the HSM is not asked again."""
    b = wide
    case = kinds.Case(kinds.BLOCK, b.api, people.several(2), needed=1, timeout=600)
    state = {"away": False}

    def lose(call):
        if state["away"]:
            return 503, "text/html", b""
        if call.path == BLOCK:
            state["away"] = True
            return Front.DROP
        return None
    b.front.rule = lose
    rid = case.ask()
    case.approve_all(rid)
    b.until(lambda: state["away"])
    b.site.forward(601)
    state["away"] = False
    b.api.wait(rid, "EXPIRED")
    assert b.front.count(BLOCK) == 1 and not case.kind.happened(case, 0)


def test_lapsed_lease_of_an_own_call(wide, people):
    """The clock jumps while a call is in flight: the dispatcher does not take over from itself."""
    b = wide
    case, go = block_case(b, people), threading.Event()
    b.front.rule = lambda call: go.wait(20) and None if call.path == BLOCK else None
    rid = case.ask()
    case.approve_all(rid)
    b.until(lambda: b.front.count(BLOCK) == 1)
    b.site.forward(120)
    time.sleep(0.5)
    go.set()
    b.api.wait(rid, "EXECUTED")
    assert b.front.count(BLOCK) == 1 and case.kind.happened(case, 0)


def test_dispatcher_that_slept_past_its_lease(pair, people):
    """Stopped between its claim and its call, woken when another one has done the work."""
    b = pair
    case = block_case(b, people)
    rid = case.ask()
    b.site.part("stop", "dispatcher2")
    b.site.set_faults([("store.execution_claim.COMMIT.after", "stop")])
    case.approve_all(rid)
    b.until(lambda: not b.site.faults_left())
    b.site.forward(61)
    b.site.part("start", "dispatcher2")
    b.api.wait(rid, "EXECUTED")
    assert b.front.count(BLOCK) == 1
    case.through(kinds.Unblock())
    os.kill(b.pid("dispatcher1"), signal.SIGCONT)
    log = b.site.dir / "log" / "dispatcher1.log"
    b.until(lambda: "somebody else had taken the request over" in log.read_text())
    assert b.front.count(BLOCK) == 1 and not case.kind.happened(case, 0)
