"""Requests as an online site carries them out, and its packages, made up here: docs/offline-formats.md."""
import base64
import hashlib
import json
import uuid

import ska
from approver import Approver, b64, unb64
from made_up import attributes_xml, four, rule

CREATED = "2026-11-20T10:00:00Z"
ATTRIBUTES = ("POST", "/v1/key/attributes")
SIGN = ("POST", "/v1/synchronousSign")


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def hex_sha256(data):
    return hashlib.sha256(data).hexdigest()


def parts(text, rid, chunk=1800):
    """The lines TSBQR1|id|k|n|hash|chunk."""
    cut = [text[i:i + chunk] for i in range(0, len(text), chunk)] or [""]
    head = hex_sha256(text.encode())[:8]
    return ["TSBQR1|%s|%d|%d|%s|%s" % (rid, k, len(cut), head, c) for k, c in enumerate(cut, 1)]


def new_id():
    return str(uuid.uuid4())


class Carried:
    """A request and its approvals; everything can be bent before it is written."""

    def __init__(self, kind, envelope, inner, token, *approvers, rid=None):
        self.id, self.kind, self.envelope, self.inner = rid or new_id(), kind, envelope, inner
        self.token, self.approvers = token, approvers
        self.approvals = [a.signed_approval(token.encode()) for a in approvers]
        self.more = {}

    @property
    def input(self):
        return {self.envelope: {**self.inner, "signedApprovals": self.approvals}}

    @property
    def token_hash(self):
        return hex_sha256(self.token.encode())

    @property
    def digest(self):
        return hex_sha256(compact(self.input).encode())

    def item(self):
        return {"id": self.id, "kind": self.kind, "created": CREATED, "keyName": self.token.label,
                "metaData": None, "inputOfflineHsm": self.input, **self.more}

    def answer(self):
        """Of GET /v1/request/{id}."""
        return {"id": self.id, "status": "PENDING", "executionTime": None,
                "approvedBy": [b64(a.spki) for a in self.approvers], "notYetApprovedBy": [],
                "rejectedBy": [], "result": "Execution shall be made with offline HSM",
                "inputOfflineHsm": self.input}

    def lines(self, chunk=1800):
        return parts(compact(self.input), self.id, chunk)


def signing(*approvers, label="invoices", payload=b"pay 10 to bert", **options):
    return Carried("sign", "signRequest", {
        "payload": b64(payload), "signKeyName": label,
        "signatureAlgorithm": "SHA256_WITH_ECDSA"},
        ska.Token(ska.USE, label, payload), *approvers, **options)


def blocking(*approvers, label="invoices", kind="block", **options):
    operation = ska.BLOCK if kind == "block" else ska.UNBLOCK
    return Carried(kind, kind + "Request", {kind + "KeyName": label},
                   ska.Token(operation, label), *approvers, **options)


def modifying(policy, *approvers, label="invoices", **options):
    return Carried("modify", "modifyRequest", {"modifyKeyName": label, "policy": policy},
                   ska.Token(ska.MODIFY, label, ska.policy_encode(policy)), *approvers, **options)


class Site:
    """An online site: its key, and packages for a room."""

    def __init__(self):
        self.key = Approver("ed25519", "site")

    def package(self, to_spki, items, kind="requests", **bent):
        content = {"tsbPackage": 1, "type": kind, "id": new_id(), "created": CREATED,
                   "from": {"name": "bank", "key": hex_sha256(self.key.spki)},
                   "to": {"name": "vault", "key": hex_sha256(to_spki)}, "items": items}
        content.update(bent)
        text = compact(content).encode()
        return "TSBPKG1 %s %s %s %s\n" % (hex_sha256(text), hex_sha256(self.key.spki),
                                         b64(self.key.sign(text)), text.decode())


def open_package(text):
    """The content of a package; signature and hash are checked by who reads it with the site's key."""
    mark, digest, signer, signature, content = text.strip().split(" ", 4)
    assert mark == "TSBPKG1" and digest == hex_sha256(content.encode())
    return json.loads(content), signer, unb64(signature), content.encode()


class Hsm:
    """What stands behind the broker of the room: one key with a policy, and how often it was used."""

    def __init__(self, broker, *approvers, label="invoices", quorum=None):
        self.broker, self.label = broker, label
        self.policy = four(rule(*approvers, quorum=quorum or len(approvers) or 1))
        self.attester, self.key = Approver("p256", "attester"), Approver("p256", "key")
        self.blocked, self.calls = False, []
        broker.answers[ATTRIBUTES] = self.attributes
        broker.answers[SIGN] = self.sign
        for kind in ("Block", "Unblock", "Modify"):
            broker.answers["POST", "/v1/synchronous" + kind] = getattr(self, kind.lower())

    def attributes(self, body):
        if body["label"] != self.label:
            return 404, {"errorCode": 650, "reason": "res.error.key.not.existent",
                         "message": "There is no key '%s'." % body["label"]}
        xml = attributes_xml(self.label, self.policy, self.key.spki, self.blocked)
        return 200, {"xml": xml, "json": {}, "xmlSignature": b64(self.attester.sign(xml.encode())),
                     "attestationKeyName": "attestation-key"}

    def sign(self, body):
        self.calls.append(body)
        payload = base64.b64decode(body["signRequest"]["payload"])
        return 200, {"signature": b64(self.key.sign(payload))}

    def block(self, body):
        self.calls.append(body)
        self.blocked = True
        return 200, b""

    def unblock(self, body):
        self.calls.append(body)
        self.blocked = False
        return 200, b""

    def modify(self, body):
        self.calls.append(body)
        self.policy = body["modifyRequest"]["policy"]
        return 200, b""
