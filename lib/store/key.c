#include "lib/first.h"

#include "lib/store/internal.h"
#include "lib/store/rows.h"

int
store_key_attributes_insert(struct store_tx *tx, const struct tsb_key_attributes *row,
    struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_bytes(row->digest, sizeof(row->digest)),
	    stmt_text(row->key_name),
	    stmt_view(row->xml),
	    stmt_view(row->xml_signature),
	    stmt_text(row->attestation_key_name),
	    stmt_i64(row->fetched_ms),
	};
	const struct stmt_arg touch[] = {
	    stmt_i64(row->fetched_ms),
	    stmt_bytes(row->digest, sizeof(row->digest)),
	};
	int r;

	tx->allow = ER_DUP_ENTRY;
	r = stmt_run(tx, STMT_KEY_INSERT, args, TSB_COUNT(args), NULL, err);
	tx->allow = 0;
	if (r == 1)
		r = stmt_run(tx, STMT_KEY_TOUCH, touch, TSB_COUNT(touch), NULL, err);
	return r;
}

/* Columns of an outer join may all be NULL: no digest, then nothing else either. */
bool
row_take_key(struct stmt_cursor *c, struct arena *a, struct tsb_key_attributes *out)
{
	bool found = stmt_take_bytes(c, out->digest, sizeof(out->digest));

	out->key_name = stmt_take_text(c, a);
	out->xml = stmt_take_view(c, a);
	out->xml_signature = stmt_take_view(c, a);
	out->attestation_key_name = stmt_take_text(c, a);
	out->fetched_ms = stmt_take_i64(c);
	return found;
}

int
store_key_attributes_load(struct store_tx *tx, const unsigned char digest[TSB_SHA256],
    struct arena *a, struct tsb_key_attributes *out, bool *found, struct tsb_err *err)
{
	struct stmt_arg arg = stmt_bytes(digest, TSB_SHA256);
	struct tsb_key_attributes row = {0};
	stmt_cursor_auto c = {0};
	bool any = false;

	if (stmt_query(tx, STMT_KEY_LOAD, &arg, 1, &c, err) || stmt_next(&c, &any, err))
		return -1;
	*found = any && row_take_key(&c, a, &row);
	if (*found)
		*out = row;
	return 0;
}
