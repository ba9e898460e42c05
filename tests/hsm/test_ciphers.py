"""Decrypt and encrypt, with the other side done by another library; who may, and what approvals bind."""
import os

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import ska
from approver import b64, group, policy, rule, spki_of, token, unb64
from conftest import Refused

DECRYPTS = {"decrypt": True, "sign": False}
MESSAGE = b"sixteen bytes...and sixteen more"


def oaep(digest):
    return padding.OAEP(padding.MGF1(digest), digest, None)


RSA = {"RSA_PADDING_OAEP_WITH_SHA512": oaep(hashes.SHA512()),
       "RSA_PADDING_OAEP_WITH_SHA384": oaep(hashes.SHA384()),
       "RSA_PADDING_OAEP_WITH_SHA256": oaep(hashes.SHA256()),
       "RSA_PADDING_OAEP_WITH_SHA224": oaep(hashes.SHA224()),
       "RSA_PADDING_OAEP_WITH_SHA1": oaep(hashes.SHA1()), "RSA_PADDING_OAEP": oaep(hashes.SHA1()),
       "RSA": padding.PKCS1v15(), "RSA_PADDING_PKCS": padding.PKCS1v15()}
AES = ["AES_GCM", "AES_CTR", "AES_ECB", "AES_CBC_NO_PADDING", "AES"]
OTHERS = ["CHACHA20", "CHACHA20_AEAD", "CAMELLIA", "CAMELLIA_CBC_NO_PADDING", "CAMELLIA_ECB",
               "TDEA_CBC", "TDEA_ECB", "TDEA_CBC_NO_PADDING"]


def encrypt(hsm, label, cipher, payload=MESSAGE, **members):
    answer = hsm.call("POST", "/v1/encrypt", {"encryptRequest": dict({
        "payload": b64(payload), "encryptKeyName": label, "cipherAlgorithm": cipher},
        **members)}, "KO")
    assert set(answer) == {"encryptedPayload", "encryptedPayloadWithoutMessageAuthenticationCode",
                           "initializationVector", "messageAuthenticationCode"}
    return answer


def decrypt(hsm, label, cipher, payload, approvals=(), **members):
    if isinstance(payload, bytes):
        payload = b64(payload)
    return unb64(hsm.call("POST", "/v1/synchronousDecrypt", {"decryptRequest": dict({
        "encryptedPayload": payload, "decryptKeyName": label, "cipherAlgorithm": cipher,
        "signedApprovals": list(approvals)}, **members)}, "KO")["payload"])


def public_of(hsm, label):
    return serialization.load_der_public_key(unb64(hsm.attributes(label)["json"]["publicKey"]))


@pytest.fixture(scope="module")
def keys(hsm):
    hsm.create("rsa", "RSA", keySize=2048, attributes=DECRYPTS)
    hsm.create("ec", attributes=DECRYPTS)
    hsm.create("ed", "ED")
    hsm.create("aes", "AES", keySize=256, attributes=DECRYPTS)
    return hsm


# ---- RSA ----

@pytest.mark.parametrize("cipher", RSA)
def test_rsa(hsm, keys, cipher):
    public = public_of(hsm, "rsa")
    assert decrypt(hsm, "rsa", cipher, public.encrypt(MESSAGE, RSA[cipher])) == MESSAGE
    answer = encrypt(hsm, "rsa", cipher, additionalAuthenticationData=b64(b"ignored"))
    assert {v for k, v in answer.items() if k != "encryptedPayload"} == {None}
    assert decrypt(hsm, "rsa", cipher, answer["encryptedPayload"], tagLength=0,
                   initializationVector=None) == MESSAGE


def test_rsa_without_padding(hsm, keys, refused):
    answer = encrypt(hsm, "rsa", "RSA_NO_PADDING")
    numbers = public_of(hsm, "rsa").public_numbers()
    sealed = pow(int.from_bytes(MESSAGE, "big"), numbers.e, numbers.n)
    assert unb64(answer["encryptedPayload"]) == sealed.to_bytes(256, "big")
    whole = decrypt(hsm, "rsa", "RSA_NO_PADDING", answer["encryptedPayload"])
    assert whole == MESSAGE.rjust(256, b"\0")
    with refused(612, "modulus"):
        encrypt(hsm, "rsa", "RSA_NO_PADDING", b"\xff" * 256)
    with refused(612, "256"):
        encrypt(hsm, "rsa", "RSA_NO_PADDING", b"\1" * 257)


