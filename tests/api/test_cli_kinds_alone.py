"""Every kind of request on the command line, without a site: what is sent, what approvers see, and
what a broker that lies is told."""
import datetime
import hashlib
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

import ska
from approver import Approver, b64, unb64
from made_up import APPROVAL, FETCH, asked, attested, attributes_xml, four, rule, task_of
from tsb import run

pytestmark = pytest.mark.no_site

SOON = datetime.datetime(2030, 1, 2, 3, 4, 5)
DECRYPT, DESTROY = 1 << 1, 1 << 6


@pytest.fixture
def look(broker, anna):
    """What tsb tasks shows of a task, or says against it; approve must agree."""
    def look(task, code=0, *args):
        broker.answers[FETCH] = 200, {"tasks": [task]}
        broker.answers[APPROVAL] = 200, b""
        broker.calls.clear()
        shown = run("tasks", "-k", anna.key, "-u", broker.url, *args, code=code)
        run("approve", "t1", "--yes", "-k", anna.key, "-u", broker.url, *args, code=code)
        assert len(broker.sent(*APPROVAL)) == (code == 0)
        return shown.out if code == 0 else shown.err
    return look


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# ---- decrypt, block, unblock ----

def test_decrypt_shows_length_and_digest_of_the_ciphertext(look, anna):
    secret = bytes(range(256))
    token = ska.Token(ska.USE, "k", secret)
    text = look(asked(anna, "decrypt", token, encryptedPayload=b64(secret),
                      cipherAlgorithm="RSA_PADDING_OAEP_WITH_SHA256"))
    assert "use the key: decrypt" in text and "RSA_PADDING_OAEP_WITH_SHA256" in text
    assert "256 bytes, SHA-256 " + sha256(secret) in text and secret.hex()[:32] not in text
    other = asked(anna, "decrypt", token, encryptedPayload=b64(secret[1:]))
    assert "not the one in the token" in look(other, 6)


def test_block_and_unblock_say_what_they_do(look, anna):
    hsm = Approver("p256")
    members = attested(hsm, attributes_xml("k", four(rule(anna)), hsm.spki, blocked=True))
    text = look({**asked(anna, "block", ska.Token(ska.BLOCK, "k")), **members})
    assert "block the key" in text and "nobody can use the key until it is unblocked" in text
    text = look({**asked(anna, "unblock", ska.Token(ska.UNBLOCK, "k")), **members})
    assert "the key can be used again" in text and "blocked now" in text
    assert "another operation" in look(asked(anna, "block", ska.Token(ska.UNBLOCK, "k")), 6)


# ---- unwrap ----

def unwrap_token(label="new-key", wrapped=b"wrapped", access=0x25):
    return ska.Token(ska.USE, "k", ska.UnwrapPayload(3, 0x22, access, wrapped, label).encode())


def test_unwrap_shows_label_flags_and_method(look, anna):
    text = look(asked(anna, "unwrap", unwrap_token(), label="new-key", wrappedKey=b64(b"wrapped"),
                      wrapMethod="RSA_WRAP_OAEP"))
    for part in ("use the key: unwrap a key", "new-key", "decrypt, unwrap",
                 "sensitive, modifiable, token", "RSA_WRAP_OAEP", "approvals do not cover it",
                 "7 bytes, SHA-256 " + sha256(b"wrapped")):
        assert part in text
    assert "extractable" not in text
    text = look(asked(anna, "unwrap", unwrap_token(access=1 << 1 | 1 << 30), label="new-key"))
    assert "extractable, ?" in text


def test_a_lie_about_the_new_key_is_refused(look, anna):
    for members, says in (({"label": "old-key"}, "makes another key than old-key"),
                          ({"wrappedKey": b64(b"other")}, "wrapped key in the token is not")):
        assert says in look(asked(anna, "unwrap", unwrap_token(), **members), 6)
    for token in (ska.Token(ska.USE, "k", b"harmless"), ska.Token(ska.BLOCK, "k")):
        assert "not what it claims" in look(asked(anna, "unwrap", token), 6)


def test_a_signature_that_is_the_unwrapping_of_a_key(look, anna):
    text = look(task_of(anna, unwrap_token()))
    assert "!!! this is called 'sign', but approving it approves the unwrapping of a key" in text
    assert "new key label" in text and "new-key" in text


# ---- certificates ----

def name_of(*parts):
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])


