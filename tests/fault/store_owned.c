/*
 * Somebody has taken over a program and has its login, but not the broker's code: what the database
 * itself forbids. Each test sends SQL over a connection of that login.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "tests/fault/store_fixture.h"
#include "tests/fault/store_tests.h"

#define GUARDED ER_SIGNAL_EXCEPTION

static MYSQL *api, *dispatcher;

static int
connect_owned(void **state)
{
	api = fx_connect("fx_api", "api-password");
	dispatcher = fx_connect("fx_dispatcher", "dispatcher-password");
	return 0;
}

static int
close_owned(void **state)
{
	mysql_close(api);
	mysql_close(dispatcher);
	return 0;
}

static int
owned_setup(void **state)
{
	return fx_setup(state) || connect_owned(state);
}

static int
owned_teardown(void **state)
{
	return close_owned(state) || fx_teardown(state);
}

/* The number of the error, 0 = done. */
static unsigned TSB_PRINTF(2, 3) tried(MYSQL *conn, const char *fmt, ...)
{
	char sql[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sql, sizeof(sql), fmt, ap);
	va_end(ap);
	return mysql_query(conn, sql) == 0 ? 0 : mysql_errno(conn);
}

static bool
is_denied(unsigned number)
{
	return number == ER_TABLEACCESS_DENIED_ERROR || number == ER_COLUMNACCESS_DENIED_ERROR ||
	    number == ER_DBACCESS_DENIED_ERROR || number == ER_SPECIFIC_ACCESS_DENIED_ERROR;
}

/* A request that the broker brought into that state. */
static struct tsb_request
ended(enum tsb_state state)
{
	struct tsb_request rq = fx_stored("owned", 1);
	struct store_change to = fx_change(&rq, STATE_APPROVED);

	if (state == STATE_EXECUTED || state == STATE_FAILED) {
		assert_true(fx_move(fx_api, &rq, &to));
		to.owner = "worker";
		to.new_fence = true;
		assert_true(fx_move(fx_dispatcher, &rq, &to));
	}
	to = fx_change(&rq, state);
	to.owner = NULL;
	if (state == STATE_EXECUTED)
		to.result = tsb_view_str("signature");
	if (state == STATE_FAILED)
		to.reason = "614";
	assert_true(fx_move(fx_dispatcher, &rq, &to));
	return rq;
}

static const enum tsb_state ends[] = {STATE_EXECUTED, STATE_FAILED, STATE_EXPIRED, STATE_REJECTED,
    STATE_CANCELLED};

static void
test_finished_requests_stay_as_they_are(void **state)
{
	static const char *const changes[] = {"state = 'PENDING', ended_ms = NULL",
	    "state = 'APPROVED', ready_ms = 1, ended_ms = NULL", "state = 'FAILED', reason = 'x'",
	    "state = 'EXECUTED', result = 'forged'", "result = 'forged'", "reason = 'forged'",
	    "execution_ms = 1", "due_ms = 1", "expires_ms = 1", "owner = 'me'", "lease_ms = 1",
	    "attempt = 9", "fence = 9", "ready_ms = 1", "late_ms = 1", "password_box = 'x'",
	    "outcome_sha256 = REPEAT('x', 32)", "planned_digest = REPEAT('x', 32)",
	    "planned_ms = 1", "state = 'EXECUTED', result = '', reason = 'x'"};

	for (size_t i = 0; i < TSB_COUNT(ends); i++) {
		struct tsb_request rq = ended(ends[i]), got;

		for (size_t k = 0; k < TSB_COUNT(changes); k++)
			for (int who = 0; who < 2; who++) {
				unsigned number = tried(who == 0 ? api : dispatcher,
				    "UPDATE request SET %s WHERE id = %s", changes[k],
				    fx_id(&rq.id));

				if (number != GUARDED)
					fail_msg("%s: %s: %u", tsb_state_names[ends[i]], changes[k],
					    number);
			}
		got = fx_load(&rq.id);
		assert_int_equal(got.state, ends[i]);
		assert_int_equal(got.version, rq.version);
	}
}

static void
test_a_result_may_be_erased_and_nothing_else(void **state)
{
	struct tsb_request rq = ended(STATE_EXECUTED);

	assert_int_equal(tried(api,
			     "UPDATE request SET result = '', version = version + 1, "
			     "ended_ms = 1 WHERE id = %s",
			     fx_id(&rq.id)),
	    0);
	assert_int_equal(fx_load(&rq.id).state, STATE_EXECUTED);
	assert_int_equal(fx_load(&rq.id).result.n, 0);
	assert_int_equal(tried(api, "UPDATE request SET result = 'again' WHERE id = %s",
			     fx_id(&rq.id)),
	    GUARDED);
}

/* The dispatcher deletes what ended long ago: nobody can say that something did. */
static void
test_no_request_ends_in_the_past(void **state)
{
	struct tsb_request rq = fx_stored("owned", 0), old = ended(STATE_EXECUTED);
	int64_t before = clock_now_ms() - 1000;

	assert_int_equal(tried(api,
			     "UPDATE request SET state = 'CANCELLED', ended_ms = 1 "
			     "WHERE id = %s",
			     fx_id(&rq.id)),
	    0);
	assert_int_equal(tried(api, "UPDATE request SET result = '', ended_ms = NULL WHERE id = %s",
			     fx_id(&old.id)),
	    0);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM request WHERE id IN (%s, %s) AND "
				   "ended_ms >= %lld AND changed_login = 'fx_api@localhost'",
			     fx_id(&rq.id), fx_id(&old.id), (long long)before),
	    2);
}

