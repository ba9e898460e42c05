"""The signing workflow from end to end."""
import re
import time

import pytest

import ska
from approver import (Approver, b64, group, policy, quorum, rule, spki_of, token, unb64, verify)
from client import public_key, unique

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")


@pytest.fixture
def trio(api, people):
    """A key that two of three approvers may use."""
    abc = people.several(3)
    label = unique("trio")
    key = public_key(api.create_key(label, quorum(2, *abc)))
    return label, key, abc


def spkis(*approvers):
    return sorted(b64(a.spki) for a in approvers)


def lists_of(view):
    return [sorted(view[k]) for k in ("approvedBy", "notYetApprovedBy", "rejectedBy")]


def test_two_of_three(api, trio):
    label, key, (a, b, c) = trio
    rid = api.sign(label, b"pay 100 to Bob")
    view = api.request(rid)
    assert view["status"] == "PENDING" and view["executionTime"] is None and view["result"] is None
    assert lists_of(view) == [[], spkis(a, b, c), []]

    api.approve(a, rid)
    view = api.request(rid)
    assert view["status"] == "PENDING" and view["result"] is None
    assert lists_of(view) == [spkis(a), spkis(b, c), []]
    assert api.tasks(a, requestId=rid) == []

    api.approve(b, rid)
    view = api.wait(rid, "EXECUTED")
    assert lists_of(view)[0] == spkis(a, b) and lists_of(view)[2] == []
    assert ISO.match(view["executionTime"])
    assert verify(key, "SHA-256", b"pay 100 to Bob", unb64(view["result"]))
    assert not verify(key, "SHA-256", b"pay 900 to Bob", unb64(view["result"]))
    assert api.tasks(c, requestId=rid) == []
    assert api.request(rid) == view


def test_two_of_three_with_a_rejection(api, trio):
    label, key, (a, b, c) = trio
    rid = api.sign(label, b"m")
    api.reject(a, rid)
    view = api.request(rid)
    assert view["status"] == "PENDING"
    assert lists_of(view) == [[], spkis(b, c), spkis(a)]
    assert api.tasks(a, requestId=rid) == []
    api.approve(b, rid)
    api.approve(c, rid)
    view = api.wait(rid, "EXECUTED")
    assert lists_of(view)[0] == spkis(b, c) and lists_of(view)[2] == spkis(a)
    assert verify(key, "SHA-256", b"m", unb64(view["result"]))


def test_rejected_when_no_token_can_be_met(api, trio):
    label, _, (a, b, c) = trio
    rid = api.sign(label)
    api.approve(c, rid)
    api.reject(a, rid)
    assert api.status_of(rid) == "PENDING"
    api.reject(b, rid)
    view = api.request(rid)
    assert view["status"] == "REJECTED" and view["result"] is None
    assert lists_of(view)[0] == spkis(c) and lists_of(view)[2] == spkis(a, b)
    for x in (a, b, c):
        assert api.tasks(x, requestId=rid) == []
    api.stays(rid, "REJECTED")


def test_rejection_leaves_the_other_token(api, people):
    a, b = people.several(2)
    label = unique()
    api.create_key(label, policy(rule(token(group(1, a)), token(group(1, b)))))
    rid = api.sign(label)
    api.reject(a, rid)
    assert api.status_of(rid) == "PENDING"
    api.approve(b, rid)
    api.wait(rid, "EXECUTED")


def test_tokens_are_alternatives(api, people):
    a, b, c = people.several(3)
    label = unique()
    api.create_key(label, policy(rule(token(group(2, a, b), name="both"),
                                      token(group(1, c), name="chief"))))
    rid = api.sign(label)
    api.approve(a, rid)
    assert api.status_of(rid) == "PENDING"
    api.approve(c, rid)
    view = api.wait(rid, "EXECUTED")
    assert lists_of(view)[0] == spkis(a, c)


def test_groups_are_all_needed(api, people):
    a, b, c = people.several(3)
    label = unique()
    api.create_key(label, policy(rule(token(group(1, a, b), group(1, c)))))
    rid = api.sign(label)
    api.approve(a, rid)
    assert api.status_of(rid) == "PENDING"
    api.approve(b, rid)
    assert api.status_of(rid) == "PENDING"
    api.approve(c, rid)
    api.wait(rid, "EXECUTED")
    rid = api.sign(label)
    api.reject(c, rid)
    assert api.status_of(rid) == "REJECTED"


