/* Ciphers: vectors of the standards, the other side done by OpenSSL in another way, refusals. */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/rsa.h>

#include "lib/base/str.h"

#include "hsm/soft/ecies.h"
#include "hsm/soft/internal.h"
#include "tests/unit/hsm_keys.h"

#define AES_128 "2b7e151628aed2a6abf7158809cf4f3c" /* SP 800-38A, F */
#define AES_256 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const struct cipher_algorithm *
select_for(const struct hsm_key *k, const char *name)
{
	const struct cipher_algorithm *alg = NULL;
	struct tsb_err err;

	if (cipher_select(k, name, &alg, &err))
		fail_msg("%s", err.msg);
	return alg;
}

/* 0, or the code of the refusal. */
static enum tsb_code
decrypt(struct hsm_key *k, const char *name, const struct wire_cipher *given,
    struct tsb_view payload, struct tsb_bytes *out)
{
	token_key_auto *opened = hsm_keys_open(k, NULL);
	struct tsb_err err = {0};

	tsb_bytes_reset(out);
	if (soft_decrypt(hsm_keys_soft(opened), k, select_for(k, name), given, payload, out,
		&err) == 0)
		return TSB_OK;
	assert_int_equal(out->n, 0);
	return err.code;
}

static enum tsb_code
encrypt(struct hsm_key *k, const char *name, const struct wire_cipher *given,
    struct tsb_view payload, struct cipher_encrypted *out)
{
	token_key_auto *opened = hsm_keys_open(k, NULL);
	struct tsb_err err = {0};

	cipher_encrypted_clear(out);
	*out = (struct cipher_encrypted){0};
	return soft_encrypt(hsm_keys_soft(opened), k, select_for(k, name), given, payload, out,
		   &err)
	    ? err.code
	    : TSB_OK;
}

static void
expect_text(const struct tsb_bytes *got, const char *text)
{
	assert_true(tsb_view_eq(tsb_view_bytes(got), tsb_view_str(text)));
}

/* ---- selection ---- */

static void
test_cipher_must_fit_the_key(void **state)
{
	static const struct {
		const char *key, *cipher;
		enum tsb_code code;
	} rows[] = {
	    {"1.2.840.10045.3.1.7", "RSA", TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"1.2.840.10045.3.1.7", "AES_GCM", TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"ED", "ECIES", TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"ED", "RSA_PADDING_OAEP", TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"ED", "CHACHA20_AEAD", TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"ED", "CAMELLIA", TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"ED", "TDEA_CBC", TSB_E_ALGORITHM_NOT_SUPPORTED},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		hsm_key_auto *k = hsm_keys_make(rows[i].key, NULL);
		const struct cipher_algorithm *alg = NULL;
		struct tsb_err err;

		assert_int_equal(cipher_select(k, rows[i].cipher, &alg, &err), -1);
		assert_int_equal(err.code, rows[i].code);
		assert_null(alg);
	}
}

/* ---- AES ---- */

/* SP 800-38A, F.1.1, F.2.1, F.5.1: the first block. */
static void
test_aes_vectors(void **state)
{
	static const struct {
		const char *cipher, *iv, *sealed;
	} rows[] = {
	    {"AES_ECB", "", "3ad77bb40d7a3660a89ecaf32466ef97"},
	    {"AES_CBC_NO_PADDING", "000102030405060708090a0b0c0d0e0f",
		"7649abac8119b246cee98e9b12e9197d"},
	    {"AES_CTR", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "874d6191b620e3261bef6864990db6ce"},
	};
	hsm_key_auto *k = hsm_keys_secret(AES_128, NULL);
	tsb_bytes_auto plain = {0};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		const struct wire_cipher given = {.iv = hsm_keys_hex(rows[i].iv)};

		assert_int_equal(decrypt(k, rows[i].cipher, &given, hsm_keys_hex(rows[i].sealed),
				     &plain),
		    TSB_OK);
		hsm_keys_expect(tsb_view_bytes(&plain), "6bc1bee22e409f96e93d7e117393172a");
	}
}

