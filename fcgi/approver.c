/* Approvers whose keys the broker makes (api-notes.md 10). */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/base/str.h"
#include "lib/custody/custody.h"
#include "lib/custody/restore.h"
#include "lib/flow/flow.h"
#include "lib/qr/code.h"

/* The code and a picture of it, with what a phone needs besides to fetch the key. */
static int
put_invitation(const struct flow *f, struct web_request *rq, const char *name, const char *code,
    struct tsb_bytes *out, struct tsb_err *err)
{
	const char *url = f->conf->public_url != NULL ? f->conf->public_url : rq->base_url;
	tsb_bytes_auto text = {0}, png = {0};
	struct qr_code qr;

	wire_approver_invitation_format(name, code, url, &text);
	if (qr_encode(tsb_view_bytes(&text), QR_ECC_M, rq->arena, &qr, err) ||
	    qr_png(&qr, QR_SCALE_DEFAULT, &png, err))
		return -1;
	wire_approver_created_format(code, tsb_view_bytes(&png), out);
	return 0;
}

int
api_approver_create(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_approver_create in;
	char code[CUSTODY_CODE_SIZE];

	if (wire_approver_create_parse(rq->body, rq->arena, &in, err) ||
	    custody_create(app, &in, rq->arena, rq->now_ms, code, &reply->warning, err))
		return -1;
	reply->status = 201;
	if (in.qr_code)
		return put_invitation(app, rq, in.name, code, &reply->body, err);
	wire_approver_code_format(code, &reply->body);
	return 0;
}

int
api_approver_onboard(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct wire_approver_onboard in;
	struct tsb_view encrypted, iv;

	if (wire_approver_onboard_parse(rq->body, rq->arena, &in, err) ||
	    custody_onboard(app, &in, rq->arena, rq->now_ms, &encrypted, &iv, err))
		return -1;
	wire_approver_onboard_format(encrypted, iv, &reply->body);
	return 0;
}

int
api_approver_renew(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	bool again = web_route_arg(rq) != 0;
	char code[CUSTODY_CODE_SIZE];
	const char *name;

	if (wire_approver_name_parse(rq->body, rq->arena, &name, err) ||
	    custody_renew(app, name, again, rq->arena, rq->now_ms, code, err))
		return -1;
	wire_approver_code_format(code, &reply->body);
	return 0;
}

int
api_approver_forgot(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_approver_password in;
	struct tsb_uuid id;

	if (wire_approver_forgot_parse(rq->body, rq->arena, &in, err) ||
	    custody_forgot(app, &in, rq->arena, &id, err))
		return -1;
	reply->status = 201;
	wire_request_id_format(web_route_arg(rq), &id, NULL, &reply->body);
	return 0;
}

int
api_approver_change_password(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct wire_approver_password in;

	if (wire_approver_change_parse(rq->body, rq->arena, &in, err))
		return -1;
	return custody_change_password(app, &in, rq->arena, rq->now_ms, err);
}

int
api_approver_status(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_approver *rows;
	size_t n;

	if (custody_list(app, rq->arena, &rows, &n, err))
		return -1;
	wire_approvers_format(rows, n, &reply->body);
	return 0;
}

int
api_approver_delete(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_view name = rq->param[0];

	if (name.n == 0 || name.n > 255 || !tsb_label_valid(name))
		return tsb_fail(err, TSB_E_INPUT,
		    "the approver name in the path is not a valid name");
	return custody_delete(app, (const char *)name.p, rq->arena, err);
}
