/*
 * Certificates and requests for them (api-notes.md 9). The broker writes what is to be signed, and
 * writes it once: serial number and validity are fixed when the request is made, so approvers
 * approve the very bytes that the HSM signs. To the HSM it is one more signature.
 */
#include "lib/first.h"

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/x509.h"
#include "lib/flow/certificate.h"
#include "lib/flow/hsmcall.h"
#include "lib/flow/rooms.h"
#include "lib/flow/signer.h"
#include "lib/hsm/order.h"

#define KEY_CERT_SIGN (1U << 5)

/* Texts go from one to the other by their place. */
_Static_assert((int)SUBJECT__MAX == (int)DN__MAX &&
	(int)SUBJECT_GENERATION_QUALIFIER == (int)DN_GENERATION_QUALIFIER &&
	(int)SUBJECT_ORGANIZATION_IDENTIFIER == (int)DN_ORGANIZATION_IDENTIFIER,
    "names of subjects");

static enum x509_kind
form_of(enum tsb_kind kind)
{
	return tsb_kinds[kind].content == CONTENT_CERTIFICATE_REQUEST ? X509_KIND_REQUEST
								      : X509_KIND_CERTIFICATE;
}

/* ---- the certificate that the HSM keeps with a key ---- */

/* Codes by which an HSM says that the key has no certificate. */
static bool
is_absence(enum tsb_code code)
{
	return code == TSB_E_INVALID_CERTIFICATE || code == TSB_E_FILE_NOT_FOUND;
}

static int
kept_certificate(struct flow *f, const char *key_name, struct arena *a, struct tsb_view *der,
    struct tsb_err *err)
{
	if (f->rooms->gap->certificate(f, key_name, a, der, err) == 0)
		return 0;
	if (is_absence(err->code))
		tsb_fail(err, TSB_E_INVALID_CERTIFICATE,
		    "key '%s' has no certificate here (POST /v1/certificate/import/plain)",
		    key_name);
	return -1;
}

/* TSB_E_INVALID_CERTIFICATE when the key has none. */
static int
stored_certificate(struct flow *f, const char *key_name, struct arena *a, struct tsb_view *der,
    struct tsb_err *err)
{
	struct tsb_view pem;

	if (f->air_gapped)
		return kept_certificate(f, key_name, a, der, err);
	return hsm_certificate(f->hsm, key_name, a, &pem, err)
	    ? -1
	    : crypto_pem_pick(pem, PEM_CERTIFICATE, a, der, err);
}

/* ---- what is to be signed ---- */

/* Something to be signed, and what its signature has to fit. */
struct draft {
	struct keyattr key;
	const struct scheme *algorithm;
	struct tsb_view subject;
	struct tsb_view content;
};

static int
named_subject(const struct tsb_certificate_in *in, struct arena *a, struct tsb_view *name,
    struct tsb_err *err)
{
	tsb_bytes_auto der = {0};

	if (x509_name(in->subject, &der, err))
		return -1;
	*name = arena_view(a, tsb_view_bytes(&der));
	return 0;
}

/* Whom the certificate is for: the applicant, under the name that the caller gives him. */
static int
applicant(const struct tsb_certificate_in *in, struct arena *a, struct x509_content *content,
    struct tsb_err *err)
{
	struct x509_request request;
	tsb_bytes_auto name = {0};

	if (x509_request_read(in->csr, a, &request, err))
		return -1;
	content->spki = request.spki;
	if (in->named)
		return named_subject(in, a, &content->subject, err);
	if (x509_name_with_common_name(request.subject, in->subject[SUBJECT_COMMON_NAME], &name,
		err))
		return -1;
	content->subject = arena_view(a, tsb_view_bytes(&name));
	return 0;
}

/* The key that will hold the certificate is the one that it is for: nobody approves in vain. */
static int
holder_check(struct flow *f, const char *holder, struct tsb_view spki, struct arena *a,
    struct tsb_err *err)
{
	struct keyattr key;

	if (holder == NULL)
		return 0;
	if (f->air_gapped ? f->rooms->gap->attributes(f, holder, a, &key, NULL, err)
			  : flow_hsm_key(f, holder, a, &key, err))
		/* no member has its password: the HSM compares when it stores the certificate */
		return err->code == TSB_E_KEY_PASSWORD ? 0 : -1;
	if (tsb_view_eq(key.public_key, spki))
		return 0;
	return tsb_fail(err, TSB_E_INVALID_CERTIFICATE,
	    "keyName: certificateSigningRequest is not of the public key of '%s'", holder);
}

/* The issuer is the subject of the signing key's certificate. */
static int
issuer(struct flow *f, const char *key_name, const struct keyattr *key, struct arena *a,
    struct x509_content *content, struct tsb_err *err)
{
	struct tsb_view der;

