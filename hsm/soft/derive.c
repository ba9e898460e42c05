/* Keys from seeds and from other keys. */
#include "lib/first.h"

#include "lib/crypto/owned.h"

#include "hsm/soft/internal.h"

#define SEED_SIZE SLIP10_SEED_MAX

const struct slip10_method *
soft_method(const struct hsm_key *k)
{
	if (k->kind == KEY_ED)
		return slip10_method(NULL);
	return k->kind == KEY_EC ? slip10_method(k->curve) : NULL;
}

static int
unsuitable(const struct hsm_key *k, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_DERIVATION, "key '%s' (%s) is not one of those that are derived",
	    k->label, key_kinds[k->kind].algorithm);
}

/* Makes the node the key k. */
static int
take_node(const struct slip10_method *m, const struct slip10_node *node, struct hsm_key *k,
    struct tsb_bytes *part, struct tsb_err *err)
{
	pkey_auto *pair = NULL;

	if (slip10_pair(m, node, &pair, err) || soft_pair_encode(pair, k, part, err))
		return -1;
	k->has_chain = true;
	k->chain = node->chain;
	return 0;
}

int
soft_sow(struct token *t, struct tsb_view seed, struct hsm_key *k, struct tsb_bytes *part,
    struct tsb_err *err)
{
	const struct slip10_method *m = soft_method(k);
	slip10_node_auto node = {{0}};

	(void)t;
	if (m == NULL)
		return unsuitable(k, err);
	return slip10_master(m, seed, &node, err) || take_node(m, &node, k, part, err) ? -1 : 0;
}

int
soft_sow_random(struct token *t, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
{
	unsigned char seed[SEED_SIZE];
	int rc;

	crypto_random(seed, sizeof(seed));
	rc = soft_sow(t, tsb_view_of(seed, sizeof(seed)), k, part, err);
	tsb_wipe(seed, sizeof(seed));
	return rc;
}

int
soft_derive(struct token *t, const struct hsm_key *from, struct tsb_view from_part,
    const struct key_path *path, struct hsm_key *k, struct tsb_bytes *part, struct tsb_err *err)
{
	const struct slip10_method *m = soft_method(from);
	slip10_node_auto node = {{0}};
	pkey_auto *pair = NULL;

	(void)t;
	if (m == NULL || !from->has_chain)
		return unsuitable(from, err);
	return crypto_private_parse(from_part, &pair, err) ||
		slip10_read(m, pair, &from->chain, &node, err) ||
		slip10_walk(m, path, &node, err) || take_node(m, &node, k, part, err)
	    ? -1
	    : 0;
}
