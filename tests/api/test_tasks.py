"""Fetching tasks: proof, levels, filters, order and paging; answering them."""
import datetime
import json

import pytest

import ska
from approver import b64, quorum, unb64, verify
from client import ApiError, public_key, unique

LEVELS = {
    1: ["id", "detailLevel", "approvalToBeSigned", "approverPublicKey"],
    2: ["metaData", "metaDataSignature", "payload", "payloadType"],
    3: ["requestBase64", "signedSignRequest", "signedModifyKeyRequest", "signedBlockKeyRequest",
        "signedUnblockKeyRequest", "signedDecryptRequest", "signedUnwrapKeyRequest",
        "signedCertificateRequestRequest", "signedSignCertificateRequest",
        "signedSelfSignCertificateRequestDto"],
    4: ["timestamp", "timestampSignature", "timestampSignatureAlgorithm",
        "timestampSignatureWithAlgorithm"],
    5: ["keyAttributes", "keyAttributesSignature"],
    6: ["requestStatus"],
}
PATHS = ("/v1/filteredSignApprovalTask", "/v1/filteredAllApprovalTask")


@pytest.fixture
def one(api, people):
    """An approver of a key with an open request of payload b"p"."""
    a = people("p256", 1)
    label = unique("task")
    api.create_key(label, quorum(1, a))
    return a, label, api.sign(label, b"p")


@pytest.mark.parametrize("level", range(1, 7))
def test_members_of_a_level(api, one, level):
    a, _, rid = one
    task = api.task(a, rid, detailLevel="level%d" % level)
    expected = {m for n in range(1, level + 1) for m in LEVELS[n]}
    assert set(task) == expected
    assert task["detailLevel"] == "level%d" % level
    for name in LEVELS[1]:
        assert isinstance(task[name], str)


def test_default_is_level1(api, one):
    a, _, rid = one
    task = api.task(a, rid)
    assert set(task) == set(LEVELS[1]) and task["detailLevel"] == "level1"


def test_unknown_level_is_600(api, one):
    a = one[0]
    for level in ("level0", "level7", "LEVEL1", "1", "level"):
        for path in PATHS:
            api.refused(600, "POST", path, {**a.proof(api.now()), "detailLevel": level},
                        says="detailLevel")


def test_level2_without_the_optional_members(api, one):
    a, _, rid = one
    task = api.task(a, rid, detailLevel="level2")
    assert task["metaData"] is None and task["metaDataSignature"] is None
    assert unb64(task["payload"]) == b"p" and task["payloadType"] == "UNSPECIFIED"


def test_level3_shows_the_callers_envelope(api, people):
    a = people("p256", 1)
    label = unique()
    api.create_key(label, quorum(1, a))
    raw = ('{ "signRequest": {"signatureAlgorithm":"SHA256_WITH_ECDSA", "signKeyName":"%s",'
           '"payload":"cA==", "metaData": null}, "requestSignature": null }' % label)
    rid = api.call("POST", "/v1/sign", raw=raw.encode())["signRequestId"]
    task = api.task(a, rid, detailLevel="level3")
    assert unb64(task["requestBase64"]).decode() == raw.replace(" ", "")
    envelope = task["signedSignRequest"]
    assert envelope["requestSignature"] is None
    assert envelope["signRequest"]["signKeyName"] == label
    assert envelope["signRequest"]["payload"] == "cA=="
    for name in LEVELS[3][2:]:
        assert task[name] is None


@pytest.mark.online_only("tokens of an air-gapped request have no timestamp")
def test_level4_is_the_timestamp_of_the_token(api, one):
    a, _, rid = one
    task = api.task(a, rid, detailLevel="level4")
    t = ska.Token.decode(unb64(task["approvalToBeSigned"]))
    assert unb64(task["timestamp"]) == t.timestamp
    assert unb64(task["timestampSignatureWithAlgorithm"]) == t.timestamp_signature
    _, digest, raw = ska.signature_decode(t.timestamp_signature)
    assert unb64(task["timestampSignature"]) == raw and digest == "SHA-256"
    assert task["timestampSignatureAlgorithm"] == "SHA256_WITH_ECDSA"
    stamp_key = public_key(api.attributes(ska.Timestamp.decode(t.timestamp).key_label))
    assert verify(stamp_key, digest, t.timestamp, raw)


