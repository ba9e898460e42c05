/* Reads, checks and shows the attested attributes of a key. */
#ifndef TSB_CLI_KEY_VIEW_H
#define TSB_CLI_KEY_VIEW_H

#include "lib/model/model.h"

#include "cli/lib/cli.h"
#include "cli/lib/doc.h"

struct keyview {
	struct tsb_key_attributes answer; /* as the server gave them */
	struct keyattr attributes; /* approvers identified (strength.h) */
	bool checked; /* with an attestation key */
	bool wrong; /* it did not sign them */
	struct tsb_err why; /* when wrong */
};

/* Reads the answer of key creation or attributes; without an attestation key it is not checked. */
int keyview_read(struct cli *, struct tsb_view answer, struct tsb_view attestation,
    struct keyview *out) TSB_MUSTCHECK;
/* Shows attributes and policy. */
void keyview_show(struct doc *, const struct keyattr *);
void keyview_show_attestation(struct doc *, const struct keyview *);
/*
 * Prints such an answer: with --json as it came, with --attestation-key as an object of this
 * program that has the outcome of the check. CLI_WRONG when the attestation is wrong.
 */
int keyview_print(struct cli *, struct tsb_view answer) TSB_MUSTCHECK;

#endif
