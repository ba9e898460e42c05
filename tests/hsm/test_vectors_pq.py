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
SLH_DSA = json.loads((VECTORS / "slh-dsa-keys.json").read_text())["tests"]
ML_KEM = json.loads((VECTORS / "ml-kem-768.json").read_text())["tests"]
ATTRIBUTES = dict(EXTRACTABLE, sign=True, destroyable=True)


def der(tag, value):
    n = len(value)
    head = b"" if n < 128 else b"\x81" if n < 256 else b"\x82"
    return bytes([tag]) + head + n.to_bytes(2 if n > 255 else 1, "big") + value


def algorithm_identifier(arc):
    """arc below 2.16.840.1.101.3.4; without parameters."""
    return der(0x30, b"\x06\x09\x60\x86\x48\x01\x65\x03\x04" + arc)


def seeded(seed):
    """A private key that is its seed (RFC 9881, 6; RFC 9935, 6)."""
    return b"\x80" + bytes([len(seed) // 2]) + bytes.fromhex(seed)


def bring(hsm, label, algorithm, arc, private, public):
    """Both halves: PKCS#8 with this value, and SubjectPublicKeyInfo."""
    pkcs8 = der(0x30, b"\x02\x01\x00" + algorithm_identifier(arc) + der(0x04, private))
    spki = der(0x30, algorithm_identifier(arc) + der(0x03, b"\0" + public))
    return hsm.call("POST", "/v1/key/import/plain", {
        "label": label, "algorithm": algorithm, "attributes": ATTRIBUTES,
        "privateKey": b64(pkcs8), "publicKey": b64(spki)})


@pytest.mark.parametrize("algorithm", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"])
def test_ml_dsa(hsm, pq, algorithm):  # noqa: F811
    arc = b"\x03" + bytes([17 + ["44", "65", "87"].index(algorithm[-2:])])
    tests = [t for t in ML_DSA if t["algorithm"] == algorithm]
    assert len(tests) > 10
    for t in tests:
        label, bad_seed = "%s %d" % (algorithm, t["tcId"]), "PrivateKeyLength" in str(t["flags"])
        public = bytes.fromhex(t["publicKey"] or tests[0]["publicKey"])
        try:
            answer = bring(hsm, label, algorithm, arc, seeded(t["seed"]), public)
        except Refused as e:
            assert bad_seed and e.status == 400, t["comment"]
            continue
        assert not bad_seed, t["comment"]
        message, context = bytes.fromhex(t["msg"]), bytes.fromhex(t["ctx"])
        assert unb64(answer["json"]["publicKey"]).endswith(public)
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
        ciphertext, public = bytes.fromhex(t["c"]), bytes.fromhex(t["ek"] or ML_KEM[0]["ek"])
        try:
            answer = bring(hsm, label, "ML-KEM-768", b"\x04\x02", seeded(t["seed"]), public)
        except Refused as e:
            assert t["comment"].startswith("Private key") and e.status == 400, t["comment"]
            continue
        assert not t["comment"].startswith("Private key")
        assert unb64(answer["json"]["publicKey"]).endswith(public)
        kek = bytes.fromhex(t["K"]) or bytes(32)
        wrapped = ciphertext + keywrap.aes_key_wrap_with_padding(kek, value)
        if t["result"] == "invalid":
            with pytest.raises(Refused, match="Error unwrapping key"):
                unwrap(hsm, wrapped, label + " secret", "ML-KEM-768", label)
            continue
        unwrap(hsm, wrapped, label + " secret", "ML-KEM-768", label)
        assert opens(hsm, label + " secret", value), t["comment"]


@pytest.mark.parametrize("t", SLH_DSA, ids=lambda t: t["algorithm"])
def test_slh_dsa_keys(hsm, pq, t):  # noqa: F811
    """The root of a key follows from its seeds: another one than the published is refused."""
    family, size = t["algorithm"].split("-")[2:]
    arc = b"\x03" + bytes([20 + 6 * (family == "SHAKE") +
                           ["128s", "128f", "192s", "192f", "256s", "256f"].index(size)])
    value = bytes.fromhex(t["sk"])
    public = value[len(value) // 2:]
    answer = bring(hsm, t["algorithm"], t["algorithm"], arc, value, public)
    assert unb64(answer["json"]["publicKey"]).endswith(public)
    wrong = public[:-1] + bytes([public[-1] ^ 1])
    with pytest.raises(Refused) as e:
        bring(hsm, "never", t["algorithm"], arc, value[:len(value) // 2] + wrong, wrong)
    assert e.value.status == 400
    if size.endswith("f"):
        signature = hsm.sign(t["algorithm"], b"message", "SLH_DSA")
        assert hsm.verify(t["algorithm"], b"message", "SLH_DSA", signature)
