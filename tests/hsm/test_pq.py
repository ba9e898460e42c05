"""ML-DSA, SLH-DSA and ML-KEM, where OpenSSL has them (3.5); elsewhere 607 (api-notes.md 12)."""
import hashlib
import os
import subprocess

import pytest

import ska
from approver import b64, quorum, unb64
from conftest import Refused
from test_wrapping import opens, unwrap, wrap

ML_DSA = {"ML-DSA-44": (17, 2420), "ML-DSA-65": (18, 3309), "ML-DSA-87": (19, 4627)}
SLH_DSA = {"SLH-DSA-%s-%s" % (h, size): (20 + i + 6 * j, n)
           for j, h in enumerate(("SHA2", "SHAKE"))
           for i, (size, n) in enumerate((("128s", 7856), ("128f", 17088), ("192s", 16224),
                                          ("192f", 35664), ("256s", 29792), ("256f", 49856)))}
ML_KEM = {"ML-KEM-512": 768, "ML-KEM-768": 1088, "ML-KEM-1024": 1568}
SIGNING = dict(ML_DSA, **SLH_DSA)

# number below 2.16.840.1.101.3.4.2 and digest of each pre-hash form (FIPS 204, 5.4.1)
PRE_HASHES = {"SHA2_224": (4, hashlib.sha224), "SHA2_256": (1, hashlib.sha256),
              "SHA2_384": (2, hashlib.sha384), "SHA2_512": (3, hashlib.sha512),
              "SHA3_224": (7, hashlib.sha3_224), "SHA3_256": (8, hashlib.sha3_256),
              "SHA3_384": (9, hashlib.sha3_384), "SHA3_512": (10, hashlib.sha3_512),
              "SHAKE_128": (11, None), "SHAKE_256": (12, None)}
PAYLOAD = b"pay 100 to harro"
EXTRACTABLE = {"extractable": True, "decrypt": True, "unwrap": True}


def message(pre_hash, context, payload):
    """M' of a pre-hash form."""
    number, digest = PRE_HASHES[pre_hash]
    if digest:
        hashed = digest(payload).digest()
    elif pre_hash == "SHAKE_128":
        hashed = hashlib.shake_128(payload).digest(32)
    else:
        hashed = hashlib.shake_256(payload).digest(64)
    oid = bytes.fromhex("06096086480165030402") + bytes([number])
    return b"\1" + bytes([len(context)]) + context + oid + hashed


def openssl_verifies(tmp_path, answer, signature, what, *options):
    """OpenSSL's program takes the signature over what."""
    for name, content in (("key", unb64(answer["json"]["publicKey"])), ("sig", signature),
                          ("in", what)):
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey",
         str(tmp_path / "key"), "-rawin", "-in", str(tmp_path / "in"), "-sigfile",
         str(tmp_path / "sig"), *[a for o in options for a in ("-pkeyopt", o)]],
        capture_output=True, timeout=60)
    return b"Verified Successfully" in done.stdout


@pytest.fixture(scope="module")
def offered(hsm):
    try:
        hsm.create("is there ML-DSA", "ML-DSA-44")
    except Refused as e:
        assert e.code == 607 and "ML-DSA needs OpenSSL 3.5" in e.message
        return False
    return True


@pytest.fixture
def pq(offered):
    if not offered:
        pytest.skip("needs OpenSSL 3.5")


@pytest.mark.parametrize("algorithm", sorted(SIGNING) + sorted(ML_KEM))
def test_where_openssl_has_none_607_says_so(hsm, offered, algorithm):
    if offered:
        pytest.skip("this OpenSSL has them")
    with pytest.raises(Refused, match=algorithm.rsplit("-", 1)[0][:6] + ".*needs OpenSSL 3.5") as e:
        hsm.create("none", algorithm)
    assert (e.value.status, e.value.code) == (400, 607)


def test_where_openssl_has_none_a_key_of_another_kind_says_so_too(hsm, offered):
    hsm.create("another kind")
    for algorithm in ("ML_DSA", "DILITHIUM", "SLH_DSA", "SHAKE_256_WITH_SLH_DSA"):
        with pytest.raises(Refused) as e:
            hsm.sign("another kind", PAYLOAD, algorithm)
        assert e.value.code == 607
        assert ("needs OpenSSL 3.5" in e.value.message) != offered


