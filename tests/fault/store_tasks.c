/* Tasks: filters, order, pages, levels. */
#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "tests/fault/store_fixture.h"
#include "tests/fault/store_tests.h"

#define ME 0x77

struct tasks {
	struct tsb_task_filter filter;
	const unsigned char *approver_id;
	int64_t now_ms;
	struct tsb_task_view *views;
	size_t n;
};

static const unsigned char *
approver(unsigned char b)
{
	return memset(arena_alloc(&fx_arena, TSB_SHA256), b, TSB_SHA256);
}

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct tasks *t = ctx;

	return store_tasks_list(tx, t->approver_id, &t->filter, t->now_ms, &fx_arena, &t->views,
	    &t->n, err);
}

static size_t
listed(struct tasks *t)
{
	fx_ok(store_read(fx_api, "tasks", list_body, t, &err));
	return t->n;
}

struct one {
	struct tsb_task task;
	enum tsb_kind kind; /* of its request */
	struct tsb_approval *votes;
	size_t nvotes;
	bool gone;
};

static int
insert_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct one *o = ctx;

	return store_tasks_insert(tx, o->kind, &o->task, 1, err);
}

static int
load_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct one *o = ctx;

	return store_task_votes(tx, &o->task.id, &fx_arena, &o->task, &o->votes, &o->nvotes, err);
}

static int
delete_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct one *o = ctx;

	return store_task_delete(tx, &o->task.id, &o->gone, err);
}

/* A task of mine on a request of this kind, created at this time. */
static struct one
task_of(enum tsb_kind kind, int64_t created_ms, struct tsb_request *rq)
{
	struct one o = {.kind = kind};

	*rq = fx_stored("tasks", 3); /* and three of others */
	fx_do("UPDATE request SET kind = '%s' WHERE id = %s", tsb_kinds[kind].name, fx_id(&rq->id));
	o.task = fx_task(&rq->id, ME);
	o.task.created_ms = created_ms;
	fx_ok(store_transact(fx_api, "task", insert_body, &o, &err));
	return o;
}

static void
clean(void)
{
	fx_do("DELETE FROM task");
	fx_do("DELETE FROM request");
}

static void
test_task_load_and_delete(void **state)
{
	struct tsb_request rq;
	struct one o, got;

	clean();
	o = task_of(KIND_SIGN, 5, &rq);
	got = (struct one){.task.id = o.task.id};
	fx_ok(store_read(fx_api, "load", load_body, &got, &err));
	assert_memory_equal(got.task.request_id.b, rq.id.b, 16);
	assert_memory_equal(got.task.approver_id, approver(ME), TSB_SHA256);
	assert_true(tsb_view_eq(got.task.spki, o.task.spki));
	assert_int_equal(got.task.created_ms, 5);
	assert_int_equal(got.nvotes, 0);
	/* with what others have answered, in order of arrival, without the approvals themselves */
	for (int i = 1; i <= 2; i++)
		fx_do("INSERT INTO approval (request_id, approver_id, approves, spki, "
		      "signed_approval, at_ms) VALUES (%s, %s, %d, 'key', 'service', %d)",
		    fx_id(&rq.id), fx_hex(approver((unsigned char)(ME + i)), TSB_SHA256), i % 2,
		    10 - i);
	fx_ok(store_read(fx_api, "load", load_body, &got, &err));
	assert_int_equal(got.nvotes, 2);
	assert_memory_equal(got.task.id.b, o.task.id.b, 16);
	assert_memory_equal(got.votes[0].approver_id, approver(ME + 2), TSB_SHA256);
	assert_false(got.votes[0].approves);
	assert_true(tsb_view_eq(got.votes[0].service, tsb_view_str("service")));
	assert_true(got.votes[1].approves);
	assert_int_equal(got.votes[1].signed_approval.n, 0);
	assert_int_equal(got.votes[1].at_ms, 9);
	fx_ok(store_transact(fx_api, "delete", delete_body, &o, &err));
	assert_true(o.gone);
	fx_ok(store_transact(fx_api, "delete", delete_body, &o, &err));
	assert_false(o.gone);
	fx_refused(store_read(fx_api, "load", load_body, &got, &err), 652);
}

static void
test_tasks_many_in_one_statement(void **state)
{
	struct tsb_request rq = fx_stored("many", 250);

	assert_int_equal(
	    fx_number("SELECT COUNT(DISTINCT approver_id) FROM task WHERE request_id = %s",
		fx_id(&rq.id)),
	    250);
}

