/*
 * Each rule of strict reading (docs/token-format.md, section 9), by itself, on tokens built by
 * hand.
 */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/ska/token.h"
#include "lib/ska/unwrap.h"
#include "tests/unit/vectors.h"

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

static void
assert_read(int rc, const struct tsb_err *err)
{
	if (rc != 0)
		fail_msg("refused: %s", err->msg);
}

static const unsigned char some_signature[] = {0x30, 0x12, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x04, 0x03, 0x02, 0x05, 0x00, 0x03, 0x02, 0x00, 0x2a};

static struct tsb_view
text(const char *s)
{
	return tsb_view_str(s);
}

static struct tsb_view
signature(void)
{
	return tsb_view_of(some_signature, sizeof(some_signature));
}

/* Ends a body: out becomes the container, body is empty again. */
static void
wrap(struct tsb_bytes *body, struct tsb_bytes *out)
{
	tsb_bytes_reset(out);
	tlv_put_container(out, tsb_view_bytes(body));
	tsb_bytes_reset(body);
}

static void
make_timestamp(struct tsb_bytes *out, unsigned tag, const char *payload)
{
	tsb_bytes_auto body = {0};

	if (tag != 0)
		tlv_put(&body, tag, text(payload));
	tlv_put_u64(&body, TLV_TIME, 1700000000);
	tlv_put(&body, TLV_LABEL, text("timestamp-key"));
	wrap(&body, out);
}

static void
assert_token(struct tsb_bytes *body, bool good, const char *message)
{
	tsb_bytes_auto whole = {0};
	tsb_bytes_auto again = {0};
	struct tsb_err err;
	int rc;

	wrap(body, &whole);
	rc = again_token(tsb_view_bytes(&whole), &again, &err);
	if (good) {
		assert_read(rc, &err);
		assert_view_equal(tsb_view_bytes(&whole), tsb_view_bytes(&again));
		return;
	}
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, TSB_E_PAYLOAD);
	if (strstr(err.msg, message) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
}

static void
test_rule_1_base64_has_one_text_per_value(void **state)
{
	static const char *const bad[] = {"AAAA\n", " AAAA", "AAA", "AA==AAAA",
	    "AB==", "AAB=", "AA=A", "A===", "AA-_", "AAAA="};
	arena_auto a = {0};
	struct tsb_view out;

	assert_true(enc_base64_decode(text("AAA="), &a, &out));
	for (size_t i = 0; i < TSB_COUNT(bad); i++)
		assert_false(enc_base64_decode(text(bad[i]), &a, &out));
}

static void
assert_open_refused(const void *p, size_t n, const char *message)
{
	struct tlv_reader r;
	struct tsb_err err;

	assert_int_equal(tlv_open(tsb_view_of(p, n), "test", &r, &err), -1);
	assert_int_equal(err.code, TSB_E_PAYLOAD);
	assert_non_null(strstr(err.msg, message));
}

static void
test_rules_2_and_3_length_of_the_container(void **state)
{
	struct tlv_reader r;
	struct tsb_err err;

	assert_open_refused(NULL, 0, "shorter");
	assert_open_refused("\0\0\0", 3, "shorter");
	assert_open_refused("\4\0\0\0", 4, "length field says 4");
	assert_open_refused("\0\0\0\0\0\0\0\0", 8, "4 follow");
	assert_open_refused("\xff\xff\xff\xff\0\0\0\0", 8, "length field");
	assert_open_refused("\3\0\0\0\0\0\0", 7, "multiple of 4");
	assert_int_equal(tlv_open(tsb_view_of("\0\0\0\0", 4), "test", &r, &err), 0);
	assert_true(tlv_at_end(&r));
	assert_int_equal(tlv_peek(&r), 0);
	assert_int_equal(tlv_end(&r, &err), 0);
}

