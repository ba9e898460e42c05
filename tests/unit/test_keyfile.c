/* Keys and their files: what is written is what is read, and nothing else is read. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "hsm/key/make.h"
#include "hsm/soft/internal.h"
#include "hsm/store/keyfile.h"
#include "tests/unit/hsm_keys.h"

#define NOW 1700000000

static const unsigned char master[CRYPTO_BOX_KEY_SIZE] = {1, 2, 3};

static struct tsb_view
no_bytes(void)
{
	return tsb_view_of(NULL, 0);
}

static struct wire_key_create
request(const char *label)
{
	struct wire_key_create in = {.label = label,
	    .algorithm = "EC",
	    .curve_oid = "1.3.132.0.10"};

	in.flag[ATTR_SIGN] = in.flag[ATTR_SENSITIVE] = in.flag[ATTR_DESTROYABLE] = true;
	return in;
}

static struct hsm_key *
make(struct wire_key_create *in)
{
	arena_auto a = {0};
	struct hsm_key *k = NULL;
	struct tsb_err err = {0};

	if (key_make(hsm_keys_tokens(), in, &a, NOW, &k, &err))
		fail_msg("%s", err.msg);
	return k;
}

static void
name_of(const char *label, struct keyfile_name *out)
{
	keyfile_name(tsb_view_str(label), out);
}

/* ---- the file ---- */

