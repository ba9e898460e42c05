"""The online side of the gap: what it believes of keys, who is asked, and what it shows of requests that wait."""
import datetime
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

import air
import ska
from approver import Approver, b64, group, policy, quorum, rule, token, unb64, verify
from client import Client, public_key, unique
from kinds import USAGE_FLAGS
from private_site import Site

CARRY = "Execution shall be made with offline HSM"
IMPORT = "/v1/key/import/attributes"


@pytest.fixture(scope="module")
def attestor():
    """An attestation key of ours, beside the room's: it says what a test wants to hear."""
    return Approver("rsa", "attestor")


@pytest.fixture(scope="module")
def site(room, attestor, tmp_path_factory):
    """Believes the room and the attestor; finished requests are deleted after a day."""
    pem = tmp_path_factory.mktemp("pins") / "attestor.pem"
    pem.write_bytes(attestor.pem())
    made = air.Online(pins=room.pins() + [("-A", pem)],
                      settings="[general]\nretainFinishedRequests = 1\n")
    yield made
    made.down()


@pytest.fixture(scope="module")
def open_site(people, tmp_path_factory):
    """Knows no key; two files say who approves: a certificate, and two keys in one file."""
    folder = tmp_path_factory.mktemp("open")
    first, second, third = people.several(3)
    certificate = x509.load_der_x509_certificate(first.certificate)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "keys.pem").write_bytes(second.pem() + b"\n" + third.pem())
    made = air.Online(pins=[("-R", folder / "certificate.pem"), ("-R", folder / "keys.pem")])
    yield made
    made.down()


def signed(attestor, xml):
    return {"xml": xml, "xmlSignature": b64(attestor.sign(xml.encode(), "SHA-256")),
            "attestationKeyName": "the attestor"}


def with_member(xml, name, value):
    changed, n = re.subn(r"<%s>[^<]*</%s>" % (name, name), "<%s>%s</%s>" % (name, value, name), xml)
    assert n == 1, xml
    return changed


def attest_time(xml):
    (text,) = re.findall(r"<attest_time>([^<]*)</attest_time>", xml)
    return text


