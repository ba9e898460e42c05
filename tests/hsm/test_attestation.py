"""Attestations of keys as files, and with what they are verified (api-notes.md 7.7)."""
import base64
import io
import subprocess
import zipfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding


def unpacked(hsm, label):
    status, content = hsm.raw("POST", "/v1/key/keyAttestation", {"label": label})
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(content)) as z:
        assert z.testzip() is None
        return {name: z.read(name) for name in z.namelist()}


def test_zip_is_verified_with_openssl(hsm, tmp_path):
    hsm.create("attested")
    files = unpacked(hsm, "attested")
    assert set(files) == {"attested.sig", "attested.xml", "attested.pem",
                          "PrimusHSM_Attestation.crt", "README.txt"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for command in ("openssl dgst -sha256 -verify attested.pem -signature attested.sig attested.xml",
                    "openssl verify -CAfile PrimusHSM_Attestation.crt PrimusHSM_Attestation.crt"):
        subprocess.run(command.split(), cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    assert b"<label>attested</label>" in files["attested.xml"]


def test_json_twin_and_chain(hsm, refused):
    hsm.create("twin")
    twin = hsm.call("POST", "/v1/key/keyAttestation?format=json", {"label": "twin"})
    assert set(twin) == {"attestationKeyName", "signingKeyAttestationXml", "signingKeyPublicKey",
                         "signingKeyAttestationCertificate", "signingKeyAttestationSignatureBase64"}
    key = serialization.load_der_public_key(base64.b64decode(twin["signingKeyPublicKey"]))
    key.verify(base64.b64decode(twin["signingKeyAttestationSignatureBase64"]),
               twin["signingKeyAttestationXml"].encode(), padding.PKCS1v15(), hashes.SHA256())
    names = hsm.call("GET", "/v1/attestation")
    assert names == [twin["attestationKeyName"]] == ["attestation-key"]
    chain = hsm.call("GET", "/v1/attestation/attestation-key/certificateChain")
    assert chain == {"attestationCertificateChain": twin["signingKeyAttestationCertificate"]}
    certificate = x509.load_der_x509_certificate(base64.b64decode(chain["attestationCertificateChain"][0]))
    assert certificate.public_key().public_numbers() == key.public_numbers()
    for code, path, body in ((650, "/v1/attestation/timestamp-key/certificateChain", None),
                             (650, "/v1/key/keyAttestation", {"label": "absent"})):
        with refused(code):
            hsm.call("POST" if body else "GET", path, body)


def test_certificate_is_made_once(hsm):
    first = hsm.call("GET", "/v1/attestation/attestation-key/certificateChain")
    hsm.stop()
    hsm.start()
    assert hsm.call("GET", "/v1/attestation/attestation-key/certificateChain") == first


def test_password_of_the_key_is_asked(hsm, refused):
    hsm.create("locked twin", password="secret")
    with refused(620):
        hsm.call("POST", "/v1/key/keyAttestation", {"label": "locked twin"})
    status, content = hsm.raw("POST", "/v1/key/keyAttestation",
                              {"label": "locked twin", "password": "secret"})
    assert status == 200 and content[:2] == b"PK"
    assert "locked_twin.xml" in zipfile.ZipFile(io.BytesIO(content)).namelist()
