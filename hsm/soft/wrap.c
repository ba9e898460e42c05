/* Wrapping and unwrapping by OpenSSL. */
#include "lib/first.h"

#include <string.h>

#include <openssl/err.h>

#include "lib/crypto/owned.h"

#include "hsm/soft/internal.h"
#include "hsm/soft/kem.h"
#include "hsm/soft/rsa.h"

#define SEMIBLOCK 8 /* bytes that AES key wrap takes at a time */

static bool
aes_run(const char *mode, struct tsb_view key, bool wrap, struct tsb_view in, struct tsb_bytes *out)
{
	cipher_auto *cipher = soft_cipher(KEY_AES, (unsigned)key.n * 8, mode);
	cipher_ctx_auto *ctx = EVP_CIPHER_CTX_new();
	tsb_bytes_auto result = {0};
	unsigned char *p = tsb_bytes_grow(&result, in.n + 2 * SEMIBLOCK);
	int n = 0;
	bool ok;

	if (cipher == NULL || ctx == NULL)
		return false;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ok = EVP_CipherInit_ex2(ctx, cipher, key.p, NULL, wrap, NULL) == 1 &&
	    EVP_CipherUpdate(ctx, p, &n, in.p, (int)in.n) == 1 && n > 0;
	if (ok)
		tsb_bytes_add(out, p, (size_t)n);
	ERR_clear_error();
	return ok;
}

static int
kem_wrap(const struct hsm_key *k, const struct wrap_method *m, struct tsb_view value,
    struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto whole = {0};
	tsb_bytes_auto secret = {0};

	if (!kem_encapsulate(k->public_key, &whole, &secret) ||
	    !aes_run(m->mode, tsb_view_bytes(&secret), true, value, &whole))
		return tsb_fail(err, TSB_E_HSM, "Error wrapping key");
	tsb_bytes_add_view(out, tsb_view_bytes(&whole));
	return 0;
}

int
soft_wrap(const struct soft_key *key, const struct hsm_key *k, const struct wrap_method *m,
    struct tsb_view value, struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto whole = {0};

	if (m->wrapping == KEY_RSA)
		return rsa_encrypt(k->public_key, m->padding, m->hash, value, out, err);
	if (m->wrapping == KEY_ML_KEM)
		return kem_wrap(k, m, value, out, err);
	tsb_bytes_add_view(&whole, value);
	/*
	 * RFC 3394 wraps whole semiblocks. PKCS#8 tells its own length, so zeros behind it do no
	 * harm.
	 */
	if (!key_kinds[m->wrapped].secret && strcmp(m->mode, "WRAP") == 0 && value.n % SEMIBLOCK) {
		size_t n = SEMIBLOCK - value.n % SEMIBLOCK;

		memset(tsb_bytes_grow(&whole, n), 0, n);
	}
	if (strcmp(m->mode, "WRAP") == 0 && (whole.n < 2 * SEMIBLOCK || whole.n % SEMIBLOCK))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "wrapMethod %s takes keys of 16, 24, 32 ... bytes, not of %zu: AES_WRAP_PAD does",
		    m->name, whole.n);
	if (!aes_run(m->mode, tsb_view_bytes(&key->secret), true, tsb_view_bytes(&whole), out))
		return tsb_fail(err, TSB_E_HSM, "Error wrapping key");
	return 0;
}

/* Length of the SEQUENCE (X.690, 8.1.3) at the start of v; v.n if there is none. */
static size_t
der_size(struct tsb_view v)
{
	size_t n = 0, head = 2;

	if (v.n < 2 || v.p[0] != 0x30)
		return v.n;
	if (v.p[1] < 0x80)
		return head + v.p[1];
	head += v.p[1] & 0x7f;
	if (head > 6 || head > v.n)
		return v.n;
	for (size_t i = 2; i < head; i++)
		n = n << 8 | v.p[i];
	return head + n;
}

/*
 * Removes the zeros that soft_wrap() put behind PKCS#8. Everything else is for the reader to
 * refuse.
 */
static void
cut_zeros(struct tsb_bytes *value)
{
	size_t n = der_size(tsb_view_bytes(value));

	if (n >= value->n || value->n - n >= SEMIBLOCK)
		return;
	for (size_t i = n; i < value->n; i++)
		if (value->p[i])
			return;
	value->n = n;
}

int
soft_unwrap(const struct soft_key *key, const struct wrap_method *m, struct tsb_view wrapped,
    struct tsb_bytes *out, struct tsb_err *err)
{
	tsb_bytes_auto value = {0};
	tsb_bytes_auto secret = {0};
	struct tsb_err why;
	bool ok;

	if (m->wrapping == KEY_RSA)
		ok = rsa_decrypt(key->pair, m->padding, m->hash, wrapped, &value, &why) == 0;
	else if (m->wrapping == KEY_ML_KEM)
		ok = kem_decapsulate(key->pair, &wrapped, &secret) &&
		    aes_run(m->mode, tsb_view_bytes(&secret), false, wrapped, &value);
	else
		ok = aes_run(m->mode, tsb_view_bytes(&key->secret), false, wrapped, &value);
	if (!ok)
		return tsb_fail(err, TSB_E_HSM, "Error unwrapping key");
	if (!key_kinds[m->wrapped].secret && strcmp(m->mode, "WRAP") == 0)
		cut_zeros(&value);
	tsb_bytes_add_view(out, tsb_view_bytes(&value));
	return 0;
}
