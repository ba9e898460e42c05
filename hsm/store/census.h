/*
 * What a key store holds, counted. Clients ask for it to see whether the service is there, again
 * and again: a file is opened once, and looked at afterwards.
 */
#ifndef TSB_HSM_STORE_CENSUS_H
#define TSB_HSM_STORE_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct census_totals {
	size_t private_keys, public_keys, secret_keys, certificates;
	size_t damaged; /* files that do not open */
	size_t stateful; /* of private_keys: those that wear out */
	uint64_t signatures; /* that those can still make */
	uint64_t used, max; /* bytes: of key files; those and what the file system has left */
	uint64_t remaining; /* keys for which there is room */
};

struct census; /* of one process */

/*
 * Counts the key files in the folder dir. *census is NULL at first, and ends with census_free().
 * TSB_E_IO.
 */
int census_take(struct census **census, int dir, const unsigned char *master,
    struct census_totals *out, struct tsb_err *err) TSB_MUSTCHECK;
void census_free(struct census **census); /* *census becomes NULL, which it may be before */

#endif
