#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/ska/keyattr.h"
#include "tests/unit/vectors.h"

static void
parse_well(struct tsb_view xml, struct arena *a, struct keyattr *k)
{
	struct tsb_err err;

	if (keyattr_parse(xml, a, k, &err) != 0)
		fail_msg("refused: %s", err.msg);
}

static void
assert_refused(const char *xml, const char *message)
{
	arena_auto a = {0};
	struct keyattr k = {.label = "untouched"};
	struct tsb_err err;

	assert_int_equal(keyattr_parse(tsb_view_str(xml), &a, &k, &err), -1);
	assert_int_equal(err.code, TSB_E_PAYLOAD);
	assert_string_equal(k.label, "untouched");
	if (strstr(err.msg, message) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
}

/* ---- vectors ---- */

static json_object *
child(json_object *o, const char *element)
{
	json_object *list = json_need(o, "children");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *c = json_object_array_get_idx(list, i);

		if (tsb_streq(json_text(c, "element"), element))
			return c;
	}
	return NULL;
}

static void
assert_text_is(const char *value, json_object *parent, const char *element)
{
	json_object *o = child(parent, element);

	if (o == NULL)
		assert_null(value);
	else
		assert_string_equal(value, json_text(o, "text"));
}

static void
assert_time_is(int64_t seconds, json_object *parent, const char *element)
{
	char text[CLOCK_ISO_SIZE];

	assert_text_is(clock_iso(seconds, text), parent, element);
}

static void
check_vector(const struct vector *v)
{
	arena_auto a = {0};
	struct keyattr k;
	json_object *o = v->decoded, *flags = child(o, "attributes");

	parse_well(v->bytes, &a, &k);
	assert_string_equal(k.root, json_text(o, "element"));
	assert_string_equal(k.creation, json_text(json_need(o, "attributes"), "creation"));
	assert_text_is(k.uuid, o, "uuid");
	assert_text_is(k.label, o, "label");
	assert_time_is(k.create_time, o, "create_time");
	assert_time_is(k.attest_time, o, "attest_time");
	assert_int_equal(k.has_use_count, child(o, "key_use_count") != NULL);
	assert_text_is(k.algorithm, o, "algorithm");
	assert_text_is(k.algorithm_oid, o, "algorithm_oid");
	assert_text_is(k.curve_oid, o, "curve_oid");
	assert_text_is(enc_base64_str(&a, k.public_key), o, "public_key");
	assert_text_is(k.derivation_value, o, "derivation_value");
	for (int i = 0; i < ATTR__MAX; i++)
		assert_text_is(k.flag[i] ? "true" : "false", flags, keyattr_flag_xml[i]);
	assert_int_equal(k.has_policy, child(o, "policy") != NULL);
}

static void
test_vectors_decode_as_described(void **state)
{
	size_t n = 0;

	for (size_t i = 0; i < nvectors; i++)
		if (vector_is(&vectors[i], "key-attributes")) {
			check_vector(&vectors[i]);
			n++;
		}
	assert_true(n > 0);
}

static void
test_vector_policy(void **state)
{
	const struct vector *v = vector_by_name("key-attributes-generated");
	arena_auto a = {0};
	struct keyattr k;

	parse_well(v->bytes, &a, &k);
	assert_true(k.has_use_count);
	assert_int_equal(k.use_count, 1);
	assert_string_equal(k.derivation_type, "ADA/SLIP-10");
	assert_false(k.policy.blocked);
	for (int r = 0; r < RULE__MAX; r++) {
		const struct ska_token *t = k.policy.rule[r].tokens;

		assert_int_equal(k.policy.rule[r].ntokens, 1);
		assert_string_equal(t->name, "Token1");
		assert_int_equal(t->timelock, 0);
		assert_int_equal(t->timeout, 600);
		assert_int_equal(t->ngroups, 1);
		assert_string_equal(t->groups[0].name, "Group1");
		assert_int_equal(t->groups[0].quorum, 1);
		assert_int_equal(t->groups[0].napprovers, 1);
		assert_string_equal(t->groups[0].approvers[0].name, "ApproverKey1");
		assert_int_equal(t->groups[0].approvers[0].type, APPROVER_PUBLIC_KEY);
		assert_int_equal(t->groups[0].approvers[0].value.n, 120);
	}
}

