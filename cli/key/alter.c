/* tsb key password, rename, restrict: what changes about a key besides its policy. */
#include "lib/first.h"

#include "cli/key/commands.h"
#include "cli/key/flags.h"
#include "cli/key/view.h"
#include "cli/lib/ask.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/secret.h"
#include "cli/lib/session.h"

/* ---- password ---- */

/* A key may have none: then nothing is typed, and without a terminal nothing is asked. */
static int
find_old_password(struct cli *c, const char **out)
{
	*out = NULL;
	if (c->opt[OPT_PASSWORD_FILE] != NULL)
		return file_read_line(c->opt[OPT_PASSWORD_FILE], &c->arena, out, &c->err);
	(void)ask_secret("present password (nothing if it has none): ", &c->arena, out);
	return 0;
}

static int
find_new_password(struct cli *c, const char **out)
{
	*out = NULL;
	if (c->opt[OPT_NO_PASSWORD] == NULL)
		return secret_of(c, OPT_NEW_PASSWORD_FILE, "new password", true, out);
	if (c->opt[OPT_NEW_PASSWORD_FILE] != NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --new-password-file or --no-password, not both");
	return 0;
}

int
cli_key_password(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	const char *old, *new;

	if (find_old_password(c, &old) || find_new_password(c, &new))
		return -1;
	body_open(&body, NULL);
	body_text(&body, "label", c->argv[0]);
	body_text(&body, "password", old);
	body_text(&body, "newPassword", new);
	body_close(&body);
	if (session_call(c, "POST", "/v1/key/changePassword", tsb_view_bytes(&body), &answer))
		return -1;
	output_note(new != NULL ? "tsb: %s has a new password" : "tsb: %s has no password",
	    c->argv[0]);
	return 0;
}

/* ---- name and attributes ---- */

/* Opens the body of a change. */
static int
open_change(struct cli *c, struct tsb_bytes *body)
{
	body_open(body, NULL);
	body_text(body, "label", c->argv[0]);
	return session_put_password(c, body, "password");
}

static int
send_change(struct cli *c, struct tsb_bytes *body)
{
	tsb_bytes_auto answer = {0};

	body_close(body);
	if (session_call(c, "PATCH", "/v1/key/changeAttributes", tsb_view_bytes(body), &answer))
		return -1;
	return keyview_print(c, tsb_view_bytes(&answer));
}

int
cli_key_rename(struct cli *c)
{
	tsb_bytes_auto body = {0};

	if (open_change(c, &body))
		return -1;
	body_text(&body, "newLabel", c->argv[1]);
	return send_change(c, &body);
}

int
cli_key_restrict(struct cli *c)
{
	tsb_bytes_auto body = {0};

	if (c->opt[OPT_ATTRIBUTES] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give --attributes: what changes, as no-destroyable,no-extractable,sensitive");
	if (open_change(c, &body) || flags_put_named(c, &body))
		return -1;
	return send_change(c, &body);
}
