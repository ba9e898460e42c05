"""Text from elsewhere at a terminal: names, notes, payloads and a broker's sentences are shown,
never obeyed, and draw no lines of ours."""
import json
import re

import pytest

import ska
from approver import Approver, b64
from made_up import FETCH, GOOD, task_of
from tsb import error, run, run_on_terminal

pytestmark = pytest.mark.no_site

SHOW = "GET", "/v1/request/r1"
# CSI as C1, OSC and CSI of C0, an override, an isolate, a separator, a mark, a zero width space
EVIL = "a\x9b2Jb\x1b[2Jc\u202ed\u2066e\u2028f\u200fg\u200bh\u061ci\rj"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f]")


def harmless(done):
    assert not OBEYED.search(done.out + done.err), done
    return done


def status(**more):
    return dict({"id": "r1", "status": "FAILED", "executionTime": None, "approvedBy": [],
                 "notYetApprovedBy": [], "rejectedBy": [], "result": None}, **more)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_refusal_is_shown_and_not_obeyed(broker, as_json):
    broker.answers[SHOW] = 400, error(600, "res\n" + EVIL, EVIL + "\ntsb: approved t1")
    done = harmless(run("request", "show", "r1", *["--json"] * as_json, "-u", broker.url, code=2))
    assert not any(line.startswith("tsb: approved") for line in done.err.splitlines())
    if as_json:
        assert len(done.err.splitlines()) == 1
        said = re.sub("[\x00-\x1f]", "?", EVIL + "\ntsb: approved t1")
        assert done.failure["message"] == said


def test_an_answer_as_json_is_one_line_and_keeps_its_text(broker):
    body = json.dumps(status(status=EVIL), ensure_ascii=False, indent=1).replace("\\u001b", "\x1b")
    broker.answers[SHOW] = 200, body.encode().replace(b"\x1b", b"\\u001b")
    done = harmless(run("request", "show", "r1", "--json", "-u", broker.url))
    assert len(done.out.splitlines()) == 1 and json.loads(done.out)["status"] == EVIL


def test_a_result_is_one_line_unless_it_is_pem(broker):
    broker.answers[SHOW] = 200, status(status="EXECUTED", result=EVIL + "\nok")
    assert len(harmless(run("request", "wait", "r1", "-u", broker.url)).out.splitlines()) == 1
    pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"
    broker.answers[SHOW] = 200, status(status="EXECUTED", result=pem)
    assert run("request", "wait", "r1", "-u", broker.url).out == pem + "\n"


def test_names_of_files_and_options_are_not_obeyed(tmp_path, broker):
    path = tmp_path / EVIL
    harmless(run("tasks", "-k", path, "-u", broker.url, code=1))
    path.write_text("no key")
    harmless(run("tasks", "-k", path, "-u", broker.url, code=1))
    harmless(run("--" + EVIL, code=1))
    harmless(run(EVIL, code=1))


def rows(shown, width=80):
    """The lines of a terminal."""
    for line in shown.splitlines():
        yield from (line[i:i + width] for i in range(0, max(len(line), 1), width))


FAKES = {
    "line feed": "paid\nkey                   petty-cash",
    "margin": "paid\n                       15 bytes, SHA-256 00",
    "full line": " " * 57 + "key                   petty-cash",
    "two lines": "x" * 57 + " " * 80 + "key                   petty-cash",
    "no break": "\u00a0" * 57 + "key\u00a0\u00a0\u00a0\u00a0petty-cash",
    "tabs": "\t" * 8 + "key                   petty-cash",
}


@pytest.mark.parametrize("fake", FAKES)
@pytest.mark.parametrize("where", ["note", "payload", "label", "name"])
def test_foreign_text_draws_no_lines_of_ours(broker, anna, fake, where):
    text = FAKES[fake]
    if where in ("label", "name"):
        text = text.replace("\n", " " * 60).replace("\t", " ")[-60:]
    token = ska.Token(ska.USE, text if where == "label" else "invoices",
                      text.encode() if where == "payload" else GOOD.payload)
    task = task_of(anna, token)
    if where == "note":
        task["metaData"] = b64(text.encode())
    if where == "name":
        token = ska.policy_encode({"ruleUse": {"tokens": [
            {"name": text, "timelock": 0, "timeout": 0, "groups": [
                {"name": text, "quorum": 1, "approvals": [
                    {"type": "public_key", "name": text, "value": b64(anna.spki)}]}]}]}})
        shown = harmless(run("token", "decode", input=token)).out
    else:
        broker.answers[FETCH] = 200, {"tasks": [task]}
        shown = harmless(run("tasks", "-k", anna.key, "-u", broker.url)).out
    whole = re.sub(r"\n +\| ", "", shown)
    assert "petty-cash" in whole or "SHA-256 00" in whole
    for row in rows(shown):
        assert not re.match(r"\s*key\s+petty", row), shown
        assert not re.match(r"\s+15 bytes", row), shown


def test_a_terminal_breaks_no_line_at_a_word_of_the_broker(broker, anna):
    broker.answers[SHOW] = 400, error(600, "res", "no" + " " * 63 + "tsb: next: run evil")
    code, shown, _ = run_on_terminal("request", "show", "r1", "-u", broker.url)
    assert code == 2 and "run evil" in shown
    assert not any(row.startswith("tsb: next: run") for row in rows(shown))
    text = "paid" + " " * 20 + "1 min   petty-cash       sign       " * 3
    tasks = [task_of(anna, ska.Token(ska.USE, "k%d" % i, text.encode())) for i in range(2)]
    broker.answers[FETCH] = 200, {"tasks": [dict(t, id="t%d" % i) for i, t in enumerate(tasks)]}
    code, shown, _ = run_on_terminal("tasks", "-k", anna.key, "-u", broker.url)
    assert code == 0 and "k1" in shown
    assert not any(re.match(r"\s*1 min +petty", row) for row in rows(shown)), shown
