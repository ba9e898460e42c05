#include "lib/first.h"

#include <stddef.h>

#include "lib/base/shown.h"

/*
 * Unicode 15: general categories Cc and Cf as far as they are in use, line and paragraph
 * separators, what is ignorable by default (it takes no room, so that two texts look the same),
 * surrogates, private use and non-characters. Sorted.
 */
static const struct {
	unsigned first, last;
} hidden[] = {
    {0x0000, 0x001f},
    {0x007f, 0x009f},
    {0x00ad, 0x00ad},
    {0x034f, 0x034f},
    {0x0600, 0x0605},
    {0x061c, 0x061c},
    {0x06dd, 0x06dd},
    {0x070f, 0x070f},
    {0x115f, 0x1160},
    {0x17b4, 0x17b5},
    {0x180b, 0x180f},
    {0x200b, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x206f},
    {0x3164, 0x3164},
    {0xd800, 0xf8ff},
    {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},
    {0xfff0, 0xffff},
    {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a},
    {0xe0000, 0x10ffff},
};

bool
tsb_shown(unsigned code)
{
	for (size_t i = 0; i < TSB_COUNT(hidden) && hidden[i].first <= code; i++)
		if (code <= hidden[i].last)
			return false;
	return true;
}
