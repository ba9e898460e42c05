#include "lib/first.h"

#include <string.h>

#include "hsm/key/filehead.h"
#include "hsm/key/segment.h"

#define MAGIC      "TSBFILE1"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)
#define SUITE      1 /* ECIES, AES-256-GCM */
#define OID_MAX    64

void
file_head_bound(const char *curve_oid, struct tsb_bytes *out)
{
	const unsigned char numbers[] = {SUITE, SEGMENT_LOG2, (unsigned char)strlen(curve_oid)};

	tsb_bytes_add(out, MAGIC, MAGIC_SIZE);
	tsb_bytes_add(out, numbers, sizeof(numbers));
	tsb_bytes_add_str(out, curve_oid);
}

void
file_head_sealed(struct tsb_view sealed, struct tsb_bytes *out)
{
	const unsigned char length[] = {(unsigned char)(sealed.n >> 8), (unsigned char)sealed.n};

	tsb_bytes_add(out, length, sizeof(length));
	tsb_bytes_add_view(out, sealed);
}

static int
bad(const char *why, struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_FILE_HEADER, "the file has no valid header: %s", why);
}

/* The next n bytes; false when there are not so many. */
static bool
take(struct tsb_view *from, size_t n, struct tsb_view *out)
{
	if (from->n < n)
		return false;
	*out = tsb_view_of(from->p, n);
	from->p += n;
	from->n -= n;
	return true;
}

int
file_head_read(struct tsb_view start, struct file_head *out, struct tsb_err *err)
{
	struct tsb_view left = start, magic, numbers, length;
	struct file_head head;
	size_t n;

	if (!take(&left, MAGIC_SIZE, &magic) || !tsb_view_eq(magic, tsb_view_of(MAGIC, MAGIC_SIZE)))
		return bad("it does not begin with " MAGIC, err);
	if (!take(&left, 3, &numbers))
		return bad("it ends too early", err);
	if (numbers.p[0] != SUITE || numbers.p[1] != SEGMENT_LOG2)
		return bad("this version does not know its cipher", err);
	if (numbers.p[2] == 0 || numbers.p[2] > OID_MAX)
		return bad("the name of its curve has a wrong length", err);
	if (!take(&left, numbers.p[2], &head.curve))
		return bad("it ends too early", err);
	head.bound = tsb_view_of(start.p, start.n - left.n);
	if (!take(&left, 2, &length))
		return bad("it ends too early", err);
	n = (size_t)length.p[0] << 8 | length.p[1];
	if (n == 0 || n > FILE_HEAD_SEALED_MAX)
		return bad("its key has a wrong length", err);
	if (!take(&left, n, &head.sealed))
		return bad("it ends too early", err);
	head.size = start.n - left.n;
	*out = head;
	return 0;
}
