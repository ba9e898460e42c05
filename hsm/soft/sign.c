#include "lib/first.h"

#include <openssl/err.h>

#include "lib/crypto/ecdsa.h"
#include "lib/crypto/owned.h"

#include "hsm/soft/rfc6979.h"
#include "hsm/soft/sign.h"

static struct scheme_key
as_scheme_key(const struct hsm_key *k)
{
	return (struct scheme_key){.label = k->label,
	    .type = key_kinds[k->kind].algorithm,
	    .public_key = k->public_key};
}

int
sign_select(const struct hsm_key *k, const char *name, size_t n, const struct scheme **out,
    struct tsb_err *err)
{
	struct scheme_key key = as_scheme_key(k);

	return scheme_select(&key, name, n, out, err);
}

int
sign_form_parse(const struct hsm_key *k, const struct scheme *s, const char *text,
    enum scheme_form *out, struct tsb_err *err)
{
	struct scheme_key key = as_scheme_key(k);

	return scheme_form_parse(&key, s, text, out, err);
}

static int
failed(struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "Error creating signature.");
}

static int
sign_eddsa(EVP_PKEY *key, struct tsb_view message, struct tsb_bytes *out, struct tsb_err *err)
{
	md_ctx_auto *ctx = EVP_MD_CTX_new();
	unsigned char sig[64];
	size_t n = sizeof(sig);

	if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) <= 0 ||
	    EVP_DigestSign(ctx, sig, &n, message.p, message.n) <= 0)
		return failed(err);
	tsb_bytes_add(out, sig, n);
	return 0;
}

/* payload_size is the size of the payload that in stands for. */
static int
sign_input(EVP_PKEY *key, const struct scheme *s, size_t payload_size, struct tsb_view in,
    struct tsb_bytes *out, struct tsb_err *err)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	unsigned char sig[2048];
	size_t n = sizeof(sig);

	if (!ctx || EVP_PKEY_sign_init(ctx) <= 0 || !scheme_set_padding(s, payload_size, ctx) ||
	    EVP_PKEY_sign(ctx, sig, &n, in.p, in.n) <= 0)
		return failed(err);
	tsb_bytes_add(out, sig, n);
	return 0;
}

static int
sign_ecdsa(const struct hsm_key *k, EVP_PKEY *key, const struct scheme *s, enum scheme_form form,
    struct tsb_view digest, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto der = {0};
	struct tsb_view v;
	int rc;

	if (scheme_is_deterministic(s))
		rc = rfc6979_sign(k->curve, key, digest, &der, err);
	else
		rc = sign_input(key, s, digest.n, digest, &der, err);
	if (rc)
		return -1;
	v = tsb_view_bytes(&der);
	if (form == FORM_RAW)
		return ecdsa_to_raw(k->curve, v, out, err);
	if (form == FORM_ETH)
		return ecdsa_to_eth(k->curve, k->public_key, digest, v, out, err);
	tsb_bytes_add_view(out, v);
	return 0;
}

int
sign_make(const struct hsm_key *k, EVP_PKEY *private_key, const struct scheme *s,
    enum scheme_form form, struct tsb_view payload, struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char digest[HASH_SIZE_MAX];
	struct tsb_view in;

	if (scheme_is_eddsa(s))
		return sign_eddsa(private_key, payload, out, err);
	if (scheme_prepare(s, payload, digest, &in, err))
		return -1;
	if (scheme_is_ecdsa(s))
		return sign_ecdsa(k, private_key, s, form, in, out, err);
	return sign_input(private_key, s, payload.n, in, out, err);
}
