"""Automated approvers: services that the dispatcher asks, and that approve by a program of their own."""
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time

import pytest

import execution
from approver import Approver, b64, group, policy, quorum, rule, token, unb64, verify
from client import Client, public_key, unique
from conftest import WEBS
from private_site import Site, build_dir

pytestmark = [pytest.mark.online_only("automated approvers belong to the profile online"),
              pytest.mark.nginx_only("a site of its own")]


class Robots:
    """A site with two automated approvers: robot has a key, clerk a certificate and another digest."""

    def __init__(self, folder):
        ca = execution.Ca(folder)
        self.robot = execution.Service(ca, Approver("p256", "robot"), "robot")
        self.clerk = execution.Service(
            ca, Approver("p384", "clerk", digest="SHA-384", certificate=True), "clerk")
        files = (execution.write(folder, "robot.pub.pem", self.robot.approver.pem()),
                 execution.write(folder, "clerk.cert.pem", ssl.DER_cert_to_PEM_cert(
                     self.clerk.approver.certificate).encode()))
        certificate, key = ca.issue("broker")
        self.site = Site(web=WEBS[0], settings="\n[automatedApproval]\n" + "".join(
            "service = %s %s\n" % (s.url, path) for s, path in zip(self.services, files)) +
            "caFile = %s\ncertificateFile = %s\nkeyFile = %s\ntimeout = 5\nretryMax = 1\n"
            "pollInterval = 100\ninFlight = 2\n" % (ca.file, certificate, key))
        self.api = Client(self.site)

    @property
    def services(self):
        return self.robot, self.clerk

    def key(self, rules):
        label = unique()
        return label, public_key(self.api.create_key(label, rules))

    def children(self):
        pid = (self.site.dir / "run" / "dispatcher1.pid").read_text().split()[0]
        with open("/proc/%s/task/%s/children" % (pid, pid)) as f:
            return [int(child) for child in f.read().split()]

    def down(self):
        self.site.down()
        for service in self.services:
            service.close()


@pytest.fixture(scope="module")
def site_of_robots():
    folder = tempfile.mkdtemp(prefix="tsb-execution-")
    os.chmod(folder, 0o755)
    robots = Robots(folder)
    yield robots
    robots.down()
    shutil.rmtree(folder)


@pytest.fixture
def robots(site_of_robots):
    yield site_of_robots
    for service in site_of_robots.services:
        service.rule = service.approval


def until(reached, timeout=20):
    end = time.monotonic() + timeout
    while not reached():
        assert time.monotonic() < end, "not reached"
        time.sleep(0.02)


def asked(service, rid, times=1):
    """The service was asked about the request so often; the last task."""
    until(lambda: len(service.tasks(rid)) >= times)
    return service.tasks(rid)[-1]


@pytest.mark.parametrize("name", ["robot", "clerk"])
def test_approves_like_any_approver(robots, name):
    service = getattr(robots, name)
    label, key = robots.key(quorum(1, service.approver))
    rid = robots.api.sign(label, b"pay 10", metaData=b64(b"note"))
    view = robots.api.wait(rid, "EXECUTED")
    assert verify(key, "SHA-256", b"pay 10", unb64(view["result"]))
    assert view["approvedBy"] == [b64(service.approver.spki)]
    task = asked(service, rid)
    assert task["detailLevel"] == "level6" and task["requestStatus"]["status"] == "PENDING"
    assert task["approverPublicKey"] == b64(service.approver.spki)
    assert (task["payload"], task["metaData"]) == (b64(b"pay 10"), b64(b"note"))
    assert label in task["keyAttributes"]
    _, request = next(x for x in service.asked if x[0]["id"] == task["id"])
    assert (request["path"], request["timeout"]) == ("/api/v1/execute", "5s")
    ((caller, login),) = robots.site.sql(
        "SELECT caller, SUBSTRING_INDEX(login, '@', 1) FROM audit WHERE action = 'approve' "
        "AND request_id = UNHEX('%s')" % rid.replace("-", ""))
    assert caller == "automatedApproval " + service.url and login == "tsb_dispatcher"


