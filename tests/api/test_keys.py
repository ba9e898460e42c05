"""Keys: creating, describing, listing and deleting them; what a policy must fulfil."""
import base64
import io
import re
import xml.etree.ElementTree as ET
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from approver import Approver, b64, group, policy, quorum, rule, token, unb64, verify
from client import public_key, unique

JSON_MEMBERS = {"label", "id", "uuid", "algorithm", "algorithmOid", "curveOid", "derivedAttributes",
                "keySize", "keyUsageCount", "createTime", "attestTime", "publicKey",
                "addressTruncated", "attributes", "policy"}
FLAGS = ["decrypt", "sign", "unwrap", "derive", "sensitive", "always_sensitive", "extractable",
         "never_extractable", "modifiable", "copyable", "destroyable", "unique"]
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")


def check_answer(api, answer, label):
    assert set(answer) == {"xml", "json", "xmlSignature", "attestationKeyName"}
    json = answer["json"]
    assert JSON_MEMBERS <= set(json)
    assert json["label"] == label and json["id"] is None
    assert ISO.match(json["createTime"]) and ISO.match(json["attestTime"])
    return json


@pytest.mark.parametrize("algorithm,kind,oid", [
    ("EC", ec.EllipticCurvePublicKey, "1.2.840.10045.2.1"),
    ("RSA", rsa.RSAPublicKey, "1.2.840.113549.1.1.1"),
    ("ED", ed25519.Ed25519PublicKey, "1.3.101.112")])
def test_create(api, algorithm, kind, oid):
    label = unique()
    answer = api.create_key(label, algorithm=algorithm)
    assert api.status == 201
    json = check_answer(api, answer, label)
    assert isinstance(public_key(answer), kind)
    assert (json["algorithm"], json["algorithmOid"]) == (algorithm, oid)
    assert json["curveOid"] == ("1.2.840.10045.3.1.7" if algorithm == "EC" else None)
    assert json["keySize"] == (2048 if algorithm == "RSA" else None)
    assert json["policy"] is None and json["derivedAttributes"] is None
    assert json["addressTruncated"] is None and json["keyUsageCount"] == 0
    flags = json["attributes"]
    assert flags["sign"] is True and flags["decrypt"] is False and flags["unwrap"] is False
    assert flags["extractable"] is False and flags["sensitive"] is True
    assert flags["destroyable"] is True and flags["modifiable"] is True and flags["derive"] is False


@pytest.mark.parametrize("size", [2048, 3072])
def test_rsa_sizes(api, size):
    assert public_key(api.create_key(unique(), algorithm="RSA", keySize=size)).key_size == size


def test_algorithm_by_oid(api):
    for oid, name in (("1.2.840.10045.2.1", "EC"), ("1.3.101.112", "ED")):
        label = unique()
        answer = api.create_key(label, algorithm=None, algorithmOid=oid,
                                curveOid="1.2.840.10045.3.1.7" if name == "EC" else "1.3.101.112")
        assert answer["json"]["algorithm"] == name


def test_attributes_equal_the_creation(api):
    label = unique()
    made = api.create_key(label)
    for got in (api.attributes(label), api.get("/v1/key/%s/attributes" % label)):
        check_answer(api, got, label)
        for name in JSON_MEMBERS - {"attestTime", "keyUsageCount"}:
            assert got["json"][name] == made["json"][name], name


def test_use_count(api):
    label = unique()
    api.create_key(label)
    for _ in range(3):
        api.sign_now(label)
    assert api.attributes(label)["json"]["keyUsageCount"] == 3


def test_xml_is_signed_by_the_attestation_key(api, people):
    a = people()
    for label, pol in ((unique(), None), (unique(), quorum(1, a))):
        answer = api.create_key(label, pol)
        attestation = public_key(api.attributes(answer["attestationKeyName"]))
        document, signature = answer["xml"].encode(), unb64(answer["xmlSignature"])
        assert verify(attestation, "SHA-256", document, signature)
        assert not verify(attestation, "SHA-256", document.replace(b"true", b"false", 1), signature)
        assert document.endswith(b"</private_key>\n\n")


