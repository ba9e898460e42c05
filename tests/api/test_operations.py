"""What the broker passes on to the HSM besides signatures: ciphers, wrapping, changes, certificates."""
import datetime
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509.oid import NameOID

import ska
from approver import b64, group, policy, rule, token, unb64, verify
from client import public_key, unique

pytestmark = pytest.mark.online_only("synchronous calls go to the offline side")

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
DECRYPTS = {"decrypt": True, "sign": False, "unwrap": False, "destroyable": True}
P = b"payload"


def decrypt_body(label, payload, cipher, approvals=(), **members):
    return {"decryptRequest": dict({
        "encryptedPayload": payload if isinstance(payload, str) else b64(payload),
        "decryptKeyName": label, "cipherAlgorithm": cipher, "signedApprovals": list(approvals)},
        **members)}


def test_rsa_there_and_back(api):
    label = unique("rsa")
    key = public_key(api.create_key(label, algorithm="RSA", attributes=DECRYPTS))
    answer = api.post("/v1/encrypt", {"encryptRequest": {
        "payload": b64(P), "encryptKeyName": label,
        "cipherAlgorithm": "RSA_PADDING_OAEP_WITH_SHA256"}})
    for sealed in (answer["encryptedPayload"], key.encrypt(P, OAEP)):
        body = decrypt_body(label, sealed, "RSA_PADDING_OAEP_WITH_SHA256")
        assert api.post("/v1/synchronousDecrypt", body) == {"payload": b64(P)}
        assert api.status == 200
    api.refused(410, "POST", "/v1/synchronousDecrypt", decrypt_body(
        label, b"x" * 256, "RSA_PADDING_OAEP_WITH_SHA256"))
    api.refused(607, "POST", "/v1/synchronousDecrypt", decrypt_body(label, b"x", "ECIES"))
    api.refused(607, "POST", "/v1/synchronousDecrypt", decrypt_body(label, b"x", "CAMELLIA"))
    api.refused(624, "POST", "/v1/synchronousDecrypt", decrypt_body(label, b"x", "AES_GCM",
                                                                    tagLength=5))


def test_keyed_hashes(api):
    label = unique("hmac")
    api.create_key(label, algorithm="HMACSHA256")
    mac = api.post("/v1/synchronousHmac", {"hmacRequest": {
        "keyName": label, "payload": b64(P)}})["keyedHash"]
    assert len(unb64(mac)) == 32
    body = {"verifyHmacRequest": {"keyName": label, "payload": b64(P), "signature": mac}}
    for path in ("/v1/verify", "/v1/verifyHmac"):
        assert api.post(path, body) == {"signatureValid": True}
    body["verifyHmacRequest"]["payload"] = b64(P + b"!")
    assert api.post("/v1/verify", body) == {"signatureValid": False}


def test_approvals_that_the_caller_brings(api, people):
    (a,) = people.several(1)
    label = unique("guarded")
    key = public_key(api.create_key(label, policy(rule(token(group(1, a)))), algorithm="RSA",
                                    attributes=DECRYPTS))
    sealed = key.encrypt(P, OAEP)
    approval = a.signed_approval(ska.Token(ska.USE, label, sealed).encode())
    cipher = "RSA_PADDING_OAEP_WITH_SHA256"
    api.refused(701, "POST", "/v1/synchronousDecrypt", decrypt_body(label, sealed, cipher),
                says="insufficient")
    assert api.post("/v1/synchronousDecrypt", decrypt_body(label, sealed, cipher, [approval]))


def test_wrapped_and_unwrapped(api):
    carrier, goods, copy = unique("carrier"), unique("goods"), unique("copy")
    api.create_key(carrier, algorithm="RSA", attributes=dict(DECRYPTS, unwrap=True))
    api.create_key(goods, algorithm="AES", keySize=256,
                   attributes=dict(DECRYPTS, extractable=True))
    wrapped = api.post("/v1/wrap", {"wrapKeyRequest": {
        "keyToBeWrapped": goods, "wrapKeyName": carrier, "wrapMethod": "RSA_WRAP_OAEP"}})
    body = {"unwrapKeyRequest": {
        "wrappedKey": wrapped["wrappedKey"], "label": copy, "attributes": DECRYPTS,
        "unwrapKeyName": carrier, "wrapMethod": "RSA_WRAP_OAEP"}}
    made = api.post("/v1/synchronousUnwrap", body)
    assert api.status == 201 and made["json"]["label"] == copy
    assert made["json"]["publicKey"] is None and made["json"]["keySize"] == 256
    assert api.attributes(copy)["json"]["attributes"] == made["json"]["attributes"]
    api.refused(608, "POST", "/v1/synchronousUnwrap", body)
    sealed = api.post("/v1/encrypt", {"encryptRequest": {
        "payload": b64(P), "encryptKeyName": goods, "cipherAlgorithm": "AES_GCM"}})
    assert api.post("/v1/synchronousDecrypt", decrypt_body(
        copy, sealed["encryptedPayload"], "AES_GCM",
        initializationVector=sealed["initializationVector"])) == {"payload": b64(P)}
    api.refused(614, "POST", "/v1/wrap", {"wrapKeyRequest": {
        "keyToBeWrapped": copy, "wrapKeyName": carrier, "wrapMethod": "RSA_WRAP_OAEP"}})


