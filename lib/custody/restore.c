#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"
#include "lib/custody/keep.h"
#include "lib/custody/onetime.h"
#include "lib/custody/restore.h"
#include "lib/flow/evaluate.h"
#include "lib/flow/execute.h"
#include "lib/flow/hsmcall.h"
#include "lib/flow/request.h"
#include "lib/ska/token.h"
#include "lib/ska/verdict.h"

/*
 * A forgotten backup password (api-notes.md 10.3). The HSM decrypts the key of the backup under the
 * ruleUse of the backup key; with that key the broker opens the backup and makes a new container.
 * The backup gets a new key each time: approvals that were given once open nothing later.
 */

/* ---- the request ---- */

/* Name, NUL, new password: waits sealed in the request until its end. */
static struct tsb_view
secret_make(const struct wire_approver_password *in, struct arena *a)
{
	tsb_bytes_auto secret = {0};

	tsb_bytes_add(&secret, in->name, strlen(in->name) + 1);
	tsb_bytes_add_view(&secret, in->new_password);
	return arena_view(a, tsb_view_bytes(&secret));
}

static int
secret_parse(struct tsb_view secret, struct arena *a, const char **name, struct tsb_view *password,
    struct tsb_err *err)
{
	const unsigned char *nul = secret.n == 0 ? NULL : memchr(secret.p, '\0', secret.n);
	size_t n;

	if (nul == NULL)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the request does not say which approver it restores");
	n = (size_t)(nul - secret.p);
	*name = arena_strn(a, secret.p, n);
	*password = arena_view(a, tsb_view_of(nul + 1, secret.n - n - 1));
	return 0;
}

struct loading {
	const char *name;
	struct arena *arena;
	struct tsb_approver *row;
};

static int
load_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct loading *l = ctx;

	return store_approver_load(tx, l->name, false, l->arena, l->row, err);
}

/* The approver's backup can be opened by the backup key as it is now. */
static int
check_backup_key(struct flow *f, const struct tsb_approver *row, struct arena *a,
    struct tsb_err *err)
{
	unsigned char id[CRYPTO_SHA256_SIZE];
	struct keyattr key;

	if (flow_hsm_key(f, f->conf->hsm_backup_key, a, &key, err))
		return -1;
	crypto_sha256(key.public_key, id);
	if (memcmp(id, row->backup_key, sizeof(id)) != 0)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the backup of '%.255s' was made for another backup key than '%s' is now",
		    row->name, f->conf->hsm_backup_key);
	return 0;
}

int
custody_forgot(struct flow *f, const struct wire_approver_password *in, struct arena *a,
    struct tsb_uuid *id, struct tsb_err *err)
{
	struct tsb_approver row;
	struct loading l = {in->name, a, &row};
	struct tsb_request_in request;
	tsb_bytes_auto body = {0};

	if (custody_need_secret(f, err) ||
	    store_read(f->store, "approver_load", load_body, &l, err) ||
	    check_backup_key(f, &row, a, err))
		return -1;
	wire_restore_format(KIND_RESTORE_APPROVER, f->conf->hsm_backup_key, row.wrapped_key,
	    arena_printf(a, "Restore the key of approver %s under a new backup password", in->name),
	    &body);
	if (wire_request_parse(KIND_RESTORE_APPROVER, tsb_view_bytes(&body), a, &request, err))
		return -1;
	request.secret = secret_make(in, a);
	return flow_request_create(f, &request, a, id, err);
}

/* ---- its outcome ---- */

/* The key that the HSM decrypted, checked to be for the backup as it is now. */
static int
backup_open(const struct tsb_request *rq, const struct tsb_approver *row, struct tsb_view answer,
    struct arena *a, struct tsb_bytes *private_key, struct tsb_err *err)
{
	struct ska_approval_token token;
	struct tsb_view key;

	if (ska_approval_token_parse(rq->token, &token, err))
		return -1;
	if (!tsb_view_eq(token.payload, row->wrapped_key))
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the backup of '%.255s' was replaced since the request was made", row->name);
	if (!enc_base64_decode(answer, a, &key))
		return tsb_fail(err, TSB_E_HSM, "the HSM's payload is not base64");
	return custody_backup_open(row, key, private_key, err);
}

