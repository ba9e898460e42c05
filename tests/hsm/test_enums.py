"""Every name of the API with every type of key: a result, or a refusal that says why."""
import os
import pathlib
import re

import pytest
from cryptography.hazmat.primitives import serialization

from approver import b64, unb64
from conftest import Refused
from test_secrets import VECTORS, both_halves, bring

SOURCE = pathlib.Path(__file__).parent.parent.parent
USES = {"decrypt": True, "sign": True, "unwrap": True, "destroyable": True, "extractable": True}
REASONS = (603, 605, 607)
PAYLOAD = b"sixteen bytes and 16 more of it."
NAME = r'"([^"]+)"'


def listed(array):
    """The names that the readers of requests take (api-notes.md 12)."""
    text = (SOURCE / "lib" / "wire" / "names.c").read_text()
    return re.findall(NAME, re.search(array + r"\[\] = \{(.*?)\};", text, re.S).group(1))


SIGNATURES = re.findall(r"^SCHEME\(" + NAME, (SOURCE / "lib/crypto/scheme_table.h").read_text(), re.M)
CIPHERS = listed("names_cipher")
WRAPS = listed("names_wrap")
ALGORITHMS = {
    "RSA": 2048, "EC": None, "ED": None, "DSA": 1024, "ISS": 1, "BLS": None, "AES": 256, "Camellia": 256,
    "ChaCha20": 256, "TDEA": None, "HMACSHA256": None, "DILITHIUM_L2": None, "DILITHIUM_L3": None,
    "DILITHIUM_L5": None, "SPHINCS_PLUS_SHAKE_L1": None, "SPHINCS_PLUS_SHAKE_L3": None,
    "SPHINCS_PLUS_SHAKE_L5": None, "KYBER512_WITH_SHAKE": None, "KYBER768_WITH_SHAKE": None,
    "KYBER1024_WITH_SHAKE": None, "KYBER512_WITH_SHA2_AES": None, "KYBER768_WITH_SHA2_AES": None,
    "KYBER1024_WITH_SHA2_AES": None}
NEW_ALGORITHMS = (["ML-KEM-%d" % n for n in (512, 768, 1024)] + ["ML-DSA-%d" % n for n in (44, 65, 87)] +
                  ["SLH-DSA-%s-%d%s" % (h, n, v) for h in ("SHA2", "SHAKE") for n in (128, 192, 256)
                   for v in "sf"] + ["LMS", "XMSS-SHA256_10_256", "XMSS-SHAKE256_10_256"])
# One of each kind of parameter sets, and all that wrap; where OpenSSL has them (3.5).
SETS = ["ML-DSA-44", "SLH-DSA-SHA2-128f", "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"]
# Where the build has Botan 3. Such keys do not leave.
STATEFUL = ["LMS", "XMSS-SHA256_10_256"]
CURVES = ["1.3.132.0.32", "1.3.132.0.33", "1.3.132.0.10", "1.2.840.10045.3.1.7", "1.3.132.0.34",
          "1.3.132.0.35", "1.2.840.10045.3.1.4", "1.2.840.10045.3.1.5", "1.2.840.10045.3.1.6",
          "1.3.36.3.3.2.8.1.1.5", "1.3.36.3.3.2.8.1.1.7", "1.3.36.3.3.2.8.1.1.9",
          "1.3.36.3.3.2.8.1.1.11", "1.3.36.3.3.2.8.1.1.13", "1.2.250.1.223.101.256.1",
          "23.a1.b1.x3.y10.g28.h1"]


def tried(call):
    """The answer, or None for a refusal with a reason."""
    try:
        return call()
    except Refused as e:
        assert e.code in REASONS and len(e.message) > 20, str(e)
        return None


@pytest.fixture(scope="module")
def keys(hsm):
    """One key of each type that this HSM makes or takes."""
    made = []
    for algorithm, size in dict(ALGORITHMS, **dict.fromkeys(SETS)).items():
        more = {} if size is None else {"keySize": size}
        if tried(lambda: hsm.create(algorithm, algorithm, attributes=USES, **more)):
            made.append(algorithm)
    for algorithm in STATEFUL:
        if tried(lambda: hsm.create(algorithm, algorithm, attributes=dict(USES, extractable=False))):
            made.append(algorithm)
    dsa = serialization.load_pem_public_key((VECTORS / "dsa-public.pem").read_bytes()).parameters()
    bring(hsm, "DSA", "DSA", **both_halves(dsa.generate_private_key()))
    made.append("DSA")
    assert set(made) - set(SETS) - set(STATEFUL) == {
        "RSA", "EC", "ED", "DSA", "AES", "Camellia", "ChaCha20", "TDEA", "HMACSHA256"}
    assert len(set(made) & set(SETS)) in (0, len(SETS))
    assert len(set(made) & set(STATEFUL)) in (0, len(STATEFUL))
    return made


