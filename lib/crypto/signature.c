#include "lib/first.h"

#include <limits.h>

#include <openssl/err.h>

#include "lib/base/str.h"
#include "lib/crypto/dsa.h"
#include "lib/crypto/ecdsa.h"
#include "lib/crypto/message.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/pq.h"
#include "lib/crypto/signature.h"
#include "lib/crypto/signature_internal.h"

#define SPKI_MAX (16 * 1024)

static struct tsb_view
never_null(struct tsb_view v)
{
	return v.n ? v : tsb_view_of("", 0);
}

/* n is the size of the payload that in stands for. */
static bool
verify_input(EVP_PKEY *key, const struct scheme *s, size_t n, struct tsb_view in,
    struct tsb_view sig)
{
	pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	return ctx != NULL && EVP_PKEY_verify_init(ctx) > 0 && scheme_set_padding(s, n, ctx) &&
	    EVP_PKEY_verify(ctx, sig.p, sig.n, in.p, in.n) == 1;
}

/* A raw signature may by chance look like DER: then both readings are tried. */
static bool
verify_ecdsa(EVP_PKEY *key, const struct scheme *s, struct tsb_view digest, struct tsb_view sig)
{
	const struct curve *curve = curve_of(key);
	tsb_bytes_auto der = {0};

	if (ecdsa_is_der(sig) && verify_input(key, s, digest.n, digest, sig))
		return true;
	return curve != NULL && ecdsa_from_raw(curve, sig, &der) &&
	    verify_input(key, s, digest.n, digest, tsb_view_bytes(&der));
}

static bool
verify_schnorr(EVP_PKEY *key, const struct scheme_extra *extra, struct tsb_view message,
    struct tsb_view sig)
{
	unsigned char point[K256_POINT];

	return k256_point_of(key, point) &&
	    k256_schnorr_verify(point, &extra->taproot, message, sig);
}

static bool
verify_dsa(EVP_PKEY *key, const struct scheme *s, struct tsb_view digest, struct tsb_view sig)
{
	tsb_bytes_auto der = {0};

	if (ecdsa_is_der(sig) && verify_input(key, s, digest.n, digest, sig))
		return true;
	return dsa_from_raw(key, sig, &der) &&
	    verify_input(key, s, digest.n, digest, tsb_view_bytes(&der));
}

int
signature_verify(EVP_PKEY *key, const struct scheme *s, const struct scheme_extra *extra,
    struct tsb_view payload, struct tsb_view signature, bool *valid, struct tsb_err *err)
{
	unsigned char digest[HASH_SIZE_MAX];
	struct tsb_view in;

	payload = never_null(payload);
	signature = never_null(signature);
	if (scheme_signs_messages(s))
		return message_verify(key, s, extra, payload, signature, valid, err);
	if (scheme_is_schnorr(s)) {
		*valid = verify_schnorr(key, extra, payload, signature);
	} else {
		if (scheme_prepare(s, payload, digest, &in, err))
			return -1;
		if (scheme_is_ecdsa(s))
			*valid = verify_ecdsa(key, s, in, signature);
		else if (scheme_is_dsa(s))
			*valid = verify_dsa(key, s, in, signature);
		else
			*valid = verify_input(key, s, payload.n, in, signature);
	}
	ERR_clear_error();
	return 0;
}

/* ---- with a form that was asked for ---- */

/* r||s||v is what the same r and s give: s in the lower half, the v that recovers the key. */
static bool
is_eth(EVP_PKEY *key, const struct scheme *s, struct tsb_view payload, struct tsb_view signature)
{
	unsigned char digest[HASH_SIZE_MAX];
	tsb_bytes_auto der = {0};
	tsb_bytes_auto again = {0};
	struct tsb_err err;
	struct tsb_view in;
	bool same = ecdsa_from_raw(curve_secp256k1, signature, &der) &&
	    !scheme_prepare(s, payload, digest, &in, &err) &&
	    !ecdsa_to_eth(key, in, tsb_view_bytes(&der), &again, &err) &&
	    tsb_view_eq(tsb_view_bytes(&again), signature);

	ERR_clear_error();
	return same;
}

