/*
 * Whether the result of an offline HSM is believed (result.h). The key's public key or attributes
 * that the HSM signed prove it; where they cannot, a pinned offline site must vouch for it.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/signature.h"
#include "lib/flow/certificate.h"
#include "lib/flow/evaluate.h"
#include "lib/gap/attestation.h"
#include "lib/gap/imported.h"
#include "lib/gap/proof.h"
#include "lib/model/content.h"
#include "lib/wire/wire.h"

#define REASON_MAX 1000 /* bytes of a failure's text */

struct proof {
	struct flow *f;
	struct gap_carried *c;
	const struct tsb_request *rq;
	struct tsb_view input;
	struct arena *arena;
	const char *kind;
	bool proven; /* nobody needs to vouch for it */
};

/* What was carried to the offline HSM. */
static int
read_input(const struct proof *p, struct wire_synchronous_in *out, struct tsb_err *err)
{
	return wire_synchronous_parse(tsb_kinds[p->rq->kind].executed, p->input, p->arena, out,
	    err);
}

/* ---- the outcome as texts ---- */

/* Text from outside for people: one line, of bounded length. */
static char *
line_of(const char *text, size_t max, struct arena *a)
{
	size_t n = strlen(text);
	char *line;

	if (n > max)
		/* not in the middle of a character */
		for (n = max; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	line = arena_strn(a, text, n);
	for (char *p = line; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		/* C1 is C2 80 to C2 9F */
		if (c == 0xc2 && (unsigned char)p[1] < 0xa0) {
			p[0] = p[1] = '?';
			p++;
		} else if (c < 0x20 || c == 0x7f) {
			*p = '?';
		}
	}
	return line;
}

/* The same form as that of an HSM on the network: "res.error.in.hsm: text". */
static const char *
reason_of(const struct wire_offline_result *in, struct arena *a)
{
	enum tsb_code code = tsb_err_by_number(in->error_code);
	const char *text = line_of(in->failed, REASON_MAX, a);

	if (in->error_reason != NULL && *in->error_reason != '\0')
		return arena_printf(a, "%s: %s", line_of(in->error_reason, 100, a), text);
	if (code != TSB_OK)
		return arena_printf(a, "%s: %s", tsb_err_reason(code), text);
	if (in->error_code != 0)
		return arena_printf(a, "error %d: %s", in->error_code, text);
	return text;
}

/*
 * Neither attributes are part of it, whose time changes whenever the HSM is asked, nor the time of
 * the execution.
 */
void
gap_carried_digest(struct gap_carried *c, struct arena *a, unsigned char sha256[TSB_SHA256])
{
	tsb_bytes_auto text = {0};

	c->to = c->in->failed != NULL ? STATE_FAILED : STATE_EXECUTED;
	c->reason = c->to == STATE_FAILED ? reason_of(c->in, a) : NULL;
	tsb_bytes_addf(&text, "%s\n", tsb_state_names[c->to]);
	if (c->to == STATE_FAILED)
		tsb_bytes_add_str(&text, c->reason);
	else
		tsb_bytes_add_view(&text, c->in->result);
	crypto_sha256(tsb_view_bytes(&text), sha256);
}

/* ---- signatures ---- */

/* Of the imported key. Empty: not known here, or not a key with a public part. */
static int
public_key(const struct proof *p, struct tsb_view *spki, struct tsb_err *err)
{
	const struct flow_key *key;

	*spki = tsb_view_of(NULL, 0);
	if (gap_imported_key(p->f, NULL, p->rq->key_name, &key, err))
		return -1;
	/* keys derived from it sign with keys of their own */
	if (key != NULL && tsb_streq(key->parsed.label, p->rq->key_name))
		*spki = arena_view(p->arena, key->parsed.public_key);
	return 0;
}

static int
signature_bytes(const struct proof *p, struct tsb_view *out, struct tsb_err *err)
{
	if (!enc_base64_decode(p->c->in->result, p->arena, out) || out->n == 0)
		return tsb_fail(err, TSB_E_INPUT, "signature must be base64");
	return 0;
}

static int
prove_signature(struct proof *p, struct tsb_err *err)
{
	struct wire_synchronous_in sync;
	struct crypto_signed what;
	struct tsb_view spki, signature;
	struct tsb_err why = {0};
	char id[UUID_TEXT];

	if (signature_bytes(p, &signature, err) || public_key(p, &spki, err) ||
	    read_input(p, &sync, err))
		return -1;
	p->c->result = p->c->in->result;
	if (spki.n == 0)
		return 0;
	what = (struct crypto_signed){.algorithm = sync.request.algorithm,
	    .type = sync.signature_type,
	    .extra = sync.extra,
	    .payload = sync.request.payload,
	    .signature = signature};
	if (crypto_signature_check(spki, &what, &why) == 0) {
		p->proven = true;
		return 0;
	}
	/* an algorithm that only the HSM knows */
	if (why.code == TSB_E_ALGORITHM_NOT_SUPPORTED)
		return 0;
	if (why.code == TSB_E_INVALID_SIGNATURE)
		return tsb_fail(err, TSB_E_INVALID_SIGNATURE,
		    "the signature is not one of key '%.255s' over the payload of request %s",
		    p->rq->key_name, uuid_format(&p->rq->id, id));
	*err = why;
	return -1;
}

/* One that a key is to hold is kept with it, as by an HSM: callers look for it there. */
static int
take_certificate(struct proof *p, struct tsb_view pem, struct tsb_err *err)
{
	p->c->result = tsb_kinds[p->rq->kind].content == CONTENT_SELF_SIGNED
	    ? tsb_view_str("true")
	    : arena_view(p->arena, pem);
	if (flow_certificate_holder(p->rq, p->arena, &p->c->holder, err))
		return -1;
	if (p->c->holder == NULL)
		return 0;
	return crypto_pem_pick(pem, PEM_CERTIFICATE, p->arena, &p->c->certificate, err);
}

static int
prove_certificate(struct proof *p, struct tsb_err *err)
{
	struct tsb_view pem, signature;
	char id[UUID_TEXT];
	int rc;

	if (signature_bytes(p, &signature, err))
		return -1;
	rc = flow_certificate_finish(p->f, p->rq, p->c->in->result, p->arena, &pem, err);
	if (rc == 0)
		rc = take_certificate(p, pem, err);
	else if (err->code == TSB_E_HSM)
		tsb_fail(err, TSB_E_INVALID_SIGNATURE,
		    "the signature is not one of key '%.255s' over the certificate of request %s",
		    p->rq->key_name, uuid_format(&p->rq->id, id));
	p->proven = true;
	return rc;
}

/* ---- changes that the HSM attests ---- */

/* Attributes of that key, signed by a pinned HSM. *shown false: none that can be checked. */
static int
attested(struct proof *p, const char *label, bool *shown, struct tsb_err *err)
{
	struct gap_carried *c = p->c;

	*shown = false;
	if (p->f->files.nattestation_keys == 0 || !c->in->has_attributes)
		return 0;
	c->attributes = c->in->attributes;
	if (gap_attributes_accept(p->f, &c->attributes, p->arena, &c->key, err))
		return -1;
	if (!tsb_streq(c->key.label, label))
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "attributes are those of key '%.100s', not of '%.100s'", c->key.label, label);
	c->has_attributes = *shown = p->proven = true;
	return 0;
}