def later(xml, seconds):
    at = datetime.datetime.strptime(attest_time(xml), "%Y-%m-%dT%H:%M:%SZ")
    at += datetime.timedelta(seconds=seconds)
    return with_member(xml, "attest_time", at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def everything(site):
    """What imports could change."""
    return site.site.sql(
        "SELECT key_name, HEX(attributes_digest), attest_time, imported_ms, HEX(certificate) "
        "FROM imported_key ORDER BY key_name; "
        "SELECT HEX(digest), fetched_ms FROM key_attributes ORDER BY digest; "
        "SELECT COUNT(*) FROM audit; SELECT COUNT(*) FROM request; SELECT COUNT(*) FROM task;")


# ---- attributes ----

def test_import_answers_like_the_attributes_of_a_key(site, room, people):
    answer = room.create_key(policy=quorum(1, people()))
    label = answer["json"]["label"]
    assert site.import_key(answer) == answer
    assert site.api.attributes(label) == answer
    assert site.api.attributes(label, "any password") == answer
    assert site.api.get("/v1/key/%s/attributes" % label) == answer
    assert label in site.api.get("/v1/key")
    assert site.api.get("/v1/key") == sorted(site.api.get("/v1/key"))


def test_the_same_again_changes_nothing(site, room, people):
    answer = room.create_key(policy=quorum(1, people()))
    site.import_key(answer)
    before = everything(site)
    assert site.import_key(answer) == answer
    assert everything(site) == before


def test_document_of_the_same_second_that_differs_in_its_count_alone(site, room, attestor):
    xml = room.create_key()["xml"]
    if "<key_use_count>" not in xml:
        pytest.skip("the HSM counts no uses")
    first = signed(attestor, xml)
    site.import_key(first)
    before = everything(site)
    answer = site.import_key(signed(attestor, with_member(xml, "key_use_count", "5")))
    assert answer["xml"] == xml and everything(site) == before


def test_newer_attributes_replace_older_ones_never_the_reverse(site, room, attestor, people):
    xml = room.create_key(policy=quorum(1, people()))["xml"]
    label = re.findall("<label>([^<]*)</label>", xml)[0]
    old, mid, new = (signed(attestor, later(xml, s)) for s in (0, 1, 100))
    for document in (old, mid, new):
        assert site.import_key(document)["xml"] == document["xml"]
        assert site.api.attributes(label)["xml"] == document["xml"]
    before = everything(site)
    for document in (old, mid):
        site.api.refused(606, "POST", IMPORT, document,
                         says=[label, attest_time(document["xml"]), attest_time(new["xml"])])
    other = signed(attestor, with_member(new["xml"], "destroyable", "false"))
    site.api.refused(606, "POST", IMPORT, other, says=["newer", attest_time(new["xml"])])
    assert everything(site) == before
    newest = signed(attestor, later(other["xml"], 1))
    assert site.import_key(newest)["json"]["attributes"]["destroyable"] is False
    rows = site.site.sql("SELECT COUNT(*) FROM audit WHERE action = 'import attributes' "
                         "AND detail = '%s'" % label)
    assert rows == [["4"]]


def test_deleted_keys_come_back_with_newer_attributes_only(site, room, attestor, people):
    approver = people()
    xml = room.create_key(policy=quorum(1, approver))["xml"]
    label = re.findall("<label>([^<]*)</label>", xml)[0]
    old, new = (signed(attestor, later(xml, s)) for s in (0, 1))
    ref = {"label": label, "password": None}
    for delete in (("POST", "/v1/key/deleteKey", ref), ("DELETE", "/v1/key/" + label, None)):
        site.import_key(old if delete[0] == "POST" else new)
        rid = site.api.sign(label)
        site.api.call(*delete)
        assert label not in site.api.get("/v1/key")
        assert site.api.get("/v1/request/" + rid)["status"] == "CANCELLED"
        site.api.refused(650, "POST", "/v1/key/attributes", ref)
        site.api.refused(650, *delete, says=[label])
        site.api.refused(606, "POST", IMPORT, old, says=["deleted", "newer"])


def test_attributes_from_the_future_would_shut_out_all_others(site, room, attestor):
    xml = room.create_key()["xml"]
    before = everything(site)
    site.api.refused(606, "POST", IMPORT, signed(attestor, later(xml, 2 * 86400)),
                     says=["attest_time", "clock"])
    assert everything(site) == before
    site.import_key(signed(attestor, later(xml, 3600)))


def test_what_is_not_signed_is_not_believed(site, room, attestor, people):
    answer = room.create_key(policy=quorum(1, people()))
    xml, label = answer["xml"], answer["json"]["label"]
    before = everything(site)

    def refused(code, says="xmlSignature", **members):
        site.api.refused(code, "POST", IMPORT, {**answer, **members}, says=says)

    refused(403, xml=xml[:-1])
    refused(403, xml=xml + "\n")
    refused(403, xml=xml[:len(xml) // 2])
    refused(403, xml=xml.replace("<sign>true", "<sign>false"))
    refused(403, xml=later(xml, 60))
    refused(403, xmlSignature=room.create_key()["xmlSignature"])
    forger = Approver("rsa", "forger")
    refused(403, xmlSignature=b64(forger.sign(xml.encode(), "SHA-256")))
    refused(403, xmlSignature=b64(attestor.sign(xml.encode(), "SHA-512")))
    refused(600, xmlSignature="")
    refused(600, xmlSignature="no base64!")
    refused(600, says="xml", xml="")
    refused(600, says="xml", xml=None)
    refused(600, says="xmlSignature", xmlSignature=None)
    site.api.refused(600, "POST", IMPORT, [], says="'{' is expected")
    assert everything(site) == before
    site.api.refused(650, "POST", "/v1/key/attributes", {"label": label, "password": None},
                     says=[label, IMPORT])


def test_signed_documents_that_make_no_sense(site, room, attestor):
    xml = room.create_key()["xml"]
    for spoiled, code, says in (
            (xml.replace("</private_key>", ""), 612, "key attributes"),
            (re.sub(r"\s*<attest_time>.*</attest_time>", "", xml), 612, "attest_time"),
            (with_member(xml, "attest_time", "1970-01-01T00:00:00Z"), 606, "attest_time"),
            (re.sub(r"\s*<label>.*</label>", "", xml), 612, "label"),
            (with_member(xml, "label", ""), 612, "label"),
            (with_member(xml, "label", "x" * 256), 612, "label"),
            ("<a/>", 612, "key attributes")):
        site.api.refused(code, "POST", IMPORT, signed(attestor, spoiled), says=says)


def test_label_is_the_one_that_was_signed(site, room, people):
    answer = room.create_key(policy=quorum(1, people()))
    label, other = answer["json"]["label"], unique("other")
    stored = site.import_key({**answer, "json": {**answer["json"], "label": other}, "more": 1})
    assert stored == answer
    assert other not in site.api.get("/v1/key")
    assert site.import_key({k: answer[k] for k in ("xml", "xmlSignature")})["json"]["label"] == label


def test_many_imports_at_once_end_with_the_newest(site, room, attestor):
    xml = room.create_key()["xml"]
    label = re.findall("<label>([^<]*)</label>", xml)[0]
    documents = [signed(attestor, later(xml, s)) for s in range(12)]

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda document: site.api.send("POST", IMPORT, document),
                                documents[::-1] + documents))
    assert {a.status_code for a in answers} <= {200, 400}, [a.text for a in answers]
    assert site.api.attributes(label)["xml"] == documents[-1]["xml"]


def test_online_brokers_import_nothing():
    made = Site()
    try:
        Client(made).refused(611, "POST", IMPORT, {"xml": "x", "xmlSignature": b64(b"x")},
                             says="profile online")
    finally:
        made.down()


def test_without_an_attestation_key_nothing_can_be_believed(open_site, room):
    open_site.api.refused(300, "POST", IMPORT, room.create_key(), says="airGapped.attestationKeyFile")


# ---- requests on imported keys ----

def progress(view):
    return [(t["met"], [(g["quorum"], g["approved"], g["missing"]) for g in t["groups"]])
            for t in view["approvalProgress"]["tokens"]]


def test_named_approvers_are_asked_and_the_quorum_is_told(site, room, people):
    crowd, stranger = people.several(3), people("p256", 9)
    key = air.offline_key(site, room, *crowd, needed=2)
    rid = site.api.sign(key, b"pay 100", payloadType="UNSPECIFIED")
    view = site.api.request(rid)
    assert view["status"] == "PENDING" and view["result"] is None and view["executionTime"] is None
    assert "inputOfflineHsm" not in view and progress(view) == [(False, [(2, 0, 2)])]
    assert view["approvalProgress"]["met"] is False
    assert set(view["notYetApprovedBy"]) == {b64(a.spki) for a in crowd}
    assert site.api.tasks(stranger, "All", requestId=rid) == []
    approved = ska.Token.decode(unb64(site.api.task(crowd[0], rid)["approvalToBeSigned"]))
    assert approved.timestamp is None and approved.label == key and approved.payload == b"pay 100"
    site.approve(rid, crowd[2], kind="Sign")
    view = site.api.request(rid)
    assert progress(view) == [(False, [(2, 1, 1)])] and view["result"] == CARRY
    assert view["approvedBy"] == [b64(crowd[2].spki)] and len(view["notYetApprovedBy"]) == 2
    site.approve(rid, crowd[0])
    view = site.api.request(rid)
    assert view["status"] == "PENDING" and progress(view) == [(True, [(2, 2, 0)])]
    assert view["approvalProgress"]["met"] is True
    inner = view["inputOfflineHsm"]["signRequest"]
    assert {k: v for k, v in inner.items() if k != "signedApprovals"} == {
        "payload": b64(b"pay 100"), "payloadType": "UNSPECIFIED", "signKeyName": key,
        "signatureAlgorithm": "SHA256_WITH_ECDSA"}
    assert [spki_of_approval(a) for a in inner["signedApprovals"]] == [
        crowd[2].spki, crowd[0].spki]
    result = room.execute(view["inputOfflineHsm"])
    assert verify(public_key(room.attributes(key)), "SHA-256", b"pay 100", unb64(result["signature"]))
    site.api.stays(rid, "PENDING")


def spki_of_approval(text):
    return ska.SignedApproval.decode(unb64(text)).approver


def test_progress_of_several_tokens_and_groups(site, room, people):
    a, b, c = people.several(3)
    use = rule(token(group(1, a, name="clerks"), group(2, b, c, name="officers"), name="day"),
               token(group(1, c, name="chief"), name="alone"),
               token(group(1, people("p256", 5)), timelock=3600, name="later"))
    answer = room.create_key(policy=policy(use))
    site.import_key(answer)
    rid = site.api.sign(answer["json"]["label"])
    assert site.api.tasks(people("p256", 5), "All", requestId=rid) == []
    assert b64(people("p256", 5).spki) not in site.api.request(rid)["notYetApprovedBy"]
    site.approve(rid, b)
    view = site.api.request(rid)
    assert view["approvalProgress"] == {"met": False, "tokens": [
        {"name": "day", "met": False, "groups": [
            {"name": "clerks", "quorum": 1, "approved": 0, "missing": 1},
            {"name": "officers", "quorum": 2, "approved": 1, "missing": 1}]},
        {"name": "alone", "met": False, "groups": [
            {"name": "chief", "quorum": 1, "approved": 0, "missing": 1}]}]}
    site.approve(rid, c)
    view = site.api.request(rid)
    assert [t["met"] for t in view["approvalProgress"]["tokens"]] == [False, True]
    assert view["approvalProgress"]["met"] is True and view["status"] == "PENDING"
    assert room.execute(view["inputOfflineHsm"])["signature"]


def test_rule_with_time_limits_alone_is_refused(site, room, people):
    for limits in ({"timelock": 60}, {"timeout": 60}):
        answer = room.create_key(policy=policy(rule(token(group(1, people()), **limits))))
        site.import_key(answer)
        site.api.refused(611, "POST", "/v1/sign", site.api.sign_body(answer["json"]["label"]),
                         says=["ruleUse", "timelock or timeout", "no timestamp"])


def test_rule_that_can_never_be_met(site, room, people):
    answer = room.create_key(policy=policy(quorum(1, people())["ruleUse"], block=rule()))
    site.import_key(answer)
    site.api.refused(611, "POST", "/v1/block", {"blockRequest": {
        "blockKeyName": answer["json"]["label"]}}, says="never be fulfilled")


@pytest.mark.parametrize("guard", [None, policy(), policy(rule(token()))],
                         ids=["no policy", "rule null", "token without groups"])
def test_rule_that_asks_nobody_is_ready_at_once_and_not_executed_here(site, room, guard):
    answer = room.create_key(policy=guard)
    site.import_key(answer)
    rid = site.api.sign(answer["json"]["label"], b"free")
    view = site.api.request(rid)
    assert view["status"] == "PENDING" and view["result"] == CARRY
    assert view["inputOfflineHsm"]["signRequest"]["signedApprovals"] == []
    assert ("approvalProgress" in view) == (guard is not None)
    assert site.site.sql("SELECT COUNT(*) FROM task WHERE HEX(request_id) = '%s'" %
                         rid.replace("-", "").upper()) == [["0"]]
    assert room.execute(view["inputOfflineHsm"])["signature"]
    site.api.stays(rid, "PENDING", 1.5)


def test_rejections_that_leave_no_quorum_end_the_request(site, room, people):
    crowd = people.several(3)
    key = air.offline_key(site, room, *crowd, needed=2)
    rid = site.api.sign(key)
    site.approve(rid, crowd[0])
    site.api.reject(crowd[1], rid)
    assert site.api.status_of(rid) == "PENDING"
    site.api.reject(crowd[2], rid)
    view = site.api.request(rid)
    assert view["status"] == "REJECTED" and view["result"] is None
    assert "inputOfflineHsm" not in view and "approvalProgress" not in view


def test_rejection_after_the_quorum_takes_nothing_back(site, room, people):
    crowd = people.several(2)
    key = air.offline_key(site, room, *crowd, needed=1)
    rid = site.api.sign(key)
    site.approve(rid, crowd[0])
    site.api.reject(crowd[1], rid)
    view = site.api.request(rid)
    assert view["status"] == "PENDING" and progress(view) == [(True, [(1, 1, 0)])]
    assert len(view["inputOfflineHsm"]["signRequest"]["signedApprovals"]) == 1


def test_cancelled_requests_are_not_carried(site, room, people):
    rid = site.api.sign(air.offline_key(site, room, people()))
    site.approve(rid, people())
    site.api.cancel(rid)
    view = site.api.request(rid)
    assert view["status"] == "CANCELLED" and "inputOfflineHsm" not in view


def test_what_the_key_cannot_do_is_refused_before_anybody_is_asked(site, room, people):
    guard = quorum(1, people())["ruleUse"]
    blocked = room.create_key(policy=policy(guard, blocked=True))
    site.import_key(blocked)
    label = blocked["json"]["label"]
    site.api.refused(614, "POST", "/v1/sign", site.api.sign_body(label), says="blocked")
    site.api.post("/v1/unblock", {"unblockRequest": {"unblockKeyName": label}})
    mute = room.create_key(policy=policy(guard), attributes={**USAGE_FLAGS, "decrypt": True})
    site.import_key(mute)
    site.api.refused(614, "POST", "/v1/sign", site.api.sign_body(mute["json"]["label"]), says="sign")
    key = air.offline_key(site, room, people())
    site.api.refused(607, "POST", "/v1/sign", site.api.sign_body(key, b"x", "SHA256_WITH_RSA"),
                     says="SHA256_WITH_RSA")
    bare = room.create_key()
    site.import_key(bare)
    site.api.refused(613, "POST", "/v1/block", {"blockRequest": {
        "blockKeyName": bare["json"]["label"]}}, says="no policy")


def test_name_of_a_new_key_must_be_free(site, room, people):
    taken = air.offline_key(site, room, people())
    answer = room.create_key(policy=quorum(1, people()), algorithm="RSA",
                             attributes={**USAGE_FLAGS, "unwrap": True})
    site.import_key(answer)
    body = {"unwrapKeyRequest": {
        "wrappedKey": b64(b"w" * 256), "label": taken, "attributes": {**USAGE_FLAGS, "decrypt": True},
        "unwrapKeyName": answer["json"]["label"], "wrapMethod": "RSA_WRAP_OAEP"}}
    site.api.refused(608, "POST", "/v1/unwrap", body, says=taken)
    body["unwrapKeyRequest"]["label"] = unique("new")
    site.api.post("/v1/unwrap", body)


def test_key_passwords_are_neither_kept_nor_carried(site, room, people):
    answer = room.create_key(policy=quorum(1, people()), password="open sesame")
    site.import_key(answer)
    label = answer["json"]["label"]
    rid = site.api.sign(label, keyPassword="open sesame")
    site.approve(rid, people())
    ((box, envelope, inner),) = site.site.sql(
        "SELECT LENGTH(password_box), LENGTH(envelope), inner_clean FROM request WHERE HEX(id) = '%s'"
        % rid.replace("-", "").upper())
    assert (box, envelope) == ("0", "0") and "sesame" not in inner
    carried = site.carried(rid)
    assert "keyPassword" not in carried["signRequest"] and "sesame" not in str(carried)
    assert room.attempt(carried)["errorCode"] == 620
    assert room.execute(carried, password="open sesame")["signature"]


def test_new_policy_holds_for_requests_that_wait_too(site, room, people):
    first, second = people.several(2)
    guard = quorum(1, first)["ruleUse"]
    answer = room.create_key(policy=policy(guard, modify=guard))
    site.import_key(answer)
    key = answer["json"]["label"]
    old = site.api.sign(key)
    rid = site.api.post("/v1/modify", {"modifyRequest": {
        "modifyKeyName": key, "policy": policy(quorum(1, second)["ruleUse"], modify=guard,
                                               blocked=None)}})["modifyKeyRequestId"]
    site.approve(rid, first)
    site.import_key(room.execute(site.carried(rid))["attributes"])
    new = site.api.sign(key)
    assert site.api.tasks(first, "Sign", requestId=new) == []
    site.approve(new, second)
    assert site.api.tasks(first, "Sign", requestId=old) == []
    site.approve(old, second)
    for rid in (old, new):
        assert room.execute(site.carried(rid))["signature"]


# ---- requests on keys that nobody knows ----

def test_unknown_key_names_both_ways_to_go_on(site):
    site.api.refused(650, "POST", "/v1/sign", site.api.sign_body("nowhere"),
                     says=["nowhere", IMPORT, "airGapped.approverFile"])


def test_any_approver_of_the_list_is_asked_about_an_unknown_key(open_site, room, people):
    crowd = people.several(3)
    answer = room.create_key(policy=quorum(2, *crowd[:2]))
    key = answer["json"]["label"]
    rid = open_site.api.sign(key, b"harro")
    view = open_site.api.request(rid)
    assert view["status"] == "PENDING" and view["result"] is None
    assert view["notYetApprovedBy"] == [] and "approvalProgress" not in view
    assert all(len(open_site.api.tasks(a, "All", requestId=rid)) == 1 for a in crowd)
    assert open_site.api.tasks(people("p256", 9), "All", requestId=rid) == []
    open_site.approve(rid, crowd[0])
    view = open_site.api.request(rid)
    assert view["result"] == CARRY and view["notYetApprovedBy"] == []
    assert "approvalProgress" not in view
    assert room.attempt(view["inputOfflineHsm"])["errorCode"] == 701    # not enough for its HSM
    open_site.approve(rid, crowd[1])
    signature = room.execute(open_site.carried(rid))["signature"]
    assert verify(public_key(answer), "SHA-256", b"harro", unb64(signature))


def test_unknown_key_is_given_up_when_all_have_rejected(open_site, people):
    crowd = people.several(3)
    rid = open_site.api.sign(unique("unknown"))
    for approver in crowd[:2]:
        open_site.api.reject(approver, rid)
        assert open_site.api.status_of(rid) == "PENDING"
    open_site.api.reject(crowd[2], rid)
    assert open_site.api.status_of(rid) == "REJECTED"
    rid = open_site.api.sign(unique("unknown"))
    open_site.approve(rid, crowd[0])
    for approver in crowd[1:]:
        open_site.api.reject(approver, rid)
    assert open_site.carried(rid)


def test_members_are_exactly_those_that_the_caller_set(open_site, people):
    """The shape of the published sample."""
    rid = open_site.api.sign("MSI-OnlineKey", b"harro", "SHA224_WITH_RSA_PSS",
                             payloadType="UNSPECIFIED")
    open_site.approve(rid, people())
    inner = open_site.carried(rid)["signRequest"]
    assert list(inner) == ["payload", "signKeyName", "signatureAlgorithm", "payloadType",
                           "signedApprovals"]
    rid = open_site.api.sign("MSI-OnlineKey", metaData=b64(b"for people"), signatureType="RAW")
    open_site.approve(rid, people())
    assert set(open_site.carried(rid)["signRequest"]) == {
        "payload", "signKeyName", "signatureAlgorithm", "signatureType", "signedApprovals"}


def test_hex_payload_crosses_as_its_bytes(open_site, people):
    """A room whose broker does not know HEX would sign what base64 makes of the digits."""
    rid = open_site.api.sign("MSI-OnlineKey", b"digest".hex(), payloadType="HEX")
    open_site.approve(rid, people())
    inner = open_site.carried(rid)["signRequest"]
    assert (inner["payload"], inner["payloadType"]) == (b64(b"digest"), "UNSPECIFIED")


# ---- certificates ----

def new_certificate(approver, **options):
    return b64(approver.certificate_for(**options))


def test_certificates_of_imported_keys(site, room, attestor):
    answer = room.create_key()
    site.import_key(answer)
    label, path = answer["json"]["label"], "/v1/certificate/" + answer["json"]["label"]
    stranger = Approver("p256", "stranger")
    site.api.refused(704, "GET", path, says=label)
    site.api.refused(704, "DELETE", path, says=label)
    site.api.refused(402, "POST", "/v1/certificate/import/plain",
                     {"label": label, "certificate": new_certificate(stranger)}, says="another key")
    site.api.refused(650, "POST", "/v1/certificate/import/plain",
                     {"label": "nowhere", "certificate": new_certificate(stranger)}, says=IMPORT)
    # a key that this test holds can certify itself
    own = Approver("p256", "own")
    xml = with_member(answer["xml"].replace(answer["json"]["publicKey"], b64(own.spki)),
                      "label", unique("own"))
    site.import_key(signed(attestor, xml))
    label = re.findall("<label>([^<]*)</label>", xml)[0]
    path = "/v1/certificate/" + label
    der = own.certificate_for("own")
    stored = site.api.post("/v1/certificate/import/plain", {"label": label, "certificate": b64(der)})
    for shown in (stored, site.api.get(path)):
        assert shown["label"] == label
        assert x509.load_pem_x509_certificate(shown["certificate"].encode()).public_bytes(
            Encoding.DER) == der
    # it stays while the key stays, and goes with another key of the same name
    site.import_key(signed(attestor, later(xml, 1)))
    assert site.api.get(path)["label"] == label
    site.api.call("DELETE", path)
    site.api.refused(704, "GET", path)
    site.api.post("/v1/certificate/import/plain", {"label": label, "certificate": b64(der)})
    site.import_key(signed(attestor, later(xml.replace(b64(own.spki), b64(stranger.spki)), 2)))
    site.api.refused(704, "GET", path)


def test_self_signed_certificate_is_drafted_here_and_signed_there(site, room, people):
    crowd = people.several(2)
    answer = room.create_key(policy=quorum(2, *crowd))
    label = answer["json"]["label"]
    body = {"selfSignCertificateRequest": {
        "signKeyName": label, "signatureAlgorithm": "SHA256_WITH_ECDSA", "validity": 30,
        "standardCertificateAttributes": {"commonName": "of the room"}}}
    site.api.refused(611, "POST", "/v1/certificate/selfsign", body, says=[label, IMPORT])
    site.import_key(answer)
    (rid,) = site.api.post("/v1/certificate/selfsign", body).values()
    task = site.api.task(crowd[0], rid, "SelfSignCertificate")
    content = ska.Token.decode(unb64(task["approvalToBeSigned"])).payload
    site.approve(rid, *crowd)
    carried = site.carried(rid)
    assert set(carried) == {"signRequest"}
    assert carried["signRequest"]["payload"] == b64(content)
    signature = unb64(room.execute(carried)["signature"])
    assert verify(public_key(answer), "SHA-256", content, signature)
    assert b"of the room" in content


def test_issuing_needs_the_issuers_certificate(site, room, attestor, people):
    own = Approver("p256", "issuer")
    xml = room.create_key(policy=quorum(1, people()))["xml"]
    shown = re.findall(r"<public_key>([^<]*)</public_key>", xml)
    label = unique("issuer")
    xml = with_member(xml.replace(shown[0], b64(own.spki)), "label", label)
    site.import_key(signed(attestor, xml))
    request = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "applicant")]))
    applicant = people("p384")
    der = request.sign(applicant.key, hashes.SHA256()).public_bytes(Encoding.DER)
    body = {"signCertificateRequest": {
        "signKeyName": label, "signatureAlgorithm": "SHA256_WITH_ECDSA", "validity": 10,
        "commonName": "applicant", "certificateAuthority": False, "certificateSigningRequest": b64(der)}}
    site.api.refused(402, "POST", "/v1/certificate/sign", body,
                     says=[label, "/v1/certificate/import/plain"])
    site.api.post("/v1/certificate/import/plain",
                  {"label": label, "certificate": b64(own.certificate_for("the issuer"))})
    (rid,) = site.api.post("/v1/certificate/sign", body).values()
    content = ska.Token.decode(unb64(
        site.api.task(people(), rid, "SignCertificate")["approvalToBeSigned"])).payload
    assert b"the issuer" in content and applicant.spki in content


