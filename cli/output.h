/*
 * What people and scripts read: a tree of named values, shown as indented lines or as JSON, and the
 * last words of a command that failed.
 */
#ifndef TSB_CLI_OUTPUT_H
#define TSB_CLI_OUTPUT_H

#include "lib/base/bytes.h"

#include "cli/cli.h"

#define TREE_DEPTH 16

/*
 * One document, built in memory and printed at once. Names are words ("key label"); JSON members
 * are the same in camel case (keyLabel). Inside a list JSON drops the names.
 */
struct tree {
	bool json;
	struct tsb_bytes out;
	struct tsb_bytes warnings; /* JSON: texts with commas between */
	int depth;
	int indent; /* for people: lists are not a level of their own */
	bool list[TREE_DEPTH], filled[TREE_DEPTH];
};
#define tree_auto struct tree __attribute__((cleanup(tree_clear)))

void tree_start(struct tree *, bool json);
void tree_open(struct tree *, const char *name);
void tree_list(struct tree *, const char *name);
void tree_close(struct tree *);
/* Text from outside: everything a terminal could take for a command is shown as \x.. */
void tree_text(struct tree *, const char *name, const char *text);
void tree_view(struct tree *, const char *name, struct tsb_view text);
void tree_format(struct tree *, const char *name, const char *fmt, ...) TSB_PRINTF(3, 4);
void tree_number(struct tree *, const char *name, unsigned long long value);
void tree_bool(struct tree *, const char *name, bool value);
/* Bytes: text when printable, else length, SHA-256 and the first bytes in hex. */
void tree_payload(struct tree *, const char *name, struct tsb_view bytes);
void tree_base64(struct tree *, const char *name, struct tsb_view bytes);
/* A public key: its kind and fingerprint; JSON gets the key itself as well. */
void tree_key(struct tree *, const char *name, struct tsb_view spki);
/* Something the reader must not miss. */
void tree_warn(struct tree *, const char *fmt, ...) TSB_PRINTF(2, 3);
/* Prints to stdout. All levels must be closed. */
void tree_print(struct tree *);
void tree_clear(struct tree *);

/* UTF-8 without control characters other than \n \t and without characters that reorder text. */
bool output_printable(struct tsb_view);
/* "SHA256:<first 32 hex digits>" of a public key: what people compare. */
const char *output_fingerprint(struct arena *, struct tsb_view spki);
/* A message for the person, on stderr so that stdout stays clean for scripts. */
void output_note(const char *fmt, ...) TSB_PRINTF(1, 2);
/* c->err with number, reason and what to do next, on stderr. */
void output_failure(const struct cli *);
/* One line on stdout; what a terminal could take for a command is escaped. */
void output_line(const char *text);
/* A body of the server on stdout, with a line feed. */
void output_body(struct tsb_view body);

#endif
