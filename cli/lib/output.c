#include "lib/first.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/lib/output.h"
#include "cli/lib/printable.h"

#define NOTE_INDENT 7 /* of further lines of a message, the bar included */

void
output_body(struct tsb_view body)
{
	tsb_bytes_auto out = {0};

	printable_add_json(body, &out);
	tsb_bytes_add_str(&out, "\n");
	fwrite(out.p, 1, out.n, stdout);
}

void
output_line(const char *text)
{
	tsb_bytes_auto out = {0};

	printable_add(tsb_view_str(text), "\\n", &out);
	tsb_bytes_add_str(&out, "\n");
	fwrite(out.p, 1, out.n, stdout);
}

void
output_row(const char *text)
{
	tsb_bytes_auto out = {0};
	size_t width = printable_columns(stdout);

	printable_lay(tsb_view_str(text), 0, NOTE_INDENT, width > 0 ? width : SIZE_MAX, &out);
	tsb_bytes_add_str(&out, "\n");
	fwrite(out.p, 1, out.n, stdout);
}

/* Lines of PEM: letters, digits, what base64 and armour have beside them. */
static bool
is_pem(const char *text)
{
	return strncmp(text, "-----BEGIN ", 11) == 0 &&
	    strspn(text,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=- \r\n") ==
	    strlen(text);
}

void
output_result(const char *text)
{
	tsb_bytes_auto out = {0};

	if (!is_pem(text)) {
		output_line(text);
		return;
	}
	printable_add(tsb_view_str(text), "\n", &out);
	tsb_bytes_add_str(&out, "\n");
	fwrite(out.p, 1, out.n, stdout);
}

void
output_message(struct tsb_view text, struct tsb_bytes *out)
{
	size_t width = printable_columns(stderr);

	printable_lay(text, 0, NOTE_INDENT, width > 0 ? width : SIZE_MAX, out);
	tsb_bytes_add_str(out, "\n");
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
	output_message(tsb_view_str(text), &out);
	fwrite(out.p, 1, out.n, stderr);
}
