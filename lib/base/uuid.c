#include "lib/first.h"

#include <string.h>
#include <sys/random.h>

#include "lib/base/bytes.h"
#include "lib/base/clock.h"
#include "lib/base/enc.h"
#include "lib/base/err.h"
#include "lib/base/uuid.h"

/*
 * RFC 9562 5.7 with method 1 of 6.2: the 12 bits behind the milliseconds count within one
 * millisecond, so that ids of one process always grow.
 */
struct tsb_uuid
uuid_new(void)
{
	static int64_t last_ms;
	static unsigned counter;
	struct tsb_uuid u;
	int64_t now = clock_now_ms();

	if (getrandom(u.b, sizeof(u.b), 0) != sizeof(u.b))
		fatal("the kernel gives no random bytes");
	if (now > last_ms) {
		last_ms = now;
		counter = u.b[6] & 7u; /* starts low: room to count */
	} else if (++counter > 0xfff) {
		last_ms++;
		counter = 0;
	}
	for (int i = 0; i < 6; i++)
		u.b[i] = (unsigned char)(last_ms >> (40 - 8 * i));
	u.b[6] = (unsigned char)(0x70 | counter >> 8);
	u.b[7] = (unsigned char)counter;
	u.b[8] = (unsigned char)((u.b[8] & 0x3f) | 0x80);
	return u;
}

/* A hyphen stands before these bytes. */
static bool
is_group(int i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

char *
uuid_format(const struct tsb_uuid *u, char *buf)
{
	char *to = buf;

	for (int i = 0; i < 16; i++) {
		if (is_group(i))
			*to++ = '-';
		to = enc_hex_put(tsb_view_of(u->b + i, 1), to);
	}
	*to = '\0';
	return buf;
}

bool
uuid_parse(const char *text, struct tsb_uuid *out)
{
	struct tsb_uuid u;

	if (strnlen(text, UUID_TEXT) != UUID_TEXT - 1)
		return false;
	for (int i = 0; i < 16; i++) {
		int high, low;

		if (is_group(i) && *text++ != '-')
			return false;
		high = enc_hex_value(text[0]);
		low = enc_hex_value(text[1]);
		if (high < 0 || low < 0)
			return false;
		u.b[i] = (unsigned char)(high << 4 | low);
		text += 2;
	}
	*out = u;
	return true;
}

bool
uuid_eq(const struct tsb_uuid *a, const struct tsb_uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
