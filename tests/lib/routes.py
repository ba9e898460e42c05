"""The routes as a client knows them: role and shape of the body, and bodies that break the shape."""
import copy
import pathlib
import re

B64 = "cGF5bG9hZA=="
SPKI = ("MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAExj9TiTebXvwks88DGbBq0MPcGwpZ8yxKZOfEyDMHE3KXTQXadp6z2fVF"
        "NFcDHszl9fU9ilLqtcNxx3lGJE1eqA==")
UUID = "0190a5e0-0000-7000-8000-000000000000"
DIGESTS = "SHA-224 SHA-256 SHA-384 SHA-512 SHA3-224 SHA3-256 SHA3-384 SHA3-512".split()

# Values that no member of the type takes.
WRONG = {
    "str": [1, True, [], {}, ["x"]],
    "b64": [1, False, [], {}, "no base64!", "YQ", "YQ=", "YR==", "Y Q=="],
    "int": ["1", True, [], {}, 1.5],
    "size": ["1", True, [], {}, 1.5],
    "usage": ["NOT_A_VALUE", "DIGITAL_SIGNATURE,x", 1, True, [], {}],
    "key": [1, False, [], {}],
    "csr": [1, False, [], {}],
    "pem": [1, False, [], {}],
    "remark": [1, True, [], {}, "", "a\nb", "\x9b", "x" * 501],
    "bool": [0, 1, "true", [], {}],
    "enum": ["", "NOT_A_VALUE", 1, True, [], {}],
    "pw": [1, True, {}, ["ab"], [1], [None]],
    "list": [1, "x", {}, True],
    "object": [1, "x", [], True],
}


class F:
    """A member: its type, a good value, whether it must be there."""

    def __init__(self, type_, sample, required=True, members=None, element=None):
        self.type, self.sample, self.required = type_, sample, required
        self.members, self.element = members, element


def obj(required=True, **members):
    sample = {name: f.sample for name, f in members.items() if f.sample is not None}
    return F("object", sample, required, members=members)


def lst(element, required=True):
    return F("list", [element.sample], required, element=element)


def text(sample="x", required=True):
    return F("str", sample, required)


def b64(required=True):
    return F("b64", B64, required)


def enum(sample, required=True):
    return F("enum", sample, required)


def password():
    return F("pw", None, False)


def needed_password(sample="secret"):
    return F("pw", sample)


REQUEST_SIGNATURE = obj(False, signature=b64(), digestAlgorithm=enum("SHA-256"), publicKey=b64())
PROOF = dict(timestamp=text("2024-08-14T20:03:02+02:00"), timestampSignature=b64(),
             timestampDigestAlgorithm=enum("SHA-256"), approverPublicKey=b64(False))
PAGING = obj(False, pageNumber=F("int", 0, False), pageSize=F("int", 1),
             sortOrder=enum("CREATION_DATE_ASC"))
TASK_FILTER = obj(**PROOF, id=text(UUID, False), requestId=text(UUID, False),
                  detailLevel=enum("level1", False), paging=PAGING)
APPROVAL = obj(id=text(UUID), approvalToBeSigned=b64(), signature=b64(),
               approvalDigestAlgorithm=enum("SHA-256"), approverPublicKey=b64(False))
TASK = obj(**PROOF, id=text(UUID), reason=F("remark", "wrong amount", False))
APPROVER = obj(type=enum("public_key"), name=text("a", False), value=F("b64", SPKI))
GROUP = obj(name=text("g", False), quorum=F("int", 1), approvals=lst(APPROVER))
TOKEN = obj(name=text("t", False), timelock=F("int", 0), timeout=F("int", 0), groups=lst(GROUP, False))
RULE = obj(False, tokens=lst(TOKEN, False))
KEY_REF = obj(label=text("absent-key"), password=password())
IMPORTED = obj(label=text("never-imported"), algorithm=text("EC", False), password=password(),
               publicKey=F("key", SPKI), attributes=obj(False, decrypt=F("bool", False),
                                                        sign=F("bool", False), unwrap=F("bool", False)))
