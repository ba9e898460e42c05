"""Keys, random bytes and what the service tells about itself (api-notes.md 7, 8.4, 11)."""
import base64
import hashlib
import re

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

import keccak
import secp256k1
from approver import Approver, policy, quorum, rule, token, group
from conftest import Hsm, Refused, TOKENS

CURVES = {"1.2.840.10045.3.1.7": "secp256r1", "1.3.132.0.34": "secp384r1",
          "1.3.132.0.35": "secp521r1", "1.3.132.0.10": "secp256k1",
          "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
          "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1"}


def public(answer):
    return serialization.load_der_public_key(base64.b64decode(answer["json"]["publicKey"]))


def attestation_key(hsm):
    return public(hsm.attributes("attestation-key"))


@pytest.mark.parametrize("oid", sorted(CURVES))
def test_ec_keys_are_on_their_curve(hsm, oid):
    answer = hsm.create("curve-" + oid, curveOid=oid)
    assert public(answer).curve.name.lower() == CURVES[oid].lower()
    assert answer["json"]["curveOid"] == oid and answer["json"]["keySize"] is None
    assert answer["json"]["algorithmOid"] == "1.2.840.10045.2.1"


def test_brainpool_224_and_320_can_be_made(hsm):
    for oid in ("1.3.36.3.3.2.8.1.1.5", "1.3.36.3.3.2.8.1.1.9"):
        assert hsm.create("curve-" + oid, curveOid=oid)["json"]["curveOid"] == oid


@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_rsa_keys_have_their_size(hsm, size):
    answer = hsm.create("rsa-%d" % size, "RSA", keySize=size)
    assert public(answer).key_size == size == answer["json"]["keySize"]
    assert answer["json"]["curveOid"] is None


def test_ed25519_key(hsm):
    answer = hsm.create("ed", "ED", curveOid="1.3.101.112")
    assert base64.b64decode(answer["json"]["publicKey"])[:12].hex() == "302a300506032b6570032100"
    assert answer["json"]["curveOid"] is None


def test_attributes_are_attested_to_the_byte(hsm, approver):
    answer = hsm.create("attested", policy=quorum(1, approver(), timeout=600), id="my-id")
    xml = answer["xml"].encode()
    assert xml.endswith(b"</private_key>\n\n") and answer["attestationKeyName"] == "attestation-key"
    assert b"<label>attested</label>" in xml and b"<timeout>600</timeout>" in xml
    attestation_key(hsm).verify(base64.b64decode(answer["xmlSignature"]), xml, padding.PKCS1v15(),
                                hashes.SHA256())
    assert attestation_key(hsm).key_size == 3072
    shown = answer["json"]
    assert shown["id"] == "my-id" and shown["policy"]["keyStatus"] == {"blocked": False}
    approvals = shown["policy"]["ruleUse"]["tokens"][0]["groups"][0]["approvals"]
    assert approvals[0]["value"] == approver().policy_entry()["value"]
    assert shown["attributes"]["sensitive"] and shown["attributes"]["neverExtractable"]


def test_digest_of_attributes_leaves_out_what_changes_by_itself(hsm):
    answer = hsm.create("digested")
    lines = [line for line in answer["xml"].split("\n")
             if "<attest_time>" not in line and "<key_use_count>" not in line]
    before = hsm.stamp("digested", b"x")["keyAttributesDigest"]
    hsm.sign("digested", b"x", "SHA256_WITH_ECDSA")
    assert before == hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert before == hsm.stamp("digested", b"x")["keyAttributesDigest"]


def test_certificate_approvers_get_their_common_name(hsm, approver):
    answer = hsm.create("with-certificate", policy=quorum(1, approver(certificate=True)))
    shown = answer["json"]["policy"]["ruleUse"]["tokens"][0]["groups"][0]["approvals"][0]
    assert shown["type"] == "certificate" and shown["name"] == "p256-0"


def hash160(key):
    return hashlib.new("ripemd160", hashlib.sha256(key).digest()).digest()


