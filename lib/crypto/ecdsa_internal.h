/* Numbers of ECDSA: shared by the forms of signatures and by who makes them. */
#ifndef TSB_CRYPTO_ECDSA_INTERNAL_H
#define TSB_CRYPTO_ECDSA_INTERNAL_H

#include <openssl/bn.h>
#include <openssl/ec.h>

#include "lib/crypto/ecdsa.h"

/* What every computation on a curve needs. */
struct ecdsa_work {
	BN_CTX *ctx; /* wipes the intermediate numbers */
	EC_GROUP *group;
	const BIGNUM *order;
};
bool ecdsa_work_begin(struct ecdsa_work *w, const struct curve *curve);
void ecdsa_work_end(struct ecdsa_work *w);
#define ecdsa_work_auto struct ecdsa_work __attribute__((cleanup(ecdsa_work_end)))

static inline void
ecdsa_point_free(EC_POINT **p)
{
	EC_POINT_clear_free(*p);
}
#define point_auto EC_POINT __attribute__((cleanup(ecdsa_point_free)))

static inline void
ecdsa_number_free(BIGNUM **p)
{
	BN_clear_free(*p);
}
#define number_auto BIGNUM __attribute__((cleanup(ecdsa_number_free)))

/* bits2int of RFC 6979: the leftmost bits of the digest, as many as the order has. */
BIGNUM *ecdsa_digest_number(const BIGNUM *order, struct tsb_view digest);
/* Big endian, size bytes. */
bool ecdsa_put_number(const BIGNUM *v, size_t size, struct tsb_bytes *out);
/* DER of the two numbers, which it takes. */
bool ecdsa_put_der(BIGNUM *r, BIGNUM *s, struct tsb_bytes *out);

#endif
