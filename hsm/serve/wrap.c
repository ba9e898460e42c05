/* Keys that enter and leave under other keys (api-notes.md 8.1; docs/openapi.yaml /v1/wrap). */
#include "lib/first.h"

#include "lib/base/hook.h"
#include "lib/base/log.h"
#include "lib/model/content.h"

#include "hsm/key/make.h"
#include "hsm/serve/access.h"

static int
unwrap(struct hsm_app *app, struct web_request *rq, const struct wire_synchronous_in *in,
    struct key_wrapped *wrapped, struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *made = NULL;

	wrapped->value = in->request.unwrap.wrapped_key;
	if (key_make_unwrapped(&app->tokens, &in->new_key, wrapped, access_seconds(rq), &made,
		err) ||
	    access_store(app, made, in->new_key.password, err))
		return -1;
	*out = key_hold(made);
	return 0;
}

int
serve_unwrap(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_synchronous_in in;
	const struct wrap_method *method;
	hsm_key_auto *k = NULL;
	hsm_key_auto *made = NULL;
	token_key_auto *opened = NULL;

	if (wire_synchronous_parse(web_route_arg(rq), rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.request.key_name), &k, err) ||
	    access_select_unwrapping(app, k, in.request.wrap_method, &method, err) ||
	    key_check_unwrapped(&in.new_key, method->wrapped, rq->arena, err) ||
	    access_enforce(app, rq, k, &in, tsb_content_bytes(&in.request, rq->arena), err) ||
	    token_use(&app->tokens, k, in.request.key_password, &opened, err) ||
	    unwrap(app, rq, &in, &(struct key_wrapped){k, opened, method}, &made, err))
		return -1;
	keystore_count_use(app->ks, k);
	access_log(rq, "unwrapped", k, in.request.wrap_method, in.request.unwrap.wrapped_key,
	    in.napprovals);
	log_info("key created name=%s algorithm=%s policy=%s unwrapped=yes", made->label,
	    key_algorithm(made), made->has_policy ? "yes" : "no");
	access_warn_uses(made);
	(void)hook_fault("hsm.unwrap.executed");
	reply->status = 201;
	return access_describe(app, rq, made, reply, err);
}

static int
select_wrapping(struct hsm_app *app, const struct hsm_key *k, const char *name,
    const struct wrap_method **out, struct tsb_err *err)
{
	struct token_ask ask = {.task = TOKEN_WRAP, .key = k, .name = name};

	if (wrap_select(k, name, &ask.method, err) || token_check(&app->tokens, &ask, err))
		return -1;
	*out = ask.method;
	return 0;
}

static int
open_for_wrapping(struct hsm_app *app, struct hsm_key *k, const struct wire_wrap *in,
    struct token_key **opened, struct tsb_err *err)
{
	if (access_check_ordinary(k, err))
		return -1;
	if (!key_is_secret(k))
		return 0;
	if (!(k->extra & KEY_WRAP))
		return access_refuse(k, "may not wrap", err);
	return token_use(&app->tokens, k, in->password, opened, err);
}

/* Only keys that were made extractable leave, and never one with a policy. */
static int
open_leaving(struct hsm_app *app, struct hsm_key *k, const struct wire_wrap *in,
    const struct wrap_method *method, struct token_key **opened, struct tsb_err *err)
{
	if (access_check_ordinary(k, err) || access_check_stored(k, err))
		return -1;
	if (k->kind != method->wrapped && !(key_is_secret(k) && key_kinds[method->wrapped].secret))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "wrapMethod %s is not for key '%s' (%s)", in->method, k->label,
		    key_algorithm(k));
	if (!k->flag[ATTR_EXTRACTABLE] || k->has_policy)
		return access_refuse(k, "is not extractable", err);
	if (k->has_chain)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "wrapMethod %s would lose the chain code of key '%s'", in->method, k->label);
	return token_use(&app->tokens, k, in->key_to_wrap_password, opened, err);
}

int
serve_wrap(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_wrap in;
	const struct wrap_method *method;
	hsm_key_auto *k = NULL;
	hsm_key_auto *leaving = NULL;
	token_key_auto *opened = NULL;
	token_key_auto *value = NULL;
	tsb_bytes_auto wrapped = {0};

	if (wire_wrap_parse(rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.key_name), &k, err) ||
	    select_wrapping(app, k, in.method, &method, err) ||
	    open_for_wrapping(app, k, &in, &opened, err) ||
	    access_find(app, tsb_view_str(in.key_to_wrap), &leaving, err) ||
	    open_leaving(app, leaving, &in, method, &value, err) ||
	    token_wrap(opened, k, method, value, &wrapped, err))
		return -1;
	if (key_is_secret(k))
		keystore_count_use(app->ks, k);
	access_log(rq, "wrapped", leaving, in.method, tsb_view_bytes(&wrapped), 0);
	log_info("key wrapped name=%s by=%s", leaving->label, k->label);
	wire_base64_format("wrappedKey", tsb_view_bytes(&wrapped), &reply->body);
	return 0;
}
