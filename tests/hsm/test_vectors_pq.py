"""Published vectors of ML-DSA and ML-KEM through tsb-hsm (tests/vectors/README says whose)."""
import json
import pathlib

import pytest
from cryptography.hazmat.primitives import keywrap

from approver import b64, unb64
from conftest import Refused
from test_pq import EXTRACTABLE, offered, opens, pq, unwrap, verify  # noqa: F401 (fixtures)

VECTORS = pathlib.Path(__file__).parent.parent / "vectors"
ML_DSA = json.loads((VECTORS / "ml-dsa.json").read_text())["tests"]
ML_KEM = json.loads((VECTORS / "ml-kem-768.json").read_text())["tests"]
ATTRIBUTES = dict(EXTRACTABLE, sign=True, destroyable=True)


def pkcs8(arc, seed):
    """A private key as its seed (RFC 9881, 6; RFC 9935, 6); arc below 2.16.840.1.101.3.4."""
    value = b"\x80" + bytes([len(seed)]) + seed
    private = b"\x04" + bytes([len(value)]) + value
    body = b"\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04" + arc + private
    head = bytes([len(body)]) if len(body) < 128 else b"\x81" + bytes([len(body)])
    return b"\x30" + head + body


def bring(hsm, label, algorithm, arc, seed):
    return hsm.call("POST", "/v1/key/import/plain", {
        "label": label, "algorithm": algorithm, "attributes": ATTRIBUTES,
        "privateKey": b64(pkcs8(arc, bytes.fromhex(seed)))})


@pytest.mark.parametrize("algorithm", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"])
def test_ml_dsa(hsm, pq, algorithm):  # noqa: F811
    arc = b"\x03" + bytes([17 + ["44", "65", "87"].index(algorithm[-2:])])
    tests = [t for t in ML_DSA if t["algorithm"] == algorithm]
    assert len(tests) > 10
    for t in tests:
        label, bad_seed = "%s %d" % (algorithm, t["tcId"]), "PrivateKeyLength" in str(t["flags"])
        try:
            answer = bring(hsm, label, algorithm, arc, t["seed"])
        except Refused as e:
            assert bad_seed and e.status == 400, t["comment"]
            continue
        assert not bad_seed, t["comment"]
        message, context = bytes.fromhex(t["msg"]), bytes.fromhex(t["ctx"])
        assert unb64(answer["json"]["publicKey"]).hex().endswith(t["publicKey"])
        if t["result"] == "invalid":
            with pytest.raises(Refused, match="context") as e:
                hsm.sign(label, message, "ML_DSA", context=b64(context) or None)
            assert e.value.code == 600
            continue
        assert verify(hsm, label, "ML_DSA", bytes.fromhex(t["sig"]), context, message), t["comment"]
        own = hsm.sign(label, message, "ML_DSA", context=b64(context) or None)
        assert verify(hsm, label, "ML_DSA", own, context, message)


def test_ml_kem_768(hsm, pq):  # noqa: F811
    value = bytes(range(32))
    for t in ML_KEM:
        label = "ML-KEM %d" % t["tcId"]
        ciphertext = bytes.fromhex(t["c"])
        try:
            answer = bring(hsm, label, "ML-KEM-768", b"\x04\x02", t["seed"])
        except Refused as e:
            assert t["comment"].startswith("Private key") and e.status == 400, t["comment"]
            continue
        assert not t["comment"].startswith("Private key")
        assert unb64(answer["json"]["publicKey"]).hex().endswith(t["ek"])
        kek = bytes.fromhex(t["K"]) or bytes(32)
        wrapped = ciphertext + keywrap.aes_key_wrap_with_padding(kek, value)
        if t["result"] == "invalid":
            with pytest.raises(Refused, match="Error unwrapping key"):
                unwrap(hsm, wrapped, label + " secret", "ML-KEM-768", label)
            continue
        unwrap(hsm, wrapped, label + " secret", "ML-KEM-768", label)
        assert opens(hsm, label + " secret", value), t["comment"]
