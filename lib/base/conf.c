#include "lib/first.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/bytes.h"
#include "lib/base/conf.h"
#include "lib/base/file.h"
#include "lib/base/ini.h"
#include "lib/base/str.h"

#define LINE_LIMIT        500
#define FILE_LIMIT        (1024 * 1024)
#define SECRET_FILE_LIMIT 4096

struct loader {
	const struct conf_row *rows;
	const char *const *ignore;
	void *settings;
	bool *seen;
};

static void *
field(const struct conf_row *row, void *settings)
{
	return (char *)settings + row->offset;
}

static void
list_add(struct conf_list *list, const char *value)
{
	char **v = reallocarray(list->v, list->n + 1, sizeof(*v));

	if (v == NULL)
		fatal("out of memory: a list of settings");
	list->v = v;
	list->v[list->n++] = tsb_strdup(value);
}

static bool
bool_parse(const char *value, bool *out)
{
	static const char *const words[][2] = {{"true", "false"}, {"yes", "no"}, {"on", "off"},
	    {"1", "0"}};

	for (size_t i = 0; i < TSB_COUNT(words); i++) {
		for (int k = 0; k < 2; k++) {
			if (strcasecmp(value, words[i][k]) == 0) {
				*out = k == 0;
				return true;
			}
		}
	}
	return false;
}

static int
row_set(const struct conf_row *row, void *settings, const char *value, struct tsb_err *err)
{
	void *to = field(row, settings);

	switch (row->type) {
	case CONF_STR:
	case CONF_SECRET:
		free(*(char **)to);
		*(char **)to = *value == '\0' ? NULL : tsb_strdup(value);
		return 0;
	case CONF_LIST:
		if (*value != '\0')
			list_add(to, value);
		return 0;
	case CONF_INT:
		if (!tsb_str_to_long(value, row->min, row->max, to))
			return tsb_fail(err, TSB_E_CONFIG_INPUT,
			    "%s.%s must be a whole number from %ld to %ld", row->section, row->name,
			    row->min, row->max);
		return 0;
	case CONF_BOOL:
		if (!bool_parse(value, to))
			return tsb_fail(err, TSB_E_CONFIG_INPUT, "%s.%s must be true or false",
			    row->section, row->name);
		return 0;
	}
	return tsb_fail(err, TSB_E_IMPL, "setting %s.%s has no type", row->section, row->name);
}

/* First line of a file that holds a secret. */
static int
secret_file(const struct conf_row *row, void *settings, const char *path, struct tsb_err *err)
{
	tsb_bytes_auto text = {0};
	struct tsb_err why;

	if (tsb_file_read_line(path, SECRET_FILE_LIMIT, &text, &why))
		return tsb_fail(err, why.code, "%s.%sFile: %s", row->section, row->name, why.msg);
	return row_set(row, settings, tsb_bytes_cstr(&text), err);
}

static bool
ignored(const struct loader *l, const char *section)
{
	for (const char *const *s = l->ignore; s != NULL && *s != NULL; s++)
		if (tsb_streq(*s, section))
			return true;
	return false;
}

static bool
row_ignored(const struct loader *l, const struct conf_row *row)
{
	char name[128];

	snprintf(name, sizeof(name), "%s.%s", row->section, row->name);
	return ignored(l, name);
}

/* The row for section and name; *from_file when name has "File" behind a secret's name. */
static const struct conf_row *
row_find(const struct conf_row *rows, const char *section, const char *name, bool *from_file)
{
	for (const struct conf_row *row = rows; row->section != NULL; row++) {
		size_t n = strlen(row->name);

		if (!tsb_streq(row->section, section))
			continue;
		*from_file = false;
		if (tsb_streq(row->name, name))
			return row;
		*from_file = true;
		if (row->type == CONF_SECRET && strncmp(row->name, name, n) == 0 &&
		    tsb_streq(name + n, "File"))
			return row;
	}
	return NULL;
}

/* Half a password opens nothing, half an API key is a weak one. */
static int
check_secret(const struct conf_row *row, const struct ini_entry *e, struct tsb_err *err)
{
	if (row->type != CONF_SECRET || e->quoted || !e->comment)
		return 0;
	return tsb_fail(err, TSB_E_CONFIG_INPUT,
	    "%s.%s is a secret: put it in quotes when a comment stands behind it or is part of it",
	    row->section, row->name);
}

