#include "lib/first.h"

#include <string.h>

#include "lib/ska/sigalg.h"

#define DER_NULL       0x05
#define DER_BIT_STRING 0x03
#define DER_OID        0x06
#define DER_SEQUENCE   0x30

const char *const ska_digest_names[DIGEST__MAX] = {
    [DIGEST_NONE] = "EdDSA",
    [DIGEST_SHA224] = "SHA-224",
    [DIGEST_SHA256] = "SHA-256",
    [DIGEST_SHA384] = "SHA-384",
    [DIGEST_SHA512] = "SHA-512",
    [DIGEST_SHA3_224] = "SHA3-224",
    [DIGEST_SHA3_256] = "SHA3-256",
    [DIGEST_SHA3_384] = "SHA3-384",
    [DIGEST_SHA3_512] = "SHA3-512",
};

const char *const ska_key_type_names[KEYTYPE__MAX] = {
    [KEYTYPE_RSA] = "RSA",
    [KEYTYPE_EC] = "EC",
    [KEYTYPE_DSA] = "DSA",
    [KEYTYPE_ED25519] = "Ed25519",
    [KEYTYPE_ML_DSA_44] = "ML-DSA-44",
    [KEYTYPE_ML_DSA_65] = "ML-DSA-65",
    [KEYTYPE_ML_DSA_87] = "ML-DSA-87",
};

bool
ska_key_type_has_digest(enum ska_key_type type)
{
	return type < KEYTYPE_ED25519;
}

struct sigalg_row {
	enum ska_key_type type;
	enum ska_digest digest;
	unsigned char n;
	unsigned char oid[9]; /* content of the OBJECT IDENTIFIER */
};

#define PKCS1(last)                                                                                \
	9,                                                                                         \
	{                                                                                          \
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, (last)                             \
	}
#define ECDSA2(last)                                                                               \
	8,                                                                                         \
	{                                                                                          \
		0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, (last)                                   \
	}
#define NIST(last)                                                                                 \
	9,                                                                                         \
	{                                                                                          \
		0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, (last)                             \
	}

static const struct sigalg_row rows[] = {
    {KEYTYPE_RSA, DIGEST_SHA224, PKCS1(14)}, /* 1.2.840.113549.1.1.x */
    {KEYTYPE_RSA, DIGEST_SHA256, PKCS1(11)},
    {KEYTYPE_RSA, DIGEST_SHA384, PKCS1(12)},
    {KEYTYPE_RSA, DIGEST_SHA512, PKCS1(13)},
    {KEYTYPE_RSA, DIGEST_SHA3_224, NIST(13)}, /* 2.16.840.1.101.3.4.3.x */
    {KEYTYPE_RSA, DIGEST_SHA3_256, NIST(14)},
    {KEYTYPE_RSA, DIGEST_SHA3_384, NIST(15)},
    {KEYTYPE_RSA, DIGEST_SHA3_512, NIST(16)},
    {KEYTYPE_EC, DIGEST_SHA224, ECDSA2(1)}, /* 1.2.840.10045.4.3.x */
    {KEYTYPE_EC, DIGEST_SHA256, ECDSA2(2)},
    {KEYTYPE_EC, DIGEST_SHA384, ECDSA2(3)},
    {KEYTYPE_EC, DIGEST_SHA512, ECDSA2(4)},
    {KEYTYPE_EC, DIGEST_SHA3_224, NIST(9)},
    {KEYTYPE_EC, DIGEST_SHA3_256, NIST(10)},
    {KEYTYPE_EC, DIGEST_SHA3_384, NIST(11)},
    {KEYTYPE_EC, DIGEST_SHA3_512, NIST(12)},
    {KEYTYPE_DSA, DIGEST_SHA224, NIST(1)},
    {KEYTYPE_DSA, DIGEST_SHA256, NIST(2)},
    {KEYTYPE_DSA, DIGEST_SHA384, NIST(3)},
    {KEYTYPE_DSA, DIGEST_SHA512, NIST(4)},
    {KEYTYPE_DSA, DIGEST_SHA3_224, NIST(5)},
    {KEYTYPE_DSA, DIGEST_SHA3_256, NIST(6)},
    {KEYTYPE_DSA, DIGEST_SHA3_384, NIST(7)},
    {KEYTYPE_DSA, DIGEST_SHA3_512, NIST(8)},
    {KEYTYPE_ED25519, DIGEST_NONE, 3, {0x2b, 0x65, 0x70}}, /* 1.3.101.112 */
    {KEYTYPE_ML_DSA_44, DIGEST_NONE, NIST(17)},
    {KEYTYPE_ML_DSA_65, DIGEST_NONE, NIST(18)},
    {KEYTYPE_ML_DSA_87, DIGEST_NONE, NIST(19)},
};

/* The length of a DER head in its only allowed form: definite and as short as can be. */
static int
take_der_length(struct tsb_view *in, size_t *n, struct tsb_err *err)
{
	size_t octets, len = 0;

	if (in->n < 1)
		return tsb_fail(err, TSB_E_PAYLOAD, "signature: ends within a length");
	octets = in->p[0] < 0x80 ? 0 : (size_t)(in->p[0] & 0x7f);
	if (in->p[0] == 0x80 || octets > 3 || octets >= in->n)
		return tsb_fail(err, TSB_E_PAYLOAD, "signature: length is not in DER");
	for (size_t i = 1; i <= octets; i++)
		len = len << 8 | in->p[i];
	if (octets == 0)
		len = in->p[0];
	else if (in->p[1] == 0 || len < 0x80)
		return tsb_fail(err, TSB_E_PAYLOAD, "signature: length is not minimal");
	in->p += 1 + octets;
	in->n -= 1 + octets;
	*n = len;
	return 0;
}

