#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/crypto/hbs.h"

/* How Botan calls a set, and where its bytes have the number of the leaf (big endian). */
static const struct row {
	const char *name; /* of struct pq_set */
	const char *botan, *parameters;
	uint32_t leaves;
	/* of the private key: how far before its end the number begins, and its size */
	size_t before_end, size;
	size_t at; /* of the signature: where the number is, in 4 bytes */
} rows[] = {
    /* one tree (L=1) of height 5, chains of one bit (W=1) */
    {"LMS", "HSS-LMS", "SHA-256,HW(5,1)", 32, 64, 8, 4},
    {"XMSS-SHA256_10_256", "XMSS", "XMSS-SHA2_10_256", 1024, 69, 4, 0},
    {"XMSS-SHAKE256_10_256", "XMSS", "XMSS-SHAKE256_10_256", 1024, 69, 4, 0},
};

static const struct row *
row_of(const struct pq_set *set)
{
	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		if (tsb_streq(rows[i].name, set->name))
			return &rows[i];
	return NULL;
}

uint32_t
hbs_leaves(const struct pq_set *set)
{
	const struct row *row = row_of(set);

	return row == NULL ? 0 : row->leaves;
}

#ifdef HAVE_BOTAN

#include <stdlib.h>

#include <botan/ffi.h>

#define SIGNATURE_MAX 16384

static void
free_rng(botan_rng_t *rng)
{
	botan_rng_destroy(*rng);
}

static void
free_private(botan_privkey_t *key)
{
	botan_privkey_destroy(*key);
}

static void
free_public(botan_pubkey_t *key)
{
	botan_pubkey_destroy(*key);
}

static void
free_sign(botan_pk_op_sign_t *op)
{
	botan_pk_op_sign_destroy(*op);
}

static void
free_verify(botan_pk_op_verify_t *op)
{
	botan_pk_op_verify_destroy(*op);
}

#define rng_auto     botan_rng_t __attribute__((cleanup(free_rng)))
#define private_auto botan_privkey_t __attribute__((cleanup(free_private)))
#define public_auto  botan_pubkey_t __attribute__((cleanup(free_public)))
#define sign_auto    botan_pk_op_sign_t __attribute__((cleanup(free_sign)))
#define verify_auto  botan_pk_op_verify_t __attribute__((cleanup(free_verify)))

static int
failed(struct tsb_err *err, const char *what)
{
	return tsb_fail(err, TSB_E_HSM, "%s", what);
}

/*
 * Botan would spread its work over threads, which take the signals that this process counts on.
 */
static int
new_rng(botan_rng_t *rng)
{
	(void)setenv("BOTAN_THREAD_POOL_SIZE", "none", 1);
	return botan_rng_init(rng, "system");
}

/* ---- DER of either half: Botan says the size of what did not fit ---- */

static int
export_private(botan_privkey_t key, struct tsb_bytes *out)
{
	size_t n = 0;

	(void)botan_privkey_export(key, NULL, &n, BOTAN_PRIVKEY_EXPORT_FLAG_DER);
	if (n == 0 || n > SIGNATURE_MAX)
		return -1;
	return botan_privkey_export(key, tsb_bytes_grow(out, n), &n, BOTAN_PRIVKEY_EXPORT_FLAG_DER);
}

static int
export_public(botan_privkey_t key, struct tsb_bytes *out)
{
	public_auto half = NULL;
	size_t n = 0;

	if (botan_privkey_export_pubkey(&half, key) != 0)
		return -1;
	(void)botan_pubkey_export(half, NULL, &n, BOTAN_PRIVKEY_EXPORT_FLAG_DER);
	if (n == 0 || n > SIGNATURE_MAX)
		return -1;
	return botan_pubkey_export(half, tsb_bytes_grow(out, n), &n, BOTAN_PRIVKEY_EXPORT_FLAG_DER);
}

/* ---- the number of the leaf ---- */

