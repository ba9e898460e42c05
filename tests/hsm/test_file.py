"""POST /v1/fileEncrypt and /v1/synchronousFileDecrypt (api-notes.md 8.7, docs/file-format.md).

The format is written here from the document alone. TSB_FILE_MIB=1024 makes the test of memory a long
one."""
import base64
import json
import os
import pathlib
import struct
import subprocess

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import fcgi
from approver import group, policy, rule, token
from conftest import TOKENS, Refused

P256, P384 = "1.2.840.10045.3.1.7", "1.3.132.0.34"
SEGMENT = 65536
SIZES = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 17]


# ---- the format, as the documents tell it ----

def point(key):
    return key.public_bytes(serialization.Encoding.X962,
                            serialization.PublicFormat.UncompressedPoint)


def ecies(receiver, message, additional):
    ephemeral = ec.generate_private_key(receiver.curve)
    here = point(ephemeral.public_key())
    keys = HKDF(hashes.SHA256(), 44, None, b"tsb-hsm ECIES 1" + here + point(receiver)).derive(
        ephemeral.exchange(ec.ECDH(), receiver))
    return here + AESGCM(keys[:32]).encrypt(keys[32:], message, additional)


def head_of(oid, suite=1, log2=16):
    return b"TSBFILE1" + bytes([suite, log2, len(oid)]) + oid.encode()


def seal_file(receiver, oid, plain, head=None, lasts=None, secret_size=39):
    head = head or head_of(oid)
    secret = os.urandom(secret_size)
    sealed = ecies(receiver, secret, head)
    cipher, prefix = AESGCM(secret[:32]), secret[32:39]
    pieces = [plain[i:i + SEGMENT] for i in range(0, len(plain), SEGMENT)] or [b""]
    parts = [head + struct.pack(">H", len(sealed)) + sealed]
    for i, piece in enumerate(pieces):
        last = i == len(pieces) - 1
        parts.append(cipher.encrypt(prefix.ljust(7, b"\0") + struct.pack(">IB", i, last), piece, None))
    return parts


# ---- calls ----

def form(dto, envelope, key, label, data, password=None, order=None, tail=b"--"):
    text = '{"%s":{"%s":"%s"%s}}' % (envelope, key, label, ',"keyPassword":"%s"' % password
                                     if password else "")
    parts = [b'Content-Disposition: form-data; name="%s"\r\n\r\n' % dto.encode() + text.encode(),
             b'content-disposition: form-data; name="file"; filename="x;name=y"\r\n'
             b"Content-Type: text/plain\r\n\r\n" + data]
    if order is not None:
        parts = [parts[i] for i in order]
    return b"".join(b"--b0undary\r\n" + p + b"\r\n" for p in parts) + b"--b0undary" + tail + b"\r\n"


def send(hsm, path, body, kind="multipart/form-data; boundary=b0undary"):
    status, content = fcgi.call(hsm.dir / "hsm.sock", "POST", path,
                                {"X-API-KEY": TOKENS["KO"]}, body, content_type=kind, timeout=300)
    if status >= 400:
        raise Refused(status, json.loads(content))
    assert status == 200
    return content


def encrypt(hsm, label, data, **options):
    return send(hsm, "/v1/fileEncrypt", form(
        "SignedFileEncryptRequestDto", "fileEncryptRequest", "encryptKeyName", label, data, **options))


def decrypt(hsm, label, data, **options):
    return send(hsm, "/v1/synchronousFileDecrypt", form(
        "SignedFileDecryptRequestDto", "fileDecryptRequest", "decryptKeyName", label, data, **options))


@pytest.fixture(scope="module")
def key(hsm):
    """Label, OID and public key of a key for files."""
    made = hsm.create("archive", curveOid=P384, attributes={"derive": True, "sign": False})
    return "archive", P384, serialization.load_der_public_key(
        base64.b64decode(made["json"]["publicKey"]))


# ---- there and back ----

