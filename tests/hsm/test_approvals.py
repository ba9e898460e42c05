"""Keys with a policy: what satisfies it, and each check of a signed approval violated alone."""
import base64
import time

import pytest
from cryptography.hazmat.primitives import serialization

import ska
from approver import Approver, b64, group, policy, quorum, rule, token, unb64, verify

ALGORITHM = "SHA256_WITH_ECDSA"
PAYLOAD = b"harro"


def stamped(hsm, label, payload=PAYLOAD):
    """An approval token as a broker builds it from the HSM's timestamp."""
    answer = hsm.stamp(label, payload)
    return ska.Token(ska.USE, label, payload, unb64(answer["timestamp"]),
                     unb64(answer["timestampSignatureWithAlgorithm"]))


@pytest.fixture(scope="module")
def keys(hsm, approver):
    hsm.create("one", policy=quorum(1, approver(), approver("rsa"), timeout=600))
    hsm.create("two", policy=quorum(2, *[approver(n=n) for n in range(3)], timeout=600))
    hsm.create("bare", policy=quorum(1, approver()))
    hsm.create("other", policy=quorum(1, approver(), timeout=600))
    return hsm


KINDS = [("rsa", "SHA-256"), ("rsa", "SHA-512"), ("rsa", "SHA3-256"), ("p256", "SHA-224"),
         ("p256", "SHA3-512"), ("p384", "SHA-256"), ("p384", "SHA-384"), ("p521", "SHA-512"),
         ("secp256k1", "SHA-256"), ("secp256k1", "SHA3-384"), ("ed25519", None)]


@pytest.mark.parametrize("kind,digest", KINDS)
def test_each_kind_of_approver(hsm, approver, kind, digest):
    label = "by-%s-%s" % (kind, digest)
    hsm.create(label, policy=quorum(1, approver(kind), timeout=600))
    t = stamped(hsm, label).encode()
    assert hsm.sign(label, PAYLOAD, ALGORITHM, [approver(kind).signed_approval(t, digest)])


@pytest.mark.parametrize("in_policy", [False, True])
@pytest.mark.parametrize("in_approval", [False, True])
def test_certificates_match_by_their_key(hsm, approver, in_policy, in_approval):
    label = "certificate-%d-%d" % (in_policy, in_approval)
    hsm.create(label, policy=quorum(1, approver("p384", certificate=in_policy), timeout=600))
    signed = approver("p384", certificate=in_policy).signed_approval(
        stamped(hsm, label).encode(), as_certificate=False)
    if in_approval:
        signer = approver("p384", certificate=in_policy)
        signed = signer.signed_approval(stamped(hsm, label).encode(), as_certificate=True)
    assert hsm.sign(label, PAYLOAD, ALGORITHM, [signed])


def test_timestamp_verifies_with_the_timestamp_key(hsm, keys):
    answer = hsm.stamp("one", PAYLOAD)
    key = serialization.load_der_public_key(
        unb64(hsm.attributes("timestamp-key")["json"]["publicKey"]))
    whole = unb64(answer["timestamp"])
    assert verify(key, "SHA-256", whole, unb64(answer["timestampSignature"]))
    stamp = ska.Timestamp.decode(whole)
    assert stamp.payload == PAYLOAD and stamp.key_label == "timestamp-key" and not stamp.modify
    assert abs(stamp.seconds - time.time()) < 5
    assert ska.signature_decode(unb64(answer["timestampSignatureWithAlgorithm"])) == (
        "EC", "SHA-256", unb64(answer["timestampSignature"]))
    assert answer["timestampKeyName"] == "timestamp-key"


def test_timestamp_of_the_other_operations(hsm, keys):
    for operation in ("BLOCK", "UNBLOCK"):
        stamp = ska.Timestamp.decode(unb64(hsm.stamp("one", None, operation)["timestamp"]))
        assert stamp.payload is None
    new = ska.policy_encode({})
    assert ska.Timestamp.decode(unb64(hsm.stamp("one", new, "MODIFY")["timestamp"])).modify


def test_quorum_counts_different_approvers(hsm, keys, approver, refused):
    t = stamped(hsm, "two").encode()
    votes = [approver(n=n).signed_approval(t) for n in range(3)]
    again = approver(n=0).signed_approval(t)
    for few in ([], votes[:1], [votes[0], votes[0]], [votes[0], again]):
        with refused(701, "The provided approvals are insufficient."):
            hsm.sign("two", PAYLOAD, ALGORITHM, few)
    for enough in (votes[:2], votes[1:], votes, [votes[2], votes[0]]):
        assert hsm.sign("two", PAYLOAD, ALGORITHM, enough)


