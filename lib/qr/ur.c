/* Parts of a text. */
#include "lib/first.h"

#include <string.h>
#include <strings.h>

#include "lib/base/zip.h"
#include "lib/qr/fountain.h"
#include "lib/qr/ur.h"
#include "lib/qr/ur_cbor.h"
#include "lib/qr/words.h"

#define FRAGMENT_MIN 10

void
ur_cbor_head(unsigned type, uint32_t value, struct tsb_bytes *out)
{
	unsigned char head = (unsigned char)(type << 5), bytes[5];
	size_t n = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : 4;

	bytes[0] = head | (n == 0 ? (unsigned char)value : n == 1 ? 24 : n == 2 ? 25 : 26);
	for (size_t i = 0; i < n; i++)
		bytes[1 + i] = (unsigned char)(value >> 8 * (n - 1 - i));
	tsb_bytes_add(out, bytes, 1 + n);
}

void
ur_clear(struct ur *u)
{
	tsb_bytes_clear(&u->message);
	arena_clear(&u->arena);
	*u = (struct ur){0};
}

int
ur_open(struct ur *u, struct tsb_view text, size_t fragment_max, struct tsb_err *err)
{
	size_t length, n;

	if (text.n == 0)
		return tsb_fail(err, TSB_E_INPUT, "a text for parts must not be empty");
	if (fragment_max < FRAGMENT_MIN || fragment_max > UR_FRAGMENT_MAX)
		return tsb_fail(err, TSB_E_INPUT, "fragments have %d to %d bytes", FRAGMENT_MIN,
		    UR_FRAGMENT_MAX);
	if (text.n > UR_TEXT_MAX || text.n + 5 > UR_PARTS_MAX * fragment_max)
		return tsb_fail(err, TSB_E_INPUT,
		    "a text of %zu bytes does not fit %d parts of %zu bytes", text.n, UR_PARTS_MAX,
		    fragment_max);
	ur_cbor_head(CBOR_BYTES, (uint32_t)text.n, &u->message);
	tsb_bytes_add_view(&u->message, text);
	u->length = length = u->message.n;
	u->checksum = tsb_crc32(tsb_view_bytes(&u->message));
	n = (length + fragment_max - 1) / fragment_max;
	u->fragment = (length + n - 1) / n;
	u->n = n;
	memset(tsb_bytes_grow(&u->message, u->n * u->fragment - length), 0,
	    u->n * u->fragment - length);
	u->fountain = fountain_new(u->n, &u->arena);
	return 0;
}

/* The fragments that part i mixes, added without carry. */
static void
mix(const struct ur *u, uint32_t i, unsigned char *out)
{
	uint16_t index[UR_PARTS_MAX];
	size_t count = fountain_choose(u->fountain, i, u->checksum, index);

	memset(out, 0, u->fragment);
	for (size_t k = 0; k < count; k++) {
		const unsigned char *from = u->message.p + index[k] * u->fragment;

		for (size_t b = 0; b < u->fragment; b++)
			out[b] ^= from[b];
	}
}

void
ur_part(const struct ur *u, uint32_t i, struct tsb_bytes *out)
{
	tsb_bytes_auto cbor = {0};

	tsb_bytes_add_str(out, UR_MARK);
	if (u->n == 1) {
		qr_words_minimal(tsb_view_of(u->message.p, u->length), out);
		return;
	}
	ur_cbor_head(CBOR_ARRAY, 5, &cbor);
	ur_cbor_head(CBOR_UINT, i, &cbor);
	ur_cbor_head(CBOR_UINT, (uint32_t)u->n, &cbor);
	ur_cbor_head(CBOR_UINT, (uint32_t)u->length, &cbor);
	ur_cbor_head(CBOR_UINT, u->checksum, &cbor);
	ur_cbor_head(CBOR_BYTES, (uint32_t)u->fragment, &cbor);
	mix(u, i, tsb_bytes_grow(&cbor, u->fragment));
	tsb_bytes_addf(out, "%u-%zu/", (unsigned)i, u->n);
	qr_words_minimal(tsb_view_bytes(&cbor), out);
}

size_t
ur_part_count(const struct ur *u)
{
	return u->n == 1 ? 1 : u->n + (u->n + 1) / 2;
}

bool
ur_is_part(struct tsb_view text)
{
	return text.n >= 3 && !strncasecmp((const char *)text.p, "ur:", 3);
}
