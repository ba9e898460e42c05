"""/v1/synchronousSign: the HSM itself judges the approvals that come with the call."""
import json
import pathlib

import pytest

import ska
from approver import b64, group, policy, quorum, rule, token, unb64, verify
from client import public_key, unique

pytestmark = pytest.mark.online_only("synchronous calls go to the offline side")

P = b"payload"


@pytest.fixture
def trio(api, people):
    abc = people.several(3)
    label = unique("sync")
    key = public_key(api.create_key(label, quorum(2, *abc)))
    return label, key, abc


def stamp_for(api, label, payload=P, approver=None):
    """A token as the HSM would issue it now, taken from a request of the workflow."""
    rid = api.sign(label, payload)
    whole = unb64(api.task(approver, rid)["approvalToBeSigned"])
    api.cancel(rid)
    return whole


def sign_refused(api, label, approvals, says=(), payload=P, code=701):
    body = api.sign_body(label, payload, signedApprovals=approvals)
    return api.refused(code, "POST", "/v1/synchronousSign", body, says=says)


def test_ordinary_key(api):
    label = unique()
    key = public_key(api.create_key(label))
    assert verify(key, "SHA-256", P, api.sign_now(label, P))


def test_free_policy_needs_no_approvals(api):
    label = unique()
    key = public_key(api.create_key(label, policy()))
    assert verify(key, "SHA-256", P, api.sign_now(label, P))


def test_without_timestamp(api, trio):
    """Good enough where neither timelock nor timeout is asked (the air-gapped way)."""
    label, key, (a, b, _) = trio
    t = ska.Token(ska.USE, label, P).encode()
    approvals = [x.signed_approval(t) for x in (a, b)]
    assert verify(key, "SHA-256", P, api.sign_now(label, P, approvals=approvals))


def test_with_timestamp(api, trio):
    label, key, (a, b, _) = trio
    t = stamp_for(api, label, P, a)
    approvals = [x.signed_approval(t) for x in (a, b)]
    assert verify(key, "SHA-256", P, api.sign_now(label, P, approvals=approvals))


@pytest.mark.parametrize("kind", ["rsa", "p384", "p521", "secp256k1", "ed25519"])
def test_kinds_of_approvers(api, people, kind):
    a = people(kind)
    label = unique()
    api.create_key(label, quorum(1, a))
    t = ska.Token(ska.USE, label, P).encode()
    api.sign_now(label, P, approvals=[a.signed_approval(t)])


@pytest.mark.parametrize("in_policy", [True, False])
@pytest.mark.parametrize("in_approval", [True, False])
def test_certificate_and_key_match(api, people, in_policy, in_approval):
    a = people("rsa", 8, certificate=in_policy)
    label = unique()
    api.create_key(label, quorum(1, a))
    t = ska.Token(ska.USE, label, P).encode()
    api.sign_now(label, P, approvals=[a.signed_approval(t, as_certificate=in_approval)])


def test_no_approvals(api, trio):
    label, _, (a, _, _) = trio
    error = sign_refused(api, label, [], says="approvals")
    assert error["reason"] == "res.error.in.hsm"
    api.refused(701, "POST", "/v1/synchronousSign", api.sign_body(label, P))


def test_quorum_not_reached(api, trio):
    label, _, (a, _, _) = trio
    t = ska.Token(ska.USE, label, P).encode()
    sign_refused(api, label, [a.signed_approval(t)], says="insufficient")


def test_one_approver_counts_once(api, trio):
    label, _, (a, _, _) = trio
    t = ska.Token(ska.USE, label, P).encode()
    again = [a.signed_approval(t), a.signed_approval(t, digest="SHA-512"),
             a.signed_approval(t, as_certificate=True)]
    sign_refused(api, label, again, says="insufficient")


def test_stranger_does_not_count(api, trio, people):
    label, _, (a, _, _) = trio
    t = ska.Token(ska.USE, label, P).encode()
    stranger = people("p256", 99)
    sign_refused(api, label, [a.signed_approval(t), stranger.signed_approval(t)])


def test_groups_and_alternatives(api, people):
    a, b, c = people.several(3)
    label = unique()
    api.create_key(label, policy(rule(token(group(1, a), group(1, b)), token(group(1, c)))))
    t = ska.Token(ska.USE, label, P).encode()
    sign_refused(api, label, [a.signed_approval(t)])
    api.sign_now(label, P, approvals=[a.signed_approval(t), b.signed_approval(t)])
    api.sign_now(label, P, approvals=[c.signed_approval(t)])


# ---- each check of the token alone ----

