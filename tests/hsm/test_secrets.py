"""Secret keys and DSA: made, described, brought along, given out, wrapped and unwrapped."""
import os
import pathlib

import pytest
from cryptography.hazmat.primitives import keywrap, serialization

from approver import b64, unb64
from conftest import Refused
from test_wrapping import unwrap, wrap

VECTORS = pathlib.Path(__file__).parent.parent / "vectors"
USES = {"decrypt": True, "sign": True, "unwrap": True, "destroyable": True, "extractable": True}

SECRETS = [("AES", 192, "2.16.840.1.101.3.4.1"), ("Camellia", 128, "1.2.392.200011.61.1.1.1"),
           ("Camellia", 192, "1.2.392.200011.61.1.1.1"), ("Camellia", 256, "1.2.392.200011.61.1.1.1"),
           ("ChaCha20", 256, "1.2.840.113549.1.9.16.3.18"), ("TDEA", None, "1.2.840.113549.3.7"),
           ("TDEA", 0, "1.2.840.113549.3.7"), ("HMACSHA256", None, "1.2.840.113549.2.9"),
           ("HMACSHA256", 512, "1.2.840.113549.2.9")]
USUAL = {"TDEA": 192, "HMACSHA256": 256}


def bring(hsm, label, algorithm, **members):
    return hsm.call("POST", "/v1/key/import/plain", dict(
        {"label": label, "algorithm": algorithm, "attributes": USES}, **members))


def give(hsm, label):
    return hsm.call("POST", "/v1/key/export/plain", {"label": label})


@pytest.fixture(scope="module")
def dsa():
    """Domain parameters, which take long to make."""
    return serialization.load_pem_public_key((VECTORS / "dsa-public.pem").read_bytes()).parameters()


def both_halves(key):
    return {"privateKey": b64(key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption())),
        "publicKey": b64(key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))}


@pytest.mark.parametrize("algorithm,size,oid", SECRETS)
def test_secret_key_is_described_and_leaves(hsm, algorithm, size, oid):
    label = "%s %s" % (algorithm, size)
    answer = hsm.create(label, algorithm, attributes=USES, **({} if size is None else {"keySize": size}))
    bits = size or USUAL[algorithm]
    said = answer["json"]
    assert (said["algorithm"], said["algorithmOid"], said["keySize"]) == (algorithm, oid, bits)
    assert said["publicKey"] is None and said["curveOid"] is None
    assert "<secret_key " in answer["xml"] and "<key_size>%d</key_size>" % bits in answer["xml"]
    hsm.create(label + " by OID", None, algorithmOid=oid, keySize=bits)
    value = unb64(give(hsm, label)["secretKey"])
    assert len(value) * 8 == bits
    bring(hsm, label + " again", algorithm, secretKey=b64(value))
    assert unb64(give(hsm, label + " again")["secretKey"]) == value


@pytest.mark.parametrize("algorithm,size", [("Camellia", None), ("Camellia", 64), ("ChaCha20", 128),
                                            ("ChaCha20", None), ("HMACSHA256", 100), ("DSA", 1024),
                                            ("DSA", None), ("DSA", 8192)])
def test_other_sizes_are_refused(hsm, refused, algorithm, size):
    with refused(603, "for " + algorithm):
        hsm.create("of another size", algorithm, **({} if size is None else {"keySize": size}))


@pytest.mark.parametrize("algorithm,sizes", [("AES", [15, 33]), ("Camellia", [0, 20]), ("TDEA", [16]),
                                             ("ChaCha20", [16]), ("HMACSHA256", [13, 1025])])
def test_values_of_other_sizes_are_refused(hsm, algorithm, sizes):
    for n in sizes:
        with pytest.raises(Refused) as e:
            bring(hsm, "odd", algorithm, secretKey=b64(os.urandom(n)))
        assert e.value.code in (625, 600), str(e.value)


def test_policy_on_a_secret_key_is_refused(hsm, refused):
    with refused(606, "TDEA"):
        hsm.create("guarded", "TDEA", policy={"keyStatus": {"blocked": True}})


def test_secret_keys_are_counted(hsm):
    def secrets():
        text = hsm.raw("GET", "/v1/keystore/statistics", None, "SV")[1].decode()
        return int(text.split("secret keys ")[1].split(",")[0])
    before = secrets()
    hsm.create("counted", "ChaCha20", keySize=256)
    hsm.create("counted too", "HMACSHA256")
    assert secrets() == before + 2


@pytest.mark.parametrize("method,opens", [("AES_WRAP", keywrap.aes_key_unwrap),
                                          ("AES_WRAP_PAD", keywrap.aes_key_unwrap_with_padding)])
@pytest.mark.parametrize("algorithm", ["Camellia", "ChaCha20", "TDEA", "HMACSHA256"])
def test_secret_keys_leave_wrapped(hsm, method, opens, algorithm):
    kek, value, label = os.urandom(32), os.urandom(24 if algorithm == "TDEA" else 32), "%s %s" % (method, algorithm)
    bring(hsm, "kek " + label, "AES", secretKey=b64(kek))
    bring(hsm, label, algorithm, secretKey=b64(value))
    assert opens(kek, wrap(hsm, label, "kek " + label, method)) == value


def test_values_that_rfc3394_cannot_wrap_have_the_other_method(hsm, refused):
    kek, value = os.urandom(16), os.urandom(65)
    bring(hsm, "short kek", "AES", secretKey=b64(kek))
    bring(hsm, "long secret", "HMACSHA256", secretKey=b64(value))
    with refused(607, "AES_WRAP_PAD"):
        wrap(hsm, "long secret", "short kek", "AES_WRAP")
    assert keywrap.aes_key_unwrap_with_padding(
        kek, wrap(hsm, "long secret", "short kek", "AES_WRAP_PAD")) == value


def test_dsa_keys_come_and_go(hsm, dsa):
    key = dsa.generate_private_key()
    halves = both_halves(key)
    answer = bring(hsm, "dsa", "DSA", **halves)
    said = answer["json"]
    assert (said["algorithm"], said["algorithmOid"], said["keySize"]) == ("DSA", "1.2.840.10040.4.1", 2048)
    assert "<private_key " in answer["xml"] and said["publicKey"] == halves["publicKey"]
    kek = os.urandom(32)
    bring(hsm, "kek of dsa", "AES", secretKey=b64(kek))
    for method in ("AES_WRAP_DSA", "AES_WRAP_PAD_DSA"):
        unwrap(hsm, wrap(hsm, "dsa", "kek of dsa", method), method, method, "kek of dsa",
               attributes=USES)
        assert give(hsm, method) == give(hsm, "dsa")
    assert unb64(give(hsm, "dsa")["privateKey"]) == unb64(halves["privateKey"])


def test_dsa_halves_must_belong_together(hsm, dsa, refused):
    one, other = (both_halves(dsa.generate_private_key()) for _ in range(2))
    with refused(407):
        bring(hsm, "mixed dsa", "DSA", privateKey=one["privateKey"], publicKey=other["publicKey"])