def test_one_task_for_an_approver_in_several_groups(api, people):
    a, b = people.several(2)
    label = unique()
    api.create_key(label, policy(rule(
        token(group(1, a), group(1, a, b), group(1, b)), token(group(2, a, b)))))
    rid = api.sign(label)
    assert len(api.tasks(a, requestId=rid)) == 1
    view = api.request(rid)
    assert sorted(view["notYetApprovedBy"]) == spkis(a, b)
    api.approve(a, rid)
    assert api.status_of(rid) == "PENDING"
    api.approve(b, rid)
    api.wait(rid, "EXECUTED")


def test_one_approval_does_not_make_a_quorum_of_two(api, people):
    a, b = people.several(2)
    label = unique()
    api.create_key(label, quorum(2, a, b))
    rid = api.sign(label)
    task = api.approve(a, rid)
    api.refused(652, "POST", "/v1/approval", api.approval_body(a, task))
    api.refused(652, "POST", "/v1/approval", api.approval_body(a, task))
    api.stays(rid, "PENDING")


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521", "secp256k1", "ed25519"])
def test_approver_keys(api, people, kind):
    a = people(kind)
    label = unique()
    key = public_key(api.create_key(label, quorum(1, a)))
    rid = api.sign(label, b"x")
    task = api.task(a, rid)
    assert task["approverPublicKey"] == b64(a.spki)
    api.approve(a, rid)
    assert verify(key, "SHA-256", b"x", unb64(api.wait(rid, "EXECUTED")["result"]))


@pytest.mark.parametrize("digest", ["SHA-224", "SHA-256", "SHA-384", "SHA-512", "SHA3-224",
                                    "SHA3-256", "SHA3-384", "SHA3-512"])
@pytest.mark.parametrize("kind", ["rsa", "p384"])
def test_approval_digests(api, people, kind, digest):
    a = people(kind)
    label = unique()
    api.create_key(label, quorum(1, a))
    rid = api.sign(label)
    api.approve(a, rid, digest=digest)
    api.wait(rid, "EXECUTED")


@pytest.mark.parametrize("kind", ["rsa", "p256", "ed25519"])
@pytest.mark.parametrize("in_policy,shown", [(True, True), (True, False), (False, True)])
def test_certificate_approver_matches_by_its_key(api, people, kind, in_policy, shown):
    a = people(kind, 7, certificate=in_policy)
    label = unique()
    api.create_key(label, quorum(1, a))
    rid = api.sign(label)
    assert api.request(rid)["notYetApprovedBy"] == [b64(a.spki)]
    task = api.task(a, rid, certificate=shown)
    api.post("/v1/approval", api.approval_body(a, task, certificate=shown))
    view = api.wait(rid, "EXECUTED")
    assert view["approvedBy"] == [b64(a.spki)]


def test_certificate_and_key_of_one_approver_count_once(api, people):
    a, b = people.several(2)
    entries = [a.policy_entry(), {"type": "certificate", "value": b64(a.certificate)},
               b.policy_entry()]
    label = unique()
    api.create_key(label, policy(rule(token({"name": None, "quorum": 2, "approvals": entries}))))
    rid = api.sign(label)
    assert len(api.tasks(a, requestId=rid)) == 1
    api.approve(a, rid)
    api.stays(rid, "PENDING")
    api.approve(b, rid)
    api.wait(rid, "EXECUTED")


# ---- time limits: the clock is moved, nobody waits ----

@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_timeout_expires_the_request(api, site, people):
    a, b = people.several(2)
    label = unique()
    api.create_key(label, quorum(2, a, b, timeout=600))
    rid = api.sign(label)
    api.approve(a, rid)
    task = api.task(b, rid)
    site.forward(590)
    assert api.status_of(rid) == "PENDING"
    assert len(api.tasks(b, requestId=rid)) == 1
    site.forward(11)
    assert api.tasks(b, requestId=rid) == []
    api.refused(652, "POST", "/v1/approval", api.approval_body(b, task))
    view = api.request(rid)
    assert view["status"] == "EXPIRED" and view["result"] is None and view["executionTime"] is None
    assert view["approvedBy"] == [b64(a.spki)] and view["notYetApprovedBy"] == []


@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_approval_within_the_timeout(api, site, people):
    a = people()
    label = unique()
    api.create_key(label, quorum(1, a, timeout=600))
    rid = api.sign(label)
    site.forward(590)
    api.approve(a, rid)
    api.wait(rid, "EXECUTED")


