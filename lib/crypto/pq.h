/*
 * The parameter sets of FIPS 203 (ML-KEM), 204 (ML-DSA) and 205 (SLH-DSA), which OpenSSL has since
 * 3.5: whether this one does is asked at run time. And those of keys that wear out (hbs.h).
 */
#ifndef TSB_CRYPTO_PQ_H
#define TSB_CRYPTO_PQ_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "lib/base/bytes.h"

#define PQ_ML_KEM  "ML-KEM"
#define PQ_ML_DSA  "ML-DSA"
#define PQ_SLH_DSA "SLH-DSA"
#define PQ_HSS_LMS "HSS-LMS"
#define PQ_XMSS    "XMSS"

struct pq_set {
	const char *name; /* "ML-DSA-65": of the API, and of OpenSSL */
	const char *oid; /* dotted; XMSS has one for all sets */
	const char *family; /* "ML-DSA" */
	const char *needs; /* "OpenSSL 3.5": the library that has it */
};

/* NULL when there is none. */
const struct pq_set *pq_set_by_name(const char *name);
const struct pq_set *pq_set_by_oid(const char *oid);
const struct pq_set *pq_set_of(const EVP_PKEY *);
/* By the algorithm that a SubjectPublicKeyInfo names, also where OpenSSL does not decode it. */
const struct pq_set *pq_set_of_spki(struct tsb_view spki);
/* Whether this OpenSSL, or the Botan of this build, makes and reads such keys. */
bool pq_set_is_offered(const struct pq_set *);
/* Whether each signature uses up a part of such a key (hbs.h). OpenSSL does not read it. */
bool pq_set_is_stateful(const struct pq_set *);

#endif
