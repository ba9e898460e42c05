#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/crypto/crypto.h"
#include "lib/store/internal.h"
#include "lib/store/rows.h"

/* The times with an index of their own (schema/001_requests.sql). */
struct times {
	struct stmt_arg ready, late, ended;
};

static struct times
times_of(enum tsb_state state, int64_t due_ms, int64_t expires_ms, const char *owner,
    int64_t lease_ms)
{
	bool open = !tsb_state_terminal(state);
	struct times t = {stmt_null(), stmt_null(), stmt_null()};

	if (state == STATE_APPROVED)
		t.ready = stmt_i64(owner != NULL && lease_ms > due_ms ? lease_ms : due_ms);
	if (open && owner == NULL && expires_ms != 0)
		t.late = stmt_i64(expires_ms);
	if (!open)
		t.ended = stmt_i64(clock_now_ms());
	return t;
}

int
store_request_insert(struct store_tx *tx, const struct tsb_request *rq, struct tsb_err *err)
{
	struct times t = times_of(rq->state, rq->due_ms, rq->expires_ms, rq->owner, rq->lease_ms);
	unsigned char sha256[TSB_SHA256] = {0};
	bool by_token = rq->by_token && rq->token.n > 0;
	const struct stmt_arg args[] = {
	    stmt_id(&rq->id),
	    stmt_text(tsb_kinds[rq->kind].name),
	    stmt_text(tsb_state_names[rq->state]),
	    stmt_u64(rq->version),
	    stmt_text(rq->key_name),
	    stmt_bytes(rq->attributes_digest, sizeof(rq->attributes_digest)),
	    stmt_i64(rq->created_ms),
	    stmt_i64(rq->hsm_seconds),
	    stmt_i64(rq->due_ms),
	    stmt_i64(rq->expires_ms),
	    stmt_view(rq->token),
	    stmt_text(rq->payload_type),
	    stmt_text(rq->meta_data),
	    stmt_text(rq->meta_data_signature),
	    stmt_view(rq->envelope),
	    stmt_view(rq->inner_clean),
	    stmt_view(tsb_state_terminal(rq->state) ? (struct tsb_view){0} : rq->password_box),
	    stmt_view(rq->result),
	    stmt_text(rq->reason),
	    stmt_i64(rq->execution_ms),
	    stmt_text(rq->owner),
	    stmt_i64(rq->lease_ms),
	    stmt_i64(rq->attempt),
	    stmt_u64(rq->fence),
	    t.ready,
	    t.late,
	    t.ended,
	    by_token ? stmt_bytes(sha256, sizeof(sha256)) : stmt_null(),
	};

	if (by_token)
		crypto_sha256(rq->token, sha256);
	return stmt_run(tx, STMT_REQUEST_INSERT, args, TSB_COUNT(args), NULL, err) ? -1 : 0;
}

/* The names of kinds and states are ours: another one means a foreign hand or a wrong program. */
static int
take_names(struct stmt_cursor *c, struct arena *a, struct tsb_request *rq, struct tsb_err *err)
{
	const char *kind = stmt_take_text(c, a), *state = stmt_take_text(c, a);

	if (kind == NULL || !tsb_kind_by_name(kind, &rq->kind))
		return tsb_fail(err, TSB_E_SUBSYSTEM, "the database has a request of unknown kind");
	if (state == NULL || !tsb_state_by_name(state, &rq->state))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database has a request in unknown state");
	return 0;
}

