"""The lines of docs/offline-formats.md, run as they are printed on the sample files."""
import base64
import hashlib
import json
import pathlib
import re
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization

pytestmark = pytest.mark.no_site

ROOT = pathlib.Path(__file__).parent.parent.parent
SAMPLES = ROOT / "tests" / "vectors" / "offline"
GUIDE = (ROOT / "docs" / "offline-formats.md").read_text()


def lines_of_the_guide():
    return "set -eu\n" + "".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.S))


def fingerprint(pem):
    public = serialization.load_pem_public_key(pem)
    return hashlib.sha256(public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def run(folder, **files):
    for path in SAMPLES.iterdir():
        shutil.copy(path, folder)
    (folder / "results.tsbpkg").unlink()
    (folder / "answer.json").write_text('{"signature":"AQID"}')
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_bytes(content)
    return subprocess.run(["sh", "-c", lines_of_the_guide()], cwd=folder, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_printed_package_is_the_sample():
    assert (SAMPLES / "requests.tsbpkg").read_text() in GUIDE


def test_a_package_is_checked_and_answered_by_hand(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "Verified OK" in done.stdout and "invoices" in done.stdout
    request = json.loads((tmp_path / "request.json").read_text())
    assert request["signRequest"]["signKeyName"] == "invoices"
    line = (tmp_path / "results.tsbpkg").read_bytes().rstrip(b"\n")
    mark, digest, signer, signature, content = line.split(b" ", 4)
    vault, broker = (SAMPLES / "vault.pub").read_bytes(), (SAMPLES / "broker.pub").read_bytes()
    assert mark == b"TSBPKG1" and digest.decode() == hashlib.sha256(content).hexdigest()
    assert signer.decode() == fingerprint(vault)
    serialization.load_pem_public_key(vault).verify(base64.b64decode(signature), content)
    told = json.loads(content)
    assert content.startswith(b'{"tsbPackage":1,') and told["type"] == "results"
    assert told["from"]["key"] == fingerprint(vault) and told["to"]["key"] == fingerprint(broker)
    assert told["items"][0]["signature"] == "AQID"
    assert told["items"][0]["id"] == "01941f29-7c00-7000-8000-00000000002a"


def test_a_changed_package_stops_the_lines(tmp_path):
    whole = (SAMPLES / "requests.tsbpkg").read_bytes()
    for place in (10, 80, 150, len(whole) - 40):
        broken = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:]
        assert run(tmp_path, requests_tsbpkg=broken).returncode != 0, place
