"""Approvers whose keys the broker made get them back: with the backup password, and without."""
import pytest

from approver import policy, rule, spki_of, token, unb64
from client import public_key
from managed import (BACKUP_KEY, M, PASSWORD, approve_restoration, code_of, forgot, guarded, made,
                     modify_backup_key, onboard, opened, refuse_code, restored, status)

pytestmark = [pytest.mark.online_only("the keys of approvers are made in the HSM"),
              pytest.mark.nginx_only("the web server passes bodies on, whatever they hold")]


# ---- restoring with the password, changing it ----

def test_restore_from_backup(api, made):
    name, code = made()
    before = opened(onboard(api, name, code))[0]
    code = code_of(api.post(M + "restoreFromBackup", {"approverName": name}))
    assert name in status(api)["pending"]
    after = opened(onboard(api, name, code))[0]
    assert spki_of(after.public_key()) == spki_of(before.public_key())
    assert name in status(api)["onboarded"]


def test_restore_of_a_pending_approver(api, made):
    name, old = made()
    code = code_of(api.post(M + "restoreFromBackup", {"approverName": name}))
    if old != code:
        refuse_code(api, name, old)
    opened(onboard(api, name, code))


def test_change_password(api, made):
    name, code = made()
    body = {"approverName": name, "backupPassword": PASSWORD, "newBackupPassword": "n\u00e4chstes"}
    assert api.post(M + "changePassword", body) is None and api.status == 200
    container = onboard(api, name, code)  # the code stays good
    key, _ = opened(container, "n\u00e4chstes")
    with pytest.raises(ValueError):
        opened(container, PASSWORD)
    error = api.refused(410, "POST", M + "changePassword", body)
    assert error["reason"] == "res.error.decrypt.failed"
    code = code_of(api.post(M + "restoreFromBackup", {"approverName": name}))
    again, _ = opened(onboard(api, name, code), "n\u00e4chstes")
    assert spki_of(again.public_key()) == spki_of(key.public_key())


# ---- a forgotten password ----

def test_forgotten_password_while_the_backup_key_asks_nobody(api, site, made):
    """Who has the role approverKeyManagement alone would get the key of any approver."""
    name, code = made()
    onboard(api, name, code)
    error = api.refused(400, "POST", M + "restoreFromBackup/forgotPassword",
                        {"approverName": name, "newBackupPassword": "mine"}, says=BACKUP_KEY)
    assert "tsb key modify" in error["message"] and "--approvers" in error["message"]
    assert name in status(api)["onboarded"]


def test_code_of_a_restored_approver_comes_from_its_request_alone(api, made, guarded):
    """Whoever asked for the restoration chose the password: a code is all that is missing."""
    name, code = made()
    view = restored(api, guarded, name, "mine")
    code = code_of({"oneTimeCode": view["result"]})
    for path in ("renewOneTimeCode", "renewOnetimePassword", "restoreFromBackup"):
        api.refused(611, "POST", M + path, {"approverName": name}, says="approved request")
    opened(onboard(api, name, code), "mine")
    # nor later, nor by way of another password
    for path in ("renewOneTimeCode", "restoreFromBackup"):
        api.refused(611, "POST", M + path, {"approverName": name}, says="approved request")
    api.post(M + "changePassword", {"approverName": name, "backupPassword": "mine",
                                    "newBackupPassword": "still mine"})
    api.refused(611, "POST", M + "restoreFromBackup", {"approverName": name})
    view = restored(api, guarded, name, "another")
    opened(onboard(api, name, view["result"]), "another")


def test_backup_key_that_is_opened_while_a_restoration_waits(api, made, guarded):
    name, code = made()
    onboard(api, name, code)
    rid = forgot(api, name, "mine")
    assert modify_backup_key(api, policy(blocked=None)) == "EXECUTED"
    view = api.wait(rid)  # planned anew, and due
    assert view["status"] == "FAILED" and "asks nobody" in view["result"]
    assert name in status(api)["onboarded"]


def test_forgotten_password(api, made, guarded):
    name, code = made()
    before = opened(onboard(api, name, code))[0]
    view = restored(api, guarded, name, "brand new")
    assert view["status"] == "EXECUTED" and len(view["approvedBy"]) == 2
    code = code_of({"oneTimeCode": view["result"]})
    assert name in status(api)["pending"]
    container = onboard(api, name, code)
    after, cert = opened(container, "brand new")
    with pytest.raises(ValueError):
        opened(container, PASSWORD)
    assert spki_of(after.public_key()) == spki_of(before.public_key())
    # and once more: the backup itself was made anew
    view = restored(api, guarded, name, "third")
    again, _ = opened(onboard(api, name, view["result"]), "third")
    assert spki_of(again.public_key()) == spki_of(before.public_key())


