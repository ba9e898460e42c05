#include "lib/first.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include "lib/base/str.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/pq.h"
#include "lib/crypto/private.h"

#define RSA_BITS 3072
#define PEM_MAX  (64 * 1024)
/* PBKDF2 rounds for new key files: as OWASP recommends for HMAC-SHA256 (2023). */
#define PASSPHRASE_ROUNDS 600000
#define SALT_SIZE         16

struct crypto_private {
	EVP_PKEY *key;
	struct tsb_bytes spki;
	enum ska_digest digest;
};

/* Callers do not see OpenSSL's errors; left in its queue they would mislead the next call. */
static int
refuse(enum tsb_code code, const char *why, struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, code, "private key: %s", why);
}

void
crypto_private_free(struct crypto_private **p)
{
	if (*p == NULL)
		return;
	EVP_PKEY_free((*p)->key);
	tsb_bytes_clear(&(*p)->spki);
	free(*p);
	*p = NULL;
}

/* ---- which digest goes with a key ---- */

static enum ska_digest
digest_of(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "ED25519") || pq_set_of(key) != NULL)
		return DIGEST_NONE;
	if (!EVP_PKEY_is_a(key, "EC") || bits <= 256)
		return DIGEST_SHA256;
	return bits <= 384 ? DIGEST_SHA384 : DIGEST_SHA512;
}

int
crypto_spki_digest(struct tsb_view spki, enum ska_digest *digest, struct tsb_err *err)
{
	const unsigned char *p = spki.p;
	pkey_auto *key = NULL;

	if (crypto_spki_check(spki, err))
		return -1;
	key = d2i_PUBKEY(NULL, &p, (long)spki.n);
	if (key == NULL)
		fatal("out of memory");
	*digest = digest_of(key);
	return 0;
}

enum ska_digest
crypto_private_digest(const struct crypto_private *p)
{
	return p->digest;
}

struct tsb_view
crypto_private_spki(const struct crypto_private *p)
{
	return tsb_view_bytes(&p->spki);
}

/* ---- making and loading ---- */

/* Takes the key, also when it fails. */
static int
adopt(EVP_PKEY *key, struct crypto_private **out, struct tsb_err *err)
{
	struct crypto_private *p = calloc(1, sizeof(*p));
	der_auto *der = NULL;
	int n;

	if (p == NULL)
		fatal("out of memory");
	p->key = key;
	n = i2d_PUBKEY(key, &der);
	if (n <= 0) {
		crypto_private_free(&p);
		return refuse(TSB_E_PARSING_KEY, "it has no public half", err);
	}
	tsb_bytes_add(&p->spki, der, (size_t)n);
	p->digest = digest_of(key);
	if (crypto_spki_check(tsb_view_bytes(&p->spki), err)) {
		crypto_private_free(&p);
		return -1;
	}
	*out = p;
	return 0;
}

struct passphrase {
	const char *text; /* NULL = none */
	bool asked;
};

static int
give_passphrase(char *buf, int size, int writing, void *ctx)
{
	struct passphrase *given = ctx;
	size_t n = given->text == NULL ? 0 : strlen(given->text);

	given->asked = true;
	if (given->text == NULL || n >= (size_t)size)
		return -1;
	memcpy(buf, given->text, n);
	return (int)n;
}

