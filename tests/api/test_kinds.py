"""Each kind of request, and each way to answer it: two of three approve, or not."""
import json

import pytest

import kinds
import ska
from approver import b64, unb64
from client import unique
from kinds import squeeze

pytestmark = pytest.mark.nginx_only("the web server passes bodies on, whatever they hold")

by_kind = pytest.mark.parametrize("kind", kinds.ALL, ids=repr)
same_token = pytest.mark.online_only("without payload and time two tokens for a key are the same")
by_distinct_kind = pytest.mark.parametrize("kind", [
    pytest.param(k, marks=same_token) if isinstance(k, (kinds.Block, kinds.Unblock)) else k
    for k in kinds.ALL], ids=repr)
SHOWN = [k.shown for k in kinds.ALL]


class Cases:
    """Keys that a test does not change serve the next one too: some are dear to make."""

    def __init__(self, people):
        self.people, self.made = people, {}

    def __call__(self, kind, api, **options):
        lasting = kind.uses_key and not isinstance(kind, kinds.SelfSignCertificate)
        key = (api.url, kind, tuple(sorted(options.items())))
        if not lasting or key not in self.made:
            self.made[key] = kinds.Case(kind, api, self.people.several(3), **options)
        case = self.made[key]
        case.memory.clear()
        case.uses_before = case.uses()
        return case


@pytest.fixture(scope="module")
def cases(people):
    return Cases(people)


def spkis(*approvers):
    return sorted(b64(a.spki) for a in approvers)


def lists_of(view):
    return [sorted(view[k]) for k in ("approvedBy", "notYetApprovedBy", "rejectedBy")]


def executions(site, rid):
    return site.sql("SELECT actor FROM audit WHERE request_id = UNHEX('%s') AND state_to = "
                    "'EXECUTED' AND state_from <> 'EXECUTED'" % rid.replace("-", ""))


def no_tasks(case, rid):
    for approver in case.crowd:
        for name in (case.kind.tasks, "All"):
            assert case.api.tasks(approver, name, requestId=rid) == []


# ---- approved ----

@by_kind
def test_two_of_three(api, site, cases, kind):
    case = cases(kind, api)
    a, b, c = case.crowd
    rid = case.ask()
    assert lists_of(api.request(rid)) == [[], spkis(a, b, c), []]
    task = case.task(a, rid)
    token = ska.Token.decode(unb64(task["approvalToBeSigned"]))
    assert (token.operation, token.label) == (kind.operation, case.label)
    if kind.payload(case, 0) is not None:
        assert token.payload == kind.payload(case, 0)
    late = case.task(c, rid)

    case.approve(a, rid)
    view = api.request(rid)
    assert view["status"] == "PENDING" and view["result"] is None and view["executionTime"] is None
    assert lists_of(view) == [spkis(a), spkis(b, c), []]
    assert not kind.happened(case, 0)

    case.approve(b, rid)
    view = api.wait(rid, "EXECUTED")
    assert lists_of(view)[0] == spkis(a, b) and lists_of(view)[2] == [] and view["executionTime"]
    kind.check(case, 0, view, token)
    no_tasks(case, rid)
    api.refused(652, "POST", "/v1/approval", api.approval_body(c, late))
    assert api.request(rid) == view
    assert len(executions(site, rid)) == 1


@by_kind
def test_a_rejection_leaves_two(api, cases, kind):
    case = cases(kind, api)
    a, b, c = case.crowd
    rid = case.ask()
    case.reject(c, rid)
    case.approve(b, rid)
    assert api.status_of(rid) == "PENDING"
    token = ska.Token.decode(unb64(case.approve(a, rid)["approvalToBeSigned"]))
    view = api.wait(rid, "EXECUTED")
    assert lists_of(view)[0] == spkis(a, b) and lists_of(view)[2] == spkis(c)
    kind.check(case, 0, view, token)


# ---- not approved: nothing happens ----

def ended(case, rid, state):
    view = case.api.request(rid)
    assert view["status"] == state and view["result"] is None and view["executionTime"] is None
    assert view["notYetApprovedBy"] == []
    assert not case.kind.happened(case, 0)
    no_tasks(case, rid)
    return view


@by_kind
def test_rejected(api, cases, kind):
    case = cases(kind, api)
    a, b, c = case.crowd
    rid = case.ask()
    case.approve(b, rid)
    last = case.task(c, rid)
    case.reject(a, rid)
    assert api.status_of(rid) == "PENDING"
    case.reject(c, rid)
    view = ended(case, rid, "REJECTED")
    assert lists_of(view)[0] == spkis(b) and lists_of(view)[2] == spkis(a, c)
    api.refused(652, "POST", "/v1/approval", api.approval_body(c, last))


