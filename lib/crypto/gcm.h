/*
 * AES-GCM (SP 800-38D) or ChaCha20-Poly1305 (RFC 8439), everything given: for cipher texts that
 * others make or read.
 */
#ifndef TSB_CRYPTO_GCM_H
#define TSB_CRYPTO_GCM_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"

#define GCM_IV_SIZE  12
#define GCM_TAG_SIZE 16

struct gcm {
	bool chacha20; /* else AES */
	struct tsb_view key; /* 16, 24 or 32 bytes; ChaCha20: 32 */
	struct tsb_view iv; /* 1 to 64 bytes; ChaCha20: 12 */
	struct tsb_view additional;
	size_t tag_size; /* bytes */
};

/* Appends cipher text and tag. */
int gcm_seal(const struct gcm *, struct tsb_view plain, struct tsb_bytes *out, struct tsb_err *)
    TSB_MUSTCHECK;
/* Appends the plain text of cipher text and tag; TSB_E_DECRYPT_FAILED and nothing appended. */
int gcm_open(const struct gcm *, struct tsb_view sealed, struct tsb_bytes *out, struct tsb_err *)
    TSB_MUSTCHECK;

#endif
