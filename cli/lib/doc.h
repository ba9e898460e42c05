/* Named values for people and scripts, as indented lines or as JSON. */
#ifndef TSB_CLI_LIB_DOC_H
#define TSB_CLI_LIB_DOC_H

#include <stdio.h>

#include "lib/base/bytes.h"

#define DOC_DEPTH 16

/*
 * One document, built in memory and printed at once. Names are words ("key label"), in JSON in
 * camel case (keyLabel). Lists in JSON drop the names of their elements.
 */
struct doc {
	bool json;
	struct tsb_bytes out;
	struct tsb_bytes warnings; /* JSON: texts with commas between */
	int depth;
	int indent; /* for people: lists are not a level of their own */
	bool list[DOC_DEPTH], filled[DOC_DEPTH];
};
#define doc_auto struct doc __attribute__((cleanup(doc_clear)))

void doc_start(struct doc *, bool json);
void doc_open(struct doc *, const char *name);
/* The same, with a summary for people on the first line. */
void doc_open_as(struct doc *, const char *name, const char *fmt, ...) TSB_PRINTF(3, 4);
void doc_list(struct doc *, const char *name);
void doc_close(struct doc *);
/* Escapes what a terminal could take for a command as \x.. in text from outside. */
void doc_text(struct doc *, const char *name, const char *text);
void doc_view(struct doc *, const char *name, struct tsb_view text);
void doc_format(struct doc *, const char *name, const char *fmt, ...) TSB_PRINTF(3, 4);
/* Seconds since 1970 as a date. */
void doc_time(struct doc *, const char *name, uint64_t seconds);
void doc_number(struct doc *, const char *name, unsigned long long value);
void doc_bool(struct doc *, const char *name, bool value);
/* Bytes that nobody can read: length and SHA-256. */
void doc_digest(struct doc *, const char *name, struct tsb_view bytes);
/* Bytes: text when printable, else length, SHA-256 and the first bytes in hex. */
void doc_payload(struct doc *, const char *name, struct tsb_view bytes);
void doc_base64(struct doc *, const char *name, struct tsb_view bytes);
/* A public key: its kind and fingerprint; JSON gets the key itself as well. */
void doc_key(struct doc *, const char *name, struct tsb_view spki);
/* Something the reader must not miss. */
void doc_warn(struct doc *, const char *fmt, ...) TSB_PRINTF(2, 3);
/* Prints to stdout. All levels must be closed. */
void doc_print(struct doc *);
void doc_print_to(struct doc *, FILE *);
void doc_clear(struct doc *);

#endif
