/*
 * Every statement of every transaction meets every error that may come by itself, and the change
 * takes place exactly once.
 */
#include "lib/first.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fault/store_changes.h"
#include "tests/fault/store_tests.h"

static const char *const errors[] = {"1020", "1205", "1213", "1290", "2006", "2013"};

static int
change_run(const struct change *c, struct world *w, struct tsb_err *err)
{
	struct store *s = c->login == LOGIN_API ? fx_api : fx_dispatcher;

	if (c->run != NULL)
		return c->run(s, w, err);
	return (c->reads ? store_read : store_transact)(s, c->name, c->body, w, err);
}

/* True when the point was met. */
static bool
change_try(const struct change *c, const char *point, const char *value)
{
	struct world w = {0};
	struct tsb_err err = {0};

	c->setup(&w);
	fx_fault(point, value);
	if (change_run(c, &w, &err) != 0)
		fail_msg("%s with %s at %s: %s", c->name, value, point, err.msg);
	c->check(&w);
	arena_reset(&fx_arena);
	return !fx_faults_left();
}

static void
test_every_statement_with_every_error(void **state)
{
	bool met[STMT__MAX] = {false};

	fx_need_hooks();
	for (size_t c = 0; c < nchanges; c++)
		for (int id = 0; id < STMT__MAX; id++)
			for (size_t e = 0; e < TSB_COUNT(errors); e++) {
				if (!change_try(&changes[c], stmt_rows[id].point, errors[e]))
					break;
				met[id] = true;
			}
	/* Two are met by other tests: after a lost COMMIT, and when a connection is new. */
	met[STMT_AUDIT_FIND] = met[STMT_SCHEMA_VERSION] = true;
	for (int id = 0; id < STMT__MAX; id++)
		if (!met[id] && stmt_rows[id].programs != LOGIN_ADMIN)
			fail_msg("no transaction of this test runs %s", stmt_rows[id].name);
}

static void
test_every_commit_with_every_error(void **state)
{
	fx_need_hooks();
	for (size_t c = 0; c < nchanges; c++) {
		char before[64], after[64];

		if (changes[c].reads)
			continue;
		snprintf(before, sizeof(before), "store.%s.COMMIT.before", changes[c].name);
		snprintf(after, sizeof(after), "store.%s.COMMIT.after", changes[c].name);
		for (size_t e = 0; e < TSB_COUNT(errors); e++)
			assert_true(change_try(&changes[c], before, errors[e]));
		assert_true(change_try(&changes[c], after, "2006"));
		assert_true(change_try(&changes[c], after, "2013"));
	}
}

/* It may have been carried out all the same: what it did is looked for before it is done again. */
static void
test_commit_with_an_error_that_leaves_it_open(void **state)
{
	fx_need_hooks();
	for (size_t c = 0; c < nchanges; c++) {
		char before[64];

		if (changes[c].reads)
			continue;
		snprintf(before, sizeof(before), "store.%s.COMMIT.before", changes[c].name);
		assert_true(change_try(&changes[c], before, "1180"));
		assert_true(change_try(&changes[c], before, "1969"));
	}
}

static void
test_lost_commit_is_told_by_the_mark(void **state)
{
	static const struct {
		const char *point;
		int runs;
	} rows[] = {
	    {"store.finish.COMMIT.before", 2}, /* was not committed */
	    {"store.finish.COMMIT.after", 1}, /* was committed */
	};

	fx_need_hooks();
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct world w = {0};

		change_due_setup(&w);
		fx_fault(rows[i].point, "2013");
		fx_ok(store_transact(fx_dispatcher, "finish", change_finish_body, &w, &err));
		assert_false(fx_faults_left());
		assert_int_equal(w.runs, rows[i].runs);
		change_finish_check(&w);
	}
}

/* The way back is no better than the way there: AUDIT_FIND and SCHEMA_VERSION fail as well. */
static void
test_lost_commit_and_then_more_errors(void **state)
{
	static const char *const points[] = {"store.AUDIT_FIND", "store.SCHEMA_VERSION"};

	fx_need_hooks();
	for (size_t p = 0; p < TSB_COUNT(points); p++)
		for (size_t e = 0; e < TSB_COUNT(errors); e++) {
			char both[128];
			struct world w = {0};

			if (p == 1 && e < 4)
				continue; /* neither conflicts nor "read-only" for a plain read */
			change_due_setup(&w);
			snprintf(both, sizeof(both), "store.finish.COMMIT.after 2013\n%s",
			    points[p]);
			fx_fault(both, errors[e]);
			fx_ok(
			    store_transact(fx_dispatcher, "finish", change_finish_body, &w, &err));
			assert_false(fx_faults_left());
			assert_int_equal(w.runs, 1);
			change_finish_check(&w);
		}
}

static int
unmarked_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	w->runs++;
	return store_request_insert(tx, &w->rq, err);
}

static void
test_lost_commit_without_mark_is_not_guessed(void **state)
{
	struct world w = {.rq = fx_request("unmarked")};
	struct tsb_err err = {0};

	fx_need_hooks();
	fx_fault("store.unmarked.COMMIT.after", "2013");
	assert_int_equal(store_transact(fx_api, "unmarked", unmarked_body, &w, &err), -1);
	assert_int_equal(err.code, TSB_E_CONNECTIVITY);
	assert_true(err.unsure);
	assert_non_null(strstr(err.msg, "not known"));
	assert_int_equal(w.runs, 1);
}

