/*
 * What the edges (wire, store) hand to each other by way of the rooms above them. All pointers
 * live in the arena of the request being served.
 */
#ifndef TSB_MODEL_MODEL_H
#define TSB_MODEL_MODEL_H

#include "lib/base/uuid.h"
#include "lib/model/kind.h"
#include "lib/ska/keyattr.h"
#include "lib/ska/sigalg.h"
#include "lib/ska/unwrap.h"

#define TSB_SHA256 32

/* Request states (api-notes.md 4.3); being executed is APPROVED with a claim. */
enum tsb_state {
	STATE_PENDING,
	STATE_APPROVED,
	STATE_EXECUTED,
	STATE_FAILED,
	STATE_EXPIRED,
	STATE_REJECTED,
	STATE_CANCELLED,
	STATE__MAX
};
extern const char *const tsb_state_names[STATE__MAX]; /* "PENDING" ... */
bool tsb_state_by_name(const char *name, enum tsb_state *out);
bool tsb_state_terminal(enum tsb_state);
bool tsb_state_may_move(enum tsb_state from, enum tsb_state to); /* the transition table */

/* A caller's signature over its own request (api-notes.md 4.6). */
struct tsb_request_signature {
	bool present;
	struct tsb_view signature;
	enum ska_digest digest;
	struct tsb_view spki;
};

/* Subject attributes in the order of standardCertificateAttributes (api-notes.md 9.1). */
enum tsb_subject {
	SUBJECT_COMMON_NAME,
	SUBJECT_COUNTRY,
	SUBJECT_STATE,
	SUBJECT_LOCALITY,
	SUBJECT_ORGANIZATION,
	SUBJECT_ORGANIZATION_UNIT,
	SUBJECT_ORGANIZATION_IDENTIFIER,
	SUBJECT_EMAIL,
	SUBJECT_TITLE,
	SUBJECT_SURNAME,
	SUBJECT_GIVEN_NAME,
	SUBJECT_INITIALS,
	SUBJECT_PSEUDONYM,
	SUBJECT_GENERATION_QUALIFIER,
	SUBJECT__MAX
};

/* What a certificate request says (api-notes.md 9). */
struct tsb_certificate_in {
	const char *subject[SUBJECT__MAX]; /* commonName of the short forms is the first */
	long validity; /* days; 365 when not given */
	bool authority; /* certificateAuthority */
	struct tsb_view csr; /* DER of the request to be signed */
	unsigned key_usage; /* 1 << index of api-notes.md 12.4 */
	unsigned extended_key_usage; /* 1 << index of api-notes.md 12.4 */
	bool named; /* for somebody else: subject is the whole name, not the common name alone */
	const char
	    *holder; /* key that the certificate of somebody else is kept with; NULL = none */
};

/* An asynchronous request as it arrived, checked against the field table of its kind. */
struct tsb_request_in {
	enum tsb_kind kind;
	const char *key_name;
	struct tsb_view key_password; /* empty = none */
	struct tsb_view secret; /* EFFECT_CODE: kept sealed until the end */
	struct tsb_view payload; /* sign: message; decrypt: ciphertext; others empty */
	struct ska_policy *policy; /* modify: resolved by flow; else NULL */
	struct ska_unwrap unwrap; /* unwrap: the new key */
	const char *wrap_method; /* unwrap: as given */
	struct tsb_certificate_in certificate;
	const char *algorithm; /* signatureAlgorithm or cipherAlgorithm as given; NULL = none */
	const char *payload_type; /* text of the enum, NULL = not given */
	const char *meta_data, *meta_data_signature; /* base64 text as given, NULL = none */
	struct tsb_view inner; /* compact text of the inner object as the caller wrote it */
	struct tsb_view envelope; /* compact text of the whole body as the caller wrote it */
	struct tsb_view inner_clean; /* inner without password and metadata members and nulls: what
					 * is submitted later */
	struct tsb_request_signature signature;
};

