"""A vendor's REST service in the place of the HSM: a second broker behind a gateway that offers the
published calls alone, without timestamps, takes a Bearer token, and answers in a newer version."""
import pytest

import hosted
import kinds
import ska
from approver import b64, group, policy, quorum, rule, token, unb64, verify
from client import Client, public_key, unique
from conftest import WEBS
from private_site import Site

pytestmark = [pytest.mark.online_only("an air-gapped broker has no HSM"),
              pytest.mark.nginx_only("sites of their own")]


class Chain:
    """broker, whose HSM is hosted, which stands before vendor, which has tsb-hsm."""

    def __init__(self):
        self.vendor = Site(web=WEBS[0], database=False)
        self.hosted = hosted.Hosted(self.vendor, Client(self.vendor).tokens)
        self.broker = Site(web=WEBS[0], hsm_url=self.hosted.url,
                           hsm_login="bearerToken = " + hosted.TOKEN)
        self.api = Client(self.broker)

    def down(self):
        self.broker.down()
        self.hosted.close()
        self.vendor.down()


@pytest.fixture(scope="module")
def whole_chain():
    made = Chain()
    yield made
    made.down()


@pytest.fixture
def chain(whole_chain):
    yield whole_chain
    whole_chain.hosted.refusals.clear()
    whole_chain.hosted.more = False


@pytest.fixture
def api(chain):
    return chain.api


class Modify(kinds.Modify):
    """To a policy without time limits: others cannot be used here."""

    def wanted(self, case, n):
        one = rule(token(group(1, *case.crowd)))
        return policy(one, one, one, rule(token(group(len(case.crowd), *case.crowd))), blocked=None)


HERE = [Modify() if isinstance(kind, kinds.Modify) else kind for kind in kinds.ALL]


@pytest.mark.parametrize("kind", HERE, ids=repr)
def test_two_of_three(api, people, kind):
    """Every kind of request, with tokens that carry no timestamp."""
    case = kinds.Case(kind, api, people.several(3))
    rid = case.ask()
    task = case.task(case.crowd[0], rid, detailLevel="level5")
    approved = ska.Token.decode(unb64(task["approvalToBeSigned"]))
    assert (approved.operation, approved.label) == (kind.operation, case.label)
    assert approved.timestamp is None
    assert task["timestamp"] is task["timestampSignature"] is None
    assert "<rollover>false</rollover>" in task["keyAttributes"]
    case.approve(case.crowd[0], rid)
    assert api.status_of(rid) == "PENDING" and not kind.happened(case, 0)
    case.approve(case.crowd[1], rid)
    kind.check(case, 0, api.wait(rid, "EXECUTED"), approved)


@pytest.mark.parametrize("kind", HERE, ids=repr)
def test_time_limits_are_refused_before_anybody_is_asked(api, people, kind):
    """Approvals without a timestamp have no age, so that they meet no token with a limit."""
    case = kinds.Case(kind, api, people.several(2))
    limited = rule(token(group(1, *case.crowd), timelock=60),
                   token(group(1, *case.crowd), timeout=600))
    case.put_under(limited)
    error = api.refused(611, "POST", kind.path, case.body(), says="issues no timestamps")
    assert case.label in error["message"]
    for approver in case.crowd:
        assert not [t for t in api.tasks(approver, "All")
                    if ska.Token.decode(unb64(t["approvalToBeSigned"])).label == case.label]


def test_tokens_without_limits_serve(api, people):
    """Beside one with a limit: those who are in it alone are not asked."""
    a, b = people.several(2)
    label = unique()
    key = public_key(api.create_key(label, policy(rule(
        token(group(1, a), timeout=600, name="quick"), token(group(1, b), name="any time")))))
    rid = api.sign(label, b"x")
    assert api.request(rid)["notYetApprovedBy"] == [b64(b.spki)]
    api.approve(b, rid)
    assert verify(key, "SHA-256", b"x", unb64(api.wait(rid, "EXECUTED")["result"]))


def test_members_that_we_do_not_know(chain, people):
    """In what the broker asks for itself; what it passes on has them still."""
    a, api, label = people(), chain.api, unique()
    key = public_key(api.create_key(label, quorum(1, a)))
    chain.hosted.more = True
    rid = api.sign(label, b"x")
    api.approve(a, rid)
    assert verify(key, "SHA-256", b"x", unb64(api.wait(rid, "EXECUTED")["result"]))


