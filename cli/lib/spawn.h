/* Starts other programs without a shell and reads their standard output. */
#ifndef TSB_CLI_LIB_SPAWN_H
#define TSB_CLI_LIB_SPAWN_H

#include <sys/types.h>

#include "lib/base/bytes.h"
#include "lib/base/err.h"

struct spawn {
	const char *name;
	pid_t pid; /* 0 = none */
	int fd; /* its standard output */
};
#define spawn_auto struct spawn __attribute__((cleanup(spawn_end)))

/*
 * Looks for argv[0] in PATH; argv ends with NULL. package is what to install when the program is
 * missing. Standard input is empty.
 */
int spawn_start(const char *const *argv, const char *package, struct spawn *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* Appends all that it prints, at most max bytes; *status is its exit status (-1 = killed). */
int spawn_read(struct spawn *, size_t max, struct tsb_bytes *out, int *status, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Ends the program unless it has ended. */
void spawn_end(struct spawn *);

#endif
