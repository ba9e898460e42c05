"""general.allowedRequestCertificates: only callers that the settings name may ask, signed."""
import json
import os
import shutil
import ssl
import tempfile

import pytest

import kinds
from approver import Approver, b64, unb64
from client import Client, public_key, unique
from conftest import PROFILE, WEBS
from gap import AirClient, Gap
from kinds import squeeze
from private_site import Site

pytestmark = [pytest.mark.nginx_only("a site of its own"),
              pytest.mark.plain_only("the same code with another policy")]

by_kind = pytest.mark.parametrize("kind", kinds.ALL, ids=repr)


class Signing(AirClient if PROFILE == "air-gapped" else Client):
    """Signs every request of the workflow."""

    def __init__(self, site, caller):
        super().__init__(site.gap if PROFILE == "air-gapped" else site)
        self.caller = caller

    def post(self, path, body, **options):
        if any(path == k.path for k in kinds.ALL) and "requestSignature" not in body:
            (envelope,) = body
            body = signed(self.caller, envelope, json.dumps(body[envelope]), as_text=False)
        return super().post(path, body, **options)


def signed(caller, envelope, inner, as_text=True, **changes):
    signature = {"signature": b64(caller.sign(squeeze(inner).encode())),
                 "digestAlgorithm": caller.digest, "publicKey": b64(caller.spki), **changes}
    if as_text:
        return '{"%s":%s,"requestSignature":%s}' % (envelope, inner, json.dumps(signature))
    return {envelope: json.loads(inner), "requestSignature": signature}


@pytest.fixture(scope="module")
def callers():
    return {"shop": Approver("rsa", "shop"), "bank": Approver("p256", "bank"),
            "other": Approver("p256", "other")}


@pytest.fixture(scope="module")
def signing(callers):
    folder = tempfile.mkdtemp(prefix="tsb-callers-")
    os.chmod(folder, 0o755)
    settings = "\n[general]\n"
    for name in ("shop", "bank"):
        path = os.path.join(folder, name + ".pem")
        with open(path, "w") as f:
            f.write(ssl.DER_cert_to_PEM_cert(callers[name].certificate))
        settings += "allowedRequestCertificates = %s\n" % path
    made = (Gap if PROFILE == "air-gapped" else Site)(web=WEBS[0], settings=settings)
    yield made.site if PROFILE == "air-gapped" else made
    made.down()
    shutil.rmtree(folder)


@by_kind
def test_only_callers_on_the_list(signing, callers, people, kind):
    api = Signing(signing, callers["bank"])
    case = kinds.Case(kind, api, people.several(3))
    inner = json.dumps(case.inner(), indent=1)
    shop, other = callers["shop"], callers["other"]
    for raw in (json.dumps({kind.envelope: case.inner()}),
                json.dumps({kind.envelope: case.inner(), "requestSignature": None}),
                signed(other, kind.envelope, inner)):
        api.refused(415, "POST", kind.path, raw=raw.encode(), says="requestSignature")
    # the key of the list under the signature of another
    raw = signed(other, kind.envelope, inner, publicKey=b64(shop.spki),
                 digestAlgorithm=shop.digest)
    api.refused(403, "POST", kind.path, raw=raw.encode())
    raw = signed(shop, kind.envelope, inner)
    rid = api.call("POST", kind.path, raw=raw.encode())[kind.id_member]
    shown = case.task(case.crowd[0], rid, detailLevel="level3")
    assert unb64(shown["requestBase64"]).decode() == squeeze(raw)
    assert shown[kind.shown]["requestSignature"]["publicKey"] == b64(shop.spki)
    case.approve_all(rid)
    api.wait(rid, "EXECUTED")


# ---- uses of a key at once ----