def compressed(q):
    return bytes([2 | q[64] & 1]) + q[1:33]


ADDRESSES = [("ETH", "EC", lambda q: keccak.keccak(256, q[1:])[-20:]),
             ("BTC", "EC", lambda q: hash160(compressed(q))),
             ("XRP", "EC", lambda q: hash160(compressed(q))),
             ("XRP", "ED", lambda q: hash160(b"\xed" + q))]


@pytest.mark.parametrize("format,kind,expect", ADDRESSES, ids=lambda x: x if isinstance(x, str) else "")
def test_addresses(hsm, refused, format, kind, expect):
    label = "address-%s-%s" % (format, kind)
    answer = hsm.create(label, kind, policy=policy(), addressFormat={"format": format}, password="secret",
                        **({"curveOid": "1.3.132.0.10"} if kind == "EC" else {}))
    key, encoding = public(answer), serialization.Encoding
    address = expect(key.public_bytes(encoding.X962, serialization.PublicFormat.UncompressedPoint) if kind == "EC"
                     else key.public_bytes(encoding.Raw, serialization.PublicFormat.Raw))
    shown = {"address": address.hex().upper(), "format": format}
    assert answer["json"]["addressTruncated"] == shown
    assert '<address_truncated format="%s">%s</address_truncated>' % (format, shown["address"]) in answer["xml"]
    told = hsm.call("POST", "/v1/key/address", {"label": label, "password": "secret"})
    assert told == {"address": base64.b64encode(address).decode()}
    for wrong in (lambda: hsm.call("POST", "/v1/key/address", {"label": label}),
                  lambda: hsm.call("GET", "/v1/key/%s/address" % label)):
        with refused(620):
            wrong()


def test_address_by_name_and_of_keys_that_have_none(hsm, refused):
    hsm.create("address of one", policy=policy(), curveOid="1.3.132.0.10", addressFormat={"format": "BTC"})
    told = hsm.call("GET", "/v1/key/address%20of%20one/address")
    assert told == hsm.call("POST", "/v1/key/address", {"label": "address of one"})
    hsm.create("address of none", curveOid="1.3.132.0.10")
    hsm.create("address without format", policy=policy(), curveOid="1.3.132.0.10")
    for label, code in (("address of none", 630), ("address without format", 605), ("address of nobody", 650),
                        ("attestation-key", 630)):
        with refused(code):
            hsm.call("POST", "/v1/key/address", {"label": label})


def test_policy_that_asks_nobody_is_left_out_of_a_secret_key(hsm):
    for n, open_one in enumerate((policy(), {}, {"keyStatus": None}, policy(rule(token())))):
        answer = hsm.create("open secret %d" % n, "AES", open_one, keySize=256,
                            attributes={"decrypt": True, "extractable": True})
        assert answer["json"]["policy"] is None


def test_policy_without_status_is_not_blocked(hsm):
    for label, status in (("no status", {}), ("null status", {"keyStatus": None})):
        answer = hsm.create(label, policy=status)
        assert answer["json"]["policy"]["keyStatus"] == {"blocked": False}


def test_secret_key_that_only_encrypts(hsm, refused):
    hsm.create("one way", "AES", keySize=256, attributes={"sign": False, "encrypt": True})
    hsm.call("POST", "/v1/encrypt", {"encryptRequest": {
        "payload": "AAAA", "encryptKeyName": "one way", "cipherAlgorithm": "AES_GCM"}}, "KO")
    with refused(606):
        hsm.create("no way", "EC", attributes={"sign": False, "encrypt": True})


def test_signatures_of_secp256k1_have_a_low_s(hsm):
    hsm.create("low", curveOid="1.3.132.0.10")
    for n in range(12):
        for form in ("DER", "RAW"):
            sig = hsm.sign("low", b"%d" % n, "SHA256_WITH_ECDSA", signatureType=form)
            s = int.from_bytes(sig[32:], "big") if form == "RAW" else utils.decode_dss_signature(sig)[1]
            assert s <= secp256k1.N // 2
            assert hsm.verify("low", b"%d" % n, "SHA256_WITH_ECDSA", sig)


