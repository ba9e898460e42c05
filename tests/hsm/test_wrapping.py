"""Unwrap and wrap, with the other side done by another library; what approvals of an unwrap bind."""
import concurrent.futures
import os

import pytest
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import ska
from approver import Approver, b64, group, policy, rule, spki_of, token, unb64, verify
from conftest import Refused

FLAGS = {"decrypt": True, "sign": False, "unwrap": False, "destroyable": True}
SIGNS = {"decrypt": False, "sign": True, "unwrap": False, "destroyable": True}
OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)


def unwrap(hsm, wrapped, label, method, by, approvals=(), attributes=None, **members):
    return hsm.call("POST", "/v1/synchronousUnwrap", {"unwrapKeyRequest": dict({
        "wrappedKey": b64(wrapped), "label": label, "attributes": attributes or FLAGS,
        "unwrapKeyName": by, "wrapMethod": method, "signedApprovals": list(approvals)},
        **members)}, "KO")


def wrap(hsm, label, by, method, **members):
    return unb64(hsm.call("POST", "/v1/wrap", {"wrapKeyRequest": dict({
        "keyToBeWrapped": label, "wrapKeyName": by, "wrapMethod": method}, **members)},
        "KO")["wrappedKey"])


def public_of(hsm, label):
    return serialization.load_der_public_key(unb64(hsm.attributes(label)["json"]["publicKey"]))


def pkcs8(key):
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def der_length(der):
    """The bytes of the first value of DER, its header included."""
    if der[1] < 0x80:
        return 2 + der[1]
    n = der[1] & 0x7f
    return 2 + n + int.from_bytes(der[2:2 + n], "big")


def opens(hsm, label, value):
    """The AES key of this label is this value."""
    iv = os.urandom(12)
    answer = hsm.call("POST", "/v1/synchronousDecrypt", {"decryptRequest": {
        "encryptedPayload": b64(AESGCM(value).encrypt(iv, b"message", None)),
        "decryptKeyName": label, "cipherAlgorithm": "AES_GCM",
        "initializationVector": b64(iv)}}, "KO")
    return unb64(answer["payload"]) == b"message"


@pytest.fixture(scope="module")
def kek(hsm):
    """An AES key that unwraps and wraps, with its value."""
    hsm.create("carrier", "RSA", keySize=2048, attributes={"sign": False, "unwrap": True})
    value = os.urandom(32)
    unwrap(hsm, public_of(hsm, "carrier").encrypt(value, OAEP), "kek", "RSA_WRAP_OAEP", "carrier",
           attributes={"decrypt": False, "sign": False, "unwrap": True, "wrap": True})
    return value


# ---- secret keys ----

@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("method,pad", [("RSA_WRAP_OAEP", OAEP), ("RSA_WRAP_PAD", padding.PKCS1v15())])
def test_secret_under_rsa(hsm, kek, method, pad, size):
    value, label = os.urandom(size), "%s-%d" % (method, size)
    status, _ = hsm.raw("POST", "/v1/synchronousUnwrap", {"unwrapKeyRequest": {
        "wrappedKey": b64(public_of(hsm, "carrier").encrypt(value, pad)), "label": label,
        "attributes": FLAGS, "unwrapKeyName": "carrier", "wrapMethod": method}}, "KO")
    assert status == 201
    shown = hsm.attributes(label)
    assert shown["json"]["algorithm"] == "AES" and shown["json"]["keySize"] == 8 * size
    assert {k: shown["json"]["attributes"][k] for k in FLAGS} == FLAGS
    assert not shown["json"]["attributes"]["alwaysSensitive"]
    assert not shown["json"]["attributes"]["neverExtractable"]
    assert '<secret_key creation="imported">' in shown["xml"]
    assert opens(hsm, label, value)


@pytest.mark.parametrize("method,wrapped_by,unwrapped_by", [
    ("AES_WRAP", keywrap.aes_key_wrap, keywrap.aes_key_unwrap),
    ("AES_WRAP_PAD", keywrap.aes_key_wrap_with_padding, keywrap.aes_key_unwrap_with_padding)])
