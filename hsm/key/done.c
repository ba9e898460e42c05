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

/* Until it is short enough; *lost becomes the latest time of the entries that left the list. */
static void
shorten(struct tsb_bytes *list, uint64_t newest, uint64_t *lost)
{
	uint64_t seconds;
	size_t at;

	while (list->n > (size_t)KEY_DONE_KEPT * KEY_DONE_SIZE) {
		at = earliest(tsb_view_bytes(list));
		seconds = entry_seconds(list->p + at);
		if (seconds >= newest && list->n <= (size_t)KEY_DONE_MAX * KEY_DONE_SIZE)
			break;
		drop(list, at);
		*lost = seconds;
	}
}

/* The list and one entry more. */
static struct tsb_view
extended(struct tsb_view list, const unsigned char entry[KEY_DONE_SIZE], struct arena *a,
    uint64_t *lost)
{
	tsb_bytes_auto all = {0};

	tsb_bytes_add_view(&all, list);
	tsb_bytes_add(&all, entry, KEY_DONE_SIZE);
	shorten(&all, entry_seconds(entry), lost);
	return arena_view(a, tsb_view_bytes(&all));
}

/* ---- who approved: entries with SHA-256 of the digest of the token and the key ---- */

static void
approver_digest(const unsigned char token[CRYPTO_SHA256_SIZE], struct tsb_view spki,
    unsigned char out[CRYPTO_SHA256_SIZE])
{
	tsb_bytes_auto both = {0};

	tsb_bytes_add(&both, token, CRYPTO_SHA256_SIZE);
	tsb_bytes_add_view(&both, spki);
	crypto_sha256(tsb_view_bytes(&both), out);
}

/* False for none of those that were enforced. */
static bool
approver_of(struct tsb_view approval, struct arena *arena, struct tsb_view *spki)
{
	struct ska_signed_approval a;
	struct tsb_err why;

	if (ska_signed_approval_parse(approval, &a, &why))
		return false;
	*spki = a.approver;
	return !a.is_certificate || crypto_cert_spki(a.approver, arena, spki, &why) == 0;
}

static void
keep_approvers(struct hsm_key *k, uint64_t seconds, const unsigned char token[CRYPTO_SHA256_SIZE],
    const struct tsb_view *approvals, size_t n)
{
	unsigned char digest[CRYPTO_SHA256_SIZE], entry[KEY_DONE_SIZE];
	tsb_bytes_auto all = {0};
	arena_auto arena = {0};
	struct tsb_view spki;
	uint64_t lost = 0;

	tsb_bytes_add_view(&all, k->approvers);
	for (size_t i = 0; i < n; i++) {
		if (!approver_of(approvals[i], &arena, &spki))
			continue;
		approver_digest(token, spki, digest);
		if (contains(tsb_view_bytes(&all), digest))
			continue;
		entry_format(seconds, digest, entry);
		tsb_bytes_add(&all, entry, sizeof(entry));
	}
	shorten(&all, seconds, &lost);
	k->approvers = arena_view(&k->arena, tsb_view_bytes(&all));
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
done_approved_by(struct tsb_view approvers, struct tsb_view token, struct tsb_view spki)
{
	unsigned char digest[CRYPTO_SHA256_SIZE], of_both[CRYPTO_SHA256_SIZE];

	crypto_sha256(token, digest);
	approver_digest(digest, spki, of_both);
	return contains(approvers, of_both);
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
	keep_approvers(k, a.token.timestamp.seconds, digest, approvals, n);
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