/* The GCM specification (McGrew, Viega), test case 4, with its tag cut to each length. */
static void
test_gcm_vector(void **state)
{
	static const char text[] =
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
	static const char sealed[] =
	    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
	    "5bc94fbc3221a5db94fae95ae7121a47";
	static const int lengths[] = {0, 64, 96, 104, 112, 120, 128};
	hsm_key_auto *k = hsm_keys_secret("feffe9928665731c6d6a8f9467308308", NULL);
	struct wire_cipher given = {.iv = hsm_keys_hex("cafebabefacedbaddecaf888"),
	    .additional = hsm_keys_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2")};
	struct tsb_view whole = hsm_keys_hex(sealed);
	tsb_bytes_auto plain = {0};

	for (size_t i = 0; i < TSB_COUNT(lengths); i++) {
		size_t tag = lengths[i] ? (size_t)lengths[i] / 8 : 16;
		struct tsb_view cut = tsb_view_of(whole.p, whole.n - 16 + tag);

		given.tag_length = lengths[i];
		assert_int_equal(decrypt(k, "AES_GCM", &given, cut, &plain), TSB_OK);
		hsm_keys_expect(tsb_view_bytes(&plain), text);
		cut.n--;
		assert_int_equal(decrypt(k, "AES_GCM", &given, cut, &plain), TSB_E_DECRYPT_FAILED);
	}
}

static void
test_gcm_refuses_every_change(void **state)
{
	hsm_key_auto *k = hsm_keys_secret(AES_256, NULL);
	struct wire_cipher given = {.additional = tsb_view_str("data")};
	cipher_encrypted_auto sealed = {0};
	tsb_bytes_auto plain = {0};

	assert_int_equal(encrypt(k, "AES_GCM", &given, tsb_view_str("text"), &sealed), TSB_OK);
	assert_int_equal(sealed.tag_size, 16);
	assert_int_equal(sealed.iv.n, 12);
	assert_int_equal(sealed.payload.n, 4 + 16);
	given.iv = tsb_view_bytes(&sealed.iv);
	assert_int_equal(decrypt(k, "AES_GCM", &given, tsb_view_bytes(&sealed.payload), &plain),
	    TSB_OK);
	expect_text(&plain, "text");
	for (size_t i = 0; i < sealed.payload.n; i++) {
		sealed.payload.p[i] ^= 1;
		assert_int_equal(decrypt(k, "AES_GCM", &given, tsb_view_bytes(&sealed.payload),
				     &plain),
		    TSB_E_DECRYPT_FAILED);
		sealed.payload.p[i] ^= 1;
	}
	given.additional = tsb_view_str("date");
	assert_int_equal(decrypt(k, "AES_GCM", &given, tsb_view_bytes(&sealed.payload), &plain),
	    TSB_E_DECRYPT_FAILED);
	given.iv = tsb_view_of(NULL, 0);
	assert_int_equal(decrypt(k, "AES_GCM", &given, tsb_view_bytes(&sealed.payload), &plain),
	    TSB_E_INPUT);
	assert_int_equal(decrypt(k, "AES_GCM", &given, tsb_view_str("short"), &plain), TSB_E_INPUT);
}

static void
test_aes_round_trips(void **state)
{
	static const char *const ciphers[] = {"AES_GCM", "AES_CTR", "AES_ECB", "AES_CBC_NO_PADDING",
	    "AES"};
	static const char *const keys[] = {AES_128,
	    "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", AES_256};
	static const unsigned char message[64] = "two blocks and a bit more of text";
	tsb_bytes_auto plain = {0};

	for (size_t c = 0; c < TSB_COUNT(ciphers); c++)
		for (size_t n = 0; n < TSB_COUNT(keys); n++)
			for (size_t size = 16; size <= 64; size += 16) {
				hsm_key_auto *k = hsm_keys_secret(keys[n], NULL);
				cipher_encrypted_auto one = {0};
				cipher_encrypted_auto two = {0};
				struct wire_cipher given = {0};
				struct tsb_view text = tsb_view_of(message, size);

				assert_int_equal(encrypt(k, ciphers[c], &given, text, &one),
				    TSB_OK);
				assert_int_equal(encrypt(k, ciphers[c], &given, text, &two),
				    TSB_OK);
				assert_int_equal(tsb_view_eq(tsb_view_bytes(&one.payload),
						     tsb_view_bytes(&two.payload)),
				    tsb_streq(ciphers[c], "AES_ECB"));
				given.iv = tsb_view_bytes(&one.iv);
				assert_int_equal(decrypt(k, ciphers[c], &given,
						     tsb_view_bytes(&one.payload), &plain),
				    TSB_OK);
				assert_true(tsb_view_eq(tsb_view_bytes(&plain), text));
			}
}

static void
test_aes_refuses_sizes(void **state)
{
	hsm_key_auto *k = hsm_keys_secret(AES_256, NULL);
	const struct wire_cipher none = {0}, iv = {.iv = hsm_keys_hex(AES_128)};
	cipher_encrypted_auto sealed = {0};
	tsb_bytes_auto plain = {0};

	assert_int_equal(encrypt(k, "AES_ECB", &none, tsb_view_str("15 bytes of txt"), &sealed),
	    TSB_E_PAYLOAD);
	assert_int_equal(encrypt(k, "AES_CBC_NO_PADDING", &none, tsb_view_str("x"), &sealed),
	    TSB_E_PAYLOAD);
	assert_int_equal(decrypt(k, "AES_ECB", &none, tsb_view_str("x"), &plain), TSB_E_PAYLOAD);
	assert_int_equal(decrypt(k, "AES_CTR", &none, tsb_view_str("x"), &plain), TSB_E_INPUT);
	assert_int_equal(decrypt(k, "AES", &none, hsm_keys_hex(AES_128), &plain), TSB_E_INPUT);
	/* no padding, and not whole blocks */
	assert_int_equal(decrypt(k, "AES", &iv, hsm_keys_hex(AES_128), &plain),
	    TSB_E_DECRYPT_FAILED);
	assert_int_equal(decrypt(k, "AES", &iv, tsb_view_str("x"), &plain), TSB_E_DECRYPT_FAILED);
}

/* ---- RSA ---- */

/* The other side: parameters by name, as another program would set them. */
static size_t
rsa_other_side(EVP_PKEY *key, bool encrypts, const char *padding, const char *md,
    struct tsb_view in, unsigned char *out, size_t size)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, "provider=default");
	OSSL_PARAM params[4], *p = params;
	int rc;

	*p++ =
	    OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, (char *)padding, 0);
	if (md) {
		*p++ = OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST,
		    (char *)md, 0);
		*p++ = OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST,
		    (char *)md, 0);
	}
	*p = OSSL_PARAM_construct_end();
	if (encrypts)
		rc = EVP_PKEY_encrypt_init_ex(ctx, params) == 1
		    ? EVP_PKEY_encrypt(ctx, out, &size, in.p, in.n)
		    : 0;
	else
		rc = EVP_PKEY_decrypt_init_ex(ctx, params) == 1
		    ? EVP_PKEY_decrypt(ctx, out, &size, in.p, in.n)
		    : 0;
	EVP_PKEY_CTX_free(ctx);
	assert_int_equal(rc, 1);
	return size;
}

