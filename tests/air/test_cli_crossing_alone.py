"""tsb offline export, import and scan, tsb key attributes and import, without sites."""
import json
import os
import threading

import pytest

from approver import Approver, b64, unb64, verify
from carried import Hsm, compact, hex_sha256, parts, signing
from tsb import error, run
from vault import PUT, bank, broker, crowd, hsm, raw_handler, room

pytestmark = pytest.mark.plain_only("the same code as with two sites, with much that is made up")


# ---- export ----

def status(r, met=None, approved=1):
    out = r.answer()
    if met is not None:
        out["approvalProgress"] = {"met": met, "tokens": [{"name": "t", "met": met, "groups": [
            {"name": "board", "quorum": 3, "approved": approved, "missing": 3 - approved}]}]}
    return out


def test_export_says_what_is_missing(broker, bank, room, crowd, tmp_path):
    a, b = signing(*crowd), signing(*crowd[:1])
    package = bank.package(room.spki, [a.item(), b.item()])
    broker.answers["POST", "/v1/package"] = 200, package.encode()
    broker.answers["GET", "/v1/request/" + a.id] = 200, status(a, True, 3)
    broker.answers["GET", "/v1/request/" + b.id] = 200, status(b, False, 1)
    out = tmp_path / "o"
    done = run("offline", "export", "-o", out, "-u", broker.url)
    assert out.read_text() == package and broker.sent("POST", "/v1/package") == [{}]
    assert "number of requests     2" in done.out
    assert "1 of 3 approved, 2 missing" in done.out and "NO, approvals are missing" in done.out
    done = run("offline", "export", b.id, "-o", out, "-u", broker.url, "--json").json
    assert broker.sent("POST", "/v1/package")[1] == {"requestIds": [b.id]}
    assert done["numberOfRequests"] == 2 and done["requests"][1]["ready"] is False
    broker.answers["GET", "/v1/request/" + a.id] = 200, status(a)
    assert "never imported" in run("offline", "export", "-o", out, "-u", broker.url).out
    broker.answers["POST", "/v1/package"] = 400, error(611, "res.error.unsupported.operation", "-")
    out.unlink()
    run("offline", "export", "-o", out, "-u", broker.url, code=2)
    assert not out.exists()
    broker.answers["POST", "/v1/package"] = 200, b"TSBPKG1 nonsense"
    run("offline", "export", "-o", out, "-u", broker.url, code=3)


def test_export_of_pictures_and_sheets(broker, crowd, tmp_path):
    a, b = signing(*crowd), signing(*crowd)
    one, several = b"\x89PNG one", [b"\x89PNG 1", b"\x89PNG 2"]
    for r, answer in ((a, one), (b, {"id": b.id, "parts": 2, "qrCodes": list(map(b64, several))})):
        broker.answers["GET", "/v1/request/" + r.id] = 200, status(r)
        broker.answers["GET", "/v1/request/qrCode/%s?text=parts" % r.id] = 200, answer
        for form in ("svg", "html", "pdf-ready"):
            broker.answers["GET", "/v1/request/qrCode/%s?format=%s" % (r.id, form)] = \
                200, form.encode()
    qr = tmp_path / "qr"
    run("offline", "export", b.id, "--qr", qr, "-u", broker.url)
    assert [(qr / ("request-%s-%d.png" % (b.id, k))).read_bytes() for k in (1, 2)] == several
    assert "pictures already" in run("offline", "export", a.id, "--qr", qr, "-u", broker.url,
                                     code=1).err
    run("offline", "export", a.id, b.id, "--qr", tmp_path / "two", "-u", broker.url)
    assert (tmp_path / "two" / a.id / ("request-%s-1.png" % a.id)).read_bytes() == one
    for name, more, content in (("s.svg", [], "svg"), ("s.html", [], "html"),
                                ("s.html", ["--format", "pdf-ready"], "pdf-ready")):
        run("offline", "export", a.id, "--sheet", tmp_path / name, *more, "-u", broker.url)
        assert (tmp_path / name).read_text() == content
    for wrong in ([a.id, "--sheet", "x.pdf"], [a.id, b.id, "--sheet", "x.svg"], [a.id],
                  [a.id, "-o", "x", "--format", "svg"]):
        run("offline", "export", *wrong, "-u", broker.url, code=1, cwd=tmp_path)
    assert broker.sent("POST", "/v1/package") == []


# ---- import ----

def test_import_tells_what_became_of_each(broker, bank, room, crowd, tmp_path):
    a, b, c = signing(*crowd), signing(*crowd), signing(*crowd)
    failed = {**status(b), "status": "FAILED", "result": "insufficient"}
    refused = {"id": c.id, "error": error(403, "res.error.input.invalid.signature", "not its")}
    bodies = []
    raw_handler(broker, bodies)
    broker.answers[PUT] = 200, {"requests": [{**status(a), "status": "EXECUTED", "result": "eA=="},
                                             failed, refused]}
    path = room.write("TSBPKG1 whatever it is\n")
    done = run("offline", "import", path, "-u", broker.url, code=2)
    assert bodies == ["TSBPKG1 whatever it is"]
    assert "executed" in done.out and a.id in done.out and b.id + ": insufficient" in done.out
    assert c.id + ": not its (403" in done.out
    made = run("offline", "import", path, "-u", broker.url, "--json", code=2).json["requests"]
    assert [r["status"] for r in made] == ["EXECUTED", "FAILED", "REFUSED"]
    broker.answers[PUT] = 200, {**status(a), "status": "EXECUTED", "result": "eA=="}
    single = room.write(json.dumps({"id": a.id, "signature": "eA=="}, indent=1), ".json")
    assert a.id in run("offline", "import", single, "-u", broker.url).out
    assert bodies[-1] == compact({"id": a.id, "signature": "eA=="})
    broker.answers[PUT] = 400, error(611, "res.error.unsupported.operation", "another result")
    done = run("offline", "import", single, path, "-u", broker.url, code=2)
    assert done.err.count("another result") == 2


