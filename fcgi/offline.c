/* The profile air-gapped (api-notes.md 6): requests that leave, results that come back. */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/base/str.h"
#include "lib/gap/carry.h"
#include "lib/gap/picture.h"
#include "lib/gap/result.h"
#include "lib/qr/part.h"
#include "lib/qr/ur.h"

/* ---- pictures ---- */

static const char *const text_names[] = {"json", "parts"};

static int
query_name(const struct web_request *rq, const char *name, const char *const *names, int n,
    int *out, struct tsb_err *err)
{
	const char *value = web_query(rq, name);
	tsb_bytes_auto list = {0};

	*out = 0;
	for (int i = 0; i < n; i++) {
		if (value == NULL || tsb_streq(value, names[i])) {
			*out = value == NULL ? 0 : i;
			return 0;
		}
		tsb_bytes_addf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	return tsb_fail(err, TSB_E_INPUT, "%s must be one of %s", name, tsb_bytes_cstr(&list));
}

static int
query_number(const struct web_request *rq, const char *name, long max, long absent, long *out,
    struct tsb_err *err)
{
	const char *value = web_query(rq, name);

	*out = absent;
	if (value != NULL && !tsb_str_to_long(value, 1, max, out))
		return tsb_fail(err, TSB_E_INPUT, "%s must be a number from 1 to %ld", name, max);
	return 0;
}

static int
query_read(const struct web_request *rq, struct gap_picture_ask *ask, struct tsb_err *err)
{
	int format, ecc, parts;
	long scale, part;

	if (query_name(rq, "format", gap_format_names, GAP_FORMAT__MAX, &format, err) ||
	    query_name(rq, "ecc", qr_ecc_names, QR_ECC__MAX, &ecc, err) ||
	    query_name(rq, "text", text_names, TSB_COUNT(text_names), &parts, err) ||
	    query_number(rq, "scale", format == GAP_UR ? UR_GIF_SCALE_MAX : QR_SCALE_MAX,
		QR_SCALE_DEFAULT, &scale, err) ||
	    query_number(rq, "part", QR_PARTS_MAX, 0, &part, err))
		return -1;
	if (part != 0 && format != GAP_PNG)
		return tsb_fail(err, TSB_E_INPUT, "part asks for one picture: it needs format=png");
	if (format == GAP_UR && parts)
		return tsb_fail(err, TSB_E_INPUT,
		    "text=parts excludes format=ur, which has parts of its own");
	*ask = (struct gap_picture_ask){
	    .format = (enum gap_format)format,
	    .ecc = (enum qr_ecc)ecc,
	    .parts = parts != 0,
	    .scale = (int)scale,
	    .part = (size_t)part,
	};
	return 0;
}

int
api_request_qr(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct gap_picture_ask ask;
	struct gap_picture picture;
	struct tsb_uuid id;

	if (fcgi_path_id(rq, &id, err) || query_read(rq, &ask, err) ||
	    gap_picture_make(app, &id, &ask, rq->arena, rq->now_ms, &picture, &reply->body, err))
		return -1;
	reply->content_type = picture.content_type;
	reply->disposition = arena_printf(rq->arena, "%s; filename=\"%s\"",
	    picture.shown ? "inline" : "attachment", picture.name);
	/* nothing in it runs or is fetched, whatever a text of a caller says */
	if (picture.active)
		reply->security_policy =
		    "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
	return 0;
}

/* ---- packages ---- */

#define PACKAGE_TYPE "application/vnd.tsb.package"

static void
package_head(struct web_reply *reply, const char *name, struct arena *a)
{
	reply->content_type = PACKAGE_TYPE;
	reply->disposition = arena_printf(a, "attachment; filename=\"%s.tsbpkg\"", name);
}

int
api_request_package(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_uuid uuid;
	char id[UUID_TEXT];

	if (fcgi_path_id(rq, &uuid, err) ||
	    gap_carry_package(app, &uuid, 1, rq->arena, rq->now_ms, &reply->body, err))
		return -1;
	uuid_format(&uuid, id);
	package_head(reply, arena_printf(rq->arena, "request-%s", id), rq->arena);
	return 0;
}

int
api_package(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct tsb_uuid *ids;
	size_t n;

	if (wire_request_ids_parse(rq->body, rq->arena, &ids, &n, err) ||
	    gap_carry_package(app, ids, n, rq->arena, rq->now_ms, &reply->body, err))
		return -1;
	package_head(reply, "requests", rq->arena);
	return 0;
}

/* ---- results ---- */

static void
refusal_format(const struct gap_outcome *o, struct tsb_bytes *out)
{
	char id[UUID_TEXT];

	if (o->has_id)
		tsb_bytes_addf(out, "{\"id\":\"%s\",\"error\":", uuid_format(&o->id, id));
	else
		tsb_bytes_add_str(out, "{\"id\":null,\"error\":");
	web_error_format(&o->err, out);
	tsb_bytes_add_str(out, "}");
}

static void
outcomes_format(const struct gap_outcome *o, size_t n, struct tsb_bytes *out)
{
	tsb_bytes_add_str(out, "{\"requests\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			tsb_bytes_add_str(out, ",");
		if (o[i].refused)
			refusal_format(&o[i], out);
		else
			wire_request_view_format(&o[i].view, out);
	}
	tsb_bytes_add_str(out, "]}");
}

int
api_offline_result(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct gap_outcome *outcomes;
	bool single;
	size_t n;

	if (gap_results_take(app, rq->body, rq->arena, rq->now_ms, &outcomes, &n, &single, err))
		return -1;
	if (single)
		wire_request_view_format(&outcomes[0].view, &reply->body);
	else
		outcomes_format(outcomes, n, &reply->body);
	return 0;
}
