/* The content of key files (docs/key-store.md). Only what we write is read. */
#include "lib/first.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "lib/base/str.h"
#include "lib/crypto/hbs.h"
#include "lib/ska/tlv.h"
#include "lib/ska/token.h"

#include "hsm/key/key.h"

#define PASSWORD_LOG_N_MAX 20

/* Elements of the content, in this order but for TOKEN. */
enum key_tag {
	KEY_TAG_LABEL = 0x6001,
	KEY_TAG_ID = 0x6002, /* optional */
	KEY_TAG_KIND = 0x6003,
	KEY_TAG_SYSTEM = 0x6004,
	KEY_TAG_SIZE = 0x6005, /* of kinds that have sizes */
	KEY_TAG_CURVE =
	    0x6006, /* EC; and the parameter set of kinds that have them, if need be by name */
	KEY_TAG_CREATED = 0x6007,
	KEY_TAG_FLAGS = 0x6008,
	KEY_TAG_EXTRA = 0x6009,
	KEY_TAG_ADDRESS_FORMAT = 0x600a, /* optional */
	KEY_TAG_POLICY = 0x600b, /* optional */
	KEY_TAG_BLOCKED = 0x600c, /* with a policy */
	KEY_TAG_PUBLIC = 0x600d, /* not of secret keys */
	KEY_TAG_LOG_N = 0x600e, /* with a password */
	KEY_TAG_SALT = 0x600f, /* with a password */
	KEY_TAG_PRIVATE = 0x6010, /* unless there is a public key alone */
	KEY_TAG_CERTIFICATE = 0x6011, /* optional */
	KEY_TAG_UNDATED = 0x6012, /* optional: what older versions wrote for DONE */
	KEY_TAG_TOKEN = 0x6013, /* before LOG_N; absent = KEY_TOKEN_SOFT */
	KEY_TAG_DONE = 0x6014, /* optional */
	KEY_TAG_FORGOTTEN = 0x6015, /* with DONE; absent = nothing */
	KEY_TAG_IDLE = 0x6016, /* optional */
	KEY_TAG_APPROVERS = 0x6017, /* with DONE, behind FORGOTTEN; optional */
	KEY_TAG_CHAIN = 0x6018, /* EC, ED, behind PUBLIC; optional */
	KEY_TAG_LEAF = 0x6019, /* of keys that wear out, behind PUBLIC */
	KEY_TAG_HOME = 0x601a, /* behind LEAF */
};

static int
damaged(struct tsb_err *err, const char *what)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "key file content: %s", what);
}

/* ---- writing ---- */

static uint32_t
flags_to_bits(const bool flag[ATTR__MAX])
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < ATTR__MAX; i++)
		bits |= (uint32_t)flag[i] << i;
	return bits;
}

static void
encode_chain(const struct hsm_key *k, struct tsb_bytes *out)
{
	tsb_bytes_auto chain = {0};

	if (!k->has_chain)
		return;
	chain_encode(&k->chain, &chain);
	tlv_put(out, KEY_TAG_CHAIN, tsb_view_bytes(&chain));
}

static void
encode_policy(const struct hsm_key *k, struct tsb_bytes *out)
{
	tsb_bytes_auto policy = {0};

	if (!k->has_policy)
		return;
	ska_policy_format(&k->policy, &policy);
	tlv_put(out, KEY_TAG_POLICY, tsb_view_bytes(&policy));
	tlv_put_u32(out, KEY_TAG_BLOCKED, k->policy.blocked);
}