def content(subject="pay.example.com", issuer=None, key=None, more=(), signer=None, ca=False):
    """A TBSCertificate."""
    key = key or Approver("p256")
    builder = x509.CertificateBuilder().subject_name(
        name_of((NameOID.COMMON_NAME, subject), *more)).issuer_name(
        name_of((NameOID.COMMON_NAME, issuer or "Example CA"))).public_key(key.public)
    builder = builder.serial_number(0xBEEF).not_valid_before(SOON).not_valid_after(
        SOON + datetime.timedelta(days=30)).add_extension(x509.KeyUsage(
            True, False, False, False, False, ca, False, False, False), True)
    builder = builder.add_extension(x509.BasicConstraints(ca, None), True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), False)
    return builder.sign((signer or key).key, hashes.SHA256()).tbs_certificate_bytes


def request(subject="pay.example.com", key=None):
    key = key or Approver("p256")
    return x509.CertificateSigningRequestBuilder().subject_name(
        name_of((NameOID.COMMON_NAME, subject))).add_extension(
        x509.SubjectAlternativeName([x509.DNSName("alt." + subject)]), False).sign(
        key.key, hashes.SHA256())


def pem(csr):
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def test_a_certificate_is_shown_from_the_bytes_to_be_signed(look, anna):
    key = Approver("p256")
    token = ska.Token(ska.USE, "k", content(key=key, more=[(NameOID.ORGANIZATION_NAME, "A, O=B")]))
    text = look(asked(anna, "certificate", token, commonName="pay.example.com",
                      certificateSigningRequest=pem(request(key=key))))
    for part in ("use the key: sign a certificate for somebody", "CN=pay.example.com, O=A\\, O\\=B",
                 "CN=Example CA", "BEEF", "2030-01-02T03:04:05Z", "2030-02-01T03:04:05Z",
                 "Digital Signature", "(critical)", "DNS:pay.example.com", "ecdsa-with-SHA256",
                 "EC SHA256:" + sha256(key.spki)[:32], "SHA-256 " + sha256(token.payload)):
        assert part in text or part.replace("\\=", "=") in text, part
    assert "AUTHORITY" not in text


def test_a_certificate_that_may_issue_others_is_marked(look, anna):
    token = ska.Token(ska.USE, "k", content(ca=True))
    text = look(asked(anna, "certificate", token))
    assert "!!! AUTHORITY" in text and "CA:TRUE" in text and "Certificate Sign" in text


def test_a_certificate_request_is_shown(look, anna):
    token = ska.Token(ska.USE, "k", request().tbs_certrequest_bytes)
    text = look(asked(anna, "csr", token,
                      standardCertificateAttributes={"commonName": "pay.example.com"}))
    assert "CN=pay.example.com" in text and "DNS:alt.pay.example.com" in text


def test_lies_about_certificates_are_refused(look, anna):
    key, other = Approver("p256"), Approver("p256")
    good = content(key=key)
    csr = request().tbs_certrequest_bytes
    mine = attested(other, attributes_xml("k", four(rule(anna)), key.spki))
    self_signed = content(issuer="pay.example.com", key=key)
    # the lengths of BER may be longer than those of DER: the same content in other bytes
    loose = good.replace(b"\x02\x03\x00\xbe\xef", b"\x02\x04\x00\x00\xbe\xef")
    loose = bytes((0x30, 0x82)) + (len(loose) - 4).to_bytes(2, "big") + loose[4:]

    def task(kind, payload, more=None, **inner):
        return {**asked(anna, kind, ska.Token(ska.USE, "k", payload), **inner), **(more or {})}
    assert "sign a certificate for the key itself" in look(task("selfsign", self_signed, mine))
    for lie, says in (
            (task("certificate", good, commonName="www.example.com"), "not for 'www.example.com'"),
            (task("certificate", good, certificateSigningRequest=pem(request(key=other))),
             "certifies another public key"),
            (task("certificate", b"harmless"), "holds no certificate to be signed"),
            (task("certificate", csr), "holds no certificate to be signed"),
            (task("certificate", good + b"\0"), "holds no certificate to be signed"),
            (task("certificate", loose), "holds no certificate to be signed"),
            (task("csr", good), "holds no certificate request to be signed"),
            (task("csr", csr, mine), "certifies another public key"),
            (task("selfsign", content(issuer="pay.example.com"), mine), "another public key"),
            (task("selfsign", good, mine), "names another issuer")):
        assert says in look(lie, 6)


def test_a_signature_that_is_a_certificate(look, anna):
    text = look(task_of(anna, ska.Token(ska.USE, "k", content())))
    assert "!!! this is called 'sign', but approving it approves a certificate as well" in text
    assert "CN=pay.example.com" in text
    secret = request().tbs_certrequest_bytes
    text = look(asked(anna, "decrypt", ska.Token(ska.USE, "k", secret)))
    assert "called 'decrypt', but approving it approves a certificate request" in text


