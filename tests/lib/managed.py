"""Approvers whose keys the broker makes: the fixtures "made" and "guarded", which tests import."""
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from approver import Approver, group, policy, rule, spki_of, token, unb64
from client import public_key, unique

M = "/v1/approverManagement/"
PASSWORD = "correct horse battery staple"
BACKUP_KEY = "approver-mgmt-backup-key-rsa-wrapping"
DAY = 86400


@pytest.fixture
def made(api):
    """A new approver and its code."""
    def make(name=None, **members):
        name = name or unique("officer") + "@example.com"
        return name, create(api, name, **members)
    return make


def create(api, name, verb="POST", role=None, **members):
    body = {"approverName": name, "algorithm": "RSA", "keySize": 2048, "backupPassword": PASSWORD}
    body.update(members)
    answer = api.call(verb, M + "create", {k: v for k, v in body.items() if v is not None},
                      role=role)
    assert api.status == 201
    return code_of(answer)


def code_of(answer):
    assert set(answer) == {"oneTimeCode"}
    code = answer["oneTimeCode"]
    assert len(code) == 6 and code.isdigit()
    return code


def body_of(name, code, transport="t" * 32):
    return {"approverName": name, "oneTimeCode": code, "transportPassword": transport}


def onboard(api, name, code, transport="t" * 32, path="/v1/approver/onboard"):
    answer = api.post(path, body_of(name, code, transport))
    assert set(answer) == {"encryptedPayload", "initializationVector"}
    iv = unb64(answer["initializationVector"])
    assert len(iv) == 12
    return AESGCM(transport.encode()).decrypt(iv, unb64(answer["encryptedPayload"]), None)


def wrong(code):
    return "%06d" % ((int(code) + 1) % 1000000)


def refuse_code(api, name, code, says=""):
    return api.refused(412, "POST", "/v1/approver/onboard", body_of(name, code), says=says)


def opened(container, password=PASSWORD):
    key, cert, more = pkcs12.load_key_and_certificates(container, password.encode())
    assert not more
    return key, cert


def as_approver(name, container, password=PASSWORD):
    """The approver that an app becomes with its container."""
    key, cert = opened(container, password)
    a = Approver.__new__(Approver)
    a.kind, a.name, a.digest, a.type, a.uses_certificate = "rsa", name, "SHA-256", "RSA", True
    a.key, a.public, a.spki = key, key.public_key(), spki_of(key.public_key())
    a.certificate = cert.public_bytes(Encoding.DER)
    return a


def status(api, verb="GET"):
    answer = api.call(verb, M + "onboarding/status")
    assert set(answer) == {"onboarded", "pending"}
    return {state: {row["approverName"]: row["approverCertificate"] for row in rows}
            for state, rows in answer.items()}


def entry(name):
    return {"type": "onboarded_approver_certificate", "name": name}


def named_group(quorum, *names):
    return {"name": None, "quorum": quorum, "approvals": [entry(n) for n in names]}


def forgot(api, name, password):
    answer = api.post(M + "restoreFromBackup/forgotPassword",
                      {"approverName": name, "newBackupPassword": password})
    assert set(answer) == {"unwrapRequestId"} and api.status == 201
    return answer["unwrapRequestId"]


def approve_restoration(api, people, rid):
    for who in people:
        api.approve(who, rid, kind="UnwrapKey")
    return api.wait(rid)


def restored(api, trio, name, password):
    """The view of a restoration that two of the three have approved."""
    return approve_restoration(api, trio[:2], forgot(api, name, password))


def modify_backup_key(api, new):
    return api.wait(api.post("/v1/modify", {"modifyRequest": {
        "modifyKeyName": BACKUP_KEY, "policy": new}})["modifyKeyRequestId"])["status"]


@pytest.fixture
def guarded(api, people):
    """The backup key asks for two of three for the time of a test."""
    trio = people.several(3)
    create(api, unique("first"))  # makes the key when it is not there
    assert modify_backup_key(api, policy(rule(token(group(2, *trio))), blocked=None)) == "EXECUTED"
    yield trio
    assert modify_backup_key(api, policy(blocked=None)) == "EXECUTED"
