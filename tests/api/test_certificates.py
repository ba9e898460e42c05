"""Certificate requests, certificates and self-signed certificates; python-cryptography reads them."""
import datetime
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

import ska
from approver import MAKERS, b64, policy, quorum, spki_of, unb64
from client import public_key, unique

ALGORITHM = {"RSA": "SHA256_WITH_RSA", "EC": "SHA256_WITH_ECDSA", "ED": "EDDSA"}
KINDS = sorted(ALGORITHM)
by_kind = pytest.mark.parametrize("kind", KINDS)
CSR_HEADER = "-----BEGIN NEW CERTIFICATE REQUEST-----\n"
SUBJECT = {"commonName": "name é", "country": "CH", "stateOrProvinceName": "Zürich",
           "locality": "l", "organizationName": "o", "organizationUnitName": "u",
           "organizationIdentifier": "NTRCH-1", "email": "a@example.com", "title": "t",
           "surname": "s", "givenName": "g", "initials": "i", "pseudonym": "p",
           "generationQualifier": "III"}
OIDS = {"commonName": NameOID.COMMON_NAME, "country": NameOID.COUNTRY_NAME,
        "stateOrProvinceName": NameOID.STATE_OR_PROVINCE_NAME, "locality": NameOID.LOCALITY_NAME,
        "organizationName": NameOID.ORGANIZATION_NAME,
        "organizationUnitName": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "organizationIdentifier": x509.ObjectIdentifier("2.5.4.97"),
        "email": NameOID.EMAIL_ADDRESS, "title": NameOID.TITLE, "surname": NameOID.SURNAME,
        "givenName": NameOID.GIVEN_NAME, "initials": x509.ObjectIdentifier("2.5.4.43"),
        "pseudonym": NameOID.PSEUDONYM, "generationQualifier": NameOID.GENERATION_QUALIFIER}


# ---- what a stranger does with certificates ----

def read_csr(pem):
    assert pem.startswith(CSR_HEADER) and pem.endswith("-----END NEW CERTIFICATE REQUEST-----\n")
    csr = x509.load_pem_x509_csr(pem.replace("NEW CERTIFICATE", "CERTIFICATE").encode())
    assert csr.is_signature_valid
    return csr


def verified(cert, key):
    """cert, after its signature was checked with key."""
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(cert.signature, cert.tbs_certificate_bytes, padding.PKCS1v15(),
                   cert.signature_hash_algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(cert.signature, cert.tbs_certificate_bytes,
                   ec.ECDSA(cert.signature_hash_algorithm))
    else:
        key.verify(cert.signature, cert.tbs_certificate_bytes)
    return cert


def read_certificate(pem, key):
    assert pem.startswith("-----BEGIN CERTIFICATE-----\n")
    assert pem.endswith("-----END CERTIFICATE-----\n")
    cert = verified(x509.load_pem_x509_certificate(pem.encode()), key)
    assert cert.version == x509.Version.v3
    assert 1 << 120 < cert.serial_number < 1 << 127
    return cert


def extension(cert, oid, critical):
    found = cert.extensions.get_extension_for_oid(oid)
    assert found.critical is critical, found
    return found.value


def key_id(public):
    return x509.SubjectKeyIdentifier.from_public_key(public).digest


def check_certificate(cert, public, issuer, issuer_key, authority=False, days=365):
    assert spki_of(cert.public_key()) == spki_of(public)
    assert cert.issuer == issuer
    assert extension(cert, ExtensionOID.BASIC_CONSTRAINTS, True).ca is authority
    assert extension(cert, ExtensionOID.SUBJECT_KEY_IDENTIFIER, False).digest == key_id(public)
    aki = extension(cert, ExtensionOID.AUTHORITY_KEY_IDENTIFIER, False)
    assert aki.key_identifier == key_id(issuer_key)
    assert cert.not_valid_after - cert.not_valid_before == datetime.timedelta(days=days)


def common_name(name):
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert len(found) == 1
    return found[0].value


def make_csr(key, subject=(("CN", "applicant"), ("O", "o"))):
    oids = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME}
    name = x509.Name([x509.NameAttribute(oids[n], v) for n, v in subject])
    algorithm = None if key.__class__.__name__.lower().find("ed25519") >= 0 else hashes.SHA256()
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm)


def pem_of(csr):
    return csr.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def applicant():
    return MAKERS["p256"]()


# ---- bodies ----

