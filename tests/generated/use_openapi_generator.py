"""Creates a key, asks for a signature and polls, with the Python client of openapi-generator."""
import os
import time

import openapi_client as tsb


def client(token):
    return tsb.ApiClient(tsb.Configuration(host=os.environ["TSB_URL"], api_key={"apiKey": os.environ[token]}))


approver = tsb.Approver(type="public_key", name="anna", value=os.environ["APPROVER"])
group = tsb.PolicyGroup(name="officers", quorum=1, approvals=[approver])
rule = tsb.Rule(tokens=[tsb.PolicyToken(name="day", timelock=0, timeout=0, groups=[group])])
attributes = tsb.KeysApi(client("TSB_KEY_MANAGEMENT_TOKEN")).create_key(tsb.CreateKey(
    label=os.environ["KEY"], algorithm="EC", curve_oid="1.2.840.10045.3.1.7",
    attributes=tsb.KeyFlags(decrypt=False, sign=True, unwrap=False),
    policy=tsb.Policy(rule_use=rule, rule_modify=rule)))
assert attributes.var_json.policy.rule_use.tokens[0].groups[0].quorum == 1, attributes

application = tsb.RequestsApi(client("TSB_KEY_OPERATION_TOKEN"))
made = application.request_signature(tsb.SignEnvelope(sign_request=tsb.SignEnvelopeSignRequest(
    payload=os.environ["PAYLOAD"], sign_key_name=os.environ["KEY"],
    signature_algorithm="SHA256_WITH_ECDSA")))
print("request", made.sign_request_id, flush=True)
while (request := application.get_request(made.sign_request_id)).status in ("PENDING", "APPROVED"):
    time.sleep(0.1)
print(request.status.value, request.result)
