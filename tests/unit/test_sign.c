/*
 * Signatures: every algorithm with every key that fits it, verified by OpenSSL's one-call
 * interface, which our code does not use; known answers for what OpenSSL has only since 3.2.
 */
#include "lib/first.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "lib/base/enc.h"
#include "lib/base/str.h"
#include "lib/crypto/ecdsa.h"
#include "lib/crypto/keccak.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/signature_internal.h"
#include "lib/wire/wire.h"

#include "hsm/key/address.h"
#include "hsm/key/make.h"
#include "hsm/key/sign.h"
#include "hsm/soft/internal.h"
#include "hsm/soft/rfc6979.h"
#include "tests/unit/hsm_keys.h"

static struct tsb_view
hex(struct arena *a, const char *text)
{
	struct tsb_view v;

	assert_true(enc_hex_decode(tsb_view_str(text), a, &v));
	return v;
}

static struct hsm_key *
make(const char *algorithm, const char *curve_oid, long size)
{
	struct wire_key_create in = {.label = "k",
	    .algorithm = algorithm,
	    .curve_oid = curve_oid,
	    .key_size = size};
	arena_auto a = {0};
	struct hsm_key *k = NULL;
	struct tsb_err err = {0};

	in.flag[ATTR_SIGN] = true;
	if (key_make(hsm_keys_tokens(), &in, &a, 1700000000, &k, &err))
		fail_msg("%s: %s", curve_oid ? curve_oid : algorithm, err.msg);
	return k;
}

static const char *const all_curves[] = {"1.2.840.10045.3.1.7", "1.3.132.0.10", "1.3.132.0.34",
    "1.3.132.0.35", "1.3.132.0.32", "1.3.132.0.33", "1.2.840.10045.3.1.4", "1.2.840.10045.3.1.5",
    "1.2.840.10045.3.1.6", "1.3.36.3.3.2.8.1.1.5", "1.3.36.3.3.2.8.1.1.7", "1.3.36.3.3.2.8.1.1.9",
    "1.3.36.3.3.2.8.1.1.11", "1.3.36.3.3.2.8.1.1.13"};

/* ---- Keccak ---- */

static const struct {
	size_t size;
	const char *text; /* NULL: 200 times 'a', more than one block */
	const char *digest;
} keccak_rows[] = {
    {28, "", "f71837502ba8e10837bdd8d365adb85591895602fc552b48b7390abd"},
    {32, "", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
    {32, "abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
    {32, NULL, "96ea54061def936c4be90b518992fdc6f12f535068a256229aca54267b4d084d"},
    {48, "",
	"2c23146a63a29acf99e73b88f8c24eaa7dc60aa771780ccc006afbfa8fe2479b2dd2b21362337441ac12b5"
	"15911957ff"},
    {64, "",
	"0eab42de4c3ceb9235fc91acffe746b29c29a8c366b7c60e4e67c466f36a4304c00fa9caf9d87976ba469b"
	"cbe06713b435f091ef2769fb160cdab33d3670680e"},
};

static struct tsb_view
keccak_input(size_t row)
{
	static char many[200];

	memset(many, 'a', sizeof(many));
	return keccak_rows[row].text ? tsb_view_str(keccak_rows[row].text)
				     : tsb_view_of(many, sizeof(many));
}

/* The fallback, whatever OpenSSL has. */
static void
test_own_keccak_known_answers(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(keccak_rows); i++) {
		arena_auto a = {0};
		unsigned char out[64];

		keccak(keccak_input(i), keccak_rows[i].size, out);
		assert_string_equal(enc_hex_str(&a, tsb_view_of(out, keccak_rows[i].size)),
		    keccak_rows[i].digest);
	}
}

/* What is used: OpenSSL's where it has one. */
static void
test_used_keccak_known_answers(void **state)
{
	EVP_MD *fetched = EVP_MD_fetch(NULL, "KECCAK-256", NULL);

	assert_int_equal(hash_md(HASH_KECCAK_256) != NULL, fetched != NULL);
	EVP_MD_free(fetched);
	for (size_t i = 0; i < TSB_COUNT(keccak_rows); i++) {
		enum hash hash = HASH_KECCAK_224;
		arena_auto a = {0};
		unsigned char out[HASH_SIZE_MAX];
		struct tsb_err err;

		while (hash_size(hash) != keccak_rows[i].size)
			hash++;
		assert_int_equal(hash_compute(hash, keccak_input(i), out, &err), 0);
		assert_string_equal(enc_hex_str(&a, tsb_view_of(out, keccak_rows[i].size)),
		    keccak_rows[i].digest);
	}
}

/* ---- RFC 6979 ---- */

static EVP_PKEY *
pair_of(const char *oid, const char *group_name, const char *private_hex)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(oid));
	EC_POINT *point = EC_POINT_new(group);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pair = NULL;
	BIGNUM *x = NULL;
	unsigned char q[200];
	size_t n;
	OSSL_PARAM *params;

	assert_true(BN_hex2bn(&x, private_hex) > 0);
	assert_int_equal(EC_POINT_mul(group, point, x, NULL, NULL, NULL), 1);
	n = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, q, sizeof(q), NULL);
	OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, group_name, 0);
	OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, q, n);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, x);
	params = OSSL_PARAM_BLD_to_param(b);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &pair, EVP_PKEY_KEYPAIR, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	BN_free(x);
	return pair;
}