int
row_take_request(struct stmt_cursor *c, struct arena *a, struct tsb_request *rq,
    struct tsb_err *err)
{
	if (!stmt_take_bytes(c, rq->id.b, sizeof(rq->id.b)))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database has a request with a broken id");
	if (take_names(c, a, rq, err))
		return -1;
	rq->version = stmt_take_u64(c);
	rq->key_name = stmt_take_text(c, a);
	if (!stmt_take_bytes(c, rq->attributes_digest, sizeof(rq->attributes_digest)))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database has a request with a broken digest");
	rq->created_ms = stmt_take_i64(c);
	rq->hsm_seconds = stmt_take_i64(c);
	rq->due_ms = stmt_take_i64(c);
	rq->expires_ms = stmt_take_i64(c);
	rq->token = stmt_take_view(c, a);
	rq->payload_type = stmt_take_text(c, a);
	rq->meta_data = stmt_take_text(c, a);
	rq->meta_data_signature = stmt_take_text(c, a);
	rq->envelope = stmt_take_view(c, a);
	rq->inner_clean = stmt_take_view(c, a);
	rq->password_box = stmt_take_view(c, a);
	rq->result = stmt_take_view(c, a);
	rq->reason = stmt_take_text(c, a);
	rq->execution_ms = stmt_take_i64(c);
	rq->owner = stmt_take_text(c, a);
	rq->lease_ms = stmt_take_i64(c);
	rq->attempt = (uint32_t)stmt_take_i64(c);
	rq->fence = stmt_take_u64(c);
	rq->outcome = stmt_take_view(c, a);
	if (!stmt_take_bytes(c, rq->plan_digest, sizeof(rq->plan_digest)))
		memcpy(rq->plan_digest, rq->attributes_digest, sizeof(rq->plan_digest));
	rq->planned_ms = stmt_take_i64(c);
	return 0;
}

/* *row false: there is none. */
static int
load_by(struct store_tx *tx, enum stmt_id id, const struct tsb_uuid *which, struct arena *a,
    struct tsb_request *out, bool *row, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_id(which);
	struct tsb_request rq = {0};
	stmt_cursor_auto c = {0};

	*row = false;
	if (stmt_query(tx, id, &arg, 1, &c, err) || stmt_next(&c, row, err) ||
	    (*row && row_take_request(&c, a, &rq, err)))
		return -1;
	if (*row)
		*out = rq;
	return 0;
}

int
store_request_load(struct store_tx *tx, const struct tsb_uuid *id, bool for_update, struct arena *a,
    struct tsb_request *out, struct tsb_err *err)
{
	char text[UUID_TEXT];
	bool row;

	if (load_by(tx, for_update ? STMT_REQUEST_LOCK : STMT_REQUEST_LOAD, id, a, out, &row, err))
		return -1;
	if (!row)
		return tsb_fail(err, TSB_E_REQUEST_NOT_EXISTENT, "there is no request %s",
		    uuid_format(id, text));
	return 0;
}

int
store_request_lock_of_task(struct store_tx *tx, const struct tsb_uuid *task_id, struct arena *a,
    struct tsb_request *out, struct tsb_err *err)
{
	bool row;

	if (load_by(tx, STMT_REQUEST_LOCK_OF_TASK, task_id, a, out, &row, err))
		return -1;
	return row ? 0 : store_task_none(task_id, err);
}

/* ---- changes ---- */

#define MOVE_CELLS 21

static void
move_cells(const struct tsb_request *rq, const struct store_change *to,
    struct stmt_arg cells[MOVE_CELLS])
{
	struct times t = times_of(to->to, to->due_ms, to->expires_ms, to->owner, to->lease_ms);
	bool plans = to->planned != NULL;

	*cells++ = stmt_text(tsb_state_names[to->to]);
	*cells++ = stmt_i64(to->due_ms);
	*cells++ = stmt_i64(to->expires_ms);
	*cells++ = stmt_view(to->result);
	*cells++ = stmt_text(to->reason);
	*cells++ = stmt_i64(to->execution_ms);
	*cells++ = stmt_text(to->owner);
	*cells++ = stmt_i64(to->lease_ms);
	*cells++ = stmt_i64(to->count_attempt - to->uncount_attempt);
	*cells++ = stmt_i64(to->new_fence);
	*cells++ = t.ready;
	*cells++ = t.late;
	*cells++ = t.ended;
	*cells++ = to->outcome.n == 0 ? stmt_null() : stmt_view(to->outcome);
	*cells++ = plans ? stmt_bytes(to->planned, TSB_SHA256) : stmt_null();
	*cells++ = plans ? stmt_i64(to->planned_ms) : stmt_null();
	*cells++ = stmt_i64(tsb_state_terminal(to->to));
	*cells++ = stmt_id(&rq->id);
	*cells++ = stmt_u64(rq->version);
	*cells++ = stmt_text(tsb_state_names[rq->state]);
	*cells = stmt_u64(rq->fence);
}