def test_certificates_are_decoded(tmp_path):
    key = Approver("p256", "anna", certificate=True)
    shown = run("token", "decode", "--json", input=b64(key.certificate).encode()).json
    assert shown["kind"] == "certificate" and shown["subject"] == "CN=anna"
    assert unb64(shown["publicKey"]["value"]) == key.spki
    shown = run("token", "decode", "--json", input=pem(request()).encode()).json
    assert shown["kind"] == "certificate request"
    assert [e["value"] for e in shown["extensions"]] == ["DNS:alt.pay.example.com"]
    token = ska.Token(ska.USE, "k", content()).encode()
    assert "payload as certificate" in run("token", "decode", input=token).out


# ---- what is sent ----

IDS = {"/v1/sign": "signRequestId", "/v1/decrypt": "decryptRequestId",
       "/v1/unwrap": "unwrapRequestId",
       "/v1/block": "blockKeyRequestId", "/v1/unblock": "unblockKeyRequestId",
       "/v1/certificate/request": "signRequestId", "/v1/certificate/sign": "signRequestId",
       "/v1/certificate/selfsign": "signRequestId"}


@pytest.fixture
def send(broker, tmp_path):
    """Runs a command; gives the inner object that reached the path."""
    (tmp_path / "secret").write_text("s3cret\n")

    def send(path, *args, **options):
        broker.calls.clear()
        broker.answers["POST", path] = 201, {IDS[path]: "r1"}
        done = run(*args, "-u", broker.url, cwd=tmp_path, **options)
        assert done.out == "r1\n"
        body, = broker.sent("POST", path)
        (envelope, inner), = body.items()
        return envelope, inner
    return send


def test_block_and_unblock_send_the_key(send):
    assert send("/v1/block", "key", "block", "k", "--meta", "why", "--password-file", "secret") == (
        "blockRequest", {"blockKeyName": "k", "keyPassword": "s3cret", "metaData": b64(b"why")})
    assert send("/v1/unblock", "key", "unblock", "k") == (
        "unblockRequest", {"unblockKeyName": "k"})


def test_sign_sends_the_context(send, tmp_path):
    (tmp_path / "p").write_bytes(b"payload")
    assert send("/v1/sign", "sign", "k", "p", "-a", "ML_DSA", "--context", "invoices") == (
        "signRequest", {"signKeyName": "k", "payload": b64(b"payload"),
                        "signatureAlgorithm": "ML_DSA", "context": b64(b"invoices")})


def test_decrypt_takes_bytes_base64_and_what_encrypt_printed(send, tmp_path):
    cipher = b"\x00\xffcipher"
    plain = ["decrypt", "k", "c", "-a", "AES_GCM"]
    expected = {"decryptKeyName": "k", "encryptedPayload": b64(cipher),
                "cipherAlgorithm": "AES_GCM"}
    for content in (cipher, b64(cipher).encode() + b"\n"):
        (tmp_path / "c").write_bytes(content)
        assert send("/v1/decrypt", *plain) == ("decryptRequest", expected)
    (tmp_path / "c").write_text(json.dumps({
        "encryptedPayload": b64(cipher), "initializationVector": "aXY=",
        "messageAuthenticationCode": None}))
    (tmp_path / "aad").write_bytes(b"more")
    _, inner = send("/v1/decrypt", *plain, "--aad", "aad", "--tag-length", "96")
    assert inner == dict(expected, initializationVector="aXY=", tagLength=96,
                         additionalAuthenticationData=b64(b"more"))
    _, inner = send("/v1/decrypt", *plain, "--iv", "AAAA")
    assert inner["initializationVector"] == "AAAA"


def test_unwrap_sends_the_new_key(send, tmp_path):
    (tmp_path / "w").write_bytes(b"\x01wrapped")
    envelope, inner = send("/v1/unwrap", "unwrap", "k", "w", "new", "--method", "RSA_WRAP_OAEP",
                           "--attributes", "decrypt,encrypt", "--password-file", "secret")
    assert envelope == "unwrapKeyRequest"
    assert inner == {"unwrapKeyName": "k", "unwrapKeyPassword": "s3cret", "label": "new",
                     "wrappedKey": b64(b"\x01wrapped"), "wrapMethod": "RSA_WRAP_OAEP",
                     "attributes": {"decrypt": True, "sign": False, "unwrap": False,
                                    "encrypt": True, "modifiable": False, "destroyable": False}}