def test_rsa_sizes(hsm, keys, refused):
    assert encrypt(hsm, "rsa", "RSA_PADDING_OAEP_WITH_SHA256", b"x" * 190)
    with refused(612, "at most 190 bytes"):
        encrypt(hsm, "rsa", "RSA_PADDING_OAEP_WITH_SHA256", b"x" * 191)
    for n in (1, 255, 257):
        with refused(410):
            decrypt(hsm, "rsa", "RSA_PADDING_OAEP", b"\1" * n)


def test_rsa_oaep_tells_nothing(hsm, keys):
    """Other hash, other key, random block: one answer."""
    sealed = public_of(hsm, "rsa").encrypt(MESSAGE, RSA["RSA_PADDING_OAEP"])
    seen = set()
    for cipher, payload in (("RSA_PADDING_OAEP_WITH_SHA256", sealed),
                            ("RSA_PADDING_OAEP", b"\1" + os.urandom(255)),
                            ("RSA_PADDING_OAEP", b"\0" * 256)):
        with pytest.raises(Refused) as error:
            decrypt(hsm, "rsa", cipher, payload)
        seen.add((error.value.status, error.value.code, error.value.message))
    assert seen == {(400, 410, "the payload cannot be decrypted")}


def test_rsa_pkcs1_gives_no_plain_text_of_a_wrong_block(hsm, keys):
    """Refused, or with a newer OpenSSL random bytes (implicit rejection): never the block's."""
    block = b"\0\1" + b"\xff" * 200 + b"\0" + MESSAGE
    sealed = encrypt(hsm, "rsa", "RSA_NO_PADDING", block)["encryptedPayload"]
    try:
        assert MESSAGE not in decrypt(hsm, "rsa", "RSA", sealed)
    except Refused as error:
        assert error.code == 410


# ---- AES ----

@pytest.mark.parametrize("size", [128, 192, 256])
@pytest.mark.parametrize("cipher", AES)
def test_aes(hsm, cipher, size):
    label = "aes-%s-%d" % (cipher, size)
    shown = hsm.create(label, "AES", keySize=size, attributes=DECRYPTS)
    assert shown["json"]["publicKey"] is None and shown["json"]["keySize"] == size
    answer = encrypt(hsm, label, cipher, additionalAuthenticationData=b64(b"data"))
    assert decrypt(hsm, label, cipher, answer["encryptedPayload"],
                   initializationVector=answer["initializationVector"],
                   additionalAuthenticationData=b64(b"data")) == MESSAGE
    assert (answer["initializationVector"] is None) == (cipher == "AES_ECB")
    assert (answer["messageAuthenticationCode"] is None) == (cipher != "AES_GCM")
    assert hsm.attributes(label)["json"]["keyUsageCount"] == 2


def test_aes_document(hsm):
    shown = hsm.create("described", "AES", keySize=256, attributes=DECRYPTS)
    assert shown["xml"].split("\n")[1] == '<secret_key creation="generated">'
    assert "<key_size>256</key_size>" in shown["xml"] and "public_key" not in shown["xml"]
    assert shown["json"]["algorithm"] == "AES" and shown["json"]["policy"] is None


@pytest.fixture(scope="module")
def known_key(hsm, keys):
    """An AES key whose value is known here: it was wrapped here."""
    value = os.urandom(32)
    hsm.create("carrier", "RSA", keySize=2048, attributes={"sign": False, "unwrap": True})
    wrapped = public_of(hsm, "carrier").encrypt(value, oaep(hashes.SHA1()))
    hsm.call("POST", "/v1/synchronousUnwrap", {"unwrapKeyRequest": {
        "wrappedKey": b64(wrapped), "label": "known", "unwrapKeyName": "carrier",
        "wrapMethod": "RSA_WRAP_OAEP", "attributes": {
            "decrypt": True, "encrypt": True, "sign": False, "unwrap": True, "wrap": True}}}, "KO")
    return value


