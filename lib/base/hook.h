/*
 * Fault points. In builds with --enable-test-hooks the file named by TSB_TEST_FAULTS holds lines
 * "point value": the first process that passes the point removes the line and gets the value;
 * "kill" as value ends the process there with SIGKILL, "stop" stops it until SIGCONT. Release
 * builds compile all of it away.
 */
#ifndef TSB_BASE_HOOK_H
#define TSB_BASE_HOOK_H

#ifdef TSB_TEST_HOOKS
/* The injected value, or 0 = go on as usual. */
int hook_fault(const char *point);
long hook_clock_offset_ms(void);
#else
#define hook_fault(point)      0
#define hook_clock_offset_ms() 0L
#endif

#endif
