/* Which requests: by time, by key, by state. */
#include "lib/first.h"

#include <limits.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/crypto/crypto.h"
#include "lib/store/internal.h"
#include "lib/store/rows.h"

static int
ids_of(struct store_tx *tx, enum stmt_id id, const struct stmt_arg *args, size_t nargs,
    struct arena *a, struct tsb_uuid **ids, size_t *n, struct tsb_err *err)
{
	stmt_cursor_auto c = {0};

	if (stmt_query(tx, id, args, nargs, &c, err))
		return -1;
	return stmt_take_ids(&c, a, ids, n, err);
}

static struct stmt_arg
at_most(size_t limit)
{
	return stmt_i64(limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
}

int
store_requests_due(struct store_tx *tx, int64_t now_ms, size_t limit, bool for_update,
    struct arena *a, struct tsb_uuid **ids, size_t *n, struct tsb_err *err)
{
	const struct stmt_arg args[] = {stmt_i64(now_ms), at_most(limit)};

	return ids_of(tx, for_update ? STMT_REQUEST_DUE_LOCK : STMT_REQUEST_DUE, args,
	    TSB_COUNT(args), a, ids, n, err);
}

int
store_requests_owned(struct store_tx *tx, const char *owner, size_t limit, struct arena *a,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *err)
{
	const struct stmt_arg args[] = {stmt_text(owner), stmt_i64((int64_t)limit)};

	return ids_of(tx, STMT_REQUEST_OWNED, args, TSB_COUNT(args), a, ids, n, err);
}

int
store_requests_late(struct store_tx *tx, int64_t now_ms, size_t limit, struct arena *a,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *err)
{
	const struct stmt_arg args[] = {stmt_i64(now_ms), at_most(limit)};

	return ids_of(tx, STMT_REQUEST_LATE, args, TSB_COUNT(args), a, ids, n, err);
}

int
store_requests_of_key(struct store_tx *tx, const char *key_name, size_t limit, struct arena *a,
    struct tsb_uuid **ids, size_t *n, struct tsb_err *err)
{
	/* '0' is the character after '/'. */
	const struct stmt_arg args[] = {
	    stmt_text(key_name),
	    stmt_text(arena_printf(a, "%s/", key_name)),
	    stmt_text(arena_printf(a, "%s0", key_name)),
	    at_most(limit),
	};

	return ids_of(tx, STMT_REQUEST_OF_KEY, args, TSB_COUNT(args), a, ids, n, err);
}

int
store_requests_approved_by(struct store_tx *tx, const unsigned char approver_id[TSB_SHA256],
    long offset, long limit, struct arena *a, struct tsb_uuid **ids, size_t *n, struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_bytes(approver_id, TSB_SHA256),
	    stmt_i64(limit),
	    stmt_i64(offset),
	};

	return ids_of(tx, STMT_APPROVAL_OF_APPROVER, args, TSB_COUNT(args), a, ids, n, err);
}

/* The statement has seven places; a state may fill several. */
static void
states_fill(struct stmt_arg args[STATE__MAX], unsigned states)
{
	const char *name = NULL;
	unsigned all = (1u << STATE__MAX) - 1;

	states = (states & all) == 0 ? all : states & all;
	for (int s = 0; s < STATE__MAX; s++)
		if (states & 1u << s)
			name = tsb_state_names[s];
	for (int s = 0; s < STATE__MAX; s++)
		args[s] = stmt_text(states & 1u << s ? tsb_state_names[s] : name);
}

/* A row of id and state. */
static int
list_take(struct stmt_cursor *c, struct tsb_request_row *row, struct arena *a, struct tsb_err *err)
{
	const char *state;

	if (!stmt_take_bytes(c, row->id.b, sizeof(row->id.b)))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database has a request with a broken id");
	state = stmt_take_text(c, a);
	if (state == NULL || !tsb_state_by_name(state, &row->state))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database has a request in unknown state");
	return 0;
}

/* Rows of the statement that is open in c. */
static int
rows_take(struct stmt_cursor *c, struct arena *a, struct tsb_request_row **rows, size_t *n,
    struct tsb_err *err)
{
	size_t count = stmt_count(c);
	struct tsb_request_row *list = arena_array(a, count + 1, sizeof(*list));
	bool row = true;

