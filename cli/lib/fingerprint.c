#include "lib/first.h"

#include "lib/base/enc.h"
#include "lib/crypto/crypto.h"

#include "cli/lib/fingerprint.h"

const char *
fingerprint_of(struct arena *a, struct tsb_view spki)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(spki, digest);
	return arena_printf(a, "SHA256:%s", enc_hex_str(a, tsb_view_of(digest, 16)));
}

const char *
fingerprint_kind(struct tsb_view spki)
{
	struct tsb_err ignored;
	enum ska_key_type type;

	return crypto_spki_type(spki, &type, &ignored) ? "unusable" : ska_key_type_names[type];
}

const char *
fingerprint_key(struct arena *a, struct tsb_view spki)
{
	return arena_printf(a, "%s %s", fingerprint_kind(spki), fingerprint_of(a, spki));
}