static void
move_show(struct tsb_request *rq, const struct store_change *to)
{
	rq->state = to->to;
	rq->version++;
	rq->due_ms = to->due_ms;
	rq->expires_ms = to->expires_ms;
	rq->result = to->result;
	rq->reason = to->reason;
	rq->execution_ms = to->execution_ms;
	rq->owner = to->owner;
	rq->lease_ms = to->lease_ms;
	rq->attempt += (uint32_t)(to->count_attempt - to->uncount_attempt);
	rq->fence += to->new_fence;
	rq->outcome = to->outcome;
	if (to->planned != NULL) {
		memcpy(rq->plan_digest, to->planned, sizeof(rq->plan_digest));
		rq->planned_ms = to->planned_ms;
	}
	if (tsb_state_terminal(to->to))
		rq->password_box = (struct tsb_view){0};
}

static int
move_check(const struct store_move *m, struct tsb_err *err)
{
	if (tsb_state_may_move(m->rq->state, m->to.to))
		return 0;
	return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "a request that is %s cannot become %s",
	    tsb_state_names[m->rq->state], tsb_state_names[m->to.to]);
}

/* Tasks of the requests that end with their moves. */
static int
tasks_end(struct store_tx *tx, const struct store_move *moves, size_t n, struct arena *a,
    struct tsb_err *err)
{
	struct stmt_arg *ids = arena_array(a, n, sizeof(*ids));
	size_t ended = 0;

	for (size_t i = 0; i < n; i++)
		if (tsb_state_terminal(moves[i].to.to))
			ids[ended++] = stmt_id(&moves[i].rq->id);
	return stmt_each(tx, STMT_TASK_DELETE_OF_REQUEST, ids, ended, 1, NULL, err) ? -1 : 0;
}

int
store_requests_move(struct store_tx *tx, struct store_move *moves, size_t n, bool *moved,
    struct tsb_err *err)
{
	arena_auto a = {0};
	struct stmt_arg *cells = arena_array(&a, n * MOVE_CELLS, sizeof(*cells));
	uint64_t affected = 0;

	for (size_t i = 0; i < n; i++) {
		if (move_check(&moves[i], err))
			return -1;
		move_cells(moves[i].rq, &moves[i].to, cells + i * MOVE_CELLS);
	}
	if (stmt_each(tx, STMT_REQUEST_MOVE, cells, n, MOVE_CELLS, &affected, err))
		return -1;
	*moved = affected == n;
	if (!*moved)
		return 0;
	if (tasks_end(tx, moves, n, &a, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		move_show(moves[i].rq, &moves[i].to);
	return 0;
}

int
store_request_move(struct store_tx *tx, struct tsb_request *rq, const struct store_change *to,
    bool *moved, struct tsb_err *err)
{
	struct store_move move = {rq, *to};

	return store_requests_move(tx, &move, 1, moved, err);
}

int
store_request_erase_result(struct store_tx *tx, struct tsb_request *rq, bool *erased,
    struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_i64(clock_now_ms()),
	    stmt_id(&rq->id),
	    stmt_u64(rq->version),
	    stmt_u64(rq->fence),
	};
	uint64_t affected = 0;

	if (stmt_run(tx, STMT_REQUEST_ERASE_RESULT, args, TSB_COUNT(args), &affected, err))
		return -1;
	*erased = affected == 1;
	if (*erased) {
		rq->version++;
		rq->result = (struct tsb_view){0};
	}
	return 0;
}
