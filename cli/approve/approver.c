#include "lib/first.h"

#include "cli/approve/approver.h"
#include "cli/lib/fingerprint.h"

void
approver_clear(struct approver *a)
{
	signer_clear(&a->signer);
}

int
approver_load(struct approver *a)
{
	return signer_load(a->cli, &a->signer) || pinned_keys_load(a->cli, &a->keys) ? -1 : 0;
}

const char *
approver_wanted(struct approver *a)
{
	struct cli *c = a->cli;
	const char *key = fingerprint_key(&c->arena, a->signer.spki);

	return c->opt[OPT_REQUEST] != NULL
	    ? arena_printf(&c->arena, "request %s waits for the key %s", c->opt[OPT_REQUEST], key)
	    : arena_printf(&c->arena, "waits for the key %s", key);
}
