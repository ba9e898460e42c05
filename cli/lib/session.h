/* Talking to the broker: address, API key of the command's role, answers and refusals. */
#ifndef TSB_CLI_LIB_SESSION_H
#define TSB_CLI_LIB_SESSION_H

#include "lib/base/bytes.h"
#include "lib/base/stream.h"

#include "cli/lib/cli.h"

/*
 * Sends body (empty = none). On success (200, 201, 204) answer has the body of the answer. A
 * refusal is CLI_REFUSED with the server's sentence, no answer CLI_UNREACHED.
 */
int session_call(struct cli *, const char *method, const char *path, struct tsb_view body,
    struct tsb_bytes *answer) TSB_MUSTCHECK;

/* The same by POST with a body, and an answer of a success, that pass piece by piece. */
int session_stream(struct cli *, const char *path, const char *content_type,
    const struct tsb_stream *stream) TSB_MUSTCHECK;

/*
 * Further calls use the API key of this role instead of the command's; --token and --token-file are
 * for all roles.
 */
int session_become(struct cli *, enum tsb_role) TSB_MUSTCHECK;

/*
 * Fails because an answer says success but is not what the API promises: nobody knows what was
 * done. Takes the sentence in c->err as the reason; returns -1.
 */
int session_misread(struct cli *);
/* Adds the password of --password-file to a body as member name; nothing without the option. */
int session_put_password(struct cli *, struct tsb_bytes *body, const char *name) TSB_MUSTCHECK;

#endif
