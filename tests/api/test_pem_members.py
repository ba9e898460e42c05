"""Members that are keys, certificates or requests, as PEM that other programs write."""
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from approver import Approver, policy, rule, token
from client import ApiError, unique

pytestmark = pytest.mark.nginx_only("bodies are read by the same program")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """The certificate of an approver and the one that issued it."""
    folder = tmp_path_factory.mktemp("chain")
    (folder / "leaf.key").write_text(private_pem())

    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=folder)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=issuer", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", "-new", "-key", "leaf.key", "-subj", "/CN=leaf", "-out", "leaf.csr")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "leaf.crt")
    return (folder / "leaf.crt").read_text(), (folder / "ca.crt").read_text()


LEAF = Approver("p256", name="leaf")


def private_pem():
    return LEAF.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def policy_of(kind, value, name=None):
    entry = {"type": kind, "value": value, **({"name": name} if name else {})}
    return policy(rule(token({"name": "g", "quorum": 1, "approvals": [entry]})))


def create(api, *entry):
    label = unique("pem")
    api.create_key(label, policy_of(*entry))
    return label


@pytest.mark.parametrize("form", ["plain", "issuer first", "leaf first", "attributes", "mark"])
def test_the_leaf_of_a_chain_is_the_approver(api, chain, form):
    leaf, issuer = chain
    label = create(api, "certificate", {
        "plain": leaf,
        "issuer first": issuer + leaf,
        "leaf first": leaf + issuer,
        "attributes": "Bag Attributes\r\n    localKeyID: 01\r\n" + leaf.replace("\n", "\r\n"),
        "mark": "\ufeff" + leaf}[form])
    rid = api.sign(label)
    api.approve(LEAF, rid)
    api.wait(rid, "EXECUTED")


def test_a_public_key_is_found_beside_a_certificate(api, chain):
    rid = api.sign(create(api, "public_key", chain[0] + LEAF.pem().decode(), "leaf"))
    api.approve(LEAF, rid)
    api.wait(rid, "EXECUTED")


def test_what_does_not_fit_is_named(api, chain):
    for entry, says in [
            (("public_key", chain[0], "x"), "no public key, but a block CERTIFICATE"),
            (("certificate", private_pem()), "PRIVATE KEY"),
            (("certificate", chain[0][:-20]), "no END line")]:
        with pytest.raises(ApiError, match=r"approvals\[0\]\.value .*" + says):
            create(api, *entry)
