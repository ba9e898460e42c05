#include "lib/first.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/base/str.h"
#include "lib/crypto/owned.h"

#include "cli/lib/certview.h"
#include "cli/lib/doc.h"

void
certview_close(struct certview *v)
{
	X509_REQ_free(v->request);
	X509_free(v->certificate);
	*v = (struct certview){0};
}

/* ---- reading ---- */

/* OpenSSL reads only whole objects, so the content gets an empty signature. */
static void
add_empty_signature(struct tsb_view content, struct tsb_bytes *out)
{
	static const unsigned char signature[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
	    0x3d, 0x04, 0x03, 0x02, 0x03, 0x01, 0x00}; /* ecdsa-with-SHA256, no bits */
	unsigned char head[16], *end = head;

	ASN1_put_object(&end, 1, (int)(content.n + sizeof(signature)), V_ASN1_SEQUENCE,
	    V_ASN1_UNIVERSAL);
	tsb_bytes_add(out, head, (size_t)(end - head));
	tsb_bytes_add_view(out, content);
	tsb_bytes_add(out, signature, sizeof(signature));
}

bool
certview_open(struct tsb_view der, struct certview *out)
{
	const unsigned char *p = der.p;
	struct certview v = {0};

	if (der.n == 0 || der.n > TOKEN_PAYLOAD_MAX)
		return false;
	v.kind = CERTVIEW_CERTIFICATE;
	v.certificate = d2i_X509(NULL, &p, (long)der.n);
	if (v.certificate != NULL && p == der.p + der.n) {
		*out = v;
		return true;
	}
	certview_close(&v);
	p = der.p;
	v.kind = CERTVIEW_REQUEST;
	v.request = d2i_X509_REQ(NULL, &p, (long)der.n);
	if (v.request != NULL && p == der.p + der.n) {
		*out = v;
		return true;
	}
	certview_close(&v);
	return false;
}

/* Encoding the content again gives the same bytes: it is DER, and nothing in it was skipped. */
static bool
is_exact(const struct certview *v, struct tsb_view content)
{
	der_auto *again = NULL;
	int n = v->certificate != NULL ? i2d_re_X509_tbs(v->certificate, &again)
				       : i2d_re_X509_REQ_tbs(v->request, &again);

	return n > 0 && tsb_view_eq(tsb_view_of(again, (size_t)n), content);
}

bool
certview_open_content(struct tsb_view der, struct certview *out)
{
	tsb_bytes_auto whole = {0};
	struct certview v;

	if (der.n == 0 || der.p[0] != 0x30 || der.n > TOKEN_PAYLOAD_MAX)
		return false;
	add_empty_signature(der, &whole);
	if (!certview_open(tsb_view_bytes(&whole), &v))
		return false;
	if (!is_exact(&v, der)) {
		certview_close(&v);
		return false;
	}
	*out = v;
	return true;
}

static const X509_NAME *
subject_of(const struct certview *v)
{
	return v->certificate != NULL ? X509_get_subject_name(v->certificate)
				      : X509_REQ_get_subject_name(v->request);
}

struct tsb_view
certview_key(const struct certview *v, struct arena *a)
{
	const X509_PUBKEY *key = v->certificate != NULL ? X509_get_X509_PUBKEY(v->certificate)
							: X509_REQ_get_X509_PUBKEY(v->request);
	der_auto *der = NULL;
	int n = i2d_X509_PUBKEY(key, &der);

	return n > 0 ? arena_view(a, tsb_view_of(der, (size_t)n)) : tsb_view_of(NULL, 0);
}

const char *
certview_common_name(const struct certview *v, struct arena *a)
{
	const X509_NAME *name = subject_of(v);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	der_auto *text = NULL;
	int n;

	if (at < 0)
		return NULL;
	n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (n <= 0 || memchr(text, '\0', (size_t)n) != NULL)
		return NULL;
	return arena_strn(a, text, (size_t)n);
}

bool
certview_is_self_issued(const struct certview *v)
{
	return v->certificate != NULL &&
	    X509_NAME_cmp(X509_get_subject_name(v->certificate),
		X509_get_issuer_name(v->certificate)) == 0;
}

/* ---- showing ---- */

static BIO *
new_memory(void)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio == NULL)
		fatal("out of memory");
	return bio;
}

/* The printed text without line feeds at its end. */
static struct tsb_view
printed(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == ' '))
		n--;
	return tsb_view_of(p, (size_t)n);
}

