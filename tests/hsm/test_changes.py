"""Block, unblock, modify: whose rule decides, what binds, that each happens once whatever is killed."""
import base64
import concurrent.futures
import os
import pathlib
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding

import ska
from approver import b64, group, policy, quorum, rule, token, unb64
from conftest import Hsm, Refused

ALGORITHM = "SHA256_WITH_ECDSA"
OPERATIONS = {"block": ska.BLOCK, "unblock": ska.UNBLOCK, "modify": ska.MODIFY}
OPEN = policy(blocked=None)


def one(approver, **limits):
    return rule(token(group(1, approver), **limits))


def token_of(hsm, kind, label, new=None, stamp=True):
    """The token that approvers of this change sign; new: the policy, of a modification."""
    payload = ska.policy_encode(new) if kind == "modify" else None
    if not stamp:
        return ska.Token(OPERATIONS[kind], label, payload).encode()
    answer = hsm.stamp(label, payload, kind.upper())
    return ska.Token(OPERATIONS[kind], label, payload, unb64(answer["timestamp"]),
                     unb64(answer["timestampSignatureWithAlgorithm"])).encode()


def change(hsm, kind, label, approvals=(), new=None, **members):
    inner = dict({kind + "KeyName": label, "signedApprovals": list(approvals)}, **members)
    if kind == "modify":
        inner["policy"] = new
    answer = hsm.call("POST", "/v1/synchronous" + kind.title(), {kind + "Request": inner},
                      "KM" if kind == "modify" else "KO")
    assert answer is None, "the body is empty"


def approved(hsm, kind, label, *approvers, new=None):
    t = token_of(hsm, kind, label, new)
    change(hsm, kind, label, [a.signed_approval(t) for a in approvers], new)


def policy_of(hsm, label):
    return hsm.attributes(label)["json"]["policy"]


def blocked(hsm, label):
    return policy_of(hsm, label)["keyStatus"]["blocked"]


@pytest.fixture
def people(approver):
    """Approvers of use, block, unblock and modify, in this order."""
    return [approver(n=n) for n in range(4)]


def four_rules(people):
    return policy(*[one(p, timeout=600) for p in people])


# ---- whose rule decides ----

@pytest.mark.parametrize("kind,own", [("block", 1), ("unblock", 2), ("modify", 3)])
def test_each_change_has_its_own_rule(hsm, people, refused, kind, own):
    label = "own rule of " + kind
    hsm.create(label, policy=dict(four_rules(people), keyStatus={"blocked": kind == "unblock"}))
    before = policy_of(hsm, label)
    t = token_of(hsm, kind, label, OPEN)
    with refused(701, "insufficient"):
        change(hsm, kind, label, [], OPEN)
    for n, person in enumerate(people):
        if n != own:
            with refused(701, "not in rule" + kind.title()):
                change(hsm, kind, label, [person.signed_approval(t)], OPEN)
    assert policy_of(hsm, label) == before
    change(hsm, kind, label, [people[own].signed_approval(t)], OPEN)
    assert policy_of(hsm, label) != before


@pytest.mark.parametrize("kind", OPERATIONS)
def test_approvals_of_another_operation_are_refused(hsm, approver, refused, kind):
    label = "operations of " + kind
    same = one(approver(), timeout=600)
    hsm.create(label, policy=policy(same, same, same, same))
    for other in OPERATIONS:
        if other != kind:
            t = token_of(hsm, other, label, OPEN)
            with refused(701, "operation"):
                change(hsm, kind, label, [approver().signed_approval(t)], OPEN)
    use = hsm.stamp(label, b"x")
    t = ska.Token(ska.USE, label, b"x", unb64(use["timestamp"]),
                  unb64(use["timestampSignatureWithAlgorithm"])).encode()
    with refused(701, "operation"):
        change(hsm, kind, label, [approver().signed_approval(t)], OPEN)


def test_rules_that_ask_for_nobody(hsm):
    hsm.create("free changes", policy=policy())
    change(hsm, "block", "free changes")
    assert blocked(hsm, "free changes")
    change(hsm, "unblock", "free changes")
    assert not blocked(hsm, "free changes")
    change(hsm, "modify", "free changes", new=OPEN)


