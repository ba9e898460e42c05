/* Shared by the files of lib/flow only. */
#ifndef TSB_FLOW_INTERNAL_H
#define TSB_FLOW_INTERNAL_H

#include "lib/crypto/crypto.h"
#include "lib/flow/flow.h"
#include "lib/ska/verdict.h"
#include "lib/wire/package.h"
#include "lib/wire/wire.h"

struct flow {
	const struct broker_conf *conf;
	struct store *store;
	struct hsm *hsm;
	char *owner;
	bool has_secret;
	unsigned char secret[CRYPTO_BOX_KEY_SIZE]; /* seals key passwords */
	struct arena process; /* what lives as long as the process */
	struct tsb_view *signers; /* DER of allowed timestamp signers */
	size_t nsigners;
	struct tsb_view *request_signers; /* SubjectPublicKeyInfo of allowed callers */
	size_t nrequest_signers;
	int wake_fd;
	struct flow_key_cache *keys;
	/* profile air-gapped: hsm is NULL */
	bool air_gapped;
	struct tsb_view *attestation_keys; /* SubjectPublicKeyInfo of pinned HSMs */
	size_t nattestation_keys;
	struct tsb_view *offline_approvers; /* SubjectPublicKeyInfo, for keys not imported */
	size_t noffline_approvers;
	struct crypto_private *site_key; /* signs packages; NULL = none */
	struct wire_package_peer *offline_sites; /* pinned; the first is the one packages are for */
	size_t noffline_sites;
};

/* ---- keys and certificates that the settings name (files.c) ---- */

