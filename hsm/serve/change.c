/*
 * Block, unblock, modify (api-notes.md 8.1). What counts is the rule in the policy that the key has
 * at this moment, under the key's lock: the second of two changes is enforced by what the first one
 * left.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/base/hook.h"
#include "lib/base/log.h"
#include "lib/model/content.h"

#include "hsm/key/done.h"
#include "hsm/key/policy.h"
#include "hsm/serve/access.h"

struct change {
	struct hsm_app *app;
	struct web_request *rq;
	struct wire_synchronous_in in;
	struct tsb_view payload; /* that approvals are over */
	bool repeated;
};

static bool
set_blocked(struct hsm_key *k, bool blocked)
{
	bool changed = k->policy.blocked != blocked;

	k->policy.blocked = blocked;
	return changed;
}

/* The policy of a request does not say whether the key is blocked. */
static bool
set_policy(struct hsm_key *k, const struct change *c)
{
	tsb_bytes_auto before = {0};

	ska_policy_format(&k->policy, &before);
	memcpy(k->policy.rule, c->in.request.policy->rule, sizeof(k->policy.rule));
	return !tsb_view_eq(tsb_view_bytes(&before), c->payload);
}

/* False when the key was so already. */
static bool
apply(struct hsm_key *k, const struct change *c)
{
	switch (tsb_kinds[c->in.request.kind].operation) {
	case OP_USE: /* no route asks for it */
		break;
	case OP_BLOCK:
		return set_blocked(k, true);
	case OP_UNBLOCK:
		return set_blocked(k, false);
	case OP_MODIFY:
		return set_policy(k, c);
	}
	return false;
}

static int
change_key(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	struct change *c = arg;
	const struct wire_synchronous_in *in = &c->in;
	bool changed;

	if (access_check_policy(k, err))
		return -1;
	c->repeated = done_before(k, tsb_kinds[in->request.kind].operation, c->payload,
	    in->signed_approvals, in->napprovals);
	if ((c->repeated ? access_enforce_repeat : access_enforce)(c->app, c->rq, k, in, c->payload,
		err) ||
	    key_check_password(k, in->request.key_password, err))
		return -1;
	if (c->repeated)
		return 1;
	changed = apply(k, c);
	return done_keep(k, in->signed_approvals, in->napprovals, changed) || changed ? 0 : 1;
}

/* Approvers of a modification see and sign the new policy in its binary form. */
static int
make_payload(struct change *c, struct tsb_err *err)
{
	struct ska_policy *policy = c->in.request.policy;

	if (policy != NULL && key_policy_check(policy, c->rq->arena, err))
		return -1;
	c->payload = tsb_content_bytes(&c->in.request, c->rq->arena);
	return 0;
}

int
serve_change(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct change c = {.app = app, .rq = rq};
	enum tsb_kind kind = web_route_arg(rq);
	hsm_key_auto *k = NULL;

	if (wire_synchronous_parse(kind, rq->body, rq->arena, &c.in, err) ||
	    access_find(app, tsb_view_str(c.in.request.key_name), &k, err) ||
	    access_check_stored(k, err) || make_payload(&c, err) ||
	    keystore_change(app->ks, tsb_view_str(k->label), change_key, &c, err))
		return -1;
	access_log(rq, c.repeated ? "change known already" : tsb_kinds[kind].name, k, NULL,
	    c.payload, c.in.napprovals);
	(void)hook_fault(arena_printf(rq->arena, "hsm.%s.executed", tsb_kinds[kind].name));
	return 0;
}