def test_keys_of_every_parameter_set(hsm, pq):
    for algorithm, (number, _) in SIGNING.items():
        answer = hsm.create(algorithm, algorithm)["json"]
        assert (answer["algorithm"], answer["algorithmOid"]) == (
            algorithm, "2.16.840.1.101.3.4.3.%d" % number)
        assert answer["curveOid"] is None and answer["keySize"] is None
        assert hsm.attributes(algorithm)["json"]["publicKey"] == answer["publicKey"]
    for number, algorithm in enumerate(ML_KEM, 1):
        answer = hsm.create(algorithm, algorithm, attributes={"unwrap": True})["json"]
        assert answer["algorithmOid"] == "2.16.840.1.101.3.4.4.%d" % number
    by_oid = hsm.create("by oid", None, algorithmOid="2.16.840.1.101.3.4.3.18")
    assert by_oid["json"]["algorithm"] == "ML-DSA-65"
    for members in ({"algorithm": "ML-DSA-65", "algorithmOid": "2.16.840.1.101.3.4.3.17"},
                    {"algorithm": "ML-DSA"}, {"algorithm": "ML-DSA-66"}):
        with pytest.raises(Refused) as e:
            hsm.create("never", **members)
        assert e.value.code == 600


@pytest.mark.parametrize("algorithm", list(ML_DSA) + ["SLH-DSA-SHA2-128f", "SLH-DSA-SHAKE-128f",
                                                     "SLH-DSA-SHA2-256f"])
def test_signatures_with_and_without_context(hsm, pq, tmp_path, algorithm):
    label, name = "signs " + algorithm, algorithm[:algorithm.index("DSA") + 3].replace("-", "_")
    answer = hsm.create(label, algorithm)
    signature = hsm.sign(label, PAYLOAD, name)
    assert len(signature) == SIGNING[algorithm][1]
    assert openssl_verifies(tmp_path, answer, signature, PAYLOAD)
    assert hsm.verify(label, PAYLOAD, name, signature)
    assert not hsm.verify(label, PAYLOAD + b".", name, signature)
    context = os.urandom(255)
    signature = hsm.sign(label, PAYLOAD, name, context=b64(context))
    assert openssl_verifies(tmp_path, answer, signature, PAYLOAD,
                            "hexcontext-string:" + context.hex())
    assert not hsm.verify(label, PAYLOAD, name, signature)
    assert verify(hsm, label, name, signature, context)
    assert not verify(hsm, label, name, signature, context[:-1])


def verify(hsm, label, algorithm, signature, context, payload=PAYLOAD):
    return hsm.call("POST", "/v1/verify", {"verifySignatureRequest": {
        "signKeyName": label, "signatureAlgorithm": algorithm, "payload": b64(payload),
        "signature": b64(signature), "context": b64(context) or None}}, "KO")["signatureValid"]


@pytest.mark.parametrize("pre_hash", sorted(PRE_HASHES))
def test_pre_hash_forms(hsm, pq, tmp_path, pre_hash):
    label, name = "hashes " + pre_hash, pre_hash + "_WITH_ML_DSA"
    answer = hsm.create(label, "ML-DSA-44")
    for context in (b"", b"a context"):
        signature = hsm.sign(label, PAYLOAD, name, context=b64(context) if context else None)
        assert openssl_verifies(tmp_path, answer, signature, message(pre_hash, context, PAYLOAD),
                                "message-encoding:0")
        assert verify(hsm, label, name, signature, context) if context else hsm.verify(
            label, PAYLOAD, name, signature)
        assert not hsm.verify(label, PAYLOAD, "ML_DSA", signature)


def test_pre_hash_form_of_slh_dsa(hsm, pq, tmp_path):
    answer = hsm.create("hashes too", "SLH-DSA-SHAKE-128f")
    signature = hsm.sign("hashes too", PAYLOAD, "SHAKE_128_WITH_SLH_DSA")
    assert openssl_verifies(tmp_path, answer, signature, message("SHAKE_128", b"", PAYLOAD),
                            "message-encoding:0")


def test_older_names_are_for_the_same_keys(hsm, pq):
    for label, algorithm, old, new in (("old d", "ML-DSA-44", "DILITHIUM", "ML_DSA"),
                                       ("old s", "SLH-DSA-SHA2-128f", "SPHINCS_PLUS", "SLH_DSA")):
        hsm.create(label, algorithm)
        assert hsm.verify(label, PAYLOAD, new, hsm.sign(label, PAYLOAD, old))


def test_what_does_not_fit_is_refused(hsm, pq):
    hsm.create("fits", "ML-DSA-44")
    for algorithm, members, code in (
            ("SLH_DSA", {}, 607), ("EDDSA", {}, 607), ("ML_DSA_M", {}, 607),
            ("ML_DSA", {"context": b64(bytes(256))}, 600)):
        with pytest.raises(Refused) as e:
            hsm.sign("fits", PAYLOAD, algorithm, **members)
        assert e.value.code == code, algorithm


