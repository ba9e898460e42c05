/* Keys on their way into an HSM or out of it, in the files that people have. */
#ifndef TSB_CRYPTO_PLAIN_H
#define TSB_CRYPTO_PLAIN_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* Views in the arena; a private key there is a secret until the arena is cleared. */
struct plain_key {
	struct tsb_view private_key; /* PKCS#8 DER; empty: the file has none */
	struct tsb_view spki; /* always */
	struct tsb_view certificate; /* of this key, DER; empty: none beside it */
	const char *algorithm; /* as the API calls it; NULL: OpenSSL alone knows it */
};

/*
 * A private key (PEM, PKCS#8 or an older form, encrypted or not; PKCS#12), else a certificate or
 * public key. passphrase NULL: TSB_E_DECRYPT_FAILED if the file needs one. TSB_E_PARSING_KEY,
 * TSB_E_READING_PEM, TSB_E_DECRYPT_FAILED for what does not open.
 */
int crypto_plain_read(struct tsb_view file, const char *passphrase, struct arena *a,
    struct plain_key *out, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Appends the PEM of a private key in PKCS#8 DER, whose kind need not be known here: encrypted
 * (PBES2: PBKDF2-HMAC-SHA256, AES-256) unless passphrase is NULL. TSB_E_PARSING_KEY.
 */
int crypto_plain_pem(struct tsb_view pkcs8, const char *passphrase, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
