#include "lib/first.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/ska/token.h"

#include "hsm/key/address.h"
#include "hsm/key/make.h"
#include "hsm/key/path.h"
#include "hsm/key/policy.h"

/* Algorithms (api-notes.md 12.5) that this HSM does not make; a prefix stands for a family. */
static const struct {
	const char *prefix, *why;
} foreign[] = {
    {"ISS", "no library that Debian maintains makes such signatures"},
    {"BLS", "no library that Debian maintains makes such signatures"},
    {"DILITHIUM", "a draft of ML-DSA, which no library that Debian maintains has"},
    {"SPHINCS_PLUS", "a draft of SLH-DSA, which no library that Debian maintains has"},
    {"KYBER", "a draft of ML-KEM, which no library that Debian maintains has"},
    {"XMSS", "of XMSS it makes XMSS-SHA256_10_256 and XMSS-SHAKE256_10_256"},
};

/* ---- label, id ---- */

static int
check_label(const char *label, struct tsb_err *err)
{
	struct tsb_view v = tsb_view_str(label);

	if (v.n == 0 || v.n > TOKEN_LABEL_MAX || !tsb_label_valid(v))
		return tsb_fail(err, TSB_E_KEY_NAME,
		    "label must be 1 to %d bytes of UTF-8 without control characters",
		    TOKEN_LABEL_MAX);
	if (memchr(v.p, '/', v.n) != NULL)
		return tsb_fail(err, TSB_E_KEY_NAME,
		    "label must not contain '/': it separates a derivation path");
	return 0;
}

static int
check_id(const char *id, struct tsb_err *err)
{
	struct tsb_view v = tsb_view_str(id);

	if (id != NULL && (v.n == 0 || v.n > TOKEN_LABEL_MAX || !tsb_label_valid(v)))
		return tsb_fail(err, TSB_E_KEY_ID,
		    "id must be 1 to %d bytes of UTF-8 without control characters",
		    TOKEN_LABEL_MAX);
	return 0;
}

/* ---- algorithm ---- */

static int
foreign_algorithm(const struct wire_key_create *in, struct tsb_err *err)
{
	const char *name = in->algorithm != NULL ? in->algorithm : in->algorithm_oid;

	for (size_t i = 0; name != NULL && i < TSB_COUNT(foreign); i++)
		if (strncmp(name, foreign[i].prefix, strlen(foreign[i].prefix)) == 0)
			return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
			    "keys of algorithm %s are not offered by this HSM: %s", name,
			    foreign[i].why);
	return tsb_fail(err, TSB_E_INPUT, "Value '%s' is not valid for field algorithm",
	    name ? name : "");
}

static int
take_size(const struct wire_key_create *in, struct hsm_key *k, struct tsb_err *err)
{
	const struct key_kind_row *row = &key_kinds[k->kind];
	const bool fixed = row->usual != 0 && row->sizes[1] == 0;
	char sizes[KEY_SIZES_TEXT];

	k->size = fixed || in->key_size == 0 ? row->usual : (unsigned)in->key_size;
	if (in->key_size >= 0 && key_size_is_made(k->kind, k->size))
		return 0;
	return tsb_fail(err, TSB_E_KEY_SIZE, "keySize must be %s for %s",
	    key_sizes_text(k->kind, sizes), row->algorithm);
}

/* "<p>.a<a>.b<b>.x<x>.y<y>.g<order>.h<cofactor>", in decimal */
static bool
is_custom_curve(const char *text)
{
	static const char letters[] = "abxygh";
	const char *digits = "0123456789";
	size_t n = strspn(text, digits);

	for (const char *letter = letters; *letter != '\0'; letter++) {
		if (n == 0 || text[n] != '.' || text[n + 1] != *letter)
			return false;
		text += n + 2;
		n = strspn(text, digits);
	}
	return n > 0 && text[n] == '\0';
}

static int
take_curve(const struct wire_key_create *in, struct hsm_key *k, struct tsb_err *err)
{
	if (k->kind == KEY_ED) {
		if (in->curve_oid == NULL || tsb_streq(in->curve_oid, key_kinds[KEY_ED].oid))
			return 0;
	} else if (in->curve_oid == NULL) {
		return tsb_fail(err, TSB_E_INPUT, "curveOid is required for EC keys");
	} else {
		k->curve = curve_by_oid(in->curve_oid);
		if (k->curve != NULL && curve_is_offered(k->curve))
			return 0;
		if (k->curve != NULL)
			return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
			    "this OpenSSL does not offer the curve %s", k->curve->name);
	}
	if (k->kind == KEY_EC && is_custom_curve(in->curve_oid))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "curveOid: curves are those of the standards here, and have an OID");
	return tsb_fail(err, TSB_E_INPUT, "Unsupported Curve: '%s'", in->curve_oid);
}

