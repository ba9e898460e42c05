#include "lib/first.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/wire/wire.h"

#include "cli/lib/doc.h"
#include "cli/lib/fingerprint.h"
#include "cli/lib/printable.h"

#define PREVIEW_TEXT 4096 /* characters of a payload shown as text */
#define PREVIEW_HEX  32 /* bytes of a payload shown in hex */
#define COLUMN       22 /* where values start */

void
doc_start(struct doc *t, bool json)
{
	*t = (struct doc){.json = json};
	if (json)
		tsb_bytes_add_str(&t->out, "{");
}

void
doc_clear(struct doc *t)
{
	tsb_bytes_clear(&t->out);
	tsb_bytes_clear(&t->warnings);
}

/* "key label" as keyLabel. */
static void
json_name(struct doc *t, const char *name)
{
	char word[64];
	size_t n = 0;

	for (; *name && n < sizeof(word) - 1; name++) {
		if (*name == ' ' && name[1]) {
			name++;
			word[n++] = (char)toupper((unsigned char)*name);
		} else {
			word[n++] = *name;
		}
	}
	wire_text_format(tsb_view_of(word, n), &t->out);
	tsb_bytes_add_str(&t->out, ":");
}

/* What stands before every value. */
static void
begin(struct doc *t, const char *name)
{
	if (!t->json) {
		tsb_bytes_addf(&t->out, "%*s%-*s ", 2 * t->indent, "",
		    COLUMN > 2 * t->indent ? COLUMN - 2 * t->indent : 0, name);
		return;
	}
	if (t->filled[t->depth])
		tsb_bytes_add_str(&t->out, ",");
	t->filled[t->depth] = true;
	if (!t->list[t->depth])
		json_name(t, name);
}

static void
descend(struct doc *t, const char *name, bool list)
{
	if (t->json) {
		begin(t, name);
		tsb_bytes_add_str(&t->out, list ? "[" : "{");
	} else if (!list) {
		tsb_bytes_addf(&t->out, "%*s%s\n", 2 * t->indent++, "", name);
	}
	if (++t->depth >= DOC_DEPTH)
		fatal("output is nested too deeply");
	t->list[t->depth] = list;
	t->filled[t->depth] = false;
}

void
doc_open(struct doc *t, const char *name)
{
	descend(t, name, false);
}

void
doc_open_as(struct doc *t, const char *name, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (t->json) {
		doc_open(t, name);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	doc_text(t, name, text);
	t->indent++;
	t->list[++t->depth] = false;
}

void
doc_list(struct doc *t, const char *name)
{
	descend(t, name, true);
}

void
doc_close(struct doc *t)
{
	if (t->json)
		tsb_bytes_add_str(&t->out, t->list[t->depth] ? "]" : "}");
	else if (!t->list[t->depth])
		t->indent--;
	t->depth--;
}

/* Where the line ends that values are added to. */
static size_t
column(const struct doc *t)
{
	const unsigned char *feed = t->out.n > 0 ? memrchr(t->out.p, '\n', t->out.n) : NULL;

	return feed == NULL ? t->out.n : (size_t)(t->out.p + t->out.n - feed) - 1;
}

/* Text from elsewhere: no line of a terminal begins with it. */
static void
add_foreign(struct doc *t, struct tsb_view v)
{
	printable_lay(v, column(t), COLUMN + 1, PRINTABLE_WIDTH, &t->out);
}

/*
 * Sentences of ours, with names from elsewhere in them, stay whole for who searches in them, unless
 * a terminal breaks them or they hold columns.
 */
static void
add_safe(struct doc *t, struct tsb_view v)
{
	size_t width = printable_columns(stdout);

	if (width == 0 && !printable_has_gap(v))
		width = SIZE_MAX;
	printable_lay(v, column(t), COLUMN + 1, width > 0 ? width : PRINTABLE_WIDTH, &t->out);
}

static void
end_line(struct doc *t)
{
	if (!t->json)
		tsb_bytes_add_str(&t->out, "\n");
}

static void
add_value(struct doc *t, const char *name, struct tsb_view text,
    void (*add)(struct doc *, struct tsb_view))
{
	begin(t, name);
	if (!t->json) {
		add(t, text);
	} else if (tsb_utf8_valid(text)) {
		wire_text_format(text, &t->out);
	} else {
		tsb_bytes_add_str(&t->out, "null");
	}
	end_line(t);
}

void
doc_view(struct doc *t, const char *name, struct tsb_view text)
{
	add_value(t, name, text, add_foreign);
}

void
doc_text(struct doc *t, const char *name, const char *text)
{
	if (text != NULL) {
		add_value(t, name, tsb_view_str(text), add_safe);
	} else if (t->json) {
		begin(t, name);
		tsb_bytes_add_str(&t->out, "null");
	}
}

void
doc_format(struct doc *t, const char *name, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	doc_text(t, name, text);
}

void
doc_time(struct doc *t, const char *name, uint64_t seconds)
{
	char text[CLOCK_ISO_SIZE];

	if (seconds > 253402300799ULL) /* the year 9999 */
		doc_format(t, name, "%llu s after 1970", (unsigned long long)seconds);
	else
		doc_text(t, name, clock_iso((int64_t)seconds, text));
}

void
doc_number(struct doc *t, const char *name, unsigned long long value)
{
	begin(t, name);
	tsb_bytes_addf(&t->out, "%llu", value);
	end_line(t);
}

void
doc_bool(struct doc *t, const char *name, bool value)
{
	begin(t, name);
	tsb_bytes_add_str(&t->out, t->json ? (value ? "true" : "false") : (value ? "yes" : "no"));
	end_line(t);
}

void
doc_base64(struct doc *t, const char *name, struct tsb_view bytes)
{
	begin(t, name);
	if (t->json)
		tsb_bytes_add_str(&t->out, "\"");
	enc_base64(bytes, &t->out);
	if (t->json)
		tsb_bytes_add_str(&t->out, "\"");
	end_line(t);
}

static void
add_sha256(struct doc *t, struct tsb_view bytes)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(bytes, digest);
	enc_hex(tsb_view_of(digest, sizeof(digest)), &t->out);
}

