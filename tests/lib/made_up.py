"""What a made-up broker shows to the command line: tasks, policies, key attributes."""

from cryptography.hazmat.primitives.serialization import load_der_public_key

import ska
from approver import b64, unb64
from tsb import run, run_on_terminal

FETCH = ("POST", "/v1/filteredAllApprovalTask")
APPROVAL = ("POST", "/v1/approval")
RULES = ("ruleUse", "ruleBlock", "ruleUnblock", "ruleModify")
NEVER = {"tokens": []}


class Person:
    """An approver whose key the program made."""

    def __init__(self, folder, name, spki):
        self.name = name
        self.key = folder / (name + ".key.pem")
        self.pub = folder / (name + ".pub.pem")
        self.spki = spki

    @property
    def public(self):
        return load_der_public_key(self.spki)


def new_approver(folder, name, kind="p256"):
    made = run("approver", "new", name, "--type", kind, "--out", folder, "--no-passphrase",
               "--json").json
    return Person(folder, name, unb64(made["publicKey"]))


def group(quorum, *people):
    return {"name": "g", "quorum": quorum, "approvals": [
        {"type": "public_key", "name": getattr(p, "name", None), "value": b64(p.spki)}
        for p in people]}


def rule(*people, quorum=1, timelock=0, timeout=0):
    return {"tokens": [{"name": None, "timelock": timelock, "timeout": timeout,
                        "groups": [group(quorum, *people)]}]}


def four(rule):
    """The same rule for everything."""
    return dict.fromkeys(RULES, rule)


def task_of(person, token, n=1, **members):
    raw = token.encode()
    out = {"id": "t%d" % n, "detailLevel": "level6", "approvalToBeSigned": b64(raw),
           "approverPublicKey": b64(person.spki), "metaData": None, "metaDataSignature": None,
           "payload": b64(token.payload) if token.payload is not None else None,
           "payloadType": None, "requestBase64": None, "keyAttributes": None,
           "keyAttributesSignature": None, "requestStatus": None}
    if token.operation == ska.USE:
        out["signedSignRequest"] = {"signRequest": {
            "payload": out["payload"], "signKeyName": token.label,
            "signatureAlgorithm": "SHA256_WITH_ECDSA"}, "requestSignature": None}
    out.update(members)
    return out


GOOD = ska.Token(ska.USE, "invoices", b"pay 10 to bert")


def asked(person, kind, token, **inner):
    """A task of another kind: the member of level 3, its envelope and what is inside."""
    member, envelope, key_member = {
        "decrypt": ("signedDecryptRequest", "decryptRequest", "decryptKeyName"),
        "unwrap": ("signedUnwrapKeyRequest", "unwrapKeyRequest", "unwrapKeyName"),
        "block": ("signedBlockKeyRequest", "blockRequest", "blockKeyName"),
        "unblock": ("signedUnblockKeyRequest", "unblockRequest", "unblockKeyName"),
        "modify": ("signedModifyKeyRequest", "modifyRequest", "modifyKeyName"),
        "csr": ("signedCertificateRequestRequest", "csrSignRequest", "signKeyName"),
        "certificate": ("signedSignCertificateRequest", "signCertificateRequest", "signKeyName"),
        "selfsign": ("signedSelfSignCertificateRequestDto", "selfSignCertificateRequest",
                     "signKeyName")}[kind]
    out = task_of(person, token, signedSignRequest=None)
    out[member] = {envelope: {key_member: token.label, **inner}, "requestSignature": None}
    return out


class Desk:
    """One approver in front of a broker that shows these tasks."""

    def __init__(self, broker, person):
        self.broker, self.person = broker, person
        broker.answers[APPROVAL] = 200, b""

    def shows(self, *tasks):
        def page(body):
            size = body["paging"]["pageSize"]
            first = body["paging"]["pageNumber"] * size
            fit = [t for t in tasks if body.get("id") in (None, t["id"])]
            return 200, {"tasks": fit[first:first + size]}
        self.broker.answers[FETCH] = page
        return self

    @property
    def options(self):
        return ["-k", self.person.key, "-u", self.broker.url]

    def __call__(self, *args, **options):
        return run(*args, *self.options, **options)

    def at_terminal(self, *args, answers):
        return run_on_terminal(*args, *self.options, answers=answers)

    @property
    def approved(self):
        return [body["id"] for body in self.broker.sent(*APPROVAL)]


# ---- key attributes ----

def tag(name, /, *inside, **attributes):
    head = "".join(' %s="%s"' % pair for pair in attributes.items())
    return "<%s%s>%s</%s>" % (name, head, "".join(inside), name)


def approval_xml(shown):
    name = {"name": shown["name"]} if shown["name"] else {}
    return tag("approval", shown["value"], type=shown["type"], **name)


def group_xml(shown):
    return tag("group", tag("quorum", str(shown["quorum"])),
               *map(approval_xml, shown["approvals"]), name=shown["name"])


def token_xml(shown):
    return tag("token", tag("timelock", str(shown["timelock"])),
               tag("timeout", str(shown["timeout"])), *map(group_xml, shown["groups"] or []))


def rule_xml(name, shown):
    always = {"tokens": [{"timelock": 0, "timeout": 0, "groups": None}]}
    return tag(name, *map(token_xml, (always if shown is None else shown)["tokens"]))


def attributes_xml(label, policy, spki, blocked=False, attested="2025-01-15T09:30:01Z"):
    flags = ("decrypt", "sign", "unwrap", "derive", "sensitive", "always_sensitive", "extractable",
             "never_extractable", "modifiable", "copyable", "destroyable", "unique")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tag(
        "private_key", tag("label", label), tag("create_time", "2025-01-15T09:30:00Z"),
        tag("attest_time", attested), tag("key_use_count", "0"),
        tag("algorithm", "EC"), tag("algorithm_oid", "1.2.840.10045.2.1"),
        tag("curve_oid", "1.2.840.10045.3.1.7"), tag("public_key", b64(spki)),
        tag("attributes", *(tag(f, "true" if f == "sign" else "false") for f in flags)),
        tag("policy", tag("key_status", tag("blocked", "true" if blocked else "false")),
            *(rule_xml("rule_" + name[4:].lower(), policy.get(name)) for name in RULES)),
        creation="generated") + "\n\n"


def attested(who, xml):
    """The members of level 5, signed by the attestation key of who."""
    return {"keyAttributes": xml, "keyAttributesSignature": b64(who.sign(xml.encode()))}
