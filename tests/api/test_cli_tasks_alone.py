"""tsb tasks, approve, reject without a site: what a broker that lies is told."""
import pytest

import ska
from approver import Approver, b64, unb64, verify
from made_up import APPROVAL, FETCH, GOOD, Desk, task_of
from private_site import build_dir
from tsb import error, run

pytestmark = pytest.mark.no_site


@pytest.fixture
def desk(broker, anna):
    return Desk(broker, anna)


def test_approve_signs_exactly_the_token(desk, broker, anna):
    desk.shows(task_of(anna, GOOD))
    done = desk("approve", "t1", "--yes")
    assert "invoices" in done.out and "pay 10 to bert" in done.out and "approved t1" in done.out
    sent, = broker.sent("POST", "/v1/approval")
    assert sent["id"] == "t1" and sent["approvalDigestAlgorithm"] == "SHA-256"
    assert unb64(sent["approvalToBeSigned"]) == GOOD.encode()
    assert unb64(sent["approverPublicKey"]) == anna.spki
    assert verify(anna.public, "SHA-256", GOOD.encode(), unb64(sent["signature"]))


def lies(anna):
    other = Approver("p256")
    base = task_of(anna, GOOD)
    request = base["signedSignRequest"]["signRequest"]
    evil = ska.Token(ska.USE, "invoices", b"pay 999 to mallory")
    stamp = ska.Timestamp(1700000000, "timestamp-key", b"another payload").encode()
    signature = ska.signature_encode("EC", "SHA-256", bytes(8))
    yield "token for another payload", dict(base, approvalToBeSigned=b64(evil.encode()))
    yield "payload and token differ from the request", dict(task_of(anna, evil), signedSignRequest={
        "signRequest": request, "requestSignature": None})
    yield "token for another key", dict(base, approvalToBeSigned=b64(
        ska.Token(ska.USE, "payroll", GOOD.payload).encode()))
    yield "modify under the name of sign", dict(base, payload=None, approvalToBeSigned=b64(
        ska.Token(ska.MODIFY, "invoices", ska.policy_encode({})).encode()))
    yield "block under the name of sign", dict(base, payload=None, approvalToBeSigned=b64(
        ska.Token(ska.BLOCK, "invoices").encode()))
    yield "token without label", dict(base, approvalToBeSigned=b64(
        ska.Token(ska.USE, "", GOOD.payload).encode()))
    yield "for another approver", dict(base, approverPublicKey=b64(other.spki))
    yield "timestamp over another payload", task_of(anna, ska.Token(
        ska.USE, "invoices", GOOD.payload, stamp, signature))
    yield "bytes behind the token", dict(base, approvalToBeSigned=b64(GOOD.encode() + bytes(4)))
    yield "no token", dict(base, approvalToBeSigned=None)


def test_a_lying_broker_gets_no_signature(desk, anna):
    for name, task in lies(anna):
        desk.shows(task)
        for args in (["approve", "t1", "--yes"], ["approve", "--all", "--yes"], ["tasks"]):
            done = desk(*args, code=6)
            assert "not what it claims" in done.err, (name, done)
    assert desk.approved == []


def test_what_the_hsm_did_not_sign_is_refused_when_its_keys_are_given(desk, anna, tmp_path):
    stamper, mallory = Approver("p256"), Approver("p256")
    (tmp_path / "stamp.pub").write_text(b64(stamper.spki))
    stamp = ska.Timestamp(1700000000, "timestamp-key", GOOD.payload).encode()

    def approve(who, code, *more):
        token = GOOD
        if who:
            token = ska.Token(ska.USE, "invoices", GOOD.payload, stamp,
                              ska.signature_encode("EC", "SHA-256", who.sign(stamp)))
        desk.shows(task_of(anna, token))
        return desk("approve", "t1", "--yes",
                   "--timestamp-key", tmp_path / "stamp.pub", *more, code=code)

    assert "checked" in approve(stamper, 0).out
    approve(mallory, 6)
    approve(None, 6)
    approve(stamper, 6, "--attestation-key", tmp_path / "stamp.pub")  # no attributes at all
    assert len(desk.approved) == 1


def test_without_a_terminal_nothing_is_approved_unasked(desk, anna):
    desk.shows(task_of(anna, GOOD))
    assert "--yes" in desk("approve", "t1", code=1).err
    assert desk.approved == []


def test_the_person_at_the_terminal_decides(desk, anna):
    desk.shows(task_of(anna, GOOD, 1), task_of(anna, GOOD, 2))
    code, shown, _ = desk.at_terminal("approve", "--all", answers=["n", "y"])
    assert code == 0 and shown.count("pay 10 to bert") == 2 and "approved t2" in shown
    assert desk.approved == ["t2"]


