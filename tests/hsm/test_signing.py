"""Every algorithm signs, and an independent implementation verifies (api-notes.md 12.1)."""
import base64
import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

import keccak
import secp256k1
from test_secrets import VECTORS, both_halves, bring

PAYLOAD = b"pay 100 to harro"
SHA = {"SHA1": hashes.SHA1(), "SHA224": hashes.SHA224(), "SHA256": hashes.SHA256(),
       "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}
SHA3 = {"SHA3224": hashes.SHA3_224(), "SHA3256": hashes.SHA3_256(), "SHA3384": hashes.SHA3_384(),
        "SHA3512": hashes.SHA3_512()}
CURVES = {"p256": "1.2.840.10045.3.1.7", "p384": "1.3.132.0.34", "p521": "1.3.132.0.35",
          "k1": "1.3.132.0.10", "bp256": "1.3.36.3.3.2.8.1.1.7", "bp384": "1.3.36.3.3.2.8.1.1.11",
          "bp512": "1.3.36.3.3.2.8.1.1.13"}


def public(answer):
    return serialization.load_der_public_key(base64.b64decode(answer["json"]["publicKey"]))


@pytest.fixture(scope="module")
def keys(hsm):
    made = {name: hsm.create(name, curveOid=oid) for name, oid in CURVES.items()}
    made.update({"rsa%d" % n: hsm.create("rsa%d" % n, "RSA", keySize=n) for n in (2048, 3072)})
    made["ed"] = hsm.create("ed", "ED")
    return made


def both(hsm, name, payload, algorithm, signature):
    """The HSM's own verification says yes, and no to what was changed."""
    assert hsm.verify(name, payload, algorithm, signature)
    assert not hsm.verify(name, payload[:-1] + bytes([payload[-1] ^ 1]), algorithm, signature)
    broken = bytearray(signature)
    broken[len(broken) // 2] ^= 1
    assert not hsm.verify(name, payload, algorithm, bytes(broken))


@pytest.mark.parametrize("name", ["rsa2048", "rsa3072"])
@pytest.mark.parametrize("sha", sorted(SHA))
def test_rsa(hsm, keys, name, sha):
    h, key = SHA[sha], public(keys[name])
    digest = hashlib.new(h.name, PAYLOAD).digest()
    pss = padding.PSS(padding.MGF1(h), h.digest_size)
    for prefix, payload in (("", PAYLOAD), ("NONE", digest)):
        for suffix, pad in (("", padding.PKCS1v15()), ("_PSS", pss)):
            algorithm = prefix + sha + "_WITH_RSA" + suffix
            if algorithm == "NONESHA1_WITH_RSA_PSS":
                continue  # no name of the API
            signature = hsm.sign(name, payload, algorithm)
            key.verify(signature, PAYLOAD, pad, h)
            both(hsm, name, payload, algorithm, signature)
    signature = hsm.sign(name, digest, "NONE_WITH_RSA_PSS")
    key.verify(signature, PAYLOAD, pss, h)
    both(hsm, name, digest, "NONE_WITH_RSA_PSS", signature)


def test_rsa_none_pads_the_payload_as_it_is(hsm, keys):
    numbers = public(keys["rsa2048"]).public_numbers()
    for payload in (b"x", b"y" * 32, b"z" * 245):
        signature = hsm.sign("rsa2048", payload, "NONE_WITH_RSA")
        block = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(256, "big")
        assert block == b"\0\1" + b"\xff" * (253 - len(payload)) + b"\0" + payload
        both(hsm, "rsa2048", payload, "NONE_WITH_RSA", signature)


@pytest.mark.parametrize("name", sorted(CURVES))
def test_ecdsa(hsm, keys, name):
    key = public(keys[name])
    cases = [(sha + "_WITH_ECDSA", PAYLOAD, hashlib.new(h.name, PAYLOAD).digest(), h)
             for sha, h in {**SHA, **SHA3}.items()]
    cases += [("KECCAK%d_WITH_ECDSA" % bits, PAYLOAD, keccak.keccak(bits, PAYLOAD), h)
              for bits, h in ((224, SHA["SHA224"]), (256, SHA["SHA256"]), (384, SHA["SHA384"]),
                              (512, SHA["SHA512"]))]
    once = hashlib.sha256(PAYLOAD).digest()
    cases += [("DOUBLE_SHA256_WITH_ECDSA", PAYLOAD, hashlib.sha256(once).digest(), SHA["SHA256"]),
              ("NONE_WITH_ECDSA", once, once, SHA["SHA256"]),
              ("SHA256_WITH_ECDSA_DETERMINISTIC", PAYLOAD, once, SHA["SHA256"])]
    size = (key.curve.key_size + 7) // 8 if key.curve.name != "secp521r1" else 66
    for algorithm, payload, digest, h in cases:
        signature = hsm.sign(name, payload, algorithm)
        key.verify(signature, digest, ec.ECDSA(utils.Prehashed(h)))
        both(hsm, name, payload, algorithm, signature)
        raw = hsm.sign(name, payload, algorithm, signatureType="RAW")
        assert len(raw) == 2 * size
        r, s = int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big")
        key.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(h)))
        both(hsm, name, payload, algorithm, raw)


