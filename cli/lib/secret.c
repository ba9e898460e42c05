#include "lib/first.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

#include "cli/lib/ask.h"
#include "cli/lib/file.h"
#include "cli/lib/secret.h"

#define PASSPHRASE_MIN 8

static int
ask_twice(struct cli *c, const char *what, const char **out)
{
	const char *again = NULL;

	if (ask_secret("Once more: ", &c->arena, &again) && tsb_streq(*out, again))
		return 0;
	return tsb_fail(&c->err, TSB_E_INPUT, "the %ss differ; nothing was changed", what);
}

int
secret_of(struct cli *c, enum cli_option option, const char *what, bool twice, const char **out)
{
	*out = NULL;
	if (c->opt[option] != NULL)
		return file_read_line(c->opt[option], &c->arena, out, &c->err);
	if (!ask_secret(arena_printf(&c->arena, "%s: ", what), &c->arena, out))
		return tsb_fail(&c->err, TSB_E_INPUT, "no %s: give --%s or a terminal", what,
		    option_rows[option].name);
	return twice ? ask_twice(c, "password", out) : 0;
}

static int
ask_new_passphrase(struct cli *c, const char *env, const char **out)
{
	if (!ask_secret("Passphrase for the key file: ", &c->arena, out))
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "no passphrase: give --passphrase-file,%s%s a terminal or --no-passphrase",
		    env != NULL ? " " : "", env != NULL ? env : "");
	return ask_twice(c, "passphrase", out);
}

int
secret_new_passphrase(struct cli *c, const char *env, const char **out)
{
	const char *given = env != NULL ? getenv(env) : NULL;

	*out = NULL;
	if (c->opt[OPT_NO_PASSPHRASE] != NULL)
		return 0;
	if (c->opt[OPT_PASSPHRASE_FILE] != NULL) {
		if (file_read_line(c->opt[OPT_PASSPHRASE_FILE], &c->arena, out, &c->err))
			return -1;
	} else if (given != NULL && *given) {
		*out = given;
	} else if (ask_new_passphrase(c, env, out)) {
		return -1;
	}
	if (strlen(*out) < PASSPHRASE_MIN)
		return tsb_fail(&c->err, TSB_E_INPUT,
		    "the passphrase is shorter than %d characters", PASSPHRASE_MIN);
	return 0;
}
