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

#define AUDIT_CELLS 11

int
store_audits_insert(struct store_tx *tx, const struct store_audit *rows, size_t n,
    struct tsb_err *err)
{
	arena_auto a = {0};
	struct stmt_arg *cells = arena_array(&a, n * AUDIT_CELLS, sizeof(*cells)), *c = cells;
	struct tsb_uuid *ids = arena_array(&a, n, sizeof(*ids));

	for (size_t i = 0; i < n; i++) {
		ids[i] = tx->marked || i > 0 ? uuid_new() : tx->mark;
		*c++ = stmt_id(&ids[i]);
		*c++ = stmt_i64(tx->run);
		*c++ = stmt_id(rows[i].request_id);
		*c++ = stmt_text(rows[i].action);
		*c++ = cut(rows[i].actor == NULL ? "" : rows[i].actor, ACTOR_MAX);
		*c++ = stmt_text(rows[i].from);
		*c++ = stmt_text(rows[i].to);
		*c++ = cut(rows[i].detail, DETAIL_MAX);
		*c++ = cut(tx->store->caller, CALLER_MAX);
		*c++ = cut(tx->store->address, ADDRESS_MAX);
		*c++ = cut(rows[i].key_name, KEY_NAME_MAX);
	}
	if (stmt_each(tx, STMT_AUDIT_INSERT, cells, n, AUDIT_CELLS, NULL, err))
		return -1;
	tx->marked |= n > 0;
	return 0;
}

int
store_audit_insert(struct store_tx *tx, const struct store_audit *row, struct tsb_err *err)
{
	return store_audits_insert(tx, row, 1, err);
}
