"""tsb-fcgi started by a web server that knows plain CGI only: one request, one process."""
import json
import subprocess

import pytest

from client import unique

pytestmark = pytest.mark.nginx_only("a web server stands in for itself")


class Cgi:
    """Runs the program as RFC 3875 says."""

    def __init__(self, site, api):
        self.site, self.api = site, api

    def __call__(self, method, path, body=None, role=None, query="", length=None, arguments=()):
        data = b"" if body is None else json.dumps(body).encode()
        env = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": method, "SCRIPT_NAME": "",
               "PATH_INFO": path, "REQUEST_URI": path + ("?" + query if query else ""),
               "QUERY_STRING": query, "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "localhost",
               "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1", "PATH": "/usr/bin:/bin",
               "HTTP_X_API_KEY": self.api.tokens.get(role or self.api.role_of(path), role or ""),
               "TSB_TEST_CLOCK": str(self.site.clock_file),
               "TSB_CONF": str(self.site.dir / "tsb.conf")}
        if body is not None or length is not None:
            env["CONTENT_LENGTH"] = str(len(data) if length is None else length)
            env["CONTENT_TYPE"] = "application/json"
        done = subprocess.run([str(self.site.build / "tsb-fcgi"), *arguments], input=data, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.get("Status", "200").split()[0])
        return status, headers, content


@pytest.fixture
def cgi(site, api):
    return Cgi(site, api)


@pytest.mark.parametrize("method,path,role", [
    ("GET", "/v1/versionInfo", "SV"), ("GET", "/v1/licenseInfo", "SV"), ("GET", "/v1/versionInfo", "KO"),
    ("GET", "/v1/nothing", "SV"), ("PUT", "/v1/versionInfo", "SV"), ("GET", "/v1//versionInfo/", "SV"),
    ("GET", "/v1/request/x", "KO"), ("GET", "/v1/generateRandom/0", "KO"), ("POST", "/v1/sign", "KO"),
    ("GET", "/v1/request/0190a5e0-0000-7000-8000-000000000000", "KO"), ("GET", "/v1/key", "KM")])
def test_same_answer_as_fastcgi(api, cgi, method, path, role):
    status, headers, content = cgi(method, path, role=role)
    response = api.send(method, path, role=role)
    assert (status, json.loads(content)) == (response.status_code, response.json())
    assert headers["Content-Type"] == response.headers["Content-Type"]
    assert headers.get("Allow") == response.headers.get("Allow")


@pytest.mark.parametrize("words", [
    ["-V"], ["-n"], ["-h"], ["--help-settings"], ["-c", "/etc/passwd"], ["x"]], ids=" ".join)
def test_query_words_are_taken_for_options(cgi, words):
    """CGI servers pass a query without "=" as arguments (RFC 3875 4.4): those are the client's."""
    status, _, content = cgi("GET", "/v1/versionInfo", role="SV", query="+".join(words),
                             arguments=words)
    assert status == 200 and "Version" in json.loads(content)


def test_workflow_across_both(api, cgi, people):
    from approver import quorum
    a, b = people.several(2)
    label = unique("cgi")
    api.create_key(label, quorum(2, a, b))
    status, _, content = cgi("POST", "/v1/sign", api.sign_body(label, b"by cgi"))
    assert status == 201
    rid = json.loads(content)["signRequestId"]
    api.approve(a, rid)
    status, _, content = cgi("POST", "/v1/filteredSignApprovalTask",
                             {**b.proof(api.now()), "requestId": rid})
    (task,) = json.loads(content)["tasks"]
    assert status == 200
    status, _, content = cgi("POST", "/v1/approval", api.approval_body(b, task))
    assert (status, content) == (200, b"")
    view = api.wait(rid, "EXECUTED")
    status, _, content = cgi("GET", "/v1/request/" + rid)
    assert (status, json.loads(content)) == (200, view)


def test_body_shorter_than_promised(api, cgi):
    status, _, content = cgi("POST", "/v1/sign", {"a": 1}, length=5000)
    assert status == 400 and json.loads(content)["errorCode"] == 600


def test_body_larger_than_allowed(api, cgi):
    status, _, content = cgi("POST", "/v1/sign", {"a": "x" * (5 << 20)})
    assert status == 413 and json.loads(content)["errorCode"] == 600
