"""general.allowedRequestCertificates: only callers that the settings name may ask, signed."""
import json
import os
import shutil
import ssl
import tempfile

import pytest

import kinds
from approver import Approver, b64, unb64
from client import Client, unique
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


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_what_is_no_request_needs_no_signature(signing, callers):
    api = Client(signing)
    label = unique()
    api.create_key(label)
    api.sign_now(label)
    assert api.post("/v1/filteredRequests", {})["requests"] is not None
    api.refused(415, "POST", "/v1/sign", api.sign_body(label))
    assert api.post("/v1/filteredRequests", {"keyName": label})["requests"] == []
