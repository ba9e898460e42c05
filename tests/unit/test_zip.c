/* Zip files as they are written, and as others may have damaged them. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/zip.h"

static void
make(struct tsb_bytes *out)
{
	struct zip z = {0};

	zip_add(&z, "key.xml", tsb_view_str("<key/>"));
	zip_add(&z, "key.sig", tsb_view_of("\0\1\2", 3));
	zip_add(&z, "empty", tsb_view_of("", 0));
	zip_end(&z, out);
}

static void
test_members_are_found(void **state)
{
	tsb_bytes_auto file = {0};
	struct tsb_view content;
	struct tsb_err err;

	make(&file);
	assert_int_equal(zip_find(tsb_view_bytes(&file), ".xml", &content, &err), 0);
	assert_true(tsb_view_eq(content, tsb_view_str("<key/>")));
	assert_int_equal(zip_find(tsb_view_bytes(&file), ".sig", &content, &err), 0);
	assert_true(tsb_view_eq(content, tsb_view_of("\0\1\2", 3)));
	assert_int_equal(zip_find(tsb_view_bytes(&file), "empty", &content, &err), 0);
	assert_int_equal(content.n, 0);
	assert_int_equal(zip_find(tsb_view_bytes(&file), ".pem", &content, &err), -1);
	assert_non_null(strstr(err.msg, "0 members named *.pem"));
	assert_int_equal(zip_find(tsb_view_bytes(&file), "", &content, &err), -1);
	assert_non_null(strstr(err.msg, "3 members"));
}

/* A comment at the end, as archivers write it, with what looks like the end of a directory. */
static void
test_a_comment_does_no_harm(void **state)
{
	tsb_bytes_auto file = {0};
	struct tsb_view content;
	struct tsb_err err;

	make(&file);
	file.p[file.n - 2] = 4;
	tsb_bytes_add(&file, "PK\5\6", 4);
	assert_int_equal(zip_find(tsb_view_bytes(&file), ".xml", &content, &err), 0);
	assert_true(tsb_view_eq(content, tsb_view_str("<key/>")));
}

/* Whatever one byte says, the content is the one that was stored, or there is none. */
static void
test_damage_is_noticed(void **state)
{
	tsb_bytes_auto file = {0};
	struct tsb_view content;
	struct tsb_err err;

	make(&file);
	for (size_t i = 0; i < file.n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			file.p[i] ^= 1 << bit;
			if (zip_find(tsb_view_bytes(&file), ".xml", &content, &err) == 0)
				assert_true(tsb_view_eq(content, tsb_view_str("<key/>")));
			file.p[i] ^= 1 << bit;
		}
	}
	for (size_t n = 0; n < file.n; n++)
		assert_int_equal(zip_find(tsb_view_of(file.p, n), ".xml", &content, &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_members_are_found),
	    cmocka_unit_test(test_a_comment_does_no_harm),
	    cmocka_unit_test(test_damage_is_noticed),
	};

	return cmocka_run_group_tests_name("zip", tests, NULL, NULL);
}
