/* small files: bounded reading, whole writing */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/file.h"

static char folder[64];
static int dir;
static struct tsb_err err;

static const char *
at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
make(const char *name, struct tsb_view content)
{
	unlinkat(dir, name, 0);
	assert_int_equal(tsb_file_create(dir, name, 0600, content, &err), 0);
}

static void
test_reads_whole_and_bounded(void **state)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 10000};
	tsb_bytes_auto content = {0};
	unsigned char *p = tsb_bytes_grow(&content, 10000);

	for (size_t i = 0; i < 10000; i++)
		p[i] = (unsigned char)(i * 7 + i / 256);
	for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
		tsb_bytes_auto out = {0};
		struct tsb_view part = tsb_view_of(content.p, sizes[i]);

		make("whole", part);
		tsb_bytes_add_str(&out, "before");
		assert_int_equal(tsb_file_read(at("whole"), sizes[i], &out, &err), 0);
		assert_int_equal(out.n, 6 + sizes[i]);
		assert_memory_equal(out.p, "before", 6);
		assert_true(tsb_view_eq(tsb_view_of(out.p + 6, sizes[i]), part));
		if (sizes[i] == 0)
			continue;
		out.n = 6;
		assert_int_equal(tsb_file_read(at("whole"), sizes[i] - 1, &out, &err), -1);
		assert_int_equal(err.code, TSB_E_INPUT);
		assert_int_equal(out.n, 6);
	}
}

static void
test_what_does_not_read_is_told(void **state)
{
	tsb_bytes_auto out = {0};
	arena_auto a = {0};
	struct tsb_view v = {0};

	assert_int_equal(tsb_file_read(at("missing"), 10, &out, &err), -1);
	assert_int_equal(err.code, TSB_E_FILE_NOT_FOUND);
	assert_int_equal(tsb_file_read(folder, 10, &out, &err), -1);
	assert_int_equal(err.code, TSB_E_IO);
	assert_int_equal(tsb_file_load(folder, 10, &a, &v, &err), -1);
	assert_null(v.p);
	assert_int_equal(out.n, 0);
}

static void
test_first_lines(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *line; /* NULL = refused */
	} rows[] = {{"one", 3, "one"}, {"one\ntwo\n", 8, "one"}, {"one\r\ntwo", 8, "one"},
	    {" x \n", 4, " x "}, {"", 0, NULL}, {"\nsecond\n", 8, NULL}, {"a\0b\n", 4, NULL},
	    {"a\n\0", 3, "a"}, {"0123456789", 10, NULL}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto out = {0};
		int rc;

		make("line", tsb_view_of(rows[i].text, rows[i].n));
		rc = tsb_file_read_line(at("line"), 9, &out, &err);
		assert_int_equal(rc, rows[i].line == NULL ? -1 : 0);
		if (rows[i].line == NULL)
			assert_int_equal(err.code, TSB_E_INPUT);
		else
			assert_string_equal(tsb_bytes_cstr(&out), rows[i].line);
	}
}

static void
has(const char *name, const char *text, mode_t mode)
{
	tsb_bytes_auto out = {0};
	struct stat st;

	assert_int_equal(tsb_file_read(at(name), 100, &out, &err), 0);
	assert_string_equal(tsb_bytes_cstr(&out), text);
	assert_int_equal(fstatat(dir, name, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, mode);
}

static void
test_create_never_replaces(void **state)
{
	assert_int_equal(tsb_file_create(dir, "new", 0400, tsb_view_str("first"), &err), 0);
	assert_int_equal(tsb_file_create(dir, "new", 0600, tsb_view_str("second"), &err), 1);
	has("new", "first", 0400);
	assert_int_equal(symlinkat("elsewhere", dir, "link"), 0);
	assert_int_equal(tsb_file_create(dir, "link", 0600, tsb_view_str("x"), &err), 1);
	assert_int_equal(tsb_file_create(dir, "no/such", 0600, tsb_view_str("x"), &err), -1);
	assert_int_equal(err.code, TSB_E_IO);
}

static void
test_replace_takes_the_place(void **state)
{
	struct tsb_view text = tsb_view_str("next");

	assert_int_equal(tsb_file_replace(dir, "tmp", "there", 0644, tsb_view_str("old"), &err), 0);
	assert_int_equal(tsb_file_replace(dir, "tmp", "there", 0600, text, &err), 0);
	has("there", "next", 0600);
	assert_int_not_equal(faccessat(dir, "tmp", F_OK, 0), 0);
	/* a temporary file of somebody else is left alone */
	make("tmp", tsb_view_str("other"));
	assert_int_equal(tsb_file_replace(dir, "tmp", "there", 0600, tsb_view_str("x"), &err), -1);
	has("tmp", "other", 0600);
	unlinkat(dir, "tmp", 0);
	/* nothing is left of what could not take its place */
	assert_int_equal(mkdirat(dir, "folder", 0700), 0);
	assert_int_equal(tsb_file_replace(dir, "tmp", "folder", 0600, text, &err), -1);
	assert_int_equal(err.code, TSB_E_IO);
	assert_int_not_equal(faccessat(dir, "tmp", F_OK, 0), 0);
	has("there", "next", 0600);
}

static void
test_folder_of_a_path(void **state)
{
	static const struct {
		const char *path, *name; /* NULL = there is no such folder */
	} rows[] = {{"/name", "name"}, {"/tmp/name", "name"}, {"//name", "name"}, {"name", "name"},
	    {"/tmp/", ""}, {"/no/such/folder", NULL}};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		const char *name = NULL;
		tsb_fd_auto fd = tsb_file_folder(rows[i].path, &name, &err);

		assert_int_equal(fd >= 0, rows[i].name != NULL);
		if (rows[i].name != NULL)
			assert_string_equal(name, rows[i].name);
		else
			assert_int_equal(err.code, TSB_E_IO);
	}
}

static int
open_folder(void **state)
{
	umask(022);
	strcpy(folder, "/tmp/test_file.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = {"whole", "line", "new", "link", "there", "tmp"};

	for (size_t i = 0; i < TSB_COUNT(names); i++)
		unlinkat(dir, names[i], 0);
	unlinkat(dir, "folder", AT_REMOVEDIR);
	close(dir);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads_whole_and_bounded),
	    cmocka_unit_test(test_what_does_not_read_is_told),
	    cmocka_unit_test(test_first_lines),
	    cmocka_unit_test(test_create_never_replaces),
	    cmocka_unit_test(test_replace_takes_the_place),
	    cmocka_unit_test(test_folder_of_a_path),
	};

	return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
