/* Data objects of the HSM. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "fcgi/forward.h"
#include "fcgi/trace.h"
#include "lib/wire/wire.h"

int
api_object_create(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_data_object o;

	if (wire_data_object_parse(rq->body, rq->arena, &o, err))
		return -1;
	return fcgi_do_body(app, rq, reply,
	    &(struct flow_deed){.action = "create data object", .key_name = o.name},
	    HSM_PASS_OBJECT_CREATE, err);
}

int
api_object_list(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	(void)rq;
	return fcgi_forward(app, reply, &(struct hsm_pass){.what = HSM_PASS_OBJECT_LIST}, err);
}

int
api_object_get(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_pass what = {.what = HSM_PASS_OBJECT_GET};

	return fcgi_path_key(rq, &what.key_name, err) ? -1 : fcgi_forward(app, reply, &what, err);
}

int
api_object_delete(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_pass what = {.what = HSM_PASS_OBJECT_DELETE};
	struct flow_deed deed = {.action = "delete data object"};

	if (fcgi_path_key(rq, &what.key_name, err))
		return -1;
	deed.key_name = what.key_name;
	return fcgi_do(app, rq, reply, &deed, &what, err);
}
