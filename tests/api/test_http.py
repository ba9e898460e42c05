"""What holds for every route: roles, methods, bodies, and the shape of refusals."""
import http.client
import json
import urllib.parse

import pytest

import routes
from client import error_body

ALL_ROLES = ("KM", "KO", "AP", "SV")
by_route = pytest.mark.parametrize("route", routes.ROUTES, ids=repr)
by_body = pytest.mark.parametrize("route", routes.WITH_BODY, ids=repr)


def body_of(route):
    return route.body.sample if route.body else None


@by_route
def test_wrong_role_is_401_631(api, route):
    for role in set(ALL_ROLES) - route.roles:
        api.refused(631, route.method, route.sample_path, body_of(route), role=role)


@by_route
def test_missing_and_wrong_api_key_is_401_631(api, route):
    for key in ("", "nonsense", "x" * 500, "Bearer x"):
        api.refused(631, route.method, route.sample_path, body_of(route), role=key)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0)], ids=["right, wrong", "wrong, right", "twice"])
def test_of_two_api_keys_none_counts(api, order):
    """Some web servers pass both on, others join them; http.client sends both lines."""
    url = urllib.parse.urlsplit(api.url)
    keys = (api.tokens["SV"], "nonsense")
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    connection.putrequest("GET", "/v1/versionInfo")
    for which in order:
        connection.putheader("X-API-KEY", keys[which])
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 401 and json.loads(answer.read())["errorCode"] == 631
    connection.close()


@by_route
def test_api_key_elsewhere_does_not_count(api, site, route):
    key = api.tokens[sorted(route.roles)[0]]
    for headers in ({"Authorization": "Basic " + key}, {"X-Api-Keys": key},
                    {"X_API_KEY_": key}, {"Cookie": "X-API-KEY=" + key}):
        api.refused(631, route.method, route.sample_path, body_of(route), role="", headers=headers)
    api.refused(631, route.method, route.sample_path + "?X-API-KEY=" + key, body_of(route), role="")


@pytest.mark.parametrize("header", ["REMOTE_USER", "Remote-User", "X-Remote-User", "SSL-Client-Verify",
                                    "X-SSL-Client-Cert", "X-Forwarded-User"])
def test_headers_cannot_claim_a_role(api, header):
    for value in ("admin", "SUCCESS", "KM"):
        api.refused(631, "GET", "/v1/key", role="", headers={header: value})


@by_route
def test_bearer_token_is_an_api_key(api, route):
    role = sorted(route.roles)[0]
    right = {"Authorization": "bearer " + api.tokens[role]}
    body = body_of(route)
    assert api.send(route.method, route.sample_path, body, role="", headers=right).status_code != 401
    api.refused(631, route.method, route.sample_path, body, role="",
                headers={"Authorization": "Bearer x" + api.tokens[role]})
    api.refused(631, route.method, route.sample_path, body, role="wrong", headers=right)


def fits_anything(route):
    """A parameter beside names: it tells nothing about the methods of a path."""
    folder, last = route.path.rsplit("/", 1)
    return last.startswith("{") and any(
        r.path.rsplit("/", 1)[0] == folder and not r.path.rsplit("/", 1)[1].startswith("{")
        for r in routes.ROUTES)


@pytest.mark.parametrize("path", sorted({r.path for r in routes.ROUTES}))
def test_wrong_method_is_405_with_allow(api, path):
    known = [r for r in routes.ROUTES if r.path == path]
    sample = known[0].sample_path
    offered = {r.method for r in routes.ROUTES if matches(r.path, sample) and not fits_anything(r)}
    taken = {r.method for r in routes.ROUTES if matches(r.path, sample)}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - taken:
        if not offered:
            response = api.send(method, sample, role="")
            assert response.status_code == 404 and error_body(response)["errorCode"] == 102
            continue
        response = api.send(method, sample, role="")
        assert error_body(response)["errorCode"] == 102
        assert response.status_code == 405, method
        allow = {m.strip() for m in response.headers["Allow"].split(",")}
        assert offered <= allow and method not in allow, (method, allow)


def test_every_route_of_the_program_is_tested():
    assert set(routes.in_source()) == {(r.method, r.path) for r in routes.ROUTES}


def matches(pattern, path):
    a, b = pattern.split("/"), path.split("/")
    return len(a) == len(b) and all(x == y or x.startswith("{") for x, y in zip(a, b))


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/sign/more", "/v1/keys", "/v1/request",
                                  "/v1/systemTime", "/v1/requests", "/v1/keystores", "/v1/Sign",
                                  "/v1/filteredNothingApprovalTask", "/v1/approval/1", "/v2/sign",
                                  "/v1/sign.json", "/v1/%73ign/x", "/v1/health",
                                  "/v1/key/import/nothing"])
def test_unknown_path_is_404_102(api, path):
    for method in ("GET", "POST", "DELETE"):
        response = api.send(method, path, {} if method == "POST" else None, role="KO")
        assert error_body(response)["errorCode"] == 102
        assert response.status_code == 404


