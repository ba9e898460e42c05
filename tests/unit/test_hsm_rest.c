/* The REST back end of lib/hsm: what orders are written like, and what answers mean. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/hsm/order.h"
#include "lib/hsm/pass.h"
#include "tests/unit/http_script.h"

static struct arena arena;

static struct hsm *
hsm_at(const char *url)
{
	struct hsm_conf conf = {
	    .url = url,
	    .api_key = {[TSB_ROLE_KEY_MANAGEMENT] = "key-of-management",
		[TSB_ROLE_KEY_OPERATION] = "key-of-operation"},
	    .timeout = 1,
	    .connect_timeout = 1,
	};
	struct tsb_err err = {0};
	struct hsm *h = hsm_new(&conf, &err);

	if (h == NULL)
		fail_msg("%s", err.msg);
	return h;
}

static struct hsm_order
order_of(enum tsb_kind kind)
{
	return (struct hsm_order){
	    .type = HSM_ORDER_EXECUTE,
	    .key_name = "k",
	    .kind = kind,
	    .inner = tsb_view_str("{\"keyName\":\"k\"}"),
	    .arena = &arena,
	};
}

static struct hsm_answer
ask(const char *reply, enum tsb_kind kind)
{
	struct server *s = server_answering(reply);
	struct hsm *h = hsm_at(s->url);
	struct hsm_order order = order_of(kind);
	struct hsm_answer answer;

	hsm_execute(h, &order, &answer);
	hsm_free(&h);
	servers_stop();
	return answer;
}

static void
test_meaning_of_answers(void **state)
{
	static const struct {
		const char *reply;
		enum tsb_kind kind;
		enum hsm_outcome outcome;
		enum tsb_code why;
	} cases[] = {
	    {"200 {\"signature\":\"c2ln\"}", KIND_SIGN, HSM_DID_IT, TSB_OK},
	    {"201 {\"signature\":\"c2ln\"}", KIND_SIGN, HSM_DID_IT, TSB_OK},
	    {"200 {}", KIND_SIGN, HSM_TROUBLE, TSB_E_HSM},
	    {"200 <html>", KIND_SIGN, HSM_TROUBLE, TSB_E_HSM},
	    {"200 ", KIND_BLOCK, HSM_DID_IT, TSB_OK},
	    {"200 {}", KIND_BLOCK, HSM_DID_IT, TSB_OK},
	    {"200 <html>", KIND_BLOCK, HSM_TROUBLE, TSB_E_HSM},
	    {"400 {\"errorCode\":607,\"message\":\"no\"}", KIND_SIGN, HSM_REFUSED, TSB_OK},
	    {"500 {\"errorCode\":700,\"message\":\"broken\"}", KIND_SIGN, HSM_TROUBLE, TSB_OK},
	    {"413 {\"errorCode\":600,\"message\":\"too large\"}", KIND_SIGN, HSM_STOPPED, TSB_OK},
	    {"408 {\"errorCode\":600,\"message\":\"too slow\"}", KIND_SIGN, HSM_STOPPED, TSB_OK},
	    {"413 <html>too large</html>", KIND_BLOCK, HSM_STOPPED, TSB_E_HSM},
	    {"404 <html>not here</html>", KIND_SIGN, HSM_TROUBLE, TSB_E_HSM},
	    {"401 {\"errorCode\":631}", KIND_SIGN, HSM_AWAY, TSB_E_CONNECTIVITY},
	    {"400 {\"errorCode\":2,\"message\":\"away\"}", KIND_SIGN, HSM_AWAY, TSB_E_CONNECTIVITY},
	    {"503 ", KIND_SIGN, HSM_AWAY, TSB_E_CONNECTIVITY},
	    {"503 ", KIND_BLOCK, HSM_LOST, TSB_E_IO},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(cases); i++) {
		struct hsm_answer answer = ask(cases[i].reply, cases[i].kind);

		if (answer.outcome != cases[i].outcome)
			fail_msg("%s: outcome %d", cases[i].reply, answer.outcome);
		if (cases[i].why != TSB_OK)
			assert_int_equal(answer.why.code, cases[i].why);
		assert_true((answer.why.code == TSB_OK) == (answer.outcome == HSM_DID_IT));
	}
	assert_true(tsb_view_eq(ask(cases[0].reply, KIND_SIGN).result, tsb_view_str("c2ln")));
}

static void
test_every_body_goes_where_it_belongs(void **state)
{
	static const char management[] = "key-of-management", operation[] = "key-of-operation";
	static const struct {
		struct hsm_pass pass;
		const char *line, *api_key;
	} cases[] = {
	    {{.what = HSM_PASS_SYNCHRONOUS, .kind = KIND_SIGN}, "POST /v1/synchronousSign ",
		operation},
	    {{.what = HSM_PASS_SYNCHRONOUS, .kind = KIND_MODIFY}, "POST /v1/synchronousModify ",
		management},
	    {{.what = HSM_PASS_KEY_CREATE}, "POST /v1/key ", management},
	    {{.what = HSM_PASS_KEY_LIST}, "GET /v1/key ", management},
	    {{.what = HSM_PASS_KEY_ATTRIBUTES}, "POST /v1/key/attributes ", management},
	    {{.what = HSM_PASS_KEY_DELETE}, "POST /v1/key/deleteKey ", management},
	    {{.what = HSM_PASS_VERIFY}, "POST /v1/verify ", operation},
	    {{.what = HSM_PASS_HMAC}, "POST /v1/synchronousHmac ", operation},
	    {{.what = HSM_PASS_HMAC_VERIFY}, "POST /v1/verify ", operation},
	    {{.what = HSM_PASS_ENCRYPT}, "POST /v1/encrypt ", operation},
	    {{.what = HSM_PASS_WRAP}, "POST /v1/wrap ", operation},
	    {{.what = HSM_PASS_RANDOM, .length = 32}, "GET /v1/generateRandom/32 ", operation},
	    {{.what = HSM_PASS_CERTIFICATE_STORE}, "POST /v1/certificate/import/plain ",
		management},
	    {{.what = HSM_PASS_CERTIFICATE_GET, .key_name = "a/b"}, "GET /v1/certificate/a%2Fb ",
		management},
	    {{.what = HSM_PASS_CERTIFICATE_DELETE, .key_name = "a"}, "DELETE /v1/certificate/a ",
		management},
	};
	struct server *s = server_start("a", true);
	struct hsm *h = hsm_at(s->url);

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(cases); i++) {
		struct hsm_reply reply = {0};
		struct tsb_err err;
		const char *text;

		assert_int_equal(hsm_pass(h, &cases[i].pass, &reply, &err), 0);
		text = tsb_bytes_cstr(&reply.body);
		assert_int_equal(strncmp(text, cases[i].line, strlen(cases[i].line)), 0);
		assert_non_null(strstr(text, cases[i].api_key));
		hsm_reply_clear(&reply);
	}
	hsm_free(&h);
}

/* Asked once: for a while the HSM is not asked again. */
static void
test_what_it_lacks_is_remembered(void **state)
{
	/* of a broker, of servers that know no numbers, and of those that refuse the unknown */
	static const char *const answers[] =
	    {"404 {\"errorCode\":102,\"message\":\"no such path\"}",
		"404 {\"timestamp\":1,\"status\":404,\"error\":\"Not Found\",\"path\":\"/v1\"}",
		"404 <html>no</html>", "405 {}", "403 {\"errorCode\":451}"};
	const struct wire_timestamp_request stamp = {.key_name = "k", .operation = OP_BLOCK};
	struct wire_timestamp_reply reply;
	struct tsb_err err;
	struct tsb_view pem;

	(void)state;
	for (size_t k = 0; k < TSB_COUNT(answers); k++) {
		struct server *s = server_answering(answers[k]);
		struct hsm *h = hsm_at(s->url);

		assert_true(hsm_offers(h, HSM_TIMESTAMPS));
		for (int i = 0; i < 2; i++) {
			assert_int_equal(hsm_stamp(h, &stamp, &arena, &reply, &err), -1);
			assert_int_equal(err.code, TSB_E_NOT_IMPLEMENTED);
			assert_false(hsm_offers(h, HSM_TIMESTAMPS));
			assert_int_equal(*s->requests, 1);
		}
		assert_true(hsm_offers(h, HSM_CERTIFICATES));
		for (int i = 0; i < 2; i++) {
			assert_int_equal(hsm_certificate(h, "k", &arena, &pem, &err), -1);
			assert_int_equal(err.code, TSB_E_NOT_IMPLEMENTED);
			assert_false(hsm_offers(h, HSM_CERTIFICATES));
			assert_int_equal(*s->requests, 2);
		}
		hsm_free(&h);
		servers_stop();
	}
}

