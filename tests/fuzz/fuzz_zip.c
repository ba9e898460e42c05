/* Zip files: what is found lies inside of the file. */
#include "lib/first.h"

#include "lib/base/zip.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const struct tsb_view file = tsb_view_of(data, size);
	struct tsb_view content;
	struct tsb_err err;

	if (zip_find(file, ".xml", &content, &err) != 0)
		MUST(err.code == TSB_E_INPUT && err.msg[0] != '\0');
	else
		MUST(content.p >= data && content.n <= size &&
		    (size_t)(content.p - data) <= size - content.n);
	return 0;
}
