#include "lib/first.h"

#include <string.h>
#include <unistd.h>

#include "tests/fault/store_changes.h"

void
change_audited(const struct world *w, long rows)
{
	assert_int_equal(fx_audits(&w->rq.id), rows);
}

int
change_audit(struct store_tx *tx, const struct tsb_uuid *id, const char *action,
    struct tsb_err *err)
{
	struct store_audit row = {.request_id = id, .action = action, .actor = "test"};

	return store_audit_insert(tx, &row, err);
}

/*
 * SKIP LOCKED passes over rows that a lost connection still holds, until the server has noticed:
 * the programs find them at their next look, and so do the bodies here.
 */
static bool
patience(struct world *w)
{
	usleep(10000);
	return ++w->looks < 200;
}

/* ---- create ---- */

void
change_create_setup(struct world *w)
{
	w->rq = fx_request("faults");
	for (unsigned char i = 0; i < TSB_COUNT(w->more); i++)
		w->more[i] = fx_task(&w->rq.id, (unsigned char)(i + 1));
	w->key = (struct tsb_key_attributes){.key_name = "faults",
	    .xml = tsb_view_str("<x/>"),
	    .fetched_ms = 10};
	memcpy(w->key.digest, w->rq.id.b, 16);
}

int
change_create_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct tsb_key_attributes again = w->key;

	w->runs++;
	again.fetched_ms = 20;
	return store_key_attributes_insert(tx, &w->key, err) ||
		store_key_attributes_insert(tx, &again, err) ||
		store_request_insert(tx, &w->rq, err) ||
		store_tasks_insert(tx, w->rq.kind, w->more, TSB_COUNT(w->more), err) ||
		change_audit(tx, &w->rq.id, "create", err) ||
		change_audit(tx, &w->rq.id, "tasks", err)
	    ? -1
	    : 0;
}

void
change_create_check(struct world *w)
{
	assert_int_equal(fx_load(&w->rq.id).version, 1);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s "
				   "AND listed_as = 'sign'",
			     fx_id(&w->rq.id)),
	    TSB_COUNT(w->more));
	assert_int_equal(fx_number("SELECT fetched_ms FROM key_attributes WHERE digest = %s",
			     fx_hex(w->key.digest, TSB_SHA256)),
	    20);
	change_audited(w, 2);
}

/* ---- approve ---- */

static int
task_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	return store_tasks_insert(tx, KIND_SIGN, ctx, 2, err);
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
	size_t before;

	w->runs++;
	if (store_request_lock_of_task(tx, &w->task.id, &fx_arena, &w->now, err) ||
	    store_task_votes(tx, &w->task.id, &fx_arena, &w->task, &votes, &before, err) ||
	    store_request_load(tx, &w->task.request_id, true, &fx_arena, &w->now, err) ||
	    store_approval_insert(tx, &vote, &fresh, err) ||
	    store_task_delete(tx, &w->task.id, &gone, err) ||
	    store_approvals_load(tx, &w->rq.id, &fx_arena, &votes, &w->n, err) ||
	    store_request_move(tx, &w->now, &to, &w->flag, err) ||
	    change_audit(tx, &w->rq.id, "approve", err))
		return -1;
	assert_true(fresh && gone && w->flag);
	assert_int_equal(before, 0);
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
	assert_int_equal(fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s",
			     fx_id(&rq.id)),
	    1);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM approval WHERE request_id = %s",
			     fx_id(&rq.id)),
	    1);
	change_audited(w, 1);
}

/* ---- claim, finish, erase ---- */

void
change_due_setup(struct world *w)
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
	    change_audit(tx, &w->rq.id, "claim", err))
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
	change_audited(w, 1);
}

int
change_finish_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	struct store_change to = fx_change(&w->rq, STATE_EXECUTED);

	w->runs++;
	w->now = w->rq;
	to.result = tsb_view_str("result");
	if (store_request_move(tx, &w->now, &to, &w->flag, err) ||
	    change_audit(tx, &w->rq.id, "execute", err))
		return -1;
	assert_true(w->flag);
	return 0;
}

