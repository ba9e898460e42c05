/* Tasks of approvers. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/flow/task.h"
#include "lib/wire/wire.h"

static int
list_tasks(void *app, struct web_request *rq, bool one_kind, struct web_reply *reply,
    struct tsb_err *err)
{
	struct tsb_task_filter filter;
	struct tsb_task_view *tasks;
	struct tsb_request_view *status;
	bool more;
	size_t n;

	if (wire_task_filter_parse(rq->body, rq->arena, &filter, err))
		return -1;
	filter.one_kind = one_kind;
	if (one_kind)
		filter.kind = web_route_arg(rq);
	if (flow_tasks_list(app, &filter, rq->arena, rq->now_ms, &tasks, &status, &n, &more, err))
		return -1;
	wire_tasks_format(tasks, n, filter.level, status, more, &reply->body);
	return 0;
}

int
api_tasks(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	return list_tasks(app, rq, true, reply, err);
}

int
api_all_tasks(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	return list_tasks(app, rq, false, reply, err);
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
