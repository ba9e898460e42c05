/* Timestamp tokens of RFC 3161 for anybody's bytes (api-notes.md 8.6). */
#include "lib/first.h"

#include "lib/wire/wire.h"

#include "hsm/key/rfctimestamp.h"
#include "hsm/serve/access.h"

int
serve_rfc_timestamp(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	const char *label = app->conf->rfc_timestamp_key;
	struct rfc_timestamp what = {
	    .policy = app->conf->rfc_timestamp_policy,
	    .seconds = access_seconds(rq),
	};
	struct wire_rfc_timestamp in;
	hsm_key_auto *k = NULL;
	token_key_auto *private_half = NULL;
	tsb_bytes_auto token = {0};

	if (wire_rfc_timestamp_parse(rq->body, rq->arena, &in, err))
		return -1;
	if (label == NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_EXISTENT,
		    "this HSM makes no RFC 3161 timestamps: keys.rfcTimestampKeyName is not set");
	what.payload = in.payload;
	what.hash = (enum hash)(HASH_SHA1 + in.hash);
	if (access_open_system(app, label, KEY_RFC_TIMESTAMP, &k, &private_half, err) ||
	    rfc_timestamp_make(k, private_half, &what, &token, err))
		return -1;
	access_log(rq, "RFC 3161 timestamp", k, NULL, in.payload, 0);
	wire_base64_format("timestamp", tsb_view_bytes(&token), &reply->body);
	return 0;
}