static const struct {
	const char *cipher, *padding, *md;
	size_t overhead;
} rsa_rows[] = {
    {"RSA_PADDING_OAEP_WITH_SHA512", OSSL_PKEY_RSA_PAD_MODE_OAEP, "SHA512", 130},
    {"RSA_PADDING_OAEP_WITH_SHA384", OSSL_PKEY_RSA_PAD_MODE_OAEP, "SHA384", 98},
    {"RSA_PADDING_OAEP_WITH_SHA256", OSSL_PKEY_RSA_PAD_MODE_OAEP, "SHA256", 66},
    {"RSA_PADDING_OAEP_WITH_SHA224", OSSL_PKEY_RSA_PAD_MODE_OAEP, "SHA224", 58},
    {"RSA_PADDING_OAEP_WITH_SHA1", OSSL_PKEY_RSA_PAD_MODE_OAEP, "SHA1", 42},
    {"RSA_PADDING_OAEP", OSSL_PKEY_RSA_PAD_MODE_OAEP, "SHA1", 42},
    {"RSA", OSSL_PKEY_RSA_PAD_MODE_PKCSV15, NULL, 11},
    {"RSA_PADDING_PKCS", OSSL_PKEY_RSA_PAD_MODE_PKCSV15, NULL, 11},
};

