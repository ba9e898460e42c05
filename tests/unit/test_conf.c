/* settings files */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/conf.h"

struct settings {
	char *name, *secret;
	struct conf_list list;
	long number;
	bool flag;
};

static const struct conf_row rows[] = {
    {"one", "name", CONF_STR, offsetof(struct settings, name), "dflt", 0, 0, "a name"},
    {"one", "secret", CONF_SECRET, offsetof(struct settings, secret), NULL, 0, 0, "a secret"},
    {"two", "list", CONF_LIST, offsetof(struct settings, list), NULL, 0, 0, "a list"},
    {"two", "number", CONF_INT, offsetof(struct settings, number), "7", 1, 9, "a number"},
    {"two", "flag", CONF_BOOL, offsetof(struct settings, flag), "true", 0, 0, "a flag"},
    {NULL, NULL, CONF_STR, 0, NULL, 0, 0, NULL},
};

static char path[64];
static struct settings got;
static struct tsb_err err;

static int
load(const char *text)
{
	static const char *const ignore[] = {"foreign", NULL};
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	conf_free(rows, &got);
	memset(&got, 0, sizeof(got));
	return conf_load(rows, ignore, path, &got, &err);
}

static void
test_values_and_defaults(void **state)
{
	assert_int_equal(load("; note\n[one]\nsecret = s3cret\n[two]\nlist = a\nlist = b;c\n"
			      "number=9\n[foreign]\nwhatever = x\n"),
	    0);
	assert_string_equal(got.name, "dflt");
	assert_string_equal(got.secret, "s3cret");
	assert_int_equal(got.list.n, 2);
	assert_string_equal(got.list.v[1], "b;c");
	assert_int_equal(got.number, 9);
	assert_true(got.flag);
}

static void
test_values_as_people_write_them(void **state)
{
	static const struct {
		const char *text, *name;
	} rows_of[] = {
	    {"[one]\nname = a b # note\n", "a b"},
	    {"[one]\nname = a\t; note\n", "a"},
	    {"[one] # first\nname=a#b;c\n", "a#b;c"},
	    {"[one]\nname = \"a # b\"  # note\n", "a # b"},
	    {"[one]\nname = ' a; \"b\" '\n", " a; \"b\" "},
	    {"[one]\nname = a\"b'\n", "a\"b'"},
	    {"[one]\nname: a\n", "a"},
	    {"[one]\nname = a = b\n", "a = b"},
	    {"\xef\xbb\xbf[one]\r\nname = a # b\r\n", "a"},
	    {"  [one]\n\tname = a\n", "a"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows_of); i++) {
		if (load(rows_of[i].text) != 0)
			fail_msg("%s: %s", rows_of[i].text, err.msg);
		assert_string_equal(got.name, rows_of[i].name);
	}
	assert_int_equal(
	    load("[one]\nname = # none\n[two]\nnumber = \"8\" ; eight\nflag = no # no\n"), 0);
	assert_null(got.name);
	assert_int_equal(got.number, 8);
	assert_false(got.flag);
	assert_int_equal(load("[one]\nsecret = \"a #b\" # note\n"), 0);
	assert_string_equal(got.secret, "a #b");
}

static void
test_secret_from_file(void **state)
{
	char text[256], secret_path[80];
	FILE *f;

	snprintf(secret_path, sizeof(secret_path), "%s.secret", path);
	f = fopen(secret_path, "w");
	assert_non_null(f);
	fputs("from a file\nsecond line\n", f);
	fclose(f);
	snprintf(text, sizeof(text), "[one]\nsecretFile = %s\n", secret_path);
	assert_int_equal(load(text), 0);
	assert_string_equal(got.secret, "from a file");
	unlink(secret_path);
	assert_int_equal(load(text), -1);
	assert_int_equal(err.code, TSB_E_FILE_NOT_FOUND);
	assert_non_null(strstr(err.msg, "one.secretFile"));
}

static void
test_bad_files_name_line_and_rule(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
	    {"[one]\nnme = x\n", "line 2: setting one.nme is not known"},
	    {"[three]\nname = x\n", "setting three.name is not known"},
	    {"[one]\nname = a\nname = b\n", "line 3: setting one.name is given twice"},
	    {"[two]\nnumber = 10\n", "two.number must be a whole number from 1 to 9"},
	    {"[two]\nnumber = 5x\n", "two.number must be a whole number"},
	    {"[two]\nflag = maybe\n", "two.flag must be true or false"},
	    {"[one]\njust words\n", "line 2: not a section, setting or comment"},
	    {"[one\nname = x\n", "line 1: not a section"},
	    {"name = x\n", "setting .name is not known"},
	    {"[one]\nname = \"x\n", "line 2: the value of name has no closing quote"},
	    {"[one]\nname = 'x' y\n", "line 2: behind the closing quote of name"},
	    {"[one]\nname = 'x'# y\n", "line 2: behind the closing quote of name"},
	    {"[one] x\n", "line 1: not a section"},
	    {"[one]\n= x\n", "line 2: not a section"},
	    {"[one]\nsecret = a #b\n", "line 2: one.secret is a secret: put it in quotes"},
	    {"[two]\nlist = a\n  b\n", "line 3: not a section"},
	};
	char wide[512];

	for (size_t i = 0; i < TSB_COUNT(bad); i++) {
		assert_int_equal(load(bad[i].text), -1);
		if (strstr(err.msg, bad[i].says) == NULL)
			fail_msg("'%s' does not say '%s'", err.msg, bad[i].says);
	}
	memset(wide, 'x', sizeof(wide));
	memcpy(wide, "[one]\nname = ", 13);
	wide[sizeof(wide) - 1] = '\0';
	assert_int_equal(load(wide), -1);
	assert_non_null(strstr(err.msg, "line 2: longer than"));
	unlink(path);
	assert_int_equal(conf_load(rows, NULL, path, &got, &err), -1);
	assert_int_equal(err.code, TSB_E_FILE_NOT_FOUND);
}

static int
make_path(void **state)
{
	snprintf(path, sizeof(path), "/tmp/test_conf.%ld", (long)getpid());
	return 0;
}

static int
remove_path(void **state)
{
	conf_free(rows, &got);
	unlink(path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values_and_defaults),
	    cmocka_unit_test(test_values_as_people_write_them),
	    cmocka_unit_test(test_secret_from_file),
	    cmocka_unit_test(test_bad_files_name_line_and_rule),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
