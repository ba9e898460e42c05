"""Files as people have them: keys of old programs, texts of hand scanners, settings."""
import json
import os
import subprocess

import pytest

from tsb import error, run

pytestmark = pytest.mark.no_site


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=officer", "-keyout", folder / "key.pem", "-out", folder / "crt.pem")
    (folder / "pass").write_text("\ufeffword\n")
    return folder


def load(path, folder, code=3):
    return run("tasks", "-k", path, "--passphrase-file", folder / "pass",
               env={"TSB_URL": "http://127.0.0.1:1"}, code=code).err


def test_a_container_opens_whose_certificate_is_old(files):
    pack = ["pkcs12", "-export", "-inkey", files / "key.pem", "-in", files / "crt.pem",
            "-passout", "pass:word"]
    openssl(*pack, "-keypbe", "AES-256-CBC", "-certpbe", "NONE", "-out", files / "none.p12")
    openssl(*pack, "-nomac", "-out", files / "nomac.p12")
    assert "cannot reach" in load(files / "none.p12", files)
    assert "no MAC" in load(files / "nomac.p12", files, code=1)


def test_what_is_no_private_key_is_named(files):
    assert "this is a certificate" in load(files / "crt.pem", files, code=1)


@pytest.mark.parametrize("end", ["\n", "\r", "\t", "\r\n"])
@pytest.mark.parametrize("aim", ["", "]Q1"])
def test_scanners_end_lines_their_way(tmp_path, end, aim):
    text = aim + '{"signRequest":{"signKeyName":"k"}}' + end
    run("offline", "scan", "--device", "-", "-o", tmp_path / "out", input=text.encode())
    assert (tmp_path / "out").read_text() == '{"signRequest":{"signKeyName":"k"}}\n'


def test_a_foreign_keyboard_layout_is_hinted(tmp_path):
    done = run("offline", "scan", "--device", "-", "-o", tmp_path / "out",
               input=b"TSBQR1'01a21f4d'1'8'48606c6c'x\n", code=8)
    assert "keyboard layout" in done.err


# ---- -n refuses what starting refuses ----

BROKER = """[general]
secretKeyFile = {secret}
{general}
[database]
name = "x" ; quoted
[hsm]
url = 'http://127.0.0.1:1'  # nobody
{hsm}
[fcgi]
listen = {listen}
[dispatcher]
listen = {wake}
[log]
{log}
"""
GOOD = {"general": "", "hsm": "", "log": ""}


@pytest.fixture
def check(tmp_path, files):
    (tmp_path / "secret").write_text("\ufeff" + "00" * 32 + "\r\n")
    (tmp_path / "plain").write_text("x")
    good = dict(GOOD, secret=tmp_path / "secret", listen="unix:%s/fcgi.sock" % tmp_path,
                wake=tmp_path / "wake.sock")

    def run_it(program, code, says="", **members):
        text = BROKER.format(**dict(good, **members)).format(dir=tmp_path, files=files)
        (tmp_path / "tsb.conf").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
        done = run("-n", "-c", tmp_path / "tsb.conf", program=program, code=code)
        assert says in done.err, done
    return run_it


@pytest.mark.parametrize("program", ["tsb-fcgi", "tsb-dispatcher"])
def test_check_refuses_what_starting_refuses(check, program):
    check(program, 0)
    check(program, 0, hsm="caFile = {files}/crt.pem # ours")
    check(program, 1, "general.secretKeyFile", secret="{dir}/none")
    check(program, 1, "hsm.caFile", hsm="caFile = {dir}/none")
    check(program, 1, "hsm.caFile", hsm="caFile = {dir}/plain")
    check(program, 1, "hsm.url", hsm="[hsm]\n[general]\n[hsm]\nurl = x")
    check(program, 1, "general.allowedRequestCertificates",
          general="allowedRequestCertificates = {files}/key.pem")
    check(program, 1, "log file", log="file = {dir}/none/log")
    wrong = {"tsb-fcgi": "listen", "tsb-dispatcher": "wake"}[program]
    prefix = "unix:" if program == "tsb-fcgi" else ""
    check(program, 1, "none", **{wrong: prefix + "{dir}/none/socket"})
    check(program, 1, "too long", **{wrong: prefix + "{dir}/" + 100 * "x"})


def test_check_of_the_listening_socket(check):
    check("tsb-fcgi", 0, listen="127.0.0.1:9")
    check("tsb-fcgi", 1, "is no socket", listen="unix:{dir}/plain")
    check("tsb-dispatcher", 1, "is no socket", wake="{dir}/plain")
    check("tsb-fcgi", 1, "no absolute path", listen="unix:plain")
    check("tsb-fcgi", 1, "neither unix:/path nor host:port", listen="nowhere")


def test_a_certificate_with_text_is_a_pin(check, files, tmp_path):
    """What `openssl x509 -text` prints is read like the certificate alone."""
    text = subprocess.run(["openssl", "x509", "-in", files / "crt.pem", "-text"], check=True,
                          stdout=subprocess.PIPE).stdout
    (tmp_path / "text.pem").write_bytes(text)
    (tmp_path / "broken.pem").write_bytes(text.replace(b"-----END", b"*----END"))
    check("tsb-fcgi", 0, general="allowedRequestCertificates = {dir}/text.pem")
    check("tsb-fcgi", 1, "allowedRequestCertificates",
          general="allowedRequestCertificates = {dir}/broken.pem")


