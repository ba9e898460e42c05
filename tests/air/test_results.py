"""PUT /v1/resultFromOfflineHsm: what is believed of a result and why, that it ends its request once,
and that the same again is no second one."""
import base64
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509

import air
import carried
import carry
import cargo
import ska
from approver import b64, quorum, unb64, verify
from cargo import Block, Decrypt, Modify, Sign, Unblock, Unwrap
from client import ApiError, unique

PUT = "/v1/resultFromOfflineHsm"
NOBODY = "0190a5e0-0000-7000-8000-000000000000"


class Office(carried.Site):
    """A pinned offline site whose key is ours: its packages say what a test wants to hear."""

    def results(self, site, *items, **bent):
        public = site.public.read_bytes()
        own = base64.b64decode(b"".join(public.splitlines()[1:-1]))
        return self.package(own, list(items), kind="results", **bent).encode()


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    made = Office()
    made.path = tmp_path_factory.mktemp("office") / "office.pub"
    made.path.write_bytes(made.key.pem())
    return made


@pytest.fixture(scope="module")
def site(room, office):
    """Believes attributes of the room, and packages of the room and of the office."""
    made = air.Online(pins=room.pins() + [("-O", office.path)])
    yield made
    made.down()


@pytest.fixture(scope="module")
def listed(people, tmp_path_factory):
    """Pins that let any of three approvers approve for keys that nobody knows."""
    folder = tmp_path_factory.mktemp("listed")
    (folder / "approvers.pem").write_bytes(b"\n".join(a.pem() for a in people.several(3)))
    return [("-R", folder / "approvers.pem")]


@pytest.fixture(scope="module")
def posted(office, listed):
    """Believes packages of the office; no HSM is pinned."""
    made = air.Online(pins=listed + [("-O", office.path)])
    yield made
    made.down()


@pytest.fixture(scope="module")
def trusting(listed):
    """Nothing is pinned: whoever has the role is believed."""
    made = air.Online(pins=listed)
    yield made
    made.down()


def load(kind, site, room, people, size=64):
    return kind(site, room, people.several(1), size).ready()


def blind(kind, site, people, key=None, size=64):
    """A request on a key that the site does not know: its id."""
    label = key or unique("unknown")
    answer = site.api.post(*{
        "sign": ("/v1/sign", site.api.sign_body(label, b"p" * size)),
        "block": ("/v1/block", {"blockRequest": {"blockKeyName": label}}),
        "decrypt": ("/v1/decrypt", {"decryptRequest": {
            "encryptedPayload": b64(b"x" * size), "decryptKeyName": label,
            "cipherAlgorithm": "RSA"}}),
    }[kind])
    rid = next(iter(answer.values()))  # sameTokenAs may follow
    site.approve(rid, people())
    return rid


def put(site, body):
    """bytes: a package or a text; else one result."""
    return site.api.call("PUT", PUT, body) if isinstance(body, dict) else carry.put(site, body)


def refused(site, code, body, *words):
    if isinstance(body, dict):
        return site.api.refused(code, "PUT", PUT, body, says=words)
    with pytest.raises(ApiError) as refusal:
        carry.put(site, body)
    assert refusal.value.code == code, refusal.value
    for word in words:
        assert word.lower() in refusal.value.message.lower(), refusal.value
    return refusal.value


def audits(site, rid, action="result"):
    return site.site.sql("SELECT actor, state_from, state_to FROM audit WHERE action = '%s' AND "
                         "request_id = UNHEX('%s')" % (action, rid.replace("-", "")))


class Unchanged:
    def __init__(self, site):
        self.site = site

    def __enter__(self):
        self.before = carry.dump(self.site)

    def __exit__(self, kind, *_):
        assert kind or carry.dump(self.site) == self.before


# ---- what is proved by itself ----

def test_signature_is_checked_with_the_imported_key(site, room, people):
    load_ = load(Sign, site, room, people)
    result = {"id": load_.rid, **room.execute(site.carried(load_.rid))}
    with Unchanged(site):
        refused(site, 403, {**result, "signature": b64(b"none")}, load_.label, load_.rid)
        refused(site, 600, {"id": load_.rid, "payload": result["signature"]}, "payload",
                "signature")
        refused(site, 600, {"id": load_.rid}, "signature")
        refused(site, 600, {"id": load_.rid, "attributes": air.attested(load_.before)}, "signature")
    view = put(site, result)
    load_.check(view)
    assert audits(site, load_.rid) == [["keyOperation", "PENDING", "EXECUTED"]]
    with Unchanged(site):
        assert put(site, result) == view == load_.view()


