"""The tests' own encoder and decoder against published samples (no site needed)."""
import base64
import hashlib
import json
import pathlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import keccak
import ska
from approver import Approver, unb64, verify

pytestmark = pytest.mark.no_site

PATH = pathlib.Path(__file__).parent.parent / "vectors" / "approval-tokens.json"
VECTORS = json.loads(PATH.read_text())
HASH_NAMES = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512", "sha224": "SHA-224"}


def of_kind(kind):
    return pytest.mark.parametrize("v", [pytest.param(v, id=v["name"]) for v in VECTORS
                                         if v["kind"] == kind])


def policy_json(decoded):
    """A policy as the vector file spells it, as the API spells it."""
    out = {}
    for r in decoded["policy"]["rules"] if "policy" in decoded else decoded["rules"]:
        tokens = [{"name": t["name"], "timelock": t["timelock_seconds"],
                   "timeout": t["timeout_seconds"],
                   "groups": [{"name": g["name"], "quorum": g["quorum"],
                               "approvals": [{"type": a["type"], "name": a["name"],
                                              "value": a["value"]} for a in g["approvers"]]}
                              for g in t["groups"]]} for t in r["tokens"]]
        out["rule" + r["rule"].capitalize()] = {"tokens": tokens}
    return out


def payload_bytes(decoded):
    return bytes.fromhex(decoded["hex"]) if "hex" in decoded \
        else ska.policy_encode(policy_json(decoded))


def signature_bytes(decoded):
    names = {oid: k for k, oid in ska.SIGNATURE_OIDS.items()}
    return ska.signature_encode(*names[decoded["oid"]], bytes.fromhex(decoded["signature"]))


def timestamp_of(decoded):
    modify = "policy" in decoded["payload"]
    return ska.Timestamp(decoded["seconds"], decoded["key_label"],
                         payload_bytes(decoded["payload"]), modify)


def token_of(decoded):
    out = ska.Token(decoded["operation"], decoded["label"], payload_bytes(decoded["payload"]))
    if "timestamp" in decoded:
        out.timestamp = timestamp_of(decoded["timestamp"]).encode()
        out.timestamp_signature = signature_bytes(decoded["timestamp_signature"])
    return out


def load_key(entry):
    der = base64.b64decode(entry["key"])
    if entry["key_type"] == "certificate":
        return x509.load_der_x509_certificate(der).public_key()
    return serialization.load_der_public_key(der)


@of_kind("approval-token")
def test_approval_token(v):
    whole = base64.b64decode(v["base64"])
    token = ska.Token.decode(whole)
    assert token == token_of(v["decoded"])
    assert token.encode() == whole
    for s in v.get("signatures", []):
        if s["what"] == "approver":
            assert verify(load_key(s), HASH_NAMES[s["digest"]], whole,
                          base64.b64decode(s["signature"]))
        else:
            _, digest, raw = ska.signature_decode(token.timestamp_signature)
            assert verify(load_key(s), digest, token.timestamp, raw)


@of_kind("signed-approval")
def test_signed_approval(v):
    whole = base64.b64decode(v["base64"])
    approval = ska.SignedApproval.decode(whole)
    assert approval.encode() == whole
    assert ska.Token.decode(approval.token) == token_of(v["decoded"]["approval_token"])
    _, digest, raw = ska.signature_decode(approval.signature)
    key = serialization.load_der_public_key(approval.approver)
    assert verify(key, digest, approval.token, raw)
    assert not verify(key, digest, approval.token + b"\0", raw)


@of_kind("timestamp-token")
def test_timestamp(v):
    whole = base64.b64decode(v["base64"])
    assert ska.Timestamp.decode(whole) == timestamp_of(v["decoded"])
    assert timestamp_of(v["decoded"]).encode() == whole


@of_kind("policy")
def test_policy(v):
    whole = base64.b64decode(v["base64"])
    assert ska.policy_decode(whole) == policy_json(v["decoded"])
    assert ska.policy_encode(policy_json(v["decoded"])) == whole


@of_kind("unwrap-payload")
def test_unwrap_payload(v):
    whole = base64.b64decode(v["base64"])
    payload = ska.UnwrapPayload.decode(whole)
    assert payload.encode() == whole
    assert payload.capabilities == v["decoded"]["capability_flags"]
    assert payload.access == v["decoded"]["access_flags"]
    assert payload.label == v["decoded"]["label"]


@of_kind("der-signature")
def test_signature_with_algorithm(v):
    whole = base64.b64decode(v["base64"])
    key_type, digest, raw = ska.signature_decode(whole)
    assert raw == bytes.fromhex(v["decoded"]["signature"])
    assert ska.signature_encode(key_type, digest, raw) == whole


@of_kind("key-attributes")
def test_key_attributes_signature(v):
    (s,) = v["signatures"]
    xml = base64.b64decode(v["base64"])
    assert verify(load_key(s), "SHA-256", xml, base64.b64decode(s["signature"]))
    assert not verify(load_key(s), "SHA-256", xml.rstrip(b"\n"), base64.b64decode(s["signature"]))


@pytest.mark.parametrize("v", [pytest.param(v, id=v["name"]) for v in VECTORS
                               if v["kind"] == "approval-token"])
def test_no_second_reading(v):
    """Cutting, extending or padding a token never gives another token."""
    whole = base64.b64decode(v["base64"])
    broken = [whole[:-1], whole[:-4], whole + b"\0\0\0\0", whole[4:], b"",
              bytes([whole[0] ^ 1]) + whole[1:], whole[:8] + b"\x09" + whole[9:]]
    broken += [whole[:i] + b"\xff" + whole[i + 1:] for i in (3, 5, 7, 11, 15)]
    for b in broken:
        with pytest.raises(ska.Malformed):
            ska.Token.decode(b)


def test_null_rule_and_empty_rule_differ():
    always = ska.policy_decode(ska.policy_encode({}))
    assert always["ruleUse"] is None
    never = ska.policy_decode(ska.policy_encode({"ruleUse": {"tokens": []}}))
    assert never["ruleUse"] == {"tokens": []}


@pytest.mark.parametrize("n", [0, 1, 3, 4, 65534, 65535, 65536])
def test_element_lengths(n):
    token = ska.Token(ska.USE, "k", b"p" * n)
    assert ska.Token.decode(token.encode()) == token
    assert len(token.encode()) % 4 == 0


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521", "secp256k1", "ed25519"])
def test_approver_signatures(kind):
    approver = Approver(kind, "a")
    token = ska.Token(ska.USE, "k", b"p").encode()
    approval = ska.SignedApproval.decode(unb64(approver.signed_approval(token)))
    key_type, digest, raw = ska.signature_decode(approval.signature)
    assert (key_type, digest) == (approver.type, approver.digest)
    assert verify(approver.public, digest, approval.token, raw)


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_keccak_is_sha3_but_for_the_padding(bits):
    for n in (0, 1, 71, 72, 135, 136, 137, 500):
        data = b"x" * n
        assert keccak.keccak(bits, data, 0x06) == hashlib.new("sha3_%d" % bits, data).digest()


def test_keccak_of_nothing():
    expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak.keccak(256, b"").hex() == expected
