/* Several servers of one database: here one, which is found at several places. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/fault/store_changes.h"
#include "tests/fault/store_tests.h"

static char home[64], other[64], nowhere[] = "/nonexistent/db.sock";

static int
places_setup(void **state)
{
	char dir[] = "/tmp/test-hosts.XXXXXX";

	if (fx_setup(state) != 0 || mkdtemp(dir) == NULL)
		return -1;
	snprintf(home, sizeof(home), "%s/home.sock", dir);
	snprintf(other, sizeof(other), "%s/other.sock", dir);
	return symlink(getenv("TSB_TEST_DB_SOCKET"), other);
}

static int
places_teardown(void **state)
{
	unlink(home);
	unlink(other);
	*strrchr(other, '/') = '\0';
	rmdir(other);
	return fx_teardown(state);
}

static void
home_is(bool there)
{
	unlink(home);
	if (there)
		assert_int_equal(symlink(getenv("TSB_TEST_DB_SOCKET"), home), 0);
}

/* Time passes until home is tried again. */
static void
later(struct store *s)
{
	s->hosts.home_at = clock_monotonic_ms();
}

static void
test_the_next_host_is_taken_when_the_first_is_away(void **state)
{
	char *hosts[] = {home, nowhere, other};
	struct store *s = fx_store_at(hosts, 3);

	home_is(false);
	fx_ok(store_ping(s, &err));
	assert_int_equal(s->hosts.at, 2);
	assert_false(store_lingers(s));
	store_free(&s);
}

static void
test_home_again_when_it_is_well(void **state)
{
	char *hosts[] = {home, other};
	struct store *s = fx_store_at(hosts, 2);
	int64_t pause;

	home_is(false);
	fx_ok(store_ping(s, &err));
	store_idle(s);
	assert_int_equal(store_connection(s), 1);
	later(s);
	assert_true(store_lingers(s));
	store_idle(s); /* it is not there: nothing is lost */
	assert_int_equal(store_connection(s), 1);
	assert_int_equal(s->hosts.at, 1);
	pause = s->hosts.home_pause;
	assert_true(pause > 10 * 1000);
	home_is(true);
	later(s);
	store_idle(s);
	assert_int_equal(store_connection(s), 2);
	assert_int_equal(s->hosts.at, 0);
	fx_ok(store_ping(s, &err));
	assert_int_equal(store_connection(s), 2);
	assert_false(store_lingers(s));
	store_free(&s);
}

static int
load_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct tsb_request rq;

	return store_request_load(tx, ctx, false, &fx_arena, &rq, err);
}

/* One that the server has closed, for its age perhaps, is made again where it was. */
static void
test_a_server_that_does_not_answer_is_left(void **state)
{
	struct tsb_request rq = fx_stored("hosts", 0);
	char *hosts[] = {home, other};
	struct store *s = fx_store_at(hosts, 2);

	home_is(true);
	fx_ok(store_ping(s, &err));
	conn_leave(s, CR_SERVER_GONE_ERROR);
	fx_ok(store_read(s, "load", load_body, &rq.id, &err));
	assert_int_equal(s->hosts.at, 0);
	conn_leave(s, CR_SERVER_LOST);
	fx_ok(store_read(s, "load", load_body, &rq.id, &err));
	assert_int_equal(s->hosts.at, 1);
	store_free(&s);
}

/* Both are the same server here, so that there is no better one. */
static void
test_read_only_servers_are_the_last_choice(void **state)
{
	struct tsb_request rq = fx_stored("hosts", 0);
	char *hosts[] = {nowhere, home, other};
	struct store *s = fx_store_at(hosts, 3);

	home_is(true);
	fx_do("SET GLOBAL read_only = 1");
	fx_ok(store_read(s, "load", load_body, &rq.id, &err));
	assert_int_equal(s->hosts.at, 1);
	later(s);
	home_is(false);
	store_idle(s); /* nowhere is not there */
	fx_do("SET GLOBAL read_only = 0");
	assert_int_equal(s->hosts.at, 1);
	store_free(&s);
}

static void
test_none_is_there(void **state)
{
	char *hosts[] = {nowhere, home};
	struct store *s = fx_store_at(hosts, 2);

	home_is(false);
	fx_refused(store_ping(s, &err), 2);
	assert_string_equal(fx_message, "the database cannot be reached (error 2002)");
	store_free(&s);
}

static void
test_hosts_of_the_settings(void **state)
{
	static const struct {
		const char *text, *why; /* NULL = it is right */
	} rows[] = {
	    {"db1", NULL},
	    {"db1.example.com:3307", NULL},
	    {"10.0.0.1:1", NULL},
	    {"[2001:db8::1]", NULL},
	    {"[2001:db8::1]:65535", NULL},
	    {"/run/mysqld/mysqld.sock", NULL},
	    {"", "the name is missing"},
	    {":3306", "the name is missing"},
	    {"[]", "the name is missing"},
	    {"[::1", "] is missing"},
	    {"[::1]3306", "behind ] there may be a colon and the port only"},
	    {"::1", "the name is missing"},
	    {"2001:db8::1", "an IPv6 address needs brackets: [::1]:3306"},
	    {"db1:", "the port is no number from 1 to 65535"},
	    {"db1:0", "the port is no number from 1 to 65535"},
	    {"db1:65536", "the port is no number from 1 to 65535"},
	    {"db1:33x", "the port is no number from 1 to 65535"},
	    {"db1,db2", "one host a line, repeat the setting for others"},
	    {"db1 db2", "one host a line, repeat the setting for others"},
	};
	char *many[STORE_HOSTS + 1], text[64], message[256];

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		char *one = text;
		struct conf_list list = {&one, 1};

		snprintf(text, sizeof(text), "%s", rows[i].text);
		if (rows[i].why == NULL) {
			fx_ok(store_hosts_check(&list, &err));
			continue;
		}
		snprintf(message, sizeof(message), "database.host = %s: %s", text, rows[i].why);
		fx_refused(store_hosts_check(&list, &err), 301);
		assert_string_equal(fx_message, message);
	}
	for (size_t i = 0; i < TSB_COUNT(many); i++)
		many[i] = other;
	fx_refused(store_hosts_check(&(struct conf_list){many, TSB_COUNT(many)}, &err), 301);
}

int
store_hosts_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_next_host_is_taken_when_the_first_is_away),
	    cmocka_unit_test(test_home_again_when_it_is_well),
	    cmocka_unit_test(test_a_server_that_does_not_answer_is_left),
	    cmocka_unit_test(test_read_only_servers_are_the_last_choice),
	    cmocka_unit_test(test_none_is_there),
	    cmocka_unit_test(test_hosts_of_the_settings),
	};

	return cmocka_run_group_tests_name("store hosts", tests, places_setup, places_teardown);
}
