"""Programs as a web server sees them: FastCGI straight to their sockets."""
import concurrent.futures

import pytest

import fcgi_call
from fcgi_call import call


@pytest.fixture(params=["fcgi", "hsm"])
def program(request, site):
    return site.dir / "run" / (request.param + ".sock")


@pytest.fixture
def keys(site, program):
    """API keys of both programs: of the service and of the key management role."""
    roles = ["SERVICE", "KEY_MANAGEMENT"] if program.name == "fcgi.sock" else ["HSM", "HSM"]
    return [site.vars["TSB_%s_TOKEN" % role] for role in roles]


@pytest.fixture
def service(keys):
    return keys[0]


def test_answers(program, service):
    answer = call(program, "GET", "/v1/versionInfo", apikey=service)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert len(answer.headers["X-Request-Id"]) == 16


@pytest.mark.parametrize("method,uri,key,status,number", [
    ("GET", "/v1/none", False, 404, 102), ("PUT", "/v1/versionInfo", False, 405, 102),
    ("GET", "/v1/versionInfo", False, 401, 631), ("GET", "/v1/%", True, 400, 600),
    ("GET", "/v1/" + "a" * 5000, True, 414, 600)])
def test_refuses(program, service, method, uri, key, status, number):
    answer = call(program, method, uri, b"x" * 100000, apikey=service if key else None)
    assert answer.status == status
    error = answer.json()
    assert set(error) == {"errorCode", "reason", "message"} and error["errorCode"] == number
    assert (answer.headers.get("Allow") == "GET, HEAD") == (status == 405)


def test_identity_is_not_taken_from_headers(program):
    answer = call(program, "GET", "/v1/versionInfo", HTTP_TSB_CLIENT_VERIFY="SUCCESS",
                  HTTP_REMOTE_USER="root", HTTP_AUTH_TYPE="Basic", REMOTE_USER="root")
    assert answer.status == 401


def test_body_that_ends_early_reaches_no_handler(program, keys):
    answer = call(program, "POST", "/v1/key/attributes", b'{"label":"x"}', apikey=keys[1],
                  CONTENT_LENGTH="5000")
    assert (answer.status, answer.json()["errorCode"]) == (400, 600)


def test_peers_that_go_away(program, service):
    whole = fcgi_call.request({"REQUEST_METHOD": "GET", "REQUEST_URI": "/v1/versionInfo",
                               "HTTP_X_API_KEY": service})
    for cut in range(0, len(whole), 7):
        with fcgi_call.connect(program) as s:
            s.sendall(whole[:cut])
    with fcgi_call.connect(program) as s:
        s.sendall(whole)
    assert call(program, "GET", "/v1/versionInfo", apikey=service).status == 200


def test_kept_connection_is_closed(program, service):
    with fcgi_call.connect(program) as s:
        s.sendall(fcgi_call.request({"REQUEST_METHOD": "GET", "REQUEST_URI": "/v1/versionInfo",
                                     "HTTP_X_API_KEY": service}, keep=True))
        assert fcgi_call.receive(s).status == 200


def test_many_at_once(program, service):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = pool.map(lambda _: call(program, "GET", "/v1/versionInfo", apikey=service).status,
                           range(300))
        assert set(answers) == {200}
