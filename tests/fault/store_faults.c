/*
 * Every statement of every transaction meets every error that may come by itself, and the change
 * takes place exactly once. Rows of changes[] are transactions as the programs run them.
 */
#include "lib/first.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/fault/store_fixture.h"
#include "tests/fault/store_tests.h"

static const char *const errors[] = {"1020", "1205", "1213", "2006", "2013"};

struct world {
	struct tsb_request rq;	    /* as set up */
	struct tsb_request now;	    /* as the body left it */
	struct tsb_task task, more[2];
	struct tsb_key_attributes key;
	struct tsb_task_view *views;
	size_t n;
	int runs, looks;
	bool flag;
};

static void
audit_check(const struct world *w, long rows)
{
	assert_int_equal(fx_audits(&w->rq.id), rows);
}

static int
audit(struct store_tx *tx, const struct tsb_uuid *id, const char *action, struct tsb_err *err)
{
	struct store_audit row = {.request_id = id, .action = action, .actor = "test"};

	return store_audit_insert(tx, &row, err);
}

/*
 * SKIP LOCKED passes over rows that a lost connection still holds, until the server has noticed: the
 * programs find them at their next look, and so do the bodies here.
 */
static bool
patience(struct world *w)
{
	usleep(10000);
	return ++w->looks < 200;
}

/* ---- create ---- */

static void
create_setup(struct world *w)
{
	w->rq = fx_request("faults");
	w->more[0] = fx_task(&w->rq.id, 1);
	w->more[1] = fx_task(&w->rq.id, 2);
	w->key = (struct tsb_key_attributes){.key_name = "faults", .xml = tsb_view_str("<x/>"),
	    .fetched_ms = 10};
	memcpy(w->key.digest, w->rq.id.b, 16);
}

static int
create_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_key_attributes again = w->key;

	w->runs++;
	again.fetched_ms = 20;
	return store_key_attributes_insert(tx, &w->key, err) ||
	    store_key_attributes_insert(tx, &again, err) ||
	    store_request_insert(tx, &w->rq, err) || store_tasks_insert(tx, w->more, 2, err) ||
	    audit(tx, &w->rq.id, "create", err) || audit(tx, &w->rq.id, "tasks", err)
	    ? -1 : 0;
}

static void
create_check(struct world *w)
{
	assert_int_equal(fx_load(&w->rq.id).version, 1);
	assert_int_equal(
	    fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s", fx_id(&w->rq.id)), 2);
	assert_int_equal(fx_number("SELECT fetched_ms FROM key_attributes WHERE digest = %s",
			     fx_hex(w->key.digest, TSB_SHA256)), 20);
	audit_check(w, 2);
}

/* ---- approve ---- */

static int
task_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	return store_tasks_insert(tx, ctx, 2, err);
}

static void
approve_setup(struct world *w)
{
	w->rq = fx_stored("faults", 0);
	w->more[0] = w->task = fx_task(&w->rq.id, 1);
	w->more[1] = fx_task(&w->rq.id, 2);
	fx_ok(store_transact(fx_api, "setup", task_body, w->more, &err));
}

static int
approve_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_approval vote = fx_approval(&w->rq.id, 1), *votes;
	struct store_change to = fx_change(&w->rq, STATE_APPROVED);
	bool fresh, gone;

	w->runs++;
	if (store_task_load(tx, &w->task.id, &fx_arena, &w->task, err) ||
	    store_request_load(tx, &w->task.request_id, true, &fx_arena, &w->now, err) ||
	    store_approval_insert(tx, &vote, &fresh, err) ||
	    store_task_delete(tx, &w->task.id, &gone, err) ||
	    store_approvals_load(tx, &w->rq.id, &fx_arena, &votes, &w->n, err) ||
	    store_request_move(tx, &w->now, &to, &w->flag, err) ||
	    audit(tx, &w->rq.id, "approve", err))
		return -1;
	assert_true(fresh && gone && w->flag);
	assert_int_equal(w->n, 1);
	return 0;
}

