"""Runs last: every error code that the endpoints can raise was met by some test."""
import pathlib

import pytest

from client import codes_met

WHERE = "which errors are met is looked at where every test runs"
pytestmark = [pytest.mark.online_only(WHERE), pytest.mark.nginx_only(WHERE),
              pytest.mark.plain_only(WHERE)]

RAISED = {
    102: "unknown path or method", 400: "approver of another task",
    402: "certificate out of its validity", 403: "signature does not verify",
    404: "timestamp off", 405: "timestamp signer not allowed", 407: "key does not decode",
    409: "certificate does not decode", 410: "wrong backup password", 411: "CSR without proof",
    412: "one-time code", 413: "unknown approver", 414: "pending approver",
    415: "caller not on the list",
    600: "input", 601: "approver key type", 603: "key size", 604: "name of a certificate",
    605: "cryptocurrency", 606: "attributes", 607: "algorithm", 608: "key exists", 609: "uuid",
    610: "key name", 611: "finished request", 612: "payload", 613: "key without policy", 614: "forbidden for the key",
    619: "range", 620: "password", 628: "CSR does not decode",
    630: "address of an ordinary key", 631: "API key",
    632: "approver exists", 633: "value of an onboarded approver", 650: "key unknown",
    651: "request unknown", 652: "task unknown", 654: "approver unknown", 701: "HSM refuses",
}


def test_every_code_was_met(request):
    ran = {item.fspath.basename for item in request.session.items}
    all_of_them = {path.name for path in pathlib.Path(__file__).parent.glob("test_*.py")}
    option = request.config.option
    if ran != all_of_them or option.keyword or option.markexpr:
        pytest.skip("only part of the tests ran")
    missing = {code: RAISED[code] for code in RAISED if code not in codes_met}
    assert not missing, missing
