/* Several requests in one transaction, as the dispatcher claims and finishes them. */
#include "lib/first.h"

#include <string.h>

#include "tests/fault/store_changes.h"
#include "tests/fault/store_tests.h"

/* ---- as changes of the fault tests ---- */

static int
votes_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct tsb_request *rq = ctx;
	bool fresh;

	for (unsigned char i = 2; i > 0; i--) {
		struct tsb_approval vote = fx_approval(&rq->id, i);

		vote.at_ms = 10 - i; /* the second approver came first */
		if (store_approval_insert(tx, &vote, &fresh, err))
			return -1;
		assert_true(fresh);
	}
	return 0;
}

void
change_many_setup(struct world *w)
{
	for (size_t i = 0; i < TSB_COUNT(w->many); i++) {
		struct tsb_request *rq = &w->many[i];
		struct store_change to;

		*rq = fx_stored("batch", 2);
		fx_ok(store_transact(fx_api, "votes", votes_body, rq, &err));
		to = fx_change(rq, STATE_APPROVED);
		assert_true(fx_move(fx_api, rq, &to));
	}
}

static int
audits(struct store_tx *tx, const struct world *w, const char *action, struct tsb_err *err)
{
	struct store_audit rows[TSB_COUNT(w->many)];

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		rows[i] = (struct store_audit){.request_id = &w->many[i].id,
		    .action = action,
		    .actor = "test"};
	return store_audits_insert(tx, rows, TSB_COUNT(rows), err);
}

int
change_claims_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_request now[TSB_COUNT(w->many)] = {0};
	struct store_claim rows[TSB_COUNT(w->many)];
	struct store_move moves[TSB_COUNT(w->many)];
	bool moved;

	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		rows[i] =
		    (struct store_claim){.id = &w->many[i].id, .arena = &fx_arena, .rq = &now[i]};
	if (store_requests_claim_load(tx, rows, TSB_COUNT(rows), err))
		return -1;
	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		assert_true(rows[i].found);
		assert_memory_equal(&now[i].id, &w->many[i].id, sizeof(now[i].id));
		assert_int_equal(rows[i].napprovals, 2);
		assert_int_equal(rows[i].approvals[0].approver_id[0], 2);
		assert_int_equal(rows[i].approvals[1].approver_id[0], 1);
		moves[i] = (struct store_move){&now[i], fx_change(&now[i], STATE_APPROVED)};
		moves[i].to.owner = "me";
		moves[i].to.lease_ms = (int64_t)i + 1;
		moves[i].to.count_attempt = moves[i].to.new_fence = true;
	}
	if (store_requests_move(tx, moves, TSB_COUNT(moves), &moved, err) ||
	    audits(tx, w, "claim", err))
		return -1;
	assert_true(moved);
	assert_int_equal(now[2].fence, 1);
	return 0;
}

void
change_claims_check(struct world *w)
{
	for (size_t i = 0; i < TSB_COUNT(w->many); i++) {
		struct tsb_request rq = fx_load(&w->many[i].id);

		assert_int_equal(rq.version, w->many[i].version + 1);
		assert_int_equal(rq.attempt, 1);
		assert_int_equal(rq.lease_ms, i + 1);
		assert_string_equal(rq.owner, "me");
		assert_int_equal(fx_audits(&rq.id), 1);
	}
}

/* The first request has a result, the second a reason, the third goes back. */
static void
finishes(struct world *w, struct tsb_request now[], struct store_move moves[])
{
	static const enum tsb_state states[] = {STATE_EXECUTED, STATE_FAILED, STATE_APPROVED};

	for (size_t i = 0; i < TSB_COUNT(w->many); i++) {
		now[i] = w->many[i];
		moves[i] = (struct store_move){&now[i], fx_change(&now[i], states[i])};
	}
	moves[0].to.result = tsb_view_str("result");
	moves[1].to.reason = "why";
}

int
change_finishes_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_request now[TSB_COUNT(w->many)];
	struct store_move moves[TSB_COUNT(w->many)];
	bool moved;

	finishes(w, now, moves);
	if (store_requests_move(tx, moves, TSB_COUNT(moves), &moved, err) ||
	    audits(tx, w, "execute", err))
		return -1;
	assert_true(moved);
	return 0;
}

static long
tasks_of(const struct tsb_request *rq)
{
	return fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s", fx_id(&rq->id));
}

