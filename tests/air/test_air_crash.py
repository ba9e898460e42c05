"""Programs of both sides die while requests cross the gap, again and again; nothing is lost or
done twice.

TSB_TEST_AIR_KILLS (default 40) processes are ended with SIGKILL while clients ask and approve, and
while a courier exports, executes and imports: tsb-fcgi and its workers, the dispatcher, and
`tsb offline run` in the middle of its work. A supervisor starts again what died; the courier
repeats what was not finished, with the same files. Afterwards every acknowledged request and result
is there exactly once, and the HSM has blocked, unblocked, modified and unwrapped once for each
request.
"""
import collections
import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest
import requests

import air
import cargo
from cargo import Sign
from client import ApiError, Client
from killing import Supervisor, ends_by_audit, kill_one
from private_site import build_dir

pytestmark = pytest.mark.plain_only("what dies leaves no report, and everything takes too long")

KILLS = int(os.environ.get("TSB_TEST_AIR_KILLS", "40"))
PARTS = ("fcgi worker", "fcgi", "dispatcher1", "fcgi worker")
TRY_AGAIN = {1, 2, 700, 703}
EACH = int(os.environ.get("TSB_TEST_AIR_EACH", "8"))


@pytest.fixture
def sites():
    with air.two_sites() as both:
        yield both


def patiently(call, *args, **options):
    """The answer of a call that may be lost: asked again until there is one."""
    end = time.monotonic() + 60
    while True:
        try:
            return call(*args, **options)
        except requests.RequestException:
            pass
        except ApiError as e:
            if e.code not in TRY_AGAIN:
                raise
        assert time.monotonic() < end, "no answer for a minute"
        time.sleep(0.05)


class Clients(threading.Thread):
    """Asks and approves, request by request."""

    def __init__(self, online, loads):
        super().__init__(daemon=True)
        self.api, self.loads = Client(online.site), loads
        self.acknowledged, self.broken = [], None

    def run(self):
        try:
            for load in self.loads:
                self.one(load)
                time.sleep(0.5)
        except BaseException as e:
            self.broken = e
            raise

    def one(self, load):
        answer = patiently(self.api.post, load.path, {load.envelope: load.asked})
        load.rid = answer[load.id_member]
        for approver in load.crowd:
            patiently(self.approve, load, approver)
        self.acknowledged.append(load)

    def approve(self, load, approver):
        """A vote whose answer was lost has counted or not: then there is no task any more."""
        tasks = self.api.tasks(approver, "All", requestId=load.rid)
        if tasks:
            self.api.post("/v1/approval", self.api.approval_body(approver, tasks[0]))