	if (stored_certificate(f, key_name, a, &der, err) ||
	    crypto_cert_valid_at(der, content->not_before, err) ||
	    crypto_cert_check_key(der, key->public_key, err) ||
	    crypto_cert_subject(der, a, &content->issuer, err))
		return -1;
	return crypto_cert_key_id(der, a, &content->issuer_key_id, err);
}

static int
self_issuer(struct arena *a, struct x509_content *content, struct tsb_err *err)
{
	tsb_bytes_auto id = {0};

	if (x509_key_id(content->spki, &id, err))
		return -1;
	content->issuer = content->subject;
	content->issuer_key_id = arena_view(a, tsb_view_bytes(&id));
	return 0;
}

static int
draft_write(enum x509_kind kind, const struct x509_content *content, struct arena *a,
    struct draft *d, struct tsb_err *err)
{
	tsb_bytes_auto out = {0};

	if (kind == X509_KIND_REQUEST)
		x509_request_content(content, &out);
	else if (x509_certificate_content(content, &out, err))
		return -1;
	d->content = arena_view(a, tsb_view_bytes(&out));
	return 0;
}

static struct x509_content
draft_content(const struct tsb_request_in *in, const struct draft *d)
{
	return (struct x509_content){
	    .subject = d->subject,
	    .spki = d->key.public_key,
	    .key_usage = in->certificate.key_usage,
	    .extended_key_usage = in->certificate.extended_key_usage,
	    .algorithm = d->algorithm,
	    .authority = in->certificate.authority,
	    .not_before = clock_now_ms() / 1000,
	    .days = in->certificate.validity,
	};
}

/* A draft holds the public key, which without an HSM only imported attributes tell. */
static int
draft_key(struct flow *f, const struct tsb_request_in *in, struct arena *a, struct keyattr *key,
    struct tsb_err *err)
{
	if (!f->air_gapped)
		return flow_hsm_key_open(f, in->key_name, in->key_password, a, key, err);
	if (f->rooms->gap->attributes(f, in->key_name, a, key, NULL, err) == 0)
		return 0;
	if (err->code != TSB_E_KEY_NOT_EXISTENT)
		return -1;
	return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
	    "a certificate holds the public key of '%s', which is not known here: import its "
	    "attributes first (POST /v1/key/import/attributes)",
	    in->key_name);
}

static int
draft_make(struct flow *f, const struct tsb_request_in *in, struct arena *a, struct draft *d,
    struct tsb_err *err)
{
	const struct tsb_certificate_in *c = &in->certificate;
	struct x509_content content;

	if (draft_key(f, in, a, &d->key, err) ||
	    x509_algorithm(in->algorithm, d->key.public_key, &d->algorithm, err))
		return -1;
	content = draft_content(in, d);
	if (tsb_kinds[in->kind].content == CONTENT_CERTIFICATE) {
		if (applicant(c, a, &content, err) ||
		    holder_check(f, c->holder, content.spki, a, err) ||
		    issuer(f, in->key_name, &d->key, a, &content, err))
			return -1;
	} else if (named_subject(c, a, &content.subject, err) || self_issuer(a, &content, err)) {
		return -1;
	}
	d->subject = content.subject;
	return draft_write(form_of(in->kind), &content, a, d, err);
}

int
flow_certificate_payload(struct flow *f, const struct tsb_request_in *in, struct arena *a,
    struct tsb_view *payload, struct tsb_err *err)
{
	struct draft d;

	if (draft_make(f, in, a, &d, err))
		return -1;
	*payload = d.content;
	return 0;
}

/* ---- execution ---- */

int
flow_certificate_holder(const struct tsb_request *rq, struct arena *a, const char **label,
    struct tsb_err *err)
{
	struct tsb_view text;

	*label = tsb_kinds[rq->kind].content == CONTENT_SELF_SIGNED ? rq->key_name : NULL;
	if (tsb_kinds[rq->kind].content != CONTENT_CERTIFICATE ||
	    !wire_member_text(rq->inner_clean, "keyName", &text))
		return 0;
	if (wire_text_member_parse(rq->inner_clean, "keyName", a, &text, err))
		return -1;
	*label = arena_strn(a, text.p, text.n);
	return 0;
}

static int
approved_content(const struct tsb_request *rq, struct tsb_view *content, struct tsb_err *err)
{
	struct ska_approval_token token;

	if (ska_approval_token_parse(rq->token, &token, err))
		return -1;
	*content = token.payload;
	return 0;
}

static int
asked_algorithm(const struct tsb_request *rq, struct arena *a, const char **name,
    struct tsb_err *err)
{
	struct tsb_view text;

	if (wire_text_member_parse(rq->inner_clean, "signatureAlgorithm", a, &text, err))
		return -1;
	*name = arena_strn(a, text.p, text.n);
	return 0;
}

int
flow_request_ordered(const struct tsb_request *rq, struct arena *a, enum tsb_kind *kind,
    struct tsb_view *inner, struct tsb_err *err)
{
	tsb_bytes_auto text = {0};
	struct tsb_view content;
	const char *algorithm;