def test_layout_of_the_xml(api, people):
    a, b = people.several(2)
    label = unique("it's <&> \"x\"")
    pol = policy(rule(token(group(1, a, b, name="g"), timelock=60, timeout=600, name="t"),
                      token()), block=rule(), modify=rule(token(group(2, a))))
    answer = api.create_key(label, pol)
    lines = answer["xml"].split("\n")
    assert lines[0] == '<?xml version="1.0" encoding="UTF-8"?>'
    assert lines[1] == '<private_key creation="generated">'
    assert lines[2].startswith("\t<label>it&apos;s &lt;&amp;&gt; &quot;x&quot;")
    assert not any(line.endswith((" ", "\t", "\r")) for line in lines)
    root = ET.fromstring(answer["xml"])
    assert root.findtext("label") == label
    assert [e.tag for e in root.find("attributes")] == FLAGS
    assert root.findtext("public_key") == answer["json"]["publicKey"]
    assert [e.tag for e in root.find("policy")] == ["key_status", "rule_use", "rule_block",
                                                    "rule_unblock", "rule_modify"]
    use = root.find("policy/rule_use")
    assert [t.get("name") for t in use] == ["t", None]
    assert (use[0].findtext("timelock"), use[0].findtext("timeout")) == ("60", "600")
    entries = use[0].findall("group/approval")
    assert [e.attrib for e in entries] == [{"type": "public_key", "name": x.name} for x in (a, b)]
    assert [e.text for e in entries] == [b64(a.spki), b64(b.spki)]
    assert list(root.find("policy/rule_block")) == []
    unblock = root.find("policy/rule_unblock")
    assert len(unblock) == 1 and unblock[0].find("group") is None


def test_policy_is_given_back(api, people):
    a, b = people.several(2)
    c = people("rsa", 8, certificate=True)
    pol = policy(rule(token(group(1, a, c, name="g"), timelock=60, timeout=600, name="t"),
                      token(group(1, b))), block=rule(token(group(2, a))), unblock=rule())
    label = unique()
    api.create_key(label, pol)
    got = api.attributes(label)["json"]["policy"]
    assert got["keyStatus"] == {"blocked": False}
    assert got["ruleModify"] is None and got["ruleUnblock"] == {"tokens": []}
    tokens = got["ruleUse"]["tokens"]
    assert [(t["name"], t["timelock"], t["timeout"]) for t in tokens] == [("t", 60, 600), (None, 0, 0)]
    entries = tokens[0]["groups"][0]["approvals"]
    assert [(e["type"], e["value"]) for e in entries] == [
        ("public_key", b64(a.spki)), ("certificate", b64(c.certificate))]
    assert got["ruleBlock"]["tokens"][0]["groups"][0]["quorum"] == 2


def test_labels(api):
    for label in ("a", "Key 01", "user@example.com", "Schl\u00fcssel", "x" * 255, "a.b:c;d+e%20",
                  "'quoted\"", "\u6f22\u5b57"):
        label = unique(label)[-255:] if len(label) > 200 else unique(label)
        api.create_key(label)
        assert api.attributes(label)["json"]["label"] == label
        assert label in api.get("/v1/key")
        from urllib.parse import quote
        assert api.get("/v1/key/%s/attributes" % quote(label, safe=""))["json"]["label"] == label
        assert api.at_once(api.sign(label))["status"] == "EXECUTED"
        api.call("DELETE", "/v1/key/" + quote(label, safe=""))
        assert label not in api.get("/v1/key")


def test_bad_labels(api):
    for label in ("a/b", "/", "x/0'/1"):
        response = api.send("POST", "/v1/key", key_body(label))
        assert response.json()["errorCode"] == 610, response.text
    for label in ("", "\u0000", "a\nb", "x" * 256, "\u0085"):
        response = api.send("POST", "/v1/key", key_body(label))
        assert response.json()["errorCode"] in (600, 610), response.text


def key_body(label=None, pol=None, **members):
    body = {"label": label or unique() if label is None else label, "algorithm": "EC",
            "curveOid": "1.2.840.10045.3.1.7",
            "attributes": {"decrypt": False, "sign": True, "unwrap": False}, "policy": pol}
    body.update(members)
    return body


