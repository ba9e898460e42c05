"""The command line without a site: reading tokens, making keys, brokers that refuse, stall or lie."""
import base64
import datetime
import json
import os
import pathlib
import signal
import ssl
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import ska
from approver import Approver, b64, unb64, verify
from made_up import FETCH, attributes_xml, new_approver, rule
from tsb import error, run, run_on_terminal

pytestmark = pytest.mark.no_site

VECTORS = json.loads((pathlib.Path(__file__).resolve().parent.parent / "vectors" /
                      "approval-tokens.json").read_text())
KINDS = {"approval-token": "approval token", "signed-approval": "signed approval",
         "timestamp-token": "timestamp token", "policy": "policy",
         "unwrap-payload": "unwrap payload", "der-signature": "signature with algorithm",
         "key-attributes": "key attributes"}
COMMANDS = ["key password", "key rename", "key restrict", "key derive", "key xpub", "key address",
            "key export", "key attest", "data put", "data get", "data list", "data delete", "hmac",
            "key create", "key list", "key show", "key delete", "key block", "key unblock",
            "key modify", "sign", "verify", "encrypt", "decrypt", "wrap", "unwrap",
            "timestamp", "file encrypt", "file decrypt",
            "certificate request", "certificate sign", "certificate selfsign", "certificate show",
            "request show", "request wait", "request list", "request cancel", "approver new",
            "approver create", "approver onboard", "approver status", "approver renew",
            "approver restore", "approver change-password", "approver delete", "tasks",
            "approve", "reject", "token decode", "key attributes", "key import", "offline export",
            "offline import", "offline init", "offline trust", "offline scan", "offline show",
            "offline run", "apikey new"]
ADMIN_COMMANDS = ["setup", "schema status", "schema upgrade"]
SETUP = pathlib.Path(__file__).resolve().parents[2] / "cli" / "admin" / "setup"


# ---- use ----

@pytest.mark.parametrize("program, page, commands", [("tsb", "tsb.1", COMMANDS),
                                                     ("tsb-admin", "tsb-admin.8", ADMIN_COMMANDS)])
def test_every_command_explains_itself_and_is_in_the_man_page(program, page, commands):
    listed = run("--help", program=program).out
    assert listed.count("\n  ") == len(commands)
    man = (pathlib.Path(__file__).resolve().parents[2] / "man" / page).read_text()
    for command in commands:
        words = command.split()
        assert "  %s " % command in listed
        if command == "setup":      # a program of its own, which "make install" puts in its place
            text = subprocess.run(["sh", SETUP, "--help"], text=True, check=True,
                                  stdout=subprocess.PIPE).stdout
        else:
            text = run(*words, "--help", program=program).out
        assert text.startswith("usage: %s %s" % (program, command))
        for line in text.splitlines():
            if "--" in line and line.startswith("  "):
                name = line.split("--")[1].split()[0]
                assert "Fl -%s" % name in man, "%s: --%s is not in %s" % (command, name, page)


@pytest.mark.parametrize("command, says", [
    ("key create", ["RSA, EC, ED", "P-521", "life of a request"]),
    ("key modify", ["life of a request"]),
    ("sign", ["NONE_WITH_RSA_PSS", "KECCAK256_WITH_ECDSA", "EDDSA", "DER, RAW or ETH",
              "NONE_WITH_EC_SCHNORR_BIP0340", "--taproot LIST",
              "wait at most", "$TSB_KEY_OPERATION_TOKEN"]),
    ("verify", ["SHA256_WITH_ECDSA_DETERMINISTIC"]),
    ("decrypt", ["RSA_PADDING_OAEP_WITH_SHA256", "AES_GCM"]),
    ("unwrap", ["AES_WRAP_PAD_EC"]),
    ("certificate selfsign", ["SHA384_WITH_ECDSA", "[365]"]),
    ("approver create", ["[3650]", "2048, 3072 or 4096", "$TSB_APPROVER_KEY_MANAGEMENT_TOKEN"]),
    ("approver new", ["ed25519, ml-dsa-65 ... [p256]"]),
])
def test_help_has_the_options_of_the_command_first_and_lists_algorithms(command, says):
    text = run(*command.split(), "--help").out
    own, common = text.split("\noptions of all commands:\n")
    assert "\noptions:\n" in own and "--json" not in own and "--url" not in own
    for part in says:
        assert part in text, text
    assert not {"ISS_KERL", "BLS"} & set(own.split())    # known, but not made
    assert not (command.startswith("certificate") and "KECCAK" in own)    # X.509 has no name
    assert all(len(line) <= 110 and line == line.rstrip() for line in text.splitlines())