def test_certificate_commands_send_names_and_usages(send, tmp_path):
    common = ["-a", "SHA256_WITH_ECDSA", "--usage", "digital-signature,KEY_CERT_SIGN,server_auth"]
    usages = {"signKeyName": "k", "signatureAlgorithm": "SHA256_WITH_ECDSA",
              "keyUsage": ["DIGITAL_SIGNATURE", "KEY_CERT_SIGN"],
              "extendedKeyUsage": ["SERVER_AUTH"], "validity": 365}
    subject = {"commonName": "pay", "organizationName": "Ex, AG", "country": "CH",
               "organizationIdentifier": "VATCH-1"}
    words = ["--subject", "cn=pay, O=Ex\\, AG,C=CH,organizationIdentifier=VATCH-1"]
    assert send("/v1/certificate/request", "certificate", "request", "k", *words, *common) == (
        "csrSignRequest", dict(usages, standardCertificateAttributes=subject))
    assert send("/v1/certificate/selfsign", "certificate", "selfsign", "k", *words, *common,
                "--authority", "--days", "10") == (
        "selfSignCertificateRequest", dict(usages, standardCertificateAttributes=subject,
                                           certificateAuthority=True, validity=10))
    csr = request()
    der = csr.public_bytes(serialization.Encoding.DER)
    for content in (pem(csr).encode(), der):
        (tmp_path / "csr").write_bytes(content)
        envelope, inner = send("/v1/certificate/sign", "certificate", "sign", "k", "csr", *common)
        assert envelope == "signCertificateRequest"
        assert inner == dict(usages, commonName="pay.example.com", certificateAuthority=False,
                             certificateSigningRequest=b64(der))
    _, inner = send("/v1/certificate/sign", "certificate", "sign", "k", "csr", *common,
                    "--subject", "CN=other")
    assert inner["commonName"] == "other"


@pytest.mark.parametrize("args, says", [
    (["decrypt", "k", "c"], "give --algorithm"),
    (["decrypt", "k", "empty", "-a", "AES_GCM"], "is empty"),
    (["decrypt", "k", "c", "-a", "AES_GCM", "--iv", "?"], "--iv is not base64"),
    (["decrypt", "k", "c", "-a", "AES_GCM", "--tag-length", "999"], "from 0 to 128"),
    (["decrypt", "k", "c", "-a", "AES_GCM", "--out", "x"], "--out goes with --wait"),
    (["decrypt", "k", "c", "-a", "AES_GCM", "--fetch-once"], "--fetch-once goes with --wait"),
    (["key", "block", "k", "--timeout", "5"], "--timeout goes with --wait"),
    (["encrypt", "k", "empty", "-a", "AES_GCM"], "nothing to encrypt"),
    (["wrap", "k", "o"], "give --method"),
    (["wrap", "k"], "an operand is missing"),
    (["unwrap", "k", "c", "n", "--method", "AES_WRAP"], "give --attributes"),
    (["unwrap", "k", "c", "n", "--method", "AES_WRAP", "--attributes", "fly"],
     "no attribute 'fly'"),
    (["certificate", "request", "k"], "give --algorithm"),
    (["certificate", "request", "k", "-a", "x"], "give --subject"),
    (["certificate", "request", "k", "-a", "x", "--subject", "O=x"], "give --subject"),
    (["certificate", "request", "k", "-a", "x", "--subject", "CN"], "'CN' is not NAME=value"),
    (["certificate", "request", "k", "-a", "x", "--subject", "CN=a,CN=b"], "CN is given twice"),
    (["certificate", "request", "k", "-a", "x", "--subject", "XX=a"], "no attribute 'XX'"),
    (["certificate", "request", "k", "-a", "x", "--subject", "CN=a", "--usage", "x"],
     "no usage 'x'"),
    (["certificate", "sign", "k", "c", "-a", "x"], "c holds no certificate request"),
    (["certificate", "sign", "k", "csr", "-a", "x", "--subject", "O=a"], "give --subject"),
])
def test_mistakes_are_found_before_anything_is_sent(broker, tmp_path, args, says):
    (tmp_path / "c").write_bytes(b"\x00\xffcipher")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "csr").write_text(pem(request()))
    done = run(*args, "-u", broker.url, cwd=tmp_path, code=1)
    assert says in done.err and broker.calls == [], done


