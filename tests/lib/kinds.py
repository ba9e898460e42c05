"""Every kind of request that a policy guards: how to ask for it, and how to see what it did."""
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

import ska
from approver import b64, group, policy, rule, spki_of, token, unb64, verify
from client import public_key, unique

USAGE_FLAGS = {"decrypt": False, "sign": False, "unwrap": False, "destroyable": True,
               "modifiable": True}


def squeeze(text):
    """JSON text without its insignificant white space: what callers sign and approvers see."""
    out, quoted, escaped = [], False, False
    for c in text:
        if quoted or not c.isspace():
            out.append(c)
        if c == '"' and not escaped:
            quoted = not quoted
        escaped = quoted and c == "\\" and not escaped
    return "".join(out)


def same_policy(shown, asked):
    """Names apart, in the bytes that approvers sign."""
    return ska.policy_encode(shown) == ska.policy_encode(asked)


class Case:
    """A key whose four rules all ask for the same approvers (needed 0: for none), and requests on
    it by number. use: another rule that takes their place when the key is ready."""

    def __init__(self, kind, api, crowd, needed=2, password=None, use=None, **limits):
        self.kind, self.api, self.crowd, self.password = kind, api, crowd, password
        self.label = unique(kind.name)
        self.rule = rule(token(group(needed, *crowd), **limits)) if needed else None
        self.needed = needed
        self.memory = {}    # what a kind made for a request: plain texts, wrapped keys, ...
        answer = api.create_key(self.label, policy(*[self.rule] * 4), password=password,
                                **kind.key())
        self.public = public_key(answer)
        kind.prepare(self)
        if use:
            self.put_under(use)
        self.uses_before = self.uses()

    def inner(self, n=0, **members):
        out = self.kind.inner(self, n)
        if self.password:
            out[self.kind.password_member] = self.password
        return {**out, **members}

    def body(self, n=0, **members):
        return {self.kind.envelope: self.inner(n, **members)}

    def ask(self, n=0, **members):
        answer = self.api.post(self.kind.path, self.body(n, **members))
        assert self.api.status == 201 and set(answer) - {"sameTokenAs"} == {self.kind.id_member}, answer
        return answer[self.kind.id_member]

    def task(self, approver, rid, **members):
        return self.api.task(approver, rid, self.kind.tasks, **members)

    def approve(self, approver, rid):
        return self.api.approve(approver, rid, self.kind.tasks)

    def reject(self, approver, rid):
        return self.api.reject(approver, rid, self.kind.tasks)

    def approve_all(self, rid):
        for approver in self.crowd[:self.needed]:
            self.approve(approver, rid)

    def json(self):
        return self.api.attributes(self.label, self.password)["json"]

    def uses(self):
        return self.json()["keyUsageCount"]

    def used(self):
        """How often the key was used since it was made ready."""
        return self.uses() - self.uses_before

    def put_under(self, new):
        """All rules become this one."""
        answer = self.api.post("/v1/modify", {"modifyRequest": {
            "modifyKeyName": self.label, "keyPassword": self.password,
            "policy": policy(*[new] * 4, blocked=None)}})
        for approver in self.crowd[:self.needed]:
            self.api.approve(approver, answer["modifyKeyRequestId"], "ModifyKey")
        self.api.wait(answer["modifyKeyRequestId"], "EXECUTED")
        self.rule = new

    def through(self, kind, n=0):
        """A request of another kind on this key, to its end."""
        other = Case.__new__(Case)
        other.__dict__ = {**self.__dict__, "kind": kind}
        rid = other.ask(n)
        other.approve_all(rid)
        return self.api.wait(rid, "EXECUTED")


class Kind:
    """name: in the database; path, tasks, envelope, id_member, shown: of the API."""
    operation = ska.USE
    password_member = "keyPassword"
    repeatable = True   # to do it twice does no harm
    uses_key = True     # guarded by ruleUse: a blocked key refuses

    def __repr__(self):
        return self.name

    def key(self):
        """Members of the request that creates the key."""
        return {}

    def prepare(self, case):
        pass

    def payload(self, case, n):
        """The payload of the approval token, or None where the result tells it."""
        raise NotImplementedError

    def happened(self, case, n):
        """Whether the HSM did it."""
        return case.used() > 0

    def check(self, case, n, view, token):
        """The result is right, and so is what happened to keys. token: what was approved."""
        raise NotImplementedError


class Sign(Kind):
    name, path, tasks = "sign", "/v1/sign", "Sign"
    envelope, id_member, shown = "signRequest", "signRequestId", "signedSignRequest"
    hsm_path = "/v1/synchronousSign"

    def inner(self, case, n):
        return {"payload": b64(self.payload(case, n)), "signKeyName": case.label,
                "signatureAlgorithm": "SHA256_WITH_ECDSA"}

    def payload(self, case, n):
        return b"pay %d to Bob" % (100 + n)

    def check(self, case, n, view, token):
        assert verify(case.public, "SHA-256", self.payload(case, n), unb64(view["result"]))