def test_a_context_goes_with_no_other_kind(hsm):
    hsm.create("no context")
    with pytest.raises(Refused, match="context") as e:
        hsm.sign("no context", PAYLOAD, "SHA256_WITH_ECDSA", context=b64(b"c"))
    assert e.value.code == 600


def test_policies_and_passwords_hold(hsm, pq, approver):
    hsm.create("guarded", "ML-DSA-65", policy=quorum(1, approver(), timeout=600), password="pass")
    with pytest.raises(Refused) as e:
        hsm.sign("guarded", PAYLOAD, "ML_DSA", keyPassword="pass")
    assert e.value.code == 701
    stamp = hsm.stamp("guarded", PAYLOAD, keyPassword="pass")
    token = ska.Token(ska.USE, "guarded", PAYLOAD, unb64(stamp["timestamp"]),
                      unb64(stamp["timestampSignatureWithAlgorithm"])).encode()
    assert hsm.sign("guarded", PAYLOAD, "ML_DSA", [approver().signed_approval(token)],
                    keyPassword="pass")


@pytest.mark.parametrize("algorithm", ["ML-DSA-44", "ML-DSA-87", "SLH-DSA-SHA2-128f", "ML-KEM-512"])
def test_pairs_leave_and_come_back(hsm, pq, algorithm):
    label = "travels " + algorithm
    hsm.create(label, algorithm, attributes=EXTRACTABLE)
    left = hsm.call("POST", "/v1/key/export/plain", {"label": label})
    body = {"label": label + " back", "algorithm": algorithm, "attributes": dict(
        EXTRACTABLE, sign=True, destroyable=True), "privateKey": left["privateKey"]}
    back = hsm.call("POST", "/v1/key/import/plain", dict(body, publicKey=left["publicKey"]))
    assert back["json"]["publicKey"] == left["publicKey"]
    assert 'creation="imported"' in back["xml"]
    lone = hsm.call("POST", "/v1/key/import/plain", {
        "label": label + " lone", "algorithm": algorithm, "publicKey": left["publicKey"]})
    assert lone["json"]["algorithm"] == algorithm
    if "KEM" not in algorithm:
        name = algorithm[:algorithm.index("DSA") + 3].replace("-", "_")
        assert hsm.verify(label + " lone", PAYLOAD, name, hsm.sign(label + " back", PAYLOAD, name))
    hsm.call("DELETE", "/v1/key/" + (label + " back").replace(" ", "%20"))
    # of another kind, of another parameter set, damaged
    for other in ({"algorithm": "EC"}, {"algorithm": "ML-DSA-65"},
                  {"privateKey": left["privateKey"][:-8]}):
        with pytest.raises(Refused) as e:
            hsm.call("POST", "/v1/key/import/plain", dict(body, label="never", **other))
        assert e.value.status == 400


def test_halves_that_do_not_belong_together_are_refused(hsm, pq):
    for algorithm in ("ML-DSA-44", "SLH-DSA-SHA2-128f", "ML-KEM-512"):
        one, two = (half(hsm, "half %d %s" % (n, algorithm), algorithm) for n in (1, 2))
        mixed = {"label": "mixed", "algorithm": algorithm, "privateKey": one["privateKey"],
                 "attributes": dict(EXTRACTABLE, sign=True)}
        with pytest.raises(Refused) as e:
            hsm.call("POST", "/v1/key/import/plain", dict(mixed, publicKey=two["publicKey"]))
        assert e.value.status == 400
        # the private half ends with what belongs to the public one: it has to be the right one
        private = bytearray(unb64(one["privateKey"]))
        private[-1] ^= 1
        with pytest.raises(Refused) as e:
            hsm.call("POST", "/v1/key/import/plain", dict(mixed, privateKey=b64(bytes(private))))
        assert e.value.status == 400


def half(hsm, label, algorithm):
    hsm.create(label, algorithm, attributes=EXTRACTABLE)
    return hsm.call("POST", "/v1/key/export/plain", {"label": label})


@pytest.mark.parametrize("method", sorted(ML_KEM))
def test_secret_keys_travel_under_ml_kem(hsm, pq, method):
    by = "wraps " + method
    hsm.create(by, method, attributes={"unwrap": True})
    for bits in (128, 192, 256):
        goods = "goods %s %d" % (method, bits)
        hsm.create(goods, "AES", keySize=bits, attributes=EXTRACTABLE | {"encrypt": True})
        value = unb64(hsm.call("POST", "/v1/key/export/plain", {"label": goods})["secretKey"])
        wrapped = wrap(hsm, goods, by, method)
        assert len(wrapped) == ML_KEM[method] + bits // 8 + 8
        assert wrapped != wrap(hsm, goods, by, method)
        unwrap(hsm, wrapped, goods + " back", method, by)
        assert opens(hsm, goods + " back", value)
    for broken in (wrapped[:-1], wrapped[:ML_KEM[method]], wrapped[:10], bytes(len(wrapped)),
                   bytes([wrapped[0] ^ 1]) + wrapped[1:], wrapped[:-1] + bytes([wrapped[-1] ^ 1])):
        with pytest.raises(Refused, match="Error unwrapping key"):
            unwrap(hsm, broken, "never", method, by)


