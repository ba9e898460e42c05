/* tsb apikey new: prints the key for its user and the digest for the settings of the broker. */
#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/crypto/crypto.h"

#include "cli/admin/commands.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"

#define APIKEY_BYTES 32

int
cli_apikey_new(struct cli *c)
{
	unsigned char random[APIKEY_BYTES], digest[CRYPTO_SHA256_SIZE];
	doc_auto t = {0};
	const char *key;

	crypto_random(random, sizeof(random));
	key = enc_hex_str(&c->arena, tsb_view_of(random, sizeof(random)));
	tsb_wipe(random, sizeof(random));
	crypto_sha256(tsb_view_str(key), digest);
	doc_start(&t, c->json);
	doc_text(&t, "api key", key);
	doc_format(&t, "settings line", "sha256:%s",
	    enc_hex_str(&c->arena, tsb_view_of(digest, sizeof(digest))));
	doc_print(&t);
	return 0;
}