def test_result_is_another_name_of_it(site, room, people):
    load_ = load(Sign, site, room, people)
    signature = room.execute(site.carried(load_.rid))["signature"]
    load_.check(put(site, {"id": load_.rid, "result": signature}))
    with Unchanged(site):
        put(site, {"id": load_.rid, "signature": signature})


@pytest.mark.parametrize("in_package", [False, True])
def test_wrong_signatures_are_refused_whoever_brings_them(site, room, office, people, in_package):
    one, two = (load(Sign, site, room, people) for _ in range(2))
    theirs = room.execute(site.carried(two.rid))["signature"]
    item = {"id": one.rid, "signature": theirs}
    with Unchanged(site):
        refused(site, 403, office.results(site, item) if in_package else item, one.label)


def test_algorithms_of_the_room(site, room, people):
    """Each signature that the room makes, the site can check."""
    ed = {"algorithm": "ED", "curveOid": "1.3.101.112"}
    for members, algorithms in (({}, ["SHA256_WITH_ECDSA", "SHA512_WITH_ECDSA", "NONE_WITH_ECDSA"]),
                                (ed, ["EDDSA"]),
                                ({"algorithm": "RSA"}, ["SHA256_WITH_RSA", "SHA384_WITH_RSA_PSS"])):
        key = air.offline_key(site, room, people(), **members)
        for algorithm in algorithms:
            rid = site.api.sign(key, b"d" * 32, algorithm)
            site.approve(rid, people())
            result = room.execute(site.carried(rid))
            bad = bytearray(unb64(result["signature"]))
            bad[-1] ^= 1
            refused(site, 403, {"id": rid, "signature": b64(bytes(bad))})
            assert site.put(rid, result)["result"] == result["signature"]


def test_certificates_are_put_together_here(site, room, people):
    answer = room.create_key(policy=quorum(1, people()))
    site.import_key(answer)
    label = answer["json"]["label"]
    body = {"signKeyName": label, "signatureAlgorithm": "SHA256_WITH_ECDSA", "validity": 30,
            "standardCertificateAttributes": {"commonName": "of the room"}}

    def signed(kind, envelope):
        (rid,) = site.api.post("/v1/certificate/" + kind, {envelope: body}).values()
        site.approve(rid, people())
        carry_ = site.carried(rid)
        wrong = room.execute({"signRequest": {**carry_["signRequest"]}})["signature"]
        bad = bytearray(unb64(wrong))
        bad[-1] ^= 1
        with Unchanged(site):
            refused(site, 403, {"id": rid, "signature": b64(bytes(bad))}, label, rid)
        result = {"id": rid, "signature": wrong}
        view = put(site, result)
        with Unchanged(site):
            assert put(site, result) == view
        return view["result"]

    request = x509.load_pem_x509_csr(signed("request", "csrSignRequest").encode())
    assert request.is_signature_valid
    # as from an HSM that keeps certificates
    assert signed("selfsign", "selfSignCertificateRequest") == "true"
    shown = site.api.get("/v1/certificate/" + label)["certificate"]
    certificate = x509.load_pem_x509_certificate(shown.encode())
    assert certificate.issuer == certificate.subject
    assert verify(certificate.public_key(), "SHA-256", certificate.tbs_certificate_bytes,
                  certificate.signature)


# ---- changes that the HSM attests ----

