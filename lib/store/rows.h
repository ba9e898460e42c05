/* Rows that more than one statement brings. */
#ifndef TSB_STORE_ROWS_H
#define TSB_STORE_ROWS_H

#include "lib/store/internal.h"

/* REQUEST_COLUMNS (request.c). */
int row_take_request(struct stmt_cursor *, struct arena *, struct tsb_request *, struct tsb_err *)
    TSB_MUSTCHECK;
/* TASK_COLUMNS (task.c). */
#define TASK_COLUMN_COUNT 7
int row_take_task(struct stmt_cursor *, struct arena *, struct tsb_task *, struct tsb_err *)
    TSB_MUSTCHECK;
/* KEY_COLUMNS (key.c); false when they are all NULL. */
bool row_take_key(struct stmt_cursor *, struct arena *, struct tsb_key_attributes *);

#endif
