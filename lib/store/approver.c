/* Approvers whose keys the broker made (api-notes.md 10). */
#include "lib/first.h"

#include <string.h>

#include "lib/base/str.h"
#include "lib/store/internal.h"

static const char *
state_name(const struct tsb_approver *row)
{
	return row->onboarded ? "ONBOARDED" : "PENDING";
}

int
store_approver_insert(struct store_tx *tx, const struct tsb_approver *row, struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_text(row->name),
	    stmt_text(state_name(row)),
	    stmt_u64(row->version),
	    stmt_view(row->certificate),
	    stmt_view(row->container),
	    stmt_view(row->backup),
	    stmt_view(row->wrapped_key),
	    stmt_bytes(row->backup_key, sizeof(row->backup_key)),
	    stmt_view(row->code_salt),
	    stmt_view(row->code_hash),
	    stmt_i64(row->code_expires_ms),
	    stmt_i64(row->code_tries),
	    stmt_i64(row->wrong_tries),
	    stmt_i64(row->wrong_since_ms),
	    stmt_i64(row->created_ms),
	    stmt_i64(row->changed_ms),
	    stmt_i64(row->restored_ms),
	};
	int r;

	tx->allow = ER_DUP_ENTRY;
	r = stmt_run(tx, STMT_APPROVER_INSERT, args, TSB_COUNT(args), NULL, err);
	tx->allow = 0;
	if (r == 1)
		return tsb_fail(err, TSB_E_APPROVER_EXISTS, "approverName: '%.255s' exists",
		    row->name);
	return r;
}

static int
state_take(struct stmt_cursor *c, struct arena *a, struct tsb_approver *row, struct tsb_err *err)
{
	const char *state = stmt_take_text(c, a);

	row->onboarded = tsb_streq(state, "ONBOARDED");
	if (!row->onboarded && !tsb_streq(state, "PENDING"))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database has an approver in unknown state");
	return 0;
}

static int
approver_take(struct stmt_cursor *c, struct arena *a, struct tsb_approver *row, struct tsb_err *err)
{
	row->name = stmt_take_text(c, a);
	if (state_take(c, a, row, err))
		return -1;
	row->version = stmt_take_u64(c);
	row->certificate = stmt_take_view(c, a);
	row->container = stmt_take_view(c, a);
	row->backup = stmt_take_view(c, a);
	row->wrapped_key = stmt_take_view(c, a);
	if (!stmt_take_bytes(c, row->backup_key, sizeof(row->backup_key)))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database has an approver with a broken digest");
	row->code_salt = stmt_take_view(c, a);
	row->code_hash = stmt_take_view(c, a);
	row->code_expires_ms = stmt_take_i64(c);
	row->code_tries = (uint32_t)stmt_take_i64(c);
	row->wrong_tries = (uint32_t)stmt_take_i64(c);
	row->wrong_since_ms = stmt_take_i64(c);
	row->created_ms = stmt_take_i64(c);
	row->changed_ms = stmt_take_i64(c);
	row->restored_ms = stmt_take_i64(c);
	return 0;
}

int
store_approver_find(struct store_tx *tx, const char *name, bool for_update, struct arena *a,
    struct tsb_approver *out, bool *found, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_text(name);
	struct tsb_approver row = {0};
	stmt_cursor_auto c = {0};
	bool any = false;

	if (stmt_query(tx, for_update ? STMT_APPROVER_LOCK : STMT_APPROVER_LOAD, &arg, 1, &c,
		err) ||
	    stmt_next(&c, &any, err) || (any && approver_take(&c, a, &row, err)))
		return -1;
	*found = any;
	if (any)
		*out = row;
	return 0;
}

int
store_approver_load(struct store_tx *tx, const char *name, bool for_update, struct arena *a,
    struct tsb_approver *out, struct tsb_err *err)
{
	bool found;

	if (store_approver_find(tx, name, for_update, a, out, &found, err))
		return -1;
	if (!found)
		return tsb_fail(err, TSB_E_APPROVER_UNKNOWN, "approverName: there is no '%.255s'",
		    name);
	return 0;
}

int
store_approvers_list(struct store_tx *tx, struct arena *a, struct tsb_approver **rows, size_t *n,
    struct tsb_err *err)
{
	stmt_cursor_auto c = {0};
	struct tsb_approver *list;
	size_t count;
	bool row = true;

	if (stmt_query(tx, STMT_APPROVER_LIST, NULL, 0, &c, err))
		return -1;
	count = stmt_count(&c);
	list = arena_array(a, count + 1, sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		if (stmt_next(&c, &row, err))
			return -1;
		list[i].name = stmt_take_text(&c, a);
		if (state_take(&c, a, &list[i], err))
			return -1;
		list[i].certificate = stmt_take_view(&c, a);
	}
	*rows = list;
	*n = count;
	return 0;
}

/* ---- changes ---- */

static int
raced(struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_SUBSYSTEM,
	    "the approver was changed at the same time, try again");
}

int
store_approver_change(struct store_tx *tx, struct tsb_approver *row, struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_text(state_name(row)),
	    stmt_view(row->container),
	    stmt_view(row->backup),
	    stmt_view(row->wrapped_key),
	    stmt_bytes(row->backup_key, sizeof(row->backup_key)),
	    stmt_view(row->code_salt),
	    stmt_view(row->code_hash),
	    stmt_i64(row->code_expires_ms),
	    stmt_i64(row->code_tries),
	    stmt_i64(row->wrong_tries),
	    stmt_i64(row->wrong_since_ms),
	    stmt_i64(row->changed_ms),
	    stmt_i64(row->restored_ms),
	    stmt_text(row->name),
	    stmt_u64(row->version),
	};
	uint64_t affected = 0;

	if (stmt_run(tx, STMT_APPROVER_CHANGE, args, TSB_COUNT(args), &affected, err))
		return -1;
	if (affected != 1)
		return raced(err);
	row->version++;
	return 0;
}

int
store_approver_delete(struct store_tx *tx, const struct tsb_approver *row, struct tsb_err *err)
{
	const struct stmt_arg args[] = {stmt_text(row->name), stmt_u64(row->version)};
	uint64_t affected = 0;

	if (stmt_run(tx, STMT_APPROVER_DELETE, args, TSB_COUNT(args), &affected, err))
		return -1;
	return affected == 1 ? 0 : raced(err);
}
