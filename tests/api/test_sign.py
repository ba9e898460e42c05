"""Every signature algorithm, checked by another implementation than the one that signed."""
import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

import secp256k1
import ska
from approver import b64, quorum, unb64
from client import public_key, unique
from conftest import PROFILE
from keccak import keccak

SHA = {"SHA1": hashes.SHA1(), "SHA224": hashes.SHA224(), "SHA256": hashes.SHA256(),
       "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512(), "SHA3224": hashes.SHA3_224(),
       "SHA3256": hashes.SHA3_256(), "SHA3384": hashes.SHA3_384(), "SHA3512": hashes.SHA3_512()}
BY_SIZE = {20: SHA["SHA1"], 28: SHA["SHA224"], 32: SHA["SHA256"], 48: SHA["SHA384"],
           64: SHA["SHA512"]}
MESSAGE = b"the quick brown fox"
# Nothing is synchronous across an air gap.
PATHS = ["/v1/sign"] + ["/v1/synchronousSign"] * (PROFILE == "online")

RSA_HASHED = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
RSA = [h + "_WITH_RSA" for h in RSA_HASHED] + ["NONE_WITH_RSA"] + \
    ["NONE%s_WITH_RSA" % h for h in RSA_HASHED]
PSS = [h + "_WITH_RSA_PSS" for h in RSA_HASHED] + \
    ["NONE%s_WITH_RSA_PSS" % h for h in RSA_HASHED[1:]] + ["NONE_WITH_RSA_PSS"]
ECDSA = ["NONE_WITH_ECDSA", "SHA256_WITH_ECDSA_DETERMINISTIC", "DOUBLE_SHA256_WITH_ECDSA"] + \
    [h + "_WITH_ECDSA" for h in SHA] + ["KECCAK%d_WITH_ECDSA" % n for n in (224, 256, 384, 512)]

CURVES = {"1.2.840.10045.3.1.7": ec.SECP256R1, "1.3.132.0.34": ec.SECP384R1,
          "1.3.132.0.35": ec.SECP521R1, "1.3.132.0.10": ec.SECP256K1, "1.3.132.0.33": ec.SECP224R1,
          "1.3.36.3.3.2.8.1.1.7": ec.BrainpoolP256R1, "1.3.36.3.3.2.8.1.1.11": ec.BrainpoolP384R1,
          "1.3.36.3.3.2.8.1.1.13": ec.BrainpoolP512R1}
KEYS = {}


def key_of(api, kind, **members):
    """One key per kind and site: (label, public key)."""
    name = (api.url, kind, members.get("curveOid"))
    if name not in KEYS:
        label = unique(kind.lower())
        KEYS[name] = label, public_key(api.create_key(label, algorithm=kind, **members))
    return KEYS[name]


def payload_for(algorithm):
    """What is sent: the message, or its digest for the algorithms that take one."""
    head = algorithm.split("_WITH_")[0]
    if head == "NONE":
        return hashlib.sha256(MESSAGE).digest()
    if head.startswith("NONE"):
        return hashlib.new(head[4:].lower(), MESSAGE).digest()
    return MESSAGE


def signature_valid(api, label, algorithm, payload, signature):
    answer = api.post("/v1/verify", {"verifySignatureRequest": {
        "signKeyName": label, "signatureAlgorithm": algorithm, "payload": b64(payload),
        "signature": b64(signature)}})
    assert api.status == 200 and set(answer) == {"signatureValid"}
    return answer["signatureValid"]


def check_verify(api, label, algorithm, payload, signature):
    assert signature_valid(api, label, algorithm, payload, signature) is True
    changed = bytes([payload[0] ^ 1]) + payload[1:]
    assert signature_valid(api, label, algorithm, changed, signature) is False
    middle = len(signature) // 2
    broken = signature[:middle] + bytes([signature[middle] ^ 1]) + signature[middle + 1:]
    for bad in (broken, signature[:-1], signature + b"\0", b"x"):
        assert signature_valid(api, label, algorithm, payload, bad) is False


