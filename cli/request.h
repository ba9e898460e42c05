/* Requests of the workflow, from the side of the application. */
#ifndef TSB_CLI_REQUEST_H
#define TSB_CLI_REQUEST_H

#include "lib/model/kind.h"
#include "lib/wire/client.h"

#include "cli/output.h"

/*
 * Posts the request and prints its id; with --wait waits for its end and prints the result instead, or
 * writes it to --out.
 */
int request_create(struct cli *, enum tsb_kind, const char *path, struct tsb_view body)
    TSB_MUSTCHECK;
/* State, result and approvers as a branch of the document. */
void request_show(struct doc *, const struct wire_client_status *);

#endif
