/* Keys of the HSM that this broker made for backups of approvers. */
#include "lib/first.h"

#include "lib/store/internal.h"

static const unsigned char intended[TSB_SHA256];

int
store_backup_key_find(struct store_tx *tx, const char *label,
    const unsigned char spki_sha256[TSB_SHA256], bool *made, struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_bytes(spki_sha256 != NULL ? spki_sha256 : intended, TSB_SHA256),
	    stmt_text(label),
	};
	stmt_cursor_auto c = {0};

	return stmt_query(tx, STMT_BACKUP_KEY_FIND, args, TSB_COUNT(args), &c, err) ||
		stmt_next(&c, made, err)
	    ? -1
	    : 0;
}

static int
insert(struct store_tx *tx, const char *label, const unsigned char spki_sha256[TSB_SHA256],
    int64_t now_ms, struct tsb_err *err)
{
	const struct stmt_arg args[] = {
	    stmt_bytes(spki_sha256, TSB_SHA256),
	    stmt_text(label),
	    stmt_i64(now_ms),
	};

	return stmt_run(tx, STMT_BACKUP_KEY_INSERT, args, TSB_COUNT(args), NULL, err);
}

int
store_backup_key_intend(struct store_tx *tx, const char *label, int64_t now_ms, struct tsb_err *err)
{
	return insert(tx, label, intended, now_ms, err);
}

int
store_backup_key_made(struct store_tx *tx, const char *label,
    const unsigned char spki_sha256[TSB_SHA256], int64_t now_ms, struct tsb_err *err)
{
	const struct stmt_arg args[] = {stmt_bytes(intended, TSB_SHA256), stmt_text(label)};

	return insert(tx, label, spki_sha256, now_ms, err)
	    ? -1
	    : stmt_run(tx, STMT_BACKUP_KEY_DELETE, args, TSB_COUNT(args), NULL, err);
}
