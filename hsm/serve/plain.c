/* Keys in the clear, brought along and given out (api-notes.md 7.5). */
#include "lib/first.h"

#include "lib/base/log.h"
#include "lib/wire/wire.h"

#include "hsm/key/make.h"
#include "hsm/serve/access.h"

/* ---- in ---- */

/* A certificate alone, of a key that is there, is kept with it. */
static int
add_certificate(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	const struct wire_key_plain *in = arg;

	if (access_check_ordinary(k, err) || crypto_cert_check_key(in->certificate, k->spki, err))
		return -1;
	k->certificate = in->certificate;
	return 0;
}

static int
keep(struct hsm_app *app, struct wire_key_plain *in, const struct hsm_key *made,
    struct tsb_err *err)
{
	const bool lone = in->private_key.n == 0 && in->secret_key.n == 0 && in->seed.n == 0;

	if (access_store(app, made, in->create.password, err) == 0)
		return 0;
	if (!lone || in->certificate.n == 0 || err->code != TSB_E_KEY_EXISTS)
		return -1;
	return keystore_change(app->ks, tsb_view_str(made->label), add_certificate, in, err);
}

int
serve_key_import(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_key_plain in;
	hsm_key_auto *made = NULL;
	hsm_key_auto *kept = NULL;

	if (wire_key_plain_parse(rq->body, rq->arena, &in, err) ||
	    (in.seed.n > 0 ? key_make_seed : key_make_plain)(&app->tokens, &in, rq->arena,
		access_seconds(rq), &made, err) ||
	    keep(app, &in, made, err) ||
	    keystore_get(app->ks, tsb_view_str(made->label), &kept, err))
		return -1;
	log_info("key imported name=%s algorithm=%s policy=%s password=%s", kept->label,
	    key_algorithm(kept), kept->has_policy ? "yes" : "no",
	    kept->has_password ? "yes" : "no");
	access_warn_uses(kept);
	reply->status = 201;
	return access_describe(app, rq, kept, reply, err);
}

/* ---- out ---- */

/* Only keys that were made extractable leave, and never one with a policy. */
static int
check_leaves(const struct hsm_key *k, struct tsb_err *err)
{
	if (access_check_ordinary(k, err) || access_check_stored(k, err))
		return -1;
	if (!k->flag[ATTR_EXTRACTABLE] || k->has_policy)
		return access_refuse(k, "is not extractable", err);
	return k->flag[ATTR_SENSITIVE] ? access_refuse(k, "is sensitive", err) : 0;
}

static int
export_key(struct hsm_app *app, struct tsb_view name, struct tsb_view password,
    struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_plain out = {0};
	hsm_key_auto *k = NULL;
	token_key_auto *opened = NULL;
	tsb_bytes_auto value = {0};

	if (access_find(app, name, &k, err) || check_leaves(k, err) ||
	    token_use(&app->tokens, k, password, &opened, err))
		return -1;
	if (opened->ops->give == NULL)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "key '%s' leaves wrapped only: its token '%s' does not give it", k->label,
		    k->token);
	if (opened->ops->give(opened, &value, err))
		return -1;
	if (key_is_secret(k))
		out.secret_key = tsb_view_bytes(&value);
	else
		out.private_key = tsb_view_bytes(&value);
	out.public_key = k->spki;
	wire_key_export_format(&out, &reply->body);
	log_info("key exported name=%s", k->label);
	return 0;
}

int
serve_key_export(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct wire_key_ref ref;

	if (wire_key_ref_parse(rq->body, rq->arena, &ref, err))
		return -1;
	return export_key(arg, tsb_view_str(ref.label), ref.password, reply, err);
}

int
serve_key_export_by_name(void *arg, struct web_request *rq, struct web_reply *reply,
    struct tsb_err *err)
{
	return export_key(arg, rq->param[0], (struct tsb_view){0}, reply, err);
}
