#include "lib/first.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"

#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"
#include "cli/request/details.h"
#include "cli/request/request.h"

#define POLL_FIRST_MS 200
#define POLL_LAST_MS  3000

/* The application may read a request, whoever made it. */
static int
fetch(struct cli *c, const char *id, struct tsb_bytes *answer, struct wire_client_status *out)
{
	const char *path =
	    arena_printf(&c->arena, "/v1/request/%s%s", enc_percent_str(&c->arena, id),
		c->opt[OPT_FETCH_ONCE] != NULL ? "?fetchOnce=true" : "");

	if (session_become(c, TSB_ROLE_KEY_OPERATION) ||
	    session_call(c, "GET", path, tsb_view_of(NULL, 0), answer))
		return -1;
	if (wire_client_status_parse(tsb_view_bytes(answer), &c->arena, out, &c->err))
		return session_misread(c);
	return 0;
}

/* For people. */
static void
show_keys(struct doc *t, const char *name, const struct wire_client_status *s,
    const struct tsb_view *keys, size_t n)
{
	arena_auto a = {0};
	size_t i;

	for (i = 0; i < n; i++)
		doc_text(t, name, details_person(&a, s, keys[i]));
}

/* A notification service may have given several, for several approvers, and the same for all. */
static void
show_reasons(struct doc *t, const struct wire_client_status *s, struct tsb_view spki)
{
	const char *last = NULL;
	size_t i;

	for (i = 0; i < s->nreasons; i++) {
		if (!tsb_view_eq(s->reasons[i].approver, spki) ||
		    tsb_streq(last, s->reasons[i].reason))
			continue;
		last = s->reasons[i].reason;
		doc_text(t, "reason", last);
	}
}

void
request_show_rejected(struct doc *t, const struct wire_client_status *s)
{
	size_t i;

	for (i = 0; i < s->nrejected; i++) {
		show_keys(t, "rejected by", s, &s->rejected[i], 1);
		show_reasons(t, s, s->rejected[i]);
	}
}

static void
show_groups(struct doc *t, const struct wire_client_token *token)
{
	size_t i;

	doc_list(t, "groups");
	for (i = 0; i < token->ngroups; i++) {
		const struct wire_client_group *g = &token->groups[i];

		doc_open_as(t, "group", "%s: %u of %u approved, %u missing",
		    g->name != NULL ? g->name : "", g->approved, g->quorum, g->missing);
		if (t->json) {
			doc_text(t, "name", g->name);
			doc_number(t, "quorum", g->quorum);
			doc_number(t, "approved", g->approved);
			doc_number(t, "missing", g->missing);
		}
		doc_close(t);
	}
	doc_close(t);
}

void
request_show_progress(struct doc *t, const struct wire_client_status *s)
{
	size_t i;

	if (!s->has_progress) {
		doc_text(t, "ready",
		    t->json ? NULL : "not known: the policy of the key was never imported");
		return;
	}
	if (t->json)
		doc_bool(t, "ready", s->progress_met);
	else
		doc_text(t, "ready", s->progress_met ? "yes" : "NO, approvals are missing");
	doc_list(t, "tokens");
	for (i = 0; i < s->ntokens; i++) {
		doc_open_as(t, "token", "%s%s", s->tokens[i].name != NULL ? s->tokens[i].name : "",
		    s->tokens[i].met ? "  met" : "");
		if (t->json) {
			doc_text(t, "name", s->tokens[i].name);
			doc_bool(t, "met", s->tokens[i].met);
		}
		show_groups(t, &s->tokens[i]);
		doc_close(t);
	}
	doc_close(t);
}

void
request_show(struct doc *t, const struct wire_client_status *s)
{
	doc_text(t, "id", s->id);
	doc_text(t, "status", s->status);
	if (s->has_details)
		details_show(t, &s->details);
	doc_text(t, "execution time", s->execution_time);
	doc_text(t, "result", s->result);
	show_keys(t, "approved by", s, s->approved, s->napproved);
	show_keys(t, "not yet approved by", s, s->open, s->nopen);
	request_show_rejected(t, s);
	if (s->policy_changed != NULL) {
		doc_format(t, "planned anew", "%s, when the policy of the key had changed",
		    s->policy_changed);
		show_keys(t, "approved, but not named by that policy", s, s->uncounted,
		    s->nuncounted);
	}
	if (!s->has_progress && s->offline.n == 0)
		return;
	request_show_progress(t, s);
	if (s->offline.n > 0)
		doc_format(t, "to be carried", "%zu bytes, by `tsb offline export`", s->offline.n);
}

