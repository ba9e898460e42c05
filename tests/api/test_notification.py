"""A notification service: its certificate is on a list; it fetches and deletes, never approves."""
import pytest

import kinds
from approver import b64

by_kind = pytest.mark.parametrize("kind", kinds.ALL, ids=repr)


def proof(signer, api, approver=None, certificate=False):
    out = signer.proof(api.now())
    del out["approverPublicKey"]
    out["timestampSigningCertificate"] = b64(signer.certificate)
    return {**out, **(approver.identity(certificate) if approver else {})}


@pytest.fixture
def waiting(api, people):
    def make(kind):
        case = kinds.Case(kind, api, people.several(3))
        return case, case.ask()
    return make


def listed(api, name, body):
    return api.post("/v1/filtered%sApprovalTask" % name, body)["tasks"]


@by_kind
def test_fetches_for_one_and_for_all(api, signers, waiting, kind):
    case, rid = waiting(kind)
    good, everybody = signers["good"], sorted(b64(a.spki) for a in case.crowd)
    for name in kinds.LISTS:
        found = listed(api, name, {**proof(good, api), "requestId": rid})
        expected = everybody if name in (kind.tasks, "All") else []
        assert sorted(t["approverPublicKey"] for t in found) == expected
    for approver in case.crowd:
        for certificate in (False, True):
            body = {**proof(good, api, approver, certificate), "requestId": rid}
            (task,) = listed(api, kind.tasks, body)
            assert task["approverPublicKey"] == b64(approver.spki)
            assert task == case.task(approver, rid)
    assert api.status_of(rid) == "PENDING"


@by_kind
def test_never_approves(api, signers, waiting, kind):
    """Neither with its own key nor under the name of an approver, nor is its proof an approval."""
    case, rid = waiting(kind)
    good, a = signers["good"], case.crowd[0]
    task = case.task(a, rid)
    body = api.approval_body(good, task)
    api.refused(400, "POST", "/v1/approval", body)
    api.refused(403, "POST", "/v1/approval", {**body, **a.identity()})
    api.refused(600, "POST", "/v1/approval",
                {**body, **a.identity(), "timestampSigningCertificate": b64(good.certificate)})
    view = api.request(rid)
    assert view["status"] == "PENDING" and view["approvedBy"] == [] and view["rejectedBy"] == []
    assert not kind.happened(case, 0)


@by_kind
def test_deletes_for_an_approver(api, signers, waiting, kind):
    case, rid = waiting(kind)
    good, (a, b, c) = signers["good"], case.crowd
    tasks = {x: case.task(x, rid) for x in (a, b, c)}
    # under the name of another approver the task is not its own
    api.refused(400, "PATCH", "/v1/task", {**proof(good, api, b), "id": tasks[a]["id"]})
    assert api.call("PATCH", "/v1/task", {**proof(good, api, a), "id": tasks[a]["id"]}) is None
    view = api.request(rid)
    # it is named as itself: the approver has said nothing, and is not asked any more
    assert view["status"] == "PENDING" and view["rejectedBy"] == [b64(good.spki)]
    assert sorted(view["notYetApprovedBy"]) == sorted(b64(x.spki) for x in (b, c))
    assert api.call("DELETE", "/v1/task", {**proof(good, api), "id": tasks[b]["id"]}) is None
    view = api.request(rid)
    assert view["status"] == "REJECTED" and view["rejectedBy"] == [b64(good.spki)]
    api.refused(652, "PATCH", "/v1/task", {**proof(good, api), "id": tasks[c]["id"]})
    assert not kind.happened(case, 0)


@pytest.mark.parametrize("name", kinds.LISTS)
def test_certificate_must_be_on_the_list_and_valid(api, signers, people, name):
    stranger, a = people("rsa", 3), people("p256", 0)
    for approver in (None, a):
        path = "/v1/filtered%sApprovalTask" % name
        api.refused(405, "POST", path, proof(stranger, api, approver))
        api.refused(402, "POST", path, proof(signers["over"], api, approver))
        # the certificate of the list, signed by somebody else
        body = proof(stranger, api, approver)
        body["timestampSigningCertificate"] = b64(signers["good"].certificate)
        api.refused(403, "POST", path, body)


def test_another_certificate_of_the_same_key_is_not_on_the_list(api, signers):
    good = signers["good"]
    body = proof(good, api)
    body["timestampSigningCertificate"] = b64(good.certificate_for("notifier again"))
    api.refused(405, "POST", "/v1/filteredAllApprovalTask", body)


def test_what_the_approver_lists_stays_closed(api, signers, waiting):
    """What an approver has approved is shown to a service that names the approver."""
    case, rid = waiting(kinds.SIGN)
    a = case.crowd[0]
    case.approve(a, rid)
    answer = api.post("/v1/filteredApprovedRequests", proof(signers["good"], api, a))
    assert rid in [r["id"] for r in answer["approvedRequests"]]
