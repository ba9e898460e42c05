#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/enc.h"
#include "lib/crypto/crypto.h"
#include "lib/qr/part.h"

#define HASH_TEXT 8 /* hex digits of the SHA-256 that travel with a part */

static void
short_hash(struct tsb_view text, char out[HASH_TEXT + 1])
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(text, digest);
	*enc_hex_put(tsb_view_of(digest, HASH_TEXT / 2), out) = '\0';
}

static bool
is_printable(struct tsb_view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return false;
	return true;
}

/* ---- out ---- */

size_t
qr_part_count(struct tsb_view text, size_t chunk_max)
{
	return text.n == 0 ? 1 : text.n / chunk_max + (text.n % chunk_max != 0);
}

int
qr_split_init(struct qr_split *s, struct tsb_view text, const struct tsb_uuid *id, size_t chunk_max,
    struct tsb_err *err)
{
	struct qr_split made = {text, *id, chunk_max, 0, ""};

	if (chunk_max < 1 || chunk_max > QR_CHUNK_MAX)
		return tsb_fail(err, TSB_E_INPUT, "a part carries 1 to %d bytes, not %zu",
		    QR_CHUNK_MAX, chunk_max);
	made.n = qr_part_count(text, chunk_max);
	if (text.n > QR_TEXT_MAX || made.n > QR_PARTS_MAX)
		return tsb_fail(err, TSB_E_INPUT,
		    "the text of %zu bytes is too long for QR codes: at most %d bytes and %d parts",
		    text.n, QR_TEXT_MAX, QR_PARTS_MAX);
	if (!is_printable(text))
		return tsb_fail(err, TSB_E_INPUT, "a text in QR codes must be printable ASCII");
	short_hash(text, made.hash);
	*s = made;
	return 0;
}

int
qr_split_part(const struct qr_split *s, size_t k, struct tsb_bytes *out, struct tsb_err *err)
{
	size_t start = (k - 1) * s->chunk_max, left = s->text.n - start;
	char id[UUID_TEXT];

	if (k < 1 || k > s->n)
		return tsb_fail(err, TSB_E_INPUT, "there is no part %zu: the text has %zu", k,
		    s->n);
	tsb_bytes_addf(out, QR_PART_MARK "%s|%zu|%zu|%s|", uuid_format(&s->id, id), k, s->n,
	    s->hash);
	if (s->text.n > 0)
		tsb_bytes_add(out, s->text.p + start, left < s->chunk_max ? left : s->chunk_max);
	return 0;
}

/* ---- in ---- */

struct part {
	struct tsb_uuid id;
	size_t k, n;
	char hash[HASH_TEXT + 1];
	struct tsb_view chunk;
};

bool
qr_is_part(struct tsb_view text)
{
	size_t n = strlen(QR_PART_MARK);

	return text.n >= n && memcmp(text.p, QR_PART_MARK, n) == 0;
}

/* Takes what stands before the next separator; false when there is none. */
static bool
next_field(struct tsb_view *rest, struct tsb_view *field)
{
	const unsigned char *bar = rest->n == 0 ? NULL : memchr(rest->p, '|', rest->n);

	if (bar == NULL)
		return false;
	*field = tsb_view_of(rest->p, (size_t)(bar - rest->p));
	*rest = tsb_view_of(bar + 1, rest->n - field->n - 1);
	return true;
}

/* One way to write a number: no sign, no leading zero. */
static bool
read_number(struct tsb_view text, size_t *out)
{
	size_t value = 0;

	if (text.n < 1 || text.n > 4 || text.p[0] == '0')
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value = value * 10 + (size_t)(text.p[i] - '0');
	}
	if (value > QR_PARTS_MAX)
		return false;
	*out = value;
	return true;
}

static bool
read_hash(struct tsb_view text, char out[HASH_TEXT + 1])
{
	if (text.n != HASH_TEXT)
		return false;
	for (size_t i = 0; i < HASH_TEXT; i++)
		if ((text.p[i] < '0' || text.p[i] > '9') && (text.p[i] < 'a' || text.p[i] > 'f'))
			return false;
	memcpy(out, text.p, HASH_TEXT);
	out[HASH_TEXT] = '\0';
	return true;
}

