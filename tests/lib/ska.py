"""Approval tokens, timestamps, signed approvals and policies in binary form.

A second implementation, written from the description of the format alone and sharing nothing
with lib/ska: where the two disagree, one of them is wrong. Decoding is strict: whatever it accepts
encodes to the same bytes again.
"""
import base64
import struct
from dataclasses import dataclass
from typing import Optional, Tuple

KEY_COUNT = 0x0003
OPERATION = 0x003B
MINUTES = 0x0055
SECONDS = 0x0056
TOKEN_COUNT = 0x0059
GROUP_COUNT = 0x005A
QUORUM = 0x005B
TIME = 0x0107
LABEL = 0x1002
CERTIFICATE = 0x1009
RULE_USE, RULE_BLOCK, RULE_UNBLOCK, RULE_MODIFY = 0x104E, 0x104F, 0x1050, 0x1051
PUBLIC_KEY = 0x1052
TIMESTAMP = 0x1054
APPROVAL_TOKEN = 0x1055
SIGNATURE = 0x1056
PAYLOAD = 0x1057
MODIFY_PAYLOAD = 0x1058

USE, BLOCK, UNBLOCK, MODIFY = 1, 2, 3, 4
RULES = (("ruleUse", RULE_USE), ("ruleBlock", RULE_BLOCK),
         ("ruleUnblock", RULE_UNBLOCK), ("ruleModify", RULE_MODIFY))


class Malformed(ValueError):
    pass


def need(condition, what):
    if not condition:
        raise Malformed(what)


# ---- elements and containers ----

def element(tag: int, value: bytes) -> bytes:
    n = len(value)
    head = struct.pack("<HH", tag, n) if n < 0xFFFF else struct.pack("<HHI", tag, 0xFFFF, n)
    return head + value + b"\0" * (-n % 4)


def u32(tag: int, value: int) -> bytes:
    return element(tag, struct.pack("<I", value))


def u64(tag: int, value: int) -> bytes:
    return element(tag, struct.pack("<Q", value))


def text(tag: int, value: Optional[str]) -> bytes:
    """An absent name is no element, not an empty one."""
    return b"" if value is None else element(tag, value.encode())


def container(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body


class Reader:
    """Takes the elements of one container in order."""

    def __init__(self, whole: bytes):
        need(len(whole) >= 4, "container shorter than its length")
        (n,) = struct.unpack_from("<I", whole)
        need(n == len(whole) - 4, "container length differs from the bytes that follow")
        need(n % 4 == 0, "container length is not a multiple of 4")
        self.rest = whole[4:]

    def peek(self) -> Optional[int]:
        if not self.rest:
            return None
        need(len(self.rest) >= 4, "element shorter than its head")
        return struct.unpack_from("<H", self.rest)[0]

    def take(self, tag: int) -> bytes:
        need(self.peek() == tag, "expected element %#06x, found %r" % (tag, self.peek()))
        (n,) = struct.unpack_from("<H", self.rest, 2)
        start = 4
        if n == 0xFFFF:
            need(len(self.rest) >= 8, "extended length cut off")
            (n,) = struct.unpack_from("<I", self.rest, 4)
            need(0xFFFF <= n < 1 << 31, "extended length out of range")
            start = 8
        end = start + n
        padded = end + (-n % 4)
        need(padded <= len(self.rest), "element longer than its container")
        need(not any(self.rest[end:padded]), "padding is not zero")
        value, self.rest = self.rest[start:end], self.rest[padded:]
        return value

    def maybe(self, tag: int) -> Optional[bytes]:
        return self.take(tag) if self.peek() == tag else None

    def number(self, tag: int, fmt: str = "<I") -> int:
        value = self.take(tag)
        need(len(value) == struct.calcsize(fmt), "number of a wrong size")
        return struct.unpack(fmt, value)[0]

    def name(self) -> Optional[str]:
        value = self.maybe(LABEL)
        return None if value is None else label_text(value)

    def end(self):
        need(not self.rest, "bytes behind the last element")


def label_text(value: bytes) -> str:
    try:
        s = value.decode()
    except UnicodeDecodeError as e:
        raise Malformed("label is not UTF-8") from e
    need(not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in s), "control character in a label")
    return s


# ---- signature with algorithm: SEQUENCE { SEQUENCE { OID, NULL }, BIT STRING } ----

def _der(tag: int, value: bytes) -> bytes:
    n = len(value)
    if n < 0x80:
        return bytes((tag, n)) + value
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + value


def _oid(dotted: str) -> bytes:
    first, second, *others = (int(p) for p in dotted.split("."))
    out = bytearray()
    for part in [40 * first + second] + others:
        septets = [part & 0x7F]
        while part > 0x7F:
            part >>= 7
            septets.insert(0, 0x80 | part & 0x7F)
        out += bytes(septets)
    return _der(0x06, bytes(out))


