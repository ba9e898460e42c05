#include "lib/first.h"

#include <string.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_recovery.h>
#include <secp256k1_schnorrsig.h>

#include "lib/crypto/crypto.h"
#include "lib/crypto/curve.h"
#include "lib/crypto/k256.h"
#include "lib/crypto/owned.h"

/* ---- contexts ---- */

/* What needs no secret takes the library's constant context. */
static const secp256k1_context *
open_context(void)
{
	return secp256k1_context_static;
}

/*
 * The context of this process for secrets: random bytes blind its multiplications. A child of fork
 * takes others than its parent and its siblings.
 */
static const secp256k1_context *
secret_context(void)
{
	static secp256k1_context *context;
	static pid_t owner;
	unsigned char seed[32];

	if (owner == getpid())
		return context;
	if (context == NULL)
		context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	crypto_random(seed, sizeof(seed));
	if (context == NULL || !secp256k1_context_randomize(context, seed))
		fatal("libsecp256k1 gives no context");
	tsb_wipe(seed, sizeof(seed));
	owner = getpid();
	return context;
}

static int
failed(struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_HSM, "Error creating signature. secp256k1 computation failed.");
}

/* ---- keys ---- */

static void
compress(const secp256k1_pubkey *key, unsigned char out[K256_POINT])
{
	size_t n = K256_POINT;

	(void)secp256k1_ec_pubkey_serialize(open_context(), out, &n, key, SECP256K1_EC_COMPRESSED);
}

int
k256_point(const unsigned char key[K256_SIZE], unsigned char out[K256_POINT], struct tsb_err *err)
{
	secp256k1_pubkey public;

	if (!secp256k1_ec_pubkey_create(secret_context(), &public, key))
		return tsb_fail(err, TSB_E_DATA_CONSTELLATION,
		    "the number is not a private key of secp256k1");
	compress(&public, out);
	return 0;
}

bool
k256_point_parse(struct tsb_view encoded, unsigned char out[K256_POINT])
{
	secp256k1_pubkey public;

	if (encoded.n == 0 ||
	    !secp256k1_ec_pubkey_parse(open_context(), &public, encoded.p, encoded.n))
		return false;
	compress(&public, out);
	return true;
}

bool
k256_key_add(unsigned char key[K256_SIZE], const unsigned char tweak[K256_SIZE])
{
	return secp256k1_ec_seckey_tweak_add(secret_context(), key, tweak) == 1;
}

bool
k256_point_add(unsigned char point[K256_POINT], const unsigned char tweak[K256_SIZE])
{
	secp256k1_pubkey public;

	if (!secp256k1_ec_pubkey_parse(open_context(), &public, point, K256_POINT) ||
	    !secp256k1_ec_pubkey_tweak_add(open_context(), &public, tweak))
		return false;
	compress(&public, point);
	return true;
}

bool
k256_point_expand(const unsigned char point[K256_POINT], unsigned char out[2 * K256_SIZE])
{
	unsigned char encoded[1 + 2 * K256_SIZE];
	size_t n = sizeof(encoded);
	secp256k1_pubkey public;

	if (!secp256k1_ec_pubkey_parse(open_context(), &public, point, K256_POINT))
		return false;
	(void)secp256k1_ec_pubkey_serialize(open_context(), encoded, &n, &public,
	    SECP256K1_EC_UNCOMPRESSED);
	memcpy(out, encoded + 1, n - 1);
	return true;
}

bool
k256_point_of(EVP_PKEY *key, unsigned char out[K256_POINT])
{
	static const char name[] = OSSL_PKEY_PARAM_PUB_KEY;
	unsigned char encoded[1 + 2 * K256_SIZE];
	size_t n = 0;
	bool ok = curve_of(key) == curve_secp256k1 &&
	    EVP_PKEY_get_octet_string_param(key, name, encoded, sizeof(encoded), &n) == 1;

	ERR_clear_error();
	return ok && k256_point_parse(tsb_view_of(encoded, n), out);
}

bool
k256_key_of(EVP_PKEY *key, unsigned char out[K256_SIZE])
{
	BIGNUM *number = NULL;
	bool ok = curve_of(key) == curve_secp256k1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
	    BN_bn2binpad(number, out, K256_SIZE) == K256_SIZE;

	BN_clear_free(number);
	ERR_clear_error();
	return ok;
}

/* ---- ECDSA ---- */

/* bits2int of RFC 6979 for an order of 256 bits. */
static void
as_number(struct tsb_view digest, unsigned char out[K256_SIZE])
{
	size_t n = digest.n < K256_SIZE ? digest.n : K256_SIZE;

	memset(out, 0, K256_SIZE);
	if (n > 0)
		memcpy(out + K256_SIZE - n, digest.p, n);
}

int
k256_ecdsa_sign(const unsigned char key[K256_SIZE], struct tsb_view digest, bool deterministic,
    unsigned char out[K256_SIGNATURE], struct tsb_err *err)
{
	unsigned char number[K256_SIZE], random[32];
	secp256k1_ecdsa_signature signature;
	int ok;

	as_number(digest, number);
	if (!deterministic)
		crypto_random(random, sizeof(random));
	ok = secp256k1_ecdsa_sign(secret_context(), &signature, number, key,
	    secp256k1_nonce_function_rfc6979, deterministic ? NULL : random);
	tsb_wipe(random, sizeof(random));
	if (!ok)
		return failed(err);
	(void)secp256k1_ecdsa_signature_serialize_compact(open_context(), out, &signature);
	return 0;
}