class Courier(threading.Thread):
    """Goes back and forth until it is told that the last request has been asked for."""

    def __init__(self, online, room, folder, rng):
        super().__init__(daemon=True)
        self.online, self.room, self.folder, self.rng = online, room, folder, rng
        self.stopping, self.broken = threading.Event(), None
        self.runs = self.died = self.trips = self.carried = 0
        self.running = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.trip()
        except BaseException as e:
            self.broken = e
            raise

    def until_done(self, *args):
        """As a person does: the same command until it works."""
        end = time.monotonic() + 60
        while True:
            done = self.online.tsb(self.folder)(*args, code=None)
            if done.code == 0:
                return done
            assert time.monotonic() < end, done
            time.sleep(0.1)

    def trip(self):
        self.trips += 1
        out, back = "out%d.tsbpkg" % self.trips, "back%d.tsbpkg" % self.trips
        done = self.online.tsb(self.folder)("offline", "export", "-o", out, code=None)
        if done.code:
            time.sleep(0.1)    # nothing is ready, or nobody answers
            return
        self.carried += 1
        for _ in range(self.rng.randrange(4)):
            self.execute(out, back, True)
        self.execute(out, back, False)
        self.until_done("offline", "import", back)

    def execute(self, out, back, kill):
        shell = self.room.tsb(self.folder)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TSB_")}
        process = subprocess.Popen(
            [str(build_dir() / "tsb"), "offline", "run", out, "-o", back, "--yes"],
            env={**clean, **shell.env}, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.runs += 1
        if kill:
            time.sleep(self.rng.uniform(0.005, 0.8))
            process.send_signal(signal.SIGKILL)
        said, _ = process.communicate(timeout=120)
        if process.returncode == -signal.SIGKILL:
            self.died += 1
        elif not kill:
            assert process.returncode == 0, said.decode()


def done_by_hsm(room):
    """Label -> what the HSM did with the key, from its own log."""
    out = collections.defaultdict(collections.Counter)
    for line in (room.site.dir / "log/hsm.log").read_text(errors="replace").splitlines():
        found = re.search(r"\b(block|unblock|modify|unwrapped|signed|decrypted) key=(\S+)", line)
        if found:
            out[found[2]][found[1]] += 1
    return out


def check(online, room, loads):
    ends, did = ends_by_audit(online.site), done_by_hsm(room)
    for load in loads:
        load.check()
        assert ends[load.rid.replace("-", "")] == ["EXECUTED"], (load.name, load.rid)
        if not load.repeatable:
            what = "unwrapped" if load.name == "unwrap" else load.name
            assert did[load.label][what] == 1 + (what == "block" and load.name == "unblock"), (
                load.name, load.label, did[load.label])
    (leftover,) = online.site.sql("SELECT COUNT(*) FROM task t JOIN request r ON "
                                  "r.id = t.request_id WHERE r.state <> 'PENDING'")
    assert leftover == ["0"], "tasks of finished requests"


def test_kill_under_load(sites, people, tmp_path):
    online, room = sites
    rng = random.Random(int(os.environ.get("TSB_TEST_SEED", "1")))
    crowd = people.several(2)
    loads = [kind(online, room, crowd) for _ in range(EACH) for kind in cargo.ALL]
    for load in loads:
        load.asked = load.inner()
    clients = [Clients(online, loads[i::3]) for i in range(3)]
    courier = Courier(online, room, tmp_path, random.Random(rng.random()))
    supervisor, killed = Supervisor(online.site), collections.Counter()
    for thread in (*clients, courier, supervisor):
        thread.start()
    try:
        deadline = time.monotonic() + 150
        while time.monotonic() < deadline:
            busy = any(c.is_alive() for c in clients)
            if sum(killed.values()) >= KILLS and not busy:
                break
            what = PARTS[sum(killed.values()) % len(PARTS)]
            if kill_one(online.site, what, rng):
                killed[what] += 1
            time.sleep(rng.uniform(0.1, 0.8))
    finally:
        supervisor.stop()
    for c in clients:
        c.join(60)
        assert not c.is_alive() and not c.broken, c.broken
    courier.stopping.set()
    courier.join(120)
    assert not courier.is_alive() and not courier.broken, courier.broken
    assert not supervisor.failed, supervisor.failed
    courier.trip()    # what the last trip had not met
    check(online, room, loads)
    print("\nkilled: %s, and %d of %d runs in the room; %d trips with packages; %d requests" % (
        dict(killed), courier.died, courier.runs, courier.carried, len(loads)))
    assert sum(killed.values()) >= KILLS and courier.died > 0


@pytest.mark.parametrize("kind", cargo.ALL, ids=[k.name for k in cargo.ALL])
def test_a_run_that_dies_at_any_moment_is_recovered(online, room, people, stick, kind):
    """`tsb offline run` is killed a little later each time, and run again with the same file."""
    loads = [kind(online, room, people.several(1)).ready() for _ in range(6)]
    carrier = Courier(online, room, stick, random.Random(3))
    did = done_by_hsm(room)
    for n, load in enumerate(loads):
        out, back = "out%d.tsbpkg" % n, "back%d.tsbpkg" % n
        online.tsb(stick)("offline", "export", load.rid, "-o", out)
        for delay in (0.005 + 0.006 * n, 0.02):
            carrier.rng.uniform = lambda a, b, delay=delay: delay
            carrier.execute(out, back, True)
        carrier.execute(out, back, False)
        online.tsb(stick)("offline", "import", back)
        load.check()
    now = done_by_hsm(room)
    for load in loads:
        if not load.repeatable:
            what = "unwrapped" if load.name == "unwrap" else load.name
            assert now[load.label][what] - did[load.label][what] == 1, (load.label, now[load.label])


def test_an_import_whose_answer_is_lost_is_repeated(online, room, people, stick):
    """The worker dies after the commit: the same file again says the same."""
    load = Sign(online, room, people.several(1)).ready()
    online.tsb(stick)("offline", "export", load.rid, "-o", "out.tsbpkg")
    room.tsb(stick)("offline", "run", "out.tsbpkg", "-o", "back.tsbpkg", "--yes")
    rng = random.Random(5)
    for _ in range(6):
        process = subprocess.Popen(
            [str(build_dir() / "tsb"), "offline", "import", "back.tsbpkg"], cwd=stick,
            env={**os.environ, **online.tsb(stick).env}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, 0.03))
        kill_one(online.site, "fcgi worker", rng)
        process.wait(60)
    online.tsb(stick)("offline", "import", "back.tsbpkg")
    load.check()
    assert ends_by_audit(online.site)[load.rid.replace("-", "")] == ["EXECUTED"]
