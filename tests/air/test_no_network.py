"""The online side reaches its database and nothing else; the room needs neither network nor
database."""
import os
import pathlib
import shutil
import subprocess
import threading
import time

import pytest

import air
import cargo
from killing import children, pid_of
from private_site import TOOL

pytestmark = pytest.mark.plain_only("the same code, traced or without a network")

INET = ("tcp", "tcp6", "udp", "udp6", "raw", "raw6")


def cuts_off():
    """Why a program cannot be started without a network here, or None."""
    if not shutil.which("unshare"):
        return "no program unshare"
    done = subprocess.run(["unshare", "-n", "true"], stderr=subprocess.PIPE, text=True)
    return done.stderr.strip() if done.returncode else None


needs_unshare = pytest.mark.skipif(cuts_off() is not None, reason="unshare -n: %s" % cuts_off())


def start_cut_off(site, *parts):
    """Starts these parts anew in a network of their own, in which nothing is."""
    for part in parts:
        site.part("stop", part)
        subprocess.run(["unshare", "-n", str(TOOL), "start", part, "-d", str(site.dir)],
                       env=site.environ, check=True, timeout=120, stdin=subprocess.DEVNULL)
        pid = pid_of(site, part)
        assert os.readlink("/proc/%d/ns/net" % pid) != os.readlink("/proc/self/ns/net")


def processes(site, *parts):
    for part in parts:
        pid = pid_of(site, part)
        yield from [pid, *children(pid)]


def inet_inodes(pid):
    """Sockets of the Internet protocols in the network of this process."""
    out = {}
    for name in INET:
        try:
            lines = pathlib.Path("/proc/%d/net/%s" % (pid, name)).read_text().splitlines()[1:]
        except OSError:
            continue
        out.update((line.split()[9], "%s %s -> %s" % (name, *line.split()[1:3])) for line in lines)
    return out


def inet_sockets(pid):
    known, out = inet_inodes(pid), []
    try:
        for fd in pathlib.Path("/proc/%d/fd" % pid).iterdir():
            target = os.readlink(fd)
            if target.startswith("socket:[") and target[8:-1] in known:
                out.append(known[target[8:-1]])
    except OSError:
        pass
    return out


def loads_of(online, room, people):
    return [kind(online, room, people.several(2)).ready() for kind in cargo.ALL]


def everything(online, room, people, stick, loads=None):
    """All kinds out and back."""
    loads = loads or loads_of(online, room, people)
    online.tsb(stick)("offline", "export", *[x.rid for x in loads], "-o", "out.tsbpkg")
    room.tsb(stick)("offline", "run", "out.tsbpkg", "-o", "back.tsbpkg", "--yes")
    online.tsb(stick)("offline", "import", "back.tsbpkg")
    for load in loads:
        load.check()


class Watch(threading.Thread):
    """Looks for sockets that lead into a network."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site, self.found, self.stopping = site, set(), threading.Event()
        self.looked = 0

    def run(self):
        while not self.stopping.wait(0.01):
            for pid in processes(self.site, "fcgi", "dispatcher1"):
                self.found.update(inet_sockets(pid))
            self.looked += 1


def test_the_online_side_has_no_socket_of_a_network(online, room, people, stick):
    watch = Watch(online.site)
    watch.start()
    everything(online, room, people, stick)
    watch.stopping.set()
    watch.join()
    assert watch.looked > 1 and not watch.found, watch.found


def is_traced(pid):
    status = pathlib.Path("/proc/%d/status" % pid).read_text()
    return "TracerPid:\t0\n" not in status


@pytest.mark.skipif(not shutil.which("strace"), reason="no program strace")
def test_the_online_side_connects_to_its_database_only(people, stick):
    """Every connect() of every process, from its birth."""
    trace = stick / "connects"
    with air.two_sites() as (online, room):
        database = online.site.vars["TSB_DB_SOCKET"]
        parts = [pid_of(online.site, part) for part in ("fcgi", "dispatcher1")]
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(trace),
             *[arg for pid in parts for arg in ("-p", str(pid))]], stderr=subprocess.PIPE)
        try:
            while not all(map(is_traced, parts)):
                if tracer.poll() is not None:
                    pytest.skip("strace: %s" % tracer.stderr.read().decode())
                time.sleep(0.01)
            for pid in children(parts[0]):
                os.kill(pid, 15)    # new workers, which are traced
            everything(online, room, people, stick)
        finally:
            tracer.terminate()
            tracer.wait(30)
    lines = [line for line in trace.read_text().splitlines() if "sa_family=" in line]
    other = [line for line in lines if "AF_UNIX" not in line]
    assert lines and not other, other
    addresses = {line.split('sun_path="')[1].split('"')[0] for line in lines if "sun_path" in line}
    # the C library looks up who it runs as
    assert addresses - {"/var/run/nscd/socket"} == {database}


@needs_unshare
def test_both_sides_work_without_a_network(people, stick):
    """All programs of ours run where there is none; web server and database talk to them by
    sockets that are files."""
    with air.two_sites() as (online, room):
        start_cut_off(online.site, "fcgi", "dispatcher1")
        start_cut_off(room.site, "hsm", "fcgi")
        everything(online, room, people, stick)


def test_the_room_works_while_its_database_is_away(people, stick):
    """Keys are used. Changes of keys wait for it, because each leaves a trace there."""
    with air.two_sites(room={"database": True}) as (online, room):
        loads = loads_of(online, room, people)
        uses = [x for x in loads if x.name in ("sign", "decrypt")]
        changes = [x for x in loads if x not in uses]
        room.site.part("stop", "db")
        everything(online, room, people, stick, uses)
        online.tsb(stick)("offline", "export", *[x.rid for x in changes], "-o", "late.tsbpkg")
        room.tsb(stick)("offline", "run", "late.tsbpkg", "-o", "none.tsbpkg", "--yes", code=3)
        room.site.part("start", "db")
        everything(online, room, people, stick, changes)
