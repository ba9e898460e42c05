/* What every command gets, and what a command is. */
#ifndef TSB_CLI_LIB_CLI_H
#define TSB_CLI_LIB_CLI_H

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/kind.h"

#include "cli/lib/option.h"

/* Exit codes, as tsb(1) documents them. */
enum cli_exit {
	CLI_OK = 0,
	CLI_USAGE = 1, /* wrong use, or something on this computer is missing */
	CLI_REFUSED = 2, /* the server answered with an error */
	CLI_UNREACHED = 3, /* no answer */
	CLI_NOT_EXECUTED = 4, /* the request ended without being executed */
	CLI_TIMEOUT = 5, /* still open when the time to wait was over */
	CLI_WRONG = 6, /* a signature is wrong, or a task is not what its token says */
	CLI_OPENS = 7, /* rules would be open to everyone, and nobody confirmed that */
	CLI_INCOMPLETE = 8, /* parts of what was scanned are missing */
};

struct cli {
	const struct cli_program *program;
	const struct cli_command *command;
	const char *opt[OPT__MAX]; /* NULL = not given; "" for those without argument */
	char **argv; /* operands, NULL-terminated */
	int argc;
	bool json;
	struct arena arena; /* lives until the program ends, then wiped */
	struct tsb_err err;
	struct session *session; /* NULL until the first call */
	void (*at_end)(struct cli *); /* NULL, or what ends the session */
	enum tsb_role role; /* of the last call */
	/* What the program ends with when the command returns -1, CLI_USAGE unless set. */
	enum cli_exit exit;
	/* The server's own number and reason if it answered the last call with an error; else 0. */
	int refused_number;
	const char *refused_reason;
	const char *next; /* what to do next, when the last call knows better than the number */
};

struct cli_command {
	const char *group, *name; /* "key" "create"; name NULL for commands of one word */
	const char *operands; /* for the synopsis */
	const char *help; /* one line */
	int (*run)(struct cli *); /* 0, or -1 with c->err */
	enum tsb_role role; /* whose API key is sent; TSB_ROLE_NONE: no server is asked */
	int min, max; /* operands */
	unsigned long long options; /* its own: OPT_BIT() */
	enum tsb_kind kind; /* of commands that make a request (request_create()) */
};

/* A word that was a command once, and what to use instead. */
struct cli_moved {
	const char *word, *instead;
};

struct cli_program {
	const char *name; /* "tsb" */
	const char *manual; /* "tsb(1)" */
	const struct cli_command *commands;
	size_t ncommands;
	const struct cli_moved *moved;
	size_t nmoved;
	struct option_set leading; /* options that may stand before the command */
	const char *unreached; /* what to do next after CLI_UNREACHED */
};

/* Environment variables with the API keys of the roles; NULL for roles without. */
extern const char *const cli_token_variables[TSB_ROLE__MAX];

/* Sets the exit code and raises; for `return cli_end(c, CLI_TIMEOUT, TSB_E_..., "...")`. */
#define cli_end(c, code, row, ...) ((c)->exit = (code), tsb_fail(&(c)->err, (row), __VA_ARGS__))
/* A number option within [min, max]; dflt when it is not given. */
int cli_number(struct cli *, enum cli_option, long min, long max, long dflt, long *out)
    TSB_MUSTCHECK;

#endif