static void
test_name_is_the_digest_of_the_label(void **state)
{
	struct keyfile_name name;

	name_of("abc", &name);
	assert_string_equal(name.text,
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.key");
	name_of("../../etc/passwd", &name);
	assert_null(strchr(name.text, '/'));
}

static void
test_file_opens_only_as_it_was_sealed(void **state)
{
	unsigned char other_master[CRYPTO_BOX_KEY_SIZE] = {1, 2, 4};
	tsb_bytes_auto file = {0};
	tsb_bytes_auto content = {0};
	struct keyfile_name name, other;
	struct tsb_err err;

	name_of("a", &name);
	name_of("b", &other);
	keyfile_seal(master, name.text, tsb_view_str("content"), &file);
	assert_int_equal(keyfile_open(master, name.text, tsb_view_bytes(&file), &content, &err), 0);
	assert_true(tsb_view_eq(tsb_view_bytes(&content), tsb_view_str("content")));
	assert_int_equal(keyfile_open(master, other.text, tsb_view_bytes(&file), &content, &err),
	    -1);
	assert_int_equal(err.code, TSB_E_DATA_CONSTELLATION);
	assert_int_equal(keyfile_open(other_master, name.text, tsb_view_bytes(&file), &content,
			     &err),
	    -1);
	for (size_t i = 0; i < file.n; i++) {
		assert_int_equal(keyfile_open(master, name.text, tsb_view_of(file.p, i), &content,
				     &err),
		    -1);
		file.p[i] ^= 0x10;
		assert_int_equal(keyfile_open(master, name.text, tsb_view_bytes(&file), &content,
				     &err),
		    -1);
		file.p[i] ^= 0x10;
	}
}

static void
test_same_key_never_gives_the_same_file(void **state)
{
	tsb_bytes_auto one = {0};
	tsb_bytes_auto two = {0};

	keyfile_seal(master, "x.key", tsb_view_str("content"), &one);
	keyfile_seal(master, "x.key", tsb_view_str("content"), &two);
	assert_false(tsb_view_eq(tsb_view_bytes(&one), tsb_view_bytes(&two)));
}

/* ---- the content ---- */

static void
assert_same_content(const struct hsm_key *a, const struct hsm_key *b)
{
	tsb_bytes_auto one = {0};
	tsb_bytes_auto two = {0};

	key_encode(a, &one);
	key_encode(b, &two);
	assert_true(tsb_view_eq(tsb_view_bytes(&one), tsb_view_bytes(&two)));
}

static struct hsm_key *
through_bytes(const struct hsm_key *k)
{
	tsb_bytes_auto content = {0};
	struct hsm_key *again = NULL;
	struct tsb_view label;
	struct tsb_err err = {0};

	key_encode(k, &content);
	if (key_decode(tsb_view_bytes(&content), &again, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(key_decode_label(tsb_view_bytes(&content), &label, &err), 0);
	assert_true(tsb_view_eq(label, tsb_view_str(k->label)));
	return again;
}

static void
test_key_survives_encoding(void **state)
{
	struct ska_token token = {.name = "t", .timeout = 600};
	struct wire_key_create in = request("k\xc3\xa4y");
	hsm_key_auto *k = NULL;
	hsm_key_auto *again = NULL;

	in.id = "id";
	in.has_policy = true;
	in.policy.blocked = true;
	in.policy.rule[RULE_USE] = (struct ska_rule){1, &token};
	in.address_format = "ETH";
	in.verify = true;
	k = make(&in);
	again = through_bytes(k);
	assert_same_content(k, again);
	assert_string_equal(again->id, "id");
	assert_string_equal(again->address_format, "ETH");
	assert_int_equal(again->create_time, NOW);
	assert_int_equal(again->extra, KEY_VERIFY);
	assert_true(again->has_policy && again->policy.blocked);
	assert_int_equal(again->policy.rule[RULE_USE].tokens[0].timeout, 600);
	assert_int_equal(again->policy.rule[RULE_BLOCK].ntokens, 0);
	assert_true(again->flag[ATTR_SIGN] && again->flag[ATTR_NEVER_EXTRACTABLE]);
	assert_false(again->flag[ATTR_EXTRACTABLE] || again->flag[ATTR_DECRYPT]);
}

static void
test_truncated_content_is_refused(void **state)
{
	struct wire_key_create in = request("k");
	hsm_key_auto *k = make(&in);
	tsb_bytes_auto content = {0};
	struct tsb_err err;
	struct hsm_key *out = NULL;

	key_encode(k, &content);
	for (size_t i = 0; i < content.n; i++) {
		assert_int_equal(key_decode(tsb_view_of(content.p, i), &out, &err), -1);
		assert_int_equal(err.code, TSB_E_DATA_CONSTELLATION);
		assert_null(out);
	}
}

static void
test_private_key_of_another_key_is_refused(void **state)
{
	struct wire_key_create in = request("k");
	hsm_key_auto *k = make(&in);
	hsm_key_auto *other = make(&in);
	tsb_bytes_auto content = {0};
	struct tsb_err err;
	hsm_key_auto *mixed = NULL;
	struct token_key *opened = NULL;

	k->private_part = other->private_part;
	key_encode(k, &content);
	if (key_decode(tsb_view_bytes(&content), &mixed, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(token_use(hsm_keys_tokens(), mixed, no_bytes(), &opened, &err), -1);
	assert_int_equal(err.code, TSB_E_DATA_CONSTELLATION);
	assert_non_null(strstr(err.msg, "does not belong"));
	assert_null(opened);
}

static void
test_curve_that_the_key_is_not_on_is_refused(void **state)
{
	struct wire_key_create in = request("k");
	hsm_key_auto *k = make(&in);
	tsb_bytes_auto content = {0};
	struct tsb_err err;
	struct hsm_key *out = NULL;

	k->curve = curve_p256;
	key_encode(k, &content);
	assert_int_equal(key_decode(tsb_view_bytes(&content), &out, &err), -1);
	assert_non_null(strstr(err.msg, "another curve"));
}

/* ---- tokens ---- */

/* Content that versions wrote that knew one token only: the corpus of the fuzz target has it. */
static struct tsb_view
content_from_before(const char *name, struct arena *a)
{
	const char *src = getenv("SRC");
	char *path =
	    arena_printf(a, "%s/tests/fuzz/corpus/keyfile/%s", src != NULL ? src : ".", name);
	tsb_bytes_auto file = {0};
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(tsb_bytes_grow(&file, 65536), 1, 65536, f);
	assert_true(n > 0 && n < 65536);
	fclose(f);
	return arena_view(a, tsb_view_of(file.p, n));
}

static void
test_files_from_before_are_of_token_soft(void **state)
{
	static const char *const names[] = {"aes", "aes-password", "blocked", "certificate",
	    "certificate-done", "done", "ec", "ed", "imported", "password", "policy", "rsa"};

	for (size_t i = 0; i < TSB_COUNT(names); i++) {
		arena_auto a = {0};
		struct tsb_view before = content_from_before(names[i], &a);
		hsm_key_auto *k = NULL;
		token_key_auto *opened = NULL;
		tsb_bytes_auto after = {0};
		struct tsb_err err = {0};

		if (key_decode(before, &k, &err))
			fail_msg("%s: %s", names[i], err.msg);
		assert_string_equal(k->token, KEY_TOKEN_SOFT);
		if (!k->has_password && token_use(hsm_keys_tokens(), k, no_bytes(), &opened, &err))
			fail_msg("%s: %s", names[i], err.msg);
		/* and they can go back to the version that wrote them */
		key_encode(k, &after);
		assert_true(tsb_view_eq(before, tsb_view_bytes(&after)));
	}
}

static void
test_token_has_one_way_to_be_named(void **state)
{
	struct wire_key_create in = request("k");
	hsm_key_auto *k = make(&in);
	hsm_key_auto *again = NULL;
	tsb_bytes_auto content = {0};
	struct hsm_key *out = NULL;
	struct tsb_err err;

	k->token = "sift";
	again = through_bytes(k);
	assert_string_equal(again->token, "sift");
	key_encode(k, &content);
	for (size_t i = 0; i + 4 < content.n; i++)
		if (memcmp(content.p + i, "sift", 4) == 0)
			content.p[i + 1] = 'o';
	assert_int_equal(key_decode(tsb_view_bytes(&content), &out, &err), -1);
	assert_int_equal(err.code, TSB_E_DATA_CONSTELLATION);
	assert_non_null(strstr(err.msg, "goes without saying"));
}

/* ---- passwords ---- */

static void
test_password_opens_the_private_key(void **state)
{
	struct wire_key_create in = request("k");
	hsm_key_auto *k = NULL;
	hsm_key_auto *again = NULL;
	token_key_auto *opened = NULL;
	struct tsb_err err;

	in.password = tsb_view_str("secret");
	k = make(&in);
	again = through_bytes(k);
	assert_true(again->has_password);
	assert_int_equal(token_use(hsm_keys_tokens(), again, tsb_view_str("secret"), &opened, &err),
	    0);
	assert_int_equal(EVP_PKEY_eq(hsm_keys_soft(opened)->pair, again->public_key), 1);
	assert_null(again->opened); /* the next one needs the password again */
	assert_int_equal(key_check_password(again, tsb_view_str("secret"), &err), 0);
}

static void
test_other_passwords_do_not(void **state)
{
	static const char *const wrong[] = {"", "secre", "secret ", "Secret", "secret\n"};
	struct wire_key_create in = request("k");
	hsm_key_auto *k = NULL;
	struct token_key *opened = NULL;
	struct tsb_err err;

	in.password = tsb_view_str("secret");
	k = make(&in);
	for (size_t i = 0; i < TSB_COUNT(wrong); i++) {
		assert_int_equal(token_use(hsm_keys_tokens(), k, tsb_view_str(wrong[i]), &opened,
				     &err),
		    -1);
		assert_int_equal(err.code, TSB_E_KEY_PASSWORD);
		assert_string_equal(err.msg, "Key password mismatch for key 'k'.");
		assert_null(opened);
		assert_int_equal(key_check_password(k, tsb_view_str(wrong[i]), &err), -1);
	}
}

static void
test_sealed_private_key_cannot_move_to_another_key(void **state)
{
	struct wire_key_create in = request("k");
	hsm_key_auto *k = NULL;
	hsm_key_auto *other = NULL;
	struct tsb_err err;

	in.password = tsb_view_str("secret");
	k = make(&in);
	other = make(&in);
	k->private_part = other->private_part;
	k->salt = other->salt;
	assert_int_equal(key_check_password(k, tsb_view_str("secret"), &err), -1);
}

static void
test_key_without_password_takes_any(void **state)
{
	struct wire_key_create in = request("k");
	hsm_key_auto *k = make(&in);
	token_key_auto *opened = NULL;
	token_key_auto *same = NULL;
	struct tsb_err err;

	assert_int_equal(key_check_password(k, no_bytes(), &err), 0);
	assert_int_equal(key_check_password(k, tsb_view_str("anything"), &err), 0);
	assert_int_equal(token_use(hsm_keys_tokens(), k, no_bytes(), &opened, &err), 0);
	assert_int_equal(token_use(hsm_keys_tokens(), k, tsb_view_str("any"), &same, &err), 0);
	assert_ptr_equal(opened, same); /* opened once, kept with the key */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_name_is_the_digest_of_the_label),
	    cmocka_unit_test(test_file_opens_only_as_it_was_sealed),
	    cmocka_unit_test(test_same_key_never_gives_the_same_file),
	    cmocka_unit_test(test_key_survives_encoding),
	    cmocka_unit_test(test_truncated_content_is_refused),
	    cmocka_unit_test(test_private_key_of_another_key_is_refused),
	    cmocka_unit_test(test_curve_that_the_key_is_not_on_is_refused),
	    cmocka_unit_test(test_files_from_before_are_of_token_soft),
	    cmocka_unit_test(test_token_has_one_way_to_be_named),
	    cmocka_unit_test(test_password_opens_the_private_key),
	    cmocka_unit_test(test_other_passwords_do_not),
	    cmocka_unit_test(test_sealed_private_key_cannot_move_to_another_key),
	    cmocka_unit_test(test_key_without_password_takes_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
