/* Address lists and the order in which a client tries them. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http/endpoint.h"
#include "lib/http/client.h"

static void
test_addresses(void **state)
{
	static const struct {
		const char *text, *base, *path;
	} good[] = {
	    {"https://hsm.example", "https://hsm.example", NULL},
	    {"https://hsm.example/", "https://hsm.example", NULL},
	    {"https://hsm.example:8443/v1", "https://hsm.example:8443", NULL},
	    {"https://hsm.example/v1/", "https://hsm.example", NULL},
	    {"https://hsm.example/tsb//v1//", "https://hsm.example/tsb", NULL},
	    {"https://hsm.example/xv1", "https://hsm.example/xv1", NULL},
	    {"http://127.0.0.1:80", "http://127.0.0.1:80", NULL},
	    {"http://[::1]:80", "http://[::1]:80", NULL},
	    {"unix:/run/tsb/hsm.sock", "http://localhost", "/run/tsb/hsm.sock"},
	    {"fcgi:/run/tsb/hsm.sock", "http://localhost", "/run/tsb/hsm.sock"},
	};
	static const char *const bad[] = {"", "hsm.example", "ftp://x", "file:///etc/passwd",
	    "https://", "https:///x", "https://:80", "https://user:pw@host", "https://host/?x",
	    "https://host/#x", "https://ho st", "https://host\n", "HTTPS://host",
	    "unix:", "unix:relative", "fcgi:", "fcgi:relative",
	    ("unix:/a234567890123456789012345678901234567890123456789012345678901234567890"
	     "1234567890123456789012345678901234567890")};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(good); i++) {
		struct tsb_err err = {0};
		struct endpoint e;

		assert_int_equal(endpoint_init(&e, good[i].text, &err), 0);
		assert_string_equal(e.base, good[i].base);
		assert_string_equal(e.unix_path ? e.unix_path : "",
		    good[i].path ? good[i].path : "");
		endpoint_clear(&e);
	}
	for (size_t i = 0; i < TSB_COUNT(bad); i++) {
		struct tsb_err err = {0};
		struct endpoint e;

		if (endpoint_init(&e, bad[i], &err) != -1)
			fail_msg("%s is taken", bad[i]);
		assert_int_equal(err.code, TSB_E_CONFIG_NOT_VALID);
	}
}

/* Only there can nobody read what is sent unencrypted. */
static void
test_loopback_is_exactly_loopback(void **state)
{
	static const struct {
		const char *url;
		bool plain;
	} cases[] = {
	    {"http://localhost", false},
	    {"http://LOCALHOST:80/x", false},
	    {"http://127.0.0.1", false},
	    {"http://127.255.255.255:80", false},
	    {"http://127.1", false},
	    {"http://[::1]:80", false},
	    {"http://[0:0:0:0:0:0:0:1]", false},
	    {"http://localhost.evil", true},
	    {"http://localhost.evil:80/localhost", true},
	    {"http://localhosts", true},
	    {"http://127.0.0.1.evil", true},
	    {"http://127.evil", true},
	    {"http://128.0.0.1", true},
	    {"http://[::1].evil", true},
	    {"http://[::2]", true},
	    {"http://[::ffff:127.0.0.1]", true},
	    {"http://hsm.example", true},
	    {"https://hsm.example", false},
	    {"unix:/x", false},
	    {"fcgi:/x", false},
	};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(cases); i++) {
		struct tsb_err err = {0};
		struct endpoint e = {0};

		if (endpoint_init(&e, cases[i].url, &err) == 0 && e.plain != cases[i].plain)
			fail_msg("%s", cases[i].url);
		endpoint_clear(&e);
	}
}

static void
test_lists(void **state)
{
	static const char *const bad[] = {"", ",", "https://a,", ";https://a",
	    "https://a;;https://b",
	    "https://1,https://2,https://3,https://4,https://5,https://6,https://7,https://8,"
	    "https://9,https://10,https://11,https://12,https://13,https://14,https://15,"
	    "https://16,https://17"};
	struct endpoint_list l;
	struct tsb_err err = {0};

	(void)state;
	assert_int_equal(endpoint_list_init(&l, "https://a, https://b; unix:/c", &err), 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(endpoint_name(&l.v[1]), "https://b");
	assert_string_equal(endpoint_name(&l.v[2]), "/c");
	assert_int_equal(l.v[0].group, 0);
	assert_int_equal(l.v[1].group, 0);
	assert_int_equal(l.v[2].group, 1);
	endpoint_list_clear(&l);
	for (size_t i = 0; i < TSB_COUNT(bad); i++)
		assert_int_equal(endpoint_list_init(&l, bad[i], &err), -1);
}

static void
test_order(void **state)
{
	struct endpoint_list l;
	struct tsb_err err = {0};
	unsigned char order[ENDPOINT_MAX];
	int first[4] = {0};

	(void)state;
	assert_int_equal(endpoint_list_init(&l, "http://[::1]:1,http://[::1]:2;unix:/3;unix:/4",
			     &err),
	    0);
	for (int i = 0; i < 400; i++) {
		endpoint_list_order(&l, 1000, order);
		first[order[0]]++;
		assert_int_equal(order[0] + order[1], 1);
		assert_int_equal(order[2], 2);
		assert_int_equal(order[3], 3);
	}
	assert_true(first[0] > 100 && first[1] > 100);
	l.v[0].down_until = l.v[2].down_until = 1001;
	endpoint_list_order(&l, 1000, order);
	assert_memory_equal(order, ((unsigned char[]){1, 3, 0, 2}), 4);
	endpoint_list_order(&l, 1001, order);
	assert_int_equal(order[2], 2);
	endpoint_list_clear(&l);
}

static void
test_settings_are_checked(void **state)
{
	static const struct http_client_conf bad[] = {
	    {"HSM", NULL, {.timeout_ms = 1000, .connect_timeout_ms = 1000}},
	    {"HSM", "", {.timeout_ms = 1000, .connect_timeout_ms = 1000}},
	    {"HSM", "https://a", {.connect_timeout_ms = 1000}},
	    {"HSM", "https://a", {.timeout_ms = 1000}},
	    {"HSM", "https://a",
		{.timeout_ms = 1000, .connect_timeout_ms = 1000, .cert_file = "c"}},
	};
	struct tsb_err err = {0};

	(void)state;
	for (size_t i = 0; i < TSB_COUNT(bad); i++)
		assert_null(http_client_new(&bad[i], &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_loopback_is_exactly_loopback),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_settings_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