static bool
read_id(struct tsb_view text, struct tsb_uuid *out)
{
	char buf[UUID_TEXT], again[UUID_TEXT];

	if (text.n != UUID_TEXT - 1 || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';
	return uuid_parse(buf, out) && strcmp(uuid_format(out, again), buf) == 0;
}

static int
read_part(struct tsb_view text, struct part *p, struct tsb_err *err)
{
	struct tsb_view rest = text, field;

	/*
	 * What scanners put at the end of a line. A space may be the last character of the chunk.
	 */
	while (rest.n > 0 && memchr("\t\r\n", rest.p[rest.n - 1], 3) != NULL)
		rest.n--;
	if (!qr_is_part(rest))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "not a part of a request: it does not begin with " QR_PART_MARK);
	rest = tsb_view_of(rest.p + strlen(QR_PART_MARK), rest.n - strlen(QR_PART_MARK));
	if (!next_field(&rest, &field) || !read_id(field, &p->id))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "a part does not name its request by a UUID in lower case behind " QR_PART_MARK);
	if (!next_field(&rest, &field) || !read_number(field, &p->k))
		return tsb_fail(err, TSB_E_PAYLOAD, "a part has no number from 1 to %d of its own",
		    QR_PARTS_MAX);
	if (!next_field(&rest, &field) || !read_number(field, &p->n))
		return tsb_fail(err, TSB_E_PAYLOAD, "part %zu does not say of how many (1 to %d)",
		    p->k, QR_PARTS_MAX);
	if (p->k > p->n)
		return tsb_fail(err, TSB_E_PAYLOAD, "part %zu of %zu: there is no such part", p->k,
		    p->n);
	if (!next_field(&rest, &field) || !read_hash(field, p->hash))
		return tsb_fail(err, TSB_E_PAYLOAD, "part %zu of %zu has no hash of %d hex digits",
		    p->k, p->n, HASH_TEXT);
	if (rest.n > QR_CHUNK_MAX || !is_printable(rest))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "the content of part %zu of %zu is not printable ASCII of at most %d bytes",
		    p->k, p->n, QR_CHUNK_MAX);
	/* Only an empty text has an empty chunk: other writers leave none. */
	if (rest.n == 0 && p->n > 1)
		return tsb_fail(err, TSB_E_PAYLOAD, "part %zu of %zu is empty", p->k, p->n);
	p->chunk = rest;
	return 0;
}

void
qr_join_clear(struct qr_join *j)
{
	arena_clear(&j->arena);
	*j = (struct qr_join){0};
}

static struct tsb_view
without_spaces(struct tsb_view chunk)
{
	while (chunk.n > 0 && chunk.p[chunk.n - 1] == ' ')
		chunk.n--;
	return chunk;
}

/* Whether a part belongs to those that are there. */
static int
check_part(const struct qr_join *j, const struct part *p, struct tsb_err *err)
{
	char one[UUID_TEXT], other[UUID_TEXT];

	if (!uuid_eq(&j->id, &p->id))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "part %zu of %zu belongs to request %s, the parts before to request %s", p->k,
		    p->n, uuid_format(&p->id, one), uuid_format(&j->id, other));
	if (strcmp(j->hash, p->hash) != 0)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "part %zu of %zu is of another text of request %s: its hash is %s, the parts "
		    "before have %s (it was exported at another time, or changed)",
		    p->k, p->n, uuid_format(&p->id, one), p->hash, j->hash);
	if (j->n != p->n)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "part %zu says it is one of %zu, the parts before are of %zu", p->k, p->n,
		    j->n);
	if (j->chunk[p->k - 1].p != NULL &&
	    !tsb_view_eq(without_spaces(j->chunk[p->k - 1]), without_spaces(p->chunk)))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "part %zu of %zu is there already with other content: one of the two was "
		    "misread or changed",
		    p->k, p->n);
	return 0;
}