def test_nobody_is_asked_about_what_was_not_shown(desk, anna):
    desk.shows(task_of(anna, GOOD))
    code, shown, _ = desk.at_terminal("approve", "--all", "--json", answers=["y"])
    assert code == 0 and "pay 10 to bert" in shown and '{"approved":["t1"]}' in shown
    done = desk("approve", "--all", "--json", "--yes")
    assert done.json == {"approved": ["t1"]} and done.err == ""


def test_a_wrong_task_can_still_be_rejected(desk, broker, anna):
    desk.shows(dict(task_of(anna, GOOD), approvalToBeSigned=None))
    broker.answers["DELETE", "/v1/task"] = 200, b""
    done = desk("reject", "t1", "--yes")
    assert "rejected t1" in done.out and "not what it claims" in done.err
    sent, = broker.sent("DELETE", "/v1/task")
    assert sent["id"] == "t1" and verify(anna.public, "SHA-256", sent["timestamp"].encode(),
                                         unb64(sent["timestampSignature"]))


def test_a_task_that_is_not_open_exits_with_2(desk):
    desk.shows()
    assert "tsb tasks" in desk("approve", "t9", "--yes", code=2).err


def test_older_servers_without_level_6_are_asked_for_level_5(desk, broker, anna):
    broker.answers[FETCH] = lambda body: (200, {"tasks": [task_of(anna, GOOD)]}) \
        if body["detailLevel"] == "level5" else \
        (400, error(600, "res.error.input.validation.failed", "detailLevel"))
    assert "pay 10" in desk("tasks").out
    assert [b["detailLevel"] for b in broker.sent(*FETCH)] == ["level6", "level5"]


def test_tasks_come_in_pages(desk, anna):
    tasks = [task_of(anna, GOOD, n) for n in range(23)]
    desk.shows(*tasks)
    got = desk("tasks", "--json").json
    assert [t["id"] for t in got["tasks"]] == [t["id"] for t in tasks]


def test_a_page_beyond_the_bound_of_the_server_is_asked_again_by_halves(desk, broker, anna):
    """Small tasks made the pages grow, and then come a hundred large ones (here by their number)."""
    tasks = [task_of(anna, GOOD, n) for n in range(200)]
    large = range(50, 150)

    def page(body):
        size = body["paging"]["pageSize"]
        first = body["paging"]["pageNumber"] * size
        fit = len([n for n in large if first <= n < first + size])
        if fit > 8:
            return 400, error(600, "res.error.input.validation.failed", "this page has more than 32 "
                              "MiB, ask for pages of 8 entries (paging.pageSize)")
        return 200, {"tasks": tasks[first:first + size]}
    broker.answers[FETCH] = page
    got = desk("tasks", "--json").json
    assert [t["id"] for t in got["tasks"]] == [t["id"] for t in tasks]
    assert {b["detailLevel"] for b in broker.sent(*FETCH)} == {"level6"}


def test_a_task_alone_beyond_the_bound_is_refused(desk, broker):
    broker.answers[FETCH] = 400, error(600, "res.error.input.validation.failed",
                                       "ask for smaller pages (paging.pageSize)")
    assert "smaller pages" in desk("tasks", code=2).err
    assert [b["paging"]["pageSize"] for b in broker.sent(*FETCH)] == [16, 8, 4, 2, 1, 1]


def test_a_certificate_of_another_key_is_refused(anna, tmp_path, broker):
    other = Approver("p256", "other", certificate=True)
    (tmp_path / "c.pem").write_text(b64(other.certificate))
    assert "not a certificate of the key" in run(
        "tasks", "-k", anna.key, "--certificate", tmp_path / "c.pem", "-u", broker.url, code=1).err


# ---- 9/4.1: nothing is approved or rejected without a word ----

@pytest.mark.parametrize("command", ["approve", "reject"])
@pytest.mark.parametrize("which", [["--all"], ["--request", "r1"], ["t1"]])
def test_answering_nothing_says_so_and_exits_with_2(desk, command, which):
    desk.shows()
    done = desk(command, *which, "--yes", code=2)
    assert "nothing was " + command[:6] in done.err and "tsb tasks" in done.err, done
    assert "SHA256:" in done.err and "not asked, or has answered" in done.err, done


def answered_meanwhile(broker, *gone):
    broker.answers[APPROVAL] = lambda body: (200, b"") if body["id"] not in gone else \
        (404, error(652, "res.error.task.not.existent", "task does not exist"))


def test_all_goes_on_past_a_task_that_a_colleague_answered(desk, broker, anna):
    desk.shows(*[task_of(anna, GOOD, n) for n in range(1, 5)])
    answered_meanwhile(broker, "t1")
    code, shown, _ = desk.at_terminal("approve", "--all", answers=["y"] * 4)
    assert code == 2 and shown.count("[y/N]") == 4 and "3 of 4: Approve this?" in shown
    assert shown.count("answered by somebody else meanwhile") == 1
    assert all("approved t%d" % n in shown for n in (2, 3, 4)) and "approved t1" not in shown
    assert "of 4 tasks: 3 approved, 1 not open any more" in shown