/* The reason for people who have the right file in another form, or another file. */
static const char *
why_no_key(struct tsb_view text)
{
	static const struct {
		const char *has, *why;
	} rows[] = {
	    {"-----BEGIN OPENSSH PRIVATE KEY-----",
		"it is in the form of OpenSSH (ssh-keygen -p -m PKCS8 -f FILE converts a copy)"},
	    {"PRIVATE KEY-----", "its PEM block does not decode"},
	    {"-----BEGIN PUBLIC KEY-----", "this is the public key"},
	    {"-----BEGIN CERTIFICATE-----", "this is a certificate, without the private key"},
	    {"\xfe\xed\xfe\xed",
		"it is a Java key store (keytool -importkeystore "
		"-deststoretype PKCS12 converts it)"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		if (memmem(text.p, text.n, rows[i].has, strlen(rows[i].has)) != NULL)
			return rows[i].why;
	return "there is none in PEM form";
}

/* Under "legacy" OpenSSL 3 keeps the ciphers of old files, such as PBE with MD5 and DES. */
static EVP_PKEY *
read_pem(struct tsb_view pem, struct passphrase *given)
{
	bio_auto *bio = BIO_new_mem_buf(pem.p, (int)pem.n);

	if (bio == NULL)
		fatal("out of memory");
	return PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, given);
}

/*
 * A cipher that no loaded provider has. Only EVP says so: a wrong passphrase may leave bytes behind
 * that the decoders do not support either.
 */
static bool
is_unknown_cipher(void)
{
	bool unknown = false;
	unsigned long e;

	while ((e = ERR_get_error()) != 0)
		unknown = unknown ||
		    (ERR_GET_LIB(e) == ERR_LIB_EVP &&
			(ERR_GET_REASON(e) == ERR_R_UNSUPPORTED ||
			    ERR_GET_REASON(e) == EVP_R_UNKNOWN_PBE_ALGORITHM ||
			    ERR_GET_REASON(e) == EVP_R_UNKNOWN_CIPHER));
	return unknown;
}

/* *unknown stays where there is no such provider. */
static EVP_PKEY *
read_pem_legacy(struct tsb_view pem, struct passphrase *given, bool *unknown)
{
	OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default");
	OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(NULL, "legacy");
	EVP_PKEY *key = NULL;

	ERR_clear_error();
	if (legacy != NULL) {
		key = read_pem(pem, given);
		*unknown = is_unknown_cipher();
	}
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
	return key;
}

int
crypto_private_read(struct tsb_view pem, const char *passphrase, EVP_PKEY **out,
    struct tsb_err *err)
{
	struct passphrase given = {.text = passphrase};
	bool unknown;

	if (pem.n == 0 || pem.n > PEM_MAX)
		return refuse(TSB_E_PARSING_KEY, "the PEM text has a wrong length", err);
	ERR_clear_error();
	*out = read_pem(pem, &given);
	if (*out != NULL)
		return 0;
	unknown = is_unknown_cipher();
	if (given.asked && passphrase != NULL)
		*out = read_pem_legacy(pem, &given, &unknown);
	if (*out != NULL)
		return 0;
	if (!given.asked)
		return refuse(TSB_E_PARSING_KEY, why_no_key(pem), err);
	return refuse(TSB_E_DECRYPT_FAILED,
	    passphrase == NULL ? "it is encrypted"
		: unknown      ? "its cipher is one that OpenSSL reads with -legacy only (openssl "
				 "pkcs8 -topk8 -provider legacy -provider default converts it)"
			       : "the passphrase is wrong",
	    err);
}

int
crypto_private_load(struct tsb_view pem, const char *passphrase, struct crypto_private **out,
    struct tsb_err *err)
{
	EVP_PKEY *key;

	return crypto_private_read(pem, passphrase, &key, err) ? -1 : adopt(key, out, err);
}

int
crypto_private_decode(struct tsb_view pkcs8, struct crypto_private **out, struct tsb_err *err)
{
	EVP_PKEY *key;

	if (crypto_private_parse(pkcs8, &key, err)) {
		err->code = TSB_E_PARSING_KEY;
		return -1;
	}
	return adopt(key, out, err);
}

int
crypto_private_new(const char *type, struct crypto_private **out, struct tsb_err *err)
{
	static const struct {
		const char *type, *algorithm, *curve;
	} rows[] = {
	    {"rsa", "RSA", NULL},
	    {"p256", "EC", "P-256"},
	    {"p384", "EC", "P-384"},
	    {"p521", "EC", "P-521"},
	    {"secp256k1", "EC", "secp256k1"},
	    {"ed25519", "ED25519", NULL},
	    {"ml-dsa-44", "ML-DSA-44", NULL},
	    {"ml-dsa-65", "ML-DSA-65", NULL},
	    {"ml-dsa-87", "ML-DSA-87", NULL},
	};
	const struct pq_set *set;
	EVP_PKEY *key;
	size_t i;

	for (i = 0; i < TSB_COUNT(rows) && !tsb_streq(rows[i].type, type); i++)
		;
	if (i == TSB_COUNT(rows))
		return tsb_fail(err, TSB_E_INPUT,
		    "the type of a key must be rsa, p256, p384, p521, secp256k1, ed25519, ml-dsa-44, "
		    "ml-dsa-65 or ml-dsa-87");
	set = pq_set_by_name(rows[i].algorithm);
	if (set != NULL && !pq_set_is_offered(set))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED, "%s needs OpenSSL 3.5",
		    set->name);
	if (rows[i].curve != NULL)
		key = EVP_PKEY_Q_keygen(NULL, NULL, rows[i].algorithm, rows[i].curve);
	else if (tsb_streq(rows[i].type, "rsa"))
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, rows[i].algorithm);
	if (key == NULL)
		return refuse(TSB_E_TECHNICAL, "it could not be made", err);
	return adopt(key, out, err);
}

