#include "lib/first.h"

#include <stdlib.h>

#include <openssl/err.h>

#include "lib/crypto/hbs.h"
#include "lib/crypto/owned.h"

#include "hsm/soft/internal.h"
#include "hsm/soft/soft.h"

static const struct soft_key *
soft_of(const struct token_key *key)
{
	return (const struct soft_key *)key;
}

/* There is nothing to connect to: the key files have all values. */
static struct token *
soft_open(struct tsb_err *err)
{
	static struct token soft = {.ops = &soft_token};

	return &soft;
}

static void
soft_close(struct token *t)
{
}

/* ---- what is offered ---- */

static bool
has_cipher(const struct hsm_key *k, const char *mode)
{
	cipher_auto *cipher = soft_cipher(k->kind, k->size, mode);

	ERR_clear_error();
	return cipher != NULL;
}

static bool
offers_cipher(const struct hsm_key *k, const struct cipher_algorithm *alg)
{
	switch (alg->scheme) {
	case CIPHER_RSA:
	case CIPHER_ECIES:
		return true;
	case CIPHER_AEAD:
	case CIPHER_PLAIN:
		return has_cipher(k, alg->mode);
	}
	return false;
}

/* Under ML-KEM an AES-256 key wraps, which is made for the purpose. */
static bool
has_wrapping(const struct token_ask *ask)
{
	const struct hsm_key aes = {.kind = KEY_AES, .size = 256};

	return has_cipher(ask->method->wrapping == KEY_ML_KEM ? &aes : ask->key, ask->method->mode);
}

/* Everything in the tables, if this OpenSSL has the mode of the cipher. */
static bool
soft_offers(struct token *t, const struct token_ask *ask)
{
	switch (ask->task) {
	case TOKEN_MAKE:
	case TOKEN_SIGN:
		return true;
	case TOKEN_DERIVE:
		return soft_method(ask->key) != NULL;
	case TOKEN_DECRYPT:
	case TOKEN_ENCRYPT:
		return offers_cipher(ask->key, ask->cipher);
	case TOKEN_UNWRAP:
	case TOKEN_WRAP:
		return ask->method->mode == NULL || has_wrapping(ask);
	}
	return false;
}

/* ---- keys ---- */

