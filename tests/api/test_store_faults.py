"""Errors of the database at every statement and around every COMMIT: the workflow ends as if
nothing had been, and exactly once."""
import hashlib
import re
import time

import pytest

from approver import b64, quorum, unb64, verify
from change import guarded, modify_at_once, modify_past_the_broker
from client import public_key, unique
from conftest import PROFILE, WEBS
from private_site import ROOT

pytestmark = pytest.mark.nginx_only("the web server has no part in what the database refuses")

CONFLICTS = (1205, 1213, 1020)  # lock wait, deadlock, row changed meanwhile
LOST = (2006, 2013)             # connection gone, connection gone in the middle

# Not on the way of a request: schema changes, the removal of finished requests after days, and what a
# dispatcher looks for when it starts.
ELSEWHERE = re.compile(r"SCHEMA_|REQUEST_OLD$|REQUEST_DELETE$|APPROVAL_DELETE_OF_REQUEST$|REQUEST_OWNED$|"
                       r"requests_purge")
# Reached only by other routes, other orders of tasks, automated approvers, or after a COMMIT whose
# answer was lost.
RARE = re.compile(r"REQUEST_ERASE_RESULT$|REQUEST_LIST|REQUEST_PAGE_OF_(STATES|ONE)$|TASK_(LIST_ONE|INSERT_4|WAITING)$|"
                  r"AUDIT_FIND$|KEY_TOUCH$|REQUEST_(LATE|LOCK|DUE_LOCK|DUE|FETCHED)$|APPROVER_|.*_OF_APPROVER$|"
                  r"BACKUP_KEY_|requests_list|approver|backup_key")


# Of policies that change while requests wait.
CHANGES = re.compile(r"TASK_LOAD_OF_REQUEST$|execution_plan|plan_anew")
# Of air-gapped sites: their workflow is another one.
ACROSS = re.compile(r"IMPORTED_(?!LIST|CERTIFY)|REQUEST_(OF_TOKEN|TWIN)$|attributes_(import|forget)$|"
                    r"result_record$")
ACROSS_ONLY = re.compile(r"IMPORTED_|REQUEST_(OF_TOKEN|TWIN)$|attributes_(import|forget)$|certificate_import$|"
                         r"result_record$")


def statements():
    source = (ROOT / "lib/store/stmt.h").read_text()
    return [m for m in re.findall(r"^STMT\((\w+), ", source, re.M) if not ELSEWHERE.match(m)]


def transactions():
    rooms = ("flow", "custody", "gap")
    source = "".join(p.read_text() for room in rooms for p in sorted((ROOT / "lib" / room).glob("*.c")))
    names = re.findall(r'store_transact\([^"]*"(\w+)"', source)
    # answers of approvers choose their name at run time
    names += re.findall(r'"(task_approve|task_reject)"', source)
    return sorted({n for n in names if not ELSEWHERE.match(n)})


def points():
    def here(name):
        return ACROSS.match(name) if PROFILE == "air-gapped" else not ACROSS_ONLY.match(name)
    for name in filter(here, statements()):
        yield "store." + name
    for name in filter(here, transactions()):
        yield "store.%s.COMMIT.before" % name
        yield "store.%s.COMMIT.after" % name


@pytest.fixture
def quiet(site, faults):
    if site.web != WEBS[0]:
        pytest.skip("the web server has no part in this")
    return faults


def ends(site, rid):
    """How often the request came to an end, by its audit."""
    (row,) = site.sql(
        "SELECT COUNT(*) FROM audit WHERE request_id = UNHEX('%s') "
        "AND state_to <> COALESCE(state_from, '') "
        "AND state_to IN ('EXECUTED','FAILED','EXPIRED','REJECTED','CANCELLED')"
        % rid.replace("-", ""))
    return int(row[0])


