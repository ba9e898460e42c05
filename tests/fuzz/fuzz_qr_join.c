/*
 * The joiner of scanned parts, one part a line: a refused part changes nothing, a part that was
 * taken is taken again without effect, what is joined splits into the same parts, and what is
 * missing is named.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/qr/part.h"
#include "tests/fuzz/fuzz.h"

/*
 * Whether the parts that came in are what the writer would make with chunks as long as the first.
 */
static void
must_split_again(const struct qr_join *j, struct tsb_view text)
{
	struct qr_join again = {0};
	struct tsb_err err;
	struct arena arena = {0};
	struct tsb_view joined;
	size_t chunk = j->chunk[0].n == 0 ? 1 : j->chunk[0].n, n = qr_part_count(text, chunk);
	struct qr_split split;

	if (n <= QR_PARTS_MAX)
		MUST(qr_split_init(&split, text, &j->id, chunk, &err) == 0);
	for (size_t k = n; k >= 1 && n <= QR_PARTS_MAX; k--) {
		tsb_bytes_auto part = {0};
		bool fresh;

		MUST(qr_split_part(&split, k, &part, &err) == 0);
		MUST(qr_is_part(tsb_view_bytes(&part)));
		MUST(qr_join_add(&again, tsb_view_bytes(&part), &fresh, &err) == 0 && fresh);
	}
	if (n <= QR_PARTS_MAX) {
		MUST(qr_join_text(&again, &arena, &joined, &err) == 0);
		MUST(tsb_view_eq(joined, text));
	}
	qr_join_clear(&again);
	arena_clear(&arena);
}

static void
try_line(struct qr_join *j, struct tsb_view line)
{
	struct tsb_err err = {0};
	size_t have = j->have;
	bool fresh, begun = j->begun;

	if (qr_join_add(j, line, &fresh, &err) != 0) {
		MUST(err.code == TSB_E_PAYLOAD && err.msg[0] != '\0');
		MUST(j->have == have && j->begun == begun);
		return;
	}
	MUST(qr_is_part(line) && j->begun);
	MUST(j->have == have + fresh && j->have <= j->n && j->n <= QR_PARTS_MAX);
	MUST(qr_join_add(j, line, &fresh, &err) == 0 && !fresh);
}

static void
try_end(const struct qr_join *j)
{
	tsb_bytes_auto missing = {0};
	struct arena arena = {0};
	struct tsb_view text;
	struct tsb_err err = {0};

	qr_join_missing(j, &missing);
	MUST((missing.n == 0) == (!j->begun || qr_join_complete(j)));
	if (qr_join_text(j, &arena, &text, &err) == 0) {
		MUST(qr_join_complete(j));
		must_split_again(j, text);
	} else {
		MUST(err.code == TSB_E_PAYLOAD && err.msg[0] != '\0');
	}
	arena_clear(&arena);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct tsb_view rest = tsb_view_of(data, size);
	qr_join_auto join = {0};

	for (;;) {
		const unsigned char *end = rest.n == 0 ? NULL : memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);

		try_line(&join, tsb_view_of(rest.p, n));
		if (end == NULL)
			break;
		rest = tsb_view_of(end + 1, rest.n - n - 1);
	}
	try_end(&join);
	return 0;
}
