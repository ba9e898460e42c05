#include "lib/first.h"

#include "cli/lib/file.h"
#include "cli/lib/pinned.h"

int
pinned_keys_load(struct cli *c, struct pinned_keys *out)
{
	struct pinned_keys keys = {0};

	if (c->opt[OPT_TIMESTAMP_KEY] != NULL &&
	    file_read_spki(c->opt[OPT_TIMESTAMP_KEY], &c->arena, &keys.timestamp, NULL, &c->err))
		return -1;
	if (c->opt[OPT_ATTESTATION_KEY] != NULL &&
	    file_read_spki(c->opt[OPT_ATTESTATION_KEY], &c->arena, &keys.attestation, NULL,
		&c->err))
		return -1;
	*out = keys;
	return 0;
}
