/*
 * What travels between a broker of the profile air-gapped and an offline HSM (api-notes.md 6):
 * requests one way, results the other. docs/offline-formats.md describes both for other programs.
 */
#ifndef TSB_WIRE_OFFLINE_H
#define TSB_WIRE_OFFLINE_H

#include "lib/wire/wire.h"

/* ---- requests ---- */

/* The text without bytes above 127: inside strings they become \uXXXX. text is compact JSON. */
void wire_ascii(struct tsb_view text, struct tsb_bytes *out);

/*
 * A request as it travels: an item of a package, the answer of GET /v1/request/{id}, or the bare
 * inputOfflineHsm, as a single QR code has it. In a package:
 * {"id","kind","created","keyName","metaData","inputOfflineHsm":{...}}
 */
struct wire_offline_request {
	bool has_id; /* a bare object has none */
	struct tsb_uuid id;
	enum tsb_kind kind; /* as asked for; of a bare object: what its one member says */
	enum tsb_kind
	    executed; /* whose synchronous endpoint input is for: certificates are signed */
	int64_t created_ms; /* 0 = not told */
	const char *key_name;
	const char *meta_data; /* base64 as given, NULL = none: for people, no approval covers it */
	struct tsb_view input; /* compact ASCII: {"signRequest":{...}} */
	/* read from input: */
	struct tsb_view inner; /* {...} */
	struct tsb_view *signed_approvals; /* decoded */
	size_t napprovals;
};
/*
 * TSB_E_INPUT names the member; TSB_E_UNSUPPORTED_OPERATION for an answer without inputOfflineHsm.
 */
int wire_offline_request_parse(struct tsb_view text, struct arena *a,
    struct wire_offline_request *out, struct tsb_err *err) TSB_MUSTCHECK;
/* As an item of a package; reads id, kind, created_ms, key_name, meta_data, input. */
void wire_offline_request_format(const struct wire_offline_request *, struct tsb_bytes *out);
/* A request in n codes: {"id","parts","qrCodes":[base64 of PNG, ...]} */
void wire_qr_codes_format(const struct tsb_uuid *id, const struct tsb_bytes *pngs, size_t n,
    struct tsb_bytes *out);

/* ---- results ---- */

/*
 * A result (api-notes.md 6.4): {"id", "signature"|"payload"|"result", "failed", "errorCode",
 * "reason", "executionTime", "attributes":{"xml","xmlSignature","attestationKeyName"}, "token"}.
 * Either failed or the other members of an outcome; all are optional but one of id and token.
 */
struct wire_offline_result {
	bool has_id;
	struct tsb_uuid id;
	bool
	    has_token; /* for requests that were scanned without their id: SHA-256 of the approved token */
	unsigned char token[TSB_SHA256]; /* "token": 64 hex digits */
	const char *member; /* what result came as: "signature", "payload", "result"; NULL = none */
	struct tsb_view result; /* its text; a payload may be empty */
	const char *failed; /* reason in words, NULL = executed */
	int error_code; /* of the offline side, 0 = not told */
	const char *error_reason;
	int64_t execution_ms; /* 0 = not told */
	bool has_attributes; /* of the key afterwards; unwrap: of the new key */
	struct tsb_key_attributes attributes; /* xml, xml_signature, attestation_key_name */
	struct tsb_view text; /* the whole object, compact */
};
int wire_offline_result_parse(struct tsb_view body, struct arena *a,
    struct wire_offline_result *out, struct tsb_err *err) TSB_MUSTCHECK;
/* member: the name that the result goes by, as answer_member of the kind's row; NULL = "result". */
void wire_offline_result_format(const struct wire_offline_result *, const char *member,
    struct tsb_bytes *out);

#endif
