"""Approvers whose keys the broker makes: /v1/approverManagement and /v1/approver/onboard."""
import concurrent.futures
import json
import os
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

import tsb
from approver import b64, group, policy, rule, spki_of, token, unb64, verify
from carry import scan
from client import ApiError, public_key, unique
from managed import (BACKUP_KEY, DAY, M, PASSWORD, as_approver, body_of, code_of, create, entry,
                     guarded, made, named_group, onboard, opened, refuse_code, restored,
                     status, wrong)

pytestmark = [pytest.mark.online_only("the keys of approvers are made in the HSM"),
              pytest.mark.nginx_only("the web server passes bodies on, whatever they hold")]


# ---- from creation to use ----

def test_create_onboard_and_approve(api, made):
    name, code = made()
    assert name in status(api)["pending"] and name not in status(api)["onboarded"]
    officer = as_approver(name, onboard(api, name, code))
    after = status(api, "POST")
    assert name in after["onboarded"] and name not in after["pending"]
    pem = after["onboarded"][name]
    assert x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER) == \
        officer.certificate
    label = unique()
    key = public_key(api.create_key(label, policy(rule(token(named_group(1, name))))))
    rid = api.sign(label, b"deal")
    api.approve(officer, rid)
    view = api.wait(rid)
    assert view["status"] == "EXECUTED" and view["approvedBy"] == [b64(officer.spki)]
    assert verify(key, "SHA-256", b"deal", unb64(view["result"]))


@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_key_sizes(api, made, size):
    name, code = made(keySize=size)
    assert opened(onboard(api, name, code))[0].key_size == size


def test_certificate(api, made):
    name, code = made(validity=30)
    key, cert = opened(onboard(api, name, code))
    assert cert.subject == cert.issuer
    assert [a.value for a in cert.subject] == [name]
    assert cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert spki_of(cert.public_key()) == spki_of(key.public_key())
    assert (cert.not_valid_after - cert.not_valid_before).days == 30
    assert abs(cert.not_valid_before.timestamp() - time.timezone - api.now()) < 120
    usage = cert.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE)
    assert usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign
    assert not cert.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value.ca
    assert cert.serial_number.bit_length() >= 64


def test_defaults(api, made):
    name, code = made(keySize=None)
    key, cert = opened(onboard(api, name, code))
    assert key.key_size == 3072
    assert (cert.not_valid_after - cert.not_valid_before).days == 3650


def test_code_as_a_picture(api, tmp_path):
    name = unique("J\u00f6rg ")
    answer = api.post(M + "create", {"approverName": name, "algorithm": "RSA", "keySize": 2048,
                                     "backupPassword": PASSWORD, "qrCode": True})
    assert api.status == 201 and set(answer) == {"oneTimeCode", "qrCode"}
    picture = tmp_path / "code.png"
    picture.write_bytes(unb64(answer["qrCode"]))
    said = json.loads(scan(picture)[0])
    assert set(said) == {"approverName", "oneTimeCode", "url"}
    assert (said["approverName"], said["oneTimeCode"]) == (name, answer["oneTimeCode"])
    assert said["url"].startswith("http")
    opened(onboard(api, name, said["oneTimeCode"]))


@pytest.mark.parametrize("wish", [False, None])
def test_no_picture_unless_asked_for(made, wish):
    made(qrCode=wish)  # which looks at the members


def test_picture_must_be_a_bool(api):
    api.refused(600, "POST", M + "create",
                {"approverName": unique(), "algorithm": "RSA", "backupPassword": PASSWORD,
                 "qrCode": "yes"}, says="qrCode")


def test_put_is_post_and_both_onboard(api):
    name = unique("put")
    code = create(api, name, verb="PUT")
    opened(onboard(api, name, code, path=M + "onboard"))


@pytest.mark.parametrize("transport", ["k" * 16, "k" * 32, "\u00e9" * 8, "\u00e9" * 16])
def test_transport_passwords(api, made, transport):
    name, code = made()
    answer = api.post("/v1/approver/onboard", body_of(name, code, transport))
    container = AESGCM(transport.encode()).decrypt(
        unb64(answer["initializationVector"]), unb64(answer["encryptedPayload"]), None)
    opened(container)