@by_kind
def test_cancelled(api, cases, kind):
    case = cases(kind, api)
    a, b, _ = case.crowd
    rid = case.ask()
    case.approve(a, rid)
    last = case.task(b, rid)
    assert api.cancel(rid) is None
    ended(case, rid, "CANCELLED")
    api.refused(652, "POST", "/v1/approval", api.approval_body(b, last))
    api.refused(651, "DELETE", "/v1/request/" + rid)
    api.stays(rid, "CANCELLED", 0.1)


@by_kind
@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_expired(api, site, cases, kind):
    case = cases(kind, api, timeout=600)
    a, b, _ = case.crowd
    rid = case.ask()
    case.approve(a, rid)
    last = case.task(b, rid)
    site.forward(601)
    api.refused(652, "POST", "/v1/approval", api.approval_body(b, last))
    ended(case, rid, "EXPIRED")
    site.forward(5)


@by_kind
def test_key_deleted(api, cases, kind, people):
    case = kinds.Case(kind, api, people.several(3))
    a, b, _ = case.crowd
    rid = case.ask()
    case.approve(a, rid)
    last = case.task(b, rid)
    api.post("/v1/key/deleteKey", {"label": case.label})
    assert api.status_of(rid) == "CANCELLED"
    no_tasks(case, rid)
    api.refused(652, "POST", "/v1/approval", api.approval_body(b, last))


# ---- approvals that are worth nothing ----

def refuse(case, rid, code, approver, task, **changes):
    case.api.refused(code, "POST", "/v1/approval",
                     {**case.api.approval_body(approver, task), **changes})
    assert not case.kind.happened(case, 0)
    assert case.api.status_of(rid) == "PENDING"


@by_kind
def test_wrong_approver(api, cases, people, kind):
    case = cases(kind, api)
    a, b, c = case.crowd
    rid = case.ask()
    task, others = case.task(a, rid), case.task(c, rid)
    case.approve(b, rid)
    for stranger in (people("p256", 50), people("rsa", 50), people("ed25519", 50)):
        refuse(case, rid, 400, stranger, task)
        body = {**stranger.proof(api.now()), "id": task["id"]}
        api.refused(400, "PATCH", "/v1/task", body)
        assert api.tasks(stranger, kind.tasks, requestId=rid) == []
    refuse(case, rid, 400, b, task)      # of the policy, but another's task, and once is enough
    refuse(case, rid, 400, a, others)
    # the right name under a wrong hand
    refuse(case, rid, 403, a, task, signature=b64(b.sign(unb64(task["approvalToBeSigned"]))))
    assert lists_of(api.request(rid))[0] == spkis(b)
    api.cancel(rid)


@by_kind
def test_replayed_approval(api, site, cases, kind):
    case = cases(kind, api)
    a, b, _ = case.crowd
    rid = case.ask()
    replay = api.approval_body(a, case.task(a, rid))
    assert api.post("/v1/approval", replay) is None
    for _ in range(2):
        api.refused(652, "POST", "/v1/approval", replay)
    assert api.status_of(rid) == "PENDING" and not kind.happened(case, 0)
    case.approve(b, rid)
    view = api.wait(rid, "EXECUTED")
    api.refused(652, "POST", "/v1/approval", replay)
    assert api.request(rid) == view and len(executions(site, rid)) == 1


@by_distinct_kind
def test_approval_for_another_payload(api, cases, kind):
    case = cases(kind, api)
    a, b, _ = case.crowd
    rid, other = case.ask(0), case.ask(1)
    case.approve(b, rid)
    task, foreign = case.task(a, rid), case.task(a, other)
    assert task["approvalToBeSigned"] != foreign["approvalToBeSigned"]
    refuse(case, rid, 612, a, {**foreign, "id": task["id"]})
    # nor does a signature of the one pass for the other
    refuse(case, rid, 403, a, task, signature=b64(a.sign(unb64(foreign["approvalToBeSigned"]))))
    for x in (rid, other):
        api.cancel(x)