/* Escapes commas and other separators, so that no name looks like two. */
static void
show_name(struct doc *t, const char *title, const X509_NAME *name)
{
	unsigned long flags = (XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS |
				  ASN1_STRFLGS_RFC2253) &
	    ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	bio_auto *bio = new_memory();

	if (X509_NAME_entry_count(name) == 0) {
		doc_text(t, title, "(empty)");
		return;
	}
	X509_NAME_print_ex(bio, name, 0, flags);
	doc_view(t, title, printed(bio));
}

static void
show_when(struct doc *t, const char *name, const ASN1_TIME *when)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) != 1)
		doc_text(t, name, "not understood");
	else
		doc_format(t, name, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void
show_serial(struct doc *t, const ASN1_INTEGER *serial)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = number != NULL ? BN_bn2hex(number) : NULL;

	doc_text(t, "serial number", hex != NULL ? hex : "not understood");
	OPENSSL_free(hex);
	BN_free(number);
}

static void
show_object(struct doc *t, const char *name, const ASN1_OBJECT *object)
{
	char text[128];

	if (OBJ_obj2txt(text, sizeof(text), object, 0) > 0)
		doc_text(t, name, text);
}

static void
show_extension(struct doc *t, X509_EXTENSION *e)
{
	bool critical = X509_EXTENSION_get_critical(e) != 0;
	bio_auto *bio = new_memory();
	char name[128], title[160];

	if (OBJ_obj2txt(name, sizeof(name), X509_EXTENSION_get_object(e), 0) <= 0)
		snprintf(name, sizeof(name), "extension");
	X509V3_EXT_print(bio, e, X509V3_EXT_DUMP_UNKNOWN, 0);
	if (!t->json) {
		snprintf(title, sizeof(title), "%s%s:", name, critical ? " (critical)" : "");
		doc_format(t, "extension", "%s", title);
		doc_view(t, "", printed(bio));
		return;
	}
	doc_open(t, "extension");
	doc_text(t, "name", name);
	doc_bool(t, "critical", critical);
	doc_view(t, "value", printed(bio));
	doc_close(t);
}

static void
show_extensions(struct doc *t, const STACK_OF(X509_EXTENSION) * all)
{
	BASIC_CONSTRAINTS *basic = X509V3_get_d2i(all, NID_basic_constraints, NULL, NULL);
	int i;

	if (basic != NULL && basic->ca)
		doc_warn(t, "AUTHORITY: with this certificate the key may issue certificates (CA)");
	BASIC_CONSTRAINTS_free(basic);
	doc_list(t, "extensions");
	for (i = 0; i < sk_X509_EXTENSION_num(all); i++)
		show_extension(t, sk_X509_EXTENSION_value(all, i));
	doc_close(t);
}

/*
 * Shows the attributes of a request other than the extensions that it asks for. OpenSSL reads the
 * extensions of one attribute only.
 */
static void
show_attributes(struct doc *t, const X509_REQ *request)
{
	int i, lists = 0;

	doc_list(t, "attributes");
	for (i = 0; i < X509_REQ_get_attr_count(request); i++) {
		const ASN1_OBJECT *what = X509_ATTRIBUTE_get0_object(X509_REQ_get_attr(request, i));

		if (X509_REQ_extension_nid(OBJ_obj2nid(what)))
			lists++;
		else
			show_object(t, "attribute", what);
	}
	doc_close(t);
	if (lists > 1)
		doc_warn(t, "the request has more than one list of extensions: not all are shown");
}

static void
show_certificate(struct doc *t, const struct certview *v)
{
	X509 *x = v->certificate;

	show_name(t, "subject", X509_get_subject_name(x));
	show_name(t, "issuer", X509_get_issuer_name(x));
	show_serial(t, X509_get0_serialNumber(x));
	show_when(t, "valid from", X509_get0_notBefore(x));
	show_when(t, "valid to", X509_get0_notAfter(x));
	show_object(t, "signature algorithm", X509_get0_tbs_sigalg(x)->algorithm);
}

void
certview_show(struct doc *t, const struct certview *v)
{
	STACK_OF(X509_EXTENSION) * wanted;
	arena_auto a = {0};

	if (v->certificate != NULL)
		show_certificate(t, v);
	else
		show_name(t, "subject", subject_of(v));
	doc_key(t, "public key", certview_key(v, &a));
	if (v->certificate != NULL) {
		show_extensions(t, X509_get0_extensions(v->certificate));
		return;
	}
	wanted = X509_REQ_get_extensions(v->request);
	show_extensions(t, wanted);
	sk_X509_EXTENSION_pop_free(wanted, X509_EXTENSION_free);
	show_attributes(t, v->request);
}
