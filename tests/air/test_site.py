"""The two sites themselves: what tools/site sets up on either side of the gap, and what their settings mean."""
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

import air
import ska
from approver import b64, quorum, unb64, verify
from client import public_key
from private_site import TOOL, build_dir


# ---- the room: no database, and all that needs none ----

def test_signs_with_approvals(room, people):
    crowd = people.several(2)
    answer = room.create_key(policy=quorum(2, *crowd))
    label = answer["json"]["label"]
    approved = ska.Token(ska.USE, label, b"by hand").encode()
    signature = room.api.sign_now(label, b"by hand",
                                  approvals=[a.signed_approval(approved) for a in crowd])
    assert verify(public_key(answer), "SHA-256", b"by hand", signature)


def test_certifies_at_once(room):
    label = room.create_key()["json"]["label"]
    answer = room.api.post("/v1/certificate/synchronous/selfsign", {
        "signKeyName": label, "signatureAlgorithm": "SHA256_WITH_ECDSA", "validity": 30,
        "commonName": "room", "certificateAuthority": False})
    assert answer is not None
    assert "BEGIN CERTIFICATE" in room.api.get("/v1/certificate/" + label)["certificate"]


def test_deletes_a_key_without_looking_for_its_requests(room):
    label = room.create_key()["json"]["label"]
    room.api.call("DELETE", "/v1/key/" + label)
    assert label not in room.api.get("/v1/key")
    room.api.refused(650, "DELETE", "/v1/key/" + label)


def test_says_that_it_keeps_no_requests(room, people):
    label = room.create_key()["json"]["label"]
    body = room.api.sign_body(label)
    room.api.refused(2, "POST", "/v1/sign", body, says="synchronous calls only")
    room.api.refused(2, "GET", "/v1/request/0190a5e0-0000-7000-8000-000000000000",
                     says="database.enabled")
    room.api.refused(2, "POST", "/v1/filteredAllApprovalTask", people().proof(room.api.now()),
                     says="no database")
    assert room.attributes(label)["json"]["keyUsageCount"] == 0
    assert "TSB_DB_SOCKET" not in room.site.vars


# ---- keys of either side ----

def test_keys_of_the_sites(online, room):
    for path in (online.public, room.attestation):
        assert path.read_text().startswith("-----BEGIN PUBLIC KEY-----\n")
        assert path.stat().st_mode & 0o777 == 0o644
    secret = online.site.dir / "secret" / "site.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert not {"TSB_HSM_URL", "TSB_HSM_TOKEN", "TSB_ATTESTATION_KEY"} & set(online.site.vars)
    assert "TSB_SITE_KEY" not in room.site.vars
    before = online.public.read_bytes()
    online.site.up()
    assert online.public.read_bytes() == before


def test_key_password_stays_in_the_room(online, room, people):
    a = people()
    answer = room.create_key(policy=quorum(1, a), password="pass word")
    online.import_key(answer)
    label = answer["json"]["label"]
    rid = online.api.sign(label, b"m", keyPassword="pass word")
    online.approve(rid, a)
    carried = online.carried(rid)
    assert "pass" not in str(carried)
    assert room.attempt(carried)["errorCode"] == 620
    view = online.put(rid, room.execute(carried, password="pass word"))
    assert verify(public_key(answer), "SHA-256", b"m", unb64(view["result"]))


# ---- pins ----

@pytest.fixture(scope="module")
def bare():
    """An air-gapped site that nobody has told whom to believe, behind the other web server."""
    made = air.Online(web="apache")
    yield made
    made.down()


def warnings(online):
    text = (online.site.dir / "log" / "fcgi.log").read_text()
    start = text.rsplit(" ready, ", 1)[0].rsplit("stopped", 1)[-1]
    return [line for line in start.splitlines() if " warn " in line]


def test_each_missing_pin_is_told_and_can_be_added(bare, room, people, tmp_path):
    a, api = people("p256", 40), bare.api
    told = "\n".join(warnings(bare))
    for name in ("offlineSiteKeyFile", "attestationKeyFile", "approverFile"):
        assert "airGapped." + name in told
    assert "siteKeyFile" not in told.replace("offlineSiteKeyFile", "")
    answer = room.create_key(policy=quorum(1, a))
    label = answer["json"]["label"]
    api.refused(300, "POST", "/v1/key/import/attributes", answer, says="attestationKeyFile")
    api.refused(650, "POST", "/v1/sign", api.sign_body(label), says="approverFile")

    bare.believe(a)
    rid = api.sign(label, b"not imported")
    bare.approve(rid, a)
    view = api.request(rid)
    assert view["notYetApprovedBy"] == [] and "approvalProgress" not in view
    assert "approverFile" not in "\n".join(warnings(bare))

    bare.site.pin(("-A", room.attestation))
    bare.site.pin(("-A", room.attestation))     # once is enough
    bare.import_key(answer)
    assert "attestationKeyFile" not in "\n".join(warnings(bare))
    pins = sorted(p.name for p in (bare.site.dir / "pins").iterdir())
    assert pins == ["approver-001.pem", "attestation-001.pem"]
    assert "approver-001.pem" in (bare.site.dir / "tsb.conf").read_text()


