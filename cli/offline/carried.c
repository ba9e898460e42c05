#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/model/content.h"

#include "cli/key/strength.h"
#include "cli/lib/body.h"
#include "cli/lib/certview.h"
#include "cli/lib/file.h"
#include "cli/lib/pinned.h"
#include "cli/lib/session.h"
#include "cli/offline/carried.h"

const char *
carried_name(struct arena *a, const struct carried *k)
{
	char id[UUID_TEXT];

	if (k->request.has_id)
		return arena_str(a, uuid_format(&k->request.id, id));
	return arena_printf(a, "without id (%s)", k->from);
}

const struct ska_rule *
carried_rule(const struct carried *k)
{
	return &k->task.attributes.policy.rule[tsb_kind_rule(k->request.executed)];
}

/* ---- reading ---- */

static int
open_package(struct cli *c, const struct room *r, const struct source *s, struct carried **out,
    size_t *n)
{
	struct wire_package package;
	struct tsb_err why;
	struct carried *list;
	size_t peer, i;

	if (r == NULL)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "%s is a package: only an offline room (--room) knows whom to believe",
		    s->from);
	if (wire_package_parse(s->text, PACKAGE_REQUESTS, crypto_private_spki(r->key),
		room_package_peers(r, &c->arena), r->npeers, &c->arena, &package, &peer, &why))
		return cli_end(c, CLI_WRONG, why.code, "%s: %s", s->from, why.msg);
	list = arena_array(&c->arena, package.nitems + 1, sizeof(*list));
	for (i = 0; i < package.nitems; i++) {
		list[i].from = s->from;
		list[i].site = r->peers[peer].name;
		list[i].site_spki = r->peers[peer].spki;
		if (wire_offline_request_parse(package.items[i], &c->arena, &list[i].request, &why))
			return tsb_fail(&c->err, why.code, "%s, request %zu: %s", s->from, i + 1,
			    why.msg);
	}
	*out = list;
	*n = package.nitems;
	return 0;
}

static int
open_object(struct cli *c, const struct source *s, struct carried *k)
{
	char id[UUID_TEXT], other[UUID_TEXT];
	struct tsb_err why;

	k->from = s->from;
	if (wire_offline_request_parse(s->text, &c->arena, &k->request, &why))
		return tsb_fail(&c->err, why.code, "%s: %s", s->from, why.msg);
	if (!s->has_id)
		return 0;
	if (k->request.has_id && !uuid_eq(&k->request.id, &s->id))
		return cli_end(c, CLI_WRONG, TSB_E_PAYLOAD,
		    "%s: the parts say that they carry %s, and hold request %s", s->from,
		    uuid_format(&s->id, id), uuid_format(&k->request.id, other));
	k->request.has_id = true;
	k->request.id = s->id;
	return 0;
}

int
carried_open(struct cli *c, const struct room *r, const struct source *s, struct carried **out,
    size_t *n)
{
	struct carried *k;

	if (source_is_package(s))
		return open_package(c, r, s, out, n);
	k = arena_alloc(&c->arena, sizeof(*k));
	if (open_object(c, s, k))
		return -1;
	*out = k;
	*n = 1;
	return 0;
}

/* ---- checking ---- */

#define WRONG(c, k, fmt, ...)                                                                      \
	cli_end((c), CLI_WRONG, TSB_E_PAYLOAD, "request %s is not what it claims: " fmt,           \
	    carried_name(&(c)->arena, (k)), __VA_ARGS__)

static bool
times_fit(const struct ska_policy *p)
{
	size_t r, i;

	for (r = 0; r < RULE__MAX; r++)
		for (i = 0; i < p->rule[r].ntokens; i++)
			if (!ska_times_fit(p->rule[r].tokens[i].timelock,
				p->rule[r].tokens[i].timeout))
				return false;
	return true;
}

/* Makes the token that approvers must have signed from the order to the HSM. */
static int
make_token(struct cli *c, struct carried *k)
{
	const struct tsb_kind_row *row = &tsb_kinds[k->request.executed];
	const struct tsb_request_in *in = &k->in.request;
	struct ska_approval_token *t = &k->task.token;

	if (row->content == CONTENT_POLICY && (in->policy == NULL || !times_fit(in->policy)))
		return WRONG(c, k, "%s", "its new policy has times that no token can say");
	t->operation = row->operation;
	t->label = tsb_view_str(in->key_name);
	t->has_payload = row->content != CONTENT_NONE;
	t->payload = tsb_content_bytes(in, &c->arena);
	return 0;
}