static int
take_set(const struct wire_key_create *in, const struct pq_set *set, struct hsm_key *k,
    struct tsb_err *err)
{
	if (in->algorithm_oid != NULL && !tsb_streq(set->oid, in->algorithm_oid))
		return tsb_fail(err, TSB_E_INPUT, "algorithmOid does not belong to algorithm %s",
		    set->name);
	if (!pq_set_is_offered(set))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "keys of algorithm %s are not offered by this HSM: %s needs %s", set->name,
		    set->family, set->needs);
	for (k->kind = 0; !tsb_streq(key_kinds[k->kind].algorithm, set->family);)
		k->kind++;
	k->set = set;
	return 0;
}

static int
take_kind(const struct wire_key_create *in, struct hsm_key *k, struct tsb_err *err)
{
	const struct pq_set *set = in->algorithm != NULL ? pq_set_by_name(in->algorithm)
							 : pq_set_by_oid(in->algorithm_oid);
	enum key_kind kind = 0;

	if (set != NULL)
		return take_set(in, set, k, err);
	while (kind < KEY_KIND__MAX && !tsb_streq(key_kinds[kind].algorithm, in->algorithm) &&
	    !(in->algorithm == NULL && tsb_streq(key_kinds[kind].oid, in->algorithm_oid)))
		kind++;
	if (kind == KEY_KIND__MAX || key_kind_has_set(kind))
		return foreign_algorithm(in, err);
	if (in->algorithm_oid != NULL && !tsb_streq(key_kinds[kind].oid, in->algorithm_oid))
		return tsb_fail(err, TSB_E_INPUT, "algorithmOid does not belong to algorithm %s",
		    key_kinds[kind].algorithm);
	k->kind = kind;
	return 0;
}

static int
take_algorithm(const struct wire_key_create *in, struct hsm_key *k, struct tsb_err *err)
{
	if (take_kind(in, k, err))
		return -1;
	if (k->set != NULL)
		return 0;
	return key_kind_has_size(k->kind) ? take_size(in, k, err) : take_curve(in, k, err);
}

/* ---- attributes ---- */

static int
refuse(struct tsb_err *err, const char *why)
{
	return tsb_fail(err, TSB_E_KEY_ATTRIBUTES, "attributes: %s", why);
}

static int
check_derivation(const struct wire_key_create *in, const struct hsm_key *k, struct tsb_err *err)
{
	if (!in->bip32 && !in->slip10)
		return 0;
	if (k->kind != KEY_EC && k->kind != KEY_ED)
		return refuse(err, "bip32 and slip10 need an EC or ED key");
	if (!in->flag[ATTR_DERIVE])
		return refuse(err, "bip32 and slip10 need derive");
	if (k->kind == KEY_ED && !in->slip10)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "attributes: bip32 without slip10 means Cardano's derivation for an ED key, "
		    "which this HSM does not offer");
	return 0;
}

static int
check_attributes(const struct wire_key_create *in, const struct hsm_key *k, struct tsb_err *err)
{
	if (!in->flag[ATTR_DECRYPT] && !in->flag[ATTR_SIGN] && !in->flag[ATTR_UNWRAP] &&
	    !(key_is_secret(k) && (in->encrypt || in->verify || in->wrap)) &&
	    !(k->kind == KEY_EC && in->flag[ATTR_DERIVE]))
		return refuse(err, "one of decrypt, sign and unwrap must be true");
	if (key_is_secret(k) && in->has_policy)
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "policy is possible for asymmetric keys only, not for %s",
		    key_kinds[k->kind].algorithm);
	if (in->flag[ATTR_EXTRACTABLE] && in->has_policy)
		return refuse(err, "extractable is not possible for a key with a policy");
	if (in->flag[ATTR_EXTRACTABLE] && key_is_stateful(k))
		return refuse(err,
		    "extractable is not possible for a key whose signatures are counted");
	return check_derivation(in, k, err);
}

/* Of keys that come in as a value: what others would be derived with does not come along. */
static int
refuse_derivation(const struct wire_key_create *in, struct tsb_err *err)
{
	return in->bip32 || in->slip10
	    ? refuse(err, "bip32 and slip10 need a key that is made here or from a seed")
	    : 0;
}

