/* The web layer without sockets: parameters, routes, order of checks, bodies, replies. */
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

#include "tests/unit/web_fixture.h"

/* ---- paths ---- */

static void
test_routes_find_their_row(void **state)
{
	static const struct {
		const char *method, *uri, *body;
	} rows[] = {
	    {"GET", "/v1/request/abc", "1|abc|"},
	    {"DELETE", "/v1/request/abc", "2|abc|"},
	    {"GET", "/v1/key/k", "3|k|"},
	    {"GET", "/v1/key/list", "5|"}, /* literal wins over {keyName} */
	    {"GET", "/v1/key/attributes", "3|attributes|"}, /* a key may be called so */
	    {"GET", "/v1/key/k/attributes", "6|k|"},
	    {"GET", "/v1/request/qrCode/7", "7|7|"}, /* and in the first place that differs */
	    {"GET", "/v1/other/qrCode/7", "8|other|7|"},
	    {"GET", "/v1//request///abc//", "1|abc|"},
	    {"GET", "/v1/request/abc?x=/y", "1|abc|"},
	    {"GET", "/v1/%72equest/abc", "1|abc|"},
	    {"GET", "/v1/key/a%2Fb%27%20c/attributes", "6|a/b' c|"},
	    {"GET", "/v1/key/a%2fattributes", "3|a/attributes|"},
	    {"GET", "/v1/key/100%25", "3|100%|"},
	    {"GET", "/v1/key/a+b", "3|a+b|"},
	    {"GET", "/v1/key/..", "3|..|"},
	    {"GET", "/v1/key/%2e", "3|.|"},
	    {"GET", "/v1/key/k\xc3\xa4s", "3|k\xc3\xa4s|"},
	    {"GET", "http://host:80/v1/request/abc", "1|abc|"},
	    {"GET", "https://host/v1/request/abc?q", "1|abc|"},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		bool key = strstr(rows[i].uri, "/key/") != NULL;
		int status = ask(rows[i].method, rows[i].uri, NULL, key ? KM_KEY : KO_KEY, NULL);

		if (status != 200 || strcmp(answer_body(), rows[i].body) != 0)
			fail_msg("%s: %d %s", rows[i].uri, status, answer_body());
	}
}

static void
test_paths_that_lead_nowhere(void **state)
{
	static const struct {
		const char *uri;
		int status;
	} rows[] = {
	    {"/", 404},
	    {"/v1", 404},
	    {"/v1/request", 404},
	    {"/v1/request/a/b", 404},
	    {"/v1/request/a/../b", 404},
	    {"/V1/request/a", 404},
	    {"/v1/requests/a", 404},
	    {"/v1%2Frequest/a", 404},
	    {"/v1/a/b/c/d/e/f/g/h/i/j/k/l/m/n", 404},
	    {"request/a", 400},
	    {"*", 400},
	    {"?", 400},
	    {"/v1/request/%", 400},
	    {"/v1/request/%4", 400},
	    {"/v1/request/%zz", 400},
	    {"/v1/request/%00", 400},
	    {"/v1/request/%ff", 400},
	    {"/v1/request/%c0%80", 400},
	    {"/v1/request/a?x=%f", 400},
	    {"/v1/request/a?x=%ff", 400},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		int status = ask("GET", rows[i].uri, NULL, KO_KEY, NULL);

		if (status != rows[i].status)
			fail_msg("%s: %d %s", rows[i].uri, status, answer_body());
	}
}

