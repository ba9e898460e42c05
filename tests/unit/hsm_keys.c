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
	if (keygen_from_request(&in, &a, HSM_KEYS_NOW, &k, &err))
		fail_msg("%s", err.msg);
	return k;
}

struct hsm_key *
hsm_keys_secret(const char *hex, const char *password)
{
	struct wire_key_create in = {.label = "k", .password = tsb_view_str(password)};
	struct hsm_key *k = NULL;
	struct tsb_err err = {0};

	in.flag[ATTR_DECRYPT] = in.flag[ATTR_UNWRAP] = true;
	in.encrypt = in.wrap = true;
	if (keygen_import(&in, KEY_AES, hsm_keys_hex(hex), HSM_KEYS_NOW, &k, &err))
		fail_msg("%s", err.msg);
	return k;
}

struct key_opened
hsm_keys_open(const struct hsm_key *k, const char *password)
{
	struct key_opened opened = {0};
	struct tsb_err err = {0};

	if (key_open(k, tsb_view_str(password), &opened, &err))
		fail_msg("%s", err.msg);
	return opened;
}