@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_timelock_delays_the_execution(api, site, people):
    a, b = people.several(2)
    label = unique()
    key = public_key(api.create_key(label, quorum(2, a, b, timelock=3600)))
    rid = api.sign(label, b"late")
    api.approve(a, rid)
    api.approve(b, rid)
    view = api.request(rid)
    assert view["status"] == "APPROVED" and view["executionTime"] is None
    assert view["result"] is None
    site.forward(3590)
    api.stays(rid, "APPROVED")
    site.forward(11)
    view = api.wait(rid, "EXECUTED")
    assert verify(key, "SHA-256", b"late", unb64(view["result"]))


@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_timelock_passes_before_the_approvals(api, site, people):
    a = people()
    label = unique()
    api.create_key(label, quorum(1, a, timelock=60))
    rid = api.sign(label)
    site.forward(61)
    api.approve(a, rid)
    api.wait(rid, "EXECUTED")


@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_window_between_timelock_and_timeout(api, site, people):
    a = people()
    label = unique()
    api.create_key(label, quorum(1, a, timelock=600, timeout=1200))
    first, second = api.sign(label), api.sign(label)
    api.approve(a, first)
    assert api.status_of(first) == "APPROVED"
    site.forward(601)
    api.wait(first, "EXECUTED")
    site.forward(600)
    assert api.status_of(second) == "EXPIRED"
    assert api.status_of(first) == "EXECUTED"


@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_window_missed_while_the_dispatcher_was_away(api, site, people):
    """The met token's time passes unused: the request waits for the other token again."""
    a, b = people.several(2)
    label = unique()
    api.create_key(label, policy(rule(token(group(1, a), timelock=60, timeout=120),
                                      token(group(1, b)))))
    rid, dead = api.sign(label), api.sign(label)
    for r in (rid, dead):
        api.approve(a, r)
        assert api.status_of(r) == "APPROVED"
    api.reject(b, dead)
    site.forward(130)
    api.wait(rid, "PENDING")
    api.wait(dead, "EXPIRED")
    api.approve(b, rid)
    api.wait(rid, "EXECUTED")


@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_token_over_leaves_the_other_token(api, site, people):
    a, b, c = people.several(3)
    label = unique()
    api.create_key(label, policy(rule(token(group(1, a), timeout=300), token(group(2, b, c)))))
    rid = api.sign(label)
    site.forward(301)
    view = api.request(rid)
    assert view["status"] == "PENDING"
    assert sorted(view["notYetApprovedBy"]) == spkis(b, c)
    assert api.tasks(a, requestId=rid) == []
    api.approve(b, rid)
    api.approve(c, rid)
    api.wait(rid, "EXECUTED")


@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_rejection_of_a_timelocked_request(api, site, people):
    """Approvals complete, timelock running: a late rejection does not undo the quorum."""
    a, b = people.several(2)
    label = unique()
    api.create_key(label, quorum(1, a, b, timelock=600))
    rid = api.sign(label)
    api.approve(a, rid)
    assert api.status_of(rid) == "APPROVED"
    api.reject(b, rid)
    assert api.status_of(rid) == "APPROVED"
    site.forward(601)
    view = api.wait(rid, "EXECUTED")
    assert view["rejectedBy"] == [b64(b.spki)]


@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_cancel_of_a_timelocked_request(api, site, people):
    a = people()
    label = unique()
    api.create_key(label, quorum(1, a, timelock=600))
    rid = api.sign(label)
    api.approve(a, rid)
    assert api.cancel(rid) is None
    site.forward(601)
    api.stays(rid, "CANCELLED")


# ---- keys that ask nobody ----

def test_key_without_policy_signs_at_once(api):
    label = unique()
    key = public_key(api.create_key(label))
    view = api.at_once(api.sign(label, b"at once"))
    assert view["status"] == "EXECUTED" and ISO.match(view["executionTime"])
    assert lists_of(view) == [[], [], []]
    assert verify(key, "SHA-256", b"at once", unb64(view["result"]))


def test_always_allowed_policies_sign_at_once(api, people):
    for use in (None, rule(token()), rule(token(group(1, people())), token())):
        label = unique()
        key = public_key(api.create_key(label, policy(use)))
        view = api.at_once(api.sign(label, b"free"))
        assert view["status"] == "EXECUTED"
        assert verify(key, "SHA-256", b"free", unb64(view["result"]))