@pytest.mark.parametrize("algorithm", RSA)
def test_rsa_pkcs1(api, algorithm):
    label, key = key_of(api, "RSA")
    payload = payload_for(algorithm)
    signature = api.sign_now(label, payload, algorithm)
    if algorithm == "NONE_WITH_RSA":
        n = key.public_numbers()
        block = pow(int.from_bytes(signature, "big"), n.e, n.n).to_bytes(256, "big")
        assert block == b"\0\1" + b"\xff" * (253 - len(payload)) + b"\0" + payload
    else:
        name = algorithm.split("_")[0].replace("NONE", "")
        h = utils.Prehashed(SHA[name]) if algorithm.startswith("NONE") else SHA[name]
        key.verify(signature, payload, padding.PKCS1v15(), h)
    check_verify(api, label, algorithm, payload, signature)


@pytest.mark.parametrize("algorithm", PSS)
def test_rsa_pss(api, algorithm):
    label, key = key_of(api, "RSA")
    payload = payload_for(algorithm)
    signature = api.sign_now(label, payload, algorithm)
    name = algorithm.split("_")[0].replace("NONE", "") or "SHA256"
    h = utils.Prehashed(SHA[name]) if algorithm.startswith("NONE") else SHA[name]
    pss = padding.PSS(padding.MGF1(SHA[name]), SHA[name].digest_size)
    key.verify(signature, payload, pss, h)
    check_verify(api, label, algorithm, payload, signature)


@pytest.mark.parametrize("size", [20, 28, 32, 48, 64])
@pytest.mark.parametrize("algorithm", ["NONE_WITH_RSA_PSS", "NONE_WITH_ECDSA"])
def test_digests_of_every_length(api, algorithm, size):
    digest = bytes(range(1, size + 1))
    if "RSA" in algorithm:
        label, key = key_of(api, "RSA")
        h = BY_SIZE[size]
        key.verify(api.sign_now(label, digest, algorithm), digest,
                   padding.PSS(padding.MGF1(h), size), utils.Prehashed(h))
    else:
        label, key = key_of(api, "EC", curveOid="1.3.132.0.35")
        key.verify(api.sign_now(label, digest, algorithm), digest,
                   ec.ECDSA(utils.Prehashed(BY_SIZE[size])))


@pytest.mark.parametrize("size,curve", [(48, "1.2.840.10045.3.1.7"), (64, "1.3.132.0.34"),
                                        (31, "1.3.132.0.35"), (33, "1.3.132.0.35")])
def test_none_with_ecdsa_takes_only_digests_that_fit_the_curve(api, size, curve):
    """Of a longer payload the curve would sign the beginning."""
    label, _ = key_of(api, "EC", curveOid=curve)
    for path in PATHS:
        api.refused(612, "POST", path, api.sign_body(label, b"d" * size, "NONE_WITH_ECDSA"))


def ecdsa_digest(algorithm, payload):
    head = algorithm.split("_WITH_")[0]
    if head == "NONE":
        return payload
    if head == "DOUBLE_SHA256":
        return hashlib.sha256(hashlib.sha256(payload).digest()).digest()
    if head.startswith("KECCAK"):
        return keccak(int(head[6:]), payload)
    return hashlib.new(head.lower().replace("sha3", "sha3_") if head.startswith("SHA3") and
                       head != "SHA384" else head.lower(), payload).digest()


def ecdsa_check(key, algorithm, payload, signature):
    digest = ecdsa_digest(algorithm, payload)
    key.verify(signature, digest, ec.ECDSA(utils.Prehashed(BY_SIZE[len(digest)])))


@pytest.mark.parametrize("algorithm", ECDSA)
@pytest.mark.parametrize("curve", ["1.2.840.10045.3.1.7", "1.3.132.0.10"], ids=["p256", "k1"])
def test_ecdsa(api, algorithm, curve):
    label, key = key_of(api, "EC", curveOid=curve)
    payload = payload_for(algorithm)
    signature = api.sign_now(label, payload, algorithm)
    ecdsa_check(key, algorithm, payload, signature)
    check_verify(api, label, algorithm, payload, signature)
    again = api.sign_now(label, payload, algorithm)
    assert (again == signature) == algorithm.endswith("_DETERMINISTIC")