void
change_finish_check(struct world *w)
{
	struct tsb_request rq = fx_load(&w->rq.id);

	assert_int_equal(rq.version, w->rq.version + 1);
	assert_int_equal(rq.state, STATE_EXECUTED);
	assert_int_equal(rq.password_box.n, 0);
	assert_int_equal(rq.result.n, 6);
	assert_int_equal(fx_number("SELECT COUNT(*) FROM task WHERE request_id = %s",
			     fx_id(&rq.id)),
	    0);
	change_audited(w, 1);
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
	    change_audit(tx, &w->rq.id, "erase", err))
		return -1;
	assert_true(w->flag);
	return 0;
}

static void
erase_check(struct world *w)
{
	assert_int_equal(fx_load(&w->rq.id).version, 3);
	assert_int_equal(fx_load(&w->rq.id).result.n, 0);
	change_audited(w, 1);
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
	assert_int_equal(fx_number("SELECT COUNT(*) FROM request WHERE id = %s", fx_id(&w->rq.id)),
	    0);
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
	assert_int_equal(fx_number("SELECT fetched_ms FROM task WHERE id = %s", fx_id(&w->task.id)),
	    4712);
}

/* ---- reading ---- */

/* Every list of tasks in every order. */
static int
read_tasks(struct store_tx *tx, struct world *w, struct tsb_err *err)
{
	const struct tsb_task_filter filters[] = {
	    {.level = 5},
	    {.one_kind = true, .kind = KIND_BLOCK},
	    {.has_request_id = true, .request_id = w->rq.id},
	    {.has_id = true, .id = w->task.id},
	};

	for (size_t i = 0; i < TSB_COUNT(filters); i++)
		for (int sort = SORT_CREATED_ASC; sort <= SORT_FETCHED_DESC; sort++) {
			struct tsb_task_filter f = filters[i];

			f.paged = true;
			f.page_size = 3;
			f.sort = (enum tsb_sort)sort;
			if (store_tasks_list(tx, w->task.approver_id, &f, 0, &fx_arena, &w->views,
				&w->n, err) ||
			    store_tasks_list(tx, NULL, &f, 0, &fx_arena, &w->views, &w->n, err))
				return -1;
		}
	return 0;
}

static int
read_api_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct world *w = ctx;
	const struct tsb_request_filter filters[] = {
	    {0},
	    {.key_name = "faults"},
	    {.states = 1U << STATE_PENDING},
	    {.has_id = true, .id = w->rq.id},
	};
	struct tsb_request_row *rows;
	struct tsb_request *page;
	struct tsb_approval *votes;
	struct store_place place;
	struct tsb_uuid *ids, twin;
	struct tsb_task *tasks;
	bool found;

	if (store_tasks_load(tx, &w->rq.id, &fx_arena, &tasks, &w->n, err) ||
	    store_request_twin(tx, &w->rq, &twin, &found, err) ||
	    store_requests_of_key(tx, w->rq.key_name, 5, &fx_arena, &ids, &w->n, err) ||
	    store_requests_list(tx, 0, NULL, 0, 3, &fx_arena, &rows, &w->n, err) ||
	    store_requests_list(tx, 1U << STATE_PENDING, NULL, 0, 3, &fx_arena, &rows, &w->n,
		err) ||
	    store_requests_list(tx, 0, "faults", 0, 3, &fx_arena, &rows, &w->n, err) ||
	    store_place_of(tx, &w->rq.id, &place, err) ||
	    store_votes_load(tx, &w->rq.id, &fx_arena, &votes, &w->n, err) ||
	    store_request_view(tx, &w->rq.id, &fx_arena, &w->now, &votes, &w->n, err) ||
	    store_requests_approved_by(tx, w->task.approver_id, 0, 3, &fx_arena, &ids, &w->n,
		err) ||
	    store_requests_by_token(tx, w->task.approver_id, 3, &fx_arena, &rows, &w->n, err) ||
	    store_key_attributes_load(tx, w->key.digest, &fx_arena, &w->key, &found, err))
		return -1;
	for (size_t i = 0; i < TSB_COUNT(filters); i++)
		if (store_requests_page(tx, &filters[i], &place, 3, &fx_arena, &page, &w->n, err))
			return -1;
	if (read_tasks(tx, w, err))
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
	    store_requests_next_time(tx, &at, err) ||
	    store_requests_owned(tx, "me", 5, &fx_arena, &ids, &w->n, err) ||
	    store_tasks_waiting(tx, w->task.approver_id, 1, 5, &fx_arena, &ids, &w->n, err))
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

