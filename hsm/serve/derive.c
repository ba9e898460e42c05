/* Keys that are derived from others and stored, and extended public keys (api-notes.md 7.9). */
#include "lib/first.h"

#include <string.h>

#include <openssl/core_names.h>

#include "lib/base/log.h"
#include "lib/wire/wire.h"

#include "hsm/key/make.h"
#include "hsm/serve/access.h"

int
serve_key_derive(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_key_derive in;
	hsm_key_auto *master = NULL;
	hsm_key_auto *k = NULL;

	if (wire_key_derive_parse(rq->body, rq->arena, &in, err) ||
	    keystore_get(app->ks, tsb_view_str(in.master), &master, err) ||
	    access_check_derives(app, master, err) || access_check_blocked(master, err) ||
	    key_make_derived(&app->tokens, master, &in, access_seconds(rq), &k, err) ||
	    access_store(app, k, in.password, err))
		return -1;
	log_info("key derived name=%s algorithm=%s policy=%s password=%s", k->label,
	    key_kinds[k->kind].algorithm, k->has_policy ? "yes" : "no",
	    k->has_password ? "yes" : "no");
	access_warn_uses(k);
	reply->status = 201;
	return access_describe(app, rq, k, reply, err);
}

/* ---- extended public keys ---- */

#define COORDINATE_MAX 66

/* The point of an EC key, compressed. False when OpenSSL gives another form. */
static bool
compressed(const struct hsm_key *k, struct tsb_bytes *out)
{
	const size_t size = k->curve->scalar;
	unsigned char point[1 + 2 * COORDINATE_MAX];
	size_t n;

	if (EVP_PKEY_get_octet_string_param(k->public_key, OSSL_PKEY_PARAM_PUB_KEY, point,
		sizeof(point), &n) != 1 ||
	    n != 1 + 2 * size || point[0] != 4)
		return false;
	point[0] = 2 | (point[n - 1] & 1);
	tsb_bytes_add(out, point, 1 + size);
	return true;
}

int
serve_xpub(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	hsm_key_auto *k = NULL;
	tsb_bytes_auto point = {0};
	tsb_bytes_auto text = {0};

	if (access_find_checked(arg, rq->param[0], (struct tsb_view){0}, &k, err))
		return -1;
	if (k->kind != KEY_EC || !k->has_chain)
		return tsb_fail(err, TSB_E_DERIVATION,
		    "key '%s' has no extended public key: it is not an EC key with bip32 or slip10",
		    k->label);
	if (!compressed(k, &point))
		return tsb_fail(err, TSB_E_HSM, "the public key has no uncompressed point");
	chain_format(&k->chain, CHAIN_XPUB, tsb_view_bytes(&point), &text);
	wire_text_member_format("xpub", tsb_view_bytes(&text), &reply->body);
	return 0;
}