def test_groups_and_tokens(hsm, approver, refused):
    a, b, c = (approver(n=n) for n in range(3))
    hsm.create("shapes", policy=policy(rule(
        token(group(1, a), group(1, b), timeout=600), token(group(1, c), timeout=600))))
    t = stamped(hsm, "shapes").encode()
    for few in ([a], [b]):
        with refused(701, "insufficient"):
            hsm.sign("shapes", PAYLOAD, ALGORITHM, [x.signed_approval(t) for x in few])
    for enough in ([a, b], [c], [a, c]):
        assert hsm.sign("shapes", PAYLOAD, ALGORITHM, [x.signed_approval(t) for x in enough])


def test_tokens_without_timestamp(hsm, keys, approver, refused):
    bare = ska.Token(ska.USE, "bare", PAYLOAD).encode()
    assert hsm.sign("bare", PAYLOAD, ALGORITHM, [approver().signed_approval(bare)])
    limited = ska.Token(ska.USE, "one", PAYLOAD).encode()
    with refused(701, "insufficient"):
        hsm.sign("one", PAYLOAD, ALGORITHM, [approver().signed_approval(limited)])


def test_timelock_holds(hsm, approver, refused):
    hsm.create("locked", policy=quorum(1, approver(), timelock=60, timeout=600))
    t = stamped(hsm, "locked").encode()
    with refused(701, "insufficient"):
        hsm.sign("locked", PAYLOAD, ALGORITHM, [approver().signed_approval(t)])


def test_rules_that_ask_for_nobody(hsm, refused):
    hsm.create("free", policy=policy())
    hsm.create("free until", policy=policy(rule(token(timeout=600))))
    assert hsm.sign("free", PAYLOAD, ALGORITHM)
    assert hsm.sign("free until", PAYLOAD, ALGORITHM)
    with refused(600, "timelock"):
        hsm.create("waits", policy=policy(rule(token(timelock=60))))


def test_blocked_key(hsm, approver, refused):
    hsm.create("blocked", policy=dict(quorum(1, approver()), keyStatus={"blocked": True}))
    t = ska.Token(ska.USE, "blocked", PAYLOAD).encode()
    with refused(614, "blocked"):
        hsm.sign("blocked", PAYLOAD, ALGORITHM, [approver().signed_approval(t)])
    with refused(614, "blocked"):
        hsm.stamp("blocked", PAYLOAD, signatureAlgorithm=ALGORITHM)


# ---- each check violated alone: (name, what the message says, how the approval is made) ----

def forged_stamp(hsm, approver, **change):
    """A timestamp that the HSM's key did not sign."""
    t = stamped(hsm, "one")
    stamp = ska.Timestamp.decode(t.timestamp)
    for name, value in change.items():
        setattr(stamp, name, value)
    t.timestamp = stamp.encode()
    return t


def resign(t, signer):
    t.timestamp_signature = ska.signature_encode(signer.type, "SHA-256", signer.sign(t.timestamp,
                                                                                     "SHA-256"))
    return t


def changed(hsm, approver, **change):
    t = stamped(hsm, "one")
    for name, value in change.items():
        setattr(t, name, value)
    return approver().signed_approval(t.encode())


def other_payload(hsm, approver):
    return approver().signed_approval(stamped(hsm, "one", b"other").encode())


def stamp_of_other_payload(hsm, approver):
    t = stamped(hsm, "one", b"other")
    t.payload = PAYLOAD
    return approver().signed_approval(t.encode())


def stranger(hsm, approver):
    return approver("p521").signed_approval(stamped(hsm, "one").encode())


def wrong_signature(hsm, approver):
    signed = ska.SignedApproval.decode(unb64(approver("rsa").signed_approval(
        stamped(hsm, "one").encode())))
    raw = bytearray(signed.signature)
    raw[-1] ^= 1
    signed.signature = bytes(raw)
    return b64(signed.encode())


def signature_of_another(hsm, approver):
    t = stamped(hsm, "one").encode()
    mine = ska.SignedApproval.decode(unb64(approver("rsa").signed_approval(t)))
    theirs = ska.SignedApproval.decode(unb64(approver().signed_approval(t)))
    mine.signature = theirs.signature
    return b64(mine.encode())


def wrong_digest_named(hsm, approver):
    t = stamped(hsm, "one").encode()
    a = approver()
    signature = ska.signature_encode("EC", "SHA-512", a.sign(t, "SHA-256"))
    return b64(ska.SignedApproval(t, signature, a.spki).encode())


