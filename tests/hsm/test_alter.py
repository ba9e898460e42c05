"""Passwords, attributes and names of keys that are there (api-notes.md 7.6)."""
import pytest

from approver import Approver, policy, quorum


def alter(hsm, label, **members):
    return hsm.call("PATCH", "/v1/key/changeAttributes", {"label": label, **members})


def test_change_of_password(hsm, refused):
    def change(label, old, new):
        return hsm.call("POST", "/v1/key/changePassword",
                        {"label": label, "password": old, "newPassword": new})

    hsm.create("locked", password="old", attributes={"extractable": True})
    with refused(620):
        change("locked", "wrong", "new")
    assert change("locked", list("old"), list("new")) is None
    with refused(620):
        hsm.sign("locked", b"p", "SHA256_WITH_ECDSA", keyPassword="old")
    hsm.sign("locked", b"p", "SHA256_WITH_ECDSA", keyPassword="new")
    with refused(620):
        hsm.call("POST", "/v1/key/export/plain", {"label": "locked"})
    hsm.call("POST", "/v1/key/export/plain", {"label": "locked", "password": "new"})
    change("locked", "new", None)
    hsm.sign("locked", b"p", "SHA256_WITH_ECDSA")
    change("locked", None, "third")
    with refused(620):
        hsm.sign("locked", b"p", "SHA256_WITH_ECDSA")
    hsm.create("fixed", password="old", attributes={"modifiable": False})
    for code, label in ((614, "fixed"), (614, "timestamp-key"), (650, "absent")):
        with refused(code):
            change(label, "old", "new")


def test_attributes_become_stricter_only(hsm, refused):
    hsm.create("loose", attributes={"extractable": True, "decrypt": True, "sensitive": False})
    answer = alter(hsm, "loose", id="0a0b", attributes={
        "extractable": False, "sensitive": True, "decrypt": False, "sign": None})
    got = answer["json"]["attributes"]
    assert (got["extractable"], got["sensitive"], got["decrypt"], got["sign"]) == (
        False, True, False, True)
    assert answer["json"]["id"] == "0a0b" and got["neverExtractable"] is False
    for attributes in ({"extractable": True}, {"sensitive": False}, {"decrypt": True},
                       {"bip32": True}):
        with refused(606):
            alter(hsm, "loose", attributes=attributes)
    with refused(600):
        alter(hsm, "loose", attributes={"extractible": False})
    alter(hsm, "loose", attributes={"modifiable": False})
    with refused(614):
        alter(hsm, "loose", attributes={"sign": False})
    with refused(614):
        alter(hsm, "attestation-key", attributes={"sign": False})


@pytest.mark.parametrize("algorithm,password", [("EC", None), ("EC", "pw"), ("AES", "pw")])
def test_key_gets_another_name(hsm, refused, algorithm, password):
    old, new = ("%s %s %s" % (n, algorithm, password) for n in ("old", "new"))
    size = {"keySize": 256, "attributes": {"decrypt": True}} if algorithm == "AES" else {}
    made = hsm.create(old, algorithm, None if size else policy(), password, **size)
    answer = alter(hsm, old, newLabel=new, password=password)
    assert answer["json"]["label"] == new
    assert answer["json"]["publicKey"] == made["json"]["publicKey"]
    assert answer["json"]["createTime"] == made["json"]["createTime"]
    labels = hsm.call("GET", "/v1/key")
    assert new in labels and old not in labels
    if not size:
        signature = hsm.sign(new, b"p", "SHA256_WITH_ECDSA", keyPassword=password)
        assert len(signature) > 60
    with refused(650):
        alter(hsm, old, newLabel=new)


def test_names_that_keys_do_not_get(hsm, refused):
    hsm.create("one")
    hsm.create("two", password="pw")
    hsm.create("asks", policy=quorum(1, Approver("p256")))
    for code, label, members in ((608, "one", {"newLabel": "asks"}), (610, "one", {"newLabel": "a/b"}),
                                 (620, "two", {"newLabel": "three"}),
                                 (611, "asks", {"newLabel": "asks more"})):
        with refused(code):
            alter(hsm, label, **members)
    assert {"one", "two", "asks"} <= set(hsm.call("GET", "/v1/key"))

