/* tsb key block, unblock, modify: requests about the key itself. */
#include "lib/first.h"

#include <stdio.h>

#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "cli/key/change.h"
#include "cli/key/key.h"
#include "cli/key/policy.h"
#include "cli/key/strength.h"
#include "cli/key/view.h"
#include "cli/lib/body.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/lib/file.h"
#include "cli/lib/output.h"
#include "cli/lib/pinned.h"
#include "cli/lib/session.h"
#include "cli/request/commands.h"
#include "cli/request/request.h"

int
cli_key_ask(struct cli *c)
{
	tsb_bytes_auto body = {0};

	return request_open(c, &body) || request_create(c, &body) ? -1 : 0;
}

/* The policy that the key has now. */
static int
fetch_policy(struct cli *c, struct ska_policy *out)
{
	tsb_bytes_auto body = {0}, answer = {0};
	struct pinned_keys keys;
	struct keyview key;

	if (pinned_keys_load(c, &keys) || key_put_reference(c, &body) ||
	    session_call(c, "POST", "/v1/key/attributes", tsb_view_bytes(&body), &answer))
		return -1;
	if (keyview_read(c, tsb_view_bytes(&answer), keys.attestation, &key))
		return session_misread(c);
	if (key.wrong || !tsb_streq(key.attributes.label, c->argv[0]))
		return cli_end(c, CLI_WRONG, TSB_E_INVALID_SIGNATURE,
		    "the key attributes that the broker gave are not those of %s: %s", c->argv[0],
		    key.wrong ? key.why.msg : "they name another key");
	if (!key.attributes.has_policy)
		return tsb_fail(&c->err, TSB_E_KEY_TYPE,
		    "%s is an ordinary key: a key that was made without a policy never gets one",
		    c->argv[0]);
	if (!key.checked)
		output_note("tsb: the policy that the key has now is what the broker says; "
			    "--attestation-key FILE checks it");
	*out = key.attributes.policy;
	return 0;
}

/* On stderr: standard output is for the id of the request. */
static void
show_change(const struct ska_policy *old, const struct ska_policy *now)
{
	doc_auto t = {0};

	doc_start(&t, false);
	change_show(&t, old, now);
	doc_print_to(&t, stderr);
}

/* The policy as the API takes it, read back from the body of the request. */
static int
read_policy(struct cli *c, struct tsb_view json, struct ska_policy *out)
{
	const struct tsb_kind_row *row = &tsb_kinds[c->command->kind];
	tsb_bytes_auto body = {0};
	struct tsb_request_in in;

	body_open(&body, NULL);
	body_open(&body, row->envelope);
	body_text(&body, row->key_member, c->argv[0]);
	body_raw(&body, "policy", json);
	body_close(&body);
	body_close(&body);
	if (wire_request_parse(c->command->kind, tsb_view_bytes(&body), &c->arena, &in, &c->err))
		return -1;
	*out = *in.policy;
	strength_identify(out, &c->arena);
	return 0;
}

int
cli_key_modify(struct cli *c)
{
	tsb_bytes_auto json = {0}, body = {0};
	struct ska_policy old, now;
	bool yes;

	if (policy_of_options(c, false, &json))
		return -1;
	if (json.n == 0)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "give the new policy: --policy or --approvers");
	if (read_policy(c, tsb_view_bytes(&json), &now) || fetch_policy(c, &old))
		return -1;
	show_change(&old, &now);
	if (change_confirm(c, "the new policy", &now, &yes))
		return -1;
	if (!yes)
		return cli_end(c, CLI_OPENS, TSB_E_INPUT, "nothing was asked for");
	if (request_open(c, &body))
		return -1;
	body_raw(&body, "policy", tsb_view_bytes(&json));
	return request_create(c, &body);
}
