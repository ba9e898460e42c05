/* Results as they come back: what is accepted has one outcome, and is written again the same. */
#include "lib/first.h"

#include <string.h>

#include "lib/wire/offline.h"
#include "tests/fuzz/fuzz.h"

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
check_outcome(const struct wire_offline_result *r)
{
	MUST(r->has_id || r->has_token);
	if (r->failed != NULL)
		MUST(r->failed[0] != '\0' && r->result.n == 0 && !r->has_attributes);
	else
		MUST(r->error_code == 0 && r->error_reason == NULL);
	MUST(!r->has_attributes || (r->attributes.xml.n > 0 && r->attributes.xml_signature.n > 0));
	MUST(r->error_code >= 0);
}

static void
check_same(const struct wire_offline_result *a, const struct wire_offline_result *b)
{
	MUST(a->has_id == b->has_id && (!a->has_id || uuid_eq(&a->id, &b->id)));
	MUST(a->has_token == b->has_token && memcmp(a->token, b->token, sizeof(a->token)) == 0);
	MUST(tsb_view_eq(a->result, b->result));
	MUST(same_text(a->failed, b->failed) && same_text(a->error_reason, b->error_reason));
	MUST(a->error_code == b->error_code);
	MUST(a->execution_ms / 1000 == b->execution_ms / 1000);
	MUST(a->has_attributes == b->has_attributes);
	MUST(tsb_view_eq(a->attributes.xml, b->attributes.xml));
	MUST(tsb_view_eq(a->attributes.xml_signature, b->attributes.xml_signature));
	MUST(same_text(a->attributes.attestation_key_name, b->attributes.attestation_key_name));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct wire_offline_result r, again;
	struct tsb_err err = {0};
	tsb_bytes_auto out = {0};
	arena_auto a = {0};

	if (wire_offline_result_parse(tsb_view_of(data, size), &a, &r, &err)) {
		MUST(err.code != TSB_OK && err.msg[0] != '\0');
		return 0;
	}
	check_outcome(&r);
	if (r.execution_ms < 1000)
		r.execution_ms = 0; /* written as no time at all */
	wire_offline_result_format(&r, NULL, &out);
	MUST(wire_offline_result_parse(tsb_view_bytes(&out), &a, &again, &err) == 0);
	check_same(&r, &again);
	MUST(tsb_view_eq(again.text, tsb_view_bytes(&out)));
	return 0;
}
