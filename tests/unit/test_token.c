#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/ska/policy.h"
#include "lib/ska/token.h"
#include "tests/unit/vectors.h"

/* ---- reading and writing again, by kind ---- */

static int
again_timestamp(struct tsb_view in, struct tsb_bytes *out, struct tsb_err *err)
{
	struct ska_timestamp t;

	if (ska_timestamp_parse(in, &t, err))
		return -1;
	ska_timestamp_format(&t, out);
	return 0;
}

static int
again_token(struct tsb_view in, struct tsb_bytes *out, struct tsb_err *err)
{
	struct ska_approval_token t;

	if (ska_approval_token_parse(in, &t, err))
		return -1;
	ska_approval_token_format(&t, out);
	return 0;
}

static int
again_signed(struct tsb_view in, struct tsb_bytes *out, struct tsb_err *err)
{
	struct ska_signed_approval s;

	if (ska_signed_approval_parse(in, &s, err))
		return -1;
	ska_signed_approval_format(&s, out);
	return 0;
}

static int
again_policy(struct tsb_view in, struct tsb_bytes *out, struct tsb_err *err)
{
	arena_auto a = {0};
	struct ska_policy p;

	if (ska_policy_parse(in, &a, &p, err))
		return -1;
	ska_policy_format(&p, out);
	return 0;
}

static int
again_unwrap(struct tsb_view in, struct tsb_bytes *out, struct tsb_err *err)
{
	struct ska_unwrap_payload u;

	if (ska_unwrap_payload_parse(in, &u, err))
		return -1;
	ska_unwrap_payload_format(&u, out);
	return 0;
}

static int
again_signature(struct tsb_view in, struct tsb_bytes *out, struct tsb_err *err)
{
	enum ska_key_type type;
	enum ska_digest digest;
	struct tsb_view raw;

	if (ska_signature_parse(in, &type, &digest, &raw, err))
		return -1;
	ska_signature_format(type, digest, raw, out);
	return 0;
}

typedef int again_fn(struct tsb_view, struct tsb_bytes *, struct tsb_err *);

static const struct {
	const char *kind;
	again_fn *again;
} kinds[] = {
    {"approval-token", again_token},
    {"signed-approval", again_signed},
    {"timestamp-token", again_timestamp},
    {"policy", again_policy},
    {"unwrap-payload", again_unwrap},
    {"der-signature", again_signature},
};

static again_fn *
again_of(const struct vector *v)
{
	for (size_t i = 0; i < TSB_COUNT(kinds); i++)
		if (vector_is(v, kinds[i].kind))
			return kinds[i].again;
	return NULL;
}

static void
assert_read(int rc, const struct tsb_err *err)
{
	if (rc != 0)
		fail_msg("refused: %s", err->msg);
}

/* ---- vectors ---- */

static void
assert_payload_is(bool modify, struct tsb_view payload, json_object *o)
{
	arena_auto a = {0};
	struct ska_policy p;
	struct tsb_err err;
	json_object *policy = NULL;

	assert_int_equal(json_object_object_get_ex(o, "policy", &policy), modify);
	if (!modify) {
		assert_view_equal(payload, json_hex(o, "hex"));
		return;
	}
	assert_read(ska_policy_parse(payload, &a, &p, &err), &err);
	assert_policy_is(&p, policy);
}

static void
assert_timestamp_is(const struct ska_timestamp *t, json_object *o)
{
	assert_true(t->has_payload);
	assert_payload_is(t->modify, t->payload, json_need(o, "payload"));
	assert_int_equal(t->seconds, json_object_get_int64(json_need(o, "seconds")));
	assert_view_text(t->key_label, json_text(o, "key_label"));
}

static void
assert_signature_is(struct tsb_view der, json_object *o)
{
	enum ska_key_type type;
	enum ska_digest digest;
	struct tsb_view raw;
	struct tsb_err err;

	assert_read(ska_signature_parse(der, &type, &digest, &raw, &err), &err);
	assert_int_equal(digest, DIGEST_SHA256);
	assert_int_equal(type,
	    tsb_streq(json_text(o, "oid"), "1.2.840.113549.1.1.11") ? KEYTYPE_RSA : KEYTYPE_EC);
	assert_view_equal(raw, json_hex(o, "signature"));
}

static void
assert_token_is(const struct ska_approval_token *t, json_object *o)
{
	json_object *timestamp = NULL;

	assert_int_equal(t->operation, json_object_get_int(json_need(o, "operation")));
	assert_view_text(t->label, json_text(o, "label"));
	assert_true(t->has_payload);
	assert_payload_is(t->operation == OP_MODIFY, t->payload, json_need(o, "payload"));
	assert_int_equal(json_object_object_get_ex(o, "timestamp", &timestamp), t->has_timestamp);
	if (!t->has_timestamp)
		return;
	assert_timestamp_is(&t->timestamp, timestamp);
	assert_signature_is(t->timestamp_signature, json_need(o, "timestamp_signature"));
}

