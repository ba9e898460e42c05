"""Keys from seeds and from other keys (api-notes.md 7.9): BIP-32 and SLIP-10."""
import json
import pathlib

import pytest
from cryptography.hazmat.primitives import serialization

import ska
from approver import b64, group, policy, quorum, rule, token, unb64

VECTORS = pathlib.Path(__file__).parent.parent / "vectors"
SECP256K1, P256, ED = "1.3.132.0.10", "1.2.840.10045.3.1.7", "1.3.101.112"
CURVES = {"secp256k1": SECP256K1, "nist256p1": P256, "ed25519": ED}
USES = {"decrypt": False, "sign": True, "unwrap": False, "destroyable": True, "derive": True,
        "slip10": True}
SEED = bytes(range(16))
SHA256 = "SHA256_WITH_ECDSA"


def sow(hsm, label, seed=SEED, curve=SECP256K1, attributes=(), **members):
    return hsm.call("POST", "/v1/importedKey", dict(
        {"label": label, "seed": b64(seed), "curveOid": curve,
         "attributes": dict(USES, **dict(attributes))}, **members))


def derive(hsm, master, path, attributes=None, password=None):
    return hsm.call("POST", "/v1/derivedKey", {
        "masterKeyLabel": master, "masterKeyPassword": password, "derivationPath": path,
        "attributes": attributes})


def xpub(hsm, name):
    quoted = name.replace("/", "%2F").replace("'", "%27")
    return hsm.call("GET", "/v1/xpub/" + quoted)["xpub"]


def raw_public(answer):
    """As SLIP-10 writes it."""
    key = serialization.load_der_public_key(unb64(answer["json"]["publicKey"]))
    if answer["json"]["algorithm"] == "ED":
        return "00" + key.public_bytes(serialization.Encoding.Raw,
                                       serialization.PublicFormat.Raw).hex()
    return key.public_bytes(serialization.Encoding.X962,
                            serialization.PublicFormat.CompressedPoint).hex()


# ---- published vectors ----

def test_bip32_vectors_by_name(hsm):
    for v in json.loads((VECTORS / "bip32.json").read_text()):
        if not v["chains"]:
            continue
        master = "bip32 %d" % v["number"]
        sow(hsm, master, bytes.fromhex(v["seed"]))
        for c in v["chains"]:
            assert xpub(hsm, c["chain"].replace("m", master, 1)) == c["xpub"], c["chain"]


def test_slip10_vectors_by_name(hsm):
    for i, v in enumerate(json.loads((VECTORS / "slip10.json").read_text())):
        if v["curve"] not in CURVES:
            continue
        master = "slip10 %d" % i
        sow(hsm, master, bytes.fromhex(v["seed"]), CURVES[v["curve"]])
        for c in v["chains"]:
            answer = hsm.attributes(c["chain"].replace("m", master, 1))
            assert raw_public(answer) == c["public"], c["chain"]
            derived = answer["json"]["derivedAttributes"]
            assert derived["derivationValue"] == c["chain code"].upper()


# ---- masters ----

@pytest.mark.parametrize("curve, algorithm, kind", [
    (SECP256K1, "EC", "BIP32"), (P256, "EC", "SLIP-10"), (ED, "ED", "ADA/SLIP-10")])
def test_new_key_has_a_chain_code(hsm, curve, algorithm, kind):
    label = "chain " + kind.replace("/", " ")
    answer = hsm.create(label, algorithm, curveOid=curve,
                        attributes={"derive": True, "bip32": True, "slip10": True})
    derived = answer["json"]["derivedAttributes"]
    assert derived["derivationType"] == kind and len(derived["derivationValue"]) == 64
    assert '<derivation_value type="%s">%s</derivation_value>' % (
        kind, derived["derivationValue"]) in answer["xml"]
    assert hsm.attributes(label)["json"]["derivedAttributes"] == derived
    assert hsm.create("no " + label, algorithm, curveOid=curve,
                      attributes={"derive": True})["json"]["derivedAttributes"] is None


@pytest.mark.parametrize("name, code, members", [
    ("bip32 on ED", 607, dict(algorithm="ED", curveOid=None,
                              attributes={"bip32": True, "derive": True})),
    ("slip10 on P-384", 634, dict(curveOid="1.3.132.0.34",
                                  attributes={"slip10": True, "derive": True})),
    ("slip10 without derive", 606, dict(attributes={"slip10": True})),
])
def test_masters_that_are_not_possible(hsm, refused, name, code, members):
    with refused(code):
        hsm.create(name, **members)


