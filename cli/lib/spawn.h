/* Other programs, started without a shell, whose standard output is read. */
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
 * argv[0] is looked for in PATH, argv ends with NULL; package names where the program comes from,
 * for who has not installed it. Standard input is empty.
 */
int spawn_start(const char *const *argv, const char *package, struct spawn *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* All that it prints, at most max bytes, and its exit status (-1 = killed). Appends. */
int spawn_read(struct spawn *, size_t max, struct tsb_bytes *out, int *status, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Ends it, if it has not ended. */
void spawn_end(struct spawn *);

#endif
