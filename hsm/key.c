#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "lib/base/str.h"
#include "lib/ska/tlv.h"
#include "lib/ska/token.h"

#include "hsm/key.h"

#define PASSWORD_LOG_N 14 /* 16 MiB: a guess costs some 40 ms */
#define PASSWORD_LOG_N_MAX 20
#define SALT_SIZE 16

const struct key_kind_row key_kinds[KEY_KIND__MAX] = {
	[KEY_RSA] = { "RSA", "1.2.840.113549.1.1.1", "RSA" },
	[KEY_EC] = { "EC", "1.2.840.10045.2.1", "EC" },
	[KEY_ED] = { "ED", "1.3.101.112", "ED25519" },
};

/* Elements of the content, in this order; where one may be absent it says so. */
enum key_tag {
	KEY_TAG_LABEL = 0x6001,
	KEY_TAG_ID = 0x6002, /* optional */
	KEY_TAG_KIND = 0x6003,
	KEY_TAG_SYSTEM = 0x6004,
	KEY_TAG_SIZE = 0x6005,	/* RSA */
	KEY_TAG_CURVE = 0x6006, /* EC */
	KEY_TAG_CREATED = 0x6007,
	KEY_TAG_FLAGS = 0x6008,
	KEY_TAG_EXTRA = 0x6009,
	KEY_TAG_ADDRESS_FORMAT = 0x600a, /* optional */
	KEY_TAG_POLICY = 0x600b,	 /* optional */
	KEY_TAG_BLOCKED = 0x600c,	 /* with a policy */
	KEY_TAG_PUBLIC = 0x600d,
	KEY_TAG_LOG_N = 0x600e, /* with a password */
	KEY_TAG_SALT = 0x600f,	/* with a password */
	KEY_TAG_PRIVATE = 0x6010,
};

void
key_pkey_free(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
	*p = NULL;
}

struct hsm_key *
key_new(void)
{
	struct hsm_key *k = calloc(1, sizeof(*k));

	if (!k)
		fatal("out of memory");
	k->refs = 1;
	return k;
}

struct hsm_key *
key_hold(struct hsm_key *k)
{
	k->refs++;
	return k;
}

void
key_release(struct hsm_key **p)
{
	struct hsm_key *k = *p;

	*p = NULL;
	if (!k || --k->refs)
		return;
	EVP_PKEY_free(k->public_key);
	EVP_PKEY_free(k->private_key);
	arena_clear(&k->arena);
	free(k);
}

/* ---- private part ---- */

static int
seal_key(const struct hsm_key *k, struct tsb_view password,
    unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err)
{
	return crypto_scrypt(password, k->salt, k->log_n, key, err);
}

/* The box belongs to its public key: it cannot be moved into another key's file. */
static void
protect(struct hsm_key *k, struct tsb_view plain, const unsigned char key[CRYPTO_BOX_KEY_SIZE])
{
	tsb_bytes_auto box = { 0 };

	crypto_box_seal(key, k->spki, plain, &box);
	k->private_part = arena_view(&k->arena, tsb_view_bytes(&box));
}

static int
set_private_part(struct hsm_key *k, struct tsb_view plain, struct tsb_view password,
    struct tsb_err *err)
{
	unsigned char salt[SALT_SIZE], key[CRYPTO_BOX_KEY_SIZE];

	k->has_password = password.n > 0;
	if (!k->has_password) {
		k->private_part = arena_view(&k->arena, plain);
		return 0;
	}
	crypto_random(salt, sizeof(salt));
	k->salt = arena_view(&k->arena, tsb_view_of(salt, sizeof(salt)));
	k->log_n = PASSWORD_LOG_N;
	if (seal_key(k, password, key, err))
		return -1;
	protect(k, plain, key);
	tsb_wipe(key, sizeof(key));
	return 0;
}

int
key_set_pair(struct hsm_key *k, EVP_PKEY *pair, struct tsb_view password, struct tsb_err *err)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pair);
	unsigned char *spki = NULL, *plain = NULL;
	int nspki = i2d_PUBKEY(pair, &spki);
	int nplain = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &plain) : -1;
	int rc;

	PKCS8_PRIV_KEY_INFO_free(info);
	if (nspki <= 0 || nplain <= 0) {
		ERR_clear_error();
		rc = tsb_fail(err, TSB_E_HSM, "the new key could not be encoded");
	} else {
		k->spki = arena_view(&k->arena, tsb_view_of(spki, (size_t)nspki));
		rc = set_private_part(k, tsb_view_of(plain, (size_t)nplain), password, err);
	}
	OPENSSL_free(spki);
	OPENSSL_clear_free(plain, nplain > 0 ? (size_t)nplain : 0);
	return rc;
}

static int
damaged(struct tsb_err *err, const char *what)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "key file content: %s", what);
}

/* PKCS#8 to its last byte, and the private half of this very key. */
static int
parse_private(const struct hsm_key *k, struct tsb_view plain, EVP_PKEY **out, struct tsb_err *err)
{
	const unsigned char *p = plain.p;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)plain.n);
	EVP_PKEY *pair = info && p == plain.p + plain.n ? EVP_PKCS82PKEY(info) : NULL;

	PKCS8_PRIV_KEY_INFO_free(info);
	if (!pair || EVP_PKEY_eq(pair, k->public_key) != 1) {
		EVP_PKEY_free(pair);
		return damaged(err, "the private key does not belong to the public key");
	}
	*out = pair;
	return 0;
}