# ---- what needs an HSM ----

def test_whatever_needs_an_hsm_says_that_there_is_none(site, room, people):
    key = air.offline_key(site, room, people())
    sign = site.api.sign_body(key, signedApprovals=[])
    certificate = {"signKeyName": key, "signatureAlgorithm": "SHA256_WITH_ECDSA",
                   "standardCertificateAttributes": {"commonName": "x"}}
    calls = [
        ("POST", "/v1/key", {"label": "x", "algorithm": "ED", "curveOid": "1.3.101.112",
                             "attributes": USAGE_FLAGS, "policy": None}),
        ("POST", "/v1/synchronousSign", sign),
        ("POST", "/v1/synchronousDecrypt", {"decryptRequest": {
            "encryptedPayload": b64(b"x"), "decryptKeyName": key, "cipherAlgorithm": "ECIES",
            "signedApprovals": []}}),
        ("POST", "/v1/synchronousUnwrap", {"unwrapKeyRequest": {
            "wrappedKey": b64(b"w"), "label": "y", "attributes": USAGE_FLAGS, "unwrapKeyName": key,
            "wrapMethod": "RSA_WRAP_OAEP", "signedApprovals": []}}),
        ("POST", "/v1/synchronousBlock", {"blockRequest": {"blockKeyName": key,
                                                           "signedApprovals": []}}),
        ("POST", "/v1/synchronousUnblock", {"unblockRequest": {"unblockKeyName": key,
                                                               "signedApprovals": []}}),
        ("POST", "/v1/synchronousModify", {"modifyRequest": {
            "modifyKeyName": key, "policy": quorum(1, people()) | {"keyStatus": None},
            "signedApprovals": []}}),
        ("POST", "/v1/encrypt", {"encryptRequest": {
            "payload": b64(b"x"), "encryptKeyName": key, "cipherAlgorithm": "ECIES"}}),
        ("POST", "/v1/wrap", {"wrapKeyRequest": {
            "keyToBeWrapped": key, "wrapKeyName": key, "wrapMethod": "AES_WRAP"}}),
        ("POST", "/v1/verify", {"verifySignatureRequest": {
            "signKeyName": key, "signatureAlgorithm": "SHA256_WITH_ECDSA", "payload": b64(b"x"),
            "signature": b64(b"y")}}),
        ("GET", "/v1/generateRandom/8", None),
        ("POST", "/v1/certificate/synchronous/selfsign", certificate),
        ("POST", "/v1/certificate/synchronous/create/selfSigned", certificate),
        ("POST", "/v1/approverManagement/create", {
            "approverName": "new", "algorithm": "RSA", "keySize": 2048,
            "backupPassword": "backup password"}),
    ]
    for method, path, body in calls:
        site.api.refused(611, method, path, body, says=["profile air-gapped", "no HSM"])