@pytest.mark.parametrize("code, says, members", [
    (600, "seed", {"seed": b64(bytes(15))}),
    (600, "seed", {"seed": b64(bytes(65))}),
    (600, "curveOid", {"curveOid": None}),
    (600, "Unsupported Curve", {"curveOid": "1.2.3"}),
    (634, "secp256k1", {"curveOid": "1.3.132.0.34"}),
    (634, "seed", {"algorithm": "RSA", "keySize": 2048}),
    (606, "derive", {"attributes": dict(USES, derive=False)}),
    (600, "seed excludes", {"secretKey": b64(bytes(16))}),
    (600, "attributes", {"attributes": None}),
    (610, "label", {"label": "a/0"}),
    (607, "Cardano", {"curveOid": ED, "attributes": dict(USES, slip10=False, bip32=True)}),
    (608, "in use", {"label": "attestation-key"}),
])
def test_seeds_that_are_refused(hsm, refused, code, says, members):
    body = {"label": "bad seed", "seed": b64(SEED), "curveOid": SECP256K1, "attributes": USES}
    with refused(code, says):
        hsm.call("POST", "/v1/importedKey", dict(body, **members))
    with refused(650):
        hsm.attributes("bad seed")


def test_seed_as_a_wallet_server_sends_it(hsm):
    """algorithm and slip10 stand beside attributes; derive goes without saying."""
    answer = hsm.call("POST", "/v1/importedKey", {
        "label": "wallet seed", "seed": b64(bytes(64)), "algorithm": "EC", "slip10": True,
        "curveOid": SECP256K1, "attributes": {"sign": True, "decrypt": False, "unwrap": False}})
    assert answer["json"]["attributes"]["derive"] and 'creation="imported"' in answer["xml"]
    assert not answer["json"]["attributes"]["neverExtractable"]
    assert hsm.sign("wallet seed/44'/0'/0'/0/0", b"p", SHA256)


def test_values_bring_no_chain_code(hsm, refused):
    with refused(606, "seed"):
        hsm.call("POST", "/v1/key/import/plain", {
            "label": "value", "algorithm": "AES", "secretKey": b64(bytes(16)), "attributes": USES})
    sow(hsm, "leaving", attributes={"extractable": True, "sensitive": False})
    hsm.create("kek", "AES", keySize=256, curveOid=None,
               attributes={"unwrap": True, "wrap": True, "sign": False})
    with refused(607, "chain code"):
        hsm.call("POST", "/v1/wrap", {"wrapKeyRequest": {
            "keyToBeWrapped": "leaving", "wrapKeyName": "kek", "wrapMethod": "AES_WRAP_PAD_EC"}},
            "KO")


# ---- stored keys ----

def test_derived_key_is_stored_and_stays(hsm, refused):
    sow(hsm, "kept")
    answer = derive(hsm, "kept", "44'/0'")
    assert answer["json"]["label"] == "kept/44'/0'"
    assert answer["json"]["attributes"] == hsm.attributes("kept")["json"]["attributes"]
    assert "<label>kept/44&apos;/0&apos;</label>" in answer["xml"]
    assert answer["json"]["publicKey"] != hsm.attributes("kept")["json"]["publicKey"]
    assert "kept/44'/0'" in hsm.call("GET", "/v1/key")
    stored = xpub(hsm, "kept/44'/0'")
    with refused(608):
        derive(hsm, "kept", "44'/0'")
    signature = hsm.sign("kept/44'/0'", b"p", SHA256)
    assert hsm.attributes("kept/44'/0'")["json"]["keyUsageCount"] == 1
    assert hsm.attributes("kept")["json"]["keyUsageCount"] == 0
    hsm.call("POST", "/v1/key/deleteKey", {"label": "kept"})
    assert hsm.verify("kept/44'/0'", b"p", SHA256, signature)
    with refused(650):
        hsm.attributes("kept/44'/1'")
    hsm.call("POST", "/v1/key/deleteKey", {"label": "kept/44'/0'"})
    sow(hsm, "kept")
    assert xpub(hsm, "kept/44'/0'") == stored


def test_derived_from_a_derived_key(hsm):
    sow(hsm, "steps")
    derive(hsm, "steps", "44'")
    derive(hsm, "steps/44'", "0'/7")
    sow(hsm, "once")
    assert xpub(hsm, "steps/44'/0'/7") == xpub(hsm, "once/44'/0'/7")


@pytest.mark.parametrize("asked, expected", [
    ({"sign": True}, dict(decrypt=False, derive=False, extractable=False, modifiable=True,
                          destroyable=False, sensitive=True)),
    ({"sign": True, "modifiable": False, "destroyable": True, "derive": True},
     dict(derive=True, modifiable=False, destroyable=True)),
])
def test_attributes_of_a_derived_key(hsm, asked, expected):
    label = "attributes %d" % len(asked)
    sow(hsm, label)
    got = derive(hsm, label, "0'", asked)["json"]["attributes"]
    assert {name: got[name] for name in expected} == expected


