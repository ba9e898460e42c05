#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/crypto/hbs.h"

#include "hsm/key/key.h"

#define PASSWORD_LOG_N 14 /* 16 MiB: a guess costs some 40 ms */

#define SECRET NULL, true

const struct key_kind_row key_kinds[KEY_KIND__MAX] = {
    [KEY_RSA] = {"RSA", "1.2.840.113549.1.1.1", "RSA", .sizes = {1024, 2048, 3072, 4096},
	.least = 1024, .most = 8192},
    [KEY_EC] = {"EC", "1.2.840.10045.2.1", "EC"},
    [KEY_ED] = {"ED", "1.3.101.112", "ED25519"},
    [KEY_AES] = {"AES", "2.16.840.1.101.3.4.1", SECRET, .sizes = {128, 192, 256}},
    [KEY_DSA] = {"DSA", "1.2.840.10040.4.1", "DSA", .sizes = {2048, 3072, 4096}, .least = 2048,
	.most = 8192},
    /* the arc of the modes, as for AES */
    [KEY_CAMELLIA] = {"Camellia", "1.2.392.200011.61.1.1.1", SECRET, .sizes = {128, 192, 256}},
    /* RFC 8103 */
    [KEY_CHACHA20] = {"ChaCha20", "1.2.840.113549.1.9.16.3.18", SECRET, .sizes = {256}},
    /* three keys of 64 bits, parity included; there is nothing to choose */
    [KEY_TDEA] = {"TDEA", "1.2.840.113549.3.7", SECRET, .sizes = {192}, .usual = 192},
    /* RFC 2104, 3: any size; SP 800-107, 5.3.4: not below 112 bits */
    [KEY_HMAC] = {"HMACSHA256", "1.2.840.113549.2.9", SECRET, .sizes = {128, 192, 256, 384, 512},
	.usual = 256, .least = 112, .most = 8192},
    [KEY_ML_DSA] = {PQ_ML_DSA},
    [KEY_SLH_DSA] = {PQ_SLH_DSA},
    [KEY_ML_KEM] = {PQ_ML_KEM},
    [KEY_HSS_LMS] = {PQ_HSS_LMS},
    [KEY_XMSS] = {PQ_XMSS},
};

static long rsa_min = 2048;

long
key_rsa_min(void)
{
	return rsa_min;
}

void
key_rsa_min_set(long bits)
{
	rsa_min = bits;
}

bool
key_is_secret(const struct hsm_key *k)
{
	return key_kinds[k->kind].secret;
}

bool
key_is_stateful(const struct hsm_key *k)
{
	return k->set != NULL && pq_set_is_stateful(k->set);
}

uint32_t
key_leaves_left(const struct hsm_key *k)
{
	return hbs_leaves(k->set) - k->leaf;
}

/* Of keys that wear out the family alone is shown. */
const char *
key_algorithm(const struct hsm_key *k)
{
	return k->set != NULL && !key_is_stateful(k) ? k->set->name : key_kinds[k->kind].algorithm;
}

const char *
key_algorithm_oid(const struct hsm_key *k)
{
	return k->set != NULL ? k->set->oid : key_kinds[k->kind].oid;
}

bool
key_fits(const struct hsm_key *k, const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, k->set != NULL ? k->set->name : key_kinds[k->kind].openssl);
}

bool
key_kind_has_set(enum key_kind kind)
{
	return key_kinds[kind].oid == NULL;
}

bool
key_kind_has_size(enum key_kind kind)
{
	return key_kinds[kind].sizes[0] != 0;
}

static bool
is_too_small(enum key_kind kind, unsigned bits)
{
	return kind == KEY_RSA && bits < (unsigned)rsa_min;
}

bool
key_size_is_made(enum key_kind kind, unsigned bits)
{
	const unsigned *size = key_kinds[kind].sizes;

	while (*size != 0 && *size != bits)
		size++;
	return *size != 0 && !is_too_small(kind, bits);
}

bool
key_size_is_taken(enum key_kind kind, unsigned bits)
{
	const struct key_kind_row *row = &key_kinds[kind];

	if (row->least == 0)
		return key_size_is_made(kind, bits);
	return bits >= row->least && bits <= row->most && !is_too_small(kind, bits);
}

const char *
key_sizes_text(enum key_kind kind, char *buf)
{
	const unsigned *size = key_kinds[kind].sizes;
	size_t n = 0;

	buf[0] = '\0';
	for (bool first = true; *size != 0; size++) {
		if (is_too_small(kind, *size))
			continue;
		n += (size_t)snprintf(buf + n, KEY_SIZES_TEXT - n, "%s%u",
		    first              ? ""
			: size[1] == 0 ? " or "
				       : ", ",
		    *size);
		first = false;
	}
	return buf;
}

struct hsm_key *
key_new(void)
{
	struct hsm_key *k = calloc(1, sizeof(*k));

	if (k == NULL)
		fatal("out of memory");
	k->refs = 1;
	k->token = KEY_TOKEN_SOFT;
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
	if (k == NULL || --k->refs)
		return;
	if (k->opened != NULL)
		k->release_opened(&k->opened);
	EVP_PKEY_free(k->public_key);
	key_release(&k->master);
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

/* The box is bound to its key, so that it cannot be moved into another key's file. */
static struct tsb_view
bound_to(const struct hsm_key *k)
{
	return key_is_secret(k) ? tsb_view_str(k->label) : k->spki;
}

static void
protect(struct hsm_key *k, struct tsb_view plain, const unsigned char key[CRYPTO_BOX_KEY_SIZE])
{
	tsb_bytes_auto box = {0};

	crypto_box_seal(key, bound_to(k), plain, &box);
	k->private_part = arena_view(&k->arena, tsb_view_bytes(&box));
}

int
key_set_private_part(struct hsm_key *k, struct tsb_view part, struct tsb_view password,
    struct tsb_err *err)
{
	unsigned char salt[KEY_SALT_SIZE], key[CRYPTO_BOX_KEY_SIZE];

	k->has_password = password.n > 0;
	if (!k->has_password) {
		k->private_part = arena_view(&k->arena, part);
		return 0;
	}
	crypto_random(salt, sizeof(salt));
	k->salt = arena_view(&k->arena, tsb_view_of(salt, sizeof(salt)));
	k->log_n = PASSWORD_LOG_N;
	if (seal_key(k, password, key, err))
		return -1;
	protect(k, part, key);
	tsb_wipe(key, sizeof(key));
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

	if (k->master != NULL)
		return key_check_password(k->master, password, err);
	return k->has_password ? unseal(k, password, &plain, err) : 0;
}

int
key_private_part(const struct hsm_key *k, struct tsb_view password, struct tsb_bytes *out,
    struct tsb_err *err)
{
	if (k->has_password)
		return unseal(k, password, out, err);
	tsb_bytes_add_view(out, k->private_part);
	return 0;
}

int
key_copy(const struct hsm_key *k, struct hsm_key **out, struct tsb_err *err)
{
	tsb_bytes_auto content = {0};

	key_encode(k, &content);
	return key_decode(tsb_view_bytes(&content), out, err);
}