static void
payload_json(struct doc *t, const char *name, struct tsb_view bytes)
{
	doc_open(t, name);
	doc_number(t, "length", bytes.n);
	begin(t, "sha256");
	tsb_bytes_add_str(&t->out, "\"");
	add_sha256(t, bytes);
	tsb_bytes_add_str(&t->out, "\"");
	if (printable_all(bytes))
		doc_view(t, "text", bytes);
	doc_base64(t, "base64", bytes);
	doc_close(t);
}

void
doc_payload(struct doc *t, const char *name, struct tsb_view bytes)
{
	bool text = printable_all(bytes) && bytes.n <= PREVIEW_TEXT;

	if (t->json) {
		payload_json(t, name, bytes);
		return;
	}
	begin(t, name);
	if (text && bytes.n > 0) {
		tsb_bytes_add_str(&t->out, "\"");
		add_foreign(t, bytes);
		tsb_bytes_add_str(&t->out, "\"");
	} else {
		enc_hex(tsb_view_of(bytes.p, bytes.n < PREVIEW_HEX ? bytes.n : PREVIEW_HEX),
		    &t->out);
		if (bytes.n > PREVIEW_HEX)
			tsb_bytes_add_str(&t->out, "...");
	}
	tsb_bytes_addf(&t->out, "\n%*s%zu bytes, SHA-256 ", COLUMN + 1, "", bytes.n);
	add_sha256(t, bytes);
	end_line(t);
}

void
doc_digest(struct doc *t, const char *name, struct tsb_view bytes)
{
	if (t->json) {
		payload_json(t, name, bytes);
		return;
	}
	begin(t, name);
	tsb_bytes_addf(&t->out, "%zu bytes, SHA-256 ", bytes.n);
	add_sha256(t, bytes);
	end_line(t);
}

void
doc_key(struct doc *t, const char *name, struct tsb_view spki)
{
	arena_auto a = {0};

	if (!t->json) {
		doc_text(t, name, fingerprint_key(&a, spki));
		return;
	}
	doc_open(t, name);
	doc_text(t, "kind", fingerprint_kind(spki));
	doc_text(t, "fingerprint", fingerprint_of(&a, spki));
	doc_base64(t, "value", spki);
	doc_close(t);
}

void
doc_warn(struct doc *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (t->json) {
		if (t->warnings.n > 0)
			tsb_bytes_add_str(&t->warnings, ",");
		wire_text_format(tsb_view_str(text), &t->warnings);
		return;
	}
	tsb_bytes_addf(&t->out, "%*s!!! ", 2 * t->indent, "");
	add_safe(t, tsb_view_str(text));
	tsb_bytes_add_str(&t->out, "\n");
}

void
doc_print_to(struct doc *t, FILE *to)
{
	tsb_bytes_auto shown = {0};

	if (t->json && t->warnings.n > 0) {
		begin(t, "warnings");
		tsb_bytes_add_str(&t->out, "[");
		tsb_bytes_add_view(&t->out, tsb_view_bytes(&t->warnings));
		tsb_bytes_add_str(&t->out, "]");
	}
	if (t->json)
		tsb_bytes_add_str(&t->out, "}");
	if (t->json)
		printable_add_json(tsb_view_bytes(&t->out), &shown);
	else
		tsb_bytes_add_view(&shown, tsb_view_bytes(&t->out));
	if (t->json)
		tsb_bytes_add_str(&shown, "\n");
	if (shown.n > 0) /* a document without a line has no bytes at all */
		fwrite(shown.p, 1, shown.n, to);
}

void
doc_print(struct doc *t)
{
	doc_print_to(t, stdout);
}