@pytest.mark.parametrize("algorithm", NEW_ALGORITHMS)
def test_new_key_algorithms(hsm, algorithm):
    if algorithm in ("SLH-DSA-SHA2-256s", "SLH-DSA-SHAKE-256s"):
        pytest.skip("takes seconds to make, and has tests of its own")
    tried(lambda: hsm.create("new " + algorithm, algorithm, attributes=dict(USES, extractable=False)))


@pytest.mark.parametrize("oid", CURVES)
def test_curves(hsm, oid):
    tried(lambda: hsm.create("on " + oid, curveOid=oid))


def digest_of(name):
    """A payload of the size that the name asks for."""
    size = re.match(r"NONESHA(\d+)_", name)
    return os.urandom({"1": 160}.get(size.group(1), int(size.group(1))) // 8) if size else PAYLOAD


def test_signatures(hsm, keys):
    signed = {}
    for name in SIGNATURES:
        for label in keys:
            payload = digest_of(name)
            signature = tried(lambda: hsm.sign(label, payload, name))
            if signature is None:
                continue
            signed.setdefault(name, []).append(label)
            if label != "HMACSHA256":
                assert hsm.verify(label, payload, name, signature), (name, label)
    for name in SIGNATURES:
        kind = re.search(r"_WITH_(RSA|ECDSA|DSA)", name)
        if kind:
            assert signed[name] == [kind.group(1).replace("ECDSA", "EC")], name
    for name in STATEFUL:
        assert signed.get(name, []) == [label for label in keys if label == name]
    assert signed["EDDSA"] == ["ED"] and signed["HMAC_SHA256"] == ["HMACSHA256"]


def test_ciphers(hsm, keys):
    used = {}
    for name in CIPHERS:
        for label in keys:
            answer = tried(lambda: hsm.call("POST", "/v1/encrypt", {"encryptRequest": {
                "payload": b64(PAYLOAD), "encryptKeyName": label, "cipherAlgorithm": name,
                "additionalAuthenticationData": b64(b"data")}}, "KO"))
            if answer is None:
                continue
            used.setdefault(name, []).append(label)
            plain = unb64(hsm.call("POST", "/v1/synchronousDecrypt", {"decryptRequest": {
                "encryptedPayload": answer["encryptedPayload"], "decryptKeyName": label,
                "cipherAlgorithm": name, "initializationVector": answer["initializationVector"],
                "additionalAuthenticationData": b64(b"data")}}, "KO")["payload"])
            assert plain[-len(PAYLOAD):] == PAYLOAD, (name, label)
    assert sorted(used) == sorted(CIPHERS)
    assert all(len(labels) == 1 for labels in used.values()), used


def test_wraps(hsm, keys):
    used = {}
    for name in WRAPS:
        for by in keys:
            for label in keys:
                answer = tried(lambda: hsm.call("POST", "/v1/wrap", {"wrapKeyRequest": {
                    "keyToBeWrapped": label, "wrapKeyName": by, "wrapMethod": name}}, "KO"))
                if answer is None:
                    continue
                new = "%s %s %s" % (name, by, label)
                hsm.call("POST", "/v1/synchronousUnwrap", {"unwrapKeyRequest": {
                    "wrappedKey": answer["wrappedKey"], "label": new, "attributes": USES,
                    "unwrapKeyName": by, "wrapMethod": name}}, "KO")
                assert hsm.call("POST", "/v1/key/export/plain", {"label": new}) == \
                    hsm.call("POST", "/v1/key/export/plain", {"label": label}), new
                used.setdefault(name, set()).add(label)
    secrets = {"AES", "Camellia", "ChaCha20", "TDEA", "HMACSHA256"}
    for name in WRAPS:
        kind = re.search(r"(?<=_)(RSA|EC|ED|DSA|BLS)$", name)
        if name in SETS and name not in keys:
            assert name not in used
            continue
        assert used.get(name, set()) == ({kind.group(1)} - {"BLS"} if kind else secrets), name


def test_names_of_wrong_curves_mean_none(hsm, refused):
    """Four printed OIDs are of other curves than the names beside them (api-notes.md 12.6)."""
    for oid in ("1.2.840.10045.3.1.1", "1.2.840.10045.3.1.2", "1.2.840.10045.3.1.3",
                "1.3.36.3.3.2.8.1.1.1"):
        with refused(600, "Unsupported Curve"):
            hsm.create("wrong", curveOid=oid)
