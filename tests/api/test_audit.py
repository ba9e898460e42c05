"""What the audit says of keys' lives, of refused calls, and of who called."""
import hashlib

import pytest

from approver import group, policy, rule, token
from client import public_key, unique
from test_operations import DECRYPTS, certificate_of


def fingerprint(key):
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def rows(site, where):
    return site.sql("SELECT action, actor, state_to, caller, address, detail, login FROM audit "
                    "WHERE %s ORDER BY id" % where)


def deeds(api, label):
    """Actions and states of the rows about a key; all have the caller, the address and the login."""
    told = []
    for action, actor, state, caller, address, _, login in rows(api.site, "key_name = '%s'" % label):
        token_of = api.tokens[{"keyManagement": "KM", "keyOperation": "KO"}[actor]]
        assert caller == "key:" + fingerprint(token_of), (action, caller)
        assert address == "127.0.0.1" and login == "tsb_api@localhost"
        told.append((action, state))
    return told


def whole(*actions):
    return [(action, state) for action in actions for state in ("BEGUN", "DONE")]


@pytest.mark.online_only("an air-gapped site makes no keys")
def test_key_life_leaves_a_trace(api):
    carrier, goods, copy = unique("carrier"), unique("goods"), unique("copy")
    api.create_key(carrier, algorithm="RSA", attributes=dict(DECRYPTS, unwrap=True))
    api.create_key(goods, algorithm="AES", keySize=256, attributes=dict(DECRYPTS, extractable=True))
    wrapped = api.post("/v1/wrap", {"wrapKeyRequest": {
        "keyToBeWrapped": goods, "wrapKeyName": carrier, "wrapMethod": "RSA_WRAP_OAEP"}})
    body = {"unwrapKeyRequest": {
        "wrappedKey": wrapped["wrappedKey"], "label": copy, "attributes": DECRYPTS,
        "unwrapKeyName": carrier, "wrapMethod": "RSA_WRAP_OAEP"}}
    api.post("/v1/synchronousUnwrap", body)
    api.refused(608, "POST", "/v1/synchronousUnwrap", body)
    api.post("/v1/key/deleteKey", {"label": copy})
    api.call("DELETE", "/v1/key/" + goods)
    assert deeds(api, goods) == whole("create key", "export key", "delete key")
    assert deeds(api, copy) == whole("import key") + [("import key", "BEGUN"),
                                                      ("import key", "FAILED")] + whole("delete key")
    assert rows(api.site, "key_name = '%s' AND state_to = 'FAILED'" % copy)[0][5] == "608"
    assert rows(api.site, "key_name = '%s' AND action = 'export key'" % goods)[0][5] == carrier


@pytest.mark.online_only("an air-gapped site changes no keys at once")
def test_changes_of_keys_leave_a_trace(api, people):
    label = unique("changed")
    api.create_key(label, policy())
    for kind in ("block", "unblock"):
        api.post("/v1/synchronous" + kind.title(), {kind + "Request": {kind + "KeyName": label}})
    api.post("/v1/synchronousModify", {"modifyRequest": {
        "modifyKeyName": label, "policy": policy(rule(token(group(1, people("p256")))), blocked=None)}})
    assert deeds(api, label) == whole("create key", "block key", "unblock key", "modify key")


@pytest.mark.online_only("an air-gapped site makes no keys")
def test_certificates_leave_a_trace(api):
    label = unique("certified")
    pem = certificate_of(public_key(api.create_key(label)))
    for role in ("KM", "KO"):
        api.post("/v1/certificate/import/plain", {"label": label, "certificate": pem}, role=role)
    api.call("DELETE", "/v1/certificate/" + label)
    assert deeds(api, label) == whole("create key", "import certificate", "import certificate",
                                      "delete certificate")


@pytest.mark.online_only("an air-gapped site makes no keys")
def test_no_key_is_made_when_nobody_could_tell_of_it(api, faults):
    label = unique("untold")
    faults([("store.AUDIT_INSERT", "1021")])
    api.refused(700, "POST", "/v1/key", {"label": label, "algorithm": "EC", "policy": None,
                                       "curveOid": "1.2.840.10045.3.1.7",
                                       "attributes": dict(DECRYPTS, sign=True, decrypt=False)})
    api.refused(650, "POST", "/v1/key/attributes", {"label": label})


def test_requests_say_which_key_asked(api, people):
    label = unique("asked")
    api.create_key(label, policy(rule(token(group(1, people("p256"))))))
    rid = api.sign(label)
    (row,) = rows(api.site, "request_id = UNHEX('%s')" % rid.replace("-", ""))
    assert row[0] == "create" and row[3:5] == ["key:" + fingerprint(api.tokens["KO"]), "127.0.0.1"]


def test_refused_calls_leave_a_trace(api):
    """With what the caller had, and which row of the API it was: nothing that a stranger wrote."""
    api.site.forward(61)  # the rows of the minute are not used up by others
    stranger = unique("stranger")
    api.refused(631, "POST", "/v1/key/deleteKey", {"label": "x"}, role="KO")
    api.refused(631, "GET", "/v1/key/%s/attributes" % stranger, role=stranger)
    asked = rows(api.site, "action = 'refuse' AND caller = 'key:%s'" % fingerprint(api.tokens["KO"]))
    assert asked[-1][1] == "keyOperation" and asked[-1][4] == "127.0.0.1"
    assert asked[-1][5].startswith("POST /v1/key/deleteKey")
    (row,) = rows(api.site, "caller = 'unknown-key:%s'" % fingerprint(stranger))
    assert row[:2] == ["refuse", ""] and row[5].startswith("GET /v1/key/{keyName}/attributes")
    assert stranger not in str(row)


def test_access_lines_say_who_called(api):
    label = unique("line")
    api.send("GET", "/v1/key/%s/attributes" % label, role="KM")
    with open(api.site.dir / "log" / "fcgi.log") as f:
        (line,) = [line for line in f if label in line]
    assert "caller=key:%s from=127.0.0.1 GET " % fingerprint(api.tokens["KM"]) in line
