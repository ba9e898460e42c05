#include "lib/first.h"

#include "lib/base/str.h"

#include "hsm/key/cipher.h"

/* clang-format off */
#define ROW_OAEP(name, hash) { name, KEY_RSA, CIPHER_RSA, RSA_PAD_OAEP, hash }
#define ROW_RSA(name, padding) { name, KEY_RSA, CIPHER_RSA, padding, HASH_NONE }
#define ROW_AEAD(name, kind, ...) { name, kind, CIPHER_AEAD, .iv = 12, __VA_ARGS__ }
#define ROW_PLAIN(name, kind, ...) { name, kind, CIPHER_PLAIN, __VA_ARGS__ }
/* clang-format on */

static const struct cipher_algorithm algorithms[] = {
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA512", HASH_SHA512),
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA384", HASH_SHA384),
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA256", HASH_SHA256),
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA224", HASH_SHA224),
    ROW_OAEP("RSA_PADDING_OAEP_WITH_SHA1", HASH_SHA1),
    ROW_OAEP("RSA_PADDING_OAEP", HASH_SHA1),
    ROW_RSA("RSA", RSA_PAD_PKCS1),
    ROW_RSA("RSA_PADDING_PKCS", RSA_PAD_PKCS1),
    ROW_RSA("RSA_NO_PADDING", RSA_PAD_NONE),
    {"ECIES", KEY_EC, CIPHER_ECIES},
    ROW_AEAD("AES_GCM", KEY_AES, .mode = "GCM", .short_tag = true),
    ROW_PLAIN("AES_CTR", KEY_AES, .mode = "CTR", .iv = 16),
    ROW_PLAIN("AES_ECB", KEY_AES, .mode = "ECB", .block = 16),
    ROW_PLAIN("AES_CBC_NO_PADDING", KEY_AES, .mode = "CBC", .iv = 16, .block = 16),
    ROW_PLAIN("AES", KEY_AES, .mode = "CBC", .iv = 16, .pad = true),
    ROW_AEAD("CHACHA20_AEAD", KEY_CHACHA20, .mode = "ChaCha20-Poly1305"),
    ROW_PLAIN("CHACHA20", KEY_CHACHA20, .mode = "ChaCha20", .iv = 12),
    ROW_PLAIN("CAMELLIA_ECB", KEY_CAMELLIA, .mode = "ECB", .block = 16),
    ROW_PLAIN("CAMELLIA_CBC_NO_PADDING", KEY_CAMELLIA, .mode = "CBC", .iv = 16, .block = 16),
    ROW_PLAIN("CAMELLIA", KEY_CAMELLIA, .mode = "CBC", .iv = 16, .pad = true),
    ROW_PLAIN("TDEA_ECB", KEY_TDEA, .mode = "DES-EDE3-ECB", .block = 8),
    ROW_PLAIN("TDEA_CBC_NO_PADDING", KEY_TDEA, .mode = "DES-EDE3-CBC", .iv = 8, .block = 8),
    ROW_PLAIN("TDEA_CBC", KEY_TDEA, .mode = "DES-EDE3-CBC", .iv = 8, .pad = true),
};

int
cipher_select(const struct hsm_key *k, const char *name, const struct cipher_algorithm **out,
    struct tsb_err *err)
{
	const struct cipher_algorithm *alg = algorithms;

	while (alg < algorithms + TSB_COUNT(algorithms) && !tsb_streq(alg->name, name))
		alg++;
	if (alg == algorithms + TSB_COUNT(algorithms))
		return tsb_fail(err, TSB_E_CIPHER, "cipherAlgorithm %s is not offered by this HSM",
		    name);
	if (alg->kind != k->kind)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "algorithm %s is not supported by key '%s' (%s)", name, k->label,
		    key_algorithm(k));
	*out = alg;
	return 0;
}

void
cipher_encrypted_clear(struct cipher_encrypted *e)
{
	tsb_bytes_clear(&e->payload);
	tsb_bytes_clear(&e->iv);
}