@pytest.mark.parametrize("curve", CURVES)
def test_ecdsa_curves_and_types(api, curve):
    label, key = key_of(api, "EC", curveOid=curve)
    assert isinstance(key.curve, CURVES[curve])
    algorithm, size = "SHA256_WITH_ECDSA", (key.curve.key_size + 7) // 8
    for kind in (None, "DER", "RAW"):
        signature = api.sign_now(label, MESSAGE, algorithm, signatureType=kind)
        assert signature_valid(api, label, algorithm, MESSAGE, signature)
        if kind == "RAW":
            assert len(signature) == 2 * size
            r, s = (int.from_bytes(signature[i:i + size], "big") for i in (0, size))
            signature = utils.encode_dss_signature(r, s)
        key.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))


def test_ethereum_signature_recovers_the_key(api):
    label, key = key_of(api, "EC", curveOid="1.3.132.0.10")
    numbers = key.public_numbers()
    for i in range(8):
        payload = b"transaction %d" % i
        signature = api.sign_now(label, payload, "KECCAK256_WITH_ECDSA", signatureType="ETH")
        assert len(signature) == 65 and signature[64] in (27, 28)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        assert 0 < s <= secp256k1.N // 2
        assert secp256k1.recover(keccak(256, payload), r, s, signature[64] - 27) == \
            (numbers.x, numbers.y)
        assert signature_valid(api, label, "KECCAK256_WITH_ECDSA", payload, signature)


@pytest.mark.online_only("the form of a signature is checked where it is made")
def test_ethereum_type_needs_keccak256_and_its_curve(api):
    label, _ = key_of(api, "EC", curveOid="1.3.132.0.10")
    for algorithm in ("SHA256_WITH_ECDSA", "KECCAK512_WITH_ECDSA", "NONE_WITH_ECDSA"):
        for path in PATHS:
            response = api.send("POST", path, api.sign_body(label, b"\1" * 32, algorithm,
                                                            signatureType="ETH"))
            assert response.json()["errorCode"] in (600, 607), response.text
    other, _ = key_of(api, "EC", curveOid="1.2.840.10045.3.1.7")
    response = api.send("POST", PATHS[-1], api.sign_body(
        other, b"x", "KECCAK256_WITH_ECDSA", signatureType="ETH"))
    assert response.json()["errorCode"] in (600, 607), response.text


def test_eddsa(api):
    label, key = key_of(api, "ED")
    for kind in (None, "DER", "RAW"):
        signature = api.sign_now(label, MESSAGE, "EDDSA", signatureType=kind)
        assert len(signature) == 64
        key.verify(signature, MESSAGE)
    check_verify(api, label, "EDDSA", MESSAGE, signature)


def test_type_of_an_rsa_signature(api):
    label, key = key_of(api, "RSA")
    for kind in ("DER", "RAW"):
        signature = api.sign_now(label, MESSAGE, "SHA256_WITH_RSA", signatureType=kind)
        key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def test_asynchronous_signatures_are_the_same(api):
    """signatureType and algorithm survive the way through the database."""
    label, key = key_of(api, "EC", curveOid="1.3.132.0.10")
    rid = api.sign(label, MESSAGE, "DOUBLE_SHA256_WITH_ECDSA", signatureType="RAW")
    signature = unb64(api.wait(rid, "EXECUTED")["result"])
    assert len(signature) == 64
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    ecdsa_check(key, "DOUBLE_SHA256_WITH_ECDSA", MESSAGE, utils.encode_dss_signature(r, s))
    rid = api.sign(label, MESSAGE, "KECCAK256_WITH_ECDSA", signatureType="ETH")
    assert len(unb64(api.wait(rid, "EXECUTED")["result"])) == 65
    label, key = key_of(api, "ED")
    rid = api.sign(label, MESSAGE, "EDDSA", signatureType="RAW")
    key.verify(unb64(api.wait(rid, "EXECUTED")["result"]), MESSAGE)


BIP340 = "NONE_WITH_EC_SCHNORR_BIP0340"


