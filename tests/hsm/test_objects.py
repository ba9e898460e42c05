"""Data objects (api-notes.md 7.8)."""
import os

from approver import b64


def make(hsm, name, value=b"value", **attributes):
    return hsm.call("POST", "/v1/dataObject", {"name": name, "value": b64(value),
                                               "attributes": attributes or None})


def test_object_is_kept_and_found_again(hsm, refused):
    secret = os.urandom(1000)
    made = make(hsm, "notes/of the HSM", secret, private=True, modifiable=False, destroyable=False)
    assert made == {"name": "notes/of the HSM", "value": b64(secret), "attributes": {
        "private": True, "modifiable": False, "destroyable": False}}
    make(hsm, "another")
    hsm.stop()
    hsm.start()
    assert hsm.call("GET", "/v1/dataObject/notes%2Fof%20the%20HSM") == made
    assert hsm.call("GET", "/v1/dataObject") == ["another", "notes/of the HSM"]
    assert all(secret not in f.read_bytes() for f in hsm.store.iterdir())
    with refused(614):
        hsm.call("DELETE", "/v1/dataObject/notes%2Fof%20the%20HSM")
    assert hsm.call("DELETE", "/v1/dataObject/another") is None
    for method in ("GET", "DELETE"):
        with refused(653):
            hsm.call(method, "/v1/dataObject/another")
    assert "data objects 1," in hsm.call("GET", "/v1/keystore/statistics", role="SV")["keyStoreStatistics"]


def test_objects_that_are_refused(hsm, refused):
    make(hsm, "whole", b"x" * 65536)
    for code, name, value in ((615, "whole", "AAAA"), (616, "x", b64(b"x" * 65537)),
                              (616, "x", "no base64!"), (600, "x", ""), (600, "", "AAAA")):
        with refused(code):
            hsm.call("POST", "/v1/dataObject", {"name": name, "value": value})


def test_a_key_and_an_object_may_have_the_same_name(hsm):
    hsm.create("both")
    make(hsm, "both")
    assert hsm.sign("both", b"p", "SHA256_WITH_ECDSA")
    hsm.call("POST", "/v1/key/deleteKey", {"label": "both"})
    assert hsm.call("GET", "/v1/dataObject/both")["name"] == "both"
