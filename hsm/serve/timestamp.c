/* Timestamps (docs/hsm-api.md). They begin a request, so they refuse what could never happen. */
#include "lib/first.h"

#include "lib/wire/wire.h"

#include "hsm/key/attributes.h"
#include "hsm/key/timestamp.h"
#include "hsm/serve/access.h"

/* Nobody is asked to approve what the HSM would refuse to do. */
static int
check_stamped(struct hsm_app *app, const struct hsm_key *k, const struct wire_timestamp_request *in,
    int64_t now, struct tsb_err *err)
{
	const struct scheme *alg;
	const struct cipher_algorithm *cipher;
	const struct wrap_method *method;

	if (k->create_time > now)
		return tsb_fail(err, TSB_E_HSM,
		    "key '%s' was made %lld s ahead of the clock of this HSM, which was set back: ask "
		    "again later",
		    k->label, (long long)(k->create_time - now));
	if (in->operation != OP_USE)
		return access_check_policy(k, err);
	if (in->algorithm != NULL)
		return access_select_signature(app, k, in->algorithm, in->payload.n, &alg, err);
	if (in->cipher != NULL)
		return access_select_decryption(app, k, in->cipher, &cipher, err);
	if (in->wrap_method != NULL)
		return access_select_unwrapping(app, k, in->wrap_method, &method, err);
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
	token_key_auto *private_half = NULL;
	tsb_bytes_auto token = {0};
	tsb_bytes_auto signature = {0};

	if (wire_timestamp_request_parse(rq->body, rq->arena, &in, err) ||
	    access_find_checked(app, tsb_view_str(in.key_name), in.key_password, &k, err) ||
	    check_stamped(app, k, &in, access_seconds(rq), err) ||
	    access_open_system(app, app->conf->timestamp_key, KEY_TIMESTAMP, &stamp, &private_half,
		err) ||
	    timestamp_make(stamp, private_half, in.operation, in.payload, access_seconds(rq),
		&token, &signature, err) ||
	    attributes_digest(k, rq->arena, out.attributes_digest, err))
		return -1;
	access_log(rq, "stamped", k, in.algorithm, in.payload, 0);
	out.timestamp = tsb_view_bytes(&token);
	out.signature_with_algorithm = tsb_view_bytes(&signature);
	wire_timestamp_reply_format(&out, &reply->body);
	return 0;
}
