/* What the tests of lib/wire share. */
#ifndef TESTS_UNIT_WIRE_HELP_H
#define TESTS_UNIT_WIRE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/enc.h"
#include "lib/wire/wire.h"

#define ID "4e8731d8-0ae6-4444-8a8c-b73ab5f0ba18"

static struct arena arena;

static inline int
teardown(void **state)
{
	arena_reset(&arena);
	return 0;
}

static inline int
group_teardown(void **state)
{
	arena_clear(&arena);
	return 0;
}

static inline struct tsb_view
text(const char *s)
{
	return tsb_view_str(s);
}

static inline struct tsb_view
decoded(const char *base64)
{
	struct tsb_view v;

	assert_true(enc_base64_decode(text(base64), &arena, &v));
	return v;
}

static inline struct tsb_uuid
uuid(const char *s)
{
	struct tsb_uuid u;

	assert_true(uuid_parse(s, &u));
	return u;
}

static inline void
assert_view(struct tsb_view v, const char *expected)
{
	tsb_bytes_auto got = {0};

	tsb_bytes_add_view(&got, v);
	assert_string_equal(tsb_bytes_cstr(&got), expected);
}

static inline void
assert_refused(const char *name, int result, const struct tsb_err *err, enum tsb_code code,
    const char *message)
{
	if (result != -1 || err->code != code || strstr(err->msg, message) == NULL)
		fail_msg("%s: result %d, code %d, message '%s', expected code %d and '%s'", name,
		    result, tsb_err_number(err->code), err->msg, tsb_err_number(code), message);
}

/* Everything we write must pass our own scanner unchanged. */
static inline void
assert_compact(const struct tsb_bytes *out)
{
	struct tsb_view compact;
	struct tsb_err err = {0};

	if (wire_compact(tsb_view_bytes(out), &arena, &compact, &err))
		fail_msg("%.*s: %s", (int)out->n, (const char *)out->p, err.msg);
	assert_true(tsb_view_eq(compact, tsb_view_bytes(out)));
}

/* head, n times unit, tail */
static inline struct tsb_view
repeated(struct tsb_bytes *b, const char *head, const char *unit, size_t n, const char *tail)
{
	tsb_bytes_reset(b);
	tsb_bytes_add_str(b, head);
	for (size_t i = 0; i < n; i++)
		tsb_bytes_add_str(b, unit);
	tsb_bytes_add_str(b, tail);
	return tsb_view_bytes(b);
}

static inline struct tsb_request_in
accepted(enum tsb_kind kind, const char *body)
{
	struct tsb_request_in in = {0};
	struct tsb_err err = {0};

	if (wire_request_parse(kind, text(body), &arena, &in, &err))
		fail_msg("%s: %s", body, err.msg);
	return in;
}

/* A sign request with all that it needs and the members given. */
#define SIGN(members)                                                                              \
	"{\"signRequest\":{\"payload\":\"AA==\",\"signKeyName\":\"k\","                            \
	"\"signatureAlgorithm\":\"EDDSA\"" members "}}"

#define WIRE_TEST(f) cmocka_unit_test_teardown(f, teardown)

#endif
