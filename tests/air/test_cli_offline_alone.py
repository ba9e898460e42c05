"""tsb offline init, trust, run and show without sites: packages made up here, a made-up HSM, and
everything that has to be refused."""
import json
import os
import random
import subprocess
import threading

import pytest

import ska
from approver import Approver, b64, spki_of, unb64, verify
from carried import (ATTRIBUTES, SIGN, Site, blocking, compact, hex_sha256, modifying, new_id,
                     parts, signing)
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from made_up import four, rule
from tsb import error, run, run_on_terminal
from vault import PUT, Room, bank, broker, crowd, hsm, raw_handler, room

pytestmark = pytest.mark.plain_only("the same code as with two sites, with much that is made up")


# ---- init, trust ----

def test_a_room_is_made_once(tmp_path):
    made = run("offline", "init", tmp_path / "vault", "--site", "the vault", "--json").json
    key = (tmp_path / "vault" / "site.pub").read_bytes()
    assert made["site"] == "the vault"
    assert made["fingerprint"] == hex_sha256(spki_of(load_pem_public_key(key)))
    assert len(made["fingerprintWords"].split()) == 32
    assert (tmp_path / "vault" / "site.key").stat().st_mode & 0o777 == 0o600
    assert "nothing is overwritten" in run("offline", "init", tmp_path / "vault", code=1).err
    assert (tmp_path / "vault" / "site.pub").read_bytes() == key
    assert [p.name for p in tmp_path.iterdir()] == ["vault"]
    run("offline", "init", tmp_path / "named-by-its-folder/")
    assert (tmp_path / "named-by-its-folder" / "name").read_text() == "named-by-its-folder\n"


def test_a_site_is_believed_after_somebody_said_so(tmp_path, bank, broker):
    room = Room(tmp_path, bank, broker.url)
    pub = room.stick / "bank.pub"
    peer = room.folder / "peers" / "bank.pub"
    assert "--yes" in room("offline", "trust", pub, code=1).err and not peer.exists()
    code, shown, _ = run_on_terminal("offline", "trust", pub, env=room.env, answers=["n"])
    assert code == 1 and not peer.exists()
    code, shown, _ = run_on_terminal("offline", "trust", pub, env=room.env, answers=["y"])
    assert code == 0 and hex_sha256(bank.key.spki)[:8] in shown
    assert spki_of(load_pem_public_key(peer.read_bytes())) == bank.key.spki
    assert "already" in room("offline", "trust", pub).err
    other = room.stick / "sub" / "bank.pub"
    other.parent.mkdir()
    other.write_bytes(Site().key.pem())
    assert "another key" in room("offline", "trust", other, "--yes", code=1).err
    room("offline", "trust", other, "--yes", "--site", "second")
    own = room.folder / "site.pub"
    assert "this room itself" in room("offline", "trust", own, "--yes", code=1).err
    junk = room.stick / "junk"
    junk.write_text("no key\n")
    assert "no PEM" in room("offline", "trust", junk, "--yes", code=1).err
    nowhere = {**room.env, "TSB_OFFLINE_ROOM": str(tmp_path / "nowhere")}
    assert "no offline room" in room("offline", "trust", pub, env=nowhere, code=1).err


# ---- run: what is executed and what comes out ----

def test_a_package_is_executed_and_answered_by_a_package(room, hsm, crowd):
    a, b = signing(*crowd), signing(*crowd, payload=b"pay 20 to cora")
    results = room.run(room.package(a, b))
    assert set(results) == {a.id, b.id}
    for r, payload in ((a, b"pay 10 to bert"), (b, b"pay 20 to cora")):
        assert verify(hsm.key.public, "SHA-256", payload, unb64(results[r.id]["signature"]))
    assert hsm.calls == [a.input, b.input]  # to the byte what was carried
    assert "executed " + a.id in room.last.out
    for shown in ("pay 10 to bert", "invoices", "bank", "anna", "bert", "cora", "3 of 3 must",
                  "the approvals suffice", a.digest[:8]):
        assert shown in room.last.out, shown


def test_the_same_again_changes_nothing(room, hsm, crowd):
    r = signing(*crowd)
    first = room.run(room.package(r))
    again = room.run(room.package(r))
    assert again == first and len(hsm.calls) == 1 and "known " + r.id in room.last.out
    # by another way, and with one approval less
    fewer = signing(*crowd[:2], rid=r.id)
    assert room.run(room.write("\n".join(r.lines()), ".txt")) == first
    assert room.run(room.package(fewer)) == first and len(hsm.calls) == 1