@pytest.mark.parametrize("path", ["/v1//versionInfo", "//v1/versionInfo", "/v1/versionInfo/",
                                  "//v1///versionInfo//", "/v1/versionInfo?x=1", "/v1/version%49nfo"])
def test_spellings_of_a_path(api, path):
    assert api.get(path, role="SV") == api.get("/v1/versionInfo")


def test_collapsed_slashes_do_not_lose_the_role(api):
    api.refused(631, "POST", "/v1//sign/", {}, role="AP")
    api.refused(600, "POST", "/v1//sign/", {}, role="KO")


def test_dots_in_a_path_reach_nothing(api):
    for path in ("/v1/../v1/key", "/v1/./key", "/v1/x/../key", "/v1/%2e%2e/key", "/v1/request/..",
                 "/v1/key/..%2f..%2fkey"):
        response = api.send("GET", path, role="")
        assert response.status_code in (400, 401, 404, 405), (path, response.text)


@by_body
def test_no_body(api, route):
    api.refused(600, route.method, route.sample_path, role=sorted(route.roles)[0])


@by_body
def test_body_that_is_no_json_object(api, route):
    good = json.dumps(route.body.sample).encode()
    depth = b'{"a":' * 2000 + b"1" + b"}" * 2000
    for raw in (b" ", b"null", b"[]", b"1", b'"x"', b"{", good[:-1], good + b"x", good + good, b"\xff",
                good.replace(b'"', b"'"), b'{"a\x00":1}', b'{"\xff":1}', depth,
                b"[" * 100000, b'{"a":01}', b'{"a":NaN}', b"{,}", b"{} // c", b'{"a":"\\ud800"}'):
        api.refused(600, route.method, route.sample_path, raw=raw, role=sorted(route.roles)[0])


@by_body
def test_member_twice(api, route):
    good = json.dumps(route.body.sample)
    name = next(iter(route.body.sample))
    twice = "{%s:%s,%s" % (json.dumps(name), json.dumps(route.body.sample[name]), good[1:])
    api.refused(600, route.method, route.sample_path, raw=twice.encode(), says=name,
                role=sorted(route.roles)[0])


@by_body
def test_each_member_missing_wrong_or_unknown(api, route):
    role = sorted(route.roles)[0]
    for what, body, word in routes.broken(route):
        response = api.send(route.method, route.sample_path, body, role=role)
        assert response.status_code == 400, (what, response.text)
        error = error_body(response)
        assert error["errorCode"] == 600, (what, error)
        assert word.lower() in error["message"].lower(), (what, error)


@by_body
def test_oversized_body_is_413_600(api, route):
    raw = b'{"x":"' + b"a" * (5 << 20) + b'"}'
    response = api.send(route.method, route.sample_path, raw=raw, role=sorted(route.roles)[0])
    assert response.status_code == 413
    assert error_body(response)["errorCode"] == 600


def test_oversized_body_without_length(api):
    def chunks():
        yield b'{"x":"'
        for _ in range(80):
            yield b"a" * 65536
        yield b'"}'
    response = api.send("POST", "/v1/sign", raw=chunks())
    assert response.status_code == 413
    assert error_body(response)["errorCode"] == 600


def test_chunked_body(api):
    def chunks():
        for c in json.dumps({"label": "absent-key"}):
            yield c.encode()
    api.refused(650, "POST", "/v1/key/attributes", raw=chunks())


def test_body_of_a_get_is_ignored(api):
    expected = api.get("/v1/versionInfo")
    assert api.call("GET", "/v1/versionInfo", raw=b"") == expected
    assert api.call("GET", "/v1/versionInfo", raw=b"not json") == expected


def test_trailing_comma_is_tolerated(api):
    api.refused(650, "POST", "/v1/key/attributes", raw=b'{"label":"absent-key",}')
    api.refused(650, "POST", "/v1/key/attributes", raw=b'{"label":"absent-key","password":["a",],}')
    api.refused(600, "POST", "/v1/key/attributes", raw=b'{"label":"absent-key",,}')


def test_media_type_is_not_demanded(api):
    raw = b'{"label":"absent-key"}'
    for kind in ("application/json; charset=utf-8", "text/plain", ""):
        api.refused(650, "POST", "/v1/key/attributes", raw=raw, headers={"Content-Type": kind})


def test_messages_do_not_carry_control_characters(api):
    error = api.refused(650, "POST", "/v1/key/attributes", {"label": "x<b>\u00e9 y"})
    assert error["message"].isprintable()
    error = api.refused(610, "POST", "/v1/key/attributes", {"label": "x\r\ny\u0007"})
    assert error["message"].isprintable()


def test_a_message_shows_no_secret(api, people):
    error = api.refused(600, "POST", "/v1/key/attributes", {"label": "x", "password": ["hunter2"]})
    assert "hunter2" not in json.dumps(error)