/* The key as it was when the request was made; NULL: it was not known. */
static int
key_before(const struct proof *p, const struct flow_key **before, struct tsb_err *err)
{
	return flow_key_load(p->f, NULL, p->rq->attributes_digest, before, err);
}

/* Attributes from before the request cannot show its effect. */
static int
check_newer(const struct proof *p, struct tsb_err *err)
{
	const struct flow_key *before;

	if (key_before(p, &before, err))
		return -1;
	if (before != NULL && p->c->key.attest_time <= before->parsed.attest_time)
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "attributes are not newer than those of the time when the request was made: "
		    "they do not show what became of it");
	return 0;
}

/* The key itself was to change: its attributes must show it when they can be checked. */
static int
attested_key(struct proof *p, bool *shown, struct tsb_err *err)
{
	if (attested(p, p->rq->key_name, shown, err))
		return -1;
	if (!*shown && p->f->files.nattestation_keys > 0)
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "attributes are missing: the result of a %s request must carry those that the "
		    "offline HSM signs of key '%.200s' afterwards",
		    p->kind, p->rq->key_name);
	return *shown ? check_newer(p, err) : 0;
}

static int
prove_blocked(struct proof *p, struct tsb_err *err)
{
	bool asked = tsb_kinds[p->rq->kind].effect == EFFECT_BLOCKED, shown;

	if (attested_key(p, &shown, err))
		return -1;
	if (shown && (!p->c->key.has_policy || p->c->key.policy.blocked != asked))
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "attributes say that key '%.200s' is %s: that is not what was asked for",
		    p->rq->key_name, asked ? "not blocked" : "blocked");
	return 0;
}

