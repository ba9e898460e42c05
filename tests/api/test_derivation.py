"""Derived keys through the broker (api-notes.md 7.9)."""
import pytest

import ska
from approver import b64, quorum, unb64, verify
from client import public_key, unique

SECP256K1 = "1.3.132.0.10"
ATTRIBUTES = {"sign": True, "decrypt": False, "unwrap": False, "slip10": True, "derive": True,
              "destroyable": True}

pytestmark = pytest.mark.online_only("an offline room derives keys where it has them")


def sow(api, policy=None, password=None):
    label = unique("wallet")
    api.post("/v1/importedKey", {
        "label": label, "seed": b64(bytes(range(32))), "curveOid": SECP256K1, "password": password,
        "attributes": ATTRIBUTES, "policy": policy})
    assert api.status == 201
    return label


@pytest.mark.parametrize("stored", [False, True])
def test_approvals_for_the_whole_label(api, people, stored):
    a, b = people.several(2)
    label = sow(api, quorum(2, a, b))
    name = label + "/44'/0'/0'/0"
    if stored:
        api.post("/v1/derivedKey", {"masterKeyLabel": label, "derivationPath": "44'/0'/0'/0"})
        assert api.status == 201
    key = public_key(api.attributes(name))
    rid = api.sign(name, b"pay")
    task = api.approve(a, rid)
    assert ska.Token.decode(unb64(task["approvalToBeSigned"])).label == name
    api.approve(b, rid)
    view = api.wait(rid, "EXECUTED")
    assert verify(key, "SHA-256", b"pay", unb64(view["result"]))
    assert (name in api.get("/v1/key")) is stored


def test_deleting_a_master_ends_requests_of_what_is_derived(api, people):
    label = sow(api, quorum(1, people()))
    rid = api.sign(label + "/0'", b"pay")
    api.post("/v1/key/deleteKey", {"label": label})
    assert api.status_of(rid) == "CANCELLED"


def test_at_once_with_the_password_of_the_master(api):
    label = sow(api, password="secret")
    name = label + "/7'"
    signature = api.sign_now(name, b"p", keyPassword="secret")
    key = public_key(api.attributes(name, "secret"))
    assert verify(key, "SHA-256", b"p", signature)
    api.refused(620, "POST", "/v1/key/attributes", {"label": name, "password": "wrong"})


def test_extended_public_key(api):
    label = sow(api)
    texts = {api.get("/v1/xpub/" + label + path)["xpub"] for path in ("", "%2F0", "%2F0%27")}
    assert len(texts) == 3 and all(text.startswith("xpub6") for text in texts)
    api.post("/v1/derivedkey", {"masterKeyLabel": label, "derivationPath": "0'"})
    assert api.get("/v1/xpub/" + label + "%2F0%27")["xpub"] in texts


def test_what_is_refused(api):
    label, plain = sow(api), unique("plain")
    api.create_key(plain)
    api.refused(610, "POST", "/v1/derivedKey", {"masterKeyLabel": label, "derivationPath": "0h"})
    api.refused(650, "POST", "/v1/derivedKey", {"masterKeyLabel": "absent", "derivationPath": "0"})
    api.refused(600, "POST", "/v1/derivedKey", {"masterKeyLabel": label})
    api.refused(634, "POST", "/v1/derivedKey",
                {"masterKeyLabel": plain, "derivationPath": "0"})
    api.refused(614, "POST", "/v1/block", {"blockRequest": {"blockKeyName": label + "/0"}})