int flow_files_load(struct flow *f, enum store_login login, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- attested keys, parsed once per process (keycache.c) ---- */

/* Content-addressed by the attributes digest, hence never stale. */
struct flow_key {
	unsigned char digest[TSB_SHA256];
	struct tsb_key_attributes attributes;
	struct keyattr parsed; /* policy resolved */
	struct arena arena;
	uint64_t used;
	bool stored; /* in the database, too: other processes find it there */
};
struct flow_key_cache *flow_key_cache_new(void);
void flow_key_cache_free(struct flow_key_cache **c);
/* The key with this digest from cache or database (in tx, or in a transaction of its own when tx is
 * NULL); *key NULL when neither has it. Valid until the next call for another digest. */
int flow_key_load(struct flow *f, struct store_tx *tx, const unsigned char digest[TSB_SHA256],
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
/* Parses attributes and keeps them in the cache; stored: they come from the database. */
int flow_key_keep(struct flow *f, const struct tsb_key_attributes *attributes, bool stored,
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
/* A transaction that wrote them has been committed. */
void flow_key_stored(struct flow *f, const unsigned char digest[TSB_SHA256]);

/* ---- typed calls to the HSM (hsmcall.c) ---- */

/* The one place that tells an air-gapped broker's callers that there is no HSM. */
int flow_hsm_need(const struct flow *f, struct tsb_err *err) TSB_MUSTCHECK;
/* hsm_random() of the broker's HSM. */
int flow_hsm_random(struct flow *f, size_t n, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;

/* What the HSM says about a key when a request is made; without one, what is known of the key. */
struct flow_stamp {
	bool stamped; /* false: an HSM without timestamps, or no HSM */
	struct tsb_view timestamp; /* container */
	struct tsb_view signature; /* with algorithm */
	uint64_t seconds;
	const struct flow_key *key; /* current attributes; NULL: a key that was never imported */
	bool new_key; /* they are not in the database yet */
};
int flow_hsm_stamp(struct flow *f, const struct wire_timestamp_request *ask, struct arena *a,
    struct flow_stamp *out, struct tsb_err *err) TSB_MUSTCHECK;

/* The key as the HSM describes it now; TSB_E_KEY_NOT_EXISTENT. */
int flow_hsm_key(struct flow *f, const char *label, struct arena *a, struct keyattr *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The same of a key that may have a password; TSB_E_KEY_PASSWORD. */
int flow_hsm_key_open(struct flow *f, const char *label, struct tsb_view password, struct arena *a,
    struct keyattr *out, struct tsb_err *err) TSB_MUSTCHECK;
int flow_hsm_key_exists(struct flow *f, const char *label, bool *exists, struct tsb_err *err)
    TSB_MUSTCHECK;

/* ---- approvers (approver.c) ---- */

/* Who signed a timestamp (api-notes.md 5.1). all: a signer that sees everybody's tasks. */
struct flow_approver {
	bool signer; /* notification service: may list and delete, not approve */
	bool all;
	struct tsb_view spki;
	unsigned char id[TSB_SHA256];
	unsigned char actor[TSB_SHA256]; /* SHA-256 of the key that signed, for the audit */
};
int flow_approver_prove(struct flow *f, const struct tsb_approver_proof *proof, struct arena *a,
    int64_t now_ms, struct flow_approver *out, struct tsb_err *err) TSB_MUSTCHECK;
/* The key that approverPublicKey or approverCertificate names, not yet proven. */
int flow_approver_named(const struct tsb_approver_proof *proof, struct arena *a,
    struct flow_approver *out, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- evaluation (evaluate.c) ---- */

/* Seconds of the HSM's clock at now_ms, told from its timestamp at creation. */
int64_t flow_request_t0(const struct tsb_request *rq);
int64_t flow_request_hsm_now(const struct tsb_request *rq, int64_t now_ms);
/* Time of the HSM's clock in the broker's milliseconds. */
int64_t flow_request_broker_ms(const struct tsb_request *rq, int64_t hsm_seconds);
struct ska_vote *flow_votes(const struct tsb_approval *approvals, size_t n, struct arena *a);
/* The key as it was when the request was made; *key NULL: its attributes are not here. */
int flow_request_key(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
/* The key was not known when the request was made (profile air-gapped). */
bool flow_request_key_unknown(const struct tsb_request *rq);
/* Rule that guards the request; NULL for a key without policy. */
const struct ska_rule *flow_request_rule(const struct flow_key *key, enum tsb_kind kind);
/*
 * In place of the rule that is not known here: any of the configured approvers, or of those who
 * have answered. The offline HSM decides.
 */
const struct ska_rule *flow_unknown_rule(const struct flow *f, const struct tsb_approval *rows,
    size_t n, struct arena *a);
/*
 * The rule of either kind; *rule NULL for a key without policy, *key NULL for one that is not
 * known.
 */
int flow_request_guard(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, const struct flow_key **key,
    const struct ska_rule **rule, struct tsb_err *err) TSB_MUSTCHECK;
/* Approvals are accepted: neither finished nor under way nor overdue. */
bool flow_request_open(const struct tsb_request *rq, int64_t now_ms);
/* Its time is over and nobody has said so yet. */
bool flow_request_late(const struct tsb_request *rq, int64_t now_ms);
/*
 * Sets what the verdict means for a request that is not executed: state, due and expiry. Without an
 * HSM nobody but the offline one can tell that approvals suffice: what is met stays PENDING.
 */
struct store_change flow_change_by_verdict(const struct flow *f, const struct tsb_request *rq,
    const struct ska_verdict *v);

/* ---- views (view.c) ---- */

/* A view for listings and for task level 6, inside a transaction: all of GET's but input. */
int flow_request_fill_view(struct flow *f, struct store_tx *tx, struct arena *a, int64_t now_ms,
    struct tsb_request_view *out, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- endings (ending.c) ---- */

/* Expires an overdue request unless somebody was faster. */
int flow_request_expire(struct flow *f, const struct tsb_uuid *id, struct arena *a, int64_t now_ms,
    struct tsb_err *err) TSB_MUSTCHECK;

/* ---- execution (execute.c) ---- */

/* What password_box holds; empty when there is none. */
int flow_password_open(struct flow *f, const struct tsb_request *rq, struct tsb_bytes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Calls and finishes a request that this process inserted as its own claim. */
int flow_execute_claimed(struct flow *f, const struct tsb_request *rq, struct tsb_err *err)
    TSB_MUSTCHECK;

/* ---- what an approval binds (payload.c) ---- */

/* Bytes of the token's payload element; empty for block and unblock. Checks a new policy, and shows
 * the HSM the certificates of approvers that it names. */
int flow_payload(struct flow *f, struct tsb_request_in *in, struct arena *a,
    struct tsb_view *payload, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- certificates (certificate.c) ---- */

bool flow_is_certificate(enum tsb_kind kind);
/* What is to be signed, asking the HSM for the key and the issuer's certificate. */
int flow_certificate_payload(struct flow *f, const struct tsb_request_in *in, struct arena *a,
    struct tsb_view *payload, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * What the HSM is told to do for a request: its kind and object. For certificates that is to sign
 * what was approved.
 */
int flow_request_ordered(const struct tsb_request *rq, struct arena *a, enum tsb_kind *kind,
    struct tsb_view *inner, struct tsb_err *err) TSB_MUSTCHECK;
/* PEM from the signature that the HSM answered. */
int flow_certificate_finish(struct flow *f, struct flow_execution *x, struct tsb_view answer,
    struct tsb_view *pem, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- recovery (recover.c) ---- */

enum flow_finding {
	FOUND_DONE, /* the earlier attempt has happened */
	FOUND_NOT_DONE, /* it has not: the call may be made */
	FOUND_UNKNOWN /* nobody can tell */
};
/* The order by which the HSM tells; x->order has the key and its password. */
int flow_recover_ask(struct flow_execution *x, struct tsb_err *err) TSB_MUSTCHECK;
/* What its answer means; -1 when the answer itself failed (err, as raised by the HSM). */
int flow_recover_find(struct flow_execution *x, const struct hsm_answer *answer,
    enum flow_finding *found, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- profile air-gapped: what the offline HSM signed ---- */

/*
 * Checks the signature with the pinned keys, and reads the document: *k, and of *in the digest and
 * key_name, which the document gives. Nothing is stored. Errors are those of
 * flow_attributes_import().
 */
int flow_attributes_accept(struct flow *f, struct tsb_key_attributes *in, struct arena *a,
    struct keyattr *k, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Puts accepted attributes in force, with an audit row, inside the caller's transaction. *fresh
 * false: they are so already and nothing changed. When newer ones are in force nothing changes
 * either: *late, or TSB_E_KEY_ATTRIBUTES where late is NULL.
 */
int flow_attributes_keep(struct flow *f, struct store_tx *tx, const struct tsb_key_attributes *in,
    const struct keyattr *k, const char *actor, int64_t now_ms, bool *fresh, bool *late,
    struct tsb_err *err) TSB_MUSTCHECK;

/* ---- profile air-gapped: keys as they were imported ---- */

/*
 * *key is NULL for one that was never imported; it is valid as long as that of flow_key_load(). tx
 * may be NULL: a transaction of its own.
 */
int flow_imported_key(struct flow *f, struct store_tx *tx, const char *label,
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
/* The row only remembers how new the next attributes must be. */
bool flow_imported_forgotten(const struct tsb_imported_key *row);
int flow_imported_exists(struct flow *f, const char *label, bool *exists, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The document of a row. */
int flow_imported_load(struct flow *f, struct store_tx *tx, const struct tsb_imported_key *row,
    const struct flow_key **key, struct tsb_err *err) TSB_MUSTCHECK;
/* Keeps a certificate (empty: none any more) with the key that it is of, with an audit row. */
int flow_imported_certify(struct flow *f, struct store_tx *tx, const char *label,
    struct tsb_view der, const char *actor, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- profile air-gapped: requests for the offline HSM ---- */

/*
 * inputOfflineHsm: the body for the synchronous endpoint with all approvals among the n rows. Empty
 * when it is not ready: before the first approval, where one is asked; finished; profile online. tx
 * may be NULL: a transaction of its own.
 */
int flow_request_input(struct flow *f, struct store_tx *tx, const struct tsb_request *rq,
    const struct tsb_approval *rows, size_t n, struct arena *a, struct tsb_view *input,
    struct tsb_err *err) TSB_MUSTCHECK;
/* How far an open request is, by the policy of its key; nothing when that is not known. */
void flow_request_progress(const struct flow_key *key, const struct tsb_approval *rows, size_t n,
    struct arena *a, struct tsb_request_view *out);

/* ---- profile air-gapped: out and back in ---- */

/* TSB_E_UNSUPPORTED_OPERATION in the profile online. */
int flow_offline_need(const struct flow *f, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * A request as GET shows it, whatever its state, and its input as flow_request_input() gives it.
 * The result stays for the one who fetches it.
 */
int flow_offline_view(struct flow *f, const struct tsb_uuid *id, struct arena *a, int64_t now_ms,
    struct tsb_request_view *view, struct tsb_view *input, struct tsb_err *err) TSB_MUSTCHECK;

/* A result that came back, and what it stands for when it is believed. */
struct flow_carried {
	const struct wire_offline_result *in;
	bool by_site; /* in a package of a pinned offline site */
	const char *actor; /* for the audit */
	enum tsb_state to; /* EXECUTED or FAILED */
	struct tsb_view result; /* EXECUTED: as the request's caller gets it */
	const char *reason; /* FAILED */
	bool has_attributes; /* signed by a pinned HSM, of the key that was to change */
	struct tsb_key_attributes attributes;
	struct keyattr key;
	struct tsb_view certificate; /* self-signed: DER, to be kept with the key; else empty */
};
/* Outcome by which a repeat is recognised; sets to and reason. */
void flow_carried_digest(struct flow_carried *c, struct arena *a, unsigned char sha256[TSB_SHA256]);
/*
 * Whether the result shows what lib/gap/gap.h asks for; fills the rest of c. input: as it was
 * carried out.
 */
int flow_carried_prove(struct flow *f, struct flow_carried *c, const struct tsb_request *rq,
    struct tsb_view input, struct arena *a, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- telling the dispatcher (flow.c) ---- */
void flow_wake(struct flow *f, const struct tsb_uuid *id);

#endif
