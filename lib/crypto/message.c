#include "lib/first.h"

#include <openssl/err.h>
#include <openssl/params.h>

#include "lib/crypto/message.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/scheme_internal.h"

/* Names of parameters that the headers of OpenSSL have since 3.5 only. */
#define PARAM_CONTEXT  "context-string"
#define PARAM_ENCODING "message-encoding"

#define ENCODED_HERE 0 /* the input is M' already */
#define PRE_HASHED   1 /* first byte of M' (FIPS 204, algorithm 4; FIPS 205, algorithm 23) */

/* What OpenSSL is given: the input, and how it is to be taken. */
struct given {
	struct tsb_view input;
	struct tsb_bytes encoded;
	int encoding;
	OSSL_PARAM params[2];
};

static void
given_clear(struct given *g)
{
	tsb_bytes_clear(&g->encoded);
}
#define given_auto struct given __attribute__((cleanup(given_clear)))

/* M' of the pre-hash forms; OpenSSL itself encodes those without. */
static int
encode(const struct scheme *s, struct tsb_view context, struct tsb_view message,
    struct tsb_bytes *out, struct tsb_err *err)
{
	const unsigned char head[] = {PRE_HASHED, (unsigned char)context.n};
	unsigned char digest[HASH_SIZE_MAX];

	if (hash_compute(s->hash, message, digest, err))
		return -1;
	tsb_bytes_add(out, head, sizeof(head));
	tsb_bytes_add_view(out, context);
	hash_oid_format(s->hash, out);
	tsb_bytes_add(out, digest, hash_size(s->hash));
	return 0;
}

static int
prepare(const struct scheme *s, const struct scheme_extra *extra, struct tsb_view message,
    struct given *g, struct tsb_err *err)
{
	const struct tsb_view context = extra->context;

	g->params[1] = OSSL_PARAM_construct_end();
	g->params[0] = g->params[1];
	g->input = message.n ? message : tsb_view_of("", 0);
	if (s->hash != HASH_NONE) {
		if (encode(s, context, message, &g->encoded, err))
			return -1;
		g->input = tsb_view_bytes(&g->encoded);
		g->encoding = ENCODED_HERE;
		g->params[0] = OSSL_PARAM_construct_int(PARAM_ENCODING, &g->encoding);
	} else if (context.n > 0) {
		g->params[0] = OSSL_PARAM_construct_octet_string(PARAM_CONTEXT,
		    (void *)(uintptr_t)context.p, context.n);
	}
	return 0;
}

int
message_sign(EVP_PKEY *key, const struct scheme *s, const struct scheme_extra *extra,
    struct tsb_view message, struct tsb_bytes *out, struct tsb_err *err)
{
	md_ctx_auto *ctx = EVP_MD_CTX_new();
	given_auto g = {0};
	tsb_bytes_auto signature = {0};
	size_t n = (size_t)EVP_PKEY_get_size(key);
	unsigned char *p = tsb_bytes_grow(&signature, n);

	if (prepare(s, extra, message, &g, err))
		return -1;
	if (ctx == NULL || EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key, g.params) != 1 ||
	    EVP_DigestSign(ctx, p, &n, g.input.p, g.input.n) != 1) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_HSM, "Error creating signature.");
	}
	tsb_bytes_add(out, p, n);
	return 0;
}

int
message_verify(EVP_PKEY *key, const struct scheme *s, const struct scheme_extra *extra,
    struct tsb_view message, struct tsb_view signature, bool *valid, struct tsb_err *err)
{
	md_ctx_auto *ctx = EVP_MD_CTX_new();
	given_auto g = {0};

	if (prepare(s, extra, message, &g, err))
		return -1;
	*valid = ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, key, g.params) == 1 &&
	    EVP_DigestVerify(ctx, signature.p, signature.n, g.input.p, g.input.n) == 1;
	ERR_clear_error();
	return 0;
}