/*
 * A secret key also encrypts and wraps. Callers that know only the private uses, which every key
 * has, mean both directions.
 */
static void
default_secret_uses(struct wire_key_create *in)
{
	if (!in->has_encrypt)
		in->encrypt = in->flag[ATTR_DECRYPT];
	if (!in->has_verify)
		in->verify = in->flag[ATTR_SIGN];
	if (!in->has_wrap)
		in->wrap = in->flag[ATTR_UNWRAP];
}

static void
take_attributes(const struct wire_key_create *in, struct hsm_key *k)
{
	memcpy(k->flag, in->flag, sizeof(k->flag));
	k->flag[ATTR_ALWAYS_SENSITIVE] = k->flag[ATTR_SENSITIVE];
	k->flag[ATTR_NEVER_EXTRACTABLE] = !k->flag[ATTR_EXTRACTABLE];
	k->flag[ATTR_UNIQUE] = !k->flag[ATTR_COPYABLE];
	k->extra = (in->encrypt ? KEY_ENCRYPT : 0) | (in->verify ? KEY_VERIFY : 0) |
	    (in->wrap ? KEY_WRAP : 0) | (in->rollover ? KEY_ROLLOVER : 0);
}

/* ---- with the private half ---- */

/*
 * Stores the private part in the key, and gives the key as its file will give it back. Whether it
 * opens is tried before anybody relies on it.
 */
static int
finish(struct token *t, struct hsm_key *k, struct tsb_view part, struct tsb_view password,
    struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *made = NULL;
	token_key_auto *opened = NULL;

	k->token = t->ops->name;
	if (key_set_private_part(k, part, password, err) || key_copy(k, &made, err) ||
	    t->ops->use(t, made, part, &opened, err))
		return -1;
	*out = key_hold(made);
	return 0;
}

/* Otherwise the token would keep for ever a private half that no key file names. */
static int
destroy_left(struct token *t, struct tsb_view part)
{
	struct tsb_err why = {0};

	if (t->ops->destroy != NULL && t->ops->destroy(t, part, &why))
		log_failure(LOG_ERROR, "left in its token", &why);
	return -1;
}

static int
finish_or_destroy(struct token *t, struct hsm_key *k, struct tsb_view part,
    struct tsb_view password, struct hsm_key **out, struct tsb_err *err)
{
	return finish(t, k, part, password, out, err) ? destroy_left(t, part) : 0;
}

static int
check_derives(const struct tokens *ts, const struct hsm_key *k, struct tsb_err *err)
{
	const struct token_ask ask = {.task = TOKEN_DERIVE, .key = k};

	return token_check(ts, &ask, err);
}

static int
make(const struct tokens *ts, struct hsm_key *k, struct tsb_view password, struct hsm_key **out,
    struct tsb_err *err)
{
	struct token *t = ts->v[0];
	const struct token_ask ask = {.task = TOKEN_MAKE, .key = k};
	tsb_bytes_auto part = {0};

	k->token = t->ops->name;
	if (token_check(ts, &ask, err) || (k->has_chain && check_derives(ts, k, err)) ||
	    t->ops->make(t, k, &part, err))
		return -1;
	return finish_or_destroy(t, k, tsb_view_bytes(&part), password, out, err);
}

/* ---- requests ---- */

/* Clients send policies that ask nobody with every key; to a secret key they say nothing. */
static void
drop_open_policy(struct wire_key_create *in)
{
	bool asks = in->policy.blocked;

	if (!in->has_policy)
		return;
	for (int r = 0; r < RULE__MAX; r++)
		asks |= !ska_rule_is_free(&in->policy.rule[r]);
	if (asks)
		return;
	log_warn("key '%s' is symmetric: its policy, which asks nobody, is left out", in->label);
	in->has_policy = false;
}

/* Everything that does not depend on the value of the key; k->kind is set. */
static int
check_request(struct wire_key_create *in, const struct hsm_key *k, struct arena *a,
    struct tsb_err *err)
{
	if (key_is_secret(k))
		drop_open_policy(in);
	if (check_attributes(in, k, err))
		return -1;
	if (in->address_format != NULL && !in->has_policy)
		return tsb_fail(err, TSB_E_ADDRESS, "addressFormat needs a key with a policy");
	return in->has_policy ? key_policy_check_new(&in->policy, a, err) : 0;
}

