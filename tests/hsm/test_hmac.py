"""Keyed hashes: made, checked in both envelopes, and who may."""
import hashlib
import hmac
import os

import pytest

from approver import b64, unb64

USES = {"decrypt": False, "sign": True, "unwrap": False, "destroyable": True}
PAYLOAD = b"asd"


def bring(hsm, label, value, password=None, **uses):
    hsm.call("POST", "/v1/key/import/plain", {
        "label": label, "algorithm": "HMACSHA256", "secretKey": b64(value), "password": password,
        "attributes": dict(USES, **uses)})


def make(hsm, label, payload=PAYLOAD, **members):
    return unb64(hsm.call("POST", "/v1/synchronousHmac", {"hmacRequest": dict(
        {"keyName": label, "payload": b64(payload)}, **members)}, "KO")["keyedHash"])


def check(hsm, label, mac, payload=PAYLOAD, path="/v1/verifyHmac", **members):
    return hsm.call("POST", path, {"verifyHmacRequest": dict({
        "keyName": label, "payload": b64(payload), "signature": b64(mac)}, **members)},
        "KO")["signatureValid"]


@pytest.mark.parametrize("size", [14, 32, 65, 1024])
def test_it_is_the_hash_of_rfc2104(hsm, size):
    value, label = os.urandom(size), "hmac %d" % size
    bring(hsm, label, value)
    for payload in (PAYLOAD, os.urandom(1000)):
        assert make(hsm, label, payload) == hmac.new(value, payload, hashlib.sha256).digest()
    assert hsm.attributes(label)["json"]["keyUsageCount"] == 2


@pytest.mark.parametrize("path", ["/v1/verify", "/v1/verifyHmac"])
def test_a_wrong_hash_is_an_answer(hsm, path):
    label = "checked by " + path.split("/")[-1]
    hsm.create(label, "HMACSHA256")
    mac = make(hsm, label)
    assert check(hsm, label, mac, path=path)
    for wrong in (mac[:-1], mac + b"\0", mac[:16], bytes([mac[0] ^ 1]) + mac[1:]):
        assert not check(hsm, label, wrong, path=path)
    assert not check(hsm, label, mac, b"other", path=path)


def test_signature_calls_know_the_algorithm(hsm, refused):
    hsm.create("signs", "HMACSHA256")
    assert hsm.sign("signs", PAYLOAD, "HMAC_SHA256") == make(hsm, "signs")
    with refused(607, "verifyHmacRequest"):
        hsm.verify("signs", PAYLOAD, "HMAC_SHA256", b"x" * 32)
    for other in ("EDDSA", "SHA256_WITH_RSA"):
        with refused(607, other):
            hsm.sign("signs", PAYLOAD, other)


def test_other_keys_make_none(hsm, refused):
    hsm.create("ec")
    hsm.create("aes", "AES", keySize=256)
    for label in ("ec", "aes"):
        with refused(607, "HMAC_SHA256"):
            make(hsm, label)
        with refused(607, "HMAC_SHA256"):
            check(hsm, label, b"x" * 32)
    with refused(650):
        make(hsm, "nobody")


def test_attributes_say_who_may(hsm, refused):
    value = os.urandom(32)
    mac = hmac.new(value, PAYLOAD, hashlib.sha256).digest()
    bring(hsm, "checks only", value, sign=False, decrypt=True, verify=True)
    assert check(hsm, "checks only", mac)
    with refused(614, "sign"):
        make(hsm, "checks only")
    bring(hsm, "makes only", value, verify=False)
    assert make(hsm, "makes only") == mac
    with refused(614, "verify"):
        check(hsm, "makes only", mac)


def test_password(hsm, refused):
    value = os.urandom(32)
    bring(hsm, "locked", value, password="pw")
    mac = make(hsm, "locked", keyPassword="pw")
    assert check(hsm, "locked", mac, keyPassword="pw")
    for wrong in ({}, {"keyPassword": "no"}):
        with refused(620):
            make(hsm, "locked", **wrong)
        with refused(620):
            check(hsm, "locked", mac, **wrong)


@pytest.mark.parametrize("body", [
    {}, {"hmacRequest": {}}, {"hmacRequest": {"keyName": "k"}}, {"hmacRequest": {"payload": "YXNk"}},
    {"hmacRequest": {"keyName": "k", "payload": "not base64!"}},
    {"hmacRequest": {"keyName": "k", "payload": "YXNk", "signature": "YXNk"}}])
def test_bad_requests(hsm, refused, body):
    with refused(600):
        hsm.call("POST", "/v1/synchronousHmac", body, "KO")
