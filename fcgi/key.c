/* Keys of the HSM. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "fcgi/forward.h"
#include "fcgi/trace.h"
#include "lib/base/log.h"
#include "lib/flow/ending.h"
#include "lib/wire/wire.h"

int
api_key_create(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_create in;

	if (wire_key_create_parse(rq->body, rq->arena, &in, err) ||
	    (in.has_policy && fcgi_policy_check(app, rq, &in.policy, NULL, true, err)))
		return -1;
	return fcgi_do_body(app, rq, reply,
	    &(struct flow_deed){.action = "create key", .key_name = in.label}, HSM_PASS_KEY_CREATE,
	    err);
}

int
api_key_list(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const struct hsm_pass what = {.what = HSM_PASS_KEY_LIST};

	(void)rq;
	return fcgi_forward(app, reply, &what, err);
}

/* ---- naming a key ---- */

/* What is done to the key of this name; the body names it, too. */
typedef int on_key(void *app, struct web_request *rq, struct web_reply *reply, const char *label,
    struct tsb_err *err);

static int
by_body(void *app, struct web_request *rq, struct web_reply *reply, on_key *act,
    struct tsb_err *err)
{
	struct wire_key_ref ref;

	return wire_key_ref_parse(rq->body, rq->arena, &ref, err)
	    ? -1
	    : act(app, rq, reply, ref.label, err);
}

/* The deprecated forms with the name in the path become the current ones. */
static int
by_path(void *app, struct web_request *rq, struct web_reply *reply, on_key *act,
    struct tsb_err *err)
{
	tsb_bytes_auto body = {0};
	struct wire_key_ref ref = {0};

	if (fcgi_path_key(rq, &ref.label, err))
		return -1;
	wire_key_ref_format(&ref, &body);
	rq->body = tsb_view_bytes(&body);
	return act(app, rq, reply, ref.label, err);
}

static int
describe_key(void *app, struct web_request *rq, struct web_reply *reply, const char *label,
    struct tsb_err *err)
{
	(void)label;
	return fcgi_forward_body(app, rq, reply, HSM_PASS_KEY_ATTRIBUTES, err);
}

static int
show_address(void *app, struct web_request *rq, struct web_reply *reply, const char *label,
    struct tsb_err *err)
{
	(void)label;
	return fcgi_forward_body(app, rq, reply, HSM_PASS_KEY_ADDRESS, err);
}

int
api_key_attributes(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	return by_body(app, rq, reply, describe_key, err);
}

int
api_key_attributes_by_name(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	return by_path(app, rq, reply, describe_key, err);
}

int
api_key_address(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	return by_body(app, rq, reply, show_address, err);
}

int
api_key_address_by_name(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	return by_path(app, rq, reply, show_address, err);
}

/* A repeated deletion of a key that is gone still ends the requests that wait for it. */
static int
delete_key(void *app, struct web_request *rq, struct web_reply *reply, const char *label,
    struct tsb_err *err)
{
	const struct flow_deed deed = {.action = "delete key", .key_name = label};
	struct tsb_err cancel_err;

	if (fcgi_do_body(app, rq, reply, &deed, HSM_PASS_KEY_DELETE, err)) {
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
	return by_body(app, rq, reply, delete_key, err);
}

int
api_key_delete_by_name(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	return by_path(app, rq, reply, delete_key, err);
}

/* ---- attestations ---- */

int
api_key_attestation(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_pass what = {.what = HSM_PASS_KEY_ATTESTATION};
	struct wire_key_ref ref;

	what.length = web_wants(rq, "json", WIRE_ATTESTATION_TYPE);
	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err) ||
	    wire_compact(rq->body, rq->arena, &what.body, err) ||
	    fcgi_forward(app, reply, &what, err))
		return -1;
	if (what.length > 0)
		return 0;
	reply->content_type = "application/zip";
	reply->disposition = arena_printf(rq->arena, "attachment; filename=\"%s.zip\"",
	    web_file_name(rq->arena, ref.label));
	return 0;
}

int
api_attestations(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)rq;
	return fcgi_forward(app, reply, &(struct hsm_pass){.what = HSM_PASS_ATTESTATIONS}, err);
}

int
api_attestation_chain(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct hsm_pass what = {.what = HSM_PASS_ATTESTATION_CHAIN};

	return fcgi_path_key(rq, &what.key_name, err) ? -1 : fcgi_forward(app, reply, &what, err);
}

/* ---- in the clear ---- */

int
api_key_import(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_plain in;

	if (wire_key_plain_parse(rq->body, rq->arena, &in, err) ||
	    (in.create.has_policy &&
		fcgi_policy_check(app, rq, &in.create.policy, NULL, true, err)))
		return -1;
	return fcgi_do_body(app, rq, reply,
	    &(struct flow_deed){.action = "import key", .key_name = in.create.label},
	    in.seed.n > 0 ? HSM_PASS_KEY_SEED : HSM_PASS_KEY_IMPORT, err);
}

/* ---- derived keys ---- */

int
api_key_derive(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_derive in;

	if (wire_key_derive_parse(rq->body, rq->arena, &in, err))
		return -1;
	return fcgi_do_body(app, rq, reply,
	    &(struct flow_deed){.action = "derive key",
		.key_name = arena_printf(rq->arena, "%s/%s", in.master, in.path)},
	    HSM_PASS_KEY_DERIVE, err);
}

int
api_xpub(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_pass what = {.what = HSM_PASS_XPUB};

	return fcgi_path_key(rq, &what.key_name, err) ? -1 : fcgi_forward(app, reply, &what, err);
}

/* ---- out ---- */

static int
export_key(void *app, struct web_request *rq, struct web_reply *reply, const char *label,
    struct tsb_err *err)
{
	return fcgi_do_body(app, rq, reply,
	    &(struct flow_deed){.action = "export key", .key_name = label}, HSM_PASS_KEY_EXPORT,
	    err);
}

int
api_key_export(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	return by_body(app, rq, reply, export_key, err);
}

int
api_key_export_by_name(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	return by_path(app, rq, reply, export_key, err);
}

/* ---- changes ---- */

int
api_key_password(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_password in;

	if (wire_key_password_parse(rq->body, rq->arena, &in, err))
		return -1;
	return fcgi_do_body(app, rq, reply,
	    &(struct flow_deed){.action = "change key password", .key_name = in.label},
	    HSM_PASS_KEY_PASSWORD, err);
}

/* Approvers of open requests have been asked, or will be, by the name of today. */
static int
check_renames(void *app, struct web_request *rq, const struct wire_key_change *in,
    struct tsb_err *err)
{
	bool open;

	if (in->new_label == NULL)
		return 0;
	if (flow_requests_open_of_key(app, in->label, rq->arena, &open, err))
		return -1;
	if (open)
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "key '%s' has open requests, which name it by its label", in->label);
	return 0;
}

int
api_key_change(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_change in;

	if (wire_key_change_parse(rq->body, rq->arena, &in, err) ||
	    check_renames(app, rq, &in, err))
		return -1;
	return fcgi_do_body(app, rq, reply,
	    &(struct flow_deed){.action = "change key attributes",
		.key_name = in.label,
		.detail = in.new_label},
	    HSM_PASS_KEY_CHANGE, err);
}
