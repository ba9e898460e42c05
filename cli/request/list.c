/* tsb request list: a line a request, newest first. */
#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

#include "cli/lib/body.h"
#include "cli/lib/brief.h"
#include "cli/lib/cli.h"
#include "cli/lib/fingerprint.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"
#include "cli/request/details.h"

#define LIST_MAX  100000 /* more than that is no list for a person, and no honest broker's */
#define KEY_MAX   24 /* columns of a key's name, of a note and of an approver's name */
#define NOTE_MAX  28
#define NAME_MAX_ 24
#define NAMES_MAX 5

/* ---- which ---- */

/* The states of --status as JSON; all states without it. */
static int
put_states(struct cli *c, struct tsb_bytes *body)
{
	tsb_bytes_auto list = {0};
	char *rest, *word;
	enum tsb_state state;

	if (c->opt[OPT_STATUS] == NULL)
		return 0;
	tsb_bytes_add_str(&list, "[");
	rest = arena_str(&c->arena, c->opt[OPT_STATUS]);
	while ((word = strsep(&rest, ",")) != NULL) {
		if (!tsb_state_by_name(word, &state))
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "--status: there is no state '%s'; PENDING APPROVED EXECUTED FAILED "
			    "EXPIRED REJECTED CANCELLED",
			    word);
		tsb_bytes_addf(&list, "%s\"%s\"", list.n > 1 ? "," : "", tsb_state_names[state]);
	}
	tsb_bytes_add_str(&list, "]");
	body_raw(body, "requestStatusList", tsb_view_bytes(&list));
	return 0;
}

/* "90m", "2h", "7d": so long ago. */
static bool
read_age(struct arena *a, const char *text, int64_t *ms)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t n = strlen(text);
	long count;

	for (size_t i = 0; n > 1 && i < TSB_COUNT(units); i++)
		if (text[n - 1] == units[i].letter &&
		    tsb_str_to_long(arena_strn(a, text, n - 1), 0, 1000000, &count)) {
			*ms = clock_now_ms() - count * units[i].seconds * 1000;
			return true;
		}
	return false;
}

/* A time as the API writes it, a date, or an age. */
static int
put_since(struct cli *c, struct tsb_bytes *body)
{
	const char *text = c->opt[OPT_SINCE];
	char iso[CLOCK_ISO_SIZE];
	int64_t ms;

	if (text == NULL)
		return 0;
	if (!clock_iso_parse(text, &ms) &&
	    !clock_iso_parse(arena_printf(&c->arena, "%sT00:00:00Z", text), &ms) &&
	    !read_age(&c->arena, text, &ms))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "--since: '%s' is neither a date (2026-01-31), nor a time "
		    "(2026-01-31T12:00:00Z), nor an age (90m, 2h, 7d)",
		    text);
	body_text(body, "createdSince", clock_iso(ms / 1000, iso));
	return 0;
}

static int
put_filter(struct cli *c, struct tsb_bytes *body)
{
	if (put_states(c, body))
		return -1;
	body_text(body, "keyName", c->opt[OPT_KEY]);
	return 0;
}

/* ---- a line ---- */

static const char *
short_name(struct arena *a, const struct wire_client_person *p)
{
	const char *key = p->name != NULL ? p->name : fingerprint_key(a, p->key);

	return brief_text(a, tsb_view_str(key), NAME_MAX_);
}

static bool
has_key(const struct tsb_view *keys, size_t n, struct tsb_view key)
{
	for (size_t i = 0; i < n; i++)
		if (tsb_view_eq(keys[i], key))
			return true;
	return false;
}

/* The names of those of the people who are in a list of keys. */
static const char *
names(struct arena *a, const struct wire_client_details *d, const struct tsb_view *keys, size_t n)
{
	const char *text = "";
	size_t shown = 0;

	for (size_t i = 0; i < d->npeople; i++) {
		if (!has_key(keys, n, d->people[i].key))
			continue;
		if (shown++ == NAMES_MAX)
			return arena_printf(a, "%s ...", text);
		text = arena_printf(a, "%s%s%s", text, *text ? ", " : "",
		    short_name(a, &d->people[i]));
	}
	return text;
}

/* Who is missing; of a request that has ended, who ended it. */
static const char *
who(struct arena *a, const struct wire_client_status *s)
{
	const struct wire_client_details *d = &s->details;

	if (tsb_streq(s->status, tsb_state_names[STATE_REJECTED]) && s->nrejected > 0)
		return arena_printf(a, "no: %s", names(a, d, s->rejected, s->nrejected));
	if (d->has_missing && d->missing > 0)
		return arena_printf(a, "%u more of %s", d->missing, names(a, d, s->open, s->nopen));
	return s->napproved > 0 ? names(a, d, s->approved, s->napproved) : "-";
}

/* The deadline of an open request; of one that has ended, why, when somebody said it. */
static const char *
end_of(struct arena *a, const struct wire_client_status *s)
{
	enum tsb_state state;
	int64_t ms;

	if (s->nreasons > 0)
		return brief_text(a, tsb_view_str(s->reasons[s->nreasons - 1].reason), NOTE_MAX);
	if (s->result != NULL)
		return brief_text(a, tsb_view_str(s->result), NOTE_MAX);
	if (!tsb_state_by_name(s->status, &state) || tsb_state_terminal(state))
		return s->execution_time != NULL ? s->execution_time : "-";
	return s->details.expires != NULL && clock_iso_parse(s->details.expires, &ms)
	    ? brief_until(a, ms / 1000)
	    : "no deadline";
}

