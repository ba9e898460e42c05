/*
 * The seam behind tsb-hsm: who has the private halves of keys, and computes with them. Whatever the
 * token, our key files have the rest (attributes, policy, executed approvals, password, counter),
 * and decide before a token is asked. A token shows the private half of an
 * extractable key alone. It hands out opened keys, and
 * a "private part" that the key file keeps for it, sealed under the key's password.
 */
#ifndef TSB_HSM_TOKEN_H
#define TSB_HSM_TOKEN_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"

struct cipher_algorithm;
struct cipher_encrypted;
struct hsm_key;
struct key_path;
struct scheme;
struct scheme_extra;
struct wire_cipher;
struct wrap_method;

/* A token opened by one process. Each implementation's struct begins with it. */
struct token {
	const struct token_ops *ops;
};

/* An opened private half. Each implementation's struct begins with it. */
struct token_key {
	const struct token_ops *ops;
	unsigned refs;
};

enum token_task {
	TOKEN_MAKE,
	TOKEN_DERIVE,
	TOKEN_SIGN,
	TOKEN_DECRYPT,
	TOKEN_ENCRYPT,
	TOKEN_UNWRAP,
	TOKEN_WRAP
};

/* The question whether a token offers something. */
struct token_ask {
	enum token_task task;
	const struct hsm_key *key; /* kind, size and curve count */
	const char *name; /* of the algorithm, for people; NULL to make and derive */
	const struct scheme *scheme; /* to sign */
	const struct cipher_algorithm *cipher; /* to encrypt and decrypt */
	const struct wrap_method *method; /* to wrap and unwrap */
};

/*
 * input is what scheme_prepare() made of a payload of payload_size bytes; of those who sign
 * messages, of HMAC and of keys that wear out it is the payload.
 */
struct token_sign {
	const struct scheme *scheme;
	const struct scheme_extra *extra;
	uint32_t leaf; /* of a key that wears out */
	size_t payload_size;
	struct tsb_view input;
};

/*
 * An implementation. It is only asked for what was selected for the key and offered by the token.
 * Fallible functions return 0 or -1, and append to out-parameters only on 0.
 */
struct token_ops {
	const char *name; /* its name in key files */
	/* Opens it for this process, which does not fork before close. NULL on failure. */
	struct token *(*open)(struct tsb_err *);
	void (*close)(struct token *);
	bool (*offers)(struct token *, const struct token_ask *);
	/*
	 * Makes a key of k's kind, size and curve, and sets the public half of k; if k->has_chain,
	 * also k->chain.
	 */
	int (*make)(struct token *, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *);
	/* Opens the private half of k. TSB_E_DATA_CONSTELLATION when part is of another key. */
	int (*use)(struct token *, const struct hsm_key *k, struct tsb_view part,
	    struct token_key **out, struct tsb_err *);
	void (*release)(struct token_key *);
	/* Makes a signature in its plain form: DER for ECDSA and DSA, else the bare bytes. */
	int (*sign)(struct token_key *, const struct hsm_key *k, const struct token_sign *,
	    struct tsb_bytes *out, struct tsb_err *);
	/* TSB_E_DECRYPT_FAILED. Without key k encrypts with its public half. */
	int (*decrypt)(struct token_key *, const struct hsm_key *k, const struct cipher_algorithm *,
	    const struct wire_cipher *, struct tsb_view payload, struct tsb_bytes *out,
	    struct tsb_err *);
	int (*encrypt)(struct token_key *, const struct hsm_key *k, const struct cipher_algorithm *,
	    const struct wire_cipher *, struct tsb_view payload, struct cipher_encrypted *out,
	    struct tsb_err *);
	/* Wraps the leaving key; by is NULL when k wraps with its public half. */
	int (*wrap)(struct token_key *by, const struct hsm_key *k, const struct wrap_method *,
	    struct token_key *leaving, struct tsb_bytes *out, struct tsb_err *);
	/* Makes the wrapped key the private half of made, whose kind is set; sets the rest. */
	int (*unwrap)(struct token *, struct token_key *by, const struct wrap_method *,
	    struct tsb_view wrapped, struct hsm_key *made, struct tsb_bytes *part,
	    struct tsb_err *);
	/*
	 * Makes a value in the clear the private half of made, whose kind is set; sets the rest.
	 * TSB_E_KEY_ENCODING. NULL: values come in wrapped only.
	 */
	int (*take)(struct token *, struct tsb_view value, struct hsm_key *made,
	    struct tsb_bytes *part, struct tsb_err *);
	/*
	 * The same of a seed (SLIP-10): k has kind and curve, and gets public half and chain. NULL,
	 * as the next one: no key is derived.
	 */
	int (*sow)(struct token *, struct tsb_view seed, struct hsm_key *k, struct tsb_bytes *part,
	    struct tsb_err *);
	/*
	 * The same of the descendant of a key, whose private part is given. TSB_E_DERIVATION,
	 * TSB_E_KEY_NAME for paths that do not go there.
	 */
	int (*derive)(struct token *, const struct hsm_key *from, struct tsb_view from_part,
	    const struct key_path *, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *);
	/* Appends the private half as PKCS#8, or the secret. NULL: values leave wrapped only. */
	int (*give)(struct token_key *, struct tsb_bytes *value, struct tsb_err *);
	/*
	 * Ends a private half, which may be gone already. NULL: it ends with its key file. Only
	 * then there are keys that are derived at each use, which nobody would end.
	 */
	int (*destroy)(struct token *, struct tsb_view part, struct tsb_err *);
};

/* ---- what a process has open ---- */

#define TOKENS_MAX 4

struct tokens { /* the first makes the new keys */
	struct token *v[TOKENS_MAX];
	size_t n;
};

int tokens_open(struct tokens *, const struct token_ops *, struct tsb_err *) TSB_MUSTCHECK;
void tokens_close(struct tokens *);
/* The token that k's file names; TSB_E_HSM when this process does not have it. */
int tokens_find(const struct tokens *, const struct hsm_key *k, struct token **out,
    struct tsb_err *) TSB_MUSTCHECK;

/*
 * TSB_E_ALGORITHM_NOT_SUPPORTED (607) for what the key's token does not offer, TSB_E_DERIVATION
 * when that is to derive.
 */
int token_check(const struct tokens *, const struct token_ask *, struct tsb_err *) TSB_MUSTCHECK;
/*
 * Opens the private half of k. TSB_E_KEY_PASSWORD unless the password fits. A key without a
 * password stays open until k is released. The caller releases *out, before k. A temporary key gets
 * its public half.
 */
int token_use(const struct tokens *, struct hsm_key *k, struct tsb_view password,
    struct token_key **out, struct tsb_err *) TSB_MUSTCHECK;
void token_release(struct token_key **);
#define token_key_auto struct token_key __attribute__((cleanup(token_release)))
/* Appends the wrapped key. TSB_E_ALGORITHM_NOT_SUPPORTED for keys of different tokens. */
int token_wrap(struct token_key *by, const struct hsm_key *k, const struct wrap_method *,
    struct token_key *leaving, struct tsb_bytes *out, struct tsb_err *) TSB_MUSTCHECK;
/* Ends the private half of k. The file is the caller's business. */
int token_destroy(const struct tokens *, const struct hsm_key *k, struct tsb_view password,
    struct tsb_err *) TSB_MUSTCHECK;

#endif
