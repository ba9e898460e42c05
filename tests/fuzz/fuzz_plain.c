/* Files with keys of people: what is read has a public key, and what is written reads back. */
#include "lib/first.h"

#include "lib/crypto/plain.h"
#include "tests/fuzz/fuzz.h"

static void
try_again(const struct plain_key *k, struct arena *a)
{
	tsb_bytes_auto pem = {0};
	struct plain_key again;
	struct tsb_err err;

	MUST(crypto_plain_pem(k->private_key, NULL, &pem, &err) == 0);
	MUST(crypto_plain_read(tsb_view_bytes(&pem), NULL, a, &again, &err) == 0);
	MUST(tsb_view_eq(again.spki, k->spki));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	arena_auto a = {0};
	struct plain_key k;
	struct tsb_err err;

	/* without a passphrase: trying one takes as long as the file says */
	if (crypto_plain_read(tsb_view_of(data, size), NULL, &a, &k, &err) != 0) {
		MUST(err.msg[0] != '\0');
		return 0;
	}
	MUST(k.spki.n > 0);
	if (k.private_key.n > 0)
		try_again(&k, &a);
	return 0;
}