@pytest.mark.parametrize("transport", ["", "k" * 15, "k" * 17, "k" * 24, "k" * 33, "\u00e9" * 9])
def test_transport_passwords_of_other_lengths(api, made, transport):
    name, code = made()
    api.refused(600, "POST", "/v1/approver/onboard", body_of(name, code, transport),
                says="transportPassword")
    opened(onboard(api, name, code))  # no try was spent


def test_passwords_as_lists_of_characters(api):
    name, transport = unique("list"), "k" * 16
    code = create(api, name, backupPassword=list(PASSWORD))
    answer = api.post("/v1/approver/onboard", body_of(name, list(code), list(transport)))
    opened(AESGCM(transport.encode()).decrypt(
        unb64(answer["initializationVector"]), unb64(answer["encryptedPayload"]), None))


@pytest.mark.parametrize("name", ["x", "J\u00f6rg \u0416 \u6f22", "n" * 255, "a/b c@d", "O'Brien; --"])
def test_names(api, made, name):
    api.send("DELETE", M + "delete/" + quoted(name))
    _, code = made(name)
    container = onboard(api, name, code)
    assert opened(container)[1].subject.rfc4514_string().startswith("CN=")
    assert name in status(api)["onboarded"]
    assert api.call("DELETE", M + "delete/" + quoted(name)) is None
    assert name not in status(api)["onboarded"]


def quoted(name):
    return "".join("%%%02X" % b for b in name.encode())


@pytest.mark.parametrize("name", ["", "n" * 256, "a\nb"])
def test_names_refused(api, name):
    api.refused(600, "POST", M + "create", {"approverName": name, "algorithm": "RSA",
                                            "backupPassword": PASSWORD}, says="approverName")


def test_openssl_reads_the_container(api, made, tmp_path):
    name, code = made()
    path = tmp_path / "officer.p12"
    path.write_bytes(onboard(api, name, code))

    def run(*args, **options):
        return subprocess.run(["openssl", "pkcs12", "-in", str(path), *args], timeout=60,
                              env=dict(os.environ, P=PASSWORD), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, **options)
    info = run("-info", "-noout", "-passin", "env:P")
    assert info.returncode == 0, info.stderr
    for word in ("PBES2", "PBKDF2", "AES-256-CBC", "hmacWithSHA256", "MAC: sha256"):
        assert word in info.stderr, info.stderr
    assert "RC2" not in info.stderr and "3DES" not in info.stderr.upper()
    pem = run("-nodes", "-passin", "env:P").stdout
    assert "friendlyName: " + name in pem and "BEGIN PRIVATE KEY" in pem
    assert run("-noout", "-passin", "pass:other").returncode != 0


# ---- refusals at creation ----

def test_name_in_use(api, made):
    name, _ = made()
    error = api.refused(632, "POST", M + "create", {"approverName": name, "algorithm": "RSA",
                                                    "backupPassword": "x"}, says=name)
    assert error["reason"] == "res.error.approver.already.existing"


@pytest.mark.parametrize("size", [0, 512, 1024, 2047, 2049, 8192])
def test_key_sizes_refused(api, size):
    api.refused(603, "POST", M + "create", {"approverName": "never", "algorithm": "RSA",
                                            "keySize": size, "backupPassword": "x"})


@pytest.mark.parametrize("members, word", [
    ({"algorithm": "EC"}, "algorithm"), ({"validity": 0}, "validity"),
    ({"validity": 40000}, "validity"), ({"backupPassword": ""}, "backupPassword"),
    ({"backupPassword": []}, "backupPassword"), ({"backupPassword": "a\u0000b"}, "NUL")])
def test_creation_refused(api, members, word):
    body = {"approverName": unique("never"), "algorithm": "RSA", "backupPassword": "x", **members}
    api.refused(600, "POST", M + "create", body, says=word)
    assert body["approverName"] not in status(api)["pending"]


def test_two_at_once_make_one(api):
    name = unique("twice")

    def one(_):
        try:
            return create(api, name)
        except ApiError as e:
            assert e.code == 632
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        codes = [c for c in pool.map(one, range(4)) if c]
    assert len(codes) == 1
    opened(onboard(api, name, codes[0]))


