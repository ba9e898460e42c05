/*
 * Parts back to their text. Each part is an equation: these fragments, added without carry, give
 * these bytes. They are kept in echelon form, so that every part that tells something new counts,
 * nothing is kept twice, and a part that contradicts the others is found.
 */
#include "lib/first.h"

#include <string.h>
#include <strings.h>

#include "lib/base/zip.h"
#include "lib/qr/fountain.h"
#include "lib/qr/ur.h"
#include "lib/qr/ur_cbor.h"
#include "lib/qr/words.h"

#define FRAGMENT_MAX 2200 /* of other programs: what the largest code holds */
#define LENGTH_MAX   (UR_PARTS_MAX * UR_FRAGMENT_MAX)

/* What a part says of itself. */
struct part {
	uint32_t i, n, length, checksum;
	struct tsb_view data;
};

void
ur_join_clear(struct ur_join *j)
{
	arena_clear(&j->arena);
	*j = (struct ur_join){0};
}

/* ---- reading ---- */

static bool
read_head(struct tsb_view *in, unsigned type, uint32_t *value)
{
	size_t n;
	uint32_t v;

	if (in->n == 0 || in->p[0] >> 5 != type)
		return false;
	v = in->p[0] & 31;
	if (v > 26)
		return false;
	n = v < 24 ? 0 : (size_t)1 << (v - 24);
	if (in->n < 1 + n)
		return false;
	v = n > 0 ? 0 : v;
	for (size_t k = 0; k < n; k++)
		v = v << 8 | in->p[1 + k];
	*value = v;
	*in = tsb_view_of(in->p + 1 + n, in->n - 1 - n);
	return true;
}

/* A byte string up to the end of in. */
static bool
read_bytes(struct tsb_view in, struct tsb_view *bytes)
{
	uint32_t n;

	if (!read_head(&in, CBOR_BYTES, &n) || n != in.n || n == 0)
		return false;
	*bytes = in;
	return true;
}

static bool
read_array(struct tsb_view in, struct part *p)
{
	uint32_t five;

	return read_head(&in, CBOR_ARRAY, &five) && five == 5 && read_head(&in, CBOR_UINT, &p->i) &&
	    read_head(&in, CBOR_UINT, &p->n) && read_head(&in, CBOR_UINT, &p->length) &&
	    read_head(&in, CBOR_UINT, &p->checksum) && read_bytes(in, &p->data);
}

/* "7-12/" at the start of text, which loses it. */
static bool
read_numbers(struct tsb_view *text, uint32_t *i, uint32_t *n)
{
	uint32_t value[2];
	size_t at = 0;

	for (int k = 0; k < 2; k++) {
		size_t begin = at;

		for (value[k] = 0; at < text->n && text->p[at] >= '0' && text->p[at] <= '9'; at++) {
			if (value[k] > (UINT32_MAX - 9) / 10)
				return false;
			value[k] = value[k] * 10 + (uint32_t)(text->p[at] - '0');
		}
		if (at == begin || at == text->n || text->p[at++] != (k == 0 ? '-' : '/'))
			return false;
	}
	*i = value[0];
	*n = value[1];
	*text = tsb_view_of(text->p + at, text->n - at);
	return true;
}

static struct tsb_view
trimmed(struct tsb_view v)
{
	while (v.n > 0 && strchr(" \t\r\n", v.p[v.n - 1]) != NULL)
		v.n--;
	return v;
}

/* Whether a text of this length is cut into n fragments of this size. */
static bool
sizes_fit(const struct part *p)
{
	return p->n >= 1 && p->n <= UR_PARTS_MAX && p->length <= LENGTH_MAX &&
	    p->data.n <= FRAGMENT_MAX && (size_t)p->n * p->data.n >= p->length &&
	    (size_t)(p->n - 1) * p->data.n < p->length;
}

static int
part_parse(struct tsb_view text, struct arena *a, struct part *p, struct tsb_err *err)
{
	const size_t mark = sizeof(UR_MARK) - 1;
	struct tsb_view content;
	uint32_t i = 1, n = 1;
	bool several;

	text = trimmed(text);
	if (text.n < mark || strncasecmp((const char *)text.p, UR_MARK, mark) != 0)
		return tsb_fail(err, TSB_E_PAYLOAD, "not a part: parts begin with " UR_MARK);
	text = tsb_view_of(text.p + mark, text.n - mark);
	several = text.n > 0 && memchr(text.p, '/', text.n) != NULL;
	if (several && !read_numbers(&text, &i, &n))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "not a part: behind " UR_MARK
		    " come its number, '-', the number of parts and '/'");
	if (text.n > 2 * (FRAGMENT_MAX + 40))
		return tsb_fail(err, TSB_E_PAYLOAD, "part %u-%u is longer than a QR code", i, n);
	if (!qr_words_minimal_decode(text, a, &content))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "part %u-%u was misread or changed: its check bytes do not fit", i, n);
	if (!several) {
		*p = (struct part){1, 1, (uint32_t)content.n, tsb_crc32(content), content};
	} else if (!read_array(content, p) || p->i != i || p->n != n || i == 0) {
		return tsb_fail(err, TSB_E_PAYLOAD, "part %u-%u does not hold what its numbers say",
		    i, n);
	}
	if (!sizes_fit(p))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "part %u-%u: %u fragments of %zu bytes do not make a text of %u bytes, or "
		    "it is too long",
		    i, n, p->n, p->data.n, p->length);
	return 0;
}