def test_another_request_of_the_same_id_is_refused_by_name(room, hsm, crowd):
    r = signing(*crowd)
    room.run(room.package(r))
    assert room.run(room.package(signing(*crowd, payload=b"pay 99", rid=r.id)), code=6) == {}
    assert r.id in room.last.err and "another request of the same id" in room.last.err
    assert len(hsm.calls) == 1


def test_changes_of_a_key_bring_its_attributes(room, hsm, crowd):
    block, unblock = blocking(*crowd), blocking(*crowd, kind="unblock")
    policy = four(rule(*crowd[:2], quorum=2))
    modify = modifying(policy, *crowd)
    results = room.run(room.package(block, unblock, modify))
    xml = [results[r.id]["attributes"]["xml"] for r in (block, unblock, modify)]
    assert ["<blocked>true" in x for x in xml] == [True, False, False]
    assert "<quorum>3" in xml[1] and "<quorum>2" in xml[2]
    for r in results.values():
        attested = r["attributes"]
        assert verify(hsm.attester.public, "SHA-256", attested["xml"].encode(),
                      unb64(attested["xmlSignature"]))
    assert "WEAKER" in room.last.out and "2 approvals may be enough" in room.last.out


def test_a_refusal_of_the_hsm_is_a_result(room, broker, hsm, crowd):
    broker.answers[SIGN] = 400, error(607, "res.error.algorithm.not.supported.by.key", "not so")
    r = signing(*crowd)
    result = room.run(room.package(r), code=4)[r.id]
    assert (result["failed"], result["errorCode"]) == ("not so", 607)
    assert "failed %s: not so" % r.id in room.last.out
    del broker.answers[SIGN]
    assert room.run(room.package(r), code=4) == {r.id: result}


def test_a_key_that_is_not_there_is_a_failure(room, hsm, broker, crowd):
    """As with the published sample: its key does not exist here."""
    broker.answers[SIGN] = 404, error(650, "res.error.key.not.existent", "no such key")
    r = signing(*crowd, label="elsewhere")
    assert room.run(room.package(r), code=4)[r.id]["errorCode"] == 650
    assert "no key of this name" in room.last.out


@pytest.mark.parametrize("answer, code", [
    ((401, error(631, "res.error.invalid.api.key", "wrong")), 2),
    ((400, error(620, "res.error.key.password.mismatch", "wrong")), 2),
    ((500, error(700, "res.error.in.subystem", "away")), 2),
    ((500, error(2, "res.error.connectivity", "away")), 3),
    ((503, b"<html>"), 3),
    ((404, b"<html>"), 2),
    ((200, b"not JSON"), 3)])
def test_what_is_no_decision_is_no_result(room, hsm, broker, crowd, answer, code):
    broker.answers[SIGN] = answer
    r = signing(*crowd)
    assert room.run(room.package(r), code=code) == {} and "run it again" in room.last.err
    broker.answers[SIGN] = hsm.sign
    assert "signature" in room.run(room.package(r))[r.id]


def test_the_key_password_is_added_here(room, hsm, crowd, tmp_path):
    (tmp_path / "password").write_text("opensesame\n")
    r = signing(*crowd)
    room.run(room.package(r), "--password-file", tmp_path / "password")
    sent, = hsm.calls
    assert sent["signRequest"].pop("keyPassword") == "opensesame" and sent == r.input
    assert [b.get("password") for b in hsm.broker.sent(*ATTRIBUTES)] == ["opensesame"]
    assert not any("opensesame" in p.read_text() for p in (room.folder / "done").iterdir())


def test_roles(room, hsm, crowd, broker):
    env = {"TSB_KEY_MANAGEMENT_TOKEN": "manage", "TSB_KEY_OPERATION_TOKEN": "operate"}
    room.run(room.package(signing(*crowd), modifying(four(rule(*crowd, quorum=3)), *crowd)),
             env=env)
    used = {(path, headers["X-API-KEY"]) for _, path, _, headers in broker.calls}
    assert used == {("/v1/key/attributes", "manage"), ("/v1/synchronousSign", "operate"),
                    ("/v1/synchronousModify", "manage")}


# ---- run: who decides ----

