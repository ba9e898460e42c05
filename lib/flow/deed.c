#include "lib/first.h"

#include "lib/base/log.h"
#include "lib/flow/deed.h"

/* States of a deed; the first is written before it, one of the others behind it. */
#define BEGUN  "BEGUN"
#define DONE   "DONE"
#define FAILED "FAILED"
#define OPEN   "UNKNOWN" /* no answer came: the HSM may have done it */

static int
row_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	return store_audit_insert(tx, ctx, err);
}

static int
row_write(struct flow *f, const struct store_audit *row, struct tsb_err *err)
{
	struct store_audit own = *row;

	if (!f->conf->db_enabled)
		return 0;
	return store_transact(f->store, "audit", row_body, &own, err);
}

int
flow_deed_begin(struct flow *f, const struct flow_deed *deed, struct tsb_err *err)
{
	const struct store_audit row = {
	    .action = deed->action,
	    .actor = deed->actor,
	    .to = BEGUN,
	    .key_name = deed->key_name,
	    .detail = deed->detail,
	};

	log_info("%s '%s'", deed->action, deed->key_name);
	return row_write(f, &row, err);
}

void
flow_deed_end(struct flow *f, const struct flow_deed *deed, const struct tsb_err *why)
{
	char number[16] = "";
	const struct store_audit row = {
	    .action = deed->action,
	    .actor = deed->actor,
	    .from = BEGUN,
	    .to = why == NULL                     ? DONE
		: why->code == TSB_E_CONNECTIVITY ? OPEN
						  : FAILED,
	    .key_name = deed->key_name,
	    .detail = why == NULL ? deed->detail : number,
	};
	struct tsb_err err = {0};

	if (why != NULL)
		snprintf(number, sizeof(number), "%d", tsb_err_number(why->code));
	if (row_write(f, &row, &err))
		log_failure(LOG_ERROR, "audit of what was done to a key", &err);
}

void
flow_caller(struct flow *f, const char *caller, const char *address)
{
	store_caller(f->store, caller, address);
}

int
flow_refused(struct flow *f, const char *actor, const char *call, struct tsb_err *err)
{
	const struct store_audit row = {.action = "refuse", .actor = actor, .detail = call};

	return row_write(f, &row, err);
}
