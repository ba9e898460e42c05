/* Signatures, made and checked (api-notes.md 8.3). */
#include "lib/first.h"

#include <inttypes.h>

#include "lib/base/hook.h"
#include "lib/base/log.h"
#include "lib/crypto/hbs.h"
#include "lib/crypto/signature_internal.h"
#include "lib/wire/wire.h"

#include "hsm/key/sign.h"
#include "hsm/serve/access.h"

/* On disk before the signature is made: one that is cut short costs its leaf. */
static int
take_leaf(struct hsm_app *app, const struct hsm_key *k, uint32_t *leaf, struct tsb_err *err)
{
	uint32_t left;

	if (keystore_take_leaf(app->ks, k, leaf, &left, err))
		return -1;
	log_info("leaf taken key=%s leaf=%" PRIu32 " left=%" PRIu32, k->label, *leaf, left);
	if (left == 0)
		log_warn("key '%s' makes its last signature", k->label);
	return 0;
}

/* With the public half alone. */
static int
verify(const struct hsm_key *k, const struct scheme *s, const struct wire_verify *in, bool *valid,
    struct tsb_err *err)
{
	return scheme_is_stateful(s)
	    ? hbs_verify(k->set, k->spki, in->payload, in->signature, valid, err)
	    : signature_verify(k->public_key, s, &in->extra, in->payload, in->signature, valid,
		  err);
}

int
serve_sign(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_synchronous_in in;
	hsm_key_auto *k = NULL;
	token_key_auto *private_half = NULL;
	tsb_bytes_auto signature = {0};
	struct sign_how how;

	if (wire_synchronous_parse(web_route_arg(rq), rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.request.key_name), &k, err) ||
	    access_select_signature(app, k, in.request.algorithm, in.request.payload.n, &how.scheme,
		err) ||
	    sign_form_parse(k, how.scheme, in.signature_type, &how.form, err) ||
	    access_enforce(app, rq, k, &in, in.request.payload, err) ||
	    token_use(&app->tokens, k, in.request.key_password, &private_half, err))
		return -1;
	how.extra = in.extra;
	if (key_is_stateful(k) && take_leaf(app, k, &how.leaf, err))
		return -1;
	if (sign_make(k, private_half, &how, in.request.payload, &signature, err))
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

	if (wire_is_hmac_verify(rq->body, rq->arena))
		return serve_hmac_verify(arg, rq, reply, err);
	if (wire_verify_parse(rq->body, rq->arena, &in, err) ||
	    access_find_checked(arg, tsb_view_str(in.key_name), in.password, &k, err) ||
	    sign_select(k, in.algorithm, in.payload.n, &alg, err))
		return -1;
	if (scheme_is_hmac(alg))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "%s has no public key: verifyHmacRequest checks it", in.algorithm);
	if (verify(k, alg, &in, &valid, err))
		return -1;
	wire_bool_format("signatureValid", valid, &reply->body);
	return 0;
}
