#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/base/str.h"

#include "cli/lib/printable.h"

/* Length of the well-formed UTF-8 character at p that is safe to print, or 0. */
static size_t
printable_at(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned c;

	if (len == 1)
		return (p[0] >= 0x20 && p[0] != 0x7f) || p[0] == '\n' || p[0] == '\t';
	if (len > n || !tsb_utf8_valid(tsb_view_of(p, len)))
		return 0;
	c = len == 2   ? (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU)
	    : len == 3 ? (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU)
		       : 0x10000;
	/* C1 controls; marks and embeddings that reorder or hide text; separators; BOM */
	if (c < 0xa0 || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff)
		return 0;
	return len;
}

bool
printable_all(struct tsb_view v)
{
	size_t i, len;

	for (i = 0; i < v.n; i += len)
		if ((len = printable_at(v.p + i, v.n - i)) == 0)
			return false;
	return true;
}

void
printable_add(struct tsb_view v, const char *line_feed, struct tsb_bytes *out)
{
	size_t i, len;

	for (i = 0; i < v.n; i += len) {
		len = printable_at(v.p + i, v.n - i);
		if (len == 0) {
			tsb_bytes_addf(out, "\\x%02x", v.p[i]);
			len = 1;
		} else if (v.p[i] == '\n') {
			tsb_bytes_add_str(out, line_feed);
		} else {
			tsb_bytes_add(out, v.p + i, len);
		}
	}
}
