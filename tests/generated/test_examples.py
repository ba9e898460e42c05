"""docs/examples: each signs a file that an approver approves, and says what became of a refused one."""
import base64
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from approver import Approver, quorum
from client import public_key, unique
from private_site import ROOT

EXAMPLES = ROOT / "docs" / "examples"
COMMANDS = {
    "sign-and-poll.sh": ["sh"],
    "sign_and_poll.py": ["python3"],
    "sign-and-poll.mjs": ["node"],
    "sign_and_poll.go": ["go", "run"],
    "SignAndPoll.java": ["java"],
}


def test_every_example_is_tried():
    assert {p.name for p in EXAMPLES.iterdir()} == set(COMMANDS) | {"README.md"}


@pytest.mark.parametrize("name", COMMANDS)
def test_example(name, api, environment, tmp_path):
    if not shutil.which(COMMANDS[name][0]):
        pytest.skip("%s is not here" % COMMANDS[name][0])
    anna, key = Approver("p256", "anna"), unique("example")
    (tmp_path / "order").write_bytes(b"pay 10 to bert\n")
    answer = api.create_key(key, quorum(1, anna))

    def start(key):
        return subprocess.Popen(
            [*COMMANDS[name], str(EXAMPLES / name), key, str(tmp_path / "order")], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment)

    def ended(client, act=None):
        try:
            if act:
                word, request = client.stderr.readline().split()
                assert word == "request"
                act(anna, request)
            out, err = client.communicate(timeout=120)
        finally:
            client.kill()
        return client.returncode, out, err

    status, out, err = ended(start(key), api.approve)
    assert status == 0, err
    public_key(answer).verify(base64.b64decode(out), b"pay 10 to bert\n", ec.ECDSA(hashes.SHA256()))
    status, out, err = ended(start(key), api.reject)
    assert status == 1 and out == "" and "REJECTED" in err
    status, out, err = ended(start("nobody's"))
    assert status == 1 and out == "" and "nobody's" in err