def test_settings_for_old_keys_and_new_clients():
    other = Hsm(server="[keys]\nrsaBits = 1024\n[general]\nunknownMembers = ignore\n")
    try:
        assert other.create("old", "RSA", keySize=1024)["json"]["keySize"] == 1024
        assert other.verify("old", b"p", "SHA256_WITH_RSA", other.sign("old", b"p", "SHA256_WITH_RSA"))
        other.create("new client", colour="red", attributes={"rotate": True})
        with pytest.raises(Refused) as e:
            other.create("misspelt", policy={"ruleuse": None})
        assert e.value.code == 600
    finally:
        other.close()


REFUSED = [
    ("same label", 608, dict(label="attested-twice")),
    ("slash", 610, dict(label="a/b")),
    ("wrong 239v1", 600, dict(curveOid="1.2.840.10045.3.1.1")),
    ("wrong 239v2", 600, dict(curveOid="1.2.840.10045.3.1.2")),
    ("wrong 239v3", 600, dict(curveOid="1.2.840.10045.3.1.3")),
    ("wrong brainpool224", 600, dict(curveOid="1.3.36.3.3.2.8.1.1.1")),
    ("unknown curve", 600, dict(curveOid="1.2.3.4")),
    ("RSA 1024", 603, dict(algorithm="RSA", keySize=1024)),
    ("RSA without size", 603, dict(algorithm="RSA")),
    ("AES of another size", 603, dict(algorithm="AES", keySize=512)),
    ("AES without size", 603, dict(algorithm="AES")),
    ("Camellia of another size", 603, dict(algorithm="Camellia", keySize=512)),
    ("AES with approvers", 606, dict(algorithm="AES", keySize=256, policy=policy(rule(token(
        group(1, Approver("p256"))))))),
    ("AES that is blocked", 606, dict(algorithm="AES", keySize=256, policy=policy(blocked=True))),
    ("ISS", 607, dict(algorithm="ISS", keySize=1)),
    ("round three", 607, dict(algorithm="DILITHIUM_L2")),
    ("no algorithm of ours", 600, dict(algorithm="ROT13")),
    ("no use", 606, dict(attributes={"sign": False})),
    ("extractable with policy", 606, dict(attributes={"extractable": True}, policy=policy())),
    ("bip32 on RSA", 606, dict(algorithm="RSA", keySize=2048,
                               attributes={"bip32": True, "derive": True})),
    ("bip32 without derive", 606, dict(attributes={"bip32": True})),
    ("address without policy", 630, dict(curveOid="1.3.132.0.10",
                                         addressFormat={"format": "BTC"})),
    ("address of another coin", 605, dict(curveOid="1.3.132.0.10", policy=policy(),
                                          addressFormat={"format": "XLM"})),
    ("address of IOTA", 605, dict(algorithm="ED", policy=policy(), addressFormat={"format": "IOTA"})),
    ("address BTC of ED", 605, dict(algorithm="ED", policy=policy(), addressFormat={"format": "BTC"})),
    ("address on P-256", 605, dict(policy=policy(), addressFormat={"format": "ETH"})),
    ("rule that cannot be met", 600, dict(policy=policy(rule()))),
]


@pytest.mark.parametrize("name,code,members", REFUSED, ids=[row[0] for row in REFUSED])
def test_creation_refuses(hsm, refused, name, code, members):
    members = dict(members)
    if code == 608:
        hsm.create(members["label"])
    with refused(code):
        hsm.create(members.pop("label", "refused-key"), members.pop("algorithm", "EC"), **members)
    assert "refused-key" not in hsm.call("GET", "/v1/key")


