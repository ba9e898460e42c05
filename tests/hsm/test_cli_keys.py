"""tsb key and tsb data in front of a tsb-hsm: keys that come, leave and change (tsb(1))."""
import base64
import hashlib
import hmac
import json
import os
import stat
import subprocess
import zipfile

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from approver import unb64
from conftest import TOKENS
from tsb import run, run_on_terminal

EXTRACTABLE = "sign,extractable,modifiable,destroyable"


@pytest.fixture
def tsb(hsm, tmp_path):
    """tsb in a folder of its own, in front of the module's HSM."""
    env = {"TSB_URL": "fcgi:%s/hsm.sock" % hsm.dir, "TSB_KEY_MANAGEMENT_TOKEN": TOKENS["KM"],
           "TSB_KEY_OPERATION_TOKEN": TOKENS["KO"]}

    def call(*args, **options):
        return run(*args, env=env, cwd=tmp_path, **options)
    call.env, call.folder = env, tmp_path
    return call


def secret(tsb, name, text):
    (tsb.folder / name).write_text(text + "\n")
    return name


def public_of(path, *options):
    return subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER", *options],
                          check=True, stdout=subprocess.PIPE).stdout


def test_create_finds_the_algorithm_by_size_or_curve(tsb):
    for args, algorithm in (([], "EC"), (["--curve", "ed25519"], "ED"), (["--size", "2048"], "RSA"),
                            (["--curve", "secp256k1"], "EC"), (["--curve", "P-224"], "EC"),
                            (["-a", "AES", "--size", "128"], "AES")):
        name = "made " + " ".join(args)
        assert tsb("key", "create", name, *args, "--json").json["json"]["algorithm"] == algorithm
    assert "not known here" in tsb("key", "create", "no", "--curve", "P-257", code=1).err
    assert "--size does not go with EC" in tsb("key", "create", "no", "-a", "EC", "--size", "256",
                                               code=1).err


def test_a_password_is_changed_and_taken_off(hsm, tsb):
    old, new = secret(tsb, "old", "first"), secret(tsb, "new", "second")
    tsb("key", "create", "locked", "-a", "EC", "--password-file", old)
    tsb("key", "password", "locked", "--password-file", old, "--new-password-file", new)
    tsb("key", "show", "locked", "--password-file", old, code=2)
    tsb("key", "show", "locked", "--password-file", new)
    assert "620" in tsb("key", "password", "locked", "--password-file", old, "--no-password",
                        "--json", code=2).err
    assert "no password" in tsb("key", "password", "locked", "--password-file", new,
                                "--no-password").err
    assert hsm.sign("locked", b"p", "SHA256_WITH_ECDSA")
    assert "give --new-password-file or a terminal" in tsb("key", "password", "locked", code=1).err


def test_passwords_are_typed_without_echo_and_twice(hsm, tsb):
    tsb("key", "create", "typed", "-a", "EC")
    words = ["key", "password", "typed"]
    code, shown, _ = run_on_terminal(*words, env=tsb.env, answers=["", "one word", "another"])
    assert code == 1 and "differ; nothing was changed" in shown
    code, shown, echo = run_on_terminal(*words, env=tsb.env, answers=["", "a word", "a word"])
    assert code == 0 and echo and "a word" not in shown
    assert hsm.sign("typed", b"p", "SHA256_WITH_ECDSA", keyPassword="a word")


def test_a_key_gets_another_name_and_fewer_attributes(hsm, tsb):
    tsb("key", "create", "before", "-a", "EC", "--attributes", EXTRACTABLE)
    assert tsb("key", "rename", "before", "after", "--json").json["json"]["label"] == "after"
    shown = tsb("key", "restrict", "after", "--attributes", "no-extractable,sensitive",
                "--json").json["json"]["attributes"]
    assert (shown["extractable"], shown["sensitive"], shown["destroyable"]) == (False, True, True)
    assert tsb("key", "restrict", "after", "--attributes", "extractable", code=2)
    assert "there is no attribute 'nonsense'" in tsb(
        "key", "restrict", "after", "--attributes", "nonsense", code=1).err
    assert "give --attributes" in tsb("key", "restrict", "after", code=1).err
    assert hsm.attributes("after")["json"]["attributes"] == shown


