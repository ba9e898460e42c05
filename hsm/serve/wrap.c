/* Keys that come in and go out under other keys (api-notes.md 8.1; docs/openapi.yaml /v1/wrap). */
#include "lib/first.h"

#include "lib/base/hook.h"
#include "lib/base/log.h"

#include "hsm/key/make.h"
#include "hsm/serve/access.h"
#include "hsm/soft/wrap.h"

/* What approvers of an unwrap sign: wrapped key, label and flags exactly as given. */
static int
enforce_unwrap(struct hsm_app *app, struct web_request *rq, const struct hsm_key *k,
    const struct wire_synchronous_in *in, struct tsb_err *err)
{
	tsb_bytes_auto payload = {0};

	ska_unwrap_format(&in->request.unwrap, &payload);
	return access_enforce(app, rq, k, in, tsb_view_bytes(&payload), err);
}

int
serve_unwrap(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_synchronous_in in;
	const struct wrap_method *method;
	hsm_key_auto *k = NULL;
	hsm_key_auto *made = NULL;
	key_opened_auto opened = {0};
	tsb_bytes_auto value = {0};

	if (wire_synchronous_parse(KIND_UNWRAP, rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.request.key_name), &k, err) ||
	    access_check_use(k, ATTR_UNWRAP, err) ||
	    wrap_select(k, in.request.wrap_method, &method, err) ||
	    keygen_check_import(&in.new_key, wrap_kind(method), rq->arena, err) ||
	    key_open(k, in.request.key_password, &opened, err) ||
	    enforce_unwrap(app, rq, k, &in, err) ||
	    wrap_open(method, &opened, in.request.unwrap.wrapped_key, &value, err) ||
	    keygen_import(&in.new_key, wrap_kind(method), tsb_view_bytes(&value),
		access_seconds(rq), &made, err) ||
	    keystore_create(app->ks, made, err))
		return -1;
	keystore_count_use(app->ks, k);
	access_log(rq, "unwrapped", k, in.request.wrap_method, in.request.unwrap.wrapped_key,
	    in.napprovals);
	log_info("key created name=%s algorithm=%s policy=%s unwrapped=yes", made->label,
	    key_kinds[made->kind].algorithm, made->has_policy ? "yes" : "no");
	(void)hook_fault("hsm.unwrap.executed");
	reply->status = 201;
	return access_describe(app, rq, made, reply, err);
}

static int
open_for_wrapping(const struct hsm_key *k, const struct wire_wrap *in, struct key_opened *opened,
    struct tsb_err *err)
{
	if (access_check_ordinary(k, err))
		return -1;
	if (k->kind != KEY_AES)
		return 0;
	if (!(k->extra & KEY_WRAP))
		return access_refuse(k, "may not wrap", err);
	return key_open(k, in->password, opened, err);
}

/* The value that leaves: only of keys made to leave, and never of one with a policy. */
static int
take_value(const struct hsm_key *k, const struct wire_wrap *in, const struct wrap_method *method,
    struct tsb_bytes *value, struct tsb_err *err)
{
	if (access_check_ordinary(k, err))
		return -1;
	if (k->kind != wrap_kind(method))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "wrapMethod %s is not for key '%s' (%s)", in->method, k->label,
		    key_kinds[k->kind].algorithm);
	if (!k->flag[ATTR_EXTRACTABLE] || k->has_policy)
		return access_refuse(k, "is not extractable", err);
	return key_value(k, in->key_to_wrap_password, value, err);
}

int
serve_wrap(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_wrap in;
	const struct wrap_method *method;
	hsm_key_auto *k = NULL;
	hsm_key_auto *leaving = NULL;
	key_opened_auto opened = {0};
	tsb_bytes_auto value = {0};
	tsb_bytes_auto wrapped = {0};

	if (wire_wrap_parse(rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.key_name), &k, err) ||
	    wrap_select(k, in.method, &method, err) || open_for_wrapping(k, &in, &opened, err) ||
	    access_find(app, tsb_view_str(in.key_to_wrap), &leaving, err) ||
	    take_value(leaving, &in, method, &value, err) ||
	    wrap_make(method, k, &opened, tsb_view_bytes(&value), &wrapped, err))
		return -1;
	if (k->kind == KEY_AES)
		keystore_count_use(app->ks, k);
	access_log(rq, "wrapped", leaving, in.method, tsb_view_bytes(&wrapped), 0);
	log_info("key wrapped name=%s by=%s", leaving->label, k->label);
	wire_base64_format("wrappedKey", tsb_view_bytes(&wrapped), &reply->body);
	return 0;
}
