#include "lib/first.h"

#include <string.h>
#include <strings.h>

#include "lib/wire/package.h"

#include "cli/offline/scanned.h"

void
scanned_clear(struct scanned *s)
{
	qr_join_clear(&s->parts);
	ur_join_clear(&s->ur);
}

static bool
is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

static bool
begins_with(struct tsb_view text, const char *start)
{
	return text.n >= strlen(start) && memcmp(text.p, start, strlen(start)) == 0;
}

struct tsb_view
scanned_trim(struct tsb_view line)
{
	static const char kind[] = "QR-Code:";

	if (begins_with(line, "\xef\xbb\xbf")) /* of editors that mark UTF-8 */
		line = tsb_view_of(line.p + 3, line.n - 3);
	while (line.n > 0 && is_space(line.p[0])) {
		line.p++;
		line.n--;
	}
	while (line.n > 0 && is_space(line.p[line.n - 1]))
		line.n--;
	if (begins_with(line, "]Q") && line.n > 3) /* how scanners name the symbology (AIM) */
		line = tsb_view_of(line.p + 3, line.n - 3);
	if (begins_with(line, kind))
		line = tsb_view_of(line.p + sizeof(kind) - 1, line.n - sizeof(kind) + 1);
	return line;
}

static bool
begins_like(struct tsb_view text, const char *start)
{
	return text.n >= strlen(start) &&
	    strncasecmp((const char *)text.p, start, strlen(start)) == 0;
}

bool
scanned_other_layout(struct tsb_view line)
{
	/* with Caps Lock; AZERTY; UR with another colon (UTF-8 of a letter with marks) */
	return begins_like(line, "TSBQR") || begins_like(line, "TSBAR") ||
	    (begins_like(line, "UR") && line.n > 2 && (line.p[2] >= 0x80 || line.p[2] == ';'));
}

bool
scanned_ends_line(int c, struct tsb_view so_far)
{
	if (c == '\n' || c == '\r')
		return true;
	return c == '\t' && !begins_with(scanned_trim(so_far), "{");
}

static int
take_part(struct scanned *s, struct tsb_view line, bool *fresh, struct tsb_err *err)
{
	if (s->ur.begun)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "parts of two kinds are mixed: of an animation and of a print sheet");
	return qr_join_add(&s->parts, line, fresh, err);
}

static int
take_ur(struct scanned *s, struct tsb_view line, bool *fresh, struct tsb_err *err)
{
	if (s->parts.begun)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "parts of two kinds are mixed: of a print sheet and of an animation");
	return ur_join_add(&s->ur, line, fresh, err);
}

int
scanned_take(struct scanned *s, struct tsb_view line, enum scanned_line *kind, bool *fresh,
    struct tsb_err *err)
{
	*fresh = false;
	if (line.n == 0) {
		*kind = SCANNED_NOTHING;
		return 0;
	}
	*kind = SCANNED_PART;
	if (qr_is_part(line))
		return take_part(s, line, fresh, err);
	if (ur_is_part(line))
		return take_ur(s, line, fresh, err);
	*kind = wire_is_package(line) || line.p[0] == '{' ? SCANNED_TEXT : SCANNED_OTHER;
	return 0;
}

bool
scanned_begun(const struct scanned *s)
{
	return s->parts.begun || s->ur.begun;
}

bool
scanned_complete(const struct scanned *s)
{
	return s->parts.begun ? qr_join_complete(&s->parts)
			      : s->ur.begun && ur_join_complete(&s->ur);
}

void
scanned_progress(const struct scanned *s, struct tsb_bytes *out)
{
	if (s->ur.begun) {
		tsb_bytes_addf(out, "have %d %%", ur_join_percent(&s->ur));
		return;
	}
	tsb_bytes_addf(out, "have %zu of %zu", s->parts.have, s->parts.n);
	if (s->parts.have == s->parts.n)
		return;
	tsb_bytes_add_str(out, ", missing ");
	qr_join_missing(&s->parts, out);
}

int
scanned_text(const struct scanned *s, struct arena *a, struct tsb_view *text, bool *has_id,
    struct tsb_uuid *id, struct tsb_err *err)
{
	*has_id = s->parts.begun;
	if (s->ur.begun)
		return ur_join_text(&s->ur, a, text, err);
	*id = s->parts.id;
	return qr_join_text(&s->parts, a, text, err);
}
