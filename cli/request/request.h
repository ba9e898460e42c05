/* Requests of the workflow, from the side of the application. */
#ifndef TSB_CLI_REQUEST_REQUEST_H
#define TSB_CLI_REQUEST_REQUEST_H

#include "lib/wire/client.h"

#include "cli/lib/cli.h"
#include "cli/lib/doc.h"

/*
 * Opens the body of a request of the command's kind, about the key of the first operand, with
 * --password-file and --meta. Members of the kind follow; request_create() closes it.
 */
int request_open(struct cli *, struct tsb_bytes *body) TSB_MUSTCHECK;
/*
 * Posts the request and prints its id; with --wait waits for its end and prints the result instead,
 * or writes it to --out.
 */
int request_create(struct cli *, struct tsb_bytes *body) TSB_MUSTCHECK;
/* For people: state, details as far as known, result and approvers. */
void request_show(struct doc *, const struct wire_client_status *);
/* For people: who has rejected, and why. */
void request_show_rejected(struct doc *, const struct wire_client_status *);
/* Profile air-gapped: shows how far each token is approved; in JSON "ready" and "tokens". */
void request_show_progress(struct doc *, const struct wire_client_status *);

#endif
