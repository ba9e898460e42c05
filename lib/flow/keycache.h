/* Attested keys, parsed once per process. */
#ifndef TSB_FLOW_KEYCACHE_H
#define TSB_FLOW_KEYCACHE_H

#include "lib/flow/context.h"
#include "lib/ska/keyattr.h"

/* Its digest is the SHA-256 of the document, so an entry is never out of date. */
struct flow_key {
	unsigned char digest[TSB_SHA256];
	struct tsb_key_attributes attributes;
	struct keyattr parsed; /* policy resolved */
	struct arena arena;
	uint64_t used;
	uint64_t stored; /* store_connection() that it was seen or written over; 0 = never */
};
struct flow_key_cache *flow_key_cache_new(void);
void flow_key_cache_free(struct flow_key_cache **c);
/*
 * The key with this digest from cache or database (in tx, or in a transaction of its own when tx is
 * NULL); *key NULL when neither has it. Valid until the next call for another digest.
 */
int flow_key_load(struct flow *f, struct store_tx *tx, const unsigned char digest[TSB_SHA256],
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
/* Parses attributes and keeps them in the cache; stored: they come from the database. */
int flow_key_keep(struct flow *f, const struct tsb_key_attributes *attributes, bool stored,
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
/* The key of this name as this process saw it last, or NULL. It may have been changed since. */
const struct flow_key *flow_key_seen(struct flow *f, const char *name);
/* Whether it is in the database that this process is connected to, for other processes to find. */
bool flow_key_is_stored(const struct flow *f, const struct flow_key *key);
/* A transaction that wrote them has been committed. */
void flow_key_stored(struct flow *f, const unsigned char digest[TSB_SHA256]);

#endif
