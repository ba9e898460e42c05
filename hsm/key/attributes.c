#include "lib/first.h"

#include <string.h>

#include "hsm/key/address.h"
#include "hsm/key/attributes.h"
#include "hsm/key/sign.h"

static char *
upper_hex(struct arena *a, struct tsb_view v)
{
	char *hex = arena_alloc(a, 2 * v.n + 1);

	for (size_t i = 0; i < v.n; i++) {
		hex[2 * i] = "0123456789ABCDEF"[v.p[i] >> 4];
		hex[2 * i + 1] = "0123456789ABCDEF"[v.p[i] & 15];
	}
	return hex;
}

/* The names that HSMs have printed for what is SLIP-10 on the curve (api-notes.md 7.9). */
static void
describe_derivation(const struct hsm_key *k, struct arena *a, struct keyattr *out)
{
	if (!k->has_chain)
		return;
	out->derivation_value = upper_hex(a, tsb_view_of(k->chain.code, CHAIN_CODE_SIZE));
	out->derivation_type = k->kind == KEY_ED ? "ADA/SLIP-10"
	    : k->curve == curve_secp256k1        ? "BIP32"
						 : "SLIP-10";
}

static int
describe_address(const struct hsm_key *k, struct arena *a, struct keyattr *out, struct tsb_err *err)
{
	unsigned char address[ADDRESS_SIZE];

	if (k->address_format == NULL)
		return 0;
	if (address_of(k, address, err))
		return -1;
	out->address = upper_hex(a, tsb_view_of(address, sizeof(address)));
	out->address_format = k->address_format;
	return 0;
}

int
attributes_describe(const struct hsm_key *k, uint64_t use_count, int64_t now, struct arena *a,
    struct keyattr *out, struct tsb_err *err)
{
	struct keyattr d = {
	    .root = key_is_secret(k)         ? "secret_key"
		: k->extra & KEY_PUBLIC_ONLY ? "public_key"
					     : "private_key",
	    .creation = k->extra & KEY_IMPORTED ? "imported" : "generated",
	};

	d.label = k->label;
	d.id = k->id;
	d.create_time = k->create_time;
	d.attest_time = now;
	d.has_use_count = true;
	d.use_count = use_count;
	d.wears_out = key_is_stateful(k);
	if (d.wears_out)
		d.signatures_left = key_leaves_left(k);
	d.algorithm = key_algorithm(k);
	d.algorithm_oid = key_algorithm_oid(k);
	d.curve_oid = k->curve != NULL ? k->curve->oid : NULL;
	d.key_size = k->size;
	d.public_key = k->spki;
	memcpy(d.flag, k->flag, sizeof(d.flag));
	d.has_policy = k->has_policy;
	d.policy = k->policy;
	describe_derivation(k, a, &d);
	if (describe_address(k, a, &d, err))
		return -1;
	*out = d;
	return 0;
}

int
attributes_sign(struct tsb_view xml, const struct hsm_key *attestation,
    struct token_key *private_half, struct tsb_bytes *out, struct tsb_err *err)
{
	struct sign_how how = {.form = FORM_DER};

	if (sign_select(attestation, "SHA256_WITH_RSA", xml.n, &how.scheme, err))
		return -1;
	return sign_make(attestation, private_half, &how, xml, out, err);
}

/* Most of what a timestamp would cost: so it stays with the key, as long as that is in memory. */
int
attributes_digest(struct hsm_key *k, struct arena *a, unsigned char digest[CRYPTO_SHA256_SIZE],
    struct tsb_err *err)
{
	tsb_bytes_auto xml = {0};
	tsb_bytes_auto stable = {0};
	struct keyattr d;

	if (!k->has_digest) {
		if (attributes_describe(k, 0, 0, a, &d, err))
			return -1;
		keyattr_format(&d, &xml);
		keyattr_stable_text(tsb_view_bytes(&xml), &stable);
		crypto_sha256(tsb_view_bytes(&stable), k->digest);
		k->has_digest = true;
	}
	memcpy(digest, k->digest, CRYPTO_SHA256_SIZE);
	return 0;
}
