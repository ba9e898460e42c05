#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/ska/policy.h"
#include "lib/ska/sigalg.h"
#include "lib/ska/token.h"

/* Approver's signature and key ride on top of the token: far below this in every form. */
#define SIGNED_APPROVAL_MAX (TOKEN_MAX + 64 * 1024)
#define SIGNATURE_MAX       (16 * 1024)
/* 9999-12-31T23:59:59Z: every accepted time has a text form, and sums with it cannot overflow. */
#define SECONDS_MAX 253402300799u

enum ska_rule_kind
ska_operation_rule(enum ska_operation operation)
{
	static const enum ska_rule_kind rules[] = {
	    [OP_USE] = RULE_USE,
	    [OP_BLOCK] = RULE_BLOCK,
	    [OP_UNBLOCK] = RULE_UNBLOCK,
	    [OP_MODIFY] = RULE_MODIFY,
	};

	return rules[operation];
}

static int
check_size(struct tsb_view v, const char *what, size_t max, struct tsb_err *err)
{
	if (v.n > max)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: %zu bytes are more than %zu", what, v.n,
		    max);
	return 0;
}

static int
take_label(struct tlv_reader *r, bool may_be_empty, struct tsb_view *out, struct tsb_err *err)
{
	if (tlv_take(r, TLV_LABEL, out, err))
		return -1;
	if (out->n == 0 && !may_be_empty)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: empty label", r->what);
	if (out->n > TOKEN_LABEL_MAX)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: label longer than %d bytes", r->what,
		    TOKEN_LABEL_MAX);
	if (!tsb_label_valid(*out))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "%s: label is not UTF-8 without control characters", r->what);
	return 0;
}

static int
take_signature(struct tlv_reader *r, struct tsb_view *out, struct tsb_err *err)
{
	enum ska_key_type type;
	enum ska_digest digest;
	struct tsb_view raw;

	if (tlv_take(r, TLV_SIGNATURE, out, err) || check_size(*out, r->what, SIGNATURE_MAX, err))
		return -1;
	return ska_signature_parse(*out, &type, &digest, &raw, err);
}

static bool
payload_next(const struct tlv_reader *r)
{
	return tlv_peek(r) == TLV_PAYLOAD || tlv_peek(r) == TLV_MODIFY_PAYLOAD;
}

static int
take_payload(struct tlv_reader *r, unsigned tag, struct tsb_view *out, struct tsb_err *err)
{
	if (tlv_take(r, tag, out, err))
		return -1;
	return check_size(*out, r->what, TOKEN_PAYLOAD_MAX, err);
}

/* Parsers end here: one byte string, one meaning, and the other way round. */
static int
check_same(struct tsb_view in, const struct tsb_bytes *again, const char *what, struct tsb_err *err)
{
	if (tsb_view_eq(in, tsb_view_bytes(again)))
		return 0;
	return tsb_fail(err, TSB_E_PAYLOAD, "%s: not in its canonical form", what);
}

int
ska_timestamp_parse(struct tsb_view in, struct ska_timestamp *out, struct tsb_err *err)
{
	static const char what[] = "timestamp token";
	tsb_bytes_auto again = {0};
	struct ska_timestamp t = {.whole = in};
	struct tlv_reader r;

	if (check_size(in, what, TOKEN_MAX, err) || tlv_open(in, what, &r, err))
		return -1;
	if (payload_next(&r)) {
		t.has_payload = true;
		t.modify = tlv_peek(&r) == TLV_MODIFY_PAYLOAD;
		if (take_payload(&r, tlv_peek(&r), &t.payload, err))
			return -1;
	}
	if (tlv_take_u64(&r, TLV_TIME, &t.seconds, err) ||
	    take_label(&r, false, &t.key_label, err) || tlv_end(&r, err))
		return -1;
	if (t.seconds > SECONDS_MAX)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: time is beyond the year 9999", what);
	ska_timestamp_format(&t, &again);
	if (check_same(in, &again, what, err))
		return -1;
	*out = t;
	return 0;
}

void
ska_timestamp_format(const struct ska_timestamp *t, struct tsb_bytes *out)
{
	tsb_bytes_auto body = {0};

	if (t->has_payload)
		tlv_put(&body, t->modify ? TLV_MODIFY_PAYLOAD : TLV_PAYLOAD, t->payload);
	tlv_put_u64(&body, TLV_TIME, t->seconds);
	tlv_put(&body, TLV_LABEL, t->key_label);
	tlv_put_container(out, tsb_view_bytes(&body));
}

static int
take_timestamp(struct tlv_reader *r, struct ska_approval_token *t, struct tsb_err *err)
{
	struct tsb_view whole;

	if (tlv_peek(r) != TLV_TIMESTAMP)
		return 0;
	t->has_timestamp = true;
	if (tlv_take(r, TLV_TIMESTAMP, &whole, err) ||
	    ska_timestamp_parse(whole, &t->timestamp, err))
		return -1;
	return take_signature(r, &t->timestamp_signature, err);
}

/* use and modify have a payload; block and unblock have none, or an empty one (2.3). */
static int
take_token_payload(struct tlv_reader *r, struct ska_approval_token *t, struct tsb_err *err)
{
	bool optional = t->operation == OP_BLOCK || t->operation == OP_UNBLOCK;

	if (optional && tlv_at_end(r))
		return 0;
	t->has_payload = true;
	if (take_payload(r, t->operation == OP_MODIFY ? TLV_MODIFY_PAYLOAD : TLV_PAYLOAD,
		&t->payload, err))
		return -1;
	if (optional && t->payload.n != 0)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: block and unblock have no payload",
		    r->what);
	return 0;
}

