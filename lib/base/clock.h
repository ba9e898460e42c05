/*
 * Wall clock and its text forms. Test builds (--enable-test-hooks) add the offset in seconds found
 * in the file named by TSB_TEST_CLOCK, so that time limits are tested without waiting.
 */
#ifndef TSB_BASE_CLOCK_H
#define TSB_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_ISO_SIZE 32 /* room for any text of clock_iso() */

int64_t clock_now_ms(void); /* UTC, milliseconds since 1970 */
int64_t clock_monotonic_ms(void); /* for intervals, never shifted by tests */
/* "2020-06-24T08:54:47Z"; buf of CLOCK_ISO_SIZE bytes, returned. */
char *clock_iso(int64_t seconds, char *buf);
/*
 * ISO 8601 date-time with seconds, optional fraction, mandatory zone (Z or +-hh:mm), a real
 * calendar date; false otherwise. Leap second 60 is refused.
 */
bool clock_iso_parse(const char *text, int64_t *ms);

#endif
