#include "lib/first.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/crypto/keypair.h"
#include "lib/crypto/owned.h"

#define SERIAL_SIZE 16

static int
broken(const char *what, struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_TECHNICAL, "OpenSSL cannot %s", what);
}

/* ---- making ---- */

int
crypto_private_format(EVP_PKEY *k, struct tsb_bytes *out, struct tsb_err *err)
{
	pkcs8_auto *p8 = EVP_PKEY2PKCS8(k);
	int n = p8 == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(p8, NULL);
	unsigned char *p;

	if (n <= 0)
		return broken("write a private key", err);
	p = tsb_bytes_grow(out, (size_t)n);
	i2d_PKCS8_PRIV_KEY_INFO(p8, &p);
	return 0;
}

int
crypto_private_parse(struct tsb_view der, EVP_PKEY **out, struct tsb_err *err)
{
	const unsigned char *p = der.p;
	pkcs8_auto *p8 = der.n > INT_MAX ? NULL : d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n);
	EVP_PKEY *k = p8 == NULL || p != der.p + der.n ? NULL : EVP_PKCS82PKEY(p8);

	if (k == NULL) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "a private key does not decode");
	}
	*out = k;
	return 0;
}

/* The generator of secrets draws from the kernel once more, and from the HSM's bytes as well. */
static int
seed_generator(struct tsb_view seed, struct tsb_err *err)
{
	EVP_RAND_CTX *generator = RAND_get0_private(NULL);

	if (generator == NULL || EVP_RAND_reseed(generator, 0, NULL, 0, seed.p, seed.n) != 1)
		return broken("seed its generator", err);
	return 0;
}

int
crypto_rsa_new(int bits, struct tsb_view seed, struct tsb_bytes *private_key, struct tsb_err *err)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	pkey_auto *k = NULL;

	if (seed_generator(seed, err))
		return -1;
	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) != 1 || EVP_PKEY_generate(ctx, &k) != 1)
		return broken("make an RSA key", err);
	return crypto_private_format(k, private_key, err);
}

/* ---- certificates ---- */

/* The table of OpenSSL allows 64 characters, names of approvers are longer: set without it. */
static bool
put_common_name(X509 *x, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(x);
	X509_NAME_ENTRY *e = X509_NAME_ENTRY_create_by_NID(NULL, NID_commonName, V_ASN1_UTF8STRING,
	    (const unsigned char *)name, (int)strlen(name));
	bool done = e != NULL && X509_NAME_add_entry(subject, e, -1, 0) == 1 &&
	    X509_set_issuer_name(x, subject) == 1;

	X509_NAME_ENTRY_free(e);
	return done;
}

static bool
put_serial(X509 *x)
{
	unsigned char bytes[SERIAL_SIZE];
	bn_auto *n = NULL;

	crypto_random(bytes, sizeof(bytes));
	bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, and always of this length */
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	return n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
}

static bool
put_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool done;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	done = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return done;
}

static bool
fill_certificate(X509 *x, EVP_PKEY *k, const char *name, int64_t now, long days)
{
	time_t t = (time_t)now;

	return X509_set_version(x, X509_VERSION_3) == 1 && put_serial(x) &&
	    X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &t) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, &t) != NULL &&
	    X509_set_pubkey(x, k) == 1 && put_common_name(x, name) &&
	    put_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	    put_extension(x, NID_key_usage, "critical,digitalSignature") &&
	    put_extension(x, NID_subject_key_identifier, "hash");
}

int
crypto_cert_self_signed(struct tsb_view private_key, const char *name, int64_t now, long days,
    struct tsb_bytes *cert, struct tsb_err *err)
{
	pkey_auto *k = NULL;
	x509_auto *x = X509_new();
	unsigned char *p;
	int n;

	if (crypto_private_parse(private_key, &k, err))
		return -1;
	if (x == NULL || !fill_certificate(x, k, name, now, days) ||
	    X509_sign(x, k, EVP_sha256()) <= 0 || (n = i2d_X509(x, NULL)) <= 0)
		return broken("make a certificate", err);
	p = tsb_bytes_grow(cert, (size_t)n);
	i2d_X509(x, &p);
	return 0;
}

/* ---- sealing for a public key ---- */

int
crypto_rsa_oaep_seal(struct tsb_view spki, struct tsb_view plain, struct tsb_bytes *out,
    struct tsb_err *err)
{
	const unsigned char *p = spki.p;
	pkey_auto *k = spki.n > INT_MAX ? NULL : d2i_PUBKEY(NULL, &p, (long)spki.n);
	pkey_ctx_auto *ctx = k == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	unsigned char buf[2048];
	size_t n = sizeof(buf);

	if (ctx == NULL || !EVP_PKEY_is_a(k, "RSA") || EVP_PKEY_get_size(k) > (int)sizeof(buf)) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_PARSING_KEY,
		    "public key: not an RSA key of usable size");
	}
	if (EVP_PKEY_encrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) != 1 ||
	    EVP_PKEY_encrypt(ctx, buf, &n, plain.p, plain.n) != 1)
		return broken("encrypt for a public key", err);
	tsb_bytes_add(out, buf, n);
	return 0;
}
