#include "lib/first.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/base/err.h"

static const struct {
	int number;
	const char *reason;
} rows[TSB_E__MAX] = {
#define TSB_ERR(name, number, reason) [TSB_E_##name] = {number, reason},
#include "lib/base/err_table.h"
#undef TSB_ERR
};

int
tsb_err_raise(struct tsb_err *err, enum tsb_code code, const char *file, int line, const char *fmt,
    ...)
{
	va_list ap;

	err->code = code;
	err->file = file;
	err->line = line;
	err->unsure = false;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	for (char *c = err->msg; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return -1;
}

int
tsb_err_number(enum tsb_code code)
{
	return rows[code].number;
}

const char *
tsb_err_reason(enum tsb_code code)
{
	return rows[code].reason;
}

/* The rule of api-notes.md 3: the decimal number decides. */
int
tsb_err_http(enum tsb_code code)
{
	int n = rows[code].number;

	if (n == 631 || n == 416)
		return 401;
	if (n >= 450 && n <= 459)
		return 403;
	if (n >= 650 && n <= 659)
		return 404;
	if (n == 2)
		return 503;
	if (n >= 100 && n <= 103)
		return 501;
	if ((n >= 400 && n <= 499) || (n >= 600 && n <= 699))
		return 400;
	return 500;
}

int
tsb_err_status(const struct tsb_err *err)
{
	int status = tsb_err_http(err->code);

	return status == 503 && err->unsure ? 500 : status;
}

enum tsb_code
tsb_err_by_number(int number)
{
	for (enum tsb_code code = TSB_OK + 1; code < TSB_E__MAX; code++)
		if (rows[code].number == number)
			return code;
	return TSB_OK;
}