# ---- one-time codes ----

def test_code_works_once(api, made):
    name, code = made()
    onboard(api, name, code)
    refuse_code(api, name, code)


def test_wrong_code(api, made):
    name, code = made()
    error = refuse_code(api, name, wrong(code))
    assert error["reason"] == "res.error.invalid.onetimepassword"
    opened(onboard(api, name, code))


@pytest.mark.parametrize("other", ["", "0", "0000000", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666"])
def test_codes_of_other_shapes(api, made, other):
    name, code = made()
    response = api.send("POST", "/v1/approver/onboard", body_of(name, other))
    assert response.status_code == 400 and response.json()["errorCode"] in (412, 600)
    opened(onboard(api, name, code))


def test_five_tries(api, made):
    name, code = made()
    for _ in range(5):
        refuse_code(api, name, wrong(code))
    refuse_code(api, name, code, says="tries")
    code = code_of(api.post(M + "renewOneTimeCode", {"approverName": name}))
    opened(onboard(api, name, code))


def test_the_fifth_try_may_be_right(api, made):
    name, code = made()
    for _ in range(4):
        refuse_code(api, name, wrong(code))
    opened(onboard(api, name, code))


def test_parallel_guesses_have_the_same_tries(api, site, made):
    """Twenty at once: not one more is compared than one after the other."""
    name, code = made()
    guesses = [wrong(code)] * 20
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda g: api.send(
            "POST", "/v1/approver/onboard", body_of(name, g)), guesses))
    assert all(a.status_code in (400, 500) for a in answers)
    compared = [a for a in answers if "not the code" in a.json()["message"]]
    assert len(compared) <= 5
    refuse_code(api, name, code, says="tries")
    assert site.sql("SELECT code_tries FROM approver WHERE name = '%s'" % name) == [["5"]]


def test_parallel_right_codes_give_one_container(api, made):
    name, code = made()
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: api.send(
            "POST", "/v1/approver/onboard", body_of(name, code)), range(5)))
    assert sorted(a.status_code for a in answers) == [200, 400, 400, 400, 400], \
        [a.text for a in answers]
    assert {a.json()["errorCode"] for a in answers if a.status_code != 200} == {412}


def test_code_expires(api, site, made):
    name, code = made()
    other, later = made()
    site.forward(DAY - 60)
    opened(onboard(api, name, code))
    site.forward(61)
    refuse_code(api, other, later, says="expired")
    later = code_of(api.post(M + "renewOneTimeCode", {"approverName": other}))
    opened(onboard(api, other, later))


def test_renewed_codes_do_not_give_tries_without_end(api, site, made):
    """Fifteen wrong codes of one approver a day, however often the code is renewed."""
    name, code = made()
    for _ in range(3):
        for _ in range(5):
            refuse_code(api, name, wrong(code))
        code = code_of(api.post(M + "renewOneTimeCode", {"approverName": name}))
    refuse_code(api, name, code, says="too many")
    site.forward(DAY)
    refuse_code(api, name, code, says="expired")
    code = code_of(api.post(M + "renewOneTimeCode", {"approverName": name}))
    opened(onboard(api, name, code))


@pytest.mark.parametrize("path", ["renewOneTimeCode", "renewOnetimePassword"])
def test_renewed_code_voids_the_old_one(api, made, path):
    name, old = made()
    new = code_of(api.post(M + path, {"approverName": name}))
    if new != old:
        refuse_code(api, name, old)
    opened(onboard(api, name, new))
    api.refused(611, "POST", M + path, {"approverName": name}, says=name)


def test_nothing_readable_in_the_database(api, site, made):
    name, code = made(backupPassword="very-unusual-passphrase")
    dump = subprocess.run(["mariadb-dump", "--no-defaults", "-S", site.vars["TSB_DB_SOCKET"],
                           "--skip-extended-insert", "tsb"], stdout=subprocess.PIPE, check=True,
                          timeout=60).stdout
    assert name.encode() in dump
    assert b"very-unusual-passphrase" not in dump
    row = site.sql("SELECT HEX(code_hash), HEX(code_salt), LENGTH(container) FROM approver "
                   "WHERE name = '%s'" % name)
    assert len(row[0][0]) == 64 and len(row[0][1]) == 32
    assert code not in (site.sql("SELECT action, actor, detail FROM audit WHERE detail = '%s'" % name)[0])


