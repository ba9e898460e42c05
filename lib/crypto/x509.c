#include "lib/first.h"

#include <limits.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/crypto/crypto.h"
#include "lib/crypto/der.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/x509_internal.h"

#define SERIAL_SIZE    16
#define SECONDS_OF_DAY 86400

/* ---- extensions ---- */

static void
put_extension(int nid, bool critical, struct tsb_bytes *value, struct tsb_bytes *out)
{
	static const unsigned char yes = 0xff;
	tsb_bytes_auto b = {0};

	der_put_oid(&b, nid);
	if (critical)
		der_put(&b, DER_BOOLEAN, tsb_view_of(&yes, 1));
	der_put_gathered(&b, DER_OCTET_STRING, value);
	der_put_gathered(out, DER_SEQUENCE, &b);
}

/* Bit 0 of RFC 5280 is the first of the octet; zeros at the end are not written (X.690 11.2.2). */
static void
put_key_usage(unsigned usage, struct tsb_bytes *out)
{
	unsigned char bits[3] = {0};
	tsb_bytes_auto value = {0};
	unsigned last = 0;

	for (unsigned i = 0; i <= 8; i++)
		if (usage & 1U << i) {
			bits[1 + i / 8] |= (unsigned char)(0x80 >> i % 8);
			last = i;
		}
	bits[0] = (unsigned char)(7 - last % 8);
	der_put(&value, DER_BIT_STRING, tsb_view_of(bits, 2 + last / 8));
	put_extension(NID_key_usage, true, &value, out);
}

static void
put_extended_key_usage(unsigned usage, struct tsb_bytes *out)
{
	static const int purposes[] = {NID_anyExtendedKeyUsage, NID_server_auth, NID_client_auth,
	    NID_code_sign, NID_email_protect, NID_time_stamp, NID_OCSP_sign};
	tsb_bytes_auto oids = {0};
	tsb_bytes_auto value = {0};

	for (size_t i = 0; i < TSB_COUNT(purposes); i++)
		if (usage & 1U << i)
			der_put_oid(&oids, purposes[i]);
	der_put_gathered(&value, DER_SEQUENCE, &oids);
	put_extension(NID_ext_key_usage, true, &value, out);
}

static void
put_usages(const struct x509_content *c, struct tsb_bytes *out)
{
	if (c->key_usage != 0)
		put_key_usage(c->key_usage, out);
	if (c->extended_key_usage != 0)
		put_extended_key_usage(c->extended_key_usage, out);
}

static void
put_basic_constraints(bool authority, struct tsb_bytes *out)
{
	static const unsigned char yes = 0xff;
	tsb_bytes_auto b = {0};
	tsb_bytes_auto value = {0};

	if (authority) /* FALSE is the default and thus left out */
		der_put(&b, DER_BOOLEAN, tsb_view_of(&yes, 1));
	der_put_gathered(&value, DER_SEQUENCE, &b);
	put_extension(NID_basic_constraints, true, &value, out);
}

static void
put_key_ids(struct tsb_view subject, struct tsb_view issuer, struct tsb_bytes *out)
{
	tsb_bytes_auto b = {0};
	tsb_bytes_auto value = {0};

	der_put(&value, DER_OCTET_STRING, subject);
	put_extension(NID_subject_key_identifier, false, &value, out);
	der_put(&b, DER_CONTEXT, issuer);
	der_put_gathered(&value, DER_SEQUENCE, &b);
	put_extension(NID_authority_key_identifier, false, &value, out);
}

int
x509_key_id(struct tsb_view spki, struct tsb_bytes *out, struct tsb_err *err)
{
	const unsigned char *p = spki.p, *bits;
	unsigned char digest[EVP_MAX_MD_SIZE];
	pubkey_auto *key = spki.n > LONG_MAX ? NULL : d2i_X509_PUBKEY(NULL, &p, (long)spki.n);
	unsigned n;
	int len;

	if (key == NULL || p != spki.p + spki.n ||
	    !X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, key)) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_PARSING_KEY, "public key: does not decode");
	}
	if (!EVP_Digest(bits, (size_t)len, digest, &n, EVP_sha1(), NULL))
		fatal("OpenSSL offers no SHA-1 for key identifiers");
	tsb_bytes_add(out, digest, n);
	return 0;
}