static void
test_vectors_encode_to_the_same_bytes(void **state)
{
	for (size_t i = 0; i < nvectors; i++) {
		arena_auto a = {0};
		tsb_bytes_auto out = {0};
		struct keyattr k;

		if (!vector_is(&vectors[i], "key-attributes"))
			continue;
		parse_well(vectors[i].bytes, &a, &k);
		keyattr_format(&k, &out);
		assert_view_equal(vectors[i].bytes, tsb_view_bytes(&out));
	}
}

static void
test_vectors_signatures_verify_as_described(void **state)
{
	size_t n = 0;

	for (size_t i = 0; i < nvectors; i++) {
		const struct vector *v = &vectors[i];
		struct tsb_err err;
		json_object *s;

		if (!vector_is(v, "key-attributes") || v->signatures == NULL)
			continue;
		s = json_object_array_get_idx(v->signatures, 0);
		assert_true(json_object_get_boolean(json_need(s, "verifies")));
		assert_int_equal(crypto_verify(json_spki(s), json_digest(s), v->bytes,
				     json_base64(s, "signature"), &err),
		    0);
		/* both final line feeds are signed */
		assert_int_equal(crypto_verify(json_spki(s), json_digest(s),
				     (struct tsb_view){v->bytes.p, v->bytes.n - 1},
				     json_base64(s, "signature"), &err),
		    -1);
		n++;
	}
	assert_true(n > 0);
}

/* ---- hostile input ---- */

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define FLAGS                                                                                      \
	"<attributes><decrypt>false</decrypt><sign>true</sign><unwrap>false</unwrap>"              \
	"<derive>false</derive><sensitive>true</sensitive>"                                        \
	"<always_sensitive>true</always_sensitive><extractable>false</extractable>"                \
	"<never_extractable>true</never_extractable><modifiable>true</modifiable>"                 \
	"<copyable>false</copyable><destroyable>true</destroyable><unique>true</unique>"           \
	"</attributes>"
#define START "<private_key creation=\"generated\">"
#define LABEL "<label>k</label>"
#define TIMES                                                                                      \
	"<create_time>2025-01-15T09:30:00Z</create_time>"                                          \
	"<attest_time>2025-01-15T09:30:01Z</attest_time>"
#define ALGORITHM "<algorithm>EC</algorithm>"
#define STATUS    "<key_status><blocked>false</blocked></key_status>"
#define RULES(use)                                                                                 \
	"<policy>" STATUS "<rule_use>" use "</rule_use><rule_block/><rule_unblock/>"               \
	"<rule_modify></rule_modify></policy>"
#define END              "</private_key>\n\n"
#define DOCUMENT(middle) HEAD START LABEL TIMES ALGORITHM middle FLAGS END
#define WITH_RULE(use)                                                                             \
	HEAD START LABEL TIMES ALGORITHM FLAGS RULES(use)                                          \
	END

static void
test_smallest_document(void **state)
{
	arena_auto a = {0};
	struct keyattr k;

	parse_well(tsb_view_str(DOCUMENT("")), &a, &k);
	assert_string_equal(k.root, "private_key");
	assert_string_equal(k.label, "k");
	assert_null(k.storage);
	assert_null(k.algorithm_oid);
	assert_int_equal(k.public_key.n, 0);
	assert_false(k.has_policy);
	assert_false(k.has_use_count);
	assert_true(k.flag[ATTR_SIGN]);
	assert_false(k.flag[ATTR_DECRYPT]);
}

static void
test_declaration(void **state)
{
#define BODY START LABEL TIMES ALGORITHM FLAGS END
	assert_refused("", "XML declaration");
	assert_refused(BODY, "XML declaration");
	assert_refused("\xef\xbb\xbf" HEAD BODY, "XML declaration");
	assert_refused(" " HEAD BODY, "XML declaration");
	assert_refused("<?xml version=\"1.1\" encoding=\"UTF-8\"?>" BODY, "");
	assert_refused("<?xml version=\"1.0\"?>" BODY, "other than version 1.0");
	assert_refused("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" BODY,
	    "other than version 1.0");
	assert_refused("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>" BODY,
	    "other than version 1.0");
	assert_refused(HEAD HEAD BODY, "");
	assert_refused(HEAD, "not well-formed");
#undef BODY
}

