#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "hsm/key/key.h"

#define PASSWORD_LOG_N 14 /* 16 MiB: a guess costs some 40 ms */

const struct key_kind_row key_kinds[KEY_KIND__MAX] = {
    [KEY_RSA] = {"RSA", "1.2.840.113549.1.1.1", "RSA"},
    [KEY_EC] = {"EC", "1.2.840.10045.2.1", "EC"},
    [KEY_ED] = {"ED", "1.3.101.112", "ED25519"},
    [KEY_AES] = {"AES", "2.16.840.1.101.3.4.1", NULL},
};

bool
key_aes_size_valid(unsigned bits)
{
	return bits == 128 || bits == 192 || bits == 256;
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
seal_key(const struct hsm_key *k, struct tsb_view password, unsigned char key[CRYPTO_BOX_KEY_SIZE],
    struct tsb_err *err)
{
	return crypto_scrypt(password, k->salt, k->log_n, key, err);
}

/* What the box belongs to, so that it cannot be moved into another key's file. */
static struct tsb_view
bound_to(const struct hsm_key *k)
{
	return k->kind == KEY_AES ? tsb_view_str(k->label) : k->spki;
}

static void
protect(struct hsm_key *k, struct tsb_view plain, const unsigned char key[CRYPTO_BOX_KEY_SIZE])
{
	tsb_bytes_auto box = {0};

	crypto_box_seal(key, bound_to(k), plain, &box);
	k->private_part = arena_view(&k->arena, tsb_view_bytes(&box));
}

static int
set_private_part(struct hsm_key *k, struct tsb_view plain, struct tsb_view password,
    struct tsb_err *err)
{
	unsigned char salt[KEY_SALT_SIZE], key[CRYPTO_BOX_KEY_SIZE];

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

int
key_set_secret(struct hsm_key *k, struct tsb_view value, struct tsb_view password,
    struct tsb_err *err)
{
	return set_private_part(k, value, password, err);
}

/* PKCS#8 to its last byte, and the private half of this very key. */
int
key_parse_private(const struct hsm_key *k, struct tsb_view plain, EVP_PKEY **out,
    struct tsb_err *err)
{
	const unsigned char *p = plain.p;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)plain.n);
	EVP_PKEY *pair = info && p == plain.p + plain.n ? EVP_PKCS82PKEY(info) : NULL;

	PKCS8_PRIV_KEY_INFO_free(info);
	if (!pair || EVP_PKEY_eq(pair, k->public_key) != 1) {
		EVP_PKEY_free(pair);
		ERR_clear_error();
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "key file content: the private key does not belong to the public key");
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
		rc = crypto_box_open(key, bound_to(k), k->private_part, plain, &why);
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
	tsb_bytes_auto plain = {0};

	return k->has_password ? unseal(k, password, &plain, err) : 0;
}

int
key_open_private(const struct hsm_key *k, struct tsb_view password, EVP_PKEY **out,
    struct tsb_err *err)
{
	tsb_bytes_auto plain = {0};

	if (!k->has_password) {
		EVP_PKEY_up_ref(k->private_key);
		*out = k->private_key;
		return 0;
	}
	if (unseal(k, password, &plain, err))
		return -1;
	return key_parse_private(k, tsb_view_bytes(&plain), out, err);
}

int
key_value(const struct hsm_key *k, struct tsb_view password, struct tsb_bytes *out,
    struct tsb_err *err)
{
	if (k->has_password)
		return unseal(k, password, out, err);
	tsb_bytes_add_view(out, k->private_part);
	return 0;
}

int
key_open(const struct hsm_key *k, struct tsb_view password, struct key_opened *out,
    struct tsb_err *err)
{
	if (k->kind != KEY_AES)
		return key_open_private(k, password, &out->pair, err);
	return key_value(k, password, &out->secret, err);
}

void
key_opened_clear(struct key_opened *o)
{
	EVP_PKEY_free(o->pair);
	o->pair = NULL;
	tsb_bytes_clear(&o->secret);
}

int
key_copy(const struct hsm_key *k, struct hsm_key **out, struct tsb_err *err)
{
	tsb_bytes_auto content = {0};

	key_encode(k, &content);
	return key_decode(tsb_view_bytes(&content), out, err);
}
