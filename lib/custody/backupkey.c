#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/flow/internal.h"
#include "lib/custody/internal.h"

static int
backup_key_make(struct flow *f, struct tsb_err *err)
{
	tsb_bytes_auto body = {0};
	struct hsm_reply reply = {0};
	struct hsm_call call = {.method = "POST", .path = "/v1/key", .role = HSM_KEY_MANAGEMENT};
	struct tsb_err why;
	int rc;

	wire_backup_key_format(f->conf->hsm_backup_key, &body);
	call.body = tsb_view_bytes(&body);
	rc = flow_hsm_pass(f, &call, &reply, &why);
	hsm_reply_clear(&reply);
	/* somebody else made it at the same time */
	if (rc == 0 || why.code == TSB_E_KEY_EXISTS)
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
flow_backup_key(struct flow *f, struct arena *a, struct tsb_view *spki, struct tsb_err *err)
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

int
flow_hsm_random(struct flow *f, size_t n, struct tsb_bytes *out, struct tsb_err *err)
{
	arena_auto a = {0};
	struct hsm_reply reply = {0};
	struct hsm_call call = {.method = "GET", .role = HSM_KEY_OPERATION, .repeatable = true};
	struct tsb_view text, bytes;
	int rc;

	call.path = arena_printf(&a, "/v1/generateRandom/%zu", n);
	rc = flow_hsm_pass(f, &call, &reply, err) ||
		wire_text_member_parse(tsb_view_bytes(&reply.body), "random", &a, &text, err)
	    ? -1
	    : 0;
	hsm_reply_clear(&reply);
	if (rc != 0)
		return -1;
	if (!enc_base64_decode(text, &a, &bytes) || bytes.n != n)
		return tsb_fail(err, TSB_E_HSM, "the HSM did not give %zu random bytes", n);
	tsb_bytes_add_view(out, bytes);
	return 0;
}
