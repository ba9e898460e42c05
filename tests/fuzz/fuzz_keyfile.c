/*
 * Key files. The content is authenticated, so only who has the master key can change it; still
 * every reading must be safe, and what is accepted must have one form. First the file as it is,
 * then the input as content.
 */
#include "lib/first.h"

#include <string.h>

#include "hsm/key/key.h"
#include "hsm/store/keyfile.h"
#include "tests/fuzz/fuzz.h"

static const unsigned char master[CRYPTO_BOX_KEY_SIZE] = {7};

static void
try_file(struct tsb_view in)
{
	tsb_bytes_auto content = {0};
	struct tsb_err err = {0};

	if (keyfile_open(master, "x.key", in, &content, &err) == 0)
		return; /* sealed under this key: not by chance */
	MUST(err.code == TSB_E_DATA_CONSTELLATION && err.msg[0] != '\0');
}

static void
try_content(struct tsb_view in)
{
	tsb_bytes_auto again = {0};
	hsm_key_auto *k = NULL;
	struct tsb_view label;
	struct tsb_err err = {0};

	if (key_decode(in, &k, &err)) {
		MUST(k == NULL && err.code == TSB_E_DATA_CONSTELLATION && err.msg[0] != '\0');
		return;
	}
	MUST(key_decode_label(in, &label, &err) == 0);
	MUST((k->public_key != NULL) == (!key_is_secret(k) && !key_is_stateful(k)));
	MUST(k->token != NULL && k->private_part.n > 0 && k->opened == NULL);
	MUST(!key_is_secret(k) || (!k->has_policy && k->certificate.n == 0));
	MUST((k->kind == KEY_EC) == (k->curve != NULL));
	key_encode(k, &again);
	MUST(tsb_view_eq(in, tsb_view_bytes(&again)));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	try_file(tsb_view_of(data, size));
	try_content(tsb_view_of(data, size));
	return 0;
}