def csr_body(label, kind, **members):
    return {"signKeyName": label, "signatureAlgorithm": ALGORITHM[kind],
            "standardCertificateAttributes": {"commonName": label[:60]}, **members}


def self_body(label, kind, **members):
    return {"signKeyName": label, "signatureAlgorithm": ALGORITHM[kind], "commonName": "root",
            "certificateAuthority": True, "keyUsage": ["KEY_CERT_SIGN", "CRL_SIGN"], **members}


def sign_body(label, kind, csr, **members):
    return {"signKeyName": label, "signatureAlgorithm": ALGORITHM[kind], "commonName": "server",
            "certificateAuthority": False, "certificateSigningRequest": csr, **members}


FORMS = {"request": ("csrSignRequest", "CertificateRequest"),
         "sign": ("signCertificateRequest", "SignCertificate"),
         "selfsign": ("selfSignCertificateRequest", "SelfSignCertificate")}


def ask(api, form, body, **envelope):
    """A request of the workflow; its id."""
    answer = api.post("/v1/certificate/" + form, {FORMS[form][0]: body, **envelope})
    assert api.status == 201 and set(answer) == {"signRequestId"}
    return answer["signRequestId"]


def payload_of(task):
    return ska.Token.decode(unb64(task["approvalToBeSigned"])).payload


def approve(api, form, rid, people):
    """All of them approve; the result, and the payload that they approved."""
    payloads = {payload_of(api.approve(a, rid, kind=FORMS[form][1])) for a in people}
    assert len(payloads) == 1
    return api.wait(rid, "EXECUTED")["result"], payloads.pop()


def now(api, form, body):
    """The synchronous form."""
    answer = api.post("/v1/certificate/synchronous/" + form, body)
    member = "certificateSigningRequest" if form == "request" else "certificate"
    assert api.status == 200 and answer["label"] == body["signKeyName"]
    return answer[member]


def stored(api, label):
    return api.get("/v1/certificate/" + label)["certificate"]


@pytest.fixture
def trio(people):
    return people.several(3)


# ---- with approvals ----

@by_kind
def test_request_with_approvals(api, trio, kind):
    label = unique("csr")
    key = public_key(api.create_key(label, quorum(2, *trio), kind))
    rid = ask(api, "request", csr_body(label, kind, standardCertificateAttributes=SUBJECT,
                                       keyUsage=["DIGITAL_SIGNATURE,KEY_AGREEMENT", "DECIPHER_ONLY"],
                                       extendedKeyUsage=["SERVER_AUTH", "CLIENT_AUTH"]))
    assert api.status_of(rid) == "PENDING"
    pem, payload = approve(api, "request", rid, trio[:2])
    csr = read_csr(pem)
    assert csr.tbs_certrequest_bytes == payload
    assert spki_of(csr.public_key()) == spki_of(key)
    assert [(a.oid, a.value) for a in csr.subject] == [(OIDS[n], v) for n, v in SUBJECT.items()]
    usage = extension(csr, ExtensionOID.KEY_USAGE, True)
    assert usage.digital_signature and usage.decipher_only and not usage.key_cert_sign
    purposes = extension(csr, ExtensionOID.EXTENDED_KEY_USAGE, True)
    assert set(purposes) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}


@by_kind
def test_self_signed_and_issued_with_approvals(api, trio, applicant, kind):
    label = unique("ca")
    key = public_key(api.create_key(label, quorum(2, *trio), kind))
    body = self_body(label, kind, validity=1000)
    result, payload = approve(api, "selfsign", ask(api, "selfsign", body), trio[1:])
    assert result == "true"
    root = read_certificate(stored(api, label), key)
    assert root.tbs_certificate_bytes == payload
    check_certificate(root, key, root.subject, key, authority=True, days=1000)
    assert common_name(root.subject) == "root"
    usage = extension(root, ExtensionOID.KEY_USAGE, True)
    assert usage.key_cert_sign and usage.crl_sign and not usage.digital_signature

    body = sign_body(label, kind, pem_of(make_csr(applicant)), validity=30,
                     keyUsage=["DIGITAL_SIGNATURE"], extendedKeyUsage=["SERVER_AUTH"])
    rid = ask(api, "sign", body)
    api.site.forward(2)     # what is approved is what is signed, however long it takes
    result, payload = approve(api, "sign", rid, trio[:2])
    leaf = read_certificate(result, key)
    assert leaf.tbs_certificate_bytes == payload
    check_certificate(leaf, applicant.public_key(), root.subject, key, days=30)
    assert [a.value for a in leaf.subject] == ["server", "o"]
    assert set(extension(leaf, ExtensionOID.EXTENDED_KEY_USAGE, True)) == {
        ExtendedKeyUsageOID.SERVER_AUTH}
    assert stored(api, label) == api.get("/v1/certificate/" + label)["certificate"]