static bool
has_form(EVP_PKEY *key, const struct scheme *s, enum scheme_form form, struct tsb_view payload,
    struct tsb_view signature)
{
	const struct curve *curve = curve_of(key);
	size_t scalar = curve != NULL ? curve->scalar : dsa_order_size(key);

	if (!scheme_is_ecdsa(s) && !scheme_is_dsa(s))
		return true;
	switch (form) {
	case FORM_DER:
		return ecdsa_is_der(signature);
	case FORM_RAW:
		return scalar > 0 && signature.n == 2 * scalar;
	case FORM_ETH:
	case FORM__MAX:
		break;
	}
	return is_eth(key, s, payload, signature);
}

#define UNKNOWN_TYPE "of an unknown type"

static int
parse_key(struct tsb_view spki, struct scheme_key *out, struct tsb_err *err)
{
	const unsigned char *p = spki.p;
	EVP_PKEY *k = spki.n && spki.n <= SPKI_MAX ? d2i_PUBKEY(NULL, &p, (long)spki.n) : NULL;
	const struct pq_set *set;

	ERR_clear_error();
	if (k == NULL && (set = pq_set_of_spki(spki)) != NULL)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "public key: signatures of %s are not checked here, for want of %s",
		    set->family, set->needs);
	if (k == NULL || p != spki.p + spki.n) {
		EVP_PKEY_free(k);
		return tsb_fail(err, TSB_E_PARSING_KEY,
		    "public key: not one SubjectPublicKeyInfo in DER");
	}
	*out = (struct scheme_key){.public_key = k, .type = scheme_type_of(k)};
	if (out->type == NULL)
		out->type = UNKNOWN_TYPE;
	return 0;
}

/* A name that nobody knows does not fit this key either. */
static int
select_for(const struct scheme_key *k, const char *algorithm, const char *type, size_t n,
    const struct scheme **s, enum scheme_form *form, struct tsb_err *err)
{
	struct tsb_err why = {0};

	if (!scheme_select(k, algorithm, n, s, &why) && !scheme_form_parse(k, *s, type, form, &why))
		return 0;
	return tsb_fail(err,
	    why.code == TSB_E_PAYLOAD ? TSB_E_PAYLOAD : TSB_E_ALGORITHM_NOT_SUPPORTED, "%s",
	    why.msg);
}

int
crypto_signature_check(struct tsb_view spki, const struct crypto_signed *what, struct tsb_err *err)
{
	const struct scheme *s;
	struct scheme_key k;
	enum scheme_form form;
	pkey_auto *key = NULL;
	bool valid;

	if (parse_key(spki, &k, err))
		return -1;
	key = k.public_key;
	if (select_for(&k, what->algorithm, what->type, what->payload.n, &s, &form, err) ||
	    signature_verify(key, s, &what->extra, what->payload, what->signature, &valid, err))
		return -1;
	if (!valid)
		return tsb_fail(err, TSB_E_INVALID_SIGNATURE, "signature: does not verify");
	if (!has_form(key, s, form, what->payload, what->signature))
		return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
		    "signature: it has not the form %s that was asked for",
		    scheme_form_names[form]);
	return 0;
}

int
crypto_signature_fits(struct tsb_view spki, const char *algorithm, size_t n, struct tsb_err *err)
{
	const struct scheme *s;
	struct scheme_key key;
	struct tsb_err unreadable;
	int rc;

	if (parse_key(spki, &key, &unreadable))
		return 0;
	rc = tsb_streq(key.type, UNKNOWN_TYPE) ? 0 : scheme_fit(&key, algorithm, n, &s, err);
	EVP_PKEY_free(key.public_key);
	return rc;
}