static void
check_token(const struct vector *v)
{
	struct ska_approval_token t;
	struct tsb_err err;

	assert_read(ska_approval_token_parse(v->bytes, &t, &err), &err);
	assert_token_is(&t, v->decoded);
}

static void
check_signed(const struct vector *v)
{
	struct ska_signed_approval s;
	struct tsb_err err;
	json_object *approver = json_need(v->decoded, "approver");

	assert_read(ska_signed_approval_parse(v->bytes, &s, &err), &err);
	assert_token_is(&s.token, json_need(v->decoded, "approval_token"));
	assert_signature_is(s.signature, json_need(v->decoded, "signature"));
	assert_int_equal(s.is_certificate, tsb_streq(json_text(approver, "type"), "certificate"));
	assert_view_equal(s.approver, json_base64(approver, "value"));
}

static void
check_unwrap(const struct vector *v)
{
	struct ska_unwrap_payload u;
	struct tsb_err err;
	json_object *o = v->decoded;

	assert_read(ska_unwrap_payload_parse(v->bytes, &u, &err), &err);
	assert_int_equal(u.kind, json_object_get_int(json_need(o, "tag_0007")));
	assert_int_equal(u.capabilities, json_object_get_int(json_need(o, "capability_flags")));
	assert_int_equal(u.access, json_object_get_int(json_need(o, "access_flags")));
	assert_view_equal(u.wrapped_key, json_hex(o, "wrapped_key"));
	assert_view_text(u.label, json_text(o, "label"));
}

static void
test_vectors_decode_as_described(void **state)
{
	size_t checked = 0;

	for (size_t i = 0; i < nvectors; i++) {
		const struct vector *v = &vectors[i];
		arena_auto a = {0};
		struct ska_timestamp t;
		struct ska_policy p;
		struct tsb_err err;

		if (vector_is(v, "approval-token")) {
			check_token(v);
		} else if (vector_is(v, "signed-approval")) {
			check_signed(v);
		} else if (vector_is(v, "timestamp-token")) {
			assert_read(ska_timestamp_parse(v->bytes, &t, &err), &err);
			assert_timestamp_is(&t, v->decoded);
		} else if (vector_is(v, "policy")) {
			assert_read(ska_policy_parse(v->bytes, &a, &p, &err), &err);
			assert_policy_is(&p, v->decoded);
		} else if (vector_is(v, "unwrap-payload")) {
			check_unwrap(v);
		} else if (vector_is(v, "der-signature")) {
			assert_signature_is(v->bytes, v->decoded);
		} else {
			continue; /* key attributes: test_keyattr */
		}
		checked++;
	}
	assert_true(checked >= 13);
}

static void
test_vectors_encode_to_the_same_bytes(void **state)
{
	for (size_t i = 0; i < nvectors; i++) {
		again_fn *again = again_of(&vectors[i]);
		tsb_bytes_auto out = {0};
		struct tsb_err err;

		if (again == NULL)
			continue;
		assert_read(again(vectors[i].bytes, &out, &err), &err);
		assert_view_equal(vectors[i].bytes, tsb_view_bytes(&out));
	}
}

/* One listed signature: 0 when it verifies. */
static int
verify_listed(const struct vector *v, json_object *s, struct tsb_err *err)
{
	struct ska_approval_token token;
	struct ska_signed_approval approval;
	bool bare = json_object_object_get_ex(s, "signature", NULL);

	if (vector_is(v, "signed-approval")) {
		assert_int_equal(ska_signed_approval_parse(v->bytes, &approval, err), 0);
		return crypto_verify_der(approval.approver, approval.token.whole,
		    approval.signature, err);
	}
	if (bare)
		return crypto_verify(json_spki(s), json_digest(s), v->bytes,
		    json_base64(s, "signature"), err);
	if (vector_is(v, "der-signature"))
		return crypto_verify_der(json_spki(s), json_base64(s, "message"), v->bytes, err);
	assert_int_equal(ska_approval_token_parse(v->bytes, &token, err), 0);
	return crypto_verify_der(json_spki(s), token.timestamp.whole, token.timestamp_signature,
	    err);
}