def test_methods_of_other_sets_and_kinds_are_refused(hsm, pq):
    hsm.create("kem", "ML-KEM-768", attributes={"unwrap": True})
    hsm.create("pair that leaves", "EC", attributes=EXTRACTABLE)
    hsm.create("secret that leaves", "AES", keySize=128, attributes=EXTRACTABLE)
    for goods, method in (("secret that leaves", "ML-KEM-512"), ("secret that leaves", "AES_WRAP"),
                          ("pair that leaves", "ML-KEM-768")):
        with pytest.raises(Refused) as e:
            wrap(hsm, goods, "kem", method)
        assert e.value.code == 607


def test_files_survive_a_restart(hsm, pq):
    hsm.create("stays", "ML-DSA-65")
    hsm.stop()
    hsm.start()
    assert hsm.attributes("stays")["json"]["algorithm"] == "ML-DSA-65"
    assert hsm.verify("stays", PAYLOAD, "ML_DSA", hsm.sign("stays", PAYLOAD, "ML_DSA"))


@pytest.mark.parametrize("algorithm", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"])
def test_approvers_have_ml_dsa_keys(hsm, pq, tmp_path, algorithm):
    """Made and used by OpenSSL's program; the token format has the OIDs (token-format.md 4)."""
    def openssl(*args):
        return subprocess.run(["openssl", *args], capture_output=True, check=True,
                              timeout=60).stdout
    key, label = str(tmp_path / "key.pem"), "approved by " + algorithm
    openssl("genpkey", "-algorithm", algorithm, "-out", key)
    spki = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
    certificate = openssl("req", "-x509", "-key", key, "-subj", "/CN=anna", "-outform", "DER")
    for form, value in (("public_key", spki), ("certificate", certificate)):
        name = "%s as %s" % (label, form)
        hsm.create(name, policy=in_policy(form, value))
        stamp = hsm.stamp(name, PAYLOAD)
        token = ska.Token(ska.USE, name, PAYLOAD, unb64(stamp["timestamp"]),
                          unb64(stamp["timestampSignatureWithAlgorithm"])).encode()
        (tmp_path / "token").write_bytes(token)
        raw = openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", str(tmp_path / "token"))
        assert hsm.sign(name, PAYLOAD, "SHA256_WITH_ECDSA", [approval(token, spki, algorithm, raw)])
        with pytest.raises(Refused) as e:
            hsm.sign(name, PAYLOAD, "SHA256_WITH_ECDSA",
                     [approval(token, spki, algorithm, raw[:-1] + bytes([raw[-1] ^ 1]))])
        assert e.value.code == 701


def in_policy(form, value):
    approval = {"type": form, "value": b64(value)}
    if form == "public_key":
        approval["name"] = "anna"  # a certificate has its own
    rule = {"tokens": [{"name": "t", "timelock": 0, "timeout": 600, "groups": [
        {"name": "g", "quorum": 1, "approvals": [approval]}]}]}
    return {"ruleUse": rule, "ruleBlock": None, "ruleUnblock": None, "ruleModify": None}


def approval(token, spki, algorithm, raw):
    """A signed approval whose AlgorithmIdentifier has no parameters (RFC 9881)."""
    arc = 17 + ["44", "65", "87"].index(algorithm[-2:])
    oid = bytes.fromhex("300b06096086480165030403") + bytes([arc])
    bits = b"\x03\x82" + (len(raw) + 1).to_bytes(2, "big") + b"\0" + raw
    der = b"\x30\x82" + (len(oid) + len(bits)).to_bytes(2, "big") + oid + bits
    return b64(ska.SignedApproval(token, der, spki).encode())


def test_approvers_without_openssl_3_5(hsm, offered):
    if offered:
        pytest.skip("this OpenSSL has ML-DSA")
    spki = bytes.fromhex("30820532300b06096086480165030403110382052100") + b"\1" * 1312
    with pytest.raises(Refused, match="ML-DSA-44 needs OpenSSL 3.5") as e:
        hsm.create("never", policy=in_policy("public_key", spki))
    assert e.value.code == 601