KEY = obj(label=text("never-created"), password=password(), algorithm=text("EC", False),
          curveOid=text("1.2.840.10045.3.1.7", False), keySize=F("size", None, False),
          attributes=obj(decrypt=F("bool", False), sign=F("bool", True), unwrap=F("bool", False),
                         destroyable=F("bool", True, False), modifiable=F("bool", True, False),
                         derive=F("bool", False, False), extractable=F("bool", False, False),
                         sensitive=F("bool", True, False), copyable=F("bool", False, False)),
          policy=obj(False, ruleUse=RULE, ruleBlock=RULE, ruleUnblock=RULE, ruleModify=RULE,
                     keyStatus=obj(False, blocked=F("bool", False))))
SIGN = dict(payload=b64(), signKeyName=text("absent-key"), keyPassword=password(),
            signatureAlgorithm=enum("SHA256_WITH_ECDSA"), signatureType=enum("DER", False))

META = dict(metaData=b64(False), metaDataSignature=b64(False))
ATTRIBUTES = obj(decrypt=F("bool", False), sign=F("bool", True), unwrap=F("bool", False))
DECRYPT = dict(encryptedPayload=b64(), decryptKeyName=text("absent-key"), keyPassword=password(),
               cipherAlgorithm=enum("RSA_PADDING_OAEP_WITH_SHA256"))
UNWRAP = dict(wrappedKey=b64(), label=text("never-created"), attributes=ATTRIBUTES,
              unwrapKeyName=text("absent-key"), unwrapKeyPassword=password(),
              wrapMethod=enum("AES_WRAP"))
MODIFY = dict(modifyKeyName=text("absent-key"), keyPassword=password(), policy=obj(
    ruleUse=RULE, ruleBlock=RULE, ruleUnblock=RULE, ruleModify=RULE))
BLOCK = dict(blockKeyName=text("absent-key"), keyPassword=password())
UNBLOCK = dict(unblockKeyName=text("absent-key"), keyPassword=password())
KINDS = "Sign Decrypt UnwrapKey BlockKey UnblockKey ModifyKey CertificateRequest SignCertificate " \
    "SelfSignCertificate All".split()

APPROVER_NAME = obj(approverName=text("absent-approver"))
APPROVER_CREATE = obj(approverName=text("never-created"), algorithm=enum("RSA"),
                      keySize=F("size", 2048, False), backupPassword=needed_password(),
                      validity=F("int", 30, False), qrCode=F("bool", False, False))
ONBOARD = obj(approverName=text("absent-approver"), oneTimeCode=needed_password("123456"),
              transportPassword=needed_password("0123456789abcdef"))

SUBJECT = obj(commonName=text("name"), country=text("CH", False), stateOrProvinceName=text("s", False),
              locality=text("l", False), organizationName=text("o", False),
              organizationUnitName=text("u", False), organizationIdentifier=text("i", False),
              email=text("a@example.com", False), title=text("t", False), surname=text("s", False),
              givenName=text("g", False), initials=text("i", False), pseudonym=text("p", False),
              generationQualifier=text("q", False))
CERTIFIES = dict(signKeyName=text("absent-key"), keyPassword=password(),
                 signatureAlgorithm=enum("SHA256_WITH_ECDSA"), validity=F("int", 30, False),
                 keyUsage=lst(F("usage", "DIGITAL_SIGNATURE"), False),
                 extendedKeyUsage=lst(F("usage", "SERVER_AUTH"), False))
CSR = dict(CERTIFIES, standardCertificateAttributes=SUBJECT)
CERTIFICATE = dict(CERTIFIES, commonName=text("name"), keyName=text("x", False),
                   certificateAuthority=F("bool", False),
                   certificateSigningRequest=F("csr", B64))
SELF_SIGNED = dict(CERTIFIES, commonName=text("name"), certificateAuthority=F("bool", True, False))

KM, KO, AP, SV, AM = "KM", "KO", "AP", "SV", "AM"


DERIVED = obj(masterKeyLabel=text("absent-key"), masterKeyPassword=password(),
              derivationPath=text("0"), attributes=obj(False, sign=F("bool", True, False)))


class Route:
    def __init__(self, method, path, roles, body=None):
        self.method, self.path, self.body = method, path, body
        self.roles = roles if isinstance(roles, set) else {roles}

    def __repr__(self):
        return "%s %s" % (self.method, self.path)

    @property
    def sample_path(self):
        return (self.path.replace("{id}", UUID).replace("{keyName}", "absent-key")
                .replace("{length}", "16").replace("{lines}", "16")
                .replace("{attestationKeyName}", "absent-key").replace("{name}", "absent-object")
                .replace("{approverName}", "absent-approver"))


