#include "lib/first.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/lib/output.h"
#include "cli/lib/printable.h"

void
output_body(struct tsb_view body)
{
	fwrite(body.p, 1, body.n, stdout);
	putchar('\n');
}

void
output_line(const char *text)
{
	tsb_bytes_auto out = {0};

	printable_add(tsb_view_str(text), "\n", &out);
	tsb_bytes_add_str(&out, "\n");
	fwrite(out.p, 1, out.n, stdout);
}

void
output_note(const char *fmt, ...)
{
	char text[512];
	tsb_bytes_auto out = {0};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printable_add(tsb_view_str(text), " ", &out);
	tsb_bytes_add_str(&out, "\n");
	fwrite(out.p, 1, out.n, stderr);
}
