#include "lib/first.h"

#include "lib/crypto/dsa.h"
#include "lib/crypto/ecdsa.h"

#include "hsm/key/sign.h"

static struct scheme_key
as_scheme_key(const struct hsm_key *k)
{
	return (struct scheme_key){.label = k->label,
	    .type = key_is_stateful(k) ? k->set->name : key_kinds[k->kind].algorithm,
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

/* Bitcoin nodes do not relay a high S, and Ethereum refuses it. */
static int
lower(const struct hsm_key *k, const struct tsb_bytes *plain, struct tsb_bytes *der,
    struct tsb_err *err)
{
	if (k->curve == curve_secp256k1)
		return ecdsa_to_low_s(tsb_view_bytes(plain), der, err);
	tsb_bytes_add_view(der, tsb_view_bytes(plain));
	return 0;
}

int
sign_make(const struct hsm_key *k, struct token_key *private_half, const struct sign_how *how,
    struct tsb_view payload, struct tsb_bytes *out, struct tsb_err *err)
{
	const struct scheme *s = how->scheme;
	struct token_sign what = {.scheme = s,
	    .extra = &how->extra,
	    .leaf = how->leaf,
	    .payload_size = payload.n,
	    .input = payload};
	const struct token_ops *ops = private_half->ops;
	unsigned char digest[HASH_SIZE_MAX];
	tsb_bytes_auto plain = {0};
	tsb_bytes_auto der = {0};

	if (!scheme_signs_messages(s) && !scheme_is_hmac(s) && !scheme_is_stateful(s) &&
	    scheme_prepare(s, payload, digest, &what.input, err))
		return -1;
	if (scheme_is_dsa(s) && how->form == FORM_RAW)
		return ops->sign(private_half, k, &what, &plain, err) ||
			dsa_to_raw(k->public_key, tsb_view_bytes(&plain), out, err)
		    ? -1
		    : 0;
	if (!scheme_is_ecdsa(s) || (how->form == FORM_DER && k->curve != curve_secp256k1))
		return ops->sign(private_half, k, &what, out, err);
	if (ops->sign(private_half, k, &what, &plain, err) || lower(k, &plain, &der, err))
		return -1;
	if (how->form == FORM_DER) {
		tsb_bytes_add_view(out, tsb_view_bytes(&der));
		return 0;
	}
	if (how->form == FORM_RAW)
		return ecdsa_to_raw(k->curve, tsb_view_bytes(&der), out, err);
	return ecdsa_to_eth(k->public_key, what.input, tsb_view_bytes(&der), out, err);
}