void
key_encode(const struct hsm_key *k, struct tsb_bytes *out)
{
	tsb_bytes_auto body = {0};

	tlv_put(&body, KEY_TAG_LABEL, tsb_view_str(k->label));
	if (k->id != NULL)
		tlv_put(&body, KEY_TAG_ID, tsb_view_str(k->id));
	tlv_put_u32(&body, KEY_TAG_KIND, k->kind);
	tlv_put_u32(&body, KEY_TAG_SYSTEM, k->system);
	if (key_kind_has_size(k->kind))
		tlv_put_u32(&body, KEY_TAG_SIZE, k->size);
	if (k->kind == KEY_EC)
		tlv_put(&body, KEY_TAG_CURVE, tsb_view_str(k->curve->oid));
	if (k->set != NULL)
		tlv_put(&body, KEY_TAG_CURVE,
		    tsb_view_str(key_is_stateful(k) ? k->set->name : k->set->oid));
	tlv_put_u64(&body, KEY_TAG_CREATED, (uint64_t)k->create_time);
	tlv_put_u32(&body, KEY_TAG_FLAGS, flags_to_bits(k->flag));
	tlv_put_u32(&body, KEY_TAG_EXTRA, k->extra);
	if (k->address_format != NULL)
		tlv_put(&body, KEY_TAG_ADDRESS_FORMAT, tsb_view_str(k->address_format));
	encode_policy(k, &body);
	if (!key_is_secret(k))
		tlv_put(&body, KEY_TAG_PUBLIC, k->spki);
	encode_chain(k, &body);
	if (key_is_stateful(k)) {
		tlv_put_u32(&body, KEY_TAG_LEAF, k->leaf);
		tlv_put(&body, KEY_TAG_HOME, k->home);
	}
	if (!tsb_streq(k->token, KEY_TOKEN_SOFT))
		tlv_put(&body, KEY_TAG_TOKEN, tsb_view_str(k->token));
	if (k->has_password) {
		tlv_put_u32(&body, KEY_TAG_LOG_N, k->log_n);
		tlv_put(&body, KEY_TAG_SALT, k->salt);
	}
	if (!(k->extra & KEY_PUBLIC_ONLY))
		tlv_put(&body, KEY_TAG_PRIVATE, k->private_part);
	if (k->certificate.n)
		tlv_put(&body, KEY_TAG_CERTIFICATE, k->certificate);
	if (k->undated.n)
		tlv_put(&body, KEY_TAG_UNDATED, k->undated);
	if (k->done.n)
		tlv_put(&body, KEY_TAG_DONE, k->done);
	if (k->forgotten)
		tlv_put_u64(&body, KEY_TAG_FORGOTTEN, k->forgotten);
	if (k->approvers.n)
		tlv_put(&body, KEY_TAG_APPROVERS, k->approvers);
	if (k->idle.n)
		tlv_put(&body, KEY_TAG_IDLE, k->idle);
	tlv_put_container(out, tsb_view_bytes(&body));
}

/* ---- reading ---- */

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

/*
 * Sets of keys that wear out go by name, because they share an OID. A key store may have moved to
 * where a library is older or missing.
 */
static int
take_set(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	const char *text;

	if (take_text(r, k, KEY_TAG_CURVE, &text, err))
		return -1;
	k->set = k->kind == KEY_HSS_LMS || k->kind == KEY_XMSS ? pq_set_by_name(text)
							       : pq_set_by_oid(text);
	if (k->set == NULL || !tsb_streq(k->set->family, key_kinds[k->kind].algorithm))
		return damaged(err, "the parameter set is unknown");
	if (!pq_set_is_offered(k->set))
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "key '%s' is of %s, which needs %s",
		    k->label, k->set->name, k->set->needs);
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
	if (key_kind_has_size(k->kind)) {
		if (take_number(r, KEY_TAG_SIZE, 16384, &size, err))
			return -1;
		k->size = size;
	}
	if (key_is_secret(k) && !key_size_is_taken(k->kind, k->size))
		return damaged(err, "the secret key has another size");
	if (kind == KEY_EC) {
		if (take_text(r, k, KEY_TAG_CURVE, &oid, err))
			return -1;
		k->curve = curve_by_oid(oid);
		if (k->curve == NULL)
			return damaged(err, "the curve is unknown");
	}
	return key_kind_has_set(k->kind) ? take_set(r, k, err) : 0;
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
	if (key_is_secret(k))
		return damaged(err, "a secret key has no policy");
	if (tlv_take(r, KEY_TAG_POLICY, &v, err) ||
	    take_number(r, KEY_TAG_BLOCKED, 1, &blocked, err))
		return -1;
	v = arena_view(&k->arena, v); /* the parsed policy points into it */
	if (ska_policy_parse(v, &k->arena, &k->policy, err) ||
	    ska_policy_resolve(&k->policy, &k->arena, crypto_cert_spki, NULL, err))
		return -1;
	k->policy.blocked = blocked;
	k->has_policy = true;
	return 0;
}