/* What a server says of a key, or of itself, says nothing about timestamps. */
static void
test_other_refusals_are_no_lack(void **state)
{
	static const struct {
		const char *answer;
		enum tsb_code code;
	} rows[] = {
	    {"404 {\"errorCode\":650}", TSB_E_KEY_NOT_EXISTENT},
	    {"400 {\"errorCode\":620}", TSB_E_KEY_PASSWORD},
	    {"500 {\"errorCode\":701,\"message\":\"HSM error\"}", TSB_E_HSM},
	    {"401 {\"errorCode\":631}", TSB_E_CONNECTIVITY},
	};
	const struct wire_timestamp_request stamp = {.key_name = "k", .operation = OP_BLOCK};
	struct wire_timestamp_reply reply;
	struct tsb_err err;

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct server *s = server_answering(rows[i].answer);
		struct hsm *h = hsm_at(s->url);

		assert_int_equal(hsm_stamp(h, &stamp, &arena, &reply, &err), -1);
		assert_int_equal(err.code, rows[i].code);
		assert_true(hsm_offers(h, HSM_TIMESTAMPS));
		hsm_free(&h);
		servers_stop();
	}
}

static void
on_done(void *ctx, const struct hsm_answer *answer)
{
	*(struct hsm_answer *)ctx = *answer;
}

