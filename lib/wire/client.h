/*
 * The API read from the other side: answers of a broker as a client takes them. The server is not
 * trusted either: bodies are strict JSON, types are checked, base64 is decoded here. Text and bytes
 * live in the arena; members that are absent or null are NULL or empty. A body that is not what the
 * API promises is TSB_E_IO with the member's name and the rule.
 */
#ifndef TSB_WIRE_CLIENT_H
#define TSB_WIRE_CLIENT_H

#include "lib/wire/wire.h"

/* {"errorCode","reason","message"}; false when the body is something else. */
struct wire_client_error {
	int number;
	const char *reason, *message;
};
bool wire_client_error_parse(struct tsb_view body, struct arena *a, struct wire_client_error *out);

/* approvalProgress of an air-gapped broker (docs/offline-formats.md). */
struct wire_client_group {
	const char *name;
	unsigned quorum, approved, missing;
};
struct wire_client_token {
	const char *name;
	bool met; /* of one token is enough */
	struct wire_client_group *groups;
	size_t ngroups;
};

/* One of rejectionReasons. */
struct wire_client_rejection {
	struct tsb_view approver; /* SubjectPublicKeyInfo */
	const char *time, *reason;
};

/* What a list says of a request (docs/openapi.yaml RequestDetails). */
struct wire_client_person {
	struct tsb_view key; /* SubjectPublicKeyInfo */
	const char *name, *time; /* of the answer */
};
struct wire_client_details {
	const char *operation, *key_name, *payload_type, *created, *expires;
	bool has_meta;
	struct tsb_view meta; /* decoded metaData */
	bool has_missing;
	unsigned missing; /* approvals */
	struct wire_client_person *people;
	size_t npeople;
	struct tsb_view text; /* all of it as compact JSON */
};

/* Answer of GET /v1/request/{id} (docs/openapi.yaml Request), also inside tasks of level 6. */
struct wire_client_status {
	const char *id, *status, *execution_time, *result;
	struct tsb_view *approved, *open, *rejected; /* SubjectPublicKeyInfo */
	size_t napproved, nopen, nrejected;
	const char *policy_changed; /* time: since then a changed policy tells whom it asks */
	struct tsb_view *uncounted; /* of approved: those whom that policy does not name */
	size_t nuncounted;
	struct wire_client_rejection *reasons; /* of those of rejected who gave one */
	size_t nreasons;
	struct tsb_view offline; /* compact text of inputOfflineHsm */
	bool has_progress; /* approvalProgress: the policy is known to the broker */
	bool progress_met;
	struct wire_client_token *tokens;
	size_t ntokens;
	bool has_details; /* in lists */
	struct wire_client_details details;
};
int wire_client_status_parse(struct tsb_view body, struct arena *a, struct wire_client_status *out,
    struct tsb_err *err) TSB_MUSTCHECK;

/* Answer of POST /v1/filteredRequests (docs/openapi.yaml RequestFilter). */
struct wire_client_request {
	const char *id, *status;
};
int wire_client_requests_parse(struct tsb_view body, struct arena *a,
    struct wire_client_request **out, size_t *n, struct tsb_err *err) TSB_MUSTCHECK;

/* Answer of POST /v1/filteredRequestDetails; more: others follow behind the last one. */
int wire_client_request_details_parse(struct tsb_view body, struct arena *a,
    struct wire_client_status **out, size_t *n, bool *more, struct tsb_err *err) TSB_MUSTCHECK;

/* One element of {"tasks":[...]} (api-notes.md 5.2). */
struct wire_client_task {
	const char *id;
	struct tsb_view token; /* approvalToBeSigned: level 1 */
	struct tsb_view approver; /* SubjectPublicKeyInfo; older servers omit it */
	bool has_meta;
	struct tsb_view meta; /* decoded metaData: level 2 */
	bool has_payload;
	struct tsb_view payload;
	const char *payload_type;
	bool has_kind; /* level 3: the caller's envelope says what is asked */
	enum tsb_kind kind;
	const char *key_name, *algorithm;
	bool has_request_payload; /* of the envelope: message or ciphertext */
	struct tsb_view request_payload;
	struct scheme_extra extra; /* of a signature, without aux */
	const char *new_label, *wrap_method; /* unwrap */
	bool has_wrapped_key;
	struct tsb_view wrapped_key;
	const char *common_name, *csr; /* certificates; csr: PEM or base64 as the caller wrote it */
	struct tsb_view requester; /* SubjectPublicKeyInfo of requestSignature */
	struct tsb_view attributes, attributes_signature; /* level 5 */
	bool has_status; /* level 6 */
	struct wire_client_status status;
};
int wire_client_tasks_parse(struct tsb_view body, struct arena *a, struct wire_client_task **out,
    size_t *n, struct tsb_err *err) TSB_MUSTCHECK;

/*
 * What became of a result that was carried back (PUT /v1/resultFromOfflineHsm): one answer or a
 * list.
 */
struct wire_client_outcome {
	const char *id; /* NULL = the broker could not tell */
	bool refused;
	struct wire_client_error error; /* refused */
	struct wire_client_status status; /* else */
};
int wire_client_outcomes_parse(struct tsb_view body, struct arena *a,
    struct wire_client_outcome **out, size_t *n, struct tsb_err *err) TSB_MUSTCHECK;
/* A list of base64 texts, as in {"qrCodes":["..."]}. */
int wire_client_bytes_parse(struct tsb_view body, const char *name, struct arena *a,
    struct tsb_view **out, size_t *n, struct tsb_err *err) TSB_MUSTCHECK;

/* One text member of an object; *out NULL when it is absent or null. */
int wire_client_text_parse(struct tsb_view body, const char *name, struct arena *a,
    const char **out, struct tsb_err *err) TSB_MUSTCHECK;
/* One boolean member, as in {"signatureValid":true}. */
int wire_client_bool_parse(struct tsb_view body, const char *name, bool *out, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
