/*
 * A request that somebody carried into the offline room. It is checked (approvers must have signed
 * what it asks the HSM for) and judged by the policy that the key has at the HSM here.
 */
#ifndef TSB_CLI_OFFLINE_CARRIED_H
#define TSB_CLI_OFFLINE_CARRIED_H

#include "lib/ska/verdict.h"
#include "lib/wire/offline.h"

#include "cli/approve/task.h"
#include "cli/key/view.h"
#include "cli/lib/cli.h"
#include "cli/lib/doc.h"
#include "cli/offline/room.h"
#include "cli/offline/source.h"

struct carried {
	struct wire_offline_request request;
	const char *from; /* the file that brought it */
	const char *site; /* whose signed package it was; NULL = nobody signed it */
	struct tsb_view site_spki;
	struct wire_synchronous_in in;
	struct wire_client_task shown; /* for task_show_content() */
	struct task task; /* its token agrees with every approval */
	unsigned char digest[TSB_SHA256]; /* of request.input: what a print sheet shows */
	unsigned char asked[TSB_SHA256]; /* of what is to be done, whoever approved it */
	bool approved; /* by at least one */
	unsigned char token[TSB_SHA256]; /* of the token that they signed */
	struct ska_vote *votes; /* napprovals of them, all verified */
	/* carried_judge(): */
	const char *no_key; /* why the key's attributes are not known; NULL = they are */
	bool key_missing; /* the HSM has no such key */
	unsigned char
	    key_digest[TSB_SHA256]; /* of its attributes, without what changes by itself */
	bool stranger; /* somebody approved whom the rule does not ask: the HSM refuses */
	struct ska_verdict verdict;
};

/* "0190..." or "without id (file)". */
const char *carried_name(struct arena *, const struct carried *);
const struct ska_rule *carried_rule(const struct carried *);
/* Reads all requests of a source without checking them. Packages need the room, else NULL. */
int carried_open(struct cli *, const struct room *, const struct source *, struct carried **out,
    size_t *n) TSB_MUSTCHECK;
/*
 * CLI_WRONG unless every approval verifies and is for exactly this request, and people can be shown
 * what it asks for.
 */
int carried_check(struct cli *, struct carried *) TSB_MUSTCHECK;
/*
 * Asks the HSM here for the key's attributes and counts the approvals. -1 when the HSM cannot be
 * asked; a key that does not exist sets no_key. With --attestation-key wrong attributes are
 * CLI_WRONG.
 */
int carried_judge(struct cli *, struct carried *) TSB_MUSTCHECK;
/* Everything that the HSM will check is fulfilled. */
bool carried_suffices(const struct carried *);
/* carriedview.c */
void carried_show(struct doc *, const struct carried *);

#endif
