"""Requests of each kind that cross an air gap, and how to see on both sides what they did."""
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import ska
from approver import Approver, b64, group, policy, rule, spki_of, token, unb64, verify
from client import public_key, unique
from kinds import USAGE_FLAGS, same_policy

PAYLOAD_MAX = 65536    # of what is encrypted, too
ECIES_OVERHEAD = 65 + 16


class Cargo:
    """A key in the room whose four rules ask all of crowd, known online, and one request on it."""
    name = path = envelope = id_member = None
    member = None    # of inputOfflineHsm
    has_payload = False
    repeatable = False

    def __init__(self, online, room, crowd, size=64):
        self.online, self.room, self.crowd, self.size = online, room, crowd, size
        guard = rule(token(group(len(crowd), *crowd)))
        answer = room.create_key(policy=policy(*[guard] * 4), **self.key())
        self.label, self.public = answer["json"]["label"], public_key(answer)
        self.prepare()
        self.before = room.attributes(self.label)
        online.import_key(self.before)
        self.rid = None

    def key(self):
        return {}

    def prepare(self):
        pass

    def inner(self):
        raise NotImplementedError

    def ask(self):
        answer = self.online.api.post(self.path, {self.envelope: self.inner()})
        assert self.online.api.status == 201 and set(answer) == {self.id_member}
        self.rid = answer[self.id_member]
        return self.rid

    def ready(self):
        """Asked for and approved by all."""
        self.ask()
        self.online.approve(self.rid, *self.crowd)
        return self

    def view(self):
        return self.online.api.request(self.rid)

    def now(self):
        """The key as the HSM describes it."""
        return self.room.attributes(self.label)["json"]

    def uses(self):
        return self.now()["keyUsageCount"] - self.before["json"]["keyUsageCount"]

    def happened(self):
        """Whether the HSM did it."""
        return self.uses() > 0

    def check(self, view=None):
        """What an online broker would have answered, and what the HSM did."""
        view = view or self.view()
        assert view["status"] == "EXECUTED" and view["executionTime"], view
        assert "inputOfflineHsm" not in view and "approvalProgress" not in view
        assert len(view["approvedBy"]) == len(self.crowd)
        self.check_result(view["result"])
        assert self.happened()

    def check_result(self, result):
        assert result is None

    def untouched(self):
        """Nothing happened: neither here nor there."""
        assert not self.happened()
        view = self.view()
        assert view["status"] == "PENDING" and view["executionTime"] is None, view

    def known_online(self):
        """What the online side knows about the key."""
        return self.online.api.attributes(self.label)["json"]


class Sign(Cargo):
    name, path, envelope, id_member = "sign", "/v1/sign", "signRequest", "signRequestId"
    member, has_payload, repeatable = "signature", True, True

    def inner(self):
        self.payload = os.urandom(self.size)
        return {"payload": b64(self.payload), "signKeyName": self.label,
                "signatureAlgorithm": "SHA256_WITH_ECDSA"}

    def check_result(self, result):
        assert verify(self.public, "SHA-256", self.payload, unb64(result))


class Decrypt(Cargo):
    name, path, envelope = "decrypt", "/v1/decrypt", "decryptRequest"
    id_member, member, has_payload, repeatable = "decryptRequestId", "payload", True, True

    def key(self):
        return {"attributes": {**USAGE_FLAGS, "decrypt": True}}

    def inner(self):
        self.plain = os.urandom(min(self.size, PAYLOAD_MAX - ECIES_OVERHEAD))
        sealed = self.room.api.post("/v1/encrypt", {"encryptRequest": {
            "payload": b64(self.plain), "encryptKeyName": self.label, "cipherAlgorithm": "ECIES"}})
        self.before = self.room.attributes(self.label)  # to encrypt is a use, too
        return {"encryptedPayload": sealed["encryptedPayload"], "decryptKeyName": self.label,
                "cipherAlgorithm": "ECIES"}

    def check_result(self, result):
        assert unb64(result) == self.plain


