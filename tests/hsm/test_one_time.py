"""Keys that wear out, HSS/LMS and XMSS (Botan 3): each leaf signs once, whatever happens to the store."""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest

from approver import b64, unb64
from conftest import Hsm, Refused
from test_alter import alter
from test_changes import faulty, has_hooks  # noqa: F401

LEAVES = {"LMS": 32, "XMSS-SHA256_10_256": 1024, "XMSS-SHAKE256_10_256": 1024}
SIZES = {"LMS": 8688, "XMSS-SHA256_10_256": 2500, "XMSS-SHAKE256_10_256": 2500}
FAMILY = {name: "HSS-LMS" if name == "LMS" else "XMSS" for name in LEAVES}
PAYLOAD = b"firmware 7"
BUILT_WITH_BOTAN = "#define HAVE_BOTAN 1" in pathlib.Path(
    os.environ.get("TSB_BUILD", "build"), "config.h").read_text()
with_botan = pytest.mark.skipif(not BUILT_WITH_BOTAN, reason="this build has no Botan 3")


def leaf_of(name, signature):
    """The number of the leaf: behind Nspk of HSS (RFC 8554, 6.2), in front of XMSS (RFC 8391, 4.1.8)."""
    at = 4 if name == "LMS" else 0
    return struct.unpack(">I", signature[at:at + 4])[0]


def left(hsm, label):
    shown = hsm.attributes(label)
    number = shown["json"]["remainingSignatures"]
    assert "<remaining_signatures>%d</remaining_signatures>" % number in shown["xml"]
    return number


def refusal(call):
    with pytest.raises(Refused) as e:
        call()
    return e.value


def sign(hsm, label, name="LMS"):
    signature = hsm.sign(label, PAYLOAD, name)
    assert len(signature) == SIZES[name]
    return leaf_of(name, signature)


def settle(hsm, text):
    return subprocess.run([str(hsm.binary), "-c", str(hsm.settings), "--settle", text],
                          capture_output=True, text=True, timeout=60)


def test_built_with_what_is_there():
    """Where Botan 3 is installed the build uses it: none of these tests is skipped by mistake."""
    there = subprocess.run(["pkg-config", "--exists", "botan-3 >= 3.4"]).returncode == 0
    assert there == BUILT_WITH_BOTAN


@pytest.mark.skipif(BUILT_WITH_BOTAN, reason="this build has Botan 3")
@pytest.mark.parametrize("name", LEAVES)
def test_without_botan_it_is_607(hsm, name):
    e = refusal(lambda: hsm.create("worn", name))
    assert (e.status, e.code) == (400, 607) and "needs Botan 3" in e.message
    hsm.create("an EC key") if "an EC key" not in hsm.call("GET", "/v1/key") else None
    e = refusal(lambda: hsm.sign("an EC key", PAYLOAD, name))
    assert e.code == 607 and "needs Botan 3" in e.message


@with_botan
@pytest.mark.parametrize("name", LEAVES)
def test_makes_signs_and_verifies(hsm, name):
    shown = hsm.create("new " + name, name)
    assert shown["json"]["algorithm"] == FAMILY[name] and shown["json"]["keySize"] is None
    assert left(hsm, "new " + name) == LEAVES[name]
    signatures = [hsm.sign("new " + name, PAYLOAD, name) for _ in range(2)]
    assert [leaf_of(name, s) for s in signatures] == [0, 1]
    assert left(hsm, "new " + name) == LEAVES[name] - 2
    for s in signatures:
        assert len(s) == SIZES[name] and hsm.verify("new " + name, PAYLOAD, name, s)
        assert not hsm.verify("new " + name, PAYLOAD + b"!", name, s)
        assert not hsm.verify("new " + name, PAYLOAD, name, s[:-1])
    for other in LEAVES:
        if other != name:
            assert refusal(lambda: hsm.sign("new " + name, PAYLOAD, other)).code == 607
    assert left(hsm, "new " + name) == LEAVES[name] - 2


def key_file(hsm, label):
    return hsm.store / (hashlib.sha256(label.encode()).hexdigest() + ".key")


