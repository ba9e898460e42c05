"""Attributes with another policy come in while requests wait: they are planned anew."""
import air
from approver import b64, unb64, verify
from change import guarded, modify_at_once, without_status
from client import public_key


def offline_key(online, room, first):
    answer = room.create_key(policy=first)
    online.import_key(answer)
    return answer["json"]["label"], public_key(answer)


def change(room, label, new):
    """In the room; the attributes that tell of it."""
    modify_at_once(room.api, label, new)
    room.site.forward(1)    # attributes of one second are not newer than each other
    return room.attributes(label)


def spkis(*approvers):
    return sorted(b64(a.spki) for a in approvers)


def signed(online, room, rid, public, payload):
    view = online.put(rid, room.execute(online.carried(rid)))
    assert view["status"] == "EXECUTED" and verify(public, "SHA-256", payload, unb64(view["result"]))
    return view


def test_imported_policies_plan_requests_anew(online, room, people):
    a, b, c, d = people.several(4)
    label, public = offline_key(online, room, guarded(3, a, b, c))
    rid = online.api.sign(label, b"early")
    online.approve(rid, a, c)
    new = change(room, label, guarded(2, a, b, d))
    online.import_key(new)
    view = online.api.request(rid)
    assert view["status"] == "PENDING" and sorted(view["notYetApprovedBy"]) == spkis(b, d)
    assert view["policyChange"]["notCounted"] == spkis(c)
    (group_,) = view["approvalProgress"]["tokens"][0]["groups"]
    assert (group_["approved"], group_["missing"]) == (1, 1)
    (inner,) = view["inputOfflineHsm"].values()
    assert len(inner["signedApprovals"]) == 1, "the HSM would refuse that of the one who left"
    assert [online.api.tasks(who, requestId=rid) != [] for who in (a, b, c, d)] == \
        [False, True, False, True]
    online.import_key(new)
    assert online.api.request(rid) == view
    online.approve(rid, d)
    signed(online, room, rid, public, b"early")


def test_a_request_that_was_carried_before_still_takes_its_result(online, room, people):
    """Executed under the policy that was in force in the room; nobody who is asked now approved."""
    a, b, c, d = people.several(4)
    label, public = offline_key(online, room, guarded(1, a))
    rid = online.api.sign(label, b"carried")
    online.approve(rid, a)
    result = room.execute(online.carried(rid))
    online.import_key(change(room, label, guarded(2, b, d)))
    view = online.api.request(rid)
    assert "inputOfflineHsm" not in view and sorted(view["notYetApprovedBy"]) == spkis(b, d)
    view = online.put(rid, result)
    assert view["status"] == "EXECUTED" and verify(public, "SHA-256", b"carried",
                                                   unb64(view["result"]))


def test_the_result_of_a_modify_plans_requests_anew(online, room, people):
    a, b, c, d = people.several(4)
    label, public = offline_key(online, room, guarded(2, a, b))
    rid = online.api.sign(label, b"late")
    online.approve(rid, a)
    (change_rid,) = online.api.post("/v1/modify", {"modifyRequest": {
        "modifyKeyName": label, "policy": without_status(guarded(2, a, c))}}).values()
    air.across(online, room, change_rid)
    assert online.api.request(rid)["notYetApprovedBy"] == spkis(c)
    online.approve(rid, c)
    signed(online, room, rid, public, b"late")


def test_a_key_that_becomes_known_asks_whom_its_policy_names(room, people):
    a, b, c, d = people.several(4)
    made = air.Online(pins=room.pins())
    try:
        made.believe(a, b)
        answer = room.create_key(policy=guarded(2, a, c))
        rid = made.api.sign(answer["json"]["label"], b"unknown")
        made.approve(rid, a)
        made.import_key(answer)
        assert made.api.request(rid)["notYetApprovedBy"] == spkis(c)
        made.approve(rid, c)
        signed(made, room, rid, public_key(answer), b"unknown")
    finally:
        made.down()