static void
test_rsa_both_ways(void **state)
{
	hsm_key_auto *k = hsm_keys_make("RSA", NULL);
	token_key_auto *opened = hsm_keys_open(k, NULL);
	const struct wire_cipher given = {0};
	unsigned char buf[256], longest[256] = {1, 2, 3};

	for (size_t i = 0; i < TSB_COUNT(rsa_rows); i++) {
		struct tsb_view most = tsb_view_of(longest, 256 - rsa_rows[i].overhead);
		cipher_encrypted_auto sealed = {0};
		tsb_bytes_auto plain = {0};
		size_t n;

		assert_int_equal(encrypt(k, rsa_rows[i].cipher, &given, most, &sealed), TSB_OK);
		assert_int_equal(sealed.payload.n, 256);
		assert_int_equal(sealed.iv.n + sealed.tag_size, 0);
		n = rsa_other_side(hsm_keys_soft(opened)->pair, false, rsa_rows[i].padding,
		    rsa_rows[i].md, tsb_view_bytes(&sealed.payload), buf, sizeof(buf));
		assert_true(tsb_view_eq(tsb_view_of(buf, n), most));

		rsa_other_side(k->public_key, true, rsa_rows[i].padding, rsa_rows[i].md,
		    tsb_view_str("message"), buf, sizeof(buf));
		assert_int_equal(decrypt(k, rsa_rows[i].cipher, &given,
				     tsb_view_of(buf, sizeof(buf)), &plain),
		    TSB_OK);
		expect_text(&plain, "message");

		most.n++;
		assert_int_equal(encrypt(k, rsa_rows[i].cipher, &given, most, &sealed),
		    TSB_E_PAYLOAD);
	}
}

static void
test_rsa_without_padding(void **state)
{
	hsm_key_auto *k = hsm_keys_make("RSA", NULL);
	const struct wire_cipher given = {0};
	cipher_encrypted_auto sealed = {0};
	tsb_bytes_auto plain = {0};
	unsigned char large[256];

	assert_int_equal(encrypt(k, "RSA_NO_PADDING", &given, tsb_view_str("message"), &sealed),
	    TSB_OK);
	assert_int_equal(decrypt(k, "RSA_NO_PADDING", &given, tsb_view_bytes(&sealed.payload),
			     &plain),
	    TSB_OK);
	assert_int_equal(plain.n, 256);
	for (size_t i = 0; i < 256 - 7; i++)
		assert_int_equal(plain.p[i], 0);
	assert_memory_equal(plain.p + 256 - 7, "message", 7);
	memset(large, 0xff, sizeof(large));
	assert_int_equal(encrypt(k, "RSA_NO_PADDING", &given, tsb_view_of(large, sizeof(large)),
			     &sealed),
	    TSB_E_PAYLOAD);
}

