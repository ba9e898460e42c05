"""Lists of requests, random numbers, version and licence."""
import base64

import pytest

from approver import quorum
from client import unique

STATES = ["PENDING", "APPROVED", "EXECUTED", "FAILED", "EXPIRED", "REJECTED", "CANCELLED"]


def listed(api, **body):
    answer = api.post("/v1/filteredRequests", body)
    assert api.status == 200 and set(answer) == {"requests"}
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
    out = {"EXECUTED": api.sign(free)}
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


def test_unknown_state_is_600(api):
    for bad in (["DONE"], ["pending"], [1], "PENDING", [None]):
        api.refused(600, "POST", "/v1/filteredRequests", {"requestStatusList": bad},
                    says="requestStatusList")


# ---- random ----

@pytest.mark.parametrize("length", [1, 16, 4096, 65536])
def test_random(api, length):
    answer = api.get("/v1/generateRandom/%d" % length)
    assert set(answer) == {"random"}
    assert len(base64.b64decode(answer["random"], validate=True)) == length
    if length >= 16:
        assert api.get("/v1/generateRandom/%d" % length) != answer


def test_random_for_both_roles(api):
    for role in ("KO", "SV"):
        api.get("/v1/generateRandom/8", role=role)


def test_random_bounds(api):
    for bad in ("0", "65537", "99999999"):
        api.refused(619, "GET", "/v1/generateRandom/" + bad)
    for bad in ("x", "1x", "-1", "1.5", "%31%20", "0x10", "99999999999999999999"):
        response = api.send("GET", "/v1/generateRandom/" + bad)
        assert response.json()["errorCode"] in (600, 619), response.text


# ---- system ----

def test_version(api):
    answer = api.get("/v1/versionInfo")
    assert {"Version", "Vendor"} <= set(answer)
    assert all(isinstance(v, str) and v for v in answer.values())


def test_licence(api):
    flags = api.get("/v1/licenseInfo")["clientFlags"]
    assert {"REST_API", "TSB_ENGINE", "KEY_AUTH", "FIREBLOCKS_AGENT"} <= set(flags)


# ---- several API keys per role ----

def test_api_keys_roll_over(api, site):
    """Each listed key is valid, none of another role, and a removed one no longer."""
    path = site.dir / "tsb.conf"
    before = path.read_text()
    second = "second-key-operation-key"
    try:
        path.write_text(before + "keyOperationToken = %s\n" % second)
        site.part("restart", "fcgi")
        for role in ("KO", second):
            api.refused(651, "GET", "/v1/request/0190a5e0-0000-7000-8000-000000000000", role=role)
        api.refused(631, "GET", "/v1/key", role=second)
    finally:
        path.write_text(before)
        site.part("restart", "fcgi")
    api.refused(631, "GET", "/v1/request/0190a5e0-0000-7000-8000-000000000000", role=second)
