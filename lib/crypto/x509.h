/*
 * Certificates and certificate requests around a key that signs elsewhere: the bytes to be signed
 * are built here (RFC 5280, RFC 2986), and put together with the signature once there is one.
 *
 *	x509_algorithm("SHA256_WITH_ECDSA", spki, &algorithm, err)
 *	x509_name(texts, &subject, err)
 *	x509_certificate_content(&content, &tbs, err)
 *	... the key signs tbs ...
 *	x509_assemble(X509_KIND_CERTIFICATE, tbs, algorithm, signature, spki, &pem, err)
 */
#ifndef TSB_CRYPTO_X509_H
#define TSB_CRYPTO_X509_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* Attributes of a name in the order in which they are written. */
enum x509_attribute {
	DN_COMMON_NAME,
	DN_COUNTRY,
	DN_STATE,
	DN_LOCALITY,
	DN_ORGANIZATION,
	DN_ORGANIZATION_UNIT,
	DN_ORGANIZATION_IDENTIFIER,
	DN_EMAIL,
	DN_TITLE,
	DN_SURNAME,
	DN_GIVEN_NAME,
	DN_INITIALS,
	DN_PSEUDONYM,
	DN_GENERATION_QUALIFIER,
	DN__MAX
};

/* Name in DER; texts may be NULL. TSB_E_INPUT names the member that breaks the rule of its type. */
int x509_name(const char *const text[DN__MAX], struct tsb_bytes *der, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The name with this common name instead of its own. */
int x509_name_with_common_name(struct tsb_view name, const char *common_name, struct tsb_bytes *der,
    struct tsb_err *err) TSB_MUSTCHECK;

/* The API's signature algorithm as certificates name it. */
struct scheme;
/* TSB_E_ALGORITHM_NOT_SUPPORTED unless it makes certificates and fits the key. */
int x509_algorithm(const char *name, struct tsb_view spki, const struct scheme **out,
    struct tsb_err *err) TSB_MUSTCHECK;

struct x509_content {
	struct tsb_view subject; /* Name in DER */
	struct tsb_view spki;
	unsigned key_usage; /* 1 << place in api-notes.md 12.4, the bit of RFC 5280 4.2.1.3 */
	unsigned extended_key_usage; /* 1 << place in api-notes.md 12.4 */
	/* of certificates only: */
	const struct scheme *algorithm;
	struct tsb_view issuer; /* Name in DER */
	struct tsb_view issuer_key_id; /* its subject key identifier */
	bool authority; /* may itself issue certificates */
	int64_t not_before; /* seconds */
	long days;
};

/* Appends a CertificationRequestInfo. */
void x509_request_content(const struct x509_content *, struct tsb_bytes *out);
/* Appends a TBSCertificate with a random serial number: no two are alike. TSB_E_PARSING_KEY. */
int x509_certificate_content(const struct x509_content *, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* SHA-1 of the public key (RFC 5280 4.2.1.2, method 1), appended. */
int x509_key_id(struct tsb_view spki, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;

/* A request of somebody else, its signature checked. Views in the arena. */
struct x509_request {
	struct tsb_view subject, spki;
};
/* TSB_E_CSR_FORMAT: not one request in DER; TSB_E_INVALID_CSR: it does not prove its key. */
int x509_request_read(struct tsb_view der, struct arena *a, struct x509_request *out,
    struct tsb_err *err) TSB_MUSTCHECK;

enum x509_kind { X509_KIND_REQUEST, X509_KIND_CERTIFICATE };
/* PEM of the whole. TSB_E_HSM when the signature does not verify with the signing key. */
int x509_assemble(enum x509_kind kind, struct tsb_view content, const struct scheme *algorithm,
    struct tsb_view signature, struct tsb_view signer_spki, struct tsb_bytes *pem,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
