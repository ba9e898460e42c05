#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/base/str.h"
#include "lib/flow/ending.h"
#include "lib/flow/request.h"
#include "lib/flow/task.h"
#include "lib/flow/view.h"
#include "lib/wire/wire.h"

/* API level that clients may rely on (api-notes.md 11). */
#define API_LEVEL "2.5.1"

static int
request_id(const struct web_request *rq, struct tsb_uuid *id, struct tsb_err *err)
{
	if (!uuid_parse((const char *)rq->param[0].p, id))
		return tsb_fail(err, TSB_E_INVALID_UUID, "the id in the path is not a UUID");
	return 0;
}

/* ---- requests ---- */

int
api_request_create(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	enum tsb_kind kind = web_route_arg(rq);
	struct tsb_request_in in;
	struct tsb_uuid id;

	if (wire_request_parse(kind, rq->body, rq->arena, &in, err) ||
	    flow_request_create(app, &in, rq->arena, &id, err))
		return -1;
	reply->status = 201;
	wire_request_id_format(kind, &id, &reply->body);
	return 0;
}

int
api_request_get(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const char *once = web_query(rq, "fetchOnce");
	struct tsb_request_view view;
	struct tsb_uuid id;

	if (once != NULL && !tsb_streq(once, "true") && !tsb_streq(once, "false"))
		return tsb_fail(err, TSB_E_INPUT, "fetchOnce must be true or false");
	if (request_id(rq, &id, err) ||
	    flow_request_view(app, &id, tsb_streq(once, "true"), rq->arena, rq->now_ms, &view, err))
		return -1;
	wire_request_view_format(&view, &reply->body);
	return 0;
}

int
api_request_cancel(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_uuid id;

	if (request_id(rq, &id, err))
		return -1;
	return flow_request_cancel(app, &id, "cancelled by the caller", rq->arena, err);
}

int
api_requests_list(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_request_filter filter;
	struct tsb_request_row *rows;
	size_t n;

	if (wire_request_filter_parse(rq->body, rq->arena, &filter, err) ||
	    flow_requests_list(app, filter.states, filter.key_name, filter.offset, filter.limit,
		rq->arena, &rows, &n, err))
		return -1;
	wire_request_list_format(rows, n, &reply->body);
	return 0;
}

/* ---- tasks ---- */

static int
list_tasks(void *app, struct web_request *rq, unsigned kinds, struct web_reply *reply,
    struct tsb_err *err)
{
	struct tsb_task_filter filter;
	struct tsb_task_view *tasks;
	struct tsb_request_view *status;
	size_t n;

	if (wire_task_filter_parse(rq->body, rq->arena, &filter, err))
		return -1;
	filter.kinds = kinds;
	if (flow_tasks_list(app, &filter, rq->arena, rq->now_ms, &tasks, &status, &n, err))
		return -1;
	wire_tasks_format(tasks, n, filter.level, status, &reply->body);
	return 0;
}

int
api_tasks(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	return list_tasks(app, rq, tsb_kinds_listed_with(web_route_arg(rq)), reply, err);
}

int
api_all_tasks(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	return list_tasks(app, rq, 0, reply, err);
}

int
api_requests_approved(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct tsb_task_filter filter;
	struct tsb_request_view *views;
	size_t n;

	if (wire_task_filter_parse(rq->body, rq->arena, &filter, err) ||
	    flow_requests_approved(app, &filter, rq->arena, rq->now_ms, &views, &n, err))
		return -1;
	wire_approved_requests_format(views, n, &reply->body);
	return 0;
}

int
api_approval(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_approval_in in;

	if (wire_approval_parse(rq->body, rq->arena, &in, err))
		return -1;
	return in.rejects ? flow_task_reject(app, &in, rq->arena, rq->now_ms, err)
			  : flow_task_approve(app, &in, rq->arena, rq->now_ms, err);
}

int
api_task_reject(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_approval_in in;

	if (wire_task_delete_parse(rq->body, rq->arena, &in, err))
		return -1;
	return flow_task_reject(app, &in, rq->arena, rq->now_ms, err);
}

/* ---- system ---- */

int
api_version(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	tsb_bytes_addf(&reply->body,
	    "{\"Version\":\"%s\",\"Vendor\":\"Open Transaction Security Broker\","
	    "\"Implementation\":\"%s\"}",
	    API_LEVEL, TSB_VERSION);
	return 0;
}

int
api_license(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	/* nothing is licensed here: every flag that clients look for (api-notes.md 11) */
	tsb_bytes_add_str(&reply->body,
	    "{\"clientFlags\":[\"REST_API\",\"TSB_ENGINE\",\"KEY_AUTH\",\"FIREBLOCKS_AGENT\"]}");
	return 0;
}
