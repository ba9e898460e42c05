"""Certificates stored with keys."""
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from approver import MAKERS, b64, policy, unb64


def certificate_for(public, signer=None):
    """A certificate of this public key, by some issuer."""
    signer = signer or MAKERS["p256"]()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    now = datetime.datetime(2026, 1, 1)
    return (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public)
            .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(900))
            .sign(signer, hashes.SHA256()))


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def public_of(hsm, label):
    return serialization.load_der_public_key(unb64(hsm.attributes(label)["json"]["publicKey"]))


def store(hsm, label, certificate, role="KO"):
    return hsm.call("POST", "/v1/certificate/import/plain",
                    {"label": label, "certificate": certificate}, role)


def absent(hsm, label, refused, verb="GET"):
    with refused(704, "has no certificate"):
        hsm.call(verb, "/v1/certificate/" + label, role="KO")
    assert hsm.raw(verb, "/v1/certificate/" + label, role="KO")[0] == 404
    return True


KEYS = [("RSA", {"keySize": 2048}), ("EC", {"curveOid": "1.3.132.0.10"}),
        ("EC", {"curveOid": "1.3.132.0.34"}), ("ED", {})]


@pytest.mark.parametrize("kind,members", KEYS)
def test_stored_and_given_back(hsm, refused, kind, members):
    label = "holds-%s-%s" % (kind, members.get("curveOid"))
    hsm.create(label, kind, policy=policy(), **members)
    assert absent(hsm, label, refused)
    before = hsm.attributes(label)
    digest = hsm.stamp(label, b"x")["keyAttributesDigest"]
    first, second = (certificate_for(public_of(hsm, label)) for _ in range(2))
    for form in (pem(first), b64(der(first)), pem(second)):
        answer = store(hsm, label, form, "KM")
        found = hsm.call("GET", "/v1/certificate/" + label, role="KO")
        assert answer == found and set(found) == {"label", "certificate", "rawCertificate"}
    assert found == {"label": label, "certificate": pem(second), "rawCertificate": pem(second)}
    after = hsm.attributes(label)
    assert after["json"]["policy"] == before["json"]["policy"]
    assert hsm.stamp(label, b"x")["keyAttributesDigest"] == digest, "no part of the attributes"
    hsm.stop()
    hsm.start()
    assert hsm.call("GET", "/v1/certificate/" + label, role="KM") == found
    assert hsm.call("DELETE", "/v1/certificate/" + label, role="KO") is None
    assert absent(hsm, label, refused) and absent(hsm, label, refused, "DELETE")
    assert hsm.attributes(label)["json"]["publicKey"] == before["json"]["publicKey"]


def test_certificate_goes_with_its_key(hsm, refused):
    hsm.create("renewed")
    store(hsm, "renewed", pem(certificate_for(public_of(hsm, "renewed"))))
    hsm.call("DELETE", "/v1/key/renewed")
    with refused(650):
        hsm.call("GET", "/v1/certificate/renewed", role="KO")
    hsm.create("renewed")
    assert absent(hsm, "renewed", refused)


def test_refusals(hsm, refused):
    hsm.create("particular")
    hsm.create("secret", "AES", keySize=256, attributes={"decrypt": True})
    mine = certificate_for(public_of(hsm, "particular"))
    with refused(402, "public key"):
        store(hsm, "particular", pem(certificate_for(MAKERS["p256"]().public_key())))
    with refused(402):
        store(hsm, "particular", pem(certificate_for(MAKERS["rsa"]().public_key())))
    for bad in ("no certificate", b64(b"no certificate"), b64(der(mine)[:-1]),
                b64(der(mine) + b"\0"), pem(mine).replace("CERTIFICATE", "PUBLIC KEY")[:-40]):
        with refused(626):
            store(hsm, "particular", bad)
    with refused(600, "certificate"):
        store(hsm, "particular", None)
    with refused(650):
        store(hsm, "absent", pem(mine))
    with refused(613):
        store(hsm, "secret", pem(mine))
    with refused(614, "system key"):
        store(hsm, "timestamp-key", pem(certificate_for(public_of(hsm, "timestamp-key"))))
    assert absent(hsm, "particular", refused) and absent(hsm, "secret", refused)
    with refused(634):
        hsm.call("GET", "/v1/certificate/particular%2F0", role="KO")
    for role in ("SV", None):
        assert hsm.raw("GET", "/v1/certificate/particular", role=role)[0] == 401


def test_names_in_the_path(hsm, refused):
    label = "n\u00e4me with % and +"
    hsm.create(label)
    certificate = certificate_for(public_of(hsm, label))
    store(hsm, label, pem(certificate))
    found = hsm.call("GET", "/v1/certificate/n%C3%A4me%20with%20%25%20and%20+", role="KO")
    text = pem(certificate)
    assert found == {"label": label, "certificate": text, "rawCertificate": text}


def test_blocked_and_locked_keys_keep_theirs(hsm):
    """A certificate is public: neither the password nor the policy stands before it."""
    hsm.create("locked holder", policy=policy(blocked=True), password="secret")
    public = serialization.load_der_public_key(
        unb64(hsm.attributes("locked holder", "secret")["json"]["publicKey"]))
    store(hsm, "locked holder", pem(certificate_for(public)))
    assert hsm.call("GET", "/v1/certificate/locked%20holder", role="KO")["certificate"]
    assert hsm.attributes("locked holder", "secret")["json"]["policy"]["keyStatus"]["blocked"]