def test_encrypt_and_wrap_give_bytes_or_base64(broker, tmp_path):
    (tmp_path / "plain").write_text("plain")
    encrypt = ["encrypt", "k", "plain", "-a", "AES_GCM", "-u", broker.url]
    answer = {"encryptedPayload": b64(b"\x00cipher"), "initializationVector": None,
              "encryptedPayloadWithoutMessageAuthenticationCode": None,
              "messageAuthenticationCode": None}
    broker.answers["POST", "/v1/encrypt"] = lambda _: (200, answer)
    assert run(*encrypt, cwd=tmp_path).out == b64(b"\x00cipher") + "\n"
    assert run(*encrypt, "--out", "c", cwd=tmp_path).out == ""
    assert (tmp_path / "c").read_bytes() == b"\x00cipher"
    answer["initializationVector"] = "aXY="
    assert "aXY=" in run(*encrypt, "--out", "c", cwd=tmp_path).out
    assert run(*encrypt, "--json", cwd=tmp_path).json == answer
    sent = broker.sent("POST", "/v1/encrypt")[0]
    assert sent == {"encryptRequest": {"encryptKeyName": "k", "payload": b64(b"plain"),
                                       "cipherAlgorithm": "AES_GCM"}}
    for wrong in ({}, {"encryptedPayload": "?"}, []):
        broker.answers["POST", "/v1/encrypt"] = 200, wrong
        assert "not understood" in run(*encrypt, cwd=tmp_path, code=3).err

    (tmp_path / "secret").write_text("s3cret\n")
    broker.answers["POST", "/v1/wrap"] = 200, {"wrappedKey": b64(b"\x00wrapped")}
    wrap = ["wrap", "k", "other", "--method", "AES_WRAP", "-u", broker.url]
    assert run(*wrap).out == b64(b"\x00wrapped") + "\n"
    run(*wrap, "--out", "w", "--wrapped-password-file", "secret", cwd=tmp_path)
    assert (tmp_path / "w").read_bytes() == b"\x00wrapped"
    assert broker.sent("POST", "/v1/wrap")[1] == {"wrapKeyRequest": {
        "wrapKeyName": "k", "keyToBeWrapped": "other", "wrapMethod": "AES_WRAP",
        "keyToBeWrappedPassword": "s3cret"}}
    broker.answers["POST", "/v1/wrap"] = 200, {}
    assert "not understood" in run(*wrap, code=3).err


# ---- results that are given once ----

def view(result):
    return 200, {"id": "r1", "status": "EXECUTED", "executionTime": None, "approvedBy": [],
                 "notYetApprovedBy": [], "rejectedBy": [], "result": result}


def test_fetch_once_takes_the_result_away(broker, tmp_path):
    once = ("GET", "/v1/request/r1?fetchOnce=true")
    broker.answers[once] = view(b64(b"plain"))
    run("request", "wait", "r1", "--fetch-once", "-o", "p", "-u", broker.url, cwd=tmp_path)
    assert (tmp_path / "p").read_bytes() == b"plain"
    assert b64(b"plain") in run("request", "show", "r1", "--fetch-once", "-u", broker.url).out
    broker.answers[once] = view(None)
    assert "given once" in run("request", "wait", "r1", "--fetch-once", "-o", "q", "-u", broker.url,
                               cwd=tmp_path, code=1).err
    assert not (tmp_path / "q").exists()


def test_a_result_that_cannot_be_written_is_printed_when_it_is_the_only_copy(broker, tmp_path):
    broker.answers["GET", "/v1/request/r1?fetchOnce=true"] = view("cGxhaW4=")
    broker.answers["GET", "/v1/request/r1"] = view("cGxhaW4=")
    wait = ["request", "wait", "r1", "-o", "no/such/folder", "-u", broker.url]
    assert run(*wait, "--fetch-once", cwd=tmp_path, code=1).out == "cGxhaW4=\n"
    assert run(*wait, cwd=tmp_path, code=1).out == ""


def test_certificate_show(broker, tmp_path):
    key = Approver("p256", "anna", certificate=True)
    text = x509.load_der_x509_certificate(key.certificate).public_bytes(
        serialization.Encoding.PEM).decode()
    path = ("GET", "/v1/certificate/a%2Fb%20c")
    broker.answers[path] = 200, {"label": "a/b c", "certificate": text}
    show = ["certificate", "show", "a/b c", "-u", broker.url]
    assert "CN=anna" in run(*show, "-o", "c.pem", cwd=tmp_path).out
    assert (tmp_path / "c.pem").read_text() == text
    assert run(*show, "--json").json["certificate"] == text
    for wrong in (None, "nonsense", pem(request())):
        broker.answers[path] = 200, {"label": "a/b c", "certificate": wrong}
        assert "not understood" in run(*show, code=3).err
