/*
 * What a FastCGI application answers. However it is cut into pieces it means the same, no more is
 * kept than allowed, and a whole answer has a status of HTTP.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/http/fastcgi_answer.h"
#include "tests/fuzz/fuzz.h"

#define MAX 4096

static void
feed(struct fastcgi_answer *a, struct tsb_view bytes, size_t step)
{
	fastcgi_answer_init(a, MAX);
	while (a->state == FASTCGI_MORE && bytes.n > 0) {
		size_t n = bytes.n < step ? bytes.n : step;

		(void)fastcgi_answer_add(a, tsb_view_of(bytes.p, n));
		MUST(a->out.n <= MAX && a->errors <= MAX);
		bytes.p += n;
		bytes.n -= n;
	}
	MUST((a->fault != NULL) == (a->state == FASTCGI_BROKEN));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = {1, 7, 64};
	struct tsb_view bytes = tsb_view_of(data, size);
	struct fastcgi_answer whole = {0}, pieces = {0};
	struct rest_reply reply = {0};

	feed(&whole, bytes, size > 0 ? size : 1);
	for (size_t i = 0; i < TSB_COUNT(steps); i++) {
		feed(&pieces, bytes, steps[i]);
		MUST(pieces.state == whole.state);
		if (whole.state == FASTCGI_WHOLE)
			MUST(tsb_view_eq(tsb_view_bytes(&pieces.out), tsb_view_bytes(&whole.out)));
	}
	if (whole.state == FASTCGI_WHOLE && fastcgi_answer_read(&whole, &reply) == 0) {
		MUST(reply.status >= 200 && reply.status <= 599);
		MUST(strlen(reply.content_type) < sizeof(reply.content_type));
		MUST(reply.body.n < whole.out.n);
		tsb_bytes_clear(&reply.body);
	} else if (whole.state == FASTCGI_WHOLE) {
		MUST(whole.fault != NULL);
	}
	fastcgi_answer_clear(&pieces);
	fastcgi_answer_clear(&whole);
	return 0;
}
