#include "lib/first.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include "hsm/key/temporary.h"

/* A key on the curve without a point: whoever takes it for the public half fails. */
static EVP_PKEY *
without_point(const struct curve *curve)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	const OSSL_PARAM params[] = {
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve->group,
		strlen(curve->group)),
	    OSSL_PARAM_END,
	};
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS, (OSSL_PARAM *)params) != 1)
		fatal("a curve cannot be set up: %s", curve->name);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* What members point to is the master's, which lives as long. */
struct hsm_key *
key_temporary(struct hsm_key *master, struct tsb_view name, const struct key_path *path)
{
	struct hsm_key *k = key_new();
	struct key_path *own;

	*k = *master;
	k->refs = 1;
	k->arena = (struct arena){0};
	k->opened = NULL;
	if (k->kind == KEY_EC)
		k->public_key = without_point(k->curve);
	else if (EVP_PKEY_up_ref(k->public_key) != 1) /* Ed25519 encrypts nothing */
		fatal("a public key cannot be shared");
	k->master = key_hold(master);
	own = arena_alloc(&k->arena, sizeof(*own));
	*own = *path;
	k->path = own;
	k->label = arena_strn(&k->arena, name.p, name.n);
	k->id = NULL;
	k->spki = k->private_part = k->certificate = (struct tsb_view){0};
	k->chain = (struct chain){0};
	return k;
}

int
key_temporary_settle(struct hsm_key *k, struct tsb_err *err)
{
	const unsigned char *p = k->spki.p;
	EVP_PKEY *own = d2i_PUBKEY(NULL, &p, (long)k->spki.n);

	if (own == NULL) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_HSM, "the derived key cannot be read");
	}
	EVP_PKEY_free(k->public_key);
	k->public_key = own;
	return 0;
}
