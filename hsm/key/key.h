/*
 * A key of the HSM: what its file says, and OpenSSL's handle of its public half. Immutable once
 * made, but for what is kept at its first use (the private half that its token opened, the digest
 * of its attributes); shared by counting references.
 */
#ifndef TSB_HSM_KEY_KEY_H
#define TSB_HSM_KEY_KEY_H

#include <openssl/evp.h>

#include "lib/base/arena.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/curve.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/pq.h"
#include "lib/ska/keyattr.h"

#include "hsm/key/chain.h"

/* Key files have the numbers: new kinds go to the end. */
enum key_kind {
	KEY_RSA,
	KEY_EC,
	KEY_ED,
	KEY_AES,
	KEY_DSA,
	KEY_CAMELLIA,
	KEY_CHACHA20,
	KEY_TDEA,
	KEY_HMAC,
	KEY_ML_DSA,
	KEY_SLH_DSA,
	KEY_ML_KEM,
	KEY_HSS_LMS,
	KEY_XMSS,
	KEY_KIND__MAX
};
enum key_system {
	KEY_ORDINARY,
	KEY_ATTESTATION,
	KEY_TIMESTAMP,
	KEY_RFC_TIMESTAMP,
	KEY_SYSTEM__MAX
};

/* Flags of a creation request that the attributes do not show (api-notes.md 7.2). */
enum key_extra {
	KEY_ENCRYPT = 1 << 0,
	KEY_VERIFY = 1 << 1,
	KEY_WRAP = 1 << 2,
	KEY_ROLLOVER = 1 << 3,
	KEY_IMPORTED = 1 << 4, /* unwrapped or brought along, hence made elsewhere */
	KEY_PUBLIC_ONLY = 1 << 5 /* a public key of somebody else */
};
#define KEY_EXTRA_ALL 63u

#define KEY_SALT_SIZE 16
#define KEY_DONE_KEPT 64
#define KEY_DONE_MAX  1024
#define KEY_DONE_SIZE (8 + CRYPTO_SHA256_SIZE)

#define KEY_HOME_SIZE 20 /* of store/dirfile.h */

#define KEY_SIZES 5

struct key_kind_row {
	const char *algorithm; /* "RSA"; of parameter sets their family, "ML-DSA" */
	const char *oid; /* NULL = of parameter sets, which have their own */
	const char *openssl; /* name of the key type; NULL = a secret key, or of parameter sets */
	bool secret; /* one value, no public half */
	unsigned sizes[KEY_SIZES + 1]; /* bits of new keys, ends with 0; none = it has no size */
	unsigned usual; /* bits of a new key when the request does not say; 0 = it must */
	unsigned least, most; /* bits of a key made elsewhere; 0 = as new ones */
};
extern const struct key_kind_row key_kinds[KEY_KIND__MAX];

/* The token whose private parts are the private halves themselves. */
#define KEY_TOKEN_SOFT "soft"

struct key_path;
struct token_key;