# ---- scan ----

def test_scan_goes_on_until_all_is_there(room, crowd, tmp_path):
    r, other = signing(*crowd), signing(*crowd)
    lines = r.lines(300)
    n = len(lines)
    seen = [lines[0], lines[0], "4006381333931", other.lines(300)[0]] + lines[2:] + [lines[1]]
    feed = tmp_path / "seen"
    feed.write_text("\n".join(seen + ["never read"]) + "\n")
    out = tmp_path / "o"
    done = run("offline", "scan", "--device", feed, "-o", out)
    assert "have 1 of %d, missing 2 to %d" % (n, n) in done.err
    assert "have %d of %d, missing 2" % (n - 1, n) in done.err and "not one of ours" in done.err
    assert other.id in done.err
    assert sorted(out.read_text().splitlines()) == sorted(lines)
    assert run("offline", "scan", "--device", "-", input=feed.read_bytes()).out == out.read_text()
    assert room("offline", "show", out, "--json").json["requests"][0]["id"] == r.id


def test_scan_of_a_pipe_that_stays_open(crowd, tmp_path):
    r = signing(*crowd)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = {}
    scanner = threading.Thread(target=lambda: done.update(
        it=run("offline", "scan", "--device", pipe)))
    scanner.start()
    with open(pipe, "w") as f:
        f.write("QR-Code:%s\n" % compact(r.input))
        f.flush()
        scanner.join(30)
    assert done["it"].out == compact(r.input) + "\n"


def test_scan_that_ends_too_early(crowd, tmp_path):
    lines = signing(*crowd).lines(300)
    done = run("offline", "scan", "--device", "-", input=lines[1].encode(), code=8)
    assert "have 1 of" in done.err and done.out == ""
    assert "nothing was scanned" in run("offline", "scan", "--device", "-", code=8).err
    assert "no camera" in run("offline", "scan", "--device", tmp_path / "video9", code=1).err
    bad = [line[:-1] + "?" for line in lines]
    run("offline", "scan", "--device", "-", input="\n".join(bad).encode(), code=1)


def test_a_camera_is_read_by_zbarcam(crowd, tmp_path):
    """/dev/null is a character device; a stand-in prints what the camera saw."""
    r = signing(*crowd)
    cam = tmp_path / "zbarcam"
    cam.write_text("#!/bin/sh\nprintf '%%s\\n' \"$@\" >%s/args\ncat %s/seen\nexec sleep 60\n" %
                   (tmp_path, tmp_path))
    cam.chmod(0o755)
    (tmp_path / "seen").write_text("\n".join(r.lines(300)) + "\n")
    env = {"PATH": "%s:%s" % (tmp_path, os.environ["PATH"]), "DISPLAY": ""}
    done = run("offline", "scan", "--device", "/dev/null", env=env)
    assert sorted(done.out.splitlines()) == sorted(r.lines(300))
    args = (tmp_path / "args").read_text().split()
    assert args[-1] == "/dev/null" and "--nodbus" in args
    env = {"PATH": str(tmp_path / "nothing")}
    assert "zbar-tools" in run("offline", "scan", "--device", "/dev/null", env=env, code=1).err


# ---- key attributes, import ----

def test_attributes_travel_as_the_hsm_gave_them(broker, crowd, tmp_path):
    hsm = Hsm(broker, *crowd)
    out = tmp_path / "invoices.json"
    (tmp_path / "good.pem").write_bytes(hsm.attester.pem())
    (tmp_path / "bad.pem").write_bytes(Approver("p256").pem())
    run("key", "attributes", "invoices", "-o", out, "-u", broker.url,
        "--attestation-key", tmp_path / "good.pem")
    carried = json.loads(out.read_text())
    assert verify(hsm.attester.public, "SHA-256", carried["xml"].encode(),
                  unb64(carried["xmlSignature"]))
    run("key", "attributes", "invoices", "-o", tmp_path / "no", "-u", broker.url,
        "--attestation-key", tmp_path / "bad.pem", code=6)
    run("key", "attributes", "elsewhere", "-o", tmp_path / "no", "-u", broker.url, code=2)
    run("key", "attributes", "invoices", "-u", broker.url, code=1)
    assert not (tmp_path / "no").exists()

    path = ("POST", "/v1/key/import/attributes")
    broker.answers[path] = lambda body: (200, body)
    done = run("key", "import", out, "-u", broker.url)
    assert broker.sent(*path) == [carried]
    for shown in ("invoices", "anna", "3 of 3 must approve", hex_sha256(carried["xml"].encode())[:8]):
        assert shown in done.out, shown
    run("key", "import", out, "-u", broker.url, "--attestation-key", tmp_path / "bad.pem", code=6)
    broker.answers[path] = 403, error(403, "res.error.input.invalid.signature", "not pinned")
    assert "not pinned" in run("key", "import", out, "-u", broker.url, code=2).err
    (tmp_path / "junk").write_text("{}")
    run("key", "import", tmp_path / "junk", "-u", broker.url, code=1)
