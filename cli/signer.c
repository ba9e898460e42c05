#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "lib/base/str.h"
#include "lib/crypto/crypto.h"

#include "cli/file.h"
#include "cli/output.h"
#include "cli/signer.h"

#define RSA_BITS 3072
#define KEY_FILE_MAX (64 * 1024)
/* PBKDF2 rounds for new key files: what OWASP asks of HMAC-SHA256 (2023). */
#define PASSPHRASE_ROUNDS 600000

static void free_bio(BIO **b) { BIO_free_all(*b); }
static void free_md_ctx(EVP_MD_CTX **c) { EVP_MD_CTX_free(*c); }
static void free_p8_info(PKCS8_PRIV_KEY_INFO **p) { PKCS8_PRIV_KEY_INFO_free(*p); }
static void free_p8(X509_SIG **p) { X509_SIG_free(*p); }
#define bio_auto BIO __attribute__((cleanup(free_bio)))
#define md_ctx_auto EVP_MD_CTX __attribute__((cleanup(free_md_ctx)))
#define p8_info_auto PKCS8_PRIV_KEY_INFO __attribute__((cleanup(free_p8_info)))
#define p8_auto X509_SIG __attribute__((cleanup(free_p8)))

void
signer_clear(struct signer *s)
{
	EVP_PKEY_free(s->key);
	tsb_bytes_clear(&s->spki);
	*s = (struct signer){ 0 };
}

static enum ska_digest
digest_of(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "ED25519"))
		return DIGEST_NONE;
	if (!EVP_PKEY_is_a(key, "EC") || bits <= 256)
		return DIGEST_SHA256;
	return bits <= 384 ? DIGEST_SHA384 : DIGEST_SHA512;
}

/* Fills all but the certificate from s->key. */
static int
complete(struct signer *s, struct tsb_err *err)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(s->key, &der);

	if (n <= 0)
		return tsb_fail(err, TSB_E_PARSING_KEY, "the key has no public half");
	tsb_bytes_add(&s->spki, der, (size_t)n);
	OPENSSL_free(der);
	s->digest = digest_of(s->key);
	return crypto_spki_check(tsb_view_bytes(&s->spki), err);
}

int
signer_generate(const char *type, struct signer *out, struct tsb_err *err)
{
	static const struct {
		const char *type, *algorithm, *curve;
	} rows[] = {
		{ "rsa", "RSA", NULL },
		{ "p256", "EC", "P-256" },
		{ "p384", "EC", "P-384" },
		{ "p521", "EC", "P-521" },
		{ "secp256k1", "EC", "secp256k1" },
		{ "ed25519", "ED25519", NULL },
	};
	signer_auto s = { 0 };
	size_t i;

	for (i = 0; i < TSB_COUNT(rows) && !tsb_streq(rows[i].type, type); i++)
		;
	if (i == TSB_COUNT(rows))
		return tsb_fail(err, TSB_E_INPUT,
		    "--type must be rsa, p256, p384, p521, secp256k1 or ed25519");
	if (rows[i].curve)
		s.key = EVP_PKEY_Q_keygen(NULL, NULL, rows[i].algorithm, rows[i].curve);
	else if (tsb_streq(rows[i].type, "rsa"))
		s.key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
	else
		s.key = EVP_PKEY_Q_keygen(NULL, NULL, rows[i].algorithm);
	if (!s.key)
		return tsb_fail(err, TSB_E_TECHNICAL, "the key could not be made");
	if (complete(&s, err))
		return -1;
	*out = s;
	s = (struct signer){ 0 };
	return 0;
}

/* What the PEM reader asks when the file turns out to be encrypted. */
struct passphrase_source {
	struct cli *cli;
	const char *path;
	bool failed; /* cli->err says why there is none */
};

/* *out stays NULL when nobody gave one. */
static int
find_passphrase(struct cli *c, const char *prompt, const char **out)
{
	const char *env = getenv("TSB_APPROVER_PASSPHRASE");

	if (c->opt[OPT_PASSPHRASE_FILE])
		return file_read_line(c->opt[OPT_PASSPHRASE_FILE], &c->arena, out, &c->err);
	if (env && *env)
		*out = env;
	else
		file_ask_secret(prompt, &c->arena, out);
	return 0;
}

static int
give_passphrase(char *buf, int size, int writing, void *ctx)
{
	struct passphrase_source *source = ctx;
	const char *text = NULL;
	char prompt[256];

	snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", source->path);
	if (find_passphrase(source->cli, prompt, &text)) {
		source->failed = true;
		return -1;
	}
	if (!text || strlen(text) >= (size_t)size) {
		source->failed = true;
		tsb_fail(&source->cli->err, TSB_E_READING_PEM,
		    "%s is encrypted: give --passphrase-file, TSB_APPROVER_PASSPHRASE or a terminal",
		    source->path);
		return -1;
	}
	memcpy(buf, text, strlen(text));
	return (int)strlen(text);
}

/* A container as tsb approver onboard writes it, or a browser exports. */
static EVP_PKEY *
pkcs12_key(struct tsb_view content, struct passphrase_source *source)
{
	const unsigned char *der = content.p;
	PKCS12 *p12 = d2i_PKCS12(NULL, &der, (long)content.n);
	char passphrase[1024] = "";
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;

	if (p12 && give_passphrase(passphrase, sizeof(passphrase), 0, source) >= 0)
		PKCS12_parse(p12, passphrase, &key, &cert, NULL);
	tsb_wipe(passphrase, sizeof(passphrase));
	X509_free(cert);
	PKCS12_free(p12);
	return key;
}

