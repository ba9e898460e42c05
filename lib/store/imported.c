/* Keys that are known by attributes which an offline HSM signed (profile air-gapped). */
#include "lib/first.h"

#include "lib/store/internal.h"

static int
imported_take(struct stmt_cursor *c, struct arena *a, struct tsb_imported_key *row,
    struct tsb_err *err)
{
	row->key_name = stmt_take_text(c, a);
	if (!stmt_take_bytes(c, row->attributes_digest, sizeof(row->attributes_digest)))
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the database has an imported key with a broken digest");
	row->attest_time = stmt_take_i64(c);
	row->imported_ms = stmt_take_i64(c);
	row->certificate = stmt_take_view(c, a);
	return 0;
}

int
store_imported_find(struct store_tx *tx, const char *key_name, bool for_update, struct arena *a,
    struct tsb_imported_key *out, bool *found, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_text(key_name);
	struct tsb_imported_key row = {0};
	stmt_cursor_auto c = {0};
	bool any = false;

	if (stmt_query(tx, for_update ? STMT_IMPORTED_LOCK : STMT_IMPORTED_LOAD, &arg, 1, &c,
		err) ||
	    stmt_next(&c, &any, err) || (any && imported_take(&c, a, &row, err)))
		return -1;
	*found = any;
	if (any)
		*out = row;
	return 0;
}

int
store_imported_insert(struct store_tx *tx, const struct tsb_imported_key *row, bool *fresh,
    struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_text(row->key_name),
	    stmt_bytes(row->attributes_digest, sizeof(row->attributes_digest)),
	    stmt_i64(row->attest_time),
	    stmt_i64(row->imported_ms),
	    stmt_view(row->certificate),
	};
	int r;

	tx->allow = ER_DUP_ENTRY;
	r = stmt_run(tx, STMT_IMPORTED_INSERT, args, TSB_COUNT(args), NULL, err);
	tx->allow = 0;
	if (r < 0)
		return -1;
	*fresh = r == 0;
	return 0;
}

int
store_imported_renew(struct store_tx *tx, const struct tsb_imported_key *row,
    const unsigned char before[TSB_SHA256], bool *renewed, struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_bytes(row->attributes_digest, sizeof(row->attributes_digest)),
	    stmt_i64(row->attest_time),
	    stmt_i64(row->imported_ms),
	    stmt_view(row->certificate),
	    stmt_text(row->key_name),
	    stmt_bytes(before, TSB_SHA256),
	    stmt_i64(row->attest_time),
	};
	uint64_t affected;

	if (stmt_run(tx, STMT_IMPORTED_RENEW, args, TSB_COUNT(args), &affected, err))
		return -1;
	*renewed = affected == 1;
	return 0;
}

int
store_imported_certify(struct store_tx *tx, const struct tsb_imported_key *row,
    struct tsb_view certificate, bool *changed, struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_view(certificate),
	    stmt_text(row->key_name),
	    stmt_bytes(row->attributes_digest, sizeof(row->attributes_digest)),
	    stmt_view(row->certificate),
	};
	uint64_t affected;

	if (stmt_run(tx, STMT_IMPORTED_CERTIFY, args, TSB_COUNT(args), &affected, err))
		return -1;
	*changed = affected == 1;
	return 0;
}

int
store_imported_forget(struct store_tx *tx, const struct tsb_imported_key *row, bool *changed,
    struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_text(row->key_name),
	    stmt_bytes(row->attributes_digest, sizeof(row->attributes_digest)),
	};
	uint64_t affected;

	if (stmt_run(tx, STMT_IMPORTED_FORGET, args, TSB_COUNT(args), &affected, err))
		return -1;
	*changed = affected == 1;
	return 0;
}

int
store_imported_list(struct store_tx *tx, struct arena *a, const char ***names, size_t *n,
    struct tsb_err *err)
{
	stmt_cursor_auto c = {0};
	const char **list;
	bool row = true;
	size_t count;

	if (stmt_query(tx, STMT_IMPORTED_LIST, NULL, 0, &c, err))
		return -1;
	count = stmt_count(&c);
	list = arena_array(a, count + 1, sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		if (stmt_next(&c, &row, err))
			return -1;
		list[i] = stmt_take_text(&c, a);
	}
	*names = list;
	*n = count;
	return 0;
}
