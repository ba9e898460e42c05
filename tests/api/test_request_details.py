"""POST /v1/filteredRequestDetails, tsb request show and list: what requests are about and who is in them."""
import json
import re

import pytest

from approver import Approver, b64, quorum
from client import unique
from tsb import error, run

the_command_line = pytest.mark.nginx_only("the command line sees no web server")
alone = pytest.mark.no_site

DETAILS = "/v1/filteredRequestDetails"


def details(api, **body):
    answer = api.post(DETAILS, body)
    assert api.status == 200 and set(answer) <= {"requests", "more"}, answer
    return answer["requests"]


def named(policy, **names):
    """The policy with names for approvers, by their keys."""
    names = {b64(a.spki): n for n, a in names.items()}
    policy = json.loads(json.dumps(policy))
    for token in policy["ruleUse"]["tokens"]:
        for group in token["groups"]:
            for who in group["approvals"]:
                who["name"] = names[who["value"]]
    return policy


@pytest.fixture
def two_of_three(api, people):
    a, b, c = people.several(3)
    label = unique()
    api.create_key(label, named(quorum(2, a, b, c), anna=a, bert=b, carl=c))
    return label, a, b, c


def test_details_say_what_is_asked_and_who_is_missing(api, two_of_three):
    label, a, b, c = two_of_three
    rid = api.sign(label, metaData=b64(b"invoice 7"))
    api.approve(a, rid)
    api.reject(b, rid, reason="not ours")
    (row,) = details(api, requestId=rid)
    about = row.pop("details")
    assert row == api.request(rid) or api.site.profile == "air-gapped"
    assert row["status"] == "PENDING" and row["result"] is None
    assert (about["operation"], about["keyName"]) == ("sign", label)
    assert about["metaData"] == b64(b"invoice 7") and about["creationTime"]
    assert about["expirationTime"] is None and about["missingApprovals"] == 1
    people = {p["name"]: p for p in about["approvers"]}
    assert {n: p["publicKey"] for n, p in people.items()} == {
        "anna": b64(a.spki), "bert": b64(b.spki), "carl": b64(c.spki)}
    assert people["anna"]["answerTime"] and people["bert"]["answerTime"]
    assert people["carl"]["answerTime"] is None
    api.approve(c, rid)
    if api.site.profile != "air-gapped":
        api.wait(rid, "EXECUTED")
        (row,) = details(api, requestId=rid)
        assert row["status"] == "EXECUTED" and row["executionTime"] and row["result"] is None
        assert row["details"]["missingApprovals"] is None
        assert {p["name"] for p in row["details"]["approvers"]} == {"anna", "bert", "carl"}


def test_pages_of_details_are_the_list_once(api, two_of_three):
    label, *_ = two_of_three
    made = [api.sign(label) for _ in range(5)][::-1]
    got, last = [], None
    while True:
        answer = api.post(DETAILS, {"keyName": label, "pageSize": 2, "after": last})
        got += [r["id"] for r in answer["requests"]]
        if len(got) == 2:
            api.sign(label)     # a new one moves nobody to another page
        if "more" not in answer:
            break
        assert answer["more"] is True and len(answer["requests"]) == 2
        last = got[-1]
    assert got == made
    assert details(api, keyName=label, requestStatusList=["CANCELLED"]) == []
    api.cancel(made[1])
    assert [r["id"] for r in details(api, keyName=label, requestStatusList=["CANCELLED"])] == [made[1]]
    api.refused(651, "POST", DETAILS, {"after": "0190a5e0-0000-7000-8000-000000000000"})


def test_a_page_of_details_ends_at_its_bytes(api, faults, two_of_three):
    label, *_ = two_of_three
    made = [api.sign(label) for _ in range(3)][::-1]
    faults([("list.bytes", 1)])
    cut = api.post(DETAILS, {"keyName": label})
    assert cut["more"] is True and [r["id"] for r in cut["requests"]] == made[:1]
    rest = api.post(DETAILS, {"keyName": label, "after": made[0]})
    assert "more" not in rest and [r["id"] for r in rest["requests"]] == made[1:]


def test_details_since(api, site, two_of_three):
    label, *_ = two_of_three
    old = api.sign(label)
    site.forward(10)
    new = api.sign(label)
    (row,) = details(api, requestId=new)
    since = row["details"]["creationTime"]
    assert [r["id"] for r in details(api, keyName=label, createdSince=since)] == [new]
    assert [r["id"] for r in details(api, keyName=label)] == [new, old]


@pytest.mark.online_only("nothing is executed here")
def test_details_keep_results_that_are_given_once(api):
    label = unique()
    api.create_key(label)
    rid = api.sign(label)
    for _ in range(2):
        (row,) = details(api, requestId=rid)
        assert row["status"] == "EXECUTED" and row["result"] is None
    assert api.get("/v1/request/%s?fetchOnce=true" % rid)["result"]


# ---- the command line ----

@pytest.mark.online_only("deadlines are told by the HSM's time")
def test_a_rejected_request_keeps_its_deadline(api):
    a = Approver("p256", "anna")
    endless, hour = unique("endless"), unique("hour")
    api.create_key(endless, quorum(1, a))
    api.create_key(hour, quorum(1, a, timeout=3600))
    told = {}
    for key in (endless, hour):
        rid = api.sign(key)
        api.reject(a, rid)
        about, = details(api, keyName=key)
        told[key] = about["details"]["expirationTime"]
    assert told[endless] is None and told[hour] is not None


