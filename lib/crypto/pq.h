/*
 * The parameter sets of FIPS 203 (ML-KEM), 204 (ML-DSA) and 205 (SLH-DSA). OpenSSL has them since
 * 3.5: whether this one does is asked at run time.
 */
#ifndef TSB_CRYPTO_PQ_H
#define TSB_CRYPTO_PQ_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "lib/base/bytes.h"

#define PQ_ML_KEM  "ML-KEM"
#define PQ_ML_DSA  "ML-DSA"
#define PQ_SLH_DSA "SLH-DSA"

struct pq_set {
	const char *name; /* "ML-DSA-65": of the API, and of OpenSSL */
	const char *oid; /* dotted */
	const char *family; /* "ML-DSA" */
};

/* NULL when there is none. */
const struct pq_set *pq_set_by_name(const char *name);
const struct pq_set *pq_set_by_oid(const char *oid);
const struct pq_set *pq_set_of(const EVP_PKEY *);
/* By the algorithm that a SubjectPublicKeyInfo names, also where OpenSSL does not decode it. */
const struct pq_set *pq_set_of_spki(struct tsb_view spki);
/* Whether this OpenSSL makes and reads such keys; asked once in a process. */
bool pq_set_is_offered(const struct pq_set *);

#endif