@by_kind
@pytest.mark.online_only("tokens of an air-gapped request have no timestamp")
def test_approval_with_a_stale_timestamp(api, site, cases, kind):
    """An approval collected for an earlier request of the very same content."""
    case = cases(kind, api)
    a, b, _ = case.crowd
    old = case.ask()
    stale = ska.Token.decode(unb64(case.task(a, old)["approvalToBeSigned"]))
    api.cancel(old)
    site.forward(2)
    rid = case.ask()
    case.approve(b, rid)
    task = case.task(a, rid)
    fresh = ska.Token.decode(unb64(task["approvalToBeSigned"]))
    if not kind.name.lower().endswith("certificate"):
        assert stale.payload == fresh.payload   # certificates: serial number and dates are new
    unstamped = ska.Token(fresh.operation, fresh.label, fresh.payload)
    mixed = ska.Token(fresh.operation, fresh.label, fresh.payload, stale.timestamp,
                      stale.timestamp_signature)
    for token in (stale, unstamped, mixed):
        refuse(case, rid, 612, a, {**task, "approvalToBeSigned": b64(token.encode())})
    api.cancel(rid)


@by_kind
def test_rejection_with_a_stale_timestamp(api, cases, kind):
    case = cases(kind, api)
    a = case.crowd[0]
    rid = case.ask()
    task = case.task(a, rid)
    for shift, code in ((-601, 404), (3600, 404)):
        proof = a.proof(api.now() + shift)
        api.refused(code, "PATCH", "/v1/task", {**proof, "id": task["id"]})
        api.refused(code, "POST", "/v1/filtered%sApprovalTask" % kind.tasks, proof)
    assert lists_of(api.request(rid))[2] == []
    api.cancel(rid)


# ---- blocked keys ----

@by_kind
def test_blocked_key(api, people, kind):
    """Use is refused; blocking, unblocking and modifying are not use."""
    case = kinds.Case(kind, api, people.several(3))
    if not isinstance(kind, kinds.Unblock):
        case.through(kinds.BLOCK)
    if kind.uses_key:
        api.refused(614, "POST", kind.path, case.body(), says="blocked")
        return
    rid = case.ask()
    case.approve_all(rid)
    api.wait(rid, "EXECUTED")
    if isinstance(kind, kinds.Modify):
        assert kinds.same_policy(case.json()["policy"], kind.wanted(case, 0))


@pytest.mark.parametrize("kind", [k for k in kinds.ALL if k.uses_key], ids=repr)
def test_key_blocked_while_a_request_waits(api, people, kind):
    """The HSM has the last word: approvals complete, and still it refuses."""
    case = kinds.Case(kind, api, people.several(3))
    a, b, _ = case.crowd
    rid = case.ask()
    case.approve(a, rid)
    used = case.uses()
    case.through(kinds.BLOCK)
    case.approve(b, rid)
    view = api.wait(rid, "FAILED")
    assert "blocked" in view["result"] and view["executionTime"]
    assert case.uses() == used
    no_tasks(case, rid)


# ---- what approvers see ----

def backwards(members, indent):
    return json.dumps(dict(reversed(list(members.items()))), indent=indent)


@by_kind
def test_level3_is_the_callers_own_text(api, cases, kind):
    """White space apart, byte for byte: order of members, escapes, nulls."""
    case = cases(kind, api)
    inner = case.inner()
    text = backwards({**inner, "metaData": None}, 2)
    escaped = "\\u%04x%s" % (ord(case.label[0]), case.label[1:])
    text = text.replace('"%s"' % case.label, '"%s"' % escaped)
    raw = '{ "requestSignature" :null ,\n"%s": %s }' % (kind.envelope, text)
    rid = api.call("POST", kind.path, raw=raw.encode())[kind.id_member]
    for name in (kind.tasks, "All"):
        task = api.task(case.crowd[0], rid, name, detailLevel="level3")
        assert unb64(task["requestBase64"]).decode() == squeeze(raw)
        shown = task[kind.shown]
        assert shown["requestSignature"] is None
        assert {k: shown[kind.envelope][k] for k in inner} == inner
        for other in set(SHOWN) - {kind.shown}:
            assert task[other] is None
    api.cancel(rid)


@by_kind
def test_request_signature_is_over_the_callers_own_bytes(api, cases, people, kind):
    case, caller = cases(kind, api), people("rsa", 5)
    members = {**case.inner(), "metaData": None}
    inner = backwards(members, 1)
    signature = {"signature": b64(caller.sign(squeeze(inner).encode())),
                 "digestAlgorithm": "SHA-256", "publicKey": b64(caller.spki)}
    raw = '{"%s" : %s, "requestSignature":%s}' % (kind.envelope, inner, json.dumps(signature))
    rid = api.call("POST", kind.path, raw=raw.encode())[kind.id_member]
    shown = case.task(case.crowd[0], rid, detailLevel="level3")
    assert shown[kind.shown]["requestSignature"] == signature
    assert unb64(shown["requestBase64"]).decode() == squeeze(raw)
    api.cancel(rid)
    # the same members in another order are another text
    raw = '{"%s":%s,"requestSignature":%s}' % (kind.envelope, json.dumps(members),
                                               json.dumps(signature))
    api.refused(403, "POST", kind.path, raw=raw.encode(), says="requestSignature")