static int
unseal(const struct hsm_key *k, struct tsb_view password, struct tsb_bytes *plain,
    struct tsb_err *err)
{
	unsigned char key[CRYPTO_BOX_KEY_SIZE];
	struct tsb_err why;
	int rc = -1;

	if (password.n) {
		if (seal_key(k, password, key, err))
			return -1;
		rc = crypto_box_open(key, k->spki, k->private_part, plain, &why);
		tsb_wipe(key, sizeof(key));
	}
	if (rc)
		return tsb_fail(err, TSB_E_KEY_PASSWORD, "Key password mismatch for key '%s'.",
		    k->label);
	return 0;
}

int
key_check_password(const struct hsm_key *k, struct tsb_view password, struct tsb_err *err)
{
	tsb_bytes_auto plain = { 0 };

	return k->has_password ? unseal(k, password, &plain, err) : 0;
}

int
key_open_private(const struct hsm_key *k, struct tsb_view password, EVP_PKEY **out,
    struct tsb_err *err)
{
	tsb_bytes_auto plain = { 0 };

	if (!k->has_password) {
		EVP_PKEY_up_ref(k->private_key);
		*out = k->private_key;
		return 0;
	}
	if (unseal(k, password, &plain, err))
		return -1;
	return parse_private(k, tsb_view_bytes(&plain), out, err);
}

/* ---- content ---- */

static uint32_t
flags_to_bits(const bool flag[ATTR__MAX])
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < ATTR__MAX; i++)
		bits |= (uint32_t)flag[i] << i;
	return bits;
}

static void
encode_policy(const struct hsm_key *k, struct tsb_bytes *out)
{
	tsb_bytes_auto policy = { 0 };

	if (!k->has_policy)
		return;
	ska_policy_format(&k->policy, &policy);
	tlv_put(out, KEY_TAG_POLICY, tsb_view_bytes(&policy));
	tlv_put_u32(out, KEY_TAG_BLOCKED, k->policy.blocked);
}

void
key_encode(const struct hsm_key *k, struct tsb_bytes *out)
{
	tsb_bytes_auto body = { 0 };

	tlv_put(&body, KEY_TAG_LABEL, tsb_view_str(k->label));
	if (k->id)
		tlv_put(&body, KEY_TAG_ID, tsb_view_str(k->id));
	tlv_put_u32(&body, KEY_TAG_KIND, k->kind);
	tlv_put_u32(&body, KEY_TAG_SYSTEM, k->system);
	if (k->kind == KEY_RSA)
		tlv_put_u32(&body, KEY_TAG_SIZE, k->size);
	if (k->kind == KEY_EC)
		tlv_put(&body, KEY_TAG_CURVE, tsb_view_str(k->curve->oid));
	tlv_put_u64(&body, KEY_TAG_CREATED, (uint64_t)k->create_time);
	tlv_put_u32(&body, KEY_TAG_FLAGS, flags_to_bits(k->flag));
	tlv_put_u32(&body, KEY_TAG_EXTRA, k->extra);
	if (k->address_format)
		tlv_put(&body, KEY_TAG_ADDRESS_FORMAT, tsb_view_str(k->address_format));
	encode_policy(k, &body);
	tlv_put(&body, KEY_TAG_PUBLIC, k->spki);
	if (k->has_password) {
		tlv_put_u32(&body, KEY_TAG_LOG_N, k->log_n);
		tlv_put(&body, KEY_TAG_SALT, k->salt);
	}
	tlv_put(&body, KEY_TAG_PRIVATE, k->private_part);
	tlv_put_container(out, tsb_view_bytes(&body));
}

static int
take_text(struct tlv_reader *r, struct hsm_key *k, unsigned tag, const char **out,
    struct tsb_err *err)
{
	struct tsb_view v;

	if (tlv_take(r, tag, &v, err))
		return -1;
	if (v.n == 0 || v.n > TOKEN_LABEL_MAX || !tsb_label_valid(v))
		return damaged(err, "a text is empty, too long or not printable");
	*out = arena_strn(&k->arena, v.p, v.n);
	return 0;
}

static int
take_optional_text(struct tlv_reader *r, struct hsm_key *k, unsigned tag, const char **out,
    struct tsb_err *err)
{
	return tlv_peek(r) == tag ? take_text(r, k, tag, out, err) : 0;
}

static int
take_number(struct tlv_reader *r, unsigned tag, uint32_t max, uint32_t *out, struct tsb_err *err)
{
	uint32_t v;

	if (tlv_take_u32(r, tag, &v, err))
		return -1;
	if (v > max)
		return damaged(err, "a number is out of range");
	*out = v;
	return 0;
}

