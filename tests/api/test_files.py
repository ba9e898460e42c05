"""Files and RFC 3161 timestamps through the broker and a web server (api-notes.md 8.6, 8.7)."""
import os
import subprocess

import pytest

import tsb
from approver import b64, unb64
from client import unique

pytestmark = pytest.mark.online_only("files are encrypted and stamped where the HSM is")

SIZES = [0, 1, 65536, 3000000]


@pytest.fixture
def archive(api):
    label = unique("archive")
    api.create_key(label, curveOid="1.3.132.0.34",
                   attributes={"decrypt": False, "sign": False, "unwrap": False, "derive": True,
                               "destroyable": True})
    return label


def form(dto, envelope, member, label, data, order=(0, 1)):
    parts = ['--x1\r\nContent-Disposition: form-data; name="%s"\r\n\r\n{"%s":{"%s":"%s"}}\r\n'
             % (dto, envelope, member, label),
             '--x1\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
             "Content-Type: application/octet-stream\r\n\r\n"]
    whole = [parts[0].encode(), parts[1].encode() + data + b"\r\n"]
    return b"".join(whole[i] for i in order) + b"--x1--\r\n"


def encrypt_form(label, data, **options):
    return form("SignedFileEncryptRequestDto", "fileEncryptRequest", "encryptKeyName", label, data,
                **options)


def decrypt_form(label, data, **options):
    return form("SignedFileDecryptRequestDto", "fileDecryptRequest", "decryptKeyName", label, data,
                **options)


TYPE = {"Content-Type": "multipart/form-data; boundary=x1"}


def send(api, path, body):
    return api.send("POST", path, raw=body, headers=TYPE, role="KO", timeout=120)


@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(api, archive, size):
    data = os.urandom(size)
    sealed = send(api, "/v1/fileEncrypt", encrypt_form(archive, data))
    assert sealed.status_code == 200, sealed.text
    assert sealed.headers["Content-Type"] == "application/octet-stream"
    plain = send(api, "/v1/synchronousFileDecrypt", decrypt_form(archive, sealed.content))
    assert plain.status_code == 200 and plain.content == data


def test_refusals(api, archive):
    answer = send(api, "/v1/fileEncrypt", encrypt_form(archive, b"x" * 200000))
    assert answer.status_code == 200, answer.text
    sealed = answer.content
    for path, body, code in (
            ("/v1/synchronousFileDecrypt", decrypt_form(archive, sealed[:-1]), 410),
            ("/v1/synchronousFileDecrypt", decrypt_form(archive, b"x" * 999), 623),
            ("/v1/fileEncrypt", encrypt_form("absent-key", b"x" * 3000000), 650),
            ("/v1/fileEncrypt", encrypt_form(archive, b"x", order=(1, 0)), 600),
            ("/v1/fileEncrypt", encrypt_form(archive, b"x" * 3000000)[:-2000000], 600),
            ("/v1/fileEncrypt", b"", 600)):
        answer = send(api, path, body)
        assert answer.status_code >= 400 and answer.json()["errorCode"] == code, answer.text
    assert send(api, "/v1/fileEncrypt", encrypt_form(archive, b"x")).status_code == 200


def test_command_line(site, archive, tmp_path):
    def do(*args, code=0):
        return tsb.run(*args, env=site.vars, code=code, cwd=tmp_path)
    data = os.urandom(200001)
    (tmp_path / "plain").write_bytes(data)
    do("file", "encrypt", archive, "plain", "-o", "sealed")
    assert (tmp_path / "sealed").read_bytes().startswith(b"TSBFILE1")
    do("file", "decrypt", archive, "sealed", "-o", "back")
    assert (tmp_path / "back").read_bytes() == data
    assert (tmp_path / "back").stat().st_mode & 0o777 == 0o600
    (tmp_path / "cut").write_bytes((tmp_path / "sealed").read_bytes()[:-1])
    do("file", "decrypt", archive, "cut", "-o", "back", code=2)
    assert (tmp_path / "back").read_bytes() == data  # as it was
    (tmp_path / "link").symlink_to("back")
    do("file", "decrypt", archive, "sealed", "-o", "link", code=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["back", "cut", "link", "plain", "sealed"]


# ---- timestamps ----

def test_stamped(api, site, tmp_path):
    answer = api.post("/v1/createRfcTimestamp", {"payload": b64(b"deed"), "hashAlgorithm": "SHA384"})
    (tmp_path / "deed").write_bytes(b"deed")
    (tmp_path / "token").write_bytes(unb64(answer["timestamp"]))
    tsb.run("timestamp", "deed", "-o", "other", env=site.vars, cwd=tmp_path)
    (tmp_path / "ca.pem").write_text(api.get("/v1/certificate/rfc-timestamp-key")["certificate"])
    for token in "token", "other":
        done = subprocess.run(["openssl", "ts", "-verify", "-token_in", "-in", token, "-data", "deed",
                               "-CAfile", "ca.pem"], cwd=tmp_path, capture_output=True, text=True,
                              timeout=30, check=False)
        assert done.returncode == 0, done.stderr
    api.refused(600, "POST", "/v1/createRfcTimestamp", {"payload": b64(b"x"), "hashAlgorithm": "MD5"},
                says="MD5")