def test_no_secret_in_logs(api, site, made):
    name, code = made(backupPassword="very-unusual-passphrase")
    refuse_code(api, name, wrong(code))
    onboard(api, name, code, "transport-secret-of-32-bytes....")
    for folder, _, files in os.walk(site.dir):
        for file in files:
            if file.endswith(".log"):
                with open(os.path.join(folder, file), "rb") as f:
                    text = f.read()
                assert b"very-unusual" not in text and b"transport-secret" not in text, file


def test_audit_tells_the_story(api, site, made):
    name, code = made()
    refuse_code(api, name, wrong(code))
    onboard(api, name, code)
    api.call("DELETE", M + "delete/" + name)
    rows = site.sql("SELECT action, state_from, state_to FROM audit WHERE detail = '%s' "
                    "ORDER BY id" % name)
    assert rows == [["approver create", "NULL", "PENDING"], ["approver try", "PENDING", "PENDING"],
                    ["approver try", "PENDING", "PENDING"],
                    ["approver onboard", "PENDING", "ONBOARDED"],
                    ["approver delete", "ONBOARDED", "NULL"]]


# ---- unknown approvers ----

@pytest.mark.parametrize("path, more", [
    ("restoreFromBackup", {}), ("renewOneTimeCode", {}), ("renewOnetimePassword", {}),
    ("restoreFromBackup/forgotPassword", {"newBackupPassword": "x"}),
    ("changePassword", {"backupPassword": "x", "newBackupPassword": "y"}),
    ("onboard", {"oneTimeCode": "123456", "transportPassword": "t" * 16})])
def test_unknown_approver(api, path, more):
    error = api.refused(654, "POST", M + path, {"approverName": "nobody", **more}, says="nobody")
    assert error["reason"] == "res.error.approver.not.existent"


def test_delete(api, made):
    name, code = made()
    api.refused(654, "DELETE", M + "delete/nobody")
    assert api.call("DELETE", M + "delete/" + name) is None and api.status == 200
    api.refused(654, "DELETE", M + "delete/" + name)
    api.refused(654, "POST", "/v1/approver/onboard", body_of(name, code))
    made(name)  # the name is free again


# ---- onboarded_approver_certificate ----

def test_backup_key_is_a_system_key(api):
    create(api, unique("any"))
    json = api.attributes(BACKUP_KEY)["json"]
    assert json["algorithm"] == "RSA" and json["keySize"] == 3072 and json["policy"] is not None
    wanted = {"decrypt": True, "unwrap": True, "sign": False, "extractable": False,
              "destroyable": False}
    assert {k: json["attributes"][k] for k in wanted} == wanted
    assert BACKUP_KEY in api.get("/v1/key")


def test_pending_and_unknown_approvers_in_policies(api, made):
    name, code = made()
    label = unique()

    def refused(number, who, says):
        body = {"label": label, "algorithm": "EC", "curveOid": "1.2.840.10045.3.1.7",
                "attributes": {"decrypt": False, "sign": True, "unwrap": False},
                "policy": policy(rule(token(named_group(1, who))))}
        return api.refused(number, "POST", "/v1/key", body, says=says)
    assert refused(413, "nobody", "nobody")["reason"] == "res.error.approver.not.existent"
    assert refused(414, name, name)["reason"] == "res.error.approver.not.onboarded"
    onboard(api, name, code)
    api.create_key(label, policy(rule(token(named_group(1, name)))))
    body = {"label": unique(), "algorithm": "EC", "curveOid": "1.2.840.10045.3.1.7",
            "attributes": {"decrypt": False, "sign": True, "unwrap": False},
            "policy": policy(rule(token(named_group(1, name))))}
    approval = body["policy"]["ruleUse"]["tokens"][0]["groups"][0]["approvals"][0]
    approval["value"] = b64(b"x")
    api.refused(633, "POST", "/v1/key", body)
    approval.update(value=None, name=None)
    api.refused(600, "POST", "/v1/key", body, says="name")