def test_other_kinds_of_requests(robots):
    api, label = robots.api, unique()
    rule_of_robot = rule(token(group(1, robots.robot.approver)))
    rules = policy(rule_of_robot, rule_of_robot, rule_of_robot, rule_of_robot)
    api.create_key(label, rules)
    for path, envelope, member in (("/v1/block", "blockRequest", "blockKeyName"),
                                   ("/v1/unblock", "unblockRequest", "unblockKeyName")):
        rid, = api.post(path, {envelope: {member: label}}).values()
        api.wait(rid, "EXECUTED")
    new = {name: value for name, value in rules.items() if name != "keyStatus"}
    rid, = api.post("/v1/modify", {"modifyRequest": {
        "modifyKeyName": label, "policy": {**new, "ruleUse": None}}}).values()
    api.wait(rid, "EXECUTED")
    assert len(robots.robot.tasks(rid)) == 1


def test_counts_once_beside_people(robots, people):
    a, api = people(), robots.api
    label, _ = robots.key(quorum(2, robots.robot.approver, robots.clerk.approver, a))
    robots.clerk.rule = lambda task: robots.clerk.answer("REJECTED: people decide", None)
    rid = api.sign(label)
    asked(robots.clerk, rid)
    until(lambda: api.request(rid)["approvedBy"])
    view = api.request(rid)
    assert view["status"] == "PENDING" and view["rejectedBy"] == []
    assert view["approvedBy"] == [b64(robots.robot.approver.spki)]
    api.approve(a, rid)
    api.wait(rid, "EXECUTED")


def other_token(text):
    return text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]


OUTPUTS = {"word": lambda t: "REJECTED: too much", "nothing": lambda t: "",
           "another token": other_token, "a blank": lambda t: t + " ",
           "in an object": lambda t: '{"output":"%s"}' % t}


@pytest.mark.parametrize("what", OUTPUTS)
def test_other_output_is_no_approval(robots, what):
    """With a signature that would fit: only the output decides. It is no rejection either."""
    robot, api = robots.robot, robots.api
    robot.rule = lambda task: {**robot.approval(task),
                               "output": OUTPUTS[what](task["approvalToBeSigned"])}
    label, _ = robots.key(quorum(1, robot.approver))
    rid = api.sign(label)
    asked(robot, rid, times=2)      # and asked again, because opinions change
    view = api.request(rid)
    assert view["status"] == "PENDING" and view["approvedBy"] == view["rejectedBy"] == []
    robot.rule = robot.approval
    api.wait(rid, "EXECUTED")


SIGNATURES = {"of another key": lambda r, t: Approver("p256").sign(unb64(t)),
              "over the text": lambda r, t: r.sign(t.encode()),
              "over another token": lambda r, t: r.sign(unb64(other_token(t))),
              "by another digest": lambda r, t: r.sign(unb64(t), "SHA3-256"),
              "missing": lambda r, t: None}


@pytest.mark.parametrize("what", SIGNATURES)
def test_wrong_signature_is_no_approval(robots, what):
    robot, api = robots.robot, robots.api
    robot.rule = lambda task: robot.answer(
        task["approvalToBeSigned"], SIGNATURES[what](robot.approver, task["approvalToBeSigned"]))
    label, _ = robots.key(quorum(1, robot.approver))
    rid = api.sign(label)
    asked(robot, rid, times=2)
    view = api.request(rid)
    assert view["status"] == "PENDING" and view["approvedBy"] == view["rejectedBy"] == []
    robot.rule = robot.approval
    api.wait(rid, "EXECUTED")


OUTAGES = {"status": (500, b"{}"), "overload": (429, b""), "page": (200, b"<html>"),
           "list": (200, b"[]"), "no output": (200, b'{"outputSignature":"AAAA"}'),
           "broken": None}


@pytest.mark.parametrize("what", OUTAGES)
def test_outage_ends(robots, what):
    robot, api = robots.robot, robots.api
    robot.rule = lambda task: OUTAGES[what]
    label, _ = robots.key(quorum(1, robot.approver))
    rid = api.sign(label)
    asked(robot, rid, times=2)
    assert api.status_of(rid) == "PENDING"
    robot.rule = robot.approval
    api.wait(rid, "EXECUTED")


