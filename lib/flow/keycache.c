#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/flow/keycache.h"

#define CACHE_SIZE 64
/* Those used last stay however long their policies are: a request may be about several. */
#define CACHE_KEPT  8
#define CACHE_BYTES (4 * 1024 * 1024) /* of all */

struct flow_key_cache {
	struct flow_key key[CACHE_SIZE];
	uint64_t clock;
};

struct flow_key_cache *
flow_key_cache_new(void)
{
	struct flow_key_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		fatal("out of memory: key cache");
	return c;
}

void
flow_key_cache_free(struct flow_key_cache **cp)
{
	if (*cp == NULL)
		return;
	for (size_t i = 0; i < CACHE_SIZE; i++)
		arena_clear(&(*cp)->key[i].arena);
	free(*cp);
	*cp = NULL;
}

static struct flow_key *
cache_find(struct flow_key_cache *c, const unsigned char digest[TSB_SHA256])
{
	for (size_t i = 0; i < CACHE_SIZE; i++) {
		struct flow_key *key = &c->key[i];

		if (key->used != 0 && memcmp(key->digest, digest, TSB_SHA256) == 0) {
			key->used = ++c->clock;
			return key;
		}
	}
	return NULL;
}

/* The place used longest ago, emptied. */
static struct flow_key *
cache_place(struct flow_key_cache *c)
{
	struct flow_key *oldest = &c->key[0];

	for (size_t i = 1; i < CACHE_SIZE; i++)
		if (c->key[i].used < oldest->used)
			oldest = &c->key[i];
	oldest->used = 0;
	arena_reset(&oldest->arena);
	return oldest;
}

/* Forgets those used longest ago until the others fit. */
static void
cache_shrink(struct flow_key_cache *c)
{
	for (;;) {
		struct flow_key *oldest = NULL;
		size_t bytes = 0, n = 0;

		for (size_t i = 0; i < CACHE_SIZE; i++) {
			struct flow_key *key = &c->key[i];

			if (key->used == 0)
				continue;
			n++;
			bytes += arena_size(&key->arena);
			if (oldest == NULL || key->used < oldest->used)
				oldest = key;
		}
		if (bytes <= CACHE_BYTES || n <= CACHE_KEPT)
			return;
		oldest->used = 0;
		arena_clear(&oldest->arena);
	}
}

int
flow_key_keep(struct flow *f, const struct tsb_key_attributes *from, bool stored,
    const struct flow_key **out, struct tsb_err *err)
{
	struct flow_key *key = cache_find(f->keys, from->digest);

	if (key != NULL) {
		if (stored)
			key->stored = store_connection(f->store);
		if (from->fetched_ms > key->attributes.fetched_ms)
			key->attributes.fetched_ms = from->fetched_ms;
		*out = key;
		return 0;
	}
	key = cache_place(f->keys);
	key->attributes = *from;
	key->attributes.key_name = arena_str(&key->arena, from->key_name);
	key->attributes.xml = arena_view(&key->arena, from->xml);
	key->attributes.xml_signature = arena_view(&key->arena, from->xml_signature);
	key->attributes.attestation_key_name = arena_str(&key->arena, from->attestation_key_name);
	if (keyattr_parse(key->attributes.xml, &key->arena, &key->parsed, err))
		return -1;
	if (key->parsed.has_policy &&
	    ska_policy_resolve(&key->parsed.policy, &key->arena, crypto_cert_spki, NULL, err))
		return -1;
	memcpy(key->digest, from->digest, TSB_SHA256);
	key->used = ++f->keys->clock;
	key->stored = stored ? store_connection(f->store) : 0;
	cache_shrink(f->keys);
	*out = key;
	return 0;
}

const struct flow_key *
flow_key_seen(struct flow *f, const char *name)
{
	const struct flow_key *last = NULL;

	for (size_t i = 0; i < CACHE_SIZE; i++) {
		const struct flow_key *key = &f->keys->key[i];

		if (key->used != 0 && tsb_streq(key->attributes.key_name, name) &&
		    (last == NULL || key->used > last->used))
			last = key;
	}
	return last;
}

void
flow_key_stored(struct flow *f, const unsigned char digest[TSB_SHA256])
{
	struct flow_key *key = cache_find(f->keys, digest);

	if (key != NULL)
		key->stored = store_connection(f->store);
}

bool
flow_key_is_stored(const struct flow *f, const struct flow_key *key)
{
	return key->stored != 0 && key->stored == store_connection(f->store);
}

struct load {
	const unsigned char *digest;
	struct arena *arena;
	struct tsb_key_attributes attributes;
	bool found;
};

static int
load_body(struct store_tx *tx, void *ctx, struct tsb_err *err)
{
	struct load *l = ctx;

	return store_key_attributes_load(tx, l->digest, l->arena, &l->attributes, &l->found, err);
}

int
flow_key_load(struct flow *f, struct store_tx *tx, const unsigned char digest[TSB_SHA256],
    const struct flow_key **out, struct tsb_err *err)
{
	arena_auto a = {0};
	struct load l = {.digest = digest, .arena = &a};

	*out = cache_find(f->keys, digest);
	if (*out != NULL)
		return 0;
	if (tx != NULL ? load_body(tx, &l, err)
		       : store_read(f->store, "key_load", load_body, &l, err))
		return -1;
	return l.found ? flow_key_keep(f, &l.attributes, true, out, err) : 0;
}