void
change_finishes_check(struct world *w)
{
	struct tsb_request done = fx_load(&w->many[0].id), failed = fx_load(&w->many[1].id),
			   back = fx_load(&w->many[2].id);

	assert_int_equal(done.state, STATE_EXECUTED);
	assert_int_equal(done.result.n, 6);
	assert_null(done.reason);
	assert_int_equal(done.password_box.n, 0);
	assert_int_equal(tasks_of(&done), 0);
	assert_int_equal(failed.state, STATE_FAILED);
	assert_int_equal(failed.result.n, 0);
	assert_string_equal(failed.reason, "why");
	assert_int_equal(tasks_of(&failed), 0);
	assert_int_equal(back.state, STATE_APPROVED);
	assert_int_equal(back.password_box.n, 7);
	assert_int_equal(tasks_of(&back), 2);
	for (size_t i = 0; i < TSB_COUNT(w->many); i++)
		assert_int_equal(fx_audits(&w->many[i].id), 1);
}

/* ---- by themselves ---- */

struct batch {
	struct world w;
	size_t result; /* bytes */
	bool moved;
};

static int
moves_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct batch *b = ctx;
	struct tsb_request now[TSB_COUNT(b->w.many)];
	struct store_move moves[TSB_COUNT(b->w.many)];

	finishes(&b->w, now, moves);
	if (b->result > 0)
		moves[0].to.result = tsb_view_of(arena_alloc(&fx_arena, b->result), b->result);
	if (store_requests_move(tx, moves, TSB_COUNT(moves), &b->moved, err))
		return -1;
	return b->moved ? 0 : tsb_fail(err, TSB_E_SUBSYSTEM, "not all");
}

static void
test_a_batch_moves_as_a_whole_or_not_at_all(void **state)
{
	struct batch b = {0};
	struct store_change to;

	change_many_setup(&b.w);
	to = fx_change(&b.w.many[1], STATE_CANCELLED);
	assert_true(fx_move(fx_api, &b.w.many[1], &to));
	b.w.many[1].state = STATE_APPROVED; /* as who was slower knows it */
	b.w.many[1].version--;
	fx_refused(store_transact(fx_dispatcher, "moves", moves_body, &b, &err), 700);
	assert_false(b.moved);
	assert_int_equal(fx_load(&b.w.many[0].id).state, STATE_APPROVED);
	assert_int_equal(tasks_of(&b.w.many[0]), 2);
	assert_int_equal(fx_load(&b.w.many[1].id).state, STATE_CANCELLED);
}

/* More than a server takes in one packet. */
static void
test_long_results_are_written_one_by_one(void **state)
{
	long most = fx_number("SELECT @@max_allowed_packet");
	struct batch b = {.result = (size_t)most - 64 * 1024};

	change_many_setup(&b.w);
	fx_ok(store_transact(fx_dispatcher, "moves", moves_body, &b, &err));
	assert_true(b.moved);
	assert_int_equal(fx_number("SELECT LENGTH(result) FROM request WHERE id = %s",
			     fx_id(&b.w.many[0].id)),
	    b.result);
	assert_int_equal(fx_load(&b.w.many[1].id).state, STATE_FAILED);
}

static int
absent_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_uuid nobody = uuid_new();
	struct tsb_request now[2];
	struct store_claim rows[] = {
	    {.id = &nobody, .arena = &fx_arena, .rq = &now[0], .found = true, .napprovals = 9},
	    {.id = &w->many[2].id, .arena = &fx_arena, .rq = &now[1]},
	};

	if (store_requests_claim_load(tx, rows, TSB_COUNT(rows), err))
		return -1;
	assert_false(rows[0].found);
	assert_int_equal(rows[0].napprovals, 0);
	assert_true(rows[1].found);
	assert_int_equal(rows[1].napprovals, 2);
	assert_int_equal(now[1].version, w->many[2].version);
	return 0;
}

static void
test_of_a_batch_some_may_be_gone(void **state)
{
	struct world w = {0};

	change_many_setup(&w);
	fx_ok(store_transact(fx_dispatcher, "absent", absent_body, &w, &err));
}

int
store_batch_tests(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_batch_moves_as_a_whole_or_not_at_all),
	    cmocka_unit_test(test_long_results_are_written_one_by_one),
	    cmocka_unit_test(test_of_a_batch_some_may_be_gone),
	};

	return cmocka_run_group_tests_name("store batch", tests, fx_setup, fx_teardown);
}