@pytest.mark.parametrize("bits", [0, 64, 96, 104, 112, 120, 128])
def test_gcm_against_another_library(hsm, known_key, bits):
    size = bits // 8 or 16
    iv = os.urandom(12)
    sealed = AESGCM(known_key).encrypt(iv, MESSAGE, b"data")
    cut = sealed[:len(MESSAGE) + size]
    assert decrypt(hsm, "known", "AES_GCM", cut, initializationVector=b64(iv), tagLength=bits,
                   additionalAuthenticationData=b64(b"data")) == MESSAGE
    answer = encrypt(hsm, "known", "AES_GCM", tagLength=bits)
    whole = unb64(answer["encryptedPayload"])
    assert whole == unb64(answer["encryptedPayloadWithoutMessageAuthenticationCode"]) + \
        unb64(answer["messageAuthenticationCode"])
    assert len(unb64(answer["messageAuthenticationCode"])) == size
    decryptor = Cipher(algorithms.AES(known_key), modes.GCM(
        unb64(answer["initializationVector"]), whole[-size:], size)).decryptor()
    assert decryptor.update(whole[:-size]) + decryptor.finalize() == MESSAGE


@pytest.mark.parametrize("cipher,mode", [("AES_CTR", modes.CTR), ("AES_ECB", None),
                                         ("AES_CBC_NO_PADDING", modes.CBC), ("AES", modes.CBC)])
def test_aes_against_another_library(hsm, known_key, cipher, mode):
    answer = encrypt(hsm, "known", cipher)
    iv = unb64(answer["initializationVector"] or "")
    decryptor = Cipher(algorithms.AES(known_key), mode(iv) if mode else modes.ECB()).decryptor()
    plain = decryptor.update(unb64(answer["encryptedPayload"])) + decryptor.finalize()
    assert plain == MESSAGE + (b"\x10" * 16 if cipher == "AES" else b"")


def test_aes_refusals(hsm, keys, refused):
    iv = b64(b"i" * 16)
    for cipher in ("AES_ECB", "AES_CBC_NO_PADDING"):
        with refused(612, "whole blocks"):
            encrypt(hsm, "aes", cipher, b"x")
    for cipher in ("AES_CTR", "AES", "AES_CBC_NO_PADDING", "AES_GCM"):
        with refused(600, "initializationVector"):
            decrypt(hsm, "aes", cipher, b"x" * 32)
    with refused(600, "initializationVector"):
        decrypt(hsm, "aes", "AES_CTR", b"x", initializationVector=b64(b"short"))
    for payload in (b"x" * 15, b"x" * 16, b"x" * 64):
        with refused(410):
            decrypt(hsm, "aes", "AES_GCM", payload, initializationVector=iv)
    for bits in (1, 8, 32, 127, 63):
        for call in (lambda b: decrypt(hsm, "aes", "AES_GCM", b"x" * 32, tagLength=b,
                                       initializationVector=iv),
                     lambda b: encrypt(hsm, "aes", "AES_GCM", tagLength=b)):
            with refused(624, "tagLength"):
                call(bits)
    answer = encrypt(hsm, "aes", "AES_GCM")
    with refused(410, "tag"):
        decrypt(hsm, "aes", "AES_GCM", answer["encryptedPayload"],
                initializationVector=answer["initializationVector"],
                additionalAuthenticationData=b64(b"other"))


# ---- ECIES, as docs/hsm-api.md says ----

CURVES = [(ec.SECP256R1(), "1.2.840.10045.3.1.7"), (ec.SECP256K1(), "1.3.132.0.10"),
          (ec.SECP384R1(), "1.3.132.0.34"), (ec.SECP521R1(), "1.3.132.0.35"),
          (ec.BrainpoolP256R1(), "1.3.36.3.3.2.8.1.1.7")]


def point_of(public):
    return public.public_bytes(serialization.Encoding.X962,
                               serialization.PublicFormat.UncompressedPoint)