# ---- marks, chains, points ----

MARK = b"\xef\xbb\xbf"


def made(broker, *args):
    """The body of the key creation that tsb sends."""
    broker.answers["POST", "/v1/key"] = 400, error(600, "res", "seen")
    run("key", "create", "k", "-a", "EC", "-u", broker.url, *args, code=2)
    return broker.sent("POST", "/v1/key")[-1]


def test_files_with_a_mark_are_read(broker, tmp_path, files):
    token, policy, crt = (tmp_path / name for name in ("token", "policy", "crt"))
    token.write_bytes(MARK + b"api-key\r\n")
    crt.write_bytes(MARK + (files / "crt.pem").read_bytes().replace(b"\n", b"\r\n"))
    rule = {"tokens": [{"name": "t", "timelock": 0, "timeout": 0, "groups": [
        {"name": "g", "quorum": 1, "approvals": [
            {"type": "certificate", "value": (files / "crt.pem").read_text()}]}]}]}
    text = {"ruleUse": rule, "ruleBlock": rule, "ruleUnblock": rule, "ruleModify": rule}
    policy.write_bytes(MARK + json.dumps(text).encode())
    assert "ruleUse" in made(broker, "--policy", policy, "--token-file", token)["policy"]
    assert broker.calls[-1][3]["X-API-KEY"] == "api-key"
    plain = made(broker, "--approvers", files / "crt.pem")["policy"]
    assert made(broker, "--approvers", crt)["policy"] == plain


def test_the_leaf_of_a_chain_is_taken_whatever_its_place(broker, tmp_path, files):
    ca, leaf = tmp_path / "ca", tmp_path / "leaf"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=issuer", "-keyout", tmp_path / "ca.key", "-out", ca)
    openssl("req", "-new", "-key", files / "key.pem", "-subj", "/CN=officer", "-out",
            tmp_path / "csr")
    openssl("x509", "-req", "-in", tmp_path / "csr", "-CA", ca, "-CAkey", tmp_path / "ca.key",
            "-CAcreateserial", "-out", leaf)
    plain = made(broker, "--approvers", leaf)["policy"]
    chain = tmp_path / "chain"
    for order in (leaf, ca), (ca, leaf):
        chain.write_text("".join(path.read_text() for path in order))
        assert made(broker, "--approvers", chain)["policy"] == plain


def test_compressed_points_are_named(tmp_path, files):
    openssl("ec", "-in", files / "key.pem", "-pubout", "-conv_form", "compressed", "-out",
            tmp_path / "pub")
    assert "must be uncompressed" in run(
        "key", "create", "k", "-a", "EC", "--approvers", tmp_path / "pub",
        "-u", "http://127.0.0.1:1", code=1).err


# ---- what -o names ----

SHOW = "GET", "/v1/request/r1"


@pytest.fixture
def result(broker):
    broker.answers[SHOW] = 200, {
        "id": "r1", "status": "EXECUTED", "executionTime": None, "approvedBy": [],
        "notYetApprovedBy": [], "rejectedBy": [], "result": "c2VjcmV0"}
    return ["request", "wait", "r1", "-u", broker.url, "-o"]


def mode(path):
    return path.stat().st_mode & 0o777


def test_a_result_is_for_its_owner_alone(result, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    out.write_text("old")
    out.chmod(0o644)
    os.link(out, other)
    run(*result, out)
    assert out.read_text() == "secret" and mode(out) == 0o600
    assert other.read_text() == "old"     # a hard link, or who has the old file open
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other", "out"]


def test_links_are_not_followed(result, tmp_path):
    target, link, loose = (tmp_path / name for name in ("target", "link", "loose"))
    target.write_text("mine")
    link.symlink_to(target)
    loose.symlink_to(tmp_path / "new")
    for path in link, loose:
        assert "symbolic link" in run(*result, path, code=1).err
    assert target.read_text() == "mine" and not (tmp_path / "new").exists()
    assert "folder" in run(*result, tmp_path, code=1).err


def test_streams_and_devices_take_results(result, tmp_path):
    for path in "-", "/dev/stdout", "/dev/fd/1":
        assert run(*result, path, cwd=tmp_path).out == "secret"
    run(*result, "/dev/null")
    assert list(tmp_path.iterdir()) == []


def test_public_results_keep_the_mode_of_their_file(broker, tmp_path):
    out = tmp_path / "out"
    broker.answers["POST", "/v1/encrypt"] = 200, {
        "encryptedPayload": "AAAA", "initializationVector": None, "messageAuthenticationCode": None}
    encrypt = ["encrypt", "k", "-a", "RSA_PADDING_OAEP_WITH_SHA256", "-u", broker.url, "-o", out]
    run(*encrypt, input=b"x")
    assert mode(out) == 0o666 & ~umask()
    out.chmod(0o640)
    run(*encrypt, input=b"x")
    assert mode(out) == 0o640


def umask():
    now = os.umask(0o022)
    os.umask(now)
    return now
