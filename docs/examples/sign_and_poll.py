"""Asks for a signature and waits for it: sign_and_poll.py KEY FILE"""
import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request


def call(path, body=None):
    request = urllib.request.Request(os.environ["TSB_URL"].rstrip("/") + path, headers={
        "X-API-KEY": os.environ["TSB_KEY_OPERATION_TOKEN"], "Content-Type": "application/json"},
        data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        sys.exit("%s: %s" % (error.code, json.load(error)["message"]))


if len(sys.argv) != 3:
    sys.exit("usage: sign_and_poll.py KEY FILE")
with open(sys.argv[2], "rb") as file:
    payload = base64.b64encode(file.read()).decode()
made = call("/v1/sign", {"signRequest": {
    "payload": payload, "signKeyName": sys.argv[1], "signatureAlgorithm": "SHA256_WITH_ECDSA"}})
print("request", made["signRequestId"], file=sys.stderr, flush=True)
while True:
    request = call("/v1/request/" + made["signRequestId"])
    if request["status"] == "EXECUTED":
        print(request["result"])
        break
    if request["status"] not in ("PENDING", "APPROVED"):
        sys.exit("%s: %s" % (request["status"], request["result"]))
    time.sleep(1)