/* ---- the bytes to be signed ---- */

void
x509_request_content(const struct x509_content *c, struct tsb_bytes *out)
{
	tsb_bytes_auto info = {0};
	tsb_bytes_auto a = {0};
	tsb_bytes_auto b = {0};

	der_put_small(&info, 0);
	tsb_bytes_add_view(&info, c->subject);
	tsb_bytes_add_view(&info, c->spki);
	put_usages(c, &a);
	if (a.n > 0) {
		/* attribute extensionRequest (RFC 2985 5.4.2): a set of one list of extensions */
		der_put_gathered(&b, DER_SEQUENCE, &a);
		der_put_oid(&a, NID_ext_req);
		der_put_gathered(&a, DER_SET, &b);
		der_put_gathered(&b, DER_SEQUENCE, &a);
	}
	der_put_gathered(&info, DER_CONTEXT_CONSTRUCTED, &b);
	der_put_gathered(out, DER_SEQUENCE, &info);
}

static void
put_serial(struct tsb_bytes *out)
{
	unsigned char serial[SERIAL_SIZE];

	crypto_random(serial, sizeof(serial));
	/* positive, and never shorter than it looks */
	serial[0] = (serial[0] & 0x7f) | 0x40;
	der_put(out, DER_INTEGER, tsb_view_of(serial, sizeof(serial)));
}

/* UTCTime until 2049, GeneralizedTime from then on (RFC 5280 4.1.2.5). */
static void
put_time(int64_t seconds, struct tsb_bytes *out)
{
	ASN1_TIME *t = ASN1_TIME_adj(NULL, (time_t)seconds, 0, 0);
	der_auto *der = NULL;
	int n = t == NULL ? -1 : i2d_ASN1_TIME(t, &der);

	if (n <= 0)
		fatal("OpenSSL does not write the time %lld", (long long)seconds);
	tsb_bytes_add(out, der, (size_t)n);
	ASN1_TIME_free(t);
}

static void
put_validity(const struct x509_content *c, struct tsb_bytes *out)
{
	tsb_bytes_auto b = {0};

	put_time(c->not_before, &b);
	put_time(c->not_before + (int64_t)c->days * SECONDS_OF_DAY, &b);
	der_put_gathered(out, DER_SEQUENCE, &b);
}

static void
put_extensions(const struct x509_content *c, struct tsb_view key_id, struct tsb_bytes *out)
{
	tsb_bytes_auto all = {0};
	tsb_bytes_auto list = {0};

	put_basic_constraints(c->authority, &all);
	put_usages(c, &all);
	put_key_ids(key_id, c->issuer_key_id, &all);
	der_put_gathered(&list, DER_SEQUENCE, &all);
	der_put_gathered(out, DER_CONTEXT_CONSTRUCTED + 3, &list);
}

int
x509_certificate_content(const struct x509_content *c, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto tbs = {0};
	tsb_bytes_auto b = {0};
	tsb_bytes_auto key_id = {0};

	if (x509_key_id(c->spki, &key_id, err))
		return -1;
	der_put_small(&b, 2); /* version 3 */
	der_put_gathered(&tbs, DER_CONTEXT_CONSTRUCTED, &b);
	put_serial(&tbs);
	x509_algorithm_put(c->algorithm, &tbs);
	tsb_bytes_add_view(&tbs, c->issuer);
	put_validity(c, &tbs);
	tsb_bytes_add_view(&tbs, c->subject);
	tsb_bytes_add_view(&tbs, c->spki);
	put_extensions(c, tsb_view_bytes(&key_id), &tbs);
	der_put_gathered(out, DER_SEQUENCE, &tbs);
	return 0;
}

/* ---- requests of others ---- */

static int
malformed(const char *why, struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_CSR_FORMAT, "certificateSigningRequest %s", why);
}