static int
take(struct loader *l, const struct ini_entry *e, struct tsb_err *err)
{
	const struct conf_row *row;
	bool from_file = false;
	size_t index;

	if (ignored(l, e->section))
		return 0;
	row = row_find(l->rows, e->section, e->name, &from_file);
	if (row == NULL)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "setting %s.%s is not known",
		    e->section, e->name);
	index = (size_t)(row - l->rows);
	if (l->seen[index] && row->type != CONF_LIST)
		return tsb_fail(err, TSB_E_CONFIG_NOT_VALID, "setting %s.%s is given twice",
		    e->section, e->name);
	l->seen[index] = true;
	if (row_ignored(l, row))
		return 0;
	if (from_file)
		return secret_file(row, l->settings, e->value, err);
	return check_secret(row, e, err) || row_set(row, l->settings, e->value, err) ? -1 : 0;
}

static int
read_text(const char *path, struct tsb_bytes *text, struct tsb_err *err)
{
	size_t width = 0, line = 1;

	if (tsb_file_read(path, FILE_LIMIT, text, err))
		return -1;
	for (size_t i = 0; i < text->n; i++) {
		width = text->p[i] == '\n' ? 0 : width + 1;
		line += text->p[i] == '\n';
		if (width > LINE_LIMIT || text->p[i] == '\0')
			return tsb_fail(err, TSB_E_CONFIG_INPUT,
			    "settings file %s line %zu: longer than %d characters or not text",
			    path, line, LINE_LIMIT);
	}
	return 0;
}

static int
defaults(const struct conf_row *rows, const bool *seen, void *settings, struct tsb_err *err)
{
	for (size_t i = 0; rows[i].section != NULL; i++)
		if (!seen[i] && rows[i].dflt != NULL &&
		    row_set(&rows[i], settings, rows[i].dflt, err))
			return -1;
	return 0;
}

static int
take_all(struct loader *l, const char *path, struct tsb_view text, struct tsb_err *err)
{
	arena_auto a = {0}; /* wiped when it is cleared: there are secrets among the values */
	struct ini_entry e;
	struct tsb_err why;
	struct ini ini;
	int rc;

	ini_start(&ini, text);
	do {
		rc = ini_next(&ini, &a, &e, &why);
		if (rc > 0 && take(l, &e, &why))
			rc = -1;
	} while (rc > 0);
	if (rc < 0)
		return tsb_fail(err, why.code, "%s line %zu: %s", path, ini.line, why.msg);
	return 0;
}

int
conf_load(const struct conf_row *rows, const char *const *ignore, const char *path, void *settings,
    struct tsb_err *err)
{
	tsb_bytes_auto text = {0};
	struct loader l = {rows, ignore, settings, NULL};
	size_t count = 0;
	int rc;

	if (read_text(path, &text, err))
		return -1;
	while (rows[count].section != NULL)
		count++;
	l.seen = calloc(count + 1, sizeof(*l.seen));
	if (l.seen == NULL)
		fatal("out of memory: settings");
	rc = take_all(&l, path, tsb_view_bytes(&text), err);
	if (rc == 0)
		rc = defaults(rows, l.seen, settings, err);
	free(l.seen);
	return rc;
}

void
conf_free(const struct conf_row *rows, void *settings)
{
	for (const struct conf_row *row = rows; row->section != NULL; row++) {
		void *to = field(row, settings);

		if (row->type == CONF_STR || row->type == CONF_SECRET) {
			char **s = to;

			if (*s != NULL)
				tsb_wipe(*s, strlen(*s));
			free(*s);
			*s = NULL;
		} else if (row->type == CONF_LIST) {
			struct conf_list *list = to;

			for (size_t i = 0; i < list->n; i++) {
				tsb_wipe(list->v[i], strlen(list->v[i]));
				free(list->v[i]);
			}
			free(list->v);
			*list = (struct conf_list){NULL, 0};
		}
	}
}

const char *
conf_default(const struct conf_row *rows, const char *section, const char *name)
{
	for (const struct conf_row *row = rows; row->section != NULL; row++)
		if (tsb_streq(row->section, section) && tsb_streq(row->name, name))
			return row->dflt;
	return NULL;
}

void
conf_print_help(const struct conf_row *rows, FILE *out)
{
	for (const struct conf_row *row = rows; row->section != NULL; row++)
		fprintf(out, "%s.%s = %s -- %s\n", row->section, row->name,
		    row->dflt == NULL ? "" : row->dflt, row->help);
}