def test_unwrapped_key_with_a_policy(api, people):
    (a,) = people.several(1)
    kek, label = unique("kek"), unique("policed")
    api.create_key(kek, algorithm="AES", keySize=128, attributes=dict(DECRYPTS, unwrap=True))
    other = unique("travels")
    key = public_key(api.create_key(other, attributes={
        "decrypt": False, "sign": True, "unwrap": False, "extractable": True}))
    wrapped = api.post("/v1/wrap", {"wrapKeyRequest": {
        "keyToBeWrapped": other, "wrapKeyName": kek, "wrapMethod": "AES_WRAP_PAD_EC"}})
    api.post("/v1/synchronousUnwrap", {"unwrapKeyRequest": {
        "wrappedKey": wrapped["wrappedKey"], "label": label, "unwrapKeyName": kek,
        "wrapMethod": "AES_WRAP_PAD_EC", "policy": policy(rule(token(group(1, a)))),
        "attributes": {"decrypt": False, "sign": True, "unwrap": False}}})
    approval = a.signed_approval(ska.Token(ska.USE, label, P).encode())
    api.refused(701, "POST", "/v1/synchronousSign", api.sign_body(label, P))
    assert verify(key, "SHA-256", P, api.sign_now(label, P, approvals=[approval]))


def test_changes(api, people):
    a, b = people.several(2)
    label = unique("changed")
    api.create_key(label, policy(None, rule(token(group(1, a))), rule(token(group(1, b))),
                                 rule(token(group(1, a)))))

    def change(kind, who, code=None, new=None):
        operation = getattr(ska, kind.upper())
        payload = ska.policy_encode(new) if new else None
        approvals = [who.signed_approval(ska.Token(operation, label, payload).encode())]
        body = {kind + "KeyName": label, "signedApprovals": approvals}
        if new:
            body["policy"] = new
        path = "/v1/synchronous" + kind.title()
        if code:
            api.refused(code, "POST", path, {kind + "Request": body})
        else:
            assert api.post(path, {kind + "Request": body}) is None and api.status == 200
    change("block", b, 701)
    change("block", a)
    api.refused(614, "POST", "/v1/synchronousSign", api.sign_body(label, P))
    change("unblock", a, 701)
    change("unblock", b)
    assert api.sign_now(label, P)
    new = policy(rule(token(group(1, b))), blocked=None)
    change("modify", b, 701, new)
    change("modify", a, None, new)
    api.refused(701, "POST", "/v1/synchronousSign", api.sign_body(label, P))
    assert api.attributes(label)["json"]["policy"]["ruleModify"] is None


def test_changes_of_ordinary_keys(api):
    label = unique()
    api.create_key(label)
    for kind in ("block", "unblock"):
        api.refused(613, "POST", "/v1/synchronous" + kind.title(),
                    {kind + "Request": {kind + "KeyName": label}})
    api.refused(613, "POST", "/v1/synchronousModify", {"modifyRequest": {
        "modifyKeyName": label, "policy": policy(blocked=None)}})


def test_policies_are_checked_before_they_are_passed_on(api):
    label = unique()
    api.create_key(label, policy())
    onboarded = rule(token({"quorum": 1, "approvals": [
        {"type": "onboarded_approver_certificate", "name": unique("nobody")}]}))
    for code, new in ((600, policy(rule(), blocked=None)), (413, policy(onboarded, blocked=None))):
        api.refused(code, "POST", "/v1/synchronousModify", {"modifyRequest": {
            "modifyKeyName": label, "policy": new}})
    assert api.attributes(label)["json"]["policy"]["ruleUse"] is None


def certificate_of(public):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime(2026, 1, 1)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public)
            .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(900))
            .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("name", ["plain", "sp ace & 100 \u00e4+"])
def test_stored_certificate(api, name):
    label = unique(name)
    path = "/v1/certificate/" + urllib.parse.quote(label)
    pem = certificate_of(public_key(api.create_key(label)))
    for verb in ("GET", "DELETE"):
        api.refused(704, verb, path)
    for role in ("KM", "KO"):
        stored = api.post("/v1/certificate/import/plain", {"label": label, "certificate": pem},
                          role=role)
        assert stored == {"label": label, "certificate": pem, "rawCertificate": pem}
        assert api.get(path, role=role) == stored
    api.refused(402, "POST", "/v1/certificate/import/plain", {
        "label": label, "certificate": certificate_of(
            ec.generate_private_key(ec.SECP256R1()).public_key())})
    api.refused(626, "POST", "/v1/certificate/import/plain",
                {"label": label, "certificate": b64(b"none")})
    assert api.get(path)["certificate"] == pem
    assert api.call("DELETE", path) is None
    response = api.send("GET", path)
    assert (response.status_code, response.json()["errorCode"]) == (404, 704)
    api.refused(650, "GET", "/v1/certificate/" + unique("absent"))


def test_answers_are_whole(api):
    """Nothing of the HSM's answer is lost or added on its way."""
    label = unique("whole")
    api.create_key(label, algorithm="AES", keySize=256, attributes=DECRYPTS)
    answer = api.post("/v1/encrypt", {"encryptRequest": {
        "payload": b64(b"x" * 65536), "encryptKeyName": label, "cipherAlgorithm": "AES_CTR"}})
    assert set(answer) == {"encryptedPayload", "encryptedPayloadWithoutMessageAuthenticationCode",
                           "initializationVector", "messageAuthenticationCode"}
    assert len(unb64(answer["encryptedPayload"])) == 65536
    assert answer["messageAuthenticationCode"] is None
    api.refused(600, "POST", "/v1/encrypt", {"encryptRequest": {
        "payload": b64(b"x" * 65537), "encryptKeyName": label, "cipherAlgorithm": "AES_CTR"}})
