/*
 * JSON in and out: field tables per resource. The only home of json-c. Parsers take the body as it
 * arrived, refuse duplicate, escaped and unknown member names, wrong types and values out of range
 * with TSB_E_INPUT (600) and a message that names the member, as in "signRequest.payload must be
 * base64". Text and bytes they return live in the arena. Formatters append compact JSON to out.
 */
#ifndef TSB_WIRE_WIRE_H
#define TSB_WIRE_WIRE_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/crypto/extra.h"
#include "lib/model/model.h"

/*
 * Members that the API does not know are skipped from now on, but in policies and in what is
 * approved (general.unknownMembers). Newer clients send some.
 */
void wire_unknown_members_ignore(bool ignore);

#define WIRE_PAYLOAD_MAX (64 * 1024) /* bytes of a payload after decoding */
#define WIRE_REASON_MAX  500 /* characters of the reason of a rejection */

/* ---- text of JSON (jsontext.c) ---- */

/*
 * Checks that text is one JSON object (RFC 8259, UTF-8, depth 32), without duplicate or escaped
 * member names, tolerating one trailing comma per object or array, and gives it without white space
 * (and without those commas).
 */
int wire_compact(struct tsb_view text, struct arena *a, struct tsb_view *compact,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Raw text of a top-level member of a compact object; false when absent. */
bool wire_member_text(struct tsb_view compact, const char *name, struct tsb_view *value);

/* ---- payloads written as hex digits (payload.c) ---- */

bool wire_payload_is_hex(const char *payload_type /* NULL = none */);
/* Appends object, compact text, with its payload in base64, which every HSM reads alike. */
void wire_payload_replace(struct tsb_view object, struct tsb_view payload, struct tsb_bytes *out);
/* The same for the object that is the member envelope of body. */
void wire_payload_replace_in(struct tsb_view body, const char *envelope, struct tsb_view payload,
    struct tsb_bytes *out);

/* ---- requests that run through the workflow (request.c) ---- */

int wire_request_parse(enum tsb_kind kind, struct tsb_view body, struct arena *a,
    struct tsb_request_in *out, struct tsb_err *err) TSB_MUSTCHECK;
/* {"signRequestId":"..."} */
void wire_request_id_format(enum tsb_kind kind, const struct tsb_uuid *id,
    const struct tsb_uuid *twin /* NULL = none */, struct tsb_bytes *out);
/*
 * Body for the synchronous endpoint of the HSM: {"signRequest":{<inner_clean>,"keyPassword":...,
 * "signedApprovals":[...]}}. password empty = left out.
 */
int wire_synchronous_format(enum tsb_kind kind, struct tsb_view inner_clean,
    struct tsb_view password, const struct tsb_view *signed_approvals, size_t n,
    struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/* An inner object of a signature that the broker itself asks for. */
void wire_sign_inner_format(const char *key_name, const char *algorithm, struct tsb_view payload,
    struct tsb_bytes *out);
/* GET /v1/request/{id} (docs/openapi.yaml Request). */
void wire_request_view_format(const struct tsb_request_view *v, struct tsb_bytes *out);

/* How a payload is to be encrypted or decrypted (api-notes.md 8.2); empty = not given. */
struct wire_cipher {
	const char *algorithm; /* api-notes.md 12.2, or "ECIES" */
	struct tsb_view iv, additional;
	int tag_length; /* bits; 0 = not given */
};

/* Attributes and the like of a new key, as an object of a request says them. */
struct wire_key_create {
	const char *label;
	struct tsb_view password;
	const char *id;
	const char *algorithm; /* "RSA", "EC", "ED" ...: from algorithm or algorithmOid */
	const char *algorithm_oid; /* as given or NULL */
	const char *curve_oid;
	long key_size; /* 0 = absent */
	const char *address_format; /* NULL = absent */
	bool flag[ATTR__MAX]; /* defaults applied (api-notes.md 7.2); sensitive = !extractable */
	bool encrypt, verify, wrap, bip32, slip10, rollover;
	bool has_encrypt, has_verify, has_wrap, has_derive; /* given, be it as false */
	bool has_policy;
	struct ska_policy policy; /* not resolved, not checked */
};

/* A synchronous request for the HSM (api-notes.md 8), members as tsb_request_in, and approvals. */
struct wire_synchronous_in {
	struct tsb_request_in request;
	struct tsb_view *signed_approvals; /* decoded */
	size_t napprovals;
	/* sign: */
	const char *signature_type; /* "DER", "RAW", "ETH" */
	struct scheme_extra extra; /* fits the algorithm */
	/* decrypt: */
	struct wire_cipher cipher;
	/* unwrap: */
	struct wire_key_create
	    new_key; /* label, attributes and policy (the same as request.policy) */
};
int wire_synchronous_parse(enum tsb_kind kind, struct tsb_view body, struct arena *a,
    struct wire_synchronous_in *out, struct tsb_err *err) TSB_MUSTCHECK;

/*
 * Of a body whose other members are read elsewhere: the compact text of its member envelope, and
 * requestSignature, if there is one.
 */
int wire_signed_parse(struct tsb_view body, const char *envelope, struct arena *a,
    struct tsb_view *inner, struct tsb_request_signature *out, struct tsb_err *err) TSB_MUSTCHECK;

/* Body of POST /v1/filteredRequests (docs/openapi.yaml RequestFilter), empty or not. */
struct wire_request_filter {
	unsigned states; /* 1 << enum tsb_state; 0 = all */
	const char *key_name; /* NULL = all */
	long offset, limit;
};
int wire_request_filter_parse(struct tsb_view body, struct arena *a,
    struct wire_request_filter *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Body of POST /v1/filteredRequestDetails (docs/openapi.yaml RequestDetailsFilter). */
int wire_request_details_filter_parse(struct tsb_view body, struct arena *a,
    struct tsb_request_filter *out, struct tsb_err *err) TSB_MUSTCHECK;
/* {"requests":[...]}; more: others follow behind the last one. */
void wire_request_details_format(const struct tsb_request_view *views, size_t n, bool more,
    struct tsb_bytes *out);
/* Body of POST /v1/package: {"requestIds":[...]}; without it, or without a body, *n is 0. */
int wire_request_ids_parse(struct tsb_view body, struct arena *a, struct tsb_uuid **ids, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;
/* {"requests":[{"id":"...","status":"..."}]} */
void wire_request_list_format(const struct tsb_request_row *rows, size_t n, bool more,
    struct tsb_bytes *out);
/* {"approvedRequests":[...]} (api-notes.md 5.4); more: the list was cut. */
void wire_approved_requests_format(const struct tsb_request_view *views, size_t n, bool more,
    struct tsb_bytes *out);

/* ---- tasks and approvals (task.c) ---- */

int wire_task_filter_parse(struct tsb_view body, struct arena *a, struct tsb_task_filter *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* One of them. status: level 6, else NULL. */
void wire_task_format(const struct tsb_task_view *task, int level,
    const struct tsb_request_view *status, struct tsb_bytes *out);
/* {"tasks":[...]} with the members of level and all lower ones. views[i].request etc. filled.
 * more: the list was cut. */
void wire_tasks_format(const struct tsb_task_view *tasks, size_t n, int level,
    const struct tsb_request_view *status /* level 6: n of them, else NULL */, bool more,
    struct tsb_bytes *out);
/* Body of POST /v1/approval; a body of /v1/task there sets rejects. */
int wire_approval_parse(struct tsb_view body, struct arena *a, struct tsb_approval_in *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Body of /v1/task. */
int wire_task_delete_parse(struct tsb_view body, struct arena *a, struct tsb_approval_in *out,
    struct tsb_err *err) TSB_MUSTCHECK;

/* ---- keys (key.c, policy.c) ---- */

int wire_key_create_parse(struct tsb_view body, struct arena *a, struct wire_key_create *out,
    struct tsb_err *err) TSB_MUSTCHECK;

/* A key in the clear (api-notes.md 7.5): what of it is given, empty = not. */
struct wire_key_plain {
	struct wire_key_create create;
	bool has_attributes;
	struct tsb_view private_key; /* PKCS#8, or PKCS#1 of RSA; DER */
	struct tsb_view public_key; /* SubjectPublicKeyInfo in DER */
	struct tsb_view secret_key, certificate; /* bytes, DER */
	struct tsb_view seed; /* 16 to 64 bytes; then none of the above */
};
int wire_key_plain_parse(struct tsb_view body, struct arena *a, struct wire_key_plain *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* {"privateKey","publicKey","secretKey"} */
void wire_key_export_format(const struct wire_key_plain *, struct tsb_bytes *out);
/* Body of POST /v1/derivedKey. */
struct wire_key_derive {
	const char *master;
	struct tsb_view password; /* of the master */
	const char *path; /* "44'/0'", not checked */
	bool has_attributes;
	struct wire_key_create create; /* flag, encrypt, verify, wrap, rollover */
};
int wire_key_derive_parse(struct tsb_view body, struct arena *a, struct wire_key_derive *out,
    struct tsb_err *err) TSB_MUSTCHECK;
struct wire_key_password {
	const char *label;
	struct tsb_view password, new_password; /* empty = none */
};
int wire_key_password_parse(struct tsb_view body, struct arena *a, struct wire_key_password *out,
    struct tsb_err *err) TSB_MUSTCHECK;

/* What is to be different at a key (api-notes.md 7.6); what is not given stays. */
struct wire_key_change {
	const char *label;
	struct tsb_view password;
	const char *new_label, *id; /* NULL = not given */
	bool given[ATTR__MAX], flag[ATTR__MAX];
	bool encrypt_given, encrypt, verify_given, verify, wrap_given, wrap;
};
int wire_key_change_parse(struct tsb_view body, struct arena *a, struct wire_key_change *out,
    struct tsb_err *err) TSB_MUSTCHECK;

/* {"label","password"} */
struct wire_key_ref {
	const char *label;
	struct tsb_view password;
};
int wire_key_ref_parse(struct tsb_view body, struct arena *a, struct wire_key_ref *out,
    struct tsb_err *err) TSB_MUSTCHECK;
void wire_key_ref_format(const struct wire_key_ref *ref, struct tsb_bytes *out);

/* What verifies the attributes of a key (api-notes.md 7.7). */
#define WIRE_ATTESTATION_TYPE "application/vnd.tsb.attestation+json"
struct wire_attestation {
	const char *key_name; /* of the attestation key */
	struct tsb_view public_key, certificate; /* its own: SPKI, DER */
	struct tsb_view xml, signature;
};
void wire_attestation_format(const struct wire_attestation *, struct tsb_bytes *out);
/* {"attestationCertificateChain":[...]} of one certificate */
void wire_attestation_chain_format(struct tsb_view certificate, struct tsb_bytes *out);

/* Answer of key creation and attributes (api-notes.md 7.3): json is made of k, xml goes as is. */
void wire_key_attributes_format(const struct keyattr *k, struct tsb_view xml,
    struct tsb_view xml_signature, const char *attestation_key_name, struct tsb_bytes *out);
/* The same answer read back: xml, xmlSignature, attestationKeyName (digest and name not filled). */
int wire_key_attributes_parse(struct tsb_view body, struct arena *a, struct tsb_key_attributes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The same as a caller brings it: TSB_E_INPUT names what is wrong. We do not read json. */
int wire_key_import_parse(struct tsb_view body, struct arena *a, struct tsb_key_attributes *out,
    struct tsb_err *err) TSB_MUSTCHECK;
void wire_key_list_format(const char *const *labels, size_t n, struct tsb_bytes *out);
int wire_key_list_parse(struct tsb_view body, struct arena *a, const char ***labels, size_t *n,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Policy object as in api-notes.md 4.1 (with keyStatus when with_status). */
void wire_policy_format(const struct ska_policy *p, bool with_status, struct tsb_bytes *out);
/* Whether the policy of object, compact text, has keyStatus: some HSMs want it, or refuse it. */
bool wire_policy_has_status(struct tsb_view object);
/* object, compact text, with its member "policy" written anew. */
void wire_policy_replace(struct tsb_view object, const struct ska_policy *p, bool with_status,
    struct tsb_bytes *out);
/* The same for the policy inside the member envelope of body. */
void wire_policy_replace_in(struct tsb_view body, const char *envelope, const struct ska_policy *p,
    bool with_status, struct tsb_bytes *out);

/* ---- data objects (data.c) ---- */

struct wire_data_object {
	const char *name;
	struct tsb_view value;
	bool is_private, modifiable, destroyable; /* the last two unless said otherwise */
};
int wire_data_object_parse(struct tsb_view body, struct arena *a, struct wire_data_object *out,
    struct tsb_err *err) TSB_MUSTCHECK;
void wire_data_object_format(const struct wire_data_object *, struct tsb_bytes *out);

/* ---- encrypt, wrap, certificates (operation.c) ---- */

struct wire_encrypt {
	const char *key_name;
	struct tsb_view password;
	struct wire_cipher cipher;
	struct tsb_view payload;
};
int wire_encrypt_parse(struct tsb_view body, struct arena *a, struct wire_encrypt *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The answer (api-notes.md 8.2): payload ends with the tag, of which there are tag_size bytes. */
void wire_encrypted_format(struct tsb_view payload, size_t tag_size, struct tsb_view iv,
    struct tsb_bytes *out);

/* Files (api-notes.md 8.7): one part of the body has JSON, the part WIRE_FILE_PART the file. */
#define WIRE_FILE_PART     "file"
#define WIRE_FILE_JSON_MAX (64 * 1024)
#define WIRE_FILE_TYPE     "application/octet-stream"

enum wire_file_call { WIRE_FILE_ENCRYPT, WIRE_FILE_DECRYPT };
struct wire_file {
	const char *key_name;
	struct tsb_view password;
};
const char *wire_file_part(enum wire_file_call); /* name of the part with JSON */
const char *wire_file_envelope(enum wire_file_call);
/*
 * Appends the body of such a call but the file itself, which stands at *file_at of out. The result
 * is its content type.
 */
const char *wire_file_around(enum wire_file_call, struct tsb_view json, struct arena *a,
    struct tsb_bytes *out, size_t *file_at);
int wire_file_parse(enum wire_file_call, struct tsb_view json, struct arena *a,
    struct wire_file *out, struct tsb_err *err) TSB_MUSTCHECK;

struct wire_wrap {
	const char *key_to_wrap, *key_name;
	struct tsb_view key_to_wrap_password, password;
	const char *method;
};
int wire_wrap_parse(struct tsb_view body, struct arena *a, struct wire_wrap *out,
    struct tsb_err *err) TSB_MUSTCHECK;

/*
 * A request, certificate or self-signed certificate made at once (api-notes.md 9.1, 9.2): bare, or
 * in the envelope of its kind with requestSignature.
 */
int wire_certificate_parse(enum tsb_kind kind, struct tsb_view body, struct arena *a,
    struct tsb_request_in *out, struct tsb_err *err) TSB_MUSTCHECK;
/* {"label":"...","<member>":"<PEM>"} */
void wire_pem_format(const char *label, const char *member, struct tsb_view pem,
    struct tsb_bytes *out);
/* The certificate stored with a key (api-notes.md 9.4). */
struct wire_certificate {
	const char *label;
	struct tsb_view der;
};
int wire_certificate_import_parse(struct tsb_view body, struct arena *a,
    struct wire_certificate *out, struct tsb_err *err) TSB_MUSTCHECK;
/* Appends the PEM of a certificate. */
void wire_certificate_pem(struct tsb_view der, struct tsb_bytes *out);
/* {"label","certificate","rawCertificate"}, both the same PEM: clients read one or the other. */
void wire_certificate_format(const struct wire_certificate *, struct tsb_bytes *out);
void wire_certificate_pem_format(const char *label, struct tsb_view pem, struct tsb_bytes *out);

/* ---- verify, random, timestamp, system ---- */

struct wire_verify {
	const char *key_name;
	struct tsb_view password;
	const char *algorithm;
	const char *payload_type; /* NULL = not given */
	struct tsb_view payload, signature;
	struct scheme_extra extra; /* fits the algorithm; without aux */
};
int wire_verify_parse(struct tsb_view body, struct arena *a, struct wire_verify *out,
    struct tsb_err *err) TSB_MUSTCHECK;
struct wire_hmac {
	const char *key_name;
	struct tsb_view password;
	struct tsb_view payload;
	struct tsb_view mac; /* to check */
};
int wire_hmac_parse(struct tsb_view body, struct arena *a, struct wire_hmac *out,
    struct tsb_err *err) TSB_MUSTCHECK;
int wire_hmac_verify_parse(struct tsb_view body, struct arena *a, struct wire_hmac *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Whether a body of /v1/verify is for wire_hmac_verify_parse(). False for what does not parse. */
bool wire_is_hmac_verify(struct tsb_view body, struct arena *a);

/* {"<name>":"<base64 of value>"}: random, signature, payload */
void wire_base64_format(const char *name, struct tsb_view value, struct tsb_bytes *out);
/* {"<name>":"<text>"}: log */
void wire_text_member_format(const char *name, struct tsb_view text, struct tsb_bytes *out);
/* {"signatureValid":true} */
void wire_bool_format(const char *name, bool value, struct tsb_bytes *out);

struct wire_rfc_timestamp {
	struct tsb_view payload;
	int hash; /* place in SHA1, SHA224, SHA256, SHA384, SHA512 */
};
int wire_rfc_timestamp_parse(struct tsb_view body, struct arena *a, struct wire_rfc_timestamp *out,
    struct tsb_err *err) TSB_MUSTCHECK;

/* Timestamp extension (docs/hsm-api.md). */
struct wire_timestamp_request {
	const char *key_name;
	struct tsb_view key_password;
	enum ska_operation operation; /* "USE" "BLOCK" "UNBLOCK" "MODIFY" */
	struct tsb_view payload; /* empty for block and unblock */
	/* optional, checked against the key (607); at most one, and with USE only */
	const char *algorithm; /* signatureAlgorithm */
	const char *cipher; /* cipherAlgorithm */
	const char *wrap_method; /* wrapMethod */
};
struct wire_timestamp_reply {
	struct tsb_view timestamp; /* container; views in the arena */
	struct tsb_view signature_with_algorithm;
	unsigned char attributes_digest[TSB_SHA256];
};
void wire_timestamp_request_format(const struct wire_timestamp_request *, struct tsb_bytes *out);
int wire_timestamp_request_parse(struct tsb_view body, struct arena *a,
    struct wire_timestamp_request *out, struct tsb_err *err) TSB_MUSTCHECK;
void wire_timestamp_reply_format(const struct wire_timestamp_reply *, struct tsb_bytes *out);
int wire_timestamp_reply_parse(struct tsb_view body, struct arena *a,
    struct wire_timestamp_reply *out, struct tsb_err *err) TSB_MUSTCHECK;

/* Error body of another server: raises the row with its number and message (TSB_E_HSM when the
 * body is not understood) and returns -1. */
int wire_error_raise(struct tsb_view body, int http_status, struct tsb_err *err);
/* Whether it is an error of this API at all, and not the page of a front server. */
bool wire_error_has_number(struct tsb_view body);
/* One text member of an answer, as in {"signature":"..."}; TSB_E_HSM when it is not there. */
int wire_text_member_parse(struct tsb_view body, const char *name, struct arena *a,
    struct tsb_view *out, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- writing JSON elsewhere (programs) ---- */
void wire_text_format(struct tsb_view text, struct tsb_bytes *out); /* quoted and escaped */

#endif