def test_creation_refuses_approvers_only_the_broker_knows(hsm, refused):
    unknown = {"type": "onboarded_approver_certificate", "name": "officer@example.com"}
    with refused(413, "broker"):
        hsm.create("onboarded", policy=policy(rule(token(
            {"name": None, "quorum": 1, "approvals": [unknown]}))))


def one_of(spki):
    entry = {"type": "public_key", "name": "x", "value": base64.b64encode(spki).decode()}
    return rule(token({"name": None, "quorum": 1, "approvals": [entry]}))


ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")


@pytest.mark.parametrize("code,point", [
    (601, bytes(32)), (601, b"\1" + bytes(31)), (601, b"\1" + bytes(30) + b"\x80"),
    (601, b"\xec" + b"\xff" * 30 + b"\x7f"), (407, b"\xee" + b"\xff" * 30 + b"\x7f")])
def test_creation_refuses_ed25519_approvers_that_are_nobody_or_twice(hsm, refused, code, point):
    with refused(code):
        hsm.create("nobody's", policy=policy(one_of(ED25519_SPKI + point)))


def test_creation_refuses_short_rsa_keys_of_approvers(hsm, refused):
    short = rsa.generate_private_key(65537, 1024).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with refused(601, "2048"):
        hsm.create("short", policy=policy(one_of(short)))


def test_creation_refuses_quorum_above_approvers(hsm, refused, approver):
    with refused(600, "quorum"):
        hsm.create("dead", policy=policy(rule(token(group(2, approver())))))


def test_list_is_sorted_and_complete(hsm):
    for label in ("list-b", "list-a", "Li\u017fte \u00fc"):
        hsm.create(label)
    labels = hsm.call("GET", "/v1/key")
    assert {"list-a", "list-b", "Li\u017fte \u00fc", "attestation-key", "timestamp-key"} <= set(labels)
    assert labels == sorted(labels, key=lambda s: s.encode())


def test_passwords(hsm, refused):
    hsm.create("locked", password=list("secret"))
    for password in (None, "wrong"):
        with refused(620, "Key password mismatch for key 'locked'."):
            hsm.attributes("locked", password)
        with refused(620):
            hsm.sign("locked", b"x", "SHA256_WITH_ECDSA", keyPassword=password)
        with refused(620):
            hsm.stamp("locked", b"x", keyPassword=password)
        with refused(620):
            hsm.call("POST", "/v1/key/deleteKey", {"label": "locked", "password": password})
    assert hsm.attributes("locked", "secret")["json"]["label"] == "locked"
    signature = hsm.sign("locked", b"x", "SHA256_WITH_ECDSA", keyPassword="secret")
    assert signature[0] == 0x30
    hsm.call("POST", "/v1/key/deleteKey", {"label": "locked", "password": "secret"})
    with refused(650):
        hsm.attributes("locked", "secret")


def test_deletion(hsm, refused):
    hsm.create("gone-1")
    assert hsm.raw("POST", "/v1/key/deleteKey", {"label": "gone-1"}) == (200, b"")
    hsm.create("gone 2")
    assert hsm.raw("DELETE", "/v1/key/gone%202") == (200, b"")
    for label in ("gone-1", "gone 2"):
        with refused(650, "A key with the name '%s' does not exist." % label):
            hsm.attributes(label)
        with refused(650):
            hsm.call("POST", "/v1/key/deleteKey", {"label": label})
    hsm.create("kept", attributes={"destroyable": False})
    with refused(614, "destroyable"):
        hsm.call("DELETE", "/v1/key/kept")


def test_system_keys_serve_only_the_hsm(hsm, refused):
    for label, algorithm in (("attestation-key", "SHA256_WITH_RSA"),
                             ("timestamp-key", "SHA256_WITH_ECDSA")):
        with refused(614, "system key"):
            hsm.call("DELETE", "/v1/key/" + label)
        with refused(614, "system key"):
            hsm.sign(label, b"x", algorithm)