class Decrypt(Kind):
    name, path, tasks = "decrypt", "/v1/decrypt", "Decrypt"
    envelope, id_member, shown = "decryptRequest", "decryptRequestId", "signedDecryptRequest"
    hsm_path = "/v1/synchronousDecrypt"

    def key(self):
        return {"algorithm": "RSA", "attributes": {**USAGE_FLAGS, "decrypt": True}}

    def payload(self, case, n):
        if n not in case.memory:
            oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
            case.memory[n] = case.public.encrypt(b"letter %d" % n, oaep)
        return case.memory[n]

    def inner(self, case, n):
        return {"encryptedPayload": b64(self.payload(case, n)), "decryptKeyName": case.label,
                "cipherAlgorithm": "RSA_PADDING_OAEP_WITH_SHA256"}

    def check(self, case, n, view, token):
        assert unb64(view["result"]) == b"letter %d" % n


class Unwrap(Kind):
    """An AES key comes in under an RSA key."""
    name, path, tasks = "unwrap", "/v1/unwrap", "UnwrapKey"
    envelope, id_member, shown = "unwrapKeyRequest", "unwrapRequestId", "signedUnwrapKeyRequest"
    hsm_path = "/v1/synchronousUnwrap"
    password_member = "unwrapKeyPassword"
    repeatable = False
    flags = {"decrypt": True, "sign": False, "unwrap": False, "derive": False, "sensitive": True,
             "extractable": False, "modifiable": False, "copyable": False, "destroyable": True}

    def key(self):
        return {"algorithm": "RSA", "attributes": {**USAGE_FLAGS, "unwrap": True}}

    def made(self, case, n):
        """(key that is wrapped, wrapped, new label)"""
        if n not in case.memory:
            key = os.urandom(32)
            oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
            case.memory[n] = key, case.public.encrypt(key, oaep), unique("unwrapped")
        return case.memory[n]

    def inner(self, case, n):
        _, wrapped, label = self.made(case, n)
        return {"wrappedKey": b64(wrapped), "label": label, "attributes": self.flags,
                "unwrapKeyName": case.label, "wrapMethod": "RSA_WRAP_OAEP"}

    def payload(self, case, n):
        return None

    def happened(self, case, n):
        return self.made(case, n)[2] in case.api.get("/v1/key")

    def check(self, case, n, view, token):
        key, wrapped, label = self.made(case, n)
        if token:
            bound = ska.UnwrapPayload.decode(token.payload)
            assert (bound.wrapped_key, bound.label) == (wrapped, label)
        assert view["result"] is None
        shown = case.api.attributes(label)["json"]
        assert {k: shown["attributes"][k] for k in self.flags} == self.flags
        assert shown["algorithm"] == "AES" and shown["keySize"] == 256 and shown["policy"] is None
        iv = os.urandom(12)
        sealed = AESGCM(key).encrypt(iv, b"for the new key", None)
        rid = case.api.post("/v1/decrypt", {"decryptRequest": {
            "encryptedPayload": b64(sealed), "decryptKeyName": label, "cipherAlgorithm": "AES_GCM",
            "initializationVector": b64(iv), "tagLength": 128}})["decryptRequestId"]
        assert unb64(case.api.wait(rid, "EXECUTED")["result"]) == b"for the new key"


class Block(Kind):
    name, path, tasks = "block", "/v1/block", "BlockKey"
    envelope, id_member, shown = "blockRequest", "blockKeyRequestId", "signedBlockKeyRequest"
    hsm_path = "/v1/synchronousBlock"
    operation, repeatable, uses_key = ska.BLOCK, False, False

    def inner(self, case, n):
        return {"blockKeyName": case.label}

    def payload(self, case, n):
        return None

    def happened(self, case, n):
        return case.json()["policy"]["keyStatus"]["blocked"]

    def check(self, case, n, view, token):
        assert view["result"] is None and (not token or token.payload is None)
        assert self.happened(case, n)
        body = case.api.sign_body(case.label)
        if case.password:
            body["signRequest"]["keyPassword"] = case.password
        case.api.refused(614, "POST", "/v1/sign", body, says="blocked")


class Unblock(Kind):
    """The key is blocked first, the way of the API."""
    name, path, tasks = "unblock", "/v1/unblock", "UnblockKey"
    envelope, id_member, shown = "unblockRequest", "unblockKeyRequestId", "signedUnblockKeyRequest"
    hsm_path = "/v1/synchronousUnblock"
    operation, repeatable, uses_key = ska.UNBLOCK, False, False

    def prepare(self, case):
        case.through(BLOCK)

    def inner(self, case, n):
        return {"unblockKeyName": case.label}

    def payload(self, case, n):
        return None

    def happened(self, case, n):
        return not case.json()["policy"]["keyStatus"]["blocked"]

    def check(self, case, n, view, token):
        assert view["result"] is None and (not token or token.payload is None)
        assert self.happened(case, n)
        case.through(SIGN)


