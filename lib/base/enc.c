#include "lib/first.h"

#include <string.h>

#include "lib/base/enc.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
enc_base64(struct tsb_view in, struct tsb_bytes *out)
{
	unsigned char *to = tsb_bytes_grow(out, (in.n + 2) / 3 * 4);

	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		unsigned group = (unsigned)in.p[i] << 16;

		if (left > 1)
			group |= (unsigned)in.p[i + 1] << 8;
		if (left > 2)
			group |= in.p[i + 2];
		*to++ = (unsigned char)base64_digits[group >> 18];
		*to++ = (unsigned char)base64_digits[group >> 12 & 63];
		*to++ = left > 1 ? (unsigned char)base64_digits[group >> 6 & 63] : '=';
		*to++ = left > 2 ? (unsigned char)base64_digits[group & 63] : '=';
	}
}

char *
enc_base64_str(struct arena *a, struct tsb_view in)
{
	tsb_bytes_auto text = {0};

	enc_base64(in, &text);
	return arena_strn(a, text.p, text.n);
}

static int
base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
enc_base64_decode(struct tsb_view text, struct arena *a, struct tsb_view *out)
{
	size_t pad = 0, n = 0;
	unsigned char *bytes;

	if (text.n % 4 != 0)
		return false;
	if (text.n > 0 && text.p[text.n - 1] == '=')
		pad = text.p[text.n - 2] == '=' ? 2 : 1;
	bytes = arena_alloc(a, text.n / 4 * 3 + 1);
	for (size_t i = 0; i < text.n; i += 4) {
		size_t digits = i + 4 == text.n ? 4 - pad : 4;
		unsigned group = 0;

		for (size_t k = 0; k < 4; k++) {
			int value = k < digits ? base64_value(text.p[i + k]) : 0;

			if (value < 0)
				return false;
			group = group << 6 | (unsigned)value;
		}
		/* bits that no byte takes must be zero, or two texts would mean the same */
		if ((digits == 3 && (group & 0xff) != 0) || (digits == 2 && (group & 0xffff) != 0))
			return false;
		for (size_t k = 0; k + 1 < digits; k++)
			bytes[n++] = (unsigned char)(group >> (16 - 8 * k));
	}
	*out = tsb_view_of(bytes, n);
	return true;
}

char *
enc_hex_put(struct tsb_view in, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < in.n; i++) {
		*out++ = digits[in.p[i] >> 4];
		*out++ = digits[in.p[i] & 15];
	}
	return out;
}

void
enc_hex(struct tsb_view in, struct tsb_bytes *out)
{
	enc_hex_put(in, (char *)tsb_bytes_grow(out, in.n * 2));
}

char *
enc_hex_str(struct arena *a, struct tsb_view in)
{
	tsb_bytes_auto text = {0};

	enc_hex(in, &text);
	return arena_strn(a, text.p, text.n);
}

int
enc_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
enc_hex_decode(struct tsb_view text, struct arena *a, struct tsb_view *out)
{
	unsigned char *bytes = arena_alloc(a, text.n / 2 + 1);

	if (text.n % 2 != 0)
		return false;
	for (size_t i = 0; i < text.n; i += 2) {
		int high = enc_hex_value((char)text.p[i]), low = enc_hex_value((char)text.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i / 2] = (unsigned char)(high << 4 | low);
	}
	*out = tsb_view_of(bytes, text.n / 2);
	return true;
}

/* Long division by 58: each byte shifts the digits so far by 256. */
void
enc_base58(struct tsb_view in, struct tsb_bytes *out)
{
	static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
	tsb_bytes_auto digits = {0}; /* least significant first */
	size_t zeros = 0;

	while (zeros < in.n && in.p[zeros] == 0)
		zeros++;
	for (size_t i = zeros; i < in.n; i++) {
		unsigned carry = in.p[i];

		for (size_t k = 0; k < digits.n; k++) {
			carry += (unsigned)digits.p[k] << 8;
			digits.p[k] = (unsigned char)(carry % 58);
			carry /= 58;
		}
		for (; carry > 0; carry /= 58)
			*tsb_bytes_grow(&digits, 1) = (unsigned char)(carry % 58);
	}
	while (zeros-- > 0)
		tsb_bytes_add(out, alphabet, 1);
	while (digits.n > 0)
		tsb_bytes_add(out, &alphabet[digits.p[--digits.n]], 1);
}

bool
enc_percent_decode(struct tsb_view text, struct arena *a, struct tsb_view *out)
{
	unsigned char *bytes = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '%') {
			bytes[n++] = text.p[i];
			continue;
		}
		int high = text.n - i > 2 ? enc_hex_value((char)text.p[i + 1]) : -1;
		int low = text.n - i > 2 ? enc_hex_value((char)text.p[i + 2]) : -1;

		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return false;
		bytes[n++] = (unsigned char)(high << 4 | low);
		i += 2;
	}
	*out = tsb_view_of(bytes, n);
	return true;
}

char *
enc_percent_str(struct arena *a, const char *s)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	tsb_bytes_auto text = {0};

	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL)
			tsb_bytes_add(&text, s, 1);
		else
			tsb_bytes_addf(&text, "%%%02X", (unsigned char)*s);
	}
	return arena_strn(a, text.p, text.n);
}