def test_dsa(hsm, refused):
    dsa = serialization.load_pem_public_key((VECTORS / "dsa-public.pem").read_bytes()).parameters()
    pair = dsa.generate_private_key()
    key = pair.public_key()
    bring(hsm, "dsa", "DSA", **both_halves(pair))
    once = hashlib.sha256(PAYLOAD).digest()
    cases = [(sha + "_WITH_DSA", PAYLOAD, hashlib.new(h.name, PAYLOAD).digest(), h)
             for sha, h in SHA.items()] + [("NONE_WITH_DSA", once, once, SHA["SHA256"])]
    for algorithm, payload, digest, h in cases:
        signature = hsm.sign("dsa", payload, algorithm)
        key.verify(signature, digest, utils.Prehashed(h))
        both(hsm, "dsa", payload, algorithm, signature)
        raw = hsm.sign("dsa", payload, algorithm, signatureType="RAW")
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        key.verify(utils.encode_dss_signature(r, s), digest, utils.Prehashed(h))
        both(hsm, "dsa", payload, algorithm, raw)
    for n in (19, 48):
        with refused(612):
            hsm.sign("dsa", b"x" * n, "NONE_WITH_DSA")
    with refused(600, "ETH"):
        hsm.sign("dsa", PAYLOAD, "SHA256_WITH_DSA", signatureType="ETH")


def test_deterministic_signatures_repeat(hsm, keys):
    algorithm = "SHA256_WITH_ECDSA_DETERMINISTIC"
    assert hsm.sign("p256", b"m", algorithm) == hsm.sign("p256", b"m", algorithm)
    assert hsm.sign("p256", b"m", algorithm) != hsm.sign("p256", b"n", algorithm)
    assert hsm.sign("p256", b"m", "SHA256_WITH_ECDSA") != hsm.sign("p256", b"m", "SHA256_WITH_ECDSA")


def test_ethereum_signatures_recover_the_key(hsm, keys):
    numbers = public(keys["k1"]).public_numbers()
    seen = set()
    for i in range(24):
        payload = b"transaction %d" % i
        eth = hsm.sign("k1", payload, "KECCAK256_WITH_ECDSA", signatureType="ETH")
        assert len(eth) == 65 and eth[64] in (27, 28)
        r, s = int.from_bytes(eth[:32], "big"), int.from_bytes(eth[32:64], "big")
        assert s <= secp256k1.N // 2
        assert secp256k1.recover(keccak.keccak(256, payload), r, s, eth[64] - 27) == (
            numbers.x, numbers.y)
        assert hsm.verify("k1", payload, "KECCAK256_WITH_ECDSA", eth)
        seen.add(eth[64])
    assert seen == {27, 28}


def test_ed25519(hsm, keys):
    for kind in ("DER", "RAW"):
        signature = hsm.sign("ed", PAYLOAD, "EDDSA", signatureType=kind)
        assert len(signature) == 64
        public(keys["ed"]).verify(signature, PAYLOAD)
        both(hsm, "ed", PAYLOAD, "EDDSA", signature)


