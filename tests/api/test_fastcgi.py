"""Programs as a web server sees them: FastCGI straight to their sockets."""
import concurrent.futures
import os
import pathlib
import resource
import time

import pytest

import fcgi_call
from fcgi_call import call

pytestmark = pytest.mark.nginx_only("straight to the sockets, past the web server")


@pytest.fixture(params=["fcgi", "hsm"])
def program(request, site):
    if request.param == "hsm" and site.profile == "air-gapped":
        site = site.gap.room.site
    return site.dir / "run" / (request.param + ".sock")


@pytest.fixture
def keys(site, program):
    """API keys of both programs: of the service and of the key management role."""
    if program.name == "fcgi.sock":
        return [site.vars["TSB_%s_TOKEN" % role] for role in ("SERVICE", "KEY_MANAGEMENT")]
    if site.profile == "air-gapped":
        site = site.gap.room.site
    return [site.vars["TSB_HSM_TOKEN"]] * 2


@pytest.fixture
def service(keys):
    return keys[0]


def test_answers(program, service):
    answer = call(program, "GET", "/v1/versionInfo", apikey=service)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert len(answer.headers["X-Request-Id"]) == 16


@pytest.mark.parametrize("method,uri,key,status,number", [
    ("GET", "/v1/none", False, 404, 102), ("PUT", "/v1/versionInfo", False, 405, 102),
    ("GET", "/v1/versionInfo", False, 401, 631), ("GET", "/v1/%", True, 400, 600),
    ("GET", "/v1/" + "a" * 5000, True, 414, 600)])
def test_refuses(program, service, method, uri, key, status, number):
    answer = call(program, method, uri, b"x" * 100000, apikey=service if key else None)
    assert answer.status == status
    error = answer.json()
    assert set(error) == {"errorCode", "reason", "message"} and error["errorCode"] == number
    assert (answer.headers.get("Allow") == "GET, HEAD") == (status == 405)


def test_identity_is_not_taken_from_headers(program):
    answer = call(program, "GET", "/v1/versionInfo", HTTP_TSB_CLIENT_VERIFY="SUCCESS",
                  HTTP_REMOTE_USER="root", HTTP_AUTH_TYPE="Basic", REMOTE_USER="root")
    assert answer.status == 401


def test_body_that_ends_early_reaches_no_handler(program, keys):
    answer = call(program, "POST", "/v1/key/attributes", b'{"label":"x"}', apikey=keys[1],
                  CONTENT_LENGTH="5000")
    assert (answer.status, answer.json()["errorCode"]) == (400, 600)


def test_peers_that_go_away(program, service):
    whole = fcgi_call.request({"REQUEST_METHOD": "GET", "REQUEST_URI": "/v1/versionInfo",
                               "HTTP_X_API_KEY": service})
    for cut in range(0, len(whole), 7):
        with fcgi_call.connect(program) as s:
            s.sendall(whole[:cut])
    with fcgi_call.connect(program) as s:
        s.sendall(whole)
    assert call(program, "GET", "/v1/versionInfo", apikey=service).status == 200


def test_kept_connection_is_closed(program, service):
    with fcgi_call.connect(program) as s:
        s.sendall(fcgi_call.request({"REQUEST_METHOD": "GET", "REQUEST_URI": "/v1/versionInfo",
                                     "HTTP_X_API_KEY": service}, keep=True))
        assert fcgi_call.receive(s).status == 200


def test_many_at_once(program, service):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = pool.map(lambda _: call(program, "GET", "/v1/versionInfo", apikey=service).status,
                           range(300))
        assert set(answers) == {200}


def listeners(program):
    """The processes that hold the program's socket: the parent and its workers."""
    inode = [line.split()[6] for line in pathlib.Path("/proc/net/unix").read_text().splitlines()
             if line.endswith(" " + str(program))]
    wanted = {"socket:[%s]" % i for i in inode}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if wanted & {os.readlink(fd) for fd in (process / "fd").iterdir()}:
                yield int(process.name)
        except OSError:
            pass


def seconds_of(pids):
    ticks = 0
    for pid in pids:
        stat = pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()
        ticks += int(stat[11]) + int(stat[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def descriptors(pid, soft):
    """Sets the soft limit, as the user of the process: who needs no right of root's for that."""
    status = dict(line.split(":", 1) for line in
                  pathlib.Path("/proc/%d/status" % pid).read_text().splitlines())
    uid, gid = int(status["Uid"].split()[0]), int(status["Gid"].split()[0])
    child = os.fork()
    if child == 0:
        try:
            if uid != os.getuid():
                os.setgroups([])
                os.setresgid(gid, gid, gid)
                os.setresuid(uid, uid, uid)
            hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_free_descriptor_is_waited_for_without_burning_the_processor(program, service):
    pids = list(listeners(program))
    assert len(pids) > 1
    whole = fcgi_call.request({"REQUEST_METHOD": "GET", "REQUEST_URI": "/v1/versionInfo",
                               "HTTP_X_API_KEY": service})
    try:
        for pid in pids:
            descriptors(pid, 3)
        with fcgi_call.connect(program) as s:
            s.sendall(whole)
            before = seconds_of(pids)
            time.sleep(0.7)     # what is measured is a while of doing nothing
            used = seconds_of(pids) - before
            for pid in pids:
                descriptors(pid, 1024)
            assert fcgi_call.receive(s).status == 200
    finally:
        for pid in pids:
            descriptors(pid, 1024)
    assert used < 0.25
