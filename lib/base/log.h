/*
 * Structured lines on stderr (which systemd's journal collects) or in a file:
 *	2026-01-31T12:00:00.123Z info tsb-fcgi[812] req=4e8731d8 text key=value ...
 * We escape control characters. Callers never pass payloads, keys, passwords or tokens.
 */
#ifndef TSB_BASE_LOG_H
#define TSB_BASE_LOG_H

#include "lib/base/bytes.h"
#include "lib/base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* program is kept by reference; path NULL = stderr. Returns -1 when the file cannot be opened. */
int log_open(const char *program, const char *path, enum log_level, struct tsb_err *err);
/* Whether log_open() could open it, which is not made for that; -1 says why not. NULL is good. */
int log_check(const char *path, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * Appends the last lines of the log file, whole ones, at most max bytes. TSB_E_FILE_NOT_FOUND when
 * the log goes elsewhere: the message says where.
 */
int log_tail(long lines, size_t max, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
void log_reopen(void); /* after rotation (SIGHUP) */
/* A child lets go of what its parent has open: all but the standard descriptors and the log. */
void log_alone(void);
/* The id printed as req=... on each line until changed; NULL = none. Copied. */
void log_request(const char *id);
bool log_level_parse(const char *name, enum log_level *out);

void log_error(const char *fmt, ...) TSB_PRINTF(1, 2);
void log_warn(const char *fmt, ...) TSB_PRINTF(1, 2);
void log_info(const char *fmt, ...) TSB_PRINTF(1, 2);
void log_debug(const char *fmt, ...) TSB_PRINTF(1, 2);
/* "context: message (number reason) at file:line" */
void log_failure(enum log_level, const char *context, const struct tsb_err *err);

#endif
