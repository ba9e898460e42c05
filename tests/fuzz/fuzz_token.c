/*
 * Approval tokens, timestamps, signed approvals, unwrap payloads and signatures: what a reader
 * takes, the writer writes again to the byte; all views stay inside the input.
 */
#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/ska/token.h"
#include "tests/fuzz/fuzz.h"

static void
must_be_inside(struct tsb_view part, struct tsb_view whole)
{
	MUST(part.n == 0 ||
	    (part.p >= whole.p && part.n <= whole.n &&
		(size_t)(part.p - whole.p) <= whole.n - part.n));
}

static void
must_equal(struct tsb_view in, const struct tsb_bytes *again)
{
	MUST(tsb_view_eq(in, tsb_view_bytes(again)));
}

static void
try_timestamp(struct tsb_view in)
{
	tsb_bytes_auto again = {0};
	struct ska_timestamp t;
	struct tsb_err err;

	if (ska_timestamp_parse(in, &t, &err) != 0) {
		MUST(err.code == TSB_E_PAYLOAD && err.msg[0] != '\0');
		return;
	}
	must_be_inside(t.payload, in);
	must_be_inside(t.key_label, in);
	MUST(t.key_label.n > 0 && tsb_label_valid(t.key_label));
	ska_timestamp_format(&t, &again);
	must_equal(in, &again);
}

static void
must_be_sound(const struct ska_approval_token *t, struct tsb_view in)
{
	must_be_inside(t->label, in);
	must_be_inside(t->payload, in);
	must_be_inside(t->timestamp.whole, in);
	must_be_inside(t->timestamp_signature, in);
	MUST(t->operation >= OP_USE && t->operation <= OP_MODIFY);
	if (t->operation == OP_USE || t->operation == OP_MODIFY)
		MUST(t->has_payload);
	else
		MUST(t->payload.n == 0);
	if (!t->has_timestamp)
		return;
	MUST(t->timestamp.modify == (t->operation == OP_MODIFY));
	MUST(tsb_view_eq(t->timestamp.payload, t->payload));
}

static void
try_token(struct tsb_view in)
{
	tsb_bytes_auto again = {0};
	struct ska_approval_token t;
	struct tsb_err err;

	if (ska_approval_token_parse(in, &t, &err) != 0) {
		MUST(err.code == TSB_E_PAYLOAD);
		return;
	}
	must_be_sound(&t, in);
	ska_approval_token_format(&t, &again);
	must_equal(in, &again);
}

static void
try_signed_approval(struct tsb_view in)
{
	tsb_bytes_auto again = {0};
	struct ska_signed_approval s;
	struct tsb_err err;

	if (ska_signed_approval_parse(in, &s, &err) != 0) {
		MUST(err.code == TSB_E_PAYLOAD);
		return;
	}
	must_be_inside(s.token.whole, in);
	must_be_inside(s.signature, in);
	must_be_inside(s.approver, in);
	must_be_sound(&s.token, in);
	ska_signed_approval_format(&s, &again);
	must_equal(in, &again);
	if (!s.is_certificate &&
	    crypto_verify_der(s.approver, s.token.whole, s.signature, &err) == 0)
		MUST(crypto_spki_check(s.approver, &err) == 0);
}

static void
try_unwrap(struct tsb_view in)
{
	tsb_bytes_auto again = {0};
	struct ska_unwrap_payload u;
	struct tsb_err err;

	if (ska_unwrap_payload_parse(in, &u, &err) != 0)
		return;
	must_be_inside(u.wrapped_key, in);
	must_be_inside(u.label, in);
	ska_unwrap_payload_format(&u, &again);
	must_equal(in, &again);
}

/* The writer adds NULL where it was absent; beyond that it writes what was read. */
static void
try_signature(struct tsb_view in)
{
	tsb_bytes_auto again = {0};
	enum ska_key_type type, type2;
	enum ska_digest digest, digest2;
	struct tsb_view raw, raw2;
	struct tsb_err err;

	if (ska_signature_parse(in, &type, &digest, &raw, &err) != 0)
		return;
	must_be_inside(raw, in);
	MUST(ska_key_type_has_digest(type) == (digest != DIGEST_NONE));
	ska_signature_format(type, digest, raw, &again);
	MUST(ska_signature_parse(tsb_view_bytes(&again), &type2, &digest2, &raw2, &err) == 0);
	MUST(type2 == type && digest2 == digest && tsb_view_eq(raw, raw2));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct tsb_view in = tsb_view_of(data, size);

	try_timestamp(in);
	try_token(in);
	try_signed_approval(in);
	try_unwrap(in);
	try_signature(in);
	return 0;
}