def test_label_in_use_is_608(api):
    label = unique()
    made = api.create_key(label)
    error = api.refused(608, "POST", "/v1/key", key_body(label))
    assert error["reason"] == "res.error.key.already.existing"
    assert "already in use" in error["message"]
    assert api.attributes(label)["json"]["publicKey"] == made["json"]["publicKey"]


@pytest.mark.parametrize("name", ["attestation-key", "timestamp-key"])
def test_system_keys_are_not_the_callers(api, name):
    api.refused(608, "POST", "/v1/key", key_body(name))
    for method, path, body in (("POST", "/v1/key/deleteKey", {"label": name}),
                               ("DELETE", "/v1/key/" + name, None)):
        response = api.send(method, path, body)
        assert response.json()["errorCode"] in (614, 701), response.text
    assert name in api.get("/v1/key")
    assert api.attributes(name)["json"]["publicKey"]


def test_key_sizes_603(api):
    for size in (1, 512, 1000, 2047, 20000):
        api.refused(603, "POST", "/v1/key", key_body(algorithm="RSA", curveOid=None, keySize=size))
    api.refused(603, "POST", "/v1/key", key_body(algorithm="RSA", curveOid=None), says="keySize")


def test_curves(api):
    for oid in ("1.2.3", "1.3.132.0.9999", "secp256r1", "1.2.840.10045.3.1.1", "1.3.36.3.3.2.8.1.1.1"):
        api.refused(600, "POST", "/v1/key", key_body(curveOid=oid), says="curve")
    api.refused(600, "POST", "/v1/key", key_body(curveOid=None), says="curveOid")


def test_unknown_algorithm(api):
    for name in ("EC2", "ec", "ROT13"):
        api.refused(600, "POST", "/v1/key", key_body(algorithm=name), says="algorithm")
    api.refused(600, "POST", "/v1/key", key_body(algorithm=None), says="algorithm")


def test_address_format(api, people):
    pol = quorum(1, people())
    k1 = "1.3.132.0.10"
    api.refused(605, "POST", "/v1/key",
                key_body(pol=pol, curveOid=k1, addressFormat={"format": "DOGE"}))
    api.refused(630, "POST", "/v1/key", key_body(curveOid=k1, addressFormat={"format": "BTC"}))


def test_attribute_combinations_606(api, people):
    none = {"decrypt": False, "sign": False, "unwrap": False}
    api.refused(606, "POST", "/v1/key", key_body(attributes=none))
    api.refused(606, "POST", "/v1/key", key_body(
        pol=quorum(1, people()), attributes={**none, "sign": True, "extractable": True}))
    api.refused(606, "POST", "/v1/key", key_body(
        algorithm="RSA", curveOid=None, keySize=2048,
        attributes={**none, "sign": True, "derive": True, "bip32": True}))


def test_attributes_that_clients_send_in_vain(api):
    label = unique()
    api.post("/v1/key", key_body(label, attributes={
        "encrypt": None, "decrypt": True, "verify": None, "sign": True, "wrap": None, "unwrap": True,
        "derive": False, "bip32": False, "slip10": False, "extractable": False, "modifiable": True,
        "destroyable": True, "sensitive": None, "copyable": False, "rollover": False,
        "neverExtractable": True, "alwaysSensitive": True}))
    assert label in api.get("/v1/key")


def test_misspelt_rule_makes_no_unprotected_key(api, people):
    label = unique()
    pol = quorum(1, people())
    for wrong in ({**pol, "ruleuse": pol["ruleUse"]}, {"ruleUsage": pol["ruleUse"], "keyStatus": pol["keyStatus"]}):
        api.refused(600, "POST", "/v1/key", key_body(label, wrong), says="rule")
    api.refused(600, "POST", "/v1/key", {**key_body(label), "Policy": pol}, says="Policy")
    assert label not in api.get("/v1/key")


# ---- policies that are refused: each names the member ----

def refused_policy(api, code, pol, says=()):
    label = unique()
    api.refused(code, "POST", "/v1/key", key_body(label, pol), says=says)
    assert label not in api.get("/v1/key")


