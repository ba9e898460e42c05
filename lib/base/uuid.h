/* UUIDs of version 7 (RFC 9562): they grow with time, which keeps index inserts local. */
#ifndef TSB_BASE_UUID_H
#define TSB_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#define UUID_TEXT 37 /* 36 characters and NUL */

struct tsb_uuid {
	unsigned char b[16];
};

/* Strictly growing within one process, random tail from the kernel. */
struct tsb_uuid uuid_new(void);
/* Lower case text; buf of UUID_TEXT bytes, returned. */
char *uuid_format(const struct tsb_uuid *u, char *buf);
/* 8-4-4-4-12 hex digits of either case, any version. */
bool uuid_parse(const char *text, struct tsb_uuid *out);
bool uuid_eq(const struct tsb_uuid *a, const struct tsb_uuid *b);

#endif