def test_approvers_see_what_the_caller_asked(api, trio):
    label = unique("csr")
    api.create_key(label, quorum(1, *trio))
    body = csr_body(label, "EC", metaData=b64(b"why"))
    rid = ask(api, "request", body, requestSignature=None)
    task = api.task(trio[0], rid, "CertificateRequest", detailLevel="level5")
    shown = task["signedCertificateRequestRequest"]["csrSignRequest"]
    assert shown["standardCertificateAttributes"] == body["standardCertificateAttributes"]
    assert shown["signKeyName"] == label and task["metaData"] == b64(b"why")
    assert unb64(task["payload"]) == payload_of(task)
    assert not api.tasks(trio[0], "SignCertificate", requestId=rid)
    assert len(api.tasks(trio[0], "All", requestId=rid)) == 1


@pytest.mark.online_only("the broker drops key passwords: the operator in the room has them")
def test_password_of_the_key(api, trio):
    label = unique("csr")
    api.create_key(label, quorum(1, *trio), password="secret")
    body = csr_body(label, "EC")
    api.refused(620, "POST", "/v1/certificate/request", {"csrSignRequest": body})
    api.refused(620, "POST", "/v1/certificate/synchronous/request", dict(body, keyPassword="no"))
    rid = ask(api, "request", dict(body, keyPassword="secret"))
    read_csr(approve(api, "request", rid, trio[:1])[0])


def test_executed_at_once_without_policy(api):
    label = unique("csr")
    key = public_key(api.create_key(label))
    view = api.at_once(ask(api, "request", csr_body(label, "EC")))
    assert view["status"] == "EXECUTED"
    assert spki_of(read_csr(view["result"]).public_key()) == spki_of(key)


@pytest.mark.parametrize("point,part", [
    ("store.execution_record.COMMIT.before", "dispatcher1"),
    ("store.execution_record.COMMIT.after", "dispatcher1"), ("file.written", "hsm")])
@pytest.mark.online_only("nothing is executed here, and no HSM stores a certificate")
def test_killed_while_self_signing(api, site, faults, trio, point, part):
    """Signed, stored or recorded halfway: in the end the key has a certificate of the approved bytes."""
    label = unique("ca")
    key = public_key(api.create_key(label, quorum(2, *trio)))
    rid = ask(api, "selfsign", self_body(label, "EC"))
    faults([(point, "kill")])
    payloads = {payload_of(api.approve(a, rid, kind="SelfSignCertificate")) for a in trio[:2]}
    end = time.monotonic() + 10
    while site.faults_left():
        assert time.monotonic() < end, "nobody passed " + point
        time.sleep(0.02)
    if part != "hsm":       # a worker that died has a successor already
        site.up()
    site.forward(61)        # over the lease of the dead
    assert api.wait(rid, "EXECUTED", timeout=20)["result"] == "true"
    root = read_certificate(stored(api, label), key)
    assert {root.tbs_certificate_bytes} == payloads


# ---- at once ----

@by_kind
@pytest.mark.online_only("synchronous calls go to the offline side")
def test_request_at_once(api, kind):
    label = unique("csr")
    key = public_key(api.create_key(label, algorithm=kind))
    csr = read_csr(now(api, "request", csr_body(label, kind)))
    assert spki_of(csr.public_key()) == spki_of(key)
    assert common_name(csr.subject) == label and not list(csr.extensions)