def test_rule_that_nobody_can_meet(hsm, approver, refused):
    hsm.create("for good", policy=policy(None, one(approver()), rule(), rule()))
    change(hsm, "block", "for good", [approver().signed_approval(token_of(
        hsm, "block", "for good"))])
    for kind in ("unblock", "modify"):
        with refused(701):
            approved(hsm, kind, "for good", approver(), new=OPEN)
    assert blocked(hsm, "for good")


def test_keys_without_a_policy(hsm, refused):
    hsm.create("ordinary")
    for kind in OPERATIONS:
        with refused(613, "has no policy"):
            change(hsm, kind, "ordinary", new=OPEN)
        with refused(613, "has no policy"):
            token_of(hsm, kind, "ordinary", OPEN)
        with refused(613):
            change(hsm, kind, "timestamp-key", new=OPEN)
        with refused(650):
            change(hsm, kind, "absent", new=OPEN)
        with refused(634):
            change(hsm, kind, "ordinary/0", new=OPEN)


def test_password_is_checked(hsm, refused):
    hsm.create("secret change", policy=policy(), password="secret")
    for kind in OPERATIONS:
        for password in (None, "wrong"):
            with refused(620):
                change(hsm, kind, "secret change", new=OPEN, keyPassword=password)
        change(hsm, kind, "secret change", new=OPEN, keyPassword="secret")
    assert hsm.sign("secret change", b"x", ALGORITHM, keyPassword="secret")


# ---- block ----

def test_blocked_key_refuses_every_use(hsm, refused):
    hsm.create("stopped", "RSA", policy=policy(), keySize=2048,
               attributes={"decrypt": True, "unwrap": True})
    uses = {
        "sign": ("/v1/synchronousSign", {"signRequest": {
            "signKeyName": "stopped", "payload": b64(b"x"),
            "signatureAlgorithm": "SHA256_WITH_RSA"}}),
        "decrypt": ("/v1/synchronousDecrypt", {"decryptRequest": {
            "decryptKeyName": "stopped", "encryptedPayload": b64(b"x" * 256),
            "cipherAlgorithm": "RSA_NO_PADDING"}}),
        "unwrap": ("/v1/synchronousUnwrap", {"unwrapKeyRequest": {
            "unwrapKeyName": "stopped", "wrappedKey": b64(b"x" * 256), "label": "new",
            "attributes": {"decrypt": True, "sign": False, "unwrap": False},
            "wrapMethod": "RSA_WRAP_OAEP"}}),
    }
    stamps = [{}, {"signatureAlgorithm": "SHA256_WITH_RSA"}, {"wrapMethod": "RSA_WRAP_OAEP"},
              {"cipherAlgorithm": "RSA_NO_PADDING"}]
    change(hsm, "block", "stopped")
    for path, body in uses.values():
        with refused(614, "is blocked"):
            hsm.call("POST", path, body, "KO")
    for members in stamps:
        with refused(614, "is blocked"):
            hsm.stamp("stopped", b"x", **members)
    for kind in OPERATIONS:
        assert token_of(hsm, kind, "stopped", OPEN)
    change(hsm, "block", "stopped")
    change(hsm, "modify", "stopped", new=OPEN)
    assert blocked(hsm, "stopped"), "a new policy does not unblock"
    change(hsm, "unblock", "stopped")
    assert hsm.call("POST", *uses["sign"], "KO")["signature"]
    for members in stamps:
        assert hsm.stamp("stopped", b"x", **members)["timestamp"]


def test_block_is_seen_by_all_workers_at_once(hsm, refused):
    hsm.create("switched", policy=policy())
    for _ in range(20):
        change(hsm, "block", "switched")
        for _ in range(4):
            with refused(614):
                hsm.sign("switched", b"x", ALGORITHM)
        change(hsm, "unblock", "switched")
        for _ in range(4):
            assert hsm.sign("switched", b"x", ALGORITHM)


# ---- modify ----

def test_old_rule_decides_a_modification(hsm, approver, refused):
    old, new = approver(n=1), approver(n=2)
    hsm.create("handed over", policy=policy(None, None, None, one(old, timeout=600)))
    first = policy(one(new), None, None, one(new, timeout=600), blocked=None)
    t = token_of(hsm, "modify", "handed over", first)
    with refused(701, "not in ruleModify"):
        change(hsm, "modify", "handed over", [new.signed_approval(t)], first)
    change(hsm, "modify", "handed over", [old.signed_approval(t)], first)
    shown = policy_of(hsm, "handed over")
    assert ska.policy_encode(shown) == ska.policy_encode(first)
    with refused(701, "not in ruleModify"):
        approved(hsm, "modify", "handed over", old, new=OPEN)
    with refused(701, "insufficient"):
        hsm.sign("handed over", b"x", ALGORITHM)
    approved(hsm, "modify", "handed over", new, new=OPEN)
    assert hsm.sign("handed over", b"x", ALGORITHM)