static const struct {
	const char *oid, *group, *key, *message, *r, *s;
} rfc6979_rows[] = {
    /* A.2.5, P-256, SHA-256 */
    {"1.2.840.10045.3.1.7", "prime256v1",
	"C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", "sample",
	"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
	"f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {"1.2.840.10045.3.1.7", "prime256v1",
	"C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", "test",
	"f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
	"019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"},
    /* A.2.6, P-384, SHA-256: the order is longer than the digest */
    {"1.3.132.0.34", "secp384r1",
	"6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9"
	"EA60D2EDF5",
	"sample",
	"21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3"
	"c36d8fb2cd",
	"f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb86"
	"68a4fa0ab0"},
    /* A.2.7, P-521, SHA-256: the order is no whole number of bytes */
    {"1.3.132.0.35", "secp521r1",
	"00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C708558"
	"36A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538",
	"sample",
	"01511bb4d675114fe266fc4372b87682baecc01d3cc62cf2303c92b3526012659d16876e25c7c1e57648f2"
	"3b73564d67f61c6f14d527d54972810421e7d87589e1a7",
	"004a171143a83163d6df460aaf61522695f207a58b95c0644d87e52aa1a347916e4f7a72930b1bc06dbe22"
	"ce3f58264afd23704cbb63b29b931f7de6c9d949a7ecfc"},
    /* secp256k1, key 1, as other implementations give it */
    {"1.3.132.0.10", "secp256k1", "01", "Satoshi Nakamoto",
	"934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8", NULL},
};

static void
check_rfc6979(size_t row, struct tsb_view der)
{
	const struct curve *curve = curve_by_oid(rfc6979_rows[row].oid);
	tsb_bytes_auto raw = {0};
	arena_auto a = {0};
	struct tsb_err err;

	assert_int_equal(ecdsa_to_raw(curve, der, &raw, &err), 0);
	assert_string_equal(enc_hex_str(&a, tsb_view_of(raw.p, curve->scalar)),
	    rfc6979_rows[row].r);
	if (rfc6979_rows[row].s)
		assert_string_equal(enc_hex_str(&a,
					tsb_view_of(raw.p + curve->scalar, curve->scalar)),
		    rfc6979_rows[row].s);
}