static int
take_der(struct tsb_view *in, unsigned tag, const char *what, struct tsb_view *value,
    struct tsb_err *err)
{
	size_t n;

	if (in->n < 1 || in->p[0] != tag)
		return tsb_fail(err, TSB_E_PAYLOAD, "signature: %s is missing", what);
	in->p++;
	in->n--;
	if (take_der_length(in, &n, err))
		return -1;
	if (n > in->n)
		return tsb_fail(err, TSB_E_PAYLOAD, "signature: %s is longer than what holds it",
		    what);
	*value = (struct tsb_view){in->p, n};
	in->p += n;
	in->n -= n;
	return 0;
}

static int
end_der(struct tsb_view rest, const char *what, struct tsb_err *err)
{
	if (rest.n == 0)
		return 0;
	return tsb_fail(err, TSB_E_PAYLOAD, "signature: bytes after %s", what);
}

static const struct sigalg_row *
row_by_oid(struct tsb_view oid)
{
	for (size_t i = 0; i < TSB_COUNT(rows); i++)
		if (tsb_view_eq(oid, tsb_view_of(rows[i].oid, rows[i].n)))
			return &rows[i];
	return NULL;
}

/* Parameters: NULL as observed, or absent as RFC 5758, RFC 8410 and RFC 9881 have it. */
static int
parse_algorithm(struct tsb_view in, const struct sigalg_row **row, struct tsb_err *err)
{
	struct tsb_view oid, none;

	if (take_der(&in, DER_OID, "the algorithm", &oid, err))
		return -1;
	if ((*row = row_by_oid(oid)) == NULL)
		return tsb_fail(err, TSB_E_PAYLOAD, "signature: unknown algorithm");
	if (in.n == 0)
		return 0;
	if (take_der(&in, DER_NULL, "NULL as parameter", &none, err) ||
	    end_der(none, "the tag of NULL", err))
		return -1;
	return end_der(in, "the parameters", err);
}

int
ska_signature_parse(struct tsb_view der, enum ska_key_type *type, enum ska_digest *digest,
    struct tsb_view *raw, struct tsb_err *err)
{
	const struct sigalg_row *row;
	struct tsb_view outer, algorithm, bits;

	if (take_der(&der, DER_SEQUENCE, "the outer SEQUENCE", &outer, err) ||
	    end_der(der, "the outer SEQUENCE", err) ||
	    take_der(&outer, DER_SEQUENCE, "the AlgorithmIdentifier", &algorithm, err) ||
	    parse_algorithm(algorithm, &row, err) ||
	    take_der(&outer, DER_BIT_STRING, "the BIT STRING", &bits, err) ||
	    end_der(outer, "the BIT STRING", err))
		return -1;
	if (bits.n < 2 || bits.p[0] != 0)
		return tsb_fail(err, TSB_E_PAYLOAD,
		    "signature: the BIT STRING is empty or has unused bits");
	*type = row->type;
	*digest = row->digest;
	*raw = (struct tsb_view){bits.p + 1, bits.n - 1};
	return 0;
}

static void
put_der(struct tsb_bytes *out, unsigned char tag, size_t n)
{
	unsigned char head[5] = {tag};
	size_t octets = n < 0x80 ? 0 : n < 0x100 ? 1 : n < 0x10000 ? 2 : 3;

	if (n >= 0x1000000)
		fatal("signature of %zu bytes cannot be written", n);
	if (octets == 0)
		head[1] = (unsigned char)n;
	else
		head[1] = (unsigned char)(0x80 | octets);
	for (size_t i = 0; i < octets; i++)
		head[2 + i] = (unsigned char)(n >> (8 * (octets - 1 - i)));
	tsb_bytes_add(out, head, 2 + octets);
}

static void
put_der_value(struct tsb_bytes *out, unsigned char tag, struct tsb_view value)
{
	put_der(out, tag, value.n);
	tsb_bytes_add_view(out, value);
}

void
ska_signature_format(enum ska_key_type type, enum ska_digest digest, struct tsb_view raw,
    struct tsb_bytes *out)
{
	tsb_bytes_auto algorithm = {0};
	tsb_bytes_auto body = {0};
	const struct sigalg_row *row = NULL;

	for (size_t i = 0; i < TSB_COUNT(rows) && row == NULL; i++)
		if (rows[i].type == type && rows[i].digest == digest)
			row = &rows[i];
	if (row == NULL)
		fatal("no signature algorithm for key type %d and digest %d", (int)type,
		    (int)digest);
	put_der_value(&algorithm, DER_OID, tsb_view_of(row->oid, row->n));
	if (ska_key_type_has_digest(type))
		put_der(&algorithm, DER_NULL, 0);
	put_der_value(&body, DER_SEQUENCE, tsb_view_bytes(&algorithm));
	put_der(&body, DER_BIT_STRING, raw.n + 1);
	tsb_bytes_add(&body, "", 1); /* no unused bits */
	tsb_bytes_add_view(&body, raw);
	put_der_value(out, DER_SEQUENCE, tsb_view_bytes(&body));
}
