#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/custody/backupkey.h"
#include "lib/flow/hsmcall.h"

static int
backup_key_make(struct flow *f, struct tsb_err *err)
{
	struct tsb_err why;

	if (hsm_backup_key_make(f->hsm, f->conf->hsm_backup_key, &why) == 0)
		return 0;
	/* somebody else made it at the same time */
	if (why.code == TSB_E_KEY_EXISTS)
		return 0;
	if (why.code == TSB_E_CONNECTIVITY) {
		*err = why;
		return -1;
	}
	return tsb_fail(err, TSB_E_INTEGRITY_KEY,
	    "the HSM does not make the backup key '%s' (hsm.backupKeyName): %.300s",
	    f->conf->hsm_backup_key, why.msg);
}

int
custody_backup_key(struct flow *f, struct arena *a, struct tsb_view *spki, struct tsb_err *err)
{
	const char *label = f->conf->hsm_backup_key;
	struct keyattr key;

	if (flow_hsm_key(f, label, a, &key, err)) {
		if (err->code != TSB_E_KEY_NOT_EXISTENT)
			return -1;
		if (backup_key_make(f, err) || flow_hsm_key(f, label, a, &key, err))
			return -1;
		log_info("the HSM made the backup key %s", label);
	}
	if (!tsb_streq(key.algorithm, "RSA") || !key.flag[ATTR_DECRYPT] || key.public_key.n == 0)
		return tsb_fail(err, TSB_E_INTEGRITY_KEY,
		    "key '%s' (hsm.backupKeyName) is not an RSA key with the attribute decrypt",
		    label);
	*spki = key.public_key;
	return 0;
}