def test_level5_is_attested(api, one):
    a, label, rid = one
    task = api.task(a, rid, detailLevel="level5")
    assert "<label>%s</label>" % label in task["keyAttributes"]
    assert b64(a.spki) in task["keyAttributes"]
    answer = api.attributes(label)
    attestation = public_key(api.attributes(answer["attestationKeyName"]))
    assert verify(attestation, "SHA-256", task["keyAttributes"].encode(),
                  unb64(task["keyAttributesSignature"]))


def test_level6_is_the_status(api, one):
    a, _, rid = one
    assert api.task(a, rid, detailLevel="level6")["requestStatus"] == \
        api.get("/v1/request/" + rid)


# ---- proof of the approver ----

def listing(api, proof, code, path="/v1/filteredSignApprovalTask"):
    return api.refused(code, "POST", path, proof)


@pytest.mark.parametrize("path", PATHS + ("/v1/task", "/v1/approval"))
def test_stale_or_future_timestamp_is_404(api, one, path):
    a, _, rid = one
    task = api.task(a, rid)
    for shift in (-3600, -700, 60, 3600, -10 ** 9):
        listing(api, {**a.proof(api.now() + shift), "id": task["id"]}, 404, path)
    assert api.status_of(rid) == "PENDING"


def test_timestamp_within_the_limits(api, one):
    a, _, rid = one
    for shift in (-500, -60, 0):
        api.post(PATHS[0], a.proof(api.now() + shift))


@pytest.mark.parametrize("path", PATHS + ("/v1/task", "/v1/approval"))
def test_wrong_timestamp_signature_is_403(api, one, people, path):
    a, _, rid = one
    task, other = api.task(a, rid), people("p256", 2)
    good = {**a.proof(api.now()), "id": task["id"]}
    for change in ({"timestampSignature": b64(a.sign(b"other"))}, {"timestampSignature": "AAAA"},
                   {"approverPublicKey": b64(other.spki)}, {"timestampDigestAlgorithm": "SHA-512"},
                   {"timestamp": good["timestamp"].replace("+00:00", "Z")}):
        listing(api, {**good, **change}, 403, path)
    assert api.status_of(rid) == "PENDING"


def test_forms_of_a_timestamp(api, one):
    a = one[0]
    utc = datetime.datetime.fromtimestamp(api.now(), datetime.timezone.utc)
    berlin = utc.astimezone(datetime.timezone(datetime.timedelta(hours=2)))
    west = utc.astimezone(datetime.timezone(datetime.timedelta(hours=-3, minutes=-30)))
    plain = "%Y-%m-%dT%H:%M:%S"
    for text in (utc.strftime(plain) + "Z", utc.strftime(plain) + "+00:00",
                 utc.strftime(plain + ".%f")[:-3] + "Z", utc.strftime(plain + ".%f") + "Z",
                 berlin.strftime(plain) + "+02:00", west.strftime(plain) + "-03:30"):
        api.post(PATHS[0], a.proof_of(text))
    for text in (utc.strftime(plain), utc.strftime("%Y-%m-%d"), "now", "2024-02-30T00:00:00Z",
                 utc.strftime("%Y-%m-%d %H:%M:%SZ"), utc.strftime(plain) + "z",
                 utc.strftime("%Y-%m-%dT%H:%M") + "Z", utc.strftime(plain) + " Z",
                 utc.strftime(plain) + "+0000", "2024-13-01T00:00:00Z", "1e9"):
        api.refused(600, "POST", PATHS[0], a.proof_of(text), says="timestamp")


def test_identification_is_needed(api, one):
    a = one[0]
    proof = a.proof(api.now())
    del proof["approverPublicKey"]
    listing(api, proof, 600)
    listing(api, {**proof, "approverPublicKey": None, "approverCertificate": None}, 600)


def test_key_that_does_not_decode_is_407(api, one):
    a = one[0]
    good = a.proof(api.now())
    for der in (b"x", a.spki[:-1], a.spki + b"\0", a.certificate, b"\x30\x00"):
        listing(api, {**good, "approverPublicKey": b64(der)}, 407)


def test_certificate_that_does_not_decode_is_409(api, one):
    a = one[0]
    good = a.proof(api.now(), certificate=True)
    for der in (b"x", a.certificate[:-1], a.certificate + b"\0", a.spki, b"\x30\x00"):
        listing(api, {**good, "approverCertificate": b64(der)}, 409)