ROUTES = [
    Route("POST", "/v1/key", KM, KEY),
    Route("POST", "/v1/dataObject", KM, obj(
        name=text("made-by-nobody"), value=F("key", B64),
        attributes=obj(False, private=F("bool", False, False)))),
    Route("GET", "/v1/dataObject", KM),
    Route("GET", "/v1/dataObject/{name}", KM),
    Route("DELETE", "/v1/dataObject/{name}", KM),
    Route("PATCH", "/v1/key/changeAttributes", KM, obj(
        label=text("absent-key"), password=password(), newLabel=text("never-created", False),
        attributes=obj(False, extractable=F("bool", False, False)))),
    Route("POST", "/v1/key/keyAttestation", KM, KEY_REF),
    Route("GET", "/v1/attestation", KM),
    Route("GET", "/v1/attestation/{attestationKeyName}/certificateChain", KM),
    Route("POST", "/v1/key/import/plain", KM, IMPORTED),
    Route("POST", "/v1/importedKey", KM, IMPORTED),
    Route("POST", "/v1/key/address", KM, KEY_REF),
    Route("GET", "/v1/key/{keyName}/address", KM),
    Route("POST", "/v1/derivedKey", KM, DERIVED),
    Route("POST", "/v1/derivedkey", KM, DERIVED),
    Route("GET", "/v1/xpub/{keyName}", KM),
    Route("POST", "/v1/key/export/plain", KM, KEY_REF),
    Route("GET", "/v1/key/{keyName}/export/plain", KM),
    Route("POST", "/v1/key/changePassword", KM, obj(
        label=text("absent-key"), password=password(), newPassword=password())),
    Route("GET", "/v1/key", KM),
    Route("POST", "/v1/key/attributes", KM, KEY_REF),
    Route("GET", "/v1/key/{keyName}/attributes", KM),
    Route("POST", "/v1/key/deleteKey", KM, KEY_REF),
    Route("DELETE", "/v1/key/{keyName}", KM),
    Route("POST", "/v1/sign", KO, obj(requestSignature=REQUEST_SIGNATURE, signRequest=obj(
        **SIGN, payloadType=enum("UNSPECIFIED", False), metaData=b64(False),
        metaDataSignature=b64(False)))),
    Route("GET", "/v1/request/{id}", KO),
    # the air gap's; their bodies are of the profile air-gapped alone (tests/air)
    Route("POST", "/v1/key/import/attributes", KM),
    Route("GET", "/v1/request/qrCode/{id}", KO),
    Route("GET", "/v1/request/{id}/package", KO),
    Route("POST", "/v1/package", KO),
    Route("PUT", "/v1/resultFromOfflineHsm", KO),
    Route("DELETE", "/v1/request/{id}", KO),
    Route("POST", "/v1/filteredRequests", KO,
          obj(requestStatusList=lst(enum("PENDING"), False), keyName=text("x", False),
              paging=obj(False, pageNumber=F("int", 0, False), pageSize=F("int", 1),
                         sortOrder=enum("CREATION_DATE_ASC", False)))),
    Route("POST", "/v1/filteredRequestDetails", KO,
          obj(requestId=text(UUID, False), requestStatusList=lst(enum("PENDING"), False),
              keyName=text("x", False), createdSince=text("2026-01-05T10:00:42Z", False),
              after=text(UUID, False), pageSize=F("int", 1, False))),
    Route("POST", "/v1/approval", AP, APPROVAL),
    Route("PATCH", "/v1/task", AP, TASK),
    Route("DELETE", "/v1/task", AP, TASK),
    Route("POST", "/v1/task", AP, TASK),
    Route("POST", "/v1/synchronousSign", KO, obj(signRequest=obj(**SIGN, signedApprovals=lst(b64(), False)))),
    Route("POST", "/v1/certificate/request", {KO, KM}, obj(
        requestSignature=REQUEST_SIGNATURE, csrSignRequest=obj(**CSR, **META))),
    Route("POST", "/v1/certificate/sign", {KO, KM}, obj(
        requestSignature=REQUEST_SIGNATURE, signCertificateRequest=obj(**CERTIFICATE, **META))),
    Route("POST", "/v1/certificate/selfsign", {KO, KM}, obj(
        requestSignature=REQUEST_SIGNATURE, selfSignCertificateRequest=obj(**SELF_SIGNED, **META))),
    Route("POST", "/v1/certificate/synchronous/request", {KO, KM}, obj(**CSR)),
    Route("POST", "/v1/certificate/synchronous/request/download", {KO, KM}, obj(**CSR)),
    Route("POST", "/v1/certificate/synchronous/sign", {KO, KM}, obj(**CERTIFICATE)),
    Route("POST", "/v1/certificate/synchronous/selfsign", {KO, KM}, obj(**SELF_SIGNED)),
    Route("POST", "/v1/certificate/synchronous/create/selfSigned", {KO, KM}, obj(**SELF_SIGNED)),
    Route("POST", "/v1/encrypt", KO, obj(encryptRequest=obj(
        payload=b64(), encryptKeyName=text("absent-key"), keyPassword=password(),
        cipherAlgorithm=enum("AES_GCM"), additionalAuthenticationData=b64(False)))),
    Route("POST", "/v1/wrap", KO, obj(wrapKeyRequest=obj(
        keyToBeWrapped=text("absent-key"), keyToBeWrappedPassword=password(),
        wrapKeyName=text("absent-key"), wrapKeyPassword=password(), wrapMethod=enum("AES_WRAP")))),
    Route("POST", "/v1/certificate/import/plain", {KO, KM}, obj(
        label=text("absent-key"), certificate=F("pem", B64))),
    Route("GET", "/v1/certificate/{keyName}", {KO, KM}),
    Route("DELETE", "/v1/certificate/{keyName}", {KO, KM}),
    Route("POST", "/v1/verify", KO, obj(verifySignatureRequest=obj(
        signKeyName=text("absent-key"), masterKeyPassword=password(),
        signatureAlgorithm=enum("SHA256_WITH_ECDSA"), payload=b64(),
        payloadType=enum("UNSPECIFIED", False), signature=b64()))),
    Route("POST", "/v1/verifyHmac", KO, obj(verifyHmacRequest=obj(
        keyName=text("absent-key"), keyPassword=password(), payload=b64(), signature=b64()))),
    Route("POST", "/v1/synchronousHmac", KO, obj(hmacRequest=obj(
        keyName=text("absent-key"), keyPassword=password(), payload=b64()))),
    Route("POST", "/v1/fileEncrypt", KO),
    Route("POST", "/v1/synchronousFileDecrypt", KO),
    Route("POST", "/v1/createRfcTimestamp", KO, obj(payload=b64(), hashAlgorithm=enum("SHA256"))),
    Route("GET", "/v1/generateRandom/{length}", {KO, SV}),
    Route("GET", "/v1/keystore/statistics", SV),
    Route("GET", "/v1/hsm/log", SV),
    Route("GET", "/v1/hsm/log/{lines}", SV),
    Route("POST", "/v1/approverManagement/create", AM, APPROVER_CREATE),
    Route("PUT", "/v1/approverManagement/create", AM, APPROVER_CREATE),
    Route("POST", "/v1/approver/onboard", AP, ONBOARD),
    Route("POST", "/v1/approverManagement/onboard", AM, ONBOARD),
    Route("POST", "/v1/approverManagement/restoreFromBackup", AM, APPROVER_NAME),
    Route("POST", "/v1/approverManagement/restoreFromBackup/forgotPassword", AM, obj(
        approverName=text("absent-approver"), newBackupPassword=needed_password())),
    Route("POST", "/v1/approverManagement/renewOneTimeCode", AM, APPROVER_NAME),
    Route("POST", "/v1/approverManagement/renewOnetimePassword", AM, APPROVER_NAME),
    Route("GET", "/v1/approverManagement/onboarding/status", AM),
    Route("POST", "/v1/approverManagement/onboarding/status", AM),
    Route("POST", "/v1/approverManagement/changePassword", AM, obj(
        approverName=text("absent-approver"), backupPassword=needed_password(),
        newBackupPassword=needed_password())),
    Route("DELETE", "/v1/approverManagement/delete/{approverName}", AM),
    Route("GET", "/v1/versionInfo", SV),
    Route("GET", "/v1/licenseInfo", SV),
]

