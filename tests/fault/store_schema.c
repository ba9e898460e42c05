/* The schema: upgrades, versions, and what each login may do. */
#include "lib/first.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fault/store_fixture.h"
#include "tests/fault/store_tests.h"

#define API_USER        "fx_api@localhost"
#define DISPATCHER_USER "fx_dispatcher@localhost"

static int
upgrade(const char *dir, struct tsb_err *err)
{
	return store_schema_upgrade(fx_admin, dir, API_USER, DISPATCHER_USER, err);
}

/* A copy of schema/ to spoil; removed with the files it has. */
static char copy[64];

static void TSB_PRINTF(1, 2) shell(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("%s", command);
}

static int
copy_make(void **state)
{
	snprintf(copy, sizeof(copy), "/tmp/test-store-schema.XXXXXX");
	if (mkdtemp(copy) == NULL)
		return -1;
	shell("cp '%s'/*.sql %s/", fx_schema, copy);
	return 0;
}

static int
copy_remove(void **state)
{
	shell("rm -rf %s", copy);
	return 0;
}

static void
test_upgrade_twice(void **state)
{
	long have, want;

	fx_ok(upgrade(fx_schema, &err));
	fx_ok(store_schema_version(fx_admin, &have, &want, &err));
	assert_int_equal(have, want);
	assert_int_equal(want, STORE_SCHEMA_VERSION);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM schema_version"), STORE_SCHEMA_VERSION);
}

/* A crash between the file's last statement and its row: the file runs again. */
static void
test_upgrade_after_a_crash(void **state)
{
	struct tsb_request rq = fx_stored("crash", 0);

	fx_do("DELETE FROM schema_version WHERE version = %d", STORE_SCHEMA_VERSION);
	fx_ok(upgrade(fx_schema, &err));
	assert_string_equal(fx_load(&rq.id).key_name, "crash");
}

/* An ALTER goes through millions of rows; the timeout is for programs that serve somebody. */
static void
test_upgrade_may_take_longer_than_the_timeout(void **state)
{
	struct store *s = fx_store(LOGIN_ADMIN, 1);

	fx_do("DELETE FROM schema_version WHERE version = %d", STORE_SCHEMA_VERSION);
	shell("for f in %s/%03d_*.sql; do echo 'DO SLEEP(2.5);' >>$f; done", copy,
	    STORE_SCHEMA_VERSION);
	fx_ok(store_schema_upgrade(s, copy, API_USER, DISPATCHER_USER, &err));
	store_free(&s);
	fx_do("DELETE FROM schema_version WHERE version = %d", STORE_SCHEMA_VERSION);
	fx_ok(upgrade(fx_schema, &err));
}

static void
test_upgrade_refuses_a_changed_file(void **state)
{
	shell("echo '-- later thought' >>%s/001_requests.sql", copy);
	fx_refused(upgrade(copy, &err), 500);
	assert_non_null(strstr(fx_message, "001_requests.sql has changed"));
}

static void
test_upgrade_refuses_a_gap(void **state)
{
	shell("mv %s/001_requests.sql %s/002_requests.sql", copy, copy);
	fx_refused(upgrade(copy, &err), 500);
	assert_non_null(strstr(fx_message, "without a gap"));
}

static void
test_upgrade_refuses_files_of_another_release(void **state)
{
	shell("echo 'SELECT 1;' >%s/%03d_more.sql", copy, STORE_SCHEMA_VERSION + 1);
	fx_refused(upgrade(copy, &err), 500);
	assert_non_null(strstr(fx_message, "same release"));
	fx_refused(upgrade("/nonexistent", &err), 704);
}

