"""Every kind of request on the command line, against a real site."""
import json
import os
import subprocess

import pytest

from client import unique

pytestmark = pytest.mark.nginx_only("the command line sees no web server")

OAEP = "RSA_PADDING_OAEP_WITH_SHA256"


@pytest.fixture
def rsa(tsb):
    """A key that may do everything, guarded by anna."""
    key = unique("cli")
    tsb("key", "create", key, "-a", "RSA", "--size", "2048", "--attributes",
        "sign,decrypt,unwrap,destroyable", "--approvers", tsb.people("anna"))
    return key


def openssl(tsb, *args, **options):
    return subprocess.run(["openssl", *map(str, args)], cwd=tsb.folder, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options).stdout


def public_pem(tsb, key):
    spki = tsb("key", "show", key, "--json").json["json"]["publicKey"]
    (tsb.folder / "key.pub").write_text(
        "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % spki)
    return "key.pub"


def settled(tsb, *args, by="anna", wait=(), **options):
    """Asks, has it approved, waits for its end; what the approver saw and what came out."""
    request = tsb(*args, **options).out.strip()
    shown = tsb.approve(by, request).out
    return shown, tsb("request", "wait", request, "--timeout", "20", *wait).out


def test_what_openssl_encrypts_is_decrypted_once_approved(tsb, rsa):
    openssl(tsb, "pkeyutl", "-encrypt", "-pubin", "-inkey", public_pem(tsb, rsa), "-pkeyopt",
            "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-out", "c",
            input=b"the plan")
    shown, _ = settled(tsb, "decrypt", rsa, "c", "-a", OAEP, wait=["--fetch-once", "-o", "plain"])
    assert "use the key: decrypt" in shown and "256 bytes, SHA-256" in shown
    assert (tsb.folder / "plain").read_bytes() == b"the plan"


def test_encrypt_and_decrypt_fit_together(tsb, rsa):
    (tsb.folder / "c.json").write_text(
        tsb("encrypt", rsa, "order.txt", "-a", OAEP, "--json").out)
    settled(tsb, "decrypt", rsa, "c.json", "-a", OAEP, wait=["-o", "plain"])
    assert (tsb.folder / "plain").read_text() == "pay 10 to bert\n"
    aes = unique("aes")
    tsb("key", "create", aes, "-a", "AES", "--size", "256", "--attributes",
        "encrypt,decrypt,destroyable")
    (tsb.folder / "c.json").write_text(
        tsb("encrypt", aes, "order.txt", "-a", "AES_GCM", "--json").out)
    tsb("decrypt", aes, "c.json", "-a", "AES_GCM", "--tag-length", "128", "--wait", "-o", "p")
    assert (tsb.folder / "p").read_text() == "pay 10 to bert\n"


def test_unwrap_makes_the_key_that_was_approved(tsb, rsa):
    (tsb.folder / "aes").write_bytes(os.urandom(32))
    openssl(tsb, "pkeyutl", "-encrypt", "-pubin", "-inkey", public_pem(tsb, rsa), "-pkeyopt",
            "rsa_padding_mode:oaep", "-in", "aes", "-out", "wrapped")
    new = unique("new")
    shown, end = settled(tsb, "unwrap", rsa, "wrapped", new, "--method", "RSA_WRAP_OAEP",
                         "--attributes", "encrypt,decrypt,extractable,destroyable")
    assert end == "EXECUTED\n"
    assert new in shown and "encrypt, decrypt" in shown and "RSA_WRAP_OAEP" in shown
    flags = tsb("key", "show", new, "--json").json["json"]["attributes"]
    assert flags["decrypt"] and flags["extractable"] and not flags["sign"]
    tsb("wrap", rsa, new, "--method", "RSA_WRAP_OAEP", "-o", "again")
    assert len((tsb.folder / "again").read_bytes()) == 256


def test_a_blocked_key_rests_until_it_is_unblocked(tsb, rsa):
    shown, _ = settled(tsb, "key", "block", rsa)
    assert "nobody can use the key until it is unblocked" in shown
    assert "blocked              yes" in tsb("key", "show", rsa).out
    assert "614" in tsb("sign", rsa, "order.txt", "-a", "SHA256_WITH_RSA", code=2).err
    shown, _ = settled(tsb, "key", "unblock", rsa)
    assert "blocked now          yes" in shown
    settled(tsb, "sign", rsa, "order.txt", "-a", "SHA256_WITH_RSA")


def test_a_policy_is_replaced_by_those_whom_the_old_one_asks(tsb):
    key = unique("cli")
    people = tsb.people("anna", "bert")
    tsb("key", "create", key, "-a", "EC", "--approvers", people)
    public = tsb("key", "show", "attestation-key", "--json").json["json"]["publicKey"]
    (tsb.folder / "hsm.pub").write_text(public)
    check = ["--attestation-key", "hsm.pub"]
    modify = ["key", "modify", key, "--approvers", people, "--quorum", "1", *check]
    done = tsb(*modify)
    assert done.err.count("!!! WEAKER: 1 approval may be enough, 2 were needed") == 4
    assert "what the broker says" not in done.err
    request = done.out.strip()
    tsb.approve("anna", request)
    shown = tsb("tasks", "-k", "bert.key.pem", *check).out
    assert "2 of 2 must approve, 1 did" in shown and "signed by the HSM, checked" in shown
    tsb.approve("bert", request)
    tsb("request", "wait", request, "--timeout", "20")
    assert tsb("key", "show", key).out.count("1 of 2 must approve") == 1    # the others: the same

    # a policy that names ruleUse alone
    rule = tsb("key", "show", key, "--json").json["json"]["policy"]["ruleUse"]
    (tsb.folder / "p.json").write_text(json.dumps({"ruleUse": rule}))
    assert "opens to everyone: block, unblock and modify" in tsb(
        "key", "modify", key, "--policy", "p.json", code=7).err
    request = tsb("key", "modify", key, "--policy", "p.json", "--yes-open-rules").out.strip()
    refused = tsb.approve("anna", request, code=7)
    assert refused.out.count("becomes OPEN TO EVERYONE") == 3
    tsb("approve", "--yes", "--yes-open-rules", "-k", "anna.key.pem", "--request", request)
    tsb("request", "wait", request, "--timeout", "20")
    assert tsb("key", "show", key).out.count("OPEN TO EVERYONE") == 3
    assert tsb("key", "block", key, "--wait").out == "EXECUTED\n"


def test_an_authority_issues_a_certificate(tsb, rsa):
    algorithm = ["-a", "SHA256_WITH_RSA"]
    shown, end = settled(tsb, "certificate", "selfsign", rsa, *algorithm, "--subject",
                         "CN=Example CA,O=Example\\, AG,C=CH", "--authority", "--usage",
                         "key_cert_sign,crl_sign")
    assert end == "true\n" and "!!! AUTHORITY" in shown and "O=Example\\, AG" in shown
    openssl(tsb, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "web.key", "-out", "web.csr", "-subj", "/CN=pay.example.com")
    shown, _ = settled(tsb, "certificate", "sign", rsa, "web.csr", *algorithm, "--usage",
                       "digital_signature,server_auth", "--days", "30", wait=["-o", "web.crt"])
    assert "CN=pay.example.com" in shown and "TLS Web Server Authentication" in shown
    assert "use the key: sign a certificate for somebody" in shown and "AUTHORITY" not in shown
    assert "CN=Example CA" in tsb("certificate", "show", rsa, "-o", "ca.crt").out
    openssl(tsb, "verify", "-no_check_time", "-CAfile", "ca.crt", "web.crt")


def test_a_certificate_request_proves_its_key(tsb, rsa):
    shown, _ = settled(tsb, "certificate", "request", rsa, "-a", "SHA256_WITH_RSA", "--subject",
                       "CN=x,email=a@b.ch", wait=["-o", "x.csr"])
    assert "CN=x, emailAddress=a@b.ch" in shown
    openssl(tsb, "req", "-in", "x.csr", "-verify", "-noout")


def test_requests_are_listed_by_key_and_state(tsb, rsa):
    block = tsb("key", "block", rsa).out.strip()
    sign = tsb("sign", rsa, "order.txt", "-a", "SHA256_WITH_RSA").out.strip()
    tsb("request", "cancel", sign)
    listed = [line.split()[:2] for line in tsb("request", "list", "--key", rsa).out.splitlines()]
    assert listed == [[sign, "CANCELLED"], [block, "PENDING"]]
    (line,) = tsb("request", "list", "--key", rsa, "--status", "PENDING").out.splitlines()
    assert line.startswith(block + "  PENDING ") and "block the key" in line
