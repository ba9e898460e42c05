#include "lib/first.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "lib/base/enc.h"
#include "lib/base/file.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/pem.h"

#define BEGIN      "-----BEGIN "
#define END        "-----END "
#define DASHES     "-----"
#define LABEL_MAX  64
#define BLOCKS_MAX 1024
#define LINE_BYTES 48 /* 64 characters (RFC 7468, 2) */
/* Verifying who issued whom costs the square of their number: longer lists are no chains. */
#define CHAIN_MAX 16

static const struct {
	const char *label;
	unsigned kind;
} labels[] = {
    {"CERTIFICATE", PEM_CERTIFICATE},
    {"X509 CERTIFICATE", PEM_CERTIFICATE},
    {"TRUSTED CERTIFICATE", PEM_CERTIFICATE},
    {"PUBLIC KEY", PEM_PUBLIC_KEY},
    {"RSA PUBLIC KEY", PEM_PUBLIC_KEY},
    {"CERTIFICATE REQUEST", PEM_REQUEST},
    {"NEW CERTIFICATE REQUEST", PEM_REQUEST},
};

static const unsigned char *
find(struct tsb_view text, const char *word)
{
	return text.n == 0 ? NULL : memmem(text.p, text.n, word, strlen(word));
}

bool
crypto_pem_has(struct tsb_view text)
{
	return find(text, BEGIN) != NULL;
}

/* ---- one block after the other ---- */

struct armoured {
	struct tsb_view label, body;
};

static void
skip_to(struct tsb_view *text, const unsigned char *p)
{
	text->n -= (size_t)(p - text->p);
	text->p = p;
}

/* Takes the next block off text. Returns 1, 0 at the end, -1 for one without its end. */
static int
next_block(struct tsb_view *text, struct armoured *out, struct tsb_err *err)
{
	const unsigned char *p = find(*text, BEGIN), *end;
	char footer[sizeof(END) + LABEL_MAX + sizeof(DASHES)];

	if (p == NULL)
		return 0;
	skip_to(text, p + strlen(BEGIN));
	end = find(*text, DASHES);
	if (end == NULL || end == text->p || end - text->p > LABEL_MAX)
		return tsb_fail(err, TSB_E_READING_PEM, "PEM: a BEGIN line is not complete");
	out->label = tsb_view_of(text->p, (size_t)(end - text->p));
	if (!tsb_label_valid(out->label))
		return tsb_fail(err, TSB_E_READING_PEM, "PEM: a BEGIN line is not complete");
	skip_to(text, end + strlen(DASHES));
	snprintf(footer, sizeof(footer), END "%.*s" DASHES, (int)out->label.n,
	    (const char *)out->label.p);
	end = find(*text, footer);
	if (end == NULL)
		return tsb_fail(err, TSB_E_READING_PEM, "PEM: the block %.*s has no END line",
		    (int)out->label.n, (const char *)out->label.p);
	out->body = tsb_view_of(text->p, (size_t)(end - text->p));
	skip_to(text, end + strlen(footer));
	return 1;
}

static unsigned
kind_of(struct tsb_view label)
{
	for (size_t i = 0; i < TSB_COUNT(labels); i++)
		if (tsb_view_eq(label, tsb_view_str(labels[i].label)))
			return labels[i].kind;
	return 0;
}

static int
decode(struct tsb_view body, struct arena *a, struct tsb_view *der, struct tsb_err *err)
{
	tsb_bytes_auto bare = {0};

	for (size_t i = 0; i < body.n; i++)
		if (memchr(" \t\r\n", body.p[i], 4) == NULL)
			tsb_bytes_add(&bare, &body.p[i], 1);
	if (!enc_base64_decode(tsb_view_bytes(&bare), a, der) || der->n == 0)
		return tsb_fail(err, TSB_E_READING_PEM, "PEM: the content is not base64");
	return 0;
}

/* Older names stand for other content: what it is today, or as it came when it is neither. */
static void
modernise(struct tsb_view label, struct arena *a, struct tsb_view *der)
{
	const unsigned char *p = der->p;
	der_auto *out = NULL;
	int n = 0;

	if (der->n <= INT_MAX && tsb_view_eq(label, tsb_view_str("RSA PUBLIC KEY"))) {
		pkey_auto *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der->n);

		n = key == NULL || p != der->p + der->n ? 0 : i2d_PUBKEY(key, &out);
	} else if (der->n <= INT_MAX && tsb_view_eq(label, tsb_view_str("TRUSTED CERTIFICATE"))) {
		x509_auto *x = d2i_X509_AUX(NULL, &p, (long)der->n);

		n = x == NULL ? 0 : i2d_X509(x, &out);
	}
	ERR_clear_error();
	if (n > 0)
		*der = arena_view(a, tsb_view_of(out, (size_t)n));
}

/* ---- chains ---- */