# ---- export ----

def test_export_is_encrypted_and_for_its_owner_alone(hsm, tsb):
    made = tsb("key", "create", "leaves", "-a", "EC", "--attributes", EXTRACTABLE, "--json").json
    phrase, path = secret(tsb, "phrase", "correct horse"), tsb.folder / "leaves.pem"
    done = tsb("key", "export", "leaves", "-o", path, "--passphrase-file", phrase)
    assert "private key, PKCS#8, encrypted" in done.out and done.err == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and "ENCRYPTED" in path.read_text()
    assert public_of(path, "-passin", "pass:correct horse") == unb64(made["json"]["publicKey"])
    done = tsb("key", "export", "leaves", "-o", "-", "--no-passphrase")
    assert "it is not encrypted" in done.err and done.out.startswith("-----BEGIN PRIVATE KEY-----")
    (tsb.folder / "link").symlink_to(path)
    assert "symbolic link" in tsb("key", "export", "leaves", "-o", "link", "--no-passphrase",
                                  code=1).err
    assert "no passphrase: give --passphrase-file" in tsb("key", "export", "leaves", "-o", "x",
                                                          code=1).err
    assert "shorter than 8" in tsb("key", "export", "leaves", "-o", "x", "--passphrase-file",
                                   secret(tsb, "short", "short"), code=1).err
    assert not (tsb.folder / "x").exists()


def test_keys_that_stay_are_not_exported(tsb):
    tsb("key", "create", "stays", "-a", "EC")
    assert tsb("key", "export", "stays", "-o", "x", "--no-passphrase", "--json",
               code=2).failure["errorCode"] == 614
    assert "say where it goes" in tsb("key", "export", "stays", "--no-passphrase", code=1).err
    assert not (tsb.folder / "x").exists()


def test_secret_keys_leave_and_come_as_base64(hsm, tsb):
    value = os.urandom(32)
    (tsb.folder / "aes").write_bytes(value)
    tsb("key", "import", "aes", "--name", "secret", "-a", "AES", "--attributes",
        "encrypt,decrypt,extractable,no-sensitive,destroyable")
    phrase = secret(tsb, "phrase", "correct horse")
    assert "give --no-passphrase" in tsb("key", "export", "secret", "-o", "x", "--passphrase-file",
                                         phrase, code=1).err
    tsb("key", "export", "secret", "-o", "x", "--no-passphrase")
    assert base64.b64decode((tsb.folder / "x").read_text()) == value
    tsb("key", "import", "x", "--name", "secret again", "-a", "AES")
    (tsb.folder / "plain").write_bytes(b"a text")
    done = tsb("encrypt", "secret again", "plain", "-a", "AES_GCM", "--json").json
    (tsb.folder / "sealed").write_text(json.dumps(done))
    text = tsb("decrypt", "secret", "sealed", "-a", "AES_GCM", code=None)
    assert text.code in (0, 2)    # tsb-hsm alone has no requests


@pytest.mark.parametrize("content, says", [
    (b"00112233445566778899aabbccddeeff\n", "hex digits"),
    (b"abandon ability able about above absent\n", "text but not base64"), (b"\n", "is empty")])
def test_text_that_would_be_another_secret_is_refused(hsm, tsb, content, says):
    (tsb.folder / "s").write_bytes(content)
    assert says in tsb("key", "import", "s", "--name", "no", "-a", "AES", code=1).err
    assert says in tsb("key", "import", "s", "--name", "no", "--seed", "--curve", "secp256k1",
                       code=1).err
    assert "no" not in hsm.call("GET", "/v1/key")


# ---- import ----

