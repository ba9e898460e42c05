/* What a character does to a terminal, a log or a reader of them. */
#ifndef TSB_BASE_SHOWN_H
#define TSB_BASE_SHOWN_H

#include <stdbool.h>

/*
 * Whether the character with this number shows as what it is. False for control characters (C0,
 * DEL, C1) and for those that nobody sees or that reorder or break lines.
 */
bool tsb_shown(unsigned code);

#endif
