#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/base/hook.h"
#include "lib/base/log.h"

#include "hsm/key/attributes.h"
#include "hsm/key/certify.h"
#include "hsm/key/enforce.h"
#include "hsm/key/temporary.h"
#include "hsm/serve/access.h"

int64_t
access_seconds(const struct web_request *rq)
{
	return rq->now_ms / 1000;
}

/* ---- finding and storing keys ---- */

int
access_check_derives(struct hsm_app *app, const struct hsm_key *k, struct tsb_err *err)
{
	const struct token_ask ask = {.task = TOKEN_DERIVE, .key = k};

	if (access_check_ordinary(k, err))
		return -1;
	if (!k->has_chain)
		return tsb_fail(err, TSB_E_DERIVATION,
		    "no key can be derived from key '%s': it was made without bip32 and slip10",
		    k->label);
	if (!k->flag[ATTR_DERIVE])
		return access_refuse(k, "may not derive", err);
	return token_check(&app->tokens, &ask, err);
}

/* A key that is derived for this use, unless it is stored. */
int
access_find(struct hsm_app *app, struct tsb_view name, struct hsm_key **out, struct tsb_err *err)
{
	struct tsb_view master_name, text;
	hsm_key_auto *master = NULL;
	struct key_path path;

	if (keystore_get(app->ks, name, out, err) == 0)
		return 0;
	if (err->code != TSB_E_KEY_NOT_EXISTENT || !key_path_split(name, &master_name, &text) ||
	    keystore_get(app->ks, master_name, &master, err) || key_path_parse(text, &path, err) ||
	    access_check_derives(app, master, err))
		return -1;
	*out = key_temporary(master, name, &path);
	return 0;
}

int
access_complete(struct hsm_app *app, struct hsm_key *k, struct tsb_view password,
    struct tsb_err *err)
{
	token_key_auto *opened = NULL;

	return k->master != NULL ? token_use(&app->tokens, k, password, &opened, err) : 0;
}

int
access_find_checked(struct hsm_app *app, struct tsb_view name, struct tsb_view password,
    struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *k = NULL;

	if (access_find(app, name, &k, err) ||
	    (k->master == NULL ? key_check_password(k, password, err)
			       : access_complete(app, k, password, err)))
		return -1;
	*out = key_hold(k);
	return 0;
}

int
access_find_system(struct hsm_app *app, const char *label, enum key_system system,
    struct hsm_key **out, struct tsb_err *err)
{
	hsm_key_auto *k = NULL;

	if (keystore_get(app->ks, tsb_view_str(label), &k, err))
		return -1;
	if (k->system != system)
		return tsb_fail(err, TSB_E_INTEGRITY_KEY, "key '%s' is not a system key", label);
	*out = key_hold(k);
	return 0;
}

int
access_open_system(struct hsm_app *app, const char *label, enum key_system system,
    struct hsm_key **out, struct token_key **private_half, struct tsb_err *err)
{
	const struct tsb_view no_password = {0};
	hsm_key_auto *k = NULL;

	if (access_find_system(app, label, system, &k, err) ||
	    token_use(&app->tokens, k, no_password, private_half, err))
		return -1;
	*out = key_hold(k);
	return 0;
}

struct certifying {
	struct hsm_app *app;
	int64_t seconds;
};

/* Another process may have been faster. */
static int
certify(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	const struct tsb_view no_password = {0};
	struct certifying *c = arg;
	token_key_auto *private_half = NULL;

	if (k->certificate.n > 0)
		return 1;
	return token_use(&c->app->tokens, k, no_password, &private_half, err) ||
		certify_system(k, private_half, c->seconds, &k->arena, &k->certificate, err)
	    ? -1
	    : 0;
}

int
access_certify_system(struct hsm_app *app, const char *label, int64_t seconds, struct tsb_err *err)
{
	struct certifying c = {app, seconds};

	return keystore_change(app->ks, tsb_view_str(label), certify, &c, err);
}