static void
test_orders_in_flight(void **state)
{
	struct server *s = server_answering("200 {\"signature\":\"c2ln\"}");
	struct hsm *h = hsm_at(s->url);
	struct hsm_order order = order_of(KIND_SIGN), overdue = order_of(KIND_BLOCK);
	struct hsm_answer answers[3] = {0};
	struct tsb_err err;

	(void)state;
	overdue.not_after_ms = clock_now_ms() - 1;
	assert_int_equal(hsm_submit(h, &order, on_done, &answers[0], &err), 0);
	assert_int_equal(hsm_submit(h, &order, on_done, &answers[1], &err), 0);
	assert_int_equal(hsm_submit(h, &overdue, on_done, &answers[2], &err), 0);
	assert_int_equal(hsm_in_flight(h), 3);
	while (hsm_in_flight(h) > 0)
		assert_false(hsm_wait(h, -1, 100));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(answers[i].outcome, HSM_DID_IT);
		assert_true(tsb_view_eq(answers[i].result, tsb_view_str("c2ln")));
	}
	assert_int_equal(answers[2].outcome, HSM_AWAY);
	hsm_free(&h);
}

static void
test_api_keys_have_no_line_breaks(void **state)
{
	const struct hsm_conf conf = {
	    .url = "https://a",
	    .api_key = {[TSB_ROLE_KEY_OPERATION] = "a\nb"},
	    .timeout = 1,
	    .connect_timeout = 1,
	};
	struct tsb_err err;

	(void)state;
	assert_null(hsm_new(&conf, &err));
	assert_int_equal(err.code, TSB_E_CONFIG_NOT_VALID);
}

static int
after_each(void **state)
{
	(void)state;
	servers_stop();
	arena_clear(&arena);
	return 0;
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, after_each)
	const struct CMUnitTest tests[] = {
	    TEST(test_meaning_of_answers),
	    TEST(test_every_body_goes_where_it_belongs),
	    TEST(test_what_it_lacks_is_remembered),
	    TEST(test_other_refusals_are_no_lack),
	    TEST(test_orders_in_flight),
	    TEST(test_api_keys_have_no_line_breaks),
	};

	return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