static void
approve_check(struct world *w)
{
	struct tsb_request rq = fx_load(&w->rq.id);

	assert_int_equal(rq.version, 2);
	assert_int_equal(w->now.version, 2);
	assert_int_equal(rq.state, STATE_APPROVED);
	assert_int_equal(
	    fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s", fx_id(&rq.id)), 1);
	assert_int_equal(
	    fx_number("SELECT COUNT(*) FROM approval WHERE request_id = %s", fx_id(&rq.id)), 1);
	audit_check(w, 1);
}

/* ---- claim, finish, erase ---- */

static void
due_setup(struct world *w)
{
	struct store_change to;

	fx_do("UPDATE request SET state = 'CANCELLED', ready_ms = NULL WHERE state = 'APPROVED'");
	approve_setup(w);
	to = fx_change(&w->rq, STATE_APPROVED);
	assert_true(fx_move(fx_api, &w->rq, &to));
}

static int
claim_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct store_change to = fx_change(&w->rq, STATE_APPROVED);
	struct tsb_uuid *ids;
	struct tsb_approval *votes;

	w->runs++;
	to.owner = "me";
	to.lease_ms = 1000;
	to.count_attempt = to.new_fence = true;
	do {
		if (store_requests_due(tx, 1, 5, true, &fx_arena, &ids, &w->n, err))
			return -1;
	} while (w->n == 0 && patience(w));
	assert_int_equal(w->n, 1);
	if (store_request_load(tx, &ids[0], false, &fx_arena, &w->now, err) ||
	    store_approvals_load(tx, &ids[0], &fx_arena, &votes, &w->n, err) ||
	    store_request_move(tx, &w->now, &to, &w->flag, err) ||
	    audit(tx, &w->rq.id, "claim", err))
		return -1;
	assert_true(w->flag);
	return 0;
}

static void
claim_check(struct world *w)
{
	struct tsb_request rq = fx_load(&w->rq.id);

	assert_int_equal(rq.version, 3);
	assert_int_equal(rq.attempt, 1);
	assert_int_equal(rq.fence, 1);
	assert_int_equal(w->now.fence, 1);
	audit_check(w, 1);
}

static int
finish_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct store_change to = fx_change(&w->rq, STATE_EXECUTED);

	w->runs++;
	w->now = w->rq;
	to.result = tsb_view_str("result");
	if (store_request_move(tx, &w->now, &to, &w->flag, err) ||
	    audit(tx, &w->rq.id, "execute", err))
		return -1;
	assert_true(w->flag);
	return 0;
}

static void
finish_check(struct world *w)
{
	struct tsb_request rq = fx_load(&w->rq.id);

	assert_int_equal(rq.version, w->rq.version + 1);
	assert_int_equal(rq.state, STATE_EXECUTED);
	assert_int_equal(rq.password_box.n, 0);
	assert_int_equal(rq.result.n, 6);
	assert_int_equal(
	    fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s", fx_id(&rq.id)), 0);
	audit_check(w, 1);
}

static void
executed_setup(struct world *w)
{
	struct store_change to;

	w->rq = fx_stored("faults", 0);
	to = fx_change(&w->rq, STATE_EXECUTED);
	to.result = tsb_view_str("result");
	assert_true(fx_move(fx_api, &w->rq, &to));
}

static int
erase_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	w->runs++;
	w->now = w->rq;
	if (store_request_erase_result(tx, &w->now, &w->flag, err) ||
	    audit(tx, &w->rq.id, "erase", err))
		return -1;
	assert_true(w->flag);
	return 0;
}

static void
erase_check(struct world *w)
{
	assert_int_equal(fx_load(&w->rq.id).version, 3);
	assert_int_equal(fx_load(&w->rq.id).result.n, 0);
	audit_check(w, 1);
}

/* ---- without audit: guarded statements only ---- */

static void
purge_setup(struct world *w)
{
	executed_setup(w);
	fx_do("UPDATE request SET ended_ms = 5 WHERE id = %s", fx_id(&w->rq.id));
}