static int
take_kind(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	const char *oid;
	uint32_t kind, system, size;

	if (take_number(r, KEY_TAG_KIND, KEY_KIND__MAX - 1, &kind, err) ||
	    take_number(r, KEY_TAG_SYSTEM, KEY_SYSTEM__MAX - 1, &system, err))
		return -1;
	k->kind = kind;
	k->system = system;
	if (kind == KEY_RSA) {
		if (take_number(r, KEY_TAG_SIZE, 16384, &size, err))
			return -1;
		k->size = size;
	}
	if (kind == KEY_EC) {
		if (take_text(r, k, KEY_TAG_CURVE, &oid, err))
			return -1;
		k->curve = curve_by_oid(oid);
		if (!k->curve)
			return damaged(err, "the curve is unknown");
	}
	return 0;
}

static int
take_attributes(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	uint32_t bits, extra;
	uint64_t created;

	if (tlv_take_u64(r, KEY_TAG_CREATED, &created, err) ||
	    take_number(r, KEY_TAG_FLAGS, (1u << ATTR__MAX) - 1, &bits, err) ||
	    take_number(r, KEY_TAG_EXTRA, KEY_EXTRA_ALL, &extra, err) ||
	    take_optional_text(r, k, KEY_TAG_ADDRESS_FORMAT, &k->address_format, err))
		return -1;
	if (created > INT64_C(253402300799)) /* the last second of the year 9999 */
		return damaged(err, "the time of creation is out of range");
	k->create_time = (int64_t)created;
	k->extra = extra;
	for (unsigned i = 0; i < ATTR__MAX; i++)
		k->flag[i] = bits >> i & 1;
	return 0;
}

static int
take_policy(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	struct tsb_view v;
	uint32_t blocked;

	if (tlv_peek(r) != KEY_TAG_POLICY)
		return 0;
	if (tlv_take(r, KEY_TAG_POLICY, &v, err) ||
	    take_number(r, KEY_TAG_BLOCKED, 1, &blocked, err))
		return -1;
	v = arena_view(&k->arena, v); /* the parsed policy points into it */
	if (ska_policy_parse(v, &k->arena, &k->policy, err) ||
	    ska_policy_resolve(&k->policy, &k->arena, crypto_cert_spki, crypto_spki_check, err))
		return -1;
	k->policy.blocked = blocked;
	k->has_policy = true;
	return 0;
}

static bool
on_curve(EVP_PKEY *key, const struct curve *curve)
{
	char group[64];

	return EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	    strcmp(group, curve->group) == 0;
}

static int
take_public(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	struct tsb_view v;
	const unsigned char *p;

	if (tlv_take(r, KEY_TAG_PUBLIC, &v, err))
		return -1;
	k->spki = arena_view(&k->arena, v);
	p = k->spki.p;
	k->public_key = v.n ? d2i_PUBKEY(NULL, &p, (long)v.n) : NULL;
	if (!k->public_key || p != k->spki.p + k->spki.n ||
	    !EVP_PKEY_is_a(k->public_key, key_kinds[k->kind].openssl))
		return damaged(err, "the public key does not decode");
	if (k->kind == KEY_RSA && EVP_PKEY_get_bits(k->public_key) != (int)k->size)
		return damaged(err, "the key has another size");
	if (k->kind == KEY_EC && !on_curve(k->public_key, k->curve))
		return damaged(err, "the key is on another curve");
	return 0;
}

static int
take_private(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	struct tsb_view v;
	uint32_t log_n;

	k->has_password = tlv_peek(r) == KEY_TAG_LOG_N;
	if (k->has_password) {
		if (take_number(r, KEY_TAG_LOG_N, PASSWORD_LOG_N_MAX, &log_n, err) ||
		    tlv_take(r, KEY_TAG_SALT, &v, err))
			return -1;
		if (log_n < 1 || v.n != SALT_SIZE)
			return damaged(err, "the password parameters are out of range");
		k->log_n = log_n;
		k->salt = arena_view(&k->arena, v);
	}
	if (tlv_take(r, KEY_TAG_PRIVATE, &v, err) || tlv_end(r, err))
		return -1;
	k->private_part = arena_view(&k->arena, v);
	return k->has_password ? 0 : parse_private(k, k->private_part, &k->private_key, err);
}

int
key_decode(struct tsb_view content, struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *k = key_new();
	struct tlv_reader r;

	if (tlv_open(content, "key", &r, err) || take_text(&r, k, KEY_TAG_LABEL, &k->label, err) ||
	    take_optional_text(&r, k, KEY_TAG_ID, &k->id, err) || take_kind(&r, k, err) ||
	    take_attributes(&r, k, err) || take_policy(&r, k, err) || take_public(&r, k, err) ||
	    take_private(&r, k, err)) {
		err->code = TSB_E_DATA_CONSTELLATION; /* whatever reader noticed it */
		return -1;
	}
	*out = key_hold(k);
	return 0;
}

int
key_decode_label(struct tsb_view content, struct tsb_view *label, struct tsb_err *err)
{
	struct tlv_reader r;

	if (tlv_open(content, "key", &r, err) || tlv_take(&r, KEY_TAG_LABEL, label, err)) {
		err->code = TSB_E_DATA_CONSTELLATION;
		return -1;
	}
	return 0;
}
