/* The text as data codewords (ISO/IEC 18004:2015, 7.4). */
#include "lib/first.h"

#include <string.h>

#include "lib/qr/symbol.h"

static const char alphanumeric[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"; /* table 5 */

struct mode {
	unsigned indicator;
	unsigned char length[3]; /* bits of the length in versions 1 to 9, 10 to 26, 27 to 40 */
};
static const struct mode mode_alphanumeric = { 2, { 9, 11, 13 } };
static const struct mode mode_byte = { 4, { 8, 16, 16 } };
#define MODE_BITS 4

static bool
is_alphanumeric(struct tsb_view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '\0' || strchr(alphanumeric, text.p[i]) == NULL)
			return false;
	return true;
}

static unsigned
length_bits(const struct mode *mode, int version)
{
	return mode->length[version < 10 ? 0 : version < 27 ? 1 : 2];
}

size_t
stream_bits(struct tsb_view text, int version)
{
	if (is_alphanumeric(text))
		return MODE_BITS + length_bits(&mode_alphanumeric, version) + text.n / 2 * 11 +
		    text.n % 2 * 6;
	return MODE_BITS + length_bits(&mode_byte, version) + text.n * 8;
}

struct stream {
	unsigned char *p;
	size_t n;     /* whole bytes written */
	unsigned acc; /* and the bits behind them */
	unsigned held;
};

static void
put(struct stream *s, unsigned value, unsigned bits)
{
	s->acc = s->acc << bits | value;
	s->held += bits;
	for (; s->held >= 8; s->held -= 8)
		s->p[s->n++] = (unsigned char)(s->acc >> (s->held - 8));
}

static unsigned
value_of(unsigned char c)
{
	return (unsigned)(strchr(alphanumeric, c) - alphanumeric);
}

static void
put_alphanumeric(struct stream *s, struct tsb_view text)
{
	size_t i;

	for (i = 0; i + 1 < text.n; i += 2)
		put(s, value_of(text.p[i]) * 45 + value_of(text.p[i + 1]), 11);
	if (i < text.n)
		put(s, value_of(text.p[i]), 6);
}

void
stream_make(struct tsb_view text, int version, unsigned char *out, size_t n)
{
	bool small = is_alphanumeric(text);
	const struct mode *mode = small ? &mode_alphanumeric : &mode_byte;
	struct stream s = { out, 0, 0, 0 };

	put(&s, mode->indicator, MODE_BITS);
	put(&s, (unsigned)text.n, length_bits(mode, version));
	if (small)
		put_alphanumeric(&s, text);
	else
		for (size_t i = 0; i < text.n; i++)
			put(&s, text.p[i], 8);
	/* Up to four zero bits end the text, zero bits fill its last byte, two bytes by turns the rest. */
	if (s.n < n)
		put(&s, 0, s.n * 8 + s.held + 4 <= n * 8 ? 4 : (unsigned)(n * 8 - s.n * 8 - s.held));
	if (s.held > 0)
		put(&s, 0, 8 - s.held);
	for (unsigned char pad = 0xec; s.n < n; pad ^= 0xec ^ 0x11)
		out[s.n++] = pad;
}