/* One code and one text, whatever is wrong: what the padding was like is not told. */
static void
test_rsa_failures_look_alike(void **state)
{
	hsm_key_auto *k = hsm_keys_make("RSA", NULL);
	token_key_auto *opened = hsm_keys_open(k, NULL);
	const struct wire_cipher given = {0};
	unsigned char block[257] = {0};
	char text[sizeof(((struct tsb_err *)0)->msg)] = "";

	for (size_t n = 255; n <= 257; n++)
		for (size_t i = 0; i < 6; i++) {
			tsb_bytes_auto plain = {0};
			struct tsb_err err = {0};

			block[20 * i] = (unsigned char)(i + 1);
			assert_int_equal(soft_decrypt(hsm_keys_soft(opened), k,
					     select_for(k, rsa_rows[i].cipher), &given,
					     tsb_view_of(block, n), &plain, &err),
			    -1);
			assert_int_equal(err.code, TSB_E_DECRYPT_FAILED);
			if (*text)
				assert_string_equal(err.msg, text);
			strcpy(text, err.msg);
		}
}

/* ---- ECIES ---- */

/*
 * The other side, written from docs/hsm-api.md alone with other means: HMAC for HKDF, the shared
 * secret by arithmetic on the curve.
 */
static void
ecies_other_side(const struct hsm_key *k, const char *group_name, struct tsb_view additional,
    const char *text, struct tsb_bytes *out)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(group_name));
	BIGNUM *d = BN_new(), *x = BN_new(), *order = BN_new();
	EC_POINT *ephemeral = EC_POINT_new(group), *receiver = EC_POINT_new(group),
		 *shared = EC_POINT_new(group);
	unsigned char mine[200], theirs[200], secret[66], prk[32], t1[32], t2[32], tag[16];
	unsigned char keys[64], sealed[64], zeros[32] = {0};
	tsb_bytes_auto info = {0};
	size_t nmine, ntheirs, field = (size_t)(EC_GROUP_get_degree(group) + 7) / 8;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	assert_int_equal(EVP_PKEY_get_octet_string_param(k->public_key, OSSL_PKEY_PARAM_PUB_KEY,
			     theirs, sizeof(theirs), &ntheirs),
	    1);
	assert_int_equal(EC_POINT_oct2point(group, receiver, theirs, ntheirs, NULL), 1);
	EC_GROUP_get_order(group, order, NULL);
	BN_rand_range(d, order);
	EC_POINT_mul(group, ephemeral, d, NULL, NULL, NULL);
	EC_POINT_mul(group, shared, NULL, receiver, d, NULL);
	nmine = EC_POINT_point2oct(group, ephemeral, POINT_CONVERSION_UNCOMPRESSED, mine,
	    sizeof(mine), NULL);
	EC_POINT_get_affine_coordinates(group, shared, x, NULL, NULL);
	BN_bn2binpad(x, secret, (int)field);
	/* RFC 5869 */
	EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, zeros, 32, secret, field, prk, 32, NULL);
	tsb_bytes_add_str(&info, "tsb-hsm ECIES 1");
	tsb_bytes_add(&info, mine, nmine);
	tsb_bytes_add(&info, theirs, ntheirs);
	tsb_bytes_add(&info, "\1", 1);
	EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, prk, 32, info.p, info.n, t1, 32, NULL);
	info.p[info.n - 1] = 2;
	{
		tsb_bytes_auto second = {0};

		tsb_bytes_add(&second, t1, 32);
		tsb_bytes_add(&second, info.p, info.n);
		EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, prk, 32, second.p, second.n, t2, 32,
		    NULL);
	}
	memcpy(keys, t1, 32);
	memcpy(keys + 32, t2, 32);
	EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, keys, keys + 32);
	EVP_EncryptUpdate(ctx, NULL, &n, additional.p, (int)additional.n);
	EVP_EncryptUpdate(ctx, sealed, &n, (const unsigned char *)text, (int)strlen(text));
	EVP_EncryptFinal_ex(ctx, sealed + n, &n);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag);
	tsb_bytes_add(out, mine, nmine);
	tsb_bytes_add(out, sealed, strlen(text));
	tsb_bytes_add(out, tag, 16);
	EVP_CIPHER_CTX_free(ctx);
	EC_POINT_free(ephemeral);
	EC_POINT_free(receiver);
	EC_POINT_free(shared);
	BN_free(d);
	BN_free(x);
	BN_free(order);
	EC_GROUP_free(group);
}