/* ---- joining ---- */

static size_t
bits_size(const struct ur_join *j)
{
	return (j->n + 7) / 8;
}

static bool
bit(const unsigned char *row, size_t i)
{
	return row[i / 8] >> i % 8 & 1;
}

static void
add_bytes(unsigned char *to, const unsigned char *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] ^= from[i];
}

static void
begin(struct ur_join *j, const struct part *p)
{
	j->begun = true;
	j->length = p->length;
	j->fragment = p->data.n;
	j->n = p->n;
	j->checksum = p->checksum;
	j->row = arena_array(&j->arena, j->n, sizeof(*j->row));
	j->scratch = arena_alloc(&j->arena, bits_size(j) + j->fragment);
	j->fountain = fountain_new(j->n, &j->arena);
}

/* The part as an equation, in scratch. */
static void
write_equation(struct ur_join *j, const struct part *p)
{
	uint16_t index[UR_PARTS_MAX];
	size_t count = fountain_choose(j->fountain, p->i, j->checksum, index);

	memset(j->scratch, 0, bits_size(j));
	for (size_t k = 0; k < count; k++)
		j->scratch[index[k] / 8] |= (unsigned char)(1 << index[k] % 8);
	memcpy(j->scratch + bits_size(j), p->data.p, j->fragment);
}

/*
 * Takes known equations out of scratch. Its first fragment that begins none, or n when nothing is
 * left.
 */
static size_t
reduce(struct ur_join *j)
{
	for (size_t i = 0; i < j->n; i++) {
		if (!bit(j->scratch, i))
			continue;
		if (j->row[i] == NULL)
			return i;
		add_bytes(j->scratch, j->row[i], bits_size(j) + j->fragment);
	}
	return j->n;
}

static bool
zero(const unsigned char *p, size_t n)
{
	unsigned char any = 0;

	while (n-- > 0)
		any |= *p++;
	return any == 0;
}

int
ur_join_add(struct ur_join *j, struct tsb_view text, bool *fresh, struct tsb_err *err)
{
	arena_auto a = {0};
	struct part p;
	size_t first;

	if (part_parse(text, &a, &p, err))
		return -1;
	if (j->begun &&
	    (p.length != j->length || p.n != j->n || p.data.n != j->fragment ||
		p.checksum != j->checksum))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "part %u-%u is of another text than the %zu parts before", p.i, p.n, j->have);
	if (!j->begun)
		begin(j, &p);
	write_equation(j, &p);
	first = reduce(j);
	if (first == j->n && !zero(j->scratch + bits_size(j), j->fragment))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "part %u-%u contradicts the parts before: one of them was changed", p.i, p.n);
	if (first < j->n) {
		j->row[first] = arena_alloc(&j->arena, bits_size(j) + j->fragment);
		memcpy(j->row[first], j->scratch, bits_size(j) + j->fragment);
		j->have++;
	}
	if (fresh != NULL)
		*fresh = first < j->n;
	return 0;
}

bool
ur_join_complete(const struct ur_join *j)
{
	return j->begun && j->have == j->n;
}

int
ur_join_percent(const struct ur_join *j)
{
	return j->begun ? (int)(j->have * 100 / j->n) : 0;
}

int
ur_join_text(const struct ur_join *j, struct arena *a, struct tsb_view *text, struct tsb_err *err)
{
	unsigned char *message;
	struct tsb_view whole;

	if (!ur_join_complete(j))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "parts are missing: %zu of %zu are there, any others of the same text will do",
		    j->have, j->n);
	/* Each equation begins with a fragment of its own, so the last ones are solved first. */
	message = arena_alloc(a, j->n * j->fragment);
	for (size_t i = j->n; i-- > 0;) {
		unsigned char *to = message + i * j->fragment;

		memcpy(to, j->row[i] + bits_size(j), j->fragment);
		for (size_t k = i + 1; k < j->n; k++)
			if (bit(j->row[i], k))
				add_bytes(to, message + k * j->fragment, j->fragment);
	}
	whole = tsb_view_of(message, j->length);
	if (tsb_crc32(whole) != j->checksum ||
	    !zero(message + j->length, j->n * j->fragment - j->length))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "the parts do not make the text that they announce: one of them was changed");
	if (!read_bytes(whole, text))
		return tsb_fail(err, TSB_E_PAYLOAD, "the parts carry something else than bytes");
	return 0;
}