/* The fallback, what OpenSSL gives where it can, and what is used. */
static void
test_rfc6979_known_answers(void **state)
{
	for (size_t i = 0; i < TSB_COUNT(rfc6979_rows); i++) {
		const struct curve *curve = curve_by_oid(rfc6979_rows[i].oid);
		pkey_auto *pair =
		    pair_of(rfc6979_rows[i].oid, rfc6979_rows[i].group, rfc6979_rows[i].key);
		unsigned char digest[CRYPTO_SHA256_SIZE];
		struct tsb_view in = tsb_view_of(digest, sizeof(digest));
		tsb_bytes_auto by_hand = {0};
		tsb_bytes_auto by_openssl = {0};
		tsb_bytes_auto used = {0};
		struct tsb_err err;

		crypto_sha256(tsb_view_str(rfc6979_rows[i].message), digest);
		assert_int_equal(rfc6979_by_hand(curve, pair, in, &by_hand, &err), 0);
		check_rfc6979(i, tsb_view_bytes(&by_hand));
		assert_int_equal(rfc6979_sign(curve, pair, in, &used, &err), 0);
		check_rfc6979(i, tsb_view_bytes(&used));
		if (!rfc6979_in_openssl())
			continue;
		assert_int_equal(rfc6979_by_openssl(pair, in, &by_openssl, &err), 0);
		check_rfc6979(i, tsb_view_bytes(&by_openssl));
	}
}

/* On every curve the two ways give the same bytes. */
static void
test_rfc6979_is_the_same_both_ways(void **state)
{
	if (!rfc6979_in_openssl())
		skip();
	for (size_t c = 0; c < TSB_COUNT(all_curves); c++) {
		hsm_key_auto *k = make("EC", all_curves[c], 0);
		token_key_auto *opened = hsm_keys_open(k, NULL);
		EVP_PKEY *pair = hsm_keys_soft(opened)->pair;

		for (unsigned char i = 0; i < 20; i++) {
			unsigned char digest[CRYPTO_SHA256_SIZE];
			struct tsb_view in = tsb_view_of(digest, sizeof(digest));
			tsb_bytes_auto by_hand = {0};
			tsb_bytes_auto by_openssl = {0};
			struct tsb_err err;

			crypto_sha256(tsb_view_of(&i, 1), digest);
			assert_int_equal(rfc6979_by_hand(k->curve, pair, in, &by_hand, &err), 0);
			assert_int_equal(rfc6979_by_openssl(pair, in, &by_openssl, &err), 0);
			assert_true(
			    tsb_view_eq(tsb_view_bytes(&by_hand), tsb_view_bytes(&by_openssl)));
		}
	}
}

/* ---- addresses ---- */

