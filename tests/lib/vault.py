"""An offline room with a made-up HSM and bank: fixtures that tests without sites import."""
import json

import pytest

from approver import Approver, spki_of, verify
from carried import Hsm, Site, hex_sha256, open_package
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from tsb import Broker, run

PUT = ("PUT", "/v1/resultFromOfflineHsm")


@pytest.fixture
def broker():
    b = Broker()
    yield b
    b.close()


@pytest.fixture(scope="session")
def crowd():
    return [Approver("p256", "anna"), Approver("ed25519", "bert"), Approver("rsa", "cora")]


@pytest.fixture(scope="session")
def bank():
    return Site()


class Room:
    def __init__(self, tmp_path, bank, url):
        self.folder, self.stick = tmp_path / "vault", tmp_path / "stick"
        self.stick.mkdir()
        run("offline", "init", self.folder, "--site", "the vault")
        self.spki = spki_of(load_pem_public_key((self.folder / "site.pub").read_bytes()))
        self.public = load_pem_public_key((self.folder / "site.pub").read_bytes())
        (self.stick / "bank.pub").write_bytes(bank.key.pem())
        self.bank, self.url = bank, url
        self.env = {"TSB_OFFLINE_ROOM": str(self.folder), "TSB_URL": url}
        self.n = 0

    def trust(self):
        self("offline", "trust", self.stick / "bank.pub", "--yes")
        return self

    def __call__(self, *args, **options):
        options.setdefault("env", self.env)
        return run(*args, **options)

    def write(self, text, ending=".tsbpkg"):
        self.n += 1
        path = self.stick / ("in-%d%s" % (self.n, ending))
        path.write_text(text)
        return path

    def package(self, *requests, to=None, **bent):
        return self.write(self.bank.package(to or self.spki, [r.item() for r in requests], **bent))

    def run(self, path, *more, code=0, env=None):
        """The results by id, when there are some."""
        out = self.stick / "out.tsbpkg"
        if out.exists():
            out.unlink()
        self.last = self("offline", "run", path, "--yes", "-o", out, *more, code=code,
                         env={**self.env, **(env or {})})
        return self.results(out.read_text()) if out.exists() else {}

    def results(self, text):
        content, signer, signature, signed = open_package(text)
        assert signer == hex_sha256(self.spki) == content["from"]["key"]
        assert verify(self.public, "EdDSA", signed, signature)
        assert content["type"] == "results" and content["from"]["name"] == "the vault"
        assert content["to"]["key"] == hex_sha256(self.bank.key.spki)
        return {r.get("id") or r["token"]: r for r in content["items"]}

    def journal(self):
        return sorted(p.name for p in (self.folder / "done").iterdir())


@pytest.fixture
def room(tmp_path, bank, broker):
    return Room(tmp_path, bank, broker.url).trust()


@pytest.fixture
def hsm(broker, crowd):
    return Hsm(broker, *crowd)


def raw_handler(broker, bodies):
    """Packages are no JSON: the body as it came."""
    handler = broker.server.RequestHandlerClass

    def put(self):
        bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        answer = broker.answers[PUT]
        status, answer = answer(bodies[-1]) if callable(answer) else answer
        answer = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    handler.do_PUT = put