static int
make_stateful(struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
{
	tsb_bytes_auto spki = {0};

	if (hbs_make(k->set, part, &spki, err))
		return -1;
	k->spki = arena_view(&k->arena, tsb_view_bytes(&spki));
	return 0;
}

static int
soft_make(struct token *t, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
{
	pkey_auto *pair = NULL;

	if (k->has_chain)
		return soft_sow_random(t, k, part, err);
	if (key_is_secret(k)) {
		crypto_random(tsb_bytes_grow(part, k->size / 8), k->size / 8);
		return 0;
	}
	if (key_is_stateful(k))
		return make_stateful(k, part, err);
	return soft_pair_make(k, &pair, err) || soft_pair_encode(pair, k, part, err) ? -1 : 0;
}

static void
soft_release(struct token_key *key)
{
	struct soft_key *soft = (struct soft_key *)key;

	EVP_PKEY_free(soft->pair);
	tsb_bytes_clear(&soft->secret);
	free(soft);
}

/* The private half of k's public key, or NULL. */
static EVP_PKEY *
pair_of(const struct hsm_key *k, struct tsb_view part)
{
	EVP_PKEY *pair = NULL;
	struct tsb_err why;

	if (crypto_private_parse(part, &pair, &why) == 0 && EVP_PKEY_eq(pair, k->public_key) != 1) {
		EVP_PKEY_free(pair);
		pair = NULL;
	}
	ERR_clear_error();
	return pair;
}

/* Whether the private part is the bytes that are used, and not a pair of OpenSSL's. */
static bool
is_bare(const struct hsm_key *k)
{
	return key_is_secret(k) || key_is_stateful(k);
}

static bool
bare_fits(const struct hsm_key *k, struct tsb_view part)
{
	return key_is_secret(k) ? part.n == k->size / 8 : hbs_check(k->set, part, k->spki);
}

static int
soft_use(struct token *t, const struct hsm_key *k, struct tsb_view part, struct token_key **out,
    struct tsb_err *err)
{
	const bool secret = key_is_secret(k), bare = is_bare(k);
	EVP_PKEY *pair = bare ? NULL : pair_of(k, part);
	struct soft_key *key;

	if (bare ? !bare_fits(k, part) : pair == NULL)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    secret ? "key file content: the secret key has another size"
			   : "key file content: the private key does not belong to the public key");
	key = calloc(1, sizeof(*key));
	if (key == NULL)
		fatal("out of memory");
	key->base = (struct token_key){.ops = &soft_token, .refs = 1};
	key->pair = pair;
	if (bare)
		tsb_bytes_add_view(&key->secret, part);
	*out = &key->base;
	return 0;
}

/* ---- their use ---- */

static int
soft_key_sign(struct token_key *key, const struct hsm_key *k, const struct token_sign *what,
    struct tsb_bytes *out, struct tsb_err *err)
{
	return soft_sign(soft_of(key), k, what, out, err);
}

static int
soft_key_decrypt(struct token_key *key, const struct hsm_key *k, const struct cipher_algorithm *alg,
    const struct wire_cipher *given, struct tsb_view payload, struct tsb_bytes *out,
    struct tsb_err *err)
{
	return soft_decrypt(soft_of(key), k, alg, given, payload, out, err);
}

static int
soft_key_encrypt(struct token_key *key, const struct hsm_key *k, const struct cipher_algorithm *alg,
    const struct wire_cipher *given, struct tsb_view payload, struct cipher_encrypted *out,
    struct tsb_err *err)
{
	return soft_encrypt(soft_of(key), k, alg, given, payload, out, err);
}

static int
soft_key_give(struct token_key *key, struct tsb_bytes *value, struct tsb_err *err)
{
	const struct soft_key *soft = soft_of(key);

	if (soft->pair != NULL)
		return crypto_private_format(soft->pair, value, err);
	tsb_bytes_add_view(value, tsb_view_bytes(&soft->secret));
	return 0;
}

static int
soft_key_wrap(struct token_key *by, const struct hsm_key *k, const struct wrap_method *method,
    struct token_key *leaving, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto value = {0};

	if (soft_key_give(leaving, &value, err))
		return -1;
	return soft_wrap(soft_of(by), k, method, tsb_view_bytes(&value), out, err);
}

static int
soft_key_unwrap(struct token *t, struct token_key *by, const struct wrap_method *method,
    struct tsb_view wrapped, struct hsm_key *made, struct tsb_bytes *part, struct tsb_err *err)
{
	tsb_bytes_auto value = {0};

	return soft_unwrap(soft_of(by), method, wrapped, &value, err) ||
		soft_import(tsb_view_bytes(&value), made, part, err)
	    ? -1
	    : 0;
}

static int
soft_take(struct token *t, struct tsb_view value, struct hsm_key *made, struct tsb_bytes *part,
    struct tsb_err *err)
{
	tsb_bytes_auto pkcs8 = {0};

	if (!key_is_secret(made)) {
		if (soft_pair_read(value, &pkcs8, err))
			return -1;
		value = tsb_view_bytes(&pkcs8);
	}
	if (soft_import(value, made, part, err) == 0)
		return 0;
	err->code = TSB_E_KEY_ENCODING;
	return -1;
}

const struct token_ops soft_token = {
    .name = KEY_TOKEN_SOFT,
    .open = soft_open,
    .close = soft_close,
    .offers = soft_offers,
    .make = soft_make,
    .use = soft_use,
    .release = soft_release,
    .sign = soft_key_sign,
    .decrypt = soft_key_decrypt,
    .encrypt = soft_key_encrypt,
    .wrap = soft_key_wrap,
    .unwrap = soft_key_unwrap,
    .take = soft_take,
    .sow = soft_sow,
    .derive = soft_derive,
    .give = soft_key_give,
};
