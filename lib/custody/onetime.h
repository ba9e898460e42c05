/* One-time codes by which an approver takes its container. */
#ifndef TSB_CUSTODY_ONETIME_H
#define TSB_CUSTODY_ONETIME_H

#include "lib/flow/context.h"

#define CUSTODY_CODE_SIZE 7 /* six digits and NUL */

/* A new code into row, which becomes pending. The caller writes row. */
int custody_code_issue(struct flow *f, struct tsb_approver *row, struct arena *a, int64_t now_ms,
    char code[CUSTODY_CODE_SIZE], struct tsb_err *err) TSB_MUSTCHECK;
void custody_code_void(struct tsb_approver *row);
/*
 * A try is counted, and written, before the code is looked at: parallel guesses cannot exceed the
 * tries. TSB_E_INVALID_ONE_TIME_CODE when there is none left.
 */
int custody_code_count_try(struct tsb_approver *row, int64_t now_ms, struct tsb_err *err)
    TSB_MUSTCHECK;
/* TSB_E_INVALID_ONE_TIME_CODE when code is not the one of row. */
int custody_code_check(struct flow *f, const struct tsb_approver *row, struct tsb_view code,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