def test_secret_under_aes(hsm, kek, method, wrapped_by, unwrapped_by):
    value, label = os.urandom(24), "under " + method
    unwrap(hsm, wrapped_by(kek, value), label, method, "kek",
           attributes=dict(FLAGS, extractable=True))
    assert opens(hsm, label, value)
    assert unwrapped_by(kek, wrap(hsm, label, "kek", method)) == value


# ---- private keys ----

PRIVATE = {"RSA": lambda: rsa.generate_private_key(65537, 2048),
           "EC": lambda: ec.generate_private_key(ec.SECP384R1()),
           "ED": ed25519.Ed25519PrivateKey.generate}
ALGORITHMS = {"RSA": ("SHA256_WITH_RSA", "SHA-256"), "EC": ("SHA384_WITH_ECDSA", "SHA-384"),
              "ED": ("EDDSA", None)}


@pytest.mark.parametrize("kind", PRIVATE)
@pytest.mark.parametrize("padded", [True, False])
def test_private_key_under_aes(hsm, kek, kind, padded):
    key, label = PRIVATE[kind](), "private %s %s" % (kind, padded)
    method = "AES_WRAP%s_%s" % ("_PAD" if padded else "", kind)
    der = pkcs8(key)
    if padded:
        wrapped = keywrap.aes_key_wrap_with_padding(kek, der)
    else:
        wrapped = keywrap.aes_key_wrap(kek, der + b"\0" * (-len(der) % 8))
    answer = unwrap(hsm, wrapped, label, method, "kek", attributes=dict(SIGNS, extractable=True))
    assert unb64(answer["json"]["publicKey"]) == spki_of(key.public_key())
    assert '<private_key creation="imported">' in answer["xml"]
    algorithm, digest = ALGORITHMS[kind]
    assert verify(key.public_key(), digest, b"m", hsm.sign(label, b"m", algorithm))
    out = (keywrap.aes_key_unwrap_with_padding if padded else keywrap.aes_key_unwrap)(
        kek, wrap(hsm, label, "kek", method))
    # The DER says its length; one RSA key in 256 ends with a zero of its own.
    end = der_length(out)
    assert out[end:] == b"\0" * (0 if padded else -end % 8)
    assert pkcs8(serialization.load_der_private_key(out[:end], None)) == der


def test_keys_travel_between_names(hsm, kek):
    """What this HSM wraps it unwraps: the copy signs like the original."""
    for kind, members in (("RSA", {"keySize": 2048}), ("EC", {}), ("ED", {})):
        label = "traveller " + kind
        hsm.create(label, kind, attributes={"extractable": True}, **members)
        wrapped = wrap(hsm, label, "kek", "AES_WRAP_PAD_" + kind)
        unwrap(hsm, wrapped, label + " 2", "AES_WRAP_PAD_" + kind, "kek", attributes=SIGNS)
        signature = hsm.sign(label + " 2", b"m", ALGORITHMS[kind][0].replace("384", "256"))
        assert hsm.verify(label, b"m", ALGORITHMS[kind][0].replace("384", "256"), signature)


def test_secret_travels_under_rsa(hsm, kek):
    value = os.urandom(32)
    unwrap(hsm, keywrap.aes_key_wrap(kek, value), "leaves", "AES_WRAP", "kek",
           attributes=dict(FLAGS, extractable=True))
    for method in ("RSA_WRAP_OAEP", "RSA_WRAP_PAD"):
        label = "arrives by " + method
        unwrap(hsm, wrap(hsm, "leaves", "carrier", method), label, method, "carrier")
        assert opens(hsm, label, value)


# ---- refusals ----