@pytest.fixture
def shown(tsb, people):
    """A key, and a request with a note that one approver has approved."""
    key = unique("show")
    tsb("key", "create", key, "-a", "EC", "--approvers", tsb.people("anna", "bert", "carl"),
        "--quorum", "2")
    (tsb.folder / "order.txt").write_text("pay")
    request = tsb("sign", key, "order.txt", "-a", "SHA256_WITH_ECDSA", "--meta",
                  "invoice\n7").out.strip()
    tsb("approve", "--all", "--yes", "-k", "anna.key.pem")
    return key, request


@the_command_line
@pytest.mark.online_only("approvals go on to the HSM")
def test_show_and_list_tell_who_why_and_when(tsb, shown):
    key, request = shown
    out = tsb("request", "show", request).out
    assert re.search(r"key +%s\n" % key, out) and re.search(r"operation +sign\n", out)
    assert "invoice" in out and re.search(r"created +20\S+Z\n", out)
    assert re.search(r"missing +1 more approval\n", out)
    assert re.search(r"approved by +EC SHA256:\w+  anna, 20\S+Z\n", out), out
    assert re.search(r"not yet approved by +EC SHA256:\w+  carl\n", out), out
    (line,) = tsb("request", "list", "--key", key).out.splitlines()
    assert line.split()[:2] == [request, "PENDING"]
    for word in (" sign ", "invoice\\n7", "1 more of bert, carl", "no deadline"):
        assert word in line, line
    tsb("reject", "--all", "--yes", "--reason", "not ours", "-k", "bert.key.pem")
    tsb("reject", "--all", "--yes", "-k", "carl.key.pem")
    out = tsb("request", "show", request).out
    assert re.search(r"rejected by +EC SHA256:\w+  bert, 20\S+Z\n *reason +not ours\n", out), out
    (line,) = tsb("request", "list", "--key", key).out.splitlines()
    assert "REJECTED" in line and "no: bert, carl" in line and "not ours" in line


@the_command_line
@pytest.mark.online_only("approvals go on to the HSM")
def test_json_of_show_and_list_has_the_details(tsb, shown):
    key, request = shown
    one = tsb("request", "show", request, "--json").json
    (row,) = tsb("request", "list", "--key", key, "--json").json["requests"]
    assert one == row and one["details"]["keyName"] == key and one["details"]["missingApprovals"] == 1
    assert tsb("request", "list", "--key", key, "--since", "1h", "--json").json["requests"] == [row]
    for since in ("2099-01-01", "2099-01-01T00:00:00+01:00"):
        assert tsb("request", "list", "--key", key, "--since", since, "--json").json == {"requests": []}
    assert "--since" in tsb("request", "list", "--since", "yesterday", code=1).err


def row(n):
    about = {"operation": "dance", "keyName": "k", "metaData": None, "payloadType": None,
             "creationTime": "2026-01-05T10:00:42Z", "expirationTime": None, "missingApprovals": None,
             "approvers": []}
    return {"id": "r%d" % n, "status": "EXECUTED", "executionTime": None, "approvedBy": [],
            "notYetApprovedBy": [], "rejectedBy": [], "result": None, "details": about}


@alone
def test_list_follows_the_pages(broker):
    """Also those of a broker that never ends."""
    after = {None: 1, "r2": 3, "r4": 5}
    broker.answers["POST", DETAILS] = lambda body: (200, {
        "requests": [row(n) for n in range(after[body.get("after")], 6)][:2],
        "more": body.get("after") != "r4"})
    out = run("request", "list", "-u", broker.url).out
    assert re.findall(r"^r\d", out, re.M) == ["r1", "r2", "r3", "r4", "r5"] and "dance" in out
    got = run("request", "list", "--json", "-u", broker.url).json
    assert got == {"requests": [row(n) for n in range(1, 6)]}
    broker.answers["POST", DETAILS] = 200, {"requests": [], "more": True}
    assert run("request", "list", "-u", broker.url).out == ""


@alone
def test_brokers_without_details_are_shown_as_they_are(broker):
    status = {k: v for k, v in row(1).items() if k != "details"}
    broker.answers["GET", "/v1/request/r1"] = 200, status
    broker.answers["POST", "/v1/filteredRequests"] = 200, {"requests": [{"id": "r1", "status": "EXECUTED"}]}
    assert run("request", "list", "-u", broker.url).out == "r1  EXECUTED\n"
    assert run("request", "show", "r1", "--json", "-u", broker.url).json == status
    assert "--since" in run("request", "list", "--since", "2h", "-u", broker.url, code=1).err
    # a result that is given once is not lost because of them
    broker.answers["POST", DETAILS] = 500, error(700, "res.error.in.subystem", "the database is away")
    broker.answers["GET", "/v1/request/r1?fetchOnce=true"] = 200, dict(status, result="c2ln")
    done = run("request", "show", "r1", "--fetch-once", "-u", broker.url)
    assert "c2ln" in done.out and "the database is away" in done.err
