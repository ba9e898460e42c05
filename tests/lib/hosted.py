"""A vendor's REST service as a broker meets it: the published calls and nothing else, behind a gateway
that takes a Bearer token, with answers of a newer version than ours."""
import json
import re

from front import Front

TOKEN = "hosted-service-token"
# Whom the calls that the broker makes belong to (role of the service behind the gateway).
OFFERED = [
    ("KM", "POST", r"/v1/key"), ("KM", "GET", r"/v1/key"), ("KM", "POST", r"/v1/key/attributes"),
    ("KM", "POST", r"/v1/key/deleteKey"), ("KM", "POST", r"/v1/synchronousModify"),
    ("KO", "POST", r"/v1/synchronous(Sign|Decrypt|Unwrap|Block|Unblock)"),
    ("KO", "POST", r"/v1/(encrypt|wrap|verify)"), ("KO", "GET", r"/v1/generateRandom/\d+"),
    ("KM", "POST", r"/v1/certificate/import/plain"), ("KM", "GET", r"/v1/certificate/[^/]+"),
    ("SV", "GET", r"/v1/keystore/statistics"),
]
# What an attestation of a newer version has that ours does not know.
ELEMENTS = """<rollover>false</rollover>
  <attributes>
    <quantum_safe level="5">true</quantum_safe>"""


def answer(status, body):
    return status, "application/json", json.dumps(body).encode()


class Hosted(Front):
    """In front of the broker `vendor`. refusals: what the next call of a path is answered instead."""

    def __init__(self, vendor, tokens):
        super().__init__()
        self.target, self.tokens = vendor.url.split("//")[1], tokens
        self.unknown, self.refusals = [], {}
        self.more = False     # members that are in no document of ours: callers see them, too
        self.rule = self.gateway

    def gateway(self, call):
        headers = {name.lower(): value for name, value in call.headers.items()}
        if headers.get("authorization") != "Bearer " + TOKEN or "x-api-key" in headers:
            return answer(401, {"errorCode": 631, "reason": "res.error.invalid.api.key",
                                "message": "API key is missing or invalid."})
        if call.path in self.refusals:
            return self.refusals.pop(call.path)
        for role, method, path in OFFERED:
            if method == call.method and re.fullmatch(path, call.path):
                call.headers = {"X-API-KEY": self.tokens[role], "Content-Type": "application/json"}
                return self.newer(call.path, call.forward(self.target))
        self.unknown.append((call.method, call.path))
        return answer(404, {"timestamp": "2026-01-31T12:00:00.000+00:00", "status": 404,
                            "error": "Not Found", "path": call.path})

    def newer(self, path, said):
        """Members and elements of a version that we do not know."""
        status, kind, body = said
        if status not in (200, 201) or not (kind or "").startswith("application/json") or not body:
            return said
        members = json.loads(body)
        if not isinstance(members, dict):
            return said
        if self.more:
            members["apiGeneration"] = {"name": "newer", "since": [3, None]}
        if "xml" in members:
            members["xml"] = members["xml"].replace("<attributes>", ELEMENTS)
        return status, kind, json.dumps(members).encode()
