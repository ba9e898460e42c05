/* Shared by the x509 files only. */
#ifndef TSB_CRYPTO_X509_INTERNAL_H
#define TSB_CRYPTO_X509_INTERNAL_H

#include "lib/crypto/x509.h"

/* Appends the AlgorithmIdentifier. */
void x509_algorithm_put(const struct scheme *, struct tsb_bytes *out);

#endif
