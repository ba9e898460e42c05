"""Published vectors of Project Wycheproof (tests/vectors/wycheproof) through tsb-hsm."""
import itertools
import json
import pathlib

import pytest

from approver import b64, unb64
from conftest import Refused

FOLDER = pathlib.Path(__file__).parent.parent / "vectors" / "wycheproof"
USES = {"decrypt": True, "sign": True, "unwrap": True, "destroyable": True, "extractable": True}
numbers = itertools.count()


def groups(name):
    return json.loads((FOLDER / (name + ".json")).read_text())["testGroups"]


def cases(name):
    """Each test with its group; what some implementations accept says nothing about ours."""
    for group in groups(name):
        for one in group["tests"]:
            if one["result"] != "acceptable":
                yield group, one


def value(one, member):
    return bytes.fromhex(one[member])


def key(hsm, algorithm, secret):
    label = "wycheproof %d" % next(numbers)
    hsm.call("POST", "/v1/key/import/plain", {
        "label": label, "algorithm": algorithm, "secretKey": b64(secret), "attributes": USES})
    return label


def public(hsm, algorithm, der):
    label = "wycheproof %d" % next(numbers)
    hsm.call("POST", "/v1/key/import/plain", {
        "label": label, "algorithm": algorithm, "publicKey": b64(bytes.fromhex(der))})
    return label


def keys_by_value(hsm, algorithm):
    known = {}

    def get(secret):
        if secret not in known:
            known[secret] = key(hsm, algorithm, secret)
        return known[secret]
    return get


# ---- key wrapping ----

@pytest.mark.parametrize("name,method", [("aes_wrap", "AES_WRAP"), ("aes_kwp", "AES_WRAP_PAD")])
def test_keys_under_aes(hsm, name, method):
    kek, seen = keys_by_value(hsm, "AES"), set()
    for _, one in cases(name):
        by, secret, why = kek(value(one, "key")), value(one, "msg"), (one["tcId"], one["comment"])
        if one["result"] == "invalid":
            with pytest.raises(Refused) as e:
                hsm.call("POST", "/v1/synchronousUnwrap", {"unwrapKeyRequest": {
                    "wrappedKey": b64(value(one, "ct")), "label": "never", "attributes": USES,
                    "unwrapKeyName": by, "wrapMethod": method}}, "KO")
            assert e.value.code in (600, 701), why
        elif 14 <= len(secret) <= 1024:
            label = key(hsm, "HMACSHA256", secret)
            answer = hsm.call("POST", "/v1/wrap", {"wrapKeyRequest": {
                "keyToBeWrapped": label, "wrapKeyName": by, "wrapMethod": method}}, "KO")
            assert unb64(answer["wrappedKey"]) == value(one, "ct"), why
        else:
            continue
        seen.add(one["result"])
    assert seen == {"valid", "invalid"}


# ---- ciphers ----

def decrypt(hsm, label, cipher, one, payload, **members):
    return unb64(hsm.call("POST", "/v1/synchronousDecrypt", {"decryptRequest": dict({
        "encryptedPayload": b64(payload), "decryptKeyName": label, "cipherAlgorithm": cipher,
        "initializationVector": b64(value(one, "iv"))}, **members)}, "KO")["payload"])


def check_cipher(hsm, name, algorithm, cipher):
    known, seen = keys_by_value(hsm, algorithm), set()
    for _, one in cases(name):
        label, why = known(value(one, "key")), (one["tcId"], one["comment"])
        payload = value(one, "ct") + (value(one, "tag") if "tag" in one else b"")
        more = {"additionalAuthenticationData": b64(value(one, "aad"))} if one.get("aad") else {}
        try:
            plain = decrypt(hsm, label, cipher, one, payload, **more)
        except Refused as e:
            assert one["result"] == "invalid" and e.code in (410, 600), (why, str(e))
        else:
            assert one["result"] == "valid" and plain == value(one, "msg"), why
        seen.add(one["result"])
    assert seen == {"valid", "invalid"}


def test_camellia_cbc(hsm):
    check_cipher(hsm, "camellia_cbc_pkcs5", "Camellia", "CAMELLIA")


def test_chacha20_poly1305(hsm):
    check_cipher(hsm, "chacha20_poly1305", "ChaCha20", "CHACHA20_AEAD")


# ---- keyed hashes ----

def test_hmac_sha256(hsm):
    known, seen = keys_by_value(hsm, "HMACSHA256"), set()
    for group, one in cases("hmac_sha256"):
        if group["keySize"] < 112 or one["msg"] == "":
            continue  # no such keys, and the API has no empty payload
        label, tag, payload = known(value(one, "key")), value(one, "tag"), b64(value(one, "msg"))
        mac = unb64(hsm.call("POST", "/v1/synchronousHmac", {
            "hmacRequest": {"keyName": label, "payload": payload}}, "KO")["keyedHash"])
        good = one["result"] == "valid"
        assert (mac[:len(tag)] == tag) == good, one
        valid = hsm.call("POST", "/v1/verify", {"verifyHmacRequest": {
            "keyName": label, "payload": payload, "signature": b64(tag)}}, "KO")["signatureValid"]
        assert valid == (good and len(tag) == 32), one
        seen.add(one["result"])
    assert seen == {"valid", "invalid"}


# ---- signatures ----

def check_signatures(hsm, name, algorithm, signature_algorithm, but=()):
    seen = set()
    for group in groups(name):
        label = public(hsm, algorithm, group["publicKeyDer"])
        for one in group["tests"]:
            if one["result"] == "acceptable" or set(one["flags"]) & set(but) or one["msg"] == "":
                continue
            try:
                valid = hsm.verify(label, value(one, "msg"), signature_algorithm, value(one, "sig"))
            except Refused as e:
                assert e.code in (600, 612), (one, str(e))
                valid = False
            assert valid == (one["result"] == "valid"), one
            seen.add(one["result"])
    assert seen == {"valid", "invalid"}


def test_dsa(hsm):
    check_signatures(hsm, "dsa_2048_256_sha256", "DSA", "SHA256_WITH_DSA")


def test_ecdsa_secp256k1(hsm):
    """That s must be in the lower half is a rule of Bitcoin, and verification takes both."""
    check_signatures(hsm, "ecdsa_secp256k1_sha256_bitcoin", "EC", "SHA256_WITH_ECDSA",
                     ["SignatureMalleabilityBitcoin"])


def test_ed25519(hsm):
    check_signatures(hsm, "ed25519", "ED", "EDDSA")
