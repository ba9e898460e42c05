/* First include of every .c: what configure found, and the feature macros. */
#ifndef TSB_FIRST_H
#define TSB_FIRST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "config.h"

#define TSB_MUSTCHECK    __attribute__((warn_unused_result))
#define TSB_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define TSB_COUNT(a)     (sizeof(a) / sizeof((a)[0]))

#endif
