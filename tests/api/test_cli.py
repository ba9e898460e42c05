"""The command line against a real site."""
import os
import pathlib
import re
import subprocess

import pytest

from client import unique
from private_site import build_dir

pytestmark = pytest.mark.nginx_only("the command line sees no web server")

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALGORITHM = "SHA256_WITH_ECDSA"


def test_two_of_three_approve_and_the_signature_verifies(tsb):
    key = unique("cli")
    files = tsb.people("anna", "bert", "cora")
    shown = tsb("key", "create", key, "-a", "EC", "--approvers", files, "--quorum", "2").out
    assert "2 of 3 must approve" in shown and "OPEN" not in shown
    assert key in tsb("key", "list").out.splitlines()

    request = tsb("sign", key, "order.txt", "-a", ALGORITHM, "--meta", "invoice 17").out.strip()
    waiting = tsb("tasks", "-k", "anna.key.pem").out
    for text in (key, "pay 10 to bert", "invoice 17", "2 of 3 must approve, 0 did", request):
        assert text in waiting
    assert "PENDING" in tsb("request", "show", request).out
    tsb("request", "wait", request, "--timeout", "1", code=5)
    tsb.approve("anna", request)
    assert "2 of 3 must approve, 1 did" in tsb("tasks", "-k", "bert.key.pem").out
    assert "nothing waits" in tsb("tasks", "-k", "anna.key.pem").err
    tsb.approve("bert", request)
    tsb("request", "wait", request, "--timeout", "20", "--out", "order.sig")

    verify = ["verify", key, "order.txt", "order.sig", "-a", ALGORITHM]
    assert tsb(*verify).out == "valid\n"
    spki = tsb("key", "show", key, "--json").json["json"]["publicKey"]
    (tsb.folder / "key.pub").write_text(
        "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % spki)
    subprocess.run(["openssl", "dgst", "-sha256", "-verify", "key.pub", "-signature", "order.sig",
                    "order.txt"], check=True, cwd=tsb.folder, stdout=subprocess.DEVNULL)
    (tsb.folder / "order.txt").write_text("pay 999 to mallory\n")
    assert "NOT valid" in tsb(*verify, code=6).err
    assert tsb.approve("cora", request, code=2).out == ""     # nothing left to approve


@pytest.mark.online_only("keys are made in the room")
def test_a_file_of_hex_digits_is_signed_as_their_bytes(tsb):
    key, (digits, same) = unique("cli"), (tsb.folder / "order.hex", tsb.folder / "order.bin")
    tsb("key", "create", key, "-a", "EC")
    digits.write_text(bytes(range(32)).hex().upper() + "\n")
    same.write_bytes(bytes(range(32)))
    tsb("sign", key, digits, "-a", ALGORITHM, "--payload-type", "HEX", "--wait", "--out", "hex.sig")
    tsb("verify", key, digits, "hex.sig", "-a", ALGORITHM, "--payload-type", "HEX")
    tsb("verify", key, same, "hex.sig", "-a", ALGORITHM)
    tsb("sign", key, same, "-a", ALGORITHM, "--payload-type", "HEX", code=2)


@pytest.mark.online_only("keys are made in the room")
def test_taproot(tsb):
    key, root = unique("cli"), "ab" * 32
    (tsb.folder / "sighash").write_bytes(bytes(32))
    how = ["-a", "NONE_WITH_EC_SCHNORR_BIP0340", "--taproot"]
    tsb("key", "create", key, "-a", "EC", "--curve", "secp256k1", "--approvers", tsb.people("anna"))
    request = tsb("sign", key, "sighash", *how, "root=%s,aux=%s" % (root, "00" * 32)).out.strip()
    shown = tsb("tasks", "-k", "anna.key.pem").out
    assert "merkle root" in shown and root + " (as the request says; approvals do not cover it)" in shown
    tsb.approve("anna", request)
    tsb("request", "wait", request, "--timeout", "20", "--out", "taproot.sig")
    tsb("verify", key, "sighash", "taproot.sig", *how, "root=" + root)
    assert "NOT valid" in tsb("verify", key, "sighash", "taproot.sig", *how[:2], code=6).err
    for wrong in ("root=" + root[2:], "tree=" + root, root, "root=" + root + ",", "tweak=" + "zz" * 32):
        assert "--taproot" in tsb("sign", key, "sighash", *how, wrong, code=1).err


@pytest.mark.online_only("keys are made in the room")
def test_a_key_with_a_policy_is_not_destroyable_unless_asked(tsb):
    make = ["key", "create", "-a", "EC", "--approvers", tsb.people("anna")]
    kept, lost = unique("cli"), unique("cli")
    assert "nobody can destroy " + kept in tsb(*make, kept).err
    assert "key delete" not in tsb(*make, kept, code=2).err        # as a hint: the name is taken
    tsb("key", "delete", kept, "--yes", code=2)
    warned = tsb(*make, lost, "--attributes", "sign,destroyable", "--json")
    assert "role keyManagement can destroy " + lost in warned.err and warned.json["json"]
    tsb("key", "delete", lost, "--yes")
    assert tsb("key", "create", unique("cli"), "-a", "EC").err == ""


@pytest.mark.online_only("keys are made in the room")
def test_a_key_with_a_policy_for_several_uses_warns(tsb):
    make = ["key", "create", "-a", "RSA", "--size", "2048", "--approvers", tsb.people("anna"),
            "--attributes"]
    warning = "an approval counts for every use of the same bytes"
    key = unique("cli")
    assert "!!! " + warning in tsb(*make, "sign,decrypt", key).out
    assert "!!! " + warning in tsb("key", "show", key).out
    assert warning in tsb("key", "show", key, "--json").err
    assert warning not in tsb(*make, "sign", unique("cli")).out


@pytest.mark.parametrize("kind", ["rsa", "p384", "p521", "secp256k1", "ed25519"])
def test_approver_keys_of_all_types_approve(tsb, kind):
    key = unique("cli")
    tsb("key", "create", key, "-a", "RSA", "--size", "2048", "--approvers",
        tsb.people("anna", kind=kind))
    request = tsb("sign", key, "order.txt", "-a", "SHA256_WITH_RSA").out.strip()
    tsb.approve("anna", request)
    tsb("request", "wait", request, "--timeout", "20", "--out", "order.sig")
    tsb("verify", key, "order.txt", "order.sig", "-a", "SHA256_WITH_RSA")


def test_a_key_without_policy_signs_at_once(tsb):
    key = unique("cli")
    assert "an ordinary key" in tsb("key", "create", key, "-a", "ED").out
    signature = tsb("sign", key, "-a", "EDDSA", "--wait", input=b"from a pipe").out
    (tsb.folder / "text").write_bytes(b"from a pipe")
    (tsb.folder / "sig").write_text(signature)
    tsb("verify", key, "text", "sig", "-a", "EDDSA")
    tsb("key", "delete", key, code=1)                 # nobody to ask
    tsb("key", "delete", key, "--yes")
    assert "tsb key list" in tsb("key", "show", key, code=2).err


def test_rejected_and_cancelled_requests_exit_with_4(tsb):
    key = unique("cli")
    tsb("key", "create", key, "-a", "EC", "--approvers", tsb.people("anna", "bert"))
    request = tsb("sign", key, "order.txt", "-a", ALGORITHM).out.strip()
    task = re.search(r"id +(\S+)", tsb("tasks", "-k", "anna.key.pem").out).group(1)
    assert "rejected " + task in tsb("reject", task, "--yes", "--reason", "not our \u202e customer",
                                     "-k", "anna.key.pem").out
    assert "REJECTED: not our \\xe2\\x80\\xae customer" in tsb("request", "wait", request, code=4).err
    assert re.search(r"rejected by +EC SHA256:.*\n.*reason +not our \\xe2\\x80\\xae customer",
                     tsb("request", "show", request).out)
    assert "tsb tasks" in tsb("approve", task, "--yes", "-k", "anna.key.pem", code=2).err

    request = tsb("sign", key, "order.txt", "-a", ALGORITHM).out.strip()
    tsb("request", "cancel", request)
    assert "CANCELLED" in tsb("request", "wait", request, code=4).err


def test_wrong_api_keys_name_the_variable(tsb):
    for args, name in ((["key", "list"], "TSB_KEY_MANAGEMENT_TOKEN"),
                       (["request", "show", "0191f3a2-0000-7000-8000-000000000000"],
                        "TSB_KEY_OPERATION_TOKEN")):
        assert "set " + name in tsb(*args, "--token", "wrong", code=2).err
    failure = tsb("key", "list", "--token", "wrong", "--json", code=2).failure
    assert failure["errorCode"] == 631 and failure["exit"] == 2


def test_an_approver_whose_clock_is_off_is_told_so(tsb):
    tsb.people("anna")
    tsb.env.pop("TSB_TEST_CLOCK", None)
    tsb.site.forward(3600)
    assert "clock" in tsb("tasks", "-k", "anna.key.pem", code=2).err


def test_schema_status_and_upgrade(tsb):
    conf = tsb.site.dir / "tsb.conf"
    state = tsb("schema", "status", "-f", conf, "--json", program="tsb-admin").json
    assert state["version"] == state["wanted"] and state["state"] == "up to date"
    tsb("schema", "upgrade", "-f", conf, "--dir", ROOT / "schema", program="tsb-admin")


def test_the_lines_of_the_openssl_guide_work(tsb):
    """Runs docs/approve-with-openssl.md as it is printed, but for addresses and the passphrase."""
    text = (ROOT / "docs" / "approve-with-openssl.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    settings, make_key, helpers, proof, fetch, look, approve, reject, _, change, whole = blocks
    script = "set -eu\nkey=anna.key.pem\n" + helpers + proof + fetch
    env = dict(os.environ, **tsb.env)
    env["PATH"] = "%s:%s" % (build_dir(), env["PATH"])

    def sh(lines):
        return subprocess.run(["sh", "-c", lines], cwd=tsb.folder, env=env, check=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()
    assert "TSB_URL=" in settings and "-aes-256-cbc" in make_key
    sh(make_key.replace("-aes-256-cbc ", ""))
    key = unique("guide")
    tsb("key", "create", key, "-a", "EC", "--approvers", "anna.pub.pem")
    # The guide takes the time of the machine: the site's clock may have been moved by another test.
    script = script.replace("date -u", "date -u -d '+%d seconds'" % tsb.site.offset)
    request = tsb("sign", key, "order.txt", "-a", ALGORITHM).out.strip()
    assert key in sh(script + look + approve)
    tsb("request", "wait", request, "--timeout", "20")
    request = tsb("sign", key, "order.txt", "-a", ALGORITHM).out.strip()
    sh(script + look + reject)
    tsb("request", "wait", request, code=4)

    # changing over to a key of one's own, and the script
    tsb.people("bert")
    request = subprocess.run(["sh", "-c", change.replace("invoices", key)], cwd=tsb.folder, env=env,
                             check=True, timeout=60, stdout=subprocess.PIPE).stdout.decode().strip()
    tsb.approve("anna", request)
    tsb("request", "wait", request, "--timeout", "20")
    request = tsb("sign", key, "order.txt", "-a", ALGORITHM).out.strip()
    other = tsb("sign", key, "order.txt", "-a", ALGORITHM).out.strip()
    (tsb.folder / "approve").write_text(whole.replace(
        "date -u", "date -u -d '+%d seconds'" % tsb.site.offset))
    for name, answers in (("anna", "y\nn\n"), ("bert", "y\ny\n")):
        done = subprocess.run(["sh", "approve", name + ".key.pem"], cwd=tsb.folder, env=env,
                              input=answers, check=True, timeout=60, stdout=subprocess.PIPE,
                              text=True)
        assert done.stdout.count("Approve task") == 2 and "pay 10 to bert" in done.stdout
    tsb("request", "wait", request, "--timeout", "20")
    assert "PENDING" in tsb("request", "show", other).out


@pytest.mark.online_only("keys are made in the room")
def test_the_tour_of_the_readme_can_be_pasted_whole(tsb):
    """A shell reads it from its input, as when it is pasted: what asks there would eat the rest."""
    tour = re.search(r"```sh\n(eval .*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    env_line, _, lines = tour.partition("\n")
    assert "tools/site env" in env_line
    tsb.people("alice", "bob", "carol")
    lines = lines.replace("var/site/tour/", "").replace("PATH=$PWD/build:$PATH", "")
    done = subprocess.run(["sh", "-eu"], input=lines, cwd=tsb.folder, timeout=60, text=True,
                          env=dict(os.environ, PATH="%s:%s" % (build_dir(), os.environ["PATH"]),
                                   no_proxy="127.0.0.1", **tsb.env),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    assert '"status":"EXECUTED"' in done.stdout.splitlines()[-1]


@pytest.mark.online_only("keys are made in the room")
def test_the_tour_of_quickstart_shows_refusals(tsb):
    done = subprocess.run([ROOT / "tools" / "tour", tsb.folder], timeout=60, text=True,
                          env=dict(os.environ, PATH="%s:%s" % (build_dir(), os.environ["PATH"]),
                                   no_proxy="127.0.0.1", **tsb.env),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    alone, direct, changed = (done.stdout.split("== " + step)[1].split("\n==")[0] for step in (
        "One approval is not enough", "Nor does the HSM sign", "Whoever changes the payment"))
    assert "(exit code 5)" in alone
    assert '"errorCode":' in direct
    assert "900.00" in changed and "Verification failure" in changed.title().replace("F", "f")


def test_a_long_command_shows_that_it_lives(tmp_path):
    done = subprocess.run(["script", "-qec", "sh -c '. %s/tools/lib/life.sh; life log sh -c "
                           "\"echo compiling; sleep 1.5\"'" % ROOT, "/dev/null"], cwd=tmp_path,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, text=True)
    assert done.returncode == 0 and "1 s  compiling" in done.stdout, done