const struct change changes[] = {
    {"create", LOGIN_API, change_create_setup, change_create_body, NULL, change_create_check,
	false},
    {"approve", LOGIN_API, approve_setup, approve_body, NULL, approve_check, false},
    {"approve_automated", LOGIN_DISPATCHER, approve_setup, approve_body, NULL, approve_check,
	false},
    {"claim", LOGIN_DISPATCHER, change_due_setup, claim_body, NULL, claim_check, false},
    {"finish", LOGIN_DISPATCHER, change_due_setup, change_finish_body, NULL, change_finish_check,
	false},
    {"claims", LOGIN_DISPATCHER, change_many_setup, change_claims_body, NULL, change_claims_check,
	false},
    {"finishes", LOGIN_DISPATCHER, change_many_setup, change_finishes_body, NULL,
	change_finishes_check, false},
    {"cancel", LOGIN_API, change_due_setup, change_finish_body, NULL, change_finish_check, false},
    {"erase", LOGIN_API, executed_setup, erase_body, NULL, erase_check, false},
    {"purge", LOGIN_DISPATCHER, purge_setup, purge_body, NULL, purge_check, false},
    {"tasks_touch", LOGIN_API, approve_setup, NULL, touch_run, touch_check, false},
    {"read_api", LOGIN_API, approve_setup, read_api_body, NULL, read_check, true},
    {"read_dispatcher", LOGIN_DISPATCHER, approve_setup, read_dispatcher_body, NULL, read_check,
	true},
    {"approver_create", LOGIN_API, change_approver_setup, change_approver_insert_body, NULL,
	change_approver_insert_check, false},
    {"approver_change", LOGIN_API, change_approver_stored_setup, change_approver_change_body, NULL,
	change_approver_change_check, false},
    {"approver_restore", LOGIN_DISPATCHER, change_approver_stored_setup,
	change_approver_change_body, NULL, change_approver_change_check, false},
    {"approver_delete", LOGIN_API, change_approver_stored_setup, change_approver_delete_body, NULL,
	change_approver_delete_check, false},
    {"approver_read", LOGIN_API, change_approver_stored_setup, change_approver_read_body, NULL,
	change_approver_read_check, true},
    {"backup_key_intend", LOGIN_API, change_backup_key_setup, change_backup_key_intend_body, NULL,
	change_backup_key_intend_check, false},
    {"backup_key_made", LOGIN_API, change_backup_key_intended_setup, change_backup_key_made_body,
	NULL, change_backup_key_made_check, false},
    {"backup_key_read", LOGIN_API, change_backup_key_intended_setup, change_backup_key_read_body,
	NULL, change_approver_read_check, true},
    {"import", LOGIN_API, change_imported_setup, change_imported_insert_body, NULL,
	change_imported_insert_check, false},
    {"import_newer", LOGIN_API, change_imported_stored_setup, change_imported_renew_body, NULL,
	change_imported_renew_check, false},
    {"imported_forget", LOGIN_API, change_imported_stored_setup, change_imported_forget_body, NULL,
	change_imported_forget_check, false},
    {"imported_read", LOGIN_API, change_imported_stored_setup, change_imported_read_body, NULL,
	change_imported_read_check, true},
};

const size_t nchanges = TSB_COUNT(changes);