static const char *
content_name(enum tsb_content content)
{
	switch (content) {
	case CONTENT_NEW_KEY:
		return "key or label";
	case CONTENT_POLICY:
		return "policy";
	case CONTENT_NONE:
	case CONTENT_BYTES:
	case CONTENT_CERTIFICATE_REQUEST:
	case CONTENT_CERTIFICATE:
	case CONTENT_SELF_SIGNED:
		break;
	}
	return "payload";
}

static int
check_agreement(struct cli *c, struct carried *k, size_t number,
    const struct ska_approval_token *signed_one)
{
	const struct ska_approval_token *t = &k->task.token;

	if (signed_one->operation != t->operation)
		return WRONG(c, k, "approval %zu allows another operation than %s", number,
		    tsb_kinds[k->request.executed].name);
	if (!tsb_view_eq(signed_one->label, t->label))
		return WRONG(c, k, "approval %zu is for another key than %s", number,
		    k->in.request.key_name);
	if (!tsb_view_eq(signed_one->payload, t->payload))
		return WRONG(c, k, "approval %zu is for another %s", number,
		    content_name(tsb_kinds[k->request.executed].content));
	return 0;
}

static int
check_approval(struct cli *c, struct carried *k, size_t i, struct ska_approval_token *first)
{
	struct ska_signed_approval approval;
	struct tsb_view spki;
	struct tsb_err why;

	if (ska_signed_approval_parse(k->in.signed_approvals[i], &approval, &why))
		return WRONG(c, k, "approval %zu: %s", i + 1, why.msg);
	if (check_agreement(c, k, i + 1, &approval.token))
		return -1;
	if (i > 0 && !tsb_view_eq(approval.token.whole, first->whole))
		return WRONG(c, k, "approval %zu signs another token than approval 1", i + 1);
	spki = approval.approver;
	if (approval.is_certificate && crypto_cert_spki(approval.approver, &c->arena, &spki, &why))
		return WRONG(c, k, "the certificate of approval %zu: %s", i + 1, why.msg);
	if (crypto_verify_der(spki, approval.token.whole, approval.signature, &why))
		return WRONG(c, k, "the signature of approval %zu does not verify", i + 1);
	if (i == 0)
		*first = approval.token;
	k->votes[i] = (struct ska_vote){spki, true};
	return 0;
}

/* From here on the token is the signed one, with its timestamp. */
static int
check_approvals(struct cli *c, struct carried *k)
{
	struct ska_approval_token first = {0};
	size_t i;

	k->votes = arena_array(&c->arena, k->in.napprovals + 1, sizeof(*k->votes));
	for (i = 0; i < k->in.napprovals; i++)
		if (check_approval(c, k, i, &first))
			return -1;
	if (k->in.napprovals == 0)
		return 0;
	k->approved = true;
	k->task.token = first;
	crypto_sha256(first.whole, k->token);
	return 0;
}

/* Refuses an operation that cannot be shown to people. */
static int
check_content(struct cli *c, struct carried *k)
{
	const struct ska_approval_token *t = &k->task.token;
	certview_auto v = {0};
	struct tsb_err why;

	if (t->operation == OP_MODIFY) {
		if (ska_policy_parse(t->payload, &c->arena, &k->task.policy, &why))
			return WRONG(c, k, "its new policy is not understood: %s", why.msg);
		strength_identify(&k->task.policy, &c->arena);
	}
	if (tsb_kind_certifies(k->request.kind) &&
	    (!certview_open_content(t->payload, &v) ||
		(v.kind == CERTVIEW_REQUEST) !=
		    (tsb_kinds[k->request.kind].content == CONTENT_CERTIFICATE_REQUEST)))
		return WRONG(c, k, "%s", "it holds no such certificate to be signed");
	return 0;
}

/* Looks like an approver's task, so that the same code shows both. */
static void
make_task(struct cli *c, struct carried *k)
{
	struct wire_client_task *w = &k->shown;

	w->id = carried_name(&c->arena, k);
	w->has_kind = true;
	w->kind = k->request.kind;
	w->key_name = k->in.request.key_name;
	w->algorithm = k->in.request.algorithm;
	w->payload_type = k->in.request.payload_type;
	w->extra = k->in.extra;
	w->wrap_method = k->in.request.wrap_method;
	w->has_status = true;
	w->status.id = w->id;
	k->task.wire = w;
}

/* Depends neither on who approved nor on the password that is added here. */
static void
digest_asked(struct carried *k)
{
	tsb_bytes_auto text = {0};

	tsb_bytes_add_str(&text, tsb_kinds[k->request.executed].envelope);
	tsb_bytes_add_view(&text, k->in.request.inner_clean);
	crypto_sha256(tsb_view_bytes(&text), k->asked);
	crypto_sha256(k->request.input, k->digest);
}

