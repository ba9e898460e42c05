/* Signature algorithms of the API as AlgorithmIdentifiers (RFC 4055, 5758, 8410). */
#include "lib/first.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/base/str.h"
#include "lib/crypto/der.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/x509_internal.h"

enum parameters { NO_PARAMETERS, NULL_PARAMETERS, PSS_PARAMETERS };

struct x509_algorithm {
	const char *name;
	const char *key; /* as OpenSSL names the type */
	int nid;
	enum parameters parameters;
	int digest; /* PSS: of the message and of MGF1 */
	unsigned char salt;
};

/* clang-format off */
#define RSA(h) \
	{ \
		"SHA" #h "_WITH_RSA", "RSA", NID_sha##h##WithRSAEncryption, NULL_PARAMETERS \
	}
#define PSS(h) \
	{ \
		"SHA" #h "_WITH_RSA_PSS", "RSA", NID_rsassaPss, PSS_PARAMETERS, NID_sha##h, h / 8 \
	}
#define EC(name, nid) { name, "EC", nid, NO_PARAMETERS }
/* clang-format on */

/*
 * What is missing cannot be in a certificate: pre-hashed and Keccak forms have no identifier, and
 * those who check certificates do not know SHA-3 with ECDSA, or no longer accept SHA-1.
 */
static const struct x509_algorithm algorithms[] = {
    RSA(224),
    RSA(256),
    RSA(384),
    RSA(512),
    PSS(224),
    PSS(256),
    PSS(384),
    PSS(512),
    EC("SHA224_WITH_ECDSA", NID_ecdsa_with_SHA224),
    EC("SHA256_WITH_ECDSA", NID_ecdsa_with_SHA256),
    EC("SHA384_WITH_ECDSA", NID_ecdsa_with_SHA384),
    EC("SHA512_WITH_ECDSA", NID_ecdsa_with_SHA512),
    /* RFC 6979 differs in how it is made, not in what it is */
    EC("SHA256_WITH_ECDSA_DETERMINISTIC", NID_ecdsa_with_SHA256),
    {"EDDSA", "ED25519", NID_ED25519, NO_PARAMETERS},
};

int
x509_algorithm(const char *name, struct tsb_view spki, const struct x509_algorithm **out,
    struct tsb_err *err)
{
	const struct x509_algorithm *alg = NULL;
	const unsigned char *p = spki.p;
	pkey_auto *key = spki.n > LONG_MAX ? NULL : d2i_PUBKEY(NULL, &p, (long)spki.n);

	ERR_clear_error();
	for (size_t i = 0; i < TSB_COUNT(algorithms) && alg == NULL; i++)
		if (tsb_streq(algorithms[i].name, name))
			alg = &algorithms[i];
	if (alg == NULL)
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "signatureAlgorithm %s makes no certificates", name);
	if (key == NULL || !EVP_PKEY_is_a(key, alg->key))
		return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
		    "signatureAlgorithm %s does not fit the key", name);
	*out = alg;
	return 0;
}

static void
put_digest(int nid, struct tsb_bytes *out)
{
	tsb_bytes_auto b = {0};

	der_put_oid(&b, nid);
	der_put(&b, DER_NULL, tsb_view_of(NULL, 0));
	der_put_gathered(out, DER_SEQUENCE, &b);
}

/* RFC 4055 3.1; the trailer is the default and thus left out, as DER asks. */
static void
put_pss(const struct x509_algorithm *alg, struct tsb_bytes *out)
{
	tsb_bytes_auto all = {0};
	tsb_bytes_auto b = {0};
	tsb_bytes_auto mgf = {0};

	put_digest(alg->digest, &b);
	der_put_gathered(&all, DER_CONTEXT_CONSTRUCTED, &b);
	der_put_oid(&mgf, NID_mgf1);
	put_digest(alg->digest, &mgf);
	der_put_gathered(&b, DER_SEQUENCE, &mgf);
	der_put_gathered(&all, DER_CONTEXT_CONSTRUCTED + 1, &b);
	der_put_small(&b, alg->salt);
	der_put_gathered(&all, DER_CONTEXT_CONSTRUCTED + 2, &b);
	der_put_gathered(out, DER_SEQUENCE, &all);
}

void
x509_algorithm_put(const struct x509_algorithm *alg, struct tsb_bytes *out)
{
	tsb_bytes_auto b = {0};

	der_put_oid(&b, alg->nid);
	if (alg->parameters == NULL_PARAMETERS)
		der_put(&b, DER_NULL, tsb_view_of(NULL, 0));
	if (alg->parameters == PSS_PARAMETERS)
		put_pss(alg, &b);
	der_put_gathered(out, DER_SEQUENCE, &b);
}
