#include "lib/first.h"

#include <string.h>

#include "lib/crypto/keypair.h"
#include "lib/custody/backupkey.h"
#include "lib/custody/custody.h"
#include "lib/custody/keep.h"
#include "lib/flow/hsmcall.h"

#define SEED_SIZE 48

/* ---- one step of an approver ---- */

struct step {
	struct flow *f;
	const char *name;
	const char *action; /* of the audit */
	struct arena *arena;
	int64_t now_ms;
	struct tsb_approver row;
	bool found;
	/* Changes row inside the transaction; may be called again for the row as it is then. */
	int (*change)(struct step *, struct tsb_err *);
	char *code; /* issued by the change */
	struct tsb_view proven; /* salt of the code that was right */
};

static int
find_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;

	return store_approver_find(tx, s->name, false, s->arena, &s->row, &s->found, err);
}

static int
load_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;

	return store_approver_load(tx, s->name, false, s->arena, &s->row, err);
}

static int
insert_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;
	struct store_audit audit = custody_audit(s->action, NULL, &s->row);

	return store_approver_insert(tx, &s->row, err) || store_audit_insert(tx, &audit, err) ? -1
											      : 0;
}

static int
change_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;
	struct tsb_approver before;
	struct store_audit audit;

	if (store_approver_load(tx, s->name, true, s->arena, &s->row, err))
		return -1;
	before = s->row;
	if (s->change(s, err) || store_approver_change(tx, &s->row, err))
		return -1;
	audit = custody_audit(s->action, &before, &s->row);
	return store_audit_insert(tx, &audit, err);
}

static int
delete_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct step *s = ctx;
	struct store_audit audit;

	if (store_approver_load(tx, s->name, true, s->arena, &s->row, err) ||
	    store_approver_delete(tx, &s->row, err))
		return -1;
	audit = custody_audit(s->action, &s->row, NULL);
	return store_audit_insert(tx, &audit, err);
}

/* ---- creation ---- */

static int
key_make(struct step *s, const struct wire_approver_create *in, struct tsb_bytes *private_key,
    struct tsb_err *err)
{
	tsb_bytes_auto seed = {0};
	tsb_bytes_auto cert = {0};

	if (flow_hsm_random(s->f, SEED_SIZE, &seed, err) ||
	    crypto_rsa_new((int)in->key_size, tsb_view_bytes(&seed), private_key, err) ||
	    crypto_cert_self_signed(tsb_view_bytes(private_key), in->name, s->now_ms / 1000,
		in->validity, &cert, err))
		return -1;
	s->row.certificate = arena_view(s->arena, tsb_view_bytes(&cert));
	return 0;
}

int
custody_create(struct flow *f, const struct wire_approver_create *in, struct arena *a,
    int64_t now_ms, char code[CUSTODY_CODE_SIZE], const char **warning, struct tsb_err *err)
{
	struct step s = {.f = f,
	    .name = in->name,
	    .action = "approver create",
	    .arena = a,
	    .now_ms = now_ms};
	tsb_bytes_auto private_key = {0};
	struct tsb_view password = in->backup_password;
	struct keyattr backup_key;

	if (custody_need_secret(f, err) ||
	    store_read(f->store, "approver_find", find_body, &s, err))
		return -1;
	if (s.found)
		return tsb_fail(err, TSB_E_APPROVER_EXISTS, "approverName: '%.255s' exists",
		    in->name);
	s.row = (struct tsb_approver){.name = in->name,
	    .version = 1,
	    .created_ms = now_ms,
	    .changed_ms = now_ms};
	if (custody_backup_key(f, a, now_ms, &backup_key, err) ||
	    key_make(&s, in, &private_key, err) ||
	    custody_container_seal(f, &s.row, tsb_view_bytes(&private_key), password, a, err) ||
	    custody_backup_seal(&s.row, tsb_view_bytes(&private_key), backup_key.public_key, a,
		err) ||
	    custody_code_issue(f, &s.row, a, now_ms, code, err))
		return -1;
	*warning = custody_backup_key_warning(f->conf, &backup_key, a);
	return store_transact(f->store, "approver_create", insert_body, &s, err);
}

/* ---- onboarding ---- */

static int
change_try(struct step *s, struct tsb_err *err)
{
	return custody_code_count_try(&s->row, s->now_ms, err);
}

/* Of two callers who know the code one gets the container: its salt shows that it was not used. */
static int
change_onboard(struct step *s, struct tsb_err *err)
{
	if (s->row.onboarded || !tsb_view_eq(s->row.code_salt, s->proven))
		return tsb_fail(err, TSB_E_INVALID_ONE_TIME_CODE, "oneTimeCode: it was used");
	custody_code_void(&s->row);
	s->row.onboarded = true;
	s->row.wrong_tries = 0;
	s->row.wrong_since_ms = 0;
	s->row.changed_ms = s->now_ms;
	return 0;
}