def test_policy_shows_the_certificate(api, made, people):
    name, code = made()
    officer = as_approver(name, onboard(api, name, code))
    label, other = unique(), people("p256")
    mixed = {"name": "board", "quorum": 1, "approvals": [other.policy_entry(), entry(name)]}
    api.create_key(label, policy(rule(token(mixed))))
    shown = api.attributes(label)["json"]["policy"]["ruleUse"]["tokens"][0]["groups"][0]
    kinds = [(a["type"], a["value"]) for a in shown["approvals"]]
    assert kinds == [("public_key", b64(other.spki)), ("certificate", b64(officer.certificate))]
    # deleted approvers stay in the policies that they are in
    api.call("DELETE", M + "delete/" + name)
    rid = api.sign(label)
    api.approve(officer, rid)
    assert api.wait(rid)["status"] == "EXECUTED"


def test_modify_with_names(api, made, people):
    name, code = made()
    label, old = unique(), people("p256")
    api.create_key(label, policy(modify=rule(token(group(1, old)))))
    new = policy(rule(token(named_group(1, name))), blocked=None)
    body = {"modifyRequest": {"modifyKeyName": label, "policy": new}}
    api.refused(414, "POST", "/v1/modify", body)
    officer = as_approver(name, onboard(api, name, code))
    rid = api.post("/v1/modify", body)["modifyKeyRequestId"]
    (task,) = api.tasks(old, "ModifyKey", requestId=rid, detailLevel="level3")
    shown = task["signedModifyKeyRequest"]["modifyRequest"]["policy"]["ruleUse"]
    assert shown["tokens"][0]["groups"][0]["approvals"][0]["value"] == b64(officer.certificate)
    assert officer.certificate in unb64(task["approvalToBeSigned"])
    api.approve(old, rid, kind="ModifyKey")
    assert api.wait(rid)["status"] == "EXECUTED"
    rid = api.sign(label)
    api.approve(officer, rid)
    assert api.wait(rid)["status"] == "EXECUTED"


# ---- roles ----

@pytest.mark.parametrize("role", ["KM", "KO", "AP", "SV"])
def test_management_has_a_role_of_its_own(api, role):
    api.refused(631, "GET", M + "onboarding/status", role=role)
    api.refused(631, "POST", M + "create", {}, role=role)
    if role != "AP":
        api.refused(631, "POST", "/v1/approver/onboard", {}, role=role)


# ---- a database in foreign hands ----

@pytest.mark.parametrize("column", ["container", "certificate"])
def test_a_changed_row_is_found_out(api, site, made, column):
    """Also when the change is another approver's valid content."""
    (name, code), (other, _) = made(), made()
    site.sql("UPDATE approver SET %s = (SELECT %s FROM approver WHERE name = '%s') "
             "WHERE name = '%s'" % (column, column, other, name))
    api.refused(500, "POST", "/v1/approver/onboard", body_of(name, code), says=name)
    api.refused(500, "POST", M + "changePassword", {
        "approverName": name, "backupPassword": PASSWORD, "newBackupPassword": "x"}, says=name)


def test_a_changed_backup_is_found_out(api, site, made, guarded):
    """The HSM opens what it is given; what it opened has to be the backup of this approver."""
    (name, _), (other, _) = made(), made()
    site.sql("UPDATE approver a JOIN approver b ON b.name = '%s' SET a.backup = b.backup, "
             "a.wrapped_key = b.wrapped_key WHERE a.name = '%s'" % (other, name))
    view = restored(api, guarded, name, "brand new")
    assert view["status"] == "FAILED" and "res.error.decrypt.failed" in view["result"]


def test_another_backup_key(api, site, made):
    name, _ = made()
    site.sql("UPDATE approver SET backup_key = REPEAT('x', 32) WHERE name = '%s'" % name)
    api.refused(500, "POST", M + "restoreFromBackup/forgotPassword",
                {"approverName": name, "newBackupPassword": "x"}, says=BACKUP_KEY)


# ---- a database that fails in the middle ----

TRANSACTIONS = ["approver_create", "approver_try", "approver_onboard", "approver_renew",
                "execution_record"]