def test_policy_with_key_status_only(api):
    label = unique()
    api.create_key(label, {"keyStatus": {"blocked": False}})
    assert api.at_once(api.sign(label))["status"] == "EXECUTED"


@pytest.mark.online_only("approvals of an air-gapped request carry no time: tokens with limits are not asked")
def test_timelock_needs_approvers(api):
    """Only an approval carries the time of the request to the HSM."""
    body = {"label": unique(), "algorithm": "ED", "curveOid": "1.3.101.112",
            "attributes": {"decrypt": False, "sign": True, "unwrap": False},
            "policy": policy(rule(token(timelock=120)))}
    api.refused(600, "POST", "/v1/key", body, says="timelock")
    label = unique()
    api.create_key(label, policy(rule(token(timeout=120))))
    assert api.at_once(api.sign(label))["status"] == "EXECUTED"


def test_blocked_key_refuses(api, people):
    label = unique()
    api.create_key(label, policy(rule(token(group(1, people()))), blocked=True))
    api.refused(614, "POST", "/v1/sign", api.sign_body(label), says="blocked")


# ---- cancelling ----

def test_cancel(api, trio):
    label, _, (a, b, c) = trio
    rid = api.sign(label)
    api.approve(a, rid)
    task = api.task(b, rid)
    assert api.cancel(rid) is None and api.status == 200
    view = api.request(rid)
    assert view["status"] == "CANCELLED" and view["result"] is None
    assert view["approvedBy"] == [b64(a.spki)]
    assert api.tasks(b, requestId=rid) == []
    api.refused(652, "POST", "/v1/approval", api.approval_body(b, task))
    api.refused(652, "PATCH", "/v1/task", {**c.proof(api.now()), "id": task["id"]})


def test_cancel_of_a_finished_request_is_404_and_changes_nothing(api, trio):
    label, _, (a, b, c) = trio
    executed = api.sign(label)
    for x in (a, b):
        api.approve(x, executed)
    before = api.wait(executed, "EXECUTED")
    rejected = api.sign(label)
    for x in (a, b):
        api.reject(x, rejected)
    cancelled = api.sign(label)
    api.cancel(cancelled)
    for rid in (executed, rejected, cancelled):
        api.refused(651, "DELETE", "/v1/request/" + rid)
    assert api.request(executed) == before
    assert api.status_of(rejected) == "REJECTED" and api.status_of(cancelled) == "CANCELLED"


def test_request_ids(api):
    for method in ("GET", "DELETE"):
        api.refused(651, method, "/v1/request/0190a5e0-0000-7000-8000-000000000000")
        for bad in ("1", "0190a5e0-0000-7000-8000-00000000000", "0190a5e000007000800000000000000000",
                    "0190a5e0-0000-7000-8000-00000000000g", "%00", "a%20b"):
            assert api.refused(609, method, "/v1/request/" + bad) if bad != "%00" else True


def test_id_in_upper_case_is_the_same_request(api):
    label = unique()
    api.create_key(label)
    rid = api.sign(label)
    api.at_once(rid)
    assert rid == rid.lower()
    assert api.get("/v1/request/" + rid.upper()) == api.request(rid)


def test_requests_are_cheap_to_poll(api, trio):
    label, _, _ = trio
    rid = api.sign(label)
    start = time.monotonic()
    for _ in range(50):
        api.request(rid)
    assert time.monotonic() - start < 5


# ---- creating a request ----

def test_unknown_key_is_650(api):
    error = api.refused(650, "POST", "/v1/sign", api.sign_body("no-such-key"), says="no-such-key")
    assert error["reason"] == "res.error.key.not.existent"


def test_algorithm_that_does_not_fit_is_607(api):
    label = unique()
    api.create_key(label)
    for algorithm in ("SHA256_WITH_RSA", "EDDSA", "SHA256_WITH_RSA_PSS", "SHA256_WITH_DSA"):
        api.refused(607, "POST", "/v1/sign", api.sign_body(label, algorithm=algorithm))


def test_key_that_may_not_sign_is_614(api):
    label = unique()
    api.create_key(label, attributes={"decrypt": True, "sign": False, "unwrap": False,
                                      "destroyable": True}, algorithm="RSA")
    api.refused(614, "POST", "/v1/sign", api.sign_body(label, algorithm="SHA256_WITH_RSA"))


