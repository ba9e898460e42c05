#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ska/keyattr.h"
#include "tests/unit/vectors.h"

static void
parse_well(struct tsb_view xml, struct arena *a, struct keyattr *k)
{
	struct tsb_err err;

	if (keyattr_parse(xml, a, k, &err) != 0)
		fail_msg("refused: %s", err.msg);
}

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* ---- writing ---- */

static void
test_all_members_are_written_in_order(void **state)
{
	static const char want[] = HEAD
	    "<secret_key creation=\"imported\" storage=\"external\">\n"
	    "\t<uuid>0123ABCD-0123ABCD-0123ABCD-0123ABCD</uuid>\n"
	    "\t<label>a&amp;b</label>\n"
	    "\t<id>42</id>\n"
	    "\t<create_time>1970-01-01T00:00:00Z</create_time>\n"
	    "\t<attest_time>2025-01-15T09:30:01Z</attest_time>\n"
	    "\t<key_use_count>18446744073709551615</key_use_count>\n"
	    "\t<remaining_signatures>31</remaining_signatures>\n"
	    "\t<algorithm>EC</algorithm>\n"
	    "\t<algorithm_oid>1.2.840.10045.2.1</algorithm_oid>\n"
	    "\t<curve_oid>1.3.132.0.10</curve_oid>\n"
	    "\t<key_size>256</key_size>\n"
	    "\t<public_key>a2V5</public_key>\n"
	    "\t<address_truncated format=\"BTC\">bc1q</address_truncated>\n"
	    "\t<derivation_value type=\"BIP32\">AB</derivation_value>\n"
	    "\t<attributes>\n"
	    "\t\t<decrypt>true</decrypt>\n"
	    "\t\t<sign>false</sign>\n"
	    "\t\t<unwrap>false</unwrap>\n"
	    "\t\t<derive>false</derive>\n"
	    "\t\t<sensitive>false</sensitive>\n"
	    "\t\t<always_sensitive>false</always_sensitive>\n"
	    "\t\t<extractable>false</extractable>\n"
	    "\t\t<never_extractable>false</never_extractable>\n"
	    "\t\t<modifiable>false</modifiable>\n"
	    "\t\t<copyable>false</copyable>\n"
	    "\t\t<destroyable>false</destroyable>\n"
	    "\t\t<unique>true</unique>\n"
	    "\t\t<eka_sign>true</eka_sign>\n"
	    "\t</attributes>\n"
	    "\t<policy>\n"
	    "\t\t<key_status>\n"
	    "\t\t\t<blocked>true</blocked>\n"
	    "\t\t</key_status>\n"
	    "\t\t<rule_use>\n"
	    "\t\t\t<token name=\"&quot;t&quot;\">\n"
	    "\t\t\t\t<timelock>60</timelock>\n"
	    "\t\t\t\t<timeout>120</timeout>\n"
	    "\t\t\t\t<group>\n"
	    "\t\t\t\t\t<quorum>1</quorum>\n"
	    "\t\t\t\t\t<approval type=\"certificate\" name=\"Eve&apos;s\">Y2VydA==</approval>\n"
	    "\t\t\t\t</group>\n"
	    "\t\t\t</token>\n"
	    "\t\t</rule_use>\n"
	    "\t\t<rule_block>\n\t\t</rule_block>\n"
	    "\t\t<rule_unblock>\n\t\t</rule_unblock>\n"
	    "\t\t<rule_modify>\n\t\t</rule_modify>\n"
	    "\t</policy>\n"
	    "</secret_key>\n\n";
	struct ska_approver ap = {.type = APPROVER_CERTIFICATE,
	    .name = "Eve's",
	    .value = tsb_view_str("cert")};
	struct ska_group g = {.quorum = 1, .napprovers = 1, .approvers = &ap};
	struct ska_token t = {.name = "\"t\"",
	    .timelock = 60,
	    .timeout = 120,
	    .ngroups = 1,
	    .groups = &g};
	struct keyattr k = {.root = "secret_key",
	    .creation = "imported",
	    .storage = "external",
	    .uuid = "0123ABCD-0123ABCD-0123ABCD-0123ABCD",
	    .label = "a&b",
	    .id = "42",
	    .attest_time = 1736933401,
	    .has_use_count = true,
	    .use_count = UINT64_MAX,
	    .wears_out = true,
	    .signatures_left = 31,
	    .algorithm = "EC",
	    .algorithm_oid = "1.2.840.10045.2.1",
	    .curve_oid = "1.3.132.0.10",
	    .key_size = 256,
	    .public_key = tsb_view_str("key"),
	    .address = "bc1q",
	    .address_format = "BTC",
	    .derivation_type = "BIP32",
	    .derivation_value = "AB",
	    .has_eka_sign = true,
	    .eka_sign = true,
	    .has_policy = true};
	struct keyattr back;
	tsb_bytes_auto out = {0};
	tsb_bytes_auto again = {0};
	arena_auto a = {0};

	k.flag[ATTR_DECRYPT] = k.flag[ATTR_UNIQUE] = true;
	k.policy.blocked = true;
	k.policy.rule[RULE_USE] = (struct ska_rule){1, &t};
	keyattr_format(&k, &out);
	assert_string_equal(tsb_bytes_cstr(&out), want);
	parse_well(tsb_view_bytes(&out), &a, &back);
	keyattr_format(&back, &again);
	assert_string_equal(tsb_bytes_cstr(&again), want);
}