def test_wrong_wrapped_keys(hsm, kek, refused):
    good = keywrap.aes_key_wrap(kek, os.urandom(32))
    bad = [good[:-1], good[:-8], good + b"\0" * 8, bytes([good[0] ^ 1]) + good[1:], b"x",
           keywrap.aes_key_wrap(os.urandom(32), os.urandom(32)),
           keywrap.aes_key_wrap(kek, os.urandom(40))]
    for wrapped in bad:
        with refused(701, "Error unwrapping key"):
            unwrap(hsm, wrapped, "never", "AES_WRAP", "kek")
    with refused(701, "Error unwrapping key"):
        unwrap(hsm, b"\1" * 256, "never", "RSA_WRAP_OAEP", "carrier")
    for method in ("AES_WRAP_EC", "AES_WRAP_RSA", "AES_WRAP_ED"):
        with refused(701, "Error unwrapping key"):
            unwrap(hsm, good, "never", method, "kek", attributes=SIGNS)
    curve = keywrap.aes_key_wrap_with_padding(kek, pkcs8(ec.generate_private_key(ec.SECP192R1())))
    with refused(701, "curve"):
        unwrap(hsm, curve, "never", "AES_WRAP_PAD_EC", "kek", attributes=SIGNS)
    assert "never" not in hsm.call("GET", "/v1/key")


def raw_rsa(public, block):
    numbers = public.public_numbers()
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(len(block), "big")


def test_wrong_padding_and_wrong_content_are_refused_alike(hsm, kek):
    """Bleichenbacher: nobody learns from an unwrap whether the padding was right."""
    public, seen, made = public_of(hsm, "carrier"), set(), 0
    blocks = [b"\0\2" + b"\xff" * (253 - n) + b"\0" + b"k" * n for n in (0, 15, 17, 33, 64)]
    blocks += [b"\0" + bytes([kind]) + b"\xff" * (253 - 32) + b"\0" + bytes([kind + i]) * 32
               for kind in (0, 1, 3) for i in range(2)]
    blocks += [b"\0\2" + b"\xff" * 7 + b"\0" + b"k" * 246, b"\0\2" + b"\xff" * 254]
    for n, block in enumerate(blocks):
        try:
            unwrap(hsm, raw_rsa(public, block), "chance %d" % n, "RSA_WRAP_PAD", "carrier")
            made += 1
        except Refused as error:
            seen.add((error.status, error.code, error.message))
    assert seen == {(500, 701, "Error unwrapping key")}
    assert made <= 2, "a wrong block opens to random bytes: one of eighty has the size of a key"


def test_what_a_new_key_may_be(hsm, kek, refused):
    wrapped = keywrap.aes_key_wrap(kek, os.urandom(32))
    with refused(606):
        unwrap(hsm, wrapped, "never", "AES_WRAP", "kek",
               attributes={"decrypt": False, "sign": False, "unwrap": False})
    with refused(606, "policy"):
        unwrap(hsm, wrapped, "never", "AES_WRAP", "kek",
               policy=policy(rule(token(group(1, Approver("p256"))))))
    with refused(610):
        unwrap(hsm, wrapped, "ne/ver", "AES_WRAP", "kek")
    with refused(608, "already in use"):
        unwrap(hsm, wrapped, "carrier", "AES_WRAP", "kek")
    private = keywrap.aes_key_wrap_with_padding(kek, pkcs8(PRIVATE["EC"]()))
    with refused(606, "extractable"):
        unwrap(hsm, private, "never", "AES_WRAP_PAD_EC", "kek", policy=policy(),
               attributes=dict(SIGNS, extractable=True))
    with refused(600, "ruleUse"):
        unwrap(hsm, private, "never", "AES_WRAP_PAD_EC", "kek", policy=policy(rule()),
               attributes=SIGNS)
    assert "never" not in hsm.call("GET", "/v1/key")


