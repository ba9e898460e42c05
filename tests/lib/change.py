"""Policies that anybody may change, and ways to change them at once."""
import requests

from approver import group, policy, rule, token

FREE = rule(token())


def guarded(n, *approvers, modify=FREE, **times):
    return policy(rule(token(group(n, *approvers), **times)), modify=modify)


def without_status(new):
    return {name: value for name, value in new.items() if name != "keyStatus"}


def modify_at_once(api, label, new):
    api.post("/v1/synchronousModify", {"modifyRequest": {
        "modifyKeyName": label, "policy": without_status(new), "signedApprovals": []}})


def modify_past_the_broker(api, label, new):
    values = api.site.vars
    answer = requests.post(values["TSB_HSM_URL"] + "/v1/synchronousModify", json={"modifyRequest": {
        "modifyKeyName": label, "policy": without_status(new), "signedApprovals": []}},
        headers={"X-API-KEY": values["TSB_HSM_TOKEN"]}, timeout=30)
    assert answer.status_code == 200, answer.text
