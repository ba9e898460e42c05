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
