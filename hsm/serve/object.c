/* Data objects (api-notes.md 7.8). */
#include "lib/first.h"

#include "lib/base/log.h"
#include "lib/wire/wire.h"

#include "hsm/serve/access.h"
#include "hsm/store/objects.h"

static void
show(const struct data_object *o, struct web_reply *reply)
{
	const struct wire_data_object shown = {o->name, o->value, o->is_private, o->modifiable,
	    o->destroyable};

	wire_data_object_format(&shown, &reply->body);
}

int
serve_object_create(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_data_object in;
	struct data_object o;

	if (wire_data_object_parse(rq->body, rq->arena, &in, err))
		return -1;
	o = (struct data_object){in.name, in.value, in.is_private, in.modifiable, in.destroyable};
	if (objects_create(app->ks, &o, err))
		return -1;
	log_info("data object created name=%s size=%zu", o.name, o.value.n);
	reply->status = 201;
	show(&o, reply);
	return 0;
}

int
serve_object_get(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct data_object o;

	if (objects_get(app->ks, rq->param[0], rq->arena, &o, err))
		return -1;
	show(&o, reply);
	return 0;
}

int
serve_object_list(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	const char **names;
	size_t n;

	if (objects_list(app->ks, rq->arena, &names, &n, err))
		return -1;
	wire_key_list_format(names, n, &reply->body);
	return 0;
}

int
serve_object_delete(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;

	(void)reply;
	if (objects_remove(app->ks, rq->param[0], err))
		return -1;
	log_info("data object deleted name=%.*s", (int)rq->param[0].n,
	    (const char *)rq->param[0].p);
	return 0;
}