/* Keys that others published with their addresses. */
static void
test_address_known_answers(void **state)
{
	static const struct {
		const char *key, *format, *address;
	} rows[] = {
	    {"01", "BTC", "751e76e8199196d454941c45d1b3a323f1433bd6"},
	    {"01", "XRP", "751e76e8199196d454941c45d1b3a323f1433bd6"},
	    {"01", "ETH", "7e5f4552091a69125d5dfcb7b8c2659029395bdf"},
	    {"4646464646464646464646464646464646464646464646464646464646464646", "ETH",
		"9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		arena_auto a = {0};
		pkey_auto *pair = pair_of("1.3.132.0.10", "secp256k1", rows[i].key);
		unsigned char out[ADDRESS_SIZE];
		struct tsb_err err;

		assert_int_equal(address_check(KEY_EC, curve_secp256k1, rows[i].format, &err), 0);
		assert_int_equal(address_compute(pair, KEY_EC, rows[i].format, out, &err), 0);
		assert_string_equal(enc_hex_str(&a, tsb_view_of(out, sizeof(out))),
		    rows[i].address);
	}
}

/* The keys of the XRP Ledger's pages on addresses. */
static void
test_address_of_the_xrp_ledger(void **state)
{
	static const struct {
		enum key_kind kind;
		const char *spki, *address;
	} rows[] = {
	    {KEY_ED,
		"302a300506032b65700321009434799226374926eda3b54b1b461b4abf7237962eae18528fea67595397fa32",
		"88a5a57c829f40f25ea83385bbde6c3d8b4ca082"},
	    {KEY_EC,
		"3036301006072a8648ce3d020106052b8104000a032200"
		"0330e7fc9d56bb25d6893ba3f317ae5bcf33b3291bd63db32654a313222f7fd020",
		"b5f762798a53d543a014caf8b297cff8f2f937e8"},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		arena_auto a = {0};
		struct tsb_view der;
		unsigned char out[ADDRESS_SIZE];
		struct tsb_err err;

		assert_true(enc_hex_decode(tsb_view_str(rows[i].spki), &a, &der));

		const unsigned char *p = der.p;
		pkey_auto *key = d2i_PUBKEY(NULL, &p, (long)der.n);

		assert_non_null(key);
		assert_int_equal(address_compute(key, rows[i].kind, "XRP", out, &err), 0);
		assert_string_equal(enc_hex_str(&a, tsb_view_of(out, sizeof(out))),
		    rows[i].address);
	}
}

static void
test_address_of_other_keys_is_refused(void **state)
{
	static const char *const formats[] = {"BTC", "ETH", "XRP", "XLM", "IOTA", "DOGE"};
	static const struct {
		enum key_kind kind;
		const char *curve, *fits;
	} rows[] = {
	    {KEY_EC, "1.3.132.0.10", "BTC ETH XRP"},
	    {KEY_EC, "1.2.840.10045.3.1.7", ""},
	    {KEY_ED, NULL, "XRP"},
	    {KEY_RSA, NULL, ""},
	};

	for (size_t i = 0; i < TSB_COUNT(rows) * TSB_COUNT(formats); i++) {
		const char *format = formats[i % TSB_COUNT(formats)];
		const struct curve *curve = curve_by_oid(rows[i / TSB_COUNT(formats)].curve);
		bool fits = strstr(rows[i / TSB_COUNT(formats)].fits, format) != NULL;
		struct tsb_err err = {0};

		assert_int_equal(address_check(rows[i / TSB_COUNT(formats)].kind, curve, format,
				     &err),
		    fits ? 0 : -1);
		assert_true(fits || err.code == TSB_E_CRYPTOCURRENCY);
	}
}

/* ---- all algorithms ---- */

/* md NULL: the signature is over the payload itself, which stands for a digest. */
static const struct {
	const char *name, *md;
	bool pss;
} rsa_rows[] =
    {
	{"SHA1_WITH_RSA", "SHA1", false},
	{"SHA224_WITH_RSA", "SHA224", false},
	{"SHA256_WITH_RSA", "SHA256", false},
	{"SHA384_WITH_RSA", "SHA384", false},
	{"SHA512_WITH_RSA", "SHA512", false},
	{"SHA1_WITH_RSA_PSS", "SHA1", true},
	{"SHA224_WITH_RSA_PSS", "SHA224", true},
	{"SHA256_WITH_RSA_PSS", "SHA256", true},
	{"SHA384_WITH_RSA_PSS", "SHA384", true},
	{"SHA512_WITH_RSA_PSS", "SHA512", true},
},
  ec_rows[] = {
      {"SHA1_WITH_ECDSA", "SHA1", false},
      {"SHA224_WITH_ECDSA", "SHA224", false},
      {"SHA256_WITH_ECDSA", "SHA256", false},
      {"SHA384_WITH_ECDSA", "SHA384", false},
      {"SHA512_WITH_ECDSA", "SHA512", false},
      {"SHA3224_WITH_ECDSA", "SHA3-224", false},
      {"SHA3256_WITH_ECDSA", "SHA3-256", false},
      {"SHA3384_WITH_ECDSA", "SHA3-384", false},
      {"SHA3512_WITH_ECDSA", "SHA3-512", false},
      {"SHA256_WITH_ECDSA_DETERMINISTIC", "SHA256", false},
};

static const char payload_text[] = "pay 100 to harro";

static bool
openssl_verifies(EVP_PKEY *key, const char *md, bool pss, struct tsb_view payload,
    struct tsb_view sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pkey_ctx;
	bool ok;

	assert_int_equal(EVP_DigestVerifyInit_ex(ctx, &pkey_ctx, md, NULL, NULL, key, NULL), 1);
	if (pss) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(pkey_ctx, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey_ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	ok = EVP_DigestVerify(ctx, sig.p, sig.n, payload.p, payload.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static const struct scheme_extra no_extra;

static void
sign(struct hsm_key *k, const char *name, enum scheme_form type, struct tsb_view payload,
    struct tsb_bytes *out)
{
	token_key_auto *opened = hsm_keys_open(k, NULL);
	struct sign_how how = {.form = type};
	const struct scheme *alg;
	struct tsb_err err = {0};
	bool valid = false;

	if (sign_select(k, name, payload.n, &how.scheme, &err) ||
	    sign_make(k, opened, &how, payload, out, &err))
		fail_msg("%s: %s", name, err.msg);
	alg = how.scheme;
	assert_int_equal(signature_verify(k->public_key, alg, &no_extra, payload,
			     tsb_view_bytes(out), &valid, &err),
	    0);
	assert_true(valid);
	out->p[out->n / 2] ^= 1;
	assert_int_equal(signature_verify(k->public_key, alg, &no_extra, payload,
			     tsb_view_bytes(out), &valid, &err),
	    0);
	assert_false(valid);
	out->p[out->n / 2] ^= 1;
}

static void
test_rsa(void **state)
{
	hsm_key_auto *k = make("RSA", NULL, 2048);
	struct tsb_view payload = tsb_view_str(payload_text);

	for (size_t i = 0; i < TSB_COUNT(rsa_rows); i++) {
		tsb_bytes_auto sig = {0};

		sign(k, rsa_rows[i].name, FORM_DER, payload, &sig);
		assert_true(openssl_verifies(k->public_key, rsa_rows[i].md, rsa_rows[i].pss,
		    payload, tsb_view_bytes(&sig)));
	}
}

/* What NONE...(digest) gives is a signature of the message with that digest. */
static void
test_rsa_over_digests(void **state)
{
	hsm_key_auto *k = make("RSA", NULL, 2048);
	struct tsb_view payload = tsb_view_str(payload_text);
	static const struct {
		const char *name, *md;
		bool pss;
	} rows[] = {
	    {"NONESHA1_WITH_RSA", "SHA1", false},
	    {"NONESHA224_WITH_RSA", "SHA224", false},
	    {"NONESHA256_WITH_RSA", "SHA256", false},
	    {"NONESHA384_WITH_RSA", "SHA384", false},
	    {"NONESHA512_WITH_RSA", "SHA512", false},
	    {"NONESHA224_WITH_RSA_PSS", "SHA224", true},
	    {"NONESHA256_WITH_RSA_PSS", "SHA256", true},
	    {"NONESHA384_WITH_RSA_PSS", "SHA384", true},
	    {"NONESHA512_WITH_RSA_PSS", "SHA512", true},
	    {"NONE_WITH_RSA_PSS", "SHA1", true},
	    {"NONE_WITH_RSA_PSS", "SHA256", true},
	    {"NONE_WITH_RSA_PSS", "SHA512", true},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto sig = {0};
		unsigned char digest[64];
		size_t n;

		assert_int_equal(EVP_Q_digest(NULL, rows[i].md, NULL, payload.p, payload.n, digest,
				     &n),
		    1);
		sign(k, rows[i].name, FORM_DER, tsb_view_of(digest, n), &sig);
		assert_true(openssl_verifies(k->public_key, rows[i].md, rows[i].pss, payload,
		    tsb_view_bytes(&sig)));
	}
}

static void
try_ecdsa(struct hsm_key *k, const char *name, const char *md, struct tsb_view payload)
{
	tsb_bytes_auto der = {0};
	tsb_bytes_auto raw = {0};
	tsb_bytes_auto raw_as_der = {0};

	sign(k, name, FORM_DER, payload, &der);
	sign(k, name, FORM_RAW, payload, &raw);
	assert_int_equal(raw.n, 2 * k->curve->scalar);
	assert_true(ecdsa_from_raw(k->curve, tsb_view_bytes(&raw), &raw_as_der));
	if (!md)
		return;
	assert_true(openssl_verifies(k->public_key, md, false, payload, tsb_view_bytes(&der)));
	assert_true(
	    openssl_verifies(k->public_key, md, false, payload, tsb_view_bytes(&raw_as_der)));
}

static void
test_ecdsa_on_every_curve(void **state)
{
	static const char *const own[] = {"KECCAK224_WITH_ECDSA", "KECCAK256_WITH_ECDSA",
	    "KECCAK384_WITH_ECDSA", "KECCAK512_WITH_ECDSA", "DOUBLE_SHA256_WITH_ECDSA",
	    "SHA256_WITH_ECDSA_DETERMINISTIC"};
	const struct tsb_view digest = tsb_view_str("a digest has one of five lengths");
	struct tsb_view payload = tsb_view_str(payload_text);

	for (size_t c = 0; c < TSB_COUNT(all_curves); c++) {
		hsm_key_auto *k = make("EC", all_curves[c], 0);

		for (size_t i = 0; i < TSB_COUNT(ec_rows); i++)
			try_ecdsa(k, ec_rows[i].name, ec_rows[i].md, payload);
		for (size_t i = 0; i < TSB_COUNT(own); i++)
			try_ecdsa(k, own[i], NULL, payload);
		try_ecdsa(k, "NONE_WITH_ECDSA", NULL, digest);
	}
}

/* The digest that an algorithm of ours uses, signed as NONE, verifies under that algorithm. */
static void
test_own_digests_are_what_is_signed(void **state)
{
	static const struct {
		const char *name;
		enum hash hash;
	} rows[] = {
	    {"KECCAK224_WITH_ECDSA", HASH_KECCAK_224},
	    {"KECCAK256_WITH_ECDSA", HASH_KECCAK_256},
	    {"KECCAK384_WITH_ECDSA", HASH_KECCAK_384},
	    {"KECCAK512_WITH_ECDSA", HASH_KECCAK_512},
	    {"DOUBLE_SHA256_WITH_ECDSA", HASH_DOUBLE_SHA256},
	};
	hsm_key_auto *k = make("EC", "1.3.132.0.35", 0);
	struct tsb_view payload = tsb_view_str(payload_text);

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		tsb_bytes_auto sig = {0};
		unsigned char digest[HASH_SIZE_MAX];
		const struct scheme *alg;
		struct tsb_err err;
		bool valid = false;

		assert_int_equal(hash_compute(rows[i].hash, payload, digest, &err), 0);
		sign(k, "NONE_WITH_ECDSA", FORM_DER, tsb_view_of(digest, hash_size(rows[i].hash)),
		    &sig);
		assert_int_equal(sign_select(k, rows[i].name, payload.n, &alg, &err), 0);
		assert_int_equal(signature_verify(k->public_key, alg, &no_extra, payload,
				     tsb_view_bytes(&sig), &valid, &err),
		    0);
		assert_true(valid);
	}
}

static void
test_ethereum_form(void **state)
{
	hsm_key_auto *k = make("EC", "1.3.132.0.10", 0);
	unsigned seen = 0;

	for (int i = 0; i < 32; i++) {
		tsb_bytes_auto sig = {0};

		sign(k, "KECCAK256_WITH_ECDSA", FORM_ETH, tsb_view_of(&i, sizeof(i)), &sig);
		assert_int_equal(sig.n, 65);
		assert_true(sig.p[64] == 27 || sig.p[64] == 28);
		assert_true(sig.p[32] < 0x80);
		seen |= 1u << (sig.p[64] - 27);
	}
	assert_int_equal(seen, 3);
}

static void
test_ed25519(void **state)
{
	hsm_key_auto *k = make("ED", NULL, 0);
	struct tsb_view payload = tsb_view_str(payload_text);
	tsb_bytes_auto sig = {0};

	sign(k, "EDDSA", FORM_RAW, payload, &sig);
	assert_int_equal(sig.n, 64);
	assert_true(openssl_verifies(k->public_key, NULL, false, payload, tsb_view_bytes(&sig)));
}

static void
test_what_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *algorithm;
		size_t n;
		enum tsb_code code;
	} rows[] = {
	    {"SHA256_WITH_RSA", 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"EDDSA", 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"SHA256_WITH_DSA", 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"ML_DSA", 5, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"NONE_WITH_EC_SCHNORR_BIP0340", 32, TSB_E_ALGORITHM_NOT_SUPPORTED},
	    {"sha256_with_ecdsa", 5, TSB_E_INPUT},
	    {"", 5, TSB_E_INPUT},
	    {"NONE_WITH_ECDSA", 65, TSB_E_PAYLOAD},
	    {"NONE_WITH_ECDSA", 48, TSB_E_PAYLOAD},
	    {"NONE_WITH_ECDSA", 31, TSB_E_PAYLOAD},
	    {"NONE_WITH_ECDSA", 0, TSB_E_PAYLOAD},
	};
	hsm_key_auto *k = make("EC", "1.2.840.10045.3.1.7", 0);
	const struct scheme *alg;
	enum scheme_form type;
	struct tsb_err err;

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		assert_int_equal(sign_select(k, rows[i].algorithm, rows[i].n, &alg, &err), -1);
		assert_int_equal(err.code, rows[i].code);
	}
	assert_int_equal(sign_select(k, "KECCAK256_WITH_ECDSA", 5, &alg, &err), 0);
	assert_int_equal(sign_form_parse(k, alg, "ETH", &type, &err), -1);
	assert_int_equal(err.code, TSB_E_ALGORITHM_NOT_SUPPORTED);
	assert_int_equal(sign_form_parse(k, alg, "PEM", &type, &err), -1);
	assert_int_equal(sign_form_parse(k, alg, NULL, &type, &err), 0);
	assert_int_equal(type, FORM_DER);
}