@by_kind
@pytest.mark.online_only("synchronous calls go to the offline side")
def test_self_signed_and_issued_at_once(api, applicant, kind):
    label = unique("ca")
    key = public_key(api.create_key(label, algorithm=kind))
    root = read_certificate(now(api, "selfsign", self_body(label, kind)), key)
    check_certificate(root, key, root.subject, key, authority=True)
    assert read_certificate(stored(api, label), key) == root
    csr = make_csr(applicant).public_bytes(serialization.Encoding.DER)
    leaf = read_certificate(now(api, "sign", sign_body(label, kind, b64(csr))), key)
    check_certificate(leaf, applicant.public_key(), root.subject, key)


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_rsa_pss(api):
    label = unique("pss")
    key = public_key(api.create_key(label, algorithm="RSA"))
    pem = now(api, "selfsign", self_body(label, "RSA", signatureAlgorithm="SHA384_WITH_RSA_PSS"))
    cert = x509.load_pem_x509_certificate(pem.encode())
    key.verify(cert.signature, cert.tbs_certificate_bytes,
               padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())
    assert cert.signature_algorithm_oid.dotted_string == "1.2.840.113549.1.1.10"


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_old_name_and_subject_instead_of_common_name(api):
    label = unique("self")
    key = public_key(api.create_key(label))
    body = {"signKeyName": label, "signatureAlgorithm": "SHA256_WITH_ECDSA",
            "standardCertificateAttributes": SUBJECT}
    answer = api.post("/v1/certificate/synchronous/create/selfSigned", body)
    cert = read_certificate(answer["certificate"], key)
    check_certificate(cert, key, cert.subject, key)
    assert [(a.oid, a.value) for a in cert.subject] == [(OIDS[n], v) for n, v in SUBJECT.items()]


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_download(api):
    label = unique("a b/é").replace("/", "")
    api.create_key(label)
    response = api.send("POST", "/v1/certificate/synchronous/request/download",
                        csr_body(label, "EC"))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/octet-stream"
    tail = label.rsplit("-", 1)[1]
    assert response.headers["Content-Disposition"] == \
        'attachment; filename="a_b__-%s.csr"' % tail
    read_csr(response.text)


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_either_role_may_call(api):
    label = unique("csr")
    api.create_key(label)
    for role in ("KM", "KO"):
        api.post("/v1/certificate/synchronous/request", csr_body(label, "EC"), role=role)


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_approvals_cannot_be_left_out(api, trio):
    label = unique("ca")
    api.create_key(label, quorum(2, *trio))
    for form, body in (("request", csr_body(label, "EC")), ("selfsign", self_body(label, "EC"))):
        api.refused(701, "POST", "/v1/certificate/synchronous/" + form, body)
    api.refused(402, "POST", "/v1/certificate/synchronous/sign",
                sign_body(label, "EC", pem_of(make_csr(MAKERS["p256"]()))))


# ---- the certificate beside a request ----

@pytest.mark.online_only("synchronous calls go to the offline side")
def test_request_gives_a_key_its_first_certificate(api):
    label = unique("csr")
    key = public_key(api.create_key(label))
    now(api, "request", csr_body(label, "EC", validity=10, keyUsage=["DIGITAL_SIGNATURE"]))
    cert = read_certificate(stored(api, label), key)
    check_certificate(cert, key, cert.subject, key, days=10)
    assert common_name(cert.subject) == label


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_request_replaces_no_certificate(api):
    label = unique("csr")
    api.create_key(label)
    pem = now(api, "selfsign", self_body(label, "EC"))
    now(api, "request", csr_body(label, "EC"))
    assert x509.load_pem_x509_certificate(stored(api, label).encode()) == \
        x509.load_pem_x509_certificate(pem.encode())


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_request_of_a_key_with_policy_leaves_it_without(api, trio):
    label = unique("csr")
    api.create_key(label, policy())
    now(api, "request", csr_body(label, "EC"))
    response = api.send("GET", "/v1/certificate/" + label)
    assert response.status_code >= 400


# ---- refusals ----

