/* tsb approver create ... delete: keys that the broker makes for approvers, and hands out once. */
#include "lib/first.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/keypair.h"
#include "lib/wire/client.h"
#include "lib/wire/custody.h"

#include "cli/approve/commands.h"
#include "cli/lib/ask.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/secret.h"
#include "cli/lib/session.h"

#define MANAGEMENT "/v1/approverManagement/"

/* ---- calls ---- */

static void
open_body(struct cli *c, struct tsb_bytes *body)
{
	body_open(body, NULL);
	body_text(body, "approverName", c->argv[0]);
}

/* A member of the answer that must be there. */
static int
text_of(struct cli *c, const struct tsb_bytes *answer, const char *member, const char **text)
{
	if (wire_client_text_parse(tsb_view_bytes(answer), member, &c->arena, text, &c->err))
		return session_misread(c);
	if (*text != NULL)
		return 0;
	tsb_fail(&c->err, TSB_E_IO, "%s is missing", member);
	return session_misread(c);
}

/* Prints the one member of the answer that the caller wants. */
static int
show(struct cli *c, const struct tsb_bytes *answer, const char *member)
{
	const char *text;

	if (c->json) {
		output_body(tsb_view_bytes(answer));
		return 0;
	}
	if (text_of(c, answer, member, &text))
		return -1;
	output_line(text);
	return 0;
}

static int
post_and_show(struct cli *c, const char *path, struct tsb_bytes *body, const char *member)
{
	tsb_bytes_auto answer = {0};

	body_close(body);
	return session_call(c, "POST", path, tsb_view_bytes(body), &answer) ||
		show(c, &answer, member)
	    ? -1
	    : 0;
}

/* The picture is the code: nobody else may read it. */
static int
save_picture(struct cli *c, const struct tsb_bytes *answer, const char *path)
{
	const char *text;
	struct tsb_view png;

	if (text_of(c, answer, "qrCode", &text))
		return -1;
	if (!enc_base64_decode(tsb_view_str(text), &c->arena, &png)) {
		tsb_fail(&c->err, TSB_E_IO, "qrCode is not base64");
		return session_misread(c);
	}
	return file_write(path, FILE_SECRET, png, &c->err);
}

int
cli_approver_create(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	const char *password, *picture = c->opt[OPT_QR];
	long size, days;

	if (cli_number(c, OPT_SIZE, 1, 65536, 0, &size) ||
	    cli_number(c, OPT_DAYS, 1, 36525, 0, &days) ||
	    secret_of(c, OPT_PASSWORD_FILE, "backup password", true, &password))
		return -1;
	open_body(c, &body);
	body_text(&body, "algorithm", "RSA");
	if (size)
		body_number(&body, "keySize", size);
	if (days)
		body_number(&body, "validity", days);
	body_text(&body, "backupPassword", password);
	if (picture != NULL)
		body_bool(&body, "qrCode", true);
	body_close(&body);
	/* the code is printed first: it is not lost with a file that cannot be written */
	if (session_call(c, "POST", MANAGEMENT "create", tsb_view_bytes(&body), &answer) ||
	    show(c, &answer, "oneTimeCode"))
		return -1;
	return picture != NULL ? save_picture(c, &answer, picture) : 0;
}

int
cli_approver_renew(struct cli *c)
{
	tsb_bytes_auto body = {0};

	open_body(c, &body);
	return post_and_show(c, MANAGEMENT "renewOneTimeCode", &body, "oneTimeCode");
}

int
cli_approver_restore(struct cli *c)
{
	tsb_bytes_auto body = {0};
	const char *password;

	open_body(c, &body);
	if (c->opt[OPT_FORGOTTEN] == NULL && c->opt[OPT_NEW_PASSWORD_FILE] != NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "--new-password-file goes with --forgotten; see also tsb approver change-password");
	if (c->opt[OPT_FORGOTTEN] == NULL)
		return post_and_show(c, MANAGEMENT "restoreFromBackup", &body, "oneTimeCode");
	if (secret_of(c, OPT_NEW_PASSWORD_FILE, "new backup password", true, &password))
		return -1;
	body_text(&body, "newBackupPassword", password);
	if (post_and_show(c, MANAGEMENT "restoreFromBackup/forgotPassword", &body,
		"unwrapRequestId"))
		return -1;
	output_note("tsb request wait shows the one-time code when the request is approved");
	return 0;
}

