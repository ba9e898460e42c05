#include "lib/first.h"

#include <string.h>

#include "lib/base/zip.h"

#define LOCAL_HEADER     0x04034b50
#define DIRECTORY_HEADER 0x02014b50
#define DIRECTORY_END    0x06054b50
#define VERSION          20
#define NAME_IS_UTF8     (1 << 11)
#define DATE_1980_01_01  (1 << 5 | 1)

uint32_t
tsb_crc32(struct tsb_view bytes)
{
	uint32_t crc = 0xFFFFFFFF;

	for (size_t i = 0; i < bytes.n; i++) {
		crc ^= bytes.p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
	}
	return ~crc;
}

static void
put(struct tsb_bytes *out, uint32_t value, size_t bytes)
{
	unsigned char *p = tsb_bytes_grow(out, bytes);

	for (size_t i = 0; i < bytes; i++)
		p[i] = (unsigned char)(value >> 8 * i);
}

/* What both headers of a member have in common. */
static void
put_member(struct tsb_bytes *out, const char *name, struct tsb_view content)
{
	put(out, VERSION, 2);
	put(out, NAME_IS_UTF8, 2);
	put(out, 0, 2); /* stored */
	put(out, 0, 2); /* midnight */
	put(out, DATE_1980_01_01, 2);
	put(out, tsb_crc32(content), 4);
	put(out, (uint32_t)content.n, 4);
	put(out, (uint32_t)content.n, 4);
	put(out, (uint32_t)strlen(name), 2);
	put(out, 0, 2); /* no extra field */
}

void
zip_add(struct zip *z, const char *name, struct tsb_view content)
{
	const size_t at = z->body.n;

	put(&z->body, LOCAL_HEADER, 4);
	put_member(&z->body, name, content);
	tsb_bytes_add_str(&z->body, name);
	tsb_bytes_add_view(&z->body, content);
	put(&z->directory, DIRECTORY_HEADER, 4);
	put(&z->directory, VERSION, 2);
	put_member(&z->directory, name, content);
	put(&z->directory, 0, 2); /* no comment */
	put(&z->directory, 0, 2); /* first disk */
	put(&z->directory, 0, 2);
	put(&z->directory, 0, 4);
	put(&z->directory, (uint32_t)at, 4);
	tsb_bytes_add_str(&z->directory, name);
	z->n++;
}

void
zip_end(struct zip *z, struct tsb_bytes *out)
{
	tsb_bytes_add_view(out, tsb_view_bytes(&z->body));
	tsb_bytes_add_view(out, tsb_view_bytes(&z->directory));
	put(out, DIRECTORY_END, 4);
	put(out, 0, 4); /* this disk, the first one */
	put(out, z->n, 2);
	put(out, z->n, 2);
	put(out, (uint32_t)z->directory.n, 4);
	put(out, (uint32_t)z->body.n, 4);
	put(out, 0, 2); /* no comment */
	tsb_bytes_clear(&z->body);
	tsb_bytes_clear(&z->directory);
	z->n = 0;
}

/* ---- reading ---- */

#define LOCAL_SIZE  30 /* of the headers without what varies */
#define MEMBER_SIZE 46
#define END_SIZE    22

/* A number at a place that is known to be inside. */
static uint32_t
get(struct tsb_view file, size_t at, size_t bytes)
{
	uint32_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value |= (uint32_t)file.p[at + i] << 8 * i;
	return value;
}

static bool
is_inside(struct tsb_view file, size_t at, size_t n)
{
	return at <= file.n && n <= file.n - at;
}

/* The record ends the file, but for a comment as long as it says. */
static bool
find_end(struct tsb_view file, size_t *at)
{
	for (size_t comment = 0; comment <= UINT16_MAX; comment++) {
		if (file.n < END_SIZE + comment)
			return false;
		*at = file.n - END_SIZE - comment;
		if (get(file, *at, 4) == DIRECTORY_END && get(file, *at + 20, 2) == comment)
			return true;
	}
	return false;
}

static bool
ends_with(struct tsb_view name, const char *suffix)
{
	size_t n = strlen(suffix);

	return name.n >= n && memcmp(name.p + name.n - n, suffix, n) == 0;
}

/* at: the member's header in the directory. */
static int
read_member(struct tsb_view file, size_t at, struct tsb_view *content, struct tsb_err *err)
{
	const size_t n = get(file, at + 24, 4), local = get(file, at + 42, 4);
	size_t start;

	if (get(file, at + 10, 2) != 0 || get(file, at + 20, 4) != n)
		return tsb_fail(err, TSB_E_INPUT, "the zip file has it compressed");
	if (!is_inside(file, local, LOCAL_SIZE) || get(file, local, 4) != LOCAL_HEADER)
		return tsb_fail(err, TSB_E_INPUT, "the zip file is broken");
	start = local + LOCAL_SIZE + get(file, local + 26, 2) + get(file, local + 28, 2);
	if (!is_inside(file, start, n) ||
	    tsb_crc32(tsb_view_of(file.p + start, n)) != get(file, at + 16, 4))
		return tsb_fail(err, TSB_E_INPUT, "the zip file is broken");
	*content = tsb_view_of(file.p + start, n);
	return 0;
}

int
zip_find(struct tsb_view file, const char *suffix, struct tsb_view *content, struct tsb_err *err)
{
	size_t end, at, left, found = 0, member = 0;

	if (!find_end(file, &end))
		return tsb_fail(err, TSB_E_INPUT, "it is no zip file");
	at = get(file, end + 16, 4);
	for (left = get(file, end + 10, 2); left > 0; left--) {
		size_t name;

		if (!is_inside(file, at, MEMBER_SIZE) || get(file, at, 4) != DIRECTORY_HEADER)
			return tsb_fail(err, TSB_E_INPUT, "the zip file is broken");
		name = get(file, at + 28, 2);
		if (!is_inside(file, at + MEMBER_SIZE, name))
			return tsb_fail(err, TSB_E_INPUT, "the zip file is broken");
		if (ends_with(tsb_view_of(file.p + at + MEMBER_SIZE, name), suffix)) {
			member = at;
			found++;
		}
		at += MEMBER_SIZE + name + get(file, at + 30, 2) + get(file, at + 32, 2);
	}
	if (found != 1)
		return tsb_fail(err, TSB_E_INPUT, "the zip file has %zu members named *%s", found,
		    suffix);
	return read_member(file, member, content, err);
}
