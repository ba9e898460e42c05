"""POST /v1/createRfcTimestamp (api-notes.md 8.6), checked by openssl ts."""
import base64
import datetime
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from conftest import Hsm

KEY = "rfc-timestamp-key"
SETTING = "[keys]\nrfcTimestampKeyName = %s\n" % KEY
HASHES = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]


@pytest.fixture(scope="module")
def tsa():
    hsm = Hsm(server=SETTING)
    yield hsm
    hsm.close()


def stamp(hsm, payload, name="SHA256"):
    answer = hsm.call("POST", "/v1/createRfcTimestamp", {
        "payload": base64.b64encode(payload).decode(), "hashAlgorithm": name}, "KO")
    assert set(answer) == {"timestamp"}
    return base64.b64decode(answer["timestamp"])


def certificate(hsm):
    return hsm.call("GET", "/v1/certificate/" + KEY)["certificate"]


def ts(folder, *args):
    return subprocess.run(["openssl", "ts", *args], cwd=folder, capture_output=True, text=True,
                          timeout=30, check=False)


def verified(folder, token, payload, ca):
    (folder / "token").write_bytes(token)
    (folder / "data").write_bytes(payload)
    (folder / "ca.pem").write_text(ca)
    return ts(folder, "-verify", "-token_in", "-in", "token", "-data", "data", "-CAfile", "ca.pem")


def shown(folder, token):
    (folder / "token").write_bytes(token)
    return ts(folder, "-reply", "-token_in", "-in", "token", "-token_out", "-text").stdout


@pytest.mark.parametrize("name", HASHES)
def test_openssl_verifies(tsa, tmp_path, name):
    token = stamp(tsa, b"deed", name)
    done = verified(tmp_path, token, b"deed", certificate(tsa))
    assert done.returncode == 0 and "Verification: OK" in done.stdout, done.stderr
    assert verified(tmp_path, token, b"dead", certificate(tsa)).returncode != 0
    text = shown(tmp_path, token)
    assert "Hash Algorithm: " + name.lower() in text
    assert "Policy OID: 2.25." in text and "Accuracy: 0x01 seconds" in text
    when = re.search(r"Time stamp: (.*) GMT", text)[1]
    said = datetime.datetime.strptime(when, "%b %d %H:%M:%S %Y")
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    assert abs((now - said).total_seconds()) < 60


def test_serial_numbers_differ(tsa, tmp_path):
    serials = {re.search("Serial number: 0x([0-9A-F]+)", shown(tmp_path, stamp(tsa, b"x")))[1]
               for _ in range(4)}
    assert len(serials) == 4 and all(len(s) == 32 for s in serials)


def test_certificate_says_what_it_is_for(tsa):
    made = x509.load_pem_x509_certificate(certificate(tsa).encode())
    use = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert use.critical and list(use.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("body,code,says", [
    ({"payload": "YQ==", "hashAlgorithm": "MD5"}, 600, "MD5"),
    ({"payload": "YQ==", "hashAlgorithm": "SHA-256"}, 600, "hashAlgorithm"),
    ({"payload": "YQ=="}, 600, "hashAlgorithm"), ({"hashAlgorithm": "SHA256"}, 600, "payload"),
    ({"payload": "", "hashAlgorithm": "SHA256"}, 600, "payload"),
    ({"payload": base64.b64encode(bytes(65537)).decode(), "hashAlgorithm": "SHA256"}, 600, "payload")])
def test_refusals(tsa, refused, body, code, says):
    with refused(code, says):
        tsa.call("POST", "/v1/createRfcTimestamp", body, "KO")


def test_without_a_key_of_its_own(hsm, refused):
    with refused(300, "rfcTimestampKeyName"):
        stamp(hsm, b"x")


def test_signs_nothing_else(tsa, refused):
    with refused(614, "system key"):
        tsa.sign(KEY, b"x", "SHA256_WITH_ECDSA")
    with refused(614, "system key"):
        tsa.call("POST", "/v1/key/deleteKey", {"label": KEY})
    with refused(614, "system key"):
        tsa.call("DELETE", "/v1/certificate/" + KEY)


def issue(spki, uses=(ExtendedKeyUsageOID.TIME_STAMPING,), critical=True, days=10):
    """An authority and a certificate of it for the key."""
    authority = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    now = datetime.datetime.now(datetime.timezone.utc)

    def build(subject, key):
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(key)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(20))
                .not_valid_after(now + datetime.timedelta(days)))
    root = build(name, authority.public_key()).add_extension(
        x509.BasicConstraints(True, None), True).sign(authority, hashes.SHA256())
    leaf = build(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clock")]), spki)
    if uses:
        leaf = leaf.add_extension(x509.ExtendedKeyUsage(uses), critical)
    return [c.public_bytes(serialization.Encoding.PEM).decode()
            for c in (root, leaf.sign(authority, hashes.SHA256()))]


def test_certificate_of_an_authority(tmp_path, refused):
    hsm = Hsm(server=SETTING)
    try:
        spki = serialization.load_der_public_key(base64.b64decode(
            hsm.attributes(KEY)["json"]["publicKey"]))

        def bring(leaf):
            hsm.call("POST", "/v1/certificate/import/plain", {"label": KEY, "certificate": leaf})
        for unfit in (dict(uses=()), dict(critical=False),
                      dict(uses=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CLIENT_AUTH))):
            with refused(402, "timeStamping"):
                bring(issue(spki, **unfit)[1])
        with refused(402, "public key"):
            bring(issue(ec.generate_private_key(ec.SECP256R1()).public_key())[1])
        root, leaf = issue(spki)
        bring(leaf)
        assert verified(tmp_path, stamp(hsm, b"x"), b"x", root).returncode == 0
        bring(issue(spki, days=-1)[1])
        with refused(402, "valid now"):
            stamp(hsm, b"x")
        bring(leaf)
        hsm.stop()
        hsm.start()  # which keeps it
        assert verified(tmp_path, stamp(hsm, b"x"), b"x", root).returncode == 0
    finally:
        hsm.close()
