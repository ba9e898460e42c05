/* Parts of a text: splitting, joining and every way in which a part can be wrong. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/qr/part.h"

static const char one_id[] = "0190a3c1-7f00-7abc-8def-0123456789ab";

static void
test_one_part(void **state)
{
	arena_auto arena = { 0 };
	tsb_bytes_auto part = { 0 };
	qr_join_auto join = { 0 };
	struct tsb_uuid id;
	struct tsb_view text;
	struct tsb_err err = { 0 };

	assert_true(uuid_parse(one_id, &id));
	assert_int_equal(qr_part_format(tsb_view_str("abc"), &id, QR_CHUNK_MAX, 1, &part, &err), 0);
	assert_string_equal(tsb_bytes_cstr(&part),
	    "TSBQR1|0190a3c1-7f00-7abc-8def-0123456789ab|1|1|ba7816bf|abc");
	assert_int_equal(qr_join_add(&join, tsb_view_bytes(&part), NULL, &err), 0);
	assert_int_equal(qr_join_text(&join, &arena, &text, &err), 0);
	assert_true(tsb_view_eq(text, tsb_view_str("abc")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
