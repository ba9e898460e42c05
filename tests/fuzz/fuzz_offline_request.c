/* Requests as an offline site gets them: bare, as an answer, as an item; and text made ASCII. */
#include "lib/first.h"

#include <string.h>

#include "lib/wire/offline.h"
#include "tests/fuzz/fuzz.h"

static void
try_ascii(struct tsb_view text, struct arena *a)
{
	tsb_bytes_auto out = {0}, again = {0};
	struct tsb_view compact, once;
	struct tsb_err err;

	wire_ascii(text, &out);
	for (size_t i = 0; i < out.n; i++)
		MUST(out.p[i] < 0x7f);
	wire_ascii(tsb_view_bytes(&out), &again);
	MUST(tsb_view_eq(tsb_view_bytes(&out), tsb_view_bytes(&again)));
	if (wire_compact(text, a, &compact, &err))
		return;
	tsb_bytes_reset(&out);
	wire_ascii(compact, &out);
	/* a name above ASCII becomes an escaped one, which our own reader refuses */
	if (wire_compact(tsb_view_bytes(&out), a, &once, &err) == 0)
		MUST(tsb_view_eq(once, tsb_view_bytes(&out)));
}

static void
try_request(struct tsb_view text, struct arena *a)
{
	static const struct tsb_uuid id = {{7}};
	struct wire_offline_request r, again;
	struct wire_synchronous_in in;
	struct tsb_err err = {0};
	tsb_bytes_auto out = {0};

	if (wire_offline_request_parse(text, a, &r, &err)) {
		MUST(err.code != TSB_OK && err.msg[0] != '\0');
		return;
	}
	MUST(r.executed <= KIND_MODIFY && r.key_name != NULL && r.key_name[0] != '\0');
	MUST(wire_synchronous_parse(r.executed, r.input, a, &in, &err) == 0);
	MUST(in.request.key_password.n == 0 && in.napprovals == r.napprovals);
	MUST(strcmp(in.request.key_name, r.key_name) == 0);
	if (!r.has_id)
		r.id = id;
	if (r.created_ms < 1000)
		r.created_ms = 0;
	wire_offline_request_format(&r, &out);
	MUST(wire_offline_request_parse(tsb_view_bytes(&out), a, &again, &err) == 0);
	MUST(again.has_id && uuid_eq(&again.id, &r.id) && again.kind == r.kind);
	MUST(again.executed == r.executed && again.created_ms == r.created_ms / 1000 * 1000);
	MUST(strcmp(again.key_name, r.key_name) == 0);
	MUST((again.meta_data == NULL) == (r.meta_data == NULL));
	MUST(r.meta_data == NULL || strcmp(again.meta_data, r.meta_data) == 0);
	MUST(tsb_view_eq(again.input, r.input) && tsb_view_eq(again.inner, r.inner));
	MUST(again.napprovals == r.napprovals);
	for (size_t i = 0; i < r.napprovals; i++)
		MUST(tsb_view_eq(again.signed_approvals[i], r.signed_approvals[i]));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	arena_auto a = {0};

	try_ascii(tsb_view_of(data, size), &a);
	try_request(tsb_view_of(data, size), &a);
	return 0;
}