def token_of_another_key(hsm, approver):
    return approver().signed_approval(stamped(hsm, "other").encode())


def trailing_byte(hsm, approver):
    return b64(unb64(changed(hsm, approver)) + b"\0\0\0\0")


def modify_operation(hsm, approver):
    new = ska.policy_encode({})
    answer = hsm.stamp("one", new, "MODIFY")
    t = ska.Token(ska.MODIFY, "one", new, unb64(answer["timestamp"]),
                  unb64(answer["timestampSignatureWithAlgorithm"]))
    return approver().signed_approval(t.encode())


VIOLATIONS = [
    ("trailing bytes", "does not parse", trailing_byte),
    ("not a container", "does not parse", lambda h, a: b64(b"nonsense")),
    ("another operation", "operation", modify_operation),
    ("block operation", "operation", lambda h, a: a().signed_approval(ska.Token(
        ska.BLOCK, "one").encode())),
    ("another key", "another key", token_of_another_key),
    ("empty label", "another key", lambda h, a: changed(h, a, label="")),
    ("longer label", "another key", lambda h, a: changed(h, a, label="one ")),
    ("another payload", "another payload", other_payload),
    ("timestamp over another payload", "timestamp belongs to another payload",
     stamp_of_other_payload),
    ("timestamp of an unknown key", "not from a timestamp key", lambda h, a: a().signed_approval(
        resign(forged_stamp(h, a, key_label="my-own"), a()).encode())),
    ("timestamp of an ordinary key", "not from a timestamp key", lambda h, a: a().signed_approval(
        resign(forged_stamp(h, a, key_label="other"), a()).encode())),
    ("timestamp of the attestation key", "not from a timestamp key",
     lambda h, a: a().signed_approval(resign(
         forged_stamp(h, a, key_label="attestation-key"), a()).encode())),
    ("timestamp changed", "timestamp signature", lambda h, a: a().signed_approval(
        forged_stamp(h, a, seconds=1).encode())),
    ("timestamp signed by the approver", "timestamp signature", lambda h, a: a().signed_approval(
        resign(stamped(h, "one"), a()).encode())),
    ("stranger", "not in ruleUse", stranger),
    ("changed signature", "signature does not verify", wrong_signature),
    ("signature of another approver", "signature does not verify", signature_of_another),
    ("digest of another name", "signature does not verify", wrong_digest_named),
]


@pytest.mark.parametrize("name,says,make", VIOLATIONS, ids=[row[0] for row in VIOLATIONS])
def test_violation_refuses_the_whole_request(hsm, keys, approver, refused, name, says, make):
    bad = make(hsm, approver)
    good = approver().signed_approval(stamped(hsm, "one").encode())
    with refused(701, "approval 1: "):
        hsm.sign("one", PAYLOAD, ALGORITHM, [bad])
    with refused(701, says):
        hsm.sign("one", PAYLOAD, ALGORITHM, [bad])
    with refused(701, "approval 2: "):
        hsm.sign("one", PAYLOAD, ALGORITHM, [good, bad])
    with refused(701, "approval 1: "):
        hsm.sign("one", PAYLOAD, ALGORITHM, [bad, good])


def test_approvals_of_different_tokens_do_not_add_up(hsm, keys, approver, refused):
    first = second = stamped(hsm, "two").encode()
    end = time.monotonic() + 10
    while second == first:      # until the next second of the HSM's clock
        assert time.monotonic() < end
        time.sleep(0.05)
        second = stamped(hsm, "two").encode()
    with refused(701, "approval 2: its token differs from that of approval 1"):
        hsm.sign("two", PAYLOAD, ALGORITHM,
                 [approver(n=0).signed_approval(first), approver(n=1).signed_approval(second)])


def test_timestamp_of_another_hsm_with_the_same_label(hsm, keys, approver, refused):
    forger = Approver("p256")
    t = resign(forged_stamp(hsm, approver), forger)
    with refused(701, "timestamp signature"):
        hsm.sign("one", PAYLOAD, ALGORITHM, [approver().signed_approval(t.encode())])


def test_policy_survives_the_store(hsm, keys, approver):
    """What was created is what is enforced and attested after the file was read again."""
    before = hsm.attributes("two")["json"]["policy"]
    hsm.stop()
    hsm.start()
    assert hsm.attributes("two")["json"]["policy"] == before
    t = stamped(hsm, "two").encode()
    votes = [approver(n=n).signed_approval(t) for n in (1, 2)]
    assert hsm.sign("two", PAYLOAD, ALGORITHM, votes)