int
carried_check(struct cli *c, struct carried *k)
{
	struct tsb_err why;
	size_t i;

	if (wire_synchronous_parse(k->request.executed, k->request.input, &c->arena, &k->in, &why))
		return tsb_fail(&c->err, why.code, "request %s: %s", carried_name(&c->arena, k),
		    why.msg);
	if (k->request.key_name != NULL && !tsb_streq(k->request.key_name, k->in.request.key_name))
		return WRONG(c, k, "it says key %s and asks for %s", k->request.key_name,
		    k->in.request.key_name);
	if (k->in.request.key_password.n > 0)
		return WRONG(c, k, "%s", "it brings a key password; those are given here");
	digest_asked(k);
	if (make_token(c, k) || check_approvals(c, k) || check_content(c, k))
		return -1;
	make_task(c, k);
	k->shown.status.approved =
	    arena_array(&c->arena, k->in.napprovals + 1, sizeof(*k->shown.status.approved));
	for (i = 0; i < k->in.napprovals; i++)
		k->shown.status.approved[i] = k->votes[i].spki;
	k->shown.status.napproved = k->in.napprovals;
	return 0;
}

/* ---- judging ---- */

static bool
is_asked(const struct ska_rule *rule, struct tsb_view spki)
{
	size_t t, g, i;

	for (t = 0; t < rule->ntokens; t++)
		for (g = 0; g < rule->tokens[t].ngroups; g++)
			for (i = 0; i < rule->tokens[t].groups[g].napprovers; i++)
				if (tsb_view_eq(rule->tokens[t].groups[g].approvers[i].spki, spki))
					return true;
	return false;
}

/* Judges as the HSM will (hsm-api.md): without approvals the request begins now. */
static void
count_votes(struct carried *k)
{
	const struct ska_approval_token *t = &k->task.token;
	int64_t now = clock_now_ms() / 1000, t0 = now;
	bool timestamped = true;
	size_t i;

	if (k->approved) {
		timestamped = t->has_timestamp;
		t0 = timestamped ? (int64_t)t->timestamp.seconds : 0;
	}
	for (i = 0; i < k->in.napprovals; i++)
		k->stranger |= !is_asked(carried_rule(k), k->votes[i].spki);
	ska_evaluate(carried_rule(k), k->votes, k->in.napprovals, timestamped, t0, now,
	    &k->verdict);
}

static int
take_attributes(struct cli *c, struct carried *k, struct tsb_view answer)
{
	tsb_bytes_auto stable = {0};
	struct pinned_keys keys;
	struct keyview v;

	if (pinned_keys_load(c, &keys))
		return -1;
	if (keyview_read(c, answer, keys.attestation, &v))
		return session_misread(c);
	if (v.wrong || !tsb_streq(v.attributes.label, k->in.request.key_name))
		return cli_end(c, CLI_WRONG, TSB_E_INVALID_SIGNATURE,
		    "the attributes of %s that the HSM gave are not its own: %s",
		    k->in.request.key_name, v.wrong ? v.why.msg : "they name another key");
	keyattr_stable_text(v.answer.xml, &stable);
	crypto_sha256(tsb_view_bytes(&stable), k->key_digest);
	k->task.has_attributes = true;
	k->task.attributes = v.attributes;
	k->task.attributes_verified = v.checked;
	return 0;
}

int
carried_judge(struct cli *c, struct carried *k)
{
	tsb_bytes_auto body = {0}, answer = {0};

	body_open(&body, NULL);
	body_text(&body, "label", k->in.request.key_name);
	if (session_put_password(c, &body, "password"))
		return -1;
	body_close(&body);
	if (session_become(c, TSB_ROLE_KEY_MANAGEMENT))
		return -1;
	if (session_call(c, "POST", "/v1/key/attributes", tsb_view_bytes(&body), &answer)) {
		if (c->exit != CLI_REFUSED ||
		    c->refused_number != tsb_err_number(TSB_E_KEY_NOT_EXISTENT))
			return -1;
		c->exit = CLI_USAGE;
		k->key_missing = true;
		k->no_key = "the HSM here has no key of this name";
		return 0;
	}
	if (take_attributes(c, k, tsb_view_bytes(&answer)))
		return -1;
	if (k->task.attributes.has_policy)
		count_votes(k);
	return 0;
}

/* A key without a policy asks nobody, and a rule without approvers refuses nobody. */
bool
carried_suffices(const struct carried *k)
{
	if (!k->task.has_attributes)
		return false;
	return !k->task.attributes.has_policy || (k->verdict.met && !k->stranger);
}