def test_replayed_listing_is_accepted(api, one):
    a, _, rid = one
    proof = {**a.proof(api.now()), "requestId": rid}
    assert api.post(PATHS[0], proof) == api.post(PATHS[0], proof)


def test_a_stranger_sees_nothing(api, one, people):
    rid = one[2]
    stranger = people("p256", 99)
    assert api.tasks(stranger) == []
    assert api.tasks(stranger, requestId=rid) == []
    task = api.task(one[0], rid)
    assert api.tasks(stranger, id=task["id"]) == []


# ---- filters, order, pages ----

@pytest.fixture
def many(api, people, request):
    """An approver of their own with seven requests in order of creation."""
    from approver import Approver
    a = Approver("p256", "many")
    label = unique("many")
    api.create_key(label, quorum(1, a))
    rids = []
    for i in range(7):
        rids.append(api.sign(label, b"%d" % i))
        api.site.forward(1)
    return a, rids


def order_of(tasks):
    return [int(ska.Token.decode(unb64(t["approvalToBeSigned"])).payload) for t in tasks]


def paging(number, size, order="CREATION_DATE_ASC"):
    return {"pageNumber": number, "pageSize": size, "sortOrder": order}


def test_default_order_is_creation(api, many):
    assert order_of(api.tasks(many[0])) == list(range(7))


def test_orders(api, many):
    a = many[0]
    up = list(range(7))
    assert order_of(api.tasks(a, paging=paging(0, 100))) == up
    assert order_of(api.tasks(a, paging=paging(0, 100, "CREATION_DATE_DESC"))) == up[::-1]
    for i in (3, 5, 1):
        api.site.forward(1)
        api.tasks(a, requestId=many[1][i])
    api.site.forward(1)
    # all were fetched together above, then 3, 5 and 1 once more, each later
    got = order_of(api.tasks(a, paging=paging(0, 100, "LAST_FETCHED_DATE_ASC")))
    assert sorted(got[:4]) == [0, 2, 4, 6] and got[4:] == [3, 5, 1]
    for i in (2, 6):
        api.site.forward(1)
        api.tasks(a, requestId=many[1][i])
    got = order_of(api.tasks(a, paging=paging(0, 100, "LAST_FETCHED_DATE_DESC")))
    assert got[:2] == [6, 2]


def test_pages(api, many):
    a = many[0]
    pages = [order_of(api.tasks(a, paging=paging(n, 3))) for n in range(4)]
    assert pages == [[0, 1, 2], [3, 4, 5], [6], []]
    down = [order_of(api.tasks(a, paging=paging(n, 2, "CREATION_DATE_DESC"))) for n in range(4)]
    assert down == [[6, 5], [4, 3], [2, 1], [0]]
    assert api.tasks(a, paging=paging(10 ** 6, 1000)) == []
    no_number = {"pageSize": 2, "sortOrder": "CREATION_DATE_ASC"}
    assert order_of(api.tasks(a, paging=no_number)) == [0, 1]


def test_bad_paging_is_600(api, many):
    a = many[0]
    for bad, word in ((paging(-1, 1), "pageNumber"), (paging(0, 0), "pageSize"),
                      (paging(0, -5), "pageSize"), (paging(0, 1001), "pageSize"),
                      (paging(0, 1, "SIDEWAYS"), "sortOrder"), ({"pageNumber": 0}, "page"),
                      ({}, "page")):
        api.refused(600, "POST", PATHS[0], {**a.proof(api.now()), "paging": bad}, says=word)


def test_filter_by_id_and_request_id(api, many):
    a, rids = many
    tasks = api.tasks(a)
    assert order_of(api.tasks(a, id=tasks[4]["id"])) == [4]
    assert order_of(api.tasks(a, requestId=rids[2])) == [2]
    assert order_of(api.tasks(a, id=tasks[4]["id"], requestId=rids[2])) == [4]
    assert api.tasks(a, id=rids[0]) == []
    assert api.tasks(a, requestId=tasks[0]["id"]) == []
    for name in ("id", "requestId"):
        api.refused(609, "POST", PATHS[0], {**a.proof(api.now()), name: "no-uuid"})


