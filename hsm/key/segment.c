#include "lib/first.h"

#include <string.h>

#include "hsm/key/segment.h"

void
segments_clear(struct segments *s)
{
	tsb_wipe(s, sizeof(*s));
}

/* Prefix, number (big endian), and 1 for the last segment. */
static struct gcm
gcm_of(const struct segments *s, bool last, unsigned char nonce[GCM_IV_SIZE])
{
	memcpy(nonce, s->secret + SEGMENT_KEY_SIZE, SEGMENT_PREFIX_SIZE);
	for (int i = 0; i < 4; i++)
		nonce[SEGMENT_PREFIX_SIZE + i] = (unsigned char)(s->next >> (24 - 8 * i));
	nonce[GCM_IV_SIZE - 1] = last;
	return (struct gcm){
	    .key = tsb_view_of(s->secret, SEGMENT_KEY_SIZE),
	    .iv = tsb_view_of(nonce, GCM_IV_SIZE),
	    .tag_size = GCM_TAG_SIZE,
	};
}

/* A number that came again would be a nonce that comes again. */
static int
count(struct segments *s, bool last, struct tsb_err *err)
{
	if (!last && s->next == UINT32_MAX)
		return tsb_fail(err, TSB_E_INPUT, "the file is too long");
	s->next++;
	return 0;
}

int
segment_seal(struct segments *s, struct tsb_view plain, bool last, struct tsb_bytes *out,
    struct tsb_err *err)
{
	unsigned char nonce[GCM_IV_SIZE];
	const struct gcm g = gcm_of(s, last, nonce);

	return count(s, last, err) ? -1 : gcm_seal(&g, plain, out, err);
}

int
segment_open(struct segments *s, struct tsb_view sealed, bool last, struct tsb_bytes *out,
    struct tsb_err *err)
{
	unsigned char nonce[GCM_IV_SIZE];
	const struct gcm g = gcm_of(s, last, nonce);

	return count(s, last, err) ? -1 : gcm_open(&g, sealed, out, err);
}