static void
take_request(const struct wire_key_create *in, int64_t now, struct hsm_key *k)
{
	take_attributes(in, k);
	k->label = arena_str(&k->arena, in->label);
	k->id = arena_str(&k->arena, in->id);
	k->create_time = now;
	k->has_policy = in->has_policy;
	k->policy = in->policy; /* in the request's arena, which outlives k */
}

static int
take_address(const struct wire_key_create *in, struct hsm_key *k, struct tsb_err *err)
{
	if (in->address_format == NULL)
		return 0;
	if (address_check(k->kind, k->curve, in->address_format, err))
		return -1;
	k->address_format = arena_str(&k->arena, in->address_format);
	return 0;
}

int
key_make(const struct tokens *ts, struct wire_key_create *in, struct arena *a, int64_t now,
    struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *k = key_new();

	if (check_label(in->label, err) || check_id(in->id, err) || take_algorithm(in, k, err) ||
	    check_request(in, k, a, err))
		return -1;
	if (key_is_secret(k))
		default_secret_uses(in);
	take_request(in, now, k);
	k->has_chain = in->bip32 || in->slip10;
	if (take_address(in, k, err))
		return -1;
	return make(ts, k, in->password, out, err);
}

/* Nobody knows where it was before. */
static void
mark_imported(struct hsm_key *k)
{
	k->flag[ATTR_ALWAYS_SENSITIVE] = k->flag[ATTR_NEVER_EXTRACTABLE] = false;
	k->extra |= KEY_IMPORTED;
}

int
key_check_unwrapped(struct wire_key_create *in, enum key_kind kind, struct arena *a,
    struct tsb_err *err)
{
	const struct hsm_key k = {.kind = kind};

	return check_label(in->label, err) || refuse_derivation(in, err) ||
		check_request(in, &k, a, err)
	    ? -1
	    : 0;
}

int
key_make_unwrapped(const struct tokens *ts, const struct wire_key_create *in,
    const struct key_wrapped *wrapped, int64_t now, struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *k = key_new();
	tsb_bytes_auto part = {0};
	struct token *t;

	if (tokens_find(ts, wrapped->by, &t, err))
		return -1;
	k->kind = wrapped->method->wrapped;
	take_request(in, now, k);
	mark_imported(k);
	if (t->ops->unwrap(t, wrapped->opened, wrapped->method, wrapped->value, k, &part, err))
		return -1;
	return finish_or_destroy(t, k, tsb_view_bytes(&part), in->password, out, err);
}

/* ---- keys brought along in the clear ---- */

