#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/store/internal.h"
#include "lib/store/rows.h"

int
store_approval_insert(struct store_tx *tx, const struct tsb_approval *row, bool *fresh,
    struct tsb_err *err)
{
	/* A rejection has no container: its column has the key of the service that made it. */
	const struct stmt_arg args[] = {
	    stmt_id(&row->request_id),
	    stmt_bytes(row->approver_id, sizeof(row->approver_id)),
	    stmt_i64(row->approves),
	    stmt_view(row->spki),
	    stmt_view(row->approves ? row->signed_approval : row->service),
	    stmt_i64(row->at_ms),
	    stmt_text(row->reason),
	};
	int r;

	/*
	 * The primary key decides who was first; a refused INSERT leaves the transaction as it was.
	 */
	tx->allow = ER_DUP_ENTRY;
	r = stmt_run(tx, STMT_APPROVAL_INSERT, args, TSB_COUNT(args), NULL, err);
	tx->allow = 0;
	if (r < 0)
		return -1;
	*fresh = r == 0;
	return 0;
}

static int
approval_take(struct stmt_cursor *c, struct arena *a, struct tsb_approval *row, struct tsb_err *err)
{
	if (!stmt_take_bytes(c, row->request_id.b, sizeof(row->request_id.b)) ||
	    !stmt_take_bytes(c, row->approver_id, sizeof(row->approver_id)))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "an approval of the database has a broken id");
	row->approves = stmt_take_i64(c) != 0;
	row->spki = stmt_take_view(c, a);
	*(row->approves ? &row->signed_approval : &row->service) = stmt_take_view(c, a);
	row->at_ms = stmt_take_i64(c);
	row->reason = stmt_take_text(c, a);
	return 0;
}

static int
by_arrival(const void *x, const void *y)
{
	const struct tsb_approval *a = x, *b = y;

	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	return memcmp(a->approver_id, b->approver_id, TSB_SHA256);
}

static void
sort_by_arrival(struct tsb_approval *list, size_t n)
{
	if (n > 1)
		qsort(list, n, sizeof(*list), by_arrival);
}

static int
rows_load(struct store_tx *tx, enum stmt_id id, const struct tsb_uuid *request_id, struct arena *a,
    struct tsb_approval **rows, size_t *n, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_id(request_id);
	stmt_cursor_auto c = {0};
	struct tsb_approval *list;
	size_t count, i;
	bool row = true;

	if (stmt_query(tx, id, &arg, 1, &c, err))
		return -1;
	count = stmt_count(&c);
	list = arena_array(a, count + 1, sizeof(*list));
	for (i = 0; i < count; i++)
		if (stmt_next(&c, &row, err) || approval_take(&c, a, &list[i], err))
			return -1;
	sort_by_arrival(list, count);
	*rows = list;
	*n = count;
	return 0;
}

int
store_approvals_load(struct store_tx *tx, const struct tsb_uuid *request_id, struct arena *a,
    struct tsb_approval **rows, size_t *n, struct tsb_err *err)
{
	return rows_load(tx, STMT_APPROVAL_LOAD, request_id, a, rows, n, err);
}

int
store_votes_load(struct store_tx *tx, const struct tsb_uuid *request_id, struct arena *a,
    struct tsb_approval **rows, size_t *n, struct tsb_err *err)
{
	return rows_load(tx, STMT_APPROVAL_VOTES, request_id, a, rows, n, err);
}

/* ---- of a batch ---- */

static void
batch_args(const struct store_claim *rows, size_t n, struct stmt_arg args[STORE_BATCH])
{
	for (size_t i = 0; i < STORE_BATCH; i++)
		args[i] = stmt_id(rows[i < n ? i : n - 1].id);
}

/* Whose row is next; its first column is the id of the request. */
static int
batch_find(struct stmt_cursor *c, struct store_claim *rows, size_t n, struct store_claim **out,
    struct tsb_err *err)
{
	struct tsb_uuid id;
	bool row;

	if (stmt_next(c, &row, err))
		return -1;
	if (stmt_take_bytes(c, id.b, sizeof(id.b)))
		for (*out = rows; *out < rows + n; (*out)++)
			if (memcmp((*out)->id, &id, sizeof(id)) == 0) {
				stmt_skip_to(c, 0);
				return 0;
			}
	return tsb_fail(err, TSB_E_SUBSYSTEM, "the database gave a row that was not asked for");
}

static int
batch_requests(struct store_tx *tx, struct store_claim *rows, size_t n, struct tsb_err *err)
{
	struct stmt_arg args[STORE_BATCH];
	stmt_cursor_auto c = {0};
	struct store_claim *at;

	batch_args(rows, n, args);
	if (stmt_query(tx, STMT_REQUESTS_LOCK, args, STORE_BATCH, &c, err))
		return -1;
	for (size_t left = stmt_count(&c); left > 0; left--) {
		if (batch_find(&c, rows, n, &at, err) ||
		    row_take_request(&c, at->arena, at->rq, err))
			return -1;
		at->found = true;
	}
	return 0;
}