/* The log has the whole sentence. */
static void
test_names_of_files_stay_out_of_answers(void **state)
{
	static const struct {
		enum tsb_code code;
		const char *msg, *shown;
	} rows[] = {
	    {TSB_E_FILE_NOT_FOUND, "cannot open /etc/tsb/secret.key: Permission denied",
		"cannot open (file): Permission denied"},
	    {TSB_E_CONNECTIVITY, "no HSM answers: unix:/run/hsm.sock: refused; fcgi:/b: none",
		"no HSM answers: unix:(file): refused; fcgi:(file): none"},
	    {TSB_E_CONFIG_NOT_VALID, "key store \"/var/lib/x\" is open to '/o t'/ a.",
		"key store \\\"(file)\\\" is open to '(file) t'/ a."},
	    {TSB_E_IO, "/a/b.", "(file)."},
	    {TSB_E_CONNECTIVITY, "https://hsm.example.com/v1/key: 5/6 s; see /v1/key",
		"https://hsm.example.com/v1/key: 5/6 s; see /v1/key"},
	    /* what the caller has named */
	    {TSB_E_INPUT, "keyName '/etc' is no name", "keyName '/etc' is no name"},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct tsb_err err;
		tsb_bytes_auto out = {0}, want = {0};

		(void)tsb_fail(&err, rows[i].code, "%s", rows[i].msg);
		web_error_format(&err, &out);
		tsb_bytes_addf(&want, "\"message\":\"%s\"}", rows[i].shown);
		if (strstr(tsb_bytes_cstr(&out), tsb_bytes_cstr(&want)) == NULL)
			fail_msg("%s: %s", rows[i].msg, tsb_bytes_cstr(&out));
	}
}

static void
test_long_paths_are_414(void **state)
{
	char uri[WEB_PATH_MAX + 100];

	(void)state;
	memset(uri, 'a', sizeof(uri));
	memcpy(uri, "/v1/request/", 12);
	uri[WEB_PATH_MAX] = '\0';
	assert_int_equal(ask("GET", uri, NULL, KO_KEY, NULL), 200);
	uri[WEB_PATH_MAX] = 'a';
	uri[WEB_PATH_MAX + 1] = '\0';
	assert_int_equal(ask("GET", uri, NULL, KO_KEY, NULL), 414);
	assert_true(answer_has("\"errorCode\":600"));
	uri[20] = '?';
	memset(uri + 21, 'b', sizeof(uri) - 22);
	uri[21 + WEB_QUERY_MAX + 1] = '\0';
	assert_int_equal(ask("GET", uri, NULL, KO_KEY, NULL), 414);
}

static void
test_path_below_a_script_name(void **state)
{
	static const struct {
		const char *env[5];
		int status;
	} rows[] = {
	    {{"SCRIPT_NAME=/tsb", "PATH_INFO=/v1/request/a/b", "REQUEST_URI=/tsb/v1/request/a%2Fb"},
		200},
	    {{"SCRIPT_NAME=/tsb/", "PATH_INFO=/v1/request/a", "REQUEST_URI=/tsb/v1/request/a?b"},
		200},
	    /* nginx: the whole path is the script name */
	    {{"SCRIPT_NAME=/v1/request/a", "PATH_INFO=", "REQUEST_URI=/v1/request/a"}, 200},
	    {{"SCRIPT_NAME=", "PATH_INFO=/v1/request/a", "REQUEST_URI=/v1/request/a"}, 200},
	    /* no REQUEST_URI */
	    {{"SCRIPT_NAME=/tsb", "PATH_INFO=/v1/request/a", "QUERY_STRING=x=1"}, 200},
	    {{"SCRIPT_NAME=/v1/request/100%?"}, 200},
	    {{"SCRIPT_NAME=/ts", "PATH_INFO=/v1/request/a", "REQUEST_URI=/tsb/v1/request/a"}, 404},
	    {{"X="}, 400},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		const char *env[8] = {"REQUEST_METHOD=GET", KO_KEY};
		int status;

		memcpy(env + 2, rows[i].env, sizeof(rows[i].env));
		peer.in_n = peer.in_at = 0;
		status = ask_env(env);
		if (status != rows[i].status)
			fail_msg("row %zu: %d %s", i, status, answer_body());
	}
}

static void
test_query(void **state)
{
	static const struct {
		const char *query, *value;
	} rows[] = {
	    {"", "(absent)"},
	    {"?", "(absent)"},
	    {"?a%20b=1", "1"},
	    {"?x=1&a%20b=%41%2B+&a%20b=3", "A++"},
	    {"?a%20b", ""},
	    {"?a%20b&c=2", ""},
	    {"?a%20b=", ""},
	    {"?a%20bc=1", "(absent)"},
	    {"?&&a%20b==&", "="},
	};
	char uri[128];

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		snprintf(uri, sizeof(uri), "/v1/query%s", rows[i].query);
		assert_int_equal(ask("GET", uri, NULL, NULL), 200);
		assert_string_equal(answer_body(), rows[i].value);
	}
}

