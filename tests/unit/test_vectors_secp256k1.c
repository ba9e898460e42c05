/* Published vectors of secp256k1: BIP-340, BIP-341, EIP-155. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/k256.h"
#include "lib/crypto/keccak.h"
#include "lib/crypto/signature.h"
#include "tests/unit/crypto_help.h"
#include "tests/unit/vectors.h"

static json_object *
load(const char *name)
{
	const char *src = getenv("SRC");
	char path[512];
	json_object *o;

	(void)snprintf(path, sizeof(path), "%s/tests/vectors/%s", src == NULL ? "." : src, name);
	o = json_object_from_file(path);
	assert_non_null(o);
	return o;
}

static struct tsb_view
unhex(const char *text)
{
	struct tsb_view out = {NULL, 0};

	assert_true(enc_hex_decode(tsb_view_str(text), &memory, &out));
	return out;
}

/* null is empty */
static struct tsb_view
optional(json_object *o, const char *member)
{
	return json_need(o, member) == NULL ? (struct tsb_view){NULL, 0} : json_hex(o, member);
}

static const struct k256_taproot untweaked;

/* ---- BIP-340 ---- */

enum { KEY = 1, PUBLIC, AUX, MESSAGE, SIGNATURE, RESULT, COLUMNS };

/* Cuts a line at its commas. */
static bool
columns(char *line, const char *out[COLUMNS])
{
	char *next = line;

	for (int i = 0; i < COLUMNS; i++) {
		if (next == NULL)
			return false;
		out[i] = strsep(&next, ",");
	}
	return true;
}

static void
check_bip340(const char *column[COLUMNS])
{
	struct tsb_view message = unhex(column[MESSAGE]), signature = unhex(column[SIGNATURE]);
	unsigned char point[K256_POINT] = {2}, made[K256_SIGNATURE], public[K256_POINT];
	struct tsb_err err;

	if (message.n == 0)
		message.p = (const unsigned char *)"";
	memcpy(point + 1, unhex(column[PUBLIC]).p, K256_SIZE);
	assert_int_equal(k256_schnorr_verify(point, &untweaked, message, signature),
	    tsb_streq(column[RESULT], "TRUE"));
	if (column[KEY][0] == '\0')
		return;
	assert_int_equal(k256_point(unhex(column[KEY]).p, public, &err), 0);
	assert_memory_equal(public + 1, point + 1, K256_SIZE);
	assert_int_equal(k256_schnorr_sign(unhex(column[KEY]).p, &untweaked, message,
			     unhex(column[AUX]).p, made, &err),
	    0);
	assert_view_equal(tsb_view_of(made, sizeof(made)), signature);
}

static void
test_bip340(void **state)
{
	const char *src = getenv("SRC"), *column[COLUMNS];
	char path[512], line[2048];
	size_t rows = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/tests/vectors/bip340.csv", src == NULL ? "." : src);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f)); /* names of the columns */
	for (; fgets(line, sizeof(line), f) != NULL; rows++) {
		assert_true(columns(line, column));
		check_bip340(column);
	}
	(void)fclose(f);
	assert_int_equal(rows, 19);
}

/* ---- BIP-341 ---- */

/* Of a row: by its scripts where it has some, and by the number that they make. */
static size_t
taproots(json_object *row, struct k256_taproot out[2])
{
	struct tsb_view root = optional(row, "merkleRoot");

	out[0] = (struct k256_taproot){.tweak = json_hex(row, "tweak")};
	out[1] = (struct k256_taproot){.merkle_root = root};
	return root.n == 0 ? 1 : 2;
}

/* The same by the broker's way, which has the public key alone. */
static enum tsb_code
check_claim(const unsigned char point[K256_POINT], const struct k256_taproot *taproot,
    struct tsb_view hash, struct tsb_view signature)
{
	const struct crypto_signed claim = {.algorithm = "NONE_WITH_EC_SCHNORR_BIP0340",
	    .extra.taproot = *taproot,
	    .payload = hash,
	    .signature = signature};
	tsb_bytes_auto spki = {0};
	struct tsb_err err = {0};

	tsb_bytes_add_view(&spki, unhex("3036301006072a8648ce3d020106052b8104000a032200"));
	tsb_bytes_add(&spki, point, K256_POINT);
	return crypto_signature_check(tsb_view_bytes(&spki), &claim, &err) ? err.code : TSB_OK;
}