/* For one more approval: twice as many whenever it is full, at 1, 2, 4 ... */
static void
batch_room(struct store_claim *at)
{
	size_t n = at->napprovals;
	struct tsb_approval *more;

	if ((n & (n - 1)) != 0)
		return;
	more = arena_array(at->arena, n == 0 ? 1 : 2 * n, sizeof(*more));
	if (n > 0)
		memcpy(more, at->approvals, n * sizeof(*more));
	at->approvals = more;
}

static int
batch_approvals(struct store_tx *tx, struct store_claim *rows, size_t n, struct tsb_err *err)
{
	struct stmt_arg args[STORE_BATCH];
	stmt_cursor_auto c = {0};
	struct store_claim *at;

	batch_args(rows, n, args);
	if (stmt_query(tx, STMT_APPROVALS_OF_REQUESTS, args, STORE_BATCH, &c, err))
		return -1;
	for (size_t left = stmt_count(&c); left > 0; left--) {
		if (batch_find(&c, rows, n, &at, err))
			return -1;
		batch_room(at);
		if (approval_take(&c, at->arena, &at->approvals[at->napprovals++], err))
			return -1;
	}
	for (size_t i = 0; i < n; i++)
		sort_by_arrival(rows[i].approvals, rows[i].napprovals);
	return 0;
}

int
store_requests_claim_load(struct store_tx *tx, struct store_claim *rows, size_t n,
    struct tsb_err *err)
{
	for (size_t i = 0; i < n; i++) {
		rows[i].found = false;
		rows[i].approvals = NULL;
		rows[i].napprovals = 0;
	}
	return n == 0 || batch_requests(tx, rows, n, err) || batch_approvals(tx, rows, n, err) ? -1
											       : 0;
}

/* ---- with their request ---- */

#define REQUEST_COLUMN_COUNT 27

/* REQUEST_IS_SMALL: the votes are there. */
static bool
row_is_small(const struct tsb_request *rq)
{
	return rq->token.n + rq->envelope.n + rq->inner_clean.n + rq->result.n < 16384;
}

/* The vote behind the first columns of a row; NULL there: an outer join has found none. */
static int
vote_take(struct stmt_cursor *c, unsigned columns, struct arena *a, struct tsb_approval *list,
    size_t *n, struct tsb_err *err)
{
	struct tsb_uuid id;

	stmt_skip_to(c, columns);
	if (!stmt_take_bytes(c, id.b, sizeof(id.b)))
		return 0;
	stmt_skip_to(c, columns);
	return approval_take(c, a, &list[(*n)++], err);
}

/* The request is in each row. */
static int
view_take(struct stmt_cursor *c, struct arena *a, struct tsb_request *rq,
    struct tsb_approval **rows, size_t *n, struct tsb_err *err)
{
	size_t count = stmt_count(c);
	struct tsb_approval *list = arena_array(a, count + 1, sizeof(*list));
	bool row = true;

	*n = 0;
	for (size_t i = 0; i < count; i++)
		if (stmt_next(c, &row, err) || (i == 0 && row_take_request(c, a, rq, err)) ||
		    vote_take(c, REQUEST_COLUMN_COUNT, a, list, n, err))
			return -1;
	sort_by_arrival(list, *n);
	*rows = list;
	return 0;
}

int
store_request_view(struct store_tx *tx, const struct tsb_uuid *id, struct arena *a,
    struct tsb_request *out, struct tsb_approval **rows, size_t *n, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_id(id);
	struct tsb_request rq = {0};
	stmt_cursor_auto c = {0};
	char text[UUID_TEXT];

	if (stmt_query(tx, STMT_REQUEST_VIEW, &arg, 1, &c, err))
		return -1;
	if (stmt_count(&c) == 0)
		return tsb_fail(err, TSB_E_REQUEST_NOT_EXISTENT, "there is no request %s",
		    uuid_format(id, text));
	if (view_take(&c, a, &rq, rows, n, err))
		return -1;
	*out = rq;
	return row_is_small(&rq) ? 0 : store_votes_load(tx, id, a, rows, n, err);
}

int
store_task_votes(struct store_tx *tx, const struct tsb_uuid *id, struct arena *a,
    struct tsb_task *out, struct tsb_approval **rows, size_t *n, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_id(id);
	stmt_cursor_auto c = {0};
	struct tsb_approval *list;
	struct tsb_task t = {0};
	size_t count;
	bool row = true;

	if (stmt_query(tx, STMT_TASK_VOTES, &arg, 1, &c, err))
		return -1;
	count = stmt_count(&c);
	if (count == 0)
		return store_task_none(id, err);
	list = arena_array(a, count + 1, sizeof(*list));
	*n = 0;
	for (size_t i = 0; i < count; i++)
		if (stmt_next(&c, &row, err) || (i == 0 && row_take_task(&c, a, &t, err)) ||
		    vote_take(&c, TASK_COLUMN_COUNT, a, list, n, err))
			return -1;
	sort_by_arrival(list, *n);
	*out = t;
	*rows = list;
	return 0;
}
