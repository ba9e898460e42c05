"""tsb key derive, xpub, address and import --seed, tsb hmac: what they send and what they show."""
import base64
import os

import pytest

from approver import b64
from made_up import attributes_xml, four
from tsb import run

pytestmark = pytest.mark.no_site

KEY = {"KM": "k", "KO": "o"}
LABEL = "wallet/44'/60'/0'/0/1"


@pytest.fixture
def tsb(broker, tmp_path):
    def call(*args, **options):
        return run(*args, "-u", broker.url, cwd=tmp_path, **options)
    call.folder = tmp_path
    (tmp_path / "password").write_text("of the master\n")
    return call


def described(label, spki=b"\x30\x00", address=None):
    xml = attributes_xml(label, four(None), spki)
    if address:
        xml = xml.replace("<attributes>", '<address_truncated format="%s">%s</address_truncated>'
                          "<attributes>" % address)
    return {"xml": xml, "xmlSignature": b64(b"x"), "attestationKeyName": "a", "json": {}}


def test_derive_names_master_and_path(broker, tsb):
    broker.answers["POST", "/v1/derivedKey"] = 201, described(LABEL)
    for path in ("44'/60'/0'/0/1", "m/44'/60'/0'/0/1"):
        assert LABEL in tsb("key", "derive", "wallet", path, "--password-file", "password",
                            "--attributes", "sign,no-derive").out
        assert broker.sent("POST", "/v1/derivedKey")[-1] == {
            "masterKeyLabel": "wallet", "masterKeyPassword": "of the master",
            "derivationPath": "44'/60'/0'/0/1", "attributes": {"sign": True, "derive": False}}
    tsb("key", "derive", "wallet", "0")
    assert broker.sent("POST", "/v1/derivedKey")[-1] == {"masterKeyLabel": "wallet",
                                                         "derivationPath": "0"}


def test_xpub_is_printed_and_its_name_encoded(broker, tsb):
    path = "/v1/xpub/wallet%2F44%27"
    broker.answers["GET", path] = 200, {"xpub": "xpub661My"}
    assert tsb("key", "xpub", "wallet/44'").out == "xpub661My\n"
    assert tsb("key", "xpub", "wallet/44'", "--json").json == {"xpub": "xpub661My"}
    broker.answers["GET", path] = 200, {"xpub": None}
    assert "xpub is missing" in tsb("key", "xpub", "wallet/44'", code=3).err


# EIP-55's own examples
@pytest.mark.parametrize("text", ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
                                  "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
                                  "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
                                  "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"])
def test_an_ethereum_address_has_its_checksum(broker, tsb, text):
    raw = bytes.fromhex(text[2:])
    broker.answers["POST", "/v1/key/address"] = 200, {"address": b64(raw)}
    broker.answers["POST", "/v1/key/attributes"] = 200, described(
        LABEL, address=("ETH", raw.hex().upper()))
    assert tsb("key", "address", LABEL, "--json").json == {
        "format": "ETH", "address": raw.hex(), "text": text}
    assert text in tsb("key", "address", LABEL).out
    assert broker.sent("POST", "/v1/key/address")[-1] == {"label": LABEL}


def test_other_addresses_are_hex_alone_and_wrong_ones_are_misread(broker, tsb):
    broker.answers["POST", "/v1/key/address"] = 200, {"address": b64(bytes(20))}
    broker.answers["POST", "/v1/key/attributes"] = 200, described(LABEL, address=("BTC", "00" * 20))
    assert tsb("key", "address", LABEL, "--json").json == {"format": "BTC", "address": "00" * 20}
    for wrong in (b64(bytes(19)), "no base64", None):
        broker.answers["POST", "/v1/key/address"] = 200, {"address": wrong}
        assert "address is not 20 bytes" in tsb("key", "address", LABEL, code=3).err


@pytest.mark.parametrize("curve, oid, way", [("secp256k1", "1.3.132.0.10", "bip32"),
                                             ("ed25519", "1.3.101.112", "slip10")])
def test_a_seed_makes_a_master(broker, tsb, curve, oid, way):
    seed = b"\0" + os.urandom(31)
    broker.answers["POST", "/v1/importedKey"] = 201, described("wallet")
    for content in (seed, base64.encodebytes(seed)):
        (tsb.folder / "seed").write_bytes(content)
        tsb("key", "import", "--seed", "seed", "--curve", curve, "--name", "wallet",
            "--password-file", "password")
        sent = broker.sent("POST", "/v1/importedKey")[-1]
        assert (sent["label"], sent["seed"], sent["curveOid"], sent["password"]) == (
            "wallet", b64(seed), oid, "of the master")
        assert sent["attributes"]["derive"] and sent["attributes"][way] and "policy" not in sent


def test_hmac_is_made_and_checked(broker, tsb):
    keyed = b"\xfe" * 32
    (tsb.folder / "payload").write_bytes(b"asd")
    broker.answers["POST", "/v1/synchronousHmac"] = 200, {"keyedHash": b64(keyed)}
    assert tsb("hmac", "k", "payload").out == b64(keyed) + "\n"
    tsb("hmac", "k", "payload", "-o", "hash", "--password-file", "password")
    assert (tsb.folder / "hash").read_bytes() == keyed
    assert broker.sent("POST", "/v1/synchronousHmac") == [
        {"hmacRequest": {"keyName": "k", "payload": "YXNk"}},
        {"hmacRequest": {"keyName": "k", "keyPassword": "of the master", "payload": "YXNk"}}]
    for valid, code in ((True, 0), (False, 6)):
        broker.answers["POST", "/v1/verify"] = 200, {"signatureValid": valid}
        assert tsb("hmac", "k", "--verify", "hash", input=b"asd", code=code).out == (
            "valid\n" if valid else "")
        assert broker.sent("POST", "/v1/verify")[-1] == {
            "verifyHmacRequest": {"keyName": "k", "payload": "YXNk", "signature": b64(keyed)}}
    broker.answers["POST", "/v1/synchronousHmac"] = 200, {"keyedHash": "?"}
    assert "keyedHash is not base64" in tsb("hmac", "k", "payload", code=3).err
    assert "nothing to hash" in tsb("hmac", "k", code=1).err