def both(api, code, form, body, says=""):
    api.refused(code, "POST", "/v1/certificate/synchronous/" + form, body, says=says)
    api.refused(code, "POST", "/v1/certificate/" + form, {FORMS[form][0]: body}, says=says)


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_unknown_key(api, applicant):
    both(api, 650, "request", csr_body("absent", "EC"))
    both(api, 650, "selfsign", self_body("absent", "EC"))
    both(api, 650, "sign", sign_body("absent", "EC", pem_of(make_csr(applicant))))


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_algorithms_that_do_not_fit(api):
    label = unique()
    api.create_key(label)
    for algorithm in ("SHA256_WITH_RSA", "EDDSA", "NONE_WITH_ECDSA", "SHA1_WITH_ECDSA",
                      "KECCAK256_WITH_ECDSA", "SHA3256_WITH_ECDSA"):
        both(api, 607, "request", csr_body(label, "EC", signatureAlgorithm=algorithm),
             "signatureAlgorithm " + algorithm)


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_key_that_may_not_sign(api):
    label = unique()
    api.create_key(label, algorithm="RSA",
                   attributes={"decrypt": True, "sign": False, "unwrap": False})
    both(api, 614, "request", csr_body(label, "RSA"))


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_issuer_without_certificate(api, applicant):
    label = unique()
    api.create_key(label)
    both(api, 402, "sign", sign_body(label, "EC", pem_of(make_csr(applicant))), label)


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_issuer_whose_certificate_is_over(api, site, applicant):
    label = unique()
    api.create_key(label)
    now(api, "selfsign", self_body(label, "EC", validity=1))
    site.forward(2 * 86400)
    both(api, 402, "sign", sign_body(label, "EC", pem_of(make_csr(applicant))), "no longer valid")


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_requests_that_are_refused(api, applicant):
    label = unique()
    api.create_key(label)
    now(api, "selfsign", self_body(label, "EC"))
    good = make_csr(applicant).public_bytes(serialization.Encoding.DER)
    for bad in (good[:-1], good + b"\0", b"\x30\x00", b"junk"):
        both(api, 628, "sign", sign_body(label, "EC", b64(bad)), "certificateSigningRequest")
    for text in ("no base64!", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA"):
        both(api, 628, "sign", sign_body(label, "EC", text), "certificateSigningRequest")
    forged = good[:-1] + bytes([good[-1] ^ 1])
    both(api, 411, "sign", sign_body(label, "EC", b64(forged)), "own key")


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_names_that_are_refused(api):
    label = unique()
    api.create_key(label)
    for member, value in (("country", "CHE"), ("country", "1?"), ("email", "é@example.com"),
                          ("commonName", "x" * 65), ("title", "x" * 65), ("surname", "a\nb")):
        subject = dict(SUBJECT, **{member: value})
        both(api, 600, "request",
             csr_body(label, "EC", standardCertificateAttributes=subject), member)


@pytest.mark.parametrize("days", [0, -1, 36526])
def test_validity_out_of_range(api, days):
    both(api, 600, "selfsign", self_body("absent", "EC", validity=days), "validity")


def test_common_names_that_contradict(api):
    other = {"standardCertificateAttributes": {"commonName": "other"}}
    both(api, 600, "selfsign", self_body("absent", "EC", **other), "commonName")
    both(api, 600, "sign", sign_body("absent", "EC", "AAAA", **other), "commonName")
    both(api, 600, "sign", sign_body("absent", "EC", "AAAA", commonName=None), "commonName")


# ---- a certificate for another key of the HSM ----

@pytest.fixture
def issued(api):
    """An authority with a certificate, a key to be certified, and its request."""
    authority, server = unique("ca"), unique("server")
    key = public_key(api.create_key(authority))
    now(api, "selfsign", self_body(authority, "EC"))
    public_key(api.create_key(server))
    return authority, key, server, now(api, "request", csr_body(server, "EC"))


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_issued_at_once_with_a_whole_subject_for_a_key(api, issued):
    authority, key, server, csr = issued
    body = sign_body(authority, "EC", csr, commonName=None, standardCertificateAttributes=SUBJECT,
                     keyName=server)
    answer = api.post("/v1/certificate/synchronous/sign", body)
    assert answer["rawCertificate"] == answer["certificate"]
    cert = read_certificate(answer["certificate"], key)
    assert [(a.oid, a.value) for a in cert.subject] == [(OIDS[n], v) for n, v in SUBJECT.items()]
    held = api.get("/v1/certificate/" + server)
    assert held == {"label": server, "certificate": answer["certificate"],
                    "rawCertificate": answer["certificate"]}


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_issued_by_request_with_a_whole_subject_for_a_key(api, issued):
    authority, key, server, csr = issued
    rid = ask(api, "sign", sign_body(authority, "EC", csr, commonName=None,
                                     standardCertificateAttributes=SUBJECT, keyName=server))
    result = api.wait(rid, "EXECUTED")["result"]
    assert len(read_certificate(result, key).subject) == len(SUBJECT)
    assert stored(api, server) == result


@pytest.mark.online_only("synchronous calls go to the offline side")
def test_certificate_for_a_key_that_is_another_one(api, issued):
    authority, _, server, csr = issued
    for code, name in ((402, authority), (650, "no-such-key"), (600, "")):
        both(api, code, "sign", sign_body(authority, "EC", csr, keyName=name))