@pytest.mark.parametrize("kind", [Block, Unblock, Modify], ids=lambda k: k.name)
def test_changes_need_newer_attributes_that_show_them(site, room, office, people, kind):
    load_ = load(kind, site, room, people)
    rid, carry_ = load_.rid, site.carried(load_.rid)
    unchanged_key = room.attributes(load_.label)
    with Unchanged(site):
        refused(site, 606, {"id": rid}, "attributes are missing", load_.label)
        refused(site, 606, office.results(site, {"id": rid}), "attributes are missing")
        refused(site, 600, {"id": rid, "result": "true"}, "result")
        refused(site, 606, {"id": rid, "attributes": air.attested(load_.before)}, "not newer")
    room.site.forward(1)
    still = room.attributes(load_.label)
    with Unchanged(site):
        refused(site, 606, {"id": rid, "attributes": air.attested(still)}, load_.label)
    result = {"id": rid, **room.execute(carry_)}
    stranger = air.attested(room.create_key())
    with Unchanged(site):
        refused(site, 606, {"id": rid, "attributes": stranger}, "not of", load_.label)
        refused(site, 403, {"id": rid, "attributes": {**result["attributes"],
                                                      "xmlSignature": stranger["xmlSignature"]}})
    assert unchanged_key["json"]["label"] == load_.label
    load_.check(put(site, result))
    with Unchanged(site):
        put(site, result)
        # its time is another one whenever the HSM is asked
        room.site.forward(1)
        put(site, {"id": rid, "attributes": air.attested(room.attributes(load_.label))})


def test_attributes_may_have_been_imported_before_the_result(site, room, people):
    load_ = load(Block, site, room, people)
    result = room.execute(site.carried(load_.rid))
    site.import_key(result["attributes"])
    load_.check(site.put(load_.rid, result))


def test_attributes_of_an_earlier_change_prove_no_later_one(site, room, people):
    """Two blocks of one key, the second of which nobody executed."""
    load_ = load(Block, site, room, people)
    result = room.execute(site.carried(load_.rid))
    site.put(load_.rid, result)
    (rid,) = site.api.post("/v1/block", {"blockRequest": {"blockKeyName": load_.label}}).values()
    site.approve(rid, *load_.crowd)
    with Unchanged(site):
        refused(site, 606, {"id": rid, **result}, "not newer")


def test_without_a_pinned_hsm_changes_need_a_package(posted, trusting, office, people):
    rid = blind("block", posted, people)
    with Unchanged(posted):
        refused(posted, 400, {"id": rid}, "package")
    assert put(posted, office.results(posted, {"id": rid}))["requests"][0]["status"] == "EXECUTED"
    rid = blind("block", trusting, people)
    assert put(trusting, {"id": rid})["status"] == "EXECUTED"


def test_new_keys_are_proved_by_their_attributes(site, room, office, people):
    one, two, three = (load(Unwrap, site, room, people) for _ in range(3))
    result = {"id": one.rid, **room.execute(site.carried(one.rid))}
    other = room.execute(site.carried(two.rid))
    with Unchanged(site):
        refused(site, 606, {**result, **other}, one.new)
        refused(site, 400, {"id": one.rid}, "package")
    one.check(put(site, result))
    assert site.api.attributes(one.new)["json"]["label"] == one.new
    room.execute(site.carried(three.rid))
    (view,) = put(site, office.results(site, {"id": three.rid}))["requests"]
    three.check(view)
    site.api.refused(650, "POST", "/v1/key/attributes", {"label": three.new})


# ---- what a site has to stand for ----

def test_plain_texts_need_a_package(site, room, office, people):
    load_ = load(Decrypt, site, room, people)
    item = {"id": load_.rid, **room.execute(site.carried(load_.rid))}
    with Unchanged(site):
        refused(site, 400, item, "package", "offlineSiteKeyFile")
        refused(site, 600, office.results(site, {"id": load_.rid}), "payload")
        refused(site, 600, office.results(site, {"id": load_.rid, "signature": item["payload"]}),
                "signature", "payload")
        refused(site, 600, office.results(site, {"id": load_.rid, "result": "no base64"}), "base64")
        refused(site, 600, office.results(site, {"id": load_.rid,
                                                 "payload": b64(bytes(64 * 1024 + 1))}), "payload")
    (view,) = put(site, office.results(site, item))["requests"]
    load_.check(view)
    (actor, *states), = audits(site, load_.rid)
    assert actor == "offline site " + carried.hex_sha256(office.key.spki)[:32]
    assert states == ["PENDING", "EXECUTED"]


def test_empty_plain_text(trusting, people):
    rid = blind("decrypt", trusting, people)
    refused(trusting, 600, {"id": rid}, "payload is missing")
    view = put(trusting, {"id": rid, "payload": ""})
    assert (view["status"], view["result"]) == ("EXECUTED", None)
    refused(trusting, 611, {"id": rid, "payload": b64(b"x")}, "EXECUTED")