def test_forgotten_password_of_a_pending_approver(api, made, guarded):
    name, old = made()
    view = restored(api, guarded, name, "brand new")
    assert view["status"] == "EXECUTED"
    if view["result"] != old:
        refuse_code(api, name, old)
    opened(onboard(api, name, view["result"]), "brand new")


def test_restoring_needs_the_quorum(api, made, guarded):
    a, b, c = guarded
    name, code = made()
    before = opened(onboard(api, name, code))[0]
    rid = forgot(api, name, "brand new")
    view = api.request(rid)
    assert view["status"] == "PENDING" and len(view["notYetApprovedBy"]) == 3
    assert name in status(api)["onboarded"], "nothing happens before the approval"
    for kind in ("All", "UnwrapKey"):
        (task,) = api.tasks(a, kind, requestId=rid, detailLevel="level3")
    assert name.encode() in unb64(task["metaData"])
    assert task["signedDecryptRequest"]["decryptRequest"]["decryptKeyName"] == BACKUP_KEY
    assert "brand new" not in str(task)
    assert api.tasks(a, "Decrypt", requestId=rid) == []
    api.approve(a, rid, kind="UnwrapKey")
    assert api.status_of(rid) == "PENDING"
    api.approve(b, rid, kind="All")
    view = api.wait(rid)
    assert view["status"] == "EXECUTED" and len(view["approvedBy"]) == 2
    after, _ = opened(onboard(api, name, code_of({"oneTimeCode": view["result"]})), "brand new")
    assert spki_of(after.public_key()) == spki_of(before.public_key())


def test_restoring_refused_by_approvers(api, site, made, guarded):
    a, b, c = guarded
    name, code = made()
    onboard(api, name, code)
    rid = forgot(api, name, "brand new")
    for x in (a, b):
        api.reject(x, rid, kind="UnwrapKey")
    assert api.status_of(rid) == "REJECTED"
    assert name in status(api)["onboarded"]
    assert site.sql("SELECT LENGTH(password_box) FROM request WHERE id = UNHEX('%s')"
                    % rid.replace("-", "")) == [["0"]]


def test_an_old_approval_opens_no_new_backup(api, made, guarded):
    """Two requests for one approver: when the first is done, the second is about a backup of before."""
    a, b, c = guarded
    name, code = made()
    first, second = forgot(api, name, "one"), forgot(api, name, "two")
    for x in (a, b):
        api.approve(x, first, kind="UnwrapKey")
    assert api.wait(first)["status"] == "EXECUTED"
    for x in (a, b):
        api.approve(x, second, kind="UnwrapKey")
    view = api.wait(second)
    assert view["status"] == "FAILED" and "replaced" in view["result"]
    opened(onboard(api, name, api.request(first)["result"]), "one")


def test_restoring_an_approver_that_was_deleted_meanwhile(api, made, guarded):
    a, b, c = guarded
    name, _ = made()
    rid = forgot(api, name, "brand new")
    api.call("DELETE", M + "delete/" + name)
    for x in (a, b):
        api.approve(x, rid, kind="UnwrapKey")
    view = api.wait(rid)
    assert view["status"] == "FAILED" and name in view["result"]


def test_the_code_of_a_request_is_not_readable_in_the_database(api, site, made, guarded):
    name, _ = made()
    rid = forgot(api, name, "brand new")
    code = code_of({"oneTimeCode": approve_restoration(api, guarded[:2], rid)["result"]})
    row = site.sql("SELECT result, LENGTH(password_box) FROM request WHERE id = UNHEX('%s')"
                   % rid.replace("-", ""))
    assert code not in row[0][0] and row[0][1] == "0"


def test_fetch_once(api, made, guarded):
    name, _ = made()
    rid = forgot(api, name, "brand new")
    approve_restoration(api, guarded[:2], rid)
    view = api.get("/v1/request/%s?fetchOnce=true" % rid)
    code = code_of({"oneTimeCode": view["result"]})
    assert api.request(rid)["result"] is None
    opened(onboard(api, name, code), "brand new")


@pytest.mark.parametrize("password", ["", []])
def test_new_password_refused(api, made, password):
    name, _ = made()
    api.refused(600, "POST", M + "restoreFromBackup/forgotPassword",
                {"approverName": name, "newBackupPassword": password}, says="newBackupPassword")
