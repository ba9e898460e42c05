#include "lib/first.h"

#include <inttypes.h>

#include "lib/base/clock.h"

#include "cli/approve/attested.h"

/* The state of a key is what a change to it decides on; a use shows the policy for information. */
#define CHANGE_MINUTES 10
#define USE_MINUTES    (24 * 60)
#define MINUTES_MAX    (100L * 366 * 24 * 60)

static int64_t
age(const struct keyattr *k)
{
	return clock_now_ms() / 1000 - k->attest_time;
}

const char *
attested_text(struct arena *a, const struct keyattr *k)
{
	char text[CLOCK_ISO_SIZE];
	int64_t seconds = age(k), minutes = (seconds < 0 ? -seconds : seconds) / 60, n = minutes;
	const char *unit = "minute";

	if (minutes >= 48 * 60) {
		n = minutes / (24 * 60);
		unit = "day";
	} else if (minutes >= 120) {
		n = minutes / 60;
		unit = "hour";
	}
	return arena_printf(a, "as attested at %s (%" PRId64 " %s%s %s)",
	    clock_iso(k->attest_time, text), n, unit, n == 1 ? "" : "s",
	    seconds < -60 ? "from now: compare the clocks" : "ago");
}

/* An attestation from the future is no better than one from the past. */
static bool
is_old(const struct task *task, long minutes)
{
	int64_t seconds = age(&task->attributes);

	return seconds > minutes * 60 || seconds < -CHANGE_MINUTES * 60;
}

/* The approver checked one token; the answer must not smuggle in another. */
static int
take(struct approver *a, const struct wire_client_task *fresh, struct task *task)
{
	struct cli *c = a->cli;
	struct wire_client_task *w = arena_alloc(&c->arena, sizeof(*w));

	*w = *task->wire;
	w->attributes = fresh->attributes;
	w->attributes_signature = fresh->attributes_signature;
	task->wire = w;
	return task_check_attributes(c, &a->keys, task);
}

int
attested_freshen(struct approver *a, struct task *task)
{
	struct cli *c = a->cli;
	bool changes = task->token.operation != OP_USE, found;
	struct wire_client_task fresh;
	long minutes;

	if (cli_number(c, OPT_ATTESTED_WITHIN, 0, MINUTES_MAX,
		changes ? CHANGE_MINUTES : USE_MINUTES, &minutes))
		return -1;
	if (!task->attributes_verified || (!changes && !is_old(task, minutes)))
		return 0;
	if (task_fetch_fresh(c, &a->signer, task->wire->id, &fresh, &found))
		return -1;
	if (found && take(a, &fresh, task))
		return -1;
	task->stale = is_old(task, minutes);
	return 0;
}

int
attested_require(struct cli *c, const struct task *task)
{
	if (!task->stale)
		return 0;
	return cli_end(c, CLI_WRONG, TSB_E_PAYLOAD,
	    "task %s: its key attributes are old, %s, and the server gives no newer ones: the policy "
	    "may have been changed since; --attested-within MINUTES takes older ones",
	    task->wire->id, attested_text(&c->arena, &task->attributes));
}