def test_nobody_to_ask(api):
    """Keys without policy and always-allowed rules are used at once, asynchronously too."""
    label = unique()
    key = public_key(api.create_key(label))
    assert verify(key, "SHA-256", b"x", unb64(api.wait(api.sign(label, b"x"), "EXECUTED")["result"]))
    assert verify(key, "SHA-256", b"y", api.sign_now(label, b"y"))
    assert len(unb64(api.get("/v1/generateRandom/32")["random"])) == 32
    assert "keyStoreStatistics" in api.get("/v1/keystore/statistics")
    assert label in api.get("/v1/key")
    api.call("DELETE", "/v1/key/" + label)
    api.refused(650, "POST", "/v1/sign", api.sign_body(label))


def test_made_anew_under_its_name(api, people):
    """Attributes are never those of before: approvers are asked by what the key is now."""
    a, b = people.several(2)
    label = unique()
    for approver in (a, b):
        api.create_key(label, quorum(1, approver))
        rid = api.sign(label)
        assert api.request(rid)["notYetApprovedBy"] == [b64(approver.spki)]
        api.call("DELETE", "/v1/key/" + label)


def test_passwords(api, people):
    a, label, password = people(), unique(), ["s", "3", "c"]
    api.create_key(label, quorum(1, a), password=password)
    api.refused(620, "POST", "/v1/sign", api.sign_body(label))
    rid = api.sign(label, keyPassword=password)
    api.approve(a, rid)
    api.wait(rid, "EXECUTED")


def test_asked_for_timestamps_once_a_minute(chain, people):
    """By each process of the broker; and for nothing else that is not in the published API."""
    before, label = len(chain.hosted.unknown), unique()
    chain.api.create_key(label, quorum(1, people()))
    for _ in range(30):
        chain.api.sign(label)
    assert set(chain.hosted.unknown) == {("POST", "/v1/timestamp")}
    assert len(chain.hosted.unknown) - before <= 16


REFUSALS = [
    # of the HSM, for good
    ((500, {"errorCode": 701, "reason": "res.error.in.hsm",
            "message": "HSM error: status: PKCS#11: KEY_FUNCTION_NOT_PERMITTED"}),
     "KEY_FUNCTION_NOT_PERMITTED"),
    ((400, {"errorCode": 607, "reason": "res.error.algorithm.not.supported.by.key"}),
     "res.error.algorithm.not.supported.by.key"),
]


@pytest.mark.parametrize("said,shown", REFUSALS, ids=["701", "607"])
def test_refusals_are_shown(chain, people, said, shown):
    a, api, label = people(), chain.api, unique()
    api.create_key(label, quorum(1, a))
    chain.hosted.refusals["/v1/synchronousSign"] = hosted.answer(*said)
    rid = api.sign(label)
    api.approve(a, rid)
    assert shown in api.wait(rid, "FAILED")["result"]


TROUBLE = [(500, {"message": "Could not open connection"}), (500, {"errorCode": 1, "message": "x"}),
           (429, {"message": "slow down"}), (401, {"errorCode": 631, "message": "expired"})]


@pytest.mark.parametrize("said", TROUBLE, ids=["no number", "technical", "limit", "credentials"])
def test_trouble_is_waited_for(chain, people, said):
    """Errors that say nothing about the request: it is executed later, once."""
    a, api, label = people(), chain.api, unique()
    key = public_key(api.create_key(label, quorum(1, a)))
    chain.hosted.refusals["/v1/synchronousSign"] = hosted.answer(*said)
    rid = api.sign(label, b"later")
    api.approve(a, rid)
    assert verify(key, "SHA-256", b"later", unb64(api.wait(rid, "EXECUTED")["result"]))
    assert api.attributes(label)["json"]["keyUsageCount"] == 1


def test_system_keys_that_do_not_show_themselves(chain):
    api, label = chain.api, unique()
    chain.hosted.refusals["/v1/key/attributes"] = hosted.answer(
        500, {"errorCode": 701, "reason": "res.error.in.hsm",
              "message": "HSM error: status: PKCS#11: KEY_FUNCTION_NOT_PERMITTED"})
    api.refused(701, "POST", "/v1/key/attributes", {"label": label},
                says="KEY_FUNCTION_NOT_PERMITTED")


def test_api_key_of_each_role(chain):
    """The other way to prove who calls: an API key a role, as brokers have them."""
    tokens = Client(chain.vendor).tokens
    site = Site(web=WEBS[0], database=False, hsm_url=chain.vendor.url, hsm_login="\n".join(
        "%s = %s" % (name, tokens[role]) for name, role in (
            ("keyManagementToken", "KM"), ("keyOperationToken", "KO"), ("serviceToken", "SV"))))
    try:
        api, label = Client(site), unique()
        key = public_key(api.create_key(label))
        assert verify(key, "SHA-256", b"x", api.sign_now(label, b"x"))
        assert api.get("/v1/keystore/statistics")
        assert api.get("/v1/generateRandom/8")
    finally:
        site.down()
