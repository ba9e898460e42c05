#include "lib/first.h"

#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include "lib/crypto/owned.h"

#include "hsm/key/rfctimestamp.h"
#include "hsm/key/sign.h"

#define SIGNATURE_ALGORITHM "SHA256_WITH_ECDSA" /* of the P-256 keys that key_make_system() makes */
#define SERIAL_SIZE         16
#define ACCURACY            1 /* second: the time is told without its fraction */

static int
trouble(struct tsb_err *err)
{
	ERR_clear_error();
	return tsb_fail(err, TSB_E_HSM, "the timestamp could not be made");
}

bool
rfc_timestamp_policy_valid(const char *text)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(text, 1);
	bool valid = oid != NULL;

	ASN1_OBJECT_free(oid);
	ERR_clear_error();
	return valid;
}

/* ---- TSTInfo (RFC 3161, 2.4.2) ---- */

static bool
set_policy(TS_TST_INFO *info, const char *policy)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(policy, 1);
	bool ok = oid != NULL && TS_TST_INFO_set_policy_id(info, oid) == 1;

	ASN1_OBJECT_free(oid);
	return ok;
}

static bool
set_imprint(TS_TST_INFO *info, enum hash hash, struct tsb_view payload)
{
	unsigned char digest[HASH_SIZE_MAX];
	TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	X509_ALGOR *algorithm = X509_ALGOR_new();
	struct tsb_err ignored;
	bool ok = imprint != NULL && algorithm != NULL &&
	    hash_compute(hash, payload, digest, &ignored) == 0 &&
	    X509_ALGOR_set0(algorithm, OBJ_nid2obj(EVP_MD_get_type(hash_md(hash))), V_ASN1_NULL,
		NULL) == 1 &&
	    TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
	    TS_MSG_IMPRINT_set_msg(imprint, digest, (int)hash_size(hash)) == 1 &&
	    TS_TST_INFO_set_msg_imprint(info, imprint) == 1;

	X509_ALGOR_free(algorithm);
	TS_MSG_IMPRINT_free(imprint);
	return ok;
}

static bool
set_serial(TS_TST_INFO *info)
{
	unsigned char random[SERIAL_SIZE];
	ASN1_INTEGER *serial;
	bn_auto *number = NULL;
	bool ok;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return false;
	random[0] = (random[0] & 0x7f) | 0x40; /* positive, and of one length */
	number = BN_bin2bn(random, sizeof(random), NULL);
	serial = number != NULL ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
	ok = serial != NULL && TS_TST_INFO_set_serial(info, serial) == 1;
	ASN1_INTEGER_free(serial);
	return ok;
}

static bool
set_time(TS_TST_INFO *info, int64_t seconds)
{
	ASN1_GENERALIZEDTIME *time = ASN1_GENERALIZEDTIME_set(NULL, (time_t)seconds);
	TS_ACCURACY *accuracy = TS_ACCURACY_new();
	ASN1_INTEGER *within = ASN1_INTEGER_new();
	bool ok = time != NULL && accuracy != NULL && within != NULL &&
	    ASN1_INTEGER_set(within, ACCURACY) == 1 &&
	    TS_ACCURACY_set_seconds(accuracy, within) == 1 &&
	    TS_TST_INFO_set_time(info, time) == 1 && TS_TST_INFO_set_accuracy(info, accuracy) == 1;

	ASN1_INTEGER_free(within);
	TS_ACCURACY_free(accuracy);
	ASN1_GENERALIZEDTIME_free(time);
	return ok;
}

/* DER of what the token says; NULL when OpenSSL does not make it. */
static ASN1_OCTET_STRING *
info_make(const struct rfc_timestamp *what)
{
	TS_TST_INFO *info = TS_TST_INFO_new();
	ASN1_OCTET_STRING *out = NULL;
	der_auto *der = NULL;
	int n;

	if (info != NULL && TS_TST_INFO_set_version(info, 1) == 1 &&
	    set_policy(info, what->policy) && set_imprint(info, what->hash, what->payload) &&
	    set_serial(info) && set_time(info, what->seconds)) {
		n = i2d_TS_TST_INFO(info, &der);
		out = n > 0 ? ASN1_OCTET_STRING_new() : NULL;
		if (out != NULL && ASN1_OCTET_STRING_set(out, der, n) != 1) {
			ASN1_OCTET_STRING_free(out);
			out = NULL;
		}
	}
	TS_TST_INFO_free(info);
	return out;
}

/* ---- SignedData around it (RFC 5652, 5) ---- */

/* Which certificate is meant (RFC 5816). */
static bool
add_certificate_id(PKCS7_SIGNER_INFO *signer, X509 *certificate)
{
	ESS_SIGNING_CERT_V2 *id =
	    OSSL_ESS_signing_cert_v2_new_init(EVP_sha256(), certificate, NULL, 0);
	ASN1_STRING *text = ASN1_STRING_new();
	der_auto *der = NULL;
	int n = id != NULL ? i2d_ESS_SIGNING_CERT_V2(id, &der) : 0;
	bool ok = n > 0 && text != NULL && ASN1_STRING_set(text, der, n) == 1 &&
	    PKCS7_add_signed_attribute(signer, NID_id_smime_aa_signingCertificateV2,
		V_ASN1_SEQUENCE, text) == 1;

	if (!ok)
		ASN1_STRING_free(text);
	ESS_SIGNING_CERT_V2_free(id);
	return ok;
}