def forms(key, folder):
    """The same private key in the files that people have."""
    pem, der = folder / "key.pem", folder / "key.der"
    pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption()))
    made = {"pem": pem, "der": der}

    def openssl(name, *args):
        made[name] = folder / name
        subprocess.run(["openssl", *args, "-out", made[name]], check=True, stderr=subprocess.DEVNULL)
    openssl("der", "pkey", "-in", pem, "-outform", "DER")
    openssl("old", "ec", "-in", pem)
    openssl("old.der", "ec", "-in", pem, "-outform", "DER")
    for form in ("PEM", "DER"):
        openssl("sealed." + form, "pkcs8", "-topk8", "-in", pem, "-outform", form, "-passout",
                "pass:correct horse")
    openssl("cert.pem", "req", "-x509", "-new", "-key", pem, "-subj", "/CN=brought", "-days", "9")
    openssl("p12", "pkcs12", "-export", "-inkey", pem, "-in", made["cert.pem"], "-passout",
            "pass:correct horse")
    return made


def test_private_keys_come_in_every_form(hsm, tsb):
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.DER,
                                           serialization.PublicFormat.SubjectPublicKeyInfo)
    phrase = secret(tsb, "phrase", "correct horse")
    made = forms(key, tsb.folder)
    for form in ("pem", "der", "old", "old.der", "sealed.PEM", "sealed.DER", "p12"):
        words = ["key", "import", made[form], "--name", "from " + form]
        sealed = form.startswith("sealed") or form == "p12"
        if sealed:
            assert "give --passphrase-file" in tsb(*words, code=1).err
            assert tsb(*words, "--passphrase-file", secret(tsb, "wrong", "wrong horse"),
                       code=1).err
            words += ["--passphrase-file", phrase]
        assert unb64(tsb(*words, "--json").json["json"]["publicKey"]) == public
        assert hsm.verify("from pem", b"p", "SHA256_WITH_ECDSA",
                          hsm.sign("from " + form, b"p", "SHA256_WITH_ECDSA"))


def test_certificates_and_public_keys_come_too(hsm, tsb):
    made = forms(ec.generate_private_key(ec.SECP256R1()), tsb.folder)
    both = tsb.folder / "both.pem"
    both.write_bytes(made["cert.pem"].read_bytes() + made["pem"].read_bytes())
    tsb("key", "import", both, "--name", "with certificate")
    assert "brought" in tsb("certificate", "show", "with certificate").out
    (tsb.folder / "pub.der").write_bytes(public_of(made["pem"]))
    for name, path in (("public", "pub.der"), ("certified", made["cert.pem"])):
        tsb("key", "import", path, "--name", name)
        assert hsm.verify(name, b"p", "SHA256_WITH_ECDSA",
                          hsm.sign("with certificate", b"p", "SHA256_WITH_ECDSA"))
    (tsb.folder / "junk").write_bytes(b"0\x03\x02\x01\x01")
    for path in ("junk", both.parent / "missing"):
        assert tsb("key", "import", path, "--name", "junk", code=1).out == ""
    assert "junk" not in hsm.call("GET", "/v1/key")


def test_import_tells_keys_from_attributes(tsb):
    made = forms(ec.generate_private_key(ec.SECP256R1()), tsb.folder)
    assert "to import a key say --name" in tsb("key", "import", made["pem"], code=1).err
    for option in (["--seed"], ["-a", "AES"], ["--curve", "P-256"], ["--password-file", "x"]):
        assert "imported with --name" in tsb("key", "import", made["pem"], *option, code=1).err
    assert "for one file" in tsb("key", "import", made["pem"], made["der"], "--name", "x",
                                 code=1).err
    assert "give --curve" in tsb("key", "import", made["der"], "--name", "x", "--seed", code=1).err


# ---- attestations ----

def attestation_key(hsm, tsb):
    name, = hsm.call("GET", "/v1/attestation")
    chain = hsm.call("GET", "/v1/attestation/%s/certificateChain" % name)
    path = tsb.folder / "attestation.der"
    path.write_bytes(unb64(chain["attestationCertificateChain"][0]))
    return path


