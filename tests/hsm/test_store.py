"""The key store: races, kills, damage, rights, master keys."""
import concurrent.futures
import os
import pathlib
import pwd
import signal
import subprocess
import time

import pytest

import conftest
from conftest import Hsm, Refused


def second(hsm, name="second"):
    """Another tsb-hsm on the same key store."""
    settings = hsm.dir / (name + ".conf")
    text = hsm.settings.read_text().replace("hsm.sock", name + ".sock")
    settings.write_text(text)
    other = object.__new__(Hsm)
    other.__dict__.update(hsm.__dict__)
    other.settings = settings
    return other


def test_one_of_many_creates_a_label(hsm):
    def attempt(_):
        try:
            return hsm.create("contested")["json"]["publicKey"]
        except Refused as error:
            assert error.code == 608
            return None
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = [key for key in pool.map(attempt, range(32)) if key]
    assert made == [hsm.attributes("contested")["json"]["publicKey"]]


def test_workers_see_each_others_changes_at_once(hsm):
    """Removed and made again in quick succession: no worker may serve the old key from memory."""
    for _ in range(60):
        made = hsm.create("fleeting")["json"]["publicKey"]
        seen = {hsm.attributes("fleeting")["json"]["publicKey"] for _ in range(4)}
        assert seen == {made}
        hsm.call("DELETE", "/v1/key/fleeting")
        for _ in range(4):
            with pytest.raises(Refused) as error:
                hsm.attributes("fleeting")
            assert error.value.code == 650


def test_count_starts_again_with_a_new_key(hsm):
    for _ in range(2):
        hsm.create("recounted")
        hsm.sign("recounted", b"x", "SHA256_WITH_ECDSA")
        assert hsm.attributes("recounted")["json"]["keyUsageCount"] == 1
        hsm.call("DELETE", "/v1/key/recounted")


def test_every_use_is_counted_by_all_workers(hsm):
    hsm.create("busy")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: hsm.sign("busy", b"x", "SHA256_WITH_ECDSA"), range(200)))
    assert hsm.attributes("busy")["json"]["keyUsageCount"] == 200


def test_killed_while_writing():
    """SIGKILL at any moment: every key whose creation was answered is there, none is damaged."""
    hsm = Hsm()
    try:
        answered = {}
        for turn in range(6):
            def create(i, turn=turn):
                label = "k-%d-%d" % (turn, i)
                try:
                    answered[label] = hsm.create(label)["json"]["publicKey"]
                except (OSError, Refused):
                    pass
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                work = [pool.submit(create, i) for i in range(400)]
                time.sleep(0.05 + 0.03 * turn)
                hsm.stop(kill=True)
                for w in work:
                    w.result()
            (hsm.dir / "hsm.sock").unlink(missing_ok=True)
            hsm.start()
            assert not list(hsm.store.glob(".new.*")), "left-overs are swept at start"
            labels = set(hsm.call("GET", "/v1/key"))
            assert set(answered) <= labels
        assert answered
        for label in labels - {"attestation-key", "timestamp-key"}:
            key = hsm.attributes(label)["json"]["publicKey"]
            assert answered.get(label, key) == key
            assert hsm.verify(label, b"x", "SHA256_WITH_ECDSA",
                              hsm.sign(label, b"x", "SHA256_WITH_ECDSA"))
    finally:
        hsm.close()


def test_two_programs_make_one_set_of_system_keys():
    hsm = Hsm()
    try:
        hsm.stop()
        for path in hsm.store.iterdir():
            path.unlink()
        (hsm.dir / "master").unlink()
        others = [second(hsm, "p%d" % n) for n in range(3)]
        started = [subprocess.Popen([str(o.binary), "-c", str(o.settings), "--init"],
                                    stdout=subprocess.DEVNULL) for o in others]
        assert [p.wait(30) for p in started] == [0, 0, 0]
        hsm.start()
        assert hsm.call("GET", "/v1/key") == ["attestation-key", "timestamp-key"]
        hsm.create("after")
    finally:
        hsm.close()


def files_of(hsm):
    return {p.name for p in hsm.store.glob("*.key")}