static void
test_upgrade_waits_for_the_other_one(void **state)
{
	MYSQL *other = fx_connect(getenv("TSB_TEST_DB_USER"), NULL);
	pid_t pid;
	int status;

	if (mysql_query(other, "DO GET_LOCK(CONCAT('tsb.schema.', DATABASE()), 0)") != 0)
		fail_msg("%s", mysql_error(other));
	pid = fork();
	if (pid == 0) {
		struct tsb_err err = {0};
		struct store *mine = fx_store(LOGIN_ADMIN, 20);

		_exit(store_schema_upgrade(mine, fx_schema, NULL, NULL, &err) == 0 ? 0 : 1);
	}
	usleep(300000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* still waiting */
	mysql_close(other);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_upgrade_makes_no_users(void **state)
{
	fx_refused(store_schema_upgrade(fx_admin, fx_schema, "nobody_such@localhost", NULL, &err),
	    500);
	assert_non_null(strstr(fx_message, "has no user"));
	assert_int_equal(fx_number("SELECT COUNT(*) FROM mysql.user WHERE user = 'nobody_such'"),
	    0);
	fx_refused(store_schema_upgrade(fx_admin, fx_schema, "x' @'%", NULL, &err), 600);
	fx_refused(store_schema_upgrade(fx_admin, fx_schema, "@localhost", NULL, &err), 600);
}

static void
test_programs_refuse_other_schemas(void **state)
{
	struct store *s = fx_store(LOGIN_API, 5);

	fx_do("UPDATE schema_version SET version = %d WHERE version = %d", STORE_SCHEMA_VERSION + 1,
	    STORE_SCHEMA_VERSION);
	fx_refused(store_ping(s, &err), 500);
	assert_non_null(strstr(fx_message, "tsb-admin schema upgrade"));
	assert_non_null(strstr(fx_message, "knows"));
	fx_refused(upgrade(fx_schema, &err), 500); /* the way back is closed too */
	fx_do("DELETE FROM schema_version");
	fx_refused(store_ping(s, &err), 500);
	assert_non_null(strstr(fx_message, "tsb-admin schema upgrade"));
	fx_ok(upgrade(fx_schema, &err));
	fx_ok(store_ping(s, &err));
	store_free(&s);
}

static void
test_programs_refuse_an_empty_database(void **state)
{
	struct store *s = fx_store(LOGIN_DISPATCHER, 5);

	fx_do("REVOKE ALL PRIVILEGES, GRANT OPTION FROM " DISPATCHER_USER);
	fx_do("GRANT SELECT (id) ON audit TO " DISPATCHER_USER); /* or it could not even connect */
	fx_refused(store_ping(s, &err), 500);
	assert_non_null(strstr(fx_message, "tsb-admin schema upgrade"));
	fx_ok(upgrade(fx_schema, &err));
	fx_ok(store_ping(s, &err));
	store_free(&s);
}

/* ---- rights ---- */

/* What is there is taken away first: the rights are those of the grants files. */
static void
test_each_login_may_prepare_its_statements(void **state)
{
	static const struct {
		enum store_login login;
		const char *user, *password;
	} logins[] = {
	    {LOGIN_API, "fx_api", "api-password"},
	    {LOGIN_DISPATCHER, "fx_dispatcher", "dispatcher-password"},
	};

	for (size_t i = 0; i < TSB_COUNT(logins); i++) {
		MYSQL *conn = fx_connect(logins[i].user, logins[i].password);

		for (int id = 0; id < STMT__MAX; id++) {
			MYSQL_STMT *st = mysql_stmt_init(conn);

			if ((stmt_rows[id].programs & logins[i].login) != 0 &&
			    mysql_stmt_prepare(st, stmt_rows[id].text,
				strlen(stmt_rows[id].text)) != 0)
				fail_msg("%s: %s: %s", logins[i].user, stmt_rows[id].name,
				    mysql_stmt_error(st));
			mysql_stmt_close(st);
		}
		mysql_close(conn);
	}
}

static const struct {
	const char *user, *password, *sql;
} forbidden[] = {
#define API_MAY_NOT(sql) {"fx_api", "api-password", sql},
    API_MAY_NOT("DELETE FROM request") API_MAY_NOT("UPDATE request SET key_name = 'x'") API_MAY_NOT(
	"UPDATE request SET token = ''") API_MAY_NOT("UPDATE request SET inner_clean = ''")
	API_MAY_NOT("DELETE FROM approval") API_MAY_NOT("UPDATE approver SET certificate = ''") API_MAY_NOT(
	    "UPDATE approver SET name = 'x'") API_MAY_NOT("UPDATE approval SET approves = 1")
	    API_MAY_NOT("UPDATE task SET approver_id = ''") API_MAY_NOT(
		"UPDATE key_attributes SET xml = ''") API_MAY_NOT("DELETE FROM key_attributes")
		API_MAY_NOT("UPDATE imported_key SET key_name = 'x'") API_MAY_NOT(
		    "DELETE FROM imported_key") API_MAY_NOT("UPDATE audit SET actor = 'x'")
		    API_MAY_NOT("DELETE FROM audit") API_MAY_NOT("SELECT actor FROM audit") API_MAY_NOT(
			"REPLACE INTO audit (id, run, at_ms, action, actor) VALUES ('', 1, 1, '', '')")
			API_MAY_NOT(
			    "INSERT INTO schema_version (version, name, sha256) VALUES (9, '', '')")
			    API_MAY_NOT("TRUNCATE audit") API_MAY_NOT("DROP TABLE audit")
				API_MAY_NOT("ALTER TABLE request ADD COLUMN x INT") API_MAY_NOT(
				    "CREATE TABLE x (y INT)") API_MAY_NOT("SELECT * FROM mysql.user")
#define DISPATCHER_MAY_NOT(sql) {"fx_dispatcher", "dispatcher-password", sql},
				    DISPATCHER_MAY_NOT("INSERT INTO request SELECT * FROM request") DISPATCHER_MAY_NOT(
					"UPDATE request SET inner_clean = ''")
					DISPATCHER_MAY_NOT("UPDATE request SET token = ''") DISPATCHER_MAY_NOT(
					    "UPDATE approval SET approves = 1")
					    DISPATCHER_MAY_NOT(
						"UPDATE approver SET certificate = ''")
						DISPATCHER_MAY_NOT(
						    "INSERT INTO approver SELECT * FROM approver")
						    DISPATCHER_MAY_NOT("DELETE FROM approver") DISPATCHER_MAY_NOT(
							"UPDATE task SET approver_id = ''")
							DISPATCHER_MAY_NOT(
							    "UPDATE key_attributes SET xml = ''")
							    DISPATCHER_MAY_NOT(
								"SELECT key_name FROM imported_key")
								DISPATCHER_MAY_NOT(
								    "UPDATE audit SET actor = 'x'")
								    DISPATCHER_MAY_NOT(
									"DELETE FROM audit")
									DISPATCHER_MAY_NOT(
									    "SELECT actor FROM audit")
									    DISPATCHER_MAY_NOT(
										"UPDATE schema_version SET version = 9")
										DISPATCHER_MAY_NOT(
										    "DROP TABLE audit")};

static void
test_logins_may_do_no_more(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(forbidden); i++) {
		MYSQL *conn = fx_connect(forbidden[i].user, forbidden[i].password);
		unsigned number = mysql_query(conn, forbidden[i].sql) == 0 ? 0 : mysql_errno(conn);

		if (number != ER_TABLEACCESS_DENIED_ERROR && number != ER_COLUMNACCESS_DENIED_ERROR)
			fail_msg("%s: %s: %u %s", forbidden[i].user, forbidden[i].sql, number,
			    mysql_error(conn));
		mysql_close(conn);
	}
}

static int
foreign_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct tsb_uuid *ids;
	size_t n;

	return store_requests_due(tx, 1, 1, false, &fx_arena, &ids, &n, err);
}

