/* Subjects (RFC 5280 4.1.2.6, upper bounds of its appendix A). */
#include "lib/first.h"

#include <ctype.h>
#include <limits.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "lib/base/str.h"
#include "lib/crypto/owned.h"
#include "lib/crypto/x509.h"

static const struct {
	const char *member; /* of the API */
	int nid;
	int type;
	size_t max; /* characters */
} attributes[DN__MAX] = {
    [DN_COMMON_NAME] = {"commonName", NID_commonName, V_ASN1_UTF8STRING, 64},
    [DN_COUNTRY] = {"country", NID_countryName, V_ASN1_PRINTABLESTRING, 2},
    [DN_STATE] = {"stateOrProvinceName", NID_stateOrProvinceName, V_ASN1_UTF8STRING, 128},
    [DN_LOCALITY] = {"locality", NID_localityName, V_ASN1_UTF8STRING, 128},
    [DN_ORGANIZATION] = {"organizationName", NID_organizationName, V_ASN1_UTF8STRING, 64},
    [DN_ORGANIZATION_UNIT] = {"organizationUnitName", NID_organizationalUnitName, V_ASN1_UTF8STRING,
	64},
    [DN_ORGANIZATION_IDENTIFIER] = {"organizationIdentifier", NID_organizationIdentifier,
	V_ASN1_UTF8STRING, 255},
    [DN_EMAIL] = {"email", NID_pkcs9_emailAddress, V_ASN1_IA5STRING, 255},
    [DN_TITLE] = {"title", NID_title, V_ASN1_UTF8STRING, 64},
    [DN_SURNAME] = {"surname", NID_surname, V_ASN1_UTF8STRING, 255},
    [DN_GIVEN_NAME] = {"givenName", NID_givenName, V_ASN1_UTF8STRING, 255},
    [DN_INITIALS] = {"initials", NID_initials, V_ASN1_UTF8STRING, 255},
    [DN_PSEUDONYM] = {"pseudonym", NID_pseudonym, V_ASN1_UTF8STRING, 128},
    [DN_GENERATION_QUALIFIER] = {"generationQualifier", NID_generationQualifier, V_ASN1_UTF8STRING,
	255},
};

static size_t
characters(struct tsb_view utf8)
{
	size_t n = 0;

	for (size_t i = 0; i < utf8.n; i++)
		n += (utf8.p[i] & 0xc0) != 0x80;
	return n;
}

static int
check(enum x509_attribute at, struct tsb_view v, struct tsb_err *err)
{
	const char *member = attributes[at].member;

	if (at == DN_COUNTRY && (v.n != 2 || !isalpha(v.p[0]) || !isalpha(v.p[1])))
		return tsb_fail(err, TSB_E_INPUT, "country must be a code of two letters");
	if (v.n == 0 || characters(v) > attributes[at].max)
		return tsb_fail(err, TSB_E_INPUT, "%s must have 1 to %zu characters", member,
		    attributes[at].max);
	for (size_t i = 0; attributes[at].type == V_ASN1_IA5STRING && i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f)
			return tsb_fail(err, TSB_E_INPUT,
			    "%s must have printable ASCII characters only", member);
	return 0;
}

static void
add(X509_NAME *name, enum x509_attribute at, struct tsb_view text, int place, int set)
{
	if (!X509_NAME_add_entry_by_NID(name, attributes[at].nid, attributes[at].type, text.p,
		(int)text.n, place, set))
		fatal("OpenSSL does not take %s into a name", attributes[at].member);
}

static void
write_name(X509_NAME *name, struct tsb_bytes *der)
{
	unsigned char *p = NULL;
	int n = i2d_X509_NAME(name, &p);

	if (n <= 0)
		fatal("out of memory: a name");
	tsb_bytes_add(der, p, (size_t)n);
	OPENSSL_free(p);
}

int
x509_name(const char *const text[DN__MAX], struct tsb_bytes *der, struct tsb_err *err)
{
	name_auto *name = X509_NAME_new();

	if (name == NULL)
		fatal("out of memory: a name");
	for (int at = 0; at < DN__MAX; at++) {
		struct tsb_view v = tsb_view_str(text[at]);

		if (text[at] == NULL)
			continue;
		if (check((enum x509_attribute)at, v, err))
			return -1;
		add(name, (enum x509_attribute)at, v, -1, 0);
	}
	write_name(name, der);
	return 0;
}

static bool
has_value(const X509_NAME *name, int at, struct tsb_view text)
{
	der_auto *utf8 = NULL;
	int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));

	return n >= 0 && tsb_view_eq(tsb_view_of(utf8, (size_t)n), text);
}

/*
 * Takes all common names out. Returns the set (RDN) that a new one at the first place joins, as
 * X509_NAME_add_entry_by_NID() takes it: -1 the one before, 1 the one behind, 0 none.
 */
static int
take_out(X509_NAME *name, int first)
{
	int own = X509_NAME_ENTRY_set(X509_NAME_get_entry(name, first));
	bool before = first > 0 && X509_NAME_ENTRY_set(X509_NAME_get_entry(name, first - 1)) == own;
	bool behind = false;
	int at;

	for (at = first + 1; at < X509_NAME_entry_count(name); at++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, at);

		behind |= X509_NAME_ENTRY_set(e) == own &&
		    OBJ_obj2nid(X509_NAME_ENTRY_get_object(e)) != NID_commonName;
	}
	for (at = first; at >= 0; at = X509_NAME_get_index_by_NID(name, NID_commonName, -1))
		X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, at));
	return before ? -1 : behind;
}

int
x509_name_with_common_name(struct tsb_view in, const char *common_name, struct tsb_bytes *der,
    struct tsb_err *err)
{
	const unsigned char *p = in.p;
	struct tsb_view text = tsb_view_str(common_name);
	name_auto *name = in.n > LONG_MAX ? NULL : d2i_X509_NAME(NULL, &p, (long)in.n);
	int first, set = 0;

	if (name == NULL || p != in.p + in.n) {
		ERR_clear_error();
		return tsb_fail(err, TSB_E_ENCODING, "a name does not decode");
	}
	if (check(DN_COMMON_NAME, text, err))
		return -1;
	first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	if (first >= 0 && X509_NAME_get_index_by_NID(name, NID_commonName, first) < 0 &&
	    has_value(name, first, text)) {
		tsb_bytes_add_view(der, in);
		return 0;
	}
	if (first >= 0)
		set = take_out(name, first);
	add(name, DN_COMMON_NAME, text, first, set);
	write_name(name, der);
	return 0;
}