# ---- results ----

@by_kind
def test_fetch_once(api, cases, kind):
    case = cases(kind, api)
    rid = case.ask()
    case.approve_all(rid)
    view = api.wait(rid, "EXECUTED")
    assert api.get("/v1/request/%s?fetchOnce=true" % rid) == view
    assert api.get("/v1/request/%s?fetchOnce=true" % rid) == {**view, "result": None}
    assert api.request(rid) == {**view, "result": None}


@by_kind
def test_lists_of_requests(api, cases, kind):
    """filteredRequests and filteredApprovedRequests follow each request from state to state."""
    case = cases(kind, api)
    a, b, _ = case.crowd

    def states(**filters):
        answer = api.post("/v1/filteredRequests", {"keyName": case.label, **filters})
        return {r["id"]: r["status"] for r in answer["requests"]}

    def approved_by(x):
        answer = api.post("/v1/filteredApprovedRequests", x.proof(api.now()))
        return {r["id"]: r for r in answer["approvedRequests"]}
    rid, other = case.ask(0), case.ask(1)
    assert states()[rid] == states()[other] == "PENDING" and rid not in approved_by(a)
    case.approve(a, rid)
    shown, view = approved_by(a)[rid], api.request(rid)
    assert {name: shown[name] for name in view} == view
    assert rid not in approved_by(b) and other not in approved_by(a)
    case.approve(b, rid)
    api.wait(rid, "EXECUTED")
    api.cancel(other)
    assert states()[rid] == "EXECUTED" and states()[other] == "CANCELLED"
    assert rid in states(requestStatusList=["EXECUTED"])
    assert other not in states(requestStatusList=["EXECUTED", "PENDING"])
    assert rid not in approved_by(a)


# ---- keys that ask nobody ----

@by_kind
def test_no_approval_asked(api, site, people, kind):
    """Rules that are null: done before the call returns."""
    case = kinds.Case(kind, api, people.several(3), needed=0)
    rid = case.ask()
    view = api.at_once(rid)
    assert view["status"] == "EXECUTED" and lists_of(view) == [[], [], []]
    kind.check(case, 0, view, None)
    no_tasks(case, rid)
    assert len(executions(site, rid)) == 1


# ---- keys that do not fit ----

@pytest.mark.parametrize("kind", [k for k in kinds.ALL if not k.uses_key], ids=repr)
def test_ordinary_keys_cannot_be_blocked_or_modified(api, people, kind):
    label = unique("ordinary")
    api.create_key(label)
    case = kinds.Case(kind, api, people.several(3))
    body = json.loads(json.dumps(case.body()).replace(case.label, label))
    api.refused(613, "POST", kind.path, body, says="policy")


@pytest.mark.parametrize("kind", [k for k in kinds.ALL if k.uses_key], ids=repr)
def test_attribute_of_the_key_allows_the_kind(api, people, kind):
    """The one that is not asked for is set: a key must be good for something."""
    flags = {**kinds.USAGE_FLAGS, **kind.key().get("attributes", {"sign": True})}
    other = "sign" if not flags["sign"] else "decrypt"
    flags = {**flags, "decrypt": False, "sign": False, "unwrap": False, other: True}
    label = unique("unfit")
    api.create_key(label, **{**kind.key(), "algorithm": "RSA", "attributes": flags})
    case = kinds.Case(kind, api, people.several(3))
    body = json.loads(json.dumps(case.body()).replace(case.label, label))
    (inner,) = body.values()
    if "signatureAlgorithm" in inner:
        inner["signatureAlgorithm"] = "SHA256_WITH_RSA"
    response = api.send("POST", kind.path, body)
    assert response.json()["errorCode"] in (402, 614), response.text


def test_label_of_an_unwrapped_key_must_be_free(api, people):
    case = kinds.Case(kinds.Unwrap(), api, people.several(3))
    taken = unique("taken")
    api.create_key(taken)
    api.refused(608, "POST", "/v1/unwrap", case.body(label=taken), says=taken)
    # free when asked, taken when done
    rid = case.ask()
    case.approve(case.crowd[0], rid)
    api.create_key(case.kind.made(case, 0)[2])
    case.approve(case.crowd[1], rid)
    assert "in use" in api.wait(rid, "FAILED")["result"]