def test_approvals_bind_the_whole_policy(hsm, approver, refused):
    hsm.create("bound", policy=policy(None, None, None, one(approver(), timeout=600)))
    meant = policy(one(approver()), None, None, one(approver()), blocked=None)
    t = token_of(hsm, "modify", "bound", meant)
    for other in (OPEN, dict(meant, ruleUse=None), dict(meant, ruleModify=one(approver(n=5))),
                  dict(meant, ruleUse=one(approver(), timeout=600))):
        with refused(701, "another payload"):
            change(hsm, "modify", "bound", [approver().signed_approval(t)], other)


def test_policy_with_certificates_stays_as_it_was_approved(hsm, approver):
    """What was signed is what is stored: the names of certificates are not filled in behind it."""
    old, new = approver(), approver("p384", certificate=True)
    hsm.create("certified", policy=policy(None, None, None, one(old)))
    wanted = policy(one(new), None, None, one(new), blocked=None)
    approved(hsm, "modify", "certified", old, new=wanted)
    shown = policy_of(hsm, "certified")
    assert ska.policy_encode(shown) == ska.policy_encode(wanted)
    approved(hsm, "modify", "certified", new, new=OPEN)


def test_modification_refuses_what_a_key_may_not_have(hsm, approver, refused):
    hsm.create("kept sound", policy=policy())
    before = policy_of(hsm, "kept sound")
    onboarded = {"type": "onboarded_approver_certificate", "name": "officer@example.com"}
    for code, bad in (
            (600, policy(rule(), blocked=None)),
            (600, policy(rule(token(group(2, approver()))), blocked=None)),
            (600, policy(rule(token(group(1, approver()), timeout=61)), blocked=None)),
            (413, policy(rule(token({"quorum": 1, "approvals": [onboarded]})), blocked=None)),
            (407, policy(rule(token({"quorum": 1, "approvals": [
                {"type": "public_key", "value": b64(b"no key")}]})), blocked=None))):
        with refused(code):
            change(hsm, "modify", "kept sound", new=bad)
    assert policy_of(hsm, "kept sound") == before


# ---- once ----

@pytest.mark.parametrize("kind,undo", [("block", "unblock"), ("unblock", "block")])
def test_change_sent_again_is_not_done_again(hsm, approver, kind, undo):
    label = "once " + kind
    both = one(approver(), timeout=600)
    hsm.create(label, policy=policy(None, both, both, blocked=kind == "unblock"))
    t = token_of(hsm, kind, label)
    signed = [approver().signed_approval(t)]
    change(hsm, kind, label, signed)
    assert blocked(hsm, label) == (kind == "block")
    approved(hsm, undo, label, approver())
    for again in (signed, [approver().signed_approval(t)]):
        change(hsm, kind, label, again)
        assert blocked(hsm, label) == (undo == "block"), "what came later stays"
    approved(hsm, kind, label, approver())
    assert blocked(hsm, label) == (kind == "block"), "a new approval is another request"


@pytest.mark.parametrize("kind", ["block", "unblock"])
def test_change_sent_again_by_a_stranger_is_refused(hsm, approver, refused, kind):
    """Whether a token is known is for those to learn who may ask."""
    label = "stranger " + kind
    both = one(approver(n=1), timeout=600)
    hsm.create(label, policy=policy(None, both, both, blocked=kind == "unblock"))
    t = token_of(hsm, kind, label)
    own = approver(n=1).signed_approval(t)
    change(hsm, kind, label, [own])
    with refused(701):
        change(hsm, kind, label, [approver(n=2).signed_approval(t)])
    with refused(701):
        change(hsm, kind, label, [own, approver(n=2).signed_approval(t)])
    change(hsm, kind, label, [own])