int
qr_join_add(struct qr_join *j, struct tsb_view text, bool *fresh, struct tsb_err *err)
{
	struct tsb_view *chunk;
	struct part p;
	bool is_new;

	if (read_part(text, &p, err) != 0)
		return -1;
	if (!j->begun) {
		j->begun = true;
		j->id = p.id;
		j->n = p.n;
		memcpy(j->hash, p.hash, sizeof(j->hash));
		j->chunk = arena_array(&j->arena, p.n, sizeof(*j->chunk));
	} else if (check_part(j, &p, err) != 0) {
		return -1;
	}
	chunk = &j->chunk[p.k - 1];
	is_new = chunk->p == NULL;
	/* A copy has a place of its own even when it is empty: NULL means missing. */
	if (is_new || p.chunk.n > chunk->n)
		*chunk = tsb_view_of(arena_strn(&j->arena, p.chunk.p, p.chunk.n), p.chunk.n);
	j->have += is_new;
	if (fresh != NULL)
		*fresh = is_new;
	return 0;
}

bool
qr_join_complete(const struct qr_join *j)
{
	return j->begun && j->have == j->n;
}

void
qr_join_missing(const struct qr_join *j, struct tsb_bytes *out)
{
	const char *comma = "";

	for (size_t i = 0; i < j->n; i++) {
		size_t end = i;

		if (j->chunk[i].p != NULL)
			continue;
		while (end + 1 < j->n && j->chunk[end + 1].p == NULL)
			end++;
		if (end == i)
			tsb_bytes_addf(out, "%s%zu", comma, i + 1);
		else
			tsb_bytes_addf(out, "%s%zu%s%zu", comma, i + 1,
			    end == i + 1 ? ", " : " to ", end + 1);
		comma = ", ";
		i = end;
	}
}

/* The chunks in order, all but the last filled up to width with spaces. */
static void
put_together(const struct qr_join *j, size_t width, struct tsb_bytes *out)
{
	tsb_bytes_reset(out);
	for (size_t i = 0; i < j->n; i++) {
		size_t n = j->chunk[i].n;

		tsb_bytes_add_view(out, j->chunk[i]);
		if (i + 1 < j->n && n < width)
			memset(tsb_bytes_grow(out, width - n), ' ', width - n);
	}
}

/*
 * Editors, shells and phones cut spaces at the end of a line, where a chunk may have one. All
 * chunks but the last are of one length, and the hash tells what that was: at most LOST more than
 * is seen.
 */
#define LOST 16

static bool
restore(const struct qr_join *j, struct tsb_bytes *out, char hash[HASH_TEXT + 1])
{
	size_t width = 0;

	put_together(j, 0, out);
	short_hash(tsb_view_bytes(out), hash);
	if (strcmp(hash, j->hash) == 0)
		return true;
	for (size_t i = 0; i + 1 < j->n; i++)
		if (j->chunk[i].n > width)
			width = j->chunk[i].n;
	for (size_t lost = 0; j->n > 1 && lost <= LOST && width + lost <= QR_CHUNK_MAX; lost++) {
		char again[HASH_TEXT + 1];

		put_together(j, width + lost, out);
		short_hash(tsb_view_bytes(out), again);
		if (strcmp(again, j->hash) == 0)
			return true;
	}
	return false;
}

int
qr_join_text(const struct qr_join *j, struct arena *a, struct tsb_view *text, struct tsb_err *err)
{
	tsb_bytes_auto whole = {0}, missing = {0};
	char hash[HASH_TEXT + 1], id[UUID_TEXT];
	size_t n = 0;

	if (!j->begun)
		return tsb_fail(err, TSB_E_PAYLOAD, "no part of a request was read");
	uuid_format(&j->id, id);
	if (!qr_join_complete(j)) {
		qr_join_missing(j, &missing);
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "request %s: of %zu parts these are missing: %s", id, j->n,
		    tsb_bytes_cstr(&missing));
	}
	for (size_t i = 0; i < j->n; i++)
		n += j->chunk[i].n;
	if (n > QR_TEXT_MAX)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "request %s: its parts are %zu bytes together, more than %d", id, n,
		    QR_TEXT_MAX);
	if (!restore(j, &whole, hash))
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "request %s: the %zu parts give a text with hash %s, but they name %s: a part was "
		    "misread or changed",
		    id, j->n, hash, j->hash);
	*text = arena_view(a, tsb_view_bytes(&whole));
	return 0;
}
