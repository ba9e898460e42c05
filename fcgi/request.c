/* Requests. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/base/str.h"
#include "lib/flow/ending.h"
#include "lib/flow/request.h"
#include "lib/flow/view.h"
#include "lib/wire/wire.h"

int
api_request_create(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	enum tsb_kind kind = web_route_arg(rq);
	struct tsb_request_in in;
	struct tsb_uuid id, twin;
	bool has_twin;

	if (wire_request_parse(kind, rq->body, rq->arena, &in, err) ||
	    flow_request_create(app, &in, rq->arena, &id, err))
		return -1;
	reply->status = 201;
	has_twin = flow_request_twin(app, &id, rq->arena, &twin);
	wire_request_id_format(kind, &id, has_twin ? &twin : NULL, &reply->body);
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
	if (fcgi_path_id(rq, &id, err) ||
	    flow_request_view(app, &id, tsb_streq(once, "true"), rq->arena, rq->now_ms, &view, err))
		return -1;
	wire_request_view_format(&view, &reply->body);
	return 0;
}

int
api_request_cancel(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_uuid id;

	if (fcgi_path_id(rq, &id, err))
		return -1;
	return flow_request_cancel(app, &id, "cancelled by the caller", rq->arena, err);
}

int
api_requests_list(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_request_filter filter;
	struct tsb_request_row *rows;
	bool more;
	size_t n;

	if (wire_request_filter_parse(rq->body, rq->arena, &filter, err) ||
	    flow_requests_list(app, filter.states, filter.key_name, filter.offset, filter.limit,
		rq->arena, &rows, &n, &more, err))
		return -1;
	wire_request_list_format(rows, n, more, &reply->body);
	return 0;
}

int
api_requests_details(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct tsb_request_filter filter;
	struct tsb_request_view *views;
	bool more;
	size_t n;

	if (wire_request_details_filter_parse(rq->body, rq->arena, &filter, err) ||
	    flow_requests_details(app, &filter, rq->arena, rq->now_ms, &views, &n, &more, err))
		return -1;
	wire_request_details_format(views, n, more, &reply->body);
	return 0;
}

int
api_requests_approved(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct tsb_task_filter filter;
	struct tsb_request_view *views;
	bool more;
	size_t n;

	if (wire_task_filter_parse(rq->body, rq->arena, &filter, err) ||
	    flow_requests_approved(app, &filter, rq->arena, rq->now_ms, &views, &n, &more, err))
		return -1;
	wire_approved_requests_format(views, n, more, &reply->body);
	return 0;
}