@pytest.mark.parametrize("point, value", [
    *((s, v) for s in ("APPROVER_INSERT", "APPROVER_CHANGE", "APPROVER_LOCK", "APPROVER_LOAD")
      for v in (1213, 2013)),
    *((t + ".COMMIT." + when, 2013) for t in TRANSACTIONS for when in ("before", "after"))])
def test_lost_in_the_middle(api, site, faults, guarded, point, value):
    """Whatever is interrupted has happened once: codes stay good, the container opens."""
    name = unique("faults")
    faults([("store." + point, value)])
    code = create(api, name)
    first = opened(onboard(api, name, code))[0]
    code = code_of(api.post(M + "restoreFromBackup", {"approverName": name}))
    opened(onboard(api, name, code))
    view = restored(api, guarded, name, "brand new")
    assert view["status"] == "EXECUTED"
    last = opened(onboard(api, name, view["result"]), "brand new")[0]
    assert spki_of(last.public_key()) == spki_of(first.public_key())
    assert site.faults_left() == []


# ---- the command line ----

def test_command_line(api, site, tmp_path, request):
    """From creation to an approval with the container that the approver fetched."""
    name, out = unique("cli"), tmp_path / "officer.p12"
    for file, text in (("old", "first password"), ("new", "second password")):
        (tmp_path / file).write_text(text + "\n")
    env = dict(site.vars, TSB_TEST_CLOCK=str(site.clock_file))

    def do(*args, code=0):
        return tsb.run("approver", *args, env=env, code=code, cwd=tmp_path)

    def code_file(done):
        (tmp_path / "code").write_text(done.out)
        return "--code-file", "code"
    made = do("create", name, "--size", 2048, "--days", 30, "--password-file", "old", "--qr",
              "code.png")
    assert json.loads(scan(tmp_path / "code.png")[0])["oneTimeCode"] == made.out.strip()
    assert (tmp_path / "code.png").stat().st_mode & 0o777 == 0o600
    assert "warning" in made.err and "tsb key modify %s --approvers" % BACKUP_KEY in made.err
    code = code_file(made)
    do("create", name, "--password-file", "old", code=2)
    assert any(a["name"] == name and a["state"] == "pending"
               for a in do("status", "--json").json["approvers"])
    assert do("onboard", name, *code, "-o", out).out == "%s\n" % out
    assert out.stat().st_mode & 0o777 == 0o600
    assert "exists" in do("onboard", name, *code, "-o", out, code=1).err
    assert "onboarded" in do("renew", name, code=2).err
    do("change-password", name, "--password-file", "new", "--new-password-file", "new", code=2)
    do("change-password", name, "--password-file", "old", "--new-password-file", "new")
    code = code_file(do("restore", name))
    code = code_file(do("renew", name))
    do("onboard", name, *code, "-o", "again.p12")
    officer = as_approver(name, (tmp_path / "again.p12").read_bytes(), "second password")
    assert "onboarded" in do("status").out
    done = do("restore", name, "--forgotten", "--new-password-file", "old", code=2)
    assert "tsb key modify %s --approvers" % BACKUP_KEY in done.err
    trio = request.getfixturevalue("guarded")
    done = do("create", unique("other"), "--password-file", "old")
    assert "warning" not in done.err
    rid = do("restore", name, "--forgotten", "--new-password-file", "old").out.strip()
    for who in trio[:2]:
        api.approve(who, rid, kind="UnwrapKey")
    (tmp_path / "code").write_text(tsb.run("request", "wait", rid, env=env).out)
    assert "approved request" in do("renew", name, code=2).err
    do("onboard", name, "--code-file", "code", "-o", "third.p12")
    label = unique()
    api.create_key(label, policy(rule(token(named_group(1, name)))))
    rid = api.sign(label)
    done = tsb.run("approve", "-k", "third.p12", "--passphrase-file", "new", "--request", rid, "-y",
                   env=env, cwd=tmp_path, code=1)
    assert "password does not open" in done.err
    tsb.run("approve", "-k", "third.p12", "--passphrase-file", "old", "--request", rid, "-y",
            env=env, cwd=tmp_path)
    assert api.wait(rid)["approvedBy"] == [b64(officer.spki)]
    do("delete", name, code=1)  # nobody to ask
    do("delete", name, "-y")
    do("delete", name, "-y", code=2)
