"""Ends programs of a site with SIGKILL, and starts them again as an init system would; what its
audit says."""
import collections
import os
import pathlib
import signal
import subprocess
import threading


def pid_of(site, part):
    path = site.dir / ("db/run/db.pid" if part == "db" else "run/%s.pid" % part)
    try:
        pid = int(path.read_text().split()[0])
        # the number of one that is dead may be somebody else's by now
        command = pathlib.Path("/proc/%d/cmdline" % pid).read_bytes()
    except (OSError, ValueError, IndexError):
        return None
    return pid if str(site.dir).encode() in command else None


def children(pid):
    path = pathlib.Path("/proc/%d/task/%d/children" % (pid, pid))
    try:
        return [int(p) for p in path.read_text().split()]
    except OSError:
        return []


def kill_one(site, what, rng):
    """True when somebody died."""
    part, _, worker = what.partition(" ")
    pid = pid_of(site, part)
    if pid and worker:
        pid = rng.choice(children(pid) or [None])
    if not pid:
        return False
    try:
        # A web server's workers outlive their parent and keep its port: an init system ends them.
        (os.killpg if what == "web" else os.kill)(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class Supervisor(threading.Thread):
    """Starts again what died."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site, self.stopping, self.failed = site, threading.Event(), None

    def run(self):
        while not self.stopping.wait(0.05):
            try:
                self.site.up()
            except (RuntimeError, subprocess.TimeoutExpired) as e:
                # killed once more while it started
                self.failed = e
            else:
                self.failed = None

    def stop(self):
        self.stopping.set()
        self.join(60)
        self.site.up()


def ends_by_audit(site):
    """Request id in hex -> its ends."""
    out = collections.defaultdict(list)
    for rid, state in site.sql(
            "SELECT LOWER(HEX(request_id)), state_to FROM audit WHERE "
            "state_to <> COALESCE(state_from, '') AND "
            "state_to IN ('EXECUTED','FAILED','EXPIRED','REJECTED','CANCELLED')"):
        out[rid].append(state)
    return out