static void
test_document_types_and_entities(void **state)
{
	assert_refused(HEAD "<!DOCTYPE private_key>" START LABEL TIMES ALGORITHM FLAGS END,
	    "document type");
	assert_refused(HEAD "<!DOCTYPE private_key SYSTEM \"file:///etc/passwd\">" START LABEL TIMES
			   ALGORITHM FLAGS END,
	    "document type");
	assert_refused(HEAD
	    "<!DOCTYPE private_key [<!ENTITY a \"b\">]>" START LABEL TIMES ALGORITHM FLAGS END,
	    "document type");
	assert_refused(HEAD START "<label>&a;</label>" TIMES ALGORITHM FLAGS END, "reference");
	assert_refused(HEAD START "<label>&#107;</label>" TIMES ALGORITHM FLAGS END, "reference");
	assert_refused(HEAD START "<label>&#x6b;</label>" TIMES ALGORITHM FLAGS END, "reference");
	assert_refused(HEAD START "<label>&</label>" TIMES ALGORITHM FLAGS END, "reference");
	assert_refused(HEAD START "<label>a</label>&amp", "reference");
}

static void
test_five_entities_are_text(void **state)
{
	arena_auto a = {0};
	tsb_bytes_auto out = {0};
	struct keyattr k;

	parse_well(tsb_view_str(HEAD START
		       "<label>&lt;&amp;&gt;&quot;&apos;</label>" TIMES ALGORITHM FLAGS END),
	    &a, &k);
	assert_string_equal(k.label, "<&>\"'");
	keyattr_format(&k, &out);
	assert_non_null(
	    strstr(tsb_bytes_cstr(&out), "\t<label>&lt;&amp;&gt;&quot;&apos;</label>\n"));
}

static void
test_comments_instructions_and_cdata(void **state)
{
	assert_refused(DOCUMENT("<!-- hello -->"), "comment");
	assert_refused(HEAD "<!-- hello -->" START LABEL TIMES ALGORITHM FLAGS END, "comment");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS END "<!---->", "comment");
	assert_refused(DOCUMENT("<?php echo 1 ?>"), "processing instruction");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS END "<?x?>",
	    "processing instruction");
	assert_refused(HEAD START "<label><![CDATA[k]]></label>" TIMES ALGORITHM FLAGS END,
	    "CDATA");
}

/* Newer firmware tells more of a key. In a policy it could mean that less is allowed. */
static void
test_elements_of_newer_firmware(void **state)
{
	static const char *const more[] = {
	    HEAD START LABEL "<colour>red</colour>" TIMES ALGORITHM FLAGS END,
	    DOCUMENT("<rollover by=\"1\">true</rollover><rollover/>"),
	};

	for (size_t i = 0; i < TSB_COUNT(more); i++) {
		arena_auto a = {0};
		struct keyattr k;
		struct tsb_err err;

		assert_int_equal(keyattr_parse(tsb_view_str(more[i]), &a, &k, &err), 0);
		assert_false(k.has_policy);
	}
	assert_refused(DOCUMENT("<colour><red/></colour>"), "of newer firmware holds another one");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS
	    "<policy><colour>red</colour></policy>" END,
	    "unknown element in policy");
}

static void
test_order_and_number_of_elements(void **state)
{
	assert_refused(HEAD "<secret creation=\"generated\"/>", "unknown root");
	assert_refused(HEAD START LABEL LABEL TIMES ALGORITHM FLAGS END, "label is repeated");
	assert_refused(HEAD START TIMES LABEL ALGORITHM FLAGS END, "label is missing");
	assert_refused(HEAD START TIMES ALGORITHM FLAGS END, "label is missing");
	assert_refused(HEAD START LABEL ALGORITHM FLAGS END, "create_time is missing");
	assert_refused(HEAD START LABEL TIMES FLAGS END, "algorithm is missing");
	assert_refused(HEAD START LABEL TIMES ALGORITHM END, "attributes is missing");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS FLAGS END, "attributes is repeated");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS "<key_size>256</key_size>" END,
	    "key_size is repeated or in the wrong place");
	assert_refused(HEAD START LABEL TIMES ALGORITHM
	    "<attributes><decrypt>true</decrypt></attributes>" END,
	    "sign is missing");
	assert_refused(HEAD START LABEL TIMES ALGORITHM "<attributes/>" END, "decrypt is missing");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS "<policy/>" END,
	    "key_status is missing");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS
	    "<policy>" STATUS "<rule_use/><rule_block/><rule_modify/></policy>" END,
	    "rule_unblock is missing");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS
	    "<policy>" STATUS "<rule_block/><rule_use/><rule_unblock/><rule_modify/></policy>" END,
	    "rule_use is missing");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS END START END, "not well-formed");
	assert_refused(HEAD START LABEL TIMES ALGORITHM FLAGS END "x", "not well-formed");
}

