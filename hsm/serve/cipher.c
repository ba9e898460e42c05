/* Decryption and encryption (api-notes.md 8.2). */
#include "lib/first.h"

#include "lib/base/hook.h"

#include "hsm/serve/access.h"

int
serve_decrypt(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_synchronous_in in;
	const struct cipher_algorithm *alg;
	hsm_key_auto *k = NULL;
	token_key_auto *opened = NULL;
	tsb_bytes_auto plain = {0};

	if (wire_synchronous_parse(web_route_arg(rq), rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.request.key_name), &k, err) ||
	    access_select_decryption(app, k, in.cipher.algorithm, &alg, err) ||
	    access_enforce(app, rq, k, &in, in.request.payload, err) ||
	    token_use(&app->tokens, k, in.request.key_password, &opened, err) ||
	    opened->ops->decrypt(opened, k, alg, &in.cipher, in.request.payload, &plain, err))
		return -1;
	keystore_count_use(app->ks, k);
	access_log(rq, "decrypted", k, in.cipher.algorithm, in.request.payload, in.napprovals);
	(void)hook_fault("hsm.decrypt.executed");
	wire_base64_format("payload", tsb_view_bytes(&plain), &reply->body);
	return 0;
}

static int
select_encryption(struct hsm_app *app, const struct hsm_key *k, const char *name,
    const struct cipher_algorithm **out, struct tsb_err *err)
{
	struct token_ask ask = {.task = TOKEN_ENCRYPT, .key = k, .name = name};

	if (cipher_select(k, name, &ask.cipher, err) || token_check(&app->tokens, &ask, err))
		return -1;
	*out = ask.cipher;
	return 0;
}

/* Everybody may use a public key. A secret key is opened. */
static int
open_for_encryption(struct hsm_app *app, struct hsm_key *k, const struct wire_encrypt *in,
    struct token_key **opened, struct tsb_err *err)
{
	if (access_check_ordinary(k, err))
		return -1;
	if (!key_is_secret(k))
		return 0;
	if (!(k->extra & KEY_ENCRYPT))
		return access_refuse(k, "may not encrypt", err);
	return token_use(&app->tokens, k, in->password, opened, err);
}

int
serve_encrypt(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_encrypt in;
	const struct cipher_algorithm *alg;
	hsm_key_auto *k = NULL;
	token_key_auto *opened = NULL;
	cipher_encrypted_auto out = {0};
	struct token *token;

	if (wire_encrypt_parse(rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.key_name), &k, err) ||
	    select_encryption(app, k, in.cipher.algorithm, &alg, err) ||
	    access_complete(app, k, in.password, err) ||
	    open_for_encryption(app, k, &in, &opened, err) ||
	    tokens_find(&app->tokens, k, &token, err) ||
	    token->ops->encrypt(opened, k, alg, &in.cipher, in.payload, &out, err))
		return -1;
	if (key_is_secret(k))
		keystore_count_use(app->ks, k);
	access_log(rq, "encrypted", k, in.cipher.algorithm, tsb_view_bytes(&out.payload), 0);
	wire_encrypted_format(tsb_view_bytes(&out.payload), out.tag_size, tsb_view_bytes(&out.iv),
	    &reply->body);
	return 0;
}
