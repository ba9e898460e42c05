"""The published inputOfflineHsm: taken as it stands, judged by policy, approved by its own approval."""
import base64
import json
import pathlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from approver import group, policy, rule, token

ANSWER = json.loads((pathlib.Path(__file__).parent.parent / "vectors" / "offline-answer.json")
                    .read_text())
TOKEN_LABEL = "MSI-StandaloneKey"  # of its approval, which differs from signKeyName


def seed(**members):
    return {"signRequest": dict(ANSWER["inputOfflineHsm"]["signRequest"], **members)}


def sign(hsm, body):
    return base64.b64decode(hsm.call("POST", "/v1/synchronousSign", body, "KO")["signature"])


class TheApprover:
    @staticmethod
    def policy_entry():
        return {"type": "public_key", "value": ANSWER["approvedBy"][0]}


def key_of(hsm, label):
    return hsm.create(label, "RSA", keySize=2048,
                      policy=policy(rule(token(group(1, TheApprover)))))


def test_the_seeds_request_reaches_the_key_that_is_not_here(hsm, refused):
    with refused(650, "MSI-OnlineKey"):
        sign(hsm, seed())


def test_the_seeds_approval_is_for_another_key(hsm, refused):
    key_of(hsm, "MSI-OnlineKey")
    with refused(701, "another key"):
        sign(hsm, seed())


def test_the_seeds_approval_signs_with_the_key_that_it_names(hsm, refused):
    answer = key_of(hsm, TOKEN_LABEL)
    public = serialization.load_der_public_key(base64.b64decode(answer["json"]["publicKey"]))
    signature = sign(hsm, seed(signKeyName=TOKEN_LABEL))
    sha = hashes.SHA224()
    public.verify(signature, b"harro", padding.PSS(padding.MGF1(sha), sha.digest_size), sha)
    with refused(701):
        sign(hsm, seed(signKeyName=TOKEN_LABEL, payload=base64.b64encode(b"other").decode()))
    with refused(701):
        sign(hsm, seed(signKeyName=TOKEN_LABEL, signedApprovals=[]))
