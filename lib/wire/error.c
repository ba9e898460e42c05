/* Errors that other servers answer. */
#include "lib/first.h"

#include <string.h>

#include "lib/wire/field.h"

struct error_form {
	int number;
	const char *reason, *message;
};

static const struct field error_fields[] = {
    {"errorCode", FIELD_INT, .max = 99999, AT(struct error_form, number)},
    {"reason", FIELD_TEXT, .max = 4096, AT(struct error_form, reason)},
    {"message", FIELD_TEXT, .max = 64 * 1024, AT(struct error_form, message)},
    {NULL},
};
static const struct field_object error_object = {error_fields, .open = true};

int
wire_error_raise(struct tsb_view body, int http_status, struct tsb_err *err)
{
	arena_auto a = {0};
	struct error_form e = {0};
	struct tsb_err ignored = {0};
	enum tsb_code code = TSB_OK;
	const char *text = NULL;
	int n = 0;

	if (field_read(body, &error_object, &a, &e, NULL, &ignored) == 0) {
		code = e.number > 0 ? tsb_err_by_number(e.number) : TSB_OK;
		text = e.message != NULL && *e.message != '\0' ? e.message : e.reason;
	}
	if (text == NULL || *text == '\0')
		return tsb_fail(err, code == TSB_OK ? TSB_E_HSM : code,
		    "the HSM service answered with HTTP status %d", http_status);
	/* cut between characters, so that the sentence stays UTF-8 */
	for (n = (int)strnlen(text, 400); n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
		;
	return tsb_fail(err, code == TSB_OK ? TSB_E_HSM : code, "%.*s", n, text);
}

bool
wire_error_has_number(struct tsb_view body)
{
	arena_auto a = {0};
	struct error_form e = {0};
	struct tsb_err ignored = {0};

	return field_read(body, &error_object, &a, &e, NULL, &ignored) == 0 && e.number > 0;
}