static void
test_der_has_one_form(void **state)
{
	static const struct {
		const char *hex;
		bool is_der;
	} rows[] = {
	    {"3006020101020101", true},
	    {"300602010102010100", false}, /* a byte behind */
	    {"308106020101020101", false}, /* a long length for a short one */
	    {"30070202000102010100", false}, /* zeros before a number */
	    {"3006020101030101", false}, /* another type */
	    {"30800201010201010000", false}, /* indefinite length */
	    {"30", false},
	    {"", false},
	};

	for (size_t i = 0; i < TSB_COUNT(rows); i++) {
		arena_auto a = {0};

		assert_int_equal(ecdsa_is_der(hex(&a, rows[i].hex)), rows[i].is_der);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_own_keccak_known_answers),
	    cmocka_unit_test(test_used_keccak_known_answers),
	    cmocka_unit_test(test_rfc6979_known_answers),
	    cmocka_unit_test(test_rfc6979_is_the_same_both_ways),
	    cmocka_unit_test(test_address_known_answers),
	    cmocka_unit_test(test_address_of_the_xrp_ledger),
	    cmocka_unit_test(test_address_of_other_keys_is_refused),
	    cmocka_unit_test(test_rsa),
	    cmocka_unit_test(test_rsa_over_digests),
	    cmocka_unit_test(test_ecdsa_on_every_curve),
	    cmocka_unit_test(test_own_digests_are_what_is_signed),
	    cmocka_unit_test(test_ethereum_form),
	    cmocka_unit_test(test_ed25519),
	    cmocka_unit_test(test_what_does_not_fit_is_refused),
	    cmocka_unit_test(test_der_has_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