/* What the HSM bound to a moment has to be what the approver consents to. */
static int
check_timestamp_fits(const struct ska_approval_token *t, struct tsb_err *err)
{
	const struct ska_timestamp *s = &t->timestamp;

	if (!t->has_timestamp)
		return 0;
	if (s->modify != (t->operation == OP_MODIFY))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "approval token: the timestamp belongs to another operation");
	if ((t->operation == OP_USE && !s->has_payload) || !tsb_view_eq(s->payload, t->payload))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "approval token: the timestamp belongs to another payload");
	return 0;
}

int
ska_approval_token_parse(struct tsb_view in, struct ska_approval_token *out, struct tsb_err *err)
{
	static const char what[] = "approval token";
	tsb_bytes_auto again = {0};
	struct ska_approval_token t = {.whole = in};
	struct tlv_reader r;
	uint32_t operation;

	if (check_size(in, what, TOKEN_MAX, err) || tlv_open(in, what, &r, err) ||
	    tlv_take_u32(&r, TLV_OPERATION, &operation, err))
		return -1;
	if (operation < OP_USE || operation > OP_MODIFY)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: operation %lu is not 1 to 4", what,
		    (unsigned long)operation);
	t.operation = (enum ska_operation)operation;
	if (take_label(&r, true, &t.label, err) || take_timestamp(&r, &t, err) ||
	    take_token_payload(&r, &t, err) || tlv_end(&r, err) || check_timestamp_fits(&t, err))
		return -1;
	ska_approval_token_format(&t, &again);
	if (check_same(in, &again, what, err))
		return -1;
	*out = t;
	return 0;
}

void
ska_approval_token_format(const struct ska_approval_token *t, struct tsb_bytes *out)
{
	tsb_bytes_auto body = {0};

	tlv_put_u32(&body, TLV_OPERATION, (uint32_t)t->operation);
	tlv_put(&body, TLV_LABEL, t->label);
	if (t->has_timestamp) {
		tlv_put(&body, TLV_TIMESTAMP, t->timestamp.whole);
		tlv_put(&body, TLV_SIGNATURE, t->timestamp_signature);
	}
	if (t->has_payload)
		tlv_put(&body, t->operation == OP_MODIFY ? TLV_MODIFY_PAYLOAD : TLV_PAYLOAD,
		    t->payload);
	tlv_put_container(out, tsb_view_bytes(&body));
}

int
ska_signed_approval_parse(struct tsb_view in, struct ska_signed_approval *out, struct tsb_err *err)
{
	static const char what[] = "signed approval";
	tsb_bytes_auto again = {0};
	struct ska_signed_approval s = {.whole = in};
	struct tlv_reader r;
	struct tsb_view token;

	if (check_size(in, what, SIGNED_APPROVAL_MAX, err) || tlv_open(in, what, &r, err) ||
	    tlv_take(&r, TLV_APPROVAL_TOKEN, &token, err) ||
	    ska_approval_token_parse(token, &s.token, err) || take_signature(&r, &s.signature, err))
		return -1;
	s.is_certificate = tlv_peek(&r) == TLV_CERTIFICATE;
	if (tlv_take(&r, s.is_certificate ? TLV_CERTIFICATE : TLV_PUBLIC_KEY, &s.approver, err) ||
	    check_size(s.approver, what, POLICY_VALUE_MAX, err) || tlv_end(&r, err))
		return -1;
	if (s.approver.n == 0)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: empty key of the approver", what);
	ska_signed_approval_format(&s, &again);
	if (check_same(in, &again, what, err))
		return -1;
	*out = s;
	return 0;
}

void
ska_signed_approval_format(const struct ska_signed_approval *s, struct tsb_bytes *out)
{
	tsb_bytes_auto body = {0};

	tlv_put(&body, TLV_APPROVAL_TOKEN, s->token.whole);
	tlv_put(&body, TLV_SIGNATURE, s->signature);
	tlv_put(&body, s->is_certificate ? TLV_CERTIFICATE : TLV_PUBLIC_KEY, s->approver);
	tlv_put_container(out, tsb_view_bytes(&body));
}

int
ska_unwrap_payload_parse(struct tsb_view in, struct ska_unwrap_payload *out, struct tsb_err *err)
{
	static const char what[] = "unwrap payload";
	tsb_bytes_auto again = {0};
	struct ska_unwrap_payload u = {0};
	struct tlv_reader r;

	if (check_size(in, what, TOKEN_PAYLOAD_MAX, err) || tlv_open(in, what, &r, err) ||
	    tlv_take_u32(&r, TLV_UNWRAP_KIND, &u.kind, err) ||
	    tlv_take_u32(&r, TLV_CAPABILITY, &u.capabilities, err) ||
	    tlv_take_u32(&r, TLV_ACCESS, &u.access, err) ||
	    tlv_take(&r, TLV_WRAPPED_KEY, &u.wrapped_key, err) ||
	    take_label(&r, false, &u.label, err) || tlv_end(&r, err))
		return -1;
	if (u.wrapped_key.n == 0)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: empty wrapped key", what);
	ska_unwrap_payload_format(&u, &again);
	if (check_same(in, &again, what, err))
		return -1;
	*out = u;
	return 0;
}

void
ska_unwrap_payload_format(const struct ska_unwrap_payload *u, struct tsb_bytes *out)
{
	tsb_bytes_auto body = {0};

	tlv_put_u32(&body, TLV_UNWRAP_KIND, u->kind);
	tlv_put_u32(&body, TLV_CAPABILITY, u->capabilities);
	tlv_put_u32(&body, TLV_ACCESS, u->access);
	tlv_put(&body, TLV_WRAPPED_KEY, u->wrapped_key);
	tlv_put(&body, TLV_LABEL, u->label);
	tlv_put_container(out, tsb_view_bytes(&body));
}
