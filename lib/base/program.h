/* The beginning of every daemon's main: options, settings, protected memory. */
#ifndef TSB_BASE_PROGRAM_H
#define TSB_BASE_PROGRAM_H

#include "lib/base/conf.h"

struct program {
	const char *name; /* "tsb-dispatcher" */
	const char *about; /* one line for -h */
	const char *settings_path; /* default of -c, unless TSB_CONF is set (CGI has no options) */
	const struct conf_row *rows;
	/* Reads and checks the settings file. */
	int (*load)(const char *path, void *settings, struct tsb_err *err);
	void *settings;
	/* -n: refuses what starting would refuse beyond load(), without serving. */
	int (*check)(void *settings, struct tsb_err *err);
	void (*advise)(
	    const void *settings); /* -n says, too, what is good but unwise; NULL = nothing */
	/* Offered when not NULL: --init sets *init; -u USER sets *user; --settle KEY=N *settle. */
	bool *init;
	const char **user;
	const char **settle;
};

/*
 * -c FILE, -n (check the settings and exit), -V, -h, --help-settings. Returns -1 to go on with
 * settings loaded, or the status to exit with.
 */
int program_options(const struct program *p, int argc, char **argv);
/* Secrets pass through this process: no core files, no debugger of the same user. */
void program_protect_memory(void);

#endif
