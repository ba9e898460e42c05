/*
 * Bodies that the command line sends: JSON written member by member, with commas where they belong.
 */
#ifndef TSB_CLI_LIB_BODY_H
#define TSB_CLI_LIB_BODY_H

#include "lib/base/bytes.h"

void body_open(struct tsb_bytes *, const char *name); /* name NULL: the outermost object */
void body_close(struct tsb_bytes *);
void body_text(struct tsb_bytes *, const char *name, const char *text); /* NULL: left out */
void body_base64(struct tsb_bytes *, const char *name, struct tsb_view bytes);
void body_number(struct tsb_bytes *, const char *name, long value);
void body_bool(struct tsb_bytes *, const char *name, bool value);
void body_raw(struct tsb_bytes *, const char *name, struct tsb_view json);

#endif
