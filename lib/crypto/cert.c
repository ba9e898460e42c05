#include "lib/first.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/x509.h"

static int
fail_certificate(const char *why, struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_PARSING_CERTIFICATE, "certificate: %s", why);
}

/* OpenSSL reads some BER too: writing again shows whether the input was the one DER form. */
static int
parse(struct tsb_view der, X509 **out, struct tsb_err *err)
{
	const unsigned char *p = der.p;
	der_auto *again = NULL;
	X509 *x;
	int n;

	if (der.n == 0 || der.n > INT_MAX)
		return fail_certificate("has a wrong length", err);
	x = d2i_X509(NULL, &p, (long)der.n);
	if (x == NULL)
		return fail_certificate("does not decode", err);
	if (p != der.p + der.n) {
		X509_free(x);
		return fail_certificate("has bytes behind its end", err);
	}
	n = i2d_X509(x, &again);
	if (n < 0 || !tsb_view_eq(der, tsb_view_of(again, (size_t)n))) {
		X509_free(x);
		return fail_certificate("is not in DER", err);
	}
	*out = x;
	return 0;
}

int
crypto_cert_spki(struct tsb_view cert, struct arena *a, struct tsb_view *spki, struct tsb_err *err)
{
	x509_auto *x = NULL;
	der_auto *p = NULL;
	int n;

	if (parse(cert, &x, err))
		return -1;
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &p);
	if (n <= 0)
		return fail_certificate("has no usable public key", err);
	*spki = arena_view(a, tsb_view_of(p, (size_t)n));
	return 0;
}

int
crypto_public_key(struct tsb_view der, struct arena *a, struct tsb_view *spki, struct tsb_err *err)
{
	struct tsb_err not_one;

	if (crypto_cert_spki(der, a, spki, &not_one) == 0)
		return crypto_spki_check(*spki, err);
	if (crypto_spki_check(der, err))
		return err->code == TSB_E_APPROVER_KEY_TYPE
		    ? -1 /* a key, and the reason that it cannot be used */
		    : tsb_fail(err, TSB_E_PARSING_KEY,
			  "neither a certificate nor a public key (RSA, EC, Ed25519, DSA)");
	*spki = arena_view(a, der);
	return 0;
}

int
crypto_cert_common_name(struct tsb_view cert, struct arena *a, const char **name,
    struct tsb_err *err)
{
	x509_auto *x = NULL;
	der_auto *text = NULL;
	X509_NAME *subject;
	struct tsb_view v;
	int at, n;

	if (parse(cert, &x, err))
		return -1;
	subject = X509_get_subject_name(x);
	at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at < 0) {
		*name = NULL;
		return 0;
	}
	n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (n < 0)
		return fail_certificate("the common name does not decode", err);
	v = tsb_view_of(text, (size_t)n);
	if (v.n == 0 || !tsb_label_valid(v))
		return fail_certificate("the common name is empty or has control characters", err);
	*name = arena_strn(a, v.p, v.n);
	return 0;
}

int
crypto_cert_check_key(struct tsb_view cert, struct tsb_view spki, struct tsb_err *err)
{
	const unsigned char *p = spki.p;
	x509_auto *x = NULL;
	EVP_PKEY *key;
	bool same;

	if (parse(cert, &x, err))
		return -1;
	key = spki.n > INT_MAX ? NULL : d2i_PUBKEY(NULL, &p, (long)spki.n);
	same = key != NULL && X509_get0_pubkey(x) != NULL &&
	    EVP_PKEY_eq(X509_get0_pubkey(x), key) == 1;
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (!same)
		return tsb_fail(err, TSB_E_INVALID_CERTIFICATE, "certificate: is of another key");
	return 0;
}

int
crypto_cert_subject(struct tsb_view cert, struct arena *a, struct tsb_view *name,
    struct tsb_err *err)
{
	x509_auto *x = NULL;
	der_auto *p = NULL;
	int n;

	if (parse(cert, &x, err))
		return -1;
	n = i2d_X509_NAME(X509_get_subject_name(x), &p);
	if (n <= 0 || X509_NAME_entry_count(X509_get_subject_name(x)) == 0)
		return fail_certificate("has no subject", err);
	*name = arena_view(a, tsb_view_of(p, (size_t)n));
	return 0;
}