static EVP_PKEY *
pem_key(struct tsb_view content, struct passphrase_source *source)
{
	bio_auto *bio = BIO_new_mem_buf(content.p, (int)content.n);

	if (!bio)
		fatal("out of memory");
	return PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, source);
}

#define DER_SEQUENCE 0x30 /* no PEM text begins so */

static void
warn_readable(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077))
		output_note("tsb: warning: others may read %s; chmod 600 it", path);
}

static int
load_certificate(struct cli *c, struct signer *s)
{
	struct tsb_view spki;

	if (!c->opt[OPT_CERTIFICATE])
		return 0;
	if (file_read_spki(c->opt[OPT_CERTIFICATE], &c->arena, &spki, &s->certificate, &c->err))
		return -1;
	if (s->certificate.n == 0 || !tsb_view_eq(spki, tsb_view_bytes(&s->spki)))
		return tsb_fail(&c->err, TSB_E_INVALID_CERTIFICATE,
		    "%s is not a certificate of the key of --approver", c->opt[OPT_CERTIFICATE]);
	return 0;
}

int
signer_load(struct cli *c, struct signer *out)
{
	const char *path = c->opt[OPT_APPROVER] ? c->opt[OPT_APPROVER] : getenv("TSB_APPROVER");
	struct passphrase_source source = { c, path, false };
	tsb_bytes_auto content = { 0 };
	signer_auto s = { 0 };
	struct tsb_view file;

	if (!path || !*path)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give the approver's private key with --approver FILE (tsb approver new makes one)");
	if (file_read(path, KEY_FILE_MAX, &content, &c->err))
		return -1;
	warn_readable(path);
	file = tsb_view_bytes(&content);
	s.key = file.n > 0 && file.p[0] == DER_SEQUENCE ? pkcs12_key(file, &source)
							: pem_key(file, &source);
	if (!s.key && source.failed)
		return -1;
	if (!s.key)
		return tsb_fail(&c->err, TSB_E_READING_PEM,
		    "%s holds no private key in PEM form or PKCS #12, or the passphrase is wrong", path);
	if (complete(&s, &c->err) || load_certificate(c, &s))
		return -1;
	*out = s;
	s = (struct signer){ 0 };
	return 0;
}

int
signer_sign(const struct signer *s, struct tsb_view message, struct tsb_bytes *out,
    struct tsb_err *err)
{
	static const char *const names[DIGEST__MAX] = {
		[DIGEST_SHA256] = "SHA256",
		[DIGEST_SHA384] = "SHA384",
		[DIGEST_SHA512] = "SHA512",
	};
	md_ctx_auto *ctx = EVP_MD_CTX_new();
	unsigned char signature[2048];
	size_t n = sizeof(signature);

	if (!ctx)
		fatal("out of memory");
	if (EVP_DigestSignInit_ex(ctx, NULL, names[s->digest], NULL, NULL, s->key, NULL) != 1 ||
	    EVP_DigestSign(ctx, signature, &n, message.p, message.n) != 1)
		return tsb_fail(err, TSB_E_TECHNICAL, "the key of --approver cannot sign");
	tsb_bytes_add(out, signature, n);
	return 0;
}

/* AES-256-CBC under PBKDF2 with many rounds; OpenSSL's own writer would use 2048. */
static X509_SIG *
encrypt_key(PKCS8_PRIV_KEY_INFO *info, const char *passphrase)
{
	X509_ALGOR *pbe;
	X509_SIG *p8;

	pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PASSPHRASE_ROUNDS, NULL, 16, NULL,
	    NID_hmacWithSHA256);
	if (!pbe)
		return NULL;
	p8 = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), info, pbe);
	if (!p8)
		X509_ALGOR_free(pbe);
	return p8;
}

static void
take_bio(BIO *bio, struct tsb_bytes *out)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	tsb_bytes_add(out, p, (size_t)n);
}

int
signer_private_pem(const struct signer *s, const char *passphrase, struct tsb_bytes *out,
    struct tsb_err *err)
{
	p8_info_auto *info = EVP_PKEY2PKCS8(s->key);
	bio_auto *bio = BIO_new(BIO_s_secmem());
	p8_auto *p8 = NULL;
	int ok;

	if (!info || !bio)
		return tsb_fail(err, TSB_E_TECHNICAL, "the key cannot be written");
	if (passphrase) {
		p8 = encrypt_key(info, passphrase);
		ok = p8 && PEM_write_bio_PKCS8(bio, p8) == 1;
	} else {
		ok = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info) == 1;
	}
	if (!ok)
		return tsb_fail(err, TSB_E_TECHNICAL, "the key cannot be written");
	take_bio(bio, out);
	return 0;
}

void
signer_public_pem(const struct signer *s, struct tsb_bytes *out)
{
	bio_auto *bio = BIO_new(BIO_s_mem());

	if (!bio || PEM_write_bio_PUBKEY(bio, s->key) != 1)
		fatal("out of memory");
	take_bio(bio, out);
}
