"""The key that backups of approvers are made for: whose it is, and who is told when it asks nobody."""
import os
import signal
import subprocess

import pytest

from client import unique
from managed import BACKUP_KEY, M, PASSWORD, create, guarded, made
from plain_cgi import Cgi

pytestmark = [pytest.mark.online_only("the keys of approvers are made in the HSM"),
              pytest.mark.nginx_only("settings of their own, without a web server")]

MADE_LIKE = {"algorithm": "RSA", "keySize": 3072, "attributes": {
    "decrypt": True, "sign": False, "unwrap": True, "derive": False, "extractable": False,
    "sensitive": True, "modifiable": True, "destroyable": True, "copyable": False}}


@pytest.fixture
def settings(site, tmp_path):
    """Settings of the site with more below them."""
    def write(more):
        path = tmp_path / "other.conf"
        path.write_text((site.dir / "tsb.conf").read_text() + more)
        return path
    return write


@pytest.fixture
def refused(site, api, settings):
    """An approver cannot be created while hsm.backupKeyName is this."""
    def check(label, says):
        cgi = Cgi(site, api, settings("\n[hsm]\nbackupKeyName = %s\n" % label))
        status, _, content = cgi("POST", M + "create", {
            "approverName": unique("officer"), "algorithm": "RSA", "keySize": 2048,
            "backupPassword": PASSWORD})
        assert status == 500 and b'"errorCode":702' in content, content
        assert label.encode() in content and says in content, content
    return check


def test_key_that_somebody_else_made(api, refused):
    """Also one that looks exactly like the broker's own."""
    label = unique("backup")
    open_rules = {"ruleUse": None, "ruleBlock": None, "ruleUnblock": None, "ruleModify": None,
                  "keyStatus": {"blocked": False}}
    api.post("/v1/key", {"label": label, "policy": open_rules, **MADE_LIKE})
    refused(label, b"did not make")


def test_extractable_key(api, refused):
    label = unique("backup")
    api.post("/v1/key", {"label": label, **dict(MADE_LIKE, attributes=dict(
        MADE_LIKE["attributes"], extractable=True, sensitive=False))})
    refused(label, b"extractable")


def test_broker_that_was_interrupted_knows_its_key(api, site):
    """What it wrote before it asked the HSM is enough for a key that nobody has changed since."""
    create(api, unique("officer"))
    row = site.sql("SELECT HEX(spki_sha256), HEX(label), made_ms FROM backup_key")
    site.sql("UPDATE backup_key SET spki_sha256 = REPEAT(CHAR(0), 32)")
    create(api, unique("officer"))
    assert [r[:2] for r in site.sql("SELECT HEX(spki_sha256), HEX(label) FROM backup_key")] == \
        [r[:2] for r in row]


def test_key_with_a_policy_is_not_taken_for_an_interrupted_one(api, site, guarded):
    site.sql("UPDATE backup_key SET label = 'away'")
    try:
        for intent in (False, True):
            if intent:
                site.sql("INSERT INTO backup_key VALUES (REPEAT(CHAR(0), 32), '%s', 1)" % BACKUP_KEY)
            api.refused(702, "POST", M + "create", {
                "approverName": unique("officer"), "algorithm": "RSA", "keySize": 2048,
                "backupPassword": PASSWORD}, says="did not make")
    finally:
        site.sql("DELETE FROM backup_key WHERE label <> 'away'")
        site.sql("UPDATE backup_key SET label = '%s'" % BACKUP_KEY)


# ---- who is told ----

def check_settings(site, path):
    done = subprocess.run([str(site.build / "tsb-fcgi"), "-n", "-c", str(path)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0, done.stdout
    return done.stdout


def started(site, path):
    """What the log says before the program is ready."""
    env = dict(os.environ, TSB_TEST_CLOCK=str(site.clock_file))
    p = subprocess.Popen([str(site.build / "tsb-fcgi"), "-c", str(path)], env=env, text=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    text = ""
    for line in p.stderr:
        text += line
        if " ready, " in line:
            break
    p.send_signal(signal.SIGTERM)
    p.stderr.close()
    p.wait(timeout=60)
    return text


@pytest.fixture
def of_its_own(settings, tmp_path):
    """A program beside the one of the site, with its log on stderr."""
    path = settings("")
    kept = [line for line in path.read_text().splitlines()
            if line.split("=")[0].strip() not in ("listen", "workers", "file")]
    path.write_text("\n".join(kept) + "\n[fcgi]\nlisten = unix:%s/fcgi.sock\nworkers = 1\n" % tmp_path)
    return path


WARNING = "tsb key modify %s --approvers" % BACKUP_KEY


def test_start_warns_while_the_backup_key_asks_nobody(api, site, of_its_own):
    create(api, unique("officer"))
    assert WARNING in check_settings(site, of_its_own)
    assert WARNING in started(site, of_its_own)


def test_start_is_quiet_when_somebody_is_asked(site, of_its_own, guarded):
    assert WARNING not in check_settings(site, of_its_own)
    assert WARNING not in started(site, of_its_own)


def test_creation_warns_while_the_backup_key_asks_nobody(api, request):
    body = {"approverName": unique("officer"), "algorithm": "RSA", "keySize": 2048,
            "backupPassword": PASSWORD}
    assert WARNING in api.send("POST", M + "create", body).headers["X-TSB-Warning"]
    request.getfixturevalue("guarded")
    body["approverName"] = unique("officer")
    assert "X-TSB-Warning" not in api.send("POST", M + "create", body).headers
