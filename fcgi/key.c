/* What the HSM does itself: checked here, passed on as the caller wrote it. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/flow/ending.h"
#include "lib/flow/hsmcall.h"
#include "lib/flow/policy.h"
#include "lib/wire/wire.h"

/* ---- passing ---- */

static int
pass(void *app, struct web_reply *reply, const struct hsm_pass *what, struct tsb_err *err)
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

/* The compact text is what was checked: no second reading of the same bytes. */
static int
pass_body(void *app, struct web_request *rq, struct web_reply *reply, enum hsm_passage passage,
    struct tsb_err *err)
{
	struct hsm_pass what = {.what = passage};

	if (wire_compact(rq->body, rq->arena, &what.body, err))
		return -1;
	return pass(app, reply, &what, err);
}

int
fcgi_policy_check(void *app, struct web_request *rq, struct ska_policy *policy,
    const char *envelope, bool with_status, struct tsb_err *err)
{
	tsb_bytes_auto body = {0};
	struct tsb_view compact;
	bool named;

	if (flow_policy_check(app, policy, rq->arena, &named, err))
		return -1;
	if (!named)
		return 0;
	if (wire_compact(rq->body, rq->arena, &compact, err))
		return -1;
	if (envelope != NULL)
		wire_policy_replace_in(compact, envelope, policy, with_status, &body);
	else
		wire_policy_replace(compact, policy, with_status, &body);
	rq->body = arena_view(rq->arena, tsb_view_bytes(&body));
	return 0;
}

/* ---- keys ---- */

int
api_key_create(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_create in;

	if (wire_key_create_parse(rq->body, rq->arena, &in, err) ||
	    (in.has_policy && fcgi_policy_check(app, rq, &in.policy, NULL, true, err)))
		return -1;
	return pass_body(app, rq, reply, HSM_PASS_KEY_CREATE, err);
}

int
api_key_list(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const struct hsm_pass what = {.what = HSM_PASS_KEY_LIST};

	(void)rq;
	return pass(app, reply, &what, err);
}

int
api_key_attributes(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_ref ref;

	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err))
		return -1;
	return pass_body(app, rq, reply, HSM_PASS_KEY_ATTRIBUTES, err);
}

int
fcgi_check_key_name(struct tsb_view name, struct tsb_err *err)
{
	if (name.n == 0 || name.n > TOKEN_LABEL_MAX || !tsb_label_valid(name))
		return tsb_fail(err, TSB_E_KEY_NAME,
		    "the key name in the path is not a valid label");
	return 0;
}

/* The deprecated forms with the name in the path become the current ones. */
static int
named_key(const struct web_request *rq, struct tsb_bytes *body, struct wire_key_ref *ref,
    struct tsb_err *err)
{
	struct tsb_view name = rq->param[0];

	if (fcgi_check_key_name(name, err))
		return -1;
	*ref = (struct wire_key_ref){.label = (const char *)name.p};
	wire_key_ref_format(ref, body);
	return 0;
}

int
api_key_attributes_by_name(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	tsb_bytes_auto body = {0};
	struct wire_key_ref ref;

	if (named_key(rq, &body, &ref, err))
		return -1;
	rq->body = tsb_view_bytes(&body);
	return pass_body(app, rq, reply, HSM_PASS_KEY_ATTRIBUTES, err);
}

/* A repeated deletion of a key that is gone still ends the requests that wait for it. */
static int
delete_key(void *app, struct web_request *rq, struct web_reply *reply, const char *label,
    struct tsb_err *err)
{
	struct tsb_err cancel_err;

	if (pass_body(app, rq, reply, HSM_PASS_KEY_DELETE, err)) {
		if (err->code == TSB_E_KEY_NOT_EXISTENT &&
		    flow_requests_cancel_of_key(app, label, rq->arena, &cancel_err))
			log_failure(LOG_WARN, "requests of a deleted key", &cancel_err);
		return -1;
	}
	return flow_requests_cancel_of_key(app, label, rq->arena, err);
}

int
api_key_delete(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_ref ref;

	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err))
		return -1;
	return delete_key(app, rq, reply, ref.label, err);
}

int
api_key_delete_by_name(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	tsb_bytes_auto body = {0};
	struct wire_key_ref ref;

	if (named_key(rq, &body, &ref, err))
		return -1;
	rq->body = tsb_view_bytes(&body);
	return delete_key(app, rq, reply, ref.label, err);
}

/* ---- operations ---- */

int
api_synchronous(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	enum tsb_kind kind = web_route_arg(rq);
	struct hsm_pass what = {.what = HSM_PASS_SYNCHRONOUS, .kind = kind};
	struct wire_synchronous_in in;

	if (wire_synchronous_parse(kind, rq->body, rq->arena, &in, err) ||
	    (in.request.policy != NULL &&
		fcgi_policy_check(app, rq, in.request.policy, tsb_kinds[kind].envelope,
		    tsb_kinds[kind].content != CONTENT_POLICY, err)) ||
	    wire_compact(rq->body, rq->arena, &what.body, err))
		return -1;
	return pass(app, reply, &what, err);
}

int
api_verify(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_verify in;

	if (wire_verify_parse(rq->body, rq->arena, &in, err))
		return -1;
	return pass_body(app, rq, reply, HSM_PASS_VERIFY, err);
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
	return pass(app, reply, &what, err);
}

int
api_encrypt(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_encrypt in;

	if (wire_encrypt_parse(rq->body, rq->arena, &in, err))
		return -1;
	return pass_body(app, rq, reply, HSM_PASS_ENCRYPT, err);
}

int
api_wrap(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_wrap in;

	if (wire_wrap_parse(rq->body, rq->arena, &in, err))
		return -1;
	return pass_body(app, rq, reply, HSM_PASS_WRAP, err);
}

/* ---- certificates stored with keys ---- */

int
api_certificate_import(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct wire_certificate in;

	if (wire_certificate_import_parse(rq->body, rq->arena, &in, err))
		return -1;
	return pass_body(app, rq, reply, HSM_PASS_CERTIFICATE_STORE, err);
}

static int
pass_certificate(void *app, struct web_request *rq, struct web_reply *reply,
    enum hsm_passage passage, struct tsb_err *err)
{
	const struct tsb_view name = rq->param[0];
	const struct hsm_pass what = {.what = passage, .key_name = (const char *)name.p};

	if (fcgi_check_key_name(name, err))
		return -1;
	if (pass(app, reply, &what, err) == 0)
		return 0;
	/* no certificate: the caller's mistake, whatever the number (api-notes.md 9.4) */
	if (err->code == TSB_E_FILE_NOT_FOUND)
		reply->status = 404;
	return -1;
}

int
api_certificate_get(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	return pass_certificate(app, rq, reply, HSM_PASS_CERTIFICATE_GET, err);
}

int
api_certificate_delete(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	return pass_certificate(app, rq, reply, HSM_PASS_CERTIFICATE_DELETE, err);
}