static int
purge_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	w->runs++;
	do {
		if (store_requests_purge(tx, 6, 10, &w->n, err))
			return -1;
	} while (w->n == 0 && patience(w));
	return 0;
}

static void
purge_check(struct world *w)
{
	assert_int_equal(
	    fx_number("SELECT COUNT(*) FROM request WHERE id = %s", fx_id(&w->rq.id)), 0);
}

static int
touch_run(struct store *s, struct world *w, struct tsb_err *err)
{
	struct tsb_task_view view = {.task = w->task};

	return store_tasks_touch(s, &view, 1, 4712, err);
}

static void
touch_check(struct world *w)
{
	assert_int_equal(
	    fx_number("SELECT fetched_ms FROM task WHERE id = %s", fx_id(&w->task.id)), 4712);
}

/* ---- reading ---- */

static int
read_api_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_task_filter f = {.level = 5, .paged = true, .page_size = 3};
	struct tsb_request_row *rows;
	struct tsb_uuid *ids;
	bool found;

	if (store_requests_of_key(tx, w->rq.key_name, &fx_arena, &ids, &w->n, err) ||
	    store_requests_list(tx, 0, NULL, 0, 3, &fx_arena, &rows, &w->n, err) ||
	    store_requests_list(tx, 0, "faults", 0, 3, &fx_arena, &rows, &w->n, err) ||
	    store_key_attributes_load(tx, w->key.digest, &fx_arena, &w->key, &found, err) ||
	    store_key_attributes_latest(tx, "faults", 0, &fx_arena, &w->key, &found, err))
		return -1;
	for (f.sort = SORT_CREATED_ASC; f.sort <= SORT_FETCHED_DESC; f.sort++)
		if (store_tasks_list(tx, w->task.approver_id, &f, 0, &fx_arena, &w->views, &w->n, err) ||
		    store_tasks_list(tx, NULL, &f, 0, &fx_arena, &w->views, &w->n, err))
			return -1;
	return store_request_load(tx, &w->rq.id, false, &fx_arena, &w->now, err);
}

static int
read_dispatcher_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_uuid *ids;
	int64_t at;

	if (store_requests_due(tx, 1, 5, false, &fx_arena, &ids, &w->n, err) ||
	    store_requests_late(tx, 1, 5, &fx_arena, &ids, &w->n, err) ||
	    store_requests_next_time(tx, &at, err))
		return -1;
	return store_request_load(tx, &w->rq.id, false, &fx_arena, &w->now, err);
}

static void
read_check(struct world *w)
{
	assert_memory_equal(w->now.id.b, w->rq.id.b, 16);
	assert_string_equal(w->now.key_name, w->rq.key_name);
}

/* ---- all of them ---- */

