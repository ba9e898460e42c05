#include "lib/first.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>

#include "lib/base/str.h"
#include "lib/crypto/keypair.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/plain.h"

static int
refuse(enum tsb_code code, const char *why, struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, code, "%s", why);
}

/* ---- what a key is ---- */

/* The names of the key types of FIPS 204 to 206 are the same here and there. */
static const char *
algorithm_of(const EVP_PKEY *key, struct arena *a)
{
	static const struct {
		const char *openssl, *api;
	} rows[] = {
	    {"RSA", "RSA"},
	    {"EC", "EC"},
	    {"ED25519", "ED"},
	    {"DSA", "DSA"},
	};
	static const char *const same[] = {"ML-DSA-", "SLH-DSA-", "ML-KEM-"};
	const char *type = EVP_PKEY_get0_type_name(key);

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		if (EVP_PKEY_is_a(key, rows[i].openssl))
			return rows[i].api;
	for (size_t i = 0; type != NULL && i < TSB_COUNT(same); i++)
		if (strncmp(type, same[i], strlen(same[i])) == 0)
			return arena_str(a, type);
	return NULL;
}

static int
fill_public(EVP_PKEY *key, struct arena *a, struct plain_key *out, struct tsb_err *err)
{
	der_auto *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	if (n <= 0)
		return refuse(TSB_E_PARSING_KEY, "the key has no public half", err);
	out->spki = arena_view(a, tsb_view_of(der, (size_t)n));
	out->algorithm = algorithm_of(key, a);
	return 0;
}

static int
fill(EVP_PKEY *key, struct arena *a, struct plain_key *out, struct tsb_err *err)
{
	tsb_bytes_auto pkcs8 = {0};

	if (fill_public(key, a, out, err) || crypto_private_format(key, &pkcs8, err))
		return -1;
	out->private_key = arena_view(a, tsb_view_bytes(&pkcs8));
	return 0;
}

/* ---- DER ---- */

/* PKCS#8 in the clear, or the older forms of RSA and EC keys. */
static EVP_PKEY *
open_clear(struct tsb_view der)
{
	const unsigned char *p = der.p;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.n);

	if (key != NULL && p != der.p + der.n) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	ERR_clear_error();
	return key;
}

/* The text of an EncryptedPrivateKeyInfo is a PEM that we read already. */
static bool
is_encrypted_pkcs8(struct tsb_view der)
{
	const unsigned char *p = der.p;
	sealed_auto *sealed = d2i_X509_SIG(NULL, &p, (long)der.n);

	ERR_clear_error();
	return sealed != NULL && p == der.p + der.n;
}

static int
open_encrypted(struct tsb_view der, const char *passphrase, EVP_PKEY **out, struct tsb_err *err)
{
	tsb_bytes_auto pem = {0};

	crypto_pem_write("ENCRYPTED PRIVATE KEY", der, &pem);
	return crypto_private_read(tsb_view_bytes(&pem), passphrase, out, err);
}

static bool
is_pkcs12(struct tsb_view der)
{
	const unsigned char *p = der.p;
	pkcs12_auto *p12 = d2i_PKCS12(NULL, &p, (long)der.n);

	ERR_clear_error();
	return p12 != NULL;
}

static int
open_container(struct tsb_view der, const char *passphrase, EVP_PKEY **out, struct tsb_err *err)
{
	tsb_bytes_auto pkcs8 = {0};

	if (passphrase == NULL)
		return refuse(TSB_E_DECRYPT_FAILED, "the container is encrypted", err);
	return crypto_pkcs12_open(der, tsb_view_str(passphrase), &pkcs8, err)
	    ? -1
	    : crypto_private_parse(tsb_view_bytes(&pkcs8), out, err);
}

/* 1: it is no private key. */
static int
open_der(struct tsb_view der, const char *passphrase, EVP_PKEY **out, struct tsb_err *err)
{
	*out = open_clear(der);
	if (*out != NULL)
		return 0;
	if (is_encrypted_pkcs8(der))
		return open_encrypted(der, passphrase, out, err);
	return is_pkcs12(der) ? open_container(der, passphrase, out, err) : 1;
}

/* ---- either ---- */

/* der: a certificate or a public key. */
static int
fill_lone(struct tsb_view der, struct arena *a, struct plain_key *out, struct tsb_err *err)
{
	const unsigned char *p = der.p;
	x509_auto *cert = d2i_X509(NULL, &p, (long)der.n);
	pkey_auto *key = NULL;

	if (cert != NULL && p == der.p + der.n) {
		out->certificate = arena_view(a, der);
		key = X509_get_pubkey(cert);
	} else {
		p = der.p;
		key = d2i_PUBKEY(NULL, &p, (long)der.n);
	}
	if (key == NULL || p != der.p + der.n)
		return refuse(TSB_E_PARSING_KEY,
		    "it is neither a private key nor a public key nor a certificate", err);
	return fill_public(key, a, out, err);
}

static int
read_der(struct tsb_view der, const char *passphrase, struct arena *a, struct plain_key *out,
    struct tsb_err *err)
{
	pkey_auto *key = NULL;
	int rc = open_der(der, passphrase, &key, err);

	if (rc < 0)
		return -1;
	return rc == 0 ? fill(key, a, out, err) : fill_lone(der, a, out, err);
}

/* The certificate beside a private key, if there is one of it. */
static void
add_certificate(struct tsb_view text, struct arena *a, struct plain_key *out)
{
	struct tsb_view cert;
	struct tsb_err ignored;

	if (crypto_pem_pick(text, PEM_CERTIFICATE, a, &cert, &ignored) == 0 &&
	    crypto_cert_check_key(cert, out->spki, &ignored) == 0)
		out->certificate = cert;
}

static int
read_pem(struct tsb_view text, const char *passphrase, struct arena *a, struct plain_key *out,
    struct tsb_err *err)
{
	pkey_auto *key = NULL;
	struct tsb_view der;

	if (memmem(text.p, text.n, "PRIVATE KEY-----", 16) == NULL)
		return crypto_pem_pick(text, PEM_CERTIFICATE | PEM_PUBLIC_KEY, a, &der, err)
		    ? -1
		    : fill_lone(der, a, out, err);
	if (crypto_private_read(text, passphrase, &key, err) || fill(key, a, out, err))
		return -1;
	add_certificate(text, a, out);
	return 0;
}

int
crypto_plain_read(struct tsb_view file, const char *passphrase, struct arena *a,
    struct plain_key *out, struct tsb_err *err)
{
	struct plain_key k = {0};

	if (file.n == 0 || file.n > INT_MAX)
		return refuse(TSB_E_PARSING_KEY, "it is empty or too long", err);
	if (file.p[0] == 0x30 ? read_der(file, passphrase, a, &k, err)
			      : read_pem(file, passphrase, a, &k, err))
		return -1;
	*out = k;
	return 0;
}

int
crypto_plain_pem(struct tsb_view pkcs8, const char *passphrase, struct tsb_bytes *out,
    struct tsb_err *err)
{
	const unsigned char *p = pkcs8.p;
	pkcs8_auto *info =
	    pkcs8.n > INT_MAX ? NULL : d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)pkcs8.n);

	if (info == NULL || p != pkcs8.p + pkcs8.n)
		return refuse(TSB_E_PARSING_KEY, "the private key is no PKCS#8", err);
	return crypto_private_armour(info, passphrase, out, err);
}
