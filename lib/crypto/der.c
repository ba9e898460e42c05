#include "lib/first.h"

#include <openssl/objects.h>

#include "lib/base/err.h"
#include "lib/crypto/der.h"

static void
put_head(struct tsb_bytes *out, unsigned char tag, size_t n)
{
	unsigned char head[6] = {tag};
	size_t octets = 0;

	if (n > 0xffffffff)
		fatal("a DER value of %zu bytes cannot be written", n);
	for (size_t rest = n < 0x80 ? 0 : n; rest > 0; rest >>= 8)
		octets++;
	head[1] = (unsigned char)(octets == 0 ? n : 0x80 | octets);
	for (size_t i = 0; i < octets; i++)
		head[2 + i] = (unsigned char)(n >> (8 * (octets - 1 - i)));
	tsb_bytes_add(out, head, 2 + octets);
}

void
der_put(struct tsb_bytes *out, unsigned char tag, struct tsb_view content)
{
	put_head(out, tag, content.n);
	tsb_bytes_add_view(out, content);
}

void
der_put_gathered(struct tsb_bytes *out, unsigned char tag, struct tsb_bytes *b)
{
	der_put(out, tag, tsb_view_bytes(b));
	tsb_bytes_reset(b);
}

void
der_put_bits(struct tsb_bytes *out, struct tsb_view content)
{
	put_head(out, DER_BIT_STRING, content.n + 1);
	tsb_bytes_add(out, "", 1);
	tsb_bytes_add_view(out, content);
}

void
der_put_small(struct tsb_bytes *out, unsigned char value)
{
	const unsigned char octets[2] = {0, value};

	/* a leading zero keeps the number positive */
	der_put(out, DER_INTEGER,
	    value < 0x80 ? tsb_view_of(octets + 1, 1) : tsb_view_of(octets, 2));
}

void
der_put_oid(struct tsb_bytes *out, int nid)
{
	unsigned char *der = NULL;
	int n = i2d_ASN1_OBJECT(OBJ_nid2obj(nid), &der);

	if (n <= 0)
		fatal("OpenSSL has no object identifier %d", nid);
	tsb_bytes_add(out, der, (size_t)n);
	OPENSSL_free(der);
}
