"""New policies on the command line: what changes is shown, open rules are asked about once more."""
import json
import re
import time

import pytest

import ska
from approver import Approver, b64
from made_up import FETCH, NEVER, RULES, Desk, asked, attested, attributes_xml, four, group, \
    new_approver, rule, task_of
from tsb import error, run, run_on_terminal

pytestmark = pytest.mark.no_site

BLOCK, UNBLOCK, MODIFY = "block this key", "unblock this key", "replace the policy of this key"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    return [new_approver(folder, name) for name in ("anna", "bert", "cora")]


@pytest.fixture(scope="module")
def hsm():
    return Approver("p256")


def modification(person, new, old=None, hsm=None, n=1, seen=None):
    """A task; seen: what the broker says in JSON that the policy is."""
    token = ska.Token(ska.MODIFY, "k", ska.policy_encode(new))
    task = asked(person, "modify", token, policy=seen or new)
    task["id"] = "t%d" % n
    if old is not None:
        task.update(attested(hsm, attributes_xml("k", old, hsm.spki)))
    return task


@pytest.fixture
def desk(broker, people):
    return Desk(broker, people[0])


def branch(text, title):
    """The lines below one line, up to the next of the same depth."""
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip().startswith(title))
    depth = len(lines[at]) - len(lines[at].lstrip())
    out = [lines[at].strip()]
    for line in lines[at + 1:]:
        if len(line) - len(line.lstrip()) <= depth:
            break
        out.append(line.strip())
    return out


# ---- the trap: a policy that names only ruleUse ----

def test_only_ruleUse_opens_the_other_three(desk, people, hsm):
    old = four(rule(*people, quorum=2))
    desk.shows(modification(people[0], {"ruleUse": old["ruleUse"]}, old, hsm))
    text = desk("tasks").out
    assert "!!! this policy opens to everyone: block, unblock and modify" in text
    assert branch(text, "rule use")[0].endswith("unchanged")
    for name, what in (("rule block", BLOCK), ("rule unblock", UNBLOCK), ("rule modify", MODIFY)):
        lines = branch(text, name)
        assert lines[0].endswith("CHANGES")
        assert "!!! becomes OPEN TO EVERYONE: no approval is needed to " + what in lines
        assert any(line.startswith("becomes ") and line.endswith("open to everyone")
                   for line in lines)


def test_yes_alone_does_not_approve_what_opens_rules(desk, people, hsm):
    old = four(rule(*people, quorum=2))
    harmless = four(rule(*people, quorum=3))
    desk.shows(modification(people[0], {"ruleUse": old["ruleUse"]}, old, hsm),
               modification(people[0], harmless, old, hsm, n=2))
    done = desk("approve", "t1", "--yes", code=7)
    assert "task t1 leaves open to everyone: block, unblock and modify" in done.err
    assert "--yes-open-rules" in done.err and desk.approved == []
    assert desk("approve", "t1", "--yes", "--json", code=7).failure["exit"] == 7
    done = desk("approve", "--all", "--yes", code=7)
    assert desk.approved == ["t2"] and "approved t2" in done.out
    desk("approve", "t1", "--yes", "--yes-open-rules")
    assert desk.approved == ["t2", "t1"]


@pytest.mark.parametrize("answers, approved", [(["n"], []), (["y", "n"], []), (["y", ""], []),
                                               (["y", "y"], ["t1"])])
def test_the_person_at_the_terminal_is_asked_twice(desk, people, hsm, answers, approved):
    old = four(rule(*people, quorum=2))
    desk.shows(modification(people[0], {"ruleUse": old["ruleUse"]}, old, hsm))
    code, shown, _ = desk.at_terminal("approve", "t1", answers=answers)
    assert code == 0 and desk.approved == approved
    assert ("no approval for: block, unblock and modify" in shown) == (len(answers) > 1)


def test_nothing_more_is_asked_when_nothing_is_open(desk, people, hsm):
    old = four(rule(*people, quorum=2))
    desk.shows(modification(people[0], four(rule(*people, quorum=3)), old, hsm))
    code, shown, _ = desk.at_terminal("approve", "t1", answers=["y"])
    assert code == 0 and desk.approved == ["t1"] and "OPEN" not in shown and "WEAKER" not in shown


