/* Keys of an offline HSM, as they were imported: profile air-gapped (api-notes.md 6). */
#include "lib/first.h"

#include "fcgi/fcgi.h"
#include "lib/gap/attestation.h"
#include "lib/gap/imported.h"
#include "lib/wire/wire.h"

static void
answer(const struct keyattr *k, const struct tsb_key_attributes *stored, struct web_reply *reply)
{
	wire_key_attributes_format(k, stored->xml, stored->xml_signature,
	    stored->attestation_key_name, &reply->body);
}

int
api_attributes_import(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct tsb_key_attributes in, stored;
	struct keyattr k;

	if (wire_key_import_parse(rq->body, rq->arena, &in, err) ||
	    gap_attributes_import(app, &in, rq->arena, &k, &stored, err))
		return -1;
	answer(&k, &stored, reply);
	return 0;
}

int
imported_key_list(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const char **labels;
	size_t n;

	if (gap_imported_list(app, rq->arena, &labels, &n, err))
		return -1;
	wire_key_list_format(labels, n, &reply->body);
	return 0;
}

static int
attributes_of(void *app, struct web_request *rq, const char *label, struct web_reply *reply,
    struct tsb_err *err)
{
	struct tsb_key_attributes stored;
	struct keyattr k;

	if (gap_imported_attributes(app, label, rq->arena, &k, &stored, err))
		return -1;
	answer(&k, &stored, reply);
	return 0;
}

int
imported_key_attributes(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct wire_key_ref ref;

	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err))
		return -1;
	return attributes_of(app, rq, ref.label, reply, err);
}

int
imported_key_attributes_by_name(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	const char *label;

	if (fcgi_path_key(rq, &label, err))
		return -1;
	return attributes_of(app, rq, label, reply, err);
}

/* The key itself stays in its HSM: only the imported attributes are deleted. */
int
imported_key_delete(void *app, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_ref ref;

	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err))
		return -1;
	return gap_imported_forget(app, ref.label, rq->arena, err);
}

int
imported_key_delete_by_name(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	const char *label;

	if (fcgi_path_key(rq, &label, err))
		return -1;
	return gap_imported_forget(app, label, rq->arena, err);
}

/* ---- certificates ---- */

int
imported_certificate_import(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct wire_certificate in;

	if (wire_certificate_import_parse(rq->body, rq->arena, &in, err) ||
	    gap_certificate_import(app, in.label, in.der, err))
		return -1;
	wire_certificate_format(&in, &reply->body);
	return 0;
}

int
imported_certificate_get(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct wire_certificate out = {0};

	if (fcgi_path_key(rq, &out.label, err))
		return -1;
	if (gap_certificate_get(app, out.label, rq->arena, &out.der, err))
		return fcgi_not_there(reply, err);
	wire_certificate_format(&out, &reply->body);
	return 0;
}

int
imported_certificate_delete(void *app, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	const char *label;

	if (fcgi_path_key(rq, &label, err))
		return -1;
	return gap_certificate_delete(app, label, err) ? fcgi_not_there(reply, err) : 0;
}
