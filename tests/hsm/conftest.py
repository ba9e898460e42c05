"""A tsb-hsm of its own per module: started from the build TSB_BUILD, reached by FastCGI."""
import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import fcgi
from approver import Approver

TOKENS = {"KM": "key-management-" + "k" * 20, "KO": "key-operation-" + "o" * 20,
          "SV": "service-" + "s" * 20}

SETTINGS = """
[server]
listen = unix:%(dir)s/hsm.sock
workers = 3
%(server)s
[keyStore]
directory = %(dir)s/store
%(master)s
create = true
[log]
file = %(dir)s/log
[apiAuthentication]
keyManagementToken = %(KM)s
keyOperationToken = %(KO)s
serviceToken = %(SV)s
"""


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__("%d %s" % (status, body))
        self.status, self.code, self.message = status, body["errorCode"], body["message"]


class Hsm:
    def __init__(self, master=None, server="", env=None, owner=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tsb-hsm-test."))
        if owner:
            shutil.chown(self.dir, owner)
        self.binary = pathlib.Path(os.environ.get("TSB_BUILD", "build")) / "tsb-hsm"
        self.settings = self.dir / "tsb-hsm.conf"
        self.env = dict(os.environ, **(env or {}))
        self.settings.write_text(SETTINGS % dict(
            TOKENS, dir=self.dir, server=server,
            master=master or "masterKeyFile = %s/master" % self.dir))
        self.settings.chmod(0o600)
        self.process = None
        try:
            self.start()
        except Exception:
            shutil.rmtree(self.dir)
            raise

    @property
    def store(self):
        return self.dir / "store"

    def start(self):
        self.process = subprocess.Popen([str(self.binary), "-c", str(self.settings)], env=self.env,
                                        stderr=subprocess.PIPE, start_new_session=True)
        deadline = time.time() + 30
        while time.time() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(self.process.stderr.read().decode())
            try:
                fcgi.call(self.dir / "hsm.sock", "GET", "/v1/versionInfo")
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("tsb-hsm does not answer")

    def stop(self, kill=False):
        if kill:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.terminate()
        self.process.wait(30)
        complaints = self.process.stderr.read().decode()
        self.process.stderr.close()
        assert "Sanitizer" not in complaints, complaints
        assert kill or self.process.returncode == 0, complaints

    def close(self):
        try:
            if self.process.poll() is None:
                self.stop()
        finally:
            shutil.rmtree(self.dir)

    def raw(self, method, path, body=None, role="KM", token=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
        headers = {"X-API-KEY": token or TOKENS[role]} if role else {}
        return fcgi.call(self.dir / "hsm.sock", method, path, headers, data)

    def call(self, method, path, body=None, role="KM"):
        status, content = self.raw(method, path, body, role)
        answer = json.loads(content) if content else None
        if status >= 400:
            raise Refused(status, answer)
        return answer

    def create(self, label, algorithm="EC", policy=None, password=None, attributes=None, **members):
        body = {"label": label, "algorithm": algorithm, "policy": policy, "password": password,
                "attributes": dict({"decrypt": False, "sign": True, "unwrap": False,
                                    "destroyable": True}, **(attributes or {}))}
        if algorithm == "EC":
            body["curveOid"] = "1.2.840.10045.3.1.7"
        body.update(members)
        return self.call("POST", "/v1/key", body)

    def sign(self, label, payload, algorithm, approvals=(), **members):
        body = {"signRequest": dict({
            "signKeyName": label, "payload": base64.b64encode(payload).decode(),
            "signatureAlgorithm": algorithm, "signedApprovals": list(approvals)}, **members)}
        answer = self.call("POST", "/v1/synchronousSign", body, "KO")
        return base64.b64decode(answer["signature"])

    def verify(self, label, payload, algorithm, signature):
        body = {"verifySignatureRequest": {
            "signKeyName": label, "payload": base64.b64encode(payload).decode(),
            "signatureAlgorithm": algorithm, "signature": base64.b64encode(signature).decode()}}
        return self.call("POST", "/v1/verify", body, "KO")["signatureValid"]

    def stamp(self, label, payload, operation="USE", **members):
        body = dict({"keyName": label, "operation": operation}, **members)
        if payload is not None:
            body["payload"] = base64.b64encode(payload).decode()
        return self.call("POST", "/v1/timestamp", {"timestampRequest": body}, "KO")

    def attributes(self, label, password=None):
        return self.call("POST", "/v1/key/attributes", {"label": label, "password": password})


@pytest.fixture(scope="module")
def hsm():
    h = Hsm()
    yield h
    h.close()


@pytest.fixture
def refused():
    class Check:
        def __init__(self, code, says=""):
            self.code, self.says = code, says

        def __enter__(self):
            return self

        def __exit__(self, kind, error, _):
            assert kind is Refused, "expected %d, got %r" % (self.code, error)
            assert error.code == self.code, str(error)
            assert self.says in error.message, str(error)
            return True
    return Check


@pytest.fixture(scope="session")
def approver():
    made = {}

    def make(kind="p256", n=0, certificate=False):
        key = (kind, n, certificate)
        if key not in made:
            made[key] = Approver(kind, "%s-%d" % (kind, n), certificate=certificate)
        return made[key]
    return make
