/*
 * The lines of a settings file: [section], name = value, and comments. A comment begins with # or ;
 * at the start of a line or behind a blank. A value may stand in quotes, ' or ", which hold
 * everything but themselves. A byte order mark and CR before LF mean nothing.
 */
#ifndef TSB_BASE_INI_H
#define TSB_BASE_INI_H

#include "lib/base/arena.h"
#include "lib/base/bytes.h"
#include "lib/base/err.h"

struct ini_entry {
	size_t line; /* counts from 1 */
	const char *section; /* "" before the first */
	const char *name, *value; /* the arena's */
	bool quoted;
	bool comment; /* one was cut off behind the value */
};

/* Takes the entries of a text one after the other: text is what is left of it. */
struct ini {
	struct tsb_view text;
	size_t line;
	const char *section;
};

void ini_start(struct ini *, struct tsb_view text);
/*
 * Returns 1 and the next entry, 0 at the end, or -1 with TSB_E_CONFIG_INPUT, which says what is
 * wrong with ini->line.
 */
int ini_next(struct ini *, struct arena *a, struct ini_entry *out, struct tsb_err *err)
    TSB_MUSTCHECK;

#endif
