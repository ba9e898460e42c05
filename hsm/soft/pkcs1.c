/*
 * Decryption with PKCS#1 v1.5 that does not tell whether the padding was right (Bleichenbacher):
 * a wrong block opens to bytes that nobody knows and that are always the same for it. This is the
 * implicit rejection of draft-irtf-cfrg-rsa-guidance and of OpenSSL 3.2 for an OpenSSL that lacks
 * it; both give the same bytes. Nothing that depends on the block decides a branch or an address
 * before the message is cut out, whose length is known to the caller in any case.
 */
#include "lib/first.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "lib/crypto/owned.h"

#include "hsm/soft/rsa.h"

#define MODULUS_MAX   2048 /* bytes */
#define PADDING_MIN   8
#define LENGTHS       128 /* candidates of two bytes for the length of a synthetic message */
#define DERIVED_CHUNK 32

/* ---- masks: all ones for true ---- */

static uint32_t
mask_zero(uint32_t x)
{
	return 0u - ((~x & (x - 1)) >> 31);
}

static uint32_t
mask_less(uint32_t x, uint32_t y) /* both below 2^31 */
{
	return 0u - ((x - y) >> 31);
}

static uint32_t
choose(uint32_t mask, uint32_t yes, uint32_t no)
{
	return (mask & yes) | (~mask & no);
}

/* ---- the synthetic message ---- */

/* The key of the derivation: HMAC over the block under the hash of the private exponent. */
static bool
derivation_key(EVP_PKEY *key, struct tsb_view block, unsigned char out[DERIVED_CHUNK])
{
	unsigned char bytes[MODULUS_MAX], hash[DERIVED_CHUNK];
	bn_auto *d = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_D, &d) == 1 &&
	    BN_bn2binpad(d, bytes, (int)block.n) == (int)block.n &&
	    EVP_Digest(bytes, block.n, hash, NULL, EVP_sha256(), NULL) == 1 &&
	    HMAC(EVP_sha256(), hash, sizeof(hash), block.p, block.n, out, NULL) != NULL;

	if (d != NULL)
		BN_clear(d);
	tsb_wipe(bytes, sizeof(bytes));
	tsb_wipe(hash, sizeof(hash));
	return ok;
}

/* HMAC over a counter, the label and the length in bits, chunk by chunk. */
static bool
derive(const unsigned char key[DERIVED_CHUNK], const char *label, unsigned char *out, size_t n)
{
	unsigned char chunk[DERIVED_CHUNK];
	tsb_bytes_auto in = {0};

	for (size_t at = 0, i = 0; at < n; at += DERIVED_CHUNK, i++) {
		const unsigned char counter[2] = {(unsigned char)(i >> 8), (unsigned char)i};
		const unsigned char bits[2] = {(unsigned char)(n * 8 >> 8), (unsigned char)(n * 8)};

		tsb_bytes_reset(&in);
		tsb_bytes_add(&in, counter, sizeof(counter));
		tsb_bytes_add_str(&in, label);
		tsb_bytes_add(&in, bits, sizeof(bits));
		if (HMAC(EVP_sha256(), key, DERIVED_CHUNK, in.p, in.n, chunk, NULL) == NULL)
			return false;
		memcpy(out + at, chunk, n - at < DERIVED_CHUNK ? n - at : DERIVED_CHUNK);
	}
	tsb_wipe(chunk, sizeof(chunk));
	return true;
}

/* The last of the candidates that a block of n bytes has room for. */
static uint32_t
synthetic_length(const unsigned char candidates[2 * LENGTHS], size_t n)
{
	const uint32_t below = (uint32_t)n - 2 - PADDING_MIN;
	uint32_t mask = below, length = 0;

	for (unsigned shift = 1; shift <= 8; shift *= 2)
		mask |= mask >> shift;
	for (size_t i = 0; i < LENGTHS; i++) {
		uint32_t one = ((uint32_t)candidates[2 * i] << 8 | candidates[2 * i + 1]) & mask;

		length = choose(mask_less(one, below), one, length);
	}
	return length;
}

/* ---- the block ---- */

/* Where the message begins; *good: the block is 00 02, eight bytes or more, 00, message. */
static uint32_t
message_start(struct tsb_view block, uint32_t *good)
{
	uint32_t found = 0, zero = 0;

	for (size_t i = 2; i < block.n; i++) {
		uint32_t is_zero = mask_zero(block.p[i]);

		zero = choose(~found & is_zero, (uint32_t)i, zero);
		found |= is_zero;
	}
	*good =
	    mask_zero(block.p[0]) & mask_zero(block.p[1] ^ 2u) & ~mask_less(zero, 2 + PADDING_MIN);
	return zero + 1;
}

int
rsa_pkcs1_message(EVP_PKEY *key, struct tsb_view block, struct tsb_view opened,
    struct tsb_bytes *out, struct tsb_err *err)
{
	unsigned char derived[DERIVED_CHUNK], lengths[2 * LENGTHS], synthetic[MODULUS_MAX];
	uint32_t good, start;

	if (block.n > MODULUS_MAX || block.n != opened.n || block.n < 11 ||
	    !derivation_key(key, block, derived) ||
	    !derive(derived, "length", lengths, sizeof(lengths)) ||
	    !derive(derived, "message", synthetic, block.n))
		return tsb_fail(err, TSB_E_DECRYPT_FAILED, "the payload cannot be decrypted");
	start = message_start(opened, &good);
	start = choose(good, start, (uint32_t)block.n - synthetic_length(lengths, block.n));
	for (size_t i = 0; i < block.n; i++)
		synthetic[i] = (unsigned char)choose(good, opened.p[i], synthetic[i]);
	tsb_bytes_add(out, synthetic + start, block.n - start);
	tsb_wipe(synthetic, sizeof(synthetic));
	tsb_wipe(derived, sizeof(derived));
	return 0;
}
