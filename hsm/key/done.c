#include "lib/first.h"

#include <string.h>

#include "hsm/key/done.h"

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
	for (size_t i = 0; i < k->done.n; i += sizeof(digest))
		if (memcmp(k->done.p + i, digest, sizeof(digest)) == 0)
			return true;
	return false;
}

void
done_keep(struct hsm_key *k, const struct tsb_view *approvals, size_t n)
{
	const size_t most = (KEY_DONE_MAX - 1) * CRYPTO_SHA256_SIZE;
	size_t keep = k->done.n < most ? k->done.n : most;
	unsigned char digest[CRYPTO_SHA256_SIZE];
	tsb_bytes_auto list = {0};
	struct ska_signed_approval a;

	if (!token_of(approvals, n, &a))
		return;
	crypto_sha256(a.token.whole, digest);
	if (keep)
		tsb_bytes_add(&list, k->done.p + k->done.n - keep, keep);
	tsb_bytes_add(&list, digest, sizeof(digest));
	k->done = arena_view(&k->arena, tsb_view_bytes(&list));
}
