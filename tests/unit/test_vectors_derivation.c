/*
 * Keys derived as BIP-32 and SLIP-0010 publish them (tests/vectors/bip32.json, slip10.json). $SRC
 * names the source tree.
 */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "lib/crypto/curve.h"
#include "lib/crypto/owned.h"

#include "hsm/soft/slip10.h"
#include "tests/unit/hsm_keys.h"
#include "tests/unit/vectors.h"

static json_object *
load(const char *name)
{
	char path[4096];
	json_object *document;

	(void)snprintf(path, sizeof(path), "%s/tests/vectors/%s", getenv("SRC"), name);
	document = json_object_from_file(path);
	assert_non_null(document);
	return document;
}

/* The node of a chain such as "m/0'/1". */
static void
derive(const struct slip10_method *m, const char *seed, const char *chain, struct slip10_node *out)
{
	struct key_path path = {0};
	struct tsb_err err = {0};

	if (slip10_master(m, hsm_keys_hex(seed), out, &err) ||
	    (chain[1] == '/' &&
		(key_path_parse(tsb_view_str(chain + 2), &path, &err) ||
		    slip10_walk(m, &path, out, &err))))
		fail_msg("%s: %s", chain, err.msg);
}

/* The pair that the HSM uses has the same halves. */
static void
check_pair(const struct slip10_method *m, const struct slip10_node *n)
{
	slip10_node_auto again = {{0}};
	pkey_auto *pair = NULL;
	struct tsb_err err = {0};

	if (slip10_pair(m, n, &pair, &err) || slip10_read(m, pair, &n->chain, &again, &err))
		fail_msg("%s", err.msg);
	assert_memory_equal(again.key, n->key, SLIP10_KEY_SIZE);
	if (EVP_PKEY_is_a(pair, "EC")) {
		pkey_ctx_auto *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);

		assert_int_equal(EVP_PKEY_pairwise_check(ctx), 1);
	}
}

static void
expect_text(const struct slip10_node *n, uint32_t version, struct tsb_view key, const char *want)
{
	tsb_bytes_auto text = {0};

	chain_format(&n->chain, version, key, &text);
	assert_string_equal(tsb_bytes_cstr(&text), want);
}

static void
test_bip32(void **state)
{
	const struct slip10_method *m = slip10_method(curve_secp256k1);
	json_object *document = load("bip32.json");
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(document); i++) {
		json_object *v = json_object_array_get_idx(document, i);
		json_object *chains =
		    json_need(v, "chains"); /* invalid: nobody reads extended keys here */
		for (size_t k = 0; k < json_object_array_length(chains); k++, n++) {
			json_object *c = json_object_array_get_idx(chains, k);
			unsigned char public_key[SLIP10_PUBLIC_SIZE], private_key[33] = {0};
			slip10_node_auto node = {{0}};

			derive(m, json_text(v, "seed"), json_text(c, "chain"), &node);
			assert_true(slip10_public(m, &node, public_key));
			memcpy(private_key + 1, node.key, SLIP10_KEY_SIZE);
			expect_text(&node, CHAIN_XPUB, tsb_view_of(public_key, sizeof(public_key)),
			    json_text(c, "xpub"));
			expect_text(&node, CHAIN_XPRV,
			    tsb_view_of(private_key, sizeof(private_key)), json_text(c, "xprv"));
			check_pair(m, &node);
		}
	}
	assert_true(n == 17);
	json_object_put(document);
}

static const struct slip10_method *
method_of(const char *curve)
{
	if (tsb_streq(curve, "ed25519"))
		return slip10_method(NULL);
	return slip10_method(tsb_streq(curve, "secp256k1") ? curve_secp256k1 : curve_p256);
}

static void
check_slip10_chain(const struct slip10_method *m, const char *seed, json_object *c)
{
	unsigned char public_key[SLIP10_PUBLIC_SIZE];
	slip10_node_auto node = {{0}};

	derive(m, seed, json_text(c, "chain"), &node);
	assert_true(slip10_public(m, &node, public_key));
	hsm_keys_expect(tsb_view_of(node.chain.parent, CHAIN_PARENT_SIZE),
	    json_text(c, "fingerprint"));
	hsm_keys_expect(tsb_view_of(node.chain.code, CHAIN_CODE_SIZE), json_text(c, "chain code"));
	hsm_keys_expect(tsb_view_of(node.key, SLIP10_KEY_SIZE), json_text(c, "private"));
	hsm_keys_expect(tsb_view_of(public_key, sizeof(public_key)), json_text(c, "public"));
	check_pair(m, &node);
}

static void
test_slip10(void **state)
{
	json_object *document = load("slip10.json");
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(document); i++) {
		json_object *v = json_object_array_get_idx(document, i);
		json_object *chains = json_need(v, "chains");

		if (tsb_streq(json_text(v, "curve"), "curve25519"))
			continue; /* keys on it sign nothing */
		for (size_t k = 0; k < json_object_array_length(chains); k++, n++)
			check_slip10_chain(method_of(json_text(v, "curve")), json_text(v, "seed"),
			    json_object_array_get_idx(chains, k));
	}
	assert_true(n == 39);
	json_object_put(document);
}

static void
test_ed25519_has_hardened_children_only(void **state)
{
	const struct slip10_method *m = slip10_method(NULL);
	slip10_node_auto node = {{0}};
	slip10_node_auto before = {{0}};
	struct key_path path = {2, {KEY_PATH_HARDENED, 1}};
	struct tsb_err err = {0};

	derive(m, "000102030405060708090a0b0c0d0e0f", "m", &node);
	before = node;
	assert_int_equal(slip10_walk(m, &path, &node, &err), -1);
	assert_int_equal(err.code, TSB_E_DERIVATION);
	assert_memory_equal(&node, &before, sizeof(node));
}

static void
test_depth_has_an_end(void **state)
{
	const struct slip10_method *m = slip10_method(curve_secp256k1);
	slip10_node_auto node = {{0}};
	struct key_path path = {2, {0, 0}};
	struct tsb_err err = {0};

	derive(m, "000102030405060708090a0b0c0d0e0f", "m", &node);
	node.chain.depth = CHAIN_DEPTH_MAX - 1;
	assert_int_equal(slip10_walk(m, &path, &node, &err), -1);
	assert_int_equal(err.code, TSB_E_KEY_NAME);
	path.n = 1;
	assert_int_equal(slip10_walk(m, &path, &node, &err), 0);
}

static void
test_other_curves_have_no_derivation(void **state)
{
	assert_null(slip10_method(curve_by_oid("1.3.132.0.34")));
	assert_null(slip10_method(curve_by_oid("1.3.36.3.3.2.8.1.1.7")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bip32),
	    cmocka_unit_test(test_slip10),
	    cmocka_unit_test(test_ed25519_has_hardened_children_only),
	    cmocka_unit_test(test_depth_has_an_end),
	    cmocka_unit_test(test_other_curves_have_no_derivation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