static void
test_vectors_signatures_verify_as_described(void **state)
{
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < nvectors; i++) {
		const struct vector *v = &vectors[i];
		struct tsb_err err;

		if (v->signatures == NULL || vector_is(v, "key-attributes"))
			continue;
		for (size_t k = 0; k < json_object_array_length(v->signatures); k++) {
			json_object *s = json_object_array_get_idx(v->signatures, k);

			if (json_object_get_boolean(json_need(s, "verifies"))) {
				assert_read(verify_listed(v, s, &err), &err);
				good++;
			} else {
				assert_int_equal(verify_listed(v, s, &err), -1);
				assert_int_equal(err.code, TSB_E_INVALID_SIGNATURE);
				bad++;
			}
		}
	}
	assert_true(good >= 6 && bad >= 1);
}

/* The captured approval, offsets as its dump has them: 8 to 0x38 is what the approver signed. */
static void
test_seed_signed_approval(void **state)
{
	const struct vector *v = vector_by_name("seed-signed-approval-rsa");
	struct ska_signed_approval s;
	struct tsb_err err;
	struct tsb_view without_head;

	assert_int_equal(v->bytes.n, 640);
	assert_read(ska_signed_approval_parse(v->bytes, &s, &err), &err);
	assert_ptr_equal(s.token.whole.p, v->bytes.p + 8);
	assert_int_equal(s.token.whole.n, 48);
	assert_int_equal(s.token.operation, OP_USE);
	assert_view_text(s.token.label, "MSI-StandaloneKey");
	assert_false(s.token.has_timestamp);
	assert_view_text(s.token.payload, "harro");
	assert_false(s.is_certificate);
	assert_read(crypto_verify_der(s.approver, s.token.whole, s.signature, &err), &err);

	without_head = (struct tsb_view){s.token.whole.p + 4, s.token.whole.n - 4};
	assert_int_equal(crypto_verify_der(s.approver, without_head, s.signature, &err), -1);
	assert_int_equal(err.code, TSB_E_INVALID_SIGNATURE);
}

/* ---- one byte string, one meaning ---- */

static void
must_be_refused_or_same(again_fn *again, struct tsb_view in, size_t *accepted)
{
	tsb_bytes_auto out = {0};
	struct tsb_err err;

	if (again(in, &out, &err) != 0) {
		assert_int_equal(err.code, TSB_E_PAYLOAD);
		return;
	}
	assert_view_equal(in, tsb_view_bytes(&out));
	++*accepted;
}

static void
test_every_truncation_is_refused(void **state)
{
	for (size_t i = 0; i < nvectors; i++) {
		again_fn *again = again_of(&vectors[i]);
		size_t accepted = 0;

		if (again == NULL)
			continue;
		for (size_t n = 0; n < vectors[i].bytes.n; n++)
			must_be_refused_or_same(again, (struct tsb_view){vectors[i].bytes.p, n},
			    &accepted);
		assert_int_equal(accepted, 0);
	}
}

static void
test_every_changed_byte_is_refused_or_means_itself(void **state)
{
	size_t step = test_stride(97), accepted = 0, at = 0;

	for (size_t i = 0; i < nvectors; i++) {
		again_fn *again = again_of(&vectors[i]);
		tsb_bytes_auto copy = {0};

		if (again == NULL)
			continue;
		tsb_bytes_add_view(&copy, vectors[i].bytes);
		for (size_t n = copy.n * 255; at < n; at += step) {
			unsigned char change = (unsigned char)(1 + at % 255);

			copy.p[at / 255] ^= change;
			must_be_refused_or_same(again, tsb_view_bytes(&copy), &accepted);
			copy.p[at / 255] ^= change;
		}
		at = 0;
	}
	assert_true(accepted > 0); /* changed texts and keys are good input */
}

static void
test_extra_bytes_are_refused(void **state)
{
	for (size_t i = 0; i < nvectors; i++) {
		again_fn *again = again_of(&vectors[i]);
		tsb_bytes_auto longer = {0};
		tsb_bytes_auto out = {0};
		struct tsb_err err;

		if (again == NULL)
			continue;
		tsb_bytes_add_view(&longer, vectors[i].bytes);
		for (int extra = 0; extra < 8; extra++) {
			tsb_bytes_add(&longer, "", 1);
			assert_int_equal(again(tsb_view_bytes(&longer), &out, &err), -1);
			assert_int_equal(err.code, TSB_E_PAYLOAD);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_seed_signed_approval),
	    cmocka_unit_test(test_vectors_decode_as_described),
	    cmocka_unit_test(test_vectors_encode_to_the_same_bytes),
	    cmocka_unit_test(test_vectors_signatures_verify_as_described),
	    cmocka_unit_test(test_every_truncation_is_refused),
	    cmocka_unit_test(test_every_changed_byte_is_refused_or_means_itself),
	    cmocka_unit_test(test_extra_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, vectors_load, vectors_unload);
}