def test_kinds_are_told_apart(api, one):
    a, _, rid = one
    assert len(api.tasks(a, "All", requestId=rid)) == 1
    assert len(api.tasks(a, "Sign", requestId=rid)) == 1
    for kind in ("Decrypt", "UnwrapKey", "BlockKey", "UnblockKey", "ModifyKey"):
        response = api.send("POST", "/v1/filtered%sApprovalTask" % kind,
                            {**a.proof(api.now()), "requestId": rid})
        if response.status_code != 404:
            assert response.json() == {"tasks": []}


def test_task_ids_are_not_request_ids(api, many):
    a, rids = many
    ids = {t["id"] for t in api.tasks(a)}
    assert len(ids) == 7 and not ids & set(rids)
    assert all(i == i.lower() and len(i) == 36 for i in ids)


# ---- answers that are refused ----

def test_approve_twice_is_652(api, one):
    a, _, rid = one
    task = api.approve(a, rid)
    api.refused(652, "POST", "/v1/approval", api.approval_body(a, task))
    api.wait(rid, "EXECUTED")
    api.refused(652, "POST", "/v1/approval", api.approval_body(a, task))


def test_reject_twice_and_after_approval_is_652(api, people):
    a, b, c = people.several(3)
    label = unique()
    api.create_key(label, quorum(2, a, b, c))
    rid = api.sign(label)
    task = api.reject(a, rid)
    body = {**a.proof(api.now()), "id": task["id"]}
    api.refused(652, "PATCH", "/v1/task", body)
    api.refused(652, "POST", "/v1/approval", api.approval_body(a, task))
    task = api.approve(b, rid)
    api.refused(652, "PATCH", "/v1/task", {**b.proof(api.now()), "id": task["id"]})
    view = api.request(rid)
    assert view["approvedBy"] == [b64(b.spki)] and view["rejectedBy"] == [b64(a.spki)]


def test_unknown_task_is_652(api, one):
    a, _, rid = one
    task = api.task(a, rid)
    for other in (rid, "0190a5e0-0000-7000-8000-000000000000"):
        api.refused(652, "POST", "/v1/approval", {**api.approval_body(a, task), "id": other})
        api.refused(652, "PATCH", "/v1/task", {**a.proof(api.now()), "id": other})
    api.refused(609, "POST", "/v1/approval", {**api.approval_body(a, task), "id": "x"})
    api.refused(609, "PATCH", "/v1/task", {**a.proof(api.now()), "id": "x"})


def test_foreign_approver_is_refused(api, one, people):
    a, _, rid = one
    task = api.task(a, rid)
    for kind in ("p256", "rsa", "ed25519"):
        stranger = people(kind, 99)
        api.refused(400, "POST", "/v1/approval", api.approval_body(stranger, task))
    stranger = people("p256", 99)
    api.refused(400, "PATCH", "/v1/task", {**stranger.proof(api.now()), "id": task["id"]})
    api.stays(rid, "PENDING")


def test_wrong_signature_is_403(api, one, people):
    a, _, rid = one
    good = api.approval_body(a, api.task(a, rid))
    token = unb64(good["approvalToBeSigned"])
    stranger = people("p256", 99)
    for signature, digest in ((a.sign(token[4:]), "SHA-256"), (a.sign(token, "SHA-512"), "SHA-256"),
                              (stranger.sign(token), "SHA-256"), (b"\x30\x00", "SHA-256"),
                              (b"x" * 64, "SHA-256"), (a.sign(token), "SHA3-256"),
                              (a.sign(token) + b"\0", "SHA-256")):
        api.refused(403, "POST", "/v1/approval",
                    {**good, "signature": b64(signature), "approvalDigestAlgorithm": digest})
    api.stays(rid, "PENDING")
    api.approve(a, rid)
    api.wait(rid, "EXECUTED")


