#include "lib/first.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "lib/base/str.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/pq.h"

/* The arcs that NIST registered for signatures and for key encapsulation. */
#define SIGNATURE "2.16.840.1.101.3.4.3."
#define KEM       "2.16.840.1.101.3.4.4."

#define OPENSSL "OpenSSL 3.5"
#define BOTAN   "Botan 3"

static const struct pq_set sets[] = {
    {"ML-KEM-512", KEM "1", PQ_ML_KEM, OPENSSL},
    {"ML-KEM-768", KEM "2", PQ_ML_KEM, OPENSSL},
    {"ML-KEM-1024", KEM "3", PQ_ML_KEM, OPENSSL},
    {"ML-DSA-44", SIGNATURE "17", PQ_ML_DSA, OPENSSL},
    {"ML-DSA-65", SIGNATURE "18", PQ_ML_DSA, OPENSSL},
    {"ML-DSA-87", SIGNATURE "19", PQ_ML_DSA, OPENSSL},
    {"SLH-DSA-SHA2-128s", SIGNATURE "20", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHA2-128f", SIGNATURE "21", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHA2-192s", SIGNATURE "22", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHA2-192f", SIGNATURE "23", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHA2-256s", SIGNATURE "24", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHA2-256f", SIGNATURE "25", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHAKE-128s", SIGNATURE "26", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHAKE-128f", SIGNATURE "27", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHAKE-192s", SIGNATURE "28", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHAKE-192f", SIGNATURE "29", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHAKE-256s", SIGNATURE "30", PQ_SLH_DSA, OPENSSL},
    {"SLH-DSA-SHAKE-256f", SIGNATURE "31", PQ_SLH_DSA, OPENSSL},
    /* RFC 9708; and for XMSS what Botan writes, an arc of its inventors that RFC 9802 replaced */
    {"LMS", "1.2.840.113549.1.9.16.3.17", PQ_HSS_LMS, BOTAN},
    {"XMSS-SHA256_10_256", "0.4.0.127.0.15.1.1.13.0", PQ_XMSS, BOTAN},
    {"XMSS-SHAKE256_10_256", "0.4.0.127.0.15.1.1.13.0", PQ_XMSS, BOTAN},
};

const struct pq_set *
pq_set_by_name(const char *name)
{
	for (size_t i = 0; i < TSB_COUNT(sets); i++)
		if (tsb_streq(sets[i].name, name))
			return &sets[i];
	return NULL;
}

const struct pq_set *
pq_set_by_oid(const char *oid)
{
	for (size_t i = 0; i < TSB_COUNT(sets); i++)
		if (tsb_streq(sets[i].oid, oid))
			return &sets[i];
	return NULL;
}

const struct pq_set *
pq_set_of(const EVP_PKEY *key)
{
	for (size_t i = 0; i < TSB_COUNT(sets); i++)
		if (EVP_PKEY_is_a(key, sets[i].name))
			return &sets[i];
	return NULL;
}

const struct pq_set *
pq_set_of_spki(struct tsb_view spki)
{
	const unsigned char *p = spki.p;
	pubkey_auto *key = spki.n > INT_MAX ? NULL : d2i_X509_PUBKEY(NULL, &p, (long)spki.n);
	ASN1_OBJECT *algorithm = NULL;
	char oid[64] = "";

	if (key != NULL && X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, key) == 1)
		OBJ_obj2txt(oid, sizeof(oid), algorithm, 1);
	ERR_clear_error();
	return pq_set_by_oid(oid);
}

bool
pq_set_is_stateful(const struct pq_set *set)
{
	return tsb_streq(set->needs, BOTAN);
}

static bool
has_botan(void)
{
#ifdef HAVE_BOTAN
	return true;
#else
	return false;
#endif
}

/* OpenSSL is asked once in a process. */
bool
pq_set_is_offered(const struct pq_set *set)
{
	static enum { UNASKED, OFFERED, LACKING } answers[TSB_COUNT(sets)];
	size_t i = (size_t)(set - sets);

	if (pq_set_is_stateful(set))
		return has_botan();
	if (answers[i] == UNASKED) {
		EVP_KEYMGMT *keys = EVP_KEYMGMT_fetch(NULL, set->name, NULL);

		answers[i] = keys != NULL ? OFFERED : LACKING;
		EVP_KEYMGMT_free(keys);
		ERR_clear_error();
	}
	return answers[i] == OFFERED;
}
