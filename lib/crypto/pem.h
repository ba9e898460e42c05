/*
 * PEM as people have it (RFC 7468, 2 and 5.2): with a byte order mark, text, Bag Attributes or
 * other blocks around what is wanted, chains of certificates in any order.
 */
#ifndef TSB_CRYPTO_PEM_H
#define TSB_CRYPTO_PEM_H

#include "lib/base/arena.h"
#include "lib/base/bytes.h"
#include "lib/base/err.h"

/* What a reader takes: an OR of these. */
#define PEM_CERTIFICATE (1U << 0)
#define PEM_PUBLIC_KEY  (1U << 1)
#define PEM_REQUEST     (1U << 2)

struct pem_block {
	unsigned kind; /* one of the above; 0: bare base64 */
	struct tsb_view der;
};

struct pem_blocks {
	struct pem_block *v;
	size_t n; /* at least one */
	size_t issuers; /* certificates that were left out */
};

/* Whether the text has armour anywhere. */
bool crypto_pem_has(struct tsb_view text);
/*
 * All blocks of these kinds in the text, in its order, for as long as the arena lives. Certificates
 * that issued another one of the text are left out: they belong to its chain.
 * Blocks of other kinds are passed over, private keys too. A text without armour is the base64 of
 * one. TSB_E_READING_PEM says what the text has instead, or which block is broken.
 */
int crypto_pem_all(struct tsb_view text, unsigned kinds, struct arena *a, struct pem_blocks *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The first of them. */
int crypto_pem_pick(struct tsb_view text, unsigned kinds, struct arena *a, struct tsb_view *der,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Appends one block (RFC 7468, 2). */
void crypto_pem_write(const char *label, struct tsb_view der, struct tsb_bytes *out);

#endif
