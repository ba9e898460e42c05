/*
 * Private to lib/wire: one reader for all resources, driven by tables of fields, the text scanner
 * below it and the writer of answers. A resource is a table; adding one adds no code but its rules
 * between members.
 */
#ifndef TSB_WIRE_FIELD_H
#define TSB_WIRE_FIELD_H

#include "lib/crypto/pem.h"
#include "lib/wire/wire.h"

#define FIELD_LABEL_MAX      255
#define FIELD_PASSWORD_MAX   1024
#define FIELD_SIGNATURE_MAX  (16 * 1024)
#define FIELD_META_MAX       (64 * 1024)
#define FIELD_XML_MAX        (1024 * 1024)
#define FIELD_APPROVALS_MAX  4096
#define FIELD_KEY_OBJECT_MAX (64 * 1024)

enum field_type {
	FIELD_TEXT, /* const char *: min to max bytes */
	FIELD_VIEW, /* struct tsb_view: the same, for long text */
	FIELD_LABEL, /* const char *: not empty, no control characters */
	FIELD_NAME, /* the same, but empty means none */
	FIELD_REMARK, /* as FIELD_LABEL, but max counts characters */
	FIELD_BASE64, /* struct tsb_view: decoded; max counts decoded bytes */
	FIELD_HEX, /* the same of hex digits; other text is TSB_E_PAYLOAD */
	FIELD_PAYLOAD, /* one of these two, as the payloadType beside it says (api-notes.md 4.5) */
	FIELD_APPROVER, /* FIELD_BASE64 of a key or certificate, as the type beside it says */
	FIELD_BASE64_TEXT, /* const char *: text as given, checked */
	FIELD_PASSWORD, /* struct tsb_view: string or list of characters (api-notes.md 1.4) */
	FIELD_INT, /* integer of 4 or 8 bytes, min to max */
	FIELD_BOOL, /* bool */
	FIELD_ENUM, /* const char *: the entry of names */
	FIELD_INDEX, /* enum or int: min plus place in names */
	FIELD_ENUM_LIST, /* unsigned: bit 1 << place in names; may have commas (api-notes.md 1.2) */
	FIELD_OBJECT, /* members of object, at offset */
	FIELD_LIST, /* pointer at offset, size_t at count; elements as the row element */
	FIELD_UUID, /* struct tsb_uuid */
	FIELD_NONE, /* must be absent or null */
	FIELD_IGNORED /* anything, not looked at */
};

enum field_need { OPTIONAL, REQUIRED }; /* null counts as absent */

struct field_object;

struct field {
	const char *name; /* NULL ends a table */
	enum field_type type;
	enum field_need need;
	long min, max;
	size_t offset, size; /* where it lands; size 0 = checked only */
	size_t count; /* FIELD_LIST: offset of the count */
	size_t has; /* offset of a bool that tells presence; see HAS */
	const char *const *names; /* FIELD_ENUM, FIELD_INDEX, FIELD_ENUM_LIST */
	size_t nnames;
	const struct field_object *object;
	const struct field *element;
	size_t element_size;
	bool tells; /* has is set */
	unsigned
	    pem; /* FIELD_BASE64: the kinds of lib/crypto/pem.h that a PEM text is searched for */
	enum tsb_code code; /* for a value that breaks the rule; TSB_OK = TSB_E_INPUT */
};

#define AT(s, m)    .offset = offsetof(s, m), .size = sizeof(((s *)0)->m)
#define HAS(s, m)   .has = offsetof(s, m), .tells = true
#define NAMES(list) .names = (list), .nnames = TSB_COUNT(list)

/* Where the reader is: for messages. */
struct field_path {
	const struct field_path *up;
	const char *name; /* NULL = element of a list */
	size_t index;
};

struct field_object {
	const struct field *fields;
	const struct field *more; /* a second table, may be NULL */
	bool open; /* answers of others: unknown members are skipped */
	bool strict; /* what is approved: they are refused, here and below, whatever the setting */
	/* Defaults, before the members; may be NULL. */
	void (*init)(void *dest, struct arena *a);
	/* Rules between members; may be NULL. */
	int (*check)(void *dest, const struct field_path *at, struct arena *a, struct tsb_err *err);
};

/*
 * Reads body into dest, which the caller has zeroed and must not use after a failure. compact (may
 * be NULL) gets the text without white space.
 */
int field_read(struct tsb_view body, const struct field_object *object, struct arena *a, void *dest,
    struct tsb_view *compact, struct tsb_err *err) TSB_MUSTCHECK;
/* The same into a struct of size bytes that is zeroed here, and copied to *out on success only. */
int field_take(struct tsb_view body, const struct field_object *object, struct arena *a, void *out,
    size_t size, struct tsb_err *err) TSB_MUSTCHECK;
