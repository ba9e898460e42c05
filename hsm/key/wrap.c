#include "lib/first.h"

#include "lib/base/str.h"

#include "hsm/key/wrap.h"

/* clang-format off */
#define ROW_WRAP(suffix, kind) { "AES_WRAP" suffix, KEY_AES, kind, .mode = "WRAP" }
#define ROW_PAD(suffix, kind) { "AES_WRAP_PAD" suffix, KEY_AES, kind, .mode = "WRAP-PAD" }
/* clang-format on */

static const struct wrap_method methods[] = {
    {"RSA_WRAP_PAD", KEY_RSA, KEY_AES, RSA_PAD_PKCS1, HASH_NONE},
    {"RSA_WRAP_OAEP", KEY_RSA, KEY_AES, RSA_PAD_OAEP, HASH_SHA1},
    ROW_WRAP("", KEY_AES),
    ROW_WRAP("_RSA", KEY_RSA),
    ROW_WRAP("_EC", KEY_EC),
    ROW_WRAP("_ED", KEY_ED),
    ROW_WRAP("_DSA", KEY_DSA),
    ROW_PAD("", KEY_AES),
    ROW_PAD("_RSA", KEY_RSA),
    ROW_PAD("_EC", KEY_EC),
    ROW_PAD("_ED", KEY_ED),
    ROW_PAD("_DSA", KEY_DSA),
    {"ML-KEM-512", KEY_ML_KEM, KEY_AES, .mode = "WRAP-PAD"},
    {"ML-KEM-768", KEY_ML_KEM, KEY_AES, .mode = "WRAP-PAD"},
    {"ML-KEM-1024", KEY_ML_KEM, KEY_AES, .mode = "WRAP-PAD"},
};

/* The methods of parameter sets are called after them. */
static bool
is_for(const struct wrap_method *m, const struct hsm_key *k)
{
	return m->wrapping == k->kind && (k->set == NULL || tsb_streq(m->name, k->set->name));
}

int
wrap_select(const struct hsm_key *k, const char *name, const struct wrap_method **out,
    struct tsb_err *err)
{
	const struct pq_set *set;

	for (size_t i = 0; i < TSB_COUNT(methods); i++)
		if (tsb_streq(methods[i].name, name) && is_for(&methods[i], k)) {
			*out = &methods[i];
			return 0;
		}
	set = pq_set_by_name(name);
	return tsb_fail(err, TSB_E_ALGORITHM_NOT_SUPPORTED,
	    "wrapMethod %s is not supported by key '%s' (%s)%s", name, k->label, key_algorithm(k),
	    set != NULL && !pq_set_is_offered(set) ? "; ML-KEM needs OpenSSL 3.5" : "");
}