def test_approvers_can_be_listed_but_not_made(site):
    assert site.api.get("/v1/approverManagement/onboarding/status") == {"onboarded": [],
                                                                        "pending": []}


# ---- the dispatcher ----

def cpu_ticks(pid):
    with open("/proc/%s/stat" % pid) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def dispatcher_pid(site):
    (pid,) = [path for path in (site.site.dir / "run").glob("dispatcher*.pid")]
    return pid.read_text().split()[0]


def test_dispatcher_rests_and_deletes_what_is_old(site, room, people):
    rid = site.api.sign(air.offline_key(site, room, people()))
    waits = site.api.sign(air.offline_key(site, room, people()))
    site.approve(waits, people())
    site.api.cancel(rid)
    pid = dispatcher_pid(site)
    before = cpu_ticks(pid)
    time.sleep(0.5)     # what is measured is a while of doing nothing
    assert cpu_ticks(pid) - before < 10
    site.site.forward(2 * 86400)
    end = time.monotonic() + 10
    while site.api.send("GET", "/v1/request/" + rid).status_code != 404:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert site.carried(waits)      # open requests wait as long as it takes
    assert site.site.sql("SELECT state, owner IS NULL, attempt FROM request WHERE HEX(id) = '%s'" %
                         waits.replace("-", "").upper()) == [["PENDING", "1", "0"]]
    site.site.part("stop", "dispatcher")
    site.site.part("start", "dispatcher")