static void
assert_take_refused(const void *p, size_t n, const char *message)
{
	struct tlv_reader r = {tsb_view_of(p, n), "test"};
	struct tsb_view v = text("untouched");
	struct tsb_err err;

	assert_int_equal(tlv_take(&r, TLV_LABEL, &v, &err), -1);
	assert_int_equal(err.code, TSB_E_PAYLOAD);
	if (strstr(err.msg, message) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
	assert_view_text(v, "untouched");
	assert_int_equal(r.rest.n, n);
}

static void
test_rule_4_length_against_what_remains(void **state)
{
	assert_take_refused("", 0, "missing at the end");
	assert_take_refused("\x02\x10\0", 3, "missing at the end");
	assert_take_refused("\x02\x10\1\0", 4, "where 0 remain");
	assert_take_refused("\x02\x10\5\0abcd", 8, "where 4 remain");
	assert_take_refused("\x02\x10\xfe\xff"
			    "abcd",
	    8, "where 4 remain");
	assert_take_refused("\x03\x10\4\0abcd", 8, "where 0x1002 belongs");
}

static void
test_rule_5_extended_length(void **state)
{
	assert_take_refused("\x02\x10\xff\xff", 4, "ends within its length");
	assert_take_refused("\x02\x10\xff\xff\1\0\0", 7, "ends within its length");
	assert_take_refused("\x02\x10\xff\xff\4\0\0\0abcd", 12, "extended length of 4");
	assert_take_refused("\x02\x10\xff\xff\xfe\xff\0\0abcd", 12, "extended length of 65534");
	assert_take_refused("\x02\x10\xff\xff\xff\xff\0\0abcd", 12, "where 4 remain");
	assert_take_refused("\x02\x10\xff\xff\0\0\0\x80"
			    "abcd",
	    12, "extended length of");
	assert_take_refused("\x02\x10\xff\xff\xff\xff\xff\xff"
			    "abcd",
	    12, "extended length of");
	assert_take_refused("\x02\x10\xff\xff\xff\xff\xff\x7f"
			    "abcd",
	    12, "where 4 remain");
}

static void
test_extended_length_starts_at_65535_bytes(void **state)
{
	static const size_t sizes[] = {65533, 65534, 65535, 65536, 65537, 100001};

	for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
		tsb_bytes_auto value = {0};
		tsb_bytes_auto out = {0};
		struct tlv_reader r;
		struct tsb_view v;
		struct tsb_err err;
		size_t head = sizes[i] < 65535 ? 4 : 8;

		memset(tsb_bytes_grow(&value, sizes[i]), 'x', sizes[i]);
		tlv_put(&out, TLV_PAYLOAD, tsb_view_bytes(&value));
		assert_int_equal(out.n, head + (sizes[i] + 3) / 4 * 4);
		r = (struct tlv_reader){tsb_view_bytes(&out), "test"};
		assert_read(tlv_take(&r, TLV_PAYLOAD, &v, &err), &err);
		assert_view_equal(v, tsb_view_bytes(&value));
		assert_true(tlv_at_end(&r));
	}
}

/* The payload stands twice in a token: 32 KiB of it outgrow the plain length of the token. */
static void
test_large_payloads_round_trip(void **state)
{
	static const size_t sizes[] = {32 * 1024, 70000, TOKEN_PAYLOAD_MAX};

	for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
		tsb_bytes_auto payload = {0};
		tsb_bytes_auto timestamp = {0};
		tsb_bytes_auto token = {0};
		tsb_bytes_auto approval = {0};
		struct ska_signed_approval s = {0}, back;
		struct tsb_err err;

		memset(tsb_bytes_grow(&payload, sizes[i]), 'x', sizes[i]);
		s.token = (struct ska_approval_token){.operation = OP_USE,
		    .label = text("k"),
		    .has_timestamp = true,
		    .timestamp_signature = signature(),
		    .has_payload = true,
		    .payload = tsb_view_bytes(&payload)};
		s.token.timestamp = (struct ska_timestamp){.has_payload = true,
		    .payload = s.token.payload,
		    .seconds = 1,
		    .key_label = text("t")};
		ska_timestamp_format(&s.token.timestamp, &timestamp);
		s.token.timestamp.whole = tsb_view_bytes(&timestamp);
		ska_approval_token_format(&s.token, &token);
		s.token.whole = tsb_view_bytes(&token);
		s.signature = signature();
		s.approver = text("key");
		ska_signed_approval_format(&s, &approval);
		assert_read(ska_signed_approval_parse(tsb_view_bytes(&approval), &back, &err),
		    &err);
		assert_view_equal(back.token.payload, s.token.payload);
		assert_view_equal(back.token.whole, s.token.whole);
	}
}