def test_methods_and_keys(hsm, kek, refused):
    hsm.create("ec unwraps", attributes={"unwrap": True})
    hsm.create("no unwrap", "RSA", keySize=2048)
    for by, method in (("carrier", "AES_WRAP"), ("kek", "RSA_WRAP_OAEP"),
                       ("ec unwraps", "RSA_WRAP_PAD"), ("kek", "AES_WRAP_BLS"),
                       ("kek", "AES_WRAP_PAD_BLS"), ("kek", "ML-KEM-512")):
        with refused(607, method):
            unwrap(hsm, b"x" * 24, "never", method, by)
        with refused(607, method):
            wrap(hsm, "kek", by, method)
    with refused(614, "may not unwrap"):
        unwrap(hsm, b"x" * 256, "never", "RSA_WRAP_OAEP", "no unwrap")
    with refused(614, "system key"):
        unwrap(hsm, b"x" * 256, "never", "RSA_WRAP_OAEP", "attestation-key")
    with refused(600, "wrapMethod"):
        unwrap(hsm, b"x", "never", "ML-KEM-513", "kek")
    with refused(650):
        unwrap(hsm, b"x", "never", "AES_WRAP", "absent")


def test_what_may_be_wrapped(hsm, kek, approver, refused):
    hsm.create("stays", attributes={"extractable": False})
    hsm.create("guarded", policy=policy())
    hsm.create("goes", attributes={"extractable": True})
    hsm.create("no wrap", "AES", keySize=256, attributes={"decrypt": True, "wrap": False})
    for label in ("stays", "guarded"):
        with refused(614, "not extractable"):
            wrap(hsm, label, "kek", "AES_WRAP_PAD_EC")
    for label in ("attestation-key", "timestamp-key"):
        with refused(614, "system key"):
            wrap(hsm, label, "kek", "AES_WRAP_PAD_EC")
        with refused((607, 614)[label == "attestation-key"]):
            wrap(hsm, "goes", label, "RSA_WRAP_PAD")
    for method in ("AES_WRAP", "AES_WRAP_PAD", "AES_WRAP_PAD_RSA", "AES_WRAP_PAD_ED"):
        with refused(607, method):
            wrap(hsm, "goes", "kek", method)
    with refused(614, "may not wrap"):
        wrap(hsm, "goes", "no wrap", "AES_WRAP_PAD_EC")
    assert wrap(hsm, "goes", "kek", "AES_WRAP_PAD_EC")


def test_passwords(hsm, kek, refused):
    hsm.create("locked kek", "AES", keySize=256, password="outer",
               attributes={"decrypt": False, "sign": False, "unwrap": True})
    hsm.create("locked goods", password="inner", attributes={"extractable": True})
    for outer, inner in (("wrong", "inner"), ("outer", "wrong"), (None, "inner"), ("outer", None)):
        with refused(620):
            wrap(hsm, "locked goods", "locked kek", "AES_WRAP_PAD_EC", wrapKeyPassword=outer,
                 keyToBeWrappedPassword=inner)
    wrapped = wrap(hsm, "locked goods", "locked kek", "AES_WRAP_PAD_EC", wrapKeyPassword="outer",
                   keyToBeWrappedPassword="inner")
    with refused(620):
        unwrap(hsm, wrapped, "unlocked", "AES_WRAP_PAD_EC", "locked kek", attributes=SIGNS)
    unwrap(hsm, wrapped, "unlocked", "AES_WRAP_PAD_EC", "locked kek", attributes=SIGNS,
           unwrapKeyPassword="outer")
    assert hsm.verify("unlocked", b"m", "SHA256_WITH_ECDSA", hsm.sign(
        "locked goods", b"m", "SHA256_WITH_ECDSA", keyPassword="inner"))


def test_one_of_many_makes_the_key(hsm, kek):
    wrapped = keywrap.aes_key_wrap(kek, os.urandom(32))

    def attempt(_):
        try:
            return unwrap(hsm, wrapped, "once", "AES_WRAP", "kek")["json"]["label"]
        except Refused as error:
            assert error.code == 608
            return None
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert [x for x in pool.map(attempt, range(16)) if x] == ["once"]


# ---- policies ----

CAPABILITIES = ["encrypt", "decrypt", "sign", "verify", "wrap", "unwrap", "derive"]