def test_attestation_is_checked_before_it_is_written(hsm, tsb):
    tsb("key", "create", "attested", "-a", "EC")
    words = ["key", "attest", "attested", "-o", "a.zip"]
    done = tsb(*words)
    assert "nothing was checked" in done.out
    with zipfile.ZipFile(tsb.folder / "a.zip") as z:
        assert z.testzip() is None and "attested.xml" in z.namelist()
    key = attestation_key(hsm, tsb)
    shown = tsb(*words, "--attestation-key", key, "--json").json
    assert shown["attestation"] == "verified" and shown["label"] == "attested"
    (tsb.folder / "other.pem").write_bytes(
        ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    done = tsb("key", "attest", "attested", "-o", "b.zip", "--attestation-key", "other.pem", code=6)
    assert "did not sign it" in done.err and not (tsb.folder / "b.zip").exists()


# ---- data objects ----

def test_data_is_kept_listed_written_and_deleted(hsm, tsb):
    value = bytes(range(256))
    (tsb.folder / "value").write_bytes(value)
    tsb("data", "put", "a/file", "value")
    tsb("data", "put", "typed", "--attributes", "private,no-destroyable", input=b"from a pipe")
    assert tsb("data", "list").out == "a/file\ntyped\n"
    assert tsb("data", "list", "--json").json == ["a/file", "typed"]
    assert base64.b64decode(tsb("data", "get", "a/file").out) == value
    tsb("data", "get", "a/file", "-o", "again")
    assert (tsb.folder / "again").read_bytes() == value
    assert stat.S_IMODE((tsb.folder / "again").stat().st_mode) == 0o600
    assert tsb("data", "get", "typed", "--json").json["attributes"] == {
        "private": True, "modifiable": True, "destroyable": False}
    assert "give --yes" in tsb("data", "delete", "a/file", code=1).err
    tsb("data", "delete", "a/file", "--yes")
    assert tsb("data", "delete", "typed", "--yes", "--json", code=2).failure["errorCode"] == 614
    assert tsb("data", "list").out == "typed\n"
    assert "nothing to keep" in tsb("data", "put", "empty", code=1).err


# ---- trees of keys ----

# BIP-32, test vector 1
XPUB = ("xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7us"
        "UDFdp6W1EGMcet8")
XPUB_0H = ("xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5sk"
           "i8PX9rL2dZXvgGDnw")


def test_a_seed_grows_a_tree(hsm, tsb):
    (tsb.folder / "seed").write_bytes(bytes(range(16)))
    tsb("key", "import", "--seed", "seed", "--curve", "secp256k1", "--name", "master")
    assert tsb("key", "xpub", "master").out == XPUB + "\n"
    assert tsb("key", "derive", "master", "m/0'", "--json").json["json"]["label"] == "master/0'"
    assert tsb("key", "xpub", "master/0'").out == XPUB_0H + "\n"
    tsb("key", "import", "--seed", "seed", "--curve", "ed25519", "--name", "hardened")
    assert tsb("key", "derive", "hardened", "0", "--json", code=2).failure["errorCode"] == 634
    assert "master/0'" in tsb("key", "list").out.splitlines()


def test_keyed_hashes_are_made_and_checked(tsb):
    key = os.urandom(32)
    (tsb.folder / "key").write_bytes(key)
    tsb("key", "import", "key", "--name", "mac", "-a", "HMACSHA256")
    assert base64.b64decode(tsb("hmac", "mac", input=b"asd").out) == hmac.digest(
        key, b"asd", hashlib.sha256)
    tsb("hmac", "mac", "-o", "hash", input=b"asd")
    assert tsb("hmac", "mac", "--verify", "hash", input=b"asd").out == "valid\n"
    assert tsb("hmac", "mac", "--verify", "hash", input=b"asdf", code=6).out == ""
