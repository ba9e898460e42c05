"""tsb-fcgi started by a web server that knows plain CGI only: one request, one process."""
import json

import pytest

from client import unique
from plain_cgi import Cgi

pytestmark = pytest.mark.nginx_only("a web server stands in for itself")


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