/* The answer as it came, with the details as one more member. */
static void
print_json(struct tsb_view answer, const struct wire_client_status *s)
{
	tsb_bytes_auto out = {0};

	while (answer.n > 0 && answer.p[answer.n - 1] != '}')
		answer.n--;
	if (s->has_details && answer.n > 0) {
		tsb_bytes_add_view(&out, tsb_view_of(answer.p, answer.n - 1));
		body_raw(&out, "details", s->details.text);
		tsb_bytes_add_str(&out, "}");
		answer = tsb_view_bytes(&out);
	}
	output_body(answer);
}

int
cli_request_show(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	struct wire_client_status status;
	doc_auto t = {0};

	if (fetch(c, c->argv[0], &answer, &status))
		return -1;
	details_add(c, &status);
	if (c->json) {
		print_json(tsb_view_bytes(&answer), &status);
		return 0;
	}
	doc_start(&t, false);
	request_show(&t, &status);
	doc_print(&t);
	return 0;
}

/*
 * A result is for who asked unless it is known to be public. `tsb request wait` does not know whose
 * result it gets.
 */
static enum file_secrecy
secrecy_of(const struct cli *c)
{
	if (c->opt[OPT_WAIT] == NULL)
		return FILE_SECRET;
	switch (tsb_kinds[c->command->kind].effect) {
	case EFFECT_SIGNATURE:
	case EFFECT_CERTIFICATE:
		return FILE_PUBLIC;
	case EFFECT_PLAIN_TEXT:
	case EFFECT_CODE:
	case EFFECT_BLOCKED:
	case EFFECT_UNBLOCKED:
	case EFFECT_POLICY:
	case EFFECT_NEW_KEY:
		break;
	}
	return FILE_SECRET;
}

/* What --out gets: the bytes of a base64 result, other results as they are. */
static int
write_result(struct cli *c, const struct wire_client_status *s)
{
	struct tsb_view bytes;

	if (s->result == NULL)
		return tsb_fail(&c->err, TSB_E_IO, "request %s has no result%s", s->id,
		    c->opt[OPT_FETCH_ONCE] ? " any more: it is given once" : "");
	if (!enc_base64_decode(tsb_view_str(s->result), &c->arena, &bytes))
		bytes = tsb_view_str(s->result);
	if (file_write(c->opt[OPT_OUT], secrecy_of(c), bytes, &c->err) == 0)
		return 0;
	if (c->opt[OPT_FETCH_ONCE] != NULL) { /* this is the only copy */
		output_note("tsb: the result stands on standard output, the broker has erased it");
		output_result(s->result);
	}
	return -1;
}

/* The result on stdout or in --out. */
static int
give_result(struct cli *c, const struct wire_client_status *s, struct tsb_view answer)
{
	if (c->opt[OPT_OUT] != NULL && write_result(c, s))
		return -1;
	if (c->json)
		output_body(answer);
	else if (c->opt[OPT_OUT] == NULL)
		output_result(s->result != NULL ? s->result : s->status);
	return 0;
}

static void
pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) != 0)
		;
}

static bool
is_open(const char *status)
{
	enum tsb_state state;

	/* a state of a newer server: nothing to wait for as far as we know */
	return tsb_state_by_name(status, &state) && !tsb_state_terminal(state);
}

static int
read_timeout(struct cli *c, long *seconds)
{
	return cli_number(c, OPT_TIMEOUT, 0, 100L * 366 * 86400, 0, seconds);
}

/* Why it failed, or the reason of the rejection that ended it; "" = nobody said. */
static const char *
why_of(const struct wire_client_status *s)
{
	if (s->result != NULL)
		return s->result;
	return s->nreasons > 0 ? s->reasons[s->nreasons - 1].reason : "";
}