	*kind = tsb_kinds[rq->kind].executed;
	*inner = rq->inner_clean;
	if (!tsb_kind_certifies(rq->kind))
		return 0;
	if (approved_content(rq, &content, err) || asked_algorithm(rq, a, &algorithm, err))
		return -1;
	wire_sign_inner_format(rq->key_name, algorithm, content, &text);
	*inner = arena_view(a, tsb_view_bytes(&text));
	return 0;
}

static int
signature_decode(struct tsb_view base64, struct arena *a, struct tsb_view *out, struct tsb_err *err)
{
	if (!enc_base64_decode(base64, a, out))
		return tsb_fail(err, TSB_E_HSM, "the HSM's signature is not base64");
	return 0;
}

int
flow_certificate_finish(struct flow *f, const struct tsb_request *rq, struct tsb_view answer,
    struct arena *a, struct tsb_view *pem, struct tsb_err *err)
{
	const struct scheme *algorithm;
	const struct flow_key *key;
	struct tsb_view content, signature;
	tsb_bytes_auto out = {0};
	const char *name;

	if (approved_content(rq, &content, err) || asked_algorithm(rq, a, &name, err) ||
	    signature_decode(answer, a, &signature, err) ||
	    flow_key_load(f, NULL, rq->attributes_digest, &key, err))
		return -1;
	if (key == NULL)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the attributes of key '%s' are not in the database", rq->key_name);
	if (x509_algorithm(name, key->parsed.public_key, &algorithm, err) ||
	    x509_assemble(form_of(rq->kind), content, algorithm, signature, key->parsed.public_key,
		&out, err))
		return -1;
	*pem = arena_view(a, tsb_view_bytes(&out));
	return 0;
}

/* ---- at once, for keys that ask for no approvals ---- */

static int
sign_now(struct flow *f, const struct tsb_request_in *in, const struct draft *d,
    enum x509_kind kind, struct arena *a, struct tsb_view *pem, struct tsb_err *err)
{
	tsb_bytes_auto inner = {0};
	tsb_bytes_auto out = {0};
	struct hsm_order order = {
	    .type = HSM_ORDER_EXECUTE,
	    .kind = tsb_kinds[in->kind].executed,
	    .password = in->key_password,
	    .arena = a,
	};
	struct hsm_answer answer;
	struct tsb_view signature;

	wire_sign_inner_format(in->key_name, in->algorithm, d->content, &inner);
	order.inner = tsb_view_bytes(&inner);
	hsm_execute(f->hsm, &order, &answer);
	if (answer.outcome != HSM_DID_IT) {
		*err = answer.why;
		return -1;
	}
	if (signature_decode(answer.result, a, &signature, err) ||
	    x509_assemble(kind, d->content, d->algorithm, signature, d->key.public_key, &out, err))
		return -1;
	*pem = arena_view(a, tsb_view_bytes(&out));
	return 0;
}

/*
 * A key without policy and without certificate gets a self-signed one when a request is made for it
 * (api-notes.md 9.1). A certificate that somebody issued is never replaced on the way, and an HSM
 * that keeps no certificates gets none.
 */
static int
side_certificate(struct flow *f, const struct tsb_request_in *in, struct draft *d, struct arena *a,
    struct tsb_err *err)
{
	struct x509_content content = draft_content(in, d);
	struct tsb_err absent = {0};
	struct tsb_view have, pem;

	if (d->key.has_policy || stored_certificate(f, in->key_name, a, &have, &absent) == 0 ||
	    !hsm_offers(f->hsm, HSM_CERTIFICATES))
		return 0;
	if (absent.code != TSB_E_INVALID_CERTIFICATE) {
		*err = absent;
		return -1;
	}
	content.authority = (content.key_usage & KEY_CERT_SIGN) != 0;
	if (self_issuer(a, &content, err) ||
	    draft_write(X509_KIND_CERTIFICATE, &content, a, d, err) ||
	    sign_now(f, in, d, X509_KIND_CERTIFICATE, a, &pem, err))
		return -1;
	return hsm_certificate_store(f->hsm, in->key_name, pem, err);
}

int
flow_certificate_make(struct flow *f, const struct tsb_request_in *in, struct arena *a,
    struct tsb_view *pem, struct tsb_err *err)
{
	struct draft d;

	if (flow_hsm_need(f, err) || flow_signer_check_request(f, in, err) ||
	    draft_make(f, in, a, &d, err) || sign_now(f, in, &d, form_of(in->kind), a, pem, err))
		return -1;
	if (tsb_kinds[in->kind].content == CONTENT_SELF_SIGNED)
		return hsm_certificate_store(f->hsm, in->key_name, *pem, err);
	if (in->certificate.holder != NULL)
		return hsm_certificate_store(f->hsm, in->certificate.holder, *pem, err);
	return form_of(in->kind) == X509_KIND_REQUEST ? side_certificate(f, in, &d, a, err) : 0;
}
