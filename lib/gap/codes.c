#include "lib/first.h"

#include "lib/gap/codes.h"
#include "lib/qr/part.h"

/* Bytes of a part before its chunk: mark, id, two numbers of four digits, hash, separators. */
#define PART_HEAD (7 + 36 + 1 + 4 + 1 + 4 + 1 + 8 + 1)

static size_t
chunk_max(enum qr_ecc ecc)
{
	size_t room = qr_capacity(ecc) - PART_HEAD;

	return room < QR_CHUNK_MAX ? room : QR_CHUNK_MAX;
}

static int
single(const struct wire_offline_request *r, enum qr_ecc ecc, struct arena *a,
    struct gap_codes *out, struct tsb_err *err)
{
	struct gap_codes c = {.text = r->input, .n = 1, .code = arena_alloc(a, sizeof(*c.code))};

	if (qr_encode(r->input, ecc, a, c.code, err))
		return -1;
	*out = c;
	return 0;
}

int
gap_codes_make(const struct wire_offline_request *r, enum qr_ecc ecc, bool parts, size_t part,
    struct arena *a, struct gap_codes *out, struct tsb_err *err)
{
	size_t all = qr_part_count(r->input, chunk_max(ecc));
	struct gap_codes c = {.text = r->input};
	struct qr_split split;

	if (part > all)
		return tsb_fail(err, TSB_E_INPUT, "part: the request has %zu", all);
	if (!parts && part == 0 && r->input.n <= qr_capacity(ecc))
		return single(r, ecc, a, out, err);
	c.n = part > 0 ? 1 : all;
	c.code = arena_array(a, c.n, sizeof(*c.code));
	if (qr_split_init(&split, r->input, &r->id, chunk_max(ecc), err) ||
	    qr_encode_parts(&split, part > 0 ? part : 1, c.n, ecc, a, c.code, err))
		return -1;
	*out = c;
	return 0;
}
