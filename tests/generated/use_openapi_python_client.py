"""Creates a key, asks for a signature and polls, with the client of openapi-python-client."""
import os
import time

from open_transaction_security_broker_client import AuthenticatedClient
from open_transaction_security_broker_client.api.keys import create_key
from open_transaction_security_broker_client.api.requests import get_request, request_signature
from open_transaction_security_broker_client.models import (
    Approver, ApproverType, CreateKey, Error, KeyFlags, Policy, PolicyGroup, PolicyToken, Rule, SignEnvelope,
    SignEnvelopeSignRequest)


def client(token):
    return AuthenticatedClient(os.environ["TSB_URL"], token=os.environ[token], prefix="",
                               auth_header_name="X-API-KEY", raise_on_unexpected_status=True)


approver = Approver(type_=ApproverType.PUBLIC_KEY, name="anna", value=os.environ["APPROVER"])
group = PolicyGroup(name="officers", quorum=1, approvals=[approver])
rule = Rule(tokens=[PolicyToken(name="day", timelock=0, timeout=0, groups=[group])])
attributes = create_key.sync(
    client=client("TSB_KEY_MANAGEMENT_TOKEN"),
    body=CreateKey(label=os.environ["KEY"], algorithm="EC", curve_oid="1.2.840.10045.3.1.7",
                   attributes=KeyFlags(decrypt=False, sign=True, unwrap=False),
                   policy=Policy(rule_use=rule, rule_modify=rule)))
assert not isinstance(attributes, Error), attributes
assert attributes.json.policy.rule_use.tokens[0].groups[0].quorum == 1

application = client("TSB_KEY_OPERATION_TOKEN")
made = request_signature.sync(client=application, body=SignEnvelope(SignEnvelopeSignRequest(
    payload=os.environ["PAYLOAD"], sign_key_name=os.environ["KEY"],
    signature_algorithm="SHA256_WITH_ECDSA")))
print("request", made.sign_request_id, flush=True)
while (request := get_request.sync(made.sign_request_id, client=application)).status in ("PENDING", "APPROVED"):
    time.sleep(0.1)
print(request.status, request.result)
