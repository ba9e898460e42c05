/* tsb offline show, run: the offline room looks at requests and has its HSM execute them. */
#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

#include "cli/key/change.h"
#include "cli/lib/ask.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/failure.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/offline/carried.h"
#include "cli/offline/commands.h"
#include "cli/offline/errand.h"
#include "cli/offline/outcome.h"

/* ---- the requests ---- */

struct bag {
	struct cli *cli;
	struct room *room; /* NULL = none is needed */
	struct carried *list;
	size_t n;
};

static bool
is_there(const struct bag *b, const struct carried *k)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		const struct carried *other = &b->list[i];

		if (other->request.has_id == k->request.has_id &&
		    (!k->request.has_id || uuid_eq(&other->request.id, &k->request.id)) &&
		    tsb_view_eq(other->request.input, k->request.input))
			return true;
	}
	return false;
}

/* The same request in two files counts once. */
static void
add_all(struct bag *b, const struct carried *more, size_t n)
{
	struct arena *a = &b->cli->arena;
	struct carried *all = arena_array(a, b->n + n + 1, sizeof(*all));
	size_t i;

	if (b->n > 0)
		memcpy(all, b->list, b->n * sizeof(*all));
	b->list = all;
	for (i = 0; i < n; i++)
		if (!is_there(b, &more[i]))
			b->list[b->n++] = more[i];
}

/* --request gives an id to the one request that came without. */
static int
name_request(struct bag *b)
{
	struct cli *c = b->cli;
	struct carried *nameless = NULL;
	struct tsb_uuid id;
	size_t i, n = 0;

	if (c->opt[OPT_REQUEST] == NULL)
		return 0;
	if (!uuid_parse(c->opt[OPT_REQUEST], &id))
		return tsb_fail(&c->err, TSB_E_INVALID_UUID,
		    "--request must be the id of a request");
	for (i = 0; i < b->n; i++)
		if (!b->list[i].request.has_id) {
			nameless = &b->list[i];
			n++;
		}
	if (n != 1)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "--request is for one request that came without its id; there are %zu of them",
		    n);
	nameless->request.has_id = true;
	nameless->request.id = id;
	return 0;
}

static int
fill_bag(struct bag *b, bool room_needed)
{
	struct cli *c = b->cli;
	struct source *sources;
	struct carried *list;
	size_t i, n, count;

	if (source_read(c, &sources, &n))
		return -1;
	for (i = 0; i < n; i++)
		room_needed |= source_is_package(&sources[i]);
	if (!room_needed)
		b->room = NULL;
	else if (room_open(c, b->room))
		return -1;
	for (i = 0; i < n; i++) {
		if (carried_open(c, b->room, &sources[i], &list, &count))
			return -1;
		add_all(b, list, count);
	}
	return name_request(b);
}

/* ---- show ---- */

static bool
has_server(const struct cli *c)
{
	const char *url = getenv("TSB_URL");

	return c->opt[OPT_URL] != NULL || (url != NULL && *url);
}

/* Only the HSM knows who may approve; without one the rest is shown. */
static int
judge_if_possible(struct cli *c, struct carried *k)
{
	if (!has_server(c)) {
		k->no_key = "no broker is named (--url) whose HSM has the key";
		return 0;
	}
	if (carried_judge(c, k) == 0)
		return 0;
	if (c->exit == CLI_WRONG)
		return -1;
	k->no_key = arena_str(&c->arena, c->err.msg);
	c->exit = CLI_USAGE;
	return 0;
}

int
cli_offline_show(struct cli *c)
{
	room_auto room = {0};
	struct bag b = {.cli = c, .room = &room};
	doc_auto t = {0};
	bool wrong = false;
	size_t i;

	if (fill_bag(&b, c->opt[OPT_ROOM] != NULL))
		return -1;
	doc_start(&t, c->json);
	doc_list(&t, "requests");
	for (i = 0; i < b.n; i++) {
		if (carried_check(c, &b.list[i]) || judge_if_possible(c, &b.list[i])) {
			failure_print(c);
			wrong = true;
			continue;
		}
		carried_show(&t, &b.list[i]);
	}
	doc_close(&t);
	doc_print(&t);
	if (wrong)
		return cli_end(c, CLI_WRONG, TSB_E_PAYLOAD, "do not execute what is wrong above");
	return 0;
}

/* ---- run ---- */