/* The attributes that are signed (RFC 3161, 2.4.2; RFC 5652, 5.4). */
static bool
add_attributes(PKCS7_SIGNER_INFO *signer, X509 *certificate, const ASN1_OCTET_STRING *info)
{
	const struct tsb_view content =
	    tsb_view_of(ASN1_STRING_get0_data(info), (size_t)ASN1_STRING_length(info));
	unsigned char digest[HASH_SIZE_MAX];
	struct tsb_err ignored;

	return hash_compute(HASH_SHA256, content, digest, &ignored) == 0 &&
	    PKCS7_add_signed_attribute(signer, NID_pkcs9_contentType, V_ASN1_OBJECT,
		OBJ_nid2obj(NID_id_smime_ct_TSTInfo)) == 1 &&
	    PKCS7_add1_attrib_digest(signer, digest, (int)hash_size(HASH_SHA256)) == 1 &&
	    add_certificate_id(signer, certificate);
}

/* Owned by the container; NULL when OpenSSL does not make it. */
static PKCS7_SIGNER_INFO *
add_signer(PKCS7 *token, X509 *certificate, EVP_PKEY *public_key)
{
	PKCS7_SIGNER_INFO *signer = PKCS7_SIGNER_INFO_new();

	if (signer != NULL &&
	    PKCS7_SIGNER_INFO_set(signer, certificate, public_key, EVP_sha256()) == 1 &&
	    PKCS7_add_signer(token, signer) == 1)
		return signer;
	PKCS7_SIGNER_INFO_free(signer);
	return NULL;
}

/* Takes info over if it succeeds. */
static bool
set_content(PKCS7 *token, ASN1_OCTET_STRING *info)
{
	PKCS7 *content = PKCS7_new();

	if (content == NULL)
		return false;
	content->type = OBJ_nid2obj(NID_id_smime_ct_TSTInfo);
	content->d.other = ASN1_TYPE_new();
	if (content->d.other == NULL || PKCS7_set_content(token, content) != 1) {
		PKCS7_free(content);
		return false;
	}
	ASN1_TYPE_set(content->d.other, V_ASN1_OCTET_STRING, info);
	return true;
}

static int
sign(PKCS7_SIGNER_INFO *signer, const struct hsm_key *k, struct token_key *private_half,
    struct tsb_err *err)
{
	der_auto *der = NULL;
	int n = ASN1_item_i2d((const ASN1_VALUE *)signer->auth_attr, &der,
	    ASN1_ITEM_rptr(PKCS7_ATTR_SIGN));
	const struct tsb_view attributes = tsb_view_of(der, n > 0 ? (size_t)n : 0);
	tsb_bytes_auto signature = {0};
	struct sign_how how = {.form = FORM_DER};

	if (n <= 0)
		return trouble(err);
	if (sign_select(k, SIGNATURE_ALGORITHM, attributes.n, &how.scheme, err) ||
	    sign_make(k, private_half, &how, attributes, &signature, err))
		return -1;
	return ASN1_STRING_set(signer->enc_digest, signature.p, (int)signature.n) == 1
	    ? 0
	    : trouble(err);
}

static int
sign_and_encode(PKCS7 *token, X509 *certificate, const struct hsm_key *k,
    struct token_key *private_half, const struct rfc_timestamp *what, struct tsb_bytes *out,
    struct tsb_err *err)
{
	ASN1_OCTET_STRING *info = info_make(what);
	PKCS7_SIGNER_INFO *signer = NULL;
	der_auto *der = NULL;
	int n;

	if (info == NULL || PKCS7_set_type(token, NID_pkcs7_signed) != 1 ||
	    ASN1_INTEGER_set(token->d.sign->version, 3) != 1 ||
	    PKCS7_add_certificate(token, certificate) != 1 ||
	    (signer = add_signer(token, certificate, k->public_key)) == NULL ||
	    !add_attributes(signer, certificate, info) || !set_content(token, info)) {
		ASN1_OCTET_STRING_free(info);
		return trouble(err);
	}
	if (sign(signer, k, private_half, err))
		return -1;
	n = i2d_PKCS7(token, &der);
	if (n <= 0)
		return trouble(err);
	tsb_bytes_add(out, der, (size_t)n);
	return 0;
}

/* ---- the certificate ---- */

static X509 *
certificate_read(struct tsb_view der)
{
	const unsigned char *p = der.p;
	X509 *certificate = der.n > 0 ? d2i_X509(NULL, &p, (long)der.n) : NULL;

	ERR_clear_error();
	return certificate;
}

int
rfc_timestamp_certificate_check(struct tsb_view der, struct tsb_err *err)
{
	x509_auto *certificate = certificate_read(der);
	bool fits = certificate != NULL &&
	    X509_check_purpose(certificate, X509_PURPOSE_TIMESTAMP_SIGN, 0) == 1;

	ERR_clear_error();
	return fits
	    ? 0
	    : tsb_fail(err, TSB_E_INVALID_CERTIFICATE,
		  "certificate has not timeStamping as its one extended key usage, critical");
}

static bool
valid_at(const X509 *certificate, int64_t seconds)
{
	time_t at = (time_t)seconds;

	return X509_cmp_time(X509_get0_notBefore(certificate), &at) < 0 &&
	    X509_cmp_time(X509_get0_notAfter(certificate), &at) > 0;
}

int
rfc_timestamp_make(const struct hsm_key *k, struct token_key *private_half,
    const struct rfc_timestamp *what, struct tsb_bytes *out, struct tsb_err *err)
{
	x509_auto *certificate = certificate_read(k->certificate);
	PKCS7 *token;
	int rc;

	if (certificate == NULL || !valid_at(certificate, what->seconds))
		return tsb_fail(err, TSB_E_INVALID_CERTIFICATE,
		    "key '%s' has no certificate that is valid now", k->label);
	token = PKCS7_new();
	rc = token != NULL ? sign_and_encode(token, certificate, k, private_half, what, out, err)
			   : trouble(err);
	PKCS7_free(token);
	return rc;
}