	for (size_t i = 0; i < count; i++)
		if (stmt_next(c, &row, err) || list_take(c, &list[i], a, err))
			return -1;
	*rows = list;
	*n = count;
	return 0;
}

int
store_request_twin(struct store_tx *tx, const struct tsb_request *rq, struct tsb_uuid *id,
    bool *found, struct tsb_err *err)
{
	unsigned char sha256[TSB_SHA256] = {0};
	const struct stmt_arg args[] = {stmt_bytes(sha256, sizeof(sha256)), stmt_text(rq->key_name),
	    stmt_id(&rq->id)};
	stmt_cursor_auto c = {0};

	*found = false;
	crypto_sha256(rq->token, sha256);
	if (stmt_query(tx, STMT_REQUEST_TWIN, args, TSB_COUNT(args), &c, err) ||
	    stmt_next(&c, found, err))
		return -1;
	if (*found && !stmt_take_bytes(&c, id->b, sizeof(id->b)))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database has a request with a broken id");
	return 0;
}

int
store_requests_by_token(struct store_tx *tx, const unsigned char sha256[TSB_SHA256], size_t limit,
    struct arena *a, struct tsb_request_row **rows, size_t *n, struct tsb_err *err)
{
	const struct stmt_arg args[] = {stmt_bytes(sha256, TSB_SHA256), at_most(limit)};
	stmt_cursor_auto c = {0};

	if (stmt_query(tx, STMT_REQUEST_OF_TOKEN, args, TSB_COUNT(args), &c, err))
		return -1;
	return rows_take(&c, a, rows, n, err);
}

/* For EACH_STATE, whose arguments are the state, those of which, and a limit. */
static size_t
each_state_fill(struct stmt_arg *args, unsigned states, const struct stmt_arg *which, size_t nwhich,
    size_t limit)
{
	size_t n = 0;

	for (int s = 0; s < STATE__MAX; s++) {
		args[n++] = stmt_text(tsb_state_names[s]);
		for (size_t i = 0; i < nwhich; i++)
			args[n++] = which[i];
		args[n++] = states & 1u << s ? at_most(limit) : stmt_i64(0);
	}
	return n;
}

static bool
is_every_state(unsigned states)
{
	const unsigned all = (1u << STATE__MAX) - 1;

	return (states & all) == 0 || (states & all) == all;
}

int
store_requests_list(struct store_tx *tx, unsigned states, const char *key_name, long offset,
    long limit, struct arena *a, struct tsb_request_row **rows, size_t *n, struct tsb_err *err)
{
	struct stmt_arg args[2 * STATE__MAX + 3];
	enum stmt_id id = STMT_REQUEST_LIST;
	size_t used = 0;
	stmt_cursor_auto c = {0};

	_Static_assert(STATE__MAX == 7, "as many places as SEVEN_STATES and EACH_STATE have");
	if (offset < 0)
		offset = 0;
	if (key_name != NULL) {
		id = STMT_REQUEST_LIST_OF_KEY;
		args[used++] = stmt_text(key_name);
		states_fill(args + used, states);
		used += STATE__MAX;
	} else if (!is_every_state(states)) {
		id = STMT_REQUEST_LIST_OF_STATES;
		used = each_state_fill(args, states, NULL, 0, (size_t)offset + (size_t)limit);
	}
	args[used++] = stmt_i64(limit);
	args[used++] = stmt_i64(offset);
	if (stmt_query(tx, id, args, used, &c, err))
		return -1;
	return rows_take(&c, a, rows, n, err);
}

/* ---- pages with all that lists show ---- */

void
store_place_first(struct store_place *place)
{
	place->created_ms = INT64_MAX;
	memset(place->id.b, 0xff, sizeof(place->id.b));
}

int
store_place_of(struct store_tx *tx, const struct tsb_uuid *id, struct store_place *out,
    struct tsb_err *err)
{
	const struct stmt_arg arg = stmt_id(id);
	stmt_cursor_auto c = {0};
	char text[UUID_TEXT];
	bool row = false;

	if (stmt_query(tx, STMT_REQUEST_CREATED, &arg, 1, &c, err) || stmt_next(&c, &row, err))
		return -1;
	if (!row)
		return tsb_fail(err, TSB_E_REQUEST_NOT_EXISTENT, "there is no request %s",
		    uuid_format(id, text));
	out->created_ms = stmt_take_i64(&c);
	out->id = *id;
	return 0;
}