def test_too_few_approvals_are_left_for_later(room, hsm, crowd):
    r = signing(*crowd[:2])
    assert room.run(room.package(r), code=4) == {} and hsm.calls == [] and room.journal() == []
    assert "NOT ENOUGH" in room.last.out and "left " + r.id in room.last.out
    complete = signing(*crowd, rid=r.id)
    assert "signature" in room.run(room.package(complete))[r.id]


def test_somebody_may_have_the_hsm_decide(room, hsm, broker, crowd):
    broker.answers[SIGN] = 500, error(701, "res.error.in.hsm", "insufficient")
    r, out = signing(*crowd[:2]), room.stick / "o"
    path = room.package(r)
    code, shown, _ = run_on_terminal("offline", "run", path, "-o", out, env=room.env,
                                     answers=["n"])
    assert code == 4 and not out.exists() and "do not suffice" in shown
    code, shown, _ = run_on_terminal("offline", "run", path, "-o", out, env=room.env,
                                     answers=["y"])
    assert code == 4 and room.results(out.read_text())[r.id]["errorCode"] == 701


def test_the_person_at_the_terminal_decides(room, hsm, crowd):
    a, b, out = signing(*crowd), signing(*crowd, payload=b"pay 20"), room.stick / "o"
    code, shown, _ = run_on_terminal("offline", "run", room.package(a, b), "-o", out,
                                     env=room.env, answers=["n", "y"])
    assert code == 4 and shown.count("Have the HSM do this?") == 2
    assert set(room.results(out.read_text())) == {b.id} and len(hsm.calls) == 1
    assert "--yes" in room("offline", "run", room.package(a), "-o", out, code=1).err


def test_an_approval_of_a_stranger_is_said(room, hsm, crowd):
    r = signing(*crowd, Approver("p256", "mallory"))
    assert room.run(room.package(r), code=4) == {} and hsm.calls == []
    assert "whom the rule does not ask" in room.last.out


def test_a_blocked_key_is_left(room, hsm, crowd):
    hsm.blocked = True
    assert room.run(room.package(signing(*crowd)), code=4) == {} and hsm.calls == []
    assert "BLOCKED" in room.last.out


def test_a_policy_that_opens_is_asked_about(room, hsm, crowd):
    r = modifying({"ruleUse": rule(crowd[0])}, *crowd)
    assert room.run(room.package(r), code=4) == {} and hsm.calls == []
    assert "OPEN TO EVERYONE" in room.last.out
    assert r.id in room.run(room.package(r), "--yes-open-rules")


def test_attributes_that_the_hsm_did_not_sign(room, hsm, crowd, tmp_path):
    (tmp_path / "good.pem").write_bytes(hsm.attester.pem())
    (tmp_path / "bad.pem").write_bytes(Approver("p256").pem())
    r = signing(*crowd)
    assert room.run(room.package(r), "--attestation-key", tmp_path / "bad.pem", code=6) == {}
    assert hsm.calls == []
    assert r.id in room.run(room.package(r), "--attestation-key", tmp_path / "good.pem")


# ---- run: lies ----

def bent(crowd):
    def changed(**inner):
        r = signing(*crowd)
        r.inner.update(inner)
        return r
    yield "payload", changed(payload=b64(b"pay 999 to mallory")), "another payload", False
    yield "key", changed(signKeyName="payroll"), "keyName", True
    r = signing(*crowd)
    r.inner["signKeyName"], r.more["keyName"] = "payroll", "payroll"
    yield "key everywhere", r, "another key", False
    r = blocking(*crowd)
    r.kind, r.envelope, r.inner = "unblock", "unblockRequest", {"unblockKeyName": "invoices"}
    yield "operation", r, "another operation", False
    r = modifying(four(rule(*crowd, quorum=3)), *crowd)
    r.inner["policy"] = four(rule(crowd[0]))
    yield "policy", r, "another policy", False
    r = signing(*crowd)
    r.approvals[1] = r.approvals[1][:-44] + r.approvals[0][-44:]
    yield "approver", r, "approval 2", False
    r = signing(*crowd)
    approval = ska.SignedApproval.decode(unb64(r.approvals[0]))
    kind, digest, raw = ska.signature_decode(approval.signature)
    approval.signature = ska.signature_encode(kind, digest, crowd[0].sign(b"something else"))
    r.approvals[0] = b64(approval.encode())
    yield "signature", r, "signature of approval 1", False
    r = signing(*crowd)
    r.approvals[2] = b64(unb64(r.approvals[2])[:-4])
    yield "cut", r, "approval 3", False
    stamp = ska.Timestamp(1700000000, "t", b"pay 10 to bert").encode()
    token = ska.Token(ska.USE, "invoices", b"pay 10 to bert", stamp,
                      ska.signature_encode("EC", "SHA-256", bytes(8)))
    r = signing(*crowd)
    r.approvals[2] = crowd[2].signed_approval(token.encode())
    yield "two tokens", r, "another token", False
    r = signing(*crowd)
    r.inner["keyPassword"] = "opensesame"
    yield "password", r, "must not be carried", True