def test_a_broker_cannot_hide_an_opening_behind_an_old_policy(desk, people, hsm, tmp_path):
    """It says that the rules were open before; it shows another policy; it shows no attributes."""
    new = {"ruleUse": rule(*people, quorum=2)}
    desk.shows(modification(people[0], new, new, hsm),
               modification(people[0], new, n=2),
               modification(people[0], new, four(new["ruleUse"]), hsm, n=3,
                            seen=four(new["ruleUse"])))
    text = desk("tasks", "--all").out
    assert text.count("OPEN TO EVERYONE, as before") == 3
    assert "what changes cannot be said" in text
    assert text.count("OPEN TO EVERYONE") == 10     # and the rule that decides on the first task
    desk("approve", "--all", "--yes", code=7)
    assert desk.approved == []
    # attributes that the HSM did not sign are no old policy at all
    (tmp_path / "hsm.pub").write_text(b64(Approver("p256").spki))
    desk("approve", "t1", "--yes", "--yes-open-rules", "--attestation-key", tmp_path / "hsm.pub",
         code=6)
    assert desk.approved == []


def test_open_in_any_disguise(desk, people, hsm):
    """Alternatives, empty quorums and waits open a rule as well as its absence does."""
    ask = rule(*people, quorum=2)["tokens"][0]
    nobody = {"name": "x", "timelock": 0, "timeout": 0, "groups": None}
    disguises = {
        "alternative": [ask, nobody],
        "quorum": [dict(ask, groups=[group(0, *people)])],
        "empty group": [dict(ask, groups=[group(0)])],
        "wait": [dict(nobody, timelock=60)],
    }
    old = four(rule(*people, quorum=2))
    for name, tokens in disguises.items():
        desk.shows(modification(people[0], dict(old, ruleModify={"tokens": tokens}), old, hsm))
        assert "!!! this policy opens to everyone: modify" in desk("tasks").out, name
        desk("approve", "t1", "--yes", code=7)
    assert "OPEN TO EVERYONE after 60 s" in desk("tasks").out
    assert desk.approved == []


# ---- rules that nobody can meet any more ----

def test_never_is_marked(desk, people, hsm):
    old = four(rule(*people, quorum=2))
    short = rule(*people)
    short["tokens"][0].update(timelock=600, timeout=600)
    dead = {"no token": NEVER, "quorum above": rule(people[0], quorum=2),
            "one key twice": rule(people[0], people[0], quorum=2), "no time": short}
    for name, never in dead.items():
        desk.shows(modification(people[0], dict(old, ruleModify=never), old, hsm))
        text = desk("tasks").out
        assert "!!! NEVER, cannot be undone: nobody could %s any more" % MODIFY in text, name
        desk.shows(modification(people[0], dict(old, ruleBlock=never), old, hsm))
        text = desk("tasks").out
        assert "!!! NEVER: nobody could block this key until the policy is replaced" in text, name
    desk.shows(modification(people[0], dict(old, ruleBlock=NEVER, ruleModify=NEVER), old, hsm))
    assert "!!! NEVER, cannot be undone: nobody could block this key any more" in desk("tasks").out


# ---- weaker ----

def weaknesses(desk, people, hsm, old, new):
    desk.shows(modification(people[0], four(new), four(old), hsm))
    return sorted({line.split("!!! ")[1] for line in desk("tasks").out.splitlines()
                   if "!!!" in line})


def both(*rules):
    """One rule with the tokens of several."""
    return {"tokens": [t for r in rules for t in r["tokens"]]}


def grouped(*groups, **times):
    out = rule(**times)
    out["tokens"][0]["groups"] = list(groups)
    return out