def test_site_with_all_pins_warns_of_nothing(online):
    lines = warnings(online)
    assert not [x for x in lines if "siteKeyFile" in x.replace("offlineS", "s") or
                "attestationKeyFile" in x]


# ---- what does not go together ----

def tool(tmp_path, *args, **env):
    done = subprocess.run([str(TOOL), "up", "-d", str(tmp_path / "site"), "-p", "0", "-b",
                           str(build_dir()), *map(str, args)], env={"PATH": "/usr/bin:/bin", **env},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode != 0, done.stdout
    return done.stderr


@pytest.mark.parametrize("args,env,word", [
    (["-N"], {}, "database"), (["-A", "/dev/null"], {}, "PEM"), (["-O", "/nonexistent"], {}, "read"),
    ([], {"TSB_SITE_HSM_URL": "http://127.0.0.1:1"}, "no HSM")])
def test_options_that_contradict_an_air_gap(tmp_path, args, env, word):
    assert word in tool(tmp_path, "-P", "air-gapped", *args, **env)


def test_pins_need_an_air_gap(tmp_path, room):
    assert "air-gapped" in tool(tmp_path, "-P", "online", "-A", room.attestation)
    done = subprocess.run([str(TOOL), "pin", "-d", str(room.site.dir), "-A", str(room.attestation)],
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "air-gapped" in done.stderr


@pytest.mark.parametrize("program,profile,section,word", [
    ("tsb-fcgi", "air-gapped", "[hsm]\nurl = http://127.0.0.1:1\n", "hsm.url"),
    ("tsb-fcgi", "air-gapped", "[database]\nenabled = false\n", "database.enabled"),
    ("tsb-fcgi", "online", "", "hsm.url is missing"),
    ("tsb-fcgi", "offline", "", "general.profile"),
    ("tsb-dispatcher", "air-gapped", "[hsm]\nurl = http://127.0.0.1:1\n", "hsm.url")])
def test_settings_that_contradict_each_other(tmp_path, program, profile, section, word):
    conf = tmp_path / "tsb.conf"
    conf.write_text("[general]\nprofile = %s\n%s" % (profile, section))
    done = subprocess.run([str(build_dir() / program), "-n", "-c", str(conf)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert done.returncode != 0 and word in done.stdout


def test_short_rsa_keys_of_approvers_are_for_old_sites(tmp_path):
    """approverFile takes whom a policy takes."""
    (tmp_path / "short.pem").write_bytes(
        rsa.generate_private_key(65537, 1024).public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    conf, says = tmp_path / "tsb.conf", "airGapped.approverFile: approver 1: public key: RSA of an " \
        "approver has at least 2048 bits (setting approverRsaBits)"
    for bits in (2048, 1024):
        conf.write_text("[general]\nprofile = air-gapped\napproverRsaBits = %d\n[airGapped]\n"
                        "approverFile = %s\n" % (bits, tmp_path / "short.pem"))
        done = subprocess.run([str(build_dir() / "tsb-fcgi"), "-n", "-c", str(conf)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
        assert (says in done.stdout) == (bits == 2048), done.stdout


def test_dispatcher_without_database_does_not_start(tmp_path):
    conf = tmp_path / "tsb.conf"
    conf.write_text("[general]\nprofile = online\n[hsm]\nurl = http://127.0.0.1:1\n"
                    "[database]\nenabled = false\n")
    done = subprocess.run([str(build_dir() / "tsb-dispatcher"), "-c", str(conf)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert done.returncode == 1 and "database.enabled" in done.stdout


def test_broken_pin_keeps_the_site_from_starting(tmp_path):
    pin = tmp_path / "pin.pem"
    pin.write_text("-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % b64(b"x" * 40))
    assert "PEM" in tool(tmp_path, "-P", "air-gapped", "-A", pin)