/* Its key has signed it, so who sends it has the key. */
static int
check_proof(X509_REQ *req, struct tsb_err *err)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(req);
	bool proven = key != NULL && X509_REQ_verify(req, key) == 1;

	ERR_clear_error();
	if (key == NULL)
		return tsb_fail(err, TSB_E_INVALID_CSR,
		    "certificateSigningRequest has a key of an unknown kind");
	if (!proven)
		return tsb_fail(err, TSB_E_INVALID_CSR,
		    "certificateSigningRequest is not signed by its own key");
	return 0;
}

static struct tsb_view
keep(struct arena *a, const unsigned char *p, int n)
{
	if (n <= 0)
		fatal("out of memory: parts of a certificate request");
	return arena_view(a, tsb_view_of(p, (size_t)n));
}

int
x509_request_read(struct tsb_view der, struct arena *a, struct x509_request *out,
    struct tsb_err *err)
{
	const unsigned char *p = der.p;
	req_auto *req = der.n > INT_MAX ? NULL : d2i_X509_REQ(NULL, &p, (long)der.n);
	der_auto *again = NULL;
	der_auto *subject = NULL;
	der_auto *spki = NULL;
	int n;

	if (req == NULL)
		return malformed("does not decode", err);
	if (p != der.p + der.n)
		return malformed("has bytes behind its end", err);
	n = i2d_X509_REQ(req, &again);
	if (n < 0 || !tsb_view_eq(der, tsb_view_of(again, (size_t)n)))
		return malformed("is not in DER", err);
	if (X509_REQ_get_version(req) != 0)
		return malformed("has an unknown version", err);
	if (check_proof(req, err))
		return -1;
	n = i2d_X509_NAME(X509_REQ_get_subject_name(req), &subject);
	out->subject = keep(a, subject, n);
	n = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(req), &spki);
	out->spki = keep(a, spki, n);
	return 0;
}

/* ---- putting together ---- */

/* The HSM is trusted to sign, but a certificate that nobody can verify must not leave. */
static bool
verifies(enum x509_kind kind, struct tsb_view der, struct tsb_view spki)
{
	const unsigned char *p = der.p, *k = spki.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &k, (long)spki.n);
	x509_auto *cert = NULL;
	req_auto *req = NULL;
	bool good;

	if (kind == X509_KIND_CERTIFICATE) {
		cert = d2i_X509(NULL, &p, (long)der.n);
		good = key != NULL && cert != NULL && X509_verify(cert, key) == 1;
	} else {
		req = d2i_X509_REQ(NULL, &p, (long)der.n);
		good = key != NULL && req != NULL && X509_REQ_verify(req, key) == 1;
	}
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good && p == der.p + der.n;
}

static void
put_pem(const char *label, struct tsb_view der, struct tsb_bytes *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (bio == NULL || !PEM_write_bio(bio, label, "", der.p, (long)der.n))
		fatal("out of memory: PEM text");
	n = BIO_get_mem_data(bio, &text);
	tsb_bytes_add(out, text, (size_t)n);
	BIO_free(bio);
}

int
x509_assemble(enum x509_kind kind, struct tsb_view content, const struct scheme *algorithm,
    struct tsb_view signature, struct tsb_view signer_spki, struct tsb_bytes *pem,
    struct tsb_err *err)
{
	static const char *const labels[] = {
	    [X509_KIND_REQUEST] = "NEW CERTIFICATE REQUEST",
	    [X509_KIND_CERTIFICATE] = "CERTIFICATE",
	};
	tsb_bytes_auto b = {0};
	tsb_bytes_auto der = {0};

	tsb_bytes_add_view(&b, content);
	x509_algorithm_put(algorithm, &b);
	der_put_bits(&b, signature);
	der_put_gathered(&der, DER_SEQUENCE, &b);
	if (!verifies(kind, tsb_view_bytes(&der), signer_spki))
		return tsb_fail(err, TSB_E_HSM, "the HSM's signature does not verify with the key");
	put_pem(labels[kind], tsb_view_bytes(&der), pem);
	return 0;
}