def test_help_is_found_where_people_look_for_it():
    for command in ("request list", "reject", "approver change-password"):
        text, words = run(*command.split(), "--help").out, command.split()
        assert run("help", *words).out == text and run("--help", *words).out == text
        if len(words) == 2:
            assert run(words[0], "help", words[1]).out == text
    assert run("help").out == run("--help").out
    of_group = run("request", "--help").out
    assert of_group.count("\n  request ") == 4 and "sign" not in of_group
    for other in (["request", "help"], ["help", "request"], ["--help", "request"]):
        assert run(*other).out == of_group
    page = run("help", "approver", "change-password").out.splitlines()
    columns = {line.index(says) for says in ("the new password", "backup password,", "this text")
               for line in page if "--" in line and says in line}
    assert len(columns) == 1    # also behind long options
    assert "no command 'request frobnicate'" in run("help", "request", "frobnicate", code=1).err
    assert "no command 'frobnicate'" in run("help", "frobnicate", code=1).err


@pytest.mark.parametrize("args, says", [
    ([], "name a command"),
    (["frobnicate"], "no command 'frobnicate'"),
    (["key", "frobnicate"], "no command 'key frobnicate'"),
    (["key", "show"], "NAME is missing"),
    (["key", "show", "a", "b"], "'b' is one operand too many"),
    (["key", "list", "--nonsense"], "there is no option --nonsense"),
    (["key", "list", "-Z"], "there is no option -Z"),
    (["key", "list", "--approvers", "x"], "there is no option --approvers"),
    (["sign", "k", "--out"], "option --out needs a value"),
    (["sign", "k", "--type", "RAW", "--type", "DER"], "--type is given twice"),
    (["sign", "k"], "give --algorithm"),
    (["key", "list"], "set TSB_URL"),
    (["key", "list", "-u", "gopher://x"], "gopher"),
    (["request", "list", "--status", "DONE", "-u", "http://x"], "no state 'DONE'"),
    (["approve", "-k", "/nonexistent"], "name tasks"),
    (["approve", "--all"], "give the approver's private key"),
])
def test_wrong_use_exits_with_1_and_says_what_to_do(args, says):
    done = run(*args, code=1)
    assert says in done.err and done.out == ""


@pytest.mark.parametrize("args", [["schema"], ["schema", "status"], ["schema", "upgrade", "-f", "x"]])
def test_the_schema_is_the_matter_of_another_program(args):
    assert "use tsb-admin schema" in run(*args, code=1).err


def test_tsb_admin_fails_as_tsb_does(tmp_path):
    assert "no command 'frobnicate'" in run("frobnicate", program="tsb-admin", code=1).err
    conf = tmp_path / "tsb.conf"
    conf.write_text("[general]\nprofile = air-gapped\n[database]\nsocket = %s/none\n"
                    "adminUser = root\n" % tmp_path)
    done = run("schema", "status", "-f", conf, program="tsb-admin", code=3)
    assert "tsb-admin: the database cannot be reached" in done.err
    assert "tsb-admin: next: check [database]" in done.err


def test_options_may_stand_before_the_command(broker):
    broker.answers["GET", "/v1/key"] = 200, ["a"]
    assert run("--json", "--url", broker.url, "key", "list").json == ["a"]


def test_apikey_and_its_digest_belong_together():
    import hashlib
    made = run("apikey", "new", "--json").json
    assert len(made["apiKey"]) == 64
    assert made["settingsLine"] == "sha256:" + hashlib.sha256(made["apiKey"].encode()).hexdigest()
    assert run("apikey", "new").out != run("apikey", "new").out