static int
writing_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	bool gone;

	return store_task_delete(tx, &(struct tsb_uuid){{0}}, &gone, err);
}

/* 1 = ended by fatal(). */
static int
status_of(int (*run)(struct store *, const char *, store_body *, void *, struct tsb_err *),
    store_body *body)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct tsb_err err = {0};
		struct store *s = fx_store(LOGIN_API, 5);

		_exit(run(s, "child", body, NULL, &err) == 0 ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_foreign_statements_end_the_program(void **state)
{
	assert_int_equal(status_of(store_read, foreign_body), 1);
	assert_int_equal(status_of(store_read, writing_body), 1);
	assert_int_equal(status_of(store_transact, writing_body), 0);
}

int
store_schema_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_login_may_prepare_its_statements),
	    cmocka_unit_test(test_logins_may_do_no_more),
	    cmocka_unit_test(test_foreign_statements_end_the_program),
	    cmocka_unit_test(test_upgrade_twice),
	    cmocka_unit_test(test_upgrade_after_a_crash),
	    cmocka_unit_test_setup_teardown(test_upgrade_may_take_longer_than_the_timeout,
		copy_make, copy_remove),
	    cmocka_unit_test_setup_teardown(test_upgrade_refuses_a_changed_file, copy_make,
		copy_remove),
	    cmocka_unit_test_setup_teardown(test_upgrade_refuses_a_gap, copy_make, copy_remove),
	    cmocka_unit_test_setup_teardown(test_upgrade_refuses_files_of_another_release,
		copy_make, copy_remove),
	    cmocka_unit_test(test_upgrade_waits_for_the_other_one),
	    cmocka_unit_test(test_upgrade_makes_no_users),
	    cmocka_unit_test(test_programs_refuse_other_schemas),
	    cmocka_unit_test(test_programs_refuse_an_empty_database),
	};

	return cmocka_run_group_tests_name("store schema", tests, fx_setup, fx_teardown);
}
