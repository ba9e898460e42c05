/* Names that writer and reader of the key attribute document share. */
#ifndef TSB_SKA_KEYATTR_XML_H
#define TSB_SKA_KEYATTR_XML_H

#include "lib/ska/keyattr.h"

#define KEYATTR_XML_MAX   (1024 * 1024)
#define KEYATTR_DEPTH_MAX 8

extern const char *const keyattr_rule_xml[RULE__MAX]; /* "rule_use" ... */

#endif