def test_a_wrong_task_does_not_keep_the_others_open(desk, broker, anna):
    wrong = dict(task_of(anna, GOOD, 1), approvalToBeSigned=None)
    desk.shows(wrong, task_of(anna, GOOD, 2))
    answered_meanwhile(broker)
    done = desk("approve", "--all", "--yes", "--json", code=6)
    assert done.json == {"approved": ["t2"]}


def test_every_named_task_is_tried(desk, broker, anna):
    desk.shows(task_of(anna, GOOD, 2))
    answered_meanwhile(broker)
    done = desk("approve", "t1", "t2", "--yes", code=2)
    assert "approved t2" in done.out and "task t1 is not open" in done.err


def test_the_prompt_rejects_skips_and_quits(desk, broker, anna):
    desk.shows(*[task_of(anna, GOOD, n) for n in range(1, 6)])
    broker.answers["DELETE", "/v1/task"] = 200, b""
    answered_meanwhile(broker)
    code, shown, _ = desk.at_terminal("approve", "--all", answers=[
        "r", "\x1b[2J", "x" * 501, "no such order", "", "y", "q"])
    assert code == 0 and shown.count("[y/N]") == 4 and shown.count("Why?") == 3
    assert "without control characters" in shown and "more than 500 characters" in shown
    assert "of 5 tasks: 1 approved, 1 rejected, 2 skipped, 1 not answered" in shown
    assert [(b["id"], b["reason"]) for b in broker.sent("DELETE", "/v1/task")] == [
        ("t1", "no such order")]
    assert desk.approved == ["t3"]


def test_reject_asks_for_a_reason_unless_it_has_one(desk, broker, anna):
    desk.shows(*[task_of(anna, GOOD, n) for n in (1, 2)])
    broker.answers["DELETE", "/v1/task"] = 200, b""
    code, shown, _ = desk.at_terminal("reject", "--all", answers=["y", "", "y", "late"])
    assert code == 0 and shown.count("Why?") == 2
    code, shown, _ = desk.at_terminal("reject", "--all", "--reason", "all", answers=["y", "y"])
    assert code == 0 and "Why?" not in shown
    desk("reject", "--all", "--yes")
    desk("reject", "--all", "--yes", "--reason", "mine")
    assert [b.get("reason") for b in broker.sent("DELETE", "/v1/task")] == [
        None, "late", "all", "all", None, None, "mine", "mine"]
    for bad in ("", "a\nb", "x" * 501):
        before = len(broker.calls)
        assert "--reason" in desk("reject", "--all", "--yes", "--reason", bad, code=1).err
        assert len(broker.calls) == before


@pytest.mark.parametrize("abbreviated, full", [
    (["approve", "--al", "--yes"], "--all"), (["approve", "t1", "--yes-open", "--yes"],
                                              "--yes-open-rules"),
    (["reject", "--al"], "--all"), (["tasks", "--req=r1"], "--request"),
    (["tasks", "--req", "r1"], "--request")])
def test_abbreviated_options_are_refused(desk, broker, abbreviated, full):
    done = desk(*abbreviated, code=1)
    assert "written out: %s, not " % full in done.err and broker.calls == []


@pytest.mark.plain_only("a sanitizer needs address space of its own")
def test_many_tasks_take_few_calls_and_linear_memory(desk, broker, anna):
    tasks = [task_of(anna, GOOD, n) for n in range(3000)]
    desk.shows(*tasks)
    got = run("-c", "ulimit -v 250000 && exec \"$0\" \"$@\"", build_dir() / "tsb", "tasks", "--json",
              *desk.options, program="/bin/sh").json
    assert [t["id"] for t in got["tasks"]] == [t["id"] for t in tasks]
    assert len(broker.sent(*FETCH)) < 15


def test_save_writes_the_payloads_of_checked_tokens(desk, anna, tmp_path):
    folder, secret = tmp_path / "payloads", tmp_path / "secret"
    secret.write_text("mine")
    wrong = dict(task_of(anna, GOOD, 2), payload=b64(b"pay 999 to mallory"))
    desk.shows(task_of(anna, GOOD, 1), wrong)
    save = ["tasks", "--save", folder]
    desk(*save, code=6)
    assert [p.name for p in folder.iterdir()] == ["t1.payload"]
    assert (folder / "t1.payload").read_bytes() == GOOD.payload
    assert (folder / "t1.payload").stat().st_mode & 0o777 == 0o600
    (folder / "t1.payload").unlink()
    (folder / "t1.payload").symlink_to(secret)
    desk(*save, code=6)
    assert secret.read_text() == "mine" and not (folder / "t1.payload").is_symlink()
    desk.shows(dict(task_of(anna, GOOD), id="../../secret"))
    assert "no name for a file" in desk(*save, code=1).err and secret.read_text() == "mine"