@pytest.mark.parametrize("member,name", [(None, None), ("taprootTweakData", "tweak"), ("merkleRootData", "root")])
def test_taproot(api, people, member, name):
    """The members of BIP-340 and BIP-341 reach approvers and the HSM, through the database and an air gap."""
    person, label, digest = people(), unique("taproot"), hashlib.sha256(MESSAGE).digest()
    x = public_key(api.create_key(label, quorum(1, person), curveOid="1.3.132.0.10")).public_numbers().x
    members = {member: b64(b"t" * 32)} if member else {}
    if member:
        x = secp256k1.output_key(x, **{name: b"t" * 32})
    rid = api.sign(label, digest, BIP340, auxiliaryRandomData=b64(b"a" * 32), **members)
    shown = api.task(person, rid, detailLevel="level3")["signedSignRequest"]["signRequest"]
    assert shown["auxiliaryRandomData"] == b64(b"a" * 32)
    assert not member or shown[member] == members[member]
    api.approve(person, rid)
    signature = api.wait(rid, "EXECUTED")["result"]
    assert secp256k1.schnorr_valid(x, digest, unb64(signature))
    assert api.post("/v1/verify", {"verifySignatureRequest": dict({
        "signKeyName": label, "signatureAlgorithm": BIP340, "payload": b64(digest),
        "signature": signature}, **members)}) == {"signatureValid": True}


def test_members_of_other_algorithms_are_600(api):
    label, _ = key_of(api, "EC", curveOid="1.3.132.0.10")
    for path in PATHS:
        for member in ("auxiliaryRandomData", "taprootTweakData", "merkleRootData", "context"):
            body = api.sign_body(label, b"d" * 32, "NONE_WITH_ECDSA", **{member: b64(b"x" * 32)})
            api.refused(600, "POST", path, body, says=member + " goes with")


@pytest.mark.parametrize("kind,members,bad", [
    ("RSA", {}, ["SHA256_WITH_ECDSA", "EDDSA", "SHA256_WITH_DSA"]),
    ("EC", {"curveOid": "1.2.840.10045.3.1.7"}, ["SHA256_WITH_RSA", "EDDSA", "BLS"]),
    ("ED", {}, ["SHA256_WITH_RSA", "SHA256_WITH_ECDSA", "NONE_WITH_ECDSA"])])
def test_algorithm_of_another_key_is_607(api, kind, members, bad):
    label, _ = key_of(api, kind, **members)
    for algorithm in bad:
        for path in PATHS:
            api.refused(607, "POST", path, api.sign_body(label, MESSAGE, algorithm))
        api.refused(607, "POST", "/v1/verify", {"verifySignatureRequest": {
            "signKeyName": label, "signatureAlgorithm": algorithm, "payload": b64(MESSAGE),
            "signature": b64(b"x" * 64)}})


@pytest.mark.parametrize("algorithm", [
    "ML_DSA", "SHA2_256_WITH_ML_DSA", "SLH_DSA", "SHAKE_256_WITH_SLH_DSA", "LMS", "BLS",
    "HMAC_SHA256"])
def test_known_name_that_is_not_offered_is_607(api, algorithm):
    """A name of the API is never an unknown value, whatever this build's OpenSSL can do."""
    label, _ = key_of(api, "EC", curveOid="1.3.132.0.10")
    for path in PATHS:
        answer = api.refused(607, "POST", path, api.sign_body(label, b"d" * 32, algorithm))
        assert algorithm in answer["message"]
        if algorithm.endswith("ML_DSA"):
            assert answer["message"].endswith(("; ML-DSA needs OpenSSL 3.5", "(EC)"))


@pytest.mark.parametrize("algorithm", ["ML-DSA", "sha256_with_ecdsa", "SHA256_WITH_NOBODY", ""])
def test_unknown_name_is_600(api, algorithm):
    label, _ = key_of(api, "EC", curveOid="1.3.132.0.10")
    for path in PATHS:
        api.refused(600, "POST", path, api.sign_body(label, b"d" * 32, algorithm))


@pytest.mark.parametrize("name,size", [("SHA1", 20), ("SHA224", 28), ("SHA256", 32), ("SHA384", 48),
                                       ("SHA512", 64)])
def test_prehashed_payload_must_have_the_digests_length(api, name, size):
    label, _ = key_of(api, "RSA")
    for n in (size - 1, size + 1, 1, 200):
        for path in PATHS:
            api.refused(612, "POST", path, api.sign_body(label, b"d" * n, "NONE%s_WITH_RSA" % name))


