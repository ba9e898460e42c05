/* Keys: created, listed, described, deleted (api-notes.md 7). */
#include "lib/first.h"

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "hsm/key/address.h"
#include "hsm/key/make.h"
#include "hsm/serve/access.h"

int
serve_key_create(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_key_create in;
	hsm_key_auto *k = NULL;

	if (wire_key_create_parse(rq->body, rq->arena, &in, err) ||
	    key_make(&app->tokens, &in, rq->arena, access_seconds(rq), &k, err) ||
	    access_store(app, k, in.password, err))
		return -1;
	log_info("key created name=%s algorithm=%s policy=%s password=%s", k->label,
	    key_algorithm(k), k->has_policy ? "yes" : "no", k->has_password ? "yes" : "no");
	access_warn_uses(k);
	reply->status = 201;
	return access_describe(app, rq, k, reply, err);
}

static bool
is_listed(const struct hsm_app *app, const char *label)
{
	const struct hsm_settings *conf = app->conf;

	return conf->list_system_keys ||
	    (!tsb_streq(label, conf->attestation_key) && !tsb_streq(label, conf->timestamp_key) &&
		!tsb_streq(label, conf->rfc_timestamp_key));
}

int
serve_key_list(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	const char **labels;
	size_t n, kept = 0;

	if (keystore_list(app->ks, rq->arena, &labels, &n, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (is_listed(app, labels[i]))
			labels[kept++] = labels[i];
	wire_key_list_format(labels, kept, &reply->body);
	return 0;
}

int
serve_key_attributes(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	struct wire_key_ref ref;
	hsm_key_auto *k = NULL;

	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err) ||
	    access_find_checked(arg, tsb_view_str(ref.label), ref.password, &k, err))
		return -1;
	return access_describe(arg, rq, k, reply, err);
}

int
serve_key_attributes_by_name(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	hsm_key_auto *k = NULL;

	if (access_find_checked(arg, rq->param[0], (struct tsb_view){0}, &k, err))
		return -1;
	return access_describe(arg, rq, k, reply, err);
}

/* ---- addresses (api-notes.md 12.7) ---- */

static int
put_address(struct hsm_app *app, struct tsb_view name, struct tsb_view password,
    struct web_reply *reply, struct tsb_err *err)
{
	unsigned char address[ADDRESS_SIZE];
	hsm_key_auto *k = NULL;

	if (access_find_checked(app, name, password, &k, err) || address_of(k, address, err))
		return -1;
	wire_base64_format("address", tsb_view_of(address, sizeof(address)), &reply->body);
	return 0;
}

int
serve_key_address(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_ref ref;

	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err))
		return -1;
	return put_address(arg, tsb_view_str(ref.label), ref.password, reply, err);
}

int
serve_key_address_by_name(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	return put_address(arg, rq->param[0], (struct tsb_view){0}, reply, err);
}

/* ---- the end of a key ---- */

struct removal {
	struct hsm_app *app;
	struct tsb_view password;
};

/*
 * The private half ends before its key file does: cut short, a removal leaves a key that can be
 * removed again, and never a private half that nobody knows of.
 */
static int
end_private_half(const struct hsm_key *k, void *arg, struct tsb_err *err)
{
	const struct removal *r = arg;

	if (k->system != KEY_ORDINARY)
		return access_refuse(k, "is a system key: it cannot be deleted", err);
	if (key_check_password(k, r->password, err))
		return -1;
	if (!k->flag[ATTR_DESTROYABLE])
		return access_refuse(k, "is not destroyable", err);
	return token_destroy(&r->app->tokens, k, r->password, err);
}

static int
delete_key(struct hsm_app *app, struct tsb_view name, struct tsb_view password, struct tsb_err *err)
{
	struct removal r = {.app = app, .password = password};

	if (keystore_remove(app->ks, name, end_private_half, &r, err))
		return -1;
	log_info("key deleted name=%.*s", (int)name.n, (const char *)name.p);
	return 0;
}

int
serve_key_delete(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_ref ref;

	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err))
		return -1;
	return delete_key(arg, tsb_view_str(ref.label), ref.password, err);
}

int
serve_key_delete_by_name(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	return delete_key(arg, rq->param[0], (struct tsb_view){0}, err);
}