def test_quorums(api, people):
    a, b = people.several(2)
    refused_policy(api, 600, quorum(0, a, b), "quorum")
    refused_policy(api, 600, quorum(3, a, b), "quorum")
    refused_policy(api, 600, quorum(-1, a, b), "quorum")
    twice = policy(rule(token({"name": None, "quorum": 2, "approvals": [
        a.policy_entry(), {"type": "certificate", "value": b64(a.certificate)}]})))
    refused_policy(api, 600, twice, "quorum")
    refused_policy(api, 600, policy(rule(token(group(1)))), ("ruleUse", "tokens[0]", "groups[0]"))


def test_times(api, people):
    a = people()
    for times, word in (({"timelock": 61}, "timelock"), ({"timeout": 30}, "timeout"),
                        ({"timelock": -60}, "timelock"), ({"timeout": -60}, "timeout"),
                        ({"timeout": 10 ** 12}, "timeout"), ({"timelock": 600, "timeout": 600}, "timeout"),
                        ({"timelock": 600, "timeout": 60}, "timeout")):
        refused_policy(api, 600, quorum(1, a, **times), word)


def test_rules_without_a_way(api, people):
    refused_policy(api, 600, policy(rule()), "ruleUse")
    refused_policy(api, 600, policy({"tokens": None}), "ruleUse")
    api.create_key(unique(), policy(block=rule(), unblock={"tokens": None}, modify=rule()))
    a = people()
    api.create_key(unique(), policy(block=rule(token(group(2, a))),
                                    modify=rule(token(group(1, a), timelock=600, timeout=60))))


def test_certificates_bring_their_own_name(api, people):
    c = people("rsa", 8, certificate=True)
    entry = {**c.policy_entry(), "name": "x"}
    refused_policy(api, 604, policy(rule(token({"name": None, "quorum": 1, "approvals": [entry]}))))


def test_approver_values(api, people):
    a = people()
    c = people("rsa", 8, certificate=True)

    def with_entry(entry):
        return policy(rule(token({"name": None, "quorum": 1, "approvals": [entry]})))
    for der in (b"x", a.spki[:-1], a.spki + b"\0"):
        refused_policy(api, 407, with_entry({**a.policy_entry(), "value": b64(der)}))
    for der in (b"x", c.certificate[:-1], a.spki):
        refused_policy(api, 409, with_entry({**c.policy_entry(), "value": b64(der)}))
    refused_policy(api, 600, with_entry({**a.policy_entry(), "value": ""}), "value")
    refused_policy(api, 600, with_entry({**a.policy_entry(), "value": None}), "value")
    refused_policy(api, 600, with_entry({**a.policy_entry(), "type": "x"}), "type")
    refused_policy(api, 633, with_entry({"type": "onboarded_approver_certificate", "name": "x",
                                         "value": b64(c.certificate)}))


@pytest.mark.online_only("a room without a database knows no approvers by name")
def test_names_of_approvers(api):
    entry = {"type": "onboarded_approver_certificate", "name": "nobody"}
    refused_policy(api, 413, policy(rule(token({"name": None, "quorum": 1, "approvals": [entry]}))))


def test_approver_key_types_601(api):
    from cryptography.hazmat.primitives.asymmetric import ed448, rsa, x25519
    from approver import spki_of
    keys = [spki_of(k.public_key()) for k in (
        x25519.X25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate(),
        rsa.generate_private_key(65537, 1024))]
    small_order = bytes.fromhex("302a300506032b6570032100") + b"\1" + bytes(31)
    for spki in (*keys, small_order):
        entry = {"type": "public_key", "name": "x", "value": b64(spki)}
        refused_policy(api, 601, policy(rule(token({"name": None, "quorum": 1, "approvals": [entry]}))))


def test_pem_armour_is_tolerated(api, people):
    a = people("rsa")
    body = base64.encodebytes(a.spki).decode()
    pem = "-----BEGIN PUBLIC KEY-----\n%s-----END PUBLIC KEY-----\n" % body
    label = unique()
    entry = {"type": "public_key", "name": "x", "value": pem}
    api.create_key(label, policy(rule(token({"name": None, "quorum": 1, "approvals": [entry]}))))
    rid = api.sign(label)
    api.approve(a, rid)
    api.wait(rid, "EXECUTED")