static EVP_PKEY *
public_key_of(struct tsb_view spki)
{
	const unsigned char *p = spki.p;
	EVP_PKEY *key = spki.n > LONG_MAX ? NULL : d2i_PUBKEY(NULL, &p, (long)spki.n);

	ERR_clear_error();
	if (key != NULL && p == spki.p + spki.n)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

/* The public half that the caller says, from publicKey or certificate. */
static int
said_public_key(const struct wire_key_plain *in, const struct hsm_key *k, struct arena *a,
    EVP_PKEY **out, struct tsb_err *err)
{
	struct tsb_view spki = in->public_key;

	if (in->certificate.n > 0 && crypto_cert_spki(in->certificate, a, &spki, err)) {
		err->code = TSB_E_CERTIFICATE_ENCODING;
		return -1;
	}
	*out = public_key_of(spki);
	if (*out != NULL && key_fits(k, *out))
		return 0;
	EVP_PKEY_free(*out);
	*out = NULL;
	return tsb_fail(err, TSB_E_PARSING_KEY, "publicKey: not one of algorithm %s",
	    key_algorithm(k));
}

static int
check_halves(const struct hsm_key *k, EVP_PKEY *said, struct tsb_err *err)
{
	pkey_auto *own = public_key_of(k->spki);

	if (own != NULL && EVP_PKEY_eq(own, said) == 1)
		return 0;
	ERR_clear_error();
	return tsb_fail(err, TSB_E_PARSING_KEY,
	    "privateKey and publicKey or certificate do not belong together");
}

/* A public key alone: others' signatures are verified with it, and keys wrapped for them. */
static int
take_public_alone(EVP_PKEY *said, struct hsm_key *k, struct tsb_err *err)
{
	der_auto *der = NULL;
	int n = i2d_PUBKEY(said, &der);

	if (n <= 0)
		return tsb_fail(err, TSB_E_PARSING_KEY, "publicKey: it cannot be written");
	k->spki = arena_view(&k->arena, tsb_view_of(der, (size_t)n));
	k->extra |= KEY_PUBLIC_ONLY;
	if (key_kind_has_size(k->kind))
		k->size = (unsigned)EVP_PKEY_get_bits(said);
	if (k->kind == KEY_EC)
		k->curve = curve_of(said);
	if (k->kind == KEY_EC && k->curve == NULL)
		return tsb_fail(err, TSB_E_INPUT, "Unsupported Curve");
	if (key_kind_has_size(k->kind) && !key_size_is_taken(k->kind, k->size))
		return tsb_fail(err, TSB_E_KEY_SIZE, "publicKey: %s keys do not have %u bits here",
		    key_kinds[k->kind].algorithm, k->size);
	return 0;
}

/* Nothing is lost with it: it may always be deleted. */
static int
make_public_alone(const struct wire_key_plain *in, struct hsm_key *k, EVP_PKEY *said,
    struct hsm_key **out, struct tsb_err *err)
{
	if (in->create.has_policy || in->create.password.n > 0)
		return refuse(err, "a public key alone has neither policy nor password");
	k->flag[ATTR_DECRYPT] = k->flag[ATTR_SIGN] = k->flag[ATTR_UNWRAP] = false;
	k->flag[ATTR_DERIVE] = k->flag[ATTR_SENSITIVE] = false;
	if (!in->has_attributes)
		k->flag[ATTR_DESTROYABLE] = k->flag[ATTR_MODIFIABLE] = true;
	k->certificate = in->certificate;
	return take_public_alone(said, k, err) || key_copy(k, out, err) ? -1 : 0;
}

static int
take_value(const struct tokens *ts, const struct wire_key_plain *in, struct hsm_key *k,
    EVP_PKEY *said, struct hsm_key **out, struct tsb_err *err)
{
	struct tsb_view value = key_is_secret(k) ? in->secret_key : in->private_key;
	struct token *t = ts->v[0];
	tsb_bytes_auto part = {0};

	if (value.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "%s does not go with algorithm %s",
		    key_is_secret(k) ? "privateKey" : "secretKey", key_kinds[k->kind].algorithm);
	if (t->ops->take == NULL)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "keys come in wrapped only: token '%s' does not take them in the clear",
		    t->ops->name);
	if (t->ops->take(t, value, k, &part, err))
		return -1;
	if ((said != NULL && check_halves(k, said, err)) || take_address(&in->create, k, err))
		return destroy_left(t, tsb_view_bytes(&part));
	k->certificate = in->certificate;
	return finish_or_destroy(t, k, tsb_view_bytes(&part), in->create.password, out, err);
}

int
key_make_plain(const struct tokens *ts, struct wire_key_plain *in, struct arena *a, int64_t now,
    struct hsm_key **out, struct tsb_err *err)
{
	const bool lone = in->private_key.n == 0 && in->secret_key.n == 0;
	struct wire_key_create *create = &in->create;
	hsm_key_auto *k = key_new();
	pkey_auto *said = NULL;

	if (check_label(create->label, err) || check_id(create->id, err) ||
	    take_kind(create, k, err) || refuse_derivation(create, err) ||
	    (!lone && check_request(create, k, a, err)))
		return -1;
	if (key_is_stateful(k))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "keys of algorithm %s do not come in: which of their signatures were made "
		    "elsewhere, nobody could tell",
		    k->set->name);
	if (key_is_secret(k) && lone)
		return tsb_fail(err, TSB_E_INPUT, "publicKey does not go with algorithm %s",
		    key_kinds[k->kind].algorithm);
	if (!key_is_secret(k) && in->secret_key.n == 0 && said_public_key(in, k, a, &said, err))
		return -1;
	if (key_is_secret(k))
		default_secret_uses(create);
	take_request(create, now, k);
	mark_imported(k);
	return lone ? make_public_alone(in, k, said, out, err)
		    : take_value(ts, in, k, said, out, err);
}

/* ---- keys from seeds and from other keys ---- */

int
key_make_seed(const struct tokens *ts, struct wire_key_plain *in, struct arena *a, int64_t now,
    struct hsm_key **out, struct tsb_err *err)
{
	struct wire_key_create *create = &in->create;
	struct token *t = ts->v[0];
	hsm_key_auto *k = key_new();
	tsb_bytes_auto part = {0};