def test_damaged_and_swapped_files_are_refused(hsm, refused):
    before = files_of(hsm)
    hsm.create("left")
    left = hsm.store / (files_of(hsm) - before).pop()
    before = files_of(hsm)
    hsm.create("right")
    right = hsm.store / (files_of(hsm) - before).pop()
    good = left.read_bytes()
    for at in (0, 7, 8, 20, len(good) // 2, len(good) - 1):
        left.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        with refused(500):
            hsm.sign("left", b"x", "SHA256_WITH_ECDSA")
    left.write_bytes(good[:-1])
    with refused(500):
        hsm.attributes("left")
    left.write_bytes(right.read_bytes())
    with refused(500, "misplaced"):
        hsm.attributes("left")
    assert "left" not in hsm.call("GET", "/v1/key") and "right" in hsm.call("GET", "/v1/key")
    left.write_bytes(good)
    assert hsm.attributes("left")["json"]["label"] == "left"


def test_nothing_readable_on_disk(hsm):
    hsm.create("secret-label-on-disk", password="secret-password")
    everything = b"".join(p.read_bytes() for p in hsm.store.iterdir())
    assert b"secret-label-on-disk" not in everything and b"secret-password" not in everything
    assert (hsm.store.stat().st_mode & 0o77) == 0
    for path in hsm.store.iterdir():
        assert (path.stat().st_mode & 0o77) == 0, path


def starts(hsm):
    """Whether it starts, and why not; -n knows beforehand."""
    check = subprocess.run([str(hsm.binary), "-c", str(hsm.settings), "-n"], env=hsm.env,
                           capture_output=True, text=True, timeout=60, check=False)
    done = subprocess.run([str(hsm.binary), "-c", str(hsm.settings), "--init"], env=hsm.env,
                          capture_output=True, text=True, timeout=60, check=False)
    assert check.returncode == done.returncode, (check.stderr, done.stderr)
    return done.returncode == 0, done.stderr


def test_start_refuses_what_is_not_safe():
    hsm = Hsm()
    try:
        hsm.stop()
        assert starts(hsm)[0]
        hsm.store.chmod(0o750)
        assert not starts(hsm)[0]
        hsm.store.chmod(0o700)
        (hsm.dir / "master").chmod(0o444)
        ok, why = starts(hsm)
        assert not ok and "closed to others" in why
        (hsm.dir / "master").chmod(0o600)
        good = (hsm.dir / "master").read_bytes()
        (hsm.dir / "master").write_bytes(os.urandom(32))
        ok, why = starts(hsm)
        assert not ok and "does not belong" in why
        (hsm.dir / "master").write_bytes(good[:31])
        assert not starts(hsm)[0]
        (hsm.dir / "master").unlink()
        ok, why = starts(hsm)
        assert not ok and not (hsm.dir / "master").exists(), "never a new key for an old store"
        (hsm.dir / "master").write_bytes(good)
        (hsm.dir / "master").chmod(0o400)
        assert starts(hsm)[0]
        header = (hsm.store / "store").read_bytes()
        (hsm.store / "store").unlink()
        ok, why = starts(hsm)
        assert not ok and "lost its file" in why
        (hsm.store / "store").write_bytes(header)
        assert starts(hsm)[0]
    finally:
        hsm.close()


def test_passphrase():
    place = pathlib.Path("/tmp") / ("tsb-hsm-passphrase.%d" % os.getpid())
    place.write_text("correct horse battery staple\n")
    place.chmod(0o600)
    hsm = None
    try:
        hsm = Hsm(master="passphraseFile = %s" % place)
        key = hsm.create("kept")["json"]["publicKey"]
        hsm.stop()
        place.write_text("correct horse battery stable\n")
        ok, why = starts(hsm)
        assert not ok and "passphrase does not belong" in why
        place.write_text("correct horse battery staple\n")
        hsm.start()
        assert hsm.attributes("kept")["json"]["publicKey"] == key
    finally:
        place.unlink()
        if hsm:
            hsm.close()


@pytest.mark.parametrize("line,says", [
    ("[keyStore]\npassphrase = long enough to be one\n", "exactly one"),
    ("[keys]\ntimestampKeyName = attestation-key\n", "differ"),
    ("[keys]\ntimestampKeyName = a/b\n", "timestampKeyName"),
    ("[keys]\nrfcTimestampKeyName = timestamp-key\n", "differ"),
    ("[keys]\nrfcTimestampKeyName = a/b\n", "rfcTimestampKeyName"),
    ("[keys]\nrfcTimestampPolicy = baseline\n", "rfcTimestampPolicy"),
    ("[apiAuthentication]\nenabled = false\n", "apiAuthentication.enabled"),
    ("[log]\nlevel = loud\n", "log.level"), ("[server]\nsocketMode = 0999\n", "socketMode"),
    ("[server]\nuser = nobody-of-that-name\n", "does not exist"),
    ("[nonsense]\nx = 1\n", "nonsense")])
def test_settings_are_checked(tmp_path, line, says):
    settings = tmp_path / "conf"
    settings.write_text(conftest.SETTINGS % dict(
        conftest.TOKENS, dir=tmp_path, server="", master="masterKeyFile = %s/m" % tmp_path) + line)
    settings.chmod(0o600)
    binary = pathlib.Path(os.environ.get("TSB_BUILD", "build")) / "tsb-hsm"
    for option in "-n", "--init":
        done = subprocess.run([str(binary), "-c", str(settings), option], capture_output=True,
                              text=True, timeout=30, check=False)
        assert done.returncode == 1 and says in done.stderr, done.stderr


@pytest.mark.parametrize("create", ["true", "false"])
def test_check_makes_nothing(tmp_path, create):
    settings, master = tmp_path / "conf", tmp_path / "m"
    binary = pathlib.Path(os.environ.get("TSB_BUILD", "build")) / "tsb-hsm"

    def check(code, says="", **members):
        values = dict(conftest.TOKENS, dir=tmp_path, server="",
                      master="masterKeyFile = %s" % members.pop("key", master))
        text = (conftest.SETTINGS % values).replace("create = true", "create = " + create)
        for old, new in members.items():
            text = text.replace("/%s\n" % old, "/%s\n" % new)
        settings.write_text(text)
        done = subprocess.run([str(binary), "-c", str(settings), "-n"], capture_output=True,
                              text=True, timeout=30, check=False)
        assert done.returncode == code and says in done.stderr, done.stderr
        assert sorted(p.name for p in tmp_path.iterdir() if p != master) == ["conf"]
    if create == "false":
        check(1, "--init")
        return
    check(0)
    check(1, "none", store="none/store")
    check(1, "none", key=tmp_path / "none" / "m")
    check(1, "none", log="none/log")
    check(1, "none", **{"hsm.sock": "none/hsm.sock"})
    check(1, "is no socket", **{"hsm.sock": "conf"})
    master.write_bytes(bytes(31))
    master.chmod(0o600)
    check(1, "32 bytes")


def test_worker_dies_others_serve(hsm):
    children = subprocess.run(["pgrep", "-P", str(hsm.process.pid)], capture_output=True,
                              text=True, check=True).stdout.split()
    os.kill(int(children[0]), signal.SIGKILL)
    for _ in range(10):
        assert hsm.call("GET", "/v1/key")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to drop rights")
@pytest.mark.skipif(not os.stat("/").st_mode & 0o001,
                    reason="the root folder is closed to everybody but root")
def test_drops_rights():
    hsm = Hsm(server="user = nobody", owner="nobody")
    try:
        nobody = pwd.getpwnam("nobody").pw_uid
        status = pathlib.Path("/proc/%d/status" % hsm.process.pid).read_text()
        assert "Uid:\t%d\t%d\t%d\t%d" % ((nobody,) * 4) in status
        assert all(p.stat().st_uid == nobody for p in hsm.store.iterdir())
        hsm.create("made as nobody")
    finally:
        hsm.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to drop rights")
@pytest.mark.skipif(not os.stat("/").st_mode & 0o001,
                    reason="the root folder is closed to everybody but root")
def test_init_as_root_makes_what_belongs_to_the_user(tmp_path):
    """Store and master key stand in folders of root; the key file is made for a new store only."""
    hsm = Hsm(server="user = nobody", owner="nobody")
    try:
        hsm.stop()
        etc, var = hsm.dir / "etc", hsm.dir / "var"
        for folder in etc, var:
            folder.mkdir(mode=0o755)
        text = hsm.settings.read_text().replace(str(hsm.store), str(var / "store"))
        hsm.settings.write_text(text.replace("%s/master" % hsm.dir, "%s/master" % etc))
        assert starts(hsm)[0]
        nobody = pwd.getpwnam("nobody")
        for path, mode in (etc / "master", 0o400), (var / "store", 0o700):
            st = path.stat()
            assert (st.st_uid, st.st_gid, st.st_mode & 0o777) == (nobody.pw_uid, nobody.pw_gid, mode), path
        assert starts(hsm)[0]
        # a store that has lost its key gets no other one
        (etc / "master").unlink()
        ok, why = starts(hsm)
        assert not ok and "does not exist" in why and not (etc / "master").exists()
    finally:
        hsm.close()


def has_hooks():
    config = pathlib.Path(os.environ.get("TSB_BUILD", "build")) / "config.h"
    return config.exists() and "TSB_TEST_HOOKS" in config.read_text()


@pytest.mark.skipif(not has_hooks(), reason="needs a build with --enable-test-hooks")
@pytest.mark.parametrize("point,made", [("file.created", False),
                                        ("file.written", False),
                                        ("hsm.dirfile.linked", True)])
def test_killed_at_each_step_of_a_write(tmp_path, point, made):
    """The worker dies there: the key is whole or absent, its lock is free, nothing is left over."""
    faults = tmp_path / "faults"
    hsm = Hsm(env={"TSB_TEST_FAULTS": str(faults)})
    try:
        faults.write_text("%s kill\n" % point)
        with pytest.raises((OSError, ConnectionError)):
            hsm.create("cut short")
        assert not faults.read_text().strip(), "the point was not passed"
        assert len(list(hsm.store.glob(".new.*"))) == 1
        assert ("cut short" in hsm.call("GET", "/v1/key")) == made
        if made:
            assert hsm.sign("cut short", b"x", "SHA256_WITH_ECDSA")
            hsm.call("DELETE", "/v1/key/cut%20short")
        hsm.create("cut short")
        hsm.stop()
        hsm.start()
        assert not list(hsm.store.glob(".new.*"))
        assert hsm.sign("cut short", b"x", "SHA256_WITH_ECDSA")
    finally:
        hsm.close()