def payload_of(wrapped, label, attributes):
    """The bytes that approvers of an unwrap sign (docs/token-format.md)."""
    a = dict({"modifiable": True, "sensitive": not attributes.get("extractable")}, **attributes)
    capabilities = sum(1 << i for i, name in enumerate(CAPABILITIES) if a.get(name))
    access = 1 << 5
    for bit, name in enumerate(["sensitive", "extractable", "modifiable", "copyable"]):
        access |= (1 << bit) if a.get(name) else 0
    access |= 0 if a.get("destroyable") else 1 << 6
    return ska.UnwrapPayload(3, capabilities, access, wrapped, label).encode()


@pytest.fixture(scope="module")
def guarded(hsm, approver):
    hsm.create("guarded carrier", "RSA", keySize=2048, attributes={"sign": False, "unwrap": True},
               policy=policy(rule(token(group(1, approver()), timeout=600))))
    return public_of(hsm, "guarded carrier")


def signed(hsm, approver, payload):
    answer = hsm.stamp("guarded carrier", payload, wrapMethod="RSA_WRAP_OAEP")
    t = ska.Token(ska.USE, "guarded carrier", payload, unb64(answer["timestamp"]),
                  unb64(answer["timestampSignatureWithAlgorithm"])).encode()
    return [approver.signed_approval(t)]


@pytest.mark.parametrize("flags", [
    FLAGS, dict(FLAGS, encrypt=True), dict(FLAGS, sign=True, verify=True, wrap=True, unwrap=True),
    dict(FLAGS, extractable=True), dict(FLAGS, destroyable=False, modifiable=False, copyable=True),
    dict(FLAGS, sensitive=False), dict(FLAGS, derive=True)])
def test_approvals_bind_what_the_key_will_be(hsm, guarded, approver, refused, flags):
    value, label = os.urandom(32), "approved-" + os.urandom(4).hex()
    wrapped = guarded.encrypt(value, OAEP)
    approvals = signed(hsm, approver(), payload_of(wrapped, label, flags))
    with refused(701, "Error unwrapping key. The provided approvals are insufficient."):
        unwrap(hsm, wrapped, label, "RSA_WRAP_OAEP", "guarded carrier", attributes=flags)
    for name in ("encrypt", "decrypt", "sign", "verify", "wrap", "unwrap", "derive", "extractable",
                 "sensitive", "modifiable", "copyable", "destroyable"):
        shown = dict({"modifiable": True, "sensitive": not flags.get("extractable")}, **flags)
        other = dict(flags, **{name: not shown.get(name, False)})
        if not (other["decrypt"] or other["sign"] or other["unwrap"]):
            continue  # no key at all
        with refused(701, "another payload"):
            unwrap(hsm, wrapped, label, "RSA_WRAP_OAEP", "guarded carrier", approvals, other)
    with refused(701, "another payload"):
        unwrap(hsm, wrapped, label + "x", "RSA_WRAP_OAEP", "guarded carrier", approvals, flags)
    with refused(701, "another payload"):
        unwrap(hsm, guarded.encrypt(value, OAEP), label, "RSA_WRAP_OAEP", "guarded carrier",
               approvals, flags)
    unwrap(hsm, wrapped, label, "RSA_WRAP_OAEP", "guarded carrier", approvals, flags)
    assert opens(hsm, label, value)
    with refused(608):
        unwrap(hsm, wrapped, label, "RSA_WRAP_OAEP", "guarded carrier", approvals, flags)


def test_new_key_with_a_policy(hsm, kek, approver, refused):
    key = PRIVATE["EC"]()
    wrapped = keywrap.aes_key_wrap_with_padding(kek, pkcs8(key))
    answer = unwrap(hsm, wrapped, "policed", "AES_WRAP_PAD_EC", "kek", attributes=SIGNS,
                    policy=policy(rule(token(group(1, approver())))))
    assert answer["json"]["policy"]["ruleUse"]["tokens"][0]["groups"][0]["quorum"] == 1
    with refused(701, "insufficient"):
        hsm.sign("policed", b"m", "SHA384_WITH_ECDSA")
    t = ska.Token(ska.USE, "policed", b"m").encode()
    assert verify(key.public_key(), "SHA-384", b"m", hsm.sign(
        "policed", b"m", "SHA384_WITH_ECDSA", [approver().signed_approval(t)]))
