/* What a request is about and who is in it, where the broker tells. */
#ifndef TSB_CLI_REQUEST_DETAILS_H
#define TSB_CLI_REQUEST_DETAILS_H

#include "lib/wire/client.h"

#include "cli/lib/cli.h"
#include "cli/lib/doc.h"

#define DETAILS_PATH "/v1/filteredRequestDetails"

/*
 * Adds the details of the request to the status that was fetched before, perhaps with a result that
 * is given once: whatever fails here is a note on stderr, and no word at all when the server does
 * not offer them, as older brokers, and those of others.
 */
void details_add(struct cli *, struct wire_client_status *);
/* "sign", "replace the policy": for people. */
const char *details_operation(const struct wire_client_details *);
/* Key, operation, note, times, and how many approvals are missing. */
void details_show(struct doc *, const struct wire_client_details *);
/* "EC SHA256:...  alice, 2026-01-05T10:00:42Z": name and time as far as known; the arena's. */
const char *details_person(struct arena *, const struct wire_client_status *, struct tsb_view spki);
/* The last call failed because the server does not know DETAILS_PATH; forgets the failure then. */
bool details_unknown(struct cli *);

#endif