int
crypto_cert_key_id(struct tsb_view cert, struct arena *a, struct tsb_view *id, struct tsb_err *err)
{
	const ASN1_OCTET_STRING *own;
	x509_auto *x = NULL;
	tsb_bytes_auto made = {0};
	struct tsb_view spki;

	if (parse(cert, &x, err) || crypto_cert_spki(cert, a, &spki, err))
		return -1;
	own = X509_get0_subject_key_id(x);
	if (own != NULL) {
		*id = arena_view(a,
		    tsb_view_of(ASN1_STRING_get0_data(own), (size_t)ASN1_STRING_length(own)));
		return 0;
	}
	if (x509_key_id(spki, &made, err))
		return -1;
	*id = arena_view(a, tsb_view_bytes(&made));
	return 0;
}

int
crypto_cert_valid_at(struct tsb_view cert, int64_t now, struct tsb_err *err)
{
	x509_auto *x = NULL;
	time_t t = (time_t)now;
	int begun, ended;

	if (parse(cert, &x, err))
		return -1;
	/* -1: before or at t, 1: after t, 0: not a time. Both ends belong to the validity. */
	begun = X509_cmp_time(X509_get0_notBefore(x), &t);
	t = (time_t)(now - 1);
	ended = X509_cmp_time(X509_get0_notAfter(x), &t);
	if (begun == 0 || ended == 0)
		return fail_certificate("its validity does not decode", err);
	if (begun > 0)
		return tsb_fail(err, TSB_E_INVALID_CERTIFICATE, "certificate: not valid yet");
	if (ended < 0)
		return tsb_fail(err, TSB_E_INVALID_CERTIFICATE, "certificate: no longer valid");
	return 0;
}

/* ---- PEM ---- */

static bool
is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct tsb_view
trim(struct tsb_view v)
{
	while (v.n > 0 && is_space(v.p[0])) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && is_space(v.p[v.n - 1]))
		v.n--;
	return v;
}

static bool
take_prefix(struct tsb_view *v, const char *prefix)
{
	size_t n = strlen(prefix);

	if (v->n < n || memcmp(v->p, prefix, n) != 0)
		return false;
	v->p += n;
	v->n -= n;
	return true;
}

/* "-----BEGIN label-----" base64 "-----END label-----": v becomes the base64. */
static bool
strip_armour(struct tsb_view *v)
{
	const unsigned char *dash, *end;
	struct tsb_view label, rest;

	if ((dash = memchr(v->p, '-', v->n)) == NULL)
		return false;
	label = (struct tsb_view){v->p, (size_t)(dash - v->p)};
	rest = (struct tsb_view){dash, v->n - label.n};
	if (label.n == 0 || !tsb_label_valid(label) || !take_prefix(&rest, "-----"))
		return false;
	if (rest.n == 0 || (end = memchr(rest.p, '-', rest.n)) == NULL)
		return false;
	*v = (struct tsb_view){rest.p, (size_t)(end - rest.p)};
	rest = (struct tsb_view){end, rest.n - v->n};
	if (!take_prefix(&rest, "-----END ") || rest.n < label.n ||
	    !tsb_view_eq(label, (struct tsb_view){rest.p, label.n}))
		return false;
	rest.p += label.n;
	rest.n -= label.n;
	return take_prefix(&rest, "-----") && rest.n == 0;
}

int
crypto_pem_to_der(struct tsb_view text, struct arena *a, struct tsb_view *der, struct tsb_err *err)
{
	struct tsb_view v = trim(text), out;
	tsb_bytes_auto bare = {0};

	if (take_prefix(&v, "-----BEGIN ") && !strip_armour(&v))
		return tsb_fail(err, TSB_E_READING_PEM, "PEM: not exactly one complete block");
	for (size_t i = 0; i < v.n; i++)
		if (!is_space(v.p[i]))
			tsb_bytes_add(&bare, &v.p[i], 1);
	if (!enc_base64_decode(tsb_view_bytes(&bare), a, &out) || out.n == 0)
		return tsb_fail(err, TSB_E_READING_PEM, "PEM: the content is not base64");
	*der = out;
	return 0;
}