static void
test_payload_above_the_limit_is_refused(void **state)
{
	tsb_bytes_auto payload = {0};
	tsb_bytes_auto body = {0};

	memset(tsb_bytes_grow(&payload, TOKEN_PAYLOAD_MAX + 1), 'x', TOKEN_PAYLOAD_MAX + 1);
	tlv_put_u32(&body, TLV_OPERATION, OP_USE);
	tlv_put(&body, TLV_LABEL, text("k"));
	tlv_put(&body, TLV_PAYLOAD, tsb_view_bytes(&payload));
	assert_token(&body, false, "more than");
}

static void
test_rule_6_padding(void **state)
{
	assert_take_refused("\x02\x10\5\0abcde\0\0\1", 12, "not zero");
	assert_take_refused("\x02\x10\5\0abcde\1\0\0", 12, "not zero");
	assert_take_refused("\x02\x10\5\0abcde\0\0", 11, "padding of element 0x1002 is missing");
	assert_take_refused("\x02\x10\5\0abcde", 9, "padding of element 0x1002 is missing");
}

static void
test_rule_7_fixed_sizes(void **state)
{
	tsb_bytes_auto body = {0};
	tsb_bytes_auto whole = {0};
	struct ska_timestamp t;
	struct tsb_err err;

	tlv_put(&body, TLV_OPERATION, tsb_view_of("\1\0\0\0\0\0\0\0", 8));
	tlv_put(&body, TLV_LABEL, text("k"));
	tlv_put(&body, TLV_PAYLOAD, text("p"));
	assert_token(&body, false, "has 8 bytes, not 4");
	tlv_put(&body, TLV_OPERATION, tsb_view_of("\1", 1));
	tlv_put(&body, TLV_LABEL, text("k"));
	assert_token(&body, false, "has 1 bytes, not 4");
	tlv_put(&body, TLV_OPERATION, text(""));
	assert_token(&body, false, "has 0 bytes, not 4");

	tlv_put_u32(&body, TLV_TIME, 1);
	tlv_put(&body, TLV_LABEL, text("k"));
	wrap(&body, &whole);
	assert_int_equal(ska_timestamp_parse(tsb_view_bytes(&whole), &t, &err), -1);
	assert_non_null(strstr(err.msg, "has 4 bytes, not 8"));
}

