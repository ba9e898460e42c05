#include "lib/first.h"

#include "lib/base/str.h"

#include "cli/lib/cli.h"

const char *const cli_token_variables[TSB_ROLE__MAX] = {
    [TSB_ROLE_KEY_MANAGEMENT] = "TSB_KEY_MANAGEMENT_TOKEN",
    [TSB_ROLE_KEY_OPERATION] = "TSB_KEY_OPERATION_TOKEN",
    [TSB_ROLE_APPROVER] = "TSB_APPROVER_TOKEN",
    [TSB_ROLE_SERVICE] = "TSB_SERVICE_TOKEN",
    [TSB_ROLE_APPROVER_MANAGEMENT] = "TSB_APPROVER_KEY_MANAGEMENT_TOKEN",
};

int
cli_number(struct cli *c, enum cli_option id, long min, long max, long dflt, long *out)
{
	if (c->opt[id] == NULL) {
		*out = dflt;
		return 0;
	}
	if (!tsb_str_to_long(c->opt[id], min, max, out))
		return tsb_fail(&c->err, TSB_E_INPUT, "--%s must be a number from %ld to %ld",
		    option_rows[id].name, min, max);
	return 0;
}
