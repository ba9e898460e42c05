"""Approvers: a key of their own, with or without a certificate, and what they sign with it."""
import base64
import datetime
import functools

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

import ska

HASHES = {"SHA-224": hashes.SHA224, "SHA-256": hashes.SHA256, "SHA-384": hashes.SHA384,
          "SHA-512": hashes.SHA512, "SHA3-224": hashes.SHA3_224, "SHA3-256": hashes.SHA3_256,
          "SHA3-384": hashes.SHA3_384, "SHA3-512": hashes.SHA3_512}

MAKERS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "dsa": lambda: dsa.generate_private_key(2048),
}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unb64(s: str) -> bytes:
    return base64.b64decode(s, validate=True)


def spki_of(public_key) -> bytes:
    return public_key.public_bytes(serialization.Encoding.DER,
                                   serialization.PublicFormat.SubjectPublicKeyInfo)


def key_type(public_key) -> str:
    return {rsa.RSAPublicKey: "RSA", ec.EllipticCurvePublicKey: "EC", dsa.DSAPublicKey: "DSA",
            ed25519.Ed25519PublicKey: "ED25519"}[next(
                t for t in (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, dsa.DSAPublicKey,
                            ed25519.Ed25519PublicKey) if isinstance(public_key, t))]


def verify(public_key, digest: str, message: bytes, signature: bytes) -> bool:
    """A bare signature as approvers and the HSM's own keys make them."""
    try:
        if key_type(public_key) == "RSA":
            public_key.verify(signature, message, padding.PKCS1v15(), HASHES[digest]())
        elif key_type(public_key) == "EC":
            public_key.verify(signature, message, ec.ECDSA(HASHES[digest]()))
        elif key_type(public_key) == "DSA":
            public_key.verify(signature, message, HASHES[digest]())
        else:
            public_key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


class Approver:
    def __init__(self, kind="p256", name=None, digest=None, certificate=False):
        self.kind, self.name = kind, name
        self.key = MAKERS[kind]()
        self.public = self.key.public_key()
        self.spki = spki_of(self.public)
        self.type = key_type(self.public)
        self.digest = digest or ("EdDSA" if kind == "ed25519" else "SHA-256")
        self.uses_certificate = certificate

    def __repr__(self):
        return "Approver(%s, %s)" % (self.kind, self.name)

    def pem(self) -> bytes:
        return self.public.public_bytes(serialization.Encoding.PEM,
                                        serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes, digest=None) -> bytes:
        digest = digest or self.digest
        if self.type == "RSA":
            return self.key.sign(message, padding.PKCS1v15(), HASHES[digest]())
        if self.type == "EC":
            return self.key.sign(message, ec.ECDSA(HASHES[digest]()))
        if self.type == "DSA":
            return self.key.sign(message, HASHES[digest]())
        return self.key.sign(message)

    def certificate_for(self, common_name=None, start=None, end=None) -> bytes:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME,
                                             common_name or self.name or "approver")])
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                   .public_key(self.public).serial_number(x509.random_serial_number())
                   .not_valid_before(start or now - day)
                   .not_valid_after(end or now + 3650 * day))
        algorithm = None if self.type == "ED25519" else hashes.SHA256()
        return builder.sign(self.key, algorithm).public_bytes(serialization.Encoding.DER)

    @functools.cached_property
    def certificate(self) -> bytes:
        return self.certificate_for()

    # -- members of the API --

    def policy_entry(self) -> dict:
        if self.uses_certificate:
            return {"type": "certificate", "value": b64(self.certificate)}
        return {"type": "public_key", "name": self.name, "value": b64(self.spki)}

    def identity(self, certificate=None) -> dict:
        if self.uses_certificate if certificate is None else certificate:
            return {"approverCertificate": b64(self.certificate)}
        return {"approverPublicKey": b64(self.spki)}

    def proof(self, now: float, certificate=None) -> dict:
        """The signed timestamp that authenticates an approver."""
        stamp = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
        return self.proof_of(stamp.strftime("%Y-%m-%dT%H:%M:%S+00:00"), certificate)

    def proof_of(self, text: str, certificate=None) -> dict:
        return {"timestamp": text, "timestampSignature": b64(self.sign(text.encode())),
                "timestampDigestAlgorithm": self.digest, **self.identity(certificate)}

    def signed_approval(self, token: bytes, digest=None, as_certificate=None) -> str:
        """An element of signedApprovals."""
        digest = digest or self.digest
        certificate = self.uses_certificate if as_certificate is None else as_certificate
        return b64(ska.SignedApproval(
            token, ska.signature_encode(self.type, digest, self.sign(token, digest)),
            self.certificate if certificate else self.spki, certificate).encode())


# ---- policies in the JSON form of the API ----

def group(quorum, *approvers, name=None):
    return {"name": name, "quorum": quorum, "approvals": [a.policy_entry() for a in approvers]}


def token(*groups, timelock=0, timeout=0, name=None):
    return {"name": name, "timelock": timelock, "timeout": timeout, "groups": list(groups) or None}


def rule(*tokens):
    return {"tokens": list(tokens)}


def policy(use=None, block=None, unblock=None, modify=None, blocked=False):
    """blocked None leaves keyStatus out, as modify requests want it."""
    out = {"ruleUse": use, "ruleBlock": block, "ruleUnblock": unblock, "ruleModify": modify}
    if blocked is not None:
        out["keyStatus"] = {"blocked": blocked}
    return out


def quorum(n, *approvers, timelock=0, timeout=0):
    """The usual policy: n of these use the key."""
    return policy(rule(token(group(n, *approvers), timelock=timelock, timeout=timeout)))
