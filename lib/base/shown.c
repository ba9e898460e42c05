#include "lib/first.h"

#include <stddef.h>
#include <stdint.h>

#include "lib/base/shown.h"

/*
 * Line and paragraph separators, bidirectional controls (Unicode, UAX #9), and what is ignorable by
 * default: it takes no room, so that two texts look the same. Sorted.
 */
static const struct {
	uint32_t first, last;
} hidden[] = {
    {0x80, 0x9f}, /* C1 */
    {0xad, 0xad}, /* soft hyphen */
    {0x34f, 0x34f}, {0x61c, 0x61c}, {0x115f, 0x1160}, /* fillers */
    {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f}, /* zero width, direction */
    {0x2028, 0x202e}, /* separators, embeddings, overrides */
    {0x2060, 0x206f}, /* joiners, isolates */
    {0x3164, 0x3164}, {0xfe00, 0xfe0f}, /* variation selectors */
    {0xfeff, 0xfeff}, /* byte order mark */
    {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, /* annotations */
    {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0x10ffff}, /* tags, more selectors, private planes */
};

bool
tsb_shown(unsigned code)
{
	if (code < 0x20 || code == 0x7f)
		return false;
	for (size_t i = 0; i < TSB_COUNT(hidden) && hidden[i].first <= code; i++)
		if (code <= hidden[i].last)
			return false;
	return true;
}