def test_limits_of_a_policy(api):
    a = Approver("p256", "a")
    entry = a.policy_entry()
    many = {"name": None, "quorum": 1, "approvals": [{**entry, "name": str(i)} for i in range(257)]}
    refused_policy(api, 600, policy(rule(token(many))), "approvals")
    refused_policy(api, 600, policy(rule(*[token(group(1, a)) for _ in range(65)])), "tokens")
    refused_policy(api, 600, policy(rule(token(*[group(1, a) for _ in range(65)]))), "groups")


def test_a_policy_names_at_most_1024_approvers(api):
    """Larger ones were taken and could never be used."""
    entry = Approver("p256", "a").policy_entry()
    full = token({"name": None, "quorum": 1, "approvals": [entry] * 256})
    half = rule(full, full)
    api.create_key(unique(), policy(half, None, half, None))
    one_more = rule(token({"name": None, "quorum": 1, "approvals": [entry]}))
    refused_policy(api, 600, policy(half, one_more, half, None), "1025 approvers")
    refused_policy(api, 600, policy(rule(*[full] * 40)), "at most 1024")


# ---- passwords, list, delete ----

def test_password(api):
    label = unique()
    api.create_key(label, password="secret")
    for bad in (None, "", "Secret", ["s"]):
        for path in ("/v1/key/attributes", "/v1/key/deleteKey"):
            error = api.refused(620, "POST", path, {"label": label, "password": bad})
            assert label in error["message"]
    assert api.attributes(label, list("secret"))["json"]["label"] == label
    api.refused(620, "GET", "/v1/key/%s/attributes" % label)
    api.refused(620, "DELETE", "/v1/key/" + label)
    assert label in api.get("/v1/key")
    assert api.post("/v1/key/deleteKey", {"label": label, "password": "secret"}) is None
    assert label not in api.get("/v1/key")


def test_unknown_key_is_650(api):
    for method, path, body in (("POST", "/v1/key/attributes", {"label": "no-such-key"}),
                               ("GET", "/v1/key/no-such-key/attributes", None),
                               ("POST", "/v1/key/deleteKey", {"label": "no-such-key"}),
                               ("DELETE", "/v1/key/no-such-key", None)):
        error = api.refused(650, method, path, body, says="no-such-key")
        assert error["reason"] == "res.error.key.not.existent"


def test_list_is_sorted(api):
    for _ in range(3):
        api.create_key(unique("list"))
    labels = api.get("/v1/key")
    assert labels == sorted(labels) and len(set(labels)) == len(labels)


def test_delete(api):
    label = unique()
    api.create_key(label)
    assert api.call("DELETE", "/v1/key/" + label) is None and api.status == 200
    api.refused(650, "DELETE", "/v1/key/" + label)
    api.refused(650, "POST", "/v1/key/attributes", {"label": label})
    api.create_key(label)


def test_indestructible_key_is_614(api):
    label = unique()
    api.create_key(label, attributes={"decrypt": False, "sign": True, "unwrap": False,
                                      "destroyable": False})
    api.refused(614, "DELETE", "/v1/key/" + label)
    api.refused(614, "POST", "/v1/key/deleteKey", {"label": label})
    assert label in api.get("/v1/key")


# ---- in the clear ----

@pytest.mark.online_only("keys are made in the room")
def test_key_in_the_clear_comes_in_and_leaves(api):
    label = unique()
    made = api.create_key(unique(), attributes={
        "decrypt": False, "sign": True, "unwrap": False, "extractable": True, "destroyable": True})
    left = api.post("/v1/key/export/plain", {"label": made["json"]["label"], "password": None})
    assert set(left) == {"privateKey", "publicKey", "secretKey"} and left["secretKey"] is None
    answer = api.post("/v1/key/import/plain", {
        "label": label, "algorithm": "EC", "privateKey": left["privateKey"],
        "publicKey": left["publicKey"], "policy": {},
        "attributes": {"decrypt": False, "sign": True, "unwrap": False, "destroyable": True}})
    assert api.status == 201 and answer["json"]["publicKey"] == made["json"]["publicKey"]
    assert answer["json"]["policy"]["keyStatus"] == {"blocked": False}
    assert verify(public_key(made), "SHA-256", b"p", api.sign_now(label, b"p"))
    api.refused(614, "GET", "/v1/key/%s/export/plain" % label)