/* ---- a server that has not noticed yet ---- */

/*
 * Takes the place of the lost transaction in the server: waits for its row lock, holds the mark for
 * a while and ends in one of two ways.
 */
struct zombie {
	struct world w;
	pthread_t thread;
	struct tsb_uuid mark;
	bool commits;
	int run;
};

static void *
zombie_main(void *ctx)
{
	struct zombie *z = ctx;
	MYSQL *conn = fx_connect(getenv("TSB_TEST_DB_USER"), NULL);
	char sql[512], hex[33];

	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", z->mark.b[i]);
	snprintf(sql, sizeof(sql),
	    "INSERT INTO audit (id, run, at_ms, action, actor) "
	    "VALUES (x'%s', %d, 0, 'zombie', 'zombie')",
	    hex, z->run);
	if (mysql_query(conn, "START TRANSACTION") != 0 || mysql_query(conn, sql) != 0)
		fatal("zombie: %s", mysql_error(conn));
	usleep(300000);
	if (mysql_query(conn, z->commits ? "COMMIT" : "ROLLBACK") != 0)
		fatal("zombie: %s", mysql_error(conn));
	mysql_close(conn);
	return NULL;
}

static int
zombie_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct zombie *z = ctx;

	if (change_finish_body(tx, &z->w, err))
		return -1;
	if (z->w.runs == 1) {
		z->mark = tx->mark;
		if (pthread_create(&z->thread, NULL, zombie_main, z) != 0)
			fatal("no thread");
		while (fx_number("SELECT COUNT(*) FROM information_schema.innodb_trx "
				 "WHERE trx_state = 'LOCK WAIT'") == 0)
			usleep(150000); /* the view is renewed when nobody looked for 0.1 s */
	}
	return 0;
}

static void
test_commit_still_under_way_is_waited_for(void **state)
{
	struct zombie landed = {.commits = true, .run = 1}, gone = {.run = 1};
	struct zombie other = {.commits = true, .run = 99};

	fx_need_hooks();
	change_due_setup(&landed.w);
	fx_fault("store.zombie.COMMIT.before", "2013");
	fx_ok(store_transact(fx_dispatcher, "zombie", zombie_body, &landed, &err));
	pthread_join(landed.thread, NULL);
	assert_int_equal(landed.w.runs, 1);

	change_due_setup(&gone.w);
	fx_fault("store.zombie.COMMIT.before", "2013");
	fx_ok(store_transact(fx_dispatcher, "zombie", zombie_body, &gone, &err));
	pthread_join(gone.thread, NULL);
	assert_int_equal(gone.w.runs, 2);
	change_finish_check(&gone.w);

	/* Another run than the last one landed: it is done, but nobody knows its results. */
	change_due_setup(&other.w);
	fx_fault("store.zombie.COMMIT.before", "2013");
	fx_refused(store_transact(fx_dispatcher, "zombie", zombie_body, &other, &err), 2);
	pthread_join(other.thread, NULL);
	assert_non_null(strstr(fx_message, "took place"));
}

/* ---- errors that stay ---- */

static void
test_final_errors_leave_nothing(void **state)
{
	static const char *const final[] = {"1021", "1114", "1153"};

	fx_need_hooks();
	for (size_t i = 0; i < TSB_COUNT(final); i++) {
		struct world w = {0};

		change_create_setup(&w);
		fx_fault("store.TASK_INSERT", final[i]);
		fx_refused(store_transact(fx_api, "create", change_create_body, &w, &err), 700);
		assert_int_equal(w.runs, 1);
		assert_int_equal(fx_number("SELECT COUNT(*) FROM request WHERE id = %s",
				     fx_id(&w.rq.id)),
		    0);
		fx_fault("store.create.COMMIT.before", final[i]);
		fx_refused(store_transact(fx_api, "create", change_create_body, &w, &err), 700);
		assert_int_equal(fx_number("SELECT COUNT(*) FROM request WHERE id = %s",
				     fx_id(&w.rq.id)),
		    0);
		fx_ok(store_transact(fx_api, "create", change_create_body, &w, &err));
		change_create_check(&w);
	}
}

static int
always_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	int *runs = ctx;

	++*runs;
	fx_fault("store.REQUEST_LOAD", "1213");
	return store_request_load(tx, &(struct tsb_uuid){{0}}, false, &fx_arena,
	    &(struct tsb_request){0}, err);
}

static void
test_conflicts_are_not_repeated_for_ever(void **state)
{
	int runs = 0;

	fx_need_hooks();
	fx_refused(store_transact(fx_api, "always", always_body, &runs, &err), 700);
	assert_int_equal(runs, 10);
	fx_faults_left();
}

int
store_fault_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_statement_with_every_error),
	    cmocka_unit_test(test_every_commit_with_every_error),
	    cmocka_unit_test(test_commit_with_an_error_that_leaves_it_open),
	    cmocka_unit_test(test_lost_commit_is_told_by_the_mark),
	    cmocka_unit_test(test_lost_commit_and_then_more_errors),
	    cmocka_unit_test(test_lost_commit_without_mark_is_not_guessed),
	    cmocka_unit_test(test_commit_still_under_way_is_waited_for),
	    cmocka_unit_test(test_final_errors_leave_nothing),
	    cmocka_unit_test(test_conflicts_are_not_repeated_for_ever),
	};

	return cmocka_run_group_tests_name("store faults", tests, fx_setup, fx_teardown);
}