static X509 *
certificate_of(const struct pem_block *b)
{
	const unsigned char *p = b->der.p;
	X509 *x = NULL;

	if (b->kind == PEM_CERTIFICATE && b->der.n <= INT_MAX)
		x = d2i_X509(NULL, &p, (long)b->der.n);
	ERR_clear_error();
	return x;
}

/* Two certificates of one name are no chain: the signature decides. */
static bool
issued(X509 *by, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(by);
	bool yes = X509_cmp(by, x) != 0 && X509_check_issued(by, x) == X509_V_OK && key != NULL &&
	    X509_verify(x, key) == 1;

	ERR_clear_error();
	return yes;
}

static void
drop_issuers(struct pem_blocks *b)
{
	X509 *x[CHAIN_MAX] = {NULL};
	bool issuer[CHAIN_MAX] = {false};
	size_t count = b->n, kept = 0;

	if (count < 2 || count > CHAIN_MAX)
		return;
	for (size_t i = 0; i < count; i++)
		x[i] = certificate_of(&b->v[i]);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count && !issuer[i]; k++)
			issuer[i] = k != i && !issuer[k] && x[i] != NULL && x[k] != NULL &&
			    issued(x[i], x[k]);
	for (size_t i = 0; i < count; i++) {
		X509_free(x[i]);
		if (!issuer[i])
			b->v[kept++] = b->v[i];
	}
	b->n = kept;
	b->issuers = count - kept;
}

/* ---- all of a text ---- */

static const char *
kinds_text(unsigned kinds)
{
	return kinds == PEM_REQUEST      ? "certificate request"
	    : kinds == PEM_CERTIFICATE   ? "certificate"
	    : kinds == PEM_PUBLIC_KEY    ? "public key"
	    : (kinds & PEM_REQUEST) == 0 ? "public key or certificate"
					 : "public key, certificate or certificate request";
}

static int
fail_without(unsigned kinds, struct tsb_view other, struct tsb_err *err)
{
	const char *hint = find(other, "PRIVATE KEY") == NULL ? ""
	    : (kinds & PEM_PUBLIC_KEY) != 0                   ? "; give its public half"
							      : "; that belongs to its owner only";

	return tsb_fail(err, TSB_E_READING_PEM, "PEM: no %s, but a block %.*s%s", kinds_text(kinds),
	    (int)other.n, (const char *)other.p, hint);
}

static struct pem_block *
add_block(struct pem_blocks *b, struct arena *a)
{
	struct pem_block *more;

	if ((b->n & (b->n - 1)) == 0) { /* full at each power of two */
		more = arena_array(a, b->n == 0 ? 1 : 2 * b->n, sizeof(*more));
		if (b->n > 0)
			memcpy(more, b->v, b->n * sizeof(*more));
		b->v = more;
	}
	return &b->v[b->n++];
}

int
crypto_pem_all(struct tsb_view text, unsigned kinds, struct arena *a, struct pem_blocks *out,
    struct tsb_err *err)
{
	struct armoured block;
	struct tsb_view other = {NULL, 0};
	struct pem_block *b;
	int rc;

	*out = (struct pem_blocks){0};
	text = tsb_text_start(text);
	if (!crypto_pem_has(text)) {
		if (decode(text, a, &add_block(out, a)->der, err))
			return tsb_fail(err, TSB_E_READING_PEM,
			    "no PEM %s, and not the base64 of one", kinds_text(kinds));
		return 0;
	}
	while ((rc = next_block(&text, &block, err)) > 0) {
		unsigned kind = kind_of(block.label) & kinds;

		if (kind == 0) {
			if (other.n == 0 || find(block.label, "PRIVATE KEY") != NULL)
				other = block.label;
			continue;
		}
		if (out->n == BLOCKS_MAX)
			return tsb_fail(err, TSB_E_READING_PEM, "PEM: more than %d blocks",
			    BLOCKS_MAX);
		b = add_block(out, a);
		b->kind = kind;
		if (decode(block.body, a, &b->der, err))
			return -1;
		modernise(block.label, a, &b->der);
	}
	if (rc < 0)
		return -1;
	if (out->n == 0)
		return fail_without(kinds, other, err);
	drop_issuers(out);
	return 0;
}

int
crypto_pem_pick(struct tsb_view text, unsigned kinds, struct arena *a, struct tsb_view *der,
    struct tsb_err *err)
{
	struct pem_blocks blocks;

	if (crypto_pem_all(text, kinds, a, &blocks, err))
		return -1;
	*der = blocks.v[0].der;
	return 0;
}

/* ---- writing ---- */

void
crypto_pem_write(const char *label, struct tsb_view der, struct tsb_bytes *out)
{
	tsb_bytes_addf(out, BEGIN "%s" DASHES "\n", label);
	for (size_t i = 0; i < der.n; i += LINE_BYTES) {
		size_t n = der.n - i < LINE_BYTES ? der.n - i : LINE_BYTES;

		enc_base64(tsb_view_of(der.p + i, n), out);
		tsb_bytes_add_str(out, "\n");
	}
	tsb_bytes_addf(out, END "%s" DASHES "\n", label);
}