@pytest.mark.online_only("tokens of an air-gapped request have no timestamp")
def test_wrong_token_is_612(api, one, people):
    a, label, rid = one
    task = api.task(a, rid)
    good = ska.Token.decode(unb64(task["approvalToBeSigned"]))
    other = ska.Token.decode(unb64(api.task(a, api.sign(label, b"q"))["approvalToBeSigned"]))
    whole = good.encode()
    changed = [
        ska.Token(ska.USE, label, b"p"), ska.Token(ska.USE, label, b"q", good.timestamp, good.timestamp_signature),
        ska.Token(ska.USE, label + "x", b"p", good.timestamp, good.timestamp_signature),
        ska.Token(ska.BLOCK, label, None, good.timestamp, good.timestamp_signature),
        ska.Token(ska.USE, "", b"p", good.timestamp, good.timestamp_signature),
        ska.Token(ska.USE, label, b"p", other.timestamp, other.timestamp_signature),
        ska.Token(ska.USE, label, b"p", good.timestamp, other.timestamp_signature), other,
    ]
    raw = [t.encode() for t in changed] + [whole[:-4], whole + b"\0\0\0\0", b"\0\0\0\0", b"x",
                                           whole[4:], b"\xff" * 64]
    for t in raw:
        body = {"id": task["id"], "approvalToBeSigned": b64(t), "signature": b64(a.sign(t)),
                "approvalDigestAlgorithm": a.digest, **a.identity()}
        api.refused(612, "POST", "/v1/approval", body)
    api.stays(rid, "PENDING")


@pytest.mark.online_only("tokens of an air-gapped request have no timestamp")
def test_token_rebuilt_by_the_client_is_accepted(api, one):
    a, label, rid = one
    task = api.task(a, rid, detailLevel="level4")
    rebuilt = ska.Token(ska.USE, label, unb64(task["payload"]), unb64(task["timestamp"]),
                        unb64(task["timestampSignatureWithAlgorithm"]))
    api.post("/v1/approval", api.approval_body(a, {**task, "approvalToBeSigned": b64(rebuilt.encode())}))
    api.wait(rid, "EXECUTED")


def test_approval_with_undecodable_identity(api, one):
    a, _, rid = one
    good = api.approval_body(a, api.task(a, rid))
    api.refused(407, "POST", "/v1/approval", {**good, "approverPublicKey": "AAAA"})
    del good["approverPublicKey"]
    api.refused(600, "POST", "/v1/approval", good)
    api.refused(409, "POST", "/v1/approval", {**good, "approverCertificate": "AAAA"})
    api.stays(rid, "PENDING")


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "POST"])
def test_methods_of_a_rejection(api, one, method):
    a, _, rid = one
    api.reject(a, rid, method=method)
    assert api.status_of(rid) == "REJECTED"


@pytest.mark.parametrize("path", ["/v1/task", "/v1/approval"])
def test_the_caller_sees_why_a_request_was_rejected(api, site, people, path):
    """Hostile text, too: it is kept as it is, and in the audit, and colleagues see it beside their tasks."""
    a, b, c = people.several(3)
    label, why = unique(), "not \u00fc\U0001f600 'ours' \\ \"\u202e<b>%n" + "x" * 400
    api.create_key(label, quorum(2, a, b, c))
    rid = api.sign(label)
    task = api.task(a, rid)
    assert "rejectionReasons" not in api.request(rid)
    assert api.post(path, {**a.proof(api.now()), "id": task["id"], "reason": why}) is None
    (given,) = api.request(rid)["rejectionReasons"]
    assert given == {"rejectedBy": b64(a.spki), "time": given["time"], "reason": why}
    (seen,) = api.post("/v1/filteredSignApprovalTask", {
        **c.proof(api.now()), "requestId": rid, "detailLevel": "level6"})["tasks"]
    assert seen["requestStatus"]["rejectionReasons"] == [given]
    api.reject(b, rid)      # without a reason
    view = api.request(rid)
    assert view["status"] == "REJECTED" and view["rejectionReasons"] == [given]
    assert view["rejectedBy"] == [b64(a.spki), b64(b.spki)]
    told = site.sql("SELECT HEX(detail) FROM audit WHERE action = 'reject' AND HEX(request_id) = '%s' "
                    "ORDER BY at_ms, id" % rid.replace("-", ""))
    assert [bytes.fromhex(x) if x not in ("NULL", None) else None for (x,) in told] == [why.encode(), None]


def test_a_reason_that_is_refused_rejects_nothing(api, one):
    a, _, rid = one
    body = {**a.proof(api.now()), "id": api.task(a, rid)["id"]}
    for bad in ("", "x" * 501, "two\nlines", "\x1b[2J", "\x9b", 1, ["x"]):
        api.refused(600, "PATCH", "/v1/task", {**body, "reason": bad}, says="reason")
    api.stays(rid, "PENDING")
    api.reject(a, rid, reason=None)
    assert "rejectionReasons" not in api.request(rid)