def test_modification_sent_again_is_for_those_who_may_ask(hsm, approver, refused):
    """Those whom the modification replaced still may, in either form of their key."""
    old, new, stranger = (approver(n=n) for n in (1, 2, 3))
    label = "stranger modify"
    hsm.create(label, policy=policy(None, None, None, one(old, timeout=600)))
    first = policy(None, None, None, one(new, timeout=600), blocked=None)
    t = token_of(hsm, "modify", label, first)
    own = old.signed_approval(t)
    change(hsm, "modify", label, [own], first)
    for signed in ([stranger.signed_approval(t)], [own, stranger.signed_approval(t)]):
        with refused(701, "not in ruleModify"):
            change(hsm, "modify", label, signed, first)
    for signed in (own, old.signed_approval(t, as_certificate=True), new.signed_approval(t)):
        change(hsm, "modify", label, [signed], first)


def test_modification_sent_again_is_not_done_again(hsm, approver, refused):
    old, new = approver(n=1), approver(n=2)
    hsm.create("modified once", policy=policy(None, None, None, one(old, timeout=600)))
    first = policy(None, None, None, one(new, timeout=600), blocked=None)
    second = policy(one(new), None, None, one(new, timeout=600), blocked=None)
    t = token_of(hsm, "modify", "modified once", first)
    signed = [old.signed_approval(t)]
    change(hsm, "modify", "modified once", signed, first)
    change(hsm, "modify", "modified once", signed, first)
    approved(hsm, "modify", "modified once", new, new=second)
    change(hsm, "modify", "modified once", signed, first)
    assert ska.policy_encode(policy_of(hsm, "modified once")) == ska.policy_encode(second)
    with refused(701):
        change(hsm, "modify", "modified once", signed, second)


def test_unblock_cannot_come_back_after_64_other_changes(hsm, approver):
    both = one(approver(), timeout=600)
    hsm.create("replayed", policy=policy(None, both, both, blocked=True))
    old = [approver().signed_approval(token_of(hsm, "unblock", "replayed"))]
    change(hsm, "unblock", "replayed", old)
    for n in range(66):
        approved(hsm, "unblock" if n % 2 else "block", "replayed", approver())
    approved(hsm, "block", "replayed", approver())
    try:
        change(hsm, "unblock", "replayed", old)
    except Refused as error:
        assert error.code == 701 and "no longer remembers" in error.message
    assert blocked(hsm, "replayed"), "it was known already, or was refused"


def test_unblock_that_found_nothing_to_change_does_not_work_later(hsm, approver):
    both = one(approver(), timeout=600)
    hsm.create("idle", policy=policy(None, both, both))
    idle = [approver().signed_approval(token_of(hsm, "unblock", "idle"))]
    change(hsm, "unblock", "idle", idle)
    approved(hsm, "block", "idle", approver())
    change(hsm, "unblock", "idle", idle)
    assert blocked(hsm, "idle")


def test_key_made_again_takes_no_approvals_of_the_old_one(hsm, approver, refused):
    def make():
        return hsm.create("again", policy=policy(one(approver()), one(approver(), timeout=600)))

    make()
    block = [approver().signed_approval(token_of(hsm, "block", "again"))]
    stamp = hsm.stamp("again", b"x")
    use = [approver().signed_approval(ska.Token(
        ska.USE, "again", b"x", unb64(stamp["timestamp"]),
        unb64(stamp["timestampSignatureWithAlgorithm"])).encode())]
    hsm.call("DELETE", "/v1/key/again")
    second = int(time.time())
    while int(time.time()) == second:
        time.sleep(0.02)
    make()
    with refused(701, "older than the key"):
        change(hsm, "block", "again", block)
    with refused(701, "older than the key"):
        hsm.sign("again", b"x", ALGORITHM, use)
    approved(hsm, "block", "again", approver())


def test_tokens_without_timestamp_are_all_alike(hsm, approver):
    """The second block of an offline key is the same bytes as the first, and is done."""
    hsm.create("offline", policy=policy(None, one(approver()), one(approver())))
    signed = {k: [approver().signed_approval(token_of(hsm, k, "offline", stamp=False))]
              for k in ("block", "unblock")}
    for kind in ("block", "unblock", "block", "unblock"):
        change(hsm, kind, "offline", signed[kind])
        assert blocked(hsm, "offline") == (kind == "block")


