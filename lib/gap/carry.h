/* Out: requests as somebody carries them to the offline HSM. */
#ifndef TSB_GAP_CARRY_H
#define TSB_GAP_CARRY_H

#include "lib/flow/context.h"
#include "lib/wire/offline.h"

/* 0 in the profile air-gapped, else TSB_E_UNSUPPORTED_OPERATION; so are all functions below. */
int gap_need(const struct flow *f, struct tsb_err *err) TSB_MUSTCHECK;
/* airGapped.siteName, for people; may be empty. */
const char *gap_site_name(const struct flow *f);

/*
 * The request for the carrier; TSB_E_UNSUPPORTED_OPERATION before the first approval, when one is
 * asked, and for finished requests. view (may be NULL) is what GET /v1/request shows of it.
 */
int gap_carry_request(struct flow *f, const struct tsb_uuid *id, struct arena *a, int64_t now_ms,
    struct wire_offline_request *out, struct tsb_request_view *view, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * A signed package of these requests, or (n 0) of all that are ready: with known policy those whose
 * rule is met, else those with an approval. TSB_E_UNSUPPORTED_OPERATION when there is none,
 * TSB_E_CONFIG_NOT_EXISTENT without airGapped.siteKeyFile and offlineSiteKeyFile. Appends.
 */
int gap_carry_package(struct flow *f, const struct tsb_uuid *ids, size_t n, struct arena *a,
    int64_t now_ms, struct tsb_bytes *out, struct tsb_err *err) TSB_MUSTCHECK;
/*
 * A request as GET shows it, whatever its state, and its input like that of
 * gap_input_before(). The
 * result stays for the one who fetches it.
 */
int gap_carry_view(struct flow *f, const struct tsb_uuid *id, struct arena *a, int64_t now_ms,
    struct tsb_request_view *view, struct tsb_view *input, struct tsb_err *err) TSB_MUSTCHECK;

#endif
