/*
 * A key on disk: "TSBHSMK1" and a secret box of the content under the master key. The box
 * authenticates magic and file name too, so that files cannot be swapped. The name is the SHA-256
 * of the label, so that labels need no escaping and do not show.
 */
#ifndef TSB_HSM_STORE_KEYFILE_H
#define TSB_HSM_STORE_KEYFILE_H

#include "lib/crypto/crypto.h"

#define KEYFILE_MAGIC     "TSBHSMK1"
#define KEYFILE_SUFFIX    ".key"
#define KEYFILE_NAME_SIZE (2 * CRYPTO_SHA256_SIZE + sizeof(KEYFILE_SUFFIX))
#define KEYFILE_MAX       (8 * 1024 * 1024)

struct keyfile_name {
	unsigned char hash[CRYPTO_SHA256_SIZE]; /* of the label */
	char text[KEYFILE_NAME_SIZE];
};

/* Whether a file of this name is one. */
bool keyfile_is_one(const char *name);
void keyfile_name(struct tsb_view label, struct keyfile_name *out);
/* Appends the file's bytes. */
void keyfile_seal(const unsigned char master[CRYPTO_BOX_KEY_SIZE], const char *name,
    struct tsb_view content, struct tsb_bytes *out);
/* TSB_E_DATA_CONSTELLATION unless the file was sealed with this key under this name. */
int keyfile_open(const unsigned char master[CRYPTO_BOX_KEY_SIZE], const char *name,
    struct tsb_view file, struct tsb_bytes *content, struct tsb_err *err) TSB_MUSTCHECK;

#endif