int
cli_approver_change_password(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	const char *old, *new;

	if (secret_of(c, OPT_PASSWORD_FILE, "backup password", false, &old) ||
	    secret_of(c, OPT_NEW_PASSWORD_FILE, "new backup password", true, &new))
		return -1;
	open_body(c, &body);
	body_text(&body, "backupPassword", old);
	body_text(&body, "newBackupPassword", new);
	body_close(&body);
	return session_call(c, "POST", MANAGEMENT "changePassword", tsb_view_bytes(&body), &answer);
}

int
cli_approver_delete(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	bool yes = c->opt[OPT_YES] != NULL;
	const char *path =
	    arena_printf(&c->arena, MANAGEMENT "delete/%s", enc_percent_str(&c->arena, c->argv[0]));

	if (!yes &&
	    ask_yes(arena_printf(&c->arena, "Forget %s? The backup of the key is lost with it.",
			c->argv[0]),
		&yes, &c->err))
		return -1;
	if (!yes)
		return tsb_fail(&c->err, TSB_E_INPUT, "nothing was deleted");
	return session_call(c, "DELETE", path, tsb_view_of(NULL, 0), &answer);
}

/* ---- status ---- */

static int
show_approver(struct cli *c, struct doc *t, const struct tsb_approver *row)
{
	struct tsb_view spki;

	if (crypto_cert_spki(row->certificate, &c->arena, &spki, &c->err))
		return session_misread(c);
	doc_open(t, "approver");
	doc_text(t, "name", row->name);
	doc_text(t, "state", row->onboarded ? "onboarded" : "pending");
	doc_key(t, "key", spki);
	doc_close(t);
	return 0;
}

int
cli_approver_status(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	doc_auto t = {0};
	struct tsb_approver *rows;
	size_t n;

	if (session_call(c, "GET", MANAGEMENT "onboarding/status", tsb_view_of(NULL, 0), &answer))
		return -1;
	if (wire_approvers_read(tsb_view_bytes(&answer), &c->arena, &rows, &n, &c->err))
		return session_misread(c);
	doc_start(&t, c->json);
	doc_list(&t, "approvers");
	for (size_t i = 0; i < n; i++)
		if (show_approver(c, &t, &rows[i]))
			return -1;
	doc_close(&t);
	doc_print(&t);
	return 0;
}

/* ---- onboarding ---- */

/* 32 characters, so that the container travels under AES-256. */
static const char *
transport_password(struct cli *c)
{
	unsigned char random[16];
	const char *text;

	crypto_random(random, sizeof(random));
	text = enc_hex_str(&c->arena, tsb_view_of(random, sizeof(random)));
	tsb_wipe(random, sizeof(random));
	return text;
}

static int
out_path(struct cli *c, const char **path)
{
	const char *name = c->argv[0];

	*path = c->opt[OPT_OUT] != NULL ? c->opt[OPT_OUT] : arena_printf(&c->arena, "%s.p12", name);
	if (c->opt[OPT_OUT] == NULL && (strchr(name, '/') != NULL || name[0] == '.'))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "'%s' is no file name: name the file with --out", name);
	/* checked before the call, because the code works only once */
	if (access(*path, F_OK) == 0)
		return tsb_fail(&c->err, TSB_E_INPUT, "%s exists; nothing was fetched", *path);
	return 0;
}

int
cli_approver_onboard(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0}, container = {0};
	const char *path, *code, *transport = transport_password(c);
	struct tsb_view encrypted, iv;

	if (out_path(c, &path) || secret_of(c, OPT_CODE_FILE, "one-time code", false, &code))
		return -1;
	open_body(c, &body);
	body_text(&body, "oneTimeCode", code);
	body_text(&body, "transportPassword", transport);
	body_close(&body);
	if (session_call(c, "POST", "/v1/approver/onboard", tsb_view_bytes(&body), &answer))
		return -1;
	if (wire_approver_onboard_read(tsb_view_bytes(&answer), &c->arena, &encrypted, &iv,
		&c->err) ||
	    crypto_gcm_open(tsb_view_str(transport), iv, encrypted, &container, &c->err))
		return session_misread(c);
	if (file_create(path, 0600, tsb_view_bytes(&container), &c->err))
		return -1;
	output_line(path);
	return 0;
}