def test_payload_too_long_for_the_modulus_is_612(api):
    label, _ = key_of(api, "RSA")
    api.sign_now(label, b"x" * 245, "NONE_WITH_RSA")
    for path in PATHS:
        api.refused(612, "POST", path, api.sign_body(label, b"x" * 246, "NONE_WITH_RSA"))


# 64 hex digits are also base64: of 48 bytes, which would be signed if they were taken for it.
DIGEST = bytes(range(0xa0, 0xc0))
NO_HEX = ["abc", "0xab", "ab cd", "ab\n", "zz", "\u00e4\u00e4", b64(DIGEST)]


@pytest.mark.parametrize("digits", [DIGEST.hex(), DIGEST.hex().upper()])
def test_hex_payload_is_its_bytes(api, digits):
    label, key = key_of(api, "EC", curveOid="1.2.840.10045.3.1.7")
    rid = api.sign(label, digits, "NONE_WITH_ECDSA", payloadType="HEX")
    for signature in (api.sign_now(label, digits, "NONE_WITH_ECDSA", payloadType="HEX"),
                      unb64(api.wait(rid, "EXECUTED")["result"])):
        key.verify(signature, DIGEST, ec.ECDSA(utils.Prehashed(SHA["SHA256"])))
        assert api.post("/v1/verify", {"verifySignatureRequest": {
            "signKeyName": label, "signatureAlgorithm": "NONE_WITH_ECDSA",
            "signature": b64(signature), "payload": digits, "payloadType": "HEX"}}) == {"signatureValid": True}


@pytest.mark.parametrize("digits", NO_HEX)
def test_payload_that_is_no_hex_is_612(api, digits):
    label, _ = key_of(api, "EC", curveOid="1.2.840.10045.3.1.7")
    for path in PATHS:
        api.refused(612, "POST", path, api.sign_body(label, digits, payloadType="HEX"),
                    says="payload")
    api.refused(612, "POST", "/v1/verify", {"verifySignatureRequest": {
        "signKeyName": label, "signatureAlgorithm": "SHA256_WITH_ECDSA", "signature": "AAAA",
        "payload": digits, "payloadType": "HEX"}}, says="payload")


def test_hex_payload_is_approved_as_its_bytes(api, people):
    a = people()
    label = unique()
    key = public_key(api.create_key(label, quorum(1, a)))
    rid = api.sign(label, DIGEST.hex(), payloadType="HEX")
    task = api.task(a, rid, detailLevel="level3")
    assert unb64(task["payload"]) == DIGEST and task["payloadType"] == "HEX"
    assert ska.Token.decode(unb64(task["approvalToBeSigned"])).payload == DIGEST
    shown = task["signedSignRequest"]["signRequest"]
    assert (shown["payload"], shown["payloadType"]) == (DIGEST.hex(), "HEX")
    api.approve(a, rid)
    key.verify(unb64(api.wait(rid, "EXECUTED")["result"]), DIGEST, ec.ECDSA(hashes.SHA256()))


def test_verify_of_an_unknown_key_is_650(api):
    api.refused(650, "POST", "/v1/verify", {"verifySignatureRequest": {
        "signKeyName": "no-such-key", "signatureAlgorithm": "SHA256_WITH_RSA",
        "payload": "AAAA", "signature": "AAAA"}})


def test_verify_needs_no_approval(api, people):
    a = people()
    label = unique()
    api.create_key(label, quorum(1, a))
    rid = api.sign(label, MESSAGE)
    api.approve(a, rid)
    signature = unb64(api.wait(rid, "EXECUTED")["result"])
    assert signature_valid(api, label, "SHA256_WITH_ECDSA", MESSAGE, signature)
    other = unique()
    api.create_key(other)
    assert not signature_valid(api, other, "SHA256_WITH_ECDSA", MESSAGE, signature)


def test_signature_of_another_key_never_verifies(api):
    label, key = key_of(api, "EC", curveOid="1.2.840.10045.3.1.7")
    other = unique()
    api.create_key(other)
    with pytest.raises(InvalidSignature):
        key.verify(api.sign_now(other, MESSAGE), MESSAGE, ec.ECDSA(hashes.SHA256()))