SIGNATURE_OIDS = {
    ("RSA", "SHA-224"): "1.2.840.113549.1.1.14", ("RSA", "SHA-256"): "1.2.840.113549.1.1.11",
    ("RSA", "SHA-384"): "1.2.840.113549.1.1.12", ("RSA", "SHA-512"): "1.2.840.113549.1.1.13",
    ("EC", "SHA-224"): "1.2.840.10045.4.3.1", ("EC", "SHA-256"): "1.2.840.10045.4.3.2",
    ("EC", "SHA-384"): "1.2.840.10045.4.3.3", ("EC", "SHA-512"): "1.2.840.10045.4.3.4",
    ("DSA", "SHA-224"): "2.16.840.1.101.3.4.3.1", ("DSA", "SHA-256"): "2.16.840.1.101.3.4.3.2",
    ("DSA", "SHA-384"): "2.16.840.1.101.3.4.3.3", ("DSA", "SHA-512"): "2.16.840.1.101.3.4.3.4",
    ("DSA", "SHA3-224"): "2.16.840.1.101.3.4.3.5", ("DSA", "SHA3-256"): "2.16.840.1.101.3.4.3.6",
    ("DSA", "SHA3-384"): "2.16.840.1.101.3.4.3.7", ("DSA", "SHA3-512"): "2.16.840.1.101.3.4.3.8",
    ("EC", "SHA3-224"): "2.16.840.1.101.3.4.3.9", ("EC", "SHA3-256"): "2.16.840.1.101.3.4.3.10",
    ("EC", "SHA3-384"): "2.16.840.1.101.3.4.3.11", ("EC", "SHA3-512"): "2.16.840.1.101.3.4.3.12",
    ("RSA", "SHA3-224"): "2.16.840.1.101.3.4.3.13", ("RSA", "SHA3-256"): "2.16.840.1.101.3.4.3.14",
    ("RSA", "SHA3-384"): "2.16.840.1.101.3.4.3.15", ("RSA", "SHA3-512"): "2.16.840.1.101.3.4.3.16",
    ("ED25519", "EdDSA"): "1.3.101.112",
}


def _algorithm(oid: str) -> bytes:
    null = b"" if oid == "1.3.101.112" else b"\x05\x00"
    return _der(0x30, _oid(oid) + null)


def signature_encode(key_type: str, digest: str, raw: bytes) -> bytes:
    digest = "EdDSA" if key_type == "ED25519" else digest
    algorithm = _algorithm(SIGNATURE_OIDS[key_type, digest])
    return _der(0x30, algorithm + _der(0x03, b"\0" + raw))


def signature_decode(der: bytes) -> Tuple[str, str, bytes]:
    """Key type, digest and bare signature; only the encodings of signature_encode are taken."""
    for (key_type, digest), oid in SIGNATURE_OIDS.items():
        algorithm = _algorithm(oid)
        at = der.find(algorithm)
        if 0 < at <= 4:
            bits = der[at + len(algorithm):]
            head = 2 if len(bits) > 1 and bits[1] < 0x80 else 2 + (bits[1] & 0x7F)
            raw = bits[head + 1:]
            need(signature_encode(key_type, digest, raw) == der, "signature is not strict DER")
            return key_type, digest, raw
    raise Malformed("signature algorithm is not known")


# ---- policy ----