struct run {
	struct bag bag;
	struct room_peer to;
	struct tsb_view *results;
	size_t nresults;
	bool wrong, not_executed;
	struct doc done;
};

static void
report(struct run *r, const struct carried *k, const char *outcome, const char *why)
{
	struct cli *c = r->bag.cli;
	const char *name = carried_name(&c->arena, k);

	if (c->json) {
		doc_open(&r->done, "request");
		doc_text(&r->done, "request", name);
		doc_text(&r->done, "outcome", outcome);
		doc_text(&r->done, "reason", why);
		doc_close(&r->done);
	} else {
		output_row(arena_printf(&c->arena, "%s %s%s%s", outcome, name,
		    why != NULL ? ": " : "", why != NULL ? why : ""));
		fflush(stdout);
	}
}

/* Leaves a request for later, when more approvals have come or somebody has decided. */
static void
leave(struct run *r, const struct carried *k, const char *why)
{
	report(r, k, "left", why);
	r->not_executed = true;
}

/* Says what is wrong with this one and goes on with the others. */
static void
refuse(struct run *r, const struct carried *k)
{
	struct cli *c = r->bag.cli;
	const char *why = arena_str(&c->arena, c->err.msg);

	failure_print(c);
	c->exit = CLI_USAGE;
	report(r, k, "refused", why);
	r->wrong = true;
}

/* The site that gets the results: named by --to, the sender of the packages, or the only one. */
static int
find_destination(struct run *r)
{
	struct cli *c = r->bag.cli;
	const struct room *room = r->bag.room;
	size_t i;

	if (c->opt[OPT_TO] != NULL) {
		if (file_read_spki(c->opt[OPT_TO], &c->arena, &r->to.spki, NULL, &c->err))
			return -1;
		r->to.name = room_peer_name(room, r->to.spki);
	}
	for (i = 0; i < r->bag.n; i++) {
		const struct carried *k = &r->bag.list[i];

		if (k->site == NULL)
			continue;
		if (r->to.spki.n > 0 && !tsb_view_eq(r->to.spki, k->site_spki))
			return tsb_fail(&c->err, TSB_E_INPUT,
			    "%s is of the site %s, the results would go to another one: run it alone",
			    k->from, k->site);
		r->to = (struct room_peer){k->site, k->site_spki};
	}
	if (r->to.spki.n == 0 && room->npeers == 1)
		r->to = room->peers[0];
	if (r->to.spki.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    room->npeers == 0
			? "no site is trusted that could get the results: `tsb offline trust FILE` or --to FILE"
			: "several sites are trusted: say with --to FILE which one gets the results");
	if (r->to.name == NULL)
		r->to.name = "";
	return 0;
}

static int
ask(struct cli *c, const char *question, bool *yes)
{
	*yes = c->opt[OPT_YES] != NULL;
	return *yes ? 0 : ask_yes(question, yes, &c->err);
}

/*
 * Why --yes alone does not execute this; NULL = it does. A refusal by the HSM would end the request
 * for good.
 */
static const char *
doubt(const struct carried *k, const char *seen)
{
	if (!k->key_missing && !carried_suffices(k))
		return "the approvals do not suffice, and a refusal by the HSM ends the request";
	if (k->task.has_attributes && k->task.attributes.policy.blocked &&
	    tsb_kind_rule(k->request.executed) == RULE_USE)
		return "the key is blocked, and a refusal by the HSM ends the request";
	if (seen != NULL && k->site == NULL)
		return "the same approvals were executed before, and nobody signed this request";
	return NULL;
}

static int
confirm(struct run *r, const struct carried *k, const char **why_not)
{
	struct cli *c = r->bag.cli;
	const char *seen, *reason;
	bool yes;

	if (journal_find_token(c, r->bag.room, k, &seen))
		return -1;
	if (seen != NULL)
		output_note(
		    "tsb: the very token of request %s was executed before, as %s: without an HSM "
		    "timestamp the same key and payload are one token, and its approvals serve "
		    "both requests",
		    carried_name(&c->arena, k), seen);
	reason = doubt(k, seen);
	*why_not = reason;
	if (reason != NULL && c->opt[OPT_YES] != NULL)
		return 0;
	if (ask(c,
		reason != NULL
		    ? arena_printf(&c->arena, "%s. Have the HSM try it all the same?", reason)
		    : "Have the HSM do this?",
		&yes))
		return -1;
	*why_not = yes ? NULL : "not wanted";
	if (!yes || k->task.token.operation != OP_MODIFY)
		return 0;
	if (change_confirm(c, arena_printf(&c->arena, "request %s", carried_name(&c->arena, k)),
		&k->task.policy, &yes)) {
		if (c->exit != CLI_OPENS)
			return -1;
		c->exit = CLI_USAGE;
		*why_not = arena_str(&c->arena, c->err.msg);
	} else if (!yes) {
		*why_not = "not wanted";
	}
	return 0;
}

