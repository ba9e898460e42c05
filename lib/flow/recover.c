#include "lib/first.h"

#include <string.h>

#include "lib/flow/evaluate.h"
#include "lib/flow/recover.h"
#include "lib/wire/wire.h"

/*
 * Blocking, unblocking, modifying and unwrapping happen once. When an attempt was interrupted
 * between the call and its record, the key's attributes tell whether it happened: they show its
 * effect, or they are still those from before the request. Where they show neither, somebody else
 * changed the key, and repeating could undo that.
 */

static int
requested_policy(const struct tsb_request *rq, struct arena *a, struct tsb_view *policy,
    struct tsb_err *err)
{
	struct ska_approval_token token;

	if (ska_approval_token_parse(rq->token, &token, err))
		return -1;
	*policy = token.payload;
	return 0;
}

/* The new key of an unwrap request, as the token's payload describes it. */
static int
requested_key(const struct tsb_request *rq, struct ska_unwrap_payload *payload, struct tsb_err *err)
{
	struct ska_approval_token token;

	if (ska_approval_token_parse(rq->token, &token, err))
		return -1;
	return ska_unwrap_payload_parse(token.payload, payload, err);
}

int
flow_recover_ask(struct flow_execution *x, struct tsb_err *err)
{
	struct ska_unwrap_payload made;

	x->order.type = HSM_ORDER_LOOK;
	if (x->request.kind != KIND_UNWRAP)
		return 0;
	if (requested_key(&x->request, &made, err))
		return -1;
	x->order.key_name = arena_strn(&x->arena, made.label.p, made.label.n);
	x->order.password = tsb_view_of(NULL, 0);
	return 0;
}

/* The effect of the request shows in the attributes. */
static int
shows_effect(struct flow_execution *x, const struct keyattr *k, bool *shows, struct tsb_err *err)
{
	tsb_bytes_auto have = {0};
	struct ska_unwrap_payload made;
	struct tsb_view want;

	*shows = false;
	switch (x->request.kind) {
	case KIND_BLOCK:
		*shows = k->has_policy && k->policy.blocked;
		return 0;
	case KIND_UNBLOCK:
		*shows = k->has_policy && !k->policy.blocked;
		return 0;
	case KIND_MODIFY:
		if (!k->has_policy || requested_policy(&x->request, &x->arena, &want, err))
			return k->has_policy ? -1 : 0;
		ska_policy_format(&k->policy, &have);
		*shows = tsb_view_eq(tsb_view_bytes(&have), want);
		return 0;
	case KIND_UNWRAP:
		/*
		 * there was no key of this name when the request was made; one is not yet this one
		 */
		if (requested_key(&x->request, &made, err))
			return -1;
		*shows = k->create_time >= flow_request_t0(&x->request) &&
		    ska_unwrap_fits(&made, k->flag);
		return 0;
	default:
		return tsb_fail(err, TSB_E_IMPL, "%s needs no recovery",
		    tsb_kinds[x->request.kind].name);
	}
}

int
flow_recover_find(struct flow_execution *x, const struct hsm_answer *answer,
    enum flow_finding *found, struct tsb_err *err)
{
	const struct tsb_request *rq = &x->request;
	struct keyattr key;
	bool shows;

	if (answer->outcome != HSM_DID_IT) {
		*err = answer->why;
		if (rq->kind != KIND_UNWRAP || err->code != TSB_E_KEY_NOT_EXISTENT)
			return -1;
		*found = FOUND_NOT_DONE;
		return 0;
	}
	if (keyattr_parse(answer->attributes.xml, &x->arena, &key, err) ||
	    shows_effect(x, &key, &shows, err))
		return -1;
	if (shows)
		*found = FOUND_DONE;
	else if (rq->kind != KIND_UNWRAP &&
	    memcmp(answer->attributes.digest, rq->attributes_digest, TSB_SHA256) == 0)
		*found = FOUND_NOT_DONE;
	else
		*found = FOUND_UNKNOWN;
	return 0;
}
