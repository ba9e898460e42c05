#include "lib/first.h"

#include <string.h>

#include "lib/base/hook.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/crypto/signature_internal.h"
#include "lib/ska/keyattr.h"
#include "lib/wire/wire.h"

#include "hsm/key/attributes.h"
#include "hsm/key/make.h"
#include "hsm/key/timestamp.h"
#include "hsm/serve/access.h"
#include "hsm/soft/cipher.h"
#include "hsm/soft/sign.h"
#include "hsm/soft/wrap.h"

#define RANDOM_MAX 65536
#define API_LEVEL  "2.5.1" /* of the REST API that clients expect */

/* ---- keys ---- */

int
serve_key_create(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_key_create in;
	hsm_key_auto *k = NULL;

	if (wire_key_create_parse(rq->body, rq->arena, &in, err) ||
	    keygen_from_request(&in, rq->arena, access_seconds(rq), &k, err) ||
	    keystore_create(app->ks, k, err))
		return -1;
	log_info("key created name=%s algorithm=%s policy=%s password=%s", k->label,
	    key_kinds[k->kind].algorithm, k->has_policy ? "yes" : "no",
	    k->has_password ? "yes" : "no");
	reply->status = 201;
	return access_describe(app, rq, k, reply, err);
}

static bool
is_listed(const struct hsm_app *app, const char *label)
{
	return app->conf->list_system_keys ||
	    (!tsb_streq(label, app->conf->attestation_key) &&
		!tsb_streq(label, app->conf->timestamp_key));
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

static int
check_may_delete(const struct hsm_key *k, void *arg, struct tsb_err *err)
{
	const struct tsb_view *password = arg;

	if (k->system != KEY_ORDINARY)
		return access_refuse(k, "is a system key: it cannot be deleted", err);
	if (key_check_password(k, *password, err))
		return -1;
	if (!k->flag[ATTR_DESTROYABLE])
		return access_refuse(k, "is not destroyable", err);
	return 0;
}

static int
delete_key(struct hsm_app *app, struct tsb_view name, struct tsb_view password, struct tsb_err *err)
{
	if (keystore_remove(app->ks, name, check_may_delete, &password, err))
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

/* ---- using keys ---- */

int
serve_sign(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_synchronous_in in;
	const struct scheme *alg;
	hsm_key_auto *k = NULL;
	pkey_auto *private_key = NULL;
	tsb_bytes_auto signature = {0};
	enum scheme_form form;

	if (wire_synchronous_parse(KIND_SIGN, rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.request.key_name), &k, err) ||
	    access_check_use(k, ATTR_SIGN, err) ||
	    sign_select(k, in.request.algorithm, in.request.payload.n, &alg, err) ||
	    sign_form_parse(k, alg, in.signature_type, &form, err) ||
	    key_open_private(k, in.request.key_password, &private_key, err) ||
	    access_enforce(app, rq, k, &in, in.request.payload, err) ||
	    sign_make(k, private_key, alg, form, in.request.payload, &signature, err))
		return -1;
	keystore_count_use(app->ks, k);
	access_log(rq, "signed", k, in.request.algorithm, in.request.payload, in.napprovals);
	(void)hook_fault("hsm.sign.executed");
	wire_base64_format("signature", tsb_view_bytes(&signature), &reply->body);
	return 0;
}

int
serve_verify(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const struct scheme *alg;
	struct wire_verify in;
	hsm_key_auto *k = NULL;
	bool valid;

	if (wire_verify_parse(rq->body, rq->arena, &in, err) ||
	    access_find_checked(arg, tsb_view_str(in.key_name), in.password, &k, err) ||
	    sign_select(k, in.algorithm, in.payload.n, &alg, err) ||
	    signature_verify(k->public_key, alg, in.payload, in.signature, &valid, err))
		return -1;
	wire_bool_format("signatureValid", valid, &reply->body);
	return 0;
}

/* What could not happen is refused before approvers are asked for it. */
static int
check_stamped(const struct hsm_key *k, const struct wire_timestamp_request *in, struct tsb_err *err)
{
	const struct scheme *alg;
	const struct cipher_algorithm *cipher;
	const struct wrap_method *method;

	if (in->operation != OP_USE)
		return access_check_policy(k, err);
	if (in->algorithm)
		return access_check_use(k, ATTR_SIGN, err) ||
			sign_select(k, in->algorithm, in->payload.n, &alg, err)
		    ? -1
		    : 0;
	if (in->cipher)
		return access_check_use(k, ATTR_DECRYPT, err) ||
			cipher_select(k, in->cipher, &cipher, err)
		    ? -1
		    : 0;
	if (in->wrap_method)
		return access_check_use(k, ATTR_UNWRAP, err) ||
			wrap_select(k, in->wrap_method, &method, err)
		    ? -1
		    : 0;
	return access_check_blocked(k, err);
}

int
serve_timestamp(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_timestamp_request in;
	struct wire_timestamp_reply out;
	hsm_key_auto *k = NULL;
	hsm_key_auto *stamp = NULL;
	tsb_bytes_auto token = {0};
	tsb_bytes_auto signature = {0};

	if (wire_timestamp_request_parse(rq->body, rq->arena, &in, err) ||
	    access_find_checked(app, tsb_view_str(in.key_name), in.key_password, &k, err) ||
	    check_stamped(k, &in, err) ||
	    access_find_system(app, app->conf->timestamp_key, KEY_TIMESTAMP, &stamp, err) ||
	    timestamp_make(stamp, in.operation, in.payload, access_seconds(rq), &token, &signature,
		err) ||
	    attributes_digest(k, rq->arena, out.attributes_digest, err))
		return -1;
	access_log(rq, "stamped", k, in.algorithm, in.payload, 0);
	out.timestamp = tsb_view_bytes(&token);
	out.signature_with_algorithm = tsb_view_bytes(&signature);
	wire_timestamp_reply_format(&out, &reply->body);
	return 0;
}

int
serve_random(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	const char *text = (const char *)rq->param[0].p;
	tsb_bytes_auto random = {0};
	long n;

	if (rq->param[0].n == 0 || strspn(text, "0123456789") != rq->param[0].n)
		return tsb_fail(err, TSB_E_INPUT, "length must be a number of bytes");
	if (!tsb_str_to_long(text, 1, RANDOM_MAX, &n))
		return tsb_fail(err, TSB_E_NUMBER_RANGE, "length must be from 1 to %d", RANDOM_MAX);
	crypto_random(tsb_bytes_grow(&random, (size_t)n), (size_t)n);
	wire_base64_format("random", tsb_view_bytes(&random), &reply->body);
	return 0;
}

/* ---- the service ---- */

int
serve_version(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	tsb_bytes_add_str(&reply->body,
	    "{\"Version\":\"" API_LEVEL "\",\"Vendor\":\"Open Transaction Security Broker\","
	    "\"Implementation\":\"tsb-hsm " TSB_VERSION "\"}");
	return 0;
}

int
serve_license(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	/* Nothing is licensed here: clients look for these names (api-notes.md 11). */
	tsb_bytes_add_str(&reply->body,
	    "{\"clientFlags\":[\"REST_API\",\"TSB_ENGINE\",\"KEY_AUTH\",\"FIREBLOCKS_AGENT\"]}");
	return 0;
}

/* Also the health check of most clients: it fails when the key store or the system keys do. */
int
serve_statistics(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	hsm_key_auto *attestation = NULL;
	hsm_key_auto *stamp = NULL;
	size_t n;

	if (access_find_system(app, app->conf->attestation_key, KEY_ATTESTATION, &attestation,
		err) ||
	    access_find_system(app, app->conf->timestamp_key, KEY_TIMESTAMP, &stamp, err) ||
	    keystore_count(app->ks, &n, err))
		return -1;
	tsb_bytes_addf(&reply->body, "{\"keyStoreStatistics\":\"tsb-hsm %s: %zu keys\"}",
	    TSB_VERSION, n);
	return 0;
}