@pytest.mark.online_only("keys are made in the room")
def test_password_of_a_key_is_changed(api):
    label = unique()
    api.create_key(label, password="old")
    change = {"label": label, "password": list("old"), "newPassword": list("new")}
    assert api.post("/v1/key/changePassword", change) is None and api.status == 200
    api.refused(620, "POST", "/v1/key/changePassword", change)
    api.sign_now(label, keyPassword="new")


@pytest.mark.online_only("keys are made in the room")
def test_key_is_renamed_unless_requests_name_it(api, people):
    label, other = unique(), unique()
    made = api.create_key(label, policy={})
    answer = api.call("PATCH", "/v1/key/changeAttributes", {"label": label, "newLabel": other})
    assert api.status == 200 and answer["json"]["publicKey"] == made["json"]["publicKey"]
    api.refused(650, "POST", "/v1/key/attributes", {"label": label})
    guarded = unique()
    api.create_key(guarded, quorum(1, people()))
    api.sign(guarded)
    api.refused(611, "PATCH", "/v1/key/changeAttributes", {"label": guarded, "newLabel": label},
                says="open requests")


# ---- attestations as files ----

@pytest.mark.online_only("keys are made in the room")
def test_attestation_of_a_key_is_a_zip_file_or_json(api):
    label = unique()
    api.create_key(label)
    response = api.send("POST", "/v1/key/keyAttestation", {"label": label},
                        headers={"Accept": "application/json"})
    assert response.status_code == 200 and response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"].endswith(".zip\"")
    with zipfile.ZipFile(io.BytesIO(response.content)) as z:
        assert label.encode() in next(z.read(n) for n in z.namelist() if n.endswith(".xml"))
    for query, headers in (("?format=json", {}),
                           ("", {"Accept": "application/vnd.tsb.attestation+json, */*"})):
        twin = api.post("/v1/key/keyAttestation" + query, {"label": label}, headers=headers)
        assert label in twin["signingKeyAttestationXml"]
    name, = api.get("/v1/attestation")
    assert api.get("/v1/attestation/%s/certificateChain" % name) == {
        "attestationCertificateChain": twin["signingKeyAttestationCertificate"]}


@pytest.mark.online_only("addresses come from the HSM")
@pytest.mark.parametrize("format,kind", [("BTC", "EC"), ("ETH", "EC"), ("XRP", "ED")])
def test_address(api, people, format, kind):
    label = unique("address ")
    members = {"curveOid": "1.3.132.0.10"} if kind == "EC" else {}
    shown = api.create_key(label, quorum(1, people()), kind, addressFormat={"format": format}, **members)
    told = api.post("/v1/key/address", {"label": label})
    assert shown["json"]["addressTruncated"] == {
        "address": unb64(told["address"]).hex().upper(), "format": format}
    assert api.get("/v1/key/%s/address" % label.replace(" ", "%20")) == told


@pytest.mark.online_only("addresses come from the HSM")
def test_keys_without_address(api, people):
    none, without = unique(), unique()
    api.create_key(none)
    api.create_key(without, quorum(1, people()))
    for label, code in ((none, 630), (without, 605), (unique(), 650)):
        api.refused(code, "POST", "/v1/key/address", {"label": label})
        api.refused(code, "GET", "/v1/key/%s/address" % label)


# ---- data objects ----

@pytest.mark.online_only("data objects are in the HSM")
def test_data_object(api):
    name = unique("object")
    made = {"name": name, "value": b64(b"notes"),
            "attributes": {"private": True, "modifiable": True, "destroyable": True}}
    assert api.post("/v1/dataObject", made) == made and api.status == 201
    api.refused(615, "POST", "/v1/dataObject", made)
    assert name in api.get("/v1/dataObject") and api.get("/v1/dataObject/" + name) == made
    assert api.call("DELETE", "/v1/dataObject/" + name) is None and api.status == 200
    api.refused(653, "GET", "/v1/dataObject/" + name)
