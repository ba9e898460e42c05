#include "lib/first.h"

#include "lib/base/str.h"

#include "cli/lib/body.h"
#include "cli/lib/fingerprint.h"
#include "cli/lib/output.h"
#include "cli/lib/session.h"
#include "cli/request/details.h"

bool
details_unknown(struct cli *c)
{
	if (c->exit != CLI_REFUSED ||
	    c->refused_number != tsb_err_number(TSB_E_OPERATION_UNREACHABLE))
		return false;
	c->exit = CLI_USAGE;
	c->refused_number = 0;
	return true;
}

static int
fetch(struct cli *c, struct wire_client_status *s)
{
	tsb_bytes_auto body = {0}, answer = {0};
	struct wire_client_status *rows;
	size_t n;
	bool more;

	body_open(&body, NULL);
	body_text(&body, "requestId", s->id);
	body_close(&body);
	if (session_call(c, "POST", DETAILS_PATH, tsb_view_bytes(&body), &answer) ||
	    wire_client_request_details_parse(tsb_view_bytes(&answer), &c->arena, &rows, &n, &more,
		&c->err))
		return -1;
	if (n == 1 && tsb_streq(rows[0].id, s->id) && rows[0].has_details) {
		s->has_details = true;
		s->details = rows[0].details;
	}
	return 0;
}

void
details_add(struct cli *c, struct wire_client_status *s)
{
	if (fetch(c, s) == 0 || details_unknown(c))
		return;
	output_note("tsb: key, note and names are not known: %s", c->err.msg);
	c->exit = CLI_USAGE;
	c->refused_number = 0;
	c->next = NULL;
}

const char *
details_operation(const struct wire_client_details *d)
{
	enum tsb_kind kind;

	/* a kind of a newer broker: its own word is better than none */
	return tsb_kind_by_name(d->operation, &kind) ? tsb_kinds[kind].title : d->operation;
}

void
details_show(struct doc *t, const struct wire_client_details *d)
{
	doc_text(t, "key", d->key_name);
	doc_text(t, "operation", details_operation(d));
	if (d->has_meta)
		doc_payload(t, "caller's note", d->meta);
	doc_text(t, "payload type", d->payload_type);
	doc_text(t, "created", d->created);
	doc_text(t, "runs not after", d->expires);
	if (d->has_missing)
		doc_format(t, "missing", "%u more approval%s", d->missing,
		    d->missing == 1 ? "" : "s");
}

const char *
details_person(struct arena *a, const struct wire_client_status *s, struct tsb_view spki)
{
	const char *text = fingerprint_key(a, spki);
	size_t i;

	for (i = 0; i < s->details.npeople; i++) {
		const struct wire_client_person *p = &s->details.people[i];

		if (!tsb_view_eq(p->key, spki))
			continue;
		if (p->name != NULL)
			text = arena_printf(a, "%s  %s", text, p->name);
		return p->time == NULL ? text : arena_printf(a, "%s, %s", text, p->time);
	}
	return text;
}
