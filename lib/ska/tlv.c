#include "lib/first.h"

#include "lib/ska/tlv.h"

#define HEAD_SIZE      4
#define EXTENDED_MARK  0xFFFFu /* in the length field: a u32 length follows */
#define EXTENDED_LIMIT 0x80000000u /* lengths stay below 2^31 */

static uint32_t
get_u16(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t
get_u32(const unsigned char *p)
{
	return get_u16(p) | get_u16(p + 2) << 16;
}

static void
put_int(struct tsb_bytes *out, uint64_t value, size_t size)
{
	unsigned char *p = tsb_bytes_grow(out, size);

	for (size_t i = 0; i < size; i++)
		p[i] = (unsigned char)(value >> (8 * i));
}

static size_t
padding(size_t n)
{
	return (4 - n % 4) % 4;
}

static void
skip(struct tlv_reader *r, size_t n)
{
	r->rest.p += n;
	r->rest.n -= n;
}

int
tlv_open(struct tsb_view whole, const char *what, struct tlv_reader *r, struct tsb_err *err)
{
	if (whole.n < 4)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: shorter than its length field", what);
	if (get_u32(whole.p) != whole.n - 4)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: length field says %lu bytes, %zu follow",
		    what, (unsigned long)get_u32(whole.p), whole.n - 4);
	if (whole.n % 4 != 0)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: length is not a multiple of 4", what);
	*r = (struct tlv_reader){{whole.p + 4, whole.n - 4}, what};
	return 0;
}

bool
tlv_at_end(const struct tlv_reader *r)
{
	return r->rest.n == 0;
}

unsigned
tlv_peek(const struct tlv_reader *r)
{
	return r->rest.n < HEAD_SIZE ? 0 : get_u16(r->rest.p);
}

/* Reads the length in either form and moves behind it; compares with what remains, never adds. */
static int
take_length(struct tlv_reader *r, unsigned tag, size_t *n, struct tsb_err *err)
{
	struct tlv_reader t = *r;
	uint32_t len = get_u16(t.rest.p + 2);

	skip(&t, HEAD_SIZE);
	if (len == EXTENDED_MARK) {
		if (t.rest.n < 4)
			return tsb_fail(err, TSB_E_PAYLOAD,
			    "%s: element 0x%04x ends within its length", t.what, tag);
		len = get_u32(t.rest.p);
		skip(&t, 4);
		if (len < EXTENDED_MARK || len >= EXTENDED_LIMIT)
			return tsb_fail(err, TSB_E_PAYLOAD,
			    "%s: element 0x%04x has an extended length of %lu", t.what, tag,
			    (unsigned long)len);
	}
	if (len > t.rest.n)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "%s: element 0x%04x of %lu bytes where %zu remain", t.what, tag,
		    (unsigned long)len, t.rest.n);
	*r = t;
	*n = len;
	return 0;
}

static int
take_padding(struct tlv_reader *r, unsigned tag, size_t n, struct tsb_err *err)
{
	if (n > r->rest.n)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: padding of element 0x%04x is missing",
		    r->what, tag);
	for (size_t i = 0; i < n; i++)
		if (r->rest.p[i] != 0)
			return tsb_fail(err, TSB_E_PAYLOAD,
			    "%s: padding of element 0x%04x is not zero", r->what, tag);
	skip(r, n);
	return 0;
}

int
tlv_take(struct tlv_reader *r, unsigned tag, struct tsb_view *value, struct tsb_err *err)
{
	struct tlv_reader t = *r;
	struct tsb_view v;
	size_t n;

	if (t.rest.n < HEAD_SIZE)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: element 0x%04x is missing at the end",
		    t.what, tag);
	if (get_u16(t.rest.p) != tag)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: element 0x%04x where 0x%04x belongs",
		    t.what, (unsigned)get_u16(t.rest.p), tag);
	if (take_length(&t, tag, &n, err))
		return -1;
	v = (struct tsb_view){t.rest.p, n};
	skip(&t, n);
	if (take_padding(&t, tag, padding(n), err))
		return -1;
	*r = t;
	*value = v;
	return 0;
}

static int
take_fixed(struct tlv_reader *r, unsigned tag, size_t size, struct tsb_view *v, struct tsb_err *err)
{
	struct tlv_reader t = *r;

	if (tlv_take(&t, tag, v, err))
		return -1;
	if (v->n != size)
		return tsb_fail(err, TSB_E_PAYLOAD, "%s: element 0x%04x has %zu bytes, not %zu",
		    t.what, tag, v->n, size);
	*r = t;
	return 0;
}

int
tlv_take_u32(struct tlv_reader *r, unsigned tag, uint32_t *value, struct tsb_err *err)
{
	struct tsb_view v;

	if (take_fixed(r, tag, 4, &v, err))
		return -1;
	*value = get_u32(v.p);
	return 0;
}

int
tlv_take_u64(struct tlv_reader *r, unsigned tag, uint64_t *value, struct tsb_err *err)
{
	struct tsb_view v;

	if (take_fixed(r, tag, 8, &v, err))
		return -1;
	*value = (uint64_t)get_u32(v.p + 4) << 32 | get_u32(v.p);
	return 0;
}

int
tlv_end(const struct tlv_reader *r, struct tsb_err *err)
{
	if (tlv_at_end(r))
		return 0;
	return tsb_fail(err, TSB_E_PAYLOAD, "%s: element 0x%04x where nothing more belongs",
	    r->what, tlv_peek(r));
}

void
tlv_put(struct tsb_bytes *out, unsigned tag, struct tsb_view value)
{
	if (value.n >= EXTENDED_LIMIT)
		fatal("element 0x%04x of %zu bytes cannot be written", tag, value.n);
	put_int(out, tag, 2);
	if (value.n < EXTENDED_MARK) {
		put_int(out, value.n, 2);
	} else {
		put_int(out, EXTENDED_MARK, 2);
		put_int(out, value.n, 4);
	}
	tsb_bytes_add_view(out, value);
	put_int(out, 0, padding(value.n));
}

void
tlv_put_u32(struct tsb_bytes *out, unsigned tag, uint32_t value)
{
	put_int(out, tag, 2);
	put_int(out, 4, 2);
	put_int(out, value, 4);
}

void
tlv_put_u64(struct tsb_bytes *out, unsigned tag, uint64_t value)
{
	put_int(out, tag, 2);
	put_int(out, 8, 2);
	put_int(out, value, 8);
}

void
tlv_put_container(struct tsb_bytes *out, struct tsb_view body)
{
	if (body.n % 4 != 0 || body.n >= EXTENDED_LIMIT)
		fatal("container body of %zu bytes cannot be written", body.n);
	put_int(out, body.n, 4);
	tsb_bytes_add_view(out, body);
}