static void
test_text_and_elements_do_not_mix(void **state)
{
	assert_refused(DOCUMENT("red"), "text between the elements of private_key");
	assert_refused(HEAD START "<label>a<b/></label>" TIMES ALGORITHM FLAGS END,
	    "label holds another one");
	assert_refused(HEAD START "<label><label><label><label><label><label><label><label>",
	    "label holds another one");
	assert_refused(WITH_RULE("<token><timelock>0</timelock><timeout>0</timeout>x</token>"),
	    "text between the elements of token");
}

static void
test_attributes(void **state)
{
	assert_refused(HEAD "<private_key>" LABEL TIMES ALGORITHM FLAGS END,
	    "no attribute creation");
	assert_refused(HEAD "<private_key creation=\"found\">" LABEL TIMES ALGORITHM FLAGS END,
	    "creation has an unknown value");
	assert_refused(HEAD
	    "<private_key creation=\"generated\" storage=\"here\">" LABEL TIMES ALGORITHM FLAGS END,
	    "storage has an unknown value");
	assert_refused(HEAD
	    "<private_key creation=\"generated\" xmlns=\"urn:x\">" LABEL TIMES ALGORITHM FLAGS END,
	    "unknown attribute");
	assert_refused(HEAD "<private_key creation=\"generated\" creation=\"generated\">",
	    "not well-formed");
	assert_refused(HEAD START "<label lang=\"en\">k</label>" TIMES ALGORITHM FLAGS END,
	    "label has an unknown attribute");
	assert_refused(WITH_RULE(
			   "<token name=\"\"><timelock>0</timelock><timeout>0</timeout></token>"),
	    "name must have 1 to 255");
	assert_refused(DOCUMENT("<derivation_value>AB</derivation_value>"), "no attribute type");
}

static void
test_values(void **state)
{
	static const struct {
		const char *middle, *message;
	} rows[] = {
	    {"<algorithm_oid></algorithm_oid>", "algorithm_oid is not"},
	    {"<algorithm_oid>1..2</algorithm_oid>", "algorithm_oid is not"},
	    {"<curve_oid>1.2.x</curve_oid>", "curve_oid is not"},
	    {"<key_size>0</key_size>", "key_size is 0"},
	    {"<key_size>02048</key_size>", "not a plain decimal"},
	    {"<key_size>+1</key_size>", "not a plain decimal"},
	    {"<key_size>99999999999999999999999</key_size>", "too large"},
	    {"<public_key></public_key>", "public_key is not base64"},
	    {"<public_key>AAA</public_key>", "public_key is not base64"},
	    {"<public_key>AA AA</public_key>", "public_key is not base64"},
	    {"<public_key>\nAAAA</public_key>", "public_key is not base64"},
	};
	char xml[4096];

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		snprintf(xml, sizeof(xml), "%s%s%s", HEAD START LABEL TIMES ALGORITHM,
		    rows[i].middle, FLAGS END);
		assert_refused(xml, rows[i].message);
	}
	assert_refused(HEAD START "<label></label>" TIMES ALGORITHM FLAGS END, "label must have");
	assert_refused(HEAD START "<label>a\tb</label>" TIMES ALGORITHM FLAGS END,
	    "label must have");
	assert_refused(HEAD START
	    "<uuid>0123456-01234567-01234567-01234567</uuid>" LABEL TIMES ALGORITHM FLAGS END,
	    "uuid");
	assert_refused(HEAD START
	    "<uuid>abcdefab-01234567-01234567-01234567</uuid>" LABEL TIMES ALGORITHM FLAGS END,
	    "uuid");
	assert_refused(HEAD START LABEL "<create_time>2025-01-15T09:30:00+00:00</create_time>",
	    "create_time is not a time");
	assert_refused(HEAD START LABEL "<create_time>2025-02-30T09:30:00Z</create_time>",
	    "create_time is not a time");
	assert_refused(HEAD START LABEL "<create_time>2025-01-15T09:30:00.5Z</create_time>",
	    "create_time is not a time");
	assert_refused(HEAD START LABEL TIMES ALGORITHM "<attributes><decrypt>yes</decrypt>",
	    "decrypt is neither");
	assert_refused(HEAD START LABEL TIMES ALGORITHM "<attributes><decrypt> true</decrypt>",
	    "decrypt is neither");
	assert_refused(WITH_RULE("<token><timelock>-1</timelock><timeout>0</timeout></token>"),
	    "timelock is not a plain");
	assert_refused(
	    WITH_RULE(
		"<token><timelock>0</timelock><timeout>18446744073709551615</timeout></token>"),
	    "too large");
	assert_refused(
	    WITH_RULE(
		"<token><timelock>0</timelock><timeout>18446744073709551616</timeout></token>"),
	    "too large");
	assert_refused(WITH_RULE("<token><timelock>0</timelock><timeout>0</timeout><group>"
				 "<quorum>4294967296</quorum></group></token>"),
	    "quorum is too large");
	assert_refused(
	    WITH_RULE("<token><timelock>0</timelock><timeout>0</timeout><group>"
		      "<quorum>1</quorum><approval type=\"pgp\">AAAA</approval></group></token>"),
	    "type has an unknown value");
	assert_refused(WITH_RULE("<token><timelock>0</timelock><timeout>0</timeout><group>"
				 "<quorum>1</quorum><approval>AAAA</approval></group></token>"),
	    "no attribute type");
}

