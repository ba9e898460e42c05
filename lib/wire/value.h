/* Values of one member: checked against its row and put where the row says. */
#ifndef TSB_WIRE_VALUE_H
#define TSB_WIRE_VALUE_H

#include "lib/wire/field.h"
#include "lib/wire/tree.h"

struct reader {
	struct arena *a;
	struct tsb_err *err;
	bool strict; /* inside an object that is */
};

/* Raises code (TSB_OK = TSB_E_INPUT) with "<where> <rule>". */
int value_refuse(struct reader *r, const struct field_path *at, enum tsb_code code, const char *fmt,
    ...) TSB_PRINTF(4, 5);
/* Any type of row but FIELD_OBJECT and FIELD_LIST. */
int value_read(struct reader *r, struct json_object *v, const struct field *f,
    const struct field_path *at, void *dest) TSB_MUSTCHECK;

#endif