# ---- tokens ----

@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_decode_shows_every_vector(vector, tmp_path):
    raw = base64.b64decode(vector["base64"])
    for given in (vector["base64"].encode(), raw, base64.encodebytes(raw)):
        done = run("token", "decode", "--json", input=given)
        assert done.json["kind"] == KINDS[vector["kind"]]
    path = tmp_path / "token"
    path.write_bytes(raw)
    assert run("token", "decode", "--json", path).json == done.json
    assert run("token", "decode", "--json", vector["base64"]).json == done.json
    assert run("token", "decode", path).out.startswith("kind ")


def vector_of(name):
    return next(v for v in VECTORS if v["name"] == name)


def test_decode_checks_the_signature_inside():
    vector = vector_of("seed-signed-approval-rsa")
    good = run("token", "decode", "--json", vector["base64"]).json
    assert good["token"] == dict(good["token"], operation="use", keyLabel="MSI-StandaloneKey")
    assert good["token"]["payload"]["text"] == "harro"
    assert good["approvalSignature"]["verified"] == "yes"
    raw = bytearray(base64.b64decode(vector["base64"]))
    raw[raw.index(b"harro")] ^= 1
    bad = run("token", "decode", "--json", input=bytes(raw), code=6)
    assert bad.json["approvalSignature"]["verified"] == "NO" and bad.json["warnings"]


def test_decode_checks_the_timestamp_with_the_key_given(tmp_path):
    vector = vector_of("modify-with-timestamp")
    key = next(s["key"] for s in vector["signatures"] if s["what"] == "timestamp")
    (tmp_path / "stamp.pub").write_text(key)
    done = run("token", "decode", "--json", "--timestamp-key", tmp_path / "stamp.pub",
               vector["base64"]).json
    assert done["timestamp"]["timestampSignature"]["verified"] == "yes"
    (tmp_path / "other.pub").write_text(b64(Approver("p256").spki))
    run("token", "decode", "--timestamp-key", tmp_path / "other.pub", vector["base64"], code=6)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["kind"] in (
    "approval-token", "signed-approval", "timestamp-token", "policy", "unwrap-payload")],
    ids=lambda v: v["name"])
def test_decode_refuses_what_is_cut_or_longer(vector):
    raw = base64.b64decode(vector["base64"])
    for broken in (raw[:-4], raw + b"\0\0\0\0", raw[:3]):
        assert run("token", "decode", input=broken, code=1).out == ""


def test_a_policy_that_names_only_ruleUse_is_marked_as_open(anna):
    policy = ska.policy_encode({"ruleUse": rule(anna)})
    text = run("token", "decode", input=policy).out
    for verb in ("block this key", "unblock this key", "replace the policy of this key"):
        assert "!!! OPEN TO EVERYONE: no approval is needed to %s" % verb in text
    assert "needed to use" not in text
    shown = run("token", "decode", "--json", input=policy).json
    assert [shown[r]["open"] for r in ("ruleUse", "ruleBlock", "ruleUnblock", "ruleModify")] == \
        [False, True, True, True]
    token = ska.Token(ska.MODIFY, "k", policy).encode()
    assert "OPEN TO EVERYONE" in run("token", "decode", input=token).out


@pytest.mark.parametrize("start, end, says", [
    (-20, -10, "no longer valid"), (10, 20, "not valid yet"), (-10, 10, None)])
def test_certificates_of_approvers_that_are_not_valid_are_marked(start, end, says):
    """Key creation, key show and tasks show policies in the same way."""
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    one = Approver(name="anna", certificate=True)
    entry = {"type": "certificate", "name": "anna", "value": b64(
        one.certificate_for("anna", now + start * day, now + end * day))}
    use = {"tokens": [{"name": None, "timelock": 0, "timeout": 0, "groups": [
        {"name": "g", "quorum": 1, "approvals": [entry]}]}]}
    text = run("token", "decode", input=ska.policy_encode({"ruleUse": use})).out
    assert ("anna: certificate: %s; its approvals count all the same" % says in text) == bool(says)
    assert ("all the same" in text) == bool(says)