def test_signatures_of_unknown_keys_need_a_package(posted, trusting, office, people):
    signature = b64(b"nobody can tell")
    rid = blind("sign", posted, people)
    with Unchanged(posted):
        refused(posted, 400, {"id": rid, "signature": signature}, "package")
        refused(posted, 600, office.results(posted, {"id": rid, "result": "%"}), "signature")
    (view,) = put(posted, office.results(posted, {"id": rid, "signature": signature}))["requests"]
    assert (view["status"], view["result"]) == ("EXECUTED", signature)
    rid = blind("sign", trusting, people)
    assert put(trusting, {"id": rid, "signature": signature})["result"] == signature


def test_a_key_that_becomes_known_is_looked_at(room, posted, site, people):
    """Asked for when nobody knew the key, answered when it has been imported."""
    made = air.Online(pins=room.pins())
    try:
        made.believe(people())
        answer = room.create_key(policy=quorum(1, people()))
        rid = made.api.sign(answer["json"]["label"], b"early")
        made.approve(rid, people())
        made.import_key(answer)
        result = room.execute(made.carried(rid))
        bad = bytearray(unb64(result["signature"]))
        bad[-1] ^= 1
        refused(made, 403, {"id": rid, "signature": b64(bytes(bad))})
        assert made.put(rid, result)["status"] == "EXECUTED"
    finally:
        made.down()


def test_failures_need_a_package(site, room, office, people):
    load_ = load(Sign, site, room, people)
    item = {"id": load_.rid, "failed": "the operator did not agree"}
    with Unchanged(site):
        refused(site, 400, item, "a failure", "package")
    (view,) = put(site, office.results(site, item))["requests"]
    assert (view["status"], view["result"]) == ("FAILED", "the operator did not agree")
    assert "inputOfflineHsm" not in view and view["notYetApprovedBy"] == []
    with Unchanged(site):
        (again,) = put(site, office.results(site, item))["requests"]
        assert again == view == load_.view()
        refused(site, 611, office.results(site, {"id": load_.rid, "failed": "another"}), "FAILED")
        refused(site, 611, {"id": load_.rid, **room.execute(load_carried(load_))}, "FAILED")
    assert site.api.tasks(people(), "All", requestId=load_.rid) == []


def load_carried(load_):
    """inputOfflineHsm of a request that shows none any more."""
    approved = ska.Token(ska.USE, load_.label, load_.payload).encode()
    return {"signRequest": {"payload": b64(load_.payload), "signKeyName": load_.label,
                            "signatureAlgorithm": "SHA256_WITH_ECDSA",
                            "signedApprovals": [a.signed_approval(approved) for a in load_.crowd]}}


@pytest.mark.parametrize("told,shown", [
    ({"failed": "no", "errorCode": 701}, "res.error.in.hsm: no"),
    ({"failed": "no", "errorCode": 701, "reason": "res.error.other"}, "res.error.other: no"),
    ({"failed": "no", "errorCode": 99}, "error 99: no"),
    ({"failed": "Schlüssel fehlt — é"}, "Schlüssel fehlt — é"),
    ({"failed": "é" * 512}, "é" * 500),
])
def test_reason_of_a_failure(trusting, people, told, shown):
    rid = blind("sign", trusting, people)
    view = put(trusting, {"id": rid, **told})
    assert (view["status"], view["result"]) == ("FAILED", shown)
    with Unchanged(trusting):
        assert put(trusting, {"id": rid, **told}) == view


# ---- time ----

def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def test_execution_time_is_the_one_that_was_told_when_it_can_be(trusting, people):
    for away, believed in ((0, True), (3600, True), (86000, True), (-3600, False), (90000, False)):
        rid = blind("sign", trusting, people)
        told = iso(trusting.api.now() + away)
        view = put(trusting, {"id": rid, "signature": b64(b"x"), "executionTime": told})
        assert (view["executionTime"] == told) is believed, away
        with Unchanged(trusting):    # and is no part of what a repeat has to repeat
            put(trusting, {"id": rid, "signature": b64(b"x")})


# ---- which request ----

def token_of(site, rid):
    (row,), = site.site.sql("SELECT SHA2(token, 256) FROM request WHERE id = UNHEX('%s')" %
                            rid.replace("-", ""))
    return row