def test_prehashed_payload_of_a_wrong_length_is_612(api):
    label = unique()
    api.create_key(label, algorithm="RSA")
    for n in (31, 33, 1):
        api.refused(612, "POST", "/v1/sign",
                    api.sign_body(label, b"d" * n, "NONESHA256_WITH_RSA"), says="32")


def test_payload_sizes(api, people):
    a = people()
    label = unique()
    key = public_key(api.create_key(label, quorum(1, a)))
    for n in (1, 32767, 32768, 65535, 65536):
        payload = bytes(i % 251 for i in range(n))
        rid = api.sign(label, payload)
        task = api.task(a, rid, detailLevel="level2")
        assert unb64(task["payload"]) == payload
        assert ska.Token.decode(unb64(task["approvalToBeSigned"])).payload == payload
        api.approve(a, rid)
        assert verify(key, "SHA-256", payload, unb64(api.wait(rid, "EXECUTED")["result"]))
    api.refused(600, "POST", "/v1/sign", api.sign_body(label, b"x" * 65537), says="payload")


def test_explicit_nulls_are_absent(api):
    label = unique()
    api.create_key(label)
    body = api.sign_body(label, keyPassword=None, metaData=None, metaDataSignature=None,
                         signatureType=None, payloadType=None)
    body["requestSignature"] = None
    rid = api.post("/v1/sign", body)["signRequestId"]
    assert api.at_once(rid)["status"] == "EXECUTED"


@pytest.mark.online_only("the broker drops key passwords: the operator in the room has them")
def test_key_password(api, people):
    a = people()
    for given, right, wrong in (("REP", ["R", "E", "P"], "rep"), (["a", "\u00e4", "b"], "a\u00e4b", ["a"])):
        for pol in (None, quorum(1, a)):
            label = unique()
            key = public_key(api.create_key(label, pol, password=given))
            for bad in (wrong, None, "", []):
                api.refused(620, "POST", "/v1/sign", api.sign_body(label, keyPassword=bad))
            rid = api.sign(label, b"x", keyPassword=right)
            if pol:
                task = api.task(a, rid, detailLevel="level6")
                assert task["requestBase64"] is None
                assert task["signedSignRequest"]["signRequest"]["keyPassword"] is None
                api.approve(a, rid)
            view = api.wait(rid, "EXECUTED")
            assert verify(key, "SHA-256", b"x", unb64(view["result"]))


@pytest.mark.online_only("the broker drops key passwords: the operator in the room has them")
def test_password_is_taken_literally(api):
    label = unique()
    api.create_key(label, password="[s, e, c]")
    api.refused(620, "POST", "/v1/sign", api.sign_body(label, keyPassword=["s", "e", "c"]))
    assert api.at_once(api.sign(label, keyPassword="[s, e, c]"))["status"] == "EXECUTED"


def test_password_for_a_key_without_one(api):
    label = unique()
    api.create_key(label)
    assert api.at_once(api.sign(label, keyPassword=""))["status"] == "EXECUTED"


# ---- requestSignature ----

def signed_request(api, caller, label, text=None, digest=None):
    """The envelope as text, signed over the compact text of its inner object."""
    import json
    inner = text or json.dumps(api.sign_body(label)["signRequest"], separators=(",", ":"))
    digest = digest or caller.digest
    signature = json.dumps({"signature": b64(caller.sign(inner.encode(), digest)),
                            "digestAlgorithm": digest, "publicKey": b64(caller.spki)})
    return '{"signRequest":%s,"requestSignature":%s}' % (inner, signature)


@pytest.mark.parametrize("kind", ["rsa", "p256", "ed25519"])
def test_request_signature(api, people, kind):
    caller = people(kind, 5)
    label = unique()
    api.create_key(label)
    raw = signed_request(api, caller, label)
    assert "signRequestId" in api.call("POST", "/v1/sign", raw=raw.encode())


def test_request_signature_covers_the_callers_own_text(api, people):
    """Order of members and spelling of strings are the caller's; white space does not count."""
    import json
    caller, label = people("rsa", 5), unique()
    api.create_key(label)
    inner = '{"signatureAlgorithm":"SHA256_WITH_ECDSA","signKeyName":"%s","payload":"AAAA"}' % label
    raw = signed_request(api, caller, label, inner)
    spaced = json.dumps(json.loads(raw), indent=3)
    for text in (raw, spaced):
        rid = api.call("POST", "/v1/sign", raw=text.encode())["signRequestId"]
        assert api.at_once(rid)["status"] == "EXECUTED"