for _path, _role, _envelope, _inner in (
        ("decrypt", KO, "decryptRequest", DECRYPT), ("unwrap", KO, "unwrapKeyRequest", UNWRAP),
        ("block", KO, "blockRequest", BLOCK), ("unblock", KO, "unblockRequest", UNBLOCK),
        ("modify", KM, "modifyRequest", MODIFY)):
    ROUTES.append(Route("POST", "/v1/" + _path, _role, obj(
        requestSignature=REQUEST_SIGNATURE, **{_envelope: obj(**_inner, **META)})))
    ROUTES.append(Route("POST", "/v1/synchronous" + _path.title(), _role, obj(
        requestSignature=REQUEST_SIGNATURE,
        **{_envelope: obj(**_inner, signedApprovals=lst(b64(), False))})))
for _kind in KINDS:
    ROUTES.append(Route("POST", "/v1/filtered%sApprovalTask" % _kind, AP, TASK_FILTER))
ROUTES.append(Route("POST", "/v1/filteredApprovedRequests", AP, TASK_FILTER))
WITH_BODY = [r for r in ROUTES if r.body]


def put(body, path, value):
    """A copy of body with value at path."""
    out = copy.deepcopy(body)
    at = out
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return out


def drop(body, path):
    out = copy.deepcopy(body)
    at = out
    for step in path[:-1]:
        at = at[step]
    at.pop(path[-1], None)
    return out