@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(hsm, key, size):
    data = os.urandom(size)
    sealed = encrypt(hsm, key[0], data)
    segments = max(1, -(-size // SEGMENT))
    assert sealed.startswith(head_of(P384))
    assert len(sealed) == len(head_of(P384)) + 2 + 97 + 39 + 16 + size + 16 * segments
    assert decrypt(hsm, key[0], sealed) == data
    assert encrypt(hsm, key[0], data) != sealed


@pytest.mark.parametrize("size", SIZES)
def test_made_elsewhere_by_the_document(hsm, key, size):
    data = os.urandom(size)
    assert decrypt(hsm, key[0], b"".join(seal_file(key[2], key[1], data))) == data


def test_content_may_look_like_a_delimiter(hsm, key):
    data = b"\r\n--b0undar\r\n\r\n--b0undarx--\r\n--" + b"\r\n" * 70000 + b"x--b0undary"
    assert decrypt(hsm, key[0], encrypt(hsm, key[0], data)) == data


def test_password(hsm, refused):
    hsm.create("locked", password="secret", attributes={"derive": True})
    sealed = encrypt(hsm, "locked", b"x")
    with refused(620):
        decrypt(hsm, "locked", sealed)
    assert decrypt(hsm, "locked", sealed, password="secret") == b"x"


# ---- what does not open ----

def test_nothing_of_a_changed_file(hsm, key, refused):
    data = os.urandom(3 * SEGMENT + 5)
    parts = seal_file(key[2], key[1], data)
    whole = b"".join(parts)
    assert decrypt(hsm, key[0], whole) == data
    head, a, b, c, d = parts
    for other in (head + a + b + c, head + a + b + d, head + b + a + c + d, head + a + b + c + c + d,
                  head + d, whole[:-1], whole + b"x", head, whole[:-17] + whole[-16:],
                  whole[:-1] + bytes([whole[-1] ^ 1]),
                  whole[:len(head) + 9] + bytes([whole[len(head) + 9] ^ 1]) + whole[len(head) + 10:]):
        with refused(410):
            decrypt(hsm, key[0], other)


def test_of_another_key(hsm, key, refused):
    hsm.create("other", curveOid=P384, attributes={"derive": True})
    with refused(410):
        decrypt(hsm, "other", encrypt(hsm, key[0], b"x"))
    hsm.create("elsewhere", curveOid=P256, attributes={"derive": True})
    with refused(623, "curve"):
        decrypt(hsm, "elsewhere", encrypt(hsm, key[0], b"x"))


@pytest.mark.parametrize("what", ["empty", "text", "magic", "suite", "log2", "oid", "cut", "key"])
def test_headers(hsm, key, refused, what):
    good = b"".join(seal_file(key[2], key[1], b"x"))
    bad = {"empty": b"", "text": b"Dear Sir or Madam, " * 40, "magic": b"TSBFILE2" + good[8:],
           "suite": good[:8] + b"\2" + good[9:], "log2": good[:9] + b"\x11" + good[10:],
           "oid": good[:10] + b"\0" + good[11:], "cut": good[:100],
           "key": good[:11 + len(P384)] + b"\xff\xff" + good[13 + len(P384):]}[what]
    with refused(623, "header"):
        decrypt(hsm, key[0], bad)


def test_header_is_bound(hsm, key, refused):
    parts = seal_file(key[2], key[1], b"x", head=head_of(P384) + b"")
    other = seal_file(key[2], key[1], b"x")
    with refused(410):
        decrypt(hsm, key[0], parts[0] + other[1])
    short = seal_file(key[2], key[1], b"x", secret_size=32)
    with refused(623, "length"):
        decrypt(hsm, key[0], b"".join(short))


# ---- who may ----

def test_keys_that_cannot(hsm, approver, refused):
    hsm.create("rsa", algorithm="RSA", keySize=2048, attributes={"derive": True})
    hsm.create("signs")
    a = approver()
    hsm.create("guarded", policy=policy(rule(token(group(1, a)))), attributes={"derive": True})
    for call in (encrypt, decrypt):
        with refused(607):
            call(hsm, "rsa", b"x")
        with refused(614, "derive"):
            call(hsm, "signs", b"x")
        with refused(614, "system key"):
            call(hsm, "timestamp-key", b"x")
        with refused(650):
            call(hsm, "nobody-made-it", b"x")
    sealed = encrypt(hsm, "guarded", b"x")
    with refused(701, "insufficient"):
        decrypt(hsm, "guarded", sealed)


# ---- bodies ----

@pytest.mark.parametrize("order,says", [((1, 0), "order"), ((0,), "file"), ((1,), "order"),
                                        ((), "lacks"), ((0, 1, 1), "file"), ((0, 0), "order")])
def test_parts_have_an_order(hsm, key, refused, order, says):
    with refused(600, says):
        encrypt(hsm, key[0], b"x", order=order)


def test_cut_bodies(hsm, key, refused):
    body = form("SignedFileEncryptRequestDto", "fileEncryptRequest", "encryptKeyName", key[0], b"x" * 99)
    for end in (len(body) - 4, len(body) - 40, 150, 30, 0):
        with refused(600):
            send(hsm, "/v1/fileEncrypt", body[:end])


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "multipart/mixed; boundary=x",
                                  "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 71,
                                  'multipart/form-data; boundary="b0undary', "multipart/form-datax; boundary=x"])
def test_types(hsm, refused, kind):
    with refused(600, "multipart/form-data"):
        send(hsm, "/v1/fileEncrypt", b"--b0undary--\r\n", kind)


@pytest.mark.parametrize("kind", ['multipart/form-data; boundary="b0undary"',
                                  "Multipart/Form-Data; charset=utf-8; Boundary=b0undary;"])
def test_ways_to_say_the_boundary(hsm, key, kind):
    body = form("SignedFileEncryptRequestDto", "fileEncryptRequest", "encryptKeyName", key[0], b"x")
    assert decrypt(hsm, key[0], send(hsm, "/v1/fileEncrypt", b"a preamble\r\n" + body + b"an epilogue",
                                     kind)) == b"x"


def test_members_are_checked(hsm, refused):
    for text in (b"{}", b'{"fileEncryptRequest":{}}', b'{"fileEncryptRequest":{"encryptKeyName":"x","y":1}}',
                 b"x" * 70000):
        body = (b'--b0undary\r\nContent-Disposition: form-data; name="SignedFileEncryptRequestDto"\r\n\r\n' +
                text + b'\r\n--b0undary\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b0undary--')
        with refused(600):
            send(hsm, "/v1/fileEncrypt", body)


# ---- memory ----

def peak(hsm):
    pids = subprocess.run(["pgrep", "-P", str(hsm.process.pid)], capture_output=True, text=True,
                          check=True).stdout.split()
    lines = [line for pid in pids for line in
             pathlib.Path("/proc/%s/status" % pid).read_text().splitlines()]
    return max(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_memory_is_constant(hsm, key):
    if b"__asan_init" in hsm.binary.read_bytes():
        pytest.skip("AddressSanitizer keeps what was freed")
    size = int(os.environ.get("TSB_FILE_MIB", "24")) << 20
    decrypt(hsm, key[0], encrypt(hsm, key[0], b"x" * 300000))
    before = peak(hsm)
    data = bytes(size)
    sealed = encrypt(hsm, key[0], data)
    assert decrypt(hsm, key[0], sealed) == data
    assert peak(hsm) - before < 8 * 1024  # KiB