/* ---- signing ---- */

int
crypto_private_sign(const struct crypto_private *p, struct tsb_view message, struct tsb_bytes *out,
    struct tsb_err *err)
{
	static const char *const names[DIGEST__MAX] = {
	    [DIGEST_SHA256] = "SHA256",
	    [DIGEST_SHA384] = "SHA384",
	    [DIGEST_SHA512] = "SHA512",
	};
	md_ctx_auto *ctx = EVP_MD_CTX_new();
	tsb_bytes_auto signature = {0};
	size_t n = (size_t)EVP_PKEY_get_size(p->key);
	unsigned char *bytes = tsb_bytes_grow(&signature, n);

	if (ctx == NULL)
		fatal("out of memory");
	if (EVP_DigestSignInit_ex(ctx, NULL, names[p->digest], NULL, NULL, p->key, NULL) != 1 ||
	    EVP_DigestSign(ctx, bytes, &n, message.p, message.n) != 1)
		return refuse(TSB_E_TECHNICAL, "it cannot sign", err);
	tsb_bytes_add(out, bytes, n);
	return 0;
}

/* ---- writing ---- */

/* AES-256-CBC under PBKDF2 with many rounds; OpenSSL's own writer would use 2048. */
static X509_SIG *
encrypt_key(PKCS8_PRIV_KEY_INFO *info, const char *passphrase)
{
	X509_ALGOR *pbe;
	X509_SIG *p8;

	pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PASSPHRASE_ROUNDS, NULL, SALT_SIZE, NULL,
	    NID_hmacWithSHA256);
	if (pbe == NULL)
		return NULL;
	p8 = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), info, pbe);
	if (p8 == NULL)
		X509_ALGOR_free(pbe);
	return p8;
}

int
crypto_private_armour(PKCS8_PRIV_KEY_INFO *info, const char *passphrase, struct tsb_bytes *out,
    struct tsb_err *err)
{
	bio_auto *bio = BIO_new(BIO_s_secmem());
	sealed_auto *p8 = NULL;
	char *text;
	long n;
	int ok;

	if (info == NULL || bio == NULL)
		return refuse(TSB_E_TECHNICAL, "it cannot be written", err);
	if (passphrase != NULL) {
		p8 = encrypt_key(info, passphrase);
		ok = p8 != NULL && PEM_write_bio_PKCS8(bio, p8) == 1;
	} else {
		ok = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info) == 1;
	}
	if (!ok)
		return refuse(TSB_E_TECHNICAL, "it cannot be written", err);
	n = BIO_get_mem_data(bio, &text);
	tsb_bytes_add(out, text, (size_t)n);
	return 0;
}

int
crypto_private_pem(const struct crypto_private *p, const char *passphrase, struct tsb_bytes *out,
    struct tsb_err *err)
{
	pkcs8_auto *info = EVP_PKEY2PKCS8(p->key);

	return crypto_private_armour(info, passphrase, out, err);
}

void
crypto_spki_pem(struct tsb_view spki, struct tsb_bytes *out)
{
	crypto_pem_write("PUBLIC KEY", spki, out);
}