def hash256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def lms_verifies(spki, message, signature):
    """RFC 8554, 4.6, 5.4.2 and 6.3, for one tree of height 5 with chains of one bit."""
    public = spki[-60:]
    assert public[:4] == struct.pack(">I", 1), "L"
    lms_type, ots_type, ident, root = public[4:8], public[8:12], public[12:28], public[28:]
    assert (lms_type, ots_type) == (struct.pack(">I", 5), struct.pack(">I", 1))
    assert signature[:4] == bytes(4), "Nspk"
    q, s_ots_type, c = signature[4:8], signature[8:12], signature[12:44]
    y = [signature[44 + 32 * i:76 + 32 * i] for i in range(265)]
    rest = signature[44 + 32 * 265:]
    assert s_ots_type == ots_type and rest[:4] == lms_type
    digest = hash256(ident, q, b"\x81\x81", c, message)
    bits = [byte >> (7 - i) & 1 for byte in digest for i in range(8)]
    checksum = sum(1 - bit for bit in bits) << 7
    bits += [checksum >> (15 - i) & 1 for i in range(9)]
    ends = [y[i] if bits[i] else hash256(ident, q, struct.pack(">H", i), b"\0", y[i])
            for i in range(265)]
    node = 32 + struct.unpack(">I", q)[0]
    value = hash256(ident, struct.pack(">I", node), b"\x82\x82",
                    hash256(ident, q, b"\x80\x80", *ends))
    for i in range(5):
        beside = rest[4 + 32 * i:36 + 32 * i]
        both = (beside, value) if node & 1 else (value, beside)
        node //= 2
        value = hash256(ident, struct.pack(">I", node), b"\x83\x83", *both)
    return value == root


@with_botan
def test_a_verifier_of_its_own_takes_lms(hsm):
    spki = unb64(hsm.create("checked elsewhere", "LMS")["json"]["publicKey"])
    for _ in range(3):
        signature = hsm.sign("checked elsewhere", PAYLOAD, "LMS")
        assert lms_verifies(spki, PAYLOAD, signature)
        assert not lms_verifies(spki, PAYLOAD + b"!", signature)


@with_botan
def test_every_leaf_once_and_then_no_more(hsm):
    """By all workers at once."""
    hsm.create("worn out", "LMS")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        leaves = list(pool.map(lambda _: sign(hsm, "worn out"), range(32)))
    assert sorted(leaves) == list(range(32))
    assert left(hsm, "worn out") == 0
    e = refusal(lambda: hsm.sign("worn out", PAYLOAD, "LMS"))
    assert e.code == 614 and "all the 32 signatures" in e.message


@with_botan
@pytest.mark.skipif(not has_hooks(), reason="needs a build with --enable-test-hooks")
@pytest.mark.parametrize("point,used", [
    ("hsm.change.before", 0), ("file.created", 0), ("file.written", 0), ("file.renamed", 1),
    ("hsm.change.after", 1), ("hsm.sign.executed", 1)])
def test_killed_at_each_step_of_a_signature(faulty, point, used):  # noqa: F811
    """A leaf that was taken is gone, signed or not; it never signs again."""
    label = "one-time at " + point
    faulty.create(label, "LMS")
    assert sign(faulty, label) == 0
    faulty.faults.write_text(point + " kill\n")
    with pytest.raises((OSError, ConnectionError)):
        faulty.sign(label, PAYLOAD, "LMS")
    assert not faulty.faults.read_text().strip(), "the point was not passed"
    assert left(faulty, label) == 32 - 1 - used
    assert sign(faulty, label) == 1 + used


@with_botan
@pytest.mark.skipif(not has_hooks(), reason="needs a build with --enable-test-hooks")
def test_a_key_made_anew_lends_no_leaf_to_the_old_one(faulty):  # noqa: F811
    """Deleted and made anew while a worker is about to sign with the old private half."""
    faulty.create("anew", "LMS")
    assert sign(faulty, "anew") == 0
    faulty.faults.write_text("hsm.enforced stop\n")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        late = pool.submit(lambda: faulty.sign("anew", PAYLOAD, "LMS"))
        end = time.monotonic() + 10
        while faulty.faults.read_text().strip():
            assert time.monotonic() < end, "the point was not passed"
            time.sleep(0.02)
        faulty.call("DELETE", "/v1/key/anew")
        faulty.create("anew", "LMS")
        os.killpg(faulty.process.pid, signal.SIGCONT)
        with pytest.raises(Refused, match="made anew"):
            late.result(20)
    assert left(faulty, "anew") == 32


@with_botan
def test_a_password_guards_and_changes(hsm):
    hsm.create("guarded one", "LMS", password="old")
    assert refusal(lambda: hsm.sign("guarded one", PAYLOAD, "LMS")).code == 620
    assert left_with(hsm, "guarded one", "old") == 32, "a refusal costs nothing"
    hsm.sign("guarded one", PAYLOAD, "LMS", keyPassword="old")
    hsm.call("POST", "/v1/key/changePassword", {
        "label": "guarded one", "password": "old", "newPassword": "new"})
    signature = hsm.sign("guarded one", PAYLOAD, "LMS", keyPassword="new")
    assert leaf_of("LMS", signature) == 1
    assert left_with(hsm, "guarded one", "new") == 30