def test_request_is_found_by_its_token(trusting, people):
    key = unique("unknown")
    rid = blind("sign", trusting, people, key)
    digest = token_of(trusting, rid)
    assert digest == carried.hex_sha256(ska.Token(ska.USE, key, b"p" * 64).encode())
    result = {"token": digest, "signature": b64(b"x")}
    refused(trusting, 651, {**result, "token": "00" * 32}, "token")
    refused(trusting, 612, {**result, "token": "00" * 32, "id": rid}, "token", rid)
    refused(trusting, 600, {"signature": b64(b"x")}, "id", "token")
    view = put(trusting, result)
    assert (view["id"], view["status"]) == (rid, "EXECUTED")
    with Unchanged(trusting):
        assert put(trusting, result) == view
        assert put(trusting, {**result, "id": rid}) == view
        refused(trusting, 611, {**result, "signature": b64(b"y")}, rid, "EXECUTED")


def test_one_token_of_several_requests(trusting, people):
    key = unique("unknown")
    rids = [blind("sign", trusting, people, key) for _ in range(3)]
    result = {"token": token_of(trusting, rids[0]), "signature": b64(b"x")}
    with Unchanged(trusting):
        refused(trusting, 611, result, *rids)
    put(trusting, {**result, "id": rids[0]})
    refused(trusting, 611, result, *rids[1:])
    trusting.api.cancel(rids[1])
    assert put(trusting, result)["id"] == rids[2]
    # nothing waits: it is a repeat of the one that had this outcome
    (late,) = [blind("sign", trusting, people, key)]
    put(trusting, {"id": late, "signature": b64(b"y")})
    with Unchanged(trusting):
        assert put(trusting, {**result, "signature": b64(b"y")})["id"] == late
        assert put(trusting, result)["id"] in rids


def test_results_of_what_was_never_carried_out(site, room, people):
    key = air.offline_key(site, room, *people.several(2))
    rid = site.api.sign(key, b"payload")
    with Unchanged(site):
        refused(site, 611, {"id": rid, "signature": b64(b"x")}, rid, "never carried out")
        refused(site, 651, {"id": NOBODY, "signature": b64(b"x")}, NOBODY)
    site.api.reject(people(), rid, "All")
    assert site.api.status_of(rid) == "REJECTED"
    refused(site, 611, {"id": rid, "signature": b64(b"x")}, "REJECTED")


def test_a_result_that_was_fetched_once_is_still_a_repeat(site, room, people):
    load_ = load(Sign, site, room, people)
    result = {"id": load_.rid, **room.execute(site.carried(load_.rid))}
    put(site, result)
    assert site.api.get("/v1/request/%s?fetchOnce=true" % load_.rid)["result"]
    with Unchanged(site):
        view = put(site, result)
        assert (view["status"], view["result"]) == ("EXECUTED", None)
        refused(site, 611, {"id": load_.rid, "signature": b64(b"x")}, "EXECUTED")


# ---- at the same time ----

