/*
 * One failure: raised where it is known with tsb_fail(), carried by the last parameter of every
 * fallible function, rendered once at the edge. Fallible functions return 0 or -1 and fill their
 * out-parameters only on 0.
 */
#ifndef TSB_BASE_ERR_H
#define TSB_BASE_ERR_H

#include <stdbool.h>
#include <stdnoreturn.h>

enum tsb_code {
	TSB_OK = 0,
#define TSB_ERR(name, number, reason) TSB_E_##name,
#include "lib/base/err_table.h"
#undef TSB_ERR
	TSB_E__MAX
};

struct tsb_err {
	enum tsb_code code; /* a row of err_table.h; TSB_OK = nothing raised */
	const char *file; /* where it was raised, for the log */
	int line;
	bool unsure; /* it may have taken place all the same; set behind tsb_fail() */
	char msg[512]; /* one sentence for the caller: names the member and the rule, no secrets */
};

#define tsb_fail(err, code, ...)                                                                   \
	tsb_minus_one(tsb_err_raise((err), (code), __FILE__, __LINE__, __VA_ARGS__))

/* Lets the compiler see that tsb_fail() is never 0, so that it judges out-parameters rightly. */
static inline int
tsb_minus_one(int raised)
{
	(void)raised;
	return -1;
}

/* Fills err (control characters in the text become '?') and returns -1. */
int tsb_err_raise(struct tsb_err *err, enum tsb_code code, const char *file, int line,
    const char *fmt, ...) TSB_PRINTF(5, 6);

/* Columns of the row: catalogue number, reason text, HTTP status (api-notes.md 3). */
int tsb_err_number(enum tsb_code);
const char *tsb_err_reason(enum tsb_code);
int tsb_err_http(enum tsb_code);
/* The same of this failure: an outage is 503 only if nothing has taken place, and 500 otherwise. */
int tsb_err_status(const struct tsb_err *);
/* The row with this catalogue number, or TSB_OK when there is none. */
enum tsb_code tsb_err_by_number(int number);

/* fatal.c. Broken invariants and start-up only: logs the sentence and exits with status 1. */
noreturn void fatal(const char *fmt, ...) TSB_PRINTF(1, 2);

#endif
