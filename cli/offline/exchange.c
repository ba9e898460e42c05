/* tsb offline export, import: what the online side does for an HSM without a network. */
#include "lib/first.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/qr/part.h"
#include "lib/qr/sheet.h"
#include "lib/wire/client.h"

#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/failure.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/offline/commands.h"
#include "cli/offline/outcome.h"
#include "cli/offline/room.h"
#include "cli/offline/source.h"
#include "cli/request/request.h"

/* ---- export ---- */

struct export
{
	struct cli *cli;
	const char **ids;
	size_t n;
	const char *format; /* of --sheet */
};

static int
sheet_format(struct export *e)
{
	struct cli *c = e->cli;
	const char *file = c->opt[OPT_SHEET], *dot = file != NULL ? strrchr(file, '.') : NULL;
	size_t i;

	if (file == NULL && c->opt[OPT_FORMAT] != NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "--format goes with --sheet");
	if (file == NULL)
		return 0;
	e->format = c->opt[OPT_FORMAT] != NULL ? c->opt[OPT_FORMAT] : dot != NULL ? dot + 1 : "";
	for (i = 0; i < SHEET__MAX; i++)
		if (tsb_streq(e->format, qr_sheet_format_names[i]))
			return 0;
	return tsb_fail(&c->err, TSB_E_INPUT,
	    "what %s is to be is not known: give --format svg, html or pdf-ready", file);
}

static int
check_export(struct export *e)
{
	struct cli *c = e->cli;

	if (c->opt[OPT_OUT] == NULL && c->opt[OPT_QR] == NULL && c->opt[OPT_SHEET] == NULL &&
	    c->opt[OPT_ANIMATION] == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "say where the requests go: --out FILE, "
		    "--qr DIR, --sheet FILE or --animation FILE");
	if (c->opt[OPT_SHEET] != NULL && c->argc != 1)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "a sheet is for one request: name it by its id");
	return sheet_format(e) || outcome_check_folder(c) ? -1 : 0;
}

/* The ids of the requests in a package that our own broker has just made. */
static int
read_ids(struct export *e, struct tsb_view text)
{
	struct cli *c = e->cli;
	struct wire_package package;
	struct tsb_view id;
	size_t i;

	if (wire_package_peek(text, &c->arena, &package, &c->err))
		return -1;
	e->ids = arena_array(&c->arena, package.nitems, sizeof(*e->ids));
	for (i = 0; i < package.nitems; i++) {
		if (wire_text_member_parse(package.items[i], "id", &c->arena, &id, &c->err))
			return -1;
		e->ids[i] = arena_strn(&c->arena, id.p, id.n);
	}
	e->n = package.nitems;
	return 0;
}

/* The ids of the operands; without operands, of all requests that the broker deems ready. */
static int
fetch_package(struct export *e, struct tsb_bytes *package)
{
	struct cli *c = e->cli;
	tsb_bytes_auto body = {0}, list = {0};
	size_t i;

	e->ids = (const char **)c->argv;
	e->n = (size_t)c->argc;
	if (c->opt[OPT_OUT] == NULL && c->opt[OPT_ANIMATION] == NULL && e->n > 0)
		return 0;
	tsb_bytes_add_str(&list, "[");
	for (i = 0; i < e->n; i++) {
		tsb_bytes_add_str(&list, i > 0 ? "," : "");
		wire_text_format(tsb_view_str(e->ids[i]), &list);
	}
	tsb_bytes_add_str(&list, "]");
	body_open(&body, NULL);
	if (e->n > 0)
		body_raw(&body, "requestIds", tsb_view_bytes(&list));
	body_close(&body);
	if (session_call(c, "POST", "/v1/package", tsb_view_bytes(&body), package))
		return -1;
	return read_ids(e, tsb_view_bytes(package)) ? session_misread(c) : 0;
}

static int
write_picture(struct export *e, const char *dir, const char *id, size_t k, struct tsb_view png)
{
	struct cli *c = e->cli;

	return file_write(arena_printf(&c->arena, "%s/request-%s-%zu.png", dir, id, k), FILE_PUBLIC,
	    png, &c->err);
}

/* Each of several requests gets its own folder, so that parts of two are never mixed. */
static int
make_folder(struct export *e, const char *id, const char **dir)
{
	struct cli *c = e->cli;

	*dir = c->opt[OPT_QR];
	if (mkdir(*dir, 0755) != 0 && errno != EEXIST)
		return tsb_fail(&c->err, TSB_E_IO, "cannot make %s: %s", *dir, strerror(errno));
	if (e->n == 1)
		return 0;
	*dir = arena_printf(&c->arena, "%s/%s", *dir, id);
	if (mkdir(*dir, 0755) != 0)
		return tsb_fail(&c->err, TSB_E_IO, "cannot make %s: %s", *dir, strerror(errno));
	return 0;
}

static int
export_pictures(struct export *e, const char *id)
{
	struct cli *c = e->cli;
	const char *path = arena_printf(&c->arena, "/v1/request/qrCode/%s?text=parts",
		       enc_percent_str(&c->arena, id)),
		   *dir;
	tsb_bytes_auto answer = {0};
	struct tsb_view *pictures;
	size_t n, i;

	if (session_call(c, "GET", path, tsb_view_of(NULL, 0), &answer) || make_folder(e, id, &dir))
		return -1;
	if (answer.n > 0 && answer.p[0] != '{')
		return write_picture(e, dir, id, 1, tsb_view_bytes(&answer));
	if (wire_client_bytes_parse(tsb_view_bytes(&answer), "qrCodes", &c->arena, &pictures, &n,
		&c->err))
		return session_misread(c);
	for (i = 0; i < n; i++)
		if (write_picture(e, dir, id, i + 1, pictures[i]))
			return -1;
	return 0;
}

