/* Certificates and certificate requests that are made at once (api-notes.md 9.1, 9.2). */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "fcgi/forward.h"
#include "fcgi/trace.h"
#include "lib/flow/certificate.h"
#include "lib/wire/wire.h"

/* ---- made at once ---- */

static const char *
deed_of(enum tsb_kind kind)
{
	switch (tsb_kinds[kind].content) {
	case CONTENT_CERTIFICATE:
		return "issue certificate";
	case CONTENT_SELF_SIGNED:
		return "create certificate";
	case CONTENT_CERTIFICATE_REQUEST:
	case CONTENT_NONE:
	case CONTENT_BYTES:
	case CONTENT_NEW_KEY:
	case CONTENT_POLICY:
		break;
	}
	return "create certificate request";
}

static int
make(void *app, struct web_request *rq, struct tsb_request_in *in, struct tsb_view *pem,
    struct tsb_err *err)
{
	enum tsb_kind kind = web_route_arg(rq);
	struct flow_deed deed = {.action = deed_of(kind), .actor = rq->role};
	int rc;

	if (wire_certificate_parse(kind, rq->body, rq->arena, in, err))
		return -1;
	deed.key_name = in->key_name;
	if (flow_deed_begin(app, &deed, err))
		return -1;
	rc = flow_certificate_make(app, in, rq->arena, pem, err);
	flow_deed_end(app, &deed, rc == 0 ? NULL : err);
	return rc;
}

int
api_certificate(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_request_in in;
	struct tsb_view pem;

	if (make(app, rq, &in, &pem, err))
		return -1;
	if (tsb_kinds[in.kind].content == CONTENT_CERTIFICATE_REQUEST)
		wire_pem_format(in.key_name, "certificateSigningRequest", pem, &reply->body);
	else
		wire_certificate_pem_format(in.key_name, pem, &reply->body);
	return 0;
}

int
api_certificate_file(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct tsb_request_in in;
	struct tsb_view pem;

	if (make(app, rq, &in, &pem, err))
		return -1;
	reply->content_type = "application/octet-stream";
	reply->disposition = arena_printf(rq->arena, "attachment; filename=\"%s.csr\"",
	    web_file_name(rq->arena, in.key_name));
	tsb_bytes_add_view(&reply->body, pem);
	return 0;
}

/* ---- certificates stored with keys ---- */

int
api_certificate_import(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct flow_deed deed = {.action = "import certificate"};
	struct wire_certificate in;

	if (wire_certificate_import_parse(rq->body, rq->arena, &in, err))
		return -1;
	deed.key_name = in.label;
	return fcgi_do_body(app, rq, reply, &deed, HSM_PASS_CERTIFICATE_STORE, err);
}

int
api_certificate_get(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_pass what = {.what = HSM_PASS_CERTIFICATE_GET};

	if (fcgi_path_key(rq, &what.key_name, err))
		return -1;
	return fcgi_forward(app, reply, &what, err) ? fcgi_not_there(reply, err) : 0;
}

int
api_certificate_delete(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct hsm_pass what = {.what = HSM_PASS_CERTIFICATE_DELETE};
	struct flow_deed deed = {.action = "delete certificate"};

	if (fcgi_path_key(rq, &what.key_name, err))
		return -1;
	deed.key_name = what.key_name;
	return fcgi_do(app, rq, reply, &deed, &what, err) ? fcgi_not_there(reply, err) : 0;
}
