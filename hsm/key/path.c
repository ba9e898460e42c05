#include "lib/first.h"

#include <string.h>

#include "hsm/key/path.h"

#define DIGITS_MAX 10 /* of 2147483647 */

static int
refuse(struct tsb_err *err)
{
	return tsb_fail(err, TSB_E_KEY_NAME,
	    "derivation path: it must be 1 to %d numbers from 0 to 2147483647 without leading "
	    "zeros, each with ' behind it if it is hardened, and / between them (44'/0'/0)",
	    KEY_PATH_MAX);
}

/* Takes one element from the front of *text. */
static bool
take_element(struct tsb_view *text, uint32_t *out)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < text->n && text->p[n] >= '0' && text->p[n] <= '9'; n++)
		if (n < DIGITS_MAX)
			value = value * 10 + (uint64_t)(text->p[n] - '0');
	if (n == 0 || n > DIGITS_MAX || (n > 1 && text->p[0] == '0') || value >= KEY_PATH_HARDENED)
		return false;
	*out = (uint32_t)value;
	if (n < text->n && text->p[n] == '\'') {
		*out |= KEY_PATH_HARDENED;
		n++;
	}
	*text = tsb_view_of(text->p + n, text->n - n);
	return true;
}

int
key_path_parse(struct tsb_view text, struct key_path *out, struct tsb_err *err)
{
	struct key_path path = {0};

	for (;;) {
		if (path.n == KEY_PATH_MAX || !take_element(&text, &path.v[path.n++]))
			return refuse(err);
		if (text.n == 0)
			break;
		if (text.p[0] != '/')
			return refuse(err);
		text = tsb_view_of(text.p + 1, text.n - 1);
	}
	*out = path;
	return 0;
}

bool
key_path_split(struct tsb_view name, struct tsb_view *master, struct tsb_view *path)
{
	const unsigned char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
	size_t n;

	if (slash == NULL)
		return false;
	n = (size_t)(slash - name.p);
	*master = tsb_view_of(name.p, n);
	*path = tsb_view_of(slash + 1, name.n - n - 1);
	return true;
}
