/* Roles: API keys, certificates and users that the web server vouches for. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/web_fixture.h"

/* ---- roles ---- */

static int
status_with(const char *uri, const char *a, const char *b, const char *c)
{
	return ask("GET", uri, NULL, a, b, c, NULL);
}

static void
test_api_keys(void **state)
{
	char longest[WEB_APIKEY_MAX + 100] = "HTTP_X_API_KEY=";

	(void)state;
	assert_int_equal(status_with("/v1/key/k", KM_KEY, NULL, NULL), 200);
	assert_int_equal(status_with("/v1/key/k", KO_KEY, NULL, NULL), 401);
	assert_int_equal(status_with("/v1/request/r", KO_KEY, NULL, NULL), 200);
	assert_int_equal(status_with("/v1/request/r", "HTTP_X_API_KEY=operate-2", NULL, NULL), 200);
	assert_int_equal(status_with("/v1/request/r", "HTTP_X_API_KEY=operate-", NULL, NULL), 401);
	assert_int_equal(status_with("/v1/request/r", "HTTP_X_API_KEY=operate-22", NULL, NULL),
	    401);
	assert_int_equal(status_with("/v1/request/r", "HTTP_X_API_KEY=", NULL, NULL), 401);
	assert_int_equal(status_with("/v1/request/r", NULL, NULL, NULL), 401);
	/* the digest that stands in the settings is no key */
	assert_int_equal(status_with("/v1/key/k",
			     "HTTP_X_API_KEY=sha256:"
			     "181229424893bb65d94a74c2132b8b9e5adfe851464fdb5cb9f49e8a8204be7b",
			     NULL, NULL),
	    401);
	memset(longest + 15, 'x', WEB_APIKEY_MAX);
	assert_int_equal(status_with("/v1/key/k", longest, NULL, NULL), 401);
	longest[15 + WEB_APIKEY_MAX] = 'x';
	assert_int_equal(status_with("/v1/key/k", longest, NULL, NULL), 401);
	assert_int_equal(status_with("/v1/nobody", KM_KEY, NULL, NULL), 401);
}