static void
test_no_request_begins_finished(void **state)
{
	static const char *const values[] = {"'EXECUTED', '', NULL", "'CANCELLED', '', NULL",
	    "'PENDING', 'result', NULL", "'APPROVED', '', 'reason'"};

	for (size_t i = 0; i < TSB_COUNT(values); i++)
		assert_int_equal(
		    tried(api,
			"INSERT INTO request (id, kind, state, result, reason, version, "
			"key_name, attributes_digest, created_ms, hsm_seconds, due_ms, "
			"expires_ms, token, envelope, inner_clean, password_box, "
			"execution_ms, lease_ms, attempt, fence) VALUES (REPEAT('%zu', 16), "
			"'SIGN', %s, 1, 'owned', REPEAT('d', 32), 1, 0, 0, 0, '', '', '', "
			"'', 0, 0, 0, 0)",
			i, values[i]),
		    GUARDED);
}

static const char *const answers =
    "INSERT INTO approval (request_id, approver_id, approves, spki, signed_approval, at_ms%s) "
    "VALUES (%s, REPEAT('%c', 32), 1, 'spki', 'signed', 1%s)";

static void
test_finished_requests_take_no_approvals(void **state)
{
	struct tsb_request open = fx_stored("owned", 0);
	struct tsb_uuid nobody = uuid_new();

	for (size_t i = 0; i < TSB_COUNT(ends); i++) {
		struct tsb_request rq = ended(ends[i]);

		assert_int_equal(tried(api, answers, "", fx_id(&rq.id), 'a', ""), GUARDED);
	}
	assert_int_equal(tried(api, answers, "", fx_id(&nobody), 'a', ""), GUARDED);
	/* The HSM checks whose approval it is; the record says when it came, and from whom. */
	assert_int_equal(tried(api, answers, ", taken_ms, login", fx_id(&open.id), 'a',
			     ", 1, 'fx_dispatcher@localhost'"),
	    0);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM approval WHERE request_id = %s AND "
				   "login = 'fx_api@localhost' AND taken_ms > 1600000000000",
			     fx_id(&open.id)),
	    1);
	assert_int_equal(tried(dispatcher, "DELETE FROM approval WHERE request_id = %s",
			     fx_id(&open.id)),
	    GUARDED);
	assert_int_equal(tried(dispatcher, "DELETE FROM request WHERE id = %s", fx_id(&open.id)),
	    GUARDED);
}

static void
test_audit_has_the_time_and_login_of_the_database(void **state)
{
	static const char *const settings[] = {"SET timestamp = 1", "SET time_zone = '-11:00'",
	    "SET sql_mode = ''", "SET SESSION default_storage_engine = MyISAM"};
	struct tsb_uuid id = uuid_new();
	int64_t now = clock_now_ms();

	for (size_t i = 0; i < TSB_COUNT(settings); i++)
		assert_int_equal(tried(api, "%s", settings[i]), 0);
	assert_int_equal(
	    tried(api,
		"INSERT INTO audit (id, run, at_ms, action, actor, login) "
		"VALUES (%s, 1, 1, 'execute', 'dispatcher1', 'fx_dispatcher@localhost')",
		fx_id(&id)),
	    0);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM audit WHERE id = %s AND "
				   "login = 'fx_api@localhost' AND at_ms BETWEEN %lld AND %lld",
			     fx_id(&id), (long long)now - 60000, (long long)now + 60000),
	    1);
	close_owned(state);
	connect_owned(state);
}

static void
test_guards_cannot_be_taken_away(void **state)
{
	static const char *const attempts[] = {"DROP TRIGGER request_stays",
	    "CREATE OR REPLACE TRIGGER request_stays BEFORE UPDATE ON request FOR EACH ROW SET @x = 1",
	    "CREATE TRIGGER own BEFORE INSERT ON audit FOR EACH ROW SET NEW.at_ms = 1",
	    "ALTER TABLE request RENAME TO other", "DROP TABLE approval", "TRUNCATE request",
	    "CREATE TABLE other LIKE request", "SET sql_log_bin = 0",
	    "SET GLOBAL init_connect = ''", "DROP USER fx_dispatcher@localhost"};

	for (size_t i = 0; i < TSB_COUNT(attempts); i++)
		for (int who = 0; who < 2; who++) {
			unsigned number = tried(who == 0 ? api : dispatcher, "%s", attempts[i]);

			if (!is_denied(number))
				fail_msg("%s: %u", attempts[i], number);
		}
}

int
store_owned_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_finished_requests_stay_as_they_are),
	    cmocka_unit_test(test_a_result_may_be_erased_and_nothing_else),
	    cmocka_unit_test(test_no_request_ends_in_the_past),
	    cmocka_unit_test(test_no_request_begins_finished),
	    cmocka_unit_test(test_finished_requests_take_no_approvals),
	    cmocka_unit_test(test_audit_has_the_time_and_login_of_the_database),
	    cmocka_unit_test(test_guards_cannot_be_taken_away),
	};

	return cmocka_run_group_tests_name("store owned", tests, owned_setup, owned_teardown);
}
