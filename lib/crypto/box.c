#include "lib/first.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/crypto/crypto.h"
#include "lib/crypto/gcm.h"
#include "lib/crypto/keypair.h"

#define PLAIN_MAX (INT_MAX / 2)
/* 2^20 blocks of 1 KiB: one derivation takes 1 GiB, more is a mistake or an attack. */
#define LOG_N_MAX 20

_Static_assert(GCM_IV_SIZE + GCM_TAG_SIZE == CRYPTO_BOX_OVERHEAD, "overhead of a box");

static struct gcm
gcm_of(struct tsb_view key, struct tsb_view nonce, struct tsb_view additional)
{
	return (struct gcm){.key = key,
	    .iv = nonce,
	    .additional = additional,
	    .tag_size = GCM_TAG_SIZE};
}

/* Only a fault of OpenSSL itself makes these calls fail. */
static void
seal(const struct gcm *g, struct tsb_view plain, struct tsb_bytes *out)
{
	struct tsb_err why;

	if (plain.n > PLAIN_MAX || gcm_seal(g, plain, out, &why))
		fatal("OpenSSL cannot seal %zu bytes with AES-GCM", plain.n);
}

void
crypto_box_seal(const unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_view additional,
    struct tsb_view plain, struct tsb_bytes *out)
{
	unsigned char nonce[GCM_IV_SIZE];

	crypto_random(nonce, sizeof(nonce));

	struct gcm g = gcm_of(tsb_view_of(key, CRYPTO_BOX_KEY_SIZE),
	    tsb_view_of(nonce, sizeof(nonce)), additional);

	tsb_bytes_add(out, nonce, sizeof(nonce));
	seal(&g, plain, out);
}

int
crypto_box_open(const unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_view additional,
    struct tsb_view box, struct tsb_bytes *plain, struct tsb_err *err)
{
	struct gcm g = gcm_of(tsb_view_of(key, CRYPTO_BOX_KEY_SIZE),
	    tsb_view_of(box.p, GCM_IV_SIZE), additional);
	struct tsb_err why;

	if (box.n < CRYPTO_BOX_OVERHEAD || box.n > PLAIN_MAX)
		return tsb_fail(err, TSB_E_DECRYPT_FAILED, "a sealed value has a wrong length");
	if (gcm_open(&g, tsb_view_of(box.p + GCM_IV_SIZE, box.n - GCM_IV_SIZE), plain, &why))
		return tsb_fail(err, TSB_E_DECRYPT_FAILED,
		    "a sealed value does not open: it was changed or the key is another one");
	return 0;
}

/* ---- a key that both sides hold ---- */

static int
check_key(struct tsb_view key, struct tsb_err *err)
{
	if (key.n != 16 && key.n != 32)
		return tsb_fail(err, TSB_E_INPUT, "a key of AES-GCM has 16 or 32 bytes");
	return 0;
}

int
crypto_gcm_seal(struct tsb_view key, struct tsb_view plain, unsigned char iv[GCM_IV_SIZE],
    struct tsb_bytes *out, struct tsb_err *err)
{
	struct gcm g = gcm_of(key, tsb_view_of(iv, GCM_IV_SIZE), (struct tsb_view){0});

	if (check_key(key, err))
		return -1;
	crypto_random(iv, GCM_IV_SIZE);
	seal(&g, plain, out);
	return 0;
}

int
crypto_gcm_open(struct tsb_view key, struct tsb_view iv, struct tsb_view sealed,
    struct tsb_bytes *plain, struct tsb_err *err)
{
	struct gcm g = gcm_of(key, iv, (struct tsb_view){0});
	struct tsb_err why;

	if (iv.n != GCM_IV_SIZE || sealed.n < GCM_TAG_SIZE || sealed.n > PLAIN_MAX)
		return tsb_fail(err, TSB_E_DECRYPT_FAILED, "an encrypted value has a wrong length");
	if (check_key(key, err))
		return -1;
	if (gcm_open(&g, sealed, plain, &why))
		return tsb_fail(err, TSB_E_DECRYPT_FAILED,
		    "an encrypted value does not open: it was changed or the key is another one");
	return 0;
}

/* ---- passwords ---- */

int
crypto_scrypt(struct tsb_view password, struct tsb_view salt, unsigned log_n,
    unsigned char key[CRYPTO_BOX_KEY_SIZE], struct tsb_err *err)
{
	uint64_t n = (uint64_t)1 << (log_n & 31);

	if (log_n < 1 || log_n > LOG_N_MAX)
		return tsb_fail(err, TSB_E_INPUT, "scrypt: cost 2^%u is not within 2^1 to 2^%d",
		    log_n, LOG_N_MAX);
	/* Memory: 128 r N, the same again for the other parts at small N. */
	if (EVP_PBE_scrypt(password.n == 0 ? "" : (const char *)password.p, password.n, salt.p,
		salt.n, n, 8, 1, 2 * 1024 * n + 1024 * 1024, key, CRYPTO_BOX_KEY_SIZE) != 1) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_TECHNICAL, "scrypt: not enough memory for cost 2^%u",
		    log_n);
	}
	return 0;
}