static int
take_public(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	struct tsb_view v;
	const unsigned char *p;

	if (key_is_secret(k))
		return 0;
	if (tlv_take(r, KEY_TAG_PUBLIC, &v, err))
		return -1;
	k->spki = arena_view(&k->arena, v);
	if (key_is_stateful(k)) /* the token decodes it with the private half */
		return k->spki.n > 0 && !(k->extra & KEY_PUBLIC_ONLY)
		    ? 0
		    : damaged(err, "the public key cannot be there");
	p = k->spki.p;
	k->public_key = v.n ? d2i_PUBKEY(NULL, &p, (long)v.n) : NULL;
	if (k->public_key == NULL || p != k->spki.p + k->spki.n || !key_fits(k, k->public_key))
		return damaged(err, "the public key does not decode");
	if (key_kind_has_size(k->kind) && EVP_PKEY_get_bits(k->public_key) != (int)k->size)
		return damaged(err, "the key has another size");
	if (k->kind == KEY_EC && curve_of(k->public_key) != k->curve)
		return damaged(err, "the key is on another curve");
	return 0;
}

static int
take_chain(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	struct tsb_view v;

	if (tlv_peek(r) != KEY_TAG_CHAIN)
		return 0;
	if (tlv_take(r, KEY_TAG_CHAIN, &v, err))
		return -1;
	if ((k->kind != KEY_EC && k->kind != KEY_ED) || (k->extra & KEY_PUBLIC_ONLY) ||
	    !chain_decode(v, &k->chain))
		return damaged(err, "the chain code cannot be there");
	k->has_chain = true;
	return 0;
}

static int
take_leaf(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	struct tsb_view home;

	if (!key_is_stateful(k))
		return 0;
	if (take_number(r, KEY_TAG_LEAF, hbs_leaves(k->set), &k->leaf, err) ||
	    tlv_take(r, KEY_TAG_HOME, &home, err))
		return -1;
	if (home.n != 0 && home.n != KEY_HOME_SIZE)
		return damaged(err, "the identity of the file has another size");
	k->home = arena_view(&k->arena, home);
	return 0;
}

static int
take_password(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	struct tsb_view v;
	uint32_t log_n;

	k->has_password = tlv_peek(r) == KEY_TAG_LOG_N;
	if (!k->has_password)
		return 0;
	if (take_number(r, KEY_TAG_LOG_N, PASSWORD_LOG_N_MAX, &log_n, err) ||
	    tlv_take(r, KEY_TAG_SALT, &v, err))
		return -1;
	if (log_n < 1 || v.n != KEY_SALT_SIZE)
		return damaged(err, "the password parameters are out of range");
	k->log_n = log_n;
	k->salt = arena_view(&k->arena, v);
	return 0;
}

/* "soft" is never written: files without a name mean it, as they did when it was the only token. */
static int
take_token(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	if (tlv_peek(r) != KEY_TAG_TOKEN)
		return 0;
	if (take_text(r, k, KEY_TAG_TOKEN, &k->token, err))
		return -1;
	if (tsb_streq(k->token, KEY_TOKEN_SOFT))
		return damaged(err, "the token that goes without saying is named");
	return 0;
}

