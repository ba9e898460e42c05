/*
 * Calls that the HSM serves: a handler checks them, and they are passed on as the caller wrote
 * them.
 */
#include "lib/first.h"

#include "fcgi/forward.h"
#include "lib/flow/hsmcall.h"
#include "lib/flow/policy.h"
#include "lib/wire/wire.h"

int
fcgi_forward(void *app, struct web_reply *reply, const struct hsm_pass *what, struct tsb_err *err)
{
	struct hsm_reply answer = {0};
	int rc = flow_hsm_pass(app, what, &answer, err);

	if (rc == 0) {
		reply->status = answer.status;
		tsb_bytes_add_view(&reply->body, tsb_view_bytes(&answer.body));
	}
	hsm_reply_clear(&answer);
	return rc;
}

int
fcgi_forward_body(void *app, struct web_request *rq, struct web_reply *reply,
    enum hsm_passage passage, struct tsb_err *err)
{
	struct hsm_pass what = {.what = passage};

	if (wire_compact(rq->body, rq->arena, &what.body, err))
		return -1;
	return fcgi_forward(app, reply, &what, err);
}

int
fcgi_payload_settle(struct web_request *rq, const char *envelope, const char *payload_type,
    struct tsb_view payload, struct tsb_err *err)
{
	tsb_bytes_auto body = {0};
	struct tsb_view compact;

	if (!wire_payload_is_hex(payload_type))
		return 0;
	if (wire_compact(rq->body, rq->arena, &compact, err))
		return -1;
	wire_payload_replace_in(compact, envelope, payload, &body);
	rq->body = arena_view(rq->arena, tsb_view_bytes(&body));
	return 0;
}

int
fcgi_policy_check(void *app, struct web_request *rq, struct ska_policy *policy,
    const char *envelope, bool with_status, struct tsb_err *err)
{
	tsb_bytes_auto body = {0};
	struct tsb_view compact, object;
	bool named;

	if (flow_policy_check(app, policy, rq->arena, &named, err) ||
	    wire_compact(rq->body, rq->arena, &compact, err))
		return -1;
	object = compact;
	if (envelope != NULL && !wire_member_text(compact, envelope, &object))
		return 0;
	if (!named && wire_policy_has_status(object) == with_status)
		return 0;
	if (envelope != NULL)
		wire_policy_replace_in(compact, envelope, policy, with_status, &body);
	else
		wire_policy_replace(compact, policy, with_status, &body);
	rq->body = arena_view(rq->arena, tsb_view_bytes(&body));
	return 0;
}