/* The same for answers of an HSM: whatever is wrong with them is TSB_E_HSM. */
int field_read_reply(struct tsb_view body, const struct field_object *object, struct arena *a,
    void *dest, struct tsb_err *err) TSB_MUSTCHECK;
/* An answer that is a list; row is of type FIELD_LIST. */
int field_read_reply_list(struct tsb_view body, const struct field *row, struct arena *a,
    void *dest, struct tsb_err *err) TSB_MUSTCHECK;

#define FIELD_WHERE 200
/* "policy.ruleUse.tokens[0].name" for messages; buf of FIELD_WHERE bytes, returned. */
const char *field_where(const struct field_path *at, const char *member, char *buf);
#define FIELD_QUOTE 80
/* Start of a text from outside as printable ASCII; buf of FIELD_QUOTE bytes, returned. */
const char *field_quote(struct tsb_view text, char *buf);

/* ---- jsontext.c ---- */

/* wire_compact() for text that starts with opening: '{' or '['. */
int jsontext_compact(struct tsb_view text, char opening, struct arena *a, struct tsb_view *compact,
    struct tsb_err *err) TSB_MUSTCHECK;

struct jsontext_member {
	struct tsb_view name, value;
};
/* Walks the members of a compact object: rest starts as the object. False at the end. */
bool jsontext_next(struct tsb_view *rest, struct jsontext_member *m);
/*
 * The same for the elements of an array. What is left is "]" after the last one, "[]" without any.
 */
bool jsontext_next_element(struct tsb_view *rest, struct tsb_view *value);
bool jsontext_is_null(struct tsb_view value);
/* Appends object with the value of one of its members replaced by text. */
void jsontext_replace(struct tsb_view object, const char *name, struct tsb_view text,
    struct tsb_bytes *out);

/* ---- tables that resources share ---- */

/* TSB_E_INPUT for a member that does not go with this signatureAlgorithm (extra.c). */
int field_check_extra(const struct scheme_extra *, const char *algorithm,
    const struct field_path *at, struct tsb_err *err) TSB_MUSTCHECK;
/* clang-format off */
/* Of FIPS 204 and 205, and of BIP-340 and BIP-341; s has a struct scheme_extra extra. */
#define FIELD_CONTEXT(s) {"context", FIELD_BASE64, .max = 255, AT(s, extra.context)}
#define FIELD_TAPROOT(s) \
	{"taprootTweakData", FIELD_BASE64, .min = K256_SIZE, .max = K256_SIZE, \
	    AT(s, extra.taproot.tweak)}, \
	{"merkleRootData", FIELD_BASE64, .min = K256_SIZE, .max = K256_SIZE, \
	    AT(s, extra.taproot.merkle_root)}
/* clang-format on */

/* TSB_E_TAG_LENGTH unless it is a length of the API (docs/openapi.yaml Encrypted). */
int field_check_tag_length(int bits, const struct field_path *at, struct tsb_err *err)
    TSB_MUSTCHECK;

extern const struct field_object policy_object; /* with keyStatus, at creation */
extern const struct field_object policy_modify_object; /* without */

struct key_form {
	struct wire_key_create create;
	bool has_sensitive;
};
extern const struct field_object key_attributes_object; /* lands in struct key_form */

/* The member "details" of a listed request (listing.c). */
void details_format(const struct tsb_request *r, const struct tsb_request_details *d,
    struct tsb_bytes *out);
/* The task members that repeat a request (api-notes.md 5.2, level 3). */
void request_signed_format(const struct tsb_request *r, struct tsb_bytes *out);

/* ---- emit.c: commas are put where the text so far needs them ---- */

/* name NULL = element of a list. NULL text, empty views where it says so, and time 0 give null. */
void emit_name(struct tsb_bytes *out, const char *name);
void emit_open(struct tsb_bytes *out, const char *name, char bracket);
void emit_close(struct tsb_bytes *out, char bracket);
void emit_null(struct tsb_bytes *out, const char *name);
void emit_text(struct tsb_bytes *out, const char *name, const char *text);
void emit_view(struct tsb_bytes *out, const char *name, struct tsb_view text);
void emit_base64(struct tsb_bytes *out, const char *name, struct tsb_view v);
void emit_base64_or_null(struct tsb_bytes *out, const char *name, struct tsb_view v);
void emit_bool(struct tsb_bytes *out, const char *name, bool value);
void emit_uint(struct tsb_bytes *out, const char *name, uint64_t value);
void emit_time(struct tsb_bytes *out, const char *name, int64_t seconds);
void emit_raw(struct tsb_bytes *out, const char *name, struct tsb_view json);
void emit_uuid(struct tsb_bytes *out, const char *name, const struct tsb_uuid *id);

#endif