def test_what_approvers_did_not_sign_is_never_executed(room, hsm, crowd):
    for name, r, said, whole in bent(crowd):
        good = signing(*crowd)
        # what contradicts itself spoils its package, what contradicts its approvals only itself
        done = set() if whole else {good.id}
        assert set(room.run(room.package(r, good), code=6)) == done, name
        assert said in room.last.err, (name, room.last)
        shown = room("offline", "show", room.package(r), code=6)
        assert said in shown.err and "suffice" not in shown.out, name
    assert all("signRequest" in c for c in hsm.calls)
    assert all(c["signRequest"]["payload"] == b64(b"pay 10 to bert") for c in hsm.calls)


def test_packages_that_are_not_for_this_room(room, hsm, crowd, bank):
    r = signing(*crowd)
    good = bank.package(room.spki, [r.item()])
    lies = {
        "not trusted": Site().package(room.spki, [r.item()]),
        "this site has the key": bank.package(Site().key.spki, [r.item()]),
        "place for requests": bank.package(room.spki, [], kind="results"),
        "damaged or was changed": good.replace("invoices", "payrolls"),
        "signature": good.replace(good.split(" ")[3], b64(bytes(64))),
        "not known here": bank.package(room.spki, [r.item()], tsbPackage=2),
        "ends in its": good[:100],
    }
    for said, text in lies.items():
        assert room.run(room.write(text), code=6) == {}, said
        assert said in room.last.err, (said, room.last)
    assert hsm.calls == [] and room.journal() == []
    env = {"TSB_OFFLINE_ROOM": str(room.folder / "nowhere")}
    assert "no offline room" in room("offline", "show", room.write(good), env=env, code=1).err


# ---- run: unsigned sources ----

def test_json_text_and_the_answer_of_the_broker(room, hsm, crowd):
    for n, text in enumerate((
            lambda r: json.dumps(r.answer(), indent=2), lambda r: compact(r.item()),
            lambda r: "\r\n".join(r.lines()), lambda r: "QR-Code:" + "\nQR-Code:".join(r.lines()),
            lambda r: "\n\n".join(reversed(r.lines() * 2)))):
        r = signing(*crowd, payload=b"%d" % n)
        assert "signature" in room.run(room.write(text(r), ".txt"))[r.id], n
        assert "nobody signed the whole" in room.last.out
    assert len(hsm.calls) == 5


def test_standard_input(room, hsm, crowd):
    r, out = signing(*crowd), room.stick / "o"
    room("offline", "run", "-", "--yes", "-o", out, input=compact(r.item()).encode())
    assert r.id in room.results(out.read_text())


def test_a_code_without_an_id(room, hsm, crowd):
    r = signing(*crowd)
    bare = room.write(compact(r.input), ".json")
    first = room.run(bare)
    assert set(first) == {r.token_hash} and "id" not in first[r.token_hash]
    assert room.run(bare) == first and len(hsm.calls) == 1
    assert room.journal() == ["token-%s.json" % r.token_hash]
    # named, it is another one: the same approvals a second time, and nobody vouches for that
    assert room.run(bare, "--request", r.id, code=4) == {} and len(hsm.calls) == 1
    assert "executed before" in room.last.err and "nobody signed this" in room.last.out
    # a package of the site does
    assert set(room.run(room.package(r))) == {r.id} and len(hsm.calls) == 2


def test_request_names_one_request_without_id(room, hsm, crowd):
    r = signing(*crowd)
    bare = room.write(compact(r.input), ".json")
    assert set(room.run(bare, "--request", r.id)) == {r.id}
    assert room.run(bare, "--request", "x", code=1) == {} and "--request" in room.last.err
    assert room.run(room.package(r), "--request", new_id(), code=1) == {}
    assert "there are 0" in room.last.err
    nobody = signing(payload=b"no approval")
    free = room.write(compact(nobody.input), ".json")
    assert room.run(free, code=6) == {} and "--request" in room.last.err