static void
test_rule_8_order_and_number_of_elements(void **state)
{
	static const struct {
		unsigned tags[6];
		const char *message; /* NULL = good */
	} rows[] = {
	    {{TLV_OPERATION, TLV_LABEL, TLV_PAYLOAD}, NULL},
	    {{TLV_LABEL, TLV_OPERATION, TLV_PAYLOAD}, "0x1002 where 0x003b belongs"},
	    {{TLV_OPERATION, TLV_PAYLOAD, TLV_LABEL}, "0x1057 where 0x1002 belongs"},
	    {{TLV_OPERATION, TLV_LABEL}, "0x1057 is missing"},
	    {{TLV_OPERATION}, "0x1002 is missing"},
	    {{0}, "0x003b is missing"},
	    {{TLV_OPERATION, TLV_PAYLOAD}, "0x1057 where 0x1002 belongs"},
	    {{TLV_OPERATION, TLV_OPERATION, TLV_LABEL, TLV_PAYLOAD}, "0x003b where 0x1002 belongs"},
	    {{TLV_OPERATION, TLV_LABEL, TLV_LABEL, TLV_PAYLOAD}, "0x1002 where 0x1057 belongs"},
	    {{TLV_OPERATION, TLV_LABEL, TLV_PAYLOAD, TLV_PAYLOAD}, "nothing more belongs"},
	    {{TLV_OPERATION, TLV_LABEL, TLV_PAYLOAD, 0x003c}, "nothing more belongs"},
	    {{0x003c, TLV_OPERATION, TLV_LABEL, TLV_PAYLOAD}, "0x003c where 0x003b"},
	    {{TLV_OPERATION, TLV_LABEL, TLV_TIMESTAMP, TLV_SIGNATURE, TLV_PAYLOAD}, NULL},
	    {{TLV_OPERATION, TLV_LABEL, TLV_TIMESTAMP, TLV_PAYLOAD}, "0x1057 where 0x1056 belongs"},
	    {{TLV_OPERATION, TLV_LABEL, TLV_SIGNATURE, TLV_PAYLOAD}, "0x1056 where 0x1057 belongs"},
	    {{TLV_OPERATION, TLV_LABEL, TLV_SIGNATURE, TLV_TIMESTAMP, TLV_PAYLOAD},
		"0x1056 where 0x1057 belongs"},
	    {{TLV_OPERATION, TLV_LABEL, TLV_TIMESTAMP, TLV_SIGNATURE, TLV_SIGNATURE, TLV_PAYLOAD},
		"0x1056 where 0x1057 belongs"},
	    {{TLV_OPERATION, TLV_LABEL, TLV_PAYLOAD, TLV_TIMESTAMP, TLV_SIGNATURE},
		"nothing more belongs"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto body = {0};
		tsb_bytes_auto timestamp = {0};

		make_timestamp(&timestamp, TLV_PAYLOAD, "value");
		for (size_t k = 0; k < 6 && rows[i].tags[k] != 0; k++)
			if (rows[i].tags[k] == TLV_OPERATION)
				tlv_put_u32(&body, TLV_OPERATION, OP_USE);
			else
				tlv_put(&body, rows[i].tags[k],
				    rows[i].tags[k] == TLV_TIMESTAMP ? tsb_view_bytes(&timestamp)
					: rows[i].tags[k] == TLV_SIGNATURE ? signature()
									   : text("value"));
		assert_token(&body, rows[i].message == NULL, rows[i].message);
	}
}

static void
test_rule_8_in_timestamps_and_signed_approvals(void **state)
{
	tsb_bytes_auto body = {0};
	tsb_bytes_auto whole = {0};
	tsb_bytes_auto token = {0};
	struct ska_signed_approval s;
	struct ska_timestamp t;
	struct tsb_err err;

	tlv_put(&body, TLV_LABEL, text("k"));
	tlv_put_u64(&body, TLV_TIME, 1);
	wrap(&body, &whole);
	assert_int_equal(ska_timestamp_parse(tsb_view_bytes(&whole), &t, &err), -1);
	tlv_put(&body, TLV_PAYLOAD, text("p"));
	tlv_put(&body, TLV_MODIFY_PAYLOAD, text("p"));
	tlv_put_u64(&body, TLV_TIME, 1);
	tlv_put(&body, TLV_LABEL, text("k"));
	wrap(&body, &whole);
	assert_int_equal(ska_timestamp_parse(tsb_view_bytes(&whole), &t, &err), -1);
	tlv_put_u64(&body, TLV_TIME, 1);
	tlv_put(&body, TLV_LABEL, text(""));
	wrap(&body, &whole);
	assert_int_equal(ska_timestamp_parse(tsb_view_bytes(&whole), &t, &err), -1);
	assert_non_null(strstr(err.msg, "empty label"));
	tlv_put_u64(&body, TLV_TIME, 253402300800);
	tlv_put(&body, TLV_LABEL, text("k"));
	wrap(&body, &whole);
	assert_int_equal(ska_timestamp_parse(tsb_view_bytes(&whole), &t, &err), -1);
	assert_non_null(strstr(err.msg, "9999"));

	tlv_put_u32(&body, TLV_OPERATION, OP_USE);
	tlv_put(&body, TLV_LABEL, text("k"));
	tlv_put(&body, TLV_PAYLOAD, text("p"));
	wrap(&body, &token);
	for (int form = 0; form < 5; form++) {
		if (form != 1)
			tlv_put(&body, TLV_APPROVAL_TOKEN, tsb_view_bytes(&token));
		tlv_put(&body, TLV_SIGNATURE, signature());
		if (form == 0 || form == 3)
			tlv_put(&body, TLV_PUBLIC_KEY, text("key"));
		if (form == 2 || form == 3)
			tlv_put(&body, TLV_CERTIFICATE, text("certificate"));
		if (form == 4)
			tlv_put(&body, TLV_PUBLIC_KEY, text(""));
		wrap(&body, &whole);
		if (form == 0 || form == 2) {
			assert_read(ska_signed_approval_parse(tsb_view_bytes(&whole), &s, &err),
			    &err);
			assert_int_equal(s.is_certificate, form == 2);
		} else {
			assert_int_equal(ska_signed_approval_parse(tsb_view_bytes(&whole), &s,
					     &err),
			    -1);
		}
	}
}

static void
test_rule_10_operation_and_payload(void **state)
{
	static const struct {
		uint32_t operation;
		unsigned timestamp_tag; /* 0 = timestamp without payload, 1 = no timestamp */
		const char *timestamp_payload;
		unsigned tag; /* 0 = none */
		const char *payload, *message;
	} rows[] = {
	    {0, 1, "", TLV_PAYLOAD, "p", "operation 0"},
	    {5, 1, "", TLV_PAYLOAD, "p", "operation 5"},
	    {0x101, 1, "", TLV_PAYLOAD, "p", "operation 257"},
	    {OP_USE, 1, "", TLV_PAYLOAD, "p", NULL},
	    {OP_USE, 1, "", TLV_PAYLOAD, "", NULL},
	    {OP_USE, 1, "", TLV_MODIFY_PAYLOAD, "p", "0x1058 where 0x1057"},
	    {OP_USE, TLV_PAYLOAD, "p", TLV_PAYLOAD, "p", NULL},
	    {OP_USE, TLV_PAYLOAD, "q", TLV_PAYLOAD, "p", "another payload"},
	    {OP_USE, TLV_MODIFY_PAYLOAD, "p", TLV_PAYLOAD, "p", "another operation"},
	    {OP_USE, 0, "", TLV_PAYLOAD, "p", "another payload"},
	    {OP_USE, 0, "", TLV_PAYLOAD, "", "another payload"},
	    {OP_MODIFY, 1, "", TLV_MODIFY_PAYLOAD, "p", NULL},
	    {OP_MODIFY, 1, "", TLV_PAYLOAD, "p", "0x1057 where 0x1058"},
	    {OP_MODIFY, 1, "", 0, "", "0x1058 is missing"},
	    {OP_MODIFY, TLV_MODIFY_PAYLOAD, "p", TLV_MODIFY_PAYLOAD, "p", NULL},
	    {OP_MODIFY, TLV_PAYLOAD, "p", TLV_MODIFY_PAYLOAD, "p", "another operation"},
	    {OP_MODIFY, 0, "", TLV_MODIFY_PAYLOAD, "p", "another operation"},
	    {OP_BLOCK, 1, "", 0, "", NULL},
	    {OP_BLOCK, 1, "", TLV_PAYLOAD, "", NULL},
	    {OP_BLOCK, 1, "", TLV_PAYLOAD, "p", "no payload"},
	    {OP_BLOCK, 1, "", TLV_MODIFY_PAYLOAD, "", "0x1058 where 0x1057"},
	    {OP_BLOCK, 0, "", 0, "", NULL},
	    {OP_BLOCK, TLV_PAYLOAD, "", 0, "", NULL},
	    {OP_BLOCK, TLV_PAYLOAD, "p", 0, "", "another payload"},
	    {OP_BLOCK, TLV_MODIFY_PAYLOAD, "", 0, "", "another operation"},
	    {OP_UNBLOCK, 0, "", TLV_PAYLOAD, "", NULL},
	    {OP_UNBLOCK, 1, "", TLV_PAYLOAD, "p", "no payload"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto body = {0};
		tsb_bytes_auto timestamp = {0};

		tlv_put_u32(&body, TLV_OPERATION, rows[i].operation);
		tlv_put(&body, TLV_LABEL, text("k"));
		if (rows[i].timestamp_tag != 1) {
			make_timestamp(&timestamp, rows[i].timestamp_tag,
			    rows[i].timestamp_payload);
			tlv_put(&body, TLV_TIMESTAMP, tsb_view_bytes(&timestamp));
			tlv_put(&body, TLV_SIGNATURE, signature());
		}
		if (rows[i].tag != 0)
			tlv_put(&body, rows[i].tag, text(rows[i].payload));
		assert_token(&body, rows[i].message == NULL, rows[i].message);
	}
}

static void
assert_label(const void *p, size_t n, bool good)
{
	tsb_bytes_auto body = {0};

	tlv_put_u32(&body, TLV_OPERATION, OP_USE);
	tlv_put(&body, TLV_LABEL, tsb_view_of(p, n));
	tlv_put(&body, TLV_PAYLOAD, text("p"));
	assert_token(&body, good, "label");
}

static void
test_rule_11_labels(void **state)
{
	char big[TOKEN_LABEL_MAX + 1];

	memset(big, 'x', sizeof(big));
	assert_label("", 0, true);
	assert_label("master/44'/0'/0'/0'", 19, true);
	assert_label("Schl\xc3\xbcssel \xf0\x9f\x94\x91", 15, true);
	assert_label(big, TOKEN_LABEL_MAX, true);
	assert_label(big, TOKEN_LABEL_MAX + 1, false);
	assert_label("a\0b", 3, false);
	assert_label("a\n", 2, false);
	assert_label("\x1b[2J", 4, false);
	assert_label("\x7f", 1, false);
	assert_label("\xc2\x85", 2, false); /* C1 control */
	assert_label("\xff", 1, false); /* not UTF-8 */
	assert_label("\xc0\xaf", 2, false); /* overlong */
	assert_label("\xed\xa0\x80", 3, false); /* surrogate */
	assert_label("\xf4\x90\x80\x80", 4, false); /* beyond U+10FFFF */
	assert_label("\xc3", 1, false); /* cut */
}

static void
test_rule_12_signature_der(void **state)
{
	static const struct {
		const char *hex;
		bool good;
	} rows[] = {
	    {"3012300c06082a8648ce3d04030205000302002a", true},
	    {"3010300a06082a8648ce3d0403020302002a", true}, /* no parameters */
	    {"300b300506032b65700302002a", true}, /* Ed25519 */
	    {"300d300706032b656705000302002a", false},
	    {"300d300706032b657005000302002a", true},
	    {"3012300c06082a8648ce3d04030205000302012a", false}, /* unused bits */
	    {"3011300c06082a8648ce3d040302050003010000", false}, /* trailing byte */
	    {"3011300c06082a8648ce3d0403020500030100", false}, /* empty signature */
	    {"3010300c06082a8648ce3d04030205000300", false}, /* no unused-bits octet */
	    {"3013300d06082a8648ce3d0403020501000302002a", false}, /* NULL with content */
	    {"3014300e06082a8648ce3d040302050005000302002a", false}, /* two parameters */
	    {"3014300e06082a8648ce3d040302300005000302002a", false},
	    {"3012300c06082a8648ce3d04030204000302002a", false}, /* OCTET STRING as parameter */
	    {"3013300c06082a8648ce3d04030205000302002a00", false}, /* byte after BIT STRING */
	    {"3012300c06082a8648ce3d04030205000302002a00", false}, /* byte after all */
	    {"3012300c06082a8648ce3d0403020500030200", false}, /* cut */
	    {"308112300c06082a8648ce3d04030205000302002a", false}, /* long length */
	    {"3080300c06082a8648ce3d04030205000302002a0000", false}, /* indefinite length */
	    {"3013300d0681082a8648ce3d04030205000302002a", false},
	    {"3012300c06082a8648ce3d04030905000302002a", false}, /* unknown OID */
	    {"3012310c06082a8648ce3d04030205000302002a", false}, /* SET */
	    {"3112300c06082a8648ce3d04030205000302002a", false},
	    {"3012300c06082a8648ce3d04030205000402002a", false}, /* OCTET STRING */
	    {"30840000001230", false},
	    {"3085000000000030", false},
	    {"30", false},
	    {"", false},
	    {"30ff", false},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		arena_auto a = {0};
		tsb_bytes_auto out = {0};
		struct tsb_view der;
		struct tsb_err err;

		assert_true(enc_hex_decode(text(rows[i].hex), &a, &der));
		if ((again_signature(der, &out, &err) == 0) != rows[i].good)
			fail_msg("row %zu, %s", i, rows[i].hex);
	}
}

/* 128 and more need the long form, and then without a leading zero. */
static void
test_rule_12_long_lengths_are_minimal(void **state)
{
	tsb_bytes_auto raw = {0};
	tsb_bytes_auto der = {0};
	tsb_bytes_auto padded = {0};
	tsb_bytes_auto out = {0};
	struct tsb_err err;

	memset(tsb_bytes_grow(&raw, 200), 7, 200);
	ska_signature_format(KEYTYPE_RSA, DIGEST_SHA256, tsb_view_bytes(&raw), &der);
	assert_memory_equal(der.p, "\x30\x81", 2);
	assert_read(again_signature(tsb_view_bytes(&der), &out, &err), &err);
	tsb_bytes_add(&padded, "\x30\x82\0", 3);
	tsb_bytes_add(&padded, der.p + 2, der.n - 2);
	assert_int_equal(again_signature(tsb_view_bytes(&padded), &out, &err), -1);
	assert_non_null(strstr(err.msg, "minimal"));
}

static void
test_signatures_of_all_algorithms_round_trip(void **state)
{
	static const size_t sizes[] = {1, 64, 110, 127, 128, 250, 256, 512, 1024, 70000};

	for (int type = 0; type < KEYTYPE__MAX; type++)
		for (int digest = 0; digest < DIGEST__MAX; digest++)
			for (size_t i = 0; i < TSB_COUNT(sizes); i++) {
				tsb_bytes_auto raw = {0};
				tsb_bytes_auto der = {0};
				enum ska_key_type type2;
				enum ska_digest digest2;
				struct tsb_view raw2;
				struct tsb_err err;

				if (ska_key_type_has_digest((enum ska_key_type)type) !=
				    (digest != DIGEST_NONE))
					continue;
				memset(tsb_bytes_grow(&raw, sizes[i]), 7, sizes[i]);
				ska_signature_format((enum ska_key_type)type,
				    (enum ska_digest)digest, tsb_view_bytes(&raw), &der);
				assert_read(ska_signature_parse(tsb_view_bytes(&der), &type2,
						&digest2, &raw2, &err),
				    &err);
				assert_int_equal(type2, type);
				assert_int_equal(digest2, digest);
				assert_view_equal(raw2, tsb_view_bytes(&raw));
			}
}

static void
test_unwrap_payload_needs_key_and_label(void **state)
{
	tsb_bytes_auto out = {0};
	struct ska_unwrap_payload u = {.kind = 3, .wrapped_key = text("w"), .label = text("l")};
	struct ska_unwrap_payload back;
	struct tsb_err err;

	ska_unwrap_payload_format(&u, &out);
	assert_read(ska_unwrap_payload_parse(tsb_view_bytes(&out), &back, &err), &err);
	tsb_bytes_reset(&out);
	u.label = text("");
	ska_unwrap_payload_format(&u, &out);
	assert_int_equal(ska_unwrap_payload_parse(tsb_view_bytes(&out), &back, &err), -1);
	tsb_bytes_reset(&out);
	u.label = text("l");
	u.wrapped_key = text("");
	ska_unwrap_payload_format(&u, &out);
	assert_int_equal(ska_unwrap_payload_parse(tsb_view_bytes(&out), &back, &err), -1);
}

/* A payload tells which flags the new key has: one flag off, and the key is another one. */
static void
test_unwrap_payload_fits_a_key_by_each_flag(void **state)
{
	static const enum keyattr_flag told[] = {ATTR_DECRYPT, ATTR_SIGN, ATTR_UNWRAP, ATTR_DERIVE,
	    ATTR_SENSITIVE, ATTR_EXTRACTABLE, ATTR_MODIFIABLE, ATTR_COPYABLE, ATTR_DESTROYABLE};
	struct ska_unwrap u = {.wrapped_key = text("wrapped"),
	    .label = "new",
	    .encrypt = true,
	    .verify = true,
	    .flag = {[ATTR_DECRYPT] = true, [ATTR_SENSITIVE] = true}};
	tsb_bytes_auto out = {0};
	struct ska_unwrap_payload payload;
	struct tsb_err err = {0};

	ska_unwrap_format(&u, &out);
	assert_read(ska_unwrap_payload_parse(tsb_view_bytes(&out), &payload, &err), &err);
	assert_true(ska_unwrap_fits(&payload, u.flag));
	for (size_t i = 0; i < TSB_COUNT(told); i++) {
		bool other[ATTR__MAX];

		memcpy(other, u.flag, sizeof(other));
		other[told[i]] = !other[told[i]];
		assert_false(ska_unwrap_fits(&payload, other));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rule_1_base64_has_one_text_per_value),
	    cmocka_unit_test(test_rules_2_and_3_length_of_the_container),
	    cmocka_unit_test(test_rule_4_length_against_what_remains),
	    cmocka_unit_test(test_rule_5_extended_length),
	    cmocka_unit_test(test_extended_length_starts_at_65535_bytes),
	    cmocka_unit_test(test_large_payloads_round_trip),
	    cmocka_unit_test(test_payload_above_the_limit_is_refused),
	    cmocka_unit_test(test_rule_6_padding),
	    cmocka_unit_test(test_rule_7_fixed_sizes),
	    cmocka_unit_test(test_rule_8_order_and_number_of_elements),
	    cmocka_unit_test(test_rule_8_in_timestamps_and_signed_approvals),
	    cmocka_unit_test(test_rule_10_operation_and_payload),
	    cmocka_unit_test(test_rule_11_labels),
	    cmocka_unit_test(test_rule_12_signature_der),
	    cmocka_unit_test(test_rule_12_long_lengths_are_minimal),
	    cmocka_unit_test(test_signatures_of_all_algorithms_round_trip),
	    cmocka_unit_test(test_unwrap_payload_needs_key_and_label),
	    cmocka_unit_test(test_unwrap_payload_fits_a_key_by_each_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