int
custody_onboard(struct flow *f, const struct wire_approver_onboard *in, struct arena *a,
    int64_t now_ms, struct tsb_view *encrypted, struct tsb_view *iv, struct tsb_err *err)
{
	struct step s = {.f = f,
	    .name = in->name,
	    .action = "approver try",
	    .arena = a,
	    .now_ms = now_ms,
	    .change = change_try};
	unsigned char nonce[GCM_IV_SIZE];
	tsb_bytes_auto container = {0};
	tsb_bytes_auto sealed = {0};

	if (custody_need_secret(f, err) ||
	    store_transact(f->store, "approver_try", change_body, &s, err) ||
	    custody_code_check(f, &s.row, in->code, err) ||
	    custody_container_open(f, &s.row, &container, err) ||
	    crypto_gcm_seal(in->transport_password, tsb_view_bytes(&container), nonce, &sealed,
		err))
		return -1;
	s.proven = s.row.code_salt;
	s.action = "approver onboard";
	s.change = change_onboard;
	if (store_transact(f->store, "approver_onboard", change_body, &s, err))
		return -1;
	*encrypted = arena_view(a, tsb_view_bytes(&sealed));
	*iv = arena_view(a, tsb_view_of(nonce, sizeof(nonce)));
	return 0;
}

/* ---- codes and passwords ---- */

/*
 * Whoever asked for a restoration chose the password of the container: a code without the approvals
 * that the restoration needed would hand the key to that caller.
 */
static int
not_restored(const struct step *s, struct tsb_err *err)
{
	if (s->row.restored_ms == 0)
		return 0;
	return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
	    "'%.255s' was restored without its password: a code for it is the result of an "
	    "approved request alone, so ask again with restoreFromBackup/forgotPassword",
	    s->name);
}

static int
change_renew(struct step *s, struct tsb_err *err)
{
	if (not_restored(s, err))
		return -1;
	if (s->row.onboarded)
		return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
		    "'%.255s' is onboarded: a new code for the same key is given by "
		    "restoreFromBackup",
		    s->name);
	return custody_code_issue(s->f, &s->row, s->arena, s->now_ms, s->code, err);
}

static int
change_restore(struct step *s, struct tsb_err *err)
{
	return not_restored(s, err)
	    ? -1
	    : custody_code_issue(s->f, &s->row, s->arena, s->now_ms, s->code, err);
}

int
custody_renew(struct flow *f, const char *name, bool again, struct arena *a, int64_t now_ms,
    char code[CUSTODY_CODE_SIZE], struct tsb_err *err)
{
	struct step s = {
	    .f = f,
	    .name = name,
	    .action = again ? "approver restore" : "approver renew code",
	    .arena = a,
	    .now_ms = now_ms,
	    .change = again ? change_restore : change_renew,
	    .code = code,
	};

	if (custody_need_secret(f, err))
		return -1;
	return store_transact(f->store, "approver_renew", change_body, &s, err);
}

struct password_step {
	struct step step;
	uint64_t version;
	struct tsb_view container;
};

static int
change_container(struct step *s, struct tsb_err *err)
{
	struct password_step *p = (struct password_step *)s;

	/* the new container was made from the row as it was read */
	if (s->row.version != p->version)
		return tsb_fail(err, TSB_E_SUBSYSTEM,
		    "the approver was changed at the same time, try again");
	s->row.container = p->container;
	s->row.changed_ms = s->now_ms;
	return 0;
}

int
custody_change_password(struct flow *f, const struct wire_approver_password *in, struct arena *a,
    int64_t now_ms, struct tsb_err *err)
{
	struct password_step p = {.step = {.f = f,
				      .name = in->name,
				      .action = "approver password",
				      .arena = a,
				      .now_ms = now_ms,
				      .change = change_container}};
	tsb_bytes_auto container = {0};
	tsb_bytes_auto private_key = {0};

	if (custody_need_secret(f, err) ||
	    store_read(f->store, "approver_load", load_body, &p.step, err) ||
	    custody_container_open(f, &p.step.row, &container, err) ||
	    crypto_pkcs12_open(tsb_view_bytes(&container), in->old_password, &private_key, err) ||
	    custody_container_seal(f, &p.step.row, tsb_view_bytes(&private_key), in->new_password,
		a, err))
		return -1;
	p.version = p.step.row.version;
	p.container = p.step.row.container;
	return store_transact(f->store, "approver_password", change_body, &p.step, err);
}

/* ---- the rest ---- */

struct listing {
	struct arena *arena;
	struct tsb_approver *rows;
	size_t n;
};

static int
list_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct listing *l = ctx;

	return store_approvers_list(tx, l->arena, &l->rows, &l->n, err);
}

int
custody_list(struct flow *f, struct arena *a, struct tsb_approver **rows, size_t *n,
    struct tsb_err *err)
{
	struct listing l = {.arena = a};

	if (store_read(f->store, "approvers_list", list_body, &l, err))
		return -1;
	*rows = l.rows;
	*n = l.n;
	return 0;
}

int
custody_delete(struct flow *f, const char *name, struct arena *a, struct tsb_err *err)
{
	struct step s = {.f = f, .name = name, .action = "approver delete", .arena = a};

	return store_transact(f->store, "approver_delete", delete_body, &s, err);
}