static void
test_rules_of_special_forms(void **state)
{
	arena_auto a = {0};
	tsb_bytes_auto out = {0};
	struct keyattr k, back;

	parse_well(tsb_view_str(
		       WITH_RULE("<token><timelock>0</timelock><timeout>0</timeout></token>")),
	    &a, &k);
	assert_true(ska_rule_is_absent_form(&k.policy.rule[RULE_USE]));
	assert_int_equal(k.policy.rule[RULE_MODIFY].ntokens, 0);
	keyattr_format(&k, &out);
	assert_non_null(strstr(tsb_bytes_cstr(&out),
	    "\t\t<rule_use>\n\t\t\t<token>\n\t\t\t\t<timelock>0</timelock>\n"
	    "\t\t\t\t<timeout>0</timeout>\n\t\t\t</token>\n\t\t</rule_use>\n"
	    "\t\t<rule_block>\n\t\t</rule_block>\n"));
	parse_well(tsb_view_bytes(&out), &a, &back);
	assert_true(ska_rule_is_absent_form(&back.policy.rule[RULE_USE]));
	assert_int_equal(back.policy.rule[RULE_BLOCK].ntokens, 0);
}

static void
test_size_and_depth(void **state)
{
	tsb_bytes_auto xml = {0};
	arena_auto a = {0};
	struct keyattr k;
	struct tsb_err err;

	tsb_bytes_add_str(&xml, DOCUMENT(""));
	memset(tsb_bytes_grow(&xml, 1024 * 1024 - xml.n), '\n', 1024 * 1024 - strlen(DOCUMENT("")));
	parse_well(tsb_view_bytes(&xml), &a, &k);
	tsb_bytes_add(&xml, "\n", 1);
	assert_int_equal(keyattr_parse(tsb_view_bytes(&xml), &a, &k, &err), -1);
	assert_non_null(strstr(err.msg, "longer than"));

	tsb_bytes_reset(&xml);
	tsb_bytes_add_str(&xml, HEAD);
	for (int i = 0; i < 100000; i++)
		tsb_bytes_add_str(&xml, "<a>");
	assert_int_equal(keyattr_parse(tsb_view_bytes(&xml), &a, &k, &err), -1);
}

