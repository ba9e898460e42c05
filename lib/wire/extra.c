/* Members of requests to sign and to verify that go with some algorithms alone. */
#include "lib/first.h"

#include "lib/base/str.h"
#include "lib/crypto/scheme.h"
#include "lib/wire/field.h"

#define OF(m) offsetof(struct scheme_extra, m)

static const struct {
	const char *member;
	size_t offset; /* of its view */
	bool (*goes_with)(const struct scheme *);
	const char *algorithms;
} extras[] = {
    {"context", OF(context), scheme_takes_context, "algorithms of ML-DSA and SLH-DSA"},
    {"auxiliaryRandomData", OF(aux), scheme_is_schnorr, "NONE_WITH_EC_SCHNORR_BIP0340"},
    {"taprootTweakData", OF(taproot.tweak), scheme_is_schnorr, "NONE_WITH_EC_SCHNORR_BIP0340"},
    {"merkleRootData", OF(taproot.merkle_root), scheme_is_schnorr, "NONE_WITH_EC_SCHNORR_BIP0340"},
};

int
field_check_extra(const struct scheme_extra *extra, const char *algorithm,
    const struct field_path *at, struct tsb_err *err)
{
	const struct scheme *s = scheme_find(algorithm);
	char where[FIELD_WHERE];

	for (size_t i = 0; i < TSB_COUNT(extras); i++) {
		const struct tsb_view *v =
		    (const struct tsb_view *)((const char *)extra + extras[i].offset);

		if (v->n > 0 && (s == NULL || !extras[i].goes_with(s)))
			return tsb_fail(err, TSB_E_INPUT, "%s goes with %s only",
			    field_where(at, extras[i].member, where), extras[i].algorithms);
	}
	if (extra->taproot.tweak.n > 0 && extra->taproot.merkle_root.n > 0)
		return tsb_fail(err, TSB_E_INPUT, "%s excludes merkleRootData",
		    field_where(at, "taprootTweakData", where));
	return 0;
}