def ecies(public, message, additional=None):
    mine = ec.generate_private_key(public.curve)
    here = point_of(mine.public_key())
    material = HKDF(hashes.SHA256(), 44, None, b"tsb-hsm ECIES 1" + here + point_of(public)).derive(
        mine.exchange(ec.ECDH(), public))
    return here + AESGCM(material[:32]).encrypt(material[32:], message, additional)


@pytest.mark.parametrize("curve,oid", CURVES, ids=[c.name for c, _ in CURVES])
def test_ecies(hsm, curve, oid):
    label = "ecies-" + curve.name
    hsm.create(label, curveOid=oid, attributes=DECRYPTS)
    public = public_of(hsm, label)
    assert decrypt(hsm, label, "ECIES", ecies(public, MESSAGE)) == MESSAGE
    assert decrypt(hsm, label, "ECIES", ecies(public, MESSAGE, b"data"),
                   additionalAuthenticationData=b64(b"data")) == MESSAGE
    answer = encrypt(hsm, label, "ECIES")
    whole = unb64(answer["encryptedPayload"])
    assert answer["initializationVector"] is None
    assert unb64(answer["messageAuthenticationCode"]) == whole[-16:]
    assert unb64(answer["encryptedPayloadWithoutMessageAuthenticationCode"]) == whole[:-16]
    assert decrypt(hsm, label, "ECIES", whole) == MESSAGE
    assert decrypt(hsm, label, "ECIES", ecies(public, b"")) == b""


def test_ecies_refuses_points_that_are_none(hsm, keys, refused):
    good = ecies(public_of(hsm, "ec"), MESSAGE)
    compressed = bytes([2 + good[64] % 2]) + good[1:33] + good[65:]
    for bad in (b"\4" + b"\0" * 64 + good[65:], b"\4" + b"\xff" * 64 + good[65:],
                b"\0" + good[65:], compressed, b"\6" + good[1:], b"\7" + good[1:],
                good[:80], good[:65], good + b"\0"):
        with refused(410, "cannot be decrypted"):
            decrypt(hsm, "ec", "ECIES", bad)
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    with refused(410):
        decrypt(hsm, "ec", "ECIES", ecies(other, MESSAGE))
    with refused(624):
        encrypt(hsm, "ec", "ECIES", tagLength=64)


# ---- who may ----

def test_ciphers_and_keys(hsm, keys, refused):
    of = {"rsa": [*RSA, "RSA_NO_PADDING"], "aes": AES, "ec": ["ECIES"], "ed": []}
    everything = {c for ciphers in of.values() for c in ciphers}
    hsm.create("ed that decrypts", "ED", attributes={"decrypt": True})
    for label, ciphers in of.items():
        reader = "ed that decrypts" if label == "ed" else label
        for cipher in everything - set(ciphers):
            with refused(607, cipher):
                encrypt(hsm, label, cipher)
            with refused(607, cipher):
                decrypt(hsm, reader, cipher, b"x")
        for cipher in OTHERS:
            with refused(607, cipher):
                encrypt(hsm, label, cipher)
            with refused(607, cipher):
                decrypt(hsm, reader, cipher, b"x")
        with refused(600, "cipherAlgorithm"):
            encrypt(hsm, label, "NO_SUCH")


def test_attributes_allow_or_forbid(hsm, refused):
    hsm.create("signs only", "RSA", keySize=2048)
    with refused(614, "may not decrypt"):
        decrypt(hsm, "signs only", "RSA", b"x" * 256)
    assert encrypt(hsm, "signs only", "RSA"), "a public key needs nobody's leave"
    hsm.create("one way", "AES", keySize=128,
               attributes={"sign": False, "decrypt": True, "encrypt": False})
    with refused(614, "may not encrypt"):
        encrypt(hsm, "one way", "AES_GCM")
    with refused(614, "system key"):
        encrypt(hsm, "attestation-key", "RSA")
    with refused(614, "system key"):
        decrypt(hsm, "attestation-key", "RSA", b"x" * 256)
    with refused(650):
        encrypt(hsm, "absent", "RSA")


