"""BIP-340 and BIP-341 with keys of the HSM: published vectors, and the rules of api-notes.md 4.5."""
import base64
import csv
import json
import pathlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import secp256k1
from approver import b64

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors"
BIP340, K1 = "NONE_WITH_EC_SCHNORR_BIP0340", "1.3.132.0.10"
MESSAGE = bytes(range(32))
DER = serialization.Encoding.DER


def rows_of_bip340():
    with open(VECTORS / "bip340.csv", newline="") as f:
        return [row for row in csv.DictReader(f) if row["secret key"] and len(row["message"]) == 64]


def bring(hsm, label, number):
    key = ec.derive_private_key(number, ec.SECP256K1())
    public = key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    hsm.call("POST", "/v1/key/import/plain", {
        "label": label, "algorithm": "EC", "privateKey": b64(private), "publicKey": b64(public),
        "attributes": {"decrypt": False, "sign": True, "unwrap": False, "destroyable": True}})


def verify(hsm, label, signature, message=MESSAGE, **members):
    return hsm.call("POST", "/v1/verify", {"verifySignatureRequest": dict({
        "signKeyName": label, "payload": b64(message), "signatureAlgorithm": BIP340,
        "signature": b64(signature)}, **members)}, "KO")["signatureValid"]


@pytest.fixture(scope="module")
def key(hsm):
    """(label, point) of a key on secp256k1."""
    answer = hsm.create("taproot", curveOid=K1)
    numbers = serialization.load_der_public_key(
        base64.b64decode(answer["json"]["publicKey"])).public_numbers()
    return "taproot", (numbers.x, numbers.y)


@pytest.mark.parametrize("row", rows_of_bip340(), ids=lambda row: row["index"])
def test_bip340(hsm, row):
    label, message = "bip340 " + row["index"], bytes.fromhex(row["message"])
    bring(hsm, label, int(row["secret key"], 16))
    signature = hsm.sign(label, message, BIP340,
                         auxiliaryRandomData=b64(bytes.fromhex(row["aux_rand"])))
    assert signature.hex().upper() == row["signature"]
    assert verify(hsm, label, signature, message)


@pytest.mark.parametrize("n", range(7))
def test_bip341(hsm, n):
    row = json.loads((VECTORS / "bip341.json").read_text())["spending"][n]
    label, message = "bip341 %d" % n, bytes.fromhex(row["sigHash"])
    bring(hsm, label, int(row["internalPrivkey"], 16))
    ways = [{"taprootTweakData": b64(bytes.fromhex(row["tweak"]))}]
    if row["merkleRoot"]:
        ways.append({"merkleRootData": b64(bytes.fromhex(row["merkleRoot"]))})
    for members in ways:
        signature = hsm.sign(label, message, BIP340, auxiliaryRandomData=b64(bytes(32)), **members)
        assert signature.hex() == row["signature"]
        assert verify(hsm, label, signature, message, **members)
        assert not verify(hsm, label, signature, message)


def test_plain_signature(hsm, key):
    label, point = key
    for kind in (None, "DER", "RAW"):
        signature = hsm.sign(label, MESSAGE, BIP340, signatureType=kind)
        assert secp256k1.schnorr_valid(point[0], MESSAGE, signature)
        assert verify(hsm, label, signature)
        assert not verify(hsm, label, signature, MESSAGE[::-1])
        assert not verify(hsm, label, signature + b"\0")
        assert not verify(hsm, label, signature[:-1])
    assert hsm.sign(label, MESSAGE, BIP340) != hsm.sign(label, MESSAGE, BIP340)
    same = [hsm.sign(label, MESSAGE, BIP340, auxiliaryRandomData=b64(b"a" * 32)) for _ in "ab"]
    assert same[0] == same[1]


def test_tweaks(hsm, key):
    label, point = key
    for member, name, value in (("taprootTweakData", "tweak", b"t" * 32), ("merkleRootData", "root", b"r" * 32)):
        output, members = secp256k1.output_key(point[0], **{name: value}), {member: b64(value)}
        signature = hsm.sign(label, MESSAGE, BIP340, **members)
        assert secp256k1.schnorr_valid(output, MESSAGE, signature)
        assert verify(hsm, label, signature, **members) and not verify(hsm, label, signature)


Z32 = b64(bytes(32))


@pytest.mark.parametrize("members,code,says", [
    ({"taprootTweakData": Z32, "merkleRootData": Z32}, 600, "taprootTweakData excludes merkleRootData"),
    ({"taprootTweakData": b64(b"t" * 31)}, 600, "taprootTweakData is shorter than 32 bytes"),
    ({"merkleRootData": b64(b"t" * 33)}, 600, "merkleRootData is longer than 32 bytes"),
    ({"auxiliaryRandomData": "no base64"}, 600, "auxiliaryRandomData must be base64"),
    ({"taprootTweakData": b64(b"\xff" * 32)}, 600, "makes no key"),
    ({"context": b64(b"c")}, 600, "context goes with algorithms of ML-DSA and SLH-DSA only"),
    ({"signatureType": "ETH"}, 600, "signatureType ETH needs")])
def test_refused_members(hsm, key, refused, members, code, says):
    with refused(code, says):
        hsm.sign(key[0], MESSAGE, BIP340, **members)


@pytest.mark.parametrize("member", ["auxiliaryRandomData", "taprootTweakData", "merkleRootData"])
def test_members_of_this_algorithm_alone(hsm, key, refused, member):
    with refused(600, member + " goes with NONE_WITH_EC_SCHNORR_BIP0340 only"):
        hsm.sign(key[0], MESSAGE, "NONE_WITH_ECDSA", **{member: Z32})


def test_payload_and_key_must_fit(hsm, key, refused):
    hsm.create("p256 of taproot")
    for n in (1, 31, 33, 64):
        with refused(612, "payload must have 32 bytes for " + BIP340):
            hsm.sign(key[0], b"m" * n, BIP340)
    with refused(607, "needs an EC key on secp256k1"):
        hsm.sign("p256 of taproot", MESSAGE, BIP340)
    with refused(607, "needs an EC key on secp256k1"):
        verify(hsm, "p256 of taproot", b"s" * 64)