def test_an_id_that_the_parts_do_not_carry(room, hsm, crowd):
    r = signing(*crowd)
    lines = parts(compact(r.answer()), new_id())
    assert room.run(room.write("\n".join(lines), ".txt"), code=6) == {}
    assert r.id in room.last.err and hsm.calls == []


def test_missing_mixed_and_damaged_parts(room, hsm, crowd):
    r, other = signing(*crowd), signing(*crowd, payload=b"other")
    lines, others = r.lines(150), other.lines(150)
    n = len(lines)
    assert n > 8
    assert room.run(room.write("\n".join([lines[0]] + lines[2:3] + lines[6:]), ".txt"),
                    code=8) == {}
    assert "parts 2, 4 to 6 of %d are missing" % n in room.last.err
    assert room.run(room.write("\n".join(lines + others[:1]), ".txt"), code=1) == {}
    assert other.id in room.last.err
    assert room.run(room.write("\n".join(lines[:-1] + [lines[-1][:-1] + "?"]), ".txt"),
                    code=1) == {}
    assert "hash" in room.last.err or "misread" in room.last.err
    assert room.run(room.write("\n".join(lines + ["what is this?"]), ".txt"), code=1) == {}
    assert "line %d" % (n + 1) in room.last.err
    assert room.run(room.write("", ".txt"), code=1) == {} and "is empty" in room.last.err
    assert hsm.calls == []
    # spread over two files
    first = room.write("\n".join(lines[:3]), ".txt")
    assert r.id in room.run(first, room.write("\n".join(lines[2:]), ".txt"))


# ---- pictures ----

def test_results_as_pictures_are_read_back(room, hsm, crowd, broker, tmp_path):
    """The way of QR codes: what run writes, import reads; shuffled, renamed, doubled."""
    requests = [signing(*crowd, payload=os.urandom(600)) for _ in range(20)]
    qr, text = room.stick / "qr", room.stick / "out.txt"
    results = room.run(room.package(*requests), "--qr", qr, "--text", text)
    names = sorted(p.name for p in qr.iterdir())
    lines = text.read_text().splitlines()
    assert len(names) == len(lines) > 1 and all(n.startswith("result-") for n in names)
    pictures = [qr / n for n in names]
    random.shuffle(pictures)
    odd = tmp_path / "-x:%d[0].png"
    odd.write_bytes(pictures[0].read_bytes())
    bodies = []
    raw_handler(broker, bodies)
    broker.answers[PUT] = 200, {"requests": []}

    def package_of(*args):
        bodies.clear()
        run("offline", "import", *args, "-u", broker.url)
        text, = bodies
        return room.results(text)
    assert package_of(qr) == results
    assert package_of(*pictures, pictures[-1], odd) == results
    assert package_of(text) == results
    # one is damaged, another missing
    pictures[0].write_bytes(pictures[0].read_bytes()[:200])
    done = run("offline", "import", *pictures, "-u", broker.url, code=8)
    assert str(pictures[0]) in done.err and "missing" in done.err
    assert "pictures already" in room("offline", "run", room.package(*requests), "--yes", "--qr",
                                      qr, code=1).err


