"""Keys in the clear, brought along and given out (api-notes.md 7.5)."""
import base64
import datetime
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from approver import Approver, b64, quorum

DER, PKCS8 = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
CLEAR = serialization.NoEncryption()
USES = {"decrypt": False, "sign": True, "unwrap": False, "destroyable": True, "extractable": True}
PAIRS = {"EC": (lambda: ec.generate_private_key(ec.SECP256R1()), "SHA256_WITH_ECDSA"),
         "RSA": (lambda: rsa.generate_private_key(65537, 2048), "SHA256_WITH_RSA"),
         "ED": (ed25519.Ed25519PrivateKey.generate, "EDDSA")}


def private(key, form=PKCS8):
    return b64(key.private_bytes(DER, form, CLEAR))


def public(key):
    return b64(key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def certificate(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "imported")])
    day = datetime.datetime(2026, 1, 1)
    return b64(x509.CertificateBuilder(name, name, key.public_key(), 7, day,
                                       day + datetime.timedelta(9999))
               .sign(key, hashes.SHA256()).public_bytes(DER))


def bring(hsm, label, algorithm, path="/v1/key/import/plain", attributes=USES, **members):
    body = {"label": label, "algorithm": algorithm, "attributes": attributes, **members}
    return hsm.call("POST", path, {k: v for k, v in body.items() if v is not None})


def export(hsm, label, password=None):
    return hsm.call("POST", "/v1/key/export/plain", {"label": label, "password": password})


@pytest.mark.parametrize("algorithm", sorted(PAIRS))
def test_pair_comes_in_signs_and_leaves(hsm, algorithm):
    make, scheme = PAIRS[algorithm]
    key, label = make(), "brought " + algorithm
    answer = bring(hsm, label, algorithm, privateKey=private(key), publicKey=public(key))
    assert answer["json"]["publicKey"] == public(key) and 'creation="imported"' in answer["xml"]
    assert answer["json"]["attributes"]["neverExtractable"] is False
    assert hsm.verify(label, b"p", scheme, hsm.sign(label, b"p", scheme))
    left = export(hsm, label)
    assert left["publicKey"] == public(key) and left["secretKey"] is None
    again = serialization.load_der_private_key(base64.b64decode(left["privateKey"]), None)
    assert public(again) == public(key) and private(again) == private(key)
    assert hsm.call("GET", "/v1/key/%s/export/plain" % label.replace(" ", "%20")) == left


def test_older_form_of_rsa_and_pem_armour(hsm):
    key = PAIRS["RSA"][0]()
    old = private(key, serialization.PrivateFormat.TraditionalOpenSSL)
    pem = "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % public(key)
    bring(hsm, "older form", "RSA", path="/v1/importedKey", privateKey=old, publicKey=pem)
    assert export(hsm, "older form")["privateKey"] == private(key)


def test_secret_key(hsm):
    value = b64(os.urandom(32))
    answer = bring(hsm, "secret", "AES", secretKey=value,
                   attributes=dict(USES, decrypt=True, sign=False))
    assert answer["json"]["keySize"] == 256 and answer["json"]["publicKey"] is None
    assert export(hsm, "secret") == {"privateKey": None, "publicKey": None, "secretKey": value}


def test_certificate_comes_with_its_key_or_to_it(hsm):
    key = PAIRS["EC"][0]()
    bring(hsm, "certified", "EC", privateKey=private(key), certificate=certificate(key))
    assert "BEGIN" in hsm.call("GET", "/v1/certificate/certified", role="KO")["certificate"]
    hsm.call("DELETE", "/v1/certificate/certified", role="KO")
    bring(hsm, "certified", "EC", certificate=certificate(key), attributes=None)
    assert "BEGIN" in hsm.call("GET", "/v1/certificate/certified", role="KO")["certificate"]
    assert hsm.verify("certified", b"p", "SHA256_WITH_ECDSA",
                      hsm.sign("certified", b"p", "SHA256_WITH_ECDSA"))


def test_public_key_alone_verifies_and_does_nothing_else(hsm, refused):
    key = PAIRS["EC"][0]()
    answer = bring(hsm, "theirs", "EC", publicKey=public(key), attributes=None)
    assert answer["xml"].split("?>")[1].lstrip().startswith("<public_key ")
    assert answer["json"]["publicKey"] == public(key)
    signature = key.sign(b"p", ec.ECDSA(hashes.SHA256()))
    assert hsm.verify("theirs", b"p", "SHA256_WITH_ECDSA", signature)
    with refused(614):
        hsm.sign("theirs", b"p", "SHA256_WITH_ECDSA")
    with refused(614):
        export(hsm, "theirs")
    assert hsm.attributes("theirs")["json"]["attributes"]["destroyable"] is True
    hsm.call("POST", "/v1/key/deleteKey", {"label": "theirs"})


def test_imports_that_are_refused(hsm, refused):
    key, other = PAIRS["EC"][0](), PAIRS["EC"][0]()
    both = {"privateKey": private(key), "publicKey": public(key)}
    bring(hsm, "taken", "EC", **both)
    for code, label, algorithm, members in (
            (608, "taken", "EC", both),
            (610, "a/b", "EC", both),
            (600, "x", "EC", {}),
            (600, "x", "EC", {"privateKey": private(key)}),
            (600, "x", "EC", dict(both, certificate=certificate(key))),
            (600, "x", "EC", dict(both, secretKey="AAAA")),
            (600, "x", "EC", dict(both, attributes=None)),
            (600, "x", "AES", both),
            (625, "x", "EC", {"privateKey": "AAAA", "publicKey": public(key)}),
            (625, "x", "RSA", {"privateKey": private(key), "publicKey": public(PAIRS["RSA"][0]())}),
            (407, "x", "EC", {"privateKey": private(key), "publicKey": "AAAA"}),
            (407, "x", "EC", {"privateKey": private(key), "publicKey": public(other)}),
            (626, "x", "EC", {"privateKey": private(key), "certificate": "AAAA"}),
            (625, "x", "AES", {"secretKey": "AAAA", "attributes": dict(USES, decrypt=True)}),
            (606, "x", "EC", dict(both, policy=quorum(1, Approver("p256")))),
            (600, "x", "EC", {"seed": b64(b"s" * 32)}),
            (600, "x", "EC", dict(both, slip10=True)),
            (402, "taken", "EC", {"certificate": certificate(other), "attributes": None})):
        with refused(code):
            bring(hsm, label, algorithm, **members)
    assert "x" not in hsm.call("GET", "/v1/key")


def test_keys_that_do_not_leave(hsm, refused):
    hsm.create("stays", attributes={"extractable": False})
    hsm.create("sensitive", attributes={"extractable": True, "sensitive": True})
    hsm.create("guarded leave", policy=quorum(1, Approver("p256")))
    for code, label in ((614, "stays"), (614, "sensitive"), (614, "guarded leave"),
                        (614, "attestation-key"), (650, "absent")):
        with refused(code):
            export(hsm, label)
