#include "lib/first.h"

#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/store/internal.h"

/*
 * Widths of the columns: what is longer is cut, an audit row must never be refused for its length.
 */
#define ACTOR_MAX    255
#define DETAIL_MAX   2000
#define CALLER_MAX   512
#define ADDRESS_MAX  64
#define KEY_NAME_MAX 1024

static struct stmt_arg
cut(const char *text, size_t most)
{
	struct stmt_arg a = stmt_text(text);

	if (a.bytes.n > most)
		a.bytes.n = most;
	return a;
}

void
store_caller(struct store *s, const char *caller, const char *address)
{
	free(s->caller);
	free(s->address);
	s->caller = caller == NULL ? NULL : tsb_strdup(caller);
	s->address = address == NULL ? NULL : tsb_strdup(address);
}

int
store_audit_insert(struct store_tx *tx, const struct store_audit *row, struct tsb_err *err)
{
	struct tsb_uuid id = tx->marked ? uuid_new() : tx->mark;
	const struct stmt_arg args[] = {
	    stmt_id(&id),
	    stmt_i64(tx->run),
	    stmt_id(row->request_id),
	    stmt_text(row->action),
	    cut(row->actor == NULL ? "" : row->actor, ACTOR_MAX),
	    stmt_text(row->from),
	    stmt_text(row->to),
	    cut(row->detail, DETAIL_MAX),
	    cut(tx->store->caller, CALLER_MAX),
	    cut(tx->store->address, ADDRESS_MAX),
	    cut(row->key_name, KEY_NAME_MAX),
	};

	if (stmt_run(tx, STMT_AUDIT_INSERT, args, TSB_COUNT(args), NULL, err))
		return -1;
	tx->marked = true;
	return 0;
}