class Unwrap(Cargo):
    """An AES key comes in under an RSA key."""
    name, path, envelope = "unwrap", "/v1/unwrap", "unwrapKeyRequest"
    id_member = "unwrapRequestId"

    def key(self):
        return {"algorithm": "RSA", "attributes": {**USAGE_FLAGS, "unwrap": True}}

    def inner(self):
        self.secret, self.new = os.urandom(32), unique("unwrapped")
        oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        return {"wrappedKey": b64(self.public.encrypt(self.secret, oaep)), "label": self.new,
                "attributes": {**USAGE_FLAGS, "decrypt": True}, "unwrapKeyName": self.label,
                "wrapMethod": "RSA_WRAP_OAEP"}

    def happened(self):
        return self.new in self.room.api.get("/v1/key")

    def check_result(self, result):
        assert result is None
        iv = os.urandom(12)
        answer = self.room.api.post("/v1/synchronousDecrypt", {"decryptRequest": {
            "encryptedPayload": b64(AESGCM(self.secret).encrypt(iv, b"for the new key", None)),
            "decryptKeyName": self.new, "cipherAlgorithm": "AES_GCM", "tagLength": 128,
            "initializationVector": b64(iv), "signedApprovals": []}})
        assert unb64(answer["payload"]) == b"for the new key"


class Block(Cargo):
    name, path, envelope = "block", "/v1/block", "blockRequest"
    id_member = "blockKeyRequestId"

    def inner(self):
        return {"blockKeyName": self.label}

    def happened(self):
        return self.now()["policy"]["keyStatus"]["blocked"]

    def check_result(self, result):
        assert result is None
        assert self.known_online()["policy"]["keyStatus"]["blocked"]
        body = self.online.api.sign_body(self.label)
        self.online.api.refused(614, "POST", "/v1/sign", body, says="blocked")


class Unblock(Cargo):
    name, path, envelope = "unblock", "/v1/unblock", "unblockRequest"
    id_member = "unblockKeyRequestId"

    def prepare(self):
        approved = ska.Token(ska.BLOCK, self.label, None).encode()
        self.room.api.post("/v1/synchronousBlock", {"blockRequest": {
            "blockKeyName": self.label,
            "signedApprovals": [a.signed_approval(approved) for a in self.crowd]}})

    def inner(self):
        return {"unblockKeyName": self.label}

    def happened(self):
        return not self.now()["policy"]["keyStatus"]["blocked"]

    def check_result(self, result):
        assert result is None
        assert not self.known_online()["policy"]["keyStatus"]["blocked"]
        self.online.api.sign(self.label)


class Modify(Cargo):
    """size: of the new policy, about."""
    name, path, envelope = "modify", "/v1/modify", "modifyRequest"
    id_member, has_payload = "modifyKeyRequestId", True

    def inner(self):
        one = Approver("p256", "new")
        more = [{"type": "public_key", "name": "n%d" % i, "value": b64(spki_of(
            ec.generate_private_key(ec.SECP256R1()).public_key()))}
            for i in range(self.size // 91)]
        groups = [group(1, one)] + [{"name": None, "quorum": 1, "approvals": more[i:i + 200]}
                                    for i in range(0, len(more), 200)]
        self.wanted = policy(rule(token(*groups)), *[rule(token(group(1, one)))] * 3, blocked=None)
        return {"modifyKeyName": self.label, "policy": self.wanted}

    def happened(self):
        return same_policy(self.now()["policy"], self.wanted)

    def check_result(self, result):
        assert result is None
        assert same_policy(self.known_online()["policy"], self.wanted)


ALL = [Sign, Decrypt, Unwrap, Block, Unblock, Modify]
ONCE = [kind for kind in ALL if not kind.repeatable]
SIZES = [1, 64, 2048, 65536]