static int
take_private(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	struct tsb_view v;

	if (k->extra & KEY_PUBLIC_ONLY)
		return !key_is_secret(k) && !k->has_policy
		    ? 0
		    : damaged(err, "a public key alone cannot be such a key");
	if (take_token(r, k, err) || take_password(r, k, err) ||
	    tlv_take(r, KEY_TAG_PRIVATE, &v, err))
		return -1;
	if (v.n == 0)
		return damaged(err, "the private part is empty");
	if (key_is_secret(k) && tsb_streq(k->token, KEY_TOKEN_SOFT) &&
	    v.n != k->size / 8 + (k->has_password ? CRYPTO_BOX_OVERHEAD : 0))
		return damaged(err, "the secret key has another size");
	k->private_part = arena_view(&k->arena, v);
	return 0;
}

static int
take_executed(struct tlv_reader *r, struct hsm_key *k, unsigned tag, size_t size, size_t most,
    struct tsb_view *out, struct tsb_err *err)
{
	struct tsb_view v;

	if (tlv_peek(r) != tag)
		return 0;
	if (tlv_take(r, tag, &v, err))
		return -1;
	if (v.n == 0 || v.n % size != 0 || v.n / size > most || !k->has_policy)
		return damaged(err, "the list of executed approvals cannot be there");
	*out = arena_view(&k->arena, v);
	return 0;
}

/* A file has the list of older versions or what replaced it. */
static int
take_lists(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	if (tlv_peek(r) == KEY_TAG_UNDATED)
		return take_executed(r, k, KEY_TAG_UNDATED, CRYPTO_SHA256_SIZE, KEY_DONE_KEPT,
		    &k->undated, err);
	if (take_executed(r, k, KEY_TAG_DONE, KEY_DONE_SIZE, KEY_DONE_MAX, &k->done, err))
		return -1;
	if (tlv_peek(r) == KEY_TAG_FORGOTTEN) {
		if (tlv_take_u64(r, KEY_TAG_FORGOTTEN, &k->forgotten, err))
			return -1;
		if (k->forgotten == 0 || k->done.n == 0)
			return damaged(err, "nothing can be forgotten");
	}
	if (take_executed(r, k, KEY_TAG_APPROVERS, KEY_DONE_SIZE, KEY_DONE_MAX, &k->approvers, err))
		return -1;
	if (k->approvers.n > 0 && k->done.n == 0)
		return damaged(err, "nobody can have approved nothing");
	return take_executed(r, k, KEY_TAG_IDLE, KEY_DONE_SIZE, KEY_DONE_MAX, &k->idle, err);
}

/* What the key works without. */
static int
take_additions(struct tlv_reader *r, struct hsm_key *k, struct tsb_err *err)
{
	struct tsb_view v;

	if (tlv_peek(r) == KEY_TAG_CERTIFICATE) {
		if (tlv_take(r, KEY_TAG_CERTIFICATE, &v, err))
			return -1;
		if (v.n == 0 || key_is_secret(k))
			return damaged(err, "the certificate cannot be there");
		k->certificate = arena_view(&k->arena, v);
	}
	return take_lists(r, k, err) || tlv_end(r, err) ? -1 : 0;
}

int
key_decode(struct tsb_view content, struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *k = key_new();
	struct tlv_reader r;

	if (tlv_open(content, "key", &r, err) || take_text(&r, k, KEY_TAG_LABEL, &k->label, err) ||
	    take_optional_text(&r, k, KEY_TAG_ID, &k->id, err) || take_kind(&r, k, err) ||
	    take_attributes(&r, k, err) || take_policy(&r, k, err) || take_public(&r, k, err) ||
	    take_chain(&r, k, err) || take_leaf(&r, k, err) || take_private(&r, k, err) ||
	    take_additions(&r, k, err)) {
		err->code = TSB_E_DATA_CONSTELLATION; /* whichever reader noticed it */
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