/* Polls with growing pauses until the request has ended or the seconds (0: none) are over. */
static int
wait_for_end(struct cli *c, const char *id, long seconds)
{
	struct wire_client_status s;
	int64_t start = clock_monotonic_ms();
	long pause = POLL_FIRST_MS;

	for (;;) {
		tsb_bytes_auto answer = {0};
		int64_t left = start + seconds * 1000 - clock_monotonic_ms();

		if (fetch(c, id, &answer, &s))
			return -1;
		if (tsb_streq(s.status, "EXECUTED"))
			return give_result(c, &s, tsb_view_bytes(&answer));
		if (!is_open(s.status)) {
			if (c->json)
				output_body(tsb_view_bytes(&answer));
			return cli_end(c, CLI_NOT_EXECUTED, TSB_E_GENERAL,
			    "request %s ended as %s%s%s", s.id, s.status, *why_of(&s) ? ": " : "",
			    why_of(&s));
		}
		if (seconds > 0 && left <= 0)
			return cli_end(c, CLI_TIMEOUT, TSB_E_GENERAL,
			    "request %s is still %s after %ld s; `tsb request wait %s` goes on waiting",
			    s.id, s.status, seconds, s.id);
		pause_ms(seconds > 0 && left < pause ? (long)left : pause);
		pause = pause * 2 > POLL_LAST_MS ? POLL_LAST_MS : pause * 2;
	}
}

int
cli_request_wait(struct cli *c)
{
	long seconds;

	return read_timeout(c, &seconds) ? -1 : wait_for_end(c, c->argv[0], seconds);
}

/* ---- asking ---- */

/* The time that a policy gives to requests has the same name as the time to wait. */
static bool
timeout_is_of_policy(const struct cli *c)
{
	return tsb_kinds[c->command->kind].content == CONTENT_POLICY;
}

/* Options that only mean something with --wait. */
static int
check_waiting(struct cli *c)
{
	static const enum cli_option waiting[] = {OPT_OUT, OPT_FETCH_ONCE, OPT_TIMEOUT};
	size_t i;

	for (i = 0; c->opt[OPT_WAIT] == NULL && i < TSB_COUNT(waiting); i++)
		if (c->opt[waiting[i]] != NULL &&
		    !(waiting[i] == OPT_TIMEOUT && timeout_is_of_policy(c)))
			return tsb_fail(&c->err, TSB_E_INPUT, "--%s goes with --wait",
			    option_rows[waiting[i]].name);
	return 0;
}

int
request_open(struct cli *c, struct tsb_bytes *body)
{
	const struct tsb_kind_row *row = &tsb_kinds[c->command->kind];

	if (check_waiting(c))
		return -1;
	body_open(body, NULL);
	body_open(body, row->envelope);
	body_text(body, row->key_member, c->argv[0]);
	if (session_put_password(c, body, row->password_member))
		return -1;
	if (c->opt[OPT_META] != NULL)
		body_base64(body, "metaData", tsb_view_str(c->opt[OPT_META]));
	return 0;
}

/* Air-gapped tokens have no time: who means two operations has to say so in the bytes. */
static void
note_twin(struct cli *c, struct tsb_view answer)
{
	struct tsb_view twin;
	struct tsb_uuid id;
	struct tsb_err none;

	if (wire_text_member_parse(answer, "sameTokenAs", &c->arena, &twin, &none) ||
	    !uuid_parse(arena_strn(&c->arena, twin.p, twin.n), &id))
		return;
	output_note(
	    "tsb: request %s has the same key and payload. Without an HSM timestamp both have one "
	    "token: approvals of one serve the other, too. If you want it twice, put a number "
	    "or a date into what is signed",
	    arena_strn(&c->arena, twin.p, twin.n));
}

int
request_create(struct cli *c, struct tsb_bytes *body)
{
	const struct tsb_kind_row *row = &tsb_kinds[c->command->kind];
	tsb_bytes_auto answer = {0};
	struct tsb_view id;
	const char *text;
	long seconds = 0;

	body_close(body);
	body_close(body);
	if (!timeout_is_of_policy(c) && read_timeout(c, &seconds))
		return -1;
	if (session_call(c, "POST", row->path, tsb_view_bytes(body), &answer))
		return -1;
	if (wire_text_member_parse(tsb_view_bytes(&answer), row->id_member, &c->arena, &id,
		&c->err))
		return session_misread(c);
	text = arena_strn(&c->arena, id.p, id.n);
	note_twin(c, tsb_view_bytes(&answer));
	if (c->opt[OPT_WAIT] != NULL) {
		output_note("tsb: request %s waits for its end", text);
		return wait_for_end(c, text, seconds);
	}
	if (c->json)
		output_body(tsb_view_bytes(&answer));
	else
		output_line(text);
	return 0;
}

int
cli_request_cancel(struct cli *c)
{
	tsb_bytes_auto answer = {0};
	const char *path =
	    arena_printf(&c->arena, "/v1/request/%s", enc_percent_str(&c->arena, c->argv[0]));

	return session_call(c, "DELETE", path, tsb_view_of(NULL, 0), &answer);
}