def test_slow_service_delays_nobody(robots, people):
    """Its slots are full, and people and the other service approve meanwhile."""
    a, api, robot = people(), robots.api, robots.robot
    go_on = threading.Event()

    def slowly(task):
        go_on.wait(4)
        return robot.approval(task)
    robot.rule = slowly
    slow, _ = robots.key(quorum(1, robot.approver))
    waiting = [api.sign(slow) for _ in range(4)]
    for rid in waiting[:2]:
        asked(robot, rid)
    others = [(robots.key(quorum(1, robots.clerk.approver))[0], None),
              (robots.key(quorum(1, a))[0], a)]
    for label, approver in others:
        rid = api.sign(label)
        if approver:
            api.approve(approver, rid)
        api.wait(rid, "EXECUTED")
    assert {api.status_of(rid) for rid in waiting} == {"PENDING"}
    go_on.set()
    for rid in waiting:
        api.wait(rid, "EXECUTED")


def test_process_that_dies_comes_back(robots):
    api, before = robots.api, robots.children()
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    for service in robots.services:
        label, _ = robots.key(quorum(1, service.approver))
        api.wait(api.sign(label), "EXECUTED")
    assert not set(before) & set(robots.children())


def has_ended(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_ends_with_the_dispatcher(robots):
    for command in ("stop", "kill"):
        children = robots.children()
        assert len(children) == 2
        robots.site.part(command, "dispatcher1")
        until(lambda: all(has_ended(pid) for pid in children))
        robots.site.part("start", "dispatcher1")
        label, _ = robots.key(quorum(1, robots.robot.approver))
        robots.api.wait(robots.api.sign(label), "EXECUTED")


# ---- settings ----

def refused(tmp_path, lines, profile="online"):
    conf = tmp_path / "tsb.conf"
    conf.write_text("[general]\nprofile = %s\n[database]\ndispatcherPassword = x\n%s"
                    "[dispatcher]\nlisten = %s/d.sock\n[automatedApproval]\n%s" % (
                        profile, "[hsm]\nurl = fcgi:/x\n" if profile == "online" else "",
                        tmp_path, "".join(line + "\n" for line in lines)))
    done = subprocess.run([build_dir() / "tsb-dispatcher", "-n", "-c", conf], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


@pytest.mark.no_site
@pytest.mark.parametrize("line,says", [
    ("https://tee.example.com {folder}/robot.pem", None),
    ("https://tee.example.com:8443/prefix   {folder}/robot.pem", None),
    ("http://localhost:8080 {folder}/robot.pem", None),
    ("http://tee.example.com {folder}/robot.pem", "https://"),
    ("tee.example.com {folder}/robot.pem", "https://"),
    ("https://tee.example.com", "a blank and a file"),
    ("https://tee.example.com {folder}/none.pem", "none.pem"),
    ("https://tee.example.com {folder}/two.pem", "one key or certificate")])
def test_settings(tmp_path, line, says):
    robot = Approver("p256")
    (tmp_path / "robot.pem").write_bytes(robot.pem())
    (tmp_path / "two.pem").write_bytes(robot.pem() + Approver("p256").pem())
    status, text = refused(tmp_path, ["service = " + line.format(folder=tmp_path)])
    assert (status == 0) == (says is None), text
    assert says is None or says in text


@pytest.mark.no_site
def test_settings_together(tmp_path):
    (tmp_path / "robot.pem").write_bytes(Approver("p256").pem())
    service = "service = https://tee.example.com %s/robot.pem" % tmp_path
    assert "two services" in refused(tmp_path, [service, service])[1]
    assert "come together" in refused(tmp_path, [service, "certificateFile = /x"])[1]
    assert "caFile" in refused(tmp_path, [service, "caFile = %s/none.pem" % tmp_path])[1]
    assert "air-gapped" in refused(tmp_path, [service], profile="air-gapped")[1]