/* ---- stable text ---- */

static void
assert_stable(const char *in, const char *want)
{
	tsb_bytes_auto out = {0};

	keyattr_stable_text(tsb_view_str(in), &out);
	assert_string_equal(tsb_bytes_cstr(&out), want);
}

static void
test_stable_text(void **state)
{
	assert_stable("", "");
	assert_stable("a\n\t<attest_time>x</attest_time>\nb\n\t<key_use_count>7</key_use_count>\nc",
	    "a\nb\nc");
	assert_stable("a\n\t<remaining_signatures>31</remaining_signatures>\nb\n", "a\nb\n");
	assert_stable("\t<attest_time></attest_time>\n", "");
	/* anything else on the line, or another place, keeps the line */
	assert_stable("\t<attest_time>x</attest_time><a/>\n",
	    "\t<attest_time>x</attest_time><a/>\n");
	assert_stable("\t<attest_time>x</attest_time>", "\t<attest_time>x</attest_time>");
	assert_stable("\t<attest_time><a></attest_time>\n", "\t<attest_time><a></attest_time>\n");
	assert_stable("\t\t<attest_time>x</attest_time>\n", "\t\t<attest_time>x</attest_time>\n");
	assert_stable("<attest_time>x</attest_time>\n", "<attest_time>x</attest_time>\n");
	assert_stable("\t<attest_time>x</key_use_count>\n", "\t<attest_time>x</key_use_count>\n");
	assert_stable("\t<attest_times>x</attest_times>\n", "\t<attest_times>x</attest_times>\n");
	assert_stable("\t<attest_time>\n", "\t<attest_time>\n");
	assert_stable("\t<create_time>x</create_time>\n", "\t<create_time>x</create_time>\n");
}

static void
test_stable_text_of_vector(void **state)
{
	const struct vector *v = vector_by_name("key-attributes-generated");
	tsb_bytes_auto out = {0};
	arena_auto a = {0};
	const char *xml = arena_strn(&a, v->bytes.p, v->bytes.n);
	const char *from = strstr(xml, "\t<attest_time>"), *to = strstr(xml, "\t<algorithm>");

	keyattr_stable_text(v->bytes, &out);
	assert_int_equal(out.n, v->bytes.n - (size_t)(to - from));
	assert_memory_equal(out.p, xml, from - xml);
	assert_string_equal(tsb_bytes_cstr(&out) + (from - xml), to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_members_are_written_in_order),
	    cmocka_unit_test(test_stable_text),
	    cmocka_unit_test(test_stable_text_of_vector),
	};

	return cmocka_run_group_tests(tests, vectors_load, vectors_unload);
}