int
access_store(struct hsm_app *app, const struct hsm_key *k, struct tsb_view password,
    struct tsb_err *err)
{
	struct tsb_err why = {0};

	if (keystore_create(app->ks, k, err) == 0)
		return 0;
	if (token_destroy(&app->tokens, k, password, &why))
		log_failure(LOG_ERROR, "a key that could not be stored", &why);
	return -1;
}

/* ---- being allowed to use them ---- */

int
access_refuse(const struct hsm_key *k, const char *why, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_FORBIDDEN_FOR_KEY, "key '%s' %s", k->label, why);
}

int
access_check_ordinary(const struct hsm_key *k, struct tsb_err *err)
{
	if (k->system != KEY_ORDINARY)
		return access_refuse(k, "is a system key: it signs for the HSM only", err);
	return 0;
}

int
access_check_blocked(const struct hsm_key *k, struct tsb_err *err)
{
	return k->has_policy && k->policy.blocked ? access_refuse(k, "is blocked", err) : 0;
}

int
access_check_use(const struct hsm_key *k, enum keyattr_flag flag, struct tsb_err *err)
{
	if (access_check_ordinary(k, err))
		return -1;
	if (!k->flag[flag])
		return tsb_fail(err, TSB_E_FORBIDDEN_FOR_KEY, "key '%s' may not %s", k->label,
		    keyattr_flag_json[flag]);
	return access_check_blocked(k, err);
}

int
access_check_stored(const struct hsm_key *k, struct tsb_err *err)
{
	if (k->master != NULL)
		return access_refuse(k,
		    "is derived from its master at each use: only a stored key can be changed or "
		    "given out",
		    err);
	return 0;
}

int
access_check_policy(const struct hsm_key *k, struct tsb_err *err)
{
	if (access_check_stored(k, err))
		return -1;
	if (!k->has_policy)
		return tsb_fail(err, TSB_E_KEY_TYPE,
		    "key '%s' has no policy: it cannot be blocked, unblocked or modified",
		    k->label);
	return 0;
}

int
access_select_signature(struct hsm_app *app, const struct hsm_key *k, const char *name, size_t n,
    const struct scheme **out, struct tsb_err *err)
{
	struct token_ask ask = {.task = TOKEN_SIGN, .key = k, .name = name};

	if (access_check_use(k, ATTR_SIGN, err) || sign_select(k, name, n, &ask.scheme, err) ||
	    token_check(&app->tokens, &ask, err))
		return -1;
	*out = ask.scheme;
	return 0;
}

int
access_select_decryption(struct hsm_app *app, const struct hsm_key *k, const char *name,
    const struct cipher_algorithm **out, struct tsb_err *err)
{
	struct token_ask ask = {.task = TOKEN_DECRYPT, .key = k, .name = name};

	if (access_check_use(k, ATTR_DECRYPT, err) || cipher_select(k, name, &ask.cipher, err) ||
	    token_check(&app->tokens, &ask, err))
		return -1;
	*out = ask.cipher;
	return 0;
}

int
access_select_unwrapping(struct hsm_app *app, const struct hsm_key *k, const char *name,
    const struct wrap_method **out, struct tsb_err *err)
{
	struct token_ask ask = {.task = TOKEN_UNWRAP, .key = k, .name = name};

	if (access_check_use(k, ATTR_UNWRAP, err) || wrap_select(k, name, &ask.method, err) ||
	    token_check(&app->tokens, &ask, err))
		return -1;
	*out = ask.method;
	return 0;
}

static int
own_timestamp_key(void *arg, struct tsb_view label, struct arena *a, struct tsb_view *spki,
    struct tsb_err *err)
{
	struct hsm_app *app = arg;
	hsm_key_auto *k = NULL;

	if (keystore_get(app->ks, label, &k, err))
		return -1;
	if (k->system != KEY_TIMESTAMP)
		return tsb_fail(err, TSB_E_KEY_TYPE, "key '%s' makes no timestamps", k->label);
	*spki = arena_view(a, k->spki);
	return 0;
}

