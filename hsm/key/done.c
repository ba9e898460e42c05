#include "lib/first.h"

#include <string.h>

#include "hsm/key/done.h"

#define TIME_SIZE (KEY_DONE_SIZE - CRYPTO_SHA256_SIZE)

/* ---- one entry: seconds of its timestamp, little-endian, and SHA-256 of the token ---- */

static void
entry_format(uint64_t seconds, const unsigned char *digest, unsigned char entry[KEY_DONE_SIZE])
{
	for (size_t i = 0; i < TIME_SIZE; i++)
		entry[i] = (unsigned char)(seconds >> 8 * i);
	memcpy(entry + TIME_SIZE, digest, CRYPTO_SHA256_SIZE);
}

static uint64_t
entry_seconds(const unsigned char *entry)
{
	uint64_t seconds = 0;

	for (size_t i = TIME_SIZE; i-- > 0;)
		seconds = seconds << 8 | entry[i];
	return seconds;
}

static bool
contains(struct tsb_view list, const unsigned char digest[CRYPTO_SHA256_SIZE])
{
	for (size_t i = 0; i < list.n; i += KEY_DONE_SIZE)
		if (memcmp(list.p + i + TIME_SIZE, digest, CRYPTO_SHA256_SIZE) == 0)
			return true;
	return false;
}

/* Offset of the entry with the earliest time. */
static size_t
earliest(struct tsb_view list)
{
	size_t first = 0;

	for (size_t i = KEY_DONE_SIZE; i < list.n; i += KEY_DONE_SIZE)
		if (entry_seconds(list.p + i) < entry_seconds(list.p + first))
			first = i;
	return first;
}

static void
drop(struct tsb_bytes *list, size_t at)
{
	list->n -= KEY_DONE_SIZE;
	memmove(list->p + at, list->p + at + KEY_DONE_SIZE, list->n - at);
}

/* The list and one entry more; *lost becomes the latest time of those that left it. */
static struct tsb_view
extended(struct tsb_view list, const unsigned char entry[KEY_DONE_SIZE], struct arena *a,
    uint64_t *lost)
{
	tsb_bytes_auto all = {0};
	uint64_t seconds;
	size_t at;

	tsb_bytes_add_view(&all, list);
	tsb_bytes_add(&all, entry, KEY_DONE_SIZE);
	while (all.n > (size_t)KEY_DONE_KEPT * KEY_DONE_SIZE) {
		at = earliest(tsb_view_bytes(&all));
		seconds = entry_seconds(all.p + at);
		if (seconds >= entry_seconds(entry) &&
		    all.n <= (size_t)KEY_DONE_MAX * KEY_DONE_SIZE)
			break;
		drop(&all, at);
		*lost = seconds;
	}
	return arena_view(a, tsb_view_bytes(&all));
}

/* ---- interface ---- */

/* All enforced approvals carry the same token: the first tells which. */
static bool
token_of(const struct tsb_view *approvals, size_t n, struct ska_signed_approval *out)
{
	struct tsb_err why;

	return n > 0 && ska_signed_approval_parse(approvals[0], out, &why) == 0 &&
	    out->token.has_timestamp;
}

bool
done_before(const struct hsm_key *k, enum ska_operation operation, struct tsb_view payload,
    const struct tsb_view *approvals, size_t n)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	struct ska_signed_approval a;

	if (!token_of(approvals, n, &a) || a.token.operation != operation ||
	    !tsb_view_eq(a.token.payload, payload))
		return false;
	crypto_sha256(a.token.whole, digest);
	return contains(k->done, digest) || contains(k->idle, digest);
}

bool
done_keep(struct hsm_key *k, const struct tsb_view *approvals, size_t n, bool changed)
{
	unsigned char digest[CRYPTO_SHA256_SIZE], entry[KEY_DONE_SIZE];
	struct ska_signed_approval a;
	uint64_t lost = 0;

	if (!token_of(approvals, n, &a))
		return false;
	crypto_sha256(a.token.whole, digest);
	entry_format(a.token.timestamp.seconds, digest, entry);
	if (!changed) {
		k->idle = extended(k->idle, entry, &k->arena, &lost);
		return true;
	}
	k->done = extended(k->done, entry, &k->arena, &lost);
	if (lost > k->forgotten)
		k->forgotten = lost;
	return true;
}

void
done_date(struct hsm_key *k, int64_t written)
{
	const uint64_t seconds = written > 0 ? (uint64_t)written : 1;
	unsigned char entry[KEY_DONE_SIZE];
	tsb_bytes_auto list = {0};

	if (k->undated.n == 0)
		return;
	for (size_t i = 0; i < k->undated.n; i += CRYPTO_SHA256_SIZE) {
		entry_format(seconds, k->undated.p + i, entry);
		tsb_bytes_add(&list, entry, sizeof(entry));
	}
	if (k->undated.n == (size_t)KEY_DONE_KEPT * CRYPTO_SHA256_SIZE)
		k->forgotten = seconds;
	k->done = arena_view(&k->arena, tsb_view_bytes(&list));
	k->undated = tsb_view_of(NULL, 0);
}