static const char *
age(struct arena *a, const struct wire_client_details *d)
{
	int64_t ms;

	return clock_iso_parse(d->created, &ms) ? brief_span(a, (clock_now_ms() - ms) / 1000) : "-";
}

static void
print(const char *id, const char *status, const char *since, const char *key, const char *operation,
    const char *note, const char *people, const char *end)
{
	arena_auto a = {0};

	output_row(arena_printf(&a, "%-36s  %-9s  %-7s %-16s %-10s %-28s %-24s %s", id, status,
	    since, key, operation, note, people, end));
}

/* Scripts read the lines: only people get a heading. */
static void
print_heading(void)
{
	if (isatty(STDOUT_FILENO))
		print("REQUEST", "STATUS", "AGE", "KEY", "OPERATION", "NOTE", "WHO",
		    "DEADLINE OR WHY");
}

static void
print_line(const struct wire_client_status *s)
{
	const struct wire_client_details *d = &s->details;
	arena_auto a = {0};

	if (!s->has_details) {
		output_row(arena_printf(&a, "%s  %s", s->id, s->status));
		return;
	}
	print(s->id, s->status, age(&a, d), brief_text(&a, tsb_view_str(d->key_name), KEY_MAX),
	    details_operation(d),
	    d->has_meta && d->meta.n > 0 ? brief_text(&a, d->meta, NOTE_MAX) : "-", who(&a, s),
	    end_of(&a, s));
}

/* ---- pages ---- */

struct list {
	size_t n;
	const char *last; /* id behind which the next page begins; NULL = the first */
	bool more;
	struct tsb_bytes json; /* with --json: the requests so far, commas between */
};

/* The elements of "requests" as the server wrote them. */
static int
add_json(struct cli *c, struct list *l, struct tsb_view answer, struct arena *a)
{
	struct tsb_view compact, rows;

	if (wire_compact(answer, a, &compact, &c->err))
		return -1;
	if (!wire_member_text(compact, "requests", &rows) || rows.n <= 2)
		return 0;
	if (l->json.n > 0)
		tsb_bytes_add_str(&l->json, ",");
	tsb_bytes_add_view(&l->json, tsb_view_of(rows.p + 1, rows.n - 2));
	return 0;
}

static int
next_page(struct cli *c, struct list *l)
{
	tsb_bytes_auto body = {0}, answer = {0};
	struct wire_client_status *rows;
	arena_auto a = {0}; /* of the page: a long list must not stay in memory */
	size_t n;

	body_open(&body, NULL);
	if (put_filter(c, &body) || put_since(c, &body))
		return -1;
	body_text(&body, "after", l->last);
	body_close(&body);
	if (session_call(c, "POST", DETAILS_PATH, tsb_view_bytes(&body), &answer))
		return -1;
	if (wire_client_request_details_parse(tsb_view_bytes(&answer), &a, &rows, &n, &l->more,
		&c->err) ||
	    (c->json && add_json(c, l, tsb_view_bytes(&answer), &a)))
		return session_misread(c);
	if (!c->json && n > 0 && l->n == 0)
		print_heading();
	for (size_t i = 0; !c->json && i < n; i++)
		print_line(&rows[i]);
	l->n += n;
	if (n > 0)
		l->last = arena_str(&c->arena, rows[n - 1].id);
	l->more = l->more && n > 0 && l->n < LIST_MAX;
	return 0;
}

/* Of a server that has ids and states only. */
static int
plain_list(struct cli *c)
{
	tsb_bytes_auto body = {0}, answer = {0};
	struct wire_client_request *rows;
	size_t n, i;

	if (c->opt[OPT_SINCE] != NULL)
		return tsb_fail(&c->err, TSB_E_INPUT, "this server does not offer --since");
	body_open(&body, NULL);
	if (put_filter(c, &body))
		return -1;
	body_close(&body);
	if (session_call(c, "POST", "/v1/filteredRequests", tsb_view_bytes(&body), &answer))
		return -1;
	if (c->json) {
		output_body(tsb_view_bytes(&answer));
		return 0;
	}
	if (wire_client_requests_parse(tsb_view_bytes(&answer), &c->arena, &rows, &n, &c->err))
		return session_misread(c);
	for (i = 0; i < n; i++)
		output_row(arena_printf(&c->arena, "%s  %s", rows[i].id,
		    rows[i].status != NULL ? rows[i].status : ""));
	return 0;
}

static void
print_json(struct list *l)
{
	tsb_bytes_auto out = {0};

	tsb_bytes_add_str(&out, "{\"requests\":[");
	tsb_bytes_add_view(&out, tsb_view_bytes(&l->json));
	tsb_bytes_add_str(&out, "]}");
	output_body(tsb_view_bytes(&out));
}

int
cli_request_list(struct cli *c)
{
	struct list l = {0};
	int rc;

	do {
		rc = next_page(c, &l);
	} while (rc == 0 && l.more);
	if (rc != 0 && l.n == 0 && details_unknown(c))
		rc = plain_list(c);
	else if (rc == 0 && c->json)
		print_json(&l);
	tsb_bytes_clear(&l.json);
	return rc;
}
