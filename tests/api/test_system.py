"""Random numbers, version, license, and several API keys per role."""
import base64

import pytest

# ---- random ----

@pytest.mark.parametrize("length", [1, 16, 4096, 65536])
@pytest.mark.online_only("random bytes come from the HSM")
def test_random(api, length):
    answer = api.get("/v1/generateRandom/%d" % length)
    assert set(answer) == {"random"}
    assert len(base64.b64decode(answer["random"], validate=True)) == length
    if length >= 16:
        assert api.get("/v1/generateRandom/%d" % length) != answer


@pytest.mark.online_only("random bytes come from the HSM")
def test_random_for_both_roles(api):
    for role in ("KO", "SV"):
        api.get("/v1/generateRandom/8", role=role)


def test_random_bounds(api):
    for bad in ("0", "65537", "99999999"):
        api.refused(619, "GET", "/v1/generateRandom/" + bad)
    for bad in ("x", "1x", "-1", "1.5", "%31%20", "0x10", "99999999999999999999"):
        response = api.send("GET", "/v1/generateRandom/" + bad)
        assert response.json()["errorCode"] in (600, 619), response.text


# ---- system ----

def test_version(api):
    answer = api.get("/v1/versionInfo")
    assert {"Version", "Vendor"} <= set(answer)
    assert all(isinstance(v, str) and v for v in answer.values())


def test_license(api):
    flags = api.get("/v1/licenseInfo")["clientFlags"]
    assert {"REST_API", "TSB_ENGINE", "KEY_AUTH", "FIREBLOCKS_AGENT"} <= set(flags)


def test_statistics_are_the_first_call_of_clients(api):
    text = api.get("/v1/keystore/statistics")["keyStoreStatistics"]
    assert ("private keys " in text) == (api.site.profile == "online"), text


@pytest.mark.online_only("nobody can find the HSM away where there is none")
def test_statistics_fail_while_the_hsm_is_away(api, site):
    site.part("stop", "hsm")
    try:
        api.refused(2, "GET", "/v1/keystore/statistics")
    finally:
        site.part("start", "hsm")
    api.get("/v1/keystore/statistics")


def test_log_of_the_hsm(api):
    whole = api.get("/v1/hsm/log")["log"]
    few = api.get("/v1/hsm/log/3")["log"]
    if api.site.profile == "online":
        assert "tsb-hsm" in whole and few
    else:
        assert "air-gapped" in whole and few == whole


@pytest.mark.online_only("no line of a log is counted")
@pytest.mark.parametrize("bad,code", [("0", 619), ("100001", 619), ("-1", 619), ("x", 600)])
def test_lines_of_the_log_are_bounded(api, bad, code):
    api.refused(code, "GET", "/v1/hsm/log/" + bad)


# ---- several API keys per role ----

def test_api_keys_roll_over(api, site):
    """Each listed key is valid, none of another role, and a removed one no longer."""
    path = site.dir / "tsb.conf"
    before = path.read_text()
    second = "second-key-operation-key"
    try:
        path.write_text(before + "\n[apiAuthentication]\nkeyOperationToken = %s\n" % second)
        site.part("restart", "fcgi")
        for role in ("KO", second):
            api.refused(651, "GET", "/v1/request/0190a5e0-0000-7000-8000-000000000000", role=role)
        api.refused(631, "GET", "/v1/key", role=second)
    finally:
        path.write_text(before)
        site.part("restart", "fcgi")
    api.refused(631, "GET", "/v1/request/0190a5e0-0000-7000-8000-000000000000", role=second)