def test_derived_key_may_no_more_than_its_master(hsm, refused):
    sow(hsm, "strict", attributes={"modifiable": False})
    with refused(606, "extractable"):
        derive(hsm, "strict", "0'", {"sign": True, "extractable": True})
    with refused(606, "one of"):
        derive(hsm, "strict", "0'", {"sign": False})
    answer = derive(hsm, "strict", "0'", {"sign": True, "sensitive": False})
    assert answer["json"]["attributes"]["modifiable"] is False
    assert answer["json"]["attributes"]["sensitive"] is True


@pytest.mark.parametrize("path", ["/0", "0/", "044'", "0h", "m/0", "2147483648", "0//0", "x",
                                  "/".join(["0"] * 128)])
def test_bad_paths(hsm, refused, path):
    if not hsm.raw("GET", "/v1/xpub/paths")[0] == 200:
        sow(hsm, "paths")
    with refused(610):
        derive(hsm, "paths", path)
    with refused(610):
        hsm.sign("paths/" + path, b"p", SHA256)
    with refused(610):
        hsm.sign("paths/", b"p", SHA256)


# ---- keys for one use ----

@pytest.mark.parametrize("curve, algorithm", [
    (SECP256K1, SHA256), (P256, "SHA512_WITH_ECDSA"), (ED, "EDDSA")])
def test_temporary_key_signs_and_is_not_stored(hsm, curve, algorithm):
    label, name = "temporary " + algorithm, "temporary %s/44'/0'/0'/0'" % algorithm
    sow(hsm, label, curve=curve)
    signature = hsm.sign(name, b"p", algorithm)
    assert hsm.verify(name, b"p", algorithm, signature)
    assert not hsm.verify(label, b"p", algorithm, signature)
    assert name not in hsm.call("GET", "/v1/key")
    answer = hsm.attributes(name)["json"]
    assert answer["label"] == name and answer["id"] is None
    assert answer["keyUsageCount"] == hsm.attributes(label)["json"]["keyUsageCount"] == 1
    stored = derive(hsm, label, "44'/0'/0'/0'")["json"]
    assert stored["publicKey"] == answer["publicKey"]
    assert stored["derivedAttributes"] == answer["derivedAttributes"]


def test_temporary_key_signs_for_taproot(hsm):
    sow(hsm, "taproot")
    name, algorithm = "taproot/86'/0'/0'/0/0", "NONE_WITH_EC_SCHNORR_BIP0340"
    signature = hsm.sign(name, bytes(32), algorithm)
    assert len(signature) == 64 and hsm.verify(name, bytes(32), algorithm, signature)
    assert not hsm.verify("taproot", bytes(32), algorithm, signature)


def test_temporary_key_decrypts(hsm):
    sow(hsm, "ecies", attributes={"decrypt": True})
    sealed = hsm.call("POST", "/v1/encrypt", {"encryptRequest": {
        "encryptKeyName": "ecies/7'", "payload": b64(b"secret"), "cipherAlgorithm": "ECIES"}}, "KO")
    answer = hsm.call("POST", "/v1/synchronousDecrypt", {"decryptRequest": {
        "decryptKeyName": "ecies/7'", "encryptedPayload": sealed["encryptedPayload"],
        "cipherAlgorithm": "ECIES", "signedApprovals": []}}, "KO")
    assert unb64(answer["payload"]) == b"secret"


def test_names_that_have_no_key(hsm, refused):
    hsm.create("plain", attributes={"derive": True})
    hsm.create("rsa", "RSA", keySize=2048)
    sow(hsm, "soft")
    sow(hsm, "edwards", curve=ED)
    for name, code in (("plain/0", 634), ("rsa/0", 634), ("nobody/0", 650), ("soft/0h", 610),
                       ("edwards/0", 634), ("edwards/0'/1", 634), ("attestation-key/0", 614)):
        with refused(code):
            hsm.sign(name, b"p", "EDDSA" if name[0] == "e" else SHA256)
        with refused(code):
            hsm.attributes(name)
    hsm.call("PATCH", "/v1/key/changeAttributes",
             {"label": "soft", "attributes": {"derive": False}})
    with refused(614, "derive"):
        hsm.attributes("soft/0")