def together(calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def outcome(site, body):
    response = site.api.send("PUT", PUT, body)
    return response.status_code, response.json()


def test_twenty_times_the_same_at_once_is_once(site, room, people):
    load_ = load(Sign, site, room, people)
    result = {"id": load_.rid, **room.execute(site.carried(load_.rid))}
    answers = together([lambda: outcome(site, result)] * 20)
    assert {status for status, _ in answers} == {200}
    assert all(view == answers[0][1] for _, view in answers)
    assert len(audits(site, load_.rid)) == 1


def test_of_different_results_at_once_one_wins(site, room, people):
    load_ = load(Sign, site, room, people)
    carry_ = site.carried(load_.rid)
    results = [{"id": load_.rid, **room.execute(carry_)} for _ in range(10)]
    answers = together([lambda r=r: outcome(site, r) for r in results * 2])
    won = [view["result"] for status, view in answers if status == 200]
    assert len(won) == 2 and won[0] == won[1] == load_.view()["result"]
    assert {view["errorCode"] for status, view in answers if status != 200} == {611}
    assert len(audits(site, load_.rid)) == 1


def test_attributes_of_results_at_once(site, room, people):
    load_ = load(Block, site, room, people)
    room.execute(site.carried(load_.rid))
    results = []
    for _ in range(5):
        room.site.forward(1)
        results.append({"id": load_.rid, "attributes": air.attested(room.attributes(load_.label))})
    random.shuffle(results)
    answers = together([lambda r=r: outcome(site, r) for r in results * 4])
    assert {status for status, _ in answers} == {200}, answers
    assert len(audits(site, load_.rid)) == 1
    load_.check()


@pytest.mark.parametrize("fault", ["store.REQUEST_MOVE 1213", "store.AUDIT_INSERT 2013",
                                   "store.result_record.COMMIT.after 2013",
                                   "store.result_record.COMMIT.before 2013"])
def test_database_errors_do_not_record_twice(site, room, people, fault):
    load_ = load(Block, site, room, people)
    result = {"id": load_.rid, **room.execute(site.carried(load_.rid))}
    site.site.set_faults([tuple(fault.split())])
    try:
        load_.check(put(site, result))
        assert site.site.faults_left() == []
    finally:
        site.site.set_faults([])
    assert len(audits(site, load_.rid)) == 1


# ---- packages ----

def test_results_of_a_package_are_taken_one_by_one(site, room, office, people):
    good, plain, bad, late = (load(kind, site, room, people) for kind in
                              (Sign, Decrypt, Sign, Sign))
    site.api.cancel(late.rid)
    items = [{"id": good.rid, **room.execute(site.carried(good.rid))},
             {"id": plain.rid, **room.execute(site.carried(plain.rid))},
             {"id": bad.rid, "signature": b64(b"x")},
             {"id": late.rid, "failed": "too late"},
             {"id": NOBODY, "failed": "who?"},
             {"token": "00" * 32, "failed": "who?"}]
    body = office.results(site, *items)
    answer = put(site, body)["requests"]
    assert [r["id"] for r in answer] == [good.rid, plain.rid, bad.rid, late.rid, NOBODY, None]
    assert [r.get("status") for r in answer] == ["EXECUTED", "EXECUTED"] + [None] * 4
    assert [r["error"]["errorCode"] for r in answer[2:]] == [403, 611, 651, 651]
    assert "CANCELLED" in answer[3]["error"]["message"]
    good.check(answer[0])
    plain.check(answer[1])
    with Unchanged(site):
        assert put(site, body)["requests"] == answer
    # what is malformed was not written by a site: nothing of it is taken
    with Unchanged(site):
        refused(site, 600, office.results(site, {"id": bad.rid, "failed": "x"},
                                          {"id": bad.rid, "failed": "x", "unknown": 1}), "unknown")
    with Unchanged(site):
        refused(site, 600, office.results(site, *[{"id": bad.rid, "failed": "x"}] * 2), "items[1]")
    # by its token and by its id it is one request, done once and repeated once
    twice = [{"id": bad.rid, "failed": "x"}, {"token": token_of(site, bad.rid), "failed": "x"}]
    one, two = put(site, office.results(site, *twice))["requests"]
    assert one == two and one["status"] == "FAILED"


def test_packages_of_the_room_itself(site, room, people):
    """Signed with the key that `tsb offline init` made, in a form that its program writes."""
    load_ = load(Decrypt, site, room, people)
    item = {"id": load_.rid, **room.execute(site.carried(load_.rid))}
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    own = Office()
    own.key.key = load_pem_private_key((room.folder / "site.key").read_bytes(), None)
    public = room.public.read_bytes()
    own.key.spki = base64.b64decode(b"".join(public.splitlines()[1:-1]))
    (view,) = put(site, own.results(site, item))["requests"]
    load_.check(view)


def test_packages_that_are_not_believed(site, posted, trusting, room, office, people):
    load_ = load(Decrypt, site, room, people)
    item = {"id": load_.rid, "payload": b64(b"made up")}
    good = office.results(site, item)
    mark, digest, signer, signature, content = good.decode().strip().split(" ", 4)
    edited = content.replace(item["payload"], b64(b"made op"))
    rehashed = " ".join([mark, carried.hex_sha256(edited.encode()), signer, signature, edited])
    requests = office.package(site_spki(site), [item]).encode()
    with Unchanged(site):
        refused(site, 612, good.replace(content.encode(), edited.encode()))
        refused(site, 403, rehashed.encode())
        refused(site, 400, Office().results(site, item), "not trusted")
        refused(site, 400, office.results(posted, item), "vault")
        refused(site, 612, good[:-5])
        refused(site, 612, good.strip() + b"x")
        refused(site, 600, good.replace(b"TSBPKG1", b"TSBPKG1 "))
        with pytest.raises(ApiError) as refusal:
            carry.put(site, requests)
        assert "results" in refusal.value.message or "requests" in refusal.value.message
        with pytest.raises(ApiError):
            carry.put(site, office.results(site, item, tsbPackage=2))
        with pytest.raises(ApiError):
            carry.put(site, office.results(site))
        for n in random.Random(6).sample(range(len(good) - 1), 40):
            bent = bytearray(good)
            bent[n] ^= 1 << (n % 7)
            with pytest.raises(ApiError):
                carry.put(site, bytes(bent))
    with Unchanged(trusting):
        refused(trusting, 300, Office().results(trusting, item), "offlineSiteKeyFile")
    assert put(site, good)["requests"][0]["result"] == item["payload"]


def site_spki(site):
    return base64.b64decode(b"".join(site.public.read_bytes().splitlines()[1:-1]))


# ---- scanned ----

def lines_of(text, rid=NOBODY, chunk=50):
    return carried.parts(text, rid, chunk)


@pytest.mark.parametrize("what", ["json", "package"])
def test_scanned_parts(site, room, office, people, what):
    load_ = load(Sign, site, room, people)
    item = {"id": load_.rid, **room.execute(site.carried(load_.rid))}
    text = carried.compact(item) if what == "json" else office.results(site, item).decode().strip()
    lines = lines_of(text, load_.rid)
    assert len(lines) > 3
    other = lines_of(text + " ", load_.rid)
    foreign = lines_of(text)
    with Unchanged(site):
        def scan(rows, *words, code=612):
            refused(site, code, "\n".join(rows).encode(), *words)
        scan(lines[:1] + lines[2:], "2")
        scan(lines[:-1], str(len(lines)))
        scan(lines[:1] + other[1:])
        scan(lines[:1] + foreign[1:])
        scan(lines + [lines[0][:-1] + "~"], "part 1")
        scan(lines + ["something else"])
    random.shuffle(lines)
    body = "\r\n".join(lines + lines[:1] + ["", "  "])
    answer = put(site, body.encode())
    load_.check(answer if what == "json" else answer["requests"][0])


def test_one_scanned_line(site, room, people):
    load_ = load(Sign, site, room, people)
    item = {"id": load_.rid, **room.execute(site.carried(load_.rid))}
    load_.check(put(site, ("\n %s \n" % json.dumps(item)).encode()))


def test_bodies_that_are_nothing(site):
    for body in (b"", b" \n", b"[]", b"hello", b"null", b"\xff\xfe{}", b"{", b"{}", b'{"id":1}',
                 b"TSBQR1", b"TSBPKG", b"\0"):
        with pytest.raises(ApiError) as refusal:
            carry.put(site, body)
        assert refusal.value.code in (600, 612), (body, refusal.value)
    refused(site, 600, b"hello", "package", "scanned")
    refused(site, 609, {"id": "x", "signature": ""})


def test_bodies_up_to_64_mib_are_looked_at(site):
    # the web server lets them through, the broker says what they are
    refused(site, 600, b"TSBPKG1 " + b"x" * (20 * 1024 * 1024), "SHA-256")
    response = site.api.send("PUT", PUT, raw=b"x" * (66 * 1024 * 1024), role="KO")
    assert response.status_code == 413
    # elsewhere the old limit holds
    assert site.api.send("POST", "/v1/package", raw=b" " * (2 << 20), role="KO").status_code == 413
    assert site.api.send("POST", "/v1/sign", raw=b" " * (6 << 20), role="KO").status_code == 413


def test_many_results_in_one_package(trusting, posted, office, people):
    rids = [blind("sign", posted, people) for _ in range(60)]
    items = [{"id": rid, "signature": b64(b"x" * 3000)} for rid in rids]
    answer = put(posted, office.results(posted, *items))["requests"]
    assert [r["id"] for r in answer] == rids
    assert {r["status"] for r in answer} == {"EXECUTED"}


def test_online_brokers_take_no_results(room):
    for body in ({"id": NOBODY, "signature": ""}, {"id": "x"}):
        room.api.refused(611, "PUT", PUT, body, says="profile online")


def test_each_kind_goes_through(site, room, office, people):
    for kind in cargo.ALL:
        load_ = load(kind, site, room, people)
        item = {"id": load_.rid, **room.execute(site.carried(load_.rid))}
        (view,) = put(site, office.results(site, item))["requests"]
        load_.check(view)
