"""docs/openapi.yaml as a judge: every answer that a test sees is one that the document promises."""
import json
import pathlib
import re
import urllib.parse

import jsonschema
import yaml

PATH = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "openapi.yaml"
VERBS = ("get", "post", "put", "patch", "delete")
SCHEMAS = "#/components/schemas/"


class Mismatch(AssertionError):
    pass


class Operation:
    def __init__(self, document, verb, path, content):
        self.document, self.verb, self.path, self.content = document, verb.upper(), path, content
        self.codes = set(content.get("x-error-codes", []))
        self.responses = {s: document.resolve(r) for s, r in content["responses"].items()}
        words = [re.escape(p) if not p.startswith("{") else "[^/]+" for p in path.split("/")]
        self.pattern = re.compile("/".join(words) + r"\Z")
        self.validators = {}

    def __repr__(self):
        return "%s %s" % (self.verb, self.path)

    @property
    def roles(self):
        return set(re.findall(r"\w+Token", self.content["x-role"]))

    def body(self):
        """Schema of the JSON body that is asked for, or None."""
        body = self.content.get("requestBody", {"content": {}})
        return body["content"].get("application/json", {}).get("schema")

    def response(self, status):
        """An exact status stands before a range."""
        return self.responses.get(str(status)) or self.responses.get("%dXX" % (status // 100))

    def schema(self, status):
        """Schema of the JSON answer, or None where the document promises another or no content."""
        content = self.response(status).get("content", {})
        return content.get("application/json", {}).get("schema")

    def check(self, status, media_type, data):
        """data: bytes of an answer."""
        response = self.response(status)
        if response is None:
            raise Mismatch("%r answers %d, which is not in its responses: %s" % (
                self, status, data[:300]))
        content = response.get("content")
        if not content:
            if data:
                raise Mismatch("%r answers %d with a body: %s" % (self, status, data[:300]))
            return
        if media_type not in content:
            raise Mismatch("%r answers %d with %s, not one of %s" % (
                self, status, media_type, sorted(content)))
        if media_type != "application/json" or "schema" not in content[media_type]:
            return
        value = json.loads(data)
        self.validate(status, value)
        if status >= 400 and value["errorCode"] not in self.codes:
            raise Mismatch("%r answers error %d (%s), which is not in its x-error-codes" % (
                self, value["errorCode"], value["message"]))

    def validate(self, status, value):
        if status not in self.validators:
            self.validators[status] = self.document.validator(self.schema(status))
        error = jsonschema.exceptions.best_match(self.validators[status].iter_errors(value))
        if error:
            raise Mismatch("%r answers %d with what its schema forbids, at %s: %s" % (
                self, status, "/".join(map(str, error.absolute_path)), error.message[:500]))


def strict(node):
    """The same schema as JSON Schema has it: nullable is OpenAPI's own word (3.0.3, Schema Object)."""
    if isinstance(node, list):
        return [strict(n) for n in node]
    if not isinstance(node, dict):
        return node
    made = {name: strict(value) for name, value in node.items() if name != "nullable"}
    if node.get("nullable") is not True:
        return made
    return {"anyOf": [made, {"type": "null"}]}


class Document:
    def __init__(self, path=PATH):
        self.content = yaml.load(path.read_text(),
                                 Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.schemas = strict(self.content["components"]["schemas"])
        self.operations = [Operation(self, verb, at, item[verb])
                           for at, item in self.content["paths"].items() for verb in VERBS
                           if verb in item]
        # a path without parameters stands before one with
        self.operations.sort(key=lambda o: o.path.count("{"))

    def resolve(self, node):
        while "$ref" in node:
            at = self.content
            for step in node["$ref"].lstrip("#/").split("/"):
                at = at[step]
            node = at
        return node

    def validator(self, schema):
        # references are local: the schema carries what they point to
        return jsonschema.Draft202012Validator(
            {"allOf": [strict(schema)], "components": {"schemas": self.schemas}},
            format_checker=jsonschema.FormatChecker(["uuid"]))

    def named(self, target):
        """Operations of a request target: slashes may be repeated and may follow."""
        path = re.sub("/+", "/", target.split("?")[0])
        path = path[:-1] if len(path) > 1 and path.endswith("/") else path
        decoded = "/".join(p if "%2f" in p.lower() else urllib.parse.unquote(p, errors="replace")
                           for p in path.split("/"))
        found = [o for o in self.operations if o.pattern.match(decoded)]
        return [o for o in found if o.path == found[0].path]

    def check(self, method, target, status, media_type, data):
        verb = "GET" if method == "HEAD" else method
        found = [o for o in self.named(target) if o.verb == verb]
        if method == "HEAD":
            data = b""
        if found and not (method == "HEAD" and found[0].response(status)):
            found[0].check(status, media_type, data)
        elif status < 400:
            raise Mismatch("%s %s answers %d and is not in the document" % (method, target, status))


document = Document()


def judge(method, target, response):
    """response as requests gives it."""
    media_type = response.headers.get("Content-Type", "").split(";")[0]
    document.check(method, target, response.status_code, media_type, response.content)