static void
test_lists_have_limits(void **state)
{
	static const char group[] = "<group><quorum>1</quorum></group>";
	tsb_bytes_auto xml = {0};

	for (int n = POLICY_GROUPS_MAX; n <= POLICY_GROUPS_MAX + 1; n++) {
		arena_auto a = {0};
		struct keyattr k;
		struct tsb_err err;
		int rc;

		tsb_bytes_reset(&xml);
		tsb_bytes_add_str(&xml,
		    HEAD START LABEL TIMES ALGORITHM FLAGS
		    "<policy>" STATUS
		    "<rule_use><token><timelock>0</timelock><timeout>0</timeout>");
		for (int i = 0; i < n; i++)
			tsb_bytes_add_str(&xml, group);
		tsb_bytes_add_str(&xml,
		    "</token></rule_use><rule_block/><rule_unblock/>"
		    "<rule_modify/></policy>" END);
		rc = keyattr_parse(tsb_view_bytes(&xml), &a, &k, &err);
		assert_int_equal(rc, n == POLICY_GROUPS_MAX ? 0 : -1);
		if (rc == 0)
			for (int i = 0; i < n; i++)
				assert_int_equal(k.policy.rule[RULE_USE].tokens[0].groups[i].quorum,
				    1);
	}
}

static void
test_every_truncation_is_refused(void **state)
{
	const struct vector *v = vector_by_name("key-attributes-generated");

	for (size_t n = 0; n < v->bytes.n - 2; n += test_stride(7)) {
		arena_auto a = {0};
		struct keyattr k;
		struct tsb_err err;

		assert_int_equal(keyattr_parse((struct tsb_view){v->bytes.p, n}, &a, &k, &err), -1);
	}
}

/* The text without what XML lets a writer choose: white space, and '>' and quotes bare or not. */
static char *
squeeze(struct tsb_view in, struct arena *a)
{
	char *out = arena_strn(a, in.p, in.n), *to = out;

	for (const char *p = out; *p != '\0';)
		if (strchr(" \t\r\n", *p) != NULL) {
			p++;
		} else if (strncmp(p, "&gt;", 4) == 0) {
			*to++ = '>';
			p += 4;
		} else if (strncmp(p, "&apos;", 6) == 0 || strncmp(p, "&quot;", 6) == 0) {
			*to++ = p[1] == 'a' ? '\'' : '"';
			p += 6;
		} else {
			*to++ = *p++;
		}
	*to = '\0';
	return out;
}

static void
test_every_changed_byte_is_refused_or_means_itself(void **state)
{
	const struct vector *v = vector_by_name("key-attributes-generated");
	tsb_bytes_auto copy = {0};
	size_t accepted = 0;

	tsb_bytes_add_view(&copy, v->bytes);
	for (size_t at = 0; at < copy.n * 8; at += test_stride(41)) {
		arena_auto a = {0};
		tsb_bytes_auto again = {0};
		struct keyattr k;
		struct tsb_err err;

		copy.p[at / 8] ^= (unsigned char)(1u << at % 8);
		if (keyattr_parse(tsb_view_bytes(&copy), &a, &k, &err) == 0) {
			keyattr_format(&k, &again);
			assert_string_equal(squeeze(tsb_view_bytes(&copy), &a),
			    squeeze(tsb_view_bytes(&again), &a));
			accepted++;
		}
		copy.p[at / 8] ^= (unsigned char)(1u << at % 8);
	}
	assert_true(accepted > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors_decode_as_described),
	    cmocka_unit_test(test_vector_policy),
	    cmocka_unit_test(test_vectors_encode_to_the_same_bytes),
	    cmocka_unit_test(test_vectors_signatures_verify_as_described),
	    cmocka_unit_test(test_smallest_document),
	    cmocka_unit_test(test_declaration),
	    cmocka_unit_test(test_document_types_and_entities),
	    cmocka_unit_test(test_five_entities_are_text),
	    cmocka_unit_test(test_comments_instructions_and_cdata),
	    cmocka_unit_test(test_elements_of_newer_firmware),
	    cmocka_unit_test(test_order_and_number_of_elements),
	    cmocka_unit_test(test_text_and_elements_do_not_mix),
	    cmocka_unit_test(test_attributes),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_rules_of_special_forms),
	    cmocka_unit_test(test_size_and_depth),
	    cmocka_unit_test(test_lists_have_limits),
	    cmocka_unit_test(test_every_truncation_is_refused),
	    cmocka_unit_test(test_every_changed_byte_is_refused_or_means_itself),
	};

	return cmocka_run_group_tests(tests, vectors_load, vectors_unload);
}