/* The statement for this filter and place, with its arguments. */
static enum stmt_id
page_args(const struct tsb_request_filter *f, const struct store_place *place, size_t limit,
    struct stmt_arg *args, size_t *nargs)
{
	const struct stmt_arg behind[] = {
	    stmt_i64(f->since_ms),
	    stmt_i64(place->created_ms),
	    stmt_i64(place->created_ms),
	    stmt_id(&place->id),
	};
	bool by_state = !f->has_id && f->key_name == NULL && !is_every_state(f->states);
	enum stmt_id id = STMT_REQUEST_PAGE;
	size_t n = 0;

	if (by_state) {
		n = each_state_fill(args, f->states, behind, TSB_COUNT(behind), limit);
		args[n++] = at_most(limit);
		*nargs = n;
		return STMT_REQUEST_PAGE_OF_STATES;
	}
	for (; n < TSB_COUNT(behind); n++)
		args[n] = behind[n];
	if (f->has_id) {
		id = STMT_REQUEST_PAGE_OF_ONE;
		args[n++] = stmt_id(&f->id);
		args[n++] = stmt_text(f->key_name);
	}
	if (f->has_id || f->key_name != NULL) {
		id = f->has_id ? id : STMT_REQUEST_PAGE_OF_KEY;
		args[n++] = stmt_text(f->key_name);
		states_fill(args + n, f->states);
		n += STATE__MAX;
	}
	args[n++] = at_most(limit);
	*nargs = n;
	return id;
}

int
store_requests_page(struct store_tx *tx, const struct tsb_request_filter *f,
    struct store_place *place, size_t limit, struct arena *a, struct tsb_request **rows, size_t *n,
    struct tsb_err *err)
{
	struct stmt_arg args[6 * STATE__MAX + 1];
	stmt_cursor_auto c = {0};
	struct tsb_request *list;
	size_t count, nargs;
	enum stmt_id id = page_args(f, place, limit, args, &nargs);
	bool row = true;

	if (stmt_query(tx, id, args, nargs, &c, err))
		return -1;
	count = stmt_count(&c);
	list = arena_array(a, count + 1, sizeof(*list));
	for (size_t i = 0; i < count; i++)
		if (stmt_next(&c, &row, err) || row_take_request(&c, a, &list[i], err))
			return -1;
	if (count > 0)
		*place = (struct store_place){list[count - 1].created_ms, list[count - 1].id};
	*rows = list;
	*n = count;
	return 0;
}

int
store_requests_next_time(struct store_tx *tx, int64_t *at_ms, struct tsb_err *err)
{
	stmt_cursor_auto c = {0};
	bool row = false;

	if (stmt_query(tx, STMT_REQUEST_NEXT_TIME, NULL, 0, &c, err) || stmt_next(&c, &row, err))
		return -1;
	*at_ms = row ? stmt_take_i64(&c) : 0;
	return 0;
}

/* Tasks and approvals go with their request; the audit stays, it is history. */
int
store_requests_purge(struct store_tx *tx, int64_t before_ms, size_t limit, size_t *n,
    struct tsb_err *err)
{
	const struct stmt_arg args[] = {stmt_i64(before_ms), at_most(limit)};
	arena_auto a = {0};
	struct tsb_uuid *ids;
	struct stmt_arg *cells;
	uint64_t affected = 0;
	size_t count;

	if (ids_of(tx, STMT_REQUEST_OLD, args, TSB_COUNT(args), &a, &ids, &count, err))
		return -1;
	cells = arena_array(&a, 3 * count + 1, sizeof(*cells));
	for (size_t i = 0; i < count; i++) {
		cells[i] = stmt_id(&ids[i]);
		cells[count + 2 * i] = stmt_id(&ids[i]);
		cells[count + 2 * i + 1] = stmt_i64(before_ms);
	}
	if (stmt_bulk(tx, STMT_TASK_DELETE_OF_REQUEST, cells, count, 1, NULL, err) ||
	    stmt_bulk(tx, STMT_APPROVAL_DELETE_OF_REQUEST, cells, count, 1, NULL, err) ||
	    stmt_bulk(tx, STMT_REQUEST_DELETE, cells + count, count, 2, &affected, err))
		return -1;
	*n = (size_t)affected;
	return 0;
}