def test_keys_as_json_warn_of_certificates_that_are_not_valid(broker):
    """The answer is printed as it came, so stderr has the warning, once."""
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    people = [Approver(name=name, certificate=True) for name in ("anna", "bert")]
    entries = [{"type": "certificate", "name": one.name, "value": b64(
        one.certificate_for(one.name, now - 20 * day, now + end * day))}
        for one, end in zip(people, (-10, 10))]
    use = {"tokens": [{"name": None, "timelock": 0, "timeout": 0, "groups": [
        {"name": "g", "quorum": 1, "approvals": entries}]}]}
    xml = attributes_xml("k", {"ruleUse": use, "ruleBlock": use}, people[0].spki)
    answer = {"xml": xml, "xmlSignature": b64(b"x"), "attestationKeyName": "a", "json": {}}
    broker.answers["POST", "/v1/key/attributes"] = 200, answer
    done = run("key", "show", "k", "--json", "-u", broker.url)
    assert done.json == answer
    line, = done.err.splitlines()
    assert line.startswith("tsb: warning: ") and line.endswith(
        "anna: certificate: no longer valid; its approvals count all the same")


def test_rules_that_nobody_can_meet_are_marked(anna):
    policy = ska.policy_encode({"ruleUse": rule(anna), "ruleBlock": {"tokens": []},
                                "ruleUnblock": rule(anna, quorum=2), "ruleModify": rule(anna)})
    text = run("token", "decode", input=policy).out
    assert "NEVER: nobody can ever block this key" in text
    assert "fewer approvers than its quorum" in text and "OPEN" not in text


def test_a_payload_cannot_play_with_the_terminal():
    for payload in (b"\x1b]0;gone\x07", b"pay 1 \xe2\x80\xae001", b"\xc2\x9b2J", b"a\rb",
                    b"\xef\xbb\xbfbom", b"\xff\xfe"):
        done = run("token", "decode", input=ska.Token(ska.USE, "k", payload).encode())
        assert payload not in done.raw and payload.hex() in done.out, done


# ---- approver new ----

@pytest.mark.parametrize("kind, digest", [("p256", "SHA-256"), ("p384", "SHA-384"),
                                          ("p521", "SHA-512"), ("secp256k1", "SHA-256"),
                                          ("rsa", "SHA-256"), ("ed25519", "EdDSA")])
def test_key_pairs_of_all_types_prove_who_asks(tmp_path, broker, kind, digest):
    person = new_approver(tmp_path, "p", kind)
    assert stat.S_IMODE(os.stat(person.key).st_mode) == 0o600
    der = subprocess.run(["openssl", "pkey", "-in", person.key, "-pubout", "-outform", "DER"],
                         check=True, stdout=subprocess.PIPE).stdout
    assert der == person.spki
    broker.answers[FETCH] = 200, {"tasks": []}
    run("tasks", "-u", broker.url, "-k", person.key)
    asked = broker.sent(*FETCH)[0]
    assert asked["timestampDigestAlgorithm"] == digest
    assert asked["timestamp"].endswith("Z") and len(asked["timestamp"]) == 20
    assert unb64(asked["approverPublicKey"]) == person.spki
    assert verify(person.public, digest, asked["timestamp"].encode(),
                  unb64(asked["timestampSignature"]))


def test_a_passphrase_encrypts_and_is_asked_for(tmp_path, broker):
    secret = tmp_path / "pass"
    secret.write_text("correct horse\n")
    run("approver", "new", "p", "--out", tmp_path, "--passphrase-file", secret)
    key = tmp_path / "p.key.pem"
    assert "ENCRYPTED" in key.read_text()
    subprocess.run(["openssl", "pkey", "-in", key, "-passin", "file:%s" % secret, "-noout"],
                   check=True)
    broker.answers[FETCH] = 200, {"tasks": []}
    tasks = ["tasks", "-u", broker.url, "-k", key]
    run(*tasks, "--passphrase-file", secret)
    run(*tasks, env={"TSB_APPROVER_PASSPHRASE": "correct horse"})
    assert "passphrase is wrong" in run(*tasks, env={"TSB_APPROVER_PASSPHRASE": "no"}, code=1).err
    assert "is encrypted: give --passphrase-file" in run(*tasks, code=1).err