def test_rejection_by_posting_it_as_an_approval(api, one):
    a, _, rid = one
    task = api.task(a, rid)
    assert api.post("/v1/approval", {**a.proof(api.now()), "id": task["id"]}) is None
    assert api.status == 200
    assert api.status_of(rid) == "REJECTED"


def test_half_a_rejection_is_not_one(api, one):
    a, _, rid = one
    task = api.task(a, rid)
    proof = {**a.proof(api.now()), "id": task["id"]}
    for missing in ("timestamp", "timestampSignature", "timestampDigestAlgorithm"):
        body = {k: v for k, v in proof.items() if k != missing}
        api.refused(600, "POST", "/v1/approval", body)
    api.refused(600, "POST", "/v1/approval",
                {**proof, "approvalToBeSigned": task["approvalToBeSigned"]})
    api.stays(rid, "PENDING")


# ---- timestamp signer: a notification service that the settings name ----

def signed_by(signer, api, approver=None):
    proof = signer.proof(api.now())
    del proof["approverPublicKey"]
    proof["timestampSigningCertificate"] = b64(signer.certificate)
    if approver:
        proof["approverPublicKey"] = b64(approver.spki)
    return proof


def test_signer_sees_the_tasks_of_an_approver(api, one, signers):
    a, _, rid = one
    proof = {**signed_by(signers["good"], api, a), "requestId": rid}
    (task,) = api.post(PATHS[0], proof)["tasks"]
    assert task["approverPublicKey"] == b64(a.spki)
    api.refused(403, "POST", PATHS[0], {**proof, "timestampSignature": b64(a.sign(b"x"))})
    api.refused(409, "POST", PATHS[0], {**proof, "timestampSigningCertificate": "AAAA"})


def test_signer_sees_the_tasks_of_all(api, people, signers):
    a, b = people.several(2)
    label = unique()
    api.create_key(label, quorum(2, a, b))
    rid = api.sign(label)
    for path in PATHS:
        tasks = api.post(path, {**signed_by(signers["good"], api), "requestId": rid})["tasks"]
        assert sorted(t["approverPublicKey"] for t in tasks) == sorted([b64(a.spki), b64(b.spki)])


def test_signer_may_delete_and_never_approve(api, one, signers):
    a, _, rid = one
    signer = signers["good"]
    task = api.task(a, rid)
    api.refused(400, "POST", "/v1/approval", api.approval_body(signer, task))
    assert api.status_of(rid) == "PENDING"
    api.call("PATCH", "/v1/task", {**signed_by(signer, api, a), "id": task["id"]})
    view = api.request(rid)
    assert view["status"] == "REJECTED" and view["rejectedBy"] == [b64(signer.spki)]


def test_signer_that_is_not_listed_is_405(api, one, people):
    a, signer = one[0], people("rsa", 3)
    for approver in (a, None):
        api.refused(405, "POST", PATHS[0], signed_by(signer, api, approver))


def test_signer_whose_certificate_is_over_is_402(api, one, signers):
    api.refused(402, "POST", PATHS[0], signed_by(signers["over"], api, one[0]))


def test_answers_are_compact_json(api, one):
    a, _, rid = one
    response = api.send("POST", PATHS[0], {**a.proof(api.now()), "requestId": rid})
    assert response.text == json.dumps(response.json(), separators=(",", ":"), ensure_ascii=False)


def test_lists_are_bounded_by_bytes(api, faults):
    """One list without pages took 1.6 GB: it ends at 32 MiB (here 1000 bytes) and says so."""
    from approver import Approver
    a = Approver("p256", "bytes")
    label = unique("bytes")
    api.create_key(label, quorum(1, a))
    for _ in range(33):
        api.sign(label)

    def listed(**members):
        faults([("list.bytes", 1000)])
        return api.post("/v1/filteredAllApprovalTask", dict(a.proof(api.now()), **members))
    cut = listed()
    assert cut["more"] is True and len(cut["tasks"]) == 32
    with pytest.raises(ApiError) as e:
        listed(paging=paging(0, 1000))
    assert "pages of 32 entries" in str(e.value)
    for number, count in ((0, 32), (1, 1)):
        page = listed(paging=paging(number, 32))
        assert len(page["tasks"]) == count and "more" not in page