def test_operation_must_fit(api, trio):
    label, _, (a, b, _) = trio
    for operation in (ska.BLOCK, ska.UNBLOCK):
        t = ska.Token(operation, label).encode()
        sign_refused(api, label, [x.signed_approval(t) for x in (a, b)], says="operation")
    t = ska.Token(ska.MODIFY, label, ska.policy_encode(quorum(1, a))).encode()
    sign_refused(api, label, [x.signed_approval(t) for x in (a, b)], says="operation")


def test_label_must_fit(api, trio):
    label, _, (a, b, _) = trio
    for other in (label + "x", label.upper(), "", label[:-1], label + "/0"):
        t = ska.Token(ska.USE, other, P).encode()
        sign_refused(api, label, [x.signed_approval(t) for x in (a, b)], says="key")


def test_payload_must_fit(api, trio):
    label, _, (a, b, _) = trio
    for other in (P + b"x", P[:-1], b"", P + b"\0", b"\0" * 32):
        t = ska.Token(ska.USE, label, other).encode()
        sign_refused(api, label, [x.signed_approval(t) for x in (a, b)], says="payload")


def test_payload_of_the_timestamp_must_fit(api, trio):
    label, _, (a, b, _) = trio
    other = ska.Token.decode(stamp_for(api, label, b"other", a))
    t = ska.Token(ska.USE, label, P, other.timestamp, other.timestamp_signature).encode()
    sign_refused(api, label, [x.signed_approval(t) for x in (a, b)], says="timestamp")


def test_timestamp_must_be_signed_by_the_hsm(api, trio, people):
    label, _, (a, b, _) = trio
    good = ska.Token.decode(stamp_for(api, label, P, a))
    stamp = ska.Timestamp.decode(good.timestamp)
    forger = people("p256", 98)
    early = ska.Timestamp(stamp.seconds - 5, stamp.key_label, P).encode()
    unknown = ska.Timestamp(stamp.seconds, label, P).encode()
    absent = ska.Timestamp(stamp.seconds, "no-such-key", P).encode()
    for whole, by in ((good.timestamp, forger), (early, forger), (unknown, forger), (absent, forger),
                      (early, None)):
        der = good.timestamp_signature if by is None else \
            ska.signature_encode("EC", "SHA-256", by.sign(whole))
        t = ska.Token(ska.USE, label, P, whole, der).encode()
        sign_refused(api, label, [x.signed_approval(t) for x in (a, b)], says="timestamp")


def test_key_that_signs_for_callers_makes_no_timestamps(api, trio):
    """An ordinary key of the caller cannot stand in for the timestamp key."""
    label, _, (a, b, _) = trio
    mine = unique("stamper")
    api.create_key(mine)
    whole = ska.Timestamp(int(api.now()) - 10, mine, P).encode()
    der = ska.signature_encode("EC", "SHA-256", api.sign_now(mine, whole))
    t = ska.Token(ska.USE, label, P, whole, der).encode()
    sign_refused(api, label, [x.signed_approval(t) for x in (a, b)], says="timestamp")


def test_timestamp_key_does_not_sign_for_callers(api):
    whole = ska.Timestamp(int(api.now()), "timestamp-key", P).encode()
    for path in ("/v1/synchronousSign", "/v1/sign"):
        for name in ("timestamp-key", "attestation-key"):
            body = api.sign_body(name, whole)
            if name == "attestation-key":
                body["signRequest"]["signatureAlgorithm"] = "SHA256_WITH_RSA"
            response = api.send("POST", path, body)
            assert response.status_code in (400, 500), (path, name, response.text)
            assert response.json()["errorCode"] in (607, 614, 701), response.text


def test_time_window(api, site, people):
    a = people()
    label = unique()
    api.create_key(label, quorum(1, a, timelock=600, timeout=1200))
    t = stamp_for(api, label, P, a)
    approval = [a.signed_approval(t)]
    sign_refused(api, label, approval, says="time")
    site.forward(590)
    sign_refused(api, label, approval)
    site.forward(11)
    api.sign_now(label, P, approvals=approval)
    site.forward(600)
    sign_refused(api, label, approval, says="time")


def test_without_timestamp_no_timed_token_is_met(api, people):
    a, b = people.several(2)
    for limits in ({"timelock": 60}, {"timeout": 600}, {"timelock": 60, "timeout": 600}):
        label = unique()
        api.create_key(label, policy(rule(token(group(1, a), **limits), token(group(1, b)))))
        t = ska.Token(ska.USE, label, P).encode()
        sign_refused(api, label, [a.signed_approval(t)], says="time")
        api.sign_now(label, P, approvals=[b.signed_approval(t)])


