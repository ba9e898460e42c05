/* Operations that the HSM does at once. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "fcgi/forward.h"
#include "fcgi/trace.h"
#include "lib/base/str.h"
#include "lib/flow/plan.h"
#include "lib/wire/wire.h"

/* What is done to a key; NULL: it is used only. */
static const char *
deed_of(enum tsb_effect effect)
{
	switch (effect) {
	case EFFECT_SIGNATURE:
	case EFFECT_PLAIN_TEXT:
	case EFFECT_CERTIFICATE:
	case EFFECT_CODE:
		return NULL;
	case EFFECT_BLOCKED:
		return "block key";
	case EFFECT_UNBLOCKED:
		return "unblock key";
	case EFFECT_POLICY:
		return "modify key";
	case EFFECT_NEW_KEY:
		return "import key";
	}
	return NULL;
}

int
api_synchronous(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	enum tsb_kind kind = web_route_arg(rq);
	struct hsm_pass what = {.what = HSM_PASS_SYNCHRONOUS, .kind = kind};
	struct flow_deed deed = {.action = deed_of(tsb_kinds[kind].effect)};
	struct wire_synchronous_in in;

	if (wire_synchronous_parse(kind, rq->body, rq->arena, &in, err) ||
	    (in.request.policy != NULL &&
		fcgi_policy_check(app, rq, in.request.policy, tsb_kinds[kind].envelope,
		    tsb_kinds[kind].content != CONTENT_POLICY, err)) ||
	    fcgi_payload_settle(rq, tsb_kinds[kind].envelope, in.request.payload_type,
		in.request.payload, err) ||
	    wire_compact(rq->body, rq->arena, &what.body, err))
		return -1;
	what.asked = in.request.envelope;
	if (deed.action == NULL)
		return fcgi_forward(app, reply, &what, err);
	deed.key_name = in.request.key_name;
	if (tsb_kinds[kind].effect == EFFECT_NEW_KEY) {
		deed.key_name = in.request.unwrap.label;
		deed.detail = in.request.key_name;
	}
	if (fcgi_do(app, rq, reply, &deed, &what, err))
		return -1;
	if (tsb_kinds[kind].effect == EFFECT_POLICY)
		flow_key_changed(app, in.request.key_name, in.request.key_password);
	return 0;
}

int
api_verify(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_verify in;

	if (wire_is_hmac_verify(rq->body, rq->arena))
		return api_hmac_verify(app, rq, reply, err);
	if (wire_verify_parse(rq->body, rq->arena, &in, err) ||
	    fcgi_payload_settle(rq, "verifySignatureRequest", in.payload_type, in.payload, err))
		return -1;
	return fcgi_forward_body(app, rq, reply, HSM_PASS_VERIFY, err);
}

int
api_hmac(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_hmac in;

	if (wire_hmac_parse(rq->body, rq->arena, &in, err))
		return -1;
	return fcgi_forward_body(app, rq, reply, HSM_PASS_HMAC, err);
}

int
api_hmac_verify(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_hmac in;

	if (wire_hmac_verify_parse(rq->body, rq->arena, &in, err))
		return -1;
	return fcgi_forward_body(app, rq, reply, HSM_PASS_HMAC_VERIFY, err);
}

int
api_rfc_timestamp(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_rfc_timestamp in;

	if (wire_rfc_timestamp_parse(rq->body, rq->arena, &in, err))
		return -1;
	return fcgi_forward_body(app, rq, reply, HSM_PASS_RFC_TIMESTAMP, err);
}

int
api_random(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const char *text = (const char *)rq->param[0].p;
	struct hsm_pass what = {.what = HSM_PASS_RANDOM};

	if (!tsb_str_to_long(text, -1000000000L, 1000000000L, &what.length))
		return tsb_fail(err, TSB_E_INPUT, "length must be a whole number of bytes");
	if (what.length < 1 || what.length > 65536)
		return tsb_fail(err, TSB_E_NUMBER_RANGE, "length must be from 1 to 65536 bytes");
	return fcgi_forward(app, reply, &what, err);
}

int
api_encrypt(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_encrypt in;

	if (wire_encrypt_parse(rq->body, rq->arena, &in, err))
		return -1;
	return fcgi_forward_body(app, rq, reply, HSM_PASS_ENCRYPT, err);
}

int
api_wrap(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct flow_deed deed = {.action = "export key"};
	struct wire_wrap in;

	if (wire_wrap_parse(rq->body, rq->arena, &in, err))
		return -1;
	deed.key_name = in.key_to_wrap;
	deed.detail = in.key_name;
	return fcgi_do_body(app, rq, reply, &deed, HSM_PASS_WRAP, err);
}
