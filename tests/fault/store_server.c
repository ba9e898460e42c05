/* No hooks: read-only and killed servers, deadlocks, many at once. */
#include "lib/first.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/fault/store_changes.h"
#include "tests/fault/store_tests.h"

static void
test_read_only_server(void **state)
{
	struct world w = {0};
	uint64_t before;

	change_create_setup(&w);
	fx_ok(store_ping(fx_api, &err));
	before = store_connection(fx_api);
	fx_do("SET GLOBAL read_only = 1");
	fx_refused(store_transact(fx_api, "create", change_create_body, &w, &err), 700);
	fx_do("SET GLOBAL read_only = 0");
	assert_non_null(strstr(fx_message, "read-only"));
	/* each run on a connection of its own: behind a proxy it leads to the new server */
	assert_int_equal(store_connection(fx_api), before + 2);
	fx_ok(store_transact(fx_api, "create", change_create_body, &w, &err));
	change_create_check(&w);
}

/* ---- a row that changes in the middle ---- */

static int
overtaken_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct store_change to = fx_change(&w->rq, STATE_CANCELLED);
	struct tsb_request rq;

	if (store_request_load(tx, &w->rq.id, false, &fx_arena, &rq, err))
		return -1;
	if (w->runs++ == 0) {
		struct tsb_request theirs = rq;
		struct store_change back = fx_change(&rq, STATE_PENDING);

		assert_true(fx_move(fx_dispatcher, &theirs, &back));
	}
	if (store_request_move(tx, &rq, &to, &w->flag, err))
		return -1;
	return w->flag ? change_audit(tx, &rq.id, "cancel", err) : store_run_again(tx, err);
}

static void
test_body_that_was_overtaken_runs_again(void **state)
{
	struct world w = {.rq = fx_stored("overtaken", 0)};

	fx_ok(store_transact(fx_api, "overtaken", overtaken_body, &w, &err));
	assert_int_equal(w.runs, 2);
	assert_int_equal(fx_load(&w.rq.id).version, 3);
	assert_int_equal(fx_load(&w.rq.id).state, STATE_CANCELLED);
	assert_int_equal(fx_audits(&w.rq.id), 1);
}

/* ---- a real deadlock ---- */

struct pair {
	struct tsb_request *first, *second;
	struct store *s;
	pthread_barrier_t *both;
	int runs;
};

static int
pair_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct pair *p = ctx;
	arena_auto a = {0};
	struct tsb_request rq;
	struct store_change to;
	bool moved;

	p->runs++;
	if (store_request_load(tx, &p->first->id, true, &a, &rq, err))
		return -1;
	if (p->runs == 1)
		pthread_barrier_wait(p->both);
	if (store_request_load(tx, &p->second->id, true, &a, &rq, err))
		return -1;
	to = fx_change(&rq, STATE_PENDING);
	return store_request_move(tx, &rq, &to, &moved, err);
}

static void *
pair_main(void *ctx)
{
	struct pair *p = ctx;

	fx_ok(store_transact(p->s, "pair", pair_body, p, &err));
	return NULL;
}

static void
test_real_deadlock_runs_again(void **state)
{
	struct tsb_request a = fx_stored("deadlock", 0), b = fx_stored("deadlock", 0);
	pthread_barrier_t both;
	struct pair one = {&a, &b, fx_store(LOGIN_API, 20), &both, 0};
	struct pair two = {&b, &a, fx_store(LOGIN_API, 20), &both, 0};
	pthread_t thread;

	pthread_barrier_init(&both, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, pair_main, &two), 0);
	pair_main(&one);
	pthread_join(thread, NULL);
	assert_int_equal(one.runs + two.runs, 3);
	assert_int_equal(fx_load(&a.id).version, 2);
	assert_int_equal(fx_load(&b.id).version, 2);
	store_free(&one.s);
	store_free(&two.s);
}

/* ---- many at once ---- */

enum { CHILDREN = 6, ROUNDS = 20 };

static int
crowd_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct store_change to;

	arena_reset(&fx_arena);
	if (store_request_load(tx, &w->rq.id, w->flag, &fx_arena, &w->now, err))
		return -1;
	to = fx_change(&w->now, STATE_PENDING);
	to.new_fence = true;
	if (store_request_move(tx, &w->now, &to, &w->flag, err))
		return -1;
	return w->flag ? change_audit(tx, &w->rq.id, "count", err) : 0;
}

/* Reads without a lock, so that the guard alone decides; the loser looks again. */
static int
crowd_child(struct world *w)
{
	struct store *s = fx_store(LOGIN_API, 20);
	struct tsb_err err;

	for (int done = 0; done < ROUNDS; done += w->flag) {
		w->flag = false;
		if (store_transact(s, "crowd", crowd_body, w, &err) != 0)
			return 1;
	}
	store_free(&s);
	return 0;
}

static void
test_no_update_is_lost_in_a_crowd(void **state)
{
	struct world w = {.rq = fx_stored("crowd", 0)};
	pid_t child[CHILDREN];
	int status;

	for (int i = 0; i < CHILDREN; i++) {
		child[i] = fork();
		if (child[i] == 0)
			_exit(crowd_child(&w));
	}
	for (int i = 0; i < CHILDREN; i++) {
		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(fx_load(&w.rq.id).version, 1 + CHILDREN * ROUNDS);
	assert_int_equal(fx_load(&w.rq.id).fence, CHILDREN * ROUNDS);
	change_audited(&w, CHILDREN * ROUNDS);
}

/* ---- killed servers and connections ---- */

static int
kill_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	if (w->runs == 0) {
		if (change_audit(tx, &w->rq.id, "before", err))
			return -1;
		fx_server_kill();
		fx_server_start_later();
	}
	return change_finish_body(tx, w, err);
}

