#include "lib/first.h"

#include "lib/base/str.h"

#include "hsm/key/temporary.h"
#include "hsm/token.h"

/* ---- what a process has open ---- */

int
tokens_open(struct tokens *ts, const struct token_ops *ops, struct tsb_err *err)
{
	struct token *t = ts->n < TOKENS_MAX ? ops->open(err) : NULL;

	if (t == NULL)
		return ts->n < TOKENS_MAX ? -1 : tsb_fail(err, TSB_E_IMPL, "too many tokens");
	ts->v[ts->n++] = t;
	return 0;
}

void
tokens_close(struct tokens *ts)
{
	while (ts->n > 0) {
		struct token *t = ts->v[--ts->n];

		t->ops->close(t);
	}
}

int
tokens_find(const struct tokens *ts, const struct hsm_key *k, struct token **out,
    struct tsb_err *err)
{
	for (size_t i = 0; i < ts->n; i++)
		if (tsb_streq(ts->v[i]->ops->name, k->token)) {
			*out = ts->v[i];
			return 0;
		}
	return tsb_fail(err, TSB_E_HSM, "key '%s' is in token '%s', which this HSM does not have",
	    k->label, k->token);
}

/* ---- what it can do ---- */

int
token_check(const struct tokens *ts, const struct token_ask *ask, struct tsb_err *err)
{
	const struct hsm_key *k = ask->key;
	struct token *t;

	if (tokens_find(ts, k, &t, err))
		return -1;
	if (t->ops->offers(t, ask))
		return 0;
	if (ask->task == TOKEN_DERIVE)
		return tsb_fail(err, TSB_E_DERIVATION,
		    "token '%s' derives keys on secp256k1, P-256 and Ed25519 only (bip32, slip10)",
		    t->ops->name);
	if (ask->task == TOKEN_MAKE)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "token '%s' does not offer %s keys of this size or curve", t->ops->name,
		    key_algorithm(k));
	return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
	    "algorithm %s is not supported by key '%s': its token '%s' does not offer it",
	    ask->name, k->label, t->ops->name);
}

/* ---- private halves ---- */

/* Opens the private half that a key has in its file. */
static int
open_stored(struct token *t, struct hsm_key *k, struct tsb_view password, struct token_key **out,
    struct tsb_err *err)
{
	tsb_bytes_auto part = {0};

	return key_private_part(k, password, &part, err) ||
		t->ops->use(t, k, tsb_view_bytes(&part), out, err)
	    ? -1
	    : 0;
}

static int
open_temporary(struct token *t, struct hsm_key *k, struct tsb_view password, struct token_key **out,
    struct tsb_err *err)
{
	tsb_bytes_auto from = {0};
	tsb_bytes_auto part = {0};

	if (t->ops->derive == NULL || t->ops->destroy != NULL)
		return tsb_fail(err, TSB_E_DERIVATION,
		    "key '%s' cannot be derived for one use: token '%s' keeps what it derives",
		    k->label, t->ops->name);
	return key_private_part(k->master, password, &from, err) ||
		t->ops->derive(t, k->master, tsb_view_bytes(&from), k->path, k, &part, err) ||
		key_temporary_settle(k, err) || t->ops->use(t, k, tsb_view_bytes(&part), out, err)
	    ? -1
	    : 0;
}

int
token_use(const struct tokens *ts, struct hsm_key *k, struct tsb_view password,
    struct token_key **out, struct tsb_err *err)
{
	struct token *t;

	if (k->extra & KEY_PUBLIC_ONLY)
		return tsb_fail(err, TSB_E_FORBIDDEN_FOR_KEY,
		    "key '%s' has no private half: only its public key was imported", k->label);
	if (k->opened == NULL) {
		if (tokens_find(ts, k, &t, err) ||
		    (k->master != NULL ? open_temporary : open_stored)(t, k, password, out, err))
			return -1;
		if (k->has_password)
			return 0;
		k->opened = *out;
		k->release_opened = token_release;
	}
	k->opened->refs++;
	*out = k->opened;
	return 0;
}

void
token_release(struct token_key **p)
{
	struct token_key *key = *p;

	*p = NULL;
	if (key != NULL && --key->refs == 0)
		key->ops->release(key);
}

int
token_wrap(struct token_key *by, const struct hsm_key *k, const struct wrap_method *method,
    struct token_key *leaving, struct tsb_bytes *out, struct tsb_err *err)
{
	if (!tsb_streq(k->token, leaving->ops->name))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "key '%s' cannot wrap a key of token '%s'", k->label, leaving->ops->name);
	return leaving->ops->wrap(by, k, method, leaving, out, err);
}

int
token_destroy(const struct tokens *ts, const struct hsm_key *k, struct tsb_view password,
    struct tsb_err *err)
{
	tsb_bytes_auto part = {0};
	struct token *t;

	if (k->extra & KEY_PUBLIC_ONLY)
		return 0;
	if (tokens_find(ts, k, &t, err))
		return -1;
	if (t->ops->destroy == NULL)
		return 0;
	return key_private_part(k, password, &part, err) ||
		t->ops->destroy(t, tsb_view_bytes(&part), err)
	    ? -1
	    : 0;
}