def test_wrong_request_signature_is_403(api, people):
    import json
    caller, other, label = people("rsa", 5), people("rsa", 6), unique()
    api.create_key(label)
    good = json.loads(signed_request(api, caller, label))
    for change in ({"payload": "AAAA"}, {"metaData": "AAAA"}):
        body = {**good, "signRequest": {**good["signRequest"], **change}}
        api.refused(403, "POST", "/v1/sign", body)
    for change in ({"publicKey": b64(other.spki)}, {"digestAlgorithm": "SHA-512"},
                   {"signature": b64(caller.sign(b"other"))}, {"signature": "AAAA"}):
        body = {**good, "requestSignature": {**good["requestSignature"], **change}}
        api.refused(403, "POST", "/v1/sign", body)
    body = {**good, "requestSignature": {**good["requestSignature"], "publicKey": "AAAA"}}
    api.refused(407, "POST", "/v1/sign", body)


# ---- metadata ----

def test_meta_data_reaches_the_approver_and_not_the_token(api, people):
    a = people()
    label = unique()
    api.create_key(label, quorum(1, a))
    rid = api.sign(label, b"p", metaData=b64(b"why"), metaDataSignature=b64(b"sig"),
                   payloadType="PDF")
    task = api.task(a, rid, detailLevel="level2")
    assert (task["metaData"], task["metaDataSignature"]) == (b64(b"why"), b64(b"sig"))
    assert task["payloadType"] == "PDF"
    assert b"why" not in unb64(task["approvalToBeSigned"])


# ---- the token ----

@pytest.mark.online_only("tokens of an air-gapped request have no timestamp")
def test_token_binds_key_payload_and_hsm_time(api, trio):
    label, _, (a, b, c) = trio
    before = int(api.now()) - 1
    rid = api.sign(label, b"bound")
    whole = unb64(api.task(a, rid)["approvalToBeSigned"])
    assert whole == unb64(api.task(b, rid)["approvalToBeSigned"])
    t = ska.Token.decode(whole)
    assert (t.operation, t.label, t.payload) == (ska.USE, label, b"bound")
    stamp = ska.Timestamp.decode(t.timestamp)
    assert stamp.payload == b"bound" and not stamp.modify
    assert before <= stamp.seconds <= api.now() + 1
    key_type, digest, raw = ska.signature_decode(t.timestamp_signature)
    stamp_key = public_key(api.attributes(stamp.key_label))
    assert verify(stamp_key, digest, t.timestamp, raw)
    assert spki_of(stamp_key) != a.spki


def test_result_is_of_the_payload_that_was_approved(api, trio):
    """Two requests on one key: approvals of one never execute the other."""
    label, key, (a, b, c) = trio
    first, second = api.sign(label, b"first"), api.sign(label, b"second")
    api.approve(a, first)
    api.approve(b, second)
    api.stays(first, "PENDING")
    api.stays(second, "PENDING")
    api.approve(c, first)
    view = api.wait(first, "EXECUTED")
    assert verify(key, "SHA-256", b"first", unb64(view["result"]))
    assert api.status_of(second) == "PENDING"


# ---- deleting the key ----

def test_deleting_the_key_cancels_its_requests(api, trio):
    label, _, (a, b, c) = trio
    open_one, done = api.sign(label), api.sign(label)
    for x in (a, b):
        api.approve(x, done)
    api.wait(done, "EXECUTED")
    task = api.task(c, open_one)
    api.post("/v1/key/deleteKey", {"label": label})
    assert api.status_of(open_one) == "CANCELLED"
    assert api.status_of(done) == "EXECUTED"
    api.refused(652, "POST", "/v1/approval", api.approval_body(c, task))


def test_key_deleted_and_made_anew_between_approvals(api, people):
    """Approvals for the old key are worth nothing for the new one of the same name."""
    a, b = people.several(2)
    label = unique()
    api.create_key(label, quorum(2, a, b))
    old = api.sign(label)
    api.approve(a, old)
    api.call("DELETE", "/v1/key/" + label)
    api.create_key(label, quorum(2, a, b))
    new = api.sign(label)
    api.approve(b, new)
    api.stays(new, "PENDING")
    assert api.status_of(old) == "CANCELLED"
