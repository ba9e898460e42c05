/*
 * Approvers see certificates as the broker gives them to be signed: whatever is shown is text that
 * no terminal obeys and JSON that parses, and is read from exactly the bytes given.
 */
#include "lib/first.h"

#include "lib/wire/wire.h"

#include "cli/lib/certview.h"
#include "cli/lib/doc.h"
#include "cli/lib/printable.h"
#include "tests/fuzz/fuzz.h"

static void
show(const struct certview *v, bool json)
{
	arena_auto a = {0};
	doc_auto t = {0};
	struct tsb_view compact;
	struct tsb_err err;

	doc_start(&t, json);
	certview_show(&t, v);
	if (!json) {
		MUST(printable_all(tsb_view_bytes(&t.out)));
		return;
	}
	tsb_bytes_add_str(&t.out, "}");
	MUST(wire_compact(tsb_view_bytes(&t.out), &a, &compact, &err) == 0);
}

static void
look(const struct certview *v)
{
	arena_auto a = {0};

	MUST((v->certificate == NULL) != (v->request == NULL));
	show(v, false);
	show(v, true);
	(void)certview_common_name(v, &a);
	(void)certview_key(v, &a);
	(void)certview_is_self_issued(v);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct tsb_view in = tsb_view_of(data, size);
	certview_auto content = {0};
	certview_auto whole = {0};

	if (certview_open_content(in, &content))
		look(&content);
	if (certview_open(in, &whole))
		look(&whole);
	return 0;
}