/* ---- order of checks ---- */

static void
test_order_of_checks(void **state)
{
	static char large[600];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	/* Each request is wrong in all later respects too. */
	assert_int_equal(ask("PUT", "/v1/none", large, NULL), 404);
	assert_true(answer_has("\"errorCode\":102,\"reason\":\"res.error.operation.unreachable\""));
	assert_int_equal(ask("PUT", "/v1/big", large, NULL), 405);
	assert_true(answer_has("\"errorCode\":102"));
	assert_true(answer_has("\r\nAllow: POST\r\n"));
	assert_int_equal(ask("POST", "/v1/big", large, NULL), 401);
	assert_string_equal(answer_body(),
	    "{\"errorCode\":631,\"reason\":\"res.error.invalid.api.key\","
	    "\"message\":\"API key is missing or invalid.\"}");
	assert_int_equal(ask("POST", "/v1/big", large, KO_KEY, NULL), 413);
	assert_true(answer_has("\"errorCode\":600"));
	large[400] = '\0';
	assert_int_equal(ask("POST", "/v1/big", large, KO_KEY, NULL), 200);
	/* whatever was refused has been read to its end */
	assert_int_equal(peer.in_at, peer.in_n);
}

static void
test_refused_bodies_are_read_to_their_end(void **state)
{
	static char large[100000];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(ask("POST", "/v1/none", large, NULL), 404);
	assert_int_equal(peer.in_at, sizeof(large) - 1);
	assert_int_equal(ask("POST", "/v1/big", large, NULL), 401);
	assert_int_equal(peer.in_at, sizeof(large) - 1);
	assert_int_equal(ask("POST", "/v1/big", large, KO_KEY, NULL), 413);
	assert_int_equal(peer.in_at, sizeof(large) - 1);
	assert_int_equal(ask("GET", "/v1/nothing", large, NULL), 200);
	assert_int_equal(peer.in_at, sizeof(large) - 1);
}

static void
test_methods(void **state)
{
	(void)state;
	assert_int_equal(ask("POST", "/v1/request/x", "{}", KO_KEY, NULL), 405);
	assert_true(answer_has("\r\nAllow: GET, HEAD, DELETE\r\n"));
	/* a name beside other names fits anything: it is not known by that */
	assert_int_equal(ask("DELETE", "/v1/key/attributes", NULL, KM_KEY, NULL), 405);
	assert_true(answer_has("\r\nAllow: POST\r\n"));
	assert_int_equal(ask("POST", "/v1/key/nonsense", NULL, KM_KEY, NULL), 404);
	assert_int_equal(ask("get", "/v1/nothing", NULL, NULL), 405);
	assert_int_equal(ask("OPTIONS", "/v1/nothing", NULL, NULL), 405);
	assert_int_equal(ask("", "/v1/nothing", NULL, NULL), 405);
	assert_int_equal(ask("A\r\nSet-Cookie: x=1", "/v1/nothing", NULL, NULL), 405);
	assert_false(answer_has("\r\nSet-Cookie"));
	assert_int_equal(ask("HEAD", "/v1/key/k", NULL, KM_KEY, NULL), 200);
	assert_string_equal(answer_body(), "");
	assert_true(answer_has("\r\nContent-Length: 4\r\n"));
}

/* ---- bodies ---- */

static void
test_body_arrives_in_pieces(void **state)
{
	(void)state;
	peer.chunk = 1;
	assert_int_equal(ask("POST", "/v1/key/attributes", "{\"a\":\"b\"}", KM_KEY, NULL), 200);
	assert_string_equal(answer_body(), "4|{\"a\":\"b\"}");
	assert_int_equal(ask("POST", "/v1/key/attributes", "0123456789abcdef", KM_KEY, NULL), 200);
	assert_int_equal(ask("POST", "/v1/key/attributes", "0123456789abcdefg", KM_KEY, NULL), 413);
	peer.chunk = 0;
}