/* RFC 6750: the same keys, where nobody sends the other header. */
static void
test_bearer_tokens(void **state)
{
	static const struct {
		const char *a, *b;
		int status;
	} rows[] = {
	    {"HTTP_AUTHORIZATION=Bearer operate-2", NULL, 200},
	    {"HTTP_AUTHORIZATION=bearer operate-2", NULL, 200},
	    {"HTTP_AUTHORIZATION=Bearer operate-", NULL, 401},
	    {"HTTP_AUTHORIZATION=Bearer ", NULL, 401},
	    {"HTTP_AUTHORIZATION=operate-2", NULL, 401},
	    {"HTTP_AUTHORIZATION=Basic operate-2", NULL, 401},
	    {"HTTP_AUTHORIZATION=Bearer manage", NULL, 401},
	    {"HTTP_AUTHORIZATION=Bearer operate-2", "HTTP_X_API_KEY=wrong", 401},
	    {"HTTP_AUTHORIZATION=Bearer wrong", KO_KEY, 200},
	    {"HTTP_AUTHORIZATION=Bearer operate-2", "HTTP_AUTHORIZATION=Bearer operate-2", 401},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		assert_int_equal(status_with("/v1/request/r", rows[i].a, rows[i].b, NULL),
		    rows[i].status);
}

static void
test_identity_never_comes_from_headers(void **state)
{
	(void)state;
	assert_int_equal(status_with("/v1/request/r", "REMOTE_USER=alice", "AUTH_TYPE=Basic", NULL),
	    200);
	assert_int_equal(status_with("/v1/key/k", "REMOTE_USER=alice", "AUTH_TYPE=Basic", NULL),
	    401);
	assert_int_equal(status_with("/v1/request/r", "REMOTE_USER=mallory", "AUTH_TYPE=Basic",
			     NULL),
	    401);
	/* nginx fills REMOTE_USER without checking it; then nothing sets AUTH_TYPE */
	assert_int_equal(status_with("/v1/request/r", "REMOTE_USER=alice", NULL, NULL), 401);
	assert_int_equal(status_with("/v1/request/r", "HTTP_REMOTE_USER=alice",
			     "HTTP_AUTH_TYPE=Basic", "AUTH_TYPE=Basic"),
	    401);
}

static void
test_client_certificates(void **state)
{
	static const char raw[] = "TSB_CLIENT_CERT=" CERT_LINES;
	static const char escaped[] = "TSB_CLIENT_CERT=-----BEGIN%20CERTIFICATE-----%0A" CERT_BASE64
				      "%0A-----END%20CERTIFICATE-----%0A";
	static const char broken[] = "TSB_CLIENT_CERT=-----BEGIN%ZZ";
	static const char other[] = "TSB_CLIENT_CERT=-----BEGIN CERTIFICATE-----\nAAAA\n"
				    "-----END CERTIFICATE-----\n";
	static const char *const no[] = {"TSB_CLIENT_VERIFY=NONE", "TSB_CLIENT_VERIFY=FAILED:x",
	    "TSB_CLIENT_VERIFY=GENEROUS", "HTTP_TSB_CLIENT_VERIFY=SUCCESS", "TSB_CLIENT_VERIFY="};

	(void)state;
	assert_int_equal(status_with("/v1/key/k", raw, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 200);
	assert_int_equal(status_with("/v1/request/r", raw, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 401);
	assert_int_equal(status_with("/v1/key/k", escaped, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 200);
	assert_int_equal(status_with("/v1/key/k", other, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 401);
	assert_int_equal(status_with("/v1/key/k", broken, "TSB_CLIENT_VERIFY=SUCCESS", NULL), 400);
	assert_int_equal(status_with("/v1/key/k", "TSB_CLIENT_VERIFY=SUCCESS", NULL, NULL), 401);
	for (size_t i = 0; i < TSB_COUNT(no); i++)
		assert_int_equal(status_with("/v1/key/k", raw, no[i], NULL), 401);
}

static struct web_auth *
auth_of(struct web_auth_conf *conf, struct conf_list *list, const char *entry, struct tsb_err *err)
{
	char *texts[1] = {(char *)(uintptr_t)entry};

	*list = (struct conf_list){texts, 1};
	return web_auth_new(conf, err);
}

static void
test_settings_of_roles(void **state)
{
	struct web_auth_conf conf = {.enabled = true};
	struct tsb_err err = {0};
	static const char *const bad_keys[] = {"", "sha256:", "sha256:12", "sha256:zz",
	    "sha256:00000000000000000000000000000000000000000000000000000000000000000"};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(bad_keys); i++) {
		assert_null(auth_of(&conf, &conf.service, bad_keys[i], &err));
		assert_int_equal(err.code, TSB_E_CONFIG_NOT_VALID);
		assert_non_null(strstr(err.msg, "serviceToken"));
	}
	conf.service = (struct conf_list){0};
	assert_null(auth_of(&conf, &conf.approver_cert, "not a fingerprint", &err));
	assert_non_null(strstr(err.msg, "approverCertificate"));
}

static void
test_everybody_when_switched_off(void **state)
{
	struct web_auth_conf conf = {.enabled = false};
	struct tsb_err err = {0};
	struct web_auth *before = auth, *open = web_auth_new(&conf, &err);

	(void)state;
	server.auth = open;
	assert_int_equal(status_with("/v1/key/k", NULL, NULL, NULL), 200);
	assert_int_equal(status_with("/v1/nobody", NULL, NULL, NULL), 401);
	server.auth = NULL;
	assert_int_equal(status_with("/v1/key/k", KM_KEY, NULL, NULL), 401);
	assert_int_equal(status_with("/v1/nothing", NULL, NULL, NULL), 200);
	server.auth = before;
	web_auth_free(&open);
}

static void
test_task_listings_may_be_open(void **state)
{
	struct web_auth_conf conf = {.enabled = true, .approver_paths_open = true};
	struct tsb_err err = {0};
	struct web_auth *before = auth, *open = web_auth_new(&conf, &err);

	(void)state;
	assert_int_equal(ask("POST", "/v1/tasks", "{}", NULL), 401);
	assert_int_equal(ask("POST", "/v1/tasks", "{}", "HTTP_X_API_KEY=approve", NULL), 200);
	server.auth = open;
	assert_int_equal(ask("POST", "/v1/tasks", "{}", NULL), 200);
	assert_int_equal(status_with("/v1/key/k", NULL, NULL, NULL), 401);
	server.auth = before;
	web_auth_free(&open);
}

static void
test_callers_are_named_by_fingerprints(void **state)
{
	static const struct {
		struct web_caller caller;
		const char *name;
	} cases[] = {
	    {{0}, ""},
	    {{.apikey = "manage"}, "key:181229424893bb65"},
	    {{.apikey = "guess"}, "unknown-key:"},
	    {{.cert = CERT_LINES}, "cert:8d9be2a1efd0336f"},
	    {{.cert = "no certificate"}, ""},
	    {{.user = "alice"}, "user:alice"},
	    {{.apikey = "manage", .cert = CERT_LINES, .user = "al ice+\"\n%"},
		"key:181229424893bb65+cert:8d9be2a1efd0336f+user:al%20ice%2B%22%0A%25"},
	};
	arena_auto a = {0};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(cases); i++) {
		const char *name = web_auth_caller(auth, &cases[i].caller, &a);

		if (strncmp(cases[i].name, "unknown-", 8) == 0) {
			assert_int_equal(strncmp(name, cases[i].name, 12), 0);
			assert_int_equal(strlen(name), 12 + 16);
		} else {
			assert_string_equal(name, cases[i].name);
		}
	}
	assert_string_equal(web_auth_caller(NULL, &cases[1].caller, &a), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_api_keys),
	    cmocka_unit_test(test_bearer_tokens),
	    cmocka_unit_test(test_identity_never_comes_from_headers),
	    cmocka_unit_test(test_client_certificates),
	    cmocka_unit_test(test_settings_of_roles),
	    cmocka_unit_test(test_everybody_when_switched_off),
	    cmocka_unit_test(test_task_listings_may_be_open),
	    cmocka_unit_test(test_callers_are_named_by_fingerprints),
	};

	return cmocka_run_group_tests(tests, web_setup, web_teardown);
}