bool
k256_ecdsa_lower(unsigned char signature[K256_SIGNATURE])
{
	secp256k1_ecdsa_signature parsed;

	if (!secp256k1_ecdsa_signature_parse_compact(open_context(), &parsed, signature))
		return false;
	if (secp256k1_ecdsa_signature_normalize(open_context(), &parsed, &parsed))
		(void)secp256k1_ecdsa_signature_serialize_compact(open_context(), signature,
		    &parsed);
	return true;
}

int
k256_ecdsa_recovery(const unsigned char signature[K256_SIGNATURE], struct tsb_view digest,
    const unsigned char point[K256_POINT])
{
	secp256k1_ecdsa_recoverable_signature parsed;
	unsigned char number[K256_SIZE], recovered[K256_POINT];
	secp256k1_pubkey public;

	as_number(digest, number);
	for (int id = 0; id < 4; id++) {
		if (!secp256k1_ecdsa_recoverable_signature_parse_compact(open_context(), &parsed,
			signature, id) ||
		    !secp256k1_ecdsa_recover(open_context(), &public, &parsed, number))
			continue;
		compress(&public, recovered);
		if (memcmp(recovered, point, K256_POINT) == 0)
			return id;
	}
	return -1;
}

/* ---- BIP-340 ---- */

/* The number that BIP-341 adds to the key whose x coordinate this is. False: none. */
static bool
taproot_number(const struct k256_taproot *taproot, const secp256k1_xonly_pubkey *key,
    unsigned char out[K256_SIZE])
{
	static const unsigned char tag[] = {'T', 'a', 'p', 'T', 'w', 'e', 'a', 'k'};
	unsigned char committed[2 * K256_SIZE];

	if (taproot->tweak.n == K256_SIZE) {
		memcpy(out, taproot->tweak.p, K256_SIZE);
		return true;
	}
	if (taproot->merkle_root.n != K256_SIZE)
		return false;
	(void)secp256k1_xonly_pubkey_serialize(open_context(), committed, key);
	memcpy(committed + K256_SIZE, taproot->merkle_root.p, K256_SIZE);
	if (!secp256k1_tagged_sha256(open_context(), out, tag, sizeof(tag), committed,
		sizeof(committed)))
		fatal("libsecp256k1 makes no tagged hash");
	return true;
}

/* Makes the pair of the output key. False when the sum is not a key. */
static bool
tweak_pair(secp256k1_keypair *pair, const struct k256_taproot *taproot)
{
	unsigned char number[K256_SIZE];
	secp256k1_xonly_pubkey key;

	return secp256k1_keypair_xonly_pub(open_context(), &key, NULL, pair) &&
	    (!taproot_number(taproot, &key, number) ||
		secp256k1_keypair_xonly_tweak_add(secret_context(), pair, number));
}

int
k256_schnorr_sign(const unsigned char key[K256_SIZE], const struct k256_taproot *taproot,
    struct tsb_view message, const unsigned char *aux, unsigned char out[K256_SIGNATURE],
    struct tsb_err *err)
{
	secp256k1_schnorrsig_extraparams extra = SECP256K1_SCHNORRSIG_EXTRAPARAMS_INIT;
	unsigned char random[K256_SIZE];
	secp256k1_keypair pair;
	int rc = 0;

	crypto_random(random, sizeof(random));
	extra.ndata = random;
	if (aux != NULL)
		memcpy(random, aux, sizeof(random));
	if (!secp256k1_keypair_create(secret_context(), &pair, key))
		rc = failed(err);
	else if (!tweak_pair(&pair, taproot))
		rc = tsb_fail(err, TSB_E_INPUT,
		    "taprootTweakData or merkleRootData makes no key of secp256k1 of this one");
	else if (!secp256k1_schnorrsig_sign_custom(secret_context(), out, message.p, message.n,
		     &pair, &extra))
		rc = failed(err);
	tsb_wipe(&pair, sizeof(pair));
	tsb_wipe(random, sizeof(random));
	return rc;
}

bool
k256_schnorr_verify(const unsigned char point[K256_POINT], const struct k256_taproot *taproot,
    struct tsb_view message, struct tsb_view signature)
{
	unsigned char number[K256_SIZE];
	secp256k1_xonly_pubkey key;
	secp256k1_pubkey output;

	if (signature.n != K256_SIGNATURE ||
	    !secp256k1_xonly_pubkey_parse(open_context(), &key, point + 1))
		return false;
	if (taproot_number(taproot, &key, number) &&
	    (!secp256k1_xonly_pubkey_tweak_add(open_context(), &output, &key, number) ||
		!secp256k1_xonly_pubkey_from_pubkey(open_context(), &key, NULL, &output)))
		return false;
	return secp256k1_schnorrsig_verify(open_context(), signature.p, message.p, message.n,
		   &key) == 1;
}
