/* Public keys as people compare them. */
#ifndef TSB_CLI_LIB_FINGERPRINT_H
#define TSB_CLI_LIB_FINGERPRINT_H

#include "lib/base/arena.h"
#include "lib/base/bytes.h"

/* All take a SubjectPublicKeyInfo; the texts are the arena's. */

/* "SHA256:<first 32 hex digits>". */
const char *fingerprint_of(struct arena *, struct tsb_view spki);
/* "EC SHA256:...": kind and fingerprint. */
const char *fingerprint_key(struct arena *, struct tsb_view spki);
/* "EC"; "unusable" for a key that nothing here can use. A constant. */
const char *fingerprint_kind(struct tsb_view spki);

#endif
