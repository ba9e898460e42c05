/*
 * Bodies of files. The first line is the content type. However the body is cut into pieces it has
 * the same parts, and no part has more bytes than the body.
 */
#include "lib/first.h"

#include <string.h>

#include "lib/web/multipart.h"
#include "tests/fuzz/fuzz.h"

struct source {
	struct tsb_view left;
	size_t step;
};

static ssize_t
source_read(void *ctx, void *p, size_t n, struct tsb_err *err)
{
	struct source *s = ctx;

	(void)err;
	if (n > s->step)
		n = s->step;
	if (n > s->left.n)
		n = s->left.n;
	memcpy(p, s->left.p, n);
	s->left.p += n;
	s->left.n -= n;
	return (ssize_t)n;
}

/* All parts, as one text; the last byte tells how it ended. */
static void
parts_of(const char *type, struct tsb_view body, size_t step, struct tsb_bytes *out)
{
	struct source source = {body, step};
	multipart_auto m = {0};
	struct tsb_err err;
	int rc = multipart_open(&m, type, source_read, &source, &err);

	while (rc == 0 && (rc = multipart_next(&m, &err)) > 0) {
		tsb_bytes_addf(out, "%s:", m.name);
		rc = multipart_read_all(&m, body.n, out, &err);
		MUST(out->n <= 2 * body.n + 2);
	}
	tsb_bytes_add_str(out, rc == 0 ? "." : "!");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = {1, 13, 1000};
	const unsigned char *line = size > 0 ? memchr(data, '\n', size) : NULL;
	tsb_bytes_auto whole = {0}, pieces = {0};
	struct tsb_view body;
	char type[256];

	if (line == NULL || (size_t)(line - data) >= sizeof(type))
		return 0;
	memcpy(type, data, (size_t)(line - data));
	type[line - data] = '\0';
	body = tsb_view_of(line + 1, size - (size_t)(line - data) - 1);
	parts_of(type, body, body.n + 1, &whole);
	for (size_t i = 0; i < TSB_COUNT(steps); i++) {
		tsb_bytes_reset(&pieces);
		parts_of(type, body, steps[i], &pieces);
		MUST(tsb_view_eq(tsb_view_bytes(&whole), tsb_view_bytes(&pieces)));
	}
	return 0;
}
