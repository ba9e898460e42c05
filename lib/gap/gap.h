/*
 * The profile air-gapped (api-notes.md 6): keys are where no network is. Policies come as
 * attributes that the offline HSM signed (attestation.h, imported.h), requests leave as
 * inputOfflineHsm (carry.h), results are checked before they are believed (result.h).
 */
#ifndef TSB_GAP_GAP_H
#define TSB_GAP_GAP_H

#include "lib/flow/rooms.h"

/* For flow_new(): what stands in for an HSM. */
extern const struct flow_gap gap_for_flow;

#endif
