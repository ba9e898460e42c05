/* What services that approve are asked, and what they answer. */
#include "lib/first.h"

#include "lib/wire/automated.h"
#include "tests/unit/wire_help.h"

static void
test_execution_is_asked_as_published(void **state)
{
	tsb_bytes_auto out = {0};

	wire_execute_format(text("{\"id\":1}"), 30, &out);
	assert_view(tsb_view_bytes(&out),
	    "{\"executeRequest\":{\"input\":\"eyJpZCI6MX0=\",\"timeout\":\"30s\"}}");
}

static void
test_execution_answers(void **state)
{
	static const char *const refused[] = {"", "[]", "{}", "{\"outputSignature\":\"AAAA\"}",
	    "{\"output\":null}", "{\"output\":7}", "{\"output\":\"a\",\"output\":\"b\"}",
	    "{\"output\":\"a\",\"outputSignature\":\"?\"}", "{\"output\":\"a\"} {}"};
	struct wire_executed got;
	struct tsb_err err = {0};

	assert_int_equal(wire_executed_parse(text("{\"inputHash\":\"x\",\"output\":\"AA==\","
						  "\"outputSignature\":\"MAA=\",\"more\":{}}"),
			     &arena, &got, &err),
	    0);
	assert_view(got.output, "AA==");
	assert_int_equal(got.signature.n, 2);
	assert_int_equal(
	    wire_executed_parse(text("{\"output\":\"REJECTED: no\",\"outputSignature\":null}"),
		&arena, &got, &err),
	    0);
	assert_view(got.output, "REJECTED: no");
	assert_int_equal(got.signature.n, 0);
	for (size_t i = 0; i < TSB_COUNT(refused); i++) {
		err = (struct tsb_err){0};
		assert_refused(refused[i],
		    wire_executed_parse(text(refused[i]), &arena, &got, &err), &err, TSB_E_INPUT,
		    "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WIRE_TEST(test_execution_is_asked_as_published),
	    WIRE_TEST(test_execution_answers),
	};

	return cmocka_run_group_tests_name("wire_automated", tests, NULL, group_teardown);
}
