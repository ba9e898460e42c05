#include "lib/first.h"

#include <string.h>

#include "hsm/store/keyfile.h"

void
keyfile_name(struct tsb_view label, struct keyfile_name *out)
{
	static const char digits[] = "0123456789abcdef";

	crypto_sha256(label, out->hash);
	for (size_t i = 0; i < sizeof(out->hash); i++) {
		out->text[2 * i] = digits[out->hash[i] >> 4];
		out->text[2 * i + 1] = digits[out->hash[i] & 15];
	}
	memcpy(out->text + 2 * sizeof(out->hash), KEYFILE_SUFFIX, sizeof(KEYFILE_SUFFIX));
}

bool
keyfile_is_one(const char *name)
{
	size_t n = strlen(name);

	return n == KEYFILE_NAME_SIZE - 1 &&
	    strcmp(name + 2 * CRYPTO_SHA256_SIZE, KEYFILE_SUFFIX) == 0;
}

static void
additional(const char *name, struct tsb_bytes *out)
{
	tsb_bytes_add_str(out, KEYFILE_MAGIC);
	tsb_bytes_add_str(out, name);
}

void
keyfile_seal(const unsigned char master[CRYPTO_BOX_KEY_SIZE], const char *name,
    struct tsb_view content, struct tsb_bytes *out)
{
	tsb_bytes_auto place = {0};

	additional(name, &place);
	tsb_bytes_add_str(out, KEYFILE_MAGIC);
	crypto_box_seal(master, tsb_view_bytes(&place), content, out);
}

int
keyfile_open(const unsigned char master[CRYPTO_BOX_KEY_SIZE], const char *name,
    struct tsb_view file, struct tsb_bytes *content, struct tsb_err *err)
{
	const size_t magic = strlen(KEYFILE_MAGIC);
	tsb_bytes_auto place = {0};
	struct tsb_err why;

	if (file.n < magic || memcmp(file.p, KEYFILE_MAGIC, magic) != 0)
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION, "file %s is not a key file", name);
	additional(name, &place);
	if (crypto_box_open(master, tsb_view_bytes(&place),
		tsb_view_of(file.p + magic, file.n - magic), content, &why))
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "key file %s is damaged, misplaced or of another master key", name);
	return 0;
}