def test_passwords(hsm, refused):
    hsm.create("locked aes", "AES", keySize=256, password="secret", attributes=DECRYPTS)
    for password in (None, "wrong"):
        with refused(620):
            encrypt(hsm, "locked aes", "AES_GCM", keyPassword=password)
        with refused(620):
            decrypt(hsm, "locked aes", "AES_GCM", b"x" * 32, keyPassword=password)
    answer = encrypt(hsm, "locked aes", "AES_GCM", keyPassword="secret")
    assert decrypt(hsm, "locked aes", "AES_GCM", answer["encryptedPayload"], keyPassword="secret",
                   initializationVector=answer["initializationVector"]) == MESSAGE


# ---- approvals ----

def use_token(hsm, label, payload):
    answer = hsm.stamp(label, payload)
    return ska.Token(ska.USE, label, payload, unb64(answer["timestamp"]),
                     unb64(answer["timestampSignatureWithAlgorithm"])).encode()


def test_approvals_bind_the_cipher_text(hsm, approver, refused):
    hsm.create("guarded", "RSA", keySize=2048, attributes=DECRYPTS,
               policy=policy(rule(token(group(1, approver()), timeout=600))))
    public = public_of(hsm, "guarded")
    pad = RSA["RSA_PADDING_OAEP_WITH_SHA256"]
    mine, other = public.encrypt(MESSAGE, pad), public.encrypt(MESSAGE, pad)
    signed = [approver().signed_approval(use_token(hsm, "guarded", mine))]
    cipher = "RSA_PADDING_OAEP_WITH_SHA256"
    with refused(701, "Error decrypting. The provided approvals are insufficient."):
        decrypt(hsm, "guarded", cipher, mine)
    with refused(701, "another payload"):
        decrypt(hsm, "guarded", cipher, other, signed)
    with refused(701, "not in ruleUse"):
        decrypt(hsm, "guarded", cipher, mine, [approver("p521").signed_approval(
            use_token(hsm, "guarded", mine))])
    assert decrypt(hsm, "guarded", cipher, mine, signed) == MESSAGE
    assert encrypt(hsm, "guarded", cipher), "public operations ask nobody"


def test_approval_of_a_signature_decrypts_nothing_else(hsm, approver):
    """A use is a use of these bytes: the operation must be one that the attributes allow."""
    hsm.create("both uses", "RSA", keySize=2048, attributes={"decrypt": True, "sign": True},
               policy=policy(rule(token(group(1, approver()), timeout=600))))
    sealed = public_of(hsm, "both uses").encrypt(MESSAGE, padding.PKCS1v15())
    signed = [approver().signed_approval(use_token(hsm, "both uses", sealed))]
    assert decrypt(hsm, "both uses", "RSA", sealed, signed) == MESSAGE
    assert hsm.sign("both uses", sealed, "SHA256_WITH_RSA", signed)


def test_stamps_refuse_what_could_not_happen(hsm, keys, refused):
    for label, members, code in (
            ("rsa", {"cipherAlgorithm": "AES_GCM"}, 607), ("ec", {"cipherAlgorithm": "RSA"}, 607),
            ("rsa", {"cipherAlgorithm": "CAMELLIA"}, 607), ("ed", {"cipherAlgorithm": "RSA"}, 614),
            ("rsa", {"wrapMethod": "RSA_WRAP_PAD"}, 614), ("rsa", {"cipherAlgorithm": "NO"}, 600),
            ("rsa", {"cipherAlgorithm": "RSA", "signatureAlgorithm": "EDDSA"}, 600)):
        with refused(code):
            hsm.stamp(label, b"x", **members)
    assert hsm.stamp("rsa", b"x", cipherAlgorithm="RSA")["timestamp"]
    with refused(600, "USE"):
        hsm.stamp("rsa", None, "BLOCK", cipherAlgorithm="RSA")


def test_published_key_is_the_one_that_encrypts(hsm, keys):
    assert spki_of(public_of(hsm, "rsa")) == unb64(hsm.attributes("rsa")["json"]["publicKey"])
