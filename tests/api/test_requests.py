"""Lists of requests by state and key."""
import pytest

import kinds
from approver import quorum
from client import unique

STATES = ["PENDING", "APPROVED", "EXECUTED", "FAILED", "EXPIRED", "REJECTED", "CANCELLED"]


def listed(api, **body):
    answer = api.post("/v1/filteredRequests", body)
    assert api.status == 200 and set(answer) - {"more"} == {"requests"} and answer.get("more", True) is True
    for row in answer["requests"]:
        assert set(row) == {"id", "status"} and row["status"] in STATES
    return answer["requests"]


@pytest.fixture
def some(api, people):
    a = people()
    label = unique()
    api.create_key(label, quorum(1, a))
    free = unique()
    api.create_key(free)
    out = {"EXECUTED": api.at_once(api.sign(free))["id"]}
    api.site.forward(1)
    for state in ("PENDING", "REJECTED", "CANCELLED"):
        out[state] = api.sign(label)
        api.site.forward(1)
    api.reject(a, out["REJECTED"])
    api.cancel(out["CANCELLED"])
    return out


def test_filtered_requests(api, some):
    for state in some:
        rows = listed(api, requestStatusList=[state])
        assert {r["status"] for r in rows} == {state}
        assert some[state] in [r["id"] for r in rows]
    rows = listed(api, requestStatusList=["PENDING", "CANCELLED"])
    assert {r["status"] for r in rows} == {"PENDING", "CANCELLED"}


def test_all_states_newest_first(api, some):
    for body in ({}, {"requestStatusList": []}, {"requestStatusList": None},
                 {"requestStatusList": STATES}):
        ids = [r["id"] for r in listed(api, **body)]
        assert ids[:4] == [some[s] for s in ("CANCELLED", "REJECTED", "PENDING", "EXECUTED")]
        assert len(set(ids)) == len(ids)


def test_pages_of_requests(api, some):
    everything = [r["id"] for r in listed(api)]
    for size in (len(everything) - 1, len(everything)):
        answer = api.post("/v1/filteredRequests", {"paging": {"pageSize": size}})
        assert ("more" in answer) == (size < len(everything))
    got = []
    for page in range(len(everything) // 2 + 2):
        got += [r["id"] for r in listed(api, paging={"pageNumber": page, "pageSize": 2,
                                                     "sortOrder": "CREATION_DATE_DESC"})]
    assert got == everything


def test_requests_of_a_key(api, people):
    label = unique()
    api.create_key(label)
    rids = {api.sign(label) for _ in range(3)}
    assert {r["id"] for r in listed(api, keyName=label)} == rids
    assert listed(api, keyName="no-such-key") == []


def test_fetch_once(api):
    label = unique()
    api.create_key(label)
    rid = api.sign(label)
    before = api.at_once(rid)
    assert api.get("/v1/request/%s?fetchOnce=true" % rid) == before and before["result"]
    for query in ("?fetchOnce=true", "?fetchOnce=false", ""):
        again = api.get("/v1/request/" + rid + query)
        assert again == {**before, "result": None}


def test_fetch_once_of_a_waiting_request(api, some):
    for state in ("PENDING", "REJECTED", "CANCELLED"):
        view = api.get("/v1/request/%s?fetchOnce=true" % some[state])
        assert view == api.get("/v1/request/" + some[state]) and view["status"] == state


def test_unknown_state_is_600(api):
    for bad in (["DONE"], ["pending"], [1], "PENDING", [None]):
        api.refused(600, "POST", "/v1/filteredRequests", {"requestStatusList": bad},
                    says="requestStatusList")


@pytest.mark.online_only("attributes come with an import, not with the answers of an HSM")
def test_attributes_seen_by_a_refused_request_reach_the_database(api, site, people):
    """A process that had fetched a key's attributes for a request that it refused, or could not commit,
    took them for recorded: later requests were approved and never executed."""
    crowd = people.several(3)
    case = kinds.Case(kinds.Unwrap(), api, crowd)
    for _ in range(40):     # each process of the API meets the key
        api.refused(608, "POST", "/v1/unwrap", case.body(label="attestation-key"))
    for n in range(8):
        rid = case.ask(n)
        case.approve_all(rid)
        api.wait(rid, "EXECUTED")
    assert site.sql("SELECT COUNT(*) FROM request r LEFT JOIN key_attributes k ON "
                    "k.digest = r.attributes_digest WHERE k.digest IS NULL") == [["0"]]
