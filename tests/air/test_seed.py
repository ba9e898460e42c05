"""The published sample of a request that goes to an offline HSM, tests/vectors/offline-answer.json:
it is taken as it is, and ours look the same."""
import json
import pathlib

import pytest
import requests

import carry
import ska
from approver import unb64
from client import error_body

SAMPLE = (pathlib.Path(__file__).resolve().parents[1] / "vectors" /
          "offline-answer.json")


@pytest.fixture(scope="module")
def sample():
    return json.loads(SAMPLE.read_text())


def test_the_sample_is_what_we_think_it_is(sample):
    """Its approval is one of the shown approver, over a token without a timestamp."""
    approval = ska.SignedApproval.decode(unb64(sample["inputOfflineHsm"]["signRequest"]
                                               ["signedApprovals"][0]))
    token = ska.Token.decode(approval.token)
    assert (token.operation, token.payload) == (ska.USE, b"harro")
    assert [unb64(key) for key in sample["approvedBy"]] == [approval.approver]


def test_the_broker_of_the_room_takes_it(room, sample):
    """Its key does not exist here: all that comes before the policy is in order."""
    room.api.refused(650, "POST", "/v1/synchronousSign", sample["inputOfflineHsm"],
                     says="MSI-OnlineKey")


def test_the_hsm_takes_it(room, sample):
    response = requests.post(room.site.vars["TSB_HSM_URL"].rstrip("/") + "/v1/synchronousSign",
                             json=sample["inputOfflineHsm"], timeout=30,
                             headers={"X-API-KEY": room.site.vars["TSB_HSM_TOKEN"]})
    assert error_body(response)["errorCode"] == 650


@pytest.mark.parametrize("form", ["answer", "object"])
def test_the_command_line_sees_that_its_approval_is_for_another_key(room, sample, stick, form):
    """As GET /v1/request gave it, and as a QR code has it."""
    text = sample if form == "answer" else sample["inputOfflineHsm"]
    (stick / "in.json").write_text(json.dumps(text))
    done = room.tsb(stick)("offline", "show", "in.json", code=6)
    assert "approval 1 is for another key than MSI-OnlineKey" in done.err


def for_its_key(sample):
    """The sample with the key that its approval names."""
    return json.loads(json.dumps(sample).replace("OnlineKey", "StandaloneKey"))


def test_the_command_line_shows_it(room, sample, stick):
    (stick / "in.json").write_text(json.dumps(for_its_key(sample)))
    shown = room.tsb(stick)("offline", "show", "in.json").out
    for word in ("MSI-StandaloneKey", "SHA224_WITH_RSA_PSS", "harro", sample["id"]):
        assert word in shown, shown


def test_the_command_line_runs_it_up_to_the_key(room, online, sample, stick):
    """The refusal of the HSM is its result, for whoever asked."""
    (stick / "in.json").write_text(json.dumps(for_its_key(sample)))
    done = room.tsb(stick)("offline", "run", "in.json", "--yes", "-o", "back.tsbpkg", code=None)
    assert "failed " + sample["id"] in done.out + done.err
    assert "'MSI-StandaloneKey' does not exist" in done.out + done.err
    assert b'"errorCode":650' in (stick / "back.tsbpkg").read_bytes()


@pytest.fixture
def cancelled(online):
    """Requests of this test do not wait for ever."""
    rids = []
    yield rids
    for rid in rids:
        online.api.cancel(rid)


def shape(value):
    """Members in their order, and types."""
    if isinstance(value, dict):
        return [(name, shape(inner)) for name, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def test_ours_has_the_same_members_in_the_same_shape(online, room, people, sample, cancelled):
    """Of a key that was never imported: whoever is on the list approves."""
    crowd = people.several(1, "rsa")
    online.believe(*crowd)
    theirs = sample["inputOfflineHsm"]["signRequest"]
    asked = {name: value for name, value in theirs.items() if name != "signedApprovals"}
    rid = online.api.post("/v1/sign", {"signRequest": asked})["signRequestId"]
    cancelled.append(rid)
    before = online.api.request(rid)
    assert before["result"] is None and "inputOfflineHsm" not in before
    online.approve(rid, *crowd)
    ours = online.api.request(rid)
    assert shape(ours) == shape(sample)
    inner = ours["inputOfflineHsm"]["signRequest"]
    assert {k: v for k, v in inner.items() if k != "signedApprovals"} == asked
    for name in ("status", "executionTime", "notYetApprovedBy", "rejectedBy", "result"):
        assert ours[name] == sample[name]
    approval = ska.SignedApproval.decode(unb64(inner["signedApprovals"][0]))
    assert approval.token == ska.Token(ska.USE, "MSI-OnlineKey", b"harro").encode()
    room.api.refused(650, "POST", "/v1/synchronousSign",
                     json.loads(json.dumps(ours["inputOfflineHsm"]).replace("Online", "Nowhere")))


@pytest.mark.parametrize("extra", [{}, {"signatureType": "RAW"}, {"payloadType": "UNSPECIFIED"},
                                   {"signatureType": None}])
def test_only_members_that_the_caller_set(online, people, cancelled, extra):
    crowd = people.several(1)
    online.believe(*crowd)
    body = online.api.sign_body("never imported", b"x", **extra)
    rid = online.api.post("/v1/sign", body)["signRequestId"]
    cancelled.append(rid)
    online.approve(rid, *crowd)
    given = {k: v for k, v in body["signRequest"].items() if v is not None}
    inner = online.carried(rid)["signRequest"]
    assert list(inner) == [*given, "signedApprovals"]
    assert {k: inner[k] for k in given} == given


def test_passwords_never_travel(online, people, cancelled):
    crowd = people.several(1)
    online.believe(*crowd)
    body = online.api.sign_body("never imported", b"x", keyPassword="correct horse")
    rid = online.api.post("/v1/sign", body)["signRequestId"]
    cancelled.append(rid)
    online.approve(rid, *crowd)
    assert "horse" not in json.dumps(online.api.request(rid))
    assert b"horse" not in carry.dump(online)