/* With --json the person who is asked reads stderr: standard output is for the outcome. */
static void
show(const struct cli *c, const struct carried *k)
{
	FILE *to = c->json ? stderr : stdout;
	doc_auto t = {0};

	if (c->json && c->opt[OPT_YES] != NULL)
		return;
	doc_start(&t, false);
	carried_show(&t, k);
	doc_print_to(&t, to);
	fflush(to);
}

/* The result is what the journal has, now and each time. */
static int
take_result(struct run *r, const struct carried *k, const struct journal *j, const char *outcome)
{
	struct cli *c = r->bag.cli;
	struct wire_offline_result result;

	if (wire_offline_result_parse(j->result, &c->arena, &result, &c->err))
		return -1;
	r->results[r->nresults++] = j->result;
	r->not_executed |= result.failed != NULL;
	report(r, k, result.failed != NULL && tsb_streq(outcome, "executed") ? "failed" : outcome,
	    result.failed);
	return 0;
}

static int
run_known(struct run *r, struct carried *k, struct journal *j)
{
	struct cli *c = r->bag.cli;
	const char *why_not = NULL;
	bool found = false;

	if (carried_judge(c, k)) {
		if (c->exit != CLI_WRONG)
			return -1;
		refuse(r, k);
		return 0;
	}
	if (j->state == JOURNAL_INTENT && errand_recover(c, k, j, &found))
		return -1;
	if (!found) {
		show(c, k);
		if (confirm(r, k, &why_not))
			return -1;
		if (why_not != NULL) {
			leave(r, k, why_not);
			return 0;
		}
		if (errand_execute(c, k, j))
			return -1;
	}
	return take_result(r, k, j, "executed");
}

static int
run_one(struct run *r, struct carried *k)
{
	struct cli *c = r->bag.cli;
	struct journal j;

	if (carried_check(c, k)) {
		refuse(r, k);
		return 0;
	}
	if (!k->request.has_id && !k->approved) {
		tsb_fail(&c->err, TSB_E_INPUT,
		    "%s says neither its id nor who approved it: give the id "
		    "with --request",
		    k->from);
		refuse(r, k);
		return 0;
	}
	if (journal_read(c, r->bag.room, k, &j)) {
		if (c->exit != CLI_WRONG)
			return -1;
		refuse(r, k);
		return 0;
	}
	if (j.state == JOURNAL_DONE)
		return take_result(r, k, &j, "known");
	return run_known(r, k, &j);
}

static int
finish(struct run *r)
{
	struct cli *c = r->bag.cli;

	if (r->nresults > 0 && outcome_write(c, r->bag.room, &r->to, r->results, r->nresults))
		return -1;
	if (r->nresults == 0)
		output_note("tsb: there are no results to be written");
	if (r->wrong)
		return cli_end(c, CLI_WRONG, TSB_E_PAYLOAD,
		    "not all requests are what they claim to be");
	if (r->not_executed)
		return cli_end(c, CLI_NOT_EXECUTED, TSB_E_GENERAL,
		    "not all requests were executed");
	return 0;
}

int
cli_offline_run(struct cli *c)
{
	room_auto room = {0};
	struct run r = {.bag = {.cli = c, .room = &room}};
	int rc = 0;
	size_t i;

	if (outcome_check(c) || fill_bag(&r.bag, true) || find_destination(&r) ||
	    room_lock(&room, &c->err))
		return -1;
	r.results = arena_array(&c->arena, r.bag.n + 1, sizeof(*r.results));
	doc_start(&r.done, c->json);
	doc_list(&r.done, "requests");
	for (i = 0; i < r.bag.n && rc == 0; i++)
		rc = run_one(&r, &r.bag.list[i]);
	if (rc == 0)
		rc = finish(&r);
	else
		output_note("tsb: results are kept in %s/done: run it again", room.dir);
	doc_close(&r.done);
	if (c->json)
		doc_print(&r.done);
	doc_clear(&r.done);
	return rc;
}
