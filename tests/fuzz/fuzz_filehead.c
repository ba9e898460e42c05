/* Headers of encrypted files: what is read is written again with the same bytes. */
#include "lib/first.h"

#include <string.h>

#include "hsm/key/filehead.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	tsb_bytes_auto again = {0};
	struct file_head head;
	struct tsb_err err;
	char curve[256];

	if (file_head_read(tsb_view_of(data, size), &head, &err)) {
		MUST(err.code == TSB_E_FILE_HEADER);
		return 0;
	}
	MUST(head.size <= size && head.size <= FILE_HEAD_MAX);
	memcpy(curve, head.curve.p, head.curve.n);
	curve[head.curve.n] = '\0';
	if (strlen(curve) != head.curve.n)
		return 0; /* no OID, which the caller finds */
	file_head_bound(curve, &again);
	file_head_sealed(head.sealed, &again);
	MUST(tsb_view_eq(tsb_view_bytes(&again), tsb_view_of(data, head.size)));
	return 0;
}