static struct enforce_request
enforcement(struct hsm_app *app, const struct web_request *rq, const struct hsm_key *k,
    const struct wire_synchronous_in *in, struct tsb_view payload)
{
	const struct tsb_kind_row *row = &tsb_kinds[in->request.kind];
	return (struct enforce_request){
	    .key_name = k->label,
	    .policy = &k->policy,
	    .operation = row->operation,
	    .payload = payload,
	    .approvals = in->signed_approvals,
	    .napprovals = in->napprovals,
	    .now = access_seconds(rq),
	    .created = k->create_time,
	    .approvers = k->approvers,
	    .forgotten = row->operation == OP_USE ? 0 : k->forgotten,
	    .timestamp_key = own_timestamp_key,
	    .arg = app,
	    .failure = row->failure,
	};
}

int
access_enforce(struct hsm_app *app, struct web_request *rq, const struct hsm_key *k,
    const struct wire_synchronous_in *in, struct tsb_view payload, struct tsb_err *err)
{
	const struct enforce_request request = enforcement(app, rq, k, in, payload);

	if (k->has_policy && enforce(&request, rq->arena, err))
		return -1;
	(void)hook_fault("hsm.enforced");
	return 0;
}

int
access_enforce_repeat(struct hsm_app *app, struct web_request *rq, const struct hsm_key *k,
    const struct wire_synchronous_in *in, struct tsb_view payload, struct tsb_err *err)
{
	const struct enforce_request request = enforcement(app, rq, k, in, payload);

	return enforce_repeat(&request, rq->arena, err);
}

/* ---- answers and the log ---- */

static int
attest(struct hsm_app *app, struct web_request *rq, const struct hsm_key *k,
    const struct hsm_key *attestation, struct token_key *private_half, struct keyattr *d,
    struct tsb_bytes *xml, struct tsb_bytes *signature, struct tsb_err *err)
{
	if (attributes_describe(k, keystore_use_count(app->ks, k), access_seconds(rq), rq->arena, d,
		err))
		return -1;
	keyattr_format(d, xml);
	return attributes_sign(tsb_view_bytes(xml), attestation, private_half, signature, err);
}

int
access_attest(struct hsm_app *app, struct web_request *rq, const struct hsm_key *k,
    const struct hsm_key *attestation, struct token_key *private_half, struct tsb_bytes *xml,
    struct tsb_bytes *signature, struct tsb_err *err)
{
	struct keyattr d;

	return attest(app, rq, k, attestation, private_half, &d, xml, signature, err);
}

int
access_describe(struct hsm_app *app, struct web_request *rq, const struct hsm_key *k,
    struct web_reply *reply, struct tsb_err *err)
{
	hsm_key_auto *attestation = NULL;
	token_key_auto *private_half = NULL;
	tsb_bytes_auto xml = {0};
	tsb_bytes_auto signature = {0};
	struct keyattr d;

	if (access_open_system(app, app->conf->attestation_key, KEY_ATTESTATION, &attestation,
		&private_half, err) ||
	    attest(app, rq, k, attestation, private_half, &d, &xml, &signature, err))
		return -1;
	wire_key_attributes_format(&d, tsb_view_bytes(&xml), tsb_view_bytes(&signature),
	    attestation->label, &reply->body);
	return 0;
}

void
access_warn_uses(const struct hsm_key *k)
{
	if (k->has_policy && k->flag[ATTR_SIGN] + k->flag[ATTR_DECRYPT] + k->flag[ATTR_UNWRAP] > 1)
		log_warn(
		    "key '%s' has a policy and several uses: an approval counts for each of them",
		    k->label);
}

void
access_log(struct web_request *rq, const char *what, const struct hsm_key *k, const char *algorithm,
    struct tsb_view payload, size_t approvals)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(payload, digest);
	log_info("%s key=%s algorithm=%s payload=%zu sha256=%s approvals=%zu", what, k->label,
	    algorithm != NULL ? algorithm : "-", payload.n,
	    enc_hex_str(rq->arena, tsb_view_of(digest, sizeof(digest))), approvals);
}