def at_once(label):
    """Path, envelope, inner object of each use of a key that is no request."""
    sign = {"signKeyName": label, "signatureAlgorithm": "SHA256_WITH_ECDSA"}
    subject = {"standardCertificateAttributes": {"commonName": "shop"}}
    return [
        ("/v1/synchronousSign", "signRequest", {**sign, "payload": b64(b"pay 10")}),
        ("/v1/synchronousDecrypt", "decryptRequest", {
            "decryptKeyName": label, "encryptedPayload": b64(b"x"), "cipherAlgorithm": "RSA"}),
        ("/v1/synchronousUnwrap", "unwrapKeyRequest", {
            "unwrapKeyName": label, "wrappedKey": b64(b"x"), "label": label + "-new",
            "wrapMethod": "AES_WRAP",
            "attributes": {"decrypt": True, "sign": False, "unwrap": False}}),
        ("/v1/synchronousBlock", "blockRequest", {"blockKeyName": label}),
        ("/v1/synchronousUnblock", "unblockRequest", {"unblockKeyName": label}),
        ("/v1/synchronousModify", "modifyRequest", {"modifyKeyName": label, "policy": {
            "ruleUse": None, "ruleBlock": None, "ruleUnblock": None, "ruleModify": None}}),
        ("/v1/encrypt", "encryptRequest", {
            "encryptKeyName": label, "payload": b64(b"x"), "cipherAlgorithm": "RSA"}),
        ("/v1/wrap", "wrapKeyRequest", {
            "keyToBeWrapped": label, "wrapKeyName": label, "wrapMethod": "AES_WRAP"}),
        ("/v1/certificate/synchronous/request", "csrSignRequest", {**sign, **subject}),
        ("/v1/certificate/synchronous/selfsign", "selfSignCertificateRequest",
         {**sign, "commonName": "shop"}),
        ("/v1/certificate/synchronous/sign", "signCertificateRequest", {
            **sign, "commonName": "shop", "certificateAuthority": False,
            "certificateSigningRequest": b64(b"x")}),
    ]


@pytest.mark.online_only("synchronous calls go to the offline side")
@pytest.mark.parametrize("n", range(11), ids=[path for path, _, _ in at_once("x")])
def test_uses_at_once_are_for_callers_on_the_list(signing, callers, n):
    api = Client(signing)
    label = unique()
    path, envelope, inner = at_once(label)[n]
    certifies = path.startswith("/v1/certificate/")
    text = json.dumps(inner)
    api.create_key(label)
    for raw in ((json.dumps(inner) if certifies else json.dumps({envelope: inner})),
                json.dumps({envelope: inner}), signed(callers["other"], envelope, text)):
        api.refused(415, "POST", path, raw=raw.encode(), says="requestSignature")
    raw = signed(callers["shop"], envelope, text.replace("}", " }", 1)).replace(label, label + "x")
    api.refused(403, "POST", path, raw=raw.encode())
    # what comes now is a matter of the key
    raw = signed(callers["shop"], envelope, text).encode()
    answer = api.send("POST", path, raw=raw)
    assert answer.status_code < 300 or answer.json()["errorCode"] not in (403, 415, 600), answer.text
    if envelope in ("signRequest", "csrSignRequest", "selfSignCertificateRequest"):
        assert answer.status_code == 200, answer.text


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_signature_of_one_kind_is_none_of_another(signing, callers):
    """Whatever object is signed, one kind alone takes it."""
    api, shop = Client(signing), callers["shop"]
    label = unique()
    api.create_key(label)
    inner = json.dumps({"signKeyName": label, "signatureAlgorithm": "SHA256_WITH_ECDSA",
                        "standardCertificateAttributes": {"commonName": "shop"}})
    raw = signed(shop, "csrSignRequest", inner)
    assert "signRequestId" in api.call("POST", "/v1/certificate/request", raw=raw.encode())
    raw = signed(shop, "selfSignCertificateRequest", inner)
    for path in ("/v1/certificate/selfsign", "/v1/certificate/synchronous/selfsign"):
        api.refused(403, "POST", path, raw=raw.encode(), says="commonName")
    paths = {k.path: k.envelope for k in kinds.ALL}
    for _, own, body in at_once(label):
        for path, other in paths.items():
            if other != own:
                raw = signed(shop, other, json.dumps(body)).encode()
                code = api.send("POST", path, raw=raw).json()["errorCode"]
                assert code in (403, 600, 610), (own, other, code)


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_what_is_no_request_needs_no_signature(signing, callers):
    api = Client(signing)
    label = unique()
    api.create_key(label)
    assert public_key(api.attributes(label))
    assert api.post("/v1/filteredRequests", {})["requests"] is not None
    assert api.get("/v1/generateRandom/4")
    api.refused(415, "POST", "/v1/sign", api.sign_body(label))
    assert api.post("/v1/filteredRequests", {"keyName": label})["requests"] == []