/* A row of the request table. Times in milliseconds of the broker's clock, 0 = none. */
struct tsb_request {
	struct tsb_uuid id;
	enum tsb_kind kind;
	enum tsb_state state;
	uint64_t version; /* every change adds one */
	const char *key_name;
	unsigned char
	    attributes_digest[TSB_SHA256]; /* of the key at creation; zeros: not known here */
	unsigned char plan_digest[TSB_SHA256]; /* of the key by whose policy approvers are asked:
						* that at creation, or a later one */
	int64_t planned_ms; /* when the policy had changed and they were chosen anew; 0 = never */
	int64_t created_ms;
	int64_t hsm_seconds; /* time of the HSM's timestamp, 0 = token without timestamp */
	int64_t due_ms; /* APPROVED: not to be submitted before */
	int64_t expires_ms; /* open states: EXPIRED from then on, 0 = never */
	struct tsb_view token; /* approval token; empty when no approval is asked */
	bool by_token; /* at creation: it is to be found by its token, too */
	const char *payload_type, *meta_data, *meta_data_signature;
	struct tsb_view envelope; /* empty when it contained a password */
	struct tsb_view inner_clean;
	struct tsb_view password_box; /* sealed key password; erased in terminal states */
	struct tsb_view result; /* text of the result; empty = null */
	const char *reason; /* FAILED: shown as result */
	int64_t execution_ms;
	/* the claim: owner is set while someone executes */
	const char *owner; /* NULL = free */
	int64_t lease_ms;
	uint32_t attempt;
	uint64_t fence; /* grows with every claim; guards the outcome */
	struct tsb_view outcome; /* SHA-256 of the result that was carried back; empty = none was */
};

/* A request in a list. */
struct tsb_request_row {
	struct tsb_uuid id;
	enum tsb_state state;
};

/* An approval or rejection: one row per request and approver. */
struct tsb_approval {
	struct tsb_uuid request_id;
	unsigned char approver_id[TSB_SHA256]; /* SHA-256 of spki */
	bool approves;
	struct tsb_view spki;
	struct tsb_view signed_approval; /* whole container; empty for a rejection */
	struct tsb_view service; /* key of the notification service that rejected for the approver;
				  * empty: the approver answered */
	int64_t at_ms;
	const char *reason; /* of a rejection; NULL = none was given */
};

struct tsb_task {
	struct tsb_uuid id;
	struct tsb_uuid request_id;
	unsigned char approver_id[TSB_SHA256];
	struct tsb_view spki;
	int64_t created_ms, fetched_ms;
	int64_t expires_ms; /* from then on no policy token asks this approver, 0 = never */
};

/*
 * Attested attributes of a key, content-addressed: by keyAttributesDigest, or by the SHA-256 of the
 * whole document where they were imported.
 */
struct tsb_key_attributes {
	unsigned char digest[TSB_SHA256];
	const char *key_name;
	struct tsb_view xml;
	struct tsb_view xml_signature; /* raw bytes */
	const char *attestation_key_name;
	int64_t fetched_ms;
};

/* A key that an offline HSM has: which of its attested attributes are in force. */
struct tsb_imported_key {
	const char *key_name;
	unsigned char
	    attributes_digest[TSB_SHA256]; /* SHA-256 of the whole document; zeros: forgotten */
	int64_t attest_time; /* seconds, of the HSM's clock; only ever grows */
	int64_t imported_ms;
	struct tsb_view certificate; /* DER; empty = none */
};

/* An approver whose key the broker made (api-notes.md 10). Times in milliseconds, 0 = none. */
struct tsb_approver {
	const char *name;
	bool onboarded; /* else pending: waits for the one-time code */
	uint64_t version; /* every change adds one */
	struct tsb_view certificate; /* DER */
	struct tsb_view container; /* PKCS#12 under the backup password, sealed */
	struct tsb_view backup; /* private key, sealed with the key in wrapped_key */
	struct tsb_view wrapped_key; /* for the HSM's backup key */
	unsigned char backup_key[TSB_SHA256]; /* which one: SHA-256 of its SubjectPublicKeyInfo */
	struct tsb_view code_salt, code_hash; /* one-time code; empty = none */
	int64_t code_expires_ms;
	uint32_t code_tries; /* of this code */
	uint32_t wrong_tries; /* of all codes since wrong_since_ms */
	int64_t wrong_since_ms;
	int64_t created_ms, changed_ms;
	int64_t restored_ms; /* the container came out of a restoration */
};