static const struct change {
	const char *name;
	enum store_login login;
	void (*setup)(struct world *);
	store_body *body;
	int (*run)(struct store *, struct world *, struct tsb_err *); /* instead of body */
	void (*check)(struct world *);
	bool reads;
} changes[] = {
	{"create", LOGIN_API, create_setup, create_body, NULL, create_check, false},
	{"approve", LOGIN_API, approve_setup, approve_body, NULL, approve_check, false},
	{"claim", LOGIN_DISPATCHER, due_setup, claim_body, NULL, claim_check, false},
	{"finish", LOGIN_DISPATCHER, due_setup, finish_body, NULL, finish_check, false},
	{"cancel", LOGIN_API, due_setup, finish_body, NULL, finish_check, false},
	{"erase", LOGIN_API, executed_setup, erase_body, NULL, erase_check, false},
	{"purge", LOGIN_DISPATCHER, purge_setup, purge_body, NULL, purge_check, false},
	{"tasks_touch", LOGIN_API, approve_setup, NULL, touch_run, touch_check, false},
	{"read_api", LOGIN_API, approve_setup, read_api_body, NULL, read_check, true},
	{"read_dispatcher", LOGIN_DISPATCHER, approve_setup, read_dispatcher_body, NULL, read_check, true},
};

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
	for (size_t c = 0; c < TSB_COUNT(changes); c++)
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
	for (size_t c = 0; c < TSB_COUNT(changes); c++) {
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

static void
test_lost_commit_is_told_by_the_mark(void **state)
{
	static const struct {
		const char *point;
		int runs;
	} rows[] = {
		{"store.finish.COMMIT.before", 2}, /* was not committed */
		{"store.finish.COMMIT.after", 1},  /* was committed */
	};

	fx_need_hooks();
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		struct world w = {0};

		due_setup(&w);
		fx_fault(rows[i].point, "2013");
		fx_ok(store_transact(fx_dispatcher, "finish", finish_body, &w, &err));
		assert_false(fx_faults_left());
		assert_int_equal(w.runs, rows[i].runs);
		finish_check(&w);
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

			if (p == 1 && e < 3)
				continue; /* conflicts do not happen to a plain read */
			due_setup(&w);
			snprintf(both, sizeof(both), "store.finish.COMMIT.after 2013\n%s", points[p]);
			fx_fault(both, errors[e]);
			fx_ok(store_transact(fx_dispatcher, "finish", finish_body, &w, &err));
			assert_false(fx_faults_left());
			assert_int_equal(w.runs, 1);
			finish_check(&w);
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

	fx_need_hooks();
	fx_fault("store.unmarked.COMMIT.after", "2013");
	fx_refused(store_transact(fx_api, "unmarked", unmarked_body, &w, &err), 2);
	assert_non_null(strstr(fx_message, "not known"));
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
	snprintf(sql, sizeof(sql), "INSERT INTO audit (id, run, at_ms, action, actor) "
	    "VALUES (x'%s', %d, 0, 'zombie', 'zombie')", hex, z->run);
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

	if (finish_body(tx, &z->w, err))
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
	due_setup(&landed.w);
	fx_fault("store.zombie.COMMIT.before", "2013");
	fx_ok(store_transact(fx_dispatcher, "zombie", zombie_body, &landed, &err));
	pthread_join(landed.thread, NULL);
	assert_int_equal(landed.w.runs, 1);

	due_setup(&gone.w);
	fx_fault("store.zombie.COMMIT.before", "2013");
	fx_ok(store_transact(fx_dispatcher, "zombie", zombie_body, &gone, &err));
	pthread_join(gone.thread, NULL);
	assert_int_equal(gone.w.runs, 2);
	finish_check(&gone.w);

	/* Another run than the last one landed: it is done, but nobody knows its results. */
	due_setup(&other.w);
	fx_fault("store.zombie.COMMIT.before", "2013");
	fx_refused(store_transact(fx_dispatcher, "zombie", zombie_body, &other, &err), 2);
	pthread_join(other.thread, NULL);
	assert_non_null(strstr(fx_message, "took place"));
}

/* ---- errors that stay ---- */

static void
test_final_errors_leave_nothing(void **state)
{
	static const char *const final[] = {"1021", "1114", "1290", "1836", "1153"};

	fx_need_hooks();
	for (size_t i = 0; i < TSB_COUNT(final); i++) {
		struct world w = {0};

		create_setup(&w);
		fx_fault("store.TASK_INSERT", final[i]);
		fx_refused(store_transact(fx_api, "create", create_body, &w, &err), 700);
		assert_int_equal(w.runs, 1);
		assert_int_equal(
		    fx_number("SELECT COUNT(*) FROM request WHERE id = %s", fx_id(&w.rq.id)), 0);
		fx_fault("store.create.COMMIT.before", final[i]);
		fx_refused(store_transact(fx_api, "create", create_body, &w, &err), 700);
		assert_int_equal(
		    fx_number("SELECT COUNT(*) FROM request WHERE id = %s", fx_id(&w.rq.id)), 0);
		fx_ok(store_transact(fx_api, "create", create_body, &w, &err));
		create_check(&w);
	}
}

static void
test_read_only_server(void **state)
{
	struct world w = {0};

	create_setup(&w);
	fx_do("SET GLOBAL read_only = 1");
	fx_refused(store_transact(fx_api, "create", create_body, &w, &err), 700);
	fx_do("SET GLOBAL read_only = 0");
	assert_non_null(strstr(fx_message, "read-only"));
	fx_ok(store_transact(fx_api, "create", create_body, &w, &err));
	create_check(&w);
}

static int
always_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	int *runs = ctx;

	++*runs;
	fx_fault("store.REQUEST_LOAD", "1213");
	return store_request_load(tx, &(struct tsb_uuid){{0}}, false, &fx_arena, &(struct tsb_request){0},
	    err);
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
	return w->flag ? audit(tx, &w->rq.id, "count", err) : 0;
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
	audit_check(&w, CHILDREN * ROUNDS);
}

