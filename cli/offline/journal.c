#include "lib/first.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"

#include "cli/lib/body.h"
#include "cli/lib/file.h"
#include "cli/offline/journal.h"

#define JOURNAL_VERSION  1
#define JOURNAL_FILE_MAX (8 * 1024 * 1024)

static const char *
hex(struct arena *a, const unsigned char digest[TSB_SHA256])
{
	return enc_hex_str(a, tsb_view_of(digest, TSB_SHA256));
}

static const char *
file_name(struct cli *c, const struct room *r, const struct carried *k)
{
	char id[UUID_TEXT];

	if (k->request.has_id)
		return arena_printf(&c->arena, "%s/done/%s.json", r->dir,
		    uuid_format(&k->request.id, id));
	return arena_printf(&c->arena, "%s/done/token-%s.json", r->dir, hex(&c->arena, k->token));
}

/* ---- reading ---- */

/* Reads a file; its members are checked later. */
struct record {
	const char *state, *asked, *token, *at, *key_digest, *hsm_time, *name;
	struct tsb_view result;
};

static int
read_record(struct cli *c, const char *path, struct record *out)
{
	tsb_bytes_auto text = {0};
	struct tsb_view compact;
	struct record r = {0};
	struct tsb_err why;
	size_t i;
	const struct {
		const char *name, **to;
	} members[] = {{"state", &r.state}, {"asked", &r.asked}, {"token", &r.token}, {"at", &r.at},
	    {"keyDigest", &r.key_digest}, {"hsmTime", &r.hsm_time}, {"name", &r.name}};

	if (file_read(path, JOURNAL_FILE_MAX, &text, &c->err))
		return -1;
	if (wire_compact(tsb_view_bytes(&text), &c->arena, &compact, &why))
		return tsb_fail(&c->err, TSB_E_PAYLOAD, "%s is damaged: %s", path, why.msg);
	for (i = 0; i < TSB_COUNT(members); i++)
		if (wire_client_text_parse(compact, members[i].name, &c->arena, members[i].to,
			&why) ||
		    *members[i].to == NULL)
			return tsb_fail(&c->err, TSB_E_PAYLOAD, "%s is damaged: no member %s", path,
			    members[i].name);
	if (!wire_member_text(compact, "result", &r.result))
		r.result = tsb_view_of(NULL, 0);
	*out = r;
	return 0;
}

static bool
take_digest(struct arena *a, const char *text, unsigned char out[TSB_SHA256])
{
	struct tsb_view v;

	if (!enc_hex_decode(tsb_view_str(text), a, &v) || v.n != TSB_SHA256)
		return false;
	memcpy(out, v.p, v.n);
	return true;
}

int
journal_read(struct cli *c, const struct room *r, const struct carried *k, struct journal *out)
{
	struct journal j = {.file = file_name(c, r, k)};
	struct record record;
	int64_t hsm_ms;

	if (access(j.file, F_OK) != 0) {
		if (errno != ENOENT)
			return tsb_fail(&c->err, TSB_E_IO, "cannot read %s: %s", j.file,
			    strerror(errno));
		*out = j;
		return 0;
	}
	if (read_record(c, j.file, &record))
		return -1;
	if (!take_digest(&c->arena, record.key_digest, j.key_digest) ||
	    !clock_iso_parse(record.at, &j.at_ms) || !clock_iso_parse(record.hsm_time, &hsm_ms))
		return tsb_fail(&c->err, TSB_E_PAYLOAD, "%s is damaged", j.file);
	if (!tsb_streq(record.asked, hex(&c->arena, k->asked)))
		return cli_end(c, CLI_WRONG, TSB_E_PAYLOAD,
		    "request %s: another request of the same id was here on %s (%s); this one is refused",
		    carried_name(&c->arena, k), record.at, j.file);
	j.hsm_seconds = hsm_ms / 1000;
	j.state = JOURNAL_INTENT;
	if (tsb_streq(record.state, "done")) {
		if (record.result.n < 2)
			return tsb_fail(&c->err, TSB_E_PAYLOAD, "%s is damaged: no result", j.file);
		j.state = JOURNAL_DONE;
		j.result = record.result;
	}
	*out = j;
	return 0;
}

/* ---- writing ---- */

static int
write_record(struct cli *c, const struct carried *k, const struct journal *j)
{
	tsb_bytes_auto text = {0};
	char time[CLOCK_ISO_SIZE];

	body_open(&text, NULL);
	body_number(&text, "version", JOURNAL_VERSION);
	body_text(&text, "state", j->state == JOURNAL_DONE ? "done" : "intent");
	body_text(&text, "name", carried_name(&c->arena, k));
	body_text(&text, "kind", tsb_kinds[k->request.kind].name);
	body_text(&text, "key", k->in.request.key_name);
	body_text(&text, "at", clock_iso(j->at_ms / 1000, time));
	body_text(&text, "asked", hex(&c->arena, k->asked));
	body_text(&text, "token", k->approved ? hex(&c->arena, k->token) : "");
	body_text(&text, "keyDigest", hex(&c->arena, j->key_digest));
	body_text(&text, "hsmTime", clock_iso(j->hsm_seconds, time));
	if (j->state == JOURNAL_DONE)
		body_raw(&text, "result", j->result);
	body_close(&text);
	tsb_bytes_add_str(&text, "\n");
	return file_replace(j->file, 0600, tsb_view_bytes(&text), &c->err);
}

int
journal_intend(struct cli *c, const struct carried *k, struct journal *j)
{
	j->state = JOURNAL_INTENT;
	j->at_ms = clock_now_ms();
	memcpy(j->key_digest, k->key_digest, TSB_SHA256);
	j->hsm_seconds = k->task.has_attributes ? k->task.attributes.attest_time : 0;
	return write_record(c, k, j);
}

int
journal_record(struct cli *c, const struct carried *k, struct journal *j, struct tsb_view result)
{
	j->state = JOURNAL_DONE;
	j->result = arena_view(&c->arena, result);
	return write_record(c, k, j);
}

/* ---- searching ---- */

static int
is_record_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n > 5 && tsb_streq(e->d_name + n - 5, ".json");
}

int
journal_find_token(struct cli *c, const struct room *r, const struct carried *k, const char **out)
{
	const char *dir = room_file(&c->arena, r, "done"), *own = file_name(c, r, k);
	const char *want = hex(&c->arena, k->token);
	struct dirent **list;
	int i, n, rc = 0;

	*out = NULL;
	if (!k->approved)
		return 0;
	n = scandir(dir, &list, is_record_file, alphasort);
	if (n < 0)
		return tsb_fail(&c->err, TSB_E_IO, "cannot read %s: %s", dir, strerror(errno));
	for (i = 0; i < n && rc == 0; i++) {
		const char *path = arena_printf(&c->arena, "%s/%s", dir, list[i]->d_name);
		struct record record;

		if (tsb_streq(path, own))
			continue;
		rc = read_record(c, path, &record);
		if (rc == 0 && tsb_streq(record.token, want))
			*out = arena_printf(&c->arena, "request %s on %s", record.name, record.at);
	}
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return rc;
}