static void
test_tasks_filters(void **state)
{
	struct tsb_request sign, block;
	struct one o, b;
	struct tasks all = {.approver_id = approver(ME), .filter.level = 1};
	struct tasks t;

	clean();
	o = task_of(KIND_SIGN, 1, &sign);
	b = task_of(KIND_BLOCK, 2, &block);
	t = all;
	assert_int_equal(listed(&t), 2);
	t = all;
	t.filter.one_kind = true;
	t.filter.kind = KIND_BLOCK;
	assert_int_equal(listed(&t), 1);
	assert_memory_equal(t.views[0].task.id.b, b.task.id.b, 16);
	assert_memory_equal(t.views[0].request.id.b, block.id.b, 16);
	assert_int_equal(t.views[0].request.kind, KIND_BLOCK);
	t = all;
	t.filter.has_id = true;
	t.filter.id = o.task.id;
	assert_int_equal(listed(&t), 1);
	t.approver_id = approver(ME + 1); /* another one does not see it by its id */
	assert_int_equal(listed(&t), 0);
	t = all;
	t.filter.has_request_id = true;
	t.filter.request_id = sign.id;
	assert_int_equal(listed(&t), 1);
	t.approver_id = NULL; /* of all */
	assert_int_equal(listed(&t), 4);
	t.filter.has_request_id = false;
	assert_int_equal(listed(&t), 8);
	t = all;
	t.approver_id = approver(ME + 1);
	assert_int_equal(listed(&t), 0);
}

static void
test_tasks_of_open_free_requests_in_time(void **state)
{
	struct tsb_request rq;
	struct store_change to;
	struct tasks t = {.approver_id = approver(ME), .filter.level = 1, .now_ms = 1000};

	clean();
	task_of(KIND_SIGN, 1, &rq);
	to = fx_change(&rq, STATE_APPROVED);
	to.expires_ms = 1001;
	assert_true(fx_move(fx_api, &rq, &to));
	assert_int_equal(listed(&t), 1);
	to.expires_ms = 1000;
	assert_true(fx_move(fx_api, &rq, &to));
	assert_int_equal(listed(&t), 0);
	to.expires_ms = 0;
	to.owner = "busy";
	assert_true(fx_move(fx_api, &rq, &to));
	assert_int_equal(listed(&t), 0);
	to.owner = NULL;
	assert_true(fx_move(fx_api, &rq, &to));
	assert_int_equal(listed(&t), 1);
	to.to = STATE_EXECUTED;
	assert_true(fx_move(fx_api, &rq, &to));
	assert_int_equal(listed(&t), 0);
}

static void
test_tasks_levels_show_no_more(void **state)
{
	struct tsb_request rq;
	struct tasks t = {.approver_id = approver(ME), .filter.level = 1};

	clean();
	task_of(KIND_SIGN, 1, &rq);
	fx_do("UPDATE request SET meta_data = 'm', meta_data_signature = 's'");
	fx_do(
	    "REPLACE INTO key_attributes VALUES (REPEAT(x'07', 32), 'tasks', '<x/>', 'sig', NULL, 9)");
	for (int level = 1; level <= 6; level++) {
		t.filter.level = level;
		assert_int_equal(listed(&t), 1);
		assert_true(tsb_view_eq(t.views[0].request.token, tsb_view_str("token")));
		assert_int_equal(t.views[0].request.meta_data != NULL, level >= 2);
		assert_int_equal(t.views[0].request.meta_data_signature != NULL, level >= 2);
		assert_int_equal(t.views[0].request.envelope.n != 0, level >= 3);
		assert_int_equal(t.views[0].request.inner_clean.n != 0, level >= 3);
		assert_int_equal(t.views[0].request.password_box.n, 0);
		assert_int_equal(t.views[0].attributes.xml.n != 0, level >= 5);
	}
	fx_do("DELETE FROM key_attributes"); /* unknown attributes hide no task */
	assert_int_equal(listed(&t), 1);
	assert_int_equal(t.views[0].attributes.xml.n, 0);
}

