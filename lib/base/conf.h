/*
 * Settings files: INI (ini.h) read against a table of rows. Unknown sections and names, wrong
 * types and values out of range are refused with file, line and the rule. A repeated name makes a
 * list entry. "nameFile = path" gives the value of a CONF_SECRET from the first line of a file.
 */
#ifndef TSB_BASE_CONF_H
#define TSB_BASE_CONF_H

#include <stddef.h>
#include <stdio.h>

#include "lib/base/err.h"

enum conf_type {
	CONF_STR, /* char * */
	CONF_SECRET, /* char *, wiped when freed, never printed, also as nameFile */
	CONF_LIST, /* struct conf_list */
	CONF_INT, /* long, within [min, max] */
	CONF_BOOL /* bool: true, false, yes, no, on, off, 1, 0 */
};

struct conf_list {
	char **v;
	size_t n;
};

struct conf_row {
	const char *section, *name;
	enum conf_type type;
	size_t offset; /* into the settings struct */
	const char *dflt; /* text as in the file; NULL = unset (NULL, empty list) */
	long min, max; /* CONF_INT */
	const char *help; /* one line, for --help-settings and the man page check */
};

/*
 * Reads path into settings (zero-initialised by the caller). rows end with section NULL. Rows of
 * a section, and rows "section.name", that are listed in ignore (NULL-terminated, may be NULL)
 * belong to other programs and are skipped, files of secrets included.
 */
int conf_load(const struct conf_row *rows, const char *const *ignore, const char *path,
    void *settings, struct tsb_err *err) TSB_MUSTCHECK;
void conf_free(const struct conf_row *rows, void *settings);
/* What a row has as its default; NULL = nothing. */
const char *conf_default(const struct conf_row *rows, const char *section, const char *name);
/* One line a setting: section.name = default -- help. */
void conf_print_help(const struct conf_row *rows, FILE *out);

#endif
