#include "lib/first.h"

#include <string.h>

#include "lib/flow/evaluate.h"
#include "lib/flow/recover.h"
#include "lib/model/content.h"
#include "lib/wire/wire.h"

/*
 * Blocking, unblocking, modifying and unwrapping happen once. When an attempt was interrupted
 * between the call and its record, the key's attributes tell whether it happened: they show its
 * effect, or they are still those from before the attempt. Where they show neither, somebody else
 * changed the key, and repeating could undo that.
 */

static bool
makes_key(const struct flow_execution *x)
{
	return tsb_kinds[x->request.kind].effect == EFFECT_NEW_KEY;
}

/* What the approvals bind, as the token says it. */
static int
requested_content(const struct tsb_request *rq, struct tsb_view *content, struct tsb_err *err)
{
	struct ska_approval_token token;

	*content = tsb_view_of(NULL, 0);
	if (tsb_kinds[rq->kind].content == CONTENT_NONE)
		return 0;
	if (ska_approval_token_parse(rq->token, &token, err))
		return -1;
	*content = token.payload;
	return 0;
}

int
flow_recover_ask(struct flow_execution *x, struct tsb_err *err)
{
	struct ska_unwrap_payload made;
	struct tsb_view content;

	x->order.type = HSM_ORDER_LOOK;
	if (!makes_key(x))
		return 0;
	if (requested_content(&x->request, &content, err) ||
	    ska_unwrap_payload_parse(content, &made, err))
		return -1;
	x->order.key_name = arena_strn(&x->arena, made.label.p, made.label.n);
	x->order.password = tsb_view_of(NULL, 0);
	return 0;
}

int
flow_recover_find(struct flow_execution *x, const struct hsm_answer *answer,
    enum flow_finding *found, struct tsb_err *err)
{
	const struct tsb_request *rq = &x->request;
	struct tsb_view content;
	struct keyattr key;
	bool shows;

	if (answer->outcome != HSM_DID_IT) {
		*err = answer->why;
		if (!makes_key(x) || err->code != TSB_E_KEY_NOT_EXISTENT)
			return -1;
		*found = FOUND_NOT_DONE;
		return 0;
	}
	if (keyattr_parse(answer->attributes.xml, &x->arena, &key, err) ||
	    requested_content(rq, &content, err) ||
	    tsb_effect_shows(rq->kind, &key, content, flow_request_t0(rq), &shows, err))
		return -1;
	if (shows)
		*found = FOUND_DONE;
	else if (!makes_key(x) &&
	    memcmp(answer->attributes.digest, rq->plan_digest, TSB_SHA256) == 0)
		*found = FOUND_NOT_DONE;
	else
		*found = FOUND_UNKNOWN;
	return 0;
}