def test_temporary_key_cannot_be_changed(hsm, refused):
    sow(hsm, "fixed", attributes={"extractable": True, "sensitive": False})
    name = "fixed/0'"
    calls = [("POST", "/v1/key/changePassword", {"label": name, "newPassword": "p"}),
             ("PATCH", "/v1/key/changeAttributes", {"label": name, "newLabel": "other"}),
             ("POST", "/v1/key/export/plain", {"label": name})]
    for method, path, body in calls:
        with refused(614, "master"):
            hsm.call(method, path, body)
    with refused(650):
        hsm.call("POST", "/v1/key/deleteKey", {"label": name})
    for kind in ("Block", "Unblock"):
        with refused(614, "master"):
            hsm.call("POST", "/v1/synchronous" + kind, {
                kind.lower() + "Request": {kind.lower() + "KeyName": name, "signedApprovals": []}},
                "KO")
    with refused(614, "master"):
        hsm.stamp(name, None, "BLOCK")


def test_password_of_the_master(hsm, refused):
    sow(hsm, "locked", password="secret")
    for name in ("locked/0", "locked/0'"):
        for wrong in (None, "wrong"):
            with refused(620):
                hsm.attributes(name, wrong)
            with refused(620):
                hsm.sign(name, b"p", SHA256, keyPassword=wrong)
            with refused(620):
                derive(hsm, "locked", "5'", password=wrong)
        assert hsm.sign(name, b"p", SHA256, keyPassword="secret")
        assert hsm.attributes(name, "secret")["json"]["label"] == name
    derive(hsm, "locked", "5'", password="secret")
    with refused(620):
        hsm.sign("locked/5'", b"p", SHA256)
    assert hsm.sign("locked/5'", b"p", SHA256, keyPassword="secret")


# ---- with a policy ----

def approval(hsm, who, stamped, named=None):
    """A signed approval for the key stamped that names the key named."""
    answer = hsm.stamp(stamped, b"pay")
    return who.signed_approval(ska.Token(
        ska.USE, named or stamped, b"pay", unb64(answer["timestamp"]),
        unb64(answer["timestampSignatureWithAlgorithm"])).encode())


def test_approvals_name_the_whole_label(hsm, approver, refused):
    who, name = approver(), "ska/44'/0'/0'/0"
    sow(hsm, "ska", policy=quorum(1, who, timeout=600))
    for other in ("ska", "ska/44'/0'/0'/1", "ska/44'/0'/0'"):
        with refused(701):
            hsm.sign(name, b"pay", SHA256, [approval(hsm, who, name, other)])
        with refused(701):
            hsm.sign(other, b"pay", SHA256, [approval(hsm, who, name)])
    with refused(701):
        hsm.sign(name, b"pay", SHA256)
    signature = hsm.sign(name, b"pay", SHA256, [approval(hsm, who, name)])
    assert hsm.verify(name, b"pay", SHA256, signature)
    assert hsm.attributes(name)["json"]["policy"] == hsm.attributes("ska")["json"]["policy"]


def test_stored_key_inherits_the_policy(hsm, approver, refused):
    who, name = approver(), "heir/44'"
    sow(hsm, "heir", policy=quorum(1, who, timeout=600))
    assert derive(hsm, "heir", "44'")["json"]["policy"] == hsm.attributes(
        "heir")["json"]["policy"]
    with refused(701):
        hsm.sign(name, b"pay", SHA256, [approval(hsm, who, name, "heir")])
    assert hsm.sign(name, b"pay", SHA256, [approval(hsm, who, name)])


def test_approvals_come_before_the_password(hsm, approver, refused):
    who, name = approver(), "both/0'"
    sow(hsm, "both", policy=policy(rule(token(group(1, who)))), password="secret")
    with refused(701):
        hsm.sign(name, b"pay", SHA256, keyPassword="wrong")
    bare = who.signed_approval(ska.Token(ska.USE, name, b"pay").encode())
    with refused(620):
        hsm.sign(name, b"pay", SHA256, [bare], keyPassword="wrong")
    assert hsm.sign(name, b"pay", SHA256, [bare], keyPassword="secret")


def test_blocked_master_blocks_what_is_derived_for_one_use(hsm, refused):
    sow(hsm, "halt", policy=policy(blocked=True))
    with refused(614, "blocked"):
        hsm.sign("halt/0", b"p", SHA256)
    with refused(614, "blocked"):
        derive(hsm, "halt", "0")


def test_address_of_a_derived_key(hsm):
    sow(hsm, "coins", policy=policy(), addressFormat={"format": "BTC"})
    addresses = {hsm.attributes(name)["json"]["addressTruncated"]["address"]
                 for name in ("coins", "coins/0", "coins/1")}
    assert len(addresses) == 3
    answer = hsm.call("POST", "/v1/key/address", {"label": "coins/1"})
    assert unb64(answer["address"]).hex().upper() in addresses
    stored = derive(hsm, "coins", "0")["json"]["addressTruncated"]
    assert stored["format"] == "BTC" and stored["address"] in addresses
