/* Passwords, attributes and names of keys that are there (api-notes.md 7.6). */
#include "lib/first.h"

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "hsm/key/alter.h"
#include "hsm/serve/access.h"

/* ---- passwords ---- */

static int
change_password(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	const struct wire_key_password *in = arg;
	tsb_bytes_auto part = {0};

	if (access_check_ordinary(k, err))
		return -1;
	if (!k->flag[ATTR_MODIFIABLE])
		return access_refuse(k, "is not modifiable", err);
	if (k->extra & KEY_PUBLIC_ONLY)
		return access_refuse(k, "has no private half", err);
	return key_private_part(k, in->password, &part, err) ||
		key_set_private_part(k, tsb_view_bytes(&part), in->new_password, err)
	    ? -1
	    : 0;
}

int
serve_key_password(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_key_password in;
	hsm_key_auto *k = NULL;

	(void)reply;
	if (wire_key_password_parse(rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.label), &k, err) || access_check_stored(k, err) ||
	    keystore_change(app->ks, tsb_view_str(k->label), change_password, &in, err))
		return -1;
	log_info("password changed key=%s", k->label);
	return 0;
}

/* ---- attributes and names ---- */

static int
alter(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	const struct wire_key_change *in = arg;

	return access_check_ordinary(k, err) || key_check_password(k, in->password, err) ||
		key_alter(k, in, err)
	    ? -1
	    : 0;
}

static int
alter_and_rename(struct hsm_key *k, void *arg, struct tsb_err *err)
{
	return alter(k, arg, err) || key_rename(k, arg, err) ? -1 : 0;
}

int
serve_key_change(void *arg, struct web_request *rq, struct web_reply *reply, struct tsb_err *err)
{
	struct hsm_app *app = arg;
	struct wire_key_change in;
	hsm_key_auto *k = NULL;
	hsm_key_auto *changed = NULL;
	bool renames;

	if (wire_key_change_parse(rq->body, rq->arena, &in, err) ||
	    access_find(app, tsb_view_str(in.label), &k, err) || access_check_stored(k, err))
		return -1;
	renames = in.new_label != NULL && !tsb_streq(in.new_label, in.label);
	if ((renames ? keystore_rename(app->ks, tsb_view_str(k->label), tsb_view_str(in.new_label),
			   alter_and_rename, &in, err)
		     : keystore_change(app->ks, tsb_view_str(k->label), alter, &in, err)) ||
	    keystore_get(app->ks, tsb_view_str(renames ? in.new_label : k->label), &changed, err))
		return -1;
	log_info("attributes changed key=%s name=%s", k->label, changed->label);
	return access_describe(app, rq, changed, reply, err);
}