static void
test_tasks_order_and_pages(void **state)
{
	static const struct {
		const char *name;
		enum tsb_sort sort;
		int order[5];
	} rows[] = {
	    {"oldest first, ties by id", SORT_CREATED_ASC, {1, 2, 0, 3, 4}},
	    {"newest first", SORT_CREATED_DESC, {4, 3, 0, 2, 1}},
	    {"longest not fetched first", SORT_FETCHED_ASC, {4, 3, 2, 1, 0}},
	    {"fetched last first", SORT_FETCHED_DESC, {0, 1, 2, 3, 4}},
	};
	static const int64_t created[] = {20, 10, 10, 30, 40};
	struct one o[5];
	struct tsb_request rq;

	clean();
	for (int i = 0; i < 5; i++) {
		o[i] = task_of(KIND_SIGN, created[i], &rq);
		fx_do("UPDATE task SET fetched_ms = %d WHERE id = %s", 100 - i,
		    fx_id(&o[i].task.id));
	}
	for (size_t r = 0; r < TSB_COUNT(rows); r++)
		for (int page = 0; page < 4; page++) {
			struct tasks t = {.approver_id = approver(ME),
			    .filter = {.level = 1,
				.paged = true,
				.page = page,
				.page_size = 2,
				.sort = rows[r].sort}};

			print_message("%s, page %d\n", rows[r].name, page);
			assert_int_equal(listed(&t), page < 2 ? 2 : page == 2 ? 1 : 0);
			for (size_t i = 0; i < t.n; i++)
				assert_memory_equal(t.views[i].task.id.b,
				    o[rows[r].order[2 * (size_t)page + i]].task.id.b, 16);
		}
	struct tasks far = {.approver_id = approver(ME),
	    .filter = {.level = 1, .paged = true, .page = INT64_MAX, .page_size = INT64_MAX}};
	assert_int_equal(listed(&far), 0);
}

static void
test_tasks_touch(void **state)
{
	struct tasks t = {.approver_id = approver(ME), .filter.level = 1};
	struct tsb_request rq;

	clean();
	for (int i = 0; i < 3; i++)
		task_of(KIND_SIGN, i, &rq);
	listed(&t);
	fx_ok(store_tasks_touch(fx_api, t.views, 2, 4711, &err));
	fx_ok(store_tasks_touch(fx_api, t.views, 0, 4712, &err));
	assert_int_equal(fx_number("SELECT COUNT(*) FROM task WHERE fetched_ms = 4711"), 2);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM task WHERE fetched_ms = 4712"), 0);
	listed(&t);
	assert_int_equal(t.views[0].task.fetched_ms, 4711);
}

struct waiting {
	int64_t now_ms;
	size_t limit;
	struct tsb_uuid *ids;
	size_t n;
};

static int
waiting_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct waiting *w = ctx;

	return store_tasks_waiting(tx, approver(ME), w->now_ms, w->limit, &fx_arena, &w->ids, &w->n,
	    err);
}

static void
assert_waiting(struct waiting *w, const struct one *expected, size_t n)
{
	fx_ok(store_read(fx_dispatcher, "waiting", waiting_body, w, &err));
	assert_int_equal(w->n, n);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(w->ids[i].b, expected[i].task.id.b, 16);
}

/* Round and round: what was asked about goes behind all others. */
static void
test_tasks_waiting_come_in_turn(void **state)
{
	struct tasks t = {.approver_id = approver(ME), .filter.level = 1};
	struct waiting w = {.limit = 2};
	struct tsb_request rq[3];
	struct one o[4];

	clean();
	for (int i = 0; i < 3; i++)
		o[i] = task_of(KIND_SIGN, i + 1, &rq[i]);
	fx_do("UPDATE task SET fetched_ms = created_ms");
	assert_waiting(&w, o, 2);
	listed(&t);
	fx_ok(store_tasks_touch(fx_dispatcher, t.views, 1, 4711, &err));
	w.limit = 9;
	o[3] = o[0];
	assert_waiting(&w, o + 1, 3);
	fx_do("UPDATE request SET owner = 'worker' WHERE id = %s", fx_id(&rq[1].id));
	o[1] = o[2];
	o[2] = o[0];
	assert_waiting(&w, o + 1, 2);
	fx_do("UPDATE request SET expires_ms = 100 WHERE id = %s", fx_id(&rq[2].id));
	w.now_ms = 100;
	assert_waiting(&w, o + 2, 1);
	fx_do("UPDATE task SET expires_ms = 100");
	assert_waiting(&w, o, 0);
}

int
store_task_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_task_load_and_delete),
	    cmocka_unit_test(test_tasks_many_in_one_statement),
	    cmocka_unit_test(test_tasks_filters),
	    cmocka_unit_test(test_tasks_of_open_free_requests_in_time),
	    cmocka_unit_test(test_tasks_levels_show_no_more),
	    cmocka_unit_test(test_tasks_order_and_pages),
	    cmocka_unit_test(test_tasks_touch),
	    cmocka_unit_test(test_tasks_waiting_come_in_turn),
	};

	return cmocka_run_group_tests_name("store tasks", tests, fx_setup, fx_teardown);
}