/* What approvers signed. *is_signed false: there is no token, and what the caller asked counts. */
static int
approved_content(const struct proof *p, bool *is_signed, struct tsb_bytes *out, struct tsb_err *err)
{
	struct ska_approval_token token;

	*is_signed = p->rq->token.n > 0;
	if (!*is_signed)
		return 0;
	if (ska_approval_token_parse(p->rq->token, &token, err))
		return -1;
	tsb_bytes_add_view(out, token.payload);
	return 0;
}

static int
asked_policy(const struct proof *p, struct tsb_bytes *out, struct tsb_err *err)
{
	struct wire_synchronous_in sync;
	bool is_signed;

	if (approved_content(p, &is_signed, out, err))
		return -1;
	if (is_signed)
		return 0;
	if (read_input(p, &sync, err))
		return -1;
	ska_policy_format(sync.request.policy, out);
	return 0;
}

static int
prove_policy(struct proof *p, struct tsb_err *err)
{
	tsb_bytes_auto asked = {0};
	tsb_bytes_auto has = {0};
	bool shown;

	if (attested_key(p, &shown, err))
		return -1;
	if (!shown)
		return 0;
	if (asked_policy(p, &asked, err))
		return -1;
	if (p->c->key.has_policy)
		ska_policy_format(&p->c->key.policy, &has);
	if (!tsb_view_eq(tsb_view_bytes(&asked), tsb_view_bytes(&has)))
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "attributes show another policy of key '%.200s' than the one that was approved",
		    p->rq->key_name);
	return 0;
}

/*
 * A key of that label may have been there before, and attestations outlive their keys. This one
 * was made after the request (both clocks are asked, neither is trusted alone), and after all that
 * is known of the label.
 */
static int
check_made_since(const struct proof *p, struct tsb_err *err)
{
	const struct keyattr *made = &p->c->key;
	char when[CLOCK_ISO_SIZE], then[CLOCK_ISO_SIZE];
	int64_t since = flow_request_t0(p->rq), forgotten;
	const struct flow_key *before;

	if (key_before(p, &before, err) ||
	    gap_imported_forgotten_at(p->f, made->label, &forgotten, err))
		return -1;
	if (before != NULL && before->parsed.attest_time > since)
		since = before->parsed.attest_time;
	if (forgotten >= since)
		since = forgotten + 1;
	if (made->create_time < since)
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "attributes are not newer than the request: key '%.100s' was made at %s, before %s "
		    "(set the clock of the HSM right if it is behind)",
		    made->label, clock_iso(made->create_time, when), clock_iso(since, then));
	return 0;
}