def test_changes_at_the_same_time(hsm, approver):
    """Each is enforced by what the one before it left: of rivals for the same rule one succeeds."""
    old = approver(n=9)
    rivals = [approver(n=n) for n in range(8)]
    hsm.create("contested rule", policy=policy(None, None, None, one(old, timeout=600)))
    wanted = [policy(None, None, None, one(r), blocked=None) for r in rivals]
    tokens = [token_of(hsm, "modify", "contested rule", w) for w in wanted]

    def attempt(i):
        try:
            change(hsm, "modify", "contested rule", [old.signed_approval(tokens[i])], wanted[i])
            return i
        except Refused as error:
            assert error.code == 701 and "not in ruleModify" in error.message
            return None
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        (winner,) = [i for i in pool.map(attempt, range(8)) if i is not None]
    assert ska.policy_encode(policy_of(hsm, "contested rule")) == ska.policy_encode(wanted[winner])


def test_uses_survive_changes(hsm):
    hsm.create("counted on", policy=policy())
    for kind in ("modify", "unblock", "block"):
        hsm.sign("counted on", b"x", ALGORITHM)
        change(hsm, kind, "counted on", new=OPEN)
    assert hsm.attributes("counted on")["json"]["keyUsageCount"] == 3


def test_digest_changes_with_every_change(hsm):
    hsm.create("watched", policy=policy())
    seen = [hsm.stamp("watched", None, "BLOCK")["keyAttributesDigest"]]
    change(hsm, "block", "watched")
    seen.append(hsm.stamp("watched", None, "BLOCK")["keyAttributesDigest"])
    change(hsm, "unblock", "watched")
    assert hsm.stamp("watched", None, "BLOCK")["keyAttributesDigest"] == seen[0] != seen[1]


# ---- killed ----

def test_killed_while_changing(approver):
    """SIGKILL at any moment: the key is as the last answered change left it, or the one under way."""
    hsm = Hsm()
    try:
        hsm.create("k", policy=policy())
        begun, answered, total = 0, 0, 0

        def version(n):
            return policy(None, one(approver(), timeout=60 * n), blocked=None)

        def work():
            nonlocal begun, answered, total
            try:
                while True:
                    begun += 1
                    change(hsm, "modify", "k", new=version(begun))
                    answered, total = begun, total + 1
            except (OSError, Refused):
                return
        for turn in range(5):
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                job = pool.submit(work)
                time.sleep(0.2 + 0.05 * turn)
                hsm.stop(kill=True)
                job.result()
            (hsm.dir / "hsm.sock").unlink(missing_ok=True)
            hsm.start()
            shown = policy_of(hsm, "k")["ruleBlock"]
            found = shown["tokens"][0]["timeout"] // 60 if shown else 0
            assert found in (answered, begun)
            begun = answered = found
            assert hsm.sign("k", b"x", ALGORITHM)
        assert total > 5
    finally:
        hsm.close()


def has_hooks():
    config = pathlib.Path(os.environ.get("TSB_BUILD", "build")) / "config.h"
    return config.exists() and "TSB_TEST_HOOKS" in config.read_text()