def test_weaker_rules_say_in_what_way(desk, people, hsm):
    a, b, c = people
    d = Approver("p256")
    two = rule(a, b, c, quorum=2)
    timed = rule(a, b, quorum=2, timelock=3600, timeout=7200)
    other = "WEAKER: approvals may be enough that were not before"
    for old, new, said in (
            (two, rule(a, b, c), ["WEAKER: 1 approval may be enough, 2 were needed"]),
            (rule(a, b, c, quorum=3), two, ["WEAKER: 2 approvals may be enough, 3 were needed"]),
            (grouped(group(1, a), group(1, b)), grouped(group(1, a, b)),
             ["WEAKER: 1 approval may be enough, 2 were needed"]),
            (timed, rule(a, b, quorum=2, timelock=60, timeout=7200),
             ["WEAKER: requests wait 60 s, they waited 3600 s"]),
            (timed, rule(a, b, quorum=2, timelock=3600, timeout=10800),
             ["WEAKER: requests end after 10800 s, not 7200 s"]),
            (timed, rule(a, b, quorum=2, timelock=3600),
             ["WEAKER: requests never end, they ended after 7200 s"]),
            (two, rule(a, b, c, d, quorum=2), [other]),
            (two, rule(a, d, quorum=2), [other]),
            (two, both(two, rule(c, d, quorum=2)), [other]),
            (grouped(group(1, a, b), group(1, c)), grouped(group(2, a, b, c)), [other]),
            (NEVER, None, None)):
        if said is not None:
            assert weaknesses(desk, people, hsm, old, new) == said


def test_rules_that_ask_as_much_are_not_called_weaker(desk, people, hsm):
    a, b, c = people
    d = Approver("p256")
    two = rule(a, b, c, quorum=2)
    for old, new in ((two, rule(a, b, c, quorum=3)),
                     (two, rule(a, b, quorum=2)),
                     (rule(a, b), rule(a)),
                     (two, rule(c, a, b, quorum=2)),
                     (two, rule(a, b, c, d, quorum=3)),
                     (two, rule(a, b, c, quorum=2, timelock=60)),
                     (two, rule(a, b, c, quorum=2, timeout=600)),
                     (two, grouped(group(2, a, b), group(1, d))),
                     (two, both(rule(a, b, quorum=2), rule(a, c, quorum=2))),
                     (both(rule(a), rule(b, c, quorum=2)), rule(b, c, quorum=2))):
        assert weaknesses(desk, people, hsm, old, new) == []


def test_from_never_to_possible_is_said(desk, people, hsm):
    old = dict(four(rule(*people)), ruleBlock=NEVER)
    desk.shows(modification(people[0], four(rule(*people)), old, hsm))
    assert "!!! WEAKER: nobody could block this key, with approvals it becomes possible" in \
        desk("tasks").out


def test_who_comes_and_who_goes(desk, people, hsm):
    a, b, c = people
    desk.shows(modification(a, four(rule(a, c, quorum=2)), four(rule(a, b, quorum=2)), hsm))
    lines = branch(desk("tasks").out, "rule use")
    assert [line.split()[-1] for line in lines if line.startswith("new approver")] == ["cora"]
    assert [line.split()[-1] for line in lines if line.startswith("no longer asked")] == ["bert"]


def test_a_token_with_a_broken_policy_is_refused(desk, people):
    token = ska.Token(ska.MODIFY, "k", ska.policy_encode(four(rule(*people)))[:-4])
    desk.shows(asked(people[0], "modify", token))
    assert "not what it claims" in desk("approve", "t1", "--yes", "--yes-open-rules", code=6).err
    assert desk.approved == []


# ---- key modify warns its caller in the same way ----

class Owner:
    """Someone who asks for a modification of k."""

    def __init__(self, broker, hsm, old, folder):
        self.broker, self.folder = broker, folder
        xml = attributes_xml("k", old, hsm.spki)
        broker.answers["POST", "/v1/key/attributes"] = 200, {
            "xml": xml, "xmlSignature": b64(hsm.sign(xml.encode())), "attestationKeyName": "a",
            "json": {}}
        broker.answers["POST", "/v1/modify"] = 201, {"modifyKeyRequestId": "r1"}

    def __call__(self, new, *args, **options):
        (self.folder / "new.json").write_text(json.dumps(new))
        return run("key", "modify", "k", "--policy", self.folder / "new.json", "-u",
                   self.broker.url, *args, **options)

    @property
    def sent(self):
        return [body["modifyRequest"] for body in self.broker.sent("POST", "/v1/modify")]


@pytest.fixture
def owner(broker, hsm, people, tmp_path):
    return Owner(broker, hsm, four(rule(*people, quorum=2)), tmp_path)


def test_modify_shows_the_change_and_sends_the_policy_as_it_is(owner, people):
    new = four(rule(*people))
    done = owner(new, "--meta", "why")
    assert done.out == "r1\n"
    assert done.err.count("WEAKER: 1 approval may be enough, 2 were needed") == 4
    sent, = owner.sent
    assert sent == {"modifyKeyName": "k", "policy": new, "metaData": b64(b"why")}