def test_attributes_by_path_and_derivation(hsm, refused):
    hsm.create("by path")
    assert hsm.call("GET", "/v1/key/by%20path/attributes")["json"]["label"] == "by path"
    with refused(634, "bip32"):
        hsm.attributes("by path/44'/0'")
    with refused(650):
        hsm.attributes("nobody/44'/0'")


def test_use_count_grows_with_every_signature(hsm):
    hsm.create("counted")
    for _ in range(5):
        hsm.sign("counted", b"x", "SHA256_WITH_ECDSA")
    assert hsm.attributes("counted")["json"]["keyUsageCount"] == 5
    assert "<key_use_count>5</key_use_count>" in hsm.attributes("counted")["xml"]


def test_random(hsm, refused):
    for n in (1, 32, 65536):
        answer = hsm.call("GET", "/v1/generateRandom/%d" % n, role="KO")
        assert len(base64.b64decode(answer["random"])) == n
    assert hsm.call("GET", "/v1/generateRandom/32", role="SV") != \
        hsm.call("GET", "/v1/generateRandom/32", role="SV")
    for length, code in (("0", 619), ("65537", 619), ("99999999999999999999", 619), ("x", 600),
                         ("-1", 600), ("1x", 600)):
        with refused(code):
            hsm.call("GET", "/v1/generateRandom/" + length, role="KO")


def test_service(hsm):
    assert set(hsm.call("GET", "/v1/versionInfo", role="SV")) == {
        "Version", "Vendor", "Implementation"}
    assert "FIREBLOCKS_AGENT" in hsm.call("GET", "/v1/licenseInfo", role="SV")["clientFlags"]
    text = hsm.call("GET", "/v1/keystore/statistics", role="SV")["keyStoreStatistics"]
    counted = re.fullmatch(
        r"user \S+, private keys (\d+), public keys (\d+), secret keys (\d+), certificates (\d+), "
        r"data objects \d+, invalidated keys 0, used size \d+ bytes, max size \d+ bytes, "
        r"remaining objects \d+", text)
    private, public, secret, _ = map(int, counted.groups())
    labels = hsm.call("GET", "/v1/key", role="KM")
    assert private == public >= 2 and private + secret == len(labels)


def test_log(hsm, refused):
    hsm.call("GET", "/v1/licenseInfo", role="SV")
    lines = hsm.call("GET", "/v1/hsm/log", role="SV")["log"].splitlines()
    assert any("/v1/licenseInfo" in line for line in lines)
    last = hsm.call("GET", "/v1/hsm/log/2", role="SV")["log"]
    assert last.count("\n") == 2 and "/v1/hsm/log" in last
    for bad, code in (("0", 619), ("100001", 619), ("x", 600)):
        with refused(code):
            hsm.call("GET", "/v1/hsm/log/" + bad, role="SV")


@pytest.mark.parametrize("method,path,right", [
    ("GET", "/v1/key", "KM"), ("POST", "/v1/key", "KM"), ("POST", "/v1/key/attributes", "KM"),
    ("GET", "/v1/key/x/attributes", "KM"), ("POST", "/v1/key/deleteKey", "KM"),
    ("DELETE", "/v1/key/x", "KM"), ("POST", "/v1/synchronousSign", "KO"),
    ("POST", "/v1/verify", "KO"), ("POST", "/v1/timestamp", "KO"),
    ("GET", "/v1/generateRandom/1", "KO SV"), ("GET", "/v1/versionInfo", "SV"),
    ("GET", "/v1/licenseInfo", "SV"), ("GET", "/v1/keystore/statistics", "SV"),
    ("GET", "/v1/hsm/log", "SV"), ("GET", "/v1/hsm/log/1", "SV")])
def test_roles(hsm, method, path, right):
    for role in TOKENS:
        status, _ = hsm.raw(method, path, b"{}" if method == "POST" else b"", role)
        assert (status != 401) == (role in right.split()), role
    assert hsm.raw(method, path, b"", None)[0] == 401
    assert hsm.raw(method, path, b"", "KM", "x" * 36)[0] == 401