POINTS = [("hsm.change.before", False), ("file.created", False),
          ("file.written", False), ("file.renamed", True), ("hsm.change.after", True),
          ("hsm.%s.executed", True)]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A tsb-hsm whose workers die where its file says."""
    faults = tmp_path_factory.mktemp("faults") / "faults"
    hsm = Hsm(env={"TSB_TEST_FAULTS": str(faults)})
    hsm.faults = faults
    yield hsm
    hsm.close()


@pytest.mark.skipif(not has_hooks(), reason="needs a build with --enable-test-hooks")
@pytest.mark.parametrize("kind", OPERATIONS)
@pytest.mark.parametrize("point,done", POINTS, ids=[p for p, _ in POINTS])
def test_killed_at_each_step_of_a_change(faulty, approver, kind, point, done):
    """The worker dies there: the old key or the new one; the same request then succeeds, once."""
    label = "%s at %s" % (kind, point)
    who = one(approver(), timeout=600)
    faulty.create(label, policy=policy(None, who, who, who, blocked=kind == "unblock"))
    before = policy_of(faulty, label)
    wanted = policy(one(approver()), who, who, who, blocked=None)
    t = token_of(faulty, kind, label, wanted)
    signed = [approver().signed_approval(t)]

    def happened():
        now = policy_of(faulty, label)
        if kind == "modify":
            assert {**now, "ruleUse": 0} == {**before, "ruleUse": 0}
            return now["ruleUse"] is not None
        assert {**now, "keyStatus": 0} == {**before, "keyStatus": 0}
        return now["keyStatus"]["blocked"] == (kind == "block")
    faulty.faults.write_text("%s kill\n" % (point % kind if "%" in point else point))
    with pytest.raises((OSError, ConnectionError)):
        change(faulty, kind, label, signed, wanted)
    assert not faulty.faults.read_text().strip(), "the point was not passed"
    assert happened() == done
    change(faulty, kind, label, signed, wanted)
    assert happened()


@pytest.mark.skipif(not has_hooks(), reason="needs a build with --enable-test-hooks")
@pytest.mark.parametrize("point,made", [
    ("hsm.create.before", False), ("file.written", False), ("hsm.dirfile.linked", True),
    ("hsm.create.after", True), ("hsm.unwrap.executed", True)])
def test_killed_at_each_step_of_an_unwrap(faulty, refused, point, made):
    """Whether the key is there tells whether it happened: a repeat never makes a second one."""
    carrier, label = "carrier at " + point, "unwrapped at " + point
    shown = faulty.create(carrier, "RSA", keySize=2048, attributes={"unwrap": True})
    public = serialization.load_der_public_key(unb64(shown["json"]["publicKey"]))
    wrapped = public.encrypt(os.urandom(32), padding.PKCS1v15())
    body = {"unwrapKeyRequest": {
        "wrappedKey": b64(wrapped), "label": label, "unwrapKeyName": carrier,
        "wrapMethod": "RSA_WRAP_PAD",
        "attributes": {"decrypt": True, "sign": False, "unwrap": False}}}
    faulty.faults.write_text(point + " kill\n")
    with pytest.raises((OSError, ConnectionError)):
        faulty.call("POST", "/v1/synchronousUnwrap", body, "KO")
    assert not faulty.faults.read_text().strip(), "the point was not passed"
    assert (label in faulty.call("GET", "/v1/key")) == made
    if made:
        before = faulty.attributes(label)["json"]["createTime"]
        with refused(608):
            faulty.call("POST", "/v1/synchronousUnwrap", body, "KO")
        assert faulty.attributes(label)["json"]["createTime"] == before
    else:
        assert faulty.call("POST", "/v1/synchronousUnwrap", body, "KO")["json"]["label"] == label


@pytest.mark.skipif(not has_hooks(), reason="needs a build with --enable-test-hooks")
@pytest.mark.parametrize("kind", ["sign", "decrypt"])
def test_killed_after_a_use(faulty, kind):
    """Nothing of a use is kept but its count: it is simply asked for again."""
    label = "used by " + kind
    shown = faulty.create(label, "RSA", keySize=2048, attributes={"decrypt": True})
    public = serialization.load_der_public_key(unb64(shown["json"]["publicKey"]))
    sealed = public.encrypt(b"message", padding.PKCS1v15())

    def use():
        if kind == "sign":
            return faulty.sign(label, b"x", "SHA256_WITH_RSA")
        return faulty.call("POST", "/v1/synchronousDecrypt", {"decryptRequest": {
            "encryptedPayload": b64(sealed), "decryptKeyName": label,
            "cipherAlgorithm": "RSA"}}, "KO")
    faulty.faults.write_text("hsm.%s.executed kill\n" % kind)
    with pytest.raises((OSError, ConnectionError)):
        use()
    assert use() and faulty.attributes(label)["json"]["keyUsageCount"] == 2


@pytest.mark.skipif(not has_hooks(), reason="needs a build with --enable-test-hooks")
def test_restart_after_kills(faulty):
    """What the kills above left behind is swept, and the keys are all there."""
    before = faulty.call("GET", "/v1/key")
    faulty.stop()
    faulty.start()
    assert not list(faulty.store.glob(".new.*"))
    assert faulty.call("GET", "/v1/key") == before
    for label in before:
        assert faulty.attributes(label)["json"]["label"] == label


def test_nothing_of_a_policy_is_readable_on_disk(hsm, approver):
    hsm.create("unreadable", policy=quorum(1, approver()))
    change(hsm, "block", "unreadable")
    everything = b"".join(p.read_bytes() for p in hsm.store.iterdir())
    assert approver().spki not in everything and b"unreadable" not in everything
    assert base64.b64encode(approver().spki) not in everything