def test_modify_that_opens_rules_needs_a_word(owner, people, broker):
    new = {"ruleUse": rule(*people, quorum=2)}
    done = owner(new, code=7)
    assert "this policy opens to everyone: block, unblock and modify" in done.err
    assert "--yes-open-rules" in done.err and owner.sent == []
    args = ["key", "modify", "k", "--policy", owner.folder / "new.json", "-u", broker.url]
    code, shown, _ = run_on_terminal(*args, answers=["n"])
    assert code == 7 and "nothing was asked for" in shown and owner.sent == []
    code, shown, _ = run_on_terminal(*args, answers=["y"])
    assert code == 0 and len(owner.sent) == 1
    owner(new, "--yes-open-rules")
    assert len(owner.sent) == 2


def test_modify_finds_mistakes_before_it_calls(owner, people, broker, tmp_path, hsm):
    for new, says in (({"ruleUse": {"tokens": [{"timelock": 0}]}}, "timeout"),
                      ({"ruleUsed": None}, "ruleUsed"), ([], "not")):
        broker.calls.clear()
        done = owner(new, code=1)
        assert says in done.err and broker.calls == []
    assert "give the new policy" in run("key", "modify", "k", "-u", broker.url, code=1).err
    (tmp_path / "other.pub").write_text(b64(Approver("p256").spki))
    owner(four(rule(*people)), "--attestation-key", tmp_path / "other.pub", code=6)
    xml = attributes_xml("another", four(None), hsm.spki)
    broker.answers["POST", "/v1/key/attributes"] = 200, {
        "xml": xml, "xmlSignature": b64(hsm.sign(xml.encode())), "attestationKeyName": "a"}
    assert "name another key" in owner(four(rule(*people)), code=6).err
    assert owner.sent == []


def test_modify_of_an_unknown_key(owner, people, broker):
    broker.answers["POST", "/v1/key/attributes"] = 404, error(
        650, "res.error.key.not.existent", "?")
    assert "tsb key list" in owner(four(rule(*people)), code=2).err and owner.sent == []


def test_modify_waits_with_the_key_that_may_read_requests(owner, people, broker):
    states = iter(["PENDING", "EXECUTED"])
    broker.answers["GET", "/v1/request/r1"] = lambda _: (200, {
        "id": "r1", "status": next(states), "executionTime": None, "result": None,
        "approvedBy": [], "notYetApprovedBy": [], "rejectedBy": []})
    env = {"TSB_KEY_MANAGEMENT_TOKEN": "km", "TSB_KEY_OPERATION_TOKEN": "ko"}
    assert owner(four(rule(*people, quorum=3)), "--wait", env=env).out == "EXECUTED\n"
    keys = [({k.lower(): v for k, v in h.items()}["x-api-key"], path)
            for _, path, _, h in broker.calls]
    assert [k for k, _ in keys] == ["km", "km", "ko", "ko"], keys


def test_rules_in_order():
    assert [name for name, _ in ska.RULES] == list(RULES)


# ---- 9/1.2: an old attestation is as genuine as a new one ----

def now(minutes=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 * minutes))


class Attested:
    """A broker with two attestations: what it shows by itself, and what the HSM says now."""

    def __init__(self, desk, hsm, folder, task, shown, fresh=None):
        (folder / "hsm.pub").write_text(b64(hsm.spki))
        self.desk = desk
        self.env = {"TSB_ATTESTATION_KEY": str(folder / "hsm.pub")}
        shown, fresh = ({**task, **attested(hsm, xml)} if xml else None for xml in (shown, fresh))

        def answer(body):
            if not body.get("freshKeyAttributes"):
                return 200, {"tasks": [shown]}
            assert body["id"] == "t1" and body["detailLevel"] == "level5"
            return (200, {"tasks": [fresh]}) if fresh else \
                (400, error(600, "res.error.input.validation.failed", "freshKeyAttributes"))
        desk.broker.answers[FETCH] = answer

    def __call__(self, *args, **options):
        return self.desk(*args, env=self.env, **options)


@pytest.fixture
def weak_and_strong(desk, people, hsm, tmp_path):
    """One of three is asked for; two are needed today; the broker shows an attestation from when
    it was one as well."""
    weak, strong = four(rule(*people, quorum=1)), four(rule(*people, quorum=2))
    old = attributes_xml("k", weak, hsm.spki)

    def make(fresh=None):
        return Attested(desk, hsm, tmp_path, modification(people[0], weak), old, fresh and
                        attributes_xml("k", strong, hsm.spki, attested=fresh))
    return make