/* All curves: their fields and orders differ in size (secp224k1: 28 and 29 bytes). */
static const struct {
	const char *oid, *group;
} curves[] = {
    {"1.2.840.10045.3.1.7", "prime256v1"},
    {"1.3.132.0.10", "secp256k1"},
    {"1.3.132.0.34", "secp384r1"},
    {"1.3.132.0.35", "secp521r1"},
    {"1.3.132.0.32", "secp224k1"},
    {"1.2.840.10045.3.1.4", "prime239v1"},
    {"1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"},
};

static void
test_ecies_both_ways(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(curves); i++) {
		hsm_key_auto *k = hsm_keys_make(curves[i].oid, NULL);
		const struct wire_cipher given = {.additional = tsb_view_str("data")};
		cipher_encrypted_auto sealed = {0};
		tsb_bytes_auto plain = {0};
		tsb_bytes_auto theirs = {0};

		assert_int_equal(encrypt(k, "ECIES", &given, tsb_view_str("text"), &sealed),
		    TSB_OK);
		assert_int_equal(sealed.tag_size, 16);
		assert_int_equal(decrypt(k, "ECIES", &given, tsb_view_bytes(&sealed.payload),
				     &plain),
		    TSB_OK);
		expect_text(&plain, "text");
		ecies_other_side(k, curves[i].group, given.additional, "their text", &theirs);
		assert_int_equal(decrypt(k, "ECIES", &given, tsb_view_bytes(&theirs), &plain),
		    TSB_OK);
		expect_text(&plain, "their text");
	}
}

static void
test_ecies_refuses_every_change(void **state)
{
	hsm_key_auto *k = hsm_keys_make("1.3.132.0.10", NULL);
	hsm_key_auto *other = hsm_keys_make("1.3.132.0.10", NULL);
	struct wire_cipher given = {0};
	cipher_encrypted_auto sealed = {0};
	tsb_bytes_auto plain = {0};

	assert_int_equal(encrypt(k, "ECIES", &given, tsb_view_str("text"), &sealed), TSB_OK);
	assert_int_equal(sealed.payload.n, 65 + 4 + 16);
	for (size_t i = 0; i < sealed.payload.n; i++) {
		sealed.payload.p[i] ^= 1;
		assert_int_equal(decrypt(k, "ECIES", &given, tsb_view_bytes(&sealed.payload),
				     &plain),
		    TSB_E_DECRYPT_FAILED);
		sealed.payload.p[i] ^= 1;
		assert_int_equal(decrypt(k, "ECIES", &given, tsb_view_of(sealed.payload.p, i),
				     &plain),
		    TSB_E_DECRYPT_FAILED);
	}
	assert_int_equal(decrypt(other, "ECIES", &given, tsb_view_bytes(&sealed.payload), &plain),
	    TSB_E_DECRYPT_FAILED);
	given.tag_length = 64;
	assert_int_equal(decrypt(k, "ECIES", &given, tsb_view_bytes(&sealed.payload), &plain),
	    TSB_E_TAG_LENGTH);
	assert_int_equal(encrypt(k, "ECIES", &given, tsb_view_str("text"), &sealed),
	    TSB_E_TAG_LENGTH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cipher_must_fit_the_key),
	    cmocka_unit_test(test_aes_vectors),
	    cmocka_unit_test(test_gcm_vector),
	    cmocka_unit_test(test_gcm_refuses_every_change),
	    cmocka_unit_test(test_aes_round_trips),
	    cmocka_unit_test(test_aes_refuses_sizes),
	    cmocka_unit_test(test_rsa_both_ways),
	    cmocka_unit_test(test_rsa_without_padding),
	    cmocka_unit_test(test_rsa_failures_look_alike),
	    cmocka_unit_test(test_ecies_both_ways),
	    cmocka_unit_test(test_ecies_refuses_every_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
