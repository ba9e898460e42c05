#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/wire/wire.h"

#include "cli/approve/reason.h"
#include "cli/lib/ask.h"
#include "cli/lib/output.h"

/* What is wrong with it, as the server would say; NULL = nothing. */
static const char *
fault_of(struct arena *a, const char *text)
{
	if (*text == '\0')
		return "must not be empty";
	if (!tsb_label_valid(tsb_view_str(text)))
		return "must be UTF-8 without control characters";
	if (tsb_utf8_count(tsb_view_str(text)) > WIRE_REASON_MAX)
		return arena_printf(a, "has more than %d characters", WIRE_REASON_MAX);
	return NULL;
}

int
reason_check(struct cli *c)
{
	const char *text = c->opt[OPT_REASON];
	const char *fault = text != NULL ? fault_of(&c->arena, text) : NULL;

	return fault == NULL ? 0 : tsb_fail(&c->err, TSB_E_INPUT, "--reason %s", fault);
}

int
reason_get(struct cli *c, const char **out)
{
	const char *text = c->opt[OPT_REASON], *fault;

	while (text == NULL && c->opt[OPT_YES] == NULL) {
		if (ask_line("Why? The caller sees it (empty: no reason): ", &c->arena, &text,
			&c->err))
			return -1;
		if (text == NULL)
			break;
		if ((fault = fault_of(&c->arena, text)) != NULL) {
			output_note("tsb: the reason %s", fault);
			text = NULL;
		}
	}
	*out = text;
	return 0;
}