	if (check_label(create->label, err) || check_id(create->id, err) ||
	    take_algorithm(create, k, err))
		return -1;
	if (k->kind != KEY_EC && k->kind != KEY_ED)
		return tsb_fail(err, TSB_E_DERIVATION, "seed: only EC and ED keys come of one");
	if (check_request(create, k, a, err))
		return -1;
	take_request(create, now, k);
	mark_imported(k);
	k->token = t->ops->name;
	if (check_derives(ts, k, err) || take_address(create, k, err) ||
	    t->ops->sow(t, in->seed, k, &part, err))
		return -1;
	return finish_or_destroy(t, k, tsb_view_bytes(&part), create->password, out, err);
}

/* Everything of a derived key but its halves. What it may do is never more than its master may. */
static int
take_master(const struct hsm_key *master, const struct wire_key_derive *in, struct hsm_key *k,
    struct tsb_err *err)
{
	const struct wire_key_create *asked = &in->create;

	if (in->has_attributes) {
		if (!asked->flag[ATTR_DECRYPT] && !asked->flag[ATTR_SIGN] &&
		    !asked->flag[ATTR_UNWRAP])
			return refuse(err, "one of decrypt, sign and unwrap must be true");
		if (asked->flag[ATTR_EXTRACTABLE] && !master->flag[ATTR_EXTRACTABLE])
			return refuse(err, "extractable needs an extractable master key");
		take_attributes(asked, k);
		k->flag[ATTR_MODIFIABLE] &= master->flag[ATTR_MODIFIABLE];
		k->flag[ATTR_COPYABLE] &= master->flag[ATTR_COPYABLE];
		k->flag[ATTR_UNIQUE] = !k->flag[ATTR_COPYABLE];
		k->flag[ATTR_SENSITIVE] |= master->flag[ATTR_SENSITIVE];
		k->flag[ATTR_ALWAYS_SENSITIVE] = master->flag[ATTR_ALWAYS_SENSITIVE];
		k->flag[ATTR_NEVER_EXTRACTABLE] =
		    master->flag[ATTR_NEVER_EXTRACTABLE] && !k->flag[ATTR_EXTRACTABLE];
	} else {
		memcpy(k->flag, master->flag, sizeof(k->flag));
		k->extra = master->extra;
	}
	k->extra |= master->extra & KEY_IMPORTED;
	k->kind = master->kind;
	k->curve = master->curve;
	k->address_format = master->address_format;
	k->has_policy = master->has_policy;
	k->policy = master->policy;
	k->token = master->token;
	return 0;
}

int
key_make_derived(const struct tokens *ts, const struct hsm_key *master,
    const struct wire_key_derive *in, int64_t now, struct hsm_key **out, struct tsb_err *err)
{
	tsb_bytes_auto from = {0};
	tsb_bytes_auto part = {0};
	hsm_key_auto *k = key_new();
	struct key_path path;
	struct token *t;

	if (key_path_parse(tsb_view_str(in->path), &path, err))
		return -1;
	k->label = arena_printf(&k->arena, "%s/%s", master->label, in->path);
	k->create_time = now;
	if (strlen(k->label) > TOKEN_LABEL_MAX)
		return tsb_fail(err, TSB_E_KEY_NAME,
		    "derivationPath: the label of the new key has more than %d bytes",
		    TOKEN_LABEL_MAX);
	if (take_master(master, in, k, err) || tokens_find(ts, master, &t, err) ||
	    key_private_part(master, in->password, &from, err) ||
	    t->ops->derive(t, master, tsb_view_bytes(&from), &path, k, &part, err))
		return -1;
	return finish_or_destroy(t, k, tsb_view_bytes(&part), in->password, out, err);
}

int
key_make_system(const struct tokens *ts, enum key_system system, const char *label, int64_t now,
    struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *k = key_new();

	k->label = arena_str(&k->arena, label);
	k->system = system;
	k->create_time = now;
	k->kind = system == KEY_ATTESTATION ? KEY_RSA : KEY_EC;
	k->size = system == KEY_ATTESTATION ? 3072 : 0;
	k->curve = system == KEY_ATTESTATION ? NULL : curve_p256;
	k->flag[ATTR_SIGN] = k->flag[ATTR_SENSITIVE] = k->flag[ATTR_ALWAYS_SENSITIVE] = true;
	k->flag[ATTR_NEVER_EXTRACTABLE] = k->flag[ATTR_UNIQUE] = true;
	return make(ts, k, (struct tsb_view){0}, out, err);
}