def test_without_zbar_it_says_what_to_install(room, tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    env = {**room.env, "PATH": str(tmp_path)}
    assert "zbar-tools" in room("offline", "show", picture, env=env, code=1).err
    assert "no readable QR code in %s" % picture in room("offline", "show", picture, code=1).err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no pictures" in room("offline", "show", empty, code=1).err


# ---- show ----

def test_show_needs_no_hsm(room, hsm, crowd, broker):
    r = signing(*crowd[:2])
    path = room.package(r)
    alone = {"TSB_OFFLINE_ROOM": str(room.folder)}
    shown = room("offline", "show", path, env=alone)
    assert "pay 10 to bert" in shown.out and "not known" in shown.out and broker.calls == []
    made = room("offline", "show", path, "--json").json["requests"][0]
    assert made["id"] == r.id and made["digest"] == r.digest and made["signedBySite"]
    assert made["suffices"] is False and len(made["approvedBy"]) == 2
    assert room("offline", "show", room.package(signing(*crowd)), "--json").json["requests"][0][
        "suffices"]
    away = {**alone, "TSB_URL": "http://127.0.0.1:1"}
    assert "not known" in room("offline", "show", path, env=away).out


def test_notes_and_what_no_approval_covers(room, hsm, crowd):
    r = signing(*crowd)
    r.more["metaData"] = b64(b"urgent \x1b[2J")
    shown = room("offline", "show", room.package(r)).out
    assert "caller's note" in shown and "\x1b" not in shown
    assert "approvals do not cover it" in shown


def test_run_wants_to_know_where_the_results_go(room, hsm, crowd, tmp_path, bank, broker):
    assert "--out" in room("offline", "run", room.package(signing(*crowd)), "--yes", code=1).err
    (tmp_path / "other").mkdir()
    fresh = Room(tmp_path / "other", bank, broker.url)
    bare = fresh.write(compact(signing(*crowd).item()), ".json")
    assert fresh.run(bare, code=1) == {} and "no site is trusted" in fresh.last.err
    assert len(fresh.run(bare, "--to", fresh.stick / "bank.pub")) == 1
    second = Site()
    fresh.trust()
    (fresh.stick / "second.pub").write_bytes(second.key.pem())
    fresh("offline", "trust", fresh.stick / "second.pub", "--yes")
    assert fresh.run(bare, code=1) == {} and "--to" in fresh.last.err
    both = [fresh.package(signing(*crowd)),
            fresh.write(second.package(fresh.spki, [signing(*crowd).item()]))]
    assert fresh.run(both[0], both[1], code=1) == {} and "run it alone" in fresh.last.err


# ---- kill -9 ----

def killed(room, path, faults, code=-9):
    clean = {**os.environ, **room.env, "TSB_TEST_FAULTS": str(faults)}
    out = room.stick / "out.tsbpkg"
    done = subprocess.run([os.path.join(os.environ["TSB_BUILD"], "tsb"), "offline", "run", path,
                           "--yes", "-o", out], env=clean, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)
    assert done.returncode == code and not out.exists(), done


STEPS = ["cli.run.intended", "cli.run.called", "cli.run.recorded"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["sign", "block", "modify"])
def test_a_kill_at_any_step_is_recovered(room, hsm, crowd, tmp_path, kind, step):
    r = {"sign": lambda: signing(*crowd), "block": lambda: blocking(*crowd),
         "modify": lambda: modifying(four(rule(*crowd[:1], quorum=1)), *crowd)}[kind]()
    faults, path = tmp_path / "faults", room.package(r)
    faults.write_text(step + " kill\n")
    killed(room, path, faults)
    assert room.journal() == [r.id + ".json"]
    result = room.run(path)[r.id]
    assert "failed" not in result
    # signing again does no harm, the others happen once
    assert len(hsm.calls) == (2 if kind == "sign" and step == "cli.run.called" else 1)
    if kind != "sign":
        assert unb64(result["attributes"]["xmlSignature"])
    assert room.run(path)[r.id] == result


def test_after_a_kill_a_key_that_somebody_changed_is_not_changed_again(room, hsm, crowd, tmp_path):
    r = blocking(*crowd)
    faults, path = tmp_path / "faults", room.package(r)
    faults.write_text("cli.run.called kill\n")
    killed(room, path, faults)
    hsm.blocked, hsm.policy = False, four(rule(*crowd, quorum=2))
    assert "not known" in room.run(path, code=4)[r.id]["failed"] and len(hsm.calls) == 1


def test_a_damaged_journal_stops_everything(room, hsm, crowd):
    r = signing(*crowd)
    path = room.package(r)
    room.run(path)
    entry = room.folder / "done" / (r.id + ".json")
    whole = entry.read_text()
    for damage in (whole[:-30], "", whole.replace('"state"', '"stage"'),
                   whole.replace('"done"', '"done","done":1', 1).replace('"result"', '"r"')):
        entry.write_text(damage)
        assert room.run(path, code=1) == {} and "damaged" in room.last.err, damage
    assert len(hsm.calls) == 1


def test_two_runs_at_once(room, hsm, crowd, broker):
    started, go = threading.Event(), threading.Event()

    def slow(body):
        started.set()
        go.wait(30)
        return hsm.sign(body)
    broker.answers[SIGN] = slow
    path, out = room.package(signing(*crowd)), room.stick / "first"
    first = threading.Thread(target=lambda: room("offline", "run", path, "--yes", "-o", out))
    first.start()
    assert started.wait(30)
    assert room.run(path, code=1) == {} and "another" in room.last.err
    go.set()
    first.join()
    assert out.exists() and len(hsm.calls) == 1
