/* Keys and certificates that the settings name by file. */
#ifndef TSB_FLOW_FILES_H
#define TSB_FLOW_FILES_H

#include "lib/flow/context.h"

/* Reads them into f, which keeps them in its arena. */
int flow_files_load(struct flow *f, enum store_login login, struct tsb_err *err) TSB_MUSTCHECK;

#endif