def _rule_encode(rule: Optional[dict], unit: int) -> bytes:
    tokens = [{"name": None, "timelock": 0, "timeout": 0, "groups": None}] if rule is None \
        else rule.get("tokens") or []
    out = u32(TOKEN_COUNT, len(tokens))
    divisor = 60 if unit == MINUTES else 1
    for token in tokens:
        groups = token.get("groups") or []
        out += text(LABEL, token.get("name"))
        out += u32(unit, token["timelock"] // divisor) + u32(unit, token["timeout"] // divisor)
        out += u32(GROUP_COUNT, len(groups))
        for group in groups:
            out += text(LABEL, group.get("name"))
            out += u32(QUORUM, group["quorum"]) + u32(KEY_COUNT, len(group["approvals"]))
            for approval in group["approvals"]:
                tag = CERTIFICATE if approval["type"] == "certificate" else PUBLIC_KEY
                out += text(LABEL, approval.get("name"))
                out += element(tag, base64.b64decode(approval["value"], validate=True))
    return container(out)


def policy_encode(policy: dict, unit: int = MINUTES) -> bytes:
    """From the JSON form of the API (times in seconds)."""
    return container(b"".join(element(tag, _rule_encode(policy.get(name), unit))
                              for name, tag in RULES))


def _rule_decode(whole: bytes) -> Tuple[Optional[dict], int]:
    r = Reader(whole)
    tokens = []
    unit = MINUTES
    for _ in range(r.number(TOKEN_COUNT)):
        name = r.name()
        unit = SECONDS if r.peek() == SECONDS else MINUTES
        factor = 60 if unit == MINUTES else 1
        token = {"name": name, "timelock": r.number(unit) * factor,
                 "timeout": r.number(unit) * factor, "groups": []}
        for _ in range(r.number(GROUP_COUNT)):
            group = {"name": r.name(), "quorum": r.number(QUORUM), "approvals": []}
            for _ in range(r.number(KEY_COUNT)):
                name = r.name()
                tag = CERTIFICATE if r.peek() == CERTIFICATE else PUBLIC_KEY
                kind = "certificate" if tag == CERTIFICATE else "public_key"
                value = base64.b64encode(r.take(tag)).decode()
                group["approvals"].append({"type": kind, "name": name, "value": value})
            token["groups"].append(group)
        token["groups"] = token["groups"] or None
        tokens.append(token)
    r.end()
    if tokens == [{"name": None, "timelock": 0, "timeout": 0, "groups": None}]:
        return None, unit
    return {"tokens": tokens}, unit


def policy_decode(whole: bytes) -> dict:
    r = Reader(whole)
    policy, units = {}, set()
    for name, tag in RULES:
        policy[name], unit = _rule_decode(r.take(tag))
        units.add(unit)
    r.end()
    need(any(policy_encode(policy, unit) == whole for unit in units), "policy encodes differently")
    return policy


# ---- timestamp, approval token, signed approval ----

@dataclass
class Timestamp:
    seconds: int
    key_label: str
    payload: Optional[bytes] = None
    modify: bool = False

    def encode(self) -> bytes:
        tag = MODIFY_PAYLOAD if self.modify else PAYLOAD
        payload = b"" if self.payload is None else element(tag, self.payload)
        return container(payload + u64(TIME, self.seconds) + text(LABEL, self.key_label))

    @classmethod
    def decode(cls, whole: bytes) -> "Timestamp":
        r = Reader(whole)
        modify = r.peek() == MODIFY_PAYLOAD
        payload = r.take(r.peek()) if r.peek() in (PAYLOAD, MODIFY_PAYLOAD) else None
        out = cls(r.number(TIME, "<Q"), label_text(r.take(LABEL)), payload, modify)
        r.end()
        need(out.encode() == whole, "timestamp encodes differently")
        return out


@dataclass
class Token:
    operation: int
    label: str
    payload: Optional[bytes] = None
    timestamp: Optional[bytes] = None            # the container that the timestamp key signed
    timestamp_signature: Optional[bytes] = None  # with algorithm

    def encode(self) -> bytes:
        out = u32(OPERATION, self.operation) + element(LABEL, self.label.encode())
        if self.timestamp is not None:
            out += element(TIMESTAMP, self.timestamp) + element(SIGNATURE, self.timestamp_signature)
        if self.payload is not None:
            tag = MODIFY_PAYLOAD if self.operation == MODIFY else PAYLOAD
            out += element(tag, self.payload)
        return container(out)

    @classmethod
    def decode(cls, whole: bytes) -> "Token":
        r = Reader(whole)
        out = cls(r.number(OPERATION), label_text(r.take(LABEL)))
        need(USE <= out.operation <= MODIFY, "operation is not 1 to 4")
        out.timestamp = r.maybe(TIMESTAMP)
        if out.timestamp is not None:
            out.timestamp_signature = r.take(SIGNATURE)
            signature_decode(out.timestamp_signature)
            stamp = Timestamp.decode(out.timestamp)
            need(stamp.modify == (out.operation == MODIFY), "payload kind of the timestamp")
        if out.operation in (USE, MODIFY):
            out.payload = r.take(MODIFY_PAYLOAD if out.operation == MODIFY else PAYLOAD)
        r.end()
        need(out.encode() == whole, "token encodes differently")
        return out


@dataclass
class SignedApproval:
    token: bytes
    signature: bytes   # with algorithm
    approver: bytes    # SubjectPublicKeyInfo or certificate
    is_certificate: bool = False

    def encode(self) -> bytes:
        tag = CERTIFICATE if self.is_certificate else PUBLIC_KEY
        return container(element(APPROVAL_TOKEN, self.token) + element(SIGNATURE, self.signature) +
                         element(tag, self.approver))

    @classmethod
    def decode(cls, whole: bytes) -> "SignedApproval":
        r = Reader(whole)
        token, signature = r.take(APPROVAL_TOKEN), r.take(SIGNATURE)
        is_certificate = r.peek() == CERTIFICATE
        out = cls(token, signature, r.take(CERTIFICATE if is_certificate else PUBLIC_KEY),
                  is_certificate)
        r.end()
        Token.decode(token)
        signature_decode(signature)
        need(out.encode() == whole, "signed approval encodes differently")
        return out


@dataclass
class UnwrapPayload:
    kind: int
    capabilities: int
    access: int
    wrapped_key: bytes
    label: str

    def encode(self) -> bytes:
        return container(u32(0x0007, self.kind) + u32(0x001C, self.capabilities) +
                         u32(0x001B, self.access) + element(0x100C, self.wrapped_key) +
                         text(LABEL, self.label))

    @classmethod
    def decode(cls, whole: bytes) -> "UnwrapPayload":
        r = Reader(whole)
        out = cls(r.number(0x0007), r.number(0x001C), r.number(0x001B), r.take(0x100C),
                  label_text(r.take(LABEL)))
        r.end()
        need(out.encode() == whole, "unwrap payload encodes differently")
        return out