static uint64_t
get_number(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void
put_number(uint64_t v, unsigned char *p, size_t n)
{
	while (n-- > 0) {
		p[n] = (unsigned char)v;
		v >>= 8;
	}
}

/* Opens the private half as one that has used all leaves before this one. */
static int
open_at(const struct row *row, struct tsb_view private_half, uint32_t leaf, botan_rng_t rng,
    botan_privkey_t *key)
{
	tsb_bytes_auto der = {0};

	if (private_half.n < row->before_end)
		return -1;
	tsb_bytes_add_view(&der, private_half);
	put_number(leaf, der.p + der.n - row->before_end, row->size);
	return botan_privkey_load(key, rng, der.p, der.n, NULL);
}

/* Botan takes no NULL, whatever the size. */
static const unsigned char *
never_null(struct tsb_view v)
{
	return v.n > 0 ? v.p : (const unsigned char *)"";
}

/* ---- interface ---- */

int
hbs_make(const struct pq_set *set, struct tsb_bytes *private_half, struct tsb_bytes *spki,
    struct tsb_err *err)
{
	const struct row *row = row_of(set);
	tsb_bytes_auto half = {0};
	tsb_bytes_auto other = {0};
	private_auto key = NULL;
	rng_auto rng = NULL;

	if (row == NULL || new_rng(&rng) != 0 ||
	    botan_privkey_create(&key, row->botan, row->parameters, rng) != 0)
		return failed(err, "the key could not be generated");
	if (export_private(key, &half) != 0 || half.n < row->before_end ||
	    get_number(half.p + half.n - row->before_end, row->size) != 0 ||
	    export_public(key, &other) != 0)
		return failed(err, "the new key could not be encoded");
	tsb_bytes_add_view(private_half, tsb_view_bytes(&half));
	tsb_bytes_add_view(spki, tsb_view_bytes(&other));
	return 0;
}

bool
hbs_check(const struct pq_set *set, struct tsb_view private_half, struct tsb_view spki)
{
	const struct row *row = row_of(set);
	tsb_bytes_auto own = {0};
	private_auto key = NULL;
	rng_auto rng = NULL;

	return row != NULL && new_rng(&rng) == 0 && open_at(row, private_half, 0, rng, &key) == 0 &&
	    export_public(key, &own) == 0 && tsb_view_eq(tsb_view_bytes(&own), spki);
}

int
hbs_sign(const struct pq_set *set, struct tsb_view private_half, uint32_t leaf,
    struct tsb_view message, struct tsb_bytes *out, struct tsb_err *err)
{
	const struct row *row = row_of(set);
	unsigned char signature[SIGNATURE_MAX];
	size_t n = sizeof(signature);
	private_auto key = NULL;
	sign_auto op = NULL;
	rng_auto rng = NULL;
	bool made;

	if (row == NULL || leaf >= row->leaves || new_rng(&rng) != 0 ||
	    open_at(row, private_half, leaf, rng, &key) != 0 ||
	    botan_pk_op_sign_create(&op, key, "", 0) != 0 ||
	    botan_pk_op_sign_update(op, never_null(message), message.n) != 0)
		return failed(err, "Error creating signature.");
	made = botan_pk_op_sign_finish(op, rng, signature, &n) == 0;
	/* Whatever Botan did, a signature of another leaf does not leave. */
	if (made && n >= row->at + 4 && get_number(signature + row->at, 4) == leaf)
		tsb_bytes_add(out, signature, n);
	else
		made = false;
	tsb_wipe(signature, sizeof(signature));
	return made ? 0 : failed(err, "Error creating signature.");
}

int
hbs_verify(const struct pq_set *set, struct tsb_view spki, struct tsb_view message,
    struct tsb_view signature, bool *valid, struct tsb_err *err)
{
	verify_auto op = NULL;
	public_auto key = NULL;

	if (botan_pubkey_load(&key, spki.p, spki.n) != 0 ||
	    botan_pk_op_verify_create(&op, key, "", 0) != 0 ||
	    botan_pk_op_verify_update(op, never_null(message), message.n) != 0)
		return failed(err, "the public key does not decode");
	*valid = botan_pk_op_verify_finish(op, never_null(signature), signature.n) == 0;
	return 0;
}

#else

static int
lacking(const struct pq_set *set, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED, "%s needs %s", set->name, set->needs);
}

int
hbs_make(const struct pq_set *set, struct tsb_bytes *private_half, struct tsb_bytes *spki,
    struct tsb_err *err)
{
	return lacking(set, err);
}

bool
hbs_check(const struct pq_set *set, struct tsb_view private_half, struct tsb_view spki)
{
	return false;
}

int
hbs_sign(const struct pq_set *set, struct tsb_view private_half, uint32_t leaf,
    struct tsb_view message, struct tsb_bytes *out, struct tsb_err *err)
{
	return lacking(set, err);
}

int
hbs_verify(const struct pq_set *set, struct tsb_view spki, struct tsb_view message,
    struct tsb_view signature, bool *valid, struct tsb_err *err)
{
	return lacking(set, err);
}

#endif
