#include "lib/first.h"

#include "lib/store/internal.h"

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
