"""A stranger's client of the REST API: knows docs/ and nothing of the programs."""
import base64
import json
import os
import threading
import time

import requests

import openapi
import ska
from approver import b64, unb64

TERMINAL = ("EXECUTED", "FAILED", "EXPIRED", "REJECTED", "CANCELLED")
KINDS = ("Sign", "Decrypt", "UnwrapKey", "BlockKey", "UnblockKey", "ModifyKey", "All")

# Error codes that tests met; test_zz_codes.py compares them with what the endpoints can raise.
codes_met = set()


def http_of(code: int) -> set:
    """HTTP statuses that go with an error code."""
    if code in (631, 416):
        return {401}
    if code == 2:
        return {500, 502, 503, 504}  # 500 of the programs, the others of the web server
    if code == 102:
        return {404, 405, 501}
    if 450 <= code <= 459:
        return {403}
    if 650 <= code <= 659:
        return {404}
    if code == 600:
        return {400, 413, 415}
    if code // 100 in (4, 6):
        return {400}
    if code == 704:
        return {404, 500}  # a certificate that was asked for, a file that should be there
    if 100 <= code <= 103:
        return {501}
    return {500}


class ApiError(Exception):
    def __init__(self, response):
        self.response, self.status = response, response.status_code
        self.body = error_body(response)
        self.code, self.reason = self.body["errorCode"], self.body["reason"]
        self.message = self.body["message"]
        super().__init__("HTTP %d: %s" % (self.status, self.body))


def error_body(response) -> dict:
    """Every refusal has exactly this shape, whatever refused."""
    assert response.headers["Content-Type"].startswith("application/json"), response.text
    body = response.json()
    assert set(body) == {"errorCode", "reason", "message"}, body
    assert type(body["errorCode"]) is int and body["reason"].startswith("res.error."), body
    assert body["message"] and body["message"].isprintable(), body
    assert response.status_code in http_of(body["errorCode"]), (response.status_code, body)
    codes_met.add(body["errorCode"])
    return body