def workflow(api, site, people):
    """Every way a request can go, with everything that is checked on the way."""
    a, b, c = people.several(3)
    label = unique("fault")
    key = public_key(api.create_key(label, quorum(2, a, b, c, timeout=600)))

    done, gone, late, refused = (api.sign(label, b"%d" % i) for i in range(4))
    api.task(a, done, detailLevel="level6")
    api.reject(c, done)
    api.approve(a, done)
    mine = api.post("/v1/filteredApprovedRequests", a.proof(api.now()))["approvedRequests"]
    assert done in [r["id"] for r in mine]
    api.approve(b, done)
    view = api.wait(done, "EXECUTED")
    assert sorted(view["approvedBy"]) == sorted([b64(a.spki), b64(b.spki)])
    assert view["rejectedBy"] == [b64(c.spki)]
    assert verify(key, "SHA-256", b"0", unb64(view["result"]))
    api.cancel(gone)
    for x in (a, b):
        api.reject(x, refused)
    site.forward(601)
    expected = {done: "EXECUTED", gone: "CANCELLED", late: "EXPIRED", refused: "REJECTED"}
    for rid, state in expected.items():
        assert api.status_of(rid) == state
    rows = api.post("/v1/filteredRequestDetails", {"keyName": label})["requests"]
    assert {r["id"]: r["status"] for r in rows} == expected
    behind = api.post("/v1/filteredRequestDetails", {"after": rows[2]["id"], "pageSize": 1})["requests"]
    assert behind == rows[3:]
    assert api.get("/v1/request/%s?fetchOnce=true" % done)["result"] == view["result"]
    assert api.request(done)["result"] is None
    api.call("DELETE", "/v1/key/" + label)
    for rid in expected:
        assert ends(site, rid) == 1, expected[rid]


def policy_changes(api, site, people):
    """A request that waits is planned anew: by the broker's own change, and when the HSM refuses."""
    a, b, c = people.several(3)
    label = unique("fault")
    key = public_key(api.create_key(label, guarded(1, a)))
    rid = api.sign(label, b"0")
    modify_at_once(api, label, guarded(1, b))
    assert api.request(rid)["notYetApprovedBy"] == [b64(b.spki)]
    modify_past_the_broker(api, label, guarded(1, c))
    api.approve(b, rid)
    end = time.monotonic() + 10
    while (view := api.request(rid))["notYetApprovedBy"] != [b64(c.spki)]:
        assert time.monotonic() < end and view["status"] in ("APPROVED", "PENDING"), view
        time.sleep(0.02)
    api.approve(c, rid)
    view = api.wait(rid, "EXECUTED")
    assert verify(key, "SHA-256", b"0", unb64(view["result"])) and ends(site, rid) == 1


def across(api, site, people):
    """Attributes come in twice, a request goes out, its result comes back, and both come again."""
    gap, a = site.gap, people()
    answer = gap.room.create_key(policy=quorum(1, a))
    label, key = answer["json"]["label"], public_key(answer)
    gap.online.import_key(answer)
    gap.room.site.forward(1)
    newer = gap.room.attributes(label)
    for _ in range(2):
        gap.online.import_key(newer)
    api.refused(606, "POST", "/v1/key/import/attributes", answer, role="KM", says="newer")
    rid = gap.by_hand(api.sign(label, b"0"))
    token = api.approve(a, rid)["approvalToBeSigned"]
    result = gap.room.execute(gap.online.carried(rid))
    # a request that was scanned from a bare code has no id
    named = {"token": hashlib.sha256(unb64(token)).hexdigest()}
    for name in (named, {"id": rid}, {"id": rid}):
        view = gap.online.api.call("PUT", "/v1/resultFromOfflineHsm", {**name, **result})
    assert view["status"] == "EXECUTED" and ends(site, rid) == 1
    waits = gap.by_hand(api.sign(label, b"1"))
    api.call("DELETE", "/v1/key/" + label, role="KM")
    assert api.status_of(waits) == "CANCELLED" and ends(site, waits) == 1
    assert verify(key, "SHA-256", b"0", unb64(view["result"]))


@pytest.mark.parametrize("point", points())
@pytest.mark.parametrize("numbers", [
    pytest.param(CONFLICTS, id="conflict", marks=pytest.mark.plain_only("the same ways as lost")),
    pytest.param(LOST, id="lost")])
def test_fault(api, site, people, quiet, point, numbers):
    quiet([(point, n) for n in numbers])
    if site.profile == "air-gapped":
        across(api, site, people)
    else:
        (policy_changes if CHANGES.search(point) else workflow)(api, site, people)
    if not RARE.search(point):
        left = site.faults_left()
        assert len(left) < len(numbers), "%s is never passed: %s" % (point, left)


def test_every_point_is_known():
    assert len(statements()) > 20 and "request_create" in transactions()


@pytest.mark.online_only("its move has its own statement with the outcome")
@pytest.mark.parametrize("count", [3, 6])
def test_deadlocks_in_a_row(api, site, people, quiet, count):
    quiet([("store.REQUEST_MOVE", 1213)] * count)
    workflow(api, site, people)