class Modify(Kind):
    name, path, tasks = "modify", "/v1/modify", "ModifyKey"
    envelope, id_member, shown = "modifyRequest", "modifyKeyRequestId", "signedModifyKeyRequest"
    hsm_path = "/v1/synchronousModify"
    operation, repeatable, uses_key = ska.MODIFY, False, False

    def wanted(self, case, n):
        one = rule(token(group(1, *case.crowd)))
        all_ = rule(token(group(len(case.crowd), *case.crowd), timelock=60 * (n + 1)))
        return policy(one, one, all_, all_, blocked=None)

    def inner(self, case, n):
        return {"modifyKeyName": case.label, "policy": self.wanted(case, n)}

    def payload(self, case, n):
        return ska.policy_encode(self.wanted(case, n))

    def happened(self, case, n):
        return same_policy(case.json()["policy"], self.wanted(case, n))

    def check(self, case, n, view, token):
        assert view["result"] is None
        assert self.happened(case, n)
        assert case.json()["policy"]["keyStatus"] == {"blocked": False}


class CertificateRequest(Kind):
    name, path, tasks = "certificateRequest", "/v1/certificate/request", "CertificateRequest"
    envelope, id_member = "csrSignRequest", "signRequestId"
    shown, hsm_path = "signedCertificateRequestRequest", "/v1/synchronousSign"

    def inner(self, case, n):
        return {"signKeyName": case.label, "signatureAlgorithm": "SHA256_WITH_ECDSA",
                "validity": 30 + n, "standardCertificateAttributes": {
                    "commonName": "server %d" % n, "country": "CH", "organizationName": "Acme"},
                "keyUsage": ["DIGITAL_SIGNATURE"], "extendedKeyUsage": ["SERVER_AUTH"]}

    def payload(self, case, n):
        return None

    def check(self, case, n, view, token):
        csr = x509.load_pem_x509_csr(view["result"].encode())
        assert csr.is_signature_valid
        assert not token or csr.tbs_certrequest_bytes == token.payload
        assert spki_of(csr.public_key()) == spki_of(case.public)
        (name,) = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert name.value == "server %d" % n


def check_certificate(pem, issuer_key, token, name):
    certificate = x509.load_pem_x509_certificate(pem.encode())
    assert not token or certificate.tbs_certificate_bytes == token.payload
    issuer_key.verify(certificate.signature, certificate.tbs_certificate_bytes,
                      ec.ECDSA(hashes.SHA256()))
    (common,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert common.value == name
    return certificate


class SelfSignCertificate(Kind):
    name, path = "selfSignCertificate", "/v1/certificate/selfsign"
    tasks, envelope = "SelfSignCertificate", "selfSignCertificateRequest"
    id_member, shown = "signRequestId", "signedSelfSignCertificateRequestDto"
    hsm_path = "/v1/synchronousSign"

    def inner(self, case, n):
        return {"signKeyName": case.label, "signatureAlgorithm": "SHA256_WITH_ECDSA",
                "validity": 30, "commonName": "authority %d" % n, "certificateAuthority": True,
                "keyUsage": ["KEY_CERT_SIGN"]}

    def payload(self, case, n):
        return None

    def happened(self, case, n):
        return case.api.send("GET", "/v1/certificate/" + case.label).status_code == 200

    def check(self, case, n, view, token):
        assert view["result"] == "true"
        pem = case.api.get("/v1/certificate/" + case.label)["certificate"]
        certificate = check_certificate(pem, case.public, token, "authority %d" % n)
        assert certificate.issuer == certificate.subject


class SignCertificate(Kind):
    """A certificate for somebody's request, by a key that has a certificate itself."""
    name, path, tasks = "signCertificate", "/v1/certificate/sign", "SignCertificate"
    envelope, id_member = "signCertificateRequest", "signRequestId"
    shown, hsm_path = "signedSignCertificateRequest", "/v1/synchronousSign"

    def prepare(self, case):
        case.through(SELF_SIGN)

    def csr(self, case, n):
        if n not in case.memory:
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "applicant")])
            key = ec.generate_private_key(ec.SECP256R1())
            csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(
                key, hashes.SHA256())
            case.memory[n] = key, csr.public_bytes(serialization.Encoding.PEM).decode()
        return case.memory[n]

    def inner(self, case, n):
        return {"signKeyName": case.label, "signatureAlgorithm": "SHA256_WITH_ECDSA",
                "commonName": "client %d" % n, "certificateAuthority": False, "validity": 10,
                "certificateSigningRequest": self.csr(case, n)[1]}

    def payload(self, case, n):
        return None

    def check(self, case, n, view, token):
        certificate = check_certificate(view["result"], case.public, token, "client %d" % n)
        assert spki_of(certificate.public_key()) == spki_of(self.csr(case, n)[0].public_key())
        (issuer,) = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert issuer.value == "authority 0"


SIGN, BLOCK, SELF_SIGN = Sign(), Block(), SelfSignCertificate()
ALL = [SIGN, Decrypt(), Unwrap(), BLOCK, Unblock(), Modify(), CertificateRequest(),
       SignCertificate(), SELF_SIGN]
LISTS = [k.tasks for k in ALL] + ["All"]
ONCE = [k for k in ALL if not k.repeatable]