/* ---- killed servers and connections ---- */

static int
kill_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	if (w->runs == 0) {
		if (audit(tx, &w->rq.id, "before", err))
			return -1;
		fx_server_kill();
		fx_server_start_later();
	}
	return finish_body(tx, w, err);
}

static void
test_server_killed_in_the_middle(void **state)
{
	struct world w = {0};

	due_setup(&w);
	fx_ok(store_transact(fx_dispatcher, "killed", kill_body, &w, &err));
	assert_true(w.runs >= 2);
	fx_server_start();
	finish_check(&w);
	/* Idle connections find out at their next statement. */
	due_setup(&w);
}

static int
kill_and_leave_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;

	if (w->runs == 0)
		fx_server_kill();
	return finish_body(tx, w, err);
}

static void
test_server_stays_away(void **state)
{
	struct world w = {0};
	struct store *s = fx_store(LOGIN_DISPATCHER, 2);
	int64_t start;

	fx_ok(store_ping(s, &err));
	due_setup(&w);
	start = clock_monotonic_ms();
	fx_refused(store_transact(s, "away", kill_and_leave_body, &w, &err), 2);
	assert_in_range(clock_monotonic_ms() - start, 1500, 6000);
	start = clock_monotonic_ms();
	fx_refused(store_transact(s, "away", finish_body, &w, &err), 2);
	assert_in_range(clock_monotonic_ms() - start, 0, 1000); /* at once */
	fx_server_start();
	w.runs = 0;
	fx_ok(store_transact(s, "away", finish_body, &w, &err));
	finish_check(&w);
	store_free(&s);
}

static void
test_killed_idle_connection_is_replaced(void **state)
{
	struct world w = {0};

	due_setup(&w);
	fx_ok(store_ping(fx_dispatcher, &err));
	fx_do("KILL CONNECTION %lu", mysql_thread_id(fx_dispatcher->conn));
	fx_ok(store_transact(fx_dispatcher, "finish", finish_body, &w, &err));
	finish_check(&w);
}

int
store_fault_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_statement_with_every_error),
		cmocka_unit_test(test_every_commit_with_every_error),
		cmocka_unit_test(test_lost_commit_is_told_by_the_mark),
		cmocka_unit_test(test_lost_commit_and_then_more_errors),
		cmocka_unit_test(test_lost_commit_without_mark_is_not_guessed),
		cmocka_unit_test(test_commit_still_under_way_is_waited_for),
		cmocka_unit_test(test_final_errors_leave_nothing),
		cmocka_unit_test(test_conflicts_are_not_repeated_for_ever),
		cmocka_unit_test(test_read_only_server),
		cmocka_unit_test(test_real_deadlock_runs_again),
		cmocka_unit_test(test_no_update_is_lost_in_a_crowd),
		cmocka_unit_test(test_killed_idle_connection_is_replaced),
		cmocka_unit_test(test_server_killed_in_the_middle),
		cmocka_unit_test(test_server_stays_away),
	};

	return cmocka_run_group_tests_name("store faults", tests, fx_setup, fx_teardown);
}