def test_large_payload(hsm, keys):
    payload = b"p" * 65536
    public(keys["p256"]).verify(hsm.sign("p256", payload, "SHA256_WITH_ECDSA"), payload,
                                ec.ECDSA(hashes.SHA256()))


MISFITS = [
    ("p256", "SHA256_WITH_RSA", PAYLOAD, 607), ("rsa2048", "EDDSA", PAYLOAD, 607),
    ("ed", "SHA256_WITH_ECDSA", PAYLOAD, 607), ("p256", "SHA256_WITH_DSA", PAYLOAD, 607),
    ("rsa2048", "ML_DSA", PAYLOAD, 607), ("ed", "NONE_WITH_EC_SCHNORR_BIP0340", PAYLOAD, 607),
    ("p256", "NONE_WITH_EC_SCHNORR_BIP0340", b"d" * 32, 607), ("k1", "NONE_WITH_EC_SCHNORR_BIP0340", b"d" * 31, 612), ("p256", "NO_SUCH", PAYLOAD, 600),
    ("rsa2048", "NONESHA256_WITH_RSA", b"d" * 31, 612),
    ("rsa2048", "NONESHA256_WITH_RSA_PSS", b"d" * 33, 612),
    ("rsa2048", "NONE_WITH_RSA_PSS", b"d" * 33, 612),
    ("rsa2048", "NONE_WITH_RSA", b"d" * 246, 612), ("p256", "NONE_WITH_ECDSA", b"d" * 65, 612),
    ("p256", "NONE_WITH_ECDSA", b"d" * 48, 612), ("p384", "NONE_WITH_ECDSA", b"d" * 64, 612),
    ("p256", "NONE_WITH_ECDSA", b"d" * 31, 612),
]


@pytest.mark.parametrize("name,algorithm,payload,code", MISFITS)
def test_misfits_are_refused_alike_by_all(hsm, keys, refused, name, algorithm, payload, code):
    with refused(code):
        hsm.sign(name, payload, algorithm)
    with refused(code):
        hsm.verify(name, payload, algorithm, b"s")
    with refused(code):
        hsm.stamp(name, payload, signatureAlgorithm=algorithm)


def test_ethereum_form_only_for_its_curve(hsm, keys, refused):
    with refused(607, "secp256k1"):
        hsm.sign("p256", b"x", "KECCAK256_WITH_ECDSA", signatureType="ETH")


def test_sign_needs_the_attribute(hsm, keys, refused):
    hsm.create("decrypts", "RSA", keySize=2048, attributes={"sign": False, "decrypt": True})
    with refused(614, "may not sign"):
        hsm.sign("decrypts", b"x", "SHA256_WITH_RSA")
    with refused(614):
        hsm.stamp("decrypts", b"x", signatureAlgorithm="SHA256_WITH_RSA")


def test_verify_answers_no_to_any_bytes(hsm, keys):
    for name, algorithm in (("p256", "SHA256_WITH_ECDSA"), ("rsa2048", "SHA256_WITH_RSA"),
                            ("rsa2048", "SHA256_WITH_RSA_PSS"), ("ed", "EDDSA")):
        for signature in (b"\0", b"\0" * 64, b"\0" * 65, b"\xff" * 64, b"0" * 256, b"\x30\0",
                          bytes.fromhex("3006020100020100"), b"x" * 1000):
            assert hsm.verify(name, b"x", algorithm, signature) is False


def test_verify_refuses_signatures_with_bytes_behind(hsm, keys):
    good = hsm.sign("p256", b"x", "SHA256_WITH_ECDSA")
    assert hsm.verify("p256", b"x", "SHA256_WITH_ECDSA", good)
    assert not hsm.verify("p256", b"x", "SHA256_WITH_ECDSA", good + b"\0")


def test_verification_by_the_other_side(hsm, keys):
    with pytest.raises(InvalidSignature):
        public(keys["p256"]).verify(hsm.sign("p256", b"x", "SHA256_WITH_ECDSA"), b"y",
                                    ec.ECDSA(hashes.SHA256()))