static void
test_bip341_signs_with_the_output_key(void **state)
{
	json_object *o = load("bip341.json"), *rows = json_need(o, "spending");
	const unsigned char aux[K256_SIZE] = {0};
	size_t n = json_object_array_length(rows);

	assert_int_equal(n, 7);
	for (size_t i = 0; i < n; i++) {
		json_object *row = json_object_array_get_idx(rows, i);
		struct tsb_view hash = json_hex(row, "sigHash");
		unsigned char made[K256_SIGNATURE], point[K256_POINT];
		const unsigned char *key = json_hex(row, "internalPrivkey").p;
		struct k256_taproot taproot[2];
		struct tsb_err err;

		assert_int_equal(k256_point(key, point, &err), 0);
		for (size_t t = taproots(row, taproot); t-- > 0;) {
			assert_int_equal(k256_schnorr_sign(key, &taproot[t], hash, aux, made, &err),
			    0);
			assert_view_equal(tsb_view_of(made, sizeof(made)),
			    json_hex(row, "signature"));
			assert_true(k256_schnorr_verify(point, &taproot[t], hash,
			    tsb_view_of(made, sizeof(made))));
			assert_false(k256_schnorr_verify(point, &untweaked, hash,
			    tsb_view_of(made, sizeof(made))));
			assert_int_equal(check_claim(point, &taproot[t], hash,
					     tsb_view_of(made, sizeof(made))),
			    TSB_OK);
			assert_int_equal(check_claim(point, &untweaked, hash,
					     tsb_view_of(made, sizeof(made))),
			    TSB_E_INVALID_SIGNATURE);
			assert_int_equal(check_claim(point, &taproot[t], hash,
					     tsb_view_of(made, sizeof(made) - 1)),
			    TSB_E_INVALID_SIGNATURE);
		}
	}
	json_object_put(o);
}

/* The output key, seen by what its own signatures are checked with. */
static void
test_bip341_output_keys(void **state)
{
	json_object *o = load("bip341.json"), *rows = json_need(o, "keys");
	size_t n = json_object_array_length(rows);

	assert_int_equal(n, 7);
	for (size_t i = 0; i < n; i++) {
		json_object *row = json_object_array_get_idx(rows, i);
		unsigned char point[K256_POINT] = {2};

		memcpy(point + 1, json_hex(row, "internalPubkey").p, K256_SIZE);
		assert_true(k256_point_add(point, json_hex(row, "tweak").p));
		assert_view_equal(tsb_view_of(point + 1, K256_SIZE),
		    json_hex(row, "tweakedPubkey"));
	}
	json_object_put(o);
}

/* ---- EIP-155 ---- */

static void
test_eip155(void **state)
{
	json_object *o = load("eip155.json"), *e = json_need(o, "eip155");
	unsigned char made[K256_SIGNATURE], point[K256_POINT], hash[32];
	struct tsb_view digest = tsb_view_of(hash, sizeof(hash));
	struct tsb_err err;

	keccak(json_hex(e, "sign"), sizeof(hash), hash);
	assert_view_equal(digest, json_hex(e, "hash"));
	assert_int_equal(k256_ecdsa_sign(json_hex(e, "key").p, digest, true, made, &err), 0);
	assert_view_equal(tsb_view_of(made, 32), json_hex(e, "r"));
	assert_view_equal(tsb_view_of(made + 32, 32), json_hex(e, "s"));
	assert_int_equal(k256_point(json_hex(e, "key").p, point, &err), 0);
	/* v of EIP-155 is 35 + 2 * chain + parity */
	assert_int_equal(k256_ecdsa_recovery(made, digest, point),
	    json_object_get_int(json_need(e, "v")) - 35 -
		2 * json_object_get_int(json_need(e, "chainId")));
	json_object_put(o);
}

/* ---- RFC 6979, which has no example on this curve: as other implementations give it ---- */

