"""LMS through the broker: approved, signed once with each leaf, and what is left; elsewhere 607 says why."""
import pytest

from approver import b64, quorum, unb64
from client import ApiError, unique
from conftest import PROFILE


@pytest.fixture
def made(api, people):
    """A key of LMS whose use asks one person, and this person."""
    label, person = unique("lms"), people("p256")
    body = {"label": label, "algorithm": "LMS", "policy": quorum(1, person, timeout=0),
            "attributes": {"decrypt": False, "sign": True, "unwrap": False, "destroyable": True}}
    try:
        answer = api.post("/v1/key", body)
    except ApiError as e:
        assert e.code == 607 and "needs Botan 3" in e.message
        pytest.skip("needs Botan 3")
    assert answer["json"]["algorithm"] == "HSS-LMS"
    assert answer["json"]["remainingSignatures"] == 32
    return label, person


def test_each_request_uses_up_a_leaf(api, made):
    label, person = made
    for leaf in range(2):
        payload = b"firmware %d" % leaf
        request = api.sign(label, payload, "LMS")
        api.approve(person, request)
        view = api.wait(request)
        assert view["status"] == "EXECUTED"
        signature = unb64(view["result"])
        assert len(signature) == 8688 and signature[4:8] == leaf.to_bytes(4, "big")
        if PROFILE == "air-gapped":
            continue  # nobody verifies there
        body = {"verifySignatureRequest": {"signKeyName": label, "signatureAlgorithm": "LMS",
                                           "payload": b64(payload), "signature": view["result"]}}
        assert api.post("/v1/verify", body)["signatureValid"] is True
        answer = api.post("/v1/key/attributes", {"label": label})
        assert answer["json"]["remainingSignatures"] == 31 - leaf
