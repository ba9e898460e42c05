/* Key attributes: what was read can be written, and reading that gives the same document again. */
#include "lib/first.h"

#include <string.h>

#include "lib/ska/keyattr.h"
#include "tests/fuzz/fuzz.h"

static void
try_stable_text(struct tsb_view in)
{
	tsb_bytes_auto once = {0};
	tsb_bytes_auto twice = {0};

	keyattr_stable_text(in, &once);
	MUST(once.n <= in.n);
	keyattr_stable_text(tsb_view_bytes(&once), &twice);
	MUST(tsb_view_eq(tsb_view_bytes(&once), tsb_view_bytes(&twice)));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	arena_auto a = {0};
	tsb_bytes_auto first = {0};
	tsb_bytes_auto second = {0};
	tsb_bytes_auto policy = {0};
	struct tsb_view in = tsb_view_of(data, size);
	struct keyattr k, again;
	struct ska_policy p;
	struct tsb_err err;

	try_stable_text(in);
	if (keyattr_parse(in, &a, &k, &err) != 0) {
		MUST(err.code == TSB_E_PAYLOAD && err.msg[0] != '\0');
		return 0;
	}
	MUST(memmem(data, size, "<!", 2) == NULL && memmem(data, size, "&#", 2) == NULL);
	keyattr_format(&k, &first);
	MUST(keyattr_parse(tsb_view_bytes(&first), &a, &again, &err) == 0);
	keyattr_format(&again, &second);
	MUST(tsb_view_eq(tsb_view_bytes(&first), tsb_view_bytes(&second)));
	if (k.has_policy) {
		ska_policy_format(&k.policy, &policy);
		MUST(ska_policy_parse(tsb_view_bytes(&policy), &a, &p, &err) == 0);
	}
	return 0;
}