class Client:
    """role: None = the role that the path needs, "" = no API key, else the API key itself."""

    def __init__(self, site):
        self.url, self.site = site.url, site
        self.tokens = {"KM": site.vars["TSB_KEY_MANAGEMENT_TOKEN"],
                       "KO": site.vars["TSB_KEY_OPERATION_TOKEN"],
                       "AP": site.vars["TSB_APPROVER_TOKEN"],
                       "SV": site.vars["TSB_SERVICE_TOKEN"],
                       "AM": site.vars["TSB_APPROVER_KEY_MANAGEMENT_TOKEN"]}
        self.local = threading.local()

    @property
    def session(self):
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
            self.local.session.trust_env = False
        return self.local.session

    def now(self) -> float:
        return time.time() + self.site.offset

    @staticmethod
    def role_of(path):
        part = path.strip("/").split("/")[1].split("?")[0] if path.count("/") > 1 else ""
        if part in ("key", "modify", "synchronousModify", "importedKey", "derivedKey",
                    "derivedkey", "xpub", "attestation", "dataObject"):
            return "KM"
        if part.startswith("filtered") and part.endswith("ApprovalTask") or \
                part in ("approval", "task", "filteredApprovedRequests", "approver"):
            return "AP"
        if part == "approverManagement":
            return "AM"
        if part in ("versionInfo", "licenseInfo", "keystore", "hsm"):
            return "SV"
        return "KO"

    def send(self, method, path, body=None, role=None, headers=None, raw=None, timeout=60):
        headers = dict(headers or {})
        if role is None:
            role = self.role_of(path)
        if role:
            headers.setdefault("X-API-KEY", self.tokens.get(role, role))
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        # requests would collapse slashes and dots; the request line is to be as given
        request = requests.Request(method, self.url, data=data, headers=headers)
        prepared = self.session.prepare_request(request)
        prepared.url = self.url + path
        response = self.session.send(prepared, timeout=timeout, allow_redirects=False)
        openapi.judge(method, path, response)
        return response

    def call(self, method, path, body=None, **options):
        """The decoded answer, or None for an empty one; ApiError for a refusal."""
        response = self.send(method, path, body, **options)
        if response.status_code >= 300:
            raise ApiError(response)
        self.status = response.status_code
        if not response.content:
            return None
        assert response.headers["Content-Type"].startswith("application/json")
        return response.json()

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body, **options):
        return self.call("POST", path, body, **options)

    def refused(self, code, method, path, body=None, says="", **options):
        """The call is refused with this code and a message that names what is wrong."""
        response = self.send(method, path, body, **options)
        assert response.status_code >= 400, "accepted: %s" % response.text
        error = error_body(response)
        assert error["errorCode"] == code, error
        for word in [says] if isinstance(says, str) else says:
            assert word.lower() in error["message"].lower(), error
        return error

    # ---- keys ----

    def create_key(self, label, policy=None, algorithm="EC", **members):
        body = {"label": label, "algorithm": algorithm, "policy": policy,
                "attributes": {"decrypt": False, "sign": True, "unwrap": False,
                               "destroyable": True, "modifiable": True}}
        if algorithm == "EC":
            body["curveOid"] = "1.2.840.10045.3.1.7"
        elif algorithm == "ED":
            body["curveOid"] = "1.3.101.112"
        elif algorithm == "RSA":
            body["keySize"] = 2048
        body.update(members)
        return self.post("/v1/key", {k: v for k, v in body.items() if v is not None})

    def attributes(self, label, password=None):
        return self.post("/v1/key/attributes", {"label": label, "password": password})

    # ---- requests ----

    def sign_body(self, key, payload=b"payload", algorithm="SHA256_WITH_ECDSA", **members):
        text = payload if isinstance(payload, str) else b64(payload)
        return {"signRequest": {"payload": text, "signKeyName": key,
                                "signatureAlgorithm": algorithm, **members}}

    def sign(self, key, payload=b"payload", algorithm="SHA256_WITH_ECDSA", **members):
        """Asks for a signature; the id of the request."""
        answer = self.post("/v1/sign", self.sign_body(key, payload, algorithm, **members))
        assert self.status == 201 and set(answer) - {"sameTokenAs"} == {"signRequestId"}, (
            self.status, answer)
        return answer["signRequestId"]

    def sign_now(self, key, payload=b"payload", algorithm="SHA256_WITH_ECDSA", approvals=(),
                 **members):
        body = self.sign_body(key, payload, algorithm, signedApprovals=list(approvals), **members)
        answer = self.post("/v1/synchronousSign", body)
        assert self.status == 200 and set(answer) == {"signature"}, (self.status, answer)
        return unb64(answer["signature"])

    def request(self, request_id):
        view = self.get("/v1/request/" + request_id)
        more = set()
        if self.site.profile == "air-gapped" and view["status"] == "PENDING":
            more = {"inputOfflineHsm", "approvalProgress"} & set(view)
        more |= {"policyChange", "rejectionReasons"} & set(view)
        assert set(view) == {"id", "status", "executionTime", "approvedBy", "notYetApprovedBy",
                             "rejectedBy", "result"} | more, view
        assert view["id"] == request_id
        return view

    def at_once(self, request_id):
        """A request that asks nobody: executed before the call returned that made it."""
        return self.request(request_id)

    def status_of(self, request_id):
        return self.request(request_id)["status"]

    def wait(self, request_id, *states, timeout=10):
        """Polls, as every client of the API does."""
        states = states or TERMINAL
        end = time.monotonic() + timeout
        while True:
            view = self.request(request_id)
            if view["status"] in states:
                return view
            assert view["status"] not in TERMINAL, "is %s, not %s" % (view, states)
            assert time.monotonic() < end, "still %s after %d s" % (view, timeout)
            time.sleep(0.02)

    def stays(self, request_id, state, seconds=0.3):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.status_of(request_id) == state
            time.sleep(0.05)

    def cancel(self, request_id):
        return self.call("DELETE", "/v1/request/" + request_id)

    # ---- approvers ----

    def tasks(self, approver, kind="Sign", certificate=None, **members):
        body = {**approver.proof(self.now(), certificate), **members}
        answer = self.post("/v1/filtered%sApprovalTask" % kind, body)
        assert self.status == 200 and set(answer) == {"tasks"}, answer
        return answer["tasks"]

    def task(self, approver, request_id, kind="Sign", **members):
        """The one task of this approver for this request."""
        found = self.tasks(approver, kind, requestId=request_id, **members)
        assert len(found) == 1, found
        return found[0]

    @staticmethod
    def approval_body(approver, task, certificate=None, digest=None):
        approved = unb64(task["approvalToBeSigned"])
        ska.Token.decode(approved)
        return {"id": task["id"], "approvalToBeSigned": task["approvalToBeSigned"],
                "signature": b64(approver.sign(approved, digest)),
                "approvalDigestAlgorithm": digest or approver.digest,
                **approver.identity(certificate)}

    def approve(self, approver, request_id, kind="Sign", **options):
        task = self.task(approver, request_id, kind)
        answer = self.post("/v1/approval", self.approval_body(approver, task, **options))
        assert self.status == 200 and answer is None
        return task

    def reject(self, approver, request_id, kind="Sign", method="PATCH", **members):
        task = self.task(approver, request_id, kind)
        answer = self.call(method, "/v1/task",
                           {**approver.proof(self.now()), "id": task["id"], **members})
        assert self.status == 200 and answer is None
        return task


def public_key(answer):
    """The key of a create or attributes answer."""
    from cryptography.hazmat.primitives import serialization
    return serialization.load_der_public_key(base64.b64decode(answer["json"]["publicKey"]))


def unique(prefix="key"):
    return "%s-%s" % (prefix, os.urandom(5).hex())
