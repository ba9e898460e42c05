"""docs/openapi.yaml against the route table, the catalogue of errors and the running broker. That
real answers are as it says is checked in tests/lib/client.py, for every answer of every test."""
import collections
import json
import re

import jsonschema
import pytest

import openapi
import routes
from client import http_of
from private_site import ROOT

TOKENS = {"ROLE_KEY_MANAGEMENT": "keyManagementToken", "ROLE_KEY_OPERATION": "keyOperationToken",
          "ROLE_APPROVER": "approverToken", "ROLE_SERVICE": "serviceToken",
          "ROLE_APPROVER_MANAGEMENT": "approverKeyManagementToken"}
VARIABLES = {"keyManagementToken": "KEY_MANAGEMENT", "keyOperationToken": "KEY_OPERATION",
             "approverToken": "APPROVER", "serviceToken": "SERVICE",
             "approverKeyManagementToken": "APPROVER_KEY_MANAGEMENT"}
EVERYWHERE = {1, 2, 631}  # what any call may meet

document = openapi.document
by_operation = pytest.mark.parametrize("operation", document.operations, ids=repr)


def errors():
    """Number -> reason, from the catalogue."""
    text = (ROOT / "lib/base/err_table.h").read_text()
    return {int(n): r for n, r in re.findall(r'TSB_ERR\(\w+, (\d+), "([^"]+)"\)', text)}


def route_table():
    """(verb, path) -> set of roles, from the program's source."""
    return {route: {TOKENS[r] for r in roles if r in TOKENS}
            for route, roles in routes.in_source().items()}


def references(node):
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def schemas():
    return document.content["components"]["schemas"]


def examples_of(holder):
    """Examples of a media type: its own, or those of the schema that it names."""
    if "example" in holder:
        return [holder["example"]]
    if "examples" in holder:
        return [document.resolve(e)["value"] for e in holder["examples"].values()]
    schema = document.resolve(holder["schema"])
    return [schema["example"]] if "example" in schema else []


# ---- the document itself ----

def test_every_route_is_described_and_no_other():
    assert {(o.verb, o.path) for o in document.operations} == set(route_table())


def test_references_lead_somewhere_and_nothing_is_left_over():
    used = set(references(document.content))
    for ref in used:
        assert document.resolve({"$ref": ref})
    for kind, things in document.content["components"].items():
        if kind != "securitySchemes":
            assert {"#/components/%s/%s" % (kind, name) for name in things} <= used


def test_operation_ids_are_unique():
    count = collections.Counter(o.content["operationId"] for o in document.operations)
    assert set(count.values()) == {1}


@pytest.mark.parametrize("name", sorted(schemas()))
def test_schemas(name):
    """Each can be read as JSON Schema, and its own example follows it."""
    jsonschema.Draft202012Validator.check_schema(document.schemas[name])
    if "example" in schemas()[name]:
        document.validator({"$ref": openapi.SCHEMAS + name}).validate(schemas()[name]["example"])


@by_operation
def test_roles_are_those_of_the_program(operation):
    assert operation.roles == route_table()[operation.verb, operation.path]


@by_operation
def test_statuses_and_error_numbers_belong_together(operation):
    catalogue = errors()
    assert operation.content["x-error-codes"] == sorted(operation.codes)
    assert operation.codes <= set(catalogue) and EVERYWHERE <= operation.codes
    promised = {int(s) for s in operation.responses if s.isdigit() and int(s) >= 400}
    for code in operation.codes:
        assert http_of(code) & promised, "error %d has no response" % code
    raised = set().union(*(http_of(code) for code in operation.codes))
    assert promised <= raised, "no error number for a response"
    if operation.body() is not None:
        assert 600 in operation.codes and "413" in operation.responses
    assert "5XX" in operation.responses    # a web server that does not reach the broker
    (good,) = [s for s in operation.responses if s.startswith("2")]
    assert good in ("200", "201")


@by_operation
def test_parameters(operation):
    named = {p["name"]: p for p in operation.content.get("parameters", []) if p["in"] == "path"}
    assert set(named) == set(re.findall(r"\{(\w+)\}", operation.path))
    for parameter in operation.content.get("parameters", []):
        assert bool(parameter.get("required")) == (parameter["in"] == "path")
        jsonschema.Draft202012Validator(parameter["schema"]).validate(parameter["example"])


@by_operation
def test_examples_follow_their_schemas(operation):
    contents = dict(operation.content.get("requestBody", {}).get("content", {}))
    for status, response in operation.responses.items():
        for kind, holder in response.get("content", {}).items():
            contents["%s %s" % (status, kind)] = holder
    for what, holder in contents.items():
        if "json" not in what:
            continue
        examples = examples_of(holder)
        assert examples, "%s has no example" % what
        for example in examples:
            document.validator(holder["schema"]).validate(example)
            if "errorCode" in example:
                assert errors()[example["errorCode"]] == example["reason"]


# ---- the document and the broker ----

def path_of(operation):
    path = operation.path
    for parameter in operation.content.get("parameters", []):
        path = path.replace("{%s}" % parameter["name"], str(parameter["example"]))
    return path


def body_of(operation):
    content = operation.content.get("requestBody", {}).get("content", {})
    return examples_of(content["application/json"])[0] if "application/json" in content else None


def form_of(operation):
    """The example of a body with files, as it is sent."""
    content = operation.content.get("requestBody", {}).get("content", {})
    if "multipart/form-data" not in content:
        return {}
    body = b""
    for name, value in examples_of(content["multipart/form-data"])[0].items():
        text = value if isinstance(value, str) else json.dumps(value)
        body += ('--part\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
            name, text)).encode()
    return {"raw": body + b"--part--\r\n",
            "headers": {"Content-Type": "multipart/form-data; boundary=part"}}


@by_operation
def test_only_the_roles_of_the_document_are_let_in(api, site, operation):
    for role, variable in VARIABLES.items():
        if role not in operation.roles:
            api.refused(631, operation.verb, path_of(operation), body_of(operation),
                        role=site.vars["TSB_%s_TOKEN" % variable])


def test_examples_are_understood(api, site):
    """Sent as they stand: what the broker says of them is about keys, tasks and times, never about
    their form. Creating the key of the examples comes first, deleting it last."""
    def order(operation):
        creates = operation.content["operationId"] == "createKey"
        return 0 if creates else 2 if "delete" in operation.content["operationId"] else 1
    for operation in sorted(document.operations, key=order):
        token = site.vars["TSB_%s_TOKEN" % VARIABLES[sorted(operation.roles)[0]]]
        response = api.send(operation.verb, path_of(operation), body_of(operation), role=token,
                            **form_of(operation))
        if response.status_code >= 400:
            assert response.json()["errorCode"] not in (102, 600, 631), (operation, response.text)
    api.refused(650, "POST", "/v1/key/attributes", {"label": "invoices"})
