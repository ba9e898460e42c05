#include "lib/first.h"

#include <stdlib.h>

#include "cli/lib/file.h"
#include "cli/lib/pinned.h"

/* Of commands that take the option, so that nothing else fails because of the variable. */
static const char *
attestation_key(const struct cli *c)
{
	const char *env = getenv("TSB_ATTESTATION_KEY");

	if (c->opt[OPT_ATTESTATION_KEY] != NULL)
		return c->opt[OPT_ATTESTATION_KEY];
	return (c->command->options & OPT_BIT(ATTESTATION_KEY)) && env != NULL && *env ? env : NULL;
}

int
pinned_keys_load(struct cli *c, struct pinned_keys *out)
{
	struct pinned_keys keys = {0};
	const char *attestation = attestation_key(c);

	if (c->opt[OPT_TIMESTAMP_KEY] != NULL &&
	    file_read_spki(c->opt[OPT_TIMESTAMP_KEY], &c->arena, &keys.timestamp, NULL, &c->err))
		return -1;
	if (attestation != NULL &&
	    file_read_spki(attestation, &c->arena, &keys.attestation, NULL, &c->err))
		return -1;
	*out = keys;
	return 0;
}