static int
export_sheet(struct export *e, const char *id)
{
	struct cli *c = e->cli;
	const char *path = arena_printf(&c->arena, "/v1/request/qrCode/%s?format=%s",
	    enc_percent_str(&c->arena, id), e->format);
	tsb_bytes_auto answer = {0};

	if (session_call(c, "GET", path, tsb_view_of(NULL, 0), &answer))
		return -1;
	return file_write(c->opt[OPT_SHEET], FILE_PUBLIC, tsb_view_bytes(&answer), &c->err);
}

static int
show_exported(struct export *e, const char *id, struct doc *t)
{
	struct cli *c = e->cli;
	const char *path =
	    arena_printf(&c->arena, "/v1/request/%s", enc_percent_str(&c->arena, id));
	tsb_bytes_auto answer = {0};
	struct wire_client_status s;

	if (session_call(c, "GET", path, tsb_view_of(NULL, 0), &answer))
		return -1;
	if (wire_client_status_parse(tsb_view_bytes(&answer), &c->arena, &s, &c->err))
		return session_misread(c);
	doc_open(t, "request");
	doc_text(t, "id", s.id);
	doc_number(t, "approvals", s.napproved);
	request_show_progress(t, &s);
	doc_close(t);
	return 0;
}

int
cli_offline_export(struct cli *c)
{
	struct export e = {.cli = c};
	tsb_bytes_auto package = {0};
	doc_auto t = {0};
	size_t i;

	if (check_export(&e) || fetch_package(&e, &package))
		return -1;
	doc_start(&t, c->json);
	doc_number(&t, "number of requests", e.n);
	doc_list(&t, "requests");
	for (i = 0; i < e.n; i++) {
		if (show_exported(&e, e.ids[i], &t) ||
		    (c->opt[OPT_QR] != NULL && export_pictures(&e, e.ids[i])) ||
		    (c->opt[OPT_SHEET] != NULL && export_sheet(&e, e.ids[i])))
			return -1;
	}
	doc_close(&t);
	if (outcome_animation(c, tsb_view_bytes(&package)))
		return -1;
	if (c->opt[OPT_OUT] != NULL) {
		tsb_bytes_add_str(&package, package.p[package.n - 1] == '\n' ? "" : "\n");
		if (file_write(c->opt[OPT_OUT], FILE_PUBLIC, tsb_view_bytes(&package), &c->err))
			return -1;
	}
	doc_print(&t);
	return 0;
}

/* ---- import ---- */

static void
show_outcome(struct doc *t, const struct wire_client_outcome *o)
{
	if (t->json) {
		doc_open(t, "request");
		doc_text(t, "id", o->id);
		doc_text(t, "status", o->refused ? "REFUSED" : o->status.status);
		doc_text(t, "result", o->refused ? NULL : o->status.result);
		doc_text(t, "reason", o->refused ? o->error.message : NULL);
		doc_close(t);
	} else if (o->refused) {
		doc_format(t, "refused", "%s: %s (%d %s)", o->id != NULL ? o->id : "without id",
		    o->error.message, o->error.number, o->error.reason);
	} else {
		doc_format(t, tsb_streq(o->status.status, "FAILED") ? "failed" : "executed",
		    "%s%s%s", o->status.id, tsb_streq(o->status.status, "FAILED") ? ": " : "",
		    tsb_streq(o->status.status, "FAILED") && o->status.result != NULL
			? o->status.result
			: "");
	}
}

/* Sets *refused when the broker did not believe one of the results, or the whole file. */
static int
import_source(struct cli *c, const struct source *s, struct doc *t, bool *refused)
{
	struct wire_client_outcome *outcomes;
	tsb_bytes_auto answer = {0};
	size_t n, i;

	if (session_call(c, "PUT", "/v1/resultFromOfflineHsm", s->text, &answer)) {
		if (c->exit != CLI_REFUSED)
			return -1;
		output_note("tsb: %s:", s->from);
		failure_print(c);
		*refused = true;
		return 0;
	}
	if (wire_client_outcomes_parse(tsb_view_bytes(&answer), &c->arena, &outcomes, &n, &c->err))
		return session_misread(c);
	for (i = 0; i < n; i++) {
		show_outcome(t, &outcomes[i]);
		*refused |= outcomes[i].refused;
		if (!outcomes[i].refused)
			continue;
		c->refused_number = outcomes[i].error.number;
		c->refused_reason = outcomes[i].error.reason;
	}
	return 0;
}

int
cli_offline_import(struct cli *c)
{
	struct source *sources;
	bool refused = false;
	doc_auto t = {0};
	int rc = 0;
	size_t n, i;

	if (source_read(c, &sources, &n))
		return -1;
	doc_start(&t, c->json);
	doc_list(&t, "requests");
	for (i = 0; i < n && rc == 0; i++)
		rc = import_source(c, &sources[i], &t, &refused);
	doc_close(&t);
	doc_print(&t);
	if (rc == 0 && refused)
		return cli_end(c, CLI_REFUSED, TSB_E_UNSUPPORTED_OPERATION,
		    "not all results were believed");
	return rc;
}
