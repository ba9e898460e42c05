/* Bodies of /v1/approverManagement and /v1/approver (api-notes.md 10). */
#ifndef TSB_WIRE_CUSTODY_H
#define TSB_WIRE_CUSTODY_H

#include "lib/wire/wire.h"

struct wire_approver_create {
	const char *name;
	long key_size; /* bits */
	struct tsb_view backup_password;
	long validity; /* days */
	bool qr_code; /* the answer has the code as a picture, too */
};
int wire_approver_create_parse(struct tsb_view body, struct arena *a,
    struct wire_approver_create *out, struct tsb_err *err) TSB_MUSTCHECK;

struct wire_approver_onboard {
	const char *name;
	struct tsb_view code;
	struct tsb_view transport_password; /* 16 or 32 bytes */
};
int wire_approver_onboard_parse(struct tsb_view body, struct arena *a,
    struct wire_approver_onboard *out, struct tsb_err *err) TSB_MUSTCHECK;
void wire_approver_onboard_format(struct tsb_view encrypted, struct tsb_view iv,
    struct tsb_bytes *out);

/* {"approverName"} */
int wire_approver_name_parse(struct tsb_view body, struct arena *a, const char **name,
    struct tsb_err *err) TSB_MUSTCHECK;

struct wire_approver_password {
	const char *name;
	struct tsb_view old_password; /* empty in the body of forgotPassword */
	struct tsb_view new_password;
};
int wire_approver_change_parse(struct tsb_view body, struct arena *a,
    struct wire_approver_password *out, struct tsb_err *err) TSB_MUSTCHECK;
int wire_approver_forgot_parse(struct tsb_view body, struct arena *a,
    struct wire_approver_password *out, struct tsb_err *err) TSB_MUSTCHECK;

/* {"oneTimeCode":"410447"} */
void wire_approver_code_format(const char *code, struct tsb_bytes *out);
/* The same with "qrCode", a PNG. */
void wire_approver_created_format(const char *code, struct tsb_view png, struct tsb_bytes *out);
/* What that picture says (api-notes.md 10.1): JSON; url "" = left out. */
void wire_approver_invitation_format(const char *name, const char *code, const char *url,
    struct tsb_bytes *out);
/* {"onboarded":[...],"pending":[...]} */
void wire_approvers_format(const struct tsb_approver *rows, size_t n, struct tsb_bytes *out);

/* ---- the answers read by a client ---- */

int wire_approver_onboard_read(struct tsb_view body, struct arena *a, struct tsb_view *encrypted,
    struct tsb_view *iv, struct tsb_err *err) TSB_MUSTCHECK;
/* Names, states and certificates. */
int wire_approvers_read(struct tsb_view body, struct arena *a, struct tsb_approver **rows,
    size_t *n, struct tsb_err *err) TSB_MUSTCHECK;

/* ---- what the broker asks of the HSM ---- */

#define WIRE_BACKUP_KEY_SIZE 3072 /* bits */

/* Body of POST /v1/key for the key that backups of approvers are wrapped with. */
void wire_backup_key_format(const char *label, struct tsb_bytes *out);
/* The decryption that opens a backup, as the body of a request of this kind. note: what
 * approvers read. */
void wire_restore_format(enum tsb_kind kind, const char *key_name, struct tsb_view wrapped_key,
    const char *note, struct tsb_bytes *out);

#endif