/* The policy may have been opened since the request was made. */
static int
still_guarded(const struct flow_key *key, const struct tsb_request *rq, struct tsb_err *err)
{
	const struct ska_rule *rule = flow_request_rule(key, rq->kind);

	if (rule != NULL && !ska_rule_asks_nobody(rule))
		return 0;
	return tsb_fail(err, TSB_E_NOT_ALLOWED,
	    "ruleUse of the backup key '%s' asks nobody: nobody can have approved the restoration",
	    rq->key_name);
}

static int
backup_renew(struct flow *f, const struct tsb_request *rq, struct tsb_approver *row,
    struct tsb_view private_key, struct arena *a, struct tsb_err *err)
{
	const struct flow_key *key;

	if (flow_request_key(f, NULL, rq, &key, err))
		return -1;
	if (key == NULL)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the attributes of key '%s' are not in the database", rq->key_name);
	if (still_guarded(key, rq, err))
		return -1;
	return custody_backup_seal(row, private_key, key->parsed.public_key, a, err);
}

/* The result waits in the database like a password: sealed, bound to its request. */
static void
result_place(const struct tsb_request *rq, struct tsb_bytes *place)
{
	tsb_bytes_add(place, rq->id.b, sizeof(rq->id.b));
	tsb_bytes_add_str(place, "result");
}

static struct tsb_view
result_seal(const struct flow *f, const struct tsb_request *rq, const char *code, struct arena *a)
{
	tsb_bytes_auto place = {0};
	tsb_bytes_auto box = {0};

	result_place(rq, &place);
	crypto_box_seal(f->files.secret, tsb_view_bytes(&place), tsb_view_str(code), &box);
	return tsb_view_str(enc_base64_str(a, tsb_view_bytes(&box)));
}

static int
prepare(struct flow *f, const struct tsb_request *rq, struct tsb_view answer, int64_t now_ms,
    struct arena *a, struct tsb_approver *row, struct tsb_view *result, struct tsb_err *err)
{
	struct loading l = {.arena = a, .row = row};
	char code[CUSTODY_CODE_SIZE];
	tsb_bytes_auto secret = {0};
	tsb_bytes_auto private_key = {0};
	struct tsb_view password;

	if (flow_password_open(f, rq, &secret, err) ||
	    secret_parse(tsb_view_bytes(&secret), a, &l.name, &password, err) ||
	    store_read(f->store, "approver_load", load_body, &l, err) ||
	    backup_open(rq, row, answer, a, &private_key, err) ||
	    custody_container_seal(f, row, tsb_view_bytes(&private_key), password, a, err) ||
	    backup_renew(f, rq, row, tsb_view_bytes(&private_key), a, err) ||
	    custody_code_issue(f, row, a, now_ms, code, err))
		return -1;
	row->restored_ms = now_ms;
	*result = result_seal(f, rq, code, a);
	tsb_wipe(code, sizeof(code));
	return 0;
}

static int
record(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approver *row, struct tsb_err *err)
{
	struct tsb_approver changed = *row; /* the body may run again */
	struct store_audit audit = custody_audit("approver forgot password", row, row);

	audit.request_id = &rq->id;
	audit.from = NULL;
	audit.actor = f->owner;
	return store_approver_change(tx, &changed, err) || store_audit_insert(tx, &audit, err) ? -1
											       : 0;
}

static int
reveal(struct flow *f, struct tsb_request *rq, struct arena *a, struct tsb_err *err)
{
	tsb_bytes_auto place = {0};
	tsb_bytes_auto code = {0};
	struct tsb_view box;

	if (tsb_kinds[rq->kind].effect != EFFECT_CODE || rq->result.n == 0)
		return 0;
	result_place(rq, &place);
	if (custody_need_secret(f, err))
		return -1;
	if (!enc_base64_decode(rq->result, a, &box) ||
	    crypto_box_open(f->files.secret, tsb_view_bytes(&place), box, &code, err))
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the result does not open with general.secretKeyFile");
	rq->result = arena_view(a, tsb_view_bytes(&code));
	return 0;
}

const struct flow_restore custody_restore = {
    .prepare = prepare,
    .record = record,
    .reveal = reveal,
};