def test_a_change_is_compared_with_a_fresh_attestation(weak_and_strong, desk):
    broker = weak_and_strong(fresh=now())
    shown = broker("tasks").out
    assert "WEAKER" in shown and "unchanged" not in shown
    assert "as attested at 2" in shown and "(0 minutes ago)" in shown
    assert "approved t1" in broker("approve", "t1", "--yes").out and desk.approved == ["t1"]


@pytest.mark.parametrize("fresh", [None, 11, -11])
def test_without_a_fresh_attestation_a_change_is_not_approved(weak_and_strong, desk, fresh):
    broker = weak_and_strong(fresh=fresh and now(fresh))
    for command in (["tasks"], ["approve", "t1", "--yes"]):
        done = broker(*command, code=6)
        assert "OLD attestation" in done.out and "attested-within" in done.err, done
    assert desk.approved == []
    # a room behind an air gap cannot have a newer one: the person decides how old it may be
    broker("approve", "t1", "--yes", "--attested-within", "52000000",
           code=6 if fresh == -11 else 0)


@pytest.mark.parametrize("kind, operation", [("block", ska.BLOCK), ("unblock", ska.UNBLOCK)])
def test_block_and_unblock_ask_for_a_fresh_attestation(desk, people, hsm, tmp_path, kind,
                                                              operation):
    policy = four(rule(*people))
    task = dict(asked(people[0], kind, ska.Token(operation, "k")), id="t1")
    shown, fresh = (attributes_xml("k", policy, hsm.spki, blocked=blocked, attested=now())
                    for blocked in (False, True))
    assert "blocked now          yes" in Attested(desk, hsm, tmp_path, task, shown,
                                                  fresh)("tasks").out


def test_a_use_asks_only_when_its_attestation_is_old(desk, people, hsm, tmp_path):
    policy = four(rule(*people))
    task = task_of(people[0], ska.Token(ska.USE, "k", b"pay 10 to bert"))
    young, old = (attributes_xml("k", policy, hsm.spki, attested=now(m)) for m in (1400, 1500))
    assert "(23 hours ago)" in Attested(desk, hsm, tmp_path, task, young)("tasks").out
    assert "is OLD" in Attested(desk, hsm, tmp_path, task, old)("tasks", code=6).out
    assert "is OLD" not in Attested(desk, hsm, tmp_path, task, old, young)("tasks").out
    # unchecked attributes have a time, too
    assert "as attested at 2" in desk("tasks").out


def test_what_an_approval_does_not_cover_is_marked(desk, people):
    desk.shows(task_of(people[0], ska.Token(ska.USE, "k", b"pay 10 to bert")))
    assert "SHA256_WITH_ECDSA (not covered by your approval, nor is the padding)" in \
        desk("tasks").out


def test_several_tasks_are_a_line_each(desk, people, hsm):
    """Who waits for whom, since when and until when; --all and --request show them whole."""
    policy = four(rule(*people, quorum=2, timeout=600))
    tasks = []
    for n, token in enumerate((ska.Token(ska.USE, "invoices", b"pay 10\x1b[2J to bert"),
                               ska.Token(ska.BLOCK, "payroll")), 1):
        task = asked(people[0], ("sign", "block")[n - 1], token) if n == 2 else task_of(
            people[0], token)
        task.update(attested(hsm, attributes_xml(token.label, policy, hsm.spki)), id="t%d" % n)
        tasks.append(task)
    desk.shows(*tasks)
    shown = desk("tasks")
    heading, first, second = shown.out.splitlines()
    assert heading.split()[:3] == ["AGE", "KEY", "OPERATION"]
    assert re.search(r"invoices +sign +18 bytes +2 more of anna, bert, cora +no deadline +t1$",
                     first), first
    assert re.search(r"payroll +block +- +2 more of anna, bert, cora", second), second
    assert "2 tasks" in shown.err
    whole = desk("tasks", "--all").out
    assert "use key 'invoices' to sign 18 bytes; 2 of 3 (anna, bert, cora) must agree" in whole
    assert "block key 'payroll'; 2 of 3" in whole
