#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include "fcgi/forward.h"
#include "fcgi/trace.h"
#include "lib/base/log.h"
#include "lib/wire/wire.h"

/*
 * Whoever has no key must not fill the disk with rows: a worker writes so many in a minute, and
 * counts the others. Callers whom the broker knows do not stand in line behind those it does not.
 */
#define ROWS_PER_MINUTE 30
#define MINUTE_MS       60000

struct quota {
	int64_t since_ms;
	unsigned written, left_out;
};

/* False: this one is only counted. *before: how many were since the last row. */
static bool
quota_take(struct quota *q, int64_t now_ms, unsigned *before)
{
	if (now_ms - q->since_ms >= MINUTE_MS || now_ms < q->since_ms) {
		q->since_ms = now_ms;
		q->written = 0;
	}
	if (q->written >= ROWS_PER_MINUTE) {
		q->left_out++;
		return false;
	}
	q->written++;
	*before = q->left_out;
	q->left_out = 0;
	return true;
}

/* The row of the table, not the path as sent: what a stranger writes stays out of the audit. */
static void
refused_call(struct flow *f, const struct web_request *rq)
{
	static struct quota quotas[2]; /* of strangers, and of callers with another role */
	const char *has = web_roles_proven(rq->roles, rq->arena);
	struct quota *q = &quotas[*has != '\0'];
	tsb_bytes_auto text = {0};
	struct tsb_err err = {0};
	unsigned before;

	if (!quota_take(q, rq->now_ms, &before))
		return;
	tsb_bytes_addf(&text, "%s %s", web_verb_name(rq->route->verb), rq->route->pattern);
	if (before > 0)
		tsb_bytes_addf(&text, " (%u others before it have no row)", before);
	if (flow_refused(f, has, tsb_bytes_cstr(&text), &err) == 0)
		return;
	/* a database that is away holds up one of these calls a minute, not all */
	q->written = ROWS_PER_MINUTE;
	log_failure(LOG_WARN, "audit of a refused call", &err);
}

void
fcgi_called(void *app, const struct web_request *rq, const struct tsb_err *refused)
{
	flow_caller(app, rq->caller, rq->address);
	if (refused != NULL)
		refused_call(app, rq);
}

int
fcgi_do(void *app, const struct web_request *rq, struct web_reply *reply,
    const struct flow_deed *deed, const struct hsm_pass *what, struct tsb_err *err)
{
	struct flow_deed own = *deed;
	int rc;

	own.actor = rq->role;
	if (flow_deed_begin(app, &own, err))
		return -1;
	rc = fcgi_forward(app, reply, what, err);
	flow_deed_end(app, &own, rc == 0 ? NULL : err);
	return rc;
}

int
fcgi_do_body(void *app, const struct web_request *rq, struct web_reply *reply,
    const struct flow_deed *deed, enum hsm_passage passage, struct tsb_err *err)
{
	struct hsm_pass what = {.what = passage};

	if (wire_compact(rq->body, rq->arena, &what.body, err))
		return -1;
	return fcgi_do(app, rq, reply, deed, &what, err);
}