def left_with(hsm, label, password):
    return hsm.attributes(label, password)["json"]["remainingSignatures"]


@with_botan
def test_a_file_from_a_backup_does_not_sign_unnoticed(hsm, tmp_path):
    label = "restored"
    hsm.create(label, "LMS", attributes={"modifiable": True})
    for leaf in range(3):
        assert sign(hsm, label) == leaf
    file = key_file(hsm, label)
    shutil.copy2(file, tmp_path / "backup")
    assert sign(hsm, label) == 3, "a backup that is only taken changes nothing"
    file.unlink()
    shutil.copy2(tmp_path / "backup", file)
    for _ in range(2):
        e = refusal(lambda: hsm.sign(label, PAYLOAD, "LMS"))
        assert "copied or restored" in e.message and "--settle" in e.message
        # it stays a copy, whatever else is written, and whoever reads it
        alter(hsm, label, id="0b")
        hsm.stop()
        hsm.start()
    assert left(hsm, label) == 29

    for text, why in [(label, "KEY=N"), ("=4", "KEY=N"), (label + "=x", "KEY=N"),
                      (label + "=2", "at least 3 of 32"), (label + "=33", "at least 3 of 32"),
                      ("nobody=4", "does not exist"), ("attestation-key=4", "not counted")]:
        done = settle(hsm, text)
        assert done.returncode == 1 and why in done.stderr, (text, done.stderr)
        assert "copied" in refusal(lambda: hsm.sign(label, PAYLOAD, "LMS")).message
    done = settle(hsm, label + "=4")
    assert done.returncode == 0 and "settled" in done.stdout, done.stderr
    assert left(hsm, label) == 28 and sign(hsm, label) == 4
    assert re.search(r"leaf taken key=restored leaf=3 left=28", (hsm.dir / "log").read_text())


@with_botan
def test_a_copied_store_does_not_sign_unnoticed(tmp_path):
    """As a whole, too: a second HSM from the first one's files."""
    hsm = Hsm()
    try:
        hsm.create("twice", "XMSS-SHA256_10_256")
        assert sign(hsm, "twice", "XMSS-SHA256_10_256") == 0
        hsm.stop()
        copy = tmp_path / "store"
        shutil.copytree(hsm.store, copy)
        shutil.rmtree(hsm.store)
        shutil.copytree(copy, hsm.store)
        hsm.store.chmod(0o700)
        hsm.start()
        assert "copied" in refusal(lambda: hsm.sign("twice", PAYLOAD, "XMSS-SHA256_10_256")).message
    finally:
        hsm.close()


@with_botan
def test_what_would_make_a_second_one_is_refused(hsm):
    e = refusal(lambda: hsm.create("leaves", "LMS", attributes={"extractable": True}))
    assert e.code == 606 and "extractable" in e.message
    shown = hsm.create("stays", "LMS", attributes={"modifiable": True})
    e = refusal(lambda: alter(hsm, "stays", newLabel="other"))
    assert "keeps its name" in e.message and "other" not in hsm.call("GET", "/v1/key")
    assert refusal(lambda: hsm.call("POST", "/v1/key/export/plain", {"label": "stays"})).code == 614
    hsm.create("wraps", "AES", keySize=256, attributes={"decrypt": True, "unwrap": True})
    refusal(lambda: hsm.call("POST", "/v1/wrap", {"wrapKeyRequest": {
        "keyToBeWrapped": "stays", "wrapKeyName": "wraps", "wrapMethod": "AES_WRAP_PAD"}}, "KO"))
    e = refusal(lambda: hsm.call("POST", "/v1/key/import/plain", {
        "label": "brought", "algorithm": "LMS", "privateKey": b64(b"x" * 64), "publicKey": shown["json"]["publicKey"],
        "attributes": {"sign": True, "decrypt": False, "unwrap": False}}))
    assert e.code == 607 and "do not come in" in e.message
    assert left(hsm, "stays") == 32


@with_botan
def test_statistics_count_what_is_left():
    hsm = Hsm()
    try:
        text = hsm.call("GET", "/v1/keystore/statistics", role="SV")["keyStoreStatistics"]
        assert "wear out" not in text
        hsm.create("a", "LMS")
        hsm.create("b", "XMSS-SHA256_10_256")
        sign(hsm, "a")
        text = hsm.call("GET", "/v1/keystore/statistics", role="SV")["keyStoreStatistics"]
        assert text.endswith("keys that wear out 2, remaining signatures 1055"), text
    finally:
        hsm.close()