def walk(field, path=()):
    """Every member below field: its path and its description."""
    for name, f in (field.members or {}).items():
        yield path + (name,), f
        yield from walk(f, path + (name,))
        if f.element:
            yield path + (name, 0), f.element
            yield from walk(f.element, path + (name, 0))


def objects(field):
    yield ()
    for path, f in walk(field):
        if f.type == "object":
            yield path


def name_of(path):
    """The word that a message about this member must contain."""
    return next(step for step in reversed(path) if isinstance(step, str))


def broken(route):
    """(what, body, word that the message must contain)"""
    sample = route.body.sample
    for path, f in walk(route.body):
        word = name_of(path)
        label = ".".join(map(str, path))
        for value in WRONG[f.type]:
            yield "%s=%.20r" % (label, value), put(sample, path, value), word
        if f.required and isinstance(path[-1], str):
            yield "no " + label, drop(sample, path), word
            yield label + "=null", put(sample, path, None), word
            if f.type in ("str", "b64") and path != ("id",):
                yield label + " empty", put(sample, path, ""), word
    for path in objects(route.body):
        yield ".".join(map(str, path)) + ".unknown", put(sample, path + ("unknownMember",), 1), \
            "unknownMember"


def roles_of(words, macros):
    for word in re.findall(r"[A-Z_]+", words):
        if word in macros:
            yield from roles_of(macros[word], macros)
        else:
            yield word


def routes_of_kinds(text):
    """As fcgi/routes.c makes them of the rows of lib/model/kind.c; all take POST."""
    for row in re.split(r"\n    \[KIND_", text)[1:]:
        asked_by = re.search(r"\.askers = ([^\n]*),", row).group(1)
        askers = {"KEY_OPERATION", "KEY_MANAGEMENT"} if asked_by == "ASKED_BY_BOTH" else \
            {re.fullmatch(r"ASKED_BY\((\w+)\)", asked_by).group(1)}
        for member, path in re.findall(r'\.(\w+) = "(/v1/[^"]*)"', row):
            roles = {"APPROVER", "TIMESTAMP"} if member == "task_path" else askers
            yield ("POST", path), {"ROLE_" + r for r in roles}


def in_source():
    """(verb, path) -> names of roles, of every route of the program."""
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    out = dict(routes_of_kinds((root / "lib/model/kind.c").read_text()))
    text = (root / "fcgi/routes.c").read_text()
    macros = dict(re.findall(r"^#define ([A-Z]{2})[ \t]+([^/\n]*)", text, re.M))
    for verb, path, roles in re.findall(r'\{\s*VERB_(\w+), "([^"]+)",\s*([\w |]+),', text):
        out[verb, path] = set(roles_of(roles, macros))
    return out
