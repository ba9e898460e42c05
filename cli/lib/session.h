/* Talking to the broker: address, API key of the command's role, answers and refusals. */
#ifndef TSB_CLI_LIB_SESSION_H
#define TSB_CLI_LIB_SESSION_H

#include "lib/base/bytes.h"

#include "cli/lib/cli.h"

/*
 * Sends body (empty = none) and gives the answer of a call that succeeded (200, 201, 204). A
 * refusal ends with CLI_REFUSED and the server's sentence, no answer with CLI_UNREACHED.
 */
int session_call(struct cli *, const char *method, const char *path, struct tsb_view body,
    struct tsb_bytes *answer) TSB_MUSTCHECK;

/*
 * Calls from here on bring the API key of this role instead of the command's; --token and
 * --token-file stand for all roles.
 */
int session_become(struct cli *, enum tsb_role) TSB_MUSTCHECK;

/*
 * For an answer that says success and is not what the API promises: what was done is unknown. Takes
 * the sentence in c->err as the reason; returns -1.
 */
int session_misread(struct cli *);
/* Adds the password of --password-file to a body as member name; nothing without the option. */
int session_put_password(struct cli *, struct tsb_bytes *body, const char *name) TSB_MUSTCHECK;

#endif