struct hsm_key {
	unsigned refs;
	struct arena arena; /* owns all that the members below point to */
	const char *label;
	const char *id; /* NULL = none */
	enum key_kind kind;
	enum key_system system;
	unsigned size; /* bits; 0 where the kind has no sizes */
	const struct curve *curve; /* EC only, else NULL */
	const struct pq_set *set; /* of kinds that have parameter sets, else NULL */
	int64_t create_time; /* seconds */
	bool flag[ATTR__MAX];
	unsigned extra; /* of enum key_extra */
	const char *address_format; /* NULL = none */
	bool has_policy;
	struct ska_policy policy;
	struct tsb_view spki; /* empty for a secret key */
	/* of keys that wear out (lib/crypto/hbs.h), else 0 and empty */
	uint32_t leaf; /* the next one that signs: those before it are used */
	struct tsb_view home; /* which file says so: KEY_HOME_SIZE bytes */
	bool is_copied; /* it came from another file: nobody knows what that one has signed since */
	bool has_chain; /* others can be derived from it */
	struct chain chain;
	const char *token; /* where the private half is */
	/* the token's; with a password in a secret box under scrypt(password, salt) */
	bool has_password;
	unsigned log_n;
	struct tsb_view salt;
	struct tsb_view private_part;
	struct tsb_view certificate; /* DER; empty = none */
	/* the approval tokens that it does not obey again (done.h), each KEY_DONE_SIZE bytes */
	struct tsb_view done; /* those that changed it */
	struct tsb_view approvers; /* who approved those in done */
	struct tsb_view idle; /* those that found nothing to change */
	uint64_t forgotten; /* seconds: done has lost tokens up to this one; 0 = none */
	struct tsb_view undated; /* done as older versions wrote it, until done_date() */
	/* made by key_decode(); NULL for a secret key, and for those that wear out */
	EVP_PKEY *public_key;
	/* temporary.h; NULL = a key with a private part of its own */
	struct hsm_key *master;
	const struct key_path *path;
	/* of the attributes, made when somebody first asks (attributes.h) */
	bool has_digest;
	unsigned char digest[CRYPTO_SHA256_SIZE];
	/* opened at the first use unless a password guards it; ends with the key */
	struct token_key *opened;
	void (*release_opened)(struct token_key **);
};

struct hsm_key *key_new(void); /* one reference; of token "soft" */
struct hsm_key *key_hold(struct hsm_key *);
void key_release(struct hsm_key **);
#define hsm_key_auto struct hsm_key __attribute__((cleanup(key_release)))

bool key_is_secret(const struct hsm_key *);
/* Whether each signature uses up a part of it (lib/crypto/hbs.h). */
bool key_is_stateful(const struct hsm_key *);
/* How many signatures are left in such a key. */
uint32_t key_leaves_left(const struct hsm_key *);
/* What the API calls it: "RSA", "ML-DSA-65", "XMSS"; and the dotted OID. */
const char *key_algorithm(const struct hsm_key *);
const char *key_algorithm_oid(const struct hsm_key *);
/* Whether it is a key of this kind and parameter set. */
bool key_fits(const struct hsm_key *, const EVP_PKEY *);
bool key_kind_has_size(enum key_kind);
bool key_kind_has_set(enum key_kind);
/* Whether new keys of this kind may have so many bits, and such that were made elsewhere. */
bool key_size_is_made(enum key_kind, unsigned bits);
bool key_size_is_taken(enum key_kind, unsigned bits);
#define KEY_SIZES_TEXT 80
/* "128, 192 or 256": the bits of new keys; buf of KEY_SIZES_TEXT bytes, returned. */
const char *key_sizes_text(enum key_kind, char *buf);
/* Fewest bits of RSA keys that are made or come in (keys.rsaBits); 2048 until it is set. */
long key_rsa_min(void);
void key_rsa_min_set(long bits);

/* Content of the key file (docs/key-store.md). Encoding appends. */
void key_encode(const struct hsm_key *, struct tsb_bytes *out);
/* Strict: TSB_E_DATA_CONSTELLATION unless every byte has a meaning. On 0 *out has one reference. */
int key_decode(struct tsb_view content, struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;
/* The label alone, for lists; a view into content. */
int key_decode_label(struct tsb_view content, struct tsb_view *label, struct tsb_err *err)
    TSB_MUSTCHECK;
/* A separate key with the same content, for changes. On 0 *out has one reference. */
int key_copy(const struct hsm_key *, struct hsm_key **out, struct tsb_err *err) TSB_MUSTCHECK;

/*
 * Stores the private part of a key whose label and public half are set: sealed under the password,
 * or as it is if that is empty.
 */
int key_set_private_part(struct hsm_key *, struct tsb_view part, struct tsb_view password,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Appends the private part in the clear. TSB_E_KEY_PASSWORD; keys without one accept any. */
int key_private_part(const struct hsm_key *, struct tsb_view password, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* TSB_E_KEY_PASSWORD if it is wrong; keys without a password accept any. */
int key_check_password(const struct hsm_key *, struct tsb_view password, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