static void
test_server_killed_in_the_middle(void **state)
{
	struct world w = {0};

	change_due_setup(&w);
	fx_ok(store_transact(fx_dispatcher, "killed", kill_body, &w, &err));
	assert_true(w.runs >= 2);
	fx_server_start();
	change_finish_check(&w);
	/* Idle connections find out at their next statement. */
	change_due_setup(&w);
}

static int
kill_and_leave_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	if (w->runs == 0)
		fx_server_kill();
	return change_finish_body(tx, w, err);
}

static void
test_server_stays_away(void **state)
{
	struct world w = {0};
	struct store *s = fx_store(LOGIN_DISPATCHER, 2);
	int64_t start;

	fx_ok(store_ping(s, &err));
	change_due_setup(&w);
	start = clock_monotonic_ms();
	fx_refused(store_transact(s, "away", kill_and_leave_body, &w, &err), 2);
	assert_in_range(clock_monotonic_ms() - start, 1500, 6000);
	start = clock_monotonic_ms();
	fx_refused(store_transact(s, "away", change_finish_body, &w, &err), 2);
	assert_in_range(clock_monotonic_ms() - start, 0, 1000); /* at once */
	fx_server_start();
	w.runs = 0;
	fx_ok(store_transact(s, "away", change_finish_body, &w, &err));
	change_finish_check(&w);
	store_free(&s);
}

static void
test_killed_idle_connection_is_replaced(void **state)
{
	struct world w = {0};

	change_due_setup(&w);
	fx_ok(store_ping(fx_dispatcher, &err));
	fx_do("KILL CONNECTION %lu", mysql_thread_id(fx_dispatcher->conn));
	fx_ok(store_transact(fx_dispatcher, "finish", change_finish_body, &w, &err));
	change_finish_check(&w);
}

/* ---- reads that follow each other ---- */

static int
look_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	return store_request_load(tx, &w->rq.id, false, &fx_arena, &w->now, err);
}

/* Whether the table can be changed now: nobody is in a transaction that has read it. */
static bool
is_free(void)
{
	MYSQL *other = fx_connect(getenv("TSB_TEST_DB_USER"), NULL);
	bool is = mysql_query(other, "SET lock_wait_timeout = 0") == 0 &&
	    mysql_query(other, "ALTER TABLE request COMMENT = 'touched'") == 0;

	mysql_close(other);
	return is;
}

static void
test_reads_linger_until_the_program_is_idle(void **state)
{
	struct world w = {.rq = fx_stored("lingers", 0)};
	struct store *s = fx_store(LOGIN_API, 20);
	struct tsb_request rq = w.rq;
	struct store_change to = fx_change(&rq, STATE_PENDING);

	fx_ok(store_read(s, "look", look_body, &w, &err));
	assert_true(is_free());
	store_linger(s);
	fx_ok(store_read(s, "look", look_body, &w, &err));
	assert_false(is_free());
	/* what others commit meanwhile is seen */
	to.reason = "changed";
	assert_true(fx_move(fx_api, &rq, &to));
	fx_ok(store_read(s, "look", look_body, &w, &err));
	assert_string_equal(w.now.reason, "changed");
	store_idle(s);
	assert_true(is_free());
	/* nor for longer than a moment, however many follow */
	fx_ok(store_read(s, "look", look_body, &w, &err));
	usleep(150000);
	fx_ok(store_read(s, "look", look_body, &w, &err));
	assert_true(is_free());
	/* a change ends it, too */
	fx_ok(store_read(s, "look", look_body, &w, &err));
	fx_ok(store_transact(s, "count", crowd_body, &w, &err));
	assert_true(w.flag && is_free());
	store_free(&s);
}

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_request_row *rows;

	w->runs++;
	return store_requests_list(tx, 0, NULL, 0, 3, &fx_arena, &rows, &w->n, err);
}

/* The server ends it, so that it does not go on for nobody; and it is not sent again. */
static void
test_statement_that_takes_too_long(void **state)
{
	MYSQL *other = fx_connect(getenv("TSB_TEST_DB_USER"), NULL);
	struct store *s = fx_store(LOGIN_API, 1);
	struct world w = {0};

	fx_ok(store_read(s, "list", list_body, &w, &err));
	w.runs = 0;
	assert_int_equal(mysql_query(other, "LOCK TABLES request WRITE"), 0);
	fx_refused(store_read(s, "list", list_body, &w, &err), 700);
	assert_non_null(strstr(fx_message, "error 1969: it took too long"));
	assert_int_equal(w.runs, 1);
	mysql_close(other);
	fx_ok(store_read(s, "list", list_body, &w, &err));
	store_free(&s);
}

int
store_server_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read_only_server),
	    cmocka_unit_test(test_body_that_was_overtaken_runs_again),
	    cmocka_unit_test(test_real_deadlock_runs_again),
	    cmocka_unit_test(test_no_update_is_lost_in_a_crowd),
	    cmocka_unit_test(test_server_killed_in_the_middle),
	    cmocka_unit_test(test_statement_that_takes_too_long),
	    cmocka_unit_test(test_server_stays_away),
	    cmocka_unit_test(test_killed_idle_connection_is_replaced),
	    cmocka_unit_test(test_reads_linger_until_the_program_is_idle),
	};

	return cmocka_run_group_tests_name("store server", tests, fx_setup, fx_teardown);
}