/* Who asks, proven by a signed timestamp (api-notes.md 5.1). */
struct tsb_approver_proof {
	const char *timestamp; /* text as sent: the signed bytes */
	int64_t timestamp_ms;
	struct tsb_view signature;
	enum ska_digest digest;
	struct tsb_view spki; /* approverPublicKey; empty = absent */
	struct tsb_view certificate; /* approverCertificate; empty = absent */
	struct tsb_view signer_certificate; /* timestampSigningCertificate; empty = absent */
};

enum tsb_sort { SORT_CREATED_ASC, SORT_CREATED_DESC, SORT_FETCHED_ASC, SORT_FETCHED_DESC };

struct tsb_task_filter {
	struct tsb_approver_proof proof;
	bool one_kind; /* only this one, and what is listed with it (set by the route) */
	enum tsb_kind kind;
	bool has_id, has_request_id;
	struct tsb_uuid id, request_id;
	int level; /* 1 to 6 */
	bool fresh_attributes; /* of the task with this id: level 5 is asked from the HSM */
	bool paged;
	long page, page_size;
	long skip, part; /* what is loaded at once of a page, or of all; part 0 = all of it */
	enum tsb_sort sort;
};

struct tsb_approval_in {
	struct tsb_uuid task_id;
	bool rejects; /* body of a task deletion was posted (api-notes.md 5.3) */
	const char *reason; /* of a rejection; NULL = none is given */
	struct tsb_approver_proof
	    proof; /* rejections: complete; approvals: spki or certificate only */
	struct tsb_view token; /* approvalToBeSigned, decoded */
	struct tsb_view signature; /* bare */
	enum ska_digest digest;
};

/* A task as a client sees it: task, its request and what the levels need. */
struct tsb_task_view {
	struct tsb_task task;
	struct tsb_request request;
	struct tsb_key_attributes attributes; /* level 5 */
};

/* How far the approvals of a request are, told from the imported policy of its key. */
struct tsb_progress_group {
	const char *name;
	uint32_t quorum;
	size_t approved;
};
struct tsb_progress_token {
	const char *name;
	bool met;
	struct tsb_progress_group *groups;
	size_t ngroups;
};

/* Which requests, newest first. */
struct tsb_request_filter {
	unsigned states; /* 1 << enum tsb_state; 0 = all */
	const char *key_name; /* NULL = all */
	bool has_id, has_after;
	struct tsb_uuid id; /* this one alone */
	struct tsb_uuid after; /* those behind it in the list */
	int64_t since_ms; /* made at this time or later */
	long limit;
};

/* Somebody who has answered a request, or still may. */
struct tsb_participant {
	struct tsb_view spki;
	const char *name; /* as the policy calls it, or as its certificate does; NULL = neither */
	int64_t at_ms; /* of the answer; 0 = none yet */
};

/* What a request is about, and who is in it. */
struct tsb_request_details {
	struct tsb_participant *people;
	size_t npeople;
	bool has_missing; /* open, and the policy is known */
	size_t missing; /* approvals, of the token that needs the fewest */
};

/* Why somebody rejected. */
struct tsb_rejection {
	struct tsb_view spki;
	int64_t at_ms;
	const char *reason;
};

/* Answer of GET /v1/request (docs/openapi.yaml Request). */
struct tsb_request_view {
	struct tsb_request request;
	struct tsb_view *approved, *open, *rejected; /* SPKIs */
	size_t napproved, nopen, nrejected;
	struct tsb_view *uncounted; /* of approved: whom the policy does not name any more */
	size_t nuncounted;
	struct tsb_rejection *reasons; /* of those of rejected who gave one */
	size_t nreasons;
	const struct tsb_request_details *details; /* NULL = not asked for */
	/* profile air-gapped, open requests (api-notes.md 6.2): */
	struct tsb_view input; /* inputOfflineHsm, compact JSON; empty = not to be shown */
	bool has_progress; /* the policy is known: "approvalProgress" */
	struct tsb_progress_token *tokens; /* those without time limits */
	size_t ntokens;
};

#endif
