#include "lib/first.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"

#include "hsm/key/make.h"
#include "hsm/soft/internal.h"
#include "hsm/soft/soft.h"
#include "tests/unit/hsm_keys.h"

struct tsb_view
hsm_keys_hex(const char *hex)
{
	static struct arena a;
	struct tsb_view v;

	assert_true(enc_hex_decode(tsb_view_str(hex), &a, &v));
	return v;
}

void
hsm_keys_expect(struct tsb_view got, const char *hex)
{
	struct tsb_view want = hsm_keys_hex(hex);

	assert_int_equal(got.n, want.n);
	if (want.n)
		assert_memory_equal(got.p, want.p, want.n);
}

const struct tokens *
hsm_keys_tokens(void)
{
	static struct tokens tokens;
	struct tsb_err err = {0};

	if (tokens.n == 0 && tokens_open(&tokens, &soft_token, &err))
		fail_msg("%s", err.msg);
	return &tokens;
}

struct hsm_key *
hsm_keys_make(const char *algorithm, const char *password)
{
	struct wire_key_create in = {.label = "k",
	    .algorithm = algorithm,
	    .password = tsb_view_str(password)};
	arena_auto a = {0};
	struct hsm_key *k = NULL;
	struct tsb_err err = {0};

	if (isdigit((unsigned char)algorithm[0])) {
		in.algorithm = "EC";
		in.curve_oid = algorithm;
	}
	if (tsb_streq(algorithm, "RSA"))
		in.key_size = 2048;
	in.flag[ATTR_SIGN] = in.flag[ATTR_DECRYPT] = in.flag[ATTR_UNWRAP] = true;
	in.flag[ATTR_EXTRACTABLE] = true;
	if (key_make(hsm_keys_tokens(), &in, &a, HSM_KEYS_NOW, &k, &err))
		fail_msg("%s", err.msg);
	return k;
}

struct token_key *
hsm_keys_open(struct hsm_key *k, const char *password)
{
	struct token_key *opened = NULL;
	struct tsb_err err = {0};

	if (token_use(hsm_keys_tokens(), k, tsb_view_str(password), &opened, &err))
		fail_msg("%s", err.msg);
	return opened;
}

const struct soft_key *
hsm_keys_soft(const struct token_key *opened)
{
	assert_ptr_equal(opened->ops, &soft_token);
	return (const struct soft_key *)opened;
}

void
hsm_keys_value(const struct hsm_key *k, struct tsb_bytes *out)
{
	struct tsb_err err = {0};

	if (key_private_part(k, tsb_view_of(NULL, 0), out, &err))
		fail_msg("%s", err.msg);
}

/* A known value comes in as every other one does: wrapped. */
struct hsm_key *
hsm_keys_secret(const char *hex, const char *password)
{
	struct wire_key_create outer = {.label = "kek", .algorithm = "AES", .key_size = 256};
	struct wire_key_create in = {.label = "k", .password = tsb_view_str(password)};
	struct key_wrapped wrapped = {0};
	arena_auto a = {0};
	hsm_key_auto *kek = NULL;
	token_key_auto *opened = NULL;
	tsb_bytes_auto value = {0};
	struct hsm_key *k = NULL;
	struct tsb_err err = {0};

	outer.flag[ATTR_UNWRAP] = true;
	in.flag[ATTR_DECRYPT] = in.flag[ATTR_UNWRAP] = true;
	in.encrypt = in.wrap = true;
	if (key_make(hsm_keys_tokens(), &outer, &a, HSM_KEYS_NOW, &kek, &err) ||
	    wrap_select(kek, "AES_WRAP_PAD", &wrapped.method, &err))
		fail_msg("%s", err.msg);
	opened = hsm_keys_open(kek, NULL);
	if (soft_wrap(hsm_keys_soft(opened), kek, wrapped.method, hsm_keys_hex(hex), &value, &err))
		fail_msg("%s", err.msg);
	wrapped.by = kek;
	wrapped.opened = opened;
	wrapped.value = tsb_view_bytes(&value);
	if (key_make_unwrapped(hsm_keys_tokens(), &in, &wrapped, HSM_KEYS_NOW, &k, &err))
		fail_msg("%s", err.msg);
	return k;
}
