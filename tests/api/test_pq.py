"""ML-DSA through the broker: a key, a context and approvers of its own; elsewhere 607 says why."""
import pytest

from approver import b64, quorum, unb64
from client import ApiError, unique
from conftest import PROFILE

CONTEXT = b"invoices of 2026"


@pytest.fixture
def made(api, people):
    """A key of ML-DSA-65 whose use asks one person, and this person."""
    label, person = unique("ml-dsa"), people("p256")
    body = {"label": label, "algorithm": "ML-DSA-65", "policy": quorum(1, person, timeout=0),
            "attributes": {"decrypt": False, "sign": True, "unwrap": False, "destroyable": True}}
    try:
        answer = api.post("/v1/key", body)
    except ApiError as e:
        assert e.code == 607 and "needs OpenSSL 3.5" in e.message
        pytest.skip("needs OpenSSL 3.5")
    assert answer["json"]["algorithm"] == "ML-DSA-65"
    return label, person


def test_a_request_signs_with_its_context(api, made):
    label, person = made
    request = api.sign(label, b"pay 100 to harro", "ML_DSA", context=b64(CONTEXT))
    api.approve(person, request)
    view = api.wait(request)
    assert view["status"] == "EXECUTED"
    signature = unb64(view["result"])
    assert len(signature) == 3309
    if PROFILE == "air-gapped":
        return  # nobody verifies there; the result was checked against request and key
    body = {"signKeyName": label, "signatureAlgorithm": "ML_DSA", "signature": b64(signature),
            "payload": b64(b"pay 100 to harro")}
    for context, valid in ((CONTEXT, True), (b"invoices of 2027", False), (None, False)):
        envelope = {"verifySignatureRequest": dict(body, context=context and b64(context))}
        assert api.post("/v1/verify", envelope)["signatureValid"] is valid


def test_a_context_that_does_not_fit_makes_no_signature(api, made):
    label, _ = made
    api.refused(600, "POST", "/v1/sign", api.sign_body(label, algorithm="ML_DSA",
                                                       context=b64(bytes(256))), says="context")
