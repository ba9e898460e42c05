#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/model/model.h"

const char *const tsb_state_names[STATE__MAX] = {
    [STATE_PENDING] = "PENDING",
    [STATE_APPROVED] = "APPROVED",
    [STATE_EXECUTED] = "EXECUTED",
    [STATE_FAILED] = "FAILED",
    [STATE_EXPIRED] = "EXPIRED",
    [STATE_REJECTED] = "REJECTED",
    [STATE_CANCELLED] = "CANCELLED",
};

/*
 * The diagonal of open states is there for changes within a state: another vote, a claim and its
 * release. APPROVED becomes PENDING again when the window of the met token passes before the HSM
 * was reached and another token may still be met. APPROVED to REJECTED is not there: nobody
 * withdrew what met the rule.
 */
static const unsigned char next[STATE__MAX][STATE__MAX] = {
    [STATE_PENDING] =
	{
	    [STATE_PENDING] = 1,
	    [STATE_APPROVED] = 1,
	    [STATE_EXECUTED] = 1,
	    [STATE_FAILED] = 1,
	    [STATE_EXPIRED] = 1,
	    [STATE_REJECTED] = 1,
	    [STATE_CANCELLED] = 1,
	},
    [STATE_APPROVED] =
	{
	    [STATE_PENDING] = 1,
	    [STATE_APPROVED] = 1,
	    [STATE_EXECUTED] = 1,
	    [STATE_FAILED] = 1,
	    [STATE_EXPIRED] = 1,
	    [STATE_CANCELLED] = 1,
	},
};

bool
tsb_state_by_name(const char *name, enum tsb_state *out)
{
	for (int s = 0; s < STATE__MAX; s++) {
		if (!tsb_streq(tsb_state_names[s], name))
			continue;
		*out = (enum tsb_state)s;
		return true;
	}
	return false;
}

bool
tsb_state_terminal(enum tsb_state s)
{
	return s != STATE_PENDING && s != STATE_APPROVED;
}

bool
tsb_state_may_move(enum tsb_state from, enum tsb_state to)
{
	return (unsigned)from < STATE__MAX && (unsigned)to < STATE__MAX && next[from][to] != 0;
}