static void
test_rfc6979(void **state)
{
	static const struct {
		const char *key, *message, *signature;
	} rows[] = {
	    {"0000000000000000000000000000000000000000000000000000000000000001", "Satoshi Nakamoto",
		"934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
		"2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"},
	    {"0000000000000000000000000000000000000000000000000000000000000001",
		"All those moments will be lost in time, like tears in rain. Time to die...",
		"8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b"
		"547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		unsigned char digest[CRYPTO_SHA256_SIZE], made[K256_SIGNATURE];
		struct tsb_err err;

		crypto_sha256(tsb_view_str(rows[i].message), digest);
		assert_int_equal(k256_ecdsa_sign(unhex(rows[i].key).p,
				     tsb_view_of(digest, sizeof(digest)), true, made, &err),
		    0);
		assert_view_equal(tsb_view_of(made, sizeof(made)), unhex(rows[i].signature));
	}
}

/* ---- what no vector says ---- */

static const char order[] = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141";
static const char order_less_one[] =
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364140";

static void
test_numbers_that_are_no_keys(void **state)
{
	unsigned char one[K256_SIZE] = {[31] = 1}, key[K256_SIZE], point[K256_POINT];
	const unsigned char zero[K256_SIZE] = {0}, *big = unhex(order).p,
			    *minus_one = unhex(order_less_one).p;
	const struct k256_taproot too_big = {.tweak = tsb_view_of(big, K256_SIZE)};
	unsigned char out[K256_SIGNATURE];
	struct tsb_err err;

	assert_refused(k256_point(zero, point, &err), &err, TSB_E_DATA_CONSTELLATION);
	assert_refused(k256_point(big, point, &err), &err, TSB_E_DATA_CONSTELLATION);
	memcpy(key, one, sizeof(key));
	assert_false(k256_key_add(key, big));
	memcpy(key, one, sizeof(key));
	assert_false(k256_key_add(key, minus_one)); /* 0 */
	assert_int_equal(k256_point(one, point, &err), 0);
	assert_false(k256_point_add(point, big));
	assert_false(k256_point_add(point, minus_one));
	assert_refused_as(k256_schnorr_sign(one, &too_big, tsb_view_str("m"), NULL, out, &err),
	    &err, TSB_E_INPUT, "taprootTweakData");
	assert_false(
	    k256_schnorr_verify(point, &too_big, tsb_view_str("m"), tsb_view_of(out, sizeof(out))));
	assert_false(k256_point_parse(tsb_view_of(zero, sizeof(zero)), point));
	assert_false(k256_point_parse((struct tsb_view){NULL, 0}, point));
}

static void
test_sums_agree_on_both_halves(void **state)
{
	unsigned char key[K256_SIZE] = {7}, tweak[K256_SIZE] = {[31] = 9};
	unsigned char point[K256_POINT], sum[K256_POINT];
	struct tsb_err err;

	assert_int_equal(k256_point(key, point, &err), 0);
	assert_true(k256_key_add(key, tweak) && k256_point_add(point, tweak));
	assert_int_equal(k256_point(key, sum, &err), 0);
	assert_memory_equal(sum, point, sizeof(sum));
}

/* Digests of all sizes; a random nonce differs, that of RFC 6979 does not. */
static void
test_ecdsa_digests(void **state)
{
	static const size_t sizes[] = {20, 28, 32, 48, 64};
	unsigned char key[K256_SIZE] = {[31] = 5}, digest[64], point[K256_POINT];
	unsigned char a[K256_SIGNATURE], b[K256_SIGNATURE];
	struct tsb_err err;

	assert_int_equal(k256_point(key, point, &err), 0);
	for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
		struct tsb_view in = tsb_view_of(digest, sizes[i]);

		memset(digest, 0xC0 + (int)i, sizeof(digest));
		assert_int_equal(k256_ecdsa_sign(key, in, false, a, &err), 0);
		assert_int_equal(k256_ecdsa_sign(key, in, false, b, &err), 0);
		assert_memory_not_equal(a, b, sizeof(a));
		assert_in_range(k256_ecdsa_recovery(a, in, point), 0, 1);
		assert_int_equal(k256_ecdsa_sign(key, in, true, a, &err), 0);
		assert_int_equal(k256_ecdsa_sign(key, in, true, b, &err), 0);
		assert_memory_equal(a, b, sizeof(a));
		assert_true(k256_ecdsa_lower(a)); /* it is low already */
		assert_memory_equal(a, b, sizeof(a));
	}
	memset(a, 0xFF, sizeof(a));
	assert_false(k256_ecdsa_lower(a));
	assert_int_equal(k256_ecdsa_recovery(a, tsb_view_of(digest, 32), point), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bip340),
	    cmocka_unit_test(test_bip341_signs_with_the_output_key),
	    cmocka_unit_test(test_bip341_output_keys),
	    cmocka_unit_test(test_eip155),
	    cmocka_unit_test(test_rfc6979),
	    cmocka_unit_test(test_numbers_that_are_no_keys),
	    cmocka_unit_test(test_sums_agree_on_both_halves),
	    cmocka_unit_test(test_ecdsa_digests),
	};

	return cmocka_run_group_tests(tests, vectors_load, vectors_unload) + memory_clear(NULL);
}