static int
prove_new_key(struct proof *p, struct tsb_err *err)
{
	tsb_bytes_auto asked = {0};
	struct wire_synchronous_in sync;
	bool shown, shows, is_signed;

	if (read_input(p, &sync, err) || attested(p, sync.new_key.label, &shown, err))
		return -1;
	if (!shown && p->f->files.nattestation_keys > 0 && p->f->files.noffline_sites == 0)
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "attributes are missing: the result of an unwrap request must carry those that the "
		    "offline HSM signs of the new key '%.200s'",
		    sync.new_key.label);
	if (!shown)
		return 0;
	if (check_made_since(p, err) || approved_content(p, &is_signed, &asked, err))
		return -1;
	if (!is_signed)
		ska_unwrap_format(&sync.request.unwrap, &asked);
	if (tsb_effect_shows(p->rq->kind, &p->c->key, tsb_view_bytes(&asked), 0, &shows, err))
		return -1;
	if (!shows)
		return tsb_fail(err, TSB_E_KEY_ATTRIBUTES,
		    "attributes show another key '%.100s' than the one that was approved: it was %s, or "
		    "may do other things",
		    sync.new_key.label, p->c->key.creation);
	return 0;
}

/* ---- what only the offline site can tell ---- */

static int
prove_plain_text(struct proof *p, struct tsb_err *err)
{
	struct tsb_view plain;

	if (!enc_base64_decode(p->c->in->result, p->arena, &plain) || plain.n > WIRE_PAYLOAD_MAX)
		return tsb_fail(err, TSB_E_INPUT, "payload must be base64 of at most %d bytes",
		    WIRE_PAYLOAD_MAX);
	p->c->result = p->c->in->result;
	return 0;
}

/* The member that the kind's result goes by is there, and no other. */
static int
check_form(const struct proof *p, struct tsb_err *err)
{
	const char *given = p->c->in->member,
		   *member = tsb_kind_executed(p->rq->kind)->answer_member;

	if (member == NULL && given != NULL)
		return tsb_fail(err, TSB_E_INPUT,
		    "%s: a %s request has no result but that it is done", given, p->kind);
	if (member == NULL)
		return 0;
	if (given == NULL)
		return tsb_fail(err, TSB_E_INPUT, "%s is missing: it is the result of a %s request",
		    member, p->kind);
	if (!tsb_streq(given, member) && !tsb_streq(given, "result"))
		return tsb_fail(err, TSB_E_INPUT, "%s: the result of a %s request is its %s", given,
		    p->kind, member);
	return 0;
}

static int
prove_effect(struct proof *p, struct tsb_err *err)
{
	switch (tsb_kinds[p->rq->kind].effect) {
	case EFFECT_SIGNATURE:
		return prove_signature(p, err);
	case EFFECT_PLAIN_TEXT:
		return prove_plain_text(p, err);
	case EFFECT_CERTIFICATE:
		return prove_certificate(p, err);
	case EFFECT_BLOCKED:
	case EFFECT_UNBLOCKED:
		return prove_blocked(p, err);
	case EFFECT_POLICY:
		return prove_policy(p, err);
	case EFFECT_NEW_KEY:
		return prove_new_key(p, err);
	case EFFECT_CODE: /* needs the broker's own secret beside the HSM */
		break;
	}
	return tsb_fail(err, TSB_E_UNSUPPORTED_OPERATION,
	    "a %s request has no result that can be carried back", p->kind);
}

int
gap_carried_prove(struct flow *f, struct gap_carried *c, const struct tsb_request *rq,
    struct tsb_view input, struct arena *a, struct tsb_err *err)
{
	struct proof p = {.f = f,
	    .c = c,
	    .rq = rq,
	    .input = input,
	    .arena = a,
	    .kind = tsb_kinds[rq->kind].name};

	if (c->to == STATE_EXECUTED && (check_form(&p, err) || prove_effect(&p, err)))
		return -1;
	if (!p.proven && f->files.noffline_sites > 0 && !c->by_site)
		return tsb_fail(err, TSB_E_NOT_ALLOWED,
		    "%s cannot be checked by itself: it must come in a package of a pinned "
		    "offline site (airGapped.offlineSiteKeyFile)",
		    c->to == STATE_FAILED ? "a failure" : "this result");
	return 0;
}
