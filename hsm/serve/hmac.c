/* Keyed hashes, made and checked (api-notes.md 8.5): signatures whose key is a secret one. */
#include "lib/first.h"

#include <openssl/crypto.h>

#include "lib/wire/wire.h"

#include "hsm/key/sign.h"
#include "hsm/serve/access.h"

#define ALGORITHM "HMAC_SHA256"

static int
compute(struct hsm_app *app, struct hsm_key *k, const struct wire_hmac *in,
    const struct scheme *alg, struct tsb_bytes *out, struct tsb_err *err)
{
	const struct sign_how how = {.scheme = alg, .form = FORM_RAW};
	token_key_auto *opened = NULL;

	if (token_use(&app->tokens, k, in->password, &opened, err) ||
	    sign_make(k, opened, &how, in->payload, out, err))
		return -1;
	keystore_count_use(app->ks, k);
	return 0;
}

int
serve_hmac(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_hmac in;
	const struct scheme *alg;
	hsm_key_auto *k = NULL;
	tsb_bytes_auto mac = {0};

	if (wire_hmac_parse(rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.key_name), &k, err) ||
	    access_select_signature(app, k, ALGORITHM, in.payload.n, &alg, err) ||
	    compute(app, k, &in, alg, &mac, err))
		return -1;
	access_log(rq, "keyed hash", k, ALGORITHM, in.payload, 0);
	wire_base64_format("keyedHash", tsb_view_bytes(&mac), &reply->body);
	return 0;
}

int
serve_hmac_verify(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_hmac in;
	struct token_ask ask = {.task = TOKEN_SIGN, .name = ALGORITHM};
	hsm_key_auto *k = NULL;
	tsb_bytes_auto mac = {0};

	if (wire_hmac_verify_parse(rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.key_name), &k, err) || access_check_ordinary(k, err) ||
	    sign_select(k, ALGORITHM, in.payload.n, &ask.scheme, err))
		return -1;
	ask.key = k;
	if (!(k->extra & KEY_VERIFY))
		return access_refuse(k, "may not verify", err);
	if (token_check(&app->tokens, &ask, err) || compute(app, k, &in, ask.scheme, &mac, err))
		return -1;
	/* a shorter one is not looked at: half of a hash is half as hard to guess */
	wire_bool_format("signatureValid",
	    in.mac.n == mac.n && CRYPTO_memcmp(in.mac.p, mac.p, mac.n) == 0, &reply->body);
	return 0;
}