def test_no_key_is_made_without_a_passphrase_or_over_an_old_one(tmp_path):
    assert "--no-passphrase" in run("approver", "new", "p", "--out", tmp_path, code=1).err
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "p.pub.pem").write_text("mine")
    assert "exists" in run("approver", "new", "p", "--out", tmp_path, "--no-passphrase",
                           code=1).err
    assert [p.name for p in tmp_path.iterdir()] == ["p.pub.pem"]
    assert "shorter" in run("approver", "new", "q", "--out", tmp_path, code=1,
                            env={"TSB_APPROVER_PASSPHRASE": "short"}).err
    assert "file name" in run("approver", "new", "../q", "--no-passphrase", code=1).err


def test_passphrases_typed_at_the_terminal_are_not_shown(tmp_path, broker):
    new = ["approver", "new", "p", "--out", tmp_path]
    code, shown, echo = run_on_terminal(*new, answers=["correct horse", "wrong horse"])
    assert code == 1 and "differ" in shown and list(tmp_path.iterdir()) == []
    code, shown, echo = run_on_terminal(*new, answers=["correct horse", "correct horse"])
    assert code == 0 and echo and "horse" not in shown
    broker.answers[FETCH] = 200, {"tasks": []}
    code, shown, echo = run_on_terminal("tasks", "-u", broker.url, "-k", tmp_path / "p.key.pem",
                                        answers=["correct horse"])
    assert code == 0 and echo and "horse" not in shown and "nothing waits" in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_the_prompt_turns_the_echo_on_again(tmp_path, number):
    code, shown, echo = run_on_terminal("approver", "new", "p", "--out", tmp_path, signal=number)
    assert code == -number and echo and list(tmp_path.iterdir()) == []


# ---- brokers that refuse or are away ----

@pytest.mark.parametrize("status, body, code, says", [
    (401, error(631, "res.error.invalid.api.key", "API key is missing or invalid."), 2,
     "set TSB_KEY_MANAGEMENT_TOKEN"),
    (400, error(404, "res.error.input.timestamp.off", "Too old."), 2, "clock"),
    (404, error(650, "res.error.key.not.existent", "No such key."), 2, "tsb key list"),
    (400, error(620, "res.error.key.password.mismatch", "Wrong."), 2, "--password-file"),
    (500, error(701, "res.error.in.hsm", "No."), 2, "the HSM refused"),
    (400, error(9999, "res.error.from.the.future", "Ahead."), 2, "9999 res.error.from.the.future"),
    (404, b"<html>", 2, "does not offer /v1/key/attributes"),
    (502, b"<html>Bad Gateway", 3, "is not running"),
    (503, error(2, "res.error.connectivity", "The broker does not run."), 3, "try again"),
    (500, error(2, "res.error.connectivity", "no HSM answers"), 3, "no HSM answers"),
    (500, error(703, "res.error.io", "the HSM may or may not have done it"), 3, "look before"),
    (200, b"{\"xml\":", 3, "not understood"),
    (200, b"[]", 3, "not understood"),
])
def test_refusals_have_exit_codes_and_hints(broker, status, body, code, says):
    broker.answers["POST", "/v1/key/attributes"] = status, body
    done = run("key", "show", "k", "-u", broker.url, code=code)
    assert done.out == "" and says in done.err


def test_refusals_as_json(broker):
    body = error(652, "res.error.task.not.existent", "Gone \"away\".")
    broker.answers["GET", "/v1/request/x"] = 404, body
    failure = run("request", "show", "x", "--json", "-u", broker.url, code=2).failure
    assert failure == dict(body, exit=2, hint=failure["hint"]) and "tsb tasks" in failure["hint"]