def test_all_approvals_carry_the_same_token(api, trio):
    label, _, (a, b, _) = trio
    first, second = stamp_for(api, label, P, a), ska.Token(ska.USE, label, P).encode()
    sign_refused(api, label, [a.signed_approval(first), b.signed_approval(second)], says="differs")


def test_signature_of_the_approver_must_verify(api, trio, people):
    label, _, (a, b, _) = trio
    t = ska.Token(ska.USE, label, P).encode()
    other = ska.Token(ska.USE, label, b"other").encode()
    good = a.signed_approval(t)

    def forged(raw, digest="SHA-256", kind="EC"):
        return b64(ska.SignedApproval(t, ska.signature_encode(kind, digest, raw), b.spki).encode())
    for bad in (forged(a.sign(t)), forged(b.sign(t[4:])), forged(b.sign(other)), forged(b"\x30\0"),
                forged(b.sign(t), "SHA-512"), forged(b.sign(t), "SHA-256", "RSA")):
        sign_refused(api, label, [good, bad], says="signature")


def test_malformed_approvals(api, trio):
    label, _, (a, b, _) = trio
    t = ska.Token(ska.USE, label, P).encode()
    good, other = a.signed_approval(t), unb64(b.signed_approval(t))
    padding = bytearray(other)
    padding[-1] ^= 1
    for bad in (b"", b"x", other[:-4], other + b"\0\0\0\0", other[4:], b"\0\0\0\0",
                b"\xff\xff\xff\xff" + other[4:], other[:4] + other[4:] * 2,
                ska.container(ska.element(ska.APPROVAL_TOKEN, t)),
                ska.container(other[4:] + ska.element(ska.PUBLIC_KEY, b.spki))):
        response = api.send("POST", "/v1/synchronousSign",
                            api.sign_body(label, P, signedApprovals=[good, b64(bad)]))
        assert response.json()["errorCode"] in (600, 612, 701), response.text
        assert response.status_code >= 400


def test_members_of_the_workflow_are_ignored(api):
    label = unique()
    api.create_key(label)
    api.sign_now(label, P, metaData="AAAA", metaDataSignature="AAAA", payloadType="UNSPECIFIED")


def test_key_password(api):
    label = unique()
    api.create_key(label, password="secret")
    for bad in ("wrong", None, ""):
        api.refused(620, "POST", "/v1/synchronousSign", api.sign_body(label, P, keyPassword=bad))
    api.sign_now(label, P, keyPassword=list("secret"))


def test_unknown_key_is_650(api):
    api.refused(650, "POST", "/v1/synchronousSign", api.sign_body("no-such-key", P))


def test_the_seeds_offline_request_reaches_the_key_that_is_not_here(api):
    answer = json.loads((pathlib.Path(__file__).parent.parent / "vectors" / "offline-answer.json")
                        .read_text())
    api.refused(650, "POST", "/v1/synchronousSign", answer["inputOfflineHsm"],
                says="MSI-OnlineKey")


def test_blocked_key_refuses(api, people):
    label = unique()
    a = people()
    api.create_key(label, policy(rule(token(group(1, a))), blocked=True))
    t = ska.Token(ska.USE, label, P).encode()
    body = api.sign_body(label, P, signedApprovals=[a.signed_approval(t)])
    response = api.send("POST", "/v1/synchronousSign", body)
    assert response.json()["errorCode"] in (614, 701), response.text


def test_approvals_of_a_namesake_key(api, people):
    """A key deleted and made anew under the same name: the label alone decides, and the policy."""
    a, b = people.several(2)
    label = unique()
    api.create_key(label, quorum(1, a))
    t = ska.Token(ska.USE, label, P).encode()
    api.sign_now(label, P, approvals=[a.signed_approval(t)])
    api.call("DELETE", "/v1/key/" + label)
    api.create_key(label, quorum(1, b))
    sign_refused(api, label, [a.signed_approval(t)])
    api.sign_now(label, P, approvals=[b.signed_approval(t)])


def test_workflow_approvals_serve_only_their_payload(api, trio):
    """What approvers signed for one payload signs no other."""
    label, key, (a, b, c) = trio
    rid = api.sign(label, P)
    tasks = [api.task(x, rid) for x in (a, b)]
    api.approve(a, rid)
    approvals = [x.signed_approval(unb64(t["approvalToBeSigned"])) for x, t in zip((a, b), tasks)]
    sign_refused(api, label, approvals, payload=b"other")
    assert verify(key, "SHA-256", P, api.sign_now(label, P, approvals=approvals))
