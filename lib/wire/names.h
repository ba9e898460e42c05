/* Enumerations of the API (api-notes.md 12): values are written and compared as they stand here. */
#ifndef TSB_WIRE_NAMES_H
#define TSB_WIRE_NAMES_H

/* As many as lib/crypto has rows. */
enum {
	NAMES_SIGNATURE = 0
#define SCHEME(...) +1
#include "lib/crypto/scheme_table.h"
#undef SCHEME
};
extern const char *const names_signature[NAMES_SIGNATURE];
extern const char *const names_cipher[23]; /* 15.2 */
extern const char *const names_payload[6]; /* 15.3 */
extern const char *const names_form[3]; /* 15.7: signatureType */
extern const char *const names_wrap[17]; /* 15.4 */
extern const char *const names_usage[9]; /* 15.5 */
extern const char *const names_extended_usage[7]; /* 15.6 */

#endif