def test_nobody_there_exits_with_3():
    assert "TSB_URL" in run("key", "list", "-u", "http://127.0.0.1:1", code=3).err


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A CA and certificates of a server: key.pem, ca.pem, good.pem, old.pem, early.pem, other.pem."""
    folder = tmp_path_factory.mktemp("pki")
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)

    def issue(file, subject, name, start, end):
        made = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named("CA"))
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(start).not_valid_after(end)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        made = made.add_extension(x509.BasicConstraints(subject == "CA", None), True)
        (folder / file).write_bytes(made.sign(key, hashes.SHA256()).public_bytes(
            serialization.Encoding.PEM))

    issue("ca.pem", "CA", "ca", now - day, now + day)
    issue("good.pem", "server", "localhost", now - day, now + day)
    issue("old.pem", "server", "localhost", now - 2 * day, now - day)
    issue("early.pem", "server", "localhost", now + day, now + 2 * day)
    issue("other.pem", "server", "elsewhere", now - day, now + day)
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    return folder


def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.mark.parametrize("certificate, options, code, says", [
    ("old.pem", ["--ca", "ca.pem"], 3, "has expired"),
    ("early.pem", ["--ca", "ca.pem"], 3, "is not valid yet"),
    ("other.pem", ["--ca", "ca.pem"], 3, "belongs to another name"),
    ("good.pem", [], 3, "name the CA that issued the server's certificate with --ca FILE"),
    ("good.pem", ["--ca", "none.pem"], 1, "check the files of --ca"),
    (None, ["--ca", "ca.pem"], 3, "may not speak TLS there"),
])
def test_advice_on_tls_fits_what_is_wrong(pki, broker, certificate, options, code, says):
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / certificate, pki / "key.pem")
        broker.server.socket = context.wrap_socket(broker.server.socket, server_side=True)
    url = "https://localhost:%d" % broker.server.server_address[1]
    done = run("key", "list", "-u", url, *options, cwd=pki, env={"no_proxy": "*"}, code=code)
    assert says in done.err.split("tsb: next: ")[1], done


def test_each_role_sends_its_own_api_key(broker, anna):
    env = {"TSB_KEY_MANAGEMENT_TOKEN": "km", "TSB_KEY_OPERATION_TOKEN": "ko",
           "TSB_APPROVER_TOKEN": "ap", "TSB_URL": broker.url + "/v1/"}
    broker.answers["GET", "/v1/key"] = 200, []
    broker.answers["POST", "/v1/filteredRequestDetails"] = 200, {"requests": []}
    broker.answers[FETCH] = 200, {"tasks": []}
    run("key", "list", env=env)
    run("request", "list", env=env)
    run("tasks", "-k", anna.key, env=env)
    run("tasks", "-k", anna.key, "--token", "other", env=env)
    keys = [{k.lower(): v for k, v in h.items()}.get("x-api-key") for *_, h in broker.calls]
    assert keys == ["km", "ko", "ap", "other"]


# ---- waiting ----

def view(status, **members):
    return dict({"id": "r", "status": status, "executionTime": None, "approvedBy": [],
                 "notYetApprovedBy": [], "rejectedBy": [], "result": None}, **members)


def test_wait_polls_until_the_end_and_gives_the_result(broker, tmp_path):
    states = iter(["PENDING", "APPROVED", "EXECUTED"])
    broker.answers["GET", "/v1/request/r"] = lambda _: (200, view(next(states), result="c2ln"))
    assert run("request", "wait", "r", "-u", broker.url).out == "c2ln\n"
    states = iter(["EXECUTED"])
    run("request", "wait", "r", "-u", broker.url, "--out", tmp_path / "sig")
    assert (tmp_path / "sig").read_bytes() == b"sig"


@pytest.mark.parametrize("state", ["FAILED", "EXPIRED", "REJECTED", "CANCELLED", "NEWER"])
def test_wait_exits_with_4_when_it_was_not_executed(broker, state):
    broker.answers["GET", "/v1/request/r"] = 200, view(state, result="why")
    done = run("request", "wait", "r", "-u", broker.url, code=4)
    assert done.out == "" and "ended as %s: why" % state in done.err


def test_wait_exits_with_5_when_time_is_over(broker):
    broker.answers["GET", "/v1/request/r"] = 200, view("PENDING")
    assert "still PENDING" in run("request", "wait", "r", "--timeout", "1", "-u", broker.url,
                                  code=5).err


# ---- what is sent ----

def created(broker, *args, code=0):
    broker.calls.clear()
    broker.answers["POST", "/v1/key"] = 400, error(600, "res.error.x", "seen")
    done = run("key", "create", "k", "-u", broker.url, *args, code=2 if code == 0 else code)
    return (broker.sent("POST", "/v1/key") or [None])[0], done


def test_key_create_sends_policy_and_attributes(broker, tmp_path):
    people = [new_approver(tmp_path, n) for n in ("anna", "bert", "cora")]
    files = ",".join(str(p.pub) for p in people)
    body, done = created(broker, "-a", "EC", "--approvers", files, "--quorum", "2",
                         "--timelock", "60", "--timeout", "3600")
    assert body["curveOid"] == "1.2.840.10045.3.1.7" and "OPEN" not in done.err.upper()
    assert body["attributes"] == {"decrypt": False, "sign": True, "unwrap": False,
                                  "modifiable": True, "destroyable": False}
    policy = body["policy"]
    for name in ("ruleUse", "ruleBlock", "ruleUnblock", "ruleModify"):
        token, = policy[name]["tokens"]
        group, = token["groups"]
        assert (token["timelock"], token["timeout"], group["quorum"]) == (60, 3600, 2)
        assert [(a["name"], a["value"]) for a in group["approvals"]] == \
            list(zip(("anna", "bert", "cora"), [b64(p.spki) for p in people]))
    assert policy["keyStatus"] == {"blocked": False}

    body, done = created(broker, "-a", "RSA", "--size", "4096", "--approvers", files, "--use-only",
                         "--attributes", "decrypt,no-modifiable")
    assert body["keySize"] == 4096 and body["policy"]["ruleUse"] and not body["policy"]["ruleModify"]
    assert body["attributes"] == {"decrypt": True, "sign": False, "unwrap": False,
                                  "modifiable": False, "destroyable": False}
    assert "WARNING: Modify is open" in done.err and "replace the policy" in done.err


def test_key_create_with_a_policy_file_reports_open_rules(broker, tmp_path, anna):
    (tmp_path / "p.json").write_text(json.dumps({"ruleUse": rule(anna), "ruleBlock": None}))
    body, done = created(broker, "-a", "ED", "--policy", tmp_path / "p.json")
    assert body["policy"] == {"ruleUse": rule(anna), "ruleBlock": None,
                              "keyStatus": {"blocked": False}}
    assert done.err.count("is open") == 3


@pytest.mark.parametrize("args, says", [
    (["-a", "EC", "--quorum", "2"], "goes with --approvers"),
    (["-a", "EC", "--curve", "nonsense"], "give its OID"),
    (["-a", "RSA", "--curve", "P-256"], "does not go with RSA"),
    (["-a", "EC", "--attributes", "fly"], "no attribute 'fly'"),
    (["-a", "EC", "--approvers", "{pub}", "--quorum", "2"], "from 1 to 1"),
    (["-a", "EC", "--approvers", "{pub},{pub}"], "another file holds too"),
    (["-a", "EC", "--approvers", "{pub}", "--timelock", "30"], "multiples of 60"),
    (["-a", "EC", "--approvers", "{pub}", "--timelock", "120", "--timeout", "60"], "above"),
    (["-a", "EC", "--approvers", "{key}"], "give its public half"),
    (["--curve", "P-256", "-a", "RSA"], "--curve does not go with RSA"),
])
def test_key_create_finds_mistakes_before_it_calls(broker, anna, args, says):
    args = [a.format(pub=anna.pub, key=anna.key) for a in args]
    body, done = created(broker, *args, code=1)
    assert body is None and says in done.err, done