static void
test_body_and_its_length(void **state)
{
	static const struct {
		const char *length, *body;
		int status;
	} rows[] = {
	    {"CONTENT_LENGTH=2", "{}", 200},
	    {"CONTENT_LENGTH=", "{}", 200}, /* chunked: the stream says where it ends */
	    {"CONTENT_LENGTH=3", "{}", 400},
	    {"CONTENT_LENGTH=1", "{}", 400},
	    {"CONTENT_LENGTH=0", "{}", 400},
	    {"CONTENT_LENGTH=-1", "{}", 400},
	    {"CONTENT_LENGTH=2 ", "{}", 400},
	    {"CONTENT_LENGTH=0x2", "{}", 400},
	    {"CONTENT_LENGTH=99999999999999999999", "{}", 400},
	    {"CONTENT_LENGTH=9223372036854775807", "{}", 413},
	    {"CONTENT_LENGTH=17", "01234567890123456", 413},
	    {"CONTENT_LENGTH=", "01234567890123456", 413},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		const char *env[] = {"REQUEST_METHOD=POST", "REQUEST_URI=/v1/key/attributes",
		    KM_KEY, rows[i].length, NULL};
		int status;

		peer.in = rows[i].body;
		peer.in_n = strlen(rows[i].body);
		peer.in_at = 0;
		status = ask_env(env);
		if (status != rows[i].status)
			fail_msg("%s: %d %s", rows[i].length, status, answer_body());
	}
}

static void
test_packed_bodies_are_refused_by_name(void **state)
{
	static const char gzip[] = "\x1f\x8b\x08";

	(void)state;
	assert_int_equal(ask("POST", "/v1/key/attributes", gzip, KM_KEY,
			     "HTTP_CONTENT_ENCODING=gzip", NULL),
	    415);
	assert_non_null(strstr(answer_body(), "Content-Encoding gzip is not taken"));
	assert_int_equal(ask("POST", "/v1/key/attributes", gzip, "HTTP_CONTENT_ENCODING=gzip",
			     NULL),
	    401);
	assert_int_equal(ask("POST", "/v1/key/attributes", "{}", KM_KEY,
			     "HTTP_CONTENT_ENCODING=identity", NULL),
	    200);
}

static void
test_peer_gone_before_the_end_serves_nothing(void **state)
{
	(void)state;
	peer.in_breaks = true;
	assert_int_equal(ask("POST", "/v1/key/attributes", "{}", KM_KEY, NULL), 400);
	assert_int_equal(answer_rc, -1);
	assert_int_equal(ask("POST", "/v1/created", "{}", NULL), 400);
	peer.in_breaks = false;
	peer.out_breaks = true;
	assert_int_equal(ask("GET", "/v1/nothing", NULL, NULL), 0);
	assert_int_equal(answer_rc, -1);
	peer.out_breaks = false;
}

/* ---- replies ---- */

static void
test_replies(void **state)
{
	(void)state;
	assert_int_equal(ask("POST", "/v1/created", NULL, NULL), 201);
	assert_true(answer_has("Status: 201 Created\r\nContent-Type: application/octet-stream\r\n"
			       "Content-Disposition: attachment; filename=\"a.csr\"\r\n"
			       "Content-Length: 1\r\nCache-Control: no-store\r\n"));
	assert_true(answer_has("\r\nX-Request-Id: "));
	assert_int_equal(ask("GET", "/v1/nothing", NULL, NULL), 200);
	assert_true(answer_has("\r\nContent-Length: 0\r\n"));
	assert_false(answer_has("\r\nContent-Type"));
	assert_int_equal(ask("GET", "/v1/inject", NULL, NULL), 200);
	assert_false(answer_has("Set-Cookie"));
}

