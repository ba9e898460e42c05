/*
 * Backups are worth what this key is worth: the broker opens no backup with a key that somebody
 * else made, and remembers which ones it made itself (schema/006_custody.sql). The intent is
 * written before the HSM is asked. Where only the intent is left, because the broker was
 * interrupted, a key counts when it cannot be told from one that the HSM has just made for it: then
 * nobody knows its private part, whoever asked for it, and nobody has given it a policy.
 */
#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/custody/backupkey.h"
#include "lib/flow/hsmcall.h"
#include "lib/ska/verdict.h"
#include "lib/wire/custody.h"

#define START_TIMEOUT 2 /* seconds: a program that starts waits for no HSM */

/* ---- what the database remembers ---- */

struct memory {
	const char *label;
	unsigned char spki_sha256[TSB_SHA256];
	int64_t now_ms;
	bool intended, made;
};

static int
recall_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct memory *m = ctx;

	/* in this order: an intent becomes a key, never the other way round */
	return store_backup_key_find(tx, m->label, NULL, &m->intended, err) ||
		store_backup_key_find(tx, m->label, m->spki_sha256, &m->made, err)
	    ? -1
	    : 0;
}

static int
intend_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct memory *m = ctx;

	return store_backup_key_intend(tx, m->label, m->now_ms, err);
}

static int
made_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct memory *m = ctx;

	return store_backup_key_made(tx, m->label, m->spki_sha256, m->now_ms, err);
}

/* ---- what it is like ---- */

/* Nobody ever had, or can get, its private part. */
static bool
is_sound(const struct keyattr *key)
{
	return tsb_streq(key->algorithm, "RSA") && key->public_key.n > 0 &&
	    tsb_streq(key->creation, "generated") && key->flag[ATTR_DECRYPT] &&
	    key->flag[ATTR_NEVER_EXTRACTABLE] && !key->flag[ATTR_EXTRACTABLE];
}

/* As wire_backup_key_format() asks for it, with the policy of its first moment. */
static bool
is_as_made(const struct keyattr *key)
{
	if (key->key_size != WIRE_BACKUP_KEY_SIZE || !key->flag[ATTR_UNWRAP] ||
	    key->flag[ATTR_SIGN] || key->flag[ATTR_DERIVE] || key->flag[ATTR_COPYABLE] ||
	    key->flag[ATTR_DESTROYABLE] || !key->has_policy || key->policy.blocked)
		return false;
	for (int r = 0; r < RULE__MAX; r++)
		if (!ska_rule_asks_nobody(&key->policy.rule[r]))
			return false;
	return true;
}

/* ---- the key ---- */

static int
key_make(struct flow *f, struct memory *m, struct tsb_err *err)
{
	struct tsb_err why;

	if (store_transact(f->store, "backup_key_intend", intend_body, m, err))
		return -1;
	if (hsm_backup_key_make(f->hsm, m->label, &why) == 0) {
		log_info("the HSM made the backup key %s", m->label);
		return 0;
	}
	/* somebody else made it at the same time */
	if (why.code == TSB_E_KEY_EXISTS)
		return 0;
	if (why.code == TSB_E_CONNECTIVITY) {
		*err = why;
		return -1;
	}
	return tsb_fail(err, TSB_E_INTEGRITY_KEY,
	    "the HSM does not make the backup key '%s' (hsm.backupKeyName): %.300s", m->label,
	    why.msg);
}

static int
check_maker(struct flow *f, struct memory *m, const struct keyattr *key, struct tsb_err *err)
{
	crypto_sha256(key->public_key, m->spki_sha256);
	if (store_read(f->store, "backup_key_recall", recall_body, m, err))
		return -1;
	if (m->made)
		return 0;
	if (m->intended && is_as_made(key))
		return store_transact(f->store, "backup_key_made", made_body, m, err);
	return tsb_fail(err, TSB_E_INTEGRITY_KEY,
	    "this broker did not make the key '%s' (hsm.backupKeyName), and whoever did may be "
	    "able to open backups: set hsm.backupKeyName to a name that no key has",
	    m->label);
}

int
custody_backup_key(struct flow *f, struct arena *a, int64_t now_ms, struct keyattr *key,
    struct tsb_err *err)
{
	struct memory m = {.label = f->conf->hsm_backup_key, .now_ms = now_ms};

	if (flow_hsm_key(f, m.label, a, key, err)) {
		if (err->code != TSB_E_KEY_NOT_EXISTENT)
			return -1;
		if (key_make(f, &m, err) || flow_hsm_key(f, m.label, a, key, err))
			return -1;
	}
	if (!is_sound(key))
		return tsb_fail(err, TSB_E_INTEGRITY_KEY,
		    "key '%s' (hsm.backupKeyName) is not an RSA key with the attribute decrypt "
		    "that the HSM generated and that was never extractable",
		    m.label);
	return check_maker(f, &m, key, err);
}

/* ---- warnings ---- */

const char *
custody_backup_key_warning(const struct broker_conf *conf, const struct keyattr *key,
    struct arena *a)
{
	if (key->has_policy && !ska_rule_asks_nobody(&key->policy.rule[ska_operation_rule(OP_USE)]))
		return NULL;
	return arena_printf(a,
	    "ruleUse of the backup key '%s' asks nobody: whoever reaches the HSM as the broker "
	    "does can open the backups of approvers, and forgotPassword is refused; name its "
	    "approvers: tsb key modify %s --approvers FILE,FILE,FILE --quorum 2",
	    conf->hsm_backup_key, conf->hsm_backup_key);
}

const char *
custody_start_warning(const struct broker_conf *conf, struct arena *a)
{
	struct hsm_conf to = broker_hsm_conf(conf);
	struct tsb_key_attributes attributes;
	const char *warning = NULL;
	struct tsb_err ignored;
	struct keyattr key;
	struct hsm *hsm;

	if (broker_air_gapped(conf) || conf->secret_key_file == NULL)
		return NULL;
	to.timeout = to.connect_timeout = START_TIMEOUT;
	hsm = hsm_new(&to, &ignored);
	if (hsm == NULL)
		return NULL;
	if (hsm_attributes(hsm, conf->hsm_backup_key, tsb_view_of(NULL, 0), a, &attributes,
		&ignored) == 0 &&
	    keyattr_parse(attributes.xml, a, &key, &ignored) == 0)
		warning = custody_backup_key_warning(conf, &key, a);
	hsm_free(&hsm);
	return warning;
}