static void
test_error_bodies(void **state)
{
	struct tsb_err err = {0};
	struct web_reply reply = {0};

	(void)state;
	assert_int_equal(ask("GET", "/v1/fail", NULL, NULL), 404);
	assert_string_equal(answer_body(),
	    "{\"errorCode\":650,\"reason\":\"res.error.key.not.existent\","
	    "\"message\":\"A key \\\"\\\\k\xc3\xa4\\\" does not exist.\"}");
	assert_true(answer_has("\r\nContent-Type: application/json\r\n"));
	assert_int_equal(ask("GET", "/v1/failSilently", NULL, NULL), 501);
	assert_true(answer_has("\"errorCode\":100,"));

	(void)tsb_fail(&err, TSB_E_INPUT, "x");
	memcpy(err.msg, "cut \xc3\0", 6);
	web_reply_error(&reply, &err);
	assert_string_equal(tsb_bytes_cstr(&reply.body),
	    "{\"errorCode\":600,\"reason\":\"res.error.input.validation.failed\","
	    "\"message\":\"cut ?\"}");
	(void)tsb_fail(&err, TSB_E_CONNECTIVITY, "away");
	reply.status = 0;
	web_reply_error(&reply, &err);
	assert_int_equal(reply.status, 503);
	err.unsure = true;
	reply.status = 0;
	web_reply_error(&reply, &err);
	assert_int_equal(reply.status, 500);
	tsb_bytes_clear(&reply.body);
}

/* ---- tables ---- */

static void
test_route_tables_are_checked(void **state)
{
	static const struct web_route tables[][3] = {
	    {{VERB_GET, "/a", 0, 0, serve_echo}},
	    {{VERB_GET, "/a", KO, 0, NULL}},
	    {{VERB__MAX, "/a", KO, 0, serve_echo}},
	    {{VERB_GET, "a", KO, 0, serve_echo}},
	    {{VERB_GET, "/", KO, 0, serve_echo}},
	    {{VERB_GET, "/a//b", KO, 0, serve_echo}},
	    {{VERB_GET, "/a/", KO, 0, serve_echo}},
	    {{VERB_GET, "/{}", KO, 0, serve_echo}},
	    {{VERB_GET, "/{a}b", KO, 0, serve_echo}},
	    {{VERB_GET, "/{a}/{b}/{c}/{d}/{e}", KO, 0, serve_echo}},
	    {{VERB_GET, "/a", KO, 0, serve_echo}, {VERB_GET, "/a", KM, 0, serve_echo}},
	};
	static const struct web_route good[] = {
	    {VERB_GET, "/{a}/{b}/{c}/{d}", KO, 0, serve_echo},
	    {VERB_GET, "/a", KO, 0, serve_echo},
	    {VERB_PUT, "/a", KO, 0, serve_echo},
	    {0},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(tables); i++)
		assert_non_null(web_routes_check(tables[i]));
	assert_null(web_routes_check(good));
}

/* ---- listening ---- */

static void
test_addresses_to_listen_on(void **state)
{
	static const char *const bad[] = {"", "localhost",
	    "localhost:", "127.0.0.1:no-such-service", "unix:", "unix:/no/such/folder/s",
	    "203.0.113.1:80"};
	struct web_listener l;
	struct tsb_err err;
	int copy = dup(STDIN_FILENO);

	(void)state;
	assert_non_null(freopen("/dev/null", "r", stdin));
	for (size_t i = 0; i < TSB_COUNT(bad); i++)
		if (web_listen(bad[i], 0600, &l, &err) == 0)
			fail_msg("%s is taken", bad[i]);
	assert_int_equal(web_listen("127.0.0.1:0", 0, &l, &err), 0);
	web_listener_close(&l);
	dup2(copy, STDIN_FILENO);
	close(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_routes_find_their_row),
	    cmocka_unit_test(test_paths_that_lead_nowhere),
	    cmocka_unit_test(test_names_of_files_stay_out_of_answers),
	    cmocka_unit_test(test_long_paths_are_414),
	    cmocka_unit_test(test_path_below_a_script_name),
	    cmocka_unit_test(test_query),
	    cmocka_unit_test(test_order_of_checks),
	    cmocka_unit_test(test_refused_bodies_are_read_to_their_end),
	    cmocka_unit_test(test_methods),
	    cmocka_unit_test(test_body_arrives_in_pieces),
	    cmocka_unit_test(test_body_and_its_length),
	    cmocka_unit_test(test_packed_bodies_are_refused_by_name),
	    cmocka_unit_test(test_peer_gone_before_the_end_serves_nothing),
	    cmocka_unit_test(test_replies),
	    cmocka_unit_test(test_error_bodies),
	    cmocka_unit_test(test_route_tables_are_checked),
	    cmocka_unit_test(test_addresses_to_listen_on),
	};

	return cmocka_run_group_tests(tests, web_setup, web_teardown);
}
